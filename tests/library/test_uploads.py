"What comes from outside: both forms of an upload, how much nearer, and a digit prepared like MNIST's; against NumPy, and against arithmetic by hand."
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from PIL import Image
from scipy import ndimage

from pixelsim.image_files import image_from_bytes
from pixelsim.uploads import like_mnist, relative_margin, uploaded_files, without_paper


def test_both_forms_of_an_upload():
    "ipywidgets 7 has a dict by name, ipywidgets 8 a tuple with a memoryview."
    content = bytes(range(9))
    assert uploaded_files({"a.png": {"metadata": {"size": 9}, "content": content}}) == [("a.png", content)]
    assert uploaded_files(({"name": "a.png", "type": "image/png", "size": 9, "content": memoryview(content)},)) == [("a.png", content)]
    assert uploaded_files({}) == uploaded_files(()) == []
    with pytest.raises(TypeError, match="tuple or a dict, got bytes: pass upload.value"): uploaded_files(content)


@given(st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=1, max_size=8))
def test_how_much_nearer_is_what_numpy_says(rows):
    first, second = np.sort(np.array(rows), axis=1)[:, :2].T
    expected = np.array([0 if b == 0 else 1 - a / b for a, b in zip(first, second)])
    np.testing.assert_allclose(relative_margin(torch.tensor(rows, dtype=torch.float64)), expected, atol=1e-12)


@pytest.mark.parametrize("distances, words", [
    (torch.tensor([0.1, 0.2]), r"got \(2,\): for one image pass distances\[None\]"), (torch.ones(3, 1), r"k at least 2, got \(3, 1\)"),
    (torch.tensor([[-1., 2.]]), "should be 0 or more, got -1")])
def test_what_cannot_be_compared(distances, words):
    with pytest.raises(ValueError, match=words): relative_margin(distances)


def test_a_stroke_by_hand():
    "4 by 1 pixels become 20 by 5, in the middle, and one pixel 20 by 20; gray paper and faint dirt are paper."
    tiny = torch.full((6, 8), 30, dtype=torch.uint8)
    tiny[1:5, 2], tiny[0, 7] = 230, 79  # 49 of 200 is less than a quarter
    expected = torch.zeros(28, 28, dtype=torch.uint8)
    expected[5:25, 12:17] = 255  # rows 0 to 19 have their center at 9.5, and 14 - 9.5 is rounded up to 5; columns 0 to 4 have theirs at 2
    assert torch.equal(like_mnist(tiny), expected)
    tiny[:] = 30
    tiny[0, 7] = 79
    assert like_mnist(tiny).sum() == 20 * 20 * 255  # one pixel fills the box
    tiny[:, 4:] = 230  # half of it: of the two grays in the middle the lower is paper
    assert like_mnist(tiny).any(1).sum() == 20


def test_a_heavy_foot_stays_inside():
    "A stem of 20 pixels and a foot of 3×20: their center is at 1216/77 of 20, 15.8, which would put the top 2 above the edge."
    sheet = torch.zeros(60, 60, dtype=torch.uint8)
    sheet[20:40, 20], sheet[37:40, 20:40] = 200, 200
    for turned, first in ((sheet, 0), (sheet.flip(0), 8)): assert like_mnist(turned).any(1).nonzero()[:, 0].tolist() == [*range(first, first + 20)]


