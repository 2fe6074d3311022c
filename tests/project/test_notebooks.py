"""The notebooks: in step with the library, run in fresh kernels with no network, shown as they run, and built alike."""
import ast
import builtins
import json
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import lessons as runner
import nbformat
import pytest

from pixelsim.course.lesson_files import exercises as exercises_of, predictions
from pixelsim.course.lessons import lesson, lesson_paths, lessons, notebook_paths

ROOT = Path(__file__).parents[2]
every_notebook = pytest.mark.parametrize("name", notebook_paths())
every_lesson = pytest.mark.parametrize("name", lesson_paths())


@cache
def stored(name): return nbformat.read(notebook_paths()[name], as_version=4)


def shown(cell):
    "What a reader sees of the outputs of a cell; pictures, which differ between machines, only as being there."
    outputs = []
    for out in cell.outputs:
        if out.output_type == "stream": outputs.append((out.name, out.text))
        else: outputs.append({kind: "picture" if kind.startswith("image/") else data for kind, data in out.data.items()})
    return outputs


# In step


def test_every_module_has_a_notebook_and_every_notebook_its_module():
    "nbdev-export never deletes a module whose notebook is gone, so this looks; the modules of a folder are those of its notebooks."
    exported = {m[1]: name for name in notebook_paths() for cell in stored(name).cells if (m := re.match(r"#\| default_exp (\S+)", cell.source))}
    modules = [".".join(path.relative_to(ROOT / "pixelsim").with_suffix("").parts) for path in (ROOT / "pixelsim").rglob("*.py")]
    assert sorted(exported) == sorted(name for name in modules if name.split(".")[-1] not in ("__init__", "__main__", "_modidx"))
    assert [name for module, name in exported.items() if module.startswith("course.") != name.startswith("course/")] == []


def test_export_clean_and_readme_change_nothing(tmp_path, copy_tree):
    "In a copy: after nbdev-export, nbdev-clean and tools/readme.py, git sees no change, and what is deleted comes back."
    copy_tree(tmp_path)
    def run(*command): return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "core.autocrlf=false"]
    run(*git, "init", "-q")
    run(*git, "add", "-A")
    run(*git, "commit", "-qm", "as it is")
    (tmp_path / "pixelsim" / "means.py").unlink()
    (tmp_path / "README.md").unlink()
    assert run(*git, "status", "--porcelain").split() == ["D", "README.md", "D", "pixelsim/means.py"]
    scripts = Path(sys.executable).parent
    run(shutil.which("nbdev-export", path=scripts))
    run(shutil.which("nbdev-clean", path=scripts))
    run(sys.executable, "tools/readme.py")
    assert run(*git, "status", "--porcelain") == ""


def test_git_for_windows_checks_out_the_same_bytes(tmp_path, copy_tree):
    "It would end lines with CR LF, but for `.gitattributes`: stored outputs, README and wheel are compared byte for byte."
    copy_tree(tmp_path)
    git = ["git", "-c", "core.autocrlf=true", "-c", "core.eol=crlf"]
    for words in (["init", "-q"], ["add", "-A"]): subprocess.run([*git, *words], cwd=tmp_path, check=True, capture_output=True)
    paths = [path for path in tmp_path.rglob("*") if path.is_file() and ".git" not in path.relative_to(tmp_path).parts]
    before = {path: path.read_bytes() for path in paths}
    for path in paths: path.unlink()
    subprocess.run([*git, "checkout-index", "--all"], cwd=tmp_path, check=True, capture_output=True)
    assert [path for path in paths if path.read_bytes() != before[path]] == [] and len(paths) > 300


# Run


@every_notebook
def test_runs_offline_and_shows_what_is_stored(name, fastai_home, monkeypatch):
    "It runs top to bottom in a fresh kernel with no network, solutions included; the stored outputs are those of the run, a lesson's last is a line."
    monkeypatch.setenv("FASTAI_HOME", str(fastai_home))
    nb = runner.settle(runner.run(notebook_paths()[name], offline=True, extra=runner.folded_code(stored(name))))
    before, after = runner.code_cells(stored(name)), runner.code_cells(nb)
    assert len(before) == len(after) > 0
    for old, new in zip(before, after):
        assert shown(old) == shown(new), f"stored outputs are not those of a fresh run: `make save`. The cell:\n{old.source}"
    if name in lesson_paths(): assert re.fullmatch(r"[^\n]*\d[^\n]*", runner.headline(nb)) and lesson(name).headline == runner.headline(nb)


