"A sheet that takes pictures: chosen, dropped and pasted on a page from the disk with no network; refused in words; and seen as Python sees the same file."
import base64
import io

import numpy as np
import pytest
import torch
from conftest import violations
from figure_pages import arithmetic, open_page  # noqa: F401
from PIL import Image

from pixelsim.classifier import PixelSimilarity
from pixelsim.course import DrawDigit
from pixelsim.course.figure_photo import photographed
from pixelsim.image_files import image_from_bytes
from pixelsim.uploads import like_mnist, relative_margin


@pytest.fixture(scope="module")
def html(digits): return DrawDigit(PixelSimilarity().fit(digits[0]), photos=True).as_html()


def saved(pixels, kind="PNG", **options):
    file = io.BytesIO()
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(file, kind, **options)
    return file.getvalue()


def seen(content, dark=True): return like_mnist(image_from_bytes(content, invert=dark)).numpy()


def on_paper(page): return np.frombuffer(base64.b64decode(page.evaluate("document.querySelector('.pixelsim-widget').model.get('pixels')")), np.uint8).reshape(28, 28)


def choose(page, content, name="mine.png"):
    page.get_by_label("Choose a picture").set_input_files({"name": name, "mimeType": "image/png", "buffer": content})


def says(page, text): page.locator(".psd-says").get_by_text(text).wait_for()


def hand_over(page, content, kind):
    "As the browser does when a file is dropped on the widget, or pasted into the page."
    page.evaluate("""([text, kind]) => {
        const file = new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], "mine.png", { type: "image/png" });
        const transfer = new DataTransfer();
        transfer.items.add(file);
        const event = kind === "paste" ? new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true })
                                       : new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
        (kind === "paste" ? document : document.querySelector(".psd")).dispatchEvent(event);
    }""", [base64.b64encode(content).decode(), kind])


def test_chosen_dropped_and_pasted(open_page, html, digits):
    "The pixels are those of Python, all 784."
    page = open_page(html)
    for i, way in enumerate(["choose", "drop", "paste"]):
        for digit in (3, 7):
            content = saved(photographed(digits[1][digit][i].numpy()))
            choose(page, content) if way == "choose" else hand_over(page, content, way)
            expected = seen(content)
            page.wait_for_function("text => document.querySelector('.pixelsim-widget').model.get('pixels') === text", arg=base64.b64encode(expected.tobytes()).decode())
            says(page, "Your picture is nearer to the mean")


def test_what_the_browser_reads_is_what_pillow_reads(open_page, html, digits):
    "Color, gray, half transparent, a palette, GIF, BMP and WebP without loss: equal. JPEG, which each decodes a little otherwise: at most 12 of 255 apart in a pixel."
    page, sheet = open_page(html), photographed(digits[1][7][3].numpy())
    tinted = np.stack([sheet, (sheet * .9).astype(np.uint8), (sheet * .7).astype(np.uint8)], 2)
    opaque = np.dstack([np.zeros((*sheet.shape, 3), np.uint8), np.where(sheet < 128, 255, 0).astype(np.uint8)])
    for content in [saved(sheet), saved(tinted), saved(opaque), saved(Image.fromarray(tinted).quantize(16)), saved(sheet, "GIF"), saved(tinted, "BMP"), saved(tinted, "WEBP", lossless=True)]:
        choose(page, content)
        page.wait_for_function("text => document.querySelector('.pixelsim-widget').model.get('pixels') === text", arg=base64.b64encode(seen(content).tobytes()).decode())
    turned = Image.Exif()
    turned[0x0112] = 6
    for options in ({}, {"exif": turned}):
        page.get_by_role("button", name="Clear").click()
        content = saved(tinted, "JPEG", quality=92, **options)
        choose(page, content, "photo.jpg")
        says(page, "Your picture is nearer")
        page.wait_for_function("document.querySelector('.pixelsim-widget').model.get('pixels') !== ''")
        assert np.abs(on_paper(page).astype(int) - seen(content)).max() <= 12


def test_what_cannot_be_read_is_said(open_page, html, digits):
    "The picture before stays; and light ink on dark is read once the check mark is gone."
    page = open_page(html)
    alert = page.get_by_role("alert")
    choose(page, saved(photographed(digits[1][3][0].numpy())))
    says(page, "Your picture is nearer to the mean 3")
    for content, name, words in [(b"Call me back", "notes.txt", "Sorry: cannot read notes.txt as an image"), (bytes(21_000_000), "big.png", "Sorry: big.png has 21.0 MB, more than the 20 that this page takes"),
                                 (saved(Image.new("1", (9000, 8000))), "huge.png", "Sorry: huge.png is 9000 pixels wide and 8000 high, more than 64,000,000 together: save it smaller, with at most 8000 pixels on each side"),
                                 (saved(np.full((90, 90), 215, np.uint8)), "paper.png", "Sorry: there is hardly any ink on it: the darkest is 0 of 255"),
                                 (saved(255 - photographed(digits[1][7][0].numpy())), "light.png", "Ink and paper look swapped: if the ink is light, take the check mark away.")]:
        choose(page, content, name)
        alert.get_by_text(words).wait_for(timeout=60_000)
        assert page.locator(".psd-says").inner_text().startswith("Your picture is nearer to the mean 3"), name
    page.get_by_label("dark ink on light paper").uncheck()
    says(page, "Your picture is nearer to the mean 7")
    assert alert.inner_text() == ""


