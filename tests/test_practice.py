"""Practice: every exercise and question of every lesson, what the engine says to whatever a learner does, and the file it keeps.

The wrong answers come from the lessons' files; the comparisons and messages are worked out by hand.
"""
import json
import multiprocessing
import os
import re
import sys
import textwrap
import time
from html import unescape
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from conftest import ROOT

from pixelsim import practice
from pixelsim.course.practice import check, exercises, hint, solution
from pixelsim.course.progress_file import progress, reset_progress
from pixelsim.course.quizzes import questions, quiz

FILES = sorted((ROOT / "pixelsim" / "data" / "practice").glob("*.toml"))
STEMS = [path.stem for path in FILES]
every_lesson = pytest.mark.parametrize("stem", STEMS)
stops_a_thread = pytest.mark.filterwarnings(  # the exception that stops a thread may reach it in its very last steps
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::pytest.PytestUnhandledThreadExceptionWarning")


def in_files(kind):
    "(lesson, entry) for every exercise or question; a file that cannot be read gives one entry that is None."
    found = []
    for path in FILES:
        try: entries = practice._read(path).get(kind, [])
        except ValueError: entries = [None]
        found += [pytest.param(path.stem, entry, id=f"{path.stem}-{entry['name'] if entry else 'broken'}") for entry in entries]
    return found


every_exercise = pytest.mark.parametrize("stem, entry", in_files("exercise"))
every_question = pytest.mark.parametrize("stem, entry", in_files("question"))


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    "Every test has a working folder and a session of its own."
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(practice, "_session", practice._Session())
    return tmp_path


# The lessons' files


@every_lesson
def test_the_file_is_sound(stem):
    "It is read without complaint, belongs to a lesson, and has as many exercises and questions as a lesson should."
    content = practice._read(practice._folder() / f"{stem}.toml")
    assert (ROOT / "nbs" / f"{stem}.ipynb").exists()
    assert 3 <= len(content["exercise"]) <= 5 and 5 <= len(content["question"]) <= 8


@every_lesson
def test_every_exercise_says_how_long_a_pair_needs(stem):
    "In the data that the guide uses, as in the file: whole minutes, few enough for a meeting."
    lines = re.findall(r"^minutes = (\d+)$", (ROOT / "pixelsim" / "data" / "practice" / f"{stem}.toml").read_text(encoding="utf-8"), flags=re.M)
    found = [entry["minutes"] for entry in exercises(stem)]
    assert found == [int(line) for line in lines] and all(2 <= minutes <= 12 for minutes in found)


def test_names_are_unique_over_all_lessons():
    names = [entry["name"] for stem in STEMS for entry in exercises(stem)]
    assert sorted(set(names)) == sorted(names)


@every_exercise
def test_the_solution_is_right(stem, entry):
    exercise = practice._exercise(entry["name"])
    reply = check(entry["name"], exercise.answer(entry["solution"], "solution"))
    assert (reply.status, reply.mistake) == ("right", None), reply
    assert reply.text.startswith("✔ **Right.** ") and reply.text[13:].lower().startswith(entry["learned"].lower())


@every_exercise
def test_every_mistake_is_told_its_own_message(stem, entry):
    "And no earlier one, nor the message for a right answer."
    exercise = practice._exercise(entry["name"])
    assert len(entry["mistake"]) >= 3
    for mistake in entry["mistake"]:
        reply = check(entry["name"], exercise.answer(mistake["code"], mistake["name"]))
        assert (reply.status, reply.mistake) == ("wrong", mistake["name"]), reply
        assert reply.text == f"✘ **Not yet.** {mistake['says']}"


@every_exercise
def test_the_untouched_cell_is_not_attempted(stem, entry):
    "The cell as the notebook has it runs, says 'not attempted' in the same words each time, and writes no file."
    exercise, replies = practice._exercise(entry["name"]), []
    last = entry["starter"].splitlines()[-1]
    assert re.fullmatch(rf'check\("{re.escape(entry["name"])}", \w+\)', last)
    for _ in range(2): exec(entry["starter"], dict(exercise.names, check=lambda *a: replies.append(check(*a))))
    assert [reply.status for reply in replies] == ["not attempted"] * 2 and replies[0].text == replies[1].text
    assert os.listdir() == []


@every_exercise
def test_an_answer_that_nobody_foresaw_gets_the_general_message(stem, entry):
    "It is called wrong, honestly, with no mistake's name and with the way to a hint."
    exercise = practice._exercise(entry["name"])
    answer = (lambda *arguments: -987.654) if exercise.inputs is not None else torch.full((3, 5, 7), -987.654)
    reply = check(entry["name"], answer)
    assert (reply.status, reply.mistake) == ("wrong", None), reply
    assert "none of the mistakes that are known here" in reply.text or entry["otherwise"] in reply.text
    assert f'`hint("{entry["name"]}")`' in reply.text


@every_exercise
def test_texts_do_not_give_the_solution_away(stem, entry):
    "No message or task, and no hint but the last, contains the solution's code."
    line = entry["solution"].removeprefix("answer = ").strip()
    for text in [entry["task"], entry["learned"], *entry["hints"][:-1], *(m["says"] for m in entry["mistake"])]: assert line not in text


@every_lesson
def test_the_notebook_shows_task_and_starter(stem):
    "Once a lesson has its exercises, each stands there word for word: the task as text, then the starter as a cell."
    cells = nbformat.read(ROOT / "nbs" / f"{stem}.ipynb", as_version=4).cells
    code = [cell.source.strip() for cell in cells if cell.cell_type == "code"]
    if not any("check(" in source for source in code): pytest.skip(f"{stem}.ipynb has no exercises with check yet")
    for entry in exercises(stem):
        at = next((i for i, cell in enumerate(cells) if cell.source.strip() == entry["starter"]), None)
        assert at, f"no cell is the starter of {entry['name']}"
        before = " ".join(" ".join(cell.source for cell in cells[max(0, at - 2):at]).split())
        assert " ".join(entry["task"].split()) in before, entry["name"]
    assert any(source.endswith(f'quiz("{stem}")') for source in code)


def test_solutions_stand_in_no_notebook():
    "Nobody meets a solution by scrolling."
    text = "\n".join(cell.source for path in (ROOT / "nbs").glob("[0-9]*.ipynb") for cell in nbformat.read(path, as_version=4).cells)
    for stem in STEMS:
        for entry in exercises(stem): assert entry["solution"] not in text, entry["name"]


@every_question
def test_the_right_answer_is_proved(stem, entry):
    "The `check` code of a question runs, with the right answer at hand."
    if "check" not in entry: pytest.skip(f"{stem}, {entry['name']}: nothing to compute")
    right = entry.get("answer", next((c["text"] for c in entry.get("choice", []) if c.get("right")), None))
    practice._execute(entry["check"], dict(practice._lesson_named(stem).names, answer=right), f"{entry['name']}: check")
    assert "assert" in entry["check"]


@every_question
def test_every_answer_has_a_message_of_its_own(stem, entry):
    answers = entry["choice"] if entry["kind"] == "choice" else [entry, *entry["mistake"]]
    assert len(answers) >= 3
    said = [answer["says"] for answer in answers] + [entry[key] for key in ("otherwise",) if key in entry]
    assert len(set(said)) == len(said) and min(map(len, said)) > 30
    if entry["kind"] == "choice": assert sum(choice.get("right", False) for choice in answers) == 1
    if entry["kind"] == "number":
        numbers = sorted(answer["answer"] for answer in answers)  # any two so far apart that each is told from the other
        assert min(b - a for a, b in zip(numbers, numbers[1:])) > entry.get("tolerance", 0)


# The validation

SOUND = """
[[exercise]]
name = "six"
minutes = 2
task = "How many pixels has an image of 2 × 3?"
starter = '''
answer = ...
check("six", answer)
'''
solution = "answer = 2*3"
explanation = "Rows times columns."
hints = ["How many are there in one row?", "There are 2 rows of 3."]
learned = "you can count pixels."
[[exercise.mistake]]
name = "added"
code = "answer = 2+3"
says = "You added the sides."
[[exercise.mistake]]
name = "around"
code = "answer = 2*(2+3)"
says = "That is the way around it."
[[question]]
name = "rank"
kind = "choice"
asks = "What is the rank of an image?"
[[question.choice]]
text = "2"
right = true
says = "Rows and columns."
[[question.choice]]
text = "784"
says = "That is its number of pixels."
[[question]]
name = "half"
kind = "number"
asks = "What is the mean of 0 and 1?"
answer = 0.5
says = "Halfway."
otherwise = "Add and divide by 2."
[[question.mistake]]
answer = 1
says = "That is the sum."
"""


@pytest.fixture
def lesson_file(tmp_path, monkeypatch):
    "A function that makes a file's text the only lesson, `00_small`."
    folder = tmp_path / "lessons"
    folder.mkdir()
    monkeypatch.setattr(practice, "_folder", lambda: folder)

    def write(text):
        (folder / "00_small.toml").write_text(textwrap.dedent(text), encoding="utf-8")
        practice._lesson_at.cache_clear()
    return write


@pytest.mark.parametrize("there, instead, complaint", [
    ("learned =", "learnt =", "exercise 'six': there is no key 'learnt': did you mean 'learned'?"),
    ('task = "How many pixels has an image of 2 × 3?"', "", "exercise 'six': task is missing"),
    ('task = "How many pixels has an image of 2 × 3?"', 'task = ""', "task should be text that is not empty, got ''"),
    ("minutes = 2", "", "exercise 'six': minutes is missing"),
    ("minutes = 2", "minutes = 0", "minutes should be a whole number of minutes, from 1 to 30, got 0"),
    ("minutes = 2", "minutes = 31", "minutes should be a whole number of minutes, from 1 to 30, got 31"),
    ("minutes = 2", "minutes = 2.5", "minutes should be a whole number of minutes, from 1 to 30, got 2.5"),
    ("minutes = 2", "minutes = true", "minutes should be a whole number of minutes, from 1 to 30, got True"),
    ('"answer = 2*3"', '"answer = 2*"', "solution: this is not Python"),
    (', "There are 2 rows of 3."', "", "give two or three hints, not 1"),
    ('name = "six"', 'name = "The six"', "should be small letters, digits and hyphens"),
    ('name = "around"', 'name = "added"', "name 'added' stands there twice"),
    ('says = "That is the way around it."', 'says = "You added the sides."', "says 'You added the sides.' stands there twice"),
    ('code = "answer = 2+3"', "", "mistake 'added': code is missing"),
    ('code = "answer = 2+3"', 'code = "answer = 2+3"\nwhen = "answer ="', "mistake 'added', when: this is not Python"),
    ('hints = [', 'accepts = "True"\nhints = [', "accepts needs otherwise"),
    ('hints = [', 'tolerance = "much"\nhints = [', "tolerance should be a number, got 'much'"),
    ('hints = [', 'same_dtype = 1\nhints = [', "same_dtype should be true or false, got 1"),
    ("right = true", "", "question 'rank': exactly one choice should be right, got 0"),
    ('text = "784"', 'text = "784"\nright = true', "exactly one choice should be right, got 2"),
    ('text = "784"', 'text = "2"', "text '2' stands there twice"),
    ('says = "That is its number of pixels."', 'says = "Rows and columns."', "says 'Rows and columns.' stands there twice"),
    ('kind = "choice"', 'kind = "chioce"', "kind should be one of ('choice', 'number', 'shape'), got 'chioce'"),
    ('name = "half"', 'name = "rank"', "question: name 'rank' stands there twice"),
    ("answer = 1\n", "answer = 0.5\n", "answer 0.5 stands there twice"),
    ("answer = 0.5", "answer = nan", "answer should be a number, got nan"),
    ("answer = 0.5", "answer = [1]", "answer should be a number, got [1]"),
    ('says = "Halfway."', 'says = "See [there](x)."', "says has '](', but a quiz shows paragraphs"),
    ('says = "Halfway."', 'says = "It is $x$."', "says has '$', but a quiz shows paragraphs"),
    ('says = "Halfway."', "", "question 'half': says is missing"),
    ("[[exercise]]", "[[exercises]]", "00_small.toml: there is no key 'exercises': did you mean 'exercise'?"),
    ("[[exercise]]", "[[exercise]", "00_small.toml: this is not TOML"),
])
def test_a_file_that_is_not_sound_is_named(lesson_file, there, instead, complaint):
    "Each error names the file, the place and what is wrong with it."
    assert SOUND.count(there) >= 1
    lesson_file(SOUND.replace(there, instead, 1))
    with pytest.raises(ValueError, match=re.escape(complaint)) as raised: check("six", 6)
    assert "00_small.toml" in str(raised.value)


def test_a_sound_file_is_read(lesson_file):
    "The file on which the errors above are made is itself without one, and read anew when it changes."
    lesson_file(SOUND)
    assert [check("six", answer).mistake for answer in (6, 5, 10)] == [None, "added", "around"]
    assert [q["name"] for q in questions("00_small")] == ["rank", "half"]
    time.sleep(0.02)
    practice._folder().joinpath("00_small.toml").write_text(SOUND.replace('"added"', '"summed"'), encoding="utf-8")
    assert check("six", 5).mistake == "summed"


def test_a_broken_file_does_not_stop_the_others(lesson_file):
    "Whoever is at work on one lesson's file does not take the others' exercises away."
    lesson_file(SOUND)
    practice._folder().joinpath("01_broken.toml").write_text("[[exercise")
    assert check("six", 6).status == "right"
    with pytest.raises(ValueError, match="01_broken.toml: this is not TOML"): check("seven", 7)


def test_code_that_sets_no_answer_is_named(lesson_file):
    lesson_file(SOUND.replace('"answer = 2*3"', '"six = 2*3"'))
    with pytest.raises(ValueError, match="exercise 'six': its solution does not set answer"): check("six", 6)


# Comparing


def differs(right, answer, **rules):
    "What the engine says of an answer; empty if it is the same."
    return practice._difference(practice._value(right), practice._value(answer), practice._Rules(**rules))


SHAPE = torch.zeros(2, 3).shape


@pytest.mark.parametrize("right, answer", [
    (SHAPE, (2, 3)), (SHAPE, [2, 3]), ((2, 3), torch.Size([2, 3])), (SHAPE, np.zeros((2, 3)).shape),
    (0.5, torch.tensor(0.5)), (torch.tensor(0.5), 0.5), (0.5, np.float32(0.5)), (3, np.int64(3)), (3, 3.0),
    (torch.tensor([1.0, 2.0]), np.array([1, 2])), (torch.tensor([1.0, 2.0]), [1, 2]), (torch.zeros(2, 2), [[0, 0], [0, 0]]),
    (True, np.True_), (torch.tensor([True, False]), [True, False]), ("three", "three"), (np.array(["a", "b"]), ["a", "b"]),
    (float("nan"), torch.tensor(float("nan"))), ([1.0, float("nan")], torch.tensor([1, float("nan")])), (float("inf"), np.inf),
    ((torch.zeros(2), 1.5), [np.zeros(2), torch.tensor(1.5)]), ({"a": 1}, {"a": torch.tensor(1)}), ([], ()), ([], torch.zeros(0)),
    (torch.uint8, "uint8"), ("float32", torch.float32), (np.uint8, torch.uint8), (np.dtype("int64"), "int64"),
    (torch.ones(2, requires_grad=True), [1, 1]), (torch.ones(2, dtype=torch.bfloat16), torch.ones(2)), (1 / 3, torch.tensor(1.0) / 3),
    (range(3), [0, 1, 2]), ([torch.tensor(1), 2], (1, 2)),
])
def test_the_same_in_another_form(right, answer): assert differs(right, answer) == ""


@pytest.mark.parametrize("right, answer, word", [
    (SHAPE, (3, 2), "other places"), (SHAPE, (2, 3, 1), "that is not the right shape"), (0.5, 0.6, "too large"),
    (0.5, 0.4, "too small"), (0.5, 50, "more than ten times"), (0.5, -0.5, "sign"), (0.5, "0.5", "not the kind"),
    (1, True, "numbers, not True and False"), (torch.tensor([1, 0]), torch.tensor([True, False]), "numbers, not True and False"),
    (True, 1, "True and False, not numbers"), (True, False, "Not this one"), (10_000, 10_001, "too large"), (10_000, 10_001.0, "too large"),
    (torch.zeros(5), torch.zeros(5, 1), "shape (5, 1)"), (0.5, torch.tensor([0.5]), ".item()"), (0.5, float("nan"), "NaN"),
    (torch.ones(4), torch.tensor([1, 1, float("nan"), 1]), "1 of 4 values are NaN"),
    (torch.tensor([0.2, 0.0, 1]), torch.tensor([51.0, 0, 255]), "255 times"), (torch.tensor([1.0, 2]), torch.zeros(2), "Every value is 0"),
    (torch.arange(4.0), torch.tensor([0.0, 1, 2, 5]), "1 of 4 values are not; they are off by 2"),
    (torch.zeros(2, 2), [torch.zeros(2), torch.zeros(2)], "a list of 2"), ({"a": 1}, {"b": 1}, "keys"), ((1, "a"), (1, "b"), "Part 2 of 2"),
    ((torch.zeros(2), 1), (torch.zeros(2), 1, 1), "3 parts"), (0.5, object(), "type object"), (0.5, 1j, "type complex"),
    (torch.uint8, "int8", "Not this one"), (np.array(["a", "b"]), ["a", "c"], "1 of 2 entries"),
])
def test_not_the_same_and_how(right, answer, word): assert word in differs(right, answer)


def test_rules_change_what_is_the_same():
    assert differs(0.7061, 0.706) != "" == differs(0.7061, 0.706, tolerance=0.0005)
    assert differs(5, 6, tolerance=1) == "" and differs(5, 6.1, tolerance=1) != ""
    ones = torch.ones(2, dtype=torch.uint8)
    assert differs(ones, torch.ones(2)) == "" and "yours is float32" in differs(ones, torch.ones(2), same_dtype=True)
    assert differs(ones, np.ones(2, dtype=np.uint8), same_dtype=True) == ""
    assert "(2, 3)" not in differs(torch.zeros(2, 3), torch.zeros(3)) and "(2, 3) was asked for" in differs(torch.zeros(2, 3), torch.zeros(3), tell_shape=True)


def test_a_wrong_number_is_not_told_the_right_one():
    for word in (differs(0.7061, 0.3), differs((28, 28), (28, 29)), differs("three", "seven")): assert not re.search(r"0\.7061|three", word)


# What a learner may do

DOUBLE = """
[[exercise]]
name = "double"
minutes = 2
task = "Double it."
given = "some = torch.arange(6.).reshape(2, 3)"
starter = '''
def double(x):
    return ...

check("double", double)
'''
solution = '''
def double(x): return 2*x

answer = double
'''
inputs = "[(some,), (some+1,)]"
explanation = "Twice."
hints = ["Times what?", "Times 2."]
learned = "you can double."
seconds = 1
[[exercise.mistake]]
name = "squared"
code = "answer = lambda x: x*x"
says = "That is the square."
[[exercise.mistake]]
name = "no-such-axis"
code = "answer = lambda x: x.sum(7)"
says = "There is no axis 7."
[[exercise]]
name = "any-even"
minutes = 2
task = "Name an even number."
starter = '''
answer = ...
check("any-even", answer)
'''
solution = "answer = 4"
accepts = "answer%2==0"
otherwise = "That is not even."
explanation = "4 is 2 + 2."
hints = ["Halve it.", "4 is one."]
learned = "you know one."
[[exercise.mistake]]
name = "a-half"
code = "answer = 0.5"
when = "answer%1!=0"
says = "That is not even whole."
"""


@pytest.fixture
def double(lesson_file): lesson_file(DOUBLE)


@pytest.mark.usefixtures("double")
class TestFunctions:
    def test_right_wrong_and_known_errors(self):
        assert check("double", lambda x: x + x).status == "right"
        assert check("double", lambda x: x ** 2).mistake == "squared"
        assert check("double", lambda x: x.sum(7)).mistake == "no-such-axis"

    def test_placeholders(self):
        def dots(x): ...
        def passes(x): pass
        def says_what(x): "Doubles `x`."
        def returns_dots(x): return ...
        def half_done(x):
            factor = ...
            return factor * x
        for placeholder in (..., dots, passes, says_what, returns_dots, half_done, lambda x: None):
            assert check("double", placeholder).status == "not attempted", placeholder
        assert os.listdir() == ["lessons"]

    def test_a_forgotten_return(self):
        def forgets(x): y = 2 * x  # noqa: F841
        def prints(x): print(2 * x)
        assert (check("double", forgets).status, check("double", forgets).mistake) == ("wrong", "returns-nothing")
        reply = check("double", prints)
        assert (reply.status, reply.mistake) == ("wrong", "prints-its-result") and "tensor([[ 0.,  2.,  4.]" in reply.text

    def test_printing_does_no_harm_and_is_shown(self, capsys):
        def chatty(x):
            print("here I am ```")
            print("and here", file=sys.stderr)
            return 2 * x
        reply = check("double", chatty)
        assert reply.status == "right" and "here I am" in reply.text and "and here" in reply.text and reply.text.count("```") == 2
        assert capsys.readouterr() == ("", "")

    def test_an_error_is_shown_with_the_learners_line(self):
        def broken(x):
            y = 2 * x
            return y + twice  # noqa: F821
        reply = check("double", broken)
        assert (reply.status, reply.mistake) == ("error", None)
        assert "return y + twice" in reply.text and "NameError: name 'twice' is not defined" in reply.text and "Is the name spelled" in reply.text
        assert "practice.py" not in reply.text and str(ROOT) not in reply.text

    def test_an_error_deep_in_a_library_still_names_the_learners_line(self):
        def broken(x): return np.linalg.inv(x[:, :2] * 0)
        reply = check("double", broken)
        assert "np.linalg.inv(x[:, :2] * 0)" in reply.text and "LinAlgError" in reply.text

    def test_advice_for_types(self):
        "A total in uint8 that floats are added to in place, and an array that is taken for a tensor."
        def in_place(x):
            total = torch.zeros(x.shape, dtype=torch.uint8)
            total += x
            return total
        def of_an_array(x): return x.numpy().float()
        assert "Your total is uint8: make it of floats." in check("double", in_place).text
        assert "This is an array: `to_float` makes floats of it." in check("double", of_an_array).text

    def test_a_wrong_number_of_arguments(self): assert "as many arguments as the task says" in check("double", lambda: 1).text

    @pytest.mark.parametrize("code", ["raise SystemExit", "exit()", "quit()", "raise KeyboardInterrupt", "return f(x)", "raise Exception"])
    def test_whatever_it_raises(self, code):
        space = {}
        exec(f"def f(x):\n    {code}", space)
        assert check("double", space["f"]).status == "error"

    def test_it_never_breaks_on_what_is_returned(self):
        class Evil:
            def __getattr__(self, name): raise RuntimeError(name)
            def __eq__(self, other): raise RuntimeError
            def __repr__(self): raise RuntimeError
        knot = []
        knot.append(knot)
        for result in ["text", {1, 2}, object(), Evil(), knot, float("nan"), 1j, b"", type, np.array([None]), [[1], [1, 2]], 10 ** 400, print]:
            reply = check("double", lambda x: result)  # noqa: B023
            assert reply.status in ("wrong", "error") and repr(reply) and reply._repr_markdown_()

    def test_a_changed_argument(self):
        def in_place(x): return x.mul_(2)
        reply = check("double", in_place)
        assert (reply.status, reply.mistake) == ("wrong", "changes-its-input")
        def wrong_in_place(x): return x.add_(7)
        assert "changes what it is given" in check("double", wrong_in_place).text
        assert check("double", lambda x: 2 * x).status == "right"  # the next one finds the arguments as they were

    @stops_a_thread
    @pytest.mark.parametrize("code", ["while True: pass", "for n in itertools.count(): x = x+1", "return sum(1 for n in itertools.repeat(1))",
                                      "while True:\n        try: n = 1\n        except: pass", "while True: print('again')", "time.sleep(4)"])
    def test_it_never_ends(self, code):
        "Also where every error is caught, where it prints on and on, or where it sleeps; and nothing of it is left behind."
        space = {}
        exec(f"import itertools, time\ndef f(x):\n    {code}", space)
        reply = check("double", space["f"])
        assert (reply.status, reply.mistake) == ("error", "never-ends") and len(reply.text) < 1000
        assert check("double", lambda x: 2 * x).status == "right"

    def test_generators(self):
        def counts(x):
            while True: yield 1
        assert check("double", counts).mistake == "gives-a-generator"
        assert check("double", lambda x: map(abs, x)).mistake == "gives-a-generator"

    @pytest.mark.parametrize("answer", [5, torch.ones(2), "double", None, [1]])
    def test_a_value_where_a_function_was_asked_for(self, answer): assert check("double", answer).mistake == "not-a-function"

    def test_it_says_which_call_is_wrong(self):
        assert "Call 2 of 2" in check("double", lambda x: 2 * x if x[0, 0] == 0 else x + 3).text


@pytest.mark.usefixtures("double")
class TestValues:
    def test_an_open_exercise_accepts_whatever_has_the_property(self):
        assert [check("any-even", n).status for n in (4, 10, torch.tensor(6), -2)] == ["right"] * 4
        assert check("any-even", 2.5).mistake == "a-half"
        assert check("any-even", 7).text.startswith("✘ **Not yet.** That is not even.\n")
        assert [check("any-even", odd).status for odd in ("text", [1], {}, object())] == ["wrong"] * 4

    @pytest.mark.parametrize("answer, mistake", [(len, "gives-a-function"), (None, "gives-none"), ((n for n in [1]), "gives-a-generator")])
    def test_general_mistakes(self, lesson_file, answer, mistake):
        lesson_file(SOUND)
        assert (check("six", answer).status, check("six", answer).mistake) == ("wrong", mistake)

    def test_blanks_inside(self, lesson_file):
        lesson_file(SOUND)
        assert [check("six", blank).status for blank in (..., (..., 2), [1, ...])] == ["not attempted"] * 3

    @stops_a_thread
    def test_an_answer_that_never_stops_being_read(self, lesson_file):
        lesson_file(SOUND.replace("hints = [", "seconds = 0.5\nhints = [", 1))
        class Endless(list):
            def __iter__(self):
                while True: yield 1
        assert check("six", Endless([1])).mistake == "never-ends"


def test_unknown_names_get_a_suggestion():
    with pytest.raises(ValueError, match="there is no exercise 'mean-axes': did you mean 'mean-axis'"): check("mean-axes", 1)
    with pytest.raises(ValueError, match="name the exercise first"): check(torch.ones(2), 1)
    with pytest.raises(ValueError, match="there is no lesson '03_mean': did you mean '03_means'"): questions("03_mean")
    with pytest.raises(ValueError, match="did you mean"): hint("mean-axi")
    for function in (hint, solution):
        with pytest.raises(ValueError, match="no exercise has been checked yet"): function()


def test_hints_come_one_at_a_time_and_end():
    check("mean-axis", ...)
    hints = next(entry["hints"] for entry in exercises("03_means") if entry["name"] == "mean-axis")
    for i, text in enumerate(hints, 1): assert hint().text == f"**Hint {i} of {len(hints)}.** {text}"
    assert hint().text == hint("mean-axis").text == 'There are no more hints. `solution("mean-axis")` shows the solution.'
    assert hint("two-prototypes").text.startswith("**Hint 1 of 2.**")


def test_the_solution_with_its_explanation():
    check("mean-by-hand", ...)
    text = solution().text
    entry = next(entry for entry in exercises("03_means") if entry["name"] == "mean-by-hand")
    assert text.startswith("**Solution of mean-by-hand**\n\n```python\ndef mean_image(images):\n") and text.endswith(entry["explanation"])
    assert "answer = mean_image" not in text


# Progress

FILE = "pixelsim-progress.json"


def states(): return {row[1]: row[2] for row in progress().rows}


@pytest.mark.usefixtures("double")
class TestProgress:
    def test_right_tried_and_not_attempted(self):
        assert states() == {"double": "not attempted", "any-even": "not attempted"} and not Path(FILE).exists()
        check("any-even", 7)
        assert states() == {"double": "not attempted", "any-even": "tried"}
        check("any-even", 8)
        check("any-even", 7)  # once right, it stays right
        assert states() == {"double": "not attempted", "any-even": "right"}
        entry = json.loads(Path(FILE).read_text())["exercises"]["any-even"]
        assert entry["right"] <= entry["tried"] and progress().rows[1][3] == entry["right"][:10]
        assert "1 of 2 right" in repr(progress()) and progress("00_small").rows == progress().rows
        with pytest.raises(ValueError, match="there is no lesson"): progress("99_none")

    def test_it_is_kept_for_the_next_session(self, monkeypatch):
        check("any-even", 8)
        monkeypatch.setattr(practice, "_session", practice._Session())
        assert states()["any-even"] == "right"

    def test_reset(self):
        check("any-even", 8)
        assert reset_progress().text == "Forgotten: 1 exercise." and not Path(FILE).exists()
        assert set(states().values()) == {"not attempted"} and reset_progress().text == "Forgotten: 0 exercises."

    @pytest.mark.parametrize("content", [
        b"", b"{", b"[1, 2]", b"\xff\xfe\x00", b'{"format": 99, "exercises": {}}', b'{"format": 1}', b'{"format": 1, "exercises": {"a": 1}}',
        b'{"format": 1, "exercises": {"a": {"tried": "yesterday", "right": null}}}', b"[" * 100_000, b'{"shopping": ["milk"]}'])
    def test_a_broken_or_foreign_file_is_set_aside(self, content):
        "With a message, and nothing of it is lost; a second one gets another name."
        for i in (1, 2):
            Path(FILE).write_bytes(content)
            reply = check("any-even", 8)
            assert reply.status == "right" and f"It is now called `pixelsim-progress.set-aside-{i}.json`" in reply.text
            assert Path(f"pixelsim-progress.set-aside-{i}.json").read_bytes() == content
            assert states()["any-even"] == "right" and "set-aside" not in check("any-even", 8).text

    def test_a_broken_file_is_no_trouble_for_progress_and_reset(self):
        for function in (lambda: repr(progress()), lambda: reset_progress().text):
            Path(FILE).write_bytes(b"{")
            assert "It is now called" in function()
        assert Path("pixelsim-progress.set-aside-2.json").read_bytes() == b"{"

    def test_entries_of_exercises_that_are_not_known_here_stay(self):
        other = {"tried": "2026-01-01T10:00:00+00:00", "right": None, "more": 1}
        Path(FILE).write_text(json.dumps(dict(format=1, exercises={"from-another-version": other})))
        check("any-even", 8)
        assert json.loads(Path(FILE).read_text())["exercises"]["from-another-version"] == other
        assert set(states()) == {"double", "any-even"}

    def unwritable(self, folder, monkeypatch):
        "Everything works in a folder that cannot be written to, and that is said once."
        first, second = check("any-even", 7), check("any-even", 8)
        assert (first.status, second.status) == ("wrong", "right")
        assert "Your progress cannot be saved here" in first.text and "saved" not in second.text
        assert states()["any-even"] == "right"
        assert "Forgotten: 1 exercise." in reset_progress().text

    def test_a_place_that_cannot_be_written(self, tmp_path, monkeypatch):
        "Below a file there can be no folder, not even for root."
        (tmp_path / "file").touch()
        monkeypatch.setattr(practice, "_FILE", "file/progress.json")
        self.unwritable(tmp_path, monkeypatch)

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="to root, and on Windows, no folder is read-only")
    def test_a_read_only_folder(self, tmp_path, monkeypatch):
        tmp_path.chmod(0o555)
        try: self.unwritable(tmp_path, monkeypatch)
        finally: tmp_path.chmod(0o755)

    def test_what_is_there_can_be_read_where_nothing_can_be_written(self, monkeypatch):
        check("any-even", 8)
        monkeypatch.setattr(practice, "_session", practice._Session())
        monkeypatch.setattr(practice, "FileLock", lambda *a, **k: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
        assert states() == {"double": "not attempted", "any-even": "right"}
        assert "(Permission denied)" in check("any-even", 7).text and states()["any-even"] == "right"

    def test_a_folder_in_the_place_of_the_file(self):
        Path(FILE).mkdir()
        assert check("any-even", 8).status == "right" and states()["any-even"] == "right" and Path(FILE).is_dir()

    def test_what_could_not_be_saved_is_saved_later(self, monkeypatch):
        Path("in-the-way").touch()
        monkeypatch.setattr(practice, "_FILE", "in-the-way/progress.json")
        check("any-even", 8)
        monkeypatch.setattr(practice, "_FILE", FILE)
        check("double", lambda x: x)
        assert {name: bool(e["right"]) for name, e in json.loads(Path(FILE).read_text())["exercises"].items()} == {"any-even": True, "double": False}


def record_many(folder, names):
    "In a process of its own: record many exercises in `folder`."
    os.chdir(folder)
    for name in names: assert practice._record(name, "right") == ""


def test_two_notebooks_at_once_lose_nothing(tmp_path):
    "Two processes write 40 entries each to one file at the same time, and all 80 are there."
    context = multiprocessing.get_context("spawn")
    names = [[f"{who}-{i}" for i in range(40)] for who in ("a", "b")]
    processes = [context.Process(target=record_many, args=(tmp_path, some)) for some in names]
    for process in processes: process.start()
    for process in processes: process.join(120)
    assert [process.exitcode for process in processes] == [0, 0]
    assert sorted(json.loads((tmp_path / FILE).read_text())["exercises"]) == sorted(names[0] + names[1])
    assert not list(tmp_path.glob("*.set-aside*"))


# What newcomers answered


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_total_of_28_by_28_is_right(dtype):
    "As lesson 3 writes it; and with the last gap still open it is not an error."
    def mean_image(images):
        total = torch.zeros(28, 28, dtype=dtype)
        for image in images: total += image / 255
        return total / len(images)
    def open_gap(images):
        total = torch.zeros(28, 28, dtype=dtype)
        for image in images: total += image / 255
        return ...
    assert check("mean-by-hand", mean_image).status == "right" and check("mean-by-hand", open_gap).status == "not attempted"


@pytest.mark.parametrize("name, answer, status, mistake", [
    ("share-not-gray", 0.787, "right", None), ("share-not-gray", 0.79, "wrong", "two-decimals"), ("share-not-gray", 78.7, "wrong", "percent"),
    ("share-not-gray", 79, "wrong", "percent"), ("share-not-gray", 0.7672, "wrong", "gray-instead-of-share"),
    ("useless-pixel", (-8, 13), "wrong", "outside-the-image"), ("useless-pixel", (28, 3), "wrong", "outside-the-image"),
    ("useless-pixel", (3, 28), "wrong", "outside-the-image"), ("useless-pixel", torch.tensor([27, 27]), "wrong", "no-ink-there")])
def test_answers_of_newcomers(name, answer, status, mistake):
    reply = check(name, answer)
    assert (reply.status, reply.mistake) == (status, mistake)


# The quiz


@every_lesson
def test_a_quiz_is_the_same_each_time_and_readable_as_text(stem):
    page, text = quiz(stem)._repr_html_(), repr(quiz(stem))
    assert page == quiz(stem)._repr_html_() and "http:" not in page and "https:" not in page
    for i, question in enumerate(questions(stem), 1):
        assert f"Question {i} of {len(questions(stem))}\n{question['asks']}" in text
        assert all(choice["text"] in text and choice["says"] not in text for choice in question.get("choice", []))
        assert "choice" in question or question["says"] not in text


def test_html_is_escaped(lesson_file):
    lesson_file(SOUND.replace("What is the rank of an image?", "Is `<b>` & `a<b` **bold**, 2 * 3?").replace('says = "Halfway."', """says = '''
Look:

```python
if x<1: print("*")
```
'''"""))
    page = quiz("00_small")._repr_html_()
    assert "<p>Is <code>&lt;b&gt;</code> &amp; <code>a&lt;b</code> <strong>bold</strong>, 2 * 3?</p>" in page
    assert '<pre><code>if x&lt;1: print("*")</code></pre>' in page


def test_a_lesson_without_questions(lesson_file):
    lesson_file(DOUBLE)
    with pytest.raises(ValueError, match="the lesson '00_small' has no questions"): quiz("00_small")
    assert questions("00_small") == []


def test_data_that_was_handed_out_is_a_copy():
    exercises("03_means")[0]["name"] = questions("03_means")[0]["name"] = "changed"
    assert exercises("03_means")[0]["name"] != "changed" != questions("03_means")[0]["name"]


# The quiz in a browser


def plain(html): return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).replace(".", ". ").split())


