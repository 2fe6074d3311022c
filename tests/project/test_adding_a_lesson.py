"""The steps of CONTRIBUTING's "How to add a lesson", done in a copy of the repository: everything that lists lessons knows the new one."""
import re
import subprocess
import sys

import nbformat
import pytest

from pixelsim.course.lesson_files import exercise_title, exercises, predictions, questions
from pixelsim.course.lessons import lesson_paths, lessons

BEFORE = list(lesson_paths())[-1]
NUMBER = max(about.number for about in lessons() if about.number) + 1
NAME, TITLE = f"{NUMBER:02}_more", "More: what nobody asked for"
OPENING = """**Lesson 1 of 1 · about 5 minutes**

Questions this lesson answers:

- One?
- Two?
- Three?

When you have finished you can:

- *ask* one thing;
- *ask* another;
- *stop* asking.

You need lesson 6, [Accuracy](06_accuracy.ipynb)."""
POINTS = "- One.\n- Two.\n- Three.\n\n**Where next:** home."
FROM = "03_means"  # whose exercises, questions and sheet are used again under other names


def again(text):
    "A text of lesson 3 as one of the new lesson."
    for entry in exercises(FROM) + predictions(FROM) + questions(FROM): text = re.sub(rf'(["`]){entry["name"]}\1', rf'\1{entry["name"]}-again\1', text)
    return text.replace(FROM, NAME)


def write_lesson(nbs):
    "Step 1: the notebook."
    text, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    turns = [cell for i, entry in enumerate(exercises(FROM), 1) for cell in (text(f"### {exercise_title(i, entry['name'] + '-again')}"), text(again(entry["task"])), code(again(entry["starter"])))]
    foreseen = [cell for entry in predictions(FROM) for cell in (code(again(f'predict("{entry["name"]}")')), code("1+1", metadata={"jupyter": {"outputs_hidden": True}}))]
    cells = [text(f"# {TITLE}\n\n> Learn nothing new."), text(OPENING), code("from pixelsim.course import check,order,predict,quiz,three_from_before"), text("## Three from before"),
             code(f'three_from_before("{NAME}")'), text("## Predict first"), text("What will it be?"), *foreseen, text("## Your turn"), code(f'order("{NAME}")'), *turns, text("## Quiz"), code(f'quiz("{NAME}")'), text("## Key points"), text(POINTS), code("print('what came out: 7')")]
    nb = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "language": "python", "display_name": "python3"}})
    nbformat.write(nb, nbs / f"{NAME}.ipynb")


def change_cells(old, new, change):
    "The notebook `old` as `new`, with the source of each cell changed; a cell for which that is None is dropped."
    nb = nbformat.read(old, as_version=4)
    for cell in nb.cells: cell.source = change(cell.source)
    nb.cells = [cell for cell in nb.cells if cell.source is not None]
    nbformat.write(nb, new)


@pytest.fixture(scope="module")
def tree(tmp_path_factory, copy_tree, fastai_home):
    "A copy of the repository with one lesson more, in the second part; `tree.run` runs a command in it."
    tree = copy_tree(tmp_path_factory.mktemp("adding") / "tree")
    nbs, files = tree / "nbs", tree / "pixelsim" / "course" / "data" / "lessons"
    write_lesson(nbs)                                                                                             # step 1
    (files / f"{NAME}.toml").write_text("part = 2\n" + again((files / f"{FROM}.toml").read_text(encoding="utf-8")), encoding="utf-8")  # step 2

    def sheet(source):  # without what lesson 3's sheet asserts of lesson 3's headings
        if f'lesson("{FROM}")' in source: return None
        return re.sub("(?<=^# Leader's sheet: ).*", TITLE, again(source))
    change_cells(nbs / "group" / f"sheet_{FROM}.ipynb", nbs / "group" / f"sheet_{NAME}.ipynb", sheet)           # step 3
    change_cells(nbs / f"{BEFORE}.ipynb", nbs / f"{BEFORE}.ipynb",
                 lambda source: source.replace("**Where next:**", f"**Where next:** [{TITLE}]({NAME}.ipynb)."))  # step 4
    subprocess.run(["git", "init", "-q"], cwd=tree, check=True)

    def run(*command):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", str(tree))
            patch.setenv("FASTAI_HOME", str(fastai_home))
            patch.setenv("PYTHONUTF8", "1")
            done = subprocess.run([sys.executable, *command], cwd=tree, capture_output=True, encoding="utf-8", errors="replace")
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout
    # step 5, `make save`, but only of the notebooks that are about the list of lessons
    pages = [NAME, f"group/sheet_{NAME}", "index", "start", "group/index", "group/answers", "group/timetables"]
    run("tools/lessons.py", "--save", *(f"nbs/{page}.ipynb" for page in pages))
    run("tools/readme.py")
    return tree, run


