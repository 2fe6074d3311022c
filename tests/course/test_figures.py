"What holds for every figure: a guess first, keys, links, themes, a phone, a kernel, a picture where nothing can run. Most of it holds for the drawing sheet as well."
import re
import runpy
from functools import cache
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
import widgets
from conftest import violations
from figure_pages import beside_a_kernel, press, says, settled, show, state_of, texts, trait

from pixelsim.course import DrawDigit
from pixelsim.course.figure_bar import ThresholdBar
from pixelsim.course.figure_broadcast import Broadcast
from pixelsim.course.figure_grow import GrowingMean
from pixelsim.course.figure_loupe import Loupe
from pixelsim.course.figure_matrix import ConfusionGrid
from pixelsim.course.figure_photo import Photo
from pixelsim.course.figure_pile import Pile
from pixelsim.course.figure_plan import Plan
from pixelsim.course.figure_plane import TwoPixels
from pixelsim.course.figure_rain import IntervalRain
from pixelsim.course.figure_rule import RuleBuilder
from pixelsim.course.figure_spike import Spike
from pixelsim.course.figure_strip import MemoryStrip
from pixelsim.course.figure_valley import Valley
from pixelsim.course.progress_file import session
from pixelsim.pixels import ink_coverage


class Kind(NamedTuple):
    make: object
    guess: str  # a wrong one
    answer: str  # what the figure begins to say of it
    trait: str  # one that an address may hold
    value: object  # another value for it
    keys: tuple = ()  # role and name of what has the focus, a trait, and its value after each key
    links: dict = {}  # what else an address may hold, and what the page then says; None for what it says at the start


def bar(**options): return ThresholdBar(ink_coverage, percent=True, on="valid", **{"name": "share of ink"} | options)


def broadcast(**options): return Broadcast((1010, 28, 28), (28, 28), **{"name": "recap"} | options)


def rain(**options): return IntervalRain({"L1": np.arange(2038) >= 99, "L2": np.arange(2038) % 30 > 0}, **options)


