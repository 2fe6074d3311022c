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
from conftest import ROOT
from matplotlib.figure import Figure

from pixelsim import digits
from pixelsim.course import lesson_files, lessons
from pixelsim.course.ready import ready

READY = importlib.import_module("pixelsim.course.ready")


@pytest.fixture
def machine(tmp_path, monkeypatch):
    "A machine that is in order, but that the PNG files are not made yet, on which a test can break something; `tmp` is a folder for what takes the place of ours."
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("FASTAI_HOME", str(tmp_path / "new" / "home"))
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
        assert re.match(f"not ready: {len(troubles)} thing{'s' * (len(troubles) > 1)} to mend", first) and len(rest) == 2 * len(troubles) and printed.err == ""
        assert [int(i) for i, _, _ in troubles] == list(range(1, len(troubles) + 1))
        return [(what, mend) for _, what, mend in troubles]
    return said


def test_a_good_machine_is_ready(machine, said, fastai_home):
    "One line, the same on every machine, for a lesson and for all; nothing is left behind; the PNG files may be there."
    for name, which in (("05_distances", '"L1 against L2"'), (None, "every lesson")):
        assert said(name) == f"ready: {which} can begin. Packages, lesson, digits, exercises, pictures and room to write are all there."
    assert os.listdir() == []
    machine.home(fastai_home)
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


def needs_python(version): return lambda name: {"Requires-Python": f">={version}"}


def fastai_is(version):
    real = READY.version
    return lambda package: version if package == "fastai" else real(package)


def free(mb): return lambda folder: SimpleNamespace(free=mb * 1_000_000)


@pytest.mark.parametrize("place, name, instead, what, mend", [
    (READY, "metadata", needs_python("9.8"), "this is Python {}.{}, and pixelsim needs 9.8 or newer".format(*sys.version_info[:2]), "do.py course PYTHON=python9.8"),
    (READY, "metadata", needs_python("3.9"), None, None),  # older than 3.10
    (READY, "metadata", raises(PackageNotFoundError("pixelsim")), "pixelsim is here, but it is not installed", "do.py course"),
    (READY, "version", fastai_is("1.0"), f"fastai is version 1.0, and pixelsim needs {listed('course_requirements')['fastai'].removeprefix('fastai')}", "delete the folder .venv"),
    (READY, "version", fastai_is("99.0rc1"), None, None),  # before its release
    (lessons, "lessons_folder", raises(FileNotFoundError("this copy of pixelsim came without its lessons: reinstall pixelsim")),
     "this copy of pixelsim came without its lessons: reinstall pixelsim", "install pixelsim again"),
    (Figure, "savefig", raises(RuntimeError("no fonts\nat all")), "Matplotlib cannot draw (RuntimeError: no fonts at all)", "do.py course"),
    (digits, "digits_bundle", raises(RuntimeError("out of paper")), "Are the digits in the package whole? It cannot be told (RuntimeError: out of paper)", "do.py test")])
def test_a_thing_that_is_wrong(machine, said, place, name, instead, what, mend):
    "One trouble, and not five, with what to do; or none where it only looks like one."
    machine.set(place, name, instead)
    if what is None: assert said().startswith("ready: ")
    else:
        (told, remedy), = said()
        assert told == what and mend in remedy


def test_a_full_disk(machine, said, fastai_home):
    "Though the PNG files are there, progress needs 10 MB, and no more."
    machine.home(fastai_home)
    machine.set(READY.shutil, "disk_usage", free(60))
    assert said().startswith("ready: ")
    machine.set(READY.shutil, "disk_usage", free(5))
    (what, mend), = said()
    assert what == f"your progress cannot be saved in the folder {Path.cwd()} (5 MB are free, and it takes up to 10)" and "pixelsim lessons" in mend


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


def test_without_pytorch_there_is_one_trouble_and_not_five(tmp_path, run_python):
    "Where PyTorch cannot be imported at all: digits and exercises need it, but that is no other trouble."
    out = run_python("import sys; sys.modules['torch'] = None\nfrom pixelsim.course.ready import ready\nready('05_distances')", FASTAI_HOME=tmp_path).stdout
    assert out.splitlines()[1].startswith("1. torch is installed, but cannot be imported (") and "\n2. " not in out


