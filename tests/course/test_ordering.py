"""Lines to put in order: each program and each claim about a wrong line is run, and no other order would do."""
import itertools
import json
import re
from pathlib import Path

import pytest
from conftest import violations
from figure_pages import beside_a_kernel
from small_lesson import SOUND

from pixelsim.course.exercise import lesson_names, run_code
from pixelsim.course.lesson_files import lesson_file as content_of, lesson_files, program as code_of
from pixelsim.course.ordering import order
from pixelsim.course.progress_file import PROGRESS_FILE

ORDERS = {lesson: content_of(lesson)["order"] for lesson in lesson_files() if "order" in content_of(lesson)}
every_order = pytest.mark.parametrize("lesson", ORDERS)


def names_of(lesson): return run_code(ORDERS[lesson].get("given", ""), lesson_names(lesson, content_of(lesson).get("given", "")), lesson)


def test_every_lesson_has_lines_to_order(): assert list(ORDERS) == list(lesson_files()) and len({given["name"] for given in ORDERS.values()}) == len(ORDERS)


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
    def answer_of(*wrong): return run_code(code_of(given, *wrong), names, lesson)
    assert 2 <= len(given["wrong"]) <= 4
    for wrong in given["wrong"]:
        if "raises" in wrong:
            with pytest.raises((RuntimeError, ValueError), match=re.escape(wrong["raises"])): answer_of(wrong)
        else: assert eval(wrong["holds"], answer_of(wrong)) and not eval(wrong["holds"], answer_of()), wrong


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
    ("lines =", "line =", "order 'pixels': there is no key 'line': did you mean 'lines'?"), ("[order]\n", "[order]\nminutes = 3\n", "there is no key 'minutes'"),
    (', "answer = 3*one"]', "]", "lines should be a list of four to seven lines of code"),
    ('"rows = 2", ', '"rows = 2\\nx = 3", ', "lines should be a list of four to seven lines of code"),
    ('"rows = 2"', '"rows ="', "order 'pixels', lines: this is not Python"), ('line = "answer = one"', 'line = "answer ="', "wrong 'answer =': this is not Python"),
    ('holds = "answer==6"', 'holds = "answer=6"', "wrong 'answer = one', holds: this is not Python"),
    ('"rows = 2"', '"columns = rows+1"', "line 'columns = rows+1' stands there twice"),
    ('line = "answer = one"', 'line = "rows = 2"', "line 'rows = 2' stands there twice"),
    ("instead = 4", "instead = 0", "wrong 'answer = one': instead should be the number of a line, from 1, got 0"),
    ("instead = 4", "instead = 5", "wrong 'answer = one': instead should be the number of a line, from 1 to 4, got 5"),
    ('holds = "answer==6"', "", "give either holds, what is true when it has run, or raises"),
    ('holds = "answer==6"', 'holds = "answer==6"\nraises = "x"', "give either holds, what is true when it has run, or raises"),
    ('says = "That is one image."', 'says = "You added the sides."', "says 'You added the sides.' stands there twice"),
    ('says = "That is one image."', 'says = "It is $x$."', "says has '$'")])
def test_lines_that_are_not_sound_are_named(lesson_file, there, instead, complaint):
    lesson_file(SOUND + ORDER)
    assert content_of("00_small")["order"]["wrong"][0]["line"] == "one = rows+columns" and ORDER.count(there) == 1
    lesson_file(SOUND + ORDER.replace(there, instead), "00_other")
    with pytest.raises(ValueError, match=rf"^00_other\.toml.*{re.escape(complaint)}"): content_of("00_other")


# On the screen

SOLVED = "Right. It runs in this order, and in no other."


@pytest.fixture
def open_order(open_page):
    return lambda lesson="05_distances", *args, **options: open_page(order(lesson).as_html(), *args, **options)


def pool(page): return page.get_by_role("list", name="Lines to choose from").get_by_role("button")


def program(page): return page.get_by_role("list", name="Your program").get_by_role("listitem").locator("code")


def said(page): return " ".join(page.locator(".psf-reply").inner_text().split())


def add(page, *lines):
    for text in lines: pool(page).get_by_text(text, exact=True).click()


