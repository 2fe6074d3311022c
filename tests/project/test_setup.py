"""Setting up: `tools/setup_env.py`, `tools/do.py` and the Makefile, in a copy of what they read, in a folder with blanks and accents.

Nothing is installed but what a test makes itself: pip is a stand-in, or is never reached."""
import ast
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from types import SimpleNamespace

import do
import pytest
import setup_env
from conftest import served

ROOT = Path(__file__).parents[2]
MAKE = shutil.which("make")
needs_make = pytest.mark.skipif(not MAKE, reason="there is no make on PATH, so the Makefile is not tested")
NOBODY = "http://127.0.0.1:9"  # a port at which nobody answers
WITHOUT_ENSUREPIP = ("import runpy, sys; sys.modules['ensurepip'] = None; sys.argv[1:] = ['lab']; "
                     "runpy.run_path('tools/setup_env.py', run_name='__main__')")


def run(*command, cwd, **settings):
    "What `command` gives: exit status, stdout, and the lines of stderr but for make's own that it failed."
    ours = (*do.SETTINGS, "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS")  # if make runs these tests
    env = {key: value for key, value in os.environ.items() if key not in ours} | {"PYTHONUTF8": "1", "TORCH_INDEX": NOBODY, "MIN_FREE_GB": "0"}
    env["PIP_NO_INDEX"] = "1"  # should a check be missing, let pip fail at once and not fill the disk
    env |= {key: str(value) for key, value in settings.items()}
    done = subprocess.run([*map(str, command)], cwd=cwd, env=env, capture_output=True, encoding="utf-8", errors="replace")
    errors = [line for line in done.stderr.splitlines() if not re.match(r"\S*make\S*: \*\*\* ", line)]
    return SimpleNamespace(status=done.returncode, out=done.stdout, errors=errors)


