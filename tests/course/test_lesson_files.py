"""The lessons' files: each is sound and belongs to its lesson, and one that is not sound is told so, with the place and what is wrong."""
import os
import re
import sys

import nbformat
import pytest
from conftest import ROOT
from small_lesson import SOUND, lesson_file  # noqa: F401

from pixelsim.course.lesson_files import AGENDA_MINUTES, exercise_title, exercises, lesson_file as content_of, lesson_files, predictions, questions
from pixelsim.course.lessons import lesson_number

if sys.version_info >= (3, 11): import tomllib
else: import tomli as tomllib

FILES = sorted((ROOT / "pixelsim/course/data/lessons").glob("*.toml"))
CONTENT = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in FILES}
PRACTICED = [name for name, content in CONTENT.items() if "exercise" in content]
every_file = pytest.mark.parametrize("name", CONTENT)
every_practice = pytest.mark.parametrize("name", PRACTICED)
PARTS = {"Check-in", "What was hard", "Demonstration", "Predict first", "Exercise in pairs", "Discussion", "Exit card"}


@every_file
def test_each_file_is_sound_and_belongs_to_a_lesson(name):
    assert (ROOT / "nbs" / f"{name}.ipynb").exists() and list(lesson_files()) == list(CONTENT)
    assert [len(content_of(name).get(kind, [])) for kind in ("exercise", "question")] == [len(exercises(name)), len(questions(name))]


@every_practice
def test_a_lesson_has_as_many_as_a_lesson_should(name):
    "And each exercise takes few enough minutes for a meeting."
    if lesson_number(name): assert 3 <= len(exercises(name)) <= 5 and 5 <= len(questions(name)) <= 8
    assert [entry["minutes"] for entry in exercises(name)] == [entry["minutes"] for entry in CONTENT[name]["exercise"]]
    assert all(2 <= entry["minutes"] <= 12 for entry in exercises(name))


def test_names_are_unique_over_all_lessons():
    for of in (exercises, predictions):
        names = [entry["name"] for name in CONTENT for entry in of(name)]
        assert sorted(set(names)) == sorted(names)


@every_file
def test_the_agendas_add_up(name):
    "90 and 45 minutes, with all seven parts in the long one, and the exercises fit into the time for pairs."
    plan, minutes = CONTENT[name]["agenda"], {entry["name"]: entry["minutes"] for entry in exercises(name)}
    for length, total in AGENDA_MINUTES.items(): assert sum(row[0] for row in plan[length]) == total == {"long": 90, "short": 45}[length]
    assert {part for _, part, _ in plan["long"]} == PARTS
    pairs = {length: sum(row[0] for row in plan[length] if row[1] == "Exercise in pairs") for length in ("long", "short")}
    need = [minutes[chosen] for chosen in plan["exercises"]]
    assert len(need) in ((2, 3) if name in PRACTICED else (0,))
    assert sum(need) <= pairs["long"] and sum(need[:1]) <= pairs["short"]


@every_practice
def test_the_notebook_shows_task_and_starter(name):
    "Each exercise stands there word for word: the task as text, then the starter as a cell; and the solution nowhere."
    cells = nbformat.read(ROOT / "nbs" / f"{name}.ipynb", as_version=4).cells
    code = [cell.source.strip() for cell in cells if cell.cell_type == "code"]
    for entry in exercises(name):
        at = next((i for i, cell in enumerate(cells) if cell.source.strip() == entry["starter"]), None)
        assert at, f"no cell is the starter of {entry['name']}"
        before = " ".join(" ".join(cell.source for cell in cells[max(0, at - 2):at]).split())
        assert " ".join(entry["task"].split()) in before, entry["name"]
        assert not any(entry["solution"] in cell.source for cell in cells), entry["name"]
    assert [cell.source for cell in cells if cell.source.startswith("### Exercise")] == [f"### {exercise_title(i, entry['name'])}" for i, entry in enumerate(exercises(name), 1)]
    assert all(cells[i - 1].source.startswith("### Exercise") for i, cell in enumerate(cells) if cell.source.startswith("**Your turn.**"))
    assert any(source.endswith(f'quiz("{name}")') for source in code)


