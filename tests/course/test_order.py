"""Lines to put in order: each program and each claim about a wrong line is run, and no other order would do."""
import itertools
import re

import pytest
from small_lesson import SOUND, lesson_file  # noqa: F401

from pixelsim.course.exercise import lesson_names, run_code
from pixelsim.course.lesson_files import lesson_file as content_of, lesson_files, program

ORDERS = {lesson: content_of(lesson)["order"] for lesson in lesson_files() if "order" in content_of(lesson)}
every_order = pytest.mark.parametrize("lesson", ORDERS)


def names_of(lesson): return run_code(ORDERS[lesson].get("given", ""), lesson_names(lesson, content_of(lesson).get("given", "")), lesson)


def test_every_lesson_with_exercises_has_lines_to_order():
    assert list(ORDERS) == [lesson for lesson in lesson_files() if "exercise" in content_of(lesson)]
    assert len({order["name"] for order in ORDERS.values()}) == len(ORDERS)


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
    order, names = ORDERS[lesson], names_of(lesson)
    right = run_code(program(order), names, lesson)
    assert 2 <= len(order["wrong"]) <= 4
    for wrong in order["wrong"]:
        if "raises" in wrong:
            with pytest.raises((RuntimeError, ValueError), match=re.escape(wrong["raises"])): run_code(program(order, wrong), names, lesson)
            continue
        assert eval(wrong["holds"], run_code(program(order, wrong), names, lesson)), wrong
        assert not eval(wrong["holds"], dict(right)), wrong


@every_order
def test_a_lesson_s_words_for_it_are_few(lesson):
    order = ORDERS[lesson]
    assert len(order["task"]) < 260 and all(30 < len(wrong["says"]) < 260 for wrong in order["wrong"])
    assert max(map(len, [*order["lines"], *(wrong["line"] for wrong in order["wrong"])])) <= 60


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
