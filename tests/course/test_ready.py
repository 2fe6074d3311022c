"Whether a machine is ready for a lesson: each thing that can be wrong is made so on purpose, and told in two lines with its remedy."
import importlib
import os
import re
import shutil
import sys
from configparser import ConfigParser
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace

import pytest

from pixelsim import digits
from pixelsim.course import lesson_files, lessons
from pixelsim.course.ready import ready

ROOT = Path(__file__).parents[2]
READY = importlib.import_module("pixelsim.course.ready")


@pytest.fixture
def machine(tmp_path, monkeypatch, fastai_home):
    "A machine that is in order, on which a test can break something; `tmp` is a folder for what takes the place of ours."
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("FASTAI_HOME", str(fastai_home))
    return SimpleNamespace(tmp=tmp_path, set=monkeypatch.setattr, home=lambda path: monkeypatch.setenv("FASTAI_HOME", str(path)),
                           hide=lambda module: monkeypatch.setitem(sys.modules, module, None))


@pytest.fixture
def said(capsys):
    "A function: what `ready` prints, one line, or a list of (what, how to mend it)."
    def said(name="05_distances"):
        assert ready(name) is None
        printed = capsys.readouterr()
        first, *rest = printed.out.splitlines()
        if first.startswith("ready: ") and not rest: return first
        troubles = re.findall(r"^(\d+)\. (.+)\n   To mend it: (.+)$", printed.out, flags=re.M)
        assert first.startswith(f"not ready: {len(troubles)} thing") and len(rest) == 2 * len(troubles) and printed.err == ""
        assert [int(i) for i, _, _ in troubles] == list(range(1, len(troubles) + 1))
        return [(what, mend) for _, what, mend in troubles]
    return said


def test_a_good_machine_is_ready(machine, said):
    "One line, the same on every machine, for each lesson and for all; nothing is left behind; the PNG files may still have to be made."
    for name in [*lessons.lesson_paths(), None]:
        which = f'"{lessons.lesson(name).title}"' if name else "every lesson"
        assert said(name) == f"ready: {which} can begin. Packages, lesson, digits, exercises, pictures and room to write are all there."
    assert os.listdir() == []
    machine.home(machine.tmp / "new" / "home")
    assert said().startswith("ready: ")


def listed(extra):
    "The requirements in a list of `settings.ini`, by name, as they are needed on this Python."
    settings = ConfigParser()
    settings.read(ROOT / "settings.ini", encoding="utf-8")
    lines = settings["DEFAULT"][extra].strip().splitlines()
    return {re.match(r"[\w-]+", line)[0]: line for line in lines if "python_version" not in line or sys.version_info < (3, 11)}


def raises(error):
    def raiser(*args, **kwargs): raise error
    return raiser


def other_version(name, version):
    real = READY.version
    return lambda package: version if package == name else real(package)


def free(mb): return lambda folder: SimpleNamespace(free=mb * 1_000_000)


