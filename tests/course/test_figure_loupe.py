"The loupe: eight bits and floats against NumPy, the frame by mouse and keys, and a number that is written."
import numpy as np
import pytest
import torch
from figure_pages import drag, press, says, settled, show, texts, trait

from pixelsim.course.figure_loupe import Loupe


@pytest.fixture(scope="module")
def images(digits): return digits[1].images[::200].numpy()


def test_eight_bits_are_numpys(arithmetic, images):
    "400 states: a digit, numbers written into it, a constant, and either type: every pixel, which of them wrapped around, and the mean; in Python, too."
    random, cases, shown = np.random.default_rng(11), [], Loupe({str(i): torch.from_numpy(image) for i, image in enumerate(images)})
    for k in range(400):
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
        shown.which, shown.edits, shown.constant, shown.kind = which, edits, constant, kind
        assert values == expected.flatten().tolist() == shown.pixels.flatten().tolist() and mean == pytest.approx(expected.mean(), abs=1e-9)
        wrapped = expected.astype(int) != image.astype(int) + constant  # never a float
        assert (shown.jumped == wrapped).all() and (kind == "float" or jumped == wrapped.flatten().tolist())


def squares(page): return [float(text) for text in texts(page, "[role=gridcell] span")]


def test_the_screen_is_the_array(play):
    "As uint8 and as float, in the start frame and another: the numbers are `cut`, the marks `jumped`, the code says which slice."
    shown = Loupe()
    page = play(shown)
    for shown.kind in ("uint8", "float"):
        page.get_by_label(shown.kind).check()
        for shown.top, shown.constant in ((4, -5), (12, 200)):
            show(page, top=shown.top, constant=shown.constant)
            assert squares(page) == shown.cut.flatten().tolist() and page.locator(".psf-code").inner_text() == f"pixels[{shown.top}:{shown.top + 6}, 4:10]"
            assert [text == "↺" for text in texts(page, "[role=gridcell] small")] == shown.jumped[shown.top:shown.top + 6, 4:10].flatten().tolist()
            facts = page.locator(".psf-facts").inner_text()
            assert facts.startswith(f"mean {shown.pixels.mean():.1f}, from {shown.pixels.min():g} to {shown.pixels.max():g}") and (f"{shown.jumped.sum()} pixels wrapped" in facts) == (shown.kind == "uint8")


def test_dragging_the_frame(play):
    "It stays within the image, wherever it is dragged and however large it is; two keys before the next frame both count."
    page = play(Loupe())
    loupe = page.locator(".psf-loupe")
    drag(page, loupe, (60, 60), (loupe.bounding_box()["width"] / 2, 4))
    assert (trait(page, "top"), trait(page, "left")) == (0, 11)
    settled(page)
    page.get_by_role("slider", name="first row").evaluate("""row => { row.focus(); for (const key of ["ArrowRight", "PageUp"])
        row.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })); }""")
    assert trait(page, "top") == 11
    page.get_by_role("spinbutton", name="rows").fill("28")
    settled(page)
    assert page.locator(".psf-code").inner_text() == "pixels[0:28, 11:17]" and "168 numbers, too many" in page.locator(".psf-beside").inner_text()
    assert loupe.evaluate("e => getComputedStyle(e).touchAction") == "pan-y"


def test_writing_a_number(play):
    "Point at a number with keys, write into it; the picture's pixel and the number change, and `as it was` takes it back."
    shown = Loupe(asked=0)
    page = play(shown)
    press(page, page.get_by_role("gridcell").first, "picked", [("ArrowDown", [5, 4]), ("ArrowDown", [6, 4]), ("ArrowDown", [7, 4]), ("ArrowRight", [7, 5]), ("ArrowRight", [7, 6])])
    assert says(page) == "pixels as uint8. Pixel [7, 6] is 244."
    page.get_by_label("write into pixel [7, 6]").fill("10")
    settled(page)
    shown.edits = trait(page, "edits")
    assert shown.edits == [[7, 6, 10]] and squares(page) == shown.cut.flatten().tolist()
    assert page.locator(".psf-loupe").evaluate("canvas => [...canvas.getContext('2d').getImageData(65, 75, 1, 1).data]") == [245, 245, 245, 255]
    page.get_by_role("button", name="as it was").click()
    settled(page)
    assert trait(page, "edits") == [] and squares(page)[20] == 244