def test_the_steps_once_more_in_numpy(digits):
    "Digits of MNIST on random paper, of random size and place: cut by NumPy, averaged by Pillow, put where the center of mass says."
    random = np.random.default_rng(7)
    for digit in [*digits[1][3][:30].numpy(), *digits[1][7][:30].numpy()]:
        zoom, paper = int(random.integers(1, 6)), int(random.integers(0, 90))
        top, left = random.integers(0, 60, 2)
        sheet = np.full((28 * zoom + 90, 28 * zoom + 120), paper)
        sheet[top:top + 28 * zoom, left:left + 28 * zoom] = paper + np.kron(digit, np.ones((zoom, zoom))) * (200 - paper) // 255
        full = sheet.max() - paper
        ink = np.clip(sheet - paper - full // 4, 0, None) / (full - full // 4)
        ys, xs = ink.nonzero()
        cut = np.floor(255 * ink[ys.min():ys.max() + 1, xs.min():xs.max() + 1] + 0.5)
        height, width = np.floor(20 * np.array(cut.shape) / max(cut.shape) + 0.5).astype(int)
        small = np.floor(np.asarray(Image.fromarray(cut.astype(np.float32)).resize((width, height), Image.Resampling.BOX)) + 0.5)
        y, x = (int(np.floor(14 - center + 0.5)) for center in ndimage.center_of_mass(small))
        canvas = np.zeros((28, 28))
        canvas[y:y + height, x:x + width] = small
        found = like_mnist(torch.from_numpy(sheet.astype(np.uint8)))
        np.testing.assert_allclose(found, canvas, atol=1)  # halves may be rounded either way


def gray(*shape, value=0): return torch.full(shape, value, dtype=torch.uint8)


@pytest.mark.parametrize("prepare, image, kind, words", [
    *[(like_mnist, gray(9, 9, value=value), ValueError, "^there is hardly any ink on it: the darkest is 0 of 255 grays from the paper. Write") for value in (0, 200)],
    *[(like_mnist, image, TypeError, r"uint8 of shape \(h, w\), as read_image gives it, got") for image in (torch.zeros(2, 2), gray(1, 2, 2), gray(0, 2))],
    *[(without_paper, image, TypeError, r"uint8 of shape \(h, w\) or \(n, h, w\), as load_folder gives them, got")
      for image in (torch.zeros(2, 2), gray(4), gray(1, 1, 2, 2), gray(0, 2, 2), gray(1, 0, 2))]])
def test_what_cannot_be_prepared(prepare, image, kind, words):
    with pytest.raises(kind, match=words): prepare(image)


# Things on paper

def sheet(light, slope):
    "Paper of 40×40 pixels of this brightness in the middle, and of `slope` less on the left and more on the right."
    return np.tile(light + np.linspace(-slope, slope, 40), (40, 1))


def on_dark(photograph): return torch.from_numpy(255 - photograph.round().astype(np.uint8))


@pytest.mark.parametrize("light, slope", [(215, 0), (250, 0), (100, 0), (215, 15), (170, 25)])
def test_the_light_matters_less(light, slope):
    "A thing that fills most of the picture, in brighter, dimmer and uneven light: all of the paper becomes 0, and nothing of the thing."
    thing = np.pad(np.ones((36, 36), bool), 2)
    found = without_paper(on_dark(sheet(light, slope) * np.where(thing, .3, 1))).numpy()
    assert np.array_equal(found > 0, thing) and (slope or (found[thing] == 255).all())


def test_a_picture_of_nothing_is_refused_and_a_shadow_is_not():
    "Even light, and light that changes a little, at any brightness; a shadow of 50 of 255 grays to each side looks like a thing."
    for light, slope in [(250, 0), (120, 0), (40, 0), (215, 20)]:
        with pytest.raises(ValueError, match="there is hardly anything on it: what stands out most is"): without_paper(on_dark(sheet(light, slope)))
    assert without_paper(on_dark(sheet(180, 50))).any()


def test_paper_by_hand():
    "The border is 30, and one dirty pixel in it; what fills the middle is 230 and 130, half as far, and 79, less than a quarter, so paper."
    picture = torch.full((5, 6), 30, dtype=torch.uint8)
    picture[1:4, 1:5], picture[2, 2], picture[2, 3], picture[0, 0] = 230, 130, 79, 60
    expected = torch.zeros(5, 6, dtype=torch.uint8)
    expected[1:4, 1:5], expected[2, 2], expected[2, 3] = 255, 85, 0  # (100-50)/(200-50) of 255
    assert torch.equal(without_paper(picture), expected)
    assert torch.equal(without_paper(torch.stack([picture, picture.flip(0)])), torch.stack([expected, expected.flip(0)]))


def test_the_advice_about_paper_helps():
    "Gray on gray paper is refused, by its number in a stack; what is 32 grays from it is taken. So is a light thing on dark paper without invert."
    def picture(thing, paper): return on_dark(np.pad(np.full((10, 10), thing), 5, constant_values=paper))
    with pytest.raises(ValueError, match=r"images\[1\]: what stands out most is 31 of 255 grays from the paper. Take paper that differs more from it"):
        without_paper(torch.stack([picture(168, 200), picture(169, 200)]))
    with pytest.raises(ValueError, match="hardly anything on it: .* check which of the two is said to be darker"): without_paper(picture(200, 60))
    assert (without_paper(255 - picture(200, 60)) == 255).sum() == 100


def test_bytes_are_read_like_a_file(tmp_path, monkeypatch):
    "And nothing is written while they are."
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save("a.png")
    content = Path("a.png").read_bytes()
    for held in (content, bytearray(content), memoryview(content)): assert image_from_bytes(held).tolist() == np.arange(64).reshape(8, 8).tolist()
    assert os.listdir() == ["a.png"]
    with pytest.raises(ValueError, match="resize should be"): image_from_bytes(content, resize=3)
    with pytest.raises(OSError, match="cannot read a.txt as an image: it begins like none"): image_from_bytes(b"x", "a.txt")
    with pytest.raises(TypeError, match=r"got str: of a path pass Path\(path\).read_bytes\(\)"): image_from_bytes("a.png")