@pytest.fixture
def open_quiz(browser):
    "A function that opens a lesson's quiz in a page of its own; no error and no request may come of it."
    contexts, trouble = [], []

    def open_it(stem, width=800, dark=False, **options):
        context = browser.new_context(viewport=dict(width=width, height=900), color_scheme="dark" if dark else "light", **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("request", lambda request: trouble.append(request.url))
        colors = "#111;color:#eee" if dark else "#fff;color:#222"
        page.set_content(f'<!doctype html><html lang="en"><title>Quiz</title><meta name="viewport" content="width=device-width">'
                         f'<body style="font-family:sans-serif;background:{colors}"><main><h1>Quiz</h1>{quiz(stem)._repr_html_()}</main>')
        return page
    yield open_it
    for context in contexts: context.close()
    assert trouble == []


def typed(answer): return str(tuple(answer)) if isinstance(answer, list) else str(answer)


def is_told(section, question, answer, right):
    "Does the feedback of a question say what belongs to the answer, and whether it is right?"
    said = plain(section.locator(".psq-feedback").inner_html())
    assert said == plain(("<p>Right. " if right else "<p>Not this. ") + practice._html(answer)[3:]), (question["name"], said)


@pytest.mark.parametrize("width, dark", [(800, False), (360, True)])
@every_lesson
def test_every_answer_of_the_quiz_in_a_browser(stem, width, dark, open_quiz):
    "Each choice and each known answer is given, wrong ones first, and each says its own; nothing is wider than the page."
    page, found = open_quiz(stem, width, dark), questions(stem)
    for at, question in enumerate(found):
        section = page.locator(".psq-question").nth(at)
        check_it = section.get_by_role("button", name="Check")
        check_it.click()
        assert re.match("Choose an answer first|Write a", section.locator(".psq-feedback").inner_text())
        assert page.locator(".psq-score").inner_text() == f"{at} of {len(found)} right"
        if question["kind"] == "choice":
            assert section.get_by_role("radio").count() == len(question["choice"])
            for choice in sorted(question["choice"], key=lambda c: c.get("right", False)):
                section.get_by_role("radio").nth(question["choice"].index(choice)).check()
                check_it.click()
                is_told(section, question, choice["says"], choice.get("right", False))
        else:
            field = section.get_by_role("textbox")
            for answer, says in [("(9, 9, 9)" if question["kind"] == "shape" else "-98765", question["otherwise"]),
                                 *((typed(m["answer"]), m["says"]) for m in question["mistake"]), (typed(question["answer"]), question["says"])]:
                field.fill(answer)
                field.press("Enter")
                is_told(section, question, says, says == question["says"])
        assert page.locator(".psq-score").inner_text() == f"{at + 1} of {len(found)} right"
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("kind, texts, verdict", [
    ("shape", ["(28, 28)", "28,28", "28 x 28", "28×28", "[28, 28]", "torch.Size([28, 28])", " ( 28 , 28 , ) "], "Right."),
    ("shape", ["()", "[]", "28 28 28", "(28,)"], "Not this."), ("shape", ["", "two", "(a, b)", "28.5", "(", "n, 28"], "Write a shape"),
    ("number", ["576", " 576.0 ", "5.76e2", "600", "1152/2"], "Right."), ("number", ["192", "-576", "0", "1,576", "576%", "625"], "Not this."),
    ("number", ["", "many", "1/0", "--5", "5 or 6", "0x10"], "Write a number")])
def test_what_may_be_typed(open_quiz, kind, texts, verdict):
    "Shapes and numbers in the ways that people write them; for anything else there is an explanation of how."
    page, found = open_quiz("03_means"), questions("03_means")
    section = page.locator(".psq-question").nth(next(i for i, q in enumerate(found) if q["name"] == {"shape": "shape-of-the-mean", "number": "three-times-as-good"}[kind]))
    for text in texts:
        section.get_by_role("textbox").fill(text)
        section.get_by_role("button").click()
        assert section.locator(".psq-feedback").inner_text().startswith(verdict), text


def test_the_quiz_needs_no_mouse(open_quiz):
    "Tab, arrow keys, space and Enter are enough, and what they lead to is announced."
    page = open_quiz("03_means")
    at = next(i for i, q in enumerate(questions("03_means")) if q["kind"] == "choice")
    section = page.locator(".psq-question").nth(at)
    assert page.locator("input:not([data-lm-suppress-shortcuts]), button:not([data-lm-suppress-shortcuts])").count() == 0  # or JupyterLab takes the keys
    section.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    assert section.get_by_role("radio").nth(1).is_checked()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Check"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    status = section.get_by_role("status")
    assert re.match("Right|Not this", status.inner_text())
    question = questions("03_means")[at]
    assert plain(practice._html(question["asks"])) in plain(page.get_by_role("group").nth(at).evaluate("f => f.getAttribute('aria-labelledby').split(' ').map(i => document.getElementById(i).innerHTML).join(' ')"))


def test_two_quizzes_on_a_page_do_not_disturb_each_other(open_quiz):
    page = open_quiz("03_means")
    page.evaluate("html => { const r = document.createRange(); document.body.append(r.createContextualFragment(html)); }", quiz("03_means")._repr_html_())
    at = next(i for i, q in enumerate(questions("03_means")) if q["kind"] == "choice")
    first, second = (page.locator(".pixelsim-quiz").nth(i).locator(".psq-question").nth(at) for i in (0, 1))
    first.get_by_role("radio").nth(0).check()
    second.get_by_role("radio").nth(1).check()
    assert first.get_by_role("radio").nth(0).is_checked()
    assert page.evaluate("(ids => new Set(ids).size === ids.length)([...document.querySelectorAll('[id]')].map(e => e.id))")
    assert page.locator(".psq-score").count() == 2


def test_the_quiz_without_a_script(open_quiz):
    "Where no script may run, every choice unfolds what it says, and the answers to the other questions unfold too."
    page, found = open_quiz("03_means", java_script_enabled=False), questions("03_means")
    for at, question in enumerate(found):
        section = page.locator(".psq-question").nth(at)
        folds = section.locator("details")
        assert folds.count() == (len(question["choice"]) if question["kind"] == "choice" else len(question["mistake"]) + 2)
        assert not folds.first.locator(".psq-says").is_visible()
        folds.first.locator("summary").click()
        assert folds.first.locator(".psq-says").is_visible()
    assert page.get_by_role("radio").count() == page.get_by_role("textbox").count() == 0