FIGURES = {
    "bar": Kind(bar, "30", "You guessed 30.0%", "threshold", 0.25),
    "broadcast": Kind(broadcast, "28,28", "You guessed (28, 28). It is (1010, 28, 28).", "shapes", [[2, 3], [3, 1]],
                      links=dict.fromkeys(["shapes=[[2,3]]", "shapes=[[2,-1],[3]]", 'shapes=[["a"],[3]]', "shapes=[[1,1,1,1,1,1,1],[2]]"])),
    "loupe": Kind(Loupe, "5", "You guessed 5. 625 of the 784 pixels jump.", "constant", 7,
                  ("slider", "first row", "top", [("ArrowRight", 5), ("PageUp", 15), ("End", 22), ("ArrowUp", 22), ("Home", 0), ("ArrowLeft", 0), ("Escape", 4)]),
                  {"top=99&left=-3&rows=400&picked=[7]&edits=[[99,0,1],[0,0,300]]&which=17": "pixels[0:28, 0:6]", "edits=[[99,0,1],[7,6,300]]": None}),
    "rain": Kind(rain, "20", "You guessed 20. Of the first hundred here, ", "draws", 12,
                 ("slider", "digits in a group", "n", [("ArrowRight", 201), ("PageUp", 211), ("ArrowDown", 210), ("Home", 20), ("PageDown", 20), ("End", 2038), ("Escape", 200)]),
                 {"n=9999&draws=1e9&seed=-4": "2,000 groups of 2,038 digits: "}),
    "grow": Kind(GrowingMean, "70", "You guessed 70%. ", "step", 3,  # 1 to 7, 10 to 70, 100 to 700, 1000 to 5000 and all are 23 steps
                 ("slider", "images of each class", "step", [("ArrowRight", 1), ("PageUp", 11), ("ArrowDown", 10), ("End", 22), ("ArrowUp", 22), ("Home", 0), ("ArrowUp", 1), ("Escape", 0)])),
    "pile": Kind(Pile, "0.5", "You guessed 0.5. The median's corner is 0.00", "picked", [13, 13],
                 ("slider", "row of the pixel", "picked", [("ArrowRight", [1, 0]), ("PageUp", [11, 0]), ("Home", [0, 0]), ("End", [27, 0]), ("Escape", [0, 0])])),
    "plane": Kind(TwoPixels, "L1", "You guessed L1. The border of L2 is straight", "pixels", [[13, 13], [14, 16]],
                  ("slider", "digit", "digit", [("ArrowRight", 1), ("PageUp", 11), ("End", 79), ("Home", 0)]),
                  dict.fromkeys(["pixels=[[1,2],[1,2]]", "pixels=[[1,2]]", "pixels=[[1,28],[2,2]]", 'moved=["a",3]']) | {"moved=[1]&digit=900": "valid[7][39], at ("}),
    "spike": Kind(Spike, "50", "You guessed 50 times. 28 times: L2 is now 1.", "count", 28,
                  ("slider", "from many pixels to one", "count", [("ArrowRight", 392), ("PageUp", 1), ("ArrowUp", 1), ("ArrowLeft", 2), ("Home", 784), ("End", 1)]),
                  dict.fromkeys(["place=[3]&count=1", "place=[1,99]&count=1", "place=[1.5,2]&count=1"], "Nearer by L1: the mean 7; by L2: the mean 3.")),
    "rule": Kind(RuleBuilder, "80", "You guessed 80 of 100. It gets 1,326 of the 2,038", "first", ["column", 14]),
    "matrix": Kind(ConfusionGrid, "7 9", "You guessed a 7 called 9, of which there are 53. Most often a 5 is called 3: 118 images.", "picked", [4, 9],
                   ("gridcell", "was 0, said 0", "picked", [("ArrowLeft", [0, 0]), ("ArrowDown", [1, 0]), ("ArrowRight", [1, 1]), ("End", [1, 9]), ("PageDown", [9, 9]), ("ArrowDown", [9, 9]),
                                                            ("Home", [9, 0]), ("PageUp", [0, 0]), ("ArrowDown", [1, 0]), ("Escape", [0, 0])]),
                   {"picked=[3]": None, "picked=5": None, "picked=[1,99]": "are called 9; ", 'picked=["x",2]': "are called 2; ", 'rule="L9"': "L1: of 980 images of a 0"}),
    "plan": Kind(Plan, "8", "You guessed 8. It finds 8 classes", "answers", ["color", "all", "third", "parent"],
                 ("combobox", "get_y=", "answers", [("ArrowUp", ["gray", "all", "grandparent", "parent"])]),
                 {'answers=["gray",7,null,"nobody"]': "8 files to learn from, 4 held back; 2 classes."}),
    "valley": Kind(Valley, "it is thrown out", "You guessed that it is thrown out. With 1.5 it jumps across", "taken", [0.5, 1.5],
                   ("slider", "rate", "rate", [("ArrowRight", 0.7), ("End", 2), ("ArrowLeft", 1.8), ("Home", 0.05), ("PageUp", 1.6), ("Escape", 0.5)]),
                   dict.fromkeys(["start=[3]", "start=[1,99]", "start=[1.5,2]"], "At the start: weights 0.000 and 0.000") | {"rate=-1": None, 'taken=["x",-3,5]': None, "pair=9": "At the start: weights 2.500 and 0.500"}),
    "photo": Kind(Photo, "80", "You guessed 80 of 100. 50 of 100: every digit is called a 7.", "shadow", 30,
                  ("slider", "how much darker", "shadow", [("ArrowRight", 1), ("PageUp", 11), ("End", 90), ("Home", 0), ("PageUp", 10)])),
    "strip": Kind(MemoryStrip, "(6, 1)", "You guessed (6, 1). They are (1, 6).", "ops", [".T", ".view(-1)"],
                  ("gridcell", "0", "index", [("ArrowRight", [0, 1]), ("ArrowDown", [1, 1]), ("ArrowUp", [0, 1]), ("ArrowUp", [0, 1]), ("End", [4, 3]), ("ArrowDown", [4, 3]), ("PageUp", [0, 3]), ("Home", [0, 0]), ("ArrowDown", [1, 0])]),
                  {'ops=["[1]",".sort()","[:, 1]",".T",3]&index=[99]': "element [5] is at place 6 + 5·1 = 11"}),
}
SHEETS = {"drawing": {}, "drawing with pictures": {"photos": True}}


