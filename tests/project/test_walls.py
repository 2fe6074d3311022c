"The walls of the house: who may import whom, whose names are private, how large a room may be, and that nbs and tests mirror it."
import ast
import re
from importlib import import_module
from pathlib import Path

import lessons as runner
import nbformat
import pytest

from pixelsim.course.lessons import lesson_paths, notebook_paths

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "pixelsim"
MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in sorted(PACKAGE.rglob("*.py")) if path.stem != "_modidx"}
SCRIPTS = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for folder in ("tests", "tools", "benchmarks") for path in (ROOT / folder).rglob("*.py")}
SOURCES = {**{name: path.read_text(encoding="utf-8") for name, path in MODULES.items()}, **SCRIPTS,
           **{f"nbs/{name}": "\n".join(cell.source for cell in runner.code_cells(nbformat.read(path, as_version=4))) for name, path in notebook_paths().items()}}


def imports(name, source, of=("pixelsim",)):
    "What a source imports of pixelsim, or of other modules: (module, name in it or None, what it is called here), relative imports made whole."
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import): yield from ((item.name, None, item.asname or item.name) for item in node.names if item.name.split(".")[0] in of)
        if not isinstance(node, ast.ImportFrom): continue
        above = name.split(".")[:None if name in MODULES and MODULES[name].stem == "__init__" else -1]  # the package that the module is in
        module = ".".join([*above[:len(above) - node.level + 1], *filter(None, [node.module])]) if node.level else node.module
        if module.split(".")[0] in of: yield from ((module, item.name, item.asname or item.name) for item in node.names)


def reached(name, source, of=("pixelsim",)):
    "The names in these modules that a source uses: those that it imports, and attributes of the modules that it imports."
    called = {}
    for module, item, here in imports(name, source, of):
        yield module, item
        if item is None or f"{module}.{item}" in MODULES: called[here] = module if item is None else f"{module}.{item}"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and (module := called.get(ast.unparse(node.value))): yield module, node.attr
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("setattr", "set", "delattr") and len(node.args) > 1:
            if (module := called.get(ast.unparse(node.args[0]))) and isinstance(node.args[1], ast.Constant): yield module, node.args[1].value


def private(name): return bool(re.match(r"_[^_]", name or ""))


@pytest.mark.parametrize("name", SOURCES)
def test_no_private_name_of_another_module_is_used(name):
    "Not in the package, not in a notebook, a tool, a benchmark or a test."
    assert [(module, item) for module, item in reached(name, SOURCES[name])
            if module != name and (private(item) or any(map(private, module.split("."))))] == []
    quoted = re.findall(r"pixelsim(?:\.\w+)*(?:\.| import )_(?!_|modidx|[axbcd]\b)\w+", SOURCES[name])  # in code for a process of its own, and to patch
    assert quoted == []


@pytest.mark.parametrize("name", [name for name in SCRIPTS if name.startswith(("tools/", "benchmarks/"))])
def test_what_a_script_uses_is_there(name):
    "In pixelsim and in our tools: no test runs a benchmark from its beginning to its end."
    used = reached(name, SOURCES[name], {"pixelsim", *(path.stem for path in (ROOT / "tools").glob("*.py"))})
    assert [(module, item) for module, item in used if item and f"{module}.{item}" not in MODULES and not hasattr(import_module(module), item)] == []


def test_the_library_does_not_know_the_course():
    "But for one function, which brings the commands `lessons` and `lab` their notebooks."
    up = {}
    for name in MODULES:
        if name.startswith("pixelsim.course"): continue
        for node in ast.parse(SOURCES[name]).body:
            if found := [module for module, _, _ in imports(name, ast.unparse(node)) if module.startswith("pixelsim.course")]:
                up[name, getattr(node, "name", "?")] = found
    assert list(up) == [("pixelsim.cli", "_copied")]


def of_no_encoding(source):
    "Where a source reads or writes text in what this machine happens to use: the code page on Windows."
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or any(word.arg == "encoding" for word in node.keywords): continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
        if name == "open" and ast.unparse(node.func) not in ("os.open", "Image.open"):
            mode = node.args[-1] if len(node.args) > isinstance(node.func, ast.Name) else None
            if not (isinstance(mode, ast.Constant) and "b" in str(mode.value)): yield ast.unparse(node)
        if name == "read_text" or name == "write_text" and len(node.args) < 2: yield ast.unparse(node)


@pytest.mark.parametrize("name", [*MODULES, *(name for name in SCRIPTS if name.startswith("tools/"))])
def test_text_has_its_encoding(name):
    "A file that one machine wrote is read on another."
    assert list(of_no_encoding(SOURCES[name])) == []


def test_the_checks_above_would_see_something():
    source = "from .arrays import _a\nfrom pixelsim.course import check\nimport pixelsim.labels as l\nfrom pixelsim import cli\nl._b\ncli.c\npatch.setattr(cli, '_d', 1)"
    assert list(reached("pixelsim.means", source)) == [("pixelsim.arrays", "_a"), ("pixelsim.course", "check"), ("pixelsim.labels", None),
                                                       ("pixelsim", "cli"), ("pixelsim.labels", "_b"), ("pixelsim.cli", "c"), ("pixelsim.cli", "_d")]
    assert list(reached("pixelsim.course.copy", "from ..table import T\nfrom .lessons import _x")) == [("pixelsim.table", "T"), ("pixelsim.course.lessons", "_x")]
    assert list(reached("benchmarks/x.py", "import lessons, os\nfrom docs import build\nlessons.gone(os.sep)", ("lessons", "docs"))) == [
        ("lessons", None), ("docs", "build"), ("lessons", "gone")]
    source = "p.read_text()\nopen(p)\nopen(p, 'w')\np.open('w')\np.write_text(t)"
    assert sorted(of_no_encoding(source)) == sorted(source.splitlines())
    assert list(of_no_encoding("open(p, 'rb')\np.open('wb')\np.read_text(encoding='utf-8')\nos.open(p, f)\nImage.open(p)")) == []


def test_tests_stand_in_rooms_as_notebooks_do():
    "Each file of tests is in the room of the library, of the course, or of the project; notebooks of the library and the course export to their own."
    assert {path.parent.name for path in (ROOT / "tests").rglob("test_*.py")} == {"library", "course", "project"}
    for name in notebook_paths():
        exported = re.findall(r"^#\| default_exp (\S+)", SOURCES[f"nbs/{name}"], flags=re.M)
        room = name.rpartition("/")[0]
        if room in ("library", "course"): assert [module.startswith("course.") for module in exported] == [room == "course"], name
        else: assert not exported or name in lesson_paths(), name


def test_modules_of_the_course_are_small():
    assert {name: lines for name, path in MODULES.items() if name.startswith("pixelsim.course") and (lines := len(path.read_text(encoding="utf-8").splitlines())) > 300} == {}


def test_exported_cells_of_the_library_are_small():
    "So many lines fit on a screen."
    large = {}
    for name, path in notebook_paths().items():
        if name.split("/")[0] in ("course", "group"): continue
        for cell in runner.code_cells(nbformat.read(path, as_version=4)):
            if re.match(r"#\| ?export", cell.source) and (lines := len(cell.source.splitlines())) > 40: large[f"{name}, {cell.id}"] = lines
    assert large == {}


def test_a_table_imports_nothing(run_python):
    "Nor does the package itself."
    code = "import sys; before = {*sys.modules}\nfrom pixelsim.table import Table\nprint(*sorted({name.split('.')[0] for name in {*sys.modules} - before}))"
    assert set(run_python(code).stdout.split()) <= {"pixelsim", "importlib", "collections"}