def press(page, name):
    "Press a button; what is said then."
    page.get_by_role("button", name=name).click()
    return said(page)


@every_order
def test_each_lesson_s_lines_can_be_put_in_order(open_order, lesson):
    "The lines do not come in order, and a wrong line says what it would do as soon as it is chosen."
    page, given = open_order(lesson), ORDERS[lesson]
    shown = pool(page).all_inner_texts()
    assert sorted(shown) == sorted([*given["lines"], *(wrong["line"] for wrong in given["wrong"])])
    assert [text for text in shown if text in given["lines"]] != given["lines"]
    for wrong in given["wrong"]:
        add(page, wrong["line"])
        assert said(page) == f"Added as line 1. {re.sub('[`*]', '', wrong['says'])}"
        assert press(page, f"take out: {wrong['line']}") == "Taken out."
    add(page, *given["lines"])
    assert press(page, "Check") == SOLVED and program(page).all_inner_texts() == given["lines"]


def test_a_check_names_the_first_line_that_is_out_of_place(open_order):
    page, given = open_order(), ORDERS["05_distances"]
    first, second, third, fourth, _ = given["lines"]
    assert press(page, "Check") == "Choose a line first."
    out_of_place = "Not yet. Line 2 is the first that is out of place."
    for line, says in ((first, "Right so far. 4 lines are missing."), (third, out_of_place), (second, out_of_place)):
        add(page, line)
        assert press(page, "Check") == says
    assert press(page, f"move up: {second}") == "Now line 2 of 3."
    add(page, fourth)
    assert press(page, "Check") == "Right so far. A line is missing."
    add(page, given["wrong"][0]["line"])
    assert press(page, "Check").startswith("Not yet. Line 5 is the first that is wrong. Without abs too much ink")
    add(page, given["lines"][4])
    press(page, f"move up: {given['lines'][4]}")
    assert press(page, "Check").startswith("Not yet. Line 6 is the first that is wrong.")


def test_by_keys_alone(open_order):
    "Tab, Enter, arrows and Delete; the focus stays with what one works at, and all is announced."
    page, given, key = open_order(), ORDERS["05_distances"]["lines"], lambda name: page.keyboard.press(name)
    def focused(): return page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent")
    texts = pool(page).all_inner_texts()
    assert page.locator("button:not([data-lm-suppress-shortcuts])").count() == 0  # or JupyterLab takes the keys
    key("Tab")
    assert focused() == texts[0]
    key("ArrowUp")  # there is none
    for text in texts: key("Enter" if text in given else "ArrowDown")
    assert sorted(program(page).all_inner_texts()) == sorted(given)
    while "move up" not in focused(): key("Tab")
    for goal, text in enumerate(given):  # each line in turn is moved up to where it belongs
        page.get_by_role("button", name=f"move up: {text}").focus()
        for _ in range(program(page).all_inner_texts().index(text) - goal):
            key("ArrowUp")
            assert focused() == f"move up: {text}"
    key("Delete")
    assert said(page) == "Taken out." and program(page).count() == 4 and focused().startswith("move up")
    pool(page).get_by_text(given[4], exact=True).focus()
    key("Space")
    while focused() != "Check": key("Tab")
    key("Enter")
    assert said(page) == SOLVED and page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert page.locator(".psf").evaluate("""root => [...root.querySelectorAll("button")].filter((e) => ["s", "ArrowUp", "Delete"].some((key) =>
        ["ctrlKey", "metaKey"].some((held) => !e.dispatchEvent(new KeyboardEvent("keydown", { key, [held]: true, bubbles: true, cancelable: true }))))).length""") == 0  # none is taken


