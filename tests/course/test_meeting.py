"""What the leader's guide says of a lesson's meeting: goals, agenda, exercises for pairs, answers; each made from the lesson itself.

What is expected is read here from the notebooks and TOML files by other means than the guide's, or stands here in full."""
import re
import sys

import nbformat
import pytest
from conftest import ROOT
from small_lesson import SOUND, lesson_file  # noqa: F401

from pixelsim.course.meeting import agenda, answers, goals, one_folder_down, pair_exercises, predict_first, timetable

if sys.version_info >= (3, 11): import tomllib
else: import tomli as tomllib

NBS = ROOT / "nbs"
CONTENT = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "pixelsim/course/data/lessons").glob("*.toml"))}
PRACTICED = [name for name, content in CONTENT.items() if "exercise" in content]
every_lesson = pytest.mark.parametrize("name", CONTENT)
every_practice = pytest.mark.parametrize("name", PRACTICED)


def texts(path): return [cell.source for cell in nbformat.read(NBS / f"{path}.ipynb", as_version=4).cells if cell.cell_type == "markdown"]


def bullets(text): return [line[2:] for line in text.splitlines() if line.startswith("- ")]


def squeezed(text): return " ".join(re.sub(r"^> ?", "", text, flags=re.M).split())


def unfolded(text):
    "What a reader sees before opening anything."
    return re.sub(r"<details>\n<summary>.*?</summary>.*?</details>", "", text, flags=re.S)


@pytest.mark.parametrize("ask", [agenda, pair_exercises, answers])
@pytest.mark.parametrize("name, says", [("05_distance", ": did you mean '05_distances'"), ("", ", only"), (None, ", only"), ("../index", ", only")])
def test_unknown_lessons_are_refused(ask, name, says):
    with pytest.raises(ValueError, match=re.escape(f"there is no lesson {name!r}{says}")): ask(name)


@every_lesson
def test_goals_are_those_of_the_lesson(name):
    "And what one needs before, with links that lead somewhere from `nbs/group/`."
    said = goals(name)._repr_markdown_()
    assert bullets(said) == bullets(texts(name)[1])[3:6]
    assert said.split("\n\n")[1].replace("](../", "](") in squeezed(texts(name)[1])
    assert repr(goals(name)) == said


@every_lesson
def test_the_prediction_is_quoted_word_for_word(name):
    quoted = predict_first(name).text
    written = texts(name)
    assert all(line.startswith(">") for line in quoted.splitlines())
    assert "\n".join(line[2:] for line in quoted.splitlines()) == written[written.index("## Predict first") + 1]


@every_lesson
def test_links_lead_somewhere_from_the_group_folder(name):
    said = [goals(name), predict_first(name), answers(name), agenda(name)] + ([pair_exercises(name)] if name in PRACTICED else [])
    targets = [t for page in said for t in re.findall(r"\]\((?!https?:|#)([^)\s]+\.\w+)\)", page.text)]
    assert all((NBS / "group" / target).resolve().is_file() for target in targets)
    assert name == "01_pixels" or targets  # all but the first name the lesson before


def test_links_change_and_code_does_not():
    text = "[a](b.ipynb) [c](library/d.ipynb#e) [f](../LICENSE) [g](#h) [i](https://example.org) `x[0](y)`\n```python\nz[0](w)\n```"
    assert one_folder_down(text) == ("[a](../b.ipynb) [c](../library/d.ipynb#e) [f](../../LICENSE) [g](#h) "
                                     "[i](https://example.org) `x[0](y)`\n```python\nz[0](w)\n```")


def test_a_timetable_counts_from_the_beginning():
    rows = timetable([(5, "Check-in", "a | b"), (1, "Exit card", "c"), (84, "Discussion", "d")], 90).text.splitlines()
    assert rows == ["| from–to | minutes | part | what happens |", "| --- | --- | --- | --- |", r"| 0–5 | 5 | Check-in | a \| b |",
                    "| 5–6 | 1 | Exit card | c |", "| 6–90 | 84 | Discussion | d |"]