@every_notebook
def test_stored_outputs_are_fit_to_publish(name):
    "No error, nothing on stderr, no path of anyone's machine, no execution counts; every picture is there."
    text = notebook_paths()[name].read_text(encoding="utf-8")
    private = [r"/home/\w", r"/root\b", r"/Users/\w", r"/tmp/\w", r"site-packages", r"[A-Z]:\\\\", re.escape(json.dumps(str(ROOT))[1:-1])]
    assert [p for p in private if re.search(p, text)] == []
    for cell in runner.code_cells(stored(name)):
        assert cell.execution_count is None
        for out in cell.outputs:
            assert out.output_type != "error" and out.get("name") != "stderr", cell.source


def test_the_published_figures_stand_in_the_table():
    "The headline of lesson 6 has the book's three figures."
    assert re.findall(r"0\.\d+", lesson("06_accuracy").headline) == ["0.9168", "0.9854", "0.9511"]


def test_pieces_of_a_stream_are_joined():
    "A busy kernel may send a line and its end one by one; stderr in between stays where it is."
    def stream(name, text): return nbformat.v4.new_output("stream", name=name, text=text)
    pieces = [stream("stdout", "a 3"), stream("stdout", "\n"), stream("stderr", "!"), stream("stdout", "a 7\n")]
    assert [(o.name, o.text) for o in runner.joined(pieces)] == [("stdout", "a 3\n"), ("stderr", "!"), ("stdout", "a 7\n")]


def test_a_live_widget_gives_way_to_what_it_showed():
    "Without a kernel: a sentence and what stood inside the widget, in order, among what the cell printed; no identity is left."
    def stream(text): return nbformat.v4.new_output("stream", name="stdout", text=text)
    def view(name, **more): return nbformat.v4.new_output("display_data", {runner.WIDGET: {"model_id": name}, "text/plain": f"Box at {name}", **more})
    picture = nbformat.v4.new_output("display_data", {"image/png": "a picture"})
    models = {"box": {"children": ["IPY_MODEL_slider", "IPY_MODEL_inner"]}, "slider": {"value": 110}, "inner": {"children": ["IPY_MODEL_output"]},
              "output": {"outputs": [stream("a number\n"), picture]}}
    state = {"application/vnd.jupyter.widget-state+json": {"state": {name: {"state": own} for name, own in models.items()}}}
    cells = [[stream("before\n"), view("box"), stream("after\n")], [view("slider")], [view("ours", **{"text/html": "<div>its page</div>"})]]
    nb = nbformat.v4.new_notebook(metadata={"widgets": state, "language_info": {"name": "python"}},
                                  cells=[nbformat.v4.new_code_cell("", outputs=outputs) for outputs in cells])
    first, second, third = [shown(cell) for cell in runner.code_cells(runner.settle(nb))]
    assert first == [("stdout", "before\n"), {"text/markdown": f"*{runner.WIDGET_SHOWED}*", "text/plain": runner.WIDGET_SHOWED},
                     ("stdout", "a number\n"), {"image/png": "picture"}, ("stdout", "after\n")]
    assert second == [{"text/markdown": f"*{runner.WIDGET_TEXT}*", "text/plain": runner.WIDGET_TEXT}]
    assert third == [{"text/plain": "Box at ours", "text/html": "<div>its page</div>"}]
    assert nb.metadata == {"language_info": {"name": "python"}}


def notebook(path, *sources):
    "A notebook of code cells at `path`."
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources]), path)
    return path


def test_the_network_is_blocked(tmp_path):
    "In an offline run a name is not looked up and an address is not reached (192.0.2.1 is reserved for documentation)."
    for code in ['import urllib.request; urllib.request.urlopen("http://example.org", timeout=5)',
                 'import socket; socket.create_connection(("192.0.2.1", 80), timeout=5)']:
        with pytest.raises(runner.LessonError, match="the network is blocked in this run"):
            runner.run(notebook(tmp_path / "net.ipynb", code), offline=True)


