"The loupe: eight bits and floats against NumPy, the frame by mouse and keys, and a number that is written."
import re

import numpy as np
import pytest
from figure_pages import arithmetic, open_page, settled, trait  # noqa: F401

from pixelsim.course.figure_loupe import Loupe


@pytest.fixture(scope="module")
def images(digits): return digits[1].images[::200].numpy()


def test_eight_bits_are_numpys(arithmetic, images):
    "2,000 states: a digit, numbers written into it, a constant, and either type: every pixel, which of them wrapped around, and the mean."
    random, cases = np.random.default_rng(11), []
    for k in range(2000):
        edits = [[int(random.integers(28)), int(random.integers(28)), int(random.integers(256))] for _ in range(random.integers(0, 4))]
        cases.append((int(random.integers(len(images))), edits, int(random.integers(-255, 256)), "uint8" if k % 3 else "float"))
    found = arithmetic("loupe", """return data[1].map(([which, edits, constant, kind]) => {
        const values = m.worked(data[0][which], edits, constant, kind);
        return [[...values], [...m.jumps(data[0][which], edits, constant)], m.meanOf(values)];
    })""", [images.reshape(len(images), -1).tolist(), cases])
    for (which, edits, constant, kind), (values, jumped, mean) in zip(cases, found):
        image = images[which].copy()
        for row, column, value in edits: image[row, column] = value
        expected = image + np.array(constant % 256, np.uint8) if kind == "uint8" else image.astype(float) + constant
        assert values == expected.flatten().tolist() and mean == pytest.approx(expected.mean(), abs=1e-9)
        assert jumped == (expected.astype(int) != image.astype(int) + constant).flatten().tolist() if kind == "uint8" else True


def squares(page): return [float(text.split("\n")[0]) for text in page.get_by_role("gridcell").all_inner_texts()]


def test_the_screen_is_the_array(open_page):
    "As uint8 and as float, in the start frame and another: the numbers are `cut`, the marks `jumped`, the code says which slice."
    shown = Loupe()
    page = open_page(shown.as_html(), opened=True)
    for kind in ("uint8", "float"):
        page.get_by_label(kind).check()
        for top, constant in ((4, -5), (12, 200)):
            page.evaluate("([top, constant]) => { const { model } = document.querySelector('.pixelsim-widget'); model.set('top', top); model.set('constant', constant); }", [top, constant])
            settled(page)
            shown.kind, shown.top, shown.constant = kind, top, constant
            assert squares(page) == shown.cut.flatten().tolist()
            assert page.locator(".psf-code").inner_text() == f"pixels[{top}:{top + 6}, 4:10]"
            marks = [text.endswith("↺") for text in page.get_by_role("gridcell").all_inner_texts()]
            assert marks == shown.jumped[top:top + 6, 4:10].flatten().tolist()
            facts = page.locator(".psf-facts").inner_text()
            assert facts.startswith(f"mean {shown.pixels.mean():.1f}, from {shown.pixels.min():g} to {shown.pixels.max():g}") and (f"{shown.jumped.sum()} pixels wrapped" in facts) == (kind == "uint8")


def test_dragging_the_frame_and_moving_it_by_keys(open_page):
    "It stays within the image, wherever it is dragged and however large it is."
    page = open_page(Loupe().as_html(), opened=True)
    box = page.locator(".psf-loupe").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 4, steps=4)
    page.mouse.up()
    settled(page)
    assert (trait(page, "top"), trait(page, "left")) == (0, 11)
    page.get_by_role("slider", name="first row").focus()
    for key, top in [("ArrowRight", 1), ("PageUp", 11), ("End", 22), ("ArrowUp", 22), ("Home", 0), ("ArrowLeft", 0)]:
        page.keyboard.press(key)
        assert trait(page, "top") == top, key
    page.evaluate("""() => { for (const key of ["ArrowRight", "PageUp"])  // both before the next frame
        document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })); }""")
    assert trait(page, "top") == 11
    page.keyboard.press("Home")
    page.get_by_role("spinbutton", name="rows").fill("28")
    settled(page)
    assert page.locator(".psf-code").inner_text() == "pixels[0:28, 11:17]" and "168 numbers, too many" in page.locator(".psf-beside").inner_text()
    assert page.locator(".psf-loupe").evaluate("e => getComputedStyle(e).touchAction") == "pan-y"


def test_writing_a_number(open_page):
    "Point at a number with keys, write into it; the picture's pixel and the number change, and `as it was` takes it back."
    shown = Loupe(asked=0)
    page = open_page(shown.as_html(), opened=True)
    page.get_by_role("gridcell").first.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight"): page.keyboard.press(key)
    settled(page)
    assert page.locator(".psf-says").inner_text() == "pixels as uint8. Pixel [7, 6] is 244."
    page.get_by_label("write into pixel [7, 6]").fill("10")
    settled(page)
    shown.edits = trait(page, "edits")
    assert shown.edits == [[7, 6, 10]] and squares(page) == shown.cut.flatten().tolist()
    color = page.locator(".psf-loupe").evaluate("canvas => [...canvas.getContext('2d').getImageData(65, 75, 1, 1).data]")
    assert color == [245, 245, 245, 255]
    page.get_by_role("button", name="as it was").click()
    settled(page)
    assert trait(page, "edits") == [] and squares(page)[20] == 244


def test_a_damaged_link_stays_within_the_image(open_page):
    page = open_page(Loupe().as_html(), address="#loupe-pixels:top=99&left=-3&rows=400&picked=[7]&edits=[[99,0,1],[0,0,300]]&which=17")
    settled(page)
    assert re.fullmatch(r"pixels\[0:28, 0:6\]", page.locator(".psf-code").inner_text())
