"Drawing a digit: what Python keeps of it, and the page without a kernel, where the distances are compared with NumPy's. What it shares with the figures is in test_figures.py."
import base64
import io
import re
from itertools import product
from urllib.parse import unquote

import numpy as np
import pytest
import torch
import widgets
from figure_pages import beside_a_kernel, drag, settled, state_of, trait
from PIL import Image

from pixelsim.classifier import PixelSimilarity
from pixelsim.course import DrawDigit
from pixelsim.course.figure import static_text
from pixelsim.digits import load_mnist

THREE = [[(8, 6), (11, 4), (16, 4), (18, 7), (17, 10), (12, 12), (16, 13), (19, 17), (18, 21), (14, 24), (9, 23)]]
SEVEN = [[(8, 6), (19, 5), (12, 24)]]
MISTAKE = 69  # among the threes of the validation set, the one that L1 gets most wrong


@pytest.fixture(scope="module")
def examples(digits): return {"a 3": digits[1][3][0], "a 7": digits[1][7][0], "a 3 taken for a 7": digits[1][3][MISTAKE]}


@pytest.fixture
def widget(model, examples): return DrawDigit(model, examples=examples)


@pytest.fixture(scope="module")
def all_ten(): return PixelSimilarity().fit(load_mnist()[0])


def pixels_of(text): return np.frombuffer(base64.b64decode(text), np.uint8).reshape(28, 28)


def by_numpy(pixels, prototypes):
    "L1 and L2 from an image, uint8, to each prototype."
    difference = pixels / 255 - np.asarray(prototypes, dtype=np.float64)
    return {"l1": np.abs(difference).mean((1, 2)), "l2": np.sqrt((difference ** 2).mean((1, 2)))}


# In Python


def test_prototypes_arrive_as_they_are(model, digits):
    "Eight bytes for each pixel, the lowest first, read here by NumPy: means as NumPy has them, and whole numbers where there were some."
    def grays(*args): return np.frombuffer(base64.b64decode(DrawDigit(*args).prototypes), "<f8").reshape(-1, 28, 28)
    np.testing.assert_allclose(grays(model), [digits[0][c].numpy().mean(0) for c in (3, 7)], rtol=1e-14)
    for form in (digits[1].images[:2], digits[1].images[:2].float() / 255): assert np.array_equal(grays(form, [3, 7]), digits[1].images[:2])
    unit = torch.rand(3, 28, 28, generator=torch.Generator().manual_seed(3))
    np.testing.assert_allclose(grays(unit, [*"abc"]), 255 * unit.double(), rtol=1e-7)


def test_the_image_is_a_tensor_that_predict_takes_and_who_observes_it_is_told(widget, model, digits):
    "Bytes or floats come back as floats. Told when Python sets it and when pixels come from the screen, with the old and the new one; and no more, once it is unobserved."
    assert (widget.pixels, widget.image.shape, widget.image.sum()) == ("", (28, 28), 0)
    for image in digits[1].images[::400]:
        for form in (image, image.float() / 255, image.numpy()):
            widget.image = form
            assert widget.image.dtype == torch.float32 and torch.equal(widget.image, image.float() / 255) and np.array_equal(pixels_of(widget.pixels), image.numpy())
        assert model.predict(widget.image[None]) == model.predict(image[None])
    widget.image = None
    assert widget.pixels == ""
    changes = []
    widget.observe(changes.append, "image")
    widget.image = image
    widget.set_state({"pixels": ""})  # as a message from the browser does
    assert [(change.name, change.type, change.owner is widget) for change in changes] == [("image", "change", True)] * 2
    for change, before, after in zip(changes, (0 * image, image), (image, 0 * image)):
        assert torch.equal(change.old, before.float() / 255) and torch.equal(change.new, after.float() / 255)
    widget.unobserve(changes.append, "image")
    widget.image = image
    assert len(changes) == 2


def test_it_takes_over_what_the_classifier_is(digits):
    "Classes, distance and kind of prototype; words as labels; prototypes with labels of their own."
    def known(*args, **options): return [getattr(DrawDigit(*args, **options), name) for name in ("labels", "kind", "distance", "center")]
    names = np.where(digits[0].labels == 3, "three", "seven")
    assert known(PixelSimilarity("l2", "median").fit(digits[0].images, names)) == [["seven", "three"], "median", "l2", True]
    assert known(torch.zeros(2, 28, 28, dtype=torch.uint8), [3, 7], distance="l2", center=False) == [["3", "7"], "prototype", "l2", False]
    with pytest.raises(ValueError, match="labels of its own"): DrawDigit(PixelSimilarity().fit(digits[1]), [3, 7])


