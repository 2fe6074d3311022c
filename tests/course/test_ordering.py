"""Lines to put in order: each program and each claim about a wrong line is run, and no other order would do."""
import itertools
import json
import re
from pathlib import Path

import pytest
from conftest import violations
from figure_pages import beside_a_kernel, open_page  # noqa: F401
from small_lesson import SOUND, lesson_file, own_folder  # noqa: F401

from pixelsim.course.exercise import lesson_names, run_code
from pixelsim.course.lesson_files import lesson_file as content_of, lesson_files, program as code_of
from pixelsim.course.ordering import order
from pixelsim.course.progress_file import PROGRESS_FILE

ORDERS = {lesson: content_of(lesson)["order"] for lesson in lesson_files() if "order" in content_of(lesson)}
every_order = pytest.mark.parametrize("lesson", ORDERS)


def names_of(lesson): return run_code(ORDERS[lesson].get("given", ""), lesson_names(lesson, content_of(lesson).get("given", "")), lesson)


def test_every_lesson_has_lines_to_order():
    assert list(ORDERS) == list(lesson_files())
    assert len({given["name"] for given in ORDERS.values()}) == len(ORDERS)


@every_order
def test_the_lines_run_in_their_order_and_in_no_other(lesson):
    "So there is one right order, and a page without Python can tell."
    lines, names, ran = ORDERS[lesson]["lines"], names_of(lesson), []
    for some in itertools.permutations(lines):
        try: assert "answer" in run_code("\n".join(some), names, lesson)
        except Exception: continue
        ran.append(list(some))
    assert ran == [lines]


@every_order
def test_each_wrong_line_does_what_is_said_of_it(lesson):
    "What holds with it does not hold without it; and its numbers stand in what is run, or in the error."
    given, names = ORDERS[lesson], names_of(lesson)
    right = run_code(code_of(given), names, lesson)
    assert 2 <= len(given["wrong"]) <= 4
    for wrong in given["wrong"]:
        if "raises" in wrong:
            with pytest.raises((RuntimeError, ValueError), match=re.escape(wrong["raises"])): run_code(code_of(given, wrong), names, lesson)
            continue
        assert eval(wrong["holds"], run_code(code_of(given, wrong), names, lesson)), wrong
        assert not eval(wrong["holds"], dict(right)), wrong


@every_order
def test_a_lesson_s_words_for_it_are_few(lesson):
    given = ORDERS[lesson]
    assert len(given["task"]) < 260 and all(30 < len(wrong["says"]) < 260 for wrong in given["wrong"])
    assert max(map(len, [*given["lines"], *(wrong["line"] for wrong in given["wrong"])])) <= 70


ORDER = """
[order]
name = "pixels"
task = "How many pixels have three images of 2 × 3?"
lines = ["rows = 2", "columns = rows+1", "one = rows*columns", "answer = 3*one"]
[[order.wrong]]
line = "one = rows+columns"
instead = 3
holds = "answer==15"
says = "You added the sides."
[[order.wrong]]
line = "answer = one"
instead = 4
holds = "answer==6"
says = "That is one image."
"""


@pytest.mark.parametrize("there, instead, complaint", [
    ('name = "pixels"', 'name = "The pixels"', "small letters, digits and hyphens"),
    ('name = "pixels"', 'name = "half"', "name 'half' stands there twice"),  # a question has it
    ("lines =", "line =", "order 'pixels': there is no key 'line': did you mean 'lines'?"),
    (', "answer = 3*one"]', "]", "lines should be a list of four to seven lines of code"),
    ('"rows = 2", ', '"rows = 2\\nx = 3", ', "lines should be a list of four to seven lines of code"),
    ('"rows = 2"', '"rows ="', "order 'pixels', lines: this is not Python"),
    ('"rows = 2"', '"columns = rows+1"', "line 'columns = rows+1' stands there twice"),
    ('line = "answer = one"', 'line = "rows = 2"', "line 'rows = 2' stands there twice"),
    ('line = "answer = one"', 'line = "answer ="', "wrong 'answer =': this is not Python"),
    ("instead = 4", "instead = 0", "wrong 'answer = one': instead should be the number of a line, from 1, got 0"),
    ("instead = 4", "instead = 5", "wrong 'answer = one': instead should be the number of a line, from 1 to 4, got 5"),
    ('holds = "answer==6"', 'holds = "answer=6"', "wrong 'answer = one', holds: this is not Python"),
    ('holds = "answer==6"', "", "give either holds, what is true when it has run, or raises"),
    ('holds = "answer==6"', 'holds = "answer==6"\nraises = "x"', "give either holds, what is true when it has run, or raises"),
    ('says = "That is one image."', 'says = "You added the sides."', "says 'You added the sides.' stands there twice"),
    ('says = "That is one image."', 'says = "It is $x$."', "says has '$'"),
    ("[order]\n", "[order]\nminutes = 3\n", "there is no key 'minutes'")])