@cache
def made(make): return make()


@pytest.fixture(params=FIGURES)
def figure(request): return FIGURES[request.param]


@pytest.fixture(params=[*FIGURES, *SHEETS])
def widget(request, digits):
    "One, a trait, and another value for it."
    if request.param not in FIGURES: return DrawDigit(digits[1].images[[0, 1500]], [3, 7], examples={"a 3": digits[1][3][69]}, **SHEETS[request.param]), "distance", "l2"
    make, _, _, trait, value, *_ = FIGURES[request.param]
    return made(make), trait, value


def use(page):
    "Give no guess; or have a digit on the sheet, all ten means beneath it, and a complaint above."
    for name in ("just show me", "a 3", "All ten digits"):
        for button in page.get_by_role("button", name=name, exact=True).all(): button.click()
    for chooser in page.locator("[type=file]").all():
        chooser.set_input_files({"name": "notes.txt", "mimeType": "image/png", "buffer": b"no picture"})
        page.get_by_role("alert").get_by_text("Sorry:").wait_for()
    for means in page.locator(".psd-ten").all(): means.locator("li").first.wait_for()


def locked(page): return page.locator("fieldset.psf-locked").evaluate("part => part.disabled")


def test_every_figure_is_tried_here_and_measured_by_make_bench():
    assert set(FIGURES) == set(widgets.FIGURES) == set(runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "figures.py"))["MOVES"])


def test_a_guess_comes_first_and_stays(play, figure):
    "Until there is one the controls are locked, and afterwards it stands beside the truth, also when the page is opened again."
    html = made(figure.make).as_html()
    page = play(html, opened=False)
    assert locked(page) and not page.locator(".psf-says").is_visible()
    page.get_by_role("button", name="Guess").click()
    assert page.get_by_role("alert").inner_text() != "" and not trait(page, "opened")
    field = page.locator(".psf-form input").first
    if field.get_attribute("type") == "radio": page.get_by_label(figure.guess, exact=True).check()
    else: field.fill(figure.guess)
    page.keyboard.press("Enter")
    settled(page)
    truth = page.locator(".psf-truth").inner_text()
    assert truth.startswith(figure.answer) and not locked(page)
    assert play(html, context=page.context, opened=False).locator(".psf-truth").inner_text() == truth


def test_without_a_guess_and_by_keys(play, figure):
    "Ctrl and Cmd are left alone by every control that one can reach with Tab; the other keys move what has the focus, which is one stop for Tab."
    page = play(made(figure.make), opened=False)
    page.get_by_role("button", name="just show me").click()
    settled(page)
    assert not locked(page) and "You guessed" not in page.locator(".psf-truth").inner_text()
    assert page.evaluate("document.activeElement.className") == "psf-truth"  # or the keyboard would be at the top of the page
    if figure.keys:
        role, name, moved, moves = figure.keys
        press(page, page.get_by_role(role, name=name).first, moved, moves)
        if role == "gridcell": assert page.locator("[role=gridcell][tabindex='0']").count() == 1 and page.evaluate("document.activeElement.matches('[role=gridcell].psf-here')")
    taken = page.locator(".psf").evaluate("""root => [...root.querySelectorAll("button, input, select, [tabindex]")].filter((e) => ["s", "ArrowLeft", "Home", "Escape"].some((key) =>
        ["ctrlKey", "metaKey"].some((held) => !e.dispatchEvent(new KeyboardEvent("keydown", { key, [held]: true, bubbles: true, cancelable: true }))))).length""")
    assert taken == 0


