"The list of lessons, and what each says of itself: expected values are read from the notebooks by other means, or stand here in full."
import re
import shutil
from pathlib import Path

import nbformat
import pytest

from pixelsim.course import lessons as lessons_module
from pixelsim.course.lessons import lesson, lesson_number, lesson_paths, lessons, notebook_paths
from pixelsim.course.meeting import goals, predict_first

NBS = Path(__file__).parents[2] / "nbs"
every_lesson = pytest.mark.parametrize("name", lesson_paths())


def texts(path): return [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"]


def bullets(text): return [line[2:] for line in text.splitlines() if line.startswith("- ")]


def squeezed(text): return " ".join(text.split())


@pytest.fixture
def other_lessons(tmp_path, monkeypatch):
    "A copy of the lessons that a test may damage, and that are taken for the real ones."
    for path in lesson_paths().values(): shutil.copy(path, tmp_path)
    monkeypatch.setattr(lessons_module, "lessons_folder", lambda: tmp_path)
    return tmp_path


def test_lessons_come_in_order_and_are_numbered():
    names = [path.stem for path in sorted(NBS.glob("[0-9]*.ipynb"))]
    assert list(lesson_paths()) == [each.name for each in lessons()] == names == list(notebook_paths())[:len(names)]
    assert {each.name.split("_")[0].lstrip("0"): each.number for each in lessons()} == {"1": 1, "2": 2, "2a": None, "3": 3, "4": 4, "5": 5, "6": 6, "6a": None, "7": 7, "8": 8, "9": 9, "10": 10}
    assert [lesson(name).opening for name in ("05_distances", "06a_how_sure")] == [
        "Lesson 5 of 6 · about 45 minutes, and 45 for exercises and quiz", "Interlude · about 20 minutes, and 25 for exercises and quiz"]
    assert [each.opening.split(" · ")[0] for each in lessons()][-2:] == ["Lesson 9 of 10", "Lesson 10 of 10"]


def test_each_lesson_is_what_an_evening_holds():
    "By the one rule for all: alone it takes at most 55 minutes, and its exercises and quiz no longer than 50."
    assert all(15 <= each.minutes <= 55 and each.exercise_minutes <= 50 for each in lessons())


def test_a_new_file_is_a_new_lesson(other_lessons):
    "It has the number of its name, and all the others know of it; what Jupyter keeps beside them is none."
    (other_lessons / ".ipynb_checkpoints").mkdir()
    for name in ("11_more.ipynb", "room/a.ipynb", ".ipynb_checkpoints/12_more.ipynb"):
        (other_lessons / name).parent.mkdir(exist_ok=True)
        shutil.copy(other_lessons / "03_means.ipynb", other_lessons / name)
    assert [lesson_number(name) for name in lesson_paths()][-2:] == [10, 11] and "of 11 ·" in lesson("06_accuracy").opening
    assert list(notebook_paths())[-2:] == ["11_more", "room/a"]


def test_the_first_part_does_not_count_what_comes_after(monkeypatch):
    "A lesson counts those of its own part and before; what has no file, or says no part, is of the first."
    assert [lesson(name).part for name in ("06_accuracy", "06a_how_sure", "07_all_ten")] == [1, 1, 2]
    assert [re.match(r"Lesson \d+ of \d+", lesson(name).opening)[0] for name in ("06_accuracy", "07_all_ten")] == ["Lesson 6 of 6", "Lesson 7 of 10"]
    read = lessons_module.lesson_file
    monkeypatch.setattr(lessons_module, "lesson_file", lambda name: {key: value for key, value in read(name).items() if key != "part"})
    assert lesson("06_accuracy").opening.startswith("Lesson 6 of 10 ·")


@every_lesson
def test_a_lesson_is_read_from_its_notebook(name):
    about, written = lesson(name), texts(NBS / f"{name}.ipynb")
    title, _, promise = written[0].splitlines()
    assert (f"# {about.title}", f"> {about.promise}") == (title, promise)
    assert about.questions + about.goals == bullets(written[1])[:6] and len(about.questions) == len(about.goals) == len(about.key_points) == 3
    assert all(text.endswith("?") for text in about.questions) and all(text[0] == "*" for text in about.goals)
    assert written[1].startswith(f"**{about.opening}") and re.search(rf"about {about.minutes} minutes", written[1])
    assert about.needs in squeezed(written[1]) and re.fullmatch(r"You need .*\.", about.needs)
    at = written.index("## Predict first")
    assert about.predict == written[at + 1] and written[at + 2].startswith("## ")
    assert about.sections == [text.lstrip("# ") for text in written[1:] if text.startswith("#")]
    assert [squeezed(point) for point in bullets(written[-1])] == about.key_points
    assert about.headline == nbformat.read(NBS / f"{name}.ipynb", as_version=4).cells[-1].outputs[0].text.strip() != ""


@pytest.mark.parametrize("there, instead, complaint", [
    ("# L1 against L2", "L1 against L2", "has no title and promise where a lesson has it"),
    ("Questions this lesson answers", "Questions", "has no list after 'Questions this'"),
    ("When you have finished you can", "You can", "has no list after 'When you have finished'"),
    ("You need lesson 3", "Lesson 3", "has no line 'You need …'"),
    ("## Predict first", "## Guess first", "has no '## Predict first'"),
    ("## Key points", "## In short", "has no '## Key points'"),
    ('"cells"', '"cell"', "is not a whole notebook (KeyError"), ("{", "", "is not a whole notebook (JSONDecodeError")])
def test_a_notebook_that_is_no_lesson_any_more(other_lessons, there, instead, complaint):
    "The error names the file, what is missing, and what to do; the other lessons are read all the same."
    path = other_lessons / "05_distances.ipynb"
    text = path.read_text(encoding="utf-8")
    assert there in text
    path.write_text(text.replace(there, instead, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=rf"^05_distances\.ipynb {re.escape(complaint)}.*: put the lesson back"): lesson("05_distances")
    with pytest.raises(ValueError, match="05_distances"): lessons()
    assert lesson("04_broadcasting").title == "Broadcasting"


def test_a_lesson_that_was_not_run_has_no_headline(other_lessons):
    nb = nbformat.read(other_lessons / "03_means.ipynb", as_version=4)
    for cell in nb.cells:
        if cell.cell_type == "code": cell.outputs = []
    nbformat.write(nb, other_lessons / "03_means.ipynb")
    assert lesson("03_means").headline == "" and lesson("03_means").minutes == 40


@pytest.mark.parametrize("ask", [lesson, goals, predict_first])
@pytest.mark.parametrize("name", ["05_distance", "", None, "../index"])
def test_unknown_lessons_are_refused_with_the_known_ones(ask, name):
    with pytest.raises(ValueError, match=f"there is no lesson {name!r}, only 01_pixels, 02_tensors, 02a_your_idea"): ask(name)


def test_asking_for_lessons_is_light(run_python):
    "The list can be read, and told about, where neither PyTorch nor Matplotlib nor Jupyter can be imported."
    code = ("import sys\nfor name in ('torch', 'numpy', 'matplotlib', 'nbformat', 'IPython', 'fastai'): sys.modules[name] = None\n"
            "from pixelsim.course.lessons import lessons\nfrom pixelsim.course.meeting import goals, timetable\n"
            "print(len(lessons()), goals('03_means').text[:11])\ntimetable([(5, 'Check-in', 'a')], 5)")
    assert run_python(code).stdout == "12 - *predict*\n"
