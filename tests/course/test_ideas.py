"Measures of an image: each against NumPy, SciPy, or a search through everything."
import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from pixelsim.course.ideas import asymmetry, best_pixel, bottom_ink, darkest_row, enclosed_areas, enclosed_paper, strokes
from pixelsim.digits import load_mnist


def close(found, expected): np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def check_measures(images):
    exact, (h, w), fast = images / 255, images.shape[1:], torch.from_numpy(images)
    close(bottom_ink(fast), (images[:, h - h // 3:] > 0).mean((1, 2)))
    assert np.array_equal(darkest_row(fast), images.sum(2, dtype=int).argmax(1))
    assert strokes(fast).tolist() == [[ndimage.label(column)[1] for column in image.T] for image in exact > 0.5]
    for axis in (1, 2):
        apart = abs(exact - np.flip(exact, axis)).sum((1, 2))
        close(asymmetry(fast, axis), apart / (h * w))
        close(asymmetry(fast, axis, relative=True), apart / np.maximum(exact.sum((1, 2)), 1 / 255))


def test_measures_on_real_digits(digits): check_measures(digits[1].images[::11].numpy())


@given(arrays(np.uint8, st.tuples(st.integers(1, 3), st.integers(3, 9), st.integers(1, 9))))
@example(np.zeros((1, 3, 3), np.uint8))
@example(np.full((1, 3, 3), 255, np.uint8))
def test_measures_on_any_images(images): check_measures(images)


LABYRINTH = np.zeros((2, 29, 29), bool)  # a corridor that winds from wall to wall is one area, and none once its wall has a door
LABYRINTH[:, ::2] = LABYRINTH[:, :, [0, -1]] = True
LABYRINTH[:, 2:-1:4, 1] = LABYRINTH[:, 4:-1:4, -2] = False
LABYRINTH[1, 1, 0] = False


def check_areas(ink):
    "Their number and where they are, in both types."
    areas, counts = zip(*(ndimage.label(~np.pad(image, 1)) for image in ink))  # of which one is outside
    for images in (torch.from_numpy(ink).float(), torch.from_numpy(ink.astype(np.uint8) * 255)):
        assert enclosed_areas(images).tolist() == [count - 1 for count in counts]
        assert np.array_equal(enclosed_paper(images), [((a > 0) & (a != a[0, 0]))[1:-1, 1:-1] for a in areas])


def test_enclosed_areas_on_all_ten_digits(): check_areas(load_mnist()[1].images.numpy()[::5] / 255 > 0.5)


@given(arrays(bool, array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=12)))
@example(LABYRINTH)
@example(np.ones((2, 3, 3), bool))
@example(np.indices((1, 12, 12)).sum(0) % 2 == 1)
def test_enclosed_areas_on_any_images(ink): check_areas(ink)


def check_best_pixel(images, seven):
    "The pixel that is found, with its best line, is right as often as the best of all pixels, lines and directions."
    right = np.array([((images > line) == seven[:, None, None]).sum(0) for line in range(256)])
    best = {7: right.max(0), 3: (len(images) - right).max(0)}
    row, column, digit = best_pixel(torch.from_numpy(images), torch.from_numpy(seven))
    assert best[digit][row, column] == max(best[3].max(), best[7].max())


def test_best_pixel_on_real_digits(digits): check_best_pixel(digits[0].images.numpy()[::12], digits[0].labels[::12] == 7)


@given(arrays(np.uint8, st.tuples(st.integers(1, 8), st.integers(1, 3), st.integers(1, 3)), elements=st.integers(0, 4) | st.just(255)), st.data())
def test_best_pixel_on_any_images(images, data): check_best_pixel(images, data.draw(arrays(bool, len(images))))


@pytest.mark.parametrize("measure", [bottom_ink, darkest_row, enclosed_areas, enclosed_paper, strokes, lambda x: asymmetry(x, 1), lambda x: best_pixel(x, [True])])
def test_measures_want_a_stack(measure):
    with pytest.raises(ValueError, match=r"for one image pass images\[None\]"): measure(torch.zeros(28, 28, dtype=torch.uint8))


@pytest.mark.parametrize("call, message", [
    (lambda x: best_pixel(x.float(), [True, False]), "should be uint8"),
    (lambda x: best_pixel(x, [True]), r"should have shape \(2,\), one for each image, got \(1,\)"),
    (lambda x: asymmetry(x, 0), r"axis should be 1 \(upside down\) or 2 \(left and right\), got 0")])
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message): call(torch.zeros(2, 3, 3, dtype=torch.uint8))