@pytest.mark.parametrize("prototypes, labels, options, complaint", [
    (torch.zeros(28, 28), [3], {}, "got (28, 28): for one image pass prototypes[None]"), (torch.zeros(0, 28, 28), [], {}, "at least one image"), (torch.zeros(1, 28, 28), [3], {}, "at least two prototypes, got 1"),
    (torch.zeros(2, 28, 28), [3, 3], {}, "each class should be named once"), (torch.full((2, 28, 28), torch.nan), [3, 7], {}, "should be finite"),
    (torch.zeros(2, 28, 28), [3, 7], {"examples": {"a": torch.full((28, 28), 3.)}}, "divide by 255"),
])
def test_what_does_not_fit_is_refused(prototypes, labels, options, complaint):
    with pytest.raises(ValueError, match=re.escape(complaint)): DrawDigit(prototypes, labels, **options)


def test_without_anywidget_it_says_what_to_install(run_python):
    "The module can be imported, and only the widget asks for it."
    said = run_python("import sys; sys.modules['anywidget'] = None\nfrom pixelsim.course import DrawDigit\ntry: DrawDigit(None)\nexcept ImportError as error: print(error)").stdout
    assert said.startswith("DrawDigit needs anywidget") and "do.py course" in said


def test_a_page_has_what_the_script_asks_for(widget, model, examples):
    "With the values that Python shares with the live widget; and it is the same each time."
    data, _ = widget._repr_mimebundle_()
    assert widget.model_id == data["application/vnd.jupyter.widget-view+json"]["model_id"] not in data["text/html"] + data["text/plain"] and data["text/html"] == DrawDigit(model, examples=examples).as_html()
    state = state_of(data["text/html"])
    asked = set(re.findall(r'model\.get\("(\w+)"\)', static_text("draw.js")))
    assert asked == state.keys() | {"photos"} == state_of(DrawDigit(model, photos=True).as_html()).keys()  # that only where pictures are taken
    assert state == widget.get_state(state.keys())


@pytest.mark.parametrize("distance", ["l1", "l2"])
def test_the_still_picture(model, digits, distance, examples):
    "The first example and the means, as files that Pillow reads, and their distances, as NumPy has them."
    page = DrawDigit(model, examples=examples, distance=distance).as_html()
    svg = unquote(re.search(r'src="data:image/svg\+xml,([^"]*)"', page)[1])
    means, shown = [digits[0][c].numpy().mean(0) for c in (3, 7)], [255 - np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))) for data in re.findall(r"data:image/png;base64,([^']*)'", svg)]
    assert np.array_equal(shown[0], digits[1][3][0]) and len(shown) == 3 and np.abs(np.array(shown[1:]) - means).max() <= 0.5 + 1e-4
    near, far = by_numpy(shown[0], np.array(means) / 255)[distance]
    says = f"By {distance.upper()} a 3 is nearer to the mean 3: {near:.4f} to the mean 3, {far:.4f} to the mean 7."
    assert f"<p>{says}</p>" in page and f'alt="From left to right: a 3, the mean 3, the mean 7. {says}"' in page


def test_a_module_that_is_not_so_simple_is_refused():
    "What becomes a function of the site's script imports nothing and exports one thing."
    assert widgets.function("const a = 1;\nexport default { a };\n") == "(() => {\nconst a = 1;\nreturn { a };\n})()"
    for source in ("const a = 1;", "import b from 'b';\nexport default b;", "export const a = 1;\nexport default a;"):
        with pytest.raises(ValueError, match="should import nothing and have one 'export default'"): widgets.function(source)


# In a browser, with no kernel and no network, opened from the disk


@pytest.fixture
def in_javascript(arithmetic):
    "The distances and the order that the widget's script works out for images, uint8, when no one draws."
    return lambda widget, images: arithmetic("draw", """
        const bytes = Uint8Array.from(atob(data[0]), (c) => c.charCodeAt(0)), grays = m.default.prototypesOf(data[1]);
        return Array.from({ length: bytes.length / 784 }, (_, i) => m.default.compare(bytes.subarray(784 * i, 784 * (i + 1)), grays, data[2]));""",
        [base64.b64encode(images.tobytes()).decode(), widget.prototypes, widget.distance])


