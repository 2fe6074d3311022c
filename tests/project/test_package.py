"""The package as someone else gets it: built from a clean copy, compared with what it should say, installed, and used.

One test environment has only the wheel and its core requirements, really installed: on Linux that takes 6 GB, which
are deleted at the end, and a minute or two.
"""
import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from configparser import ConfigParser
from importlib.metadata import PathDistribution, distributions
from pathlib import Path
from types import SimpleNamespace

import pytest
from build.util import project_wheel_metadata
from packaging.requirements import Requirement

import pixelsim

if sys.version_info >= (3, 11): import tomllib
else: import tomli as tomllib  # comes with nbdev

ROOT = Path(__file__).parents[1]
DATA = {"pixelsim/py.typed", "pixelsim/data/mnist.npz", "pixelsim/data/NOTICE.md"}


def run(*command, **kwargs):
    "The stdout of `command`; an error with all that it said if it fails."
    done = subprocess.run([*map(str, command)], capture_output=True, encoding="utf-8", errors="replace", **kwargs)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def copy_tree(to):
    """A clean copy of the repository in the new folder `to`, and `to`.

    These are the files that a clone would have once everything is committed. A clone itself has only what is committed
    already, so it would test something else than the code at hand."""
    for name in run("git", "ls-files", "-co", "--exclude-standard", "-z", cwd=ROOT).split("\0"):
        if not (ROOT / name).is_file(): continue  # deleted, and not yet committed
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, to / name)
    return to


def build(tree, *kinds): run(sys.executable, "-m", "build", "--no-isolation", *kinds, tree)