HERE = "your progress cannot be saved in the folder {here} ({why})"
BREAKS = {  # what to put in place of what; what is said; what the remedy names
    "an old Python": (READY, "metadata", lambda name: {"Requires-Python": ">=9.8"},
                      "this is Python {}.{}, and pixelsim needs 9.8 or newer".format(*sys.version_info[:2]), "do.py course PYTHON=python9.8"),
    "3.9 is older than 3.10": (READY, "metadata", lambda name: {"Requires-Python": ">=3.9"}, None, None),
    "not installed": (READY, "metadata", raises(PackageNotFoundError("pixelsim")), "pixelsim is here, but it is not installed", "do.py course"),
    "an old package": (READY, "version", other_version("fastai", "1.0"),
                       f"fastai is version 1.0, and pixelsim needs {listed('course_requirements')['fastai'].removeprefix('fastai')}", "delete the folder .venv"),
    "a package before its release": (READY, "version", other_version("fastai", "99.0rc1"), None, None),
    "a full disk": (READY.shutil, "disk_usage", free(5), HERE.format(here="{here}", why="5 MB are free, and it takes up to 10"), "pixelsim lessons"),
    "60 MB are enough for progress": (READY.shutil, "disk_usage", free(60), None, None),
    "no lessons": (lessons, "lessons_folder", raises(FileNotFoundError("this copy of pixelsim came without its lessons: reinstall pixelsim")),
                   "this copy of pixelsim came without its lessons: reinstall pixelsim", "install pixelsim again"),
    "no fonts": (importlib.import_module("matplotlib.figure").Figure, "savefig", raises(RuntimeError("no fonts\nat all")),
                 "Matplotlib cannot draw (RuntimeError: no fonts at all)", "do.py course"),
    "what nobody foresaw": (digits, "digits_bundle", raises(RuntimeError("out of paper")),
                            "Are the digits in the package whole? It cannot be told (RuntimeError: out of paper)", "do.py test")}


@pytest.mark.parametrize("place, name, instead, what, mend", BREAKS.values(), ids=BREAKS)
def test_a_thing_that_is_wrong(machine, said, place, name, instead, what, mend):
    "One trouble, and not five, with what to do; or none where it only looks like one."
    machine.set(place, name, instead)
    if what is None: assert said().startswith("ready: ")
    else:
        (told, remedy), *more = said()
        assert told == what.replace("{here}", str(Path.cwd())) and mend in remedy and more == []


def test_every_requirement_of_the_course_is_looked_for(machine, said):
    "Each of both lists in `settings.ini`, once, and none that only the tests need."
    machine.set(READY, "version", raises(PackageNotFoundError("it")))
    troubles = said()
    found = [re.match(r"(\S+) is not installed in the Python that runs here, ", what)[1] for what, _ in troubles]
    assert sorted(found) == sorted({*listed("requirements"), *listed("course_requirements")})
    assert all(sys.executable in what and "do.py course" in mend for what, mend in troubles)


@pytest.mark.parametrize("module, package", [("ipywidgets", "ipywidgets"), ("PIL", "pillow")])
def test_a_package_that_cannot_be_imported(machine, said, module, package):
    machine.hide(module)
    (what, mend), *more = said()
    assert what.startswith(f"{package} is installed, but cannot be imported (ModuleNotFoundError: ") and "do.py course" in mend
    assert package == "pillow" or not more  # Matplotlib cannot draw without Pillow


def test_without_pytorch_there_is_one_trouble_and_not_five(fastai_home, run_python):
    "Where PyTorch cannot be imported at all: digits and exercises need it, but that is no other trouble."
    code = "import sys; sys.modules['torch'] = None\nfrom pixelsim.course.ready import ready\nready('05_distances')"
    out = run_python(code, FASTAI_HOME=fastai_home).stdout
    assert out.splitlines()[1].startswith("1. torch is installed, but cannot be imported (") and "\n2. " not in out


@pytest.mark.parametrize("content, why", [(None, "FileNotFoundError"), (b"", "the bundled digits are damaged (SHA-256 e3b0c442"),
                                          (b"half", "the bundled digits are damaged (SHA-256 ")])
def test_digits_that_are_not_whole(machine, said, content, why):
    "Missing, empty (e3b0c442… is the SHA-256 of nothing), or cut off."
    machine.set(digits, "files", lambda name: machine.tmp)
    if content is not None:
        (machine.tmp / "data").mkdir()
        (machine.tmp / "data" / "mnist.npz").write_bytes(content and (ROOT / "pixelsim/data/mnist.npz").read_bytes()[:1_000_000])
    (what, mend), = said()
    assert what.startswith("the digits in the package cannot be read (") and why in what and "git restore pixelsim/data/mnist.npz (" in mend


def change(path, there, instead):
    text = path.read_text(encoding="utf-8")
    assert there in text
    path.write_text(text.replace(there, instead, 1), encoding="utf-8")


