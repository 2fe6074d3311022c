"""The package as someone else gets it: built from a clean copy, compared with what it should say, installed, and used.

One test environment has only the wheel and its core requirements, really installed: on Linux that takes 6 GB, which
are deleted at the end, and a minute or two. So these tests run one after the other, in one process.
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

import nbformat
import pytest
from build.util import project_wheel_metadata
from packaging.requirements import Requirement

import pixelsim
from pixelsim.messages import distribution

if sys.version_info >= (3, 11): import tomllib
else: import tomli as tomllib  # comes with nbdev

ROOT = Path(__file__).parents[2]
DATA = ("pixelsim/**/*.py", "pixelsim/py.typed", "pixelsim/data/mnist.npz", "pixelsim/data/NOTICE.md", "pixelsim/data/lab/*", "pixelsim/course/data/lessons/*", "pixelsim/course/static/**/*")


def run(*command, **kwargs):
    "The stdout of `command`; an error with all that it said if it fails."
    done = subprocess.run([*map(str, command)], capture_output=True, encoding="utf-8", errors="replace", **kwargs)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def sha256(content): return hashlib.sha256(content).hexdigest()


def build(tree, *kinds): run(sys.executable, "-m", "build", "--no-isolation", *kinds, tree)


def contents(wheel):
    "The SHA-256 of every file in `wheel`, but for the list of these."
    with zipfile.ZipFile(wheel) as archive:
        return {name: sha256(archive.read(name)) for name in archive.namelist() if not name.endswith(".dist-info/RECORD")}


@pytest.fixture(scope="module")
def built(tmp_path_factory, copy_tree):
    "An sdist and a wheel built from a clean copy in which Jupyter has left something, and a wheel built from that sdist."
    tree = copy_tree(tmp_path_factory.mktemp("package") / "tree")
    (tree / "nbs" / "library" / ".ipynb_checkpoints").mkdir()
    (tree / "nbs" / "library" / ".ipynb_checkpoints" / "a-checkpoint.ipynb").write_text("{}")
    build(tree, "--sdist", "--wheel")
    sdist, wheel = next(tree.glob("dist/*.tar.gz")), next(tree.glob("dist/*.whl"))
    shutil.unpack_archive(sdist, tree.parent / "sdist")
    from_sdist = next((tree.parent / "sdist").iterdir())
    build(from_sdist, "--wheel")
    info = next(path for path in zipfile.Path(wheel).iterdir() if path.name.endswith(".dist-info"))
    return SimpleNamespace(tree=tree, wheel=wheel, from_sdist=next(from_sdist.glob("dist/*.whl")), info=PathDistribution(info))


def test_wheel_has_the_package_and_nothing_else(built):
    "Modules, type marker, digits and notice, lessons' files, scripts and styles, every notebook, byte for byte; no tests or tools. The sdist lacks nothing of it."
    expected = {path.relative_to(built.tree).as_posix(): path for pattern in DATA for path in built.tree.glob(pattern) if path.is_file()}
    expected |= {f"pixelsim/lessons/{path.relative_to(built.tree / 'nbs').as_posix()}": path for path in (built.tree / "nbs").rglob("*.*")
                 if path.is_file() and ".ipynb_checkpoints" not in path.parts}
    found = contents(built.wheel)
    assert {name: sha for name, sha in found.items() if ".dist-info/" not in name} == {name: sha256(path.read_bytes()) for name, path in expected.items()}
    assert {"pixelsim/course/static/figures/questions.js", "pixelsim/_modidx.py", "pixelsim/lessons/01_pixels.ipynb", "pixelsim/course/data/lessons/01_pixels.toml"} <= found.keys()
    assert contents(built.from_sdist) == found


# What the metadata says

def requirement(text, extra=None):
    "A requirement in the form that metadata have it in, as part of `extra` if one is named."
    text, _, marker = text.partition(";")
    both = " and ".join(filter(None, [marker.strip(), f'extra == "{extra}"' if extra else ""]))
    return str(Requirement(f"{text}; {both}" if both else text))


def settings_of(tree):
    "The requirement lists of `settings.ini`, as they are written there: core, course, lab, dev."
    settings = ConfigParser()
    settings.read(tree / "settings.ini", encoding="utf-8")
    return [settings["DEFAULT"][name].strip().split("\n") for name in ("requirements", "course_requirements", "lab_requirements", "dev_requirements")]


def differences(metadata, tree):
    "Where the `metadata` of a package differs from the `settings.ini` and `pyproject.toml` of `tree`: found, expected."
    project = tomllib.loads((tree / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    core, course, lab, dev = settings_of(tree)
    extras = {"course": course, "lab": course + lab, "dev": course + lab + dev}
    requires = [*map(requirement, core), *(requirement(r, extra) for extra, lines in extras.items() for r in lines)]
    expected = {
        "Name": [project["name"]], "Version": [pixelsim.__version__], "Requires-Python": [project["requires-python"]],
        "Requires-Dist": sorted(requires), "Provides-Extra": sorted(extras), "Summary": [project["description"]],
        "License-Expression": [project["license"]], "License-File": ["LICENSE", "pixelsim/data/NOTICE.md"],
        "Classifier": sorted(project["classifiers"]),
    }
    found = {key: sorted(metadata.get_all(key) or []) for key in expected}
    found["Requires-Dist"] = sorted(map(requirement, found["Requires-Dist"]))
    return {key: (found[key], expected[key]) for key in expected if found[key] != expected[key]}


def test_metadata(built):
    "What `settings.ini` and `pyproject.toml` say, requirement by requirement; the README, both licenses word for word; the command, and the index for nbdev."
    assert differences(built.info.metadata, built.tree) == {}
    text = built.info.metadata.get_payload()
    assert text.startswith("# pixelsim") and built.info.metadata["Description-Content-Type"] == "text/markdown"
    assert re.sub(r"\]\([^)]*\)", "]", text).strip() == re.sub(r"\]\([^)]*\)", "]", (built.tree / "README.md").read_text(encoding="utf-8")).strip()
    for name in ("LICENSE", "pixelsim/data/NOTICE.md"):
        assert built.info.read_text(f"licenses/{name}") == (ROOT / name).read_text(encoding="utf-8")
    entries = sorted((e.group, e.name, e.value) for e in built.info.entry_points)
    assert entries == [("console_scripts", "pixelsim", "pixelsim.cli:main"), ("nbdev", "pixelsim", "pixelsim._modidx:d")]


def test_the_name_stands_in_one_place():
    "What pip is to install is called as `pyproject.toml` says; README and start of a notebook on Colab have it from there, and nothing else says it."
    name = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"]
    said = re.compile(rf"\b{name}\[(course|lab|dev)\]")
    assert distribution() == name and said.search((ROOT / "README.md").read_text(encoding="utf-8"))
    texts = {path: path.read_text(encoding="utf-8") for pattern in ("*.md", "*.ini", "setup.py", "pixelsim/**/*.py", "tools/**/*.py", "tools/**/*.html", "tools/**/*.md", ".github/**/*.yml")
             for path in ROOT.glob(pattern) if path.name != "README.md"}
    texts |= {path: "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells) for path in ROOT.glob("nbs/**/*.ipynb")}
    assert len(texts) > 100 and [path for path, text in texts.items() if said.search(text)] == []


def test_advice_has_the_name_under_which_it_was_installed(run_python, tmp_path):
    "Here another one is found first."
    (tmp_path / "other_name-1.dist-info").mkdir()
    (tmp_path / "other_name-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: other-name\nVersion: 1\n")
    (tmp_path / "other_name-1.dist-info" / "top_level.txt").write_text("pixelsim\n")
    said = run_python("from pixelsim.messages import install_command; print(install_command('lab'))", cwd=tmp_path, PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)]))
    assert said.stdout.strip().endswith('-m pip install "other-name[lab]"')


@pytest.mark.filterwarnings("ignore::UserWarning")  # setuptools does warn, and goes on
@pytest.mark.parametrize("dropped", ["dependencies", "optional-dependencies"])
def test_a_requirement_list_that_gets_lost_is_noticed(tmp_path, copy_tree, dropped):
    "Unnamed in `dynamic`, a list of setup.py is dropped by setuptools without an error: `test_metadata` would fail."
    tree = copy_tree(tmp_path / "tree")
    text = (tree / "pyproject.toml").read_text(encoding="utf-8")
    changed = re.sub(rf'(dynamic = .*), "{dropped}"', r"\1", text)
    assert changed != text
    (tree / "pyproject.toml").write_text(changed, encoding="utf-8")
    assert "Requires-Dist" in differences(project_wheel_metadata(tree, isolated=False), tree)


def test_links_of_the_readme_lead_to_the_repository(tmp_path, copy_tree):
    "Where pyproject.toml says who owns it: pages and pictures; links out into the web stay."
    tree = copy_tree(tmp_path / "tree")
    text = (tree / "pyproject.toml").read_text(encoding="utf-8")
    (tree / "pyproject.toml").write_text(re.sub(r'^Repository = .*$', 'Repository = "https://github.com/group/pixelsim"', text, flags=re.M), encoding="utf-8")
    shown = project_wheel_metadata(tree, isolated=False).get_payload()
    assert "](https://github.com/group/pixelsim/blob/main/nbs/01_pixels.ipynb)" in shown and "](https://github.com/group/pixelsim/raw/main/nbs/images/index-1.png)" in shown
    assert not re.findall(r"\]\((?!https://)[^#)][^)]*\)", shown)


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


def test_digits_from_the_installed_package(use):
    "What is imported is in the new environment, not in the repository; the digits come out of it, and nothing is written for it."
    where, version, counts = use("import pixelsim; print(pixelsim.__file__, pixelsim.__version__, sep='\\n')\nfrom pixelsim.all import *\n"
                                 "print(*(len(s[d]) for s in load_mnist([3, 7]) for d in (3, 7)))").splitlines()
    assert ROOT not in Path(where).parents and "site-packages" in where and version == pixelsim.__version__
    assert counts == "6131 6265 1010 1028"


def test_import_is_light(use):
    "`import pixelsim` loads none of its requirements, nor does its command: `pixelsim --help` is there at once."
    heavy = ["torch", "fastai", "matplotlib", "numpy", "PIL", "fastcore", "tqdm"]
    for name in ("pixelsim", "pixelsim.cli", "pixelsim.course"):
        assert use(f"import sys, {name}; print([name for name in {heavy} if name in sys.modules])") == "[]"
    assert use("import sys, pixelsim.digits; print('torch' in sys.modules)") == "True"


def test_the_command_brings_the_lessons(built, use, tmp_path):
    "`pixelsim lessons`, as installed, copies every notebook but the README."
    code = ("import shutil, subprocess, sys; from pathlib import Path\n"
            "command = shutil.which('pixelsim', path=Path(sys.executable).parent)\n"
            f"subprocess.run([command, 'lessons', {str(tmp_path / 'my')!r}], check=True)")
    wanted = {path.relative_to(built.tree / "nbs") for path in (built.tree / "nbs").rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts} - {Path("index.ipynb")}
    assert f"{len(wanted)} new, 0 updated, 0 up to date" in use(code)
    assert {path.relative_to(tmp_path / "my") for path in (tmp_path / "my").rglob("*.ipynb")} == wanted


def test_no_module_needs_the_course(built, use):
    "Each module can be imported by someone without fastai and Jupyter."
    absent = ["anywidget", "fastai", "IPython", "ipykernel", "ipywidgets", "jupyterlab", "nbclient", "nbdev"]
    assert use(f"from importlib.util import find_spec; print([name for name in {absent} if find_spec(name)])") == "[]"
    paths = [path.relative_to(built.tree).with_suffix("") for path in built.tree.glob("pixelsim/**/*.py") if path.stem not in ("__init__", "__main__")]
    names = [".".join(path.parts) for path in paths]
    assert len(names) > 40 and use(f"from importlib import import_module\nfor name in {names}: print(import_module(name).__name__)").split() == names


def test_the_course_is_read_and_ready_says_what_it_lacks(built, use):
    "Installed, lessons and their files are read from the package; the packages of the course are missing, and nothing else."
    core, needed = ({re.match(r"[\w-]+", line)[0] for line in lines if ";" not in line} for lines in settings_of(built.tree)[:2])
    course = needed - core  # what both need is installed, in its newest version
    said = use("import os, tempfile; os.environ['FASTAI_HOME'] = tempfile.mkdtemp(); os.chdir(tempfile.mkdtemp())\n"
               "from pixelsim.course.meeting import agenda, answers\nfrom pixelsim.course.ready import ready\nready('05_distances')\n"
               "print(agenda('05_distances').text.count('|'), len(answers('05_distances').text)>10_000)").splitlines()
    assert {what.split()[1] for what in said if " is not installed in the Python that runs here" in what} >= course
    assert said[0] == f"not ready: {(len(said) - 2) // 2} things to mend; then run this again"
    assert all("-m pip install --upgrade \"pixelsim[lab]\"" in line for line in said[2:-1:2]) and said[-1].endswith(" True")
