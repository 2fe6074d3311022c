"""The lessons' files: each is sound and belongs to its lesson, and one that is not sound is told so, with the place and what is wrong."""
import os
import re
import sys

import nbformat
import pytest
from conftest import ROOT
from small_lesson import AGENDA, SOUND, renamed

from pixelsim.course.lesson_files import exercise_title, exercises, lesson_file as content_of, lesson_files, predictions, questions
from pixelsim.course.lessons import lesson_number

if sys.version_info >= (3, 11): import tomllib
else: import tomli as tomllib

CONTENT = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "pixelsim/course/data/lessons").glob("*.toml"))}
PRACTICED = [name for name, content in CONTENT.items() if "exercise" in content]
every_file = pytest.mark.parametrize("name", CONTENT)
every_practice = pytest.mark.parametrize("name", PRACTICED)


def cells_of(name): return nbformat.read(ROOT / "nbs" / f"{name}.ipynb", as_version=4).cells


def test_each_file_belongs_to_a_lesson_and_no_name_is_there_twice():
    assert list(lesson_files()) == list(CONTENT) and all((ROOT / "nbs" / f"{name}.ipynb").exists() for name in CONTENT)
    for ask, kind in ((exercises, "exercise"), (predictions, "prediction"), (questions, "question")):
        assert [len(ask(name)) for name in CONTENT] == [len(content.get(kind, [])) for content in CONTENT.values()]
        names = [entry["name"] for name in CONTENT for entry in ask(name)]
        assert kind == "question" or sorted({*names}) == sorted(names)


@every_file
def test_an_evening_has_room_for_it(name):
    "As many exercises and questions as a lesson should have; agendas of 90 and 45 minutes, all seven parts in the long one, and time for the chosen exercises in pairs."
    plan, minutes = CONTENT[name]["agenda"], {entry["name"]: entry["minutes"] for entry in exercises(name)}
    if lesson_number(name): assert 3 <= len(minutes) <= 5 and 5 <= len(questions(name)) <= 8
    assert all(2 <= each <= 12 for each in minutes.values())
    assert {part for _, part, _ in plan["long"]} == {"Check-in", "What was hard", "Demonstration", "Predict first", "Exercise in pairs", "Discussion", "Exit card"}
    chosen = [minutes[each] for each in plan["exercises"]]
    assert len(chosen) in ((2, 3) if minutes else (0,))
    for length, total, need in (("long", 90, chosen), ("short", 45, chosen[:1])):
        assert sum(row[0] for row in plan[length]) == total and sum(need) <= sum(row[0] for row in plan[length] if row[1] == "Exercise in pairs")


@every_practice
def test_the_notebook_shows_task_and_starter(name):
    "Each exercise stands there word for word: the task as text, then the starter as a cell; and the solution nowhere."
    sources = [cell.source for cell in cells_of(name)]
    for entry in exercises(name):
        at = next((i for i, source in enumerate(sources) if source.strip() == entry["starter"]), None)
        assert at, f"no cell is the starter of {entry['name']}"
        assert " ".join(entry["task"].split()) in " ".join(" ".join(sources[max(0, at - 2):at]).split()), entry["name"]
        assert not any(entry["solution"] in source for source in sources), entry["name"]
    headings = [source for source in sources if source.startswith("### Exercise")]
    assert headings == [f"### {exercise_title(i, entry['name'])}" for i, entry in enumerate(exercises(name), 1)] and headings[0][:16] == "### Exercise 1: " and "-" not in headings[0]
    assert all(sources[i - 1] in headings for i, source in enumerate(sources) if source.startswith("**Your turn.**"))
    assert any(source.strip().endswith(f'quiz("{name}")') for source in sources)


@every_file
def test_the_notebook_opens_with_three_from_before_and_has_its_lines_to_order(name):
    "Three questions before anything is predicted, from the second lesson on; the lines at the last exercises; and a complete example right before the first one."
    sources = [cell.source for cell in cells_of(name)]
    opening = sources[:sources.index("## Predict first")]
    assert [opening.count(each) for each in ("## Three from before", f'three_from_before("{name}")')] == [int(name != "01_pixels")] * 2
    at = sources.index(f'order("{name}")')
    assert at < sources.index("## Key points") and "lines to put in order" in sources[at - 1]
    if name not in PRACTICED: return
    assert sources.index("## Your turn") + 2 == at < sources.index("## Quiz")
    first = sources.index(f"### {exercise_title(1, exercises(name)[0]['name'])}")
    assert sources[first - 3].startswith("A complete example first") and re.search(r"test_eq|test_close|assert", sources[first - 1])