@pytest.mark.parametrize("lesson, dark", [("01_pixels", False), ("06_accuracy", True)])
def test_by_touch_for_everyone(open_order, lesson, dark):
    "On a phone's width nothing is wider than the page, every control is large enough for a finger, and axe finds nothing, there and on a wide page."
    page, given = open_order(lesson, width=360, dark=dark, has_touch=True), ORDERS[lesson]
    def tap(name): page.get_by_role("button", name=name, exact=True).tap()
    assert violations(page) == []
    tap(given["wrong"][0]["line"])
    assert violations(page) == []
    tap(f"take out: {given['wrong'][0]['line']}")
    for text in given["lines"][::-1]: tap(text)
    for last, text in enumerate(given["lines"][::-1]):
        for _ in given["lines"][last + 1:]: tap(f"move down: {text}")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.locator(".psf button").evaluate_all("all => all.every((e) => e.getBoundingClientRect().width >= 24 && e.getBoundingClientRect().height >= 24)")
    tap("Check")
    assert said(page) == SOLVED and violations(page) == []
    page.set_viewport_size({"width": 800, "height": 900})
    assert violations(page) == []


def test_a_page_remembers_what_was_checked(open_order):
    "With every try; loaded again it stands there with its reply; to start over forgets it."
    page, lines, key = open_order("03_means"), ORDERS["03_means"]["lines"], "03_means/where-the-mean-is-dark"
    def again(): return open_order("03_means", context=page.context)
    add(page, *lines[:2])
    for _ in range(2): press(page, "Check")  # the same again is no other try
    add(page, *lines[2:])
    press(page, "Check")
    later = again()
    assert said(later) == SOLVED and program(later).all_inner_texts() == lines
    tries = later.evaluate("JSON.parse(localStorage.getItem('pixelsim-answers'))")[key]
    assert [(x["given"].splitlines(), x["right"]) for x in tries] == [(lines[:2], False), (lines, True)]
    press(later, "Start over")
    assert program(later).count() == 0 and later.evaluate("localStorage.getItem('pixelsim-answers')") == "{}"
    tries[1]["given"] = "a line of another edition\n" + lines[1]
    later.evaluate("tries => localStorage.setItem('pixelsim-answers', JSON.stringify(tries))", {key: tries})
    assert said(again()) == "Not yet. Line 1 is the first that is out of place."


def test_without_a_script_the_order_unfolds(open_order):
    page, given = open_order(java_script_enabled=False, width=360), ORDERS["05_distances"]
    assert page.get_by_role("listitem").count() == 8 and not page.get_by_text("What the others would do").is_visible()
    page.get_by_text("Show the order").click()
    assert page.locator("ol li").all_inner_texts() == given["lines"] and page.get_by_text("comes too late here").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_beside_a_kernel(open_page, own_folder):
    "What is checked is in the progress file and is there again in the next kernel; what Python chooses shows; a view that closes is heard no more."
    shown, page, lines = order("03_means"), open_page(), ORDERS["03_means"]["lines"]
    shown._repr_mimebundle_()
    beside_a_kernel(page, shown)
    add(page, *lines)
    press(page, "Check")
    for saved in page.evaluate("model.saved"): shown.set_state({name: saved[name] for name in ("tries", "chosen")})
    kept = json.loads(Path(PROGRESS_FILE).read_text())["answers"]["03_means/where-the-mean-is-dark"]
    assert [(x["given"], x["right"]) for x in kept] == [(shown.program, True)] and shown.program.splitlines() == lines
    again = order("03_means")
    html = again._repr_mimebundle_()[0]["text/html"]
    assert again.tries == shown.tries and kept[0]["when"] not in html == order("03_means").as_html()
    page.evaluate("model.set('chosen', [])")
    assert program(page).count() == 0 and pool(page).count() == 8
    page.evaluate("close_view()")
    assert page.evaluate("Object.values(model.heard).every((listeners) => listeners.size === 0)")


def test_as_text_and_for_other_lessons(lesson_file):
    lesson_file(SOUND + ORDER)
    lesson_file(SOUND, "00_other")
    lines = ["answer = 3*one", "answer = one", "columns = rows+1", "one = rows*columns", "one = rows+columns", "rows = 2"]
    assert repr(order("00_small")).splitlines() == ["How many pixels have three images of 2 × 3?", *(f"  {text}" for text in lines)]
    for lesson, says in (("00_other", "the lesson '00_other' has no lines to put in order"), ("00_smal", "did you mean '00_small'")):
        with pytest.raises(ValueError, match=says): order(lesson)
