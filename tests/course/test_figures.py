"What holds for every figure: a guess first, a link that leads to a state, keys, themes, a phone, a kernel, and a picture where nothing can run."
import json
import re
from pathlib import Path

import numpy as np
import pytest
import widgets
from conftest import violations
from figure_pages import arithmetic, beside_a_kernel, open_page, settled, trait  # noqa: F401

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


def bar(**options): return ThresholdBar(ink_coverage, name="share of ink", percent=True, on="valid", **options)


def rain(): return IntervalRain({"L1": np.arange(2038) >= 99, "L2": np.arange(2038) % 30 > 0})


# each with a guess that is wrong and what the figure then says of it, and a trait that an address may hold, with another value for it
FIGURES = {
    "bar": (bar, "30", "You guessed 30.0%", "threshold", 0.25),
    "broadcast": (lambda: Broadcast((1010, 28, 28), (28, 28), name="recap"), "28,28", "You guessed (28, 28). It is (1010, 28, 28).", "shapes", [[2, 3], [3, 1]]),
    "loupe": (Loupe, "5", "You guessed 5. 625 of the 784 pixels jump.", "constant", 7),
    "rain": (rain, "20", "You guessed 20. Of the first hundred here, ", "draws", 12),
    "grow": (GrowingMean, "70", "You guessed 70%. ", "step", 3),
    "pile": (Pile, "0.5", "You guessed 0.5. The median's corner is 0.00", "picked", [13, 13]),
    "plane": (TwoPixels, "L1", "You guessed L1. The border of L2 is straight", "pixels", [[13, 13], [14, 16]]),
    "spike": (Spike, "50", "You guessed 50 times. 28 times: L2 is now 1.", "count", 28),
    "rule": (RuleBuilder, "80", "You guessed 80 of 100. It gets 1,326 of the 2,038", "first", ["column", 14]),
    "matrix": (ConfusionGrid, "7 9", "You guessed a 7 called 9, of which there are 53. Most often a 5 is called 3: 118 images.", "picked", [4, 9]),
    "plan": (Plan, "8", "You guessed 8. It finds 8 classes", "answers", ["color", "all", "third", "parent"]),
    "valley": (Valley, "it is thrown out", "You guessed that it is thrown out. With 1.5 it jumps across", "taken", [0.5, 1.5]),
    "photo": (Photo, "80", "You guessed 80 of 100. 50 of 100: every digit is called a 7.", "shadow", 30),
    "strip": (MemoryStrip, "(6, 1)", "You guessed (6, 1). They are (1, 6).", "ops", [".T", ".view(-1)"]),
}


@pytest.fixture(params=FIGURES)
def figure(request): return FIGURES[request.param]


def locked(page): return page.locator("fieldset.psf-locked").evaluate("part => part.disabled")


def state_of(html): return json.loads(re.search(r'<script type="application/json">(.*?)</script>', html)[1])


def test_every_figure_is_tried_here(): assert set(FIGURES) == set(widgets.FIGURES)


def test_a_guess_comes_first_and_stays(open_page, figure):
    "Until there is one the controls are locked, and afterwards it stands beside the truth, also when the page is opened again."
    make, guess, says, *_ = figure
    html = make().as_html()
    page = open_page(html)
    assert locked(page) and not page.locator(".psf-says").is_visible()
    page.get_by_role("button", name="Guess").click()
    assert page.get_by_role("alert").inner_text() != "" and not trait(page, "opened")
    field = page.locator(".psf-form input").first
    if field.get_attribute("type") == "radio": field = page.get_by_label(guess, exact=True)
    field.fill(guess) if field.get_attribute("type") == "text" else field.check()
    page.keyboard.press("Enter")
    settled(page)
    assert page.locator(".psf-truth").inner_text().startswith(says) and not locked(page)
    again = open_page(html, context=page.context)
    assert again.locator(".psf-truth").inner_text() == page.locator(".psf-truth").inner_text()