@every_file
def test_the_notebook_opens_with_three_from_before_and_has_its_lines_to_order(name):
    "Three questions before anything is predicted, from the second lesson on; the lines at the last exercises; and a complete example right before the first one."
    sources = [cell.source for cell in nbformat.read(ROOT / "nbs" / f"{name}.ipynb", as_version=4).cells]
    opening = sources[:sources.index("## Predict first")]
    assert [opening.count(each) for each in ("## Three from before", f'three_from_before("{name}")')] == [int(name != FILES[0].stem)] * 2
    at = sources.index(f'order("{name}")')
    assert at < sources.index("## Key points") and "lines to put in order" in sources[at - 1]
    if name not in PRACTICED: return
    assert sources.index("## Your turn") + 2 == at < sources.index("## Quiz")
    first = sources.index(f"### {exercise_title(1, exercises(name)[0]['name'])}")
    assert sources[first - 3].startswith("A complete example first") and re.search(r"test_eq|test_close|assert", sources[first - 1])


@every_practice
def test_texts_do_not_give_the_solution_away(name):
    "No message or task, and no hint but the last, contains the solution's code."
    for entry in exercises(name):
        line = entry["solution"].removeprefix("answer = ").strip()
        for text in [entry["task"], entry["learned"], *entry["hints"][:-1], *(m["says"] for m in entry["mistake"])]: assert line not in text


@every_practice
def test_every_answer_to_a_question_has_a_message_of_its_own(name):
    for entry in questions(name):
        answers = entry["choice"] if entry["kind"] == "choice" else [entry, *entry["mistake"]]
        said = [answer["says"] for answer in answers] + [entry[key] for key in ("otherwise",) if key in entry]
        assert len(answers) >= 3 and len(set(said)) == len(said) and min(map(len, said)) > 30, entry["name"]
        if entry["kind"] == "number":
            numbers = sorted(answer["answer"] for answer in answers)  # any two so far apart that each is told from the other
            assert min(b - a for a, b in zip(numbers, numbers[1:])) > entry.get("tolerance", 0), entry["name"]


def test_data_that_was_handed_out_is_a_copy():
    exercises("03_means")[0]["name"] = questions("03_means")[0]["name"] = "changed"
    assert exercises("03_means")[0]["name"] != "changed" != questions("03_means")[0]["name"]


def test_unknown_lessons_get_a_suggestion():
    for ask in (exercises, questions):
        with pytest.raises(ValueError, match="there is no lesson '03_mean': did you mean '03_means'"): ask("03_mean")
        with pytest.raises(ValueError, match=r"there is no lesson None, only \['01_pixels'"): ask(None)


def test_they_can_be_read_without_anything_heavy(run_python):
    code = """import sys
for name in ("torch", "numpy", "matplotlib", "IPython"): sys.modules[name] = None
from pixelsim.course.lesson_files import exercises
from pixelsim.course.meeting import agenda
print(len(exercises("03_means")), agenda("03_means").text[:14])"""
    assert run_python(code).stdout == "5 **90 minutes**\n"


# What is said of a file that is not sound


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
    ("hints = [", "also = ['answer =']\nhints = [", "exercise 'six', also: this is not Python"),
    ("hints = [", "avoid = 'abs'\nhints = [", "avoid should be a list of texts, got 'abs'"),
    ("[[exercise]]", "part = 1\n[[exercise]]", "00_small.toml: part should be the number of a part of the course, from 2, got 1"),
    ("[[exercise]]", "[[exercises]]", "00_small.toml: there is no key 'exercises': did you mean 'exercise'?"),
    ("[[exercise]]", "[[exercise]", "00_small.toml: this is not TOML"),
])
def test_a_file_that_is_not_sound_is_named(lesson_file, there, instead, complaint):  # noqa: F811
    "Each error names the file, the place and what is wrong with it."
    assert SOUND.count(there) >= 1
    lesson_file(SOUND.replace(there, instead, 1))
    with pytest.raises(ValueError, match=re.escape(complaint)) as raised: content_of("00_small")
    assert "00_small.toml" in str(raised.value)