@pytest.fixture
def repo(tmp_path):
    "A repository of nothing but what setting up reads; `set_up` runs the script in it."
    tree = tmp_path / "le dépôt à nous"
    for name in ("Makefile", "pyproject.toml", "settings.ini", "setup.py", "tools/setup_env.py", "tools/do.py"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    return tree


def set_up(repo, extra="lab", python=sys.executable, **settings): return run(python, "tools/setup_env.py", extra, cwd=repo, **settings)


def pip_folder(repo): return next((repo / ".venv").glob("[Ll]ib/**/site-packages")) / "pip"


def stand_in(repo, pip=""):
    "Make a .venv in `repo`, whose pip has a setting and is the Python code `pip`; what it is to install is added to the file `pip-runs`."
    venv.create(repo / ".venv", clear=True, with_pip=False, symlinks=os.name != "nt")
    pip_folder(repo).mkdir()
    (pip_folder(repo) / "__init__.py").touch()
    (pip_folder(repo) / "__main__.py").write_text(
        f"import sys\nif 'config' in sys.argv: sys.exit(print(\"global.no-index='1'\"))\nwith open('pip-runs', 'a') as f: print(*sys.argv[1:], file=f)\n{pip}")


def installed(repo):
    "What pip was asked for in `repo`, each time."
    log = repo / "pip-runs"
    return [line.split()[-1] for line in log.read_text().splitlines()] if log.exists() else []


@pytest.mark.parametrize("gb, wanted, change, words", [
    (0, "3.99", "", r"pixelsim needs Python 3\.99 or newer, but .* is Python \d+\.\d+\.\d+: .*PYTHON=.*py -3\.12"),
    (999999, "3.10", "", r"\d+\.\d GB are free in .*, and the installation may need 999999 GB: .*MIN_FREE_GB="),
    (0, "3.10", "a file", r"cannot make .*\.venv, as said above: delete it")])
def test_what_is_wrong_is_told_in_a_line(repo, gb, wanted, change, words):
    "An old Python (by what pyproject.toml says), a full disk, something in the place of .venv; what is there stays."
    pyproject = repo / "pyproject.toml"
    pyproject.write_text(pyproject.read_text(encoding="utf-8").replace('">=3.10"', f'">={wanted}"'), encoding="utf-8")
    if change: (repo / ".venv").write_text("mine")
    got = set_up(repo, MIN_FREE_GB=gb)
    assert got.status == 1 and re.match(words, got.errors[-1]) and (change or len(got.errors) == 1)
    assert (repo / ".venv").read_text() == "mine" if change else not (repo / ".venv").exists()


def test_missing_ensurepip(repo):
    "Debian splits the standard library: the line names the package to install."
    got = run(sys.executable, "-c", WITHOUT_ENSUREPIP, cwd=repo)
    assert got.status == 1 and len(got.errors) == 1 and "ensurepip" in got.errors[0] and "sudo apt install python3-venv" in got.errors[0]


def test_old_pythons_can_read_them(repo):
    "By their grammar the scripts are for Python 3.6; those of the old ones that are on this machine give the one line."
    with pytest.raises(SyntaxError): ast.parse("(x := 1)", feature_version=(3, 6))
    for name in ("setup_env", "do"): ast.parse((repo / f"tools/{name}.py").read_text(encoding="utf-8"), feature_version=(3, 6))
    for python in [path for minor in range(6, 10) if (path := shutil.which(f"python3.{minor}"))]:
        if run(python, "-c", "", cwd=repo).status: continue  # a name and nothing behind it
        got = run(python, "tools/do.py", "course", cwd=repo)
        assert (got.status, len(got.errors), got.out) == (1, 1, "") and "pixelsim needs Python 3.10 or newer" in got.errors[0], python


def test_nothing_is_done_twice(repo):
    "The first run installs; the next does nothing, whatever room there is; whoever has `dev` has `lab`, not the other way round."
    stand_in(repo)
    assert "some minutes" in set_up(repo).out
    assert set_up(repo, MIN_FREE_GB=999999) == SimpleNamespace(status=0, out="", errors=[])
    for extra in ("dev", "lab", "dev"): assert set_up(repo, extra).status == 0
    assert installed(repo) == [".[lab]", ".[dev]"]


@pytest.mark.parametrize("changed", ["settings.ini", "setup.py", "pyproject.toml", "the stamp of an older version"])
def test_a_change_installs_again(repo, changed):
    "Of what is read; and an older version's stamp told no wish for a PyTorch: what is there is not taken for the same, and nothing breaks."
    stand_in(repo)
    set_up(repo)
    stamp = repo / ".venv/pixelsim-lab.stamp"
    if "stamp" in changed: stamp.write_text("\n".join(["another", stamp.read_text().splitlines()[1]]))
    else: (repo / changed).write_text((repo / changed).read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    assert set_up(repo).status == 0 and installed(repo) == [".[lab]"] * 2


def test_pip_fails(repo):
    "What pip said, then the line; nothing vouches for what is half installed, not even what was whole before; the next run tries again."
    stand_in(repo)
    set_up(repo)
    stand_in_again = pip_folder(repo) / "__main__.py"
    stand_in_again.write_text(stand_in_again.read_text() + "print('no route to host', file=sys.stderr)\nsys.exit(7)")
    got = set_up(repo, "dev")
    assert got.status == 1 and got.errors[0] == "no route to host" and re.match(r"pip stopped with exit status 7, .*network", got.errors[1])
    set_up(repo)
    assert installed(repo) == [".[lab]", ".[dev]", ".[lab]"]


def no_pip(repo): shutil.rmtree(pip_folder(repo))
def moved(repo): (repo / ".venv/pixelsim-lab.stamp").write_text("of the same\n/elsewhere\nauto")
def itself(repo): no_pip(repo)


@pytest.mark.parametrize("damage", [no_pip, moved, itself], ids=lambda damage: damage.__name__)
def test_a_damaged_venv_is_made_anew(repo, damage):
    "With a real pip, which has no index to install from; so it is also when the damaged .venv is the active one."
    if os.name == "nt" and damage is itself: pytest.skip("Windows does not let a running Python be replaced; setup_env says so")
    stand_in(repo)
    set_up(repo)
    damage(repo)
    (repo / ".venv/left-over").touch()
    python = next((repo / ".venv").glob("[Sb]*/python*")) if damage is itself else sys.executable
    assert "pip stopped" in set_up(repo, python=python).errors[-1]
    assert not (repo / ".venv/left-over").exists() and len(installed(repo)) == 1
    assert run(next((repo / ".venv").glob("[Sb]*/python*")), "-m", "pip", "--version", cwd=repo).status == 0


# Which PyTorch

@pytest.fixture
def index(tmp_path):
    "The address of a package index made for the test: a torch and a torchvision that are nothing but a name and a version."
    for name in ("torch", "torchvision"):
        folder = tmp_path / "index" / name
        folder.mkdir(parents=True)
        with zipfile.ZipFile(folder / f"{name}-99.0+cpu-py3-none-any.whl", "w") as wheel:
            info = f"{name}-99.0+cpu.dist-info"
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 99.0+cpu\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
    with served(tmp_path / "index") as address: yield address


@pytest.mark.parametrize("wanted, card, answers, build, why", [
    ("auto", False, True, "cpu", "no NVIDIA card"), ("auto", True, True, "ordinary", "there is an NVIDIA card"), ("auto", False, False, "ordinary", "does not answer"),
    ("cpu", True, True, "cpu", "TORCH=cpu asks"), ("cpu", False, False, "ordinary", "does not answer"), ("cuda", False, True, "ordinary", "TORCH=cuda asks")])
def test_which_build_of_pytorch(wanted, card, answers, build, why, index, monkeypatch):
    "On Linux the one without CUDA where there is no card for it and its index answers, unless one is named; elsewhere there is no choice."
    monkeypatch.setattr(setup_env, "has_nvidia", lambda: card)
    got, said = setup_env.torch_build(wanted, index if answers else NOBODY, linux=True)
    assert got == build and why in said
    assert setup_env.torch_build(wanted, index, linux=False)[0] == "ordinary"


def test_a_build_that_does_not_exist(repo):
    got = set_up(repo, TORCH="gpu")
    assert got.status == 1 and got.errors == ["TORCH=gpu is none of TORCH=auto, TORCH=cpu and TORCH=cuda: leave it out, or choose one of them"]


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for nvidia-smi is a shell script")
@pytest.mark.parametrize("script, there", [("echo 'GPU 0: NVIDIA T4'", True), ("echo 'No devices found'", False), ("exit 9", False)])
def test_a_card_is_seen(script, there, tmp_path, monkeypatch):
    (tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert setup_env.has_nvidia() == there


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only for Linux there is a choice")
def test_the_small_build_comes_from_its_own_index(repo, index):
    "With a real pip; all the rest comes from the ordinary index, which is not there, so the installation does not succeed."
    got = set_up(repo, TORCH="cpu", TORCH_INDEX=index, PIP_NO_INDEX="0", PIP_INDEX_URL=NOBODY, PIP_CONFIG_FILE=os.devnull, PIP_RETRIES="0")
    assert "PyTorch: the build without CUDA, since TORCH=cpu asks for it" in got.out and "pip stopped" in got.errors[-1]
    found = run(next((repo / ".venv").glob("bin/python")), "-m", "pip", "list", "--format=freeze", cwd=repo).out.split()
    assert {"torch==99.0+cpu", "torchvision==99.0+cpu"} <= set(found)


def test_another_build_is_another_installation(repo):
    "Whoever asks for a build gets it, and after that nobody need ask again."
    stand_in(repo)
    for torch in ("auto", "cuda"): set_up(repo, TORCH=torch)
    stand_in(repo)
    for torch in ("cuda", "cuda", "auto"): set_up(repo, TORCH=torch)
    assert installed(repo) == [".[lab]"] * 2


# Which installer

def test_where_uv_may_not_run_pip_installs(monkeypatch):
    "As where the rules of a company forbid it."
    asked = []
    def call(command, **_):
        if command[0] == "uv": raise PermissionError("blocked by your administrator")
        return asked.append(command) or 0
    monkeypatch.setattr(setup_env, "installers", lambda: [["uv"], ["pip", "install"]])
    monkeypatch.setattr(setup_env.subprocess, "call", call)
    setup_env.install("lab", "cuda", "")
    assert asked == [["pip", "install", "--editable", ".[lab]"]]


@pytest.mark.parametrize("settings, first", [("", "uv"), ("install.user='false'", "uv"), ("global.index-url='https://x'", "pip"), (":env:.no-index='1'", "pip")])
def test_uv_unless_pip_has_settings(settings, first, monkeypatch):
    "uv knows nothing of an index or a folder of wheels that pip has been told of."
    monkeypatch.setattr(setup_env.subprocess, "run", lambda *args, **kwargs: SimpleNamespace(stdout=settings.encode()))
    monkeypatch.setattr(setup_env.shutil, "which", lambda name: "uv")
    commands = list(setup_env.installers())
    assert [Path(command[0]).name if command[0] == "uv" else "pip" for command in commands] == ["uv", "pip"][first == "pip":]


# Windows, as far as it can be tried elsewhere

def test_a_path_that_is_too_long_for_windows(capsys):
    setup_env.check_place("C:\\" + "a" * 86, windows=True)
    with pytest.raises(SystemExit, match="too long a path for Windows, .* at most 89, for example"): setup_env.check_place("C:\\" + "a" * 87, windows=True)
    setup_env.check_place("/" + "a" * 200, windows=False)
    assert capsys.readouterr().out == ""
    setup_env.check_place("C:\\Users\\Zoë\\OneDrive - School\\pixelsim", windows=True)
    assert "is in OneDrive" in capsys.readouterr().out


# tools/do.py and the Makefile

def test_the_list_of_tasks(repo):
    "With no task, and on a console that knows ASCII only, it is the list of them; the Makefile has the same."
    got = run(sys.executable, "tools/do.py", cwd=repo, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert got.status == 0 and [line.split()[0] for line in got.out.splitlines()[2:] if line and "=" not in line.split()[0]] == list(do.TASKS) and len(do.TASKS) > 7
    assert re.search(r"^TASKS := (.*)$", (repo / "Makefile").read_text(encoding="utf-8"), flags=re.M)[1].split() == list(do.TASKS)


@pytest.mark.parametrize("words, error", [
    (["cours"], "there is no task cours: the tasks are help, course, "), (["course", "TOCH=cpu"], "there is no setting TOCH: the settings are PYTHON, TORCH, "),
    (["course", "MIN_FREE_GB=999999"], "GB are free in "), (["course", "PYTHON=no-such-python"], "the command no-such-python is missing or does not run"),
    (["digits", "FROM=no-such-folder"], "There is no folder 'no-such-folder'")])
def test_a_task_stops_at_one_line(repo, words, error):
    "Before any lesson is run, and with nothing installed; a task says first what it is about to do."
    got = run(sys.executable, "tools/do.py", *words, cwd=repo)
    assert got.status != 0 and len(got.errors) == 1 and error in got.errors[0]
    assert got.out == ("" if error.startswith("there is no ") else f"{words[0]}: {do.TASKS[words[0]].__doc__}\n")


def test_tasks_go_on_with_the_python_of_the_venv(repo):
    "A .venv that works is kept, whatever Python runs the task, and one that names another Python gets that; a damaged one is made with the running one."
    stand_in(repo)
    probe = repo / "tools/setup_env.py"
    probe.write_text(probe.read_text(encoding="utf-8").replace("def main():", "def main():\n    sys.exit(sys.prefix)"), encoding="utf-8")
    venv_python = next((repo / ".venv").glob("[Sb]*/python*"))
    def asks(*words): return run(sys.executable, "tools/do.py", "course", *words, cwd=repo).errors
    assert asks() == [str(repo / ".venv")] and asks(f"PYTHON={sys.executable}") == [sys.prefix]
    no_pip(repo)
    assert venv_python.exists() and asks() == [sys.prefix]


@needs_make
def test_make_is_a_front(repo):
    "`make` alone is the list; settings reach the task; a command that is missing is told in a line."
    assert run(MAKE, cwd=repo).out == run(sys.executable, "tools/do.py", cwd=repo).out
    elsewhere = repo / "Anna's Python" / Path(sys.executable).name
    elsewhere.parent.mkdir()
    elsewhere.symlink_to(sys.executable)
    for python in (sys.executable, elsewhere):
        got = run(MAKE, "course", f"PYTHON={Path(python).as_posix()}", "MIN_FREE_GB=999999", cwd=repo)
        assert got.status != 0 and len(got.errors) == 1 and "may need 999999 GB" in got.errors[0]
    got = run(MAKE, "course", "PYTHON=no-such-python", cwd=repo)
    assert got.status != 0 and len(got.errors) == 1 and "no-such-python is missing" in got.errors[0]
