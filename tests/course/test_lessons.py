"The list of lessons, and what each says of itself: expected values are read from the notebooks by other means, or stand here in full."
import re
import shutil

import nbformat
import pytest
from conftest import ROOT

from pixelsim.course import lessons as lessons_module
from pixelsim.course.lessons import lesson, lesson_number, lesson_paths, lessons, notebook_paths
from pixelsim.course.meeting import goals, predict_first

NBS = ROOT / "nbs"


def squeezed(text): return " ".join(text.split())


def bullets(text): return [squeezed(line) for line in re.findall(r"^- (.*)", text, flags=re.M)]


@pytest.fixture
def other_lessons(tmp_path, monkeypatch):
    "A copy of the lessons that a test may damage, and that are taken for the real ones."
    for path in lesson_paths().values(): shutil.copy(path, tmp_path)
    monkeypatch.setattr(lessons_module, "lessons_folder", lambda: tmp_path)
    return tmp_path


def test_lessons_come_in_order_and_are_numbered():
    "Those of the first part do not count what comes after; and by the one rule for all, each is what an evening holds."
    names = [path.stem for path in sorted(NBS.glob("[0-9]*.ipynb"))]
    assert list(lesson_paths()) == [each.name for each in lessons()] == names == list(notebook_paths())[:len(names)]
    assert [each.number for each in lessons()] == [1, 2, None, 3, 4, 5, 6, None, 7, 8, 9, 10]
    assert [each.part for each in lessons()] == [1]*8 + [2]*4
    openings = [each.opening.split(" · ") for each in lessons()]
    assert [opening[0] for opening in openings] == [f"Lesson {n} of {6 if n < 7 else 10}" if n else "Interlude" for n in (1, 2, 0, 3, 4, 5, 6, 0, 7, 8, 9, 10)]
    assert openings[5][1] == "about 45 minutes, and 45 for exercises and quiz" and openings[7][1] == "about 20 minutes, and 25 for exercises and quiz"
    assert all(15 <= each.minutes <= 55 and each.exercise_minutes <= 50 for each in lessons())


def test_a_new_file_is_a_new_lesson(other_lessons):
    "It has the number of its name, and all the others know of it; what Jupyter keeps beside them is none, and what has no file is of the first part."
    for name in ("11_more.ipynb", "room/a.ipynb", ".ipynb_checkpoints/12_more.ipynb", "beside.ipynb"):
        (other_lessons / name).parent.mkdir(exist_ok=True)
        shutil.copy(other_lessons / "03_means.ipynb", other_lessons / name)
    assert [lesson_number(name) for name in lesson_paths()][-2:] == [10, 11] and lesson("06_accuracy").opening.startswith("Lesson 6 of 11 ·")
    assert list(notebook_paths())[-3:] == ["11_more", "beside", "room/a"]


@pytest.mark.parametrize("name", lesson_paths())
def test_a_lesson_is_read_from_its_notebook(name):
    about, cells = lesson(name), nbformat.read(NBS / f"{name}.ipynb", as_version=4).cells
    written = [cell.source for cell in cells if cell.cell_type == "markdown"]
    assert written[0].splitlines()[::2] == [f"# {about.title}", f"> {about.promise}"]
    assert about.questions + about.goals == bullets(written[1])[:6] and len(about.questions) == len(about.goals) == len(about.key_points) == 3
    assert all(text.endswith("?") for text in about.questions) and all(text[0] == "*" for text in about.goals)
    assert written[1].startswith(f"**{about.opening}") and f"about {about.minutes} minutes" in written[1]
    assert about.needs in squeezed(written[1]) and re.fullmatch(r"You need .*\.", about.needs)
    at = written.index("## Predict first")
    assert about.predict == written[at + 1] and written[at + 2].startswith("## ")
    assert about.sections == [text.lstrip("# ") for text in written[1:] if text.startswith("#")]
    assert bullets(written[-1]) == about.key_points and about.headline == cells[-1].outputs[0].text.strip() != ""


@pytest.mark.parametrize("there, instead, complaint", [
    ("# L1 against L2", "L1 against L2", "has no title and promise where a lesson has it"), ("You need lesson 3", "Lesson 3", "has no line 'You need …'"),
    ("Questions this lesson answers", "Questions", "has no list after 'Questions this'"), ("When you have finished you can", "You can", "has no list after 'When you have finished'"),
    ("## Predict first", "## Guess first", "has no '## Predict first'"), ("## Key points", "## In short", "has no '## Key points'"),
    ('"cells"', '"cell"', "is not a whole notebook (KeyError"), ("{", "", "is not a whole notebook (JSONDecodeError")])
def test_a_notebook_that_is_no_lesson_any_more(other_lessons, there, instead, complaint):
    "The error names the file, what is missing, and what to do; the other lessons are read all the same."
    path = other_lessons / "05_distances.ipynb"
    text = path.read_text(encoding="utf-8")
    assert there in text
    path.write_text(text.replace(there, instead, 1), encoding="utf-8")
    for ask in (lessons, lambda: lesson("05_distances")):
        with pytest.raises(ValueError, match=rf"^05_distances\.ipynb {re.escape(complaint)}.*: put the lesson back"): ask()
    assert lesson("04_broadcasting").title == "Broadcasting"


def test_a_lesson_that_was_not_run_has_no_headline(other_lessons):
    nb = nbformat.read(other_lessons / "03_means.ipynb", as_version=4)
    for cell in nb.cells: cell |= {"outputs": []} if cell.cell_type == "code" else {}
    nbformat.write(nb, other_lessons / "03_means.ipynb")
    assert lesson("03_means").headline == "" and lesson("03_means").minutes == 40


@pytest.mark.parametrize("ask", [lesson, goals, predict_first])
@pytest.mark.parametrize("name", ["05_distance", None, "../index"])
def test_unknown_lessons_are_refused_with_the_known_ones(ask, name):
    with pytest.raises(ValueError, match=f"there is no lesson {name!r}, only 01_pixels, 02_tensors, 02a_your_idea"): ask(name)


def test_asking_for_lessons_is_light(run_python):
    "The list can be read, and told about, where neither PyTorch nor Matplotlib nor Jupyter can be imported."
    code = ("import sys\nfor name in ('torch', 'numpy', 'matplotlib', 'nbformat', 'IPython', 'fastai'): sys.modules[name] = None\n"
            "from pixelsim.course.lessons import lessons\nfrom pixelsim.course.meeting import goals, timetable\n"
            "print(len(lessons()), goals('03_means').text[:11])\ntimetable([(5, 'Check-in', 'a')], 5)")
    assert run_python(code).stdout == "12 - *predict*\n"