@pytest.mark.parametrize("rows, total, complaint", [
    ([(5, "a", "b"), (5, "a", "b")], 15, "the minutes add up to 10, not to 15: 5 are missing"),
    ([(5, "a", "b"), (15, "a", "b")], 15, "the minutes add up to 20, not to 15: 5 are too many"),
    ([], 45, "the minutes add up to 0, not to 45: 45 are missing"),
    ([(5, "a", "b"), (10, "a")], 15, "row 2 should be [minutes, part, what happens], got (10, 'a')"),
    (["abc"], 1, "row 1 should be [minutes, part, what happens], got 'abc'"),
    ([(0, "a", "b")], 0, "row 1: minutes should be a whole number from 1, got 0"),
    ([(True, "a", "b")], 1, "minutes should be a whole number from 1, got True"),
    ([("5", "a", "b")], 5, "minutes should be a whole number from 1, got '5'"),
    ([(5, "a", "b\nc")], 5, "part and what happens should each be one line of text, got 'b\\nc'"),
    ([(5, " ", "b")], 5, "part and what happens should each be one line of text, got ' '")])
def test_a_timetable_that_does_not_work_out(rows, total, complaint):
    with pytest.raises(ValueError, match=re.escape(complaint)): timetable(rows, total)


AGENDA = """
[agenda]
exercises = ["six", "seven"]
long = [[5, "Check-in", "a"], [10, "What was hard", "b"], [15, "Demonstration", "c"], [10, "Predict first", "d"],
        [25, "Exercise in pairs", "e"], [20, "Discussion", "f"], [5, "Exit card", "g"]]
short = [[5, "Check-in", "a"], [35, "Exercise in pairs", "b"], [5, "Exit card", "c"]]
"""
SEVEN, EIGHT = [SOUND[SOUND.index("[[exercise]]"):SOUND.index("[[question]]")].replace('name = "six"', f'name = "{name}"') for name in ("seven", "eight")]


def test_an_agenda_is_shown(lesson_file):  # noqa: F811
    lesson_file(SOUND + SEVEN + EIGHT + AGENDA)
    assert agenda("00_small", "short").text.splitlines() == [
        "**45 minutes**", "", "| from–to | minutes | part | what happens |", "| --- | --- | --- | --- |",
        "| 0–5 | 5 | Check-in | a |", "| 5–40 | 35 | Exercise in pairs | b |", "| 40–45 | 5 | Exit card | c |"]
    assert agenda("00_small").text == agenda("00_small", "long").text != agenda("00_small", "short").text
    assert [n in pair_exercises("00_small").text for n in ("`six`", "`seven`", "`eight`")] == [True, True, False]
    for length in ("medium", 90, None):
        with pytest.raises(ValueError, match=f"length should be 'long' or 'short', got {length!r}"): agenda("00_small", length)


def test_a_lesson_without_an_agenda(lesson_file):  # noqa: F811
    lesson_file(SOUND)
    for ask in (agenda, pair_exercises):
        with pytest.raises(ValueError, match=re.escape("the lesson '00_small' has no agenda: write [agenda] in pixelsim/course/data/lessons/00_small.toml")): ask("00_small")


@every_lesson
def test_the_agenda_says_what_stands_in_the_file(name):
    for length, total in (("long", 90), ("short", 45)):
        plan = CONTENT[name]["agenda"][length]
        rows = [row.split(" | ") for row in agenda(name, length).text.splitlines()[4:]]
        assert rows[0][0].startswith("| 0–") and rows[-1][0].endswith(f"–{total}")
        for (minutes, part, what), row in zip(plan, rows, strict=True):
            assert row[1:3] == [str(minutes), part] and row[3].removesuffix(" |") == what.replace("|", r"\|")