@pytest.mark.parametrize("size, why", [(None, "FileNotFoundError"), (1_000_000, "the bundled digits are damaged (SHA-256 ")])
def test_digits_that_are_not_whole(machine, said, size, why):
    "Missing, or cut off."
    machine.set(digits, "files", lambda name: machine.tmp)
    (machine.tmp / "data").mkdir()
    if size: (machine.tmp / "data" / "mnist.npz").write_bytes((ROOT / "pixelsim/data/mnist.npz").read_bytes()[:size])
    (what, mend), = said()
    assert what.startswith("the digits in the package cannot be read (") and why in what and "git restore pixelsim/data/mnist.npz (" in mend


LESSON, EXERCISES = "nbs/05_distances.ipynb", "pixelsim/course/data/lessons/05_distances.toml"


@pytest.mark.parametrize("file, damage, told", [
    (LESSON, lambda path: path.write_bytes(path.read_bytes()[:5000]), "05_distances.ipynb is not a whole notebook ("),
    (LESSON, Path.unlink, "there is no lesson '05_distances' among 01_pixels, "), (EXERCISES, Path.unlink, "the exercises of 05_distances cannot be read (ValueError: "),
    (EXERCISES, lambda path: path.write_text("[[question"), "the exercises of 05_distances cannot be read (ValueError: ")])
def test_a_lesson_that_is_not_whole(machine, said, file, damage, told):
    "Its notebook or its file: that one is named, for the lesson and (where it is still there) for all; the others can begin."
    for name in ("nbs", "pixelsim/course/data/lessons"):
        (machine.tmp / name).mkdir(parents=True)
        for path in (ROOT / name).glob("[0-9]*"): shutil.copy(path, machine.tmp / name)
    machine.set(lessons, "lessons_folder", lambda: machine.tmp / "nbs")
    machine.set(lesson_files, "files", lambda name: machine.tmp / "pixelsim/course")
    damage(machine.tmp / file)
    for name in ("05_distances", None)[:1 if (file, damage) == (LESSON, Path.unlink) else 2]:
        (what, mend), = said(name)
        assert what.startswith(told) and f"git restore {file} (" in mend
    assert said("04_broadcasting").startswith("ready: ")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a folder in which nobody can write")
def test_a_folder_that_cannot_be_written(machine, said, monkeypatch):
    monkeypatch.chdir("/proc/self")
    (what, mend), = said()
    assert re.match(r"your progress cannot be saved in the folder /proc/\S+ \(.+\)$", what) and "pixelsim lessons" in mend


@pytest.mark.parametrize("mb, why", [(60, r"60 MB are free, and it takes up to 100"), (None, ".+")])
def test_no_place_for_the_png_files(machine, said, mb, why):
    "14,434 files, most of them in blocks of 4 kB, need more than progress does; or a file is where the folder should be."
    home = machine.tmp / "empty"
    machine.home(home)
    if mb is None: home.write_text("a file")
    else: machine.set(READY.shutil, "disk_usage", free(mb))
    (what, mend), = said()
    assert re.fullmatch(rf"the digits cannot be written as PNG files below {re.escape(str(home))} \({why}\)", what) and "FASTAI_HOME" in mend


def test_png_files_that_are_not_all_there(machine, said):
    "A folder that lacks all but one of them: 12,396 to train, 2,038 to validate, and the list of labels."
    folder = machine.tmp / "home" / "data" / "mnist_sample"
    (folder / "train" / "3").mkdir(parents=True)
    (folder / "train" / "3" / "10.png").write_bytes(b"not empty")
    machine.home(machine.tmp / "home")
    assert said() == [(f"in {folder}, {12396 + 2038} PNG files are missing or empty", "delete it, and the lessons make it anew")]


def test_several_troubles_at_once(machine, said):
    "All are told in one run, each with its remedy."
    machine.hide("ipywidgets")
    machine.set(digits, "files", lambda name: machine.tmp)
    machine.set(READY.shutil, "disk_usage", free(0))
    assert [what.split(" (")[0] for what, _ in said()] == ["ipywidgets is installed, but cannot be imported", "the digits in the package cannot be read",
        f"your progress cannot be saved in the folder {Path.cwd()}", f"the digits cannot be written as PNG files below {machine.tmp / 'new' / 'home'}"]