def test_every_list_knows_it(tree):
    "Number and minutes below the titles of all lessons; the table of the README, the start page, the leader's pages, the answers and agendas."
    folder, _ = tree
    openings = [re.search(r"\*\*((?:Lesson|Interlude)[^*]*)\*\*", path.read_text(encoding="utf-8"))[1] for path in sorted((folder / "nbs").glob("[0-9]*.ipynb"))]
    assert [text.split(" · ")[0] for text in openings] == [*(f"Lesson {n} of 6" for n in (1, 2)), "Interlude", *(f"Lesson {n} of 6" for n in (3, 4, 5, 6)), "Interlude",
                                                           *(f"Lesson {n} of {NUMBER}" for n in range(7, NUMBER + 1))]
    assert openings[-1] == f"Lesson {NUMBER} of {NUMBER} · about 10 minutes, and 40 for exercises and quiz"
    assert f"| {NUMBER} | [{TITLE}](nbs/{NAME}.ipynb) | Learn nothing new. | 10 | what came out: 7 |" in (folder / "README.md").read_text(encoding="utf-8")
    for page, text in [("start", f"| {NUMBER} | [{TITLE}]({NAME}.ipynb) |"), ("group/index", f"{NUMBER}. [{TITLE}](../{NAME}.ipynb)<br>10 minutes alone, **[sheet](sheet_{NAME}.ipynb)**"),
                       ("group/answers", f"## Lesson {NUMBER}: {TITLE}"), ("group/timetables", f"[{TITLE}](../{NAME}.ipynb), [sheet](sheet_{NAME}.ipynb)")]:
        assert text in (folder / "nbs" / f"{page}.ipynb").read_text(encoding="utf-8"), page


def test_the_site_knows_it(tree, tmp_path):
    "Its page with hints and solutions, and the sidebar of the lessons and of the sheets."
    _, run = tree
    run("-c", f"""if True:
        import sys; sys.path.insert(0, "tools")
        from pathlib import Path
        import docs
        every = docs.notebook_paths()  # the rooms of library and course do not know the lessons, and take long
        docs.notebook_paths = lambda: {{name: path for name, path in every.items() if not name.startswith(("library/", "course/"))}}
        docs.lay_out(Path({str(tmp_path)!r}), None)""")
    lesson, index, group = ((tmp_path / f"{name}.ipynb").read_text(encoding="utf-8") for name in (NAME, "index", "group/index"))
    assert f"Week {NUMBER}: More <{NAME}>" in index and f"Sheet {NUMBER}: More <sheet_{NAME}>" in group
    assert lesson.count("<summary>Solution</summary>") == len(exercises(FROM)) and (tmp_path / "extra/notebooks" / f"{NAME}.ipynb").exists()


def test_copy_and_ready_know_it(tree, tmp_path):
    _, run = tree
    run("-c", f"from pixelsim.cli import main; main(['lessons', {str(tmp_path / 'my')!r}])")
    assert (tmp_path / "my" / f"{NAME}.ipynb").exists()
    assert (tmp_path / "my" / "group" / f"sheet_{NAME}.ipynb").exists()
    assert run("-c", f"from pixelsim.course.ready import ready; ready({NAME!r})").startswith(f'ready: "{TITLE}" can begin.')


def test_the_tests_know_it(tree):
    "They try it without being told, and pass."
    _, run = tree
    said = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/project/test_notebooks.py", "tests/project/test_group.py", "tests/course/test_lessons.py",
               "-k", f"({NAME} or sheet_{NAME} or gap or has_a_sheet) and not runs_offline")
    assert int(re.search(r"(\d+) passed", said)[1]) >= 14