def test_a_link_leads_to_the_state_that_was_sent(play, figure):
    "It opens the figure; what was moved is in the address; a damaged link changes nothing, and one that asks for what cannot be gets what can."
    html = made(figure.make).as_html()
    page = play(html)
    start = texts(page, ".psf-says")
    show(page, **{figure.trait: figure.value})
    there = play(html, address=page.evaluate("location.hash"), opened=False)
    settled(there)
    assert trait(there, figure.trait) == figure.value and trait(there, "opened") and says(there) == says(page)
    own = re.search(r'data-figure="(.*?)"', html)[1].replace(" ", "%20")
    there = None
    for damaged in (f"#{own}:{figure.trait}=%7B", f"#{own}:{figure.trait}=null", "#other:x=1", "#%"):
        there = play(html, address=damaged, context=there and there.context, opened=False)
        assert trait(there, figure.trait) == state_of(html)[figure.trait]
    for odd, expected in figure.links.items():
        there = play(html, address=f"#{own}:{odd}", context=there.context, opened=False)
        settled(there)
        assert expected in there.locator(".psf").inner_text() if expected else texts(there, ".psf-says") == start, odd


def test_everyone_can_use_it(play, widget):
    "No violation of WCAG A or AA, as it comes up or in use, nothing wider than the page, and every control large enough for a finger: wide, on a phone, light and dark."
    page = play(widget[0], opened=False)
    for opened, width, dark in product((False, True), (800, 360), (False, True)):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if dark else "light")
        if opened and (width, dark) == (800, False): use(page)
        settled(page)
        assert violations(page) == [], (opened, width, dark)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        small = page.locator(".psf").evaluate_all("""roots => roots.flatMap((root) => [...root.querySelectorAll("button, select, input, label, [role=gridcell]")]).filter((e) => e.offsetParent && !e.closest("label:not(:scope)"))
            .map((e) => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()]).filter(([, box]) => box.width < 24 || box.height < 24).map(([html]) => html)""")
        assert small == [] or not opened
    assert page.locator(".psf :is(input, button, select):not([data-lm-suppress-shortcuts])").count() == 0  # or JupyterLab takes the keys


def test_beside_a_kernel(play, figure):
    "As Jupyter loads it: what Python sets is shown, what is guessed is saved, and a view that closes is heard no more."
    page = play()
    beside_a_kernel(page, made(figure.make))
    page.get_by_role("button", name="just show me").click()
    settled(page)
    assert page.evaluate("window.model.saved.at(-1).opened") is True
    before = says(page)
    page.evaluate("([name, value]) => window.model.set(name, value)", [figure.trait, figure.value])
    settled(page)
    assert says(page) != before
    page.evaluate("window.close_view()")
    assert page.evaluate("Object.values(window.model.heard).every((listeners) => listeners.size === 0)")


def test_two_on_a_page_do_not_disturb_each_other_and_without_a_script_there_is_a_picture(play, widget):
    shown, name, value = widget
    html = shown.as_html()
    page = play(html, html)
    show(page, **{name: value})
    assert trait(page, name, 0) == value != trait(page, name, 1)
    assert page.evaluate("(ids => new Set(ids).size === ids.length)([...document.querySelectorAll('[id]')].map(e => e.id))")
    still = play(html, width=360, java_script_enabled=False, opened=False, wound=False)
    assert still.get_by_role("img").is_visible() and still.get_by_role("img").get_attribute("alt").split(". ")[1] in still.locator("main").inner_text()
    assert still.get_by_role("img").evaluate("img => img.complete && img.naturalWidth") > 300 and still.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_page_is_the_same_each_time_and_jupyter_gets_both(figure):
    data, _ = figure.make()._repr_mimebundle_()
    assert data["text/html"] == made(figure.make).as_html() and "application/vnd.jupyter.widget-view+json" in data


