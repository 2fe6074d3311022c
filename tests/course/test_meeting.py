"""What the leader's guide says of a lesson's meeting: goals, agenda, exercises for pairs, answers; each made from the lesson itself.

What is expected is read here from the notebooks and TOML files by other means than the guide's, or stands here in full."""
import re
import sys

import nbformat
import pytest
from conftest import ROOT
from small_lesson import AGENDA, SOUND, renamed

from pixelsim.course.meeting import agenda, answers, goals, one_folder_down, pair_exercises, predict_first, timetable

if sys.version_info >= (3, 11): import tomllib
else: import tomli as tomllib

NBS = ROOT / "nbs"
CONTENT = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "pixelsim/course/data/lessons").glob("*.toml"))}
every_lesson = pytest.mark.parametrize("name", CONTENT)
every_practice = pytest.mark.parametrize("name", [name for name, content in CONTENT.items() if "exercise" in content])


def squeezed(text): return " ".join(re.sub(r"^> ?", "", text, flags=re.M).split())


def unfolded(text):
    "What a reader sees before opening anything."
    return re.sub(r"<details>\n<summary>.*?</summary>.*?</details>", "", text, flags=re.S)


def missing(parts, text): return [part for part in parts if squeezed(part) not in squeezed(text)]


def check_folded(parts, text):
    "All of it stands there, and nothing of it before something is opened."
    assert missing(parts, text) == [] and missing(parts, unfolded(text)) == parts


@pytest.mark.parametrize("ask", [agenda, pair_exercises, answers])
@pytest.mark.parametrize("name, says", [("05_distance", ": did you mean '05_distances'"), (None, ", only"), ("../index", ", only")])
def test_unknown_lessons_are_refused(ask, name, says):
    with pytest.raises(ValueError, match=re.escape(f"there is no lesson {name!r}{says}")): ask(name)


@every_lesson
def test_goals_and_prediction_are_those_of_the_lesson(name):
    "And what one needs before; all links lead somewhere from `nbs/group/`."
    written = [cell.source for cell in nbformat.read(NBS / f"{name}.ipynb", as_version=4).cells if cell.cell_type == "markdown"]
    said, needs = goals(name).text.split("\n\n")
    assert said.splitlines() == re.findall(r"^- .*", written[1], flags=re.M)[3:6] and needs.replace("](../", "](") in squeezed(written[1])
    assert repr(goals(name)) == goals(name)._repr_markdown_() == goals(name).text
    assert re.sub("^> ?", "", predict_first(name).text, flags=re.M) == written[written.index("## Predict first") + 1]
    assert predict_first(name).text.count("\n") + 1 == len(re.findall("^>", predict_first(name).text, flags=re.M))
    pages = [goals(name), predict_first(name), answers(name), agenda(name)] + ([pair_exercises(name)] if "exercise" in CONTENT[name] else [])
    targets = [target for page in pages for target in re.findall(r"\]\((?!https?:|#)([^)\s]+\.\w+)\)", page.text)]
    assert all((NBS / "group" / target).resolve().is_file() for target in targets)
    assert name == "01_pixels" or targets  # all but the first name the lesson before


def test_links_change_and_code_does_not():
    text = "[a](b.ipynb) [c](library/d.ipynb#e) [f](../LICENSE) [g](#h) [i](https://example.org) `x[0](y)`\n```python\nz[0](w)\n```"
    assert one_folder_down(text) == ("[a](../b.ipynb) [c](../library/d.ipynb#e) [f](../../LICENSE) [g](#h) "
                                     "[i](https://example.org) `x[0](y)`\n```python\nz[0](w)\n```")


@pytest.mark.parametrize("rows, total, complaint", [
    ([(5, "a", "b"), (5, "a", "b")], 15, "the minutes add up to 10, not to 15: 5 are missing"), ([(20, "a", "b")], 15, "the minutes add up to 20, not to 15: 5 are too many"),
    ([], 45, "the minutes add up to 0, not to 45: 45 are missing"), (["abc"], 1, "row 1 should be [minutes, part, what happens], got 'abc'"),
    ([(5, "a", "b"), (10, "a")], 15, "row 2 should be [minutes, part, what happens], got (10, 'a')"),
    *(([(minutes, "a", "b")], 1, f"row 1: minutes should be a whole number from 1, got {minutes!r}") for minutes in (0, True, "5", 1.0)),
    *(([(5, "a", "b"), (5, *row)], 10, f"row 2: part and what happens should each be one line of text, got {row[at]!r}") for *row, at in (("a", "b\nc", 1), (" ", "b", 0)))])