def test_just_show_me(open_page, figure):
    page = open_page(figure[0]().as_html())
    page.get_by_role("button", name="just show me").click()
    assert not locked(page) and "You guessed" not in page.locator(".psf-truth").inner_text()
    assert page.evaluate("document.activeElement.className") == "psf-truth"  # or the keyboard would be at the top of the page


def test_a_link_leads_to_the_state_that_was_sent(open_page, figure):
    "It opens the figure; what was moved is in the address; a damaged link changes nothing."
    make, _, _, name, value = figure
    html = make().as_html()
    start = state_of(html)[name]
    page = open_page(html, opened=True)
    page.evaluate("([name, value]) => { const { model } = document.querySelector('.pixelsim-widget'); model.set(name, value); model.save_changes(); }", [name, value])
    settled(page)
    there = open_page(html, address=page.evaluate("location.hash"))
    settled(there)
    assert trait(there, name) == value and trait(there, "opened") and there.locator(".psf-says").inner_text() == page.locator(".psf-says").inner_text()
    figure_id = re.search(r'data-figure="(.*?)"', html)[1].replace(" ", "%20")
    for damaged in (f"#{figure_id}:{name}=%7B", f"#{figure_id}:{name}=null", "#other:x=1", "#%"):
        assert trait(open_page(html, address=damaged), name) == start


@pytest.mark.parametrize("width, dark", [(800, False), (800, True), (360, False), (360, True)])
def test_everyone_can_use_it(open_page, figure, width, dark):
    "No violation of WCAG A or AA, locked or open, nothing wider than the page, and every control large enough for a finger."
    page = open_page(figure[0]().as_html(), width=width, dark=dark)
    for step in ("locked", "open"):
        if step == "open": page.get_by_role("button", name="just show me").click()
        settled(page)
        assert violations(page) == [], step
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    small = page.locator(".psf").evaluate("""root => [...root.querySelectorAll("button, select, input, label, [role=gridcell]")].filter((e) => e.offsetParent && !e.closest("label:not(:scope)"))
        .map((e) => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()]).filter(([, box]) => box.width < 24 || box.height < 24).map(([html]) => html)""")
    assert small == []
    assert page.locator(".psf :is(input, button, select):not([data-lm-suppress-shortcuts])").count() == 0  # or JupyterLab takes the keys


def test_beside_a_kernel(open_page, figure):
    "As Jupyter loads it: what Python sets is shown, what is guessed is saved, and a view that closes is heard no more."
    make, _, _, name, value = figure
    shown = make()
    page = open_page()
    beside_a_kernel(page, shown)
    page.get_by_role("button", name="just show me").click()
    settled(page)
    assert page.evaluate("window.model.saved.at(-1).opened") is True
    before = page.locator(".psf-says").inner_text()
    page.evaluate("([name, value]) => window.model.set(name, value)", [name, value])
    settled(page)
    assert page.locator(".psf-says").inner_text() != before
    page.evaluate("window.close_view()")
    assert page.evaluate("Object.values(window.model.heard).every((listeners) => listeners.size === 0)")


def test_two_on_a_page_do_not_disturb_each_other(open_page, figure):
    make, _, _, name, value = figure
    page = open_page(make().as_html(), make().as_html(), opened=True)
    page.evaluate("([name, value]) => { document.querySelector('.pixelsim-widget').model.set(name, value); }", [name, value])
    assert trait(page, name, 0) == value != trait(page, name, 1)
    assert page.evaluate("(ids => new Set(ids).size === ids.length)([...document.querySelectorAll('[id]')].map(e => e.id))")


def test_where_nothing_can_run_there_is_a_picture(open_page, figure):
    page = open_page(figure[0]().as_html(), width=360, java_script_enabled=False)
    picture = page.get_by_role("img")
    assert picture.is_visible() and picture.evaluate("img => img.complete && img.naturalWidth") == 600 and len(picture.get_attribute("alt")) > 60
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_on_paper_stands_the_picture_with_words(open_page, figure):
    page = open_page(figure[0]().as_html(), opened=True)
    picture = page.get_by_role("img", name=re.compile(r"^.{60}"))
    page.emulate_media(media="print")
    assert page.locator(".pixelsim-still img").is_visible() and not page.locator(".psf").is_visible() and picture.count() == 1
    page.emulate_media(media="screen")
    assert page.locator(".psf").is_visible() and not page.locator(".pixelsim-still").is_visible()


