"Lessons 1 and 3 against NumPy: floats from bytes, ink, a threshold, class means."
import re

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from strategies import UNIT, labeled, odd_arrays, stacks

from pixelsim.means import class_means
from pixelsim.pixels import best_threshold, ink_coverage, to_float


@given(x=arrays(np.uint8, array_shapes(min_dims=0, max_dims=4, max_side=5)))
@example(x=np.arange(256, dtype=np.uint8))
def test_to_float_divides_by_255(x):
    "Any uint8 array or tensor, of any rank, becomes NumPy's float32 x/255, to the last bit."
    for images in (x, torch.from_numpy(x)):
        made = to_float(images)
        assert made.dtype == torch.float32 and np.array_equal(made.numpy(), x.astype(np.float32) / np.float32(255))


@given(x=arrays(st.sampled_from([np.float16, np.float32, np.float64]), array_shapes(min_dims=0), elements=st.floats(0, 1, width=16)))
def test_to_float_keeps_floats(x):
    "Floats from 0 to 1, of any width, keep their values."
    made = to_float(x.copy())
    assert made.dtype == torch.float32 and np.array_equal(made.numpy(), x.astype(np.float32))


@given(x=arrays(np.float32, array_shapes(), elements=UNIT), data=st.data(), bad=st.floats(width=32).filter(lambda v: not 0 <= v <= 1))
@example(x=np.zeros(2, np.float32), data=None, bad=256.0)
@example(x=np.zeros(2, np.float32), data=None, bad=float(np.nextafter(np.float32(1), np.float32(2))))
def test_to_float_refuses_other_floats(x, data, bad):
    "One value that is NaN or infinite is counted and placed; for one that is negative or above 1 the range is wrong indeed."
    at = data.draw(st.integers(0, x.size - 1)) if data else 0
    x.flat[at] = bad
    with pytest.raises(ValueError) as caught: to_float(x)
    said = str(caught.value)
    if np.isfinite(bad):
        low, high = map(float, re.search(r"should lie between 0 and 1, got (\S+) to (\S+): divide by 255", said).groups())
        assert not (low >= 0 and high <= 1)
    else: assert f"1 of them are not, the first is {bad} at images[{', '.join(map(str, np.unravel_index(at, x.shape)))}]" in said


@given(images=stacks(np.uint8) | stacks(np.float32))
def test_ink_coverage(images):
    "The share of pixels above 0, as NumPy counts them."
    np.testing.assert_allclose(ink_coverage(images.copy()).numpy(), (images > 0).mean((1, 2)), atol=1e-6)


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


def test_best_threshold_by_hand():
    "With 0.1 and 0.3 below and 0.2, 0.6 above, 0.15 and 0.45 both get three of four right: the lower one is taken."
    threshold, share = best_threshold(torch.tensor([.6, .1, .3, .2]).double(), torch.tensor([True, False, False, True]))
    assert threshold == pytest.approx(0.15) and share == 0.75


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


@given(sample=labeled(np.float32, least=1))
def test_class_means_of_floats(sample):
    "Floats from 0 to 1 are averaged as they are."
    images, labels, classes = sample
    wanted = [images[[label == c for label in labels]].mean(0, dtype=np.float64) for c in classes]
    np.testing.assert_allclose(class_means(images.copy(), np.array(labels), classes).numpy(), wanted, rtol=1e-6, atol=1e-9)


def test_class_means_are_exact_for_many_images():
    "Sums over 300,000 images are more than float32 can count; each mean is still the float32 nearest to the true one."
    images = np.random.default_rng(0).integers(0, 256, (300_000, 4, 8), dtype=np.uint8)
    wanted = (images.sum(0, dtype=np.int64) / (300_000 * 255)).astype(np.float32)
    for order in (images, images[::-1].copy()):
        assert np.array_equal(class_means(order, np.zeros(300_000, int), [0])[0].numpy(), wanted)