@pytest.mark.parametrize("make, state, words", [
    (Pile, dict(inside=[]), "The pile is empty, and nothing has no mean and no median."),
    (Pile, dict(inside=[17, 0, 17], picked=[0, 3]), "of 2 digits, threes[0], sevens[0]. In pixel (0, 3) the mean is 0.00 and the median 0.00."),
    (MemoryStrip, dict(ops=[".T", ".view(-1)"]), "x.T.view(-1) is refused: view size is not compatible with input tensor"),
    (MemoryStrip, dict(ops=[".T", ".flatten()"]), "x.T.flatten() has shape (24,) and strides (1,): a copy."),
    (Plan, dict(answers=["gray", "all", "grandparent", "pattern"]),
     "get_y is RegexLabeller(r&quot;/(\\d)_&quot;): 8 files to learn from, 4 held back, 0 classes. AssertionError: Failed to find"),
    (RuleBuilder, dict(how="per", first=["row", 5]), "along the strokes crossed along row 5, per another measure: "),
    (RuleBuilder, dict(first=["pixel", 0, 0], turned=False), "along the pixel at row 0, column 0: 1,010 of 2,038 digits are right, 0.4956."),  # there is no ink
    (bar, dict(on="train"), "of 12,396 images are right"),
    (lambda: Photo({"a line": 255 * torch.eye(28, dtype=torch.uint8), "nothing": torch.zeros(28, 28, dtype=torch.uint8)}), dict(which=1), "Prepared, it has no ink to be found. In Jupyter"),
    (lambda: ThresholdBar(ink_coverage, on="valid", above=7), dict(threshold=-1.0),
     "7s upward and 3s downward: with the bar at -1.0000, 1,028 of 2,038 images are right, 0.5044."),
    (Loupe, dict(constant=7), "With +7 in uint8, "),
    (ConfusionGrid, dict(rule="L1"), "6,685 of 10,000 are right, on the diagonal. The fullest cell beside it: 446 images of a 2 that are called 1, 4 of them"),
], ids=lambda part: "" if isinstance(part, str) else None)
def test_the_picture_and_its_sentence_are_of_the_state_it_is_in(make, state, words):
    figure = make()
    before = figure.as_html()
    figure.set_state(state)
    assert words in figure.as_html() and words not in before


@pytest.mark.parametrize("kind", [*FIGURES, "drawing"])
def test_names_cannot_break_the_page(kind):
    nasty = "</script><b>&\"'"
    shown = FIGURES[kind].make(name=nasty) if kind in FIGURES else DrawDigit(torch.zeros(2, 28, 28), [nasty, "7"], examples={nasty: torch.zeros(28, 28)})
    html = shown.as_html()
    assert html.count("<script") == html.count("</script>") == 1 and "<b>" not in html
    assert nasty in (state_of(html).get("name"), *state_of(html).get("labels", []))


@pytest.mark.parametrize("kind", ["broadcast", "loupe"])
def test_a_guess_in_a_kernel_is_kept_in_the_progress_file(play, kind, tmp_path, monkeypatch):
    "And shown when the notebook is opened again, by Jupyter only: a page knows nothing of it. What Python opens is no guess."
    make, guess, answer, name, value, *_ = FIGURES[kind]
    monkeypatch.chdir(tmp_path)
    session.clear()
    make().opened = True
    assert not [*Path().iterdir()]
    first = make()
    first.set_state({name: value})
    first.set_state({"guess": guess, "opened": True})  # as the screen sends it
    session.clear()
    again = make()
    state = state_of(again._repr_mimebundle_()[0]["text/html"])
    assert (again.guess, again.opened) == (guess, True) and (state["guess"], state["opened"]) == ("", False)
    page = play()
    beside_a_kernel(page, again)
    assert page.locator(".psf-truth").inner_text().startswith(answer) and not locked(page)
    other = make(name="another")
    other._repr_mimebundle_()
    assert not other.opened
    session.clear()


def rows(n): return torch.zeros(n, 1, dtype=torch.uint8)