def test_a_sound_file_is_read_again_when_it_changes(lesson_file):  # noqa: F811
    path = lesson_file(SOUND)
    assert [entry["name"] for entry in questions("00_small")] == ["rank", "half"] and questions("00_small")[1]["says"] == "Halfway."
    lesson_file(SOUND.replace("Halfway.", "In the middle."))
    os.utime(path, ns=(0, 1))
    assert questions("00_small")[1]["says"] == "In the middle."


OTHERS = "".join(SOUND[SOUND.index("[[exercise]]"):SOUND.index("[[question]]")].replace('name = "six"', f'name = "{name}"') for name in ("seven", "eight", "nine"))
AGENDA = """
[agenda]
exercises = ["six", "seven"]
long = [[5, "Check-in", "a"], [10, "What was hard", "b"], [15, "Demonstration", "c"], [10, "Predict first", "d"],
        [25, "Exercise in pairs", "e"], [20, "Discussion", "f"], [5, "Exit card", "g"]]
short = [[5, "Check-in", "a"], [35, "Exercise in pairs", "b"], [5, "Exit card", "c"]]
"""


@pytest.mark.parametrize("there, instead, complaint", [
    ("exercises =", "exercise =", "there is no key 'exercise': did you mean 'exercises'?"),
    ('exercises = ["six", "seven"]', "", "exercises is missing"),
    ("short =", "#", "short is missing"),
    ('"six"', '"sixes"', "the lesson has no exercise 'sixes', only six, seven"),
    ('"six"', '"ten"', "the lesson has no exercise 'ten'"),
    ('"six", ', "", "choose two or three exercises for pairs of six"),
    ('["six", "seven"]', "[]", "choose two or three exercises for pairs of six"),
    ('["six", ', '["six", "eight", "nine", ', "choose two or three exercises for pairs of six"),
    ('"seven"', '"six"', "each exercise should be named once"),
    ('["six", "seven"]', '"six"', "exercises should be a list of names, got 'six'"),
    ('[20, "Discussion"', '[15, "Discussion"', "long: the minutes add up to 85, not to 90: 5 are missing"),
    ('[35, "Exercise', '[36, "Exercise', "short: the minutes add up to 46, not to 45: 1 are too many"),
    ('[35, "Exercise in pairs"', '[35, "Exercises in pairs"', "short, row 2: there is no part 'Exercises in pairs', only Check-in"),
    ('[20, "Discussion"', '[20, "Check-in"', "long: a long meeting has the part 'Discussion': give it some minutes"),
    ('[20, "Discussion", "f"]', '[20, "Discussion"]', "long, row 6 should be [minutes, part, what happens], got [20, 'Discussion']"),
    ('[20, "Discussion"', '[20.0, "Discussion"', "long, row 6: minutes should be a whole number from 1, got 20.0"),
    ('short = [[5, "Check-in", "a"], [35, "Exercise in pairs", "b"], [5, "Exit card", "c"]]', "short = 45", "short should be a list"),
    ("exercises", "exercises = [", "this is not TOML")])
def test_an_agenda_that_is_not_sound_is_named(lesson_file, there, instead, complaint):  # noqa: F811
    "Each error names the file, the place, and what is wrong with it."
    assert there in AGENDA
    lesson_file(SOUND + OTHERS + AGENDA)
    assert content_of("00_small")["agenda"]["exercises"] == ["six", "seven"]
    lesson_file(SOUND + OTHERS + AGENDA.replace(there, instead, 1), "00_other")
    with pytest.raises(ValueError, match=rf"^00_other\.toml.*{re.escape(complaint)}"): content_of("00_other")