def contents(wheel):
    "The SHA-256 of every file in `wheel`."
    with zipfile.ZipFile(wheel) as archive:
        return {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    "An sdist and a wheel built from a clean copy, and a wheel built from that sdist."
    tree = copy_tree(tmp_path_factory.mktemp("package") / "tree")
    build(tree, "--sdist", "--wheel")
    sdist, wheel = next(tree.glob("dist/*.tar.gz")), next(tree.glob("dist/*.whl"))
    shutil.unpack_archive(sdist, tree.parent / "sdist")
    from_sdist = next((tree.parent / "sdist").iterdir())
    build(from_sdist, "--wheel")
    return SimpleNamespace(tree=tree, wheel=wheel, from_sdist=next(from_sdist.glob("dist/*.whl")))


def notebooks(built):
    "The SHA-256 of every file below `nbs`, by its name there."
    found = {path.relative_to(built.tree / "nbs").as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
             for path in (built.tree / "nbs").rglob("*") if path.is_file()}
    assert {"01_pixels.ipynb", "index.ipynb", "images/index-1.png", "library/digits.ipynb", "group/answers.ipynb"} <= found.keys()
    return found


# What is in the wheel

def test_wheel_from_sdist_is_the_same(built):
    "The sdist lacks nothing that the wheel is made from."
    direct, from_sdist = contents(built.wheel), contents(built.from_sdist)
    records = [name for name in direct if name.endswith(".dist-info/RECORD")]
    for name in records: del direct[name], from_sdist[name]
    assert len(records) == 1 and direct == from_sdist


def test_wheel_has_the_package_and_nothing_else(built):
    "Every module, the type marker, digits and notice, exercises, agendas, scripts and styles, every notebook, byte for byte; no tests or tools."
    patterns = ("pixelsim/*.py", "pixelsim/course/data/practice/0*.toml", "pixelsim/course/data/agendas/0*.toml", "pixelsim/course/static/*.*")
    names = DATA | {path.relative_to(built.tree).as_posix() for pattern in patterns for path in built.tree.glob(pattern)}
    assert len([name for name in names if name.endswith(".toml")]) == 6 + 7 and "pixelsim/course/static/quiz.js" in names
    assert {"pixelsim/__init__.py", "pixelsim/digits.py", "pixelsim/_modidx.py"} <= names
    expected = {name: hashlib.sha256((built.tree / name).read_bytes()).hexdigest() for name in names}
    expected |= {f"pixelsim/lessons/{name}": sha for name, sha in notebooks(built).items()}
    assert {name: sha for name, sha in contents(built.wheel).items() if ".dist-info/" not in name} == expected


# What the metadata says

def requirement(text, extra=None):
    "A requirement in the form that metadata have it in, as part of `extra` if one is named."
    text, _, marker = text.partition(";")
    both = " and ".join(filter(None, [marker.strip(), f'extra == "{extra}"' if extra else ""]))
    return str(Requirement(f"{text}; {both}" if both else text))


def settings_of(tree):
    "The requirement lists of `settings.ini`, as they are written there."
    settings = ConfigParser()
    settings.read(tree / "settings.ini", encoding="utf-8")
    return settings["DEFAULT"]


def differences(metadata, tree):
    "Where the `metadata` of a package differs from the `settings.ini` and `pyproject.toml` of `tree`: found, expected."
    project = tomllib.loads((tree / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    core, course, dev = (settings_of(tree)[name].strip().split("\n")
                         for name in ("requirements", "course_requirements", "dev_requirements"))
    requires = [*map(requirement, core), *(requirement(r, "course") for r in course),
                *(requirement(r, "dev") for r in course + dev)]
    expected = {
        "Name": [project["name"]], "Version": [pixelsim.__version__], "Requires-Python": [project["requires-python"]],
        "Requires-Dist": sorted(requires), "Provides-Extra": ["course", "dev"], "Summary": [project["description"]],
        "License-Expression": [project["license"]], "License-File": sorted(project["license-files"]),
        "Classifier": sorted(project["classifiers"]),
    }
    found = {key: sorted(metadata.get_all(key) or []) for key in expected}
    found["Requires-Dist"] = sorted(map(requirement, found["Requires-Dist"]))
    return {key: (found[key], expected[key]) for key in expected if found[key] != expected[key]}


def info(wheel):
    "The metadata folder of `wheel`, read in the wheel."
    return PathDistribution(next(path for path in zipfile.Path(wheel).iterdir() if path.name.endswith(".dist-info")))


def test_metadata(built):
    "The wheel says what `settings.ini` and `pyproject.toml` say, requirement by requirement."
    assert differences(info(built.wheel).metadata, built.tree) == {}


def test_description_is_the_readme(built):
    "The page at the package index is README.md; a missing one would only give a warning."
    readme = (built.tree / "README.md").read_text(encoding="utf-8")
    assert info(built.wheel).metadata.get_payload().strip() == readme.strip()


@pytest.mark.filterwarnings("ignore::UserWarning")  # setuptools does warn, and goes on
@pytest.mark.parametrize("dropped", ["dependencies", "optional-dependencies"])
def test_a_requirement_list_that_gets_lost_is_noticed(tmp_path, dropped):
    "Unnamed in `dynamic`, a list of setup.py is dropped by setuptools without an error: `test_metadata` would fail."
    tree = copy_tree(tmp_path / "tree")
    text = (tree / "pyproject.toml").read_text(encoding="utf-8")
    changed = re.sub(rf'(dynamic = .*), "{dropped}"', r"\1", text)
    assert changed != text
    (tree / "pyproject.toml").write_text(changed, encoding="utf-8")
    assert "Requires-Dist" in differences(project_wheel_metadata(tree, isolated=False), tree)


def test_license_files_are_in_the_wheel(built):
    "Both licences, word for word, where installers look for them."
    names = tomllib.loads((built.tree / "pyproject.toml").read_text(encoding="utf-8"))["project"]["license-files"]
    assert {"LICENSE", "pixelsim/data/NOTICE.md"} == {*names}
    for name in names:
        assert info(built.wheel).read_text(f"licenses/{name}") == (ROOT / name).read_text(encoding="utf-8")


def test_entry_points(built):
    "The command, and the index by which other projects' documentation links to this one."
    entries = sorted((e.group, e.name, e.value) for e in info(built.wheel).entry_points)
    assert entries == [("console_scripts", "pixelsim", "pixelsim.cli:main"), ("nbdev", "pixelsim", "pixelsim._modidx:d")]
    assert pixelsim.__version__ == info(built.wheel).version


# The wheel in use

def snapshot(*folders):
    "Every file and folder in `folders`, with size and time, to see whether anything was written."
    paths = [path for folder in folders for path in [folder, *sorted(folder.rglob("*"))]]
    return [(path, path.stat().st_size, path.stat().st_mtime_ns) for path in paths]


def chmod(folder, file_mode, folder_mode):
    for path in [*folder.rglob("*"), folder]: path.chmod(folder_mode if path.is_dir() else file_mode)


@pytest.fixture(scope="module")
def use(built, tmp_path_factory):
    """A function that runs Python code with the wheel, installed in an empty environment with its core requirements.

    Each requirement has the version that it has here, so an installer with a cache downloads nothing. The code runs in
    a folder that is not the repository; that folder and the installed package are read-only, and the home folder is
    one that cannot even be made. To root nothing is read-only, so afterwards it is checked that nothing was written."""
    base = tmp_path_factory.mktemp("installed")
    constraints, env, here = base / "constraints.txt", base / "env", base / "here"
    here.mkdir()
    pins = {d.metadata["Name"]: d.version for d in distributions() if d.metadata["Name"] not in (None, "pixelsim")}
    constraints.write_text("".join(f"{name}=={version}\n" for name, version in pins.items()))
    run(sys.executable, "-m", "venv", env)
    python = env / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    run(python, "-m", "pip", "install", "--progress-bar", "off", "--constraint", constraints, built.wheel)
    package = next(env.glob("[Ll]ib/**/site-packages/pixelsim"))
    keep = ("PYTHON", "XDG_", "FASTAI_", "MPL", "TORCH", "JUPYTER", "IPYTHON")
    clean = {key: value for key, value in os.environ.items() if not key.startswith(keep)}
    home = str(constraints / "home")  # below a file there can be no folder, not even for root

    def use(code):
        before = snapshot(here, package)
        said = run(python, "-c", code, cwd=here, env=dict(clean, HOME=home, USERPROFILE=home))
        assert snapshot(here, package) == before
        return said.strip()

    chmod(package, 0o444, 0o555)
    here.chmod(0o555)
    yield use
    here.chmod(0o755)
    chmod(package, 0o644, 0o755)
    shutil.rmtree(base)


def test_installed_package_is_the_wheel(use):
    "What is imported is in the new environment, not in the repository, and it has the version of the wheel."
    where, version = use("import pixelsim; print(pixelsim.__file__, pixelsim.__version__, sep='\\n')").splitlines()
    assert ROOT not in Path(where).parents and "site-packages" in where and version == pixelsim.__version__


def test_digits_without_network_or_files(use):
    "The digits come out of the installed package, and nothing is written for it."
    code = "from pixelsim.digits import load_mnist; print(*(len(s[d]) for s in load_mnist([3, 7]) for d in (3, 7)))"
    assert use(code) == "6131 6265 1010 1028"


def modules(built): return sorted(path.stem for path in built.tree.glob("pixelsim/*.py") if path.stem != "__init__")


def test_everything_in_one_import(built, use):
    "`from pixelsim.all import *` gives every public name of every module for images; the others one asks for by name."
    inside = {"arena", "batches", "checks", "draw", "files", "guide", "practice", "ranks"}
    code = (f"from importlib import import_module\nfrom pixelsim.all import *\nfor m in {sorted({*modules(built)} - inside)}:\n"
            "    for name in getattr(import_module(f'pixelsim.{m}'), '__all__', []):\n"
            "        if name not in globals(): print(f'{m}.{name} is missing')")
    assert use(code) == ""
    assert use("from pixelsim.all import *; print(len(load_mnist([3])[1]))") == "1010"


def test_import_is_light(use):
    "`import pixelsim` loads none of its requirements, nor does its command: `pixelsim --help` is there at once."
    heavy = ["torch", "fastai", "matplotlib", "numpy", "PIL", "fastcore", "tqdm"]
    for name in ("pixelsim", "pixelsim.cli"):
        assert use(f"import sys, {name}; print([name for name in {heavy} if name in sys.modules])") == "[]"
    assert use("import sys, pixelsim.digits; print('torch' in sys.modules)") == "True"


def test_the_command_brings_the_lessons(built, use, tmp_path):
    "`pixelsim lessons`, as installed, copies every notebook and picture, byte for byte."
    where = tmp_path / "lessons"
    code = ("import shutil, subprocess, sys; from pathlib import Path\n"
            "command = shutil.which('pixelsim', path=Path(sys.executable).parent)\n"
            f"subprocess.run([command, 'lessons', {str(where)!r}], check=True)")
    assert f"{len(notebooks(built))} new, 0 updated, 0 up to date" in use(code)
    found = {path.relative_to(where).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
             for path in where.rglob("*") if path.is_file()}
    del found[".pixelsim-lessons.json"]
    assert found == notebooks(built)


def test_no_module_needs_the_course(built, use):
    "The library works for someone without fastai and Jupyter: each module is imported where they are absent."
    absent = ["anywidget", "fastai", "IPython", "ipykernel", "ipywidgets", "jupyterlab", "nbclient", "nbdev"]
    code = f"from importlib.util import find_spec; print([name for name in {absent} if find_spec(name)])"
    assert use(code) == "[]"
    names = [f"pixelsim.{name}" for name in modules(built)]
    code = f"from importlib import import_module\nfor name in {names}: print(import_module(name).__name__)"
    assert use(code).split() == names


def test_the_guide_works_and_ready_says_what_the_course_lacks(built, use):
    "Installed, the lessons and agendas are read from the package; the packages of the course are missing, and nothing else."
    course = {re.match(r"[\w-]+", line)[0] for line in settings_of(built.tree)["course_requirements"].strip().split("\n") if ";" not in line}
    said = use("import os, tempfile; os.environ['FASTAI_HOME'] = tempfile.mkdtemp(); os.chdir(tempfile.mkdtemp())\n"
               "from pixelsim.guide import agenda, answers, ready; ready('05_distances')\n"
               "print(agenda('05_distances').text.count('|'), len(answers('05_distances').text)>10_000)").splitlines()
    assert {what.split()[1] for what in said if " is not installed in the Python that runs here" in what} >= course
    assert said[0] == f"not ready: {(len(said) - 2) // 2} things to mend; then run this again"
    assert all("make course" in line for line in said[2:-1:2]) and said[-1].endswith(" True")