def test_lines_that_are_not_sound_are_named(lesson_file, there, instead, complaint):  # noqa: F811
    lesson_file(SOUND + ORDER)
    assert content_of("00_small")["order"]["wrong"][0]["line"] == "one = rows+columns" and ORDER.count(there) == 1
    lesson_file(SOUND + ORDER.replace(there, instead), "00_other")
    with pytest.raises(ValueError, match=rf"^00_other\.toml.*{re.escape(complaint)}"): content_of("00_other")


# On the screen

SOLVED = "Right. It runs in this order, and in no other."


@pytest.fixture
def open_order(open_page):  # noqa: F811
    return lambda lesson="05_distances", *args, **options: open_page(order(lesson).as_html(), *args, **options)


def pool(page): return page.get_by_role("list", name="Lines to choose from").get_by_role("button")


def program(page): return page.get_by_role("list", name="Your program").get_by_role("listitem")


def said(page): return page.locator(".psf-reply").inner_text()


def line(page, text): return pool(page).get_by_text(text, exact=True)


@every_order
def test_each_lesson_s_lines_can_be_put_in_order(open_order, lesson):
    "The lines do not come in order, and a wrong line says what it would do as soon as it is chosen."
    page, given = open_order(lesson), ORDERS[lesson]
    assert sorted(pool(page).all_inner_texts()) == sorted([*given["lines"], *(wrong["line"] for wrong in given["wrong"])])
    shown = [text for text in pool(page).all_inner_texts() if text in given["lines"]]
    assert shown != given["lines"]
    for wrong in given["wrong"]:
        line(page, wrong["line"]).click()
        assert " ".join(said(page).split()) == f"Added as line 1. {re.sub('[`*]', '', wrong['says'])}"
        page.get_by_role("button", name=f"take out: {wrong['line']}").click()
        assert said(page) == "Taken out."
    for text in given["lines"]: line(page, text).click()
    page.get_by_role("button", name="Check").click()
    assert said(page) == SOLVED and program(page).count() == len(given["lines"])


def test_a_check_names_the_first_line_that_is_out_of_place(open_order):
    page, given = open_order(), ORDERS["05_distances"]
    check = page.get_by_role("button", name="Check")
    check.click()
    assert said(page) == "Choose a line first."
    for text, says in [(given["lines"][0], "Right so far. 4 lines are missing."), (given["lines"][2], "Not yet. Line 2 is the first that is out of place."),
                       (given["lines"][1], "Not yet. Line 2 is the first that is out of place.")]:
        line(page, text).click()
        check.click()
        assert said(page) == says
    page.get_by_role("button", name=f"move up: {given['lines'][1]}").click()
    assert said(page) == "Now line 2 of 3."
    line(page, given["lines"][3]).click()
    check.click()
    assert said(page) == "Right so far. A line is missing."
    line(page, given["wrong"][0]["line"]).click()
    check.click()
    assert said(page).startswith("Not yet. Line 5 is the first that is wrong.\n\nWithout abs too much ink")


def test_by_keys_alone(open_order):
    "Tab, Enter, arrows and Delete; the focus stays with what one works at, and all is announced."
    page, given = open_order(), ORDERS["05_distances"]
    focus = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
    texts = pool(page).all_inner_texts()
    assert page.locator("button:not([data-lm-suppress-shortcuts])").count() == 0  # or JupyterLab takes the keys
    page.keyboard.press("Tab")
    assert page.evaluate(focus) == texts[0]
    page.keyboard.press("ArrowUp")  # there is none
    for at, text in enumerate(texts):
        if text in given["lines"]: page.keyboard.press("Enter")
        elif at < len(texts) - 1: page.keyboard.press("ArrowDown")
    assert sorted(each.locator("code").inner_text() for each in program(page).all()) == sorted(given["lines"])
    while "move up" not in page.evaluate(focus): page.keyboard.press("Tab")
    for goal, text in enumerate(given["lines"]):  # each line in turn is moved up to where it belongs
        now = [each.locator("code").inner_text() for each in program(page).all()]
        page.get_by_role("button", name=f"move up: {text}").focus()
        for _ in range(now.index(text) - goal):
            page.keyboard.press("ArrowUp")
            assert page.evaluate(focus) == f"move up: {text}"
    page.keyboard.press("Delete")
    assert said(page) == "Taken out." and program(page).count() == 4 and page.evaluate(focus).startswith("move up")
    line(page, given["lines"][4]).focus()
    page.keyboard.press("Space")
    while page.evaluate(focus) != "Check": page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert said(page) == SOLVED
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    taken = page.locator(".psf").evaluate("""root => [...root.querySelectorAll("button")].filter((e) => ["s", "ArrowUp", "Delete"].some((key) =>
        ["ctrlKey", "metaKey"].some((held) => !e.dispatchEvent(new KeyboardEvent("keydown", { key, [held]: true, bubbles: true, cancelable: true }))))).length""")
    assert taken == 0


