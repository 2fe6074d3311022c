"""Measures of an image: each against a loop over pixels, SciPy, or a search through everything."""
import itertools

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from pixelsim.course.ideas import asymmetry, best_pixel, bottom_ink, darkest_row, enclosed_areas, enclosed_paper, strokes
from pixelsim.digits import load_mnist
from pixelsim.pixels import best_threshold


def slow_measures(image):
    "Every measure of one image, uint8, by loops over pixels."
    h, w = image.shape
    at = image.tolist()
    ink = [[v > 0 for v in row] for row in at]
    sums = [sum(row) for row in at]
    up_down = sum(abs(at[r][c] - at[h-1-r][c]) for r in range(h) for c in range(w))
    left_right = sum(abs(at[r][c] - at[r][w-1-c]) for r in range(h) for c in range(w))
    runs = [sum(key for key, _ in itertools.groupby(at[r][c] / 255 > 0.5 for r in range(h))) for c in range(w)]
    return dict(bottom=sum(map(sum, ink[h-h//3:])) / (h//3*w), row=sums.index(max(sums)), strokes=runs,
                up_down=up_down / (255*h*w), left_right=left_right / (255*h*w),
                up_down_ink=up_down / max(sum(sums), 1), left_right_ink=left_right / max(sum(sums), 1))


def check_measures(images):
    slow, fast = [slow_measures(image) for image in images], torch.from_numpy(images)
    def column(name): return [s[name] for s in slow]
    assert bottom_ink(fast).tolist() == pytest.approx(column("bottom"), abs=1e-6)
    assert darkest_row(fast).tolist() == column("row") and strokes(fast).tolist() == column("strokes")
    for axis, name in ((1, "up_down"), (2, "left_right")):
        assert asymmetry(fast, axis).tolist() == pytest.approx(column(name), abs=1e-6)
        assert asymmetry(fast, axis, relative=True).tolist() == pytest.approx(column(name + "_ink"), rel=1e-4)


def test_measures_on_real_digits(digits): check_measures(digits[1].images[::11][:200].numpy())


@given(arrays(np.uint8, st.tuples(st.integers(1, 3), st.integers(3, 9), st.integers(1, 9))))
@example(np.zeros((1, 3, 3), np.uint8))
@example(np.full((1, 3, 3), 255, np.uint8))
def test_measures_on_any_images(images): check_measures(images)


def scipy_areas(image):
    "SciPy's areas of paper in a frame, as numbers, and how many there are without the one outside."
    areas, n = ndimage.label(~np.pad(image, 1))
    return areas, n - 1


def test_enclosed_areas_on_all_ten_digits():
    "The count is SciPy's for every validation digit; zeros mostly have one and eights two."
    valid = load_mnist()[1]
    found = enclosed_areas(valid.images)
    assert found.tolist() == [scipy_areas(image / 255 > 0.5)[1] for image in valid.images.numpy()]
    assert [found[torch.from_numpy(valid.labels == d)].mode().values.item() for d in (0, 1, 8)] == [1, 0, 2]


LABYRINTH = np.zeros((2, 29, 29), bool)  # a corridor that winds from wall to wall is one area, and none once its wall has a door
LABYRINTH[:, ::2] = LABYRINTH[:, :, [0, -1]] = True
LABYRINTH[:, 2:-1:4, 1] = LABYRINTH[:, 4:-1:4, -2] = False
LABYRINTH[1, 1, 0] = False


@given(arrays(bool, array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=12)))
@example(LABYRINTH)
@example(np.ones((2, 3, 3), bool))
@example(np.indices((1, 12, 12)).sum(0) % 2 == 1)
def test_enclosed_areas_on_any_images(ink):
    "Their number and where they are, in both types: spirals, checkerboards and islands too."
    areas, counts = zip(*map(scipy_areas, ink))
    for images in (torch.from_numpy(ink).float(), torch.from_numpy(ink.astype(np.uint8) * 255)):
        assert enclosed_areas(images).tolist() == [*counts]
        where = [(a > 0) & (a != a[0, 0]) for a in areas]
        assert np.array_equal(enclosed_paper(images), [w[1:-1, 1:-1] for w in where])


def test_a_labyrinth_is_one_area(): assert enclosed_areas(torch.from_numpy(LABYRINTH).float()).tolist() == [1, 0]


@pytest.mark.parametrize("measure", [bottom_ink, darkest_row, enclosed_areas, enclosed_paper, strokes, lambda x: asymmetry(x, 1),
                                     lambda x: best_pixel(x, torch.ones(1, dtype=torch.bool))])
def test_measures_want_a_stack(measure):
    "One image alone is refused, and the message says how to pass it."
    with pytest.raises(ValueError, match=r"for one image pass images\[None\]"): measure(torch.zeros(28, 28, dtype=torch.uint8))


def test_best_pixel_on_the_training_set(digits):
    "No pixel, no threshold and no direction does better: all 784 with lesson 1's search."
    train = digits[0]
    three, found = torch.from_numpy(train.labels == 3), {}
    for pixel, values in enumerate(train.images.flatten(1).double().T):
        if values.min() == values.max(): continue
        found[pixel, 3], found[pixel, 7] = best_threshold(values, three)[1], best_threshold(-values, three)[1]
    row, column, digit = best_pixel(train.images, ~three)
    assert found[28*row + column, digit] == max(found.values()) and (row, column, digit) == (13, 13, 3)


@given(arrays(np.uint8, st.tuples(st.integers(1, 8), st.integers(1, 3), st.integers(1, 3)), elements=st.integers(0, 4) | st.just(255)), st.data())
def test_best_pixel_on_any_images(images, data):
    "The pixel that is found, with its best line, is right as often as the best of all pixels, lines and directions."
    seven = np.array(data.draw(st.lists(st.booleans(), min_size=len(images), max_size=len(images))))
    def right(r, c, digit):
        return max(((images[:, r, c] > line) == (seven if digit == 7 else ~seven)).sum() for line in range(256))
    best = max(right(r, c, d) for r in range(images.shape[1]) for c in range(images.shape[2]) for d in (3, 7))
    assert right(*best_pixel(torch.from_numpy(images), torch.from_numpy(seven))) == best


@pytest.mark.parametrize("call, message", [
    (lambda x: best_pixel(x.float(), torch.tensor([True, False])), "should be uint8"),
    (lambda x: best_pixel(x, torch.tensor([True])), r"should have shape \(2,\), one for each image, got \(1,\)"),
    (lambda x: asymmetry(x, 0), r"axis should be 1 \(upside down\) or 2 \(left and right\), got 0")])
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message): call(torch.zeros(2, 3, 3, dtype=torch.uint8))
