"The leader's kit as it is stored: a sheet for each lesson with its sections, what it says the same as the lesson and its file, and the answers."
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from pixelsim.course.lesson_files import lesson_files
from pixelsim.course.lessons import lesson, lesson_paths, lessons
from pixelsim.course.meeting import agenda, answers, goals, pair_exercises, predict_first

GROUP = Path(__file__).parents[2] / "nbs" / "group"
SECTIONS = ["What people can do afterwards", "Before the meeting", "Agenda", "Predict first", "Three misconceptions", "Exercises for pairs",
            "To discuss", "What to skip", "Homework", "Writing prompt", "Exit card"]
every_lesson = pytest.mark.parametrize("name", lesson_paths())


def cells(page): return nbformat.read(GROUP / f"{page}.ipynb", as_version=4).cells


def shown_by(page, call):
    "The Markdown that the cell with this call shows."
    cell, = [cell for cell in cells(page) if cell.cell_type == "code" and cell.source.splitlines()[-1] == call]
    return cell.outputs[0].data["text/markdown"]


def test_each_lesson_has_a_sheet_and_a_file_and_there_is_no_other():
    assert sorted(path.stem for path in GROUP.glob("sheet_*.ipynb")) == sorted(f"sheet_{name}" for name in lesson_paths())
    assert list(lesson_files()) == list(lesson_paths())


@every_lesson
def test_a_sheet_says_what_the_lesson_says(name):
    "Its sections in order; goals, agendas, prediction and exercises are those of the lesson and its file today; the ways to and from it are there."
    sheet = f"sheet_{name}"
    headings = [cell.source for cell in cells(sheet) if cell.cell_type == "markdown" and cell.source.startswith("#")]
    assert re.fullmatch(rf"# Leader's sheet: {re.escape(lesson(name).title)}\n\n> .+", headings[0])
    assert [text.removeprefix("## ") for text in headings if re.match("## ", text)] == SECTIONS
    assert {f"../{name}.ipynb", "answers.ipynb", "timetables.ipynb"} <= {*re.findall(r"\]\(([^)#]+)", cells(sheet)[1].source)}
    assert shown_by(sheet, f'goals("{name}")') == goals(name).text
    for length in ("long", "short"): assert shown_by(sheet, f'agenda("{name}", "{length}")') == agenda(name, length).text
    assert shown_by(sheet, f'predict_first("{name}")') == predict_first(name).text
    if lesson(name).number: assert shown_by(sheet, f'pair_exercises("{name}")') == pair_exercises(name).text


@every_lesson
def test_a_sheet_has_the_check_to_send_around(name):
    "In order, it says that the lesson can begin; where pixelsim is missing, what to do."
    cell, = [cell for cell in cells(f"sheet_{name}") if cell.cell_type == "code" and "import ready" in cell.source]
    assert not cell.source.startswith("#|") and f'ready("{name}")' in cell.source
    assert cell.outputs[0].text.startswith(f'ready: "{lesson(name).title}" can begin.')
    done = subprocess.run([sys.executable, "-c", f"import sys; sys.modules['pixelsim'] = None\n{cell.source}"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Not ready (") and "do.py course" in done.stdout


@every_lesson
def test_a_sheet_has_three_demonstrations(name):
    "Each mends a misconception in code that asserts what it shows; and the exit card has its answer folded."
    written = cells(f"sheet_{name}")
    at = {text: [cell.source for cell in written].index(f"## {text}") for text in SECTIONS}
    mending = [cell for cell in written[at["Three misconceptions"]:at["Exercises for pairs"]] if cell.cell_type == "code"]
    assert len([cell for cell in mending if re.search(r"test_eq|test_close|expect_fail|assert", cell.source) and cell.outputs]) >= 3
    card = "\n".join(cell.source for cell in written[at["Exit card"]:])
    assert "<details>" in card and "?" in card.split("<details>")[0]


def test_the_page_of_answers_has_a_section_for_each_lesson():
    "In the order of the lessons, under their titles, with what `answers` gives; and it begins with a warning."
    written = cells("answers")
    assert written[1].source.startswith("**Do not hand this page out before the meeting.**")
    said = [out.data["text/markdown"] for cell in written if cell.cell_type == "code" for out in cell.outputs if "data" in out]
    assert said == [text for each in lessons() for text in (f"## {each.label}: {each.title}", answers(each.name).text)]