@every_practice
def test_no_text_gives_the_solution_away_and_every_answer_has_a_message_of_its_own(name):
    "No message or task, and no hint but the last, contains the solution's code; numbers are so far apart that each is told from the other."
    for entry in exercises(name):
        line = entry["solution"].removeprefix("answer = ").strip()
        assert [text for text in [entry["task"], entry["learned"], *entry["hints"][:-1], *(m["says"] for m in entry["mistake"])] if line in text] == []
    for entry in questions(name):
        answers = entry["choice"] if entry["kind"] == "choice" else [entry, *entry["mistake"]]
        said = [answer["says"] for answer in answers] + [entry[key] for key in ("otherwise",) if key in entry]
        assert len(answers) >= 3 and len({*said}) == len(said) and min(map(len, said)) > 30, entry["name"]
        numbers = sorted(answer["answer"] for answer in answers) if entry["kind"] == "number" else []
        assert all(b - a > entry.get("tolerance", 0) for a, b in zip(numbers, numbers[1:])), entry["name"]


def test_data_that_was_handed_out_is_a_copy():
    exercises("03_means")[0]["name"] = questions("03_means")[0]["name"] = "changed"
    assert exercises("03_means")[0]["name"] != "changed" != questions("03_means")[0]["name"]


def test_unknown_lessons_get_a_suggestion():
    for name, says in (("03_mean", "'03_mean': did you mean '03_means'"), (None, r"None, only \['01_pixels'")):
        with pytest.raises(ValueError, match=f"there is no lesson {says}"): exercises(name)


def test_they_can_be_read_without_anything_heavy(run_python):
    code = """import sys
for name in ("torch", "numpy", "matplotlib", "IPython"): sys.modules[name] = None
from pixelsim.course.lesson_files import exercises
from pixelsim.course.meeting import agenda
print(len(exercises("03_means")), agenda("03_means").text[:14])"""
    assert run_python(code).stdout == "5 **90 minutes**\n"


# What is said of a file that is not sound

MINUTES = "exercise 'six': minutes should be a whole number of minutes, from 1 to 30, got "
TASK, SHORT = 'task = "How many pixels has an image of 2 × 3?"', 'short = [[5, "Check-in", "a"], [35, "Exercise in pairs", "b"], [5, "Exit card", "c"]]'
PAIRS = "agenda: choose two or three exercises for pairs of six"