def test_a_timetable_that_does_not_work_out(rows, total, complaint):
    with pytest.raises(ValueError, match=f"^{re.escape(complaint)}"): timetable(rows, total)


def test_an_agenda_is_shown(lesson_file):
    lesson_file(SOUND + renamed("seven", "eight") + AGENDA.replace('"b"', '"a | b"'))
    assert agenda("00_small", "short").text.splitlines() == [
        "**45 minutes**", "", "| from–to | minutes | part | what happens |", "| --- | --- | --- | --- |",
        "| 0–5 | 5 | Check-in | a |", r"| 5–40 | 35 | Exercise in pairs | a \| b |", "| 40–45 | 5 | Exit card | c |"]
    assert agenda("00_small").text == agenda("00_small", "long").text != agenda("00_small", "short").text
    assert [n in pair_exercises("00_small").text for n in ("`six`", "`seven`", "`eight`")] == [True, True, False]
    for length in ("medium", 90, None):
        with pytest.raises(ValueError, match=f"length should be 'long' or 'short', got {length!r}"): agenda("00_small", length)


def test_a_lesson_without_an_agenda_and_one_without_exercises(lesson_file):
    lesson_file(SOUND)
    for ask in (agenda, pair_exercises):
        with pytest.raises(ValueError, match=re.escape("the lesson '00_small' has no agenda: write [agenda] in pixelsim/course/data/lessons/00_small.toml")): ask("00_small")
    lesson_file("[agenda]" + AGENDA.split("[agenda]")[1].replace('["six", "seven"]', "[]"))
    with pytest.raises(ValueError, match="the lesson '00_small' has no exercises: what pairs do stands on its sheet"): pair_exercises("00_small")
    assert "[The arena](../course/arena.ipynb)" in answers("00_small").text


@every_practice
def test_exercises_for_pairs_with_solutions_folded(name):
    "With explanation and the first mistake, not the others."
    text, known = pair_exercises(name).text, {entry["name"]: entry for entry in CONTENT[name]["exercise"]}
    chosen = [known[n] for n in CONTENT[name]["agenda"]["exercises"]]
    assert re.findall(r"^\*\*(\d)\. `([a-z0-9-]+)`\*\* \((\d+) minutes\)$", text, flags=re.M) == [
        (str(i), entry["name"], str(entry["minutes"])) for i, entry in enumerate(chosen, 1)]
    assert missing([entry["task"] for entry in chosen], unfolded(text)) == []
    check_folded([part for entry in chosen for part in (entry["explanation"], entry["mistake"][0]["says"])], text)
    others = [entry["mistake"][1]["says"] for entry in chosen]
    assert missing(others, text) == others and text.count("<details>") == text.count("</details>") == len(chosen) and "```" not in unfolded(text)


@every_practice
def test_the_answers_are_complete_and_folded(name):
    "Every exercise and question of the lesson's file, with all that there is to say of it; what gives an answer away is folded."
    text, tasks, asked, order = answers(name).text, *(CONTENT[name][kind] for kind in ("exercise", "question", "order"))
    assert text.count("**Exercise `") == len(tasks) and text.count("**Question ") == len(asked)
    assert text.count("<details>") == text.count("</details>") == 2 * len(tasks) + 1 + len(asked)
    mistakes = [mistake for entry in tasks for mistake in entry["mistake"]]
    assert missing([m["says"] for m in mistakes] + [m["code"].split("\nanswer = ")[0] for m in mistakes] + [entry["explanation"] for entry in tasks], text) == []
    for entry in tasks:
        solution = re.sub(r"\n+answer = \w+$", "", entry["solution"].strip())
        assert f"The {len(entry['mistake'])} mistakes that" in text and f"```python\n{solution}\n```" in text
    assert "```python\n" + "\n".join(order["lines"]) + "\n```" in text
    visible = [entry["task"] for entry in [*tasks, order]] + [question["asks"] for question in asked]
    assert missing(visible + [choice["text"] for question in asked for choice in question.get("choice", [])], unfolded(text)) == []
    given = [answer for question in asked for answer in question.get("choice", [question, *question.get("mistake", [])])]
    check_folded([answer["says"] for answer in given] + [question["otherwise"] for question in asked if "otherwise" in question]
                 + [part for wrong in order["wrong"] for part in (wrong["line"], wrong["says"])], text)
    assert missing(re.findall(r"```.*?```", unfolded(text), flags=re.S), "\n".join(visible)) == []


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