@pytest.mark.parametrize("major, compatible", [(b"heic", b"mif1heic"), (b"mif1", b"heic"), (b"mif1", b"avif"), (b"avif", b"avifmif1"), (b"isom", b"mp42")])
def test_what_phones_keep_is_named_as_in_python(open_page, html, major, compatible):
    "In the same words, of bytes that begin so and go on with nothing; another box that begins alike is named as little."
    content = (16 + len(compatible)).to_bytes(4, "big") + b"ftyp" + major + bytes(4) + compatible
    with pytest.raises(OSError) as caught: image_from_bytes(content, "IMG_1")
    page = open_page(html)
    choose(page, content, "IMG_1")
    alert = page.get_by_role("alert")
    alert.get_by_text("Sorry: cannot read IMG_1 as an image: ").wait_for()
    assert alert.inner_text() == (f"Sorry: {caught.value}" if major != b"isom" else "Sorry: cannot read IMG_1 as an image: this browser takes it for none")


def weights(page): return page.locator(".psd-says, .psd-says strong, .psd-line, .psd-mark").evaluate_all("all => [...new Set(all.map(each => getComputedStyle(each).fontWeight))]")


def test_what_one_must_doubt_does_not_stand_out(open_page, html, digits):
    "A photograph in so little light that ink and paper look swapped: its answer comes after the doubt, and is not bold. Cleared, nothing is left of it."
    page, bright = open_page(html), photographed(digits[1][3][0].numpy())
    choose(page, saved((bright * .5).astype(np.uint8)))
    page.get_by_role("alert").get_by_text("Ink and paper look swapped").wait_for()
    says(page, "Your picture is nearer to the mean 3: ")
    assert page.locator(".psd-says strong").count() == 0 and weights(page) == ["400"]
    choose(page, saved(bright))
    page.locator(".psd-says strong", has_text="Your picture is nearer to the mean 3:").wait_for()
    assert page.get_by_role("alert").inner_text() == "" and "700" in weights(page)
    choose(page, saved((bright * .5).astype(np.uint8)))
    page.get_by_role("alert").get_by_text("Ink and paper look swapped").wait_for()
    page.get_by_role("button", name="Clear").click()
    page.locator(".psd-says strong", has_text="Nothing drawn yet.").wait_for()
    assert page.get_by_role("alert").inner_text() == ""


def test_what_is_hard_to_say_is_said_so(open_page, html, digits):
    "Below 5%, as Python's App has it, and in its number; no card stands out. Above, the answer does."
    model = PixelSimilarity().fit(digits[0])
    contents = [saved(photographed(digit.numpy())) for digit in digits[1][3][:60]]
    nearer = relative_margin(model.distances(torch.stack([torch.from_numpy(seen(content)) for content in contents])))
    close = next(i for i, share in enumerate(nearer) if .01 < share < .045)
    page = open_page(html)
    choose(page, contents[close])
    says(page, f"is only {nearer[close]:.0%} nearer to the mean")
    assert page.locator(".psd-says strong").inner_text() == "Hard to say." and page.locator(".psd-line").evaluate_all("all => all.every(each => getComputedStyle(each).fontWeight === '400')")
    choose(page, contents[int(nearer.argmax())])
    page.locator(".psd-says strong", has_text="Your picture is nearer to the mean 3:").wait_for()


def test_without_the_option_nothing_is_taken(open_page, digits):
    page = open_page(DrawDigit(PixelSimilarity().fit(digits[0])).as_html())
    assert page.locator("input[type=file]").count() == 0
    hand_over(page, saved(photographed(digits[1][3][0].numpy())), "paste")
    page.wait_for_timeout(500)
    assert page.evaluate("document.querySelector('.pixelsim-widget').model.get('pixels')") == ""


@pytest.mark.parametrize("width", [800, 360])
@pytest.mark.parametrize("dark", [False, True])
def test_everyone_can_use_it(open_page, html, width, dark):
    page = open_page(html, width=width, dark=dark)
    choose(page, b"no picture")
    page.get_by_role("alert").get_by_text("Sorry:").wait_for()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