def test_it_gives_the_answers_of_predict(in_javascript):
    "On images of few grays, many of which are equally far from two prototypes: by whole numbers, by predict, and for what Python says of it."
    for (k, levels), (distance, power) in product([(2, 2), (2, 3), (10, 2), (10, 6), (3, 256)], [("l1", 1), ("l2", 2)]):
        random = np.random.default_rng(10 * k + levels + 3)
        def grays(n): return (random.integers(0, levels, (n, 28, 28)) * (255 // (levels - 1))).astype(np.uint8) * (np.indices((28, 28)).sum(0) % 4 == 0)
        prototypes, images = grays(k), grays(500)
        exact = (abs(images[:, None].astype(np.int64) - prototypes) ** power).sum((2, 3))
        if levels < 10: assert (np.sort(exact)[:, 0] == np.sort(exact)[:, 1]).sum() >= 5
        model = PixelSimilarity(distance).fit(prototypes, range(k))
        answer, found = exact.argmin(1), in_javascript(DrawDigit(model), images)
        assert answer.tolist() == model.predict(images).tolist()
        assert [f["order"] for f in found] == np.argsort(exact, axis=1, kind="stable").tolist()
        np.testing.assert_allclose([f["distances"] for f in found], (exact / 784) ** (1 / power) / 255, rtol=1e-12)
        tie = int((np.sort(exact)[:, 1] - np.sort(exact)[:, 0]).argmin())
        widget = DrawDigit(model, image=images[tie])
        assert f"to the mean {answer[tie]}:" in widget.as_html() and model.predict(widget.image[None]) == answer[tie]


@pytest.mark.parametrize("distance", ["l1", "l2"])
def test_it_gives_the_answers_of_predict_for_digits(in_javascript, digits, distance):
    "All that are held back; and means that are mirror images of each other, from which symmetric images are equally far."
    train, valid = digits
    model = PixelSimilarity(distance).fit(train)
    found = in_javascript(DrawDigit(model), valid.images.numpy())
    assert np.array_equal(model.classes_[[f["order"][0] for f in found]], model.predict(valid))
    some = train[3][:7].numpy()
    mirrored = PixelSimilarity(distance).fit([*some, *some[:, :, ::-1]], [0] * 7 + [1] * 7)
    symmetric = torch.maximum(valid.images, valid.images.flip(2)).numpy()
    assert {f["order"][0] for f in in_javascript(DrawDigit(mirrored), symmetric)} == {0} == set(mirrored.predict(symmetric).tolist())


@pytest.fixture
def page(play, widget): return play(widget)


def draw(page, strokes, scale=1, dx=0, dy=0):
    "Draw with the mouse; points are in pixels of the digit, from the upper left corner of the sheet."
    canvas = page.locator(".psd-sheet")
    box = canvas.bounding_box()
    for stroke in strokes: drag(page, canvas, *(((x * scale + dx) * box["width"] / 28, (y * scale + dy) * box["height"] / 28) for x, y in stroke))


def push(page, *ways):
    for way in ways: page.get_by_role("button", name=f"Push {way}").click()


def click(page, name): page.get_by_role("button", name=name, exact=True).click()


def drawn(page):
    "What the classifier sees, uint8, once the drawing has settled."
    settled(page)
    text = trait(page, "pixels")
    return pixels_of(text) if text else np.zeros((28, 28), np.uint8)


def says(page): return page.locator(".psd-says").inner_text()


def heard(page): return page.locator(".psd-unseen[role=status]").inner_text()


def extent(pixels):
    "First and last row with ink, first and last column."
    rows, columns = pixels.any(1).nonzero()[0], pixels.any(0).nonzero()[0]
    return rows[0], rows[-1], columns[0], columns[-1]


def each_distance(page, prototypes):
    "Under both distances: what NumPy has for what is drawn, and the order of the prototypes, the nearest first."
    for distance, expected in by_numpy(drawn(page), prototypes).items():
        page.get_by_label(f"{distance.upper()} distance").check()
        settled(page)
        yield expected, np.argsort(expected, kind="stable")


def agree(page, prototypes, labels=(3, 7)):
    "The numbers are NumPy's, and mark and sentence name the nearest; more than three stand in order."
    for expected, nearest in each_distance(page, prototypes):
        order = nearest if len(labels) > 3 else np.arange(len(labels))
        lines = [text.split() for text in page.locator(".psd-line").all_inner_texts()]
        assert [line[:2] for line in lines] == [["mean", str(labels[k])] for k in order] and [len(line) > 3 for line in lines] == [k == nearest[0] for k in order]
        np.testing.assert_allclose([float(line[2]) for line in lines], expected[order], rtol=0, atol=1e-4)
        assert f"to the mean {labels[nearest[0]]}" in says(page)


def test_distances_are_those_of_numpy(page, model, examples):
    "For nothing, for loaded digits, which arrive byte for byte, and for drawings, sized and centered or not; one can draw on a digit, and Clear takes all away."
    agree(page, model.prototypes_)
    assert says(page) == "Nothing drawn yet. A classifier always answers: empty paper is nearer to the mean 7."
    for name, image in examples.items():
        click(page, name)
        agree(page, model.prototypes_)
        assert np.array_equal(drawn(page), image.numpy()) and says(page).startswith(f"A{name[1:]} is nearer to the mean ") and page.get_by_label("size and center").is_disabled()
    draw(page, [[(6, 14.5), (20, 14.5)]])
    assert (drawn(page) >= image.numpy()).all() and (drawn(page)[14, 7:19] == 255).all() and says(page).startswith("A 3 taken for a 7 with your ink is")
    for centered in (True, False):
        click(page, "Clear")
        assert drawn(page).sum() == 0 and says(page).startswith("Nothing drawn yet.")
        page.get_by_label("size and center").set_checked(centered)
        for strokes in (THREE, [[(3, 3), (9, 4)], [(20, 20)]], SEVEN):
            draw(page, strokes)
            agree(page, model.prototypes_)


def test_ten_classes(play, all_ten):
    "Then one is the nearest of all, and all fit on a phone."
    page = play(DrawDigit(all_ten), width=360)
    draw(page, SEVEN)
    agree(page, all_ten.prototypes_, range(10))
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("strokes, label", [(THREE, 3), (SEVEN, 7)])
def test_a_drawn_digit_is_recognized_wherever_it_is(page, model, digits, strokes, label):
    "Whole, small, and in a corner: sized as MNIST's, with the center of its ink where theirs is, as much ink as the middle nine tenths of theirs, and predicted in Python alike."
    images = []
    for place in (dict(), dict(scale=0.4), dict(scale=0.5, dx=13, dy=13)):
        click(page, "Clear")
        draw(page, strokes, **place)
        pixels = drawn(page)
        top, bottom, left, right = extent(pixels)
        assert 19 <= max(bottom - top, right - left) + 1 <= 20
        for axis in (0, 1): assert abs((pixels.sum(1 - axis) * np.arange(28)).sum() / pixels.sum() - 14) <= 0.51
        assert says(page).startswith(f"Your drawing is nearer to the mean {label}:")
        assert model.predict(torch.from_numpy(pixels.copy())[None]).tolist() == [label]
        images.append(pixels / 255)
    low, high = np.quantile(digits[0][label].numpy().mean((1, 2)), [0.05, 0.95])
    assert low < 255 * images[0].mean() < high
    for other in images[1:]: assert np.abs(images[0] - other).mean() < 0.03  # the mouse moves in whole pixels of the screen


def test_a_line_is_where_it_was_drawn(page):
    "Not centered: along the middle of row 8, full ink there, 0.7 in the rows beside it, none beyond; the round ends reach 1.7 further. One that leaves the sheet ends at its edge."
    page.get_by_label("size and center").uncheck()
    draw(page, [[(5, 8.5), (20, 8.5)]])
    pixels = drawn(page)
    assert extent(pixels) == (7, 9, 3, 21) and (pixels[8, 6:19] == 255).all()
    np.testing.assert_allclose(pixels[[7, 9], 6:19] / 255, 0.7, atol=0.05)  # the mouse moves in whole pixels of the screen
    page.get_by_label("size and center").check()
    images = []
    for end in (60, 28):
        click(page, "Clear")
        draw(page, [[(4, 4), (4, 24), (end, 24)]])
        images.append(drawn(page).astype(int))
    assert images[0].any() and np.abs(images[0] - images[1]).max() <= 8


def test_a_finger_draws_too_and_the_verdict_is_above_the_fold(play, widget):
    "A tap is a dot, and the page does not scroll under it. At 360 by 640, with the sheet at the top, and 60 pixels left for what a page has above: sentence, Clear and pushing."
    page = play(widget, width=360, has_touch=True)
    page.get_by_label("size and center").uncheck()
    box = page.locator(".psd-sheet").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert drawn(page)[13:15, 13:15].tolist() == [[253, 253]] * 2  # √½ = 0.707 from the middle, where ink is 1.7 - 0.707 of full
    assert page.locator(".psd-sheet").evaluate("sheet => getComputedStyle(sheet).touchAction") == "none"
    click(page, "a 3")
    settled(page)
    top = page.locator(".psd").bounding_box()["y"]
    for part, low in ((".psd-says", 480), (".psd-pad", 580)):
        box = page.locator(part).bounding_box()
        assert box["y"] + box["height"] - top <= low


def test_drawing_with_keys(page):
    "Tab reaches the sheet, arrows move the pen, Space puts it down and lifts it; where it is can be heard, and Tab leads on."
    page.get_by_label("size and center").uncheck()
    page.evaluate("document.activeElement.blur()")
    page.locator("h1").click()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "application"
    assert page.locator(".psd-paper").first.evaluate("paper => getComputedStyle(paper).outlineStyle") == "solid"
    for key in ["ArrowLeft"] * 2 + ["ArrowUp"] * 3: page.keyboard.press(key)
    assert heard(page) == "Pen up, row 11, column 12." and drawn(page).sum() == 0
    for key in ["Space"] + ["ArrowRight"] * 6: page.keyboard.press(key)
    assert heard(page) == "Pen down, row 11, column 18."
    for key in ["Space"] + ["ArrowDown"] * 3: page.keyboard.press(key)
    pixels = drawn(page)
    assert extent(pixels) == (9, 12, 10, 19) and (pixels[10:12, 12:18] == 255).all()  # the pen is on the line between rows 10 and 11
    assert says(page).startswith("Your drawing is nearer to the mean")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Clear"


def shifted(pixels, right, down):
    "As `move` of the interlude does it: a frame of empty paper, and a window in it."
    return np.pad(pixels, 28)[28 - down:56 - down, 28 - right:56 - right]


def test_pushing_is_what_the_interlude_does(page, model, examples):
    "By buttons and by keys: a 3 becomes a 7, four pixels down as in the table, ink that was pushed out comes back, and both distances are NumPy's at each step."
    a_3 = examples["a 3"].numpy()
    push(page, "down")
    assert drawn(page).sum() == 0 and heard(page) == "The paper is empty: there is nothing to push."
    click(page, "a 3")
    push(page, *["down"] * 4)
    assert np.array_equal(drawn(page), shifted(a_3, 0, 4)) and says(page) == "A 3, 4 pixels down, is nearer to the mean 7: 0.1352 against 0.1795."
    place = np.array([0, 4])
    for focus, held in ((page.get_by_role("button", name="Push up"), ""), (page.locator(".psd-sheet"), "Shift+")):
        focus.focus()
        for key, step in (("ArrowRight", (1, 0)), ("ArrowUp", (0, -1)), ("ArrowLeft", (-1, 0)), ("ArrowRight", (1, 0)), ("ArrowDown", (0, 1)), ("ArrowUp", (0, -1))):
            page.keyboard.press(held + key)
            place += step
        assert np.array_equal(drawn(page), shifted(a_3, *place))
        agree(page, model.prototypes_)
    assert says(page).startswith("A 3, 2 pixels down and 2 right, is ")
    push(page, "back")
    assert np.array_equal(drawn(page), a_3)


@pytest.mark.parametrize("centered", [True, False])
def test_a_drawing_is_pushed_too_and_one_can_draw_on(page, centered):
    "It moves by whole pixels, whether sized and centered or not; without, new ink is where the mouse was; and what is far away does not get farther."
    page.get_by_label("size and center").set_checked(centered)
    draw(page, SEVEN)
    before = drawn(page)
    push(page, "right", "right", "down")
    assert np.array_equal(drawn(page), shifted(before, 2, 1)) and says(page).startswith("Your drawing, 1 pixel down and 2 right, is nearer to")
    if not centered:
        draw(page, [[(3, 20.5), (7, 20.5)]])
        assert (drawn(page)[20, 4:6] == 255).all() and np.array_equal(drawn(page)[:16], shifted(before, 2, 1)[:16])
    page.get_by_role("button", name="Push left").evaluate("button => { for (let i = 0; i < 20; i++) button.click(); }")
    settled(page)
    assert says(page).startswith("Your drawing, 1 pixel down and 14 left, is")


def test_all_ten_digits_on_request(page, all_ten):
    "From a file beside the page: the ten means, nearest first, under both distances and for whatever is drawn, as NumPy has them."
    assert "means-0-9" not in page.content()
    click(page, "a 3")
    click(page, "All ten digits")
    page.locator(".psd-ten li").first.wait_for()
    push(page, "down")
    for expected, order in each_distance(page, all_ten.prototypes_):
        lines = [text.split() for text in page.locator(".psd-ten li").all_inner_texts()]
        assert [int(digit) for _, digit, _ in lines] == order.tolist()
        np.testing.assert_allclose([float(number) for *_, number in lines], expected[order], rtol=0, atol=5.1e-5)
        assert says(page).endswith(f" Of all ten digits, the mean {order[0]} is nearest: {expected.min():.4f}.")
    click(page, "All ten digits")
    settled(page)
    assert not page.locator(".psd-ten").is_visible() and "Of all ten" not in says(page)


def test_ten_means_are_offered_to_fewer_digits_only(play):
    "Not where all ten are there already, nor beside letters."
    page = play(*(DrawDigit(torch.rand(len(labels), 28, 28), labels) for labels in ([3, 7], range(10), ["a", "b"])))
    assert [page.locator(".psd").nth(i).get_by_role("button", name="All ten digits").count() for i in range(3)] == [1, 0, 0]


def test_plain_keys_are_the_widgets_and_ctrl_is_jupyterlabs(page):
    "JupyterLab listens at the document, and takes a key unless it comes from within an element with its mark."
    page.evaluate("""window.taken = []; document.addEventListener("keydown", (event) => {
        if (!event.target.closest("[data-lm-suppress-shortcuts]")) { window.taken.push(event.key); event.preventDefault(); }
    }, true)""")
    for place in (page.locator(".psd-sheet"), page.get_by_role("button", name="Clear"), page.get_by_label("L1 distance"), page.get_by_label("size and center")):
        place.focus()
        for key in ("a", "x", "ArrowUp", "Space", "Enter", "Shift+Enter"): page.keyboard.press(key)
        assert page.evaluate("window.taken.splice(0)") == []
        for key in ("Control+s", "Meta+s", "Control+Shift+p"): page.keyboard.press(key)
        page.keyboard.press("a")
        assert [key for key in page.evaluate("window.taken.splice(0)") if key in "sp"] == ["s", "s", "p"]
    page.locator("h1").click()
    page.keyboard.press("a")
    assert page.evaluate("window.taken") == ["a"]


def test_if_it_cannot_come_up_the_picture_stays(open_page, widget):
    "And the console says why."
    html = widget.as_html()
    broken = [html.replace(there, instead) for there, instead in (('"labels"', '"label"'), ('{"labels"', "{labels"), ('data-widget="draw"', 'data-widget="paint"'))]
    page = open_page(*broken)
    assert html not in broken and page.get_by_role("img", name="From left to right").count() == 3 and page.locator(".psd").count() == 0
    said = [text.split(":")[0] for text in open_page.trouble]
    assert sorted(said) == ["Failed to load resource", *["a widget stays a picture"] * 3]
    open_page.trouble.clear()


def test_as_a_module_beside_a_kernel(play, widget, model, examples):
    "As Jupyter loads it: what is drawn is saved once it has settled, what Python sets is shown, the ten means come from Python, and a view that closes is heard no more."
    page = play()
    page.evaluate("delete window.pixelsimText")  # which only a page has
    beside_a_kernel(page, widget)
    draw(page, SEVEN)
    settled(page)
    saved = page.evaluate("window.model.saved")
    assert 1 <= len(saved) <= 4 and page.evaluate("window.model.get('pixels')") == saved[-1]["pixels"] != ""
    widget.pixels = saved[-1]["pixels"]
    shown = [float(text) for text in page.locator(".psd-number").all_inner_texts()]
    assert shown == pytest.approx(by_numpy(np.round(widget.image.numpy() * 255), model.prototypes_)["l1"], abs=1e-4)
    widget.image = examples["a 3 taken for a 7"]
    page.evaluate("text => window.model.set('pixels', text)", widget.pixels)
    settled(page)
    assert says(page) == "This image is nearer to the mean 7: 0.1058 against 0.1632."
    page.evaluate("window.model.set('distance', 'l2')")
    assert page.get_by_label("L2 distance").is_checked() and page.locator(".psd-number").all_inner_texts() == ["0.2926", "0.2121"]
    click(page, "All ten digits")
    assert page.evaluate("window.model.saved.at(-1).ten") and not page.locator(".psd-ten").is_visible()
    widget.set_state({"ten": True})  # as the message from the browser does
    page.evaluate("text => window.model.set('tens', text)", widget.tens)
    assert page.locator(".psd-ten li").count() == 10
    page.evaluate("window.close_view()")
    assert page.evaluate("Object.values(window.model.heard).every((listeners) => listeners.size === 0)")
