"""The leader's kit: what `pixelsim.guide` says, the agendas, the answers, the set-up check, and the lesson sheets.

What is expected is read here from the notebooks and TOML files by other means than the guide's, or stands here in full.
"""
import os
import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from conftest import ROOT

from pixelsim import digits, guide, practice
from pixelsim.course.lessons import lesson, lessons
from pixelsim.course.meeting import agenda, answers, goals, pair_exercises, predict_first, timetable
from pixelsim.course.ready import ready

if sys.version_info >= (3, 11): import tomllib
else: import tomli as tomllib

NBS, DATA = ROOT / "nbs", ROOT / "pixelsim" / "data"
LESSONS = {  # number, title, minutes
    "01_pixels": (1, "Pixels: everything is an array", 40), "02_tensors": (2, "Tensors: rank and shape", 40),
    "02a_your_idea": (None, "Your idea here", 30), "03_means": (3, "The mean 3 and the mean 7", 35),
    "04_broadcasting": (4, "Broadcasting", 35), "05_distances": (5, "L1 against L2", 40), "06_accuracy": (6, "Accuracy", 45)}
PRACTICED = [name for name in LESSONS if name != "02a_your_idea"]
PARTS = {"Check-in", "What was hard", "Demonstration", "Predict first", "Exercise in pairs", "Discussion", "Exit card"}
SHEET = ["What people can do afterwards", "Before the meeting", "Agenda", "Predict first", "Three misconceptions",
         "Exercises for pairs", "To discuss", "What to skip", "Homework", "Writing prompt", "Exit card"]
every_lesson = pytest.mark.parametrize("name", LESSONS)
every_practice = pytest.mark.parametrize("name", PRACTICED)


def cells(path): return nbformat.read(NBS / f"{path}.ipynb", as_version=4).cells


def texts(path): return [cell.source for cell in cells(path) if cell.cell_type == "markdown"]


def toml(kind, name): return tomllib.loads((DATA / kind / f"{name}.toml").read_text(encoding="utf-8"))


def bullets(text): return [line[2:] for line in text.splitlines() if line.startswith("- ")]


def squeezed(text): return " ".join(re.sub(r"^> ?", "", text, flags=re.M).split())


def unfolded(text):
    "What a reader sees before opening anything."
    return re.sub(r"<details>\n<summary>.*?</summary>.*?</details>", "", text, flags=re.S)


def shown_by(path, call):
    "The Markdown that the cell with this call shows in a notebook."
    cell, = [cell for cell in cells(path) if cell.cell_type == "code" and cell.source.splitlines()[-1] == call]
    return cell.outputs[0].data["text/markdown"]


# What a lesson says of itself


def test_lessons_come_in_order():
    assert {each.name: (each.number, each.title, each.minutes) for each in lessons()} == LESSONS
    assert [each.name for each in lessons()] == list(LESSONS)


@every_lesson
def test_a_lesson_is_read_from_its_notebook(name):
    about, written = lesson(name), texts(name)
    title, _, promise = written[0].splitlines()
    assert (f"# {about.title}", f"> {about.promise}") == (title, promise)
    assert about.questions + about.goals == bullets(written[1])[:6]
    assert [len(about.questions), len(about.goals), len(about.key_points)] == [3, 3, 3]
    assert all(text.endswith("?") for text in about.questions) and all(text[0] == "*" for text in about.goals)
    assert f"about {about.minutes} minutes" in written[1]
    assert about.needs in squeezed(written[1]) and re.fullmatch(r"You need .*\.", about.needs)
    at = written.index("## Predict first")
    assert about.predict == written[at + 1] and written[at + 2].startswith("## ")
    assert about.sections == [text.lstrip("# ") for text in written[1:] if text.startswith("#")]
    assert [squeezed(point) for point in bullets(written[-1])] == about.key_points
    assert about.headline == cells(name)[-1].outputs[0].text.strip() != ""