@pytest.mark.parametrize("there, instead, complaint", [
    ("[[exercise]]", "exercises = 1\n[[exercise]]", "there is no key 'exercises': did you mean 'exercise'?"), ("[[exercise]]", "[[exercise]", "this is not TOML"),
    ("[[exercise]]", "part = 1\n[[exercise]]", "part should be the number of a part of the course, from 2, got 1"),
    ("learned =", "learnt =", "exercise 'six': there is no key 'learnt': did you mean 'learned'?"),
    (TASK, "", "exercise 'six': task is missing"), (TASK, 'task = " "', "task should be text that is not empty, got ' '"),
    *(("minutes = 2", f"minutes = {toml}", MINUTES + got) for toml, got in (("0", "0"), ("31", "31"), ("2.5", "2.5"), ("true", "True"))),
    ('"answer = 2*3"', '"answer = 2*"', "solution: this is not Python"), ("hints = [", "also = ['answer =']\nhints = [", "exercise 'six', also: this is not Python"),
    (', "There are 2 rows of 3."', "", "give two or three hints, not 1"), ("hints = [", "avoid = 'abs'\nhints = [", "avoid should be a list of texts, got 'abs'"),
    ("hints = [", 'accepts = "True"\nhints = [', "accepts needs otherwise"), ("hints = [", 'tolerance = "much"\nhints = [', "tolerance should be a number, got 'much'"),
    ("hints = [", "tolerance = true\nhints = [", "tolerance should be a number, got True"), ("hints = [", "same_dtype = 1\nhints = [", "same_dtype should be true or false, got 1"),
    ('name = "six"', 'name = "The six"', "should be small letters, digits and hyphens"), ('name = "eight"', 'name = "six"', "exercise: name 'six' stands there twice"),
    ('name = "around"', 'name = "added"', "name 'added' stands there twice"), ('"That is the way around it."', '"You added the sides."', "says 'You added the sides.' stands there twice"),
    ('code = "answer = 2+3"', "", "mistake 'added': code is missing"), ('code = "answer = 2+3"', 'code = "answer = 2+3"\nwhen = "answer ="', "mistake 'added', when: this is not Python"),
    ('name = "half"', 'name = "Half"', "should be small letters, digits and hyphens"), ('name = "half"', 'name = "rank"', "question: name 'rank' stands there twice"),
    ('kind = "choice"', 'kind = "chioce"', "kind should be one of ('choice', 'number', 'shape'), got 'chioce'"),
    ("right = true", "", "question 'rank': exactly one choice should be right, got 0"), ('text = "784"', 'text = "784"\nright = true', "exactly one choice should be right, got 2"),
    ('text = "784"', 'text = "2"', "text '2' stands there twice"), ('"That is its number of pixels."', '"Rows and columns."', "says 'Rows and columns.' stands there twice"),
    ("answer = 1\n", "answer = 0.5\n", "answer 0.5 stands there twice"), ("answer = 0.5", "answer = nan", "answer should be a number, got nan"),
    ("answer = 0.5", "answer = [1]", "answer should be a number, got [1]"), ('says = "Halfway."', "", "question 'half': says is missing"),
    *(('"Halfway."', f'"{says}"', f"says has '{found}', but a quiz shows paragraphs") for says, found in (("See [there](x).", "]("), ("It is $x$.", "$"))),
    ("exercises =", "exercise =", "agenda: there is no key 'exercise': did you mean 'exercises'?"), ("short =", "#", "agenda: short is missing"), (SHORT, "short = 45", "short should be a list"),
    ('["six", "seven"]', '"six"', "exercises should be a list of names, got 'six'"), ('["six", "seven"]', '["six", "sixes"]', "the lesson has no exercise 'sixes', only six, seven"),
    ('["six", "seven"]', '["six", "six"]', "each exercise should be named once"),
    *(('["six", "seven"]', names, PAIRS) for names in ("[]", '["six"]', '["six", "seven", "eight", "nine"]')),
    ('[20, "Discussion"', '[15, "Discussion"', "long: the minutes add up to 85, not to 90: 5 are missing"), ('[20, "Discussion"', '[20.0, "Discussion"', "long, row 6: minutes should be"),
    ('[35, "Exercise', '[36, "Exercise', "short: the minutes add up to 46, not to 45: 1 are too many"),
    ('[35, "Exercise in pairs"', '[35, "Exercises in pairs"', "short, row 2: there is no part 'Exercises in pairs', only Check-in"),
    ('[20, "Discussion"', '[20, "Check-in"', "long: a long meeting has the part 'Discussion': give it some minutes")])
def test_a_file_that_is_not_sound_is_named(lesson_file, there, instead, complaint):
    "Each error names the file, the place and what is wrong with it."
    sound = SOUND + renamed("seven", "eight", "nine") + AGENDA
    lesson_file(sound)
    assert content_of("00_small")["agenda"]["exercises"] == ["six", "seven"] and there in sound
    lesson_file(sound.replace(there, instead, 1), "00_other")
    with pytest.raises(ValueError, match=rf"^00_other\.toml.*{re.escape(complaint)}"): content_of("00_other")


def test_a_sound_file_is_read_again_when_it_changes(lesson_file):
    path = lesson_file(SOUND)
    assert [entry["name"] for entry in questions("00_small")] == ["rank", "half"] and questions("00_small")[1]["says"] == "Halfway."
    lesson_file(SOUND.replace("Halfway.", "In the middle."))
    os.utime(path, ns=(0, 1))
    assert questions("00_small")[1]["says"] == "In the middle." and exercises("00_small")[0]["starter"][:12] == "answer = ..."