@every_practice
def test_exercises_for_pairs_with_solutions_folded(name):
    text = pair_exercises(name).text
    known = {entry["name"]: entry for entry in CONTENT[name]["exercise"]}
    chosen = [known[n] for n in CONTENT[name]["agenda"]["exercises"]]
    assert re.findall(r"^\*\*(\d)\. `([a-z0-9-]+)`\*\* \((\d+) minutes\)$", text, flags=re.M) == [
        (str(i), entry["name"], str(entry["minutes"])) for i, entry in enumerate(chosen, 1)]
    for entry in chosen:
        assert squeezed(entry["task"]) in squeezed(unfolded(text))
        for hidden in (entry["explanation"], entry["mistake"][0]["says"]):
            assert squeezed(hidden) in squeezed(text) and squeezed(hidden) not in squeezed(unfolded(text))
        assert squeezed(entry["mistake"][1]["says"]) not in squeezed(text)
    assert text.count("<details>") == text.count("</details>") == len(chosen) and "```" not in unfolded(text)


def test_the_interlude_has_no_exercises_to_check():
    with pytest.raises(ValueError, match="the lesson '02a_your_idea' has no exercises: what pairs do stands on its sheet"):
        pair_exercises("02a_your_idea")
    assert "[The arena](../course/arena.ipynb)" in answers("02a_your_idea").text


@every_practice
def test_the_answers_are_complete_and_folded(name):
    "Every exercise and question of the lesson's file, with all that there is to say of it; what gives an answer away is folded."
    content, text = CONTENT[name], answers(name).text
    everything, visible = squeezed(text), squeezed(unfolded(text))
    assert text.count("**Exercise `") == len(content["exercise"]) and text.count("**Question ") == len(content["question"])
    for entry in content["exercise"]:
        solution = re.sub(r"\n+answer = \w+$", "", entry["solution"].strip())
        assert squeezed(entry["task"]) in visible and f"```python\n{solution}\n```" in text
        secret = [entry["explanation"], *(m["says"] for m in entry["mistake"]), *(m["code"].split("\nanswer = ")[0] for m in entry["mistake"])]
        assert f"The {len(entry['mistake'])} mistakes that" in everything
        assert [part for part in secret if squeezed(part) not in everything] == []
    for question in content["question"]:
        assert squeezed(question["asks"]) in visible
        given = question.get("choice", [question, *question.get("mistake", [])])
        assert [c["text"] for c in question.get("choice", []) if squeezed(c["text"]) not in visible] == []
        secret = [answer["says"] for answer in given] + [question[key] for key in ("otherwise",) if key in question]
        assert [part for part in secret if squeezed(part) not in everything or squeezed(part) in visible] == []
    order = content["order"]
    assert squeezed(order["task"]) in visible and "```python\n" + "\n".join(order["lines"]) + "\n```" in text
    secret = [part for wrong in order["wrong"] for part in (wrong["line"], wrong["says"])]
    assert [part for part in secret if squeezed(part) not in everything or squeezed(part) in visible] == []
    code = re.findall(r"```.*?```", unfolded(text), flags=re.S)
    assert [block for block in code if not any(block in question["asks"] for question in content["question"])] == []
    assert text.count("<details>") == text.count("</details>") == 2 * len(content["exercise"]) + 1 + len(content["question"])


@every_practice
def test_the_right_answer_is_called_right(name):
    "For each question: the letter of the right choice, or the right number or shape."
    parts = answers(name).text.split("**Question ")[1:]
    for question, part in zip(CONTENT[name]["question"], parts, strict=True):
        said = re.search(r"\*\*(.+?)\*\* is right", part)[1]
        if question["kind"] == "choice":
            assert said == "ABCDEFGH"[[c.get("right", False) for c in question["choice"]].index(True)]
            letters = re.findall(r"^- \*\*([A-H])\*\*: ", part, flags=re.M)
            assert sorted([said, *letters]) == list("ABCDEFGH")[:len(question["choice"])]
        elif question["kind"] == "shape": assert re.findall(r"\d+", said) == [str(n) for n in question["answer"]]
        else: assert float(said.replace(",", "")) == pytest.approx(question["answer"], rel=1e-5)