def test_the_readme_says_what_the_lessons_say():
    "Title, promise, minutes and headline of the table on the front page, row by row."
    rows = re.findall(r"^\| (\d?) ?\| \[(.+?)\]\(nbs/(\w+)\.ipynb\) \| (.+) \| (\d+) \| (.+) \|$",
                      (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.M)
    for (number, title, name, promise, minutes, headline), (expected, known) in zip(rows, LESSONS.items(), strict=True):
        assert name == expected and (int(number) if number else None, title, int(minutes)) == known
        assert promise == texts(name)[0].split("> ")[1] and headline == cells(name)[-1].outputs[0].text.strip()


@pytest.fixture
def other_lessons(tmp_path, monkeypatch):
    "A copy of the lessons that a test may damage, and that the guide takes for the real ones."
    folder = tmp_path / "other"
    folder.mkdir()
    for name in LESSONS: shutil.copy(NBS / f"{name}.ipynb", folder)
    monkeypatch.setattr(guide, "lessons_folder", lambda: folder)
    return folder


def change(path, there, instead):
    text = path.read_text(encoding="utf-8")
    assert there in text
    path.write_text(text.replace(there, instead, 1), encoding="utf-8")


@pytest.mark.parametrize("there, instead, complaint", [
    ("# L1 against L2", "L1 against L2", "has no title and promise where a lesson has it"),
    ("about 40 minutes", "about an hour", "has no number and minutes"),
    ("Questions this lesson answers", "Questions", "has no list after 'Questions this'"),
    ("When you have finished you can", "You can", "has no list after 'When you have finished'"),
    ("You need lesson 3", "Lesson 3", "has no line 'You need …'"),
    ("## Predict first", "## Guess first", "has no '## Predict first'"),
    ("## Key points", "## In short", "has no '## Key points'"),
    ('"cells"', '"cell"', "is not a whole notebook (KeyError"), ("{", "", "is not a whole notebook (JSONDecodeError")])
def test_a_notebook_that_is_no_lesson_any_more(other_lessons, there, instead, complaint):
    "The error names the file, what is missing, and what to do; the other lessons are read all the same."
    change(other_lessons / "05_distances.ipynb", there, instead)
    with pytest.raises(ValueError, match=rf"^05_distances\.ipynb {re.escape(complaint)}.*: put the lesson back"): lesson("05_distances")
    with pytest.raises(ValueError, match="05_distances"): lessons()
    assert lesson("04_broadcasting").title == "Broadcasting"


def test_a_lesson_that_was_not_run_has_no_headline(other_lessons):
    nb = nbformat.read(other_lessons / "03_means.ipynb", as_version=4)
    for cell in nb.cells:
        if cell.cell_type == "code": cell.outputs = []
    nbformat.write(nb, other_lessons / "03_means.ipynb")
    assert lesson("03_means").headline == "" and lesson("03_means").minutes == 35


@pytest.mark.parametrize("ask", [lesson, goals, predict_first, agenda, pair_exercises, answers])
@pytest.mark.parametrize("name", ["05_distance", "", None, "../index"])
def test_unknown_lessons_are_refused_with_the_known_ones(ask, name):
    with pytest.raises(ValueError, match=f"there is no lesson {name!r}, only 01_pixels, 02_tensors, 02a_your_idea"): ask(name)


def test_the_guide_is_light():
    "It can be imported, and tell about lessons, where neither PyTorch nor Matplotlib nor Jupyter can."
    code = ("import sys\nfor name in ('torch', 'numpy', 'matplotlib', 'nbformat', 'IPython', 'fastai'): sys.modules[name] = None\n"
            "from pixelsim.guide import goals, lessons, timetable\nprint(len(lessons()), goals('03_means').text[:11])\n"
            "timetable([(5, 'Check-in', 'a')], 5)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "7 - *predict*\n"


# Pieces of a page


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
    assert guide._one_down(text) == ("[a](../b.ipynb) [c](../library/d.ipynb#e) [f](../../LICENSE) [g](#h) "
                                     "[i](https://example.org) `x[0](y)`\n```python\nz[0](w)\n```")


# Timetables and agendas


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
exercises = ["mean-axis", "two-prototypes"]
long = [[5, "Check-in", "a"], [10, "What was hard", "b"], [15, "Demonstration", "c"], [10, "Predict first", "d"],
        [25, "Exercise in pairs", "e"], [20, "Discussion", "f"], [5, "Exit card", "g"]]
short = [[5, "Check-in", "a"], [35, "Exercise in pairs", "b"], [5, "Exit card", "c"]]
"""


@pytest.fixture
def agenda_file(tmp_path, monkeypatch):
    "A function that makes a text the agenda of lesson 3."
    monkeypatch.setattr(guide, "_agendas_folder", lambda: tmp_path)
    return lambda text: (tmp_path / "03_means.toml").write_text(text, encoding="utf-8")


def test_an_agenda_is_shown(agenda_file):
    agenda_file(AGENDA)
    assert agenda("03_means", "short").text.splitlines() == [
        "**45 minutes**", "", "| from–to | minutes | part | what happens |", "| --- | --- | --- | --- |",
        "| 0–5 | 5 | Check-in | a |", "| 5–40 | 35 | Exercise in pairs | b |", "| 40–45 | 5 | Exit card | c |"]
    assert agenda("03_means").text == agenda("03_means", "long").text != agenda("03_means", "short").text
    assert [n in pair_exercises("03_means").text for n in ("`mean-axis`", "`two-prototypes`", "`useless-pixel`")] == [True, True, False]


@pytest.mark.parametrize("there, instead, complaint", [
    ("exercises =", "exercise =", "there is no key 'exercise', only exercises, long, short"),
    ('exercises = ["mean-axis", "two-prototypes"]', "", "exercises is missing"),
    ("short =", "#", "short is missing"),
    ('"mean-axis"', '"mean-axes"', "the lesson has no exercise 'mean-axes', only mean-axis, mean-by-hand"),
    ('"mean-axis"', '"l1-of-each"', "the lesson has no exercise 'l1-of-each'"),
    ('"mean-axis", ', "", "choose two or three exercises for pairs of mean-axis"),
    ('["mean-axis", "two-prototypes"]', "[]", "choose two or three exercises for pairs of mean-axis"),
    ('["mean-axis", ', '["mean-axis", "mean-by-hand", "useless-pixel", ', "choose two or three exercises for pairs of mean-axis"),
    ('"two-prototypes"', '"mean-axis"', "each exercise should be named once"),
    ('["mean-axis", "two-prototypes"]', '"mean-axis"', "exercises should be a list of names, got 'mean-axis'"),
    ('[20, "Discussion"', '[15, "Discussion"', "long: the minutes add up to 85, not to 90: 5 are missing"),
    ('[35, "Exercise', '[36, "Exercise', "short: the minutes add up to 46, not to 45: 1 are too many"),
    ('[35, "Exercise in pairs"', '[35, "Exercises in pairs"', "short, row 2: there is no part 'Exercises in pairs', only Check-in"),
    ('[20, "Discussion"', '[20, "Check-in"', "long: a long meeting has the part 'Discussion': give it some minutes"),
    ('[20, "Discussion", "f"]', '[20, "Discussion"]', "long, row 6 should be [minutes, part, what happens], got [20, 'Discussion']"),
    ('[20, "Discussion"', '[20.0, "Discussion"', "long, row 6: minutes should be a whole number from 1, got 20.0"),
    ('short = [[5, "Check-in", "a"], [35, "Exercise in pairs", "b"], [5, "Exit card", "c"]]', "short = 45", "short should be a list"),
    ("exercises", "exercises = [", "this is not TOML")])
def test_an_agenda_that_is_not_sound_is_named(agenda_file, there, instead, complaint):
    "Each error names the file, the place, and what is wrong with it; nothing of the agenda is shown."
    assert there in AGENDA
    agenda_file(AGENDA.replace(there, instead, 1))
    for ask in (agenda, pair_exercises):
        with pytest.raises(ValueError, match=rf"^agendas/03_means\.toml.*{re.escape(complaint)}"): ask("03_means")


def test_a_lesson_without_an_agenda(agenda_file):
    with pytest.raises(ValueError, match="the lesson '03_means' has no agenda: write pixelsim/course/data/agendas/03_means.toml"): agenda("03_means")
    for length in ("medium", 90, None):
        with pytest.raises(ValueError, match=f"length should be 'long' or 'short', got {length!r}"): agenda("03_means", length)


@every_lesson
def test_the_agendas_add_up(name):
    "90 and 45 minutes, with all seven parts in the long one, and the exercises fit into the time for pairs."
    plan = toml("agendas", name)
    for length, total in (("long", 90), ("short", 45)):
        assert sum(minutes for minutes, _, _ in plan[length]) == total
        rows = [row.split(" | ") for row in agenda(name, length).text.splitlines()[4:]]
        assert rows[0][0].startswith("| 0–") and rows[-1][0].endswith(f"–{total}")
        for (minutes, part, what), row in zip(plan[length], rows, strict=True):
            assert row[1:3] == [str(minutes), part] and row[3].removesuffix(" |") == what.replace("|", r"\|")
    assert {part for _, part, _ in plan["long"]} == PARTS
    pairs = {length: sum(minutes for minutes, part, _ in plan[length] if part == "Exercise in pairs") for length in ("long", "short")}
    need = [entry["minutes"] for chosen in plan["exercises"] for entry in toml("practice", name)["exercise"] if entry["name"] == chosen]
    assert len(need) in ((2, 3) if name in PRACTICED else (0,))
    assert sum(need) <= pairs["long"] and sum(need[:1]) <= pairs["short"]


def test_every_agenda_belongs_to_a_lesson():
    assert sorted(path.stem for path in (DATA / "agendas").iterdir()) == sorted(LESSONS)


# Exercises and answers


@every_practice
def test_exercises_for_pairs_with_solutions_folded(name):
    text = pair_exercises(name).text
    known = {entry["name"]: entry for entry in toml("practice", name)["exercise"]}
    chosen = [known[n] for n in toml("agendas", name)["exercises"]]
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
    assert "[The arena](../library/arena.ipynb)" in answers("02a_your_idea").text


@every_practice
def test_the_answers_are_complete_and_folded(name):
    "Every exercise and question of the lesson's file, with all that there is to say of it; what gives an answer away is folded."
    content, text = toml("practice", name), answers(name).text
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
    code = re.findall(r"```.*?```", unfolded(text), flags=re.S)
    assert [block for block in code if not any(block in question["asks"] for question in content["question"])] == []
    assert text.count("<details>") == text.count("</details>") == 2 * len(content["exercise"]) + len(content["question"])


@every_practice
def test_the_right_answer_is_called_right(name):
    "For each question: the letter of the right choice, or the right number or shape."
    parts = answers(name).text.split("**Question ")[1:]
    for question, part in zip(toml("practice", name)["question"], parts, strict=True):
        said = re.search(r"\*\*(.+?)\*\* is right", part)[1]
        if question["kind"] == "choice":
            assert said == "ABCDEFGH"[[c.get("right", False) for c in question["choice"]].index(True)]
            letters = re.findall(r"^- \*\*([A-H])\*\*: ", part, flags=re.M)
            assert sorted([said, *letters]) == list("ABCDEFGH")[:len(question["choice"])]
        elif question["kind"] == "shape": assert re.findall(r"\d+", said) == [str(n) for n in question["answer"]]
        else: assert float(said.replace(",", "")) == pytest.approx(question["answer"], rel=1e-5)


def test_the_page_of_answers_has_a_section_for_each_lesson():
    "In the order of the lessons, under their titles, with what `answers` gives; and it begins with a warning."
    written = cells("group/answers")
    headings = [cell.source for cell in written if cell.source.startswith("## ")]
    assert headings == [f"## {f'Lesson {number}' if number else 'Interlude'}: {title}" for number, title, _ in LESSONS.values()]
    assert written[1].source.startswith("**Do not hand this page out before the meeting.**")
    for name in LESSONS: assert shown_by("group/answers", f'answers("{name}")') == answers(name).text


# Ready?


@pytest.fixture
def machine(tmp_path, monkeypatch, fastai_home):
    "A machine that is in order, on which a test can break something."
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("FASTAI_HOME", str(fastai_home))
    return SimpleNamespace(here=here, tmp=tmp_path, set=monkeypatch.setattr, env=monkeypatch.setenv, item=monkeypatch.setitem)


def said(capsys, name="05_distances"):
    "What `ready` prints: one line, or a list of (what, how to mend it)."
    assert ready(name) is None
    printed = capsys.readouterr()
    assert printed.err == ""
    lines = printed.out.splitlines()
    if lines[0].startswith("ready: "):
        assert len(lines) == 1
        return lines[0]
    troubles = re.findall(r"^(\d+)\. (.+)\n   To mend it: (.+)$", printed.out, flags=re.M)
    assert lines[0].startswith(f"not ready: {len(troubles)} thing") and len(lines) == 1 + 2 * len(troubles)
    assert [int(i) for i, _, _ in troubles] == list(range(1, len(troubles) + 1))
    return [(what, mend) for _, what, mend in troubles]


@pytest.mark.parametrize("name", [*LESSONS, None])
def test_a_good_machine_is_ready(machine, capsys, name):
    "One line, which is the same on every machine, and nothing is left behind."
    which = f'"{LESSONS[name][1]}"' if name else "every lesson"
    assert said(capsys, name) == f"ready: {which} can begin. Packages, lesson, digits, exercises, pictures and room to write are all there."
    assert os.listdir(machine.here) == []


def test_ready_before_the_png_files_are_made(machine, capsys):
    "They are made by the lessons; it is enough that there is room."
    machine.env("FASTAI_HOME", str(machine.tmp / "new" / "home"))
    assert said(capsys).startswith("ready: ")


def test_an_old_python(machine, capsys):
    machine.set(guide, "metadata", lambda name: {"Requires-Python": ">=9.8"})
    (what, mend), = said(capsys)
    assert what == "this is Python {}.{}, and pixelsim needs 9.8 or newer".format(*sys.version_info[:2])
    assert "make course PYTHON=python9.8" in mend


def test_python_is_compared_as_numbers(machine, capsys):
    "3.9 is older than 3.10, which text would not tell."
    machine.set(guide, "metadata", lambda name: {"Requires-Python": ">=3.9"})
    assert said(capsys).startswith("ready: ")


def test_pixelsim_is_not_installed(machine, capsys):
    def missing(name): raise PackageNotFoundError(name)
    machine.set(guide, "metadata", missing)
    machine.set(guide, "requires", missing)
    (what, mend), = said(capsys)
    assert what == "pixelsim is here, but it is not installed" and "make course" in mend


def wanted(extra):
    "The names in a list of `settings.ini`, as they are needed on this Python."
    settings = ConfigParser()
    settings.read(ROOT / "settings.ini", encoding="utf-8")
    lines = settings["DEFAULT"][extra].strip().splitlines()
    return {re.match(r"[\w-]+", line)[0]: line for line in lines if "python_version" not in line or sys.version_info < (3, 11)}


def test_every_requirement_of_the_course_is_looked_for(machine, capsys):
    "Each of both lists in `settings.ini`, and none that only the tests need."
    def missing(name): raise PackageNotFoundError(name)
    machine.set(guide, "version", missing)
    troubles = said(capsys)
    found = [re.match(r"(\S+) is not installed in the Python that runs here, ", what)[1] for what, _ in troubles]
    assert sorted(found) == sorted([*wanted("requirements"), *wanted("course_requirements")])
    assert all(sys.executable in what and "make course" in mend for what, mend in troubles)


def test_a_package_that_is_too_old(machine, capsys):
    real = guide.version
    machine.set(guide, "version", lambda name: "1.0" if name == "fastai" else real(name))
    (what, mend), = said(capsys)
    assert what == f"fastai is version 1.0, and pixelsim needs {wanted('course_requirements')['fastai'].removeprefix('fastai')}"
    assert ".venv" in mend and "make course" in mend


def test_a_package_before_its_release_is_new_enough(machine, capsys):
    real = guide.version
    machine.set(guide, "version", lambda name: "99.0rc1" if name == "fastai" else real(name))
    assert said(capsys).startswith("ready: ")


@pytest.mark.parametrize("module, package", [("ipywidgets", "ipywidgets"), ("PIL", "pillow"), ("jupyterlab", "jupyterlab")])
def test_a_package_that_cannot_be_imported(machine, capsys, module, package):
    machine.item(sys.modules, module, None)
    troubles = said(capsys)
    assert troubles[0][0].startswith(f"{package} is installed, but cannot be imported (ModuleNotFoundError: ")
    assert "make course" in troubles[0][1]
    assert package == "pillow" or len(troubles) == 1  # Matplotlib cannot draw without Pillow


def test_without_pytorch_there_is_one_trouble_and_not_five(fastai_home):
    "In a Python of its own, where PyTorch cannot be imported at all: digits and exercises need it, but that is no other trouble."
    code = "import sys; sys.modules['torch'] = None\nfrom pixelsim.guide import ready\nready('05_distances')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True,
                          env=dict(os.environ, FASTAI_HOME=str(fastai_home), PYTHONIOENCODING="utf-8"))
    assert done.stdout.splitlines()[1].startswith("1. torch is installed, but cannot be imported (") and "\n2. " not in done.stdout


@pytest.fixture
def other_package(machine):
    "A copy of what is in the package's data folder, but for the large file."
    package = machine.tmp / "pixelsim"
    (package / "data").mkdir(parents=True)
    shutil.copytree(DATA / "practice", package / "data" / "practice")
    return package


@pytest.mark.parametrize("content, why", [(None, "FileNotFoundError"), (b"", "the bundled digits are damaged (SHA-256 e3b0c442"),
                                          ("half", "the bundled digits are damaged (SHA-256 ")])
def test_digits_that_are_not_whole(machine, other_package, capsys, content, why):
    "Missing, empty (e3b0c442… is the SHA-256 of nothing), or cut off."
    machine.set(digits, "files", lambda name: other_package)
    if content == "half": content = (DATA / "mnist.npz").read_bytes()[:1_000_000]
    if content is not None: (other_package / "data" / "mnist.npz").write_bytes(content)
    (what, mend), = said(capsys)
    assert what.startswith("the digits in the package cannot be read (") and why in what and "git restore pixelsim/data/mnist.npz " in mend


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_text("[[question"),
                                    lambda path: change(path, "hints =", "hint =")])
def test_exercises_that_cannot_be_read(machine, other_package, capsys, damage):
    machine.set(practice, "_folder", lambda: other_package / "data" / "practice")
    damage(other_package / "data" / "practice" / "05_distances.toml")
    for name in ("05_distances", None):
        (what, mend), = said(capsys, name)
        assert what.startswith("the exercises of 05_distances cannot be read (ValueError: ") and "git restore pixelsim/course/data/practice/05_distances.toml (" in mend
    assert said(capsys, "04_broadcasting").startswith("ready: ")


def test_a_lesson_that_has_gone(machine, other_lessons, capsys):
    (other_lessons / "05_distances.ipynb").unlink()
    (what, mend), = said(capsys)
    assert what == "there is no lesson '05_distances' among 01_pixels, 02_tensors, 02a_your_idea, 03_means, 04_broadcasting, 06_accuracy"
    assert mend.startswith("name one of them; if it has gone, ") and "git restore" in mend


def test_a_lesson_that_is_half_there(machine, other_lessons, capsys):
    "As after a copy that was stopped: that lesson is named, also when all are asked for."
    path = other_lessons / "05_distances.ipynb"
    path.write_bytes(path.read_bytes()[:5000])
    for name in ("05_distances", None):
        (what, mend), = said(capsys, name)
        assert what.startswith("05_distances.ipynb is not a whole notebook (") and "git restore nbs/05_distances.ipynb (" in mend
    assert said(capsys, "04_broadcasting").startswith("ready: ")


def test_a_package_that_came_without_lessons(machine, capsys):
    from pixelsim import files
    machine.set(files, "files", lambda name: machine.tmp / "pixelsim")
    (what, mend), = said(capsys)
    assert what == "this copy of pixelsim came without its lessons: reinstall pixelsim" and "install pixelsim again" in mend


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a folder in which nobody can write")
def test_a_folder_that_cannot_be_written(machine, capsys, monkeypatch):
    monkeypatch.chdir("/proc/self")
    (what, mend), = said(capsys)
    assert re.match(r"your progress cannot be saved in the folder /proc/\S+ \(.+\)$", what) and "pixelsim lessons" in mend


def test_a_full_disk(machine, capsys):
    "The pictures that are there already need no room."
    machine.set(guide.shutil, "disk_usage", lambda folder: SimpleNamespace(free=5_400_000))
    (what, _), = said(capsys)
    assert what == f"your progress cannot be saved in the folder {Path.cwd()} (5 MB are free, and it takes up to 10)"
    machine.env("FASTAI_HOME", str(machine.tmp / "empty"))
    _, (what, mend) = said(capsys)
    assert what == f"the digits cannot be written as PNG files below {machine.tmp / 'empty'} (5 MB are free, and it takes up to 100)"
    assert "FASTAI_HOME" in mend


def test_room_for_progress_is_not_room_for_the_png_files(machine, capsys):
    "60 MB do for the one, not for the other: 14,434 files, most of them in blocks of 4 kB."
    machine.set(guide.shutil, "disk_usage", lambda folder: SimpleNamespace(free=60_000_000))
    assert said(capsys).startswith("ready: ")
    machine.env("FASTAI_HOME", str(machine.tmp / "empty"))
    (what, _), = said(capsys)
    assert "as PNG files" in what and 4096 * 14434 < 100_000_000


def test_a_home_of_fastai_that_cannot_be_made(machine, capsys):
    "A file is in the way."
    (machine.tmp / "file").write_text("a file")
    machine.env("FASTAI_HOME", str(machine.tmp / "file" / "home"))
    (what, mend), = said(capsys)
    assert what.startswith(f"the digits cannot be written as PNG files below {machine.tmp / 'file' / 'home'} (") and "FASTAI_HOME" in mend


def test_png_files_that_are_not_all_there(machine, capsys):
    "A folder that lacks all but one of them: 12,396 to train, 2,038 to validate, and the list of labels."
    folder = machine.tmp / "home" / "data" / "mnist_sample"
    (folder / "train" / "3").mkdir(parents=True)
    (folder / "train" / "3" / "10.png").write_bytes(b"not empty")
    machine.env("FASTAI_HOME", str(machine.tmp / "home"))
    (what, mend), = said(capsys)
    assert what == f"in {folder}, {12396 + 2038} PNG files are missing or empty" and mend == "delete it, and the lessons make it anew"


def test_matplotlib_that_cannot_draw(machine, capsys):
    from matplotlib.figure import Figure

    def broken(*args, **kwargs): raise RuntimeError("no fonts\nat all")
    machine.set(Figure, "savefig", broken)
    (what, mend), = said(capsys)
    assert what == "Matplotlib cannot draw (RuntimeError: no fonts at all)" and "make course" in mend


def test_several_troubles_at_once(machine, other_package, capsys):
    "All are told in one run, each with its remedy."
    machine.item(sys.modules, "ipywidgets", None)
    machine.set(digits, "files", lambda name: other_package)
    machine.set(guide.shutil, "disk_usage", lambda folder: SimpleNamespace(free=0))
    assert [what.split(" (")[0] for what, _ in said(capsys)] == [
        "ipywidgets is installed, but cannot be imported", "the digits in the package cannot be read",
        f"your progress cannot be saved in the folder {Path.cwd()}"]


def test_what_nobody_foresaw_is_told_too(machine, capsys):
    "Named, with a way to find out more, and not a traceback."
    def strange(): raise RuntimeError("out of paper")
    machine.set(digits, "_bundle", strange)
    (what, mend), = said(capsys)
    assert what == "Are the digits in the package whole? It cannot be told (RuntimeError: out of paper)" and "make test" in mend


# The sheets


def test_there_is_a_sheet_for_each_lesson_and_no_other():
    assert sorted(path.stem for path in (NBS / "group").glob("sheet_*.ipynb")) == sorted(f"sheet_{name}" for name in LESSONS)


@every_lesson
def test_a_sheet_has_its_sections_in_order(name):
    headings = [text for text in texts(f"group/sheet_{name}") if text.startswith("#")]
    title, promise = headings[0].split("\n\n")
    assert title == f"# Leader's sheet: {LESSONS[name][1]}" and promise.startswith("> ")
    assert [text.removeprefix("## ") for text in headings if re.match("## ", text)] == SHEET
    opening = texts(f"group/sheet_{name}")[1]
    assert {f"../{name}.ipynb", "answers.ipynb", "timetables.ipynb"} <= {*re.findall(r"\]\(([^)#]+)", opening)}


@every_lesson
def test_a_sheet_shows_what_the_lesson_says(name):
    "Goals, agendas, prediction and exercises as stored on the sheet are those of the lesson and its files today."
    sheet = f"group/sheet_{name}"
    assert bullets(shown_by(sheet, f'goals("{name}")')) == bullets(texts(name)[1])[3:6]
    for length in ("long", "short"): assert shown_by(sheet, f'agenda("{name}", "{length}")') == agenda(name, length).text
    assert shown_by(sheet, f'predict_first("{name}")') == predict_first(name).text
    if name in PRACTICED: assert shown_by(sheet, f'pair_exercises("{name}")') == pair_exercises(name).text


@every_lesson
def test_a_sheet_has_the_check_to_send_around(name):
    "In order, it says that the lesson can begin; where pixelsim is missing, what to do."
    cell, = [cell for cell in cells(f"group/sheet_{name}") if cell.cell_type == "code" and "import ready" in cell.source]
    assert not cell.source.startswith("#|") and f'ready("{name}")' in cell.source
    assert cell.outputs[0].text.startswith(f'ready: "{LESSONS[name][1]}" can begin.')
    done = subprocess.run([sys.executable, "-c", f"import sys; sys.modules['pixelsim'] = None\n{cell.source}"],
                          capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Not ready (") and "make course" in done.stdout


@every_lesson
def test_a_sheet_has_three_demonstrations(name):
    "Each mends a misconception in code that asserts what it shows; and the exit card has its answer folded."
    written = cells(f"group/sheet_{name}")
    at = {text: [i for i, cell in enumerate(written) if cell.source == f"## {text}"][0] for text in SHEET}
    mending = [cell for cell in written[at["Three misconceptions"]:at["Exercises for pairs"]] if cell.cell_type == "code"]
    assert len([cell for cell in mending if re.search(r"test_eq|test_close|expect_fail|assert", cell.source) and cell.outputs]) >= 3
    card = "\n".join(cell.source for cell in written[at["Exit card"]:])
    assert "<details>" in card and "?" in card.split("<details>")[0]