LIMITS = {  # of each figure, what is just within them, and what is just outside
    Valley: ([dict(start=(-3, 3), rate=2)], [dict(start=(-3.1, 0)), dict(start=(0,)), dict(rate=0)]),
    Pile: ([dict(picked=(27, 0))], [dict(picked=(-1, 0)), dict(picked=(0, 0, 0))]),
    Spike: ([dict(place=(27, 0))], [dict(place=(-1, 0)), dict(place=(0,))]),
    TwoPixels: ([dict(pixels=[(0, 27), (27, 0)])], [dict(pixels=pixels) for pixels in ([(0, 27)], [(0, 27), (27,)], [(-1, 0), (0, 0)])]),
    Loupe: ([dict(asked=n) for n in (-255, 255)], [dict(asked=n) for n in (-256, 256)]),
    IntervalRain: ([dict(rules={"a": np.ones(20)}, n=20), dict(rules={"a": np.ones(4096), "b": np.zeros(4096)}, n=4096)],
                   [*(dict(rules={"a": np.ones(20)}, n=n) for n in (19, 21)), dict(rules={"a": np.ones(4097)}), dict(rules={"a": np.ones((200, 1))}),
                    dict(rules=dict.fromkeys("abc", np.ones(200))), dict(rules={"a": np.ones(200), "b": np.ones(201)})]),
    MemoryStrip: ([dict(x=rows(1), ops=[".T"]), dict(x=rows(32), ops=[], ask="shape"), dict(ops=[".T", ".view(-1)", "[1]"])],
                  [*(dict(x=x, ops=[]) for x in (rows(33), rows(0), rows(9)[0])), dict(x=rows(1)), dict(ops=["[1]", "[1]", "[1]"])]),
    RuleBuilder: ([dict(first=part) for part in (["ink", 0, 28, 0, 28], ["pixel", 27, 0])],
                  [dict(first=part) for part in (["column", 28], ["column", -1], ["column", 1.5], ["pixel", 3], ["mirror", 1], ["ink", 0, 1, 3, 3])]),
}


@pytest.mark.parametrize("kind", LIMITS, ids=lambda kind: kind.__name__)
def test_what_is_just_within_the_limits_is_taken_and_what_is_just_outside_is_refused(kind):
    within, outside = LIMITS[kind]
    for options in within: assert state_of(kind(**options).as_html())
    for options in outside:
        with pytest.raises(ValueError): kind(**options)


# What the modules share


def test_numbers_are_written_as_python_writes_them(arithmetic):
    "Ties, which go to the even digit, and thousands of others."
    random = np.random.default_rng(1)
    values = [*(k / 32 for k in range(-200, 200)), 1.005, 0.615, 8.345, 2.5, -0.5, 0.0, *random.normal(scale=10, size=2000), *(random.integers(0, 2039, 1000) / 2038)]
    for decimals in range(5):
        zero = f"{0:.{decimals}f}"
        found = arithmetic("figure", f"return data.map((x) => m.fixed(x, {decimals}))", values)
        assert [text.replace("-" + zero, zero) for text in found] == [f"{x:.{decimals}f}".replace("-" + zero, zero) for x in values]


@pytest.mark.parametrize("text, shape", [("(28, 28)", [28, 28]), ("28,28", [28, 28]), ("torch.Size([6, 4])", [6, 4]), ("(3,)", [3]), ("3", [3]), ("()", []), ("2×3", [2, 3]), ("2 3", [2, 3]), ("", None), ("a", None), ("(1, -2)", None)])
def test_shapes_are_read_as_people_type_them(arithmetic, text, shape): assert arithmetic("figure", "return m.shapeOf(data)", text) == shape


@pytest.mark.parametrize("text, number", [("18.3", 18.3), ("18,3 %", 18.3), ("−2", -2), (".5", .5), ("x", None), ("", None), ("1e5", None)])
def test_numbers_are_read_as_people_type_them(arithmetic, text, number): assert arithmetic("figure", "return m.numberOf(data)", text) == number