@pytest.mark.parametrize("width, dark", [(800, False), (800, True), (360, False), (360, True)])
@pytest.mark.parametrize("lesson", ["01_pixels", "06_accuracy"])
def test_by_touch_for_everyone(open_order, lesson, width, dark):
    "On a phone's width nothing is wider than the page, every control is large enough for a finger, and axe finds nothing."
    page, given = open_order(lesson, width=width, dark=dark, has_touch=True), ORDERS[lesson]
    assert violations(page) == []
    line(page, given["wrong"][0]["line"]).tap()
    assert violations(page) == []
    page.get_by_role("button", name=f"take out: {given['wrong'][0]['line']}").tap()
    for text in given["lines"][::-1]: line(page, text).tap()
    for at in range(5):
        for _ in range(4 - at): page.get_by_role("button", name=f"move down: {given['lines'][4 - at]}").tap()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.locator(".psf button").evaluate_all("all => all.every((e) => e.getBoundingClientRect().width >= 24 && e.getBoundingClientRect().height >= 24)")
    page.get_by_role("button", name="Check").tap()
    assert said(page) == SOLVED and violations(page) == []


def test_a_page_remembers_what_was_checked(open_order):
    "With every try; loaded again it stands there with its reply; to start over forgets it."
    page, given = open_order("03_means"), ORDERS["03_means"]
    for text in given["lines"][:2]: line(page, text).click()
    check = page.get_by_role("button", name="Check")
    for _ in range(2): check.click()  # the same again is no other try
    for text in given["lines"][2:]: line(page, text).click()
    check.click()
    again = open_order("03_means", context=page.context)
    assert said(again) == SOLVED and [each.locator("code").inner_text() for each in program(again).all()] == given["lines"]
    tries = again.evaluate("JSON.parse(localStorage.getItem('pixelsim-answers'))")["03_means/where-the-mean-is-dark"]
    assert [(x["given"].splitlines(), x["right"]) for x in tries] == [(given["lines"][:2], False), (given["lines"], True)]
    again.get_by_role("button", name="Start over").click()
    assert program(again).count() == 0 and again.evaluate("localStorage.getItem('pixelsim-answers')") == "{}"
    tries[1]["given"] = "a line of another edition\n" + given["lines"][1]
    again.evaluate("tries => localStorage.setItem('pixelsim-answers', JSON.stringify({ '03_means/where-the-mean-is-dark': tries }))", tries)
    assert said(open_order("03_means", context=page.context)) == "Not yet. Line 1 is the first that is out of place."


def test_without_a_script_the_order_unfolds(open_order):
    page, given = open_order(java_script_enabled=False, width=360), ORDERS["05_distances"]
    assert page.get_by_role("listitem").count() == 8 and not page.get_by_text("What the others would do").is_visible()
    page.get_by_text("Show the order").click()
    assert [each.inner_text() for each in page.locator("ol li").all()] == given["lines"] and page.get_by_text("comes too late here").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_beside_a_kernel(open_page, own_folder):  # noqa: F811
    "What is checked is in the progress file and is there again in the next kernel; what Python chooses shows; a view that closes is heard no more."
    shown, page, given = order("03_means"), open_page(), ORDERS["03_means"]
    shown._repr_mimebundle_()
    beside_a_kernel(page, shown)
    for text in given["lines"]: line(page, text).click()
    page.get_by_role("button", name="Check").click()
    for saved in page.evaluate("model.saved"): shown.set_state({name: saved[name] for name in ("tries", "chosen")})
    assert shown.program == "\n".join(given["lines"])
    kept = json.loads(Path(PROGRESS_FILE).read_text())["answers"]["03_means/where-the-mean-is-dark"]
    assert [(x["given"], x["right"]) for x in kept] == [(shown.program, True)]
    again = order("03_means")
    data, _ = again._repr_mimebundle_()
    assert again.tries == shown.tries and kept[0]["when"] not in data["text/html"] == order("03_means").as_html()
    page.evaluate("model.set('chosen', [])")
    assert program(page).count() == 0 and pool(page).count() == 8
    page.evaluate("close_view()")
    assert page.evaluate("Object.values(model.heard).every((listeners) => listeners.size === 0)")


def test_as_text_and_for_other_lessons(lesson_file):  # noqa: F811
    lesson_file(SOUND + ORDER)
    lesson_file(SOUND, "00_other")
    assert repr(order("00_small")).splitlines() == ["How many pixels have three images of 2 × 3?", *(f"  {text}" for text in (
        "answer = 3*one", "answer = one", "columns = rows+1", "one = rows*columns", "one = rows+columns", "rows = 2"))]
    with pytest.raises(ValueError, match="the lesson '00_other' has no lines to put in order"): order("00_other")
    with pytest.raises(ValueError, match="did you mean '00_small'"): order("00_smal")
