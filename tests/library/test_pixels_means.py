"Lessons 1 and 3 against NumPy, to the last bit."
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import labeled

from pixelsim.means import class_means
from pixelsim.pixels import best_threshold, to_float


def test_to_float_divides_by_255():
    "All 256 grays become NumPy's float32 x/255, to the last bit; arrays of any shape are in `test_arrays.py`."
    x = np.arange(256, dtype=np.uint8)
    assert np.array_equal(to_float(x), x.astype(np.float32) / np.float32(255))


def best_by_trying(pairs):
    "The lowest of the midpoints that get most right, and the share; None if there is no midpoint."
    levels = sorted({value for value, _ in pairs})
    middles = [(a + b) / 2 for a, b in zip(levels, levels[1:])]
    right = [sum((v > middle) == up for v, up in pairs) for middle in middles]
    return (middles[right.index(max(right))], max(right) / len(pairs)) if middles else None


# Multiples of 1/8, so that a midpoint is exact
@given(pairs=st.lists(st.tuples(st.integers(-80, 80).map(lambda n: n / 8), st.booleans()), min_size=2, max_size=12))
def test_best_threshold(pairs):
    "No midpoint between neighboring values gets more right, and of the equally good ones it is the lowest."
    wanted = best_by_trying(pairs)
    if wanted: assert best_threshold(*zip(*pairs)) == wanted
    else:
        with pytest.raises(ValueError, match=rf"got only \[{pairs[0][0]}\]: no threshold can tell them apart"): best_threshold(*zip(*pairs))


@given(sample=labeled(least=1), data=st.data())
def test_class_means(sample, data):
    "NumPy's float64 means, in the order of the classes; the order of uint8 images does not change a single bit."
    images, labels, classes = sample
    made = class_means(images.copy(), labels, classes)
    wanted = [images[[label == c for label in labels]].mean(0, dtype=np.float64) / 255 for c in classes]
    assert made.dtype == torch.float32
    np.testing.assert_allclose(made.numpy(), wanted, rtol=1e-6)
    order = data.draw(st.permutations(range(len(labels))))
    assert torch.equal(made, class_means(images[order], [labels[i] for i in order], classes))


def test_class_means_are_exact_for_many_images():
    "Sums over 300,000 images are more than float32 can count; each mean is still the float32 nearest to the true one."
    images = np.random.default_rng(0).integers(0, 256, (300_000, 4, 8), dtype=np.uint8)
    wanted = (images.sum(0, dtype=np.int64) / (300_000 * 255)).astype(np.float32)
    assert np.array_equal(class_means(images, np.zeros(300_000, int), [0])[0].numpy(), wanted)