def test_the_page_is_the_same_each_time_and_jupyter_gets_both(figure):
    first, second = figure[0](), figure[0]()
    data, _ = first._repr_mimebundle_()
    assert data["text/html"] == second.as_html() and "application/vnd.jupyter.widget-view+json" in data


def test_ctrl_and_cmd_are_never_taken(open_page, figure):
    "Every control that one can reach with Tab lets them through."
    page = open_page(figure[0]().as_html(), opened=True)
    taken = page.locator(".psf").evaluate("""root => [...root.querySelectorAll("button, input, select, [tabindex]")].filter((e) => ["s", "ArrowLeft", "Home", "Escape"].some((key) =>
        ["ctrlKey", "metaKey"].some((held) => !e.dispatchEvent(new KeyboardEvent("keydown", { key, [held]: true, bubbles: true, cancelable: true }))))).length""")
    assert taken == 0


@pytest.mark.parametrize("kind", ["broadcast", "loupe"])
def test_a_guess_in_a_kernel_is_kept_in_the_progress_file(open_page, kind, tmp_path, monkeypatch):
    "And shown when the notebook is opened again, by Jupyter only: a page knows nothing of it. What Python opens is no guess."
    make, guess, says, name, value = FIGURES[kind]
    (tmp_path / "notebook").mkdir()
    monkeypatch.chdir(tmp_path / "notebook")
    session.clear()
    make().opened = True
    assert not [*Path().iterdir()]
    first = make()
    first.set_state({name: value})
    first.set_state({"guess": guess, "opened": True})  # as the screen sends it
    session.clear()
    again = make()
    data, _ = again._repr_mimebundle_()
    assert (again.guess, again.opened) == (guess, True)
    assert (state_of(data["text/html"])["guess"], state_of(data["text/html"])["opened"]) == ("", False)
    page = open_page()
    beside_a_kernel(page, again)
    assert page.locator(".psf-truth").inner_text().startswith(says) and not locked(page)
    other = make()
    other.name = "another"
    other._repr_mimebundle_()
    assert not other.opened
    session.clear()


# What the modules share


def test_numbers_are_written_as_python_writes_them(arithmetic):
    "Ties, which go to the even digit, and thousands of others."
    random = np.random.default_rng(1)
    values = [*(k / 32 for k in range(-200, 200)), 1.005, 0.615, 8.345, 2.5, -0.5, 0.0, *random.normal(scale=10, size=2000), *(random.integers(0, 2039, 1000) / 2038)]
    for decimals in (0, 1, 2, 3, 4):
        found = arithmetic("figure", f"return data.map((x) => m.fixed(x, {decimals}))", values)
        assert [x.replace("-0" + "." * bool(decimals) + "0" * decimals, "0" + "." * bool(decimals) + "0" * decimals) for x in found] == [
            f"{x:.{decimals}f}".replace("-0" + "." * bool(decimals) + "0" * decimals, "0" + "." * bool(decimals) + "0" * decimals) for x in values]


@pytest.mark.parametrize("text, shape", [("(28, 28)", [28, 28]), ("28,28", [28, 28]), ("torch.Size([6, 4])", [6, 4]), ("(3,)", [3]), ("3", [3]), ("()", []), ("2×3", [2, 3]), ("2 3", [2, 3]), ("", None), ("a", None), ("(1, -2)", None)])
def test_shapes_are_read_as_people_type_them(arithmetic, text, shape): assert arithmetic("figure", "return m.shapeOf(data)", text) == shape


@pytest.mark.parametrize("text, number", [("18.3", 18.3), ("18,3 %", 18.3), ("−2", -2), (".5", .5), ("x", None), ("", None), ("1e5", None)])
def test_numbers_are_read_as_people_type_them(arithmetic, text, number): assert arithmetic("figure", "return m.numberOf(data)", text) == number
