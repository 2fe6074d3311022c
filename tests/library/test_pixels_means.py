"Lessons 1 and 3 against NumPy, to the last bit; in other forms see `test_arrays.py`."
import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from strategies import labeled, odd_arrays

from pixelsim.means import class_means
from pixelsim.pixels import best_threshold, to_float


@given(x=arrays(np.uint8, array_shapes(min_dims=0, max_dims=4, max_side=5)))
@example(x=np.arange(256, dtype=np.uint8))
def test_to_float_divides_by_255(x):
    "Any uint8 array or tensor, of any rank, becomes NumPy's float32 x/255, to the last bit."
    for images in (x, torch.from_numpy(x)):
        made = to_float(images)
        assert made.dtype == torch.float32 and np.array_equal(made.numpy(), x.astype(np.float32) / np.float32(255))


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


@given(odd=odd_arrays(st.just((4,)), gray=1))
def test_a_threshold_for_numbers_in_any_form(odd):
    "Those are no images: any finite numbers will do."
    above, values = np.array([True, False, False, True]), odd.grays if odd.dtype != "uint8" or odd.grays is None else 255 * odd.grays
    wanted = None if values is None else best_by_trying([*zip(values, above)])
    try: found = best_threshold(odd.thing, above)
    except (TypeError, ValueError): assert wanted is None or not odd.must
    else: assert odd.grays is None or found == pytest.approx(wanted)


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
    for order in (images, images[::-1].copy()):
        assert np.array_equal(class_means(order, np.zeros(300_000, int), [0])[0].numpy(), wanted)