def cut_off(path): path.write_bytes(path.read_bytes()[:5000])


LESSON, EXERCISES = "nbs/05_distances.ipynb", "pixelsim/course/data/lessons/05_distances.toml"


@pytest.mark.parametrize("file, damage, told", [
    (LESSON, cut_off, "05_distances.ipynb is not a whole notebook ("), (LESSON, Path.unlink, "there is no lesson '05_distances' among 01_pixels, "),
    (EXERCISES, Path.unlink, "the exercises of 05_distances cannot be read (ValueError: "),
    (EXERCISES, lambda path: path.write_text("[[question"), "the exercises of 05_distances cannot be read (ValueError: "),
    (EXERCISES, lambda path: change(path, "hints =", "hint ="), "the exercises of 05_distances cannot be read (ValueError: ")])
def test_a_lesson_that_is_not_whole(machine, said, file, damage, told):
    "Its notebook or its file: that one is named, for the lesson and (where it is still there) for all; the others can begin."
    for name in ("nbs", "pixelsim/course/data/lessons"):
        (machine.tmp / name).mkdir(parents=True)
        for path in (ROOT / name).glob("[0-9]*"): shutil.copy(path, machine.tmp / name)
    machine.set(lessons, "lessons_folder", lambda: machine.tmp / "nbs")
    machine.set(lesson_files, "files", lambda name: machine.tmp / "pixelsim/course")
    damage(machine.tmp / file)
    gone = not (machine.tmp / file).exists() and file == LESSON
    for name in ("05_distances", None)[:1 if gone else 2]:
        (what, mend), = said(name)
        assert what.startswith(told) and f"git restore {file} (" in mend
    assert said("04_broadcasting").startswith("ready: ")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a folder in which nobody can write")
def test_a_folder_that_cannot_be_written(machine, said, monkeypatch):
    monkeypatch.chdir("/proc/self")
    (what, mend), = said()
    assert re.match(r"your progress cannot be saved in the folder /proc/\S+ \(.+\)$", what) and "pixelsim lessons" in mend


@pytest.mark.parametrize("mb, why", [(5, r"5 MB are free, and it takes up to 100"), (60, r"60 MB are free, and it takes up to 100"), (None, ".+")])
def test_no_place_for_the_png_files(machine, said, mb, why):
    "14,434 files, most of them in blocks of 4 kB, need more than progress does; or a file is where the folder should be."
    home = machine.tmp / "empty"
    machine.home(home)
    if mb is None: home.write_text("a file")
    else: machine.set(READY.shutil, "disk_usage", free(mb))
    *_, (what, mend) = said()
    assert re.fullmatch(rf"the digits cannot be written as PNG files below {re.escape(str(home))} \({why}\)", what) and "FASTAI_HOME" in mend
    assert 4096 * 14434 < 100_000_000


def test_png_files_that_are_not_all_there(machine, said):
    "A folder that lacks all but one of them: 12,396 to train, 2,038 to validate, and the list of labels."
    folder = machine.tmp / "home" / "data" / "mnist_sample"
    (folder / "train" / "3").mkdir(parents=True)
    (folder / "train" / "3" / "10.png").write_bytes(b"not empty")
    machine.home(machine.tmp / "home")
    (what, mend), = said()
    assert what == f"in {folder}, {12396 + 2038} PNG files are missing or empty" and mend == "delete it, and the lessons make it anew"


def test_several_troubles_at_once(machine, said):
    "All are told in one run, each with its remedy."
    machine.hide("ipywidgets")
    machine.set(digits, "files", lambda name: machine.tmp)
    machine.set(READY.shutil, "disk_usage", free(0))
    assert [what.split(" (")[0] for what, _ in said()] == [
        "ipywidgets is installed, but cannot be imported", "the digits in the package cannot be read", f"your progress cannot be saved in the folder {Path.cwd()}"]
