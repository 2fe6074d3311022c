"A sheet that takes pictures: chosen, dropped and pasted on a page from the disk with no network; refused in words; and seen as Python sees the same file."
import base64
import io

import numpy as np
import pytest
import torch
from figure_pages import settled, trait
from PIL import Image

from pixelsim.course import DrawDigit
from pixelsim.course.figure_photo import photographed
from pixelsim.image_files import image_from_bytes
from pixelsim.uploads import like_mnist, relative_margin


@pytest.fixture
def page(play, model): return play(DrawDigit(model, photos=True))


def saved(pixels, kind="PNG", **options):
    file = io.BytesIO()
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(file, kind, **options)
    return file.getvalue()


def seen(content): return like_mnist(image_from_bytes(content, invert=True)).numpy()


def choose(page, content, name="mine.png"):
    page.get_by_label("Choose a picture").set_input_files({"name": name, "mimeType": "image/png", "buffer": content})


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


def taken(page, content):
    "Wait until the sheet has the pixels, all 784, that Python sees in a file."
    page.wait_for_function("text => document.querySelector('.pixelsim-widget').model.get('pixels') === text", arg=base64.b64encode(seen(content).tobytes()).decode())


def says(page, text): page.locator(".psd-says").get_by_text(text).wait_for()


def stands_out(page, text): page.locator(".psd-says strong", has_text=text).wait_for()


def weights(page): return set(page.locator(".psd-says, .psd-says strong, .psd-line, .psd-mark").evaluate_all("all => all.map(each => getComputedStyle(each).fontWeight)"))


def test_chosen_dropped_and_pasted(page, digits):
    for i, take in enumerate([lambda content: choose(page, content), lambda content: hand_over(page, content, "drop"), lambda content: hand_over(page, content, "paste")]):
        for digit in (3, 7):
            content = saved(photographed(digits[1][digit][i].numpy()))
            take(content)
            taken(page, content)
            says(page, "Your picture is nearer to the mean")


def test_what_the_browser_reads_is_what_pillow_reads(page, digits):
    "Color, gray, half transparent, a palette, GIF, BMP and WebP without loss: equal. JPEG, which each decodes a little otherwise: at most 12 of 255 apart in a pixel."
    sheet = photographed(digits[1][7][3].numpy())
    tinted = np.stack([sheet, (sheet * .9).astype(np.uint8), (sheet * .7).astype(np.uint8)], 2)
    opaque = np.dstack([np.zeros((*sheet.shape, 3), np.uint8), np.where(sheet < 128, 255, 0).astype(np.uint8)])
    for content in [saved(sheet), saved(tinted), saved(opaque), saved(Image.fromarray(tinted).quantize(16)), saved(sheet, "GIF"), saved(tinted, "BMP"), saved(tinted, "WEBP", lossless=True)]:
        choose(page, content)
        taken(page, content)
    turned = Image.Exif()
    turned[0x0112] = 6
    for options in ({}, {"exif": turned}):
        page.get_by_role("button", name="Clear").click()
        content = saved(tinted, "JPEG", quality=92, **options)
        choose(page, content, "photo.jpg")
        says(page, "Your picture is nearer")
        page.wait_for_function("document.querySelector('.pixelsim-widget').model.get('pixels') !== ''")
        on_paper = np.frombuffer(base64.b64decode(trait(page, "pixels")), np.uint8).reshape(28, 28)
        assert np.abs(on_paper.astype(int) - seen(content)).max() <= 12


def test_what_cannot_be_read_is_said(page, digits):
    "The picture before stays; and light ink on dark is read once the check mark is gone."
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


def test_what_phones_keep_is_named_as_in_python(page):
    "In the same words, of bytes that begin so and go on with nothing; another box that begins alike is named as little."
    alert = page.get_by_role("alert")
    for i, (major, compatible) in enumerate([(b"heic", b"mif1heic"), (b"mif1", b"heic"), (b"mif1", b"avif"), (b"avif", b"avifmif1"), (b"isom", b"mp42")]):
        content = (16 + len(compatible)).to_bytes(4, "big") + b"ftyp" + major + bytes(4) + compatible
        with pytest.raises(OSError) as caught: image_from_bytes(content, f"IMG_{i}")
        choose(page, content, f"IMG_{i}")
        alert.get_by_text(f"Sorry: cannot read IMG_{i} as an image: ").wait_for()
        assert alert.inner_text() == (f"Sorry: {caught.value}" if major != b"isom" else f"Sorry: cannot read IMG_{i} as an image: this browser takes it for none")


def test_what_one_must_doubt_does_not_stand_out(page, digits):
    "A photograph in so little light that ink and paper look swapped: its answer comes after the doubt, and is not bold. Cleared, nothing is left of it."
    alert, bright = page.get_by_role("alert"), photographed(digits[1][3][0].numpy())
    for after in ("a better one", "nothing"):
        choose(page, saved((bright * .5).astype(np.uint8)))
        alert.get_by_text("Ink and paper look swapped").wait_for()
        says(page, "Your picture is nearer to the mean 3: ")
        settled(page)
        assert page.locator(".psd-says strong").count() == 0 and weights(page) == {"400"}
        if after == "nothing": page.get_by_role("button", name="Clear").click()
        else: choose(page, saved(bright))
        stands_out(page, "Nothing drawn yet." if after == "nothing" else "Your picture is nearer to the mean 3:")
        assert alert.inner_text() == "" and "700" in weights(page)


def test_what_is_hard_to_say_is_said_so(page, model, digits):
    "Below 5%, as Python's App has it, and in its number; no card stands out. Above, the answer does."
    contents = [saved(photographed(digit.numpy())) for digit in digits[1][3][:60]]
    nearer = relative_margin(model.distances(torch.stack([torch.from_numpy(seen(content)) for content in contents])))
    close = next(i for i, share in enumerate(nearer) if .01 < share < .045)
    choose(page, contents[close])
    says(page, f"is only {nearer[close]:.0%} nearer to the mean")
    assert page.locator(".psd-says strong").inner_text() == "Hard to say." and page.locator(".psd-line").evaluate_all("all => all.every(each => getComputedStyle(each).fontWeight === '400')")
    choose(page, contents[int(nearer.argmax())])
    stands_out(page, "Your picture is nearer to the mean 3:")


def test_without_the_option_nothing_is_taken(play, model, digits):
    page = play(DrawDigit(model))
    assert page.locator("input[type=file]").count() == 0
    hand_over(page, saved(photographed(digits[1][3][0].numpy())), "paste")
    page.wait_for_timeout(500)
    assert trait(page, "pixels") == ""