def test_a_failing_lesson_is_named(tmp_path, fastai_home):
    "The command exits with 1 and names notebook, cell and error; so it does when a kernel dies, or does not come up."
    (tmp_path / "sitecustomize.py").write_text('import sys\nif "ipykernel_launcher" in sys.orig_argv: sys.exit(1)', encoding="utf-8")
    for code, more, why in [("1/0", {}, "cell 2 of 3: ZeroDivisionError: division by zero"), ("import os; os._exit(1)", {}, "cell 2 of 3: Kernel died"),
                            ("2", {"PYTHONPATH": str(tmp_path)}, "before its first cell: Kernel died")]:
        path = notebook(tmp_path / "broken.ipynb", "print('fine')", code, "print('never')")
        done = subprocess.run([sys.executable, ROOT / "tools" / "lessons.py", path], capture_output=True, text=True,
                              env=os.environ | {"FASTAI_HOME": str(fastai_home)} | more)
        assert done.returncode == 1
        assert re.search(rf"A lesson failed: \S*broken\.ipynb, {why}", done.stderr), done.stderr


def test_the_command_prints_the_table(tmp_path, fastai_home):
    "`tools/lessons.py` prints lesson, headline and seconds, and does not touch the notebook unless told to."
    path = notebook(tmp_path / "tiny.ipynb", "print('one line, 42')")
    before = path.read_bytes()
    command = [sys.executable, ROOT / "tools" / "lessons.py", path]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True,
                          env=dict(os.environ, FASTAI_HOME=str(fastai_home), PYTHONIOENCODING="utf-8"))
    assert re.search(r"^tiny +one line, 42 +\d+$", done.stdout, flags=re.M)
    assert path.read_bytes() == before


# Built alike


@every_lesson
def test_a_lesson_opens_and_closes_as_lessons_do(name):
    "Title and promise; number, minutes, questions, objectives; three questions from before; a prediction; exercises and quiz if it has a number; key points; the way to the next."
    about, every = lesson(name), [cell.source for cell in stored(name).cells]
    cells = [cell.source for cell in stored(name).cells if cell.cell_type == "markdown"]
    assert cells[0] == f"# {about.title}\n\n> {about.promise}"
    opening, rest = cells[1].split("**\n\n", 1)
    assert opening.startswith(f"**{about.opening}"), "`make save` writes this line"
    assert re.match(f"Questions this {'lesson' if about.number else 'interlude'} answers:", rest) and "\n\nWhen you have finished you can:\n\n- *" in rest
    assert cells[2] == ("## Three from before" if about.name != lessons()[0].name else "## Predict first") and "## Predict first" in cells[2:5]
    assert every.index("## Quiz") < every.index(f'quiz("{name}")') < every.index("## Key points")
    if exercises_of(name):
        exercises = [i for i, source in enumerate(every) if re.search(r'^check\("[a-z0-9-]+", \w+\)$', source, flags=re.M)]
        assert (3 if about.number else 2) <= len(exercises) <= 5 and every.index("## Your turn") < exercises[-1]
        assert exercises[-1] < every.index("## Quiz")
    assert exercises_of(name) or not about.number
    assert cells[-2] == "## Key points" and len(about.key_points) == 3 and "**Where next:**" in cells[-1]
    following = lessons()[(list(lesson_paths()) + [None]).index(name) + 1:][:1]
    for after in following: assert f"[{after.title}]({after.name}.ipynb)" in cells[-1], f"its last cell should lead to {after.name}"


@every_lesson
def test_every_prediction_can_be_made(name):
    """Each of the lesson's file is asked once, in its order, with what answers it folded behind it: before the next heading, and not without a prediction before."""
    asked, waits, is_asked = [], False, False
    for cell in stored(name).cells:
        hidden = cell.metadata.get("jupyter", {})
        if cell.source.startswith("predict("): asked, waits, is_asked = asked + re.findall(r'"([\w-]+)"', cell.source), True, True
        elif cell.source.startswith("## "): assert not waits or asked[-1] in AT_THE_OPENING, f"what answers {asked[-1]}?"
        elif hidden.get("outputs_hidden") or '<details class="after">' in cell.source:
            waits = False
            assert is_asked, cell.source
        assert not cell.source.startswith("**Predict"), "make it a form, predict(…)"
    assert asked == [entry["name"] for entry in predictions(name)]


AT_THE_OPENING = {"a-thousand-minus-one", "a-three-and-its-mirror"}  # whose answer is in the next section


@every_lesson
def test_names_come_from_where_the_reader_can_see_it(name):
    "Each name that a cell of a lesson uses is imported or made in a cell that its page shows, too; a helper whose name begins with _ may be hidden."
    known = {*dir(builtins), "display"}
    for cell in runner.code_cells(stored(name)):
        if re.match(r"#\| ?(export|hide|default_exp)\b", cell.source): continue
        nodes = [*ast.walk(ast.parse(cell.source))]
        known |= {a.asname or a.name.split(".")[0] for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom)) for a in node.names}
        known |= {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))} | {node.arg for node in nodes if isinstance(node, ast.arg)}
        known |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)} | {node.name for node in nodes if isinstance(node, ast.ExceptHandler)}
        assert {node.id for node in nodes if isinstance(node, ast.Name) and not node.id.startswith("_")} <= known, cell.source


@every_lesson
def test_what_guards_is_folded_and_only_that(name):
    "A cell that is collapsed holds nothing but checks; and a visible cell of checks alone is there to teach, with a sentence before it."
    for cell in stored(name).cells:
        if not cell.metadata.get("jupyter", {}).get("source_hidden"): continue
        for item in ast.parse(cell.source).body:
            assert isinstance(item, (ast.Assert, ast.For, ast.Expr, ast.With)) or re.match(r"untouched = ", ast.unparse(item)), ast.unparse(item)


def test_the_numbers_of_the_lessons_have_no_gap():
    numbers = [about.number for about in lessons() if about.number]
    assert numbers == [*range(1, len(numbers) + 1)]


@every_notebook
def test_markdown_is_plain(name):
    "No Quarto or MyST markup; every heading but the first has its own cell; `<details>` are closed."
    for cell in stored(name).cells:
        if cell.cell_type != "markdown": continue
        assert not re.search(r"^(:::|```\{)", cell.source, flags=re.M)
        assert cell.source.count("<details") == cell.source.count("</details>")
        headings = re.findall(r"^#+ ", re.sub(r"```.*?```", "", cell.source, flags=re.S), flags=re.M)
        assert not headings or headings == ["# "] or "\n" not in cell.source


FIG_ALT = re.compile(r"(?:#\|.*\n)*?#\| fig-alt: (.{20,300})\n")  # among the directives on the first lines


def has_picture(cell): return any(kind.startswith("image/") for out in cell.outputs for kind in out.get("data", {}))


@every_notebook
def test_pictures_have_alternative_texts(name):
    "Every cell whose picture is on the page says in words what is to be seen, and no two in one notebook say the same."
    cells = [c.source for c in runner.code_cells(stored(name)) if has_picture(c) and not re.search(r"^#\| ?hide$", c.source, flags=re.M)]
    assert [source for source in cells if not FIG_ALT.match(source)] == []
    texts = [FIG_ALT.match(source)[1] for source in cells]
    assert [text for text in set(texts) if texts.count(text) > 1] == []


@every_notebook
def test_imports_have_their_own_cells(name):
    "nbdev runs import cells when it builds pages, so they hold nothing else. (The ten lines of the front page are for reading.)"
    for cell in runner.code_cells(stored(name)):
        imports = ast.Import, ast.ImportFrom
        kinds = {isinstance(node, imports) or isinstance(node, ast.If) and all(isinstance(each, imports) for each in node.body + node.orelse)
                 for node in ast.parse(cell.source).body}
        assert kinds != {True, False} or name == "index", cell.source


@every_notebook
def test_links_lead_somewhere(name):
    "Every relative link in the text names a file that exists."
    for cell in stored(name).cells:
        if cell.cell_type != "markdown": continue
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", cell.source):
            assert (notebook_paths()[name].parent / target).exists(), target
