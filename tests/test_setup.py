"Setting up: `tools/setup_env.py` and the Makefile. Nothing is installed here: pip is a stand-in, or is never reached."
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[1]
READS = ["Makefile", "pyproject.toml", "settings.ini", "setup.py", "tools/setup_env.py"]
MAKE = shutil.which("make")
needs_make = pytest.mark.skipif(not MAKE, reason="there is no make on PATH, so the Makefile is not tested")


@pytest.fixture
def repo(tmp_path):
    "A repository of nothing but what setting up reads."
    for name in READS:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def setup_env(repo):
    "The copy's `setup_env.py` as a module, so that its .venv is the copy's too."
    spec = importlib.util.spec_from_file_location("setup_env", repo / "tools/setup_env.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*command, cwd):
    "What `command` gives: exit status, stdout, and the lines of stderr but for make's own that it failed."
    ours = ("PYTHON", "MIN_FREE_GB", "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS")  # if make runs these tests
    env = {key: value for key, value in os.environ.items() if key not in ours}
    env["PIP_NO_INDEX"] = "1"  # should a check be missing, let pip fail at once and not fill the disk
    command = [*map(str, command)]
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, encoding="utf-8", errors="replace")
    errors = [line for line in done.stderr.splitlines() if not re.match(r"\S*make\S*: \*\*\* ", line)]
    return SimpleNamespace(status=done.returncode, out=done.stdout, errors=errors)


def stand_in(repo, pip=""):
    "Make a .venv in `repo`, whose pip is the Python code `pip`; each run of it adds a line to the file `pip-runs`."
    venv.create(repo / ".venv", clear=True, with_pip=False, symlinks=os.name != "nt")
    package = next((repo / ".venv").glob("[Ll]ib/**/site-packages")) / "pip"
    package.mkdir()
    (package / "__init__.py").touch()
    count = "import sys\nwith open('pip-runs', 'a') as f: print(*sys.argv[1:], file=f)\n"
    (package / "__main__.py").write_text(count + pip)


def pip_runs(repo):
    "How pip was run in `repo`, each time."
    return (repo / "pip-runs").read_text().splitlines() if (repo / "pip-runs").exists() else []


def set_up(repo, *args, python=sys.executable): return run(python, "tools/setup_env.py", *args, cwd=repo)


def stamps(repo): return {path.name for path in (repo / ".venv").glob("*.stamp")}


# What can be wrong with the machine: one line, exit status 1

def test_old_python_is_told_so(setup_env, capsys):
    "A version below pyproject's is refused in one line that names it; pyproject's own is not."
    setup_env.check_python((3, 10, 0))
    with pytest.raises(SystemExit) as stopped: setup_env.check_python((3, 6, 15))
    lines = capsys.readouterr().err.splitlines()
    assert stopped.value.code == 1 and len(lines) == 1
    assert "3.10 or newer" in lines[0] and "3.6.15" in lines[0] and "make course PYTHON=" in lines[0]


def test_the_oldest_python_is_read_from_pyproject(repo):
    "The version is not repeated in the script, and the script looks at it before anything else."
    pyproject = repo / "pyproject.toml"
    pyproject.write_text(pyproject.read_text(encoding="utf-8").replace('">=3.10"', '">=3.99"'), encoding="utf-8")
    got = set_up(repo, "course", "--min-free-gb", 999999)
    assert got.status == 1 and len(got.errors) == 1 and "needs Python 3.99 or newer" in got.errors[0]


def version(command):
    "The version of the Python that `command` runs, or None if it does not run one."
    code = "import sys; print('%d.%d.%d' % sys.version_info[:3])"
    try: found = subprocess.run([command, "-c", code], capture_output=True, text=True)
    except OSError: return None
    return found.stdout.strip() if found.returncode == 0 else None


def test_real_old_pythons_are_told_so(repo):
    "The whole script runs on a Python that is too old, even on 2.7, and gives the one line."
    names = ["python", "python2", "python2.7", *(f"python3.{minor}" for minor in range(4, 10))]
    old = {name: version(name) for name in names if shutil.which(name)}
    old = {name: found for name, found in old.items() if found and tuple(map(int, found.split(".")[:2])) < (3, 10)}
    if not old: pytest.skip("no Python older than 3.10 is on PATH, so the script was not run by one")
    for name, found in old.items():
        got = set_up(repo, "course", python=name)
        assert (got.status, len(got.errors), got.out) == (1, 1, ""), name
        assert f"is Python {found}:" in got.errors[0]


def test_missing_ensurepip(repo):
    "Debian splits the standard library: the line names the package to install."
    code = ("import runpy, sys; sys.modules['ensurepip'] = None; sys.argv[1:] = ['course']; "
            "runpy.run_path('tools/setup_env.py', run_name='__main__')")
    got = run(sys.executable, "-c", code, cwd=repo)
    assert got.status == 1 and len(got.errors) == 1
    assert "ensurepip" in got.errors[0] and "sudo apt install python3-venv" in got.errors[0]
    assert not (repo / ".venv").exists()


def test_too_little_disk(repo):
    "The line has what is free, what is needed, and the way round; nothing was made."
    got = set_up(repo, "course", "--min-free-gb", 999999)
    assert got.status == 1 and len(got.errors) == 1
    assert re.match(r"\d+\.\d GB are free in .* may need 999999 GB: .*MIN_FREE_GB=", got.errors[0])
    assert not (repo / ".venv").exists()


def test_disk_does_not_matter_when_nothing_is_to_be_installed(repo):
    "A full disk does not keep anyone from lessons that are installed."
    stand_in(repo)
    assert set_up(repo, "course", "--min-free-gb", 0).status == 0
    assert set_up(repo, "course", "--min-free-gb", 999999).status == 0


def test_venv_that_cannot_be_made(repo):
    "A file in the place of .venv: one line, and the file is still there."
    (repo / ".venv").write_text("mine")
    got = set_up(repo, "course", "--min-free-gb", 0)
    assert got.status == 1 and len(got.errors) == 1 and "cannot make" in got.errors[0]
    assert (repo / ".venv").read_text() == "mine"


def test_pip_fails(repo):
    "The end of what pip said, then the one line; no stamp is left, not even an older one; the next run tries again."
    stand_in(repo, "for i in range(30): print('line', i)\nprint('no route to host', file=sys.stderr)\nsys.exit(7)")
    (repo / ".venv/pixelsim-course.stamp").write_text(f"of other requirements\n{os.path.realpath(repo)}\n")
    got = set_up(repo, "course", "--min-free-gb", 0)
    assert got.status == 1
    assert got.errors[:-1] == [*(f"line {i}" for i in range(16, 30)), "no route to host"]
    assert "exit status 7" in got.errors[-1] and "network" in got.errors[-1]
    assert stamps(repo) == set()
    set_up(repo, "course", "--min-free-gb", 0)
    assert len(pip_runs(repo)) == 2


# What a stamp vouches for

def test_second_run_runs_no_pip(repo):
    "The first run installs and says so in two lines; the second does nothing and says nothing."
    stand_in(repo, "print('Collecting torch')")
    first = set_up(repo, "course", "--min-free-gb", 0)
    assert (first.status, first.errors, len(first.out.splitlines())) == (0, [], 2)
    second = set_up(repo, "course", "--min-free-gb", 0)
    assert (second.status, second.errors, second.out) == (0, [], "")
    runs = pip_runs(repo)
    assert len(runs) == 1 and runs[0].endswith("--editable .[course]")


@pytest.mark.parametrize("name", ["settings.ini", "setup.py", "pyproject.toml"])
def test_a_change_installs_again(repo, name):
    "Each file that says what to install counts."
    stand_in(repo)
    set_up(repo, "course", "--min-free-gb", 0)
    with (repo / name).open("a") as file: file.write("\n# changed\n")
    set_up(repo, "course", "--min-free-gb", 0)
    assert len(pip_runs(repo)) == 2


def test_dev_includes_course(repo):
    "Whoever has `dev` has `course`; not the other way round."
    stand_in(repo)
    for extra in ("course", "dev", "course", "dev"): assert set_up(repo, extra, "--min-free-gb", 0).status == 0
    assert [line.split()[-1] for line in pip_runs(repo)] == [".[course]", ".[dev]"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals in Python's standard library")
def test_one_line_that_changes_on_a_terminal(repo):
    "On a terminal what pip is doing takes the place of what it did before."
    import pty
    stand_in(repo, "print('Collecting torch'); print('noise'); print('  Downloading torch.whl (500 MB)')")
    ours, its = pty.openpty()
    command = [sys.executable, "tools/setup_env.py", "course", "--min-free-gb", "0"]
    subprocess.run(command, cwd=repo, stdout=its, check=True)
    shown = os.read(ours, 10000).decode()
    for end in (ours, its): os.close(end)
    assert shown.count("\n") == 2 and "noise" not in shown
    assert re.search(r"\rCollecting torch *\r\rDownloading torch.whl \(500 MB\) *\r\r *\rInstalled", shown)


# A .venv that is not whole

def no_python(repo, setup_env, monkeypatch): Path(setup_env.PYTHON).unlink()
def no_pip(repo, setup_env, monkeypatch): shutil.rmtree(next((repo / ".venv").glob("[Ll]ib/**/site-packages")) / "pip")
def moved(repo, setup_env, monkeypatch): monkeypatch.setattr(setup_env, "ROOT", str(repo / "elsewhere"))
def other_version(repo, setup_env, monkeypatch):
    monkeypatch.setattr(setup_env, "sys", SimpleNamespace(version_info=(3, 99, 0), platform=sys.platform))


@pytest.mark.parametrize("damage", [no_python, no_pip, moved, other_version], ids=lambda damage: damage.__name__)
def test_damage_is_noticed(repo, setup_env, monkeypatch, damage):
    "Each of these needs a new .venv; before the damage the same .venv is fine."
    stand_in(repo)
    set_up(repo, "course", "--min-free-gb", 0)
    assert setup_env.usable()
    damage(repo, setup_env, monkeypatch)
    assert not setup_env.usable()


def test_half_made_venv_is_made_anew(repo, setup_env, monkeypatch):
    "The real thing, with a real pip in the end (which is not run): what was left is cleared, and pip is asked once."
    stand_in(repo)
    no_pip(repo, setup_env, monkeypatch)
    (repo / ".venv/left-over").touch()
    runs = []
    monkeypatch.setattr(setup_env, "run_pip", lambda *args: (runs.append(args) or 0, []))
    for _ in range(2): setup_env.main(["course", "--min-free-gb", "0"])
    assert len(runs) == 1 and not (repo / ".venv/left-over").exists()
    assert run(setup_env.PYTHON, "-m", "pip", "--version", cwd=repo).status == 0


@pytest.mark.skipif(os.name == "nt", reason="Windows does not let a running Python be replaced; setup_env says so")
def test_half_made_venv_makes_itself_anew(repo, setup_env, monkeypatch):
    "With the damaged .venv activated, `python3` is its own Python; the new one is made with that which it came from."
    stand_in(repo)
    no_pip(repo, setup_env, monkeypatch)
    code = ("import sys; sys.path.insert(0, 'tools'); import setup_env; setup_env.run_pip = lambda *args: (0, []); "
            "setup_env.main(['course', '--min-free-gb', '0'])")
    assert run(setup_env.PYTHON, "-c", code, cwd=repo).status == 0
    assert run(setup_env.PYTHON, "-m", "pip", "--version", cwd=repo).status == 0


# The Makefile

@needs_make
def test_help_lists_every_target(repo):
    "`make` alone is `make help`, and no target is missing from it."
    rules = re.findall(r"^([\w-]+):", (repo / "Makefile").read_text(encoding="utf-8"), flags=re.M)
    assert {"help", "course", "lab", "test", "export", "save", "digits", "clean"} <= {*rules}
    got = run(MAKE, cwd=repo)
    assert got.status == 0 and got.out == run(MAKE, "help", cwd=repo).out
    assert [line.split()[1] for line in got.out.splitlines()] == rules


@needs_make
def test_make_course_with_too_little_disk(repo):
    "make stops at the one line, before any lesson is run."
    got = run(MAKE, "course", f"PYTHON={Path(sys.executable).as_posix()}", "MIN_FREE_GB=999999", cwd=repo)
    assert got.status != 0 and len(got.errors) == 1 and "may need 999999 GB" in got.errors[0]
    assert "make lab" not in got.out


@needs_make
def test_missing_python(repo):
    "A command that is not there: one line that names it."
    got = run(MAKE, "course", "PYTHON=no-such-python", cwd=repo)
    assert got.status != 0 and len(got.errors) == 1 and "no-such-python is missing" in got.errors[0]


@needs_make
def test_digits_need_a_folder(repo):
    "`make digits` without its folder says so, and installs nothing."
    got = run(MAKE, "digits", "FROM=no-such-folder", cwd=repo)
    assert got.status != 0 and len(got.errors) == 1 and "no-such-folder" in got.errors[0]


@needs_make
def test_make_goes_on_with_the_python_of_the_venv(repo, setup_env, monkeypatch):
    "After `make course PYTHON=python3.12` a plain `make lab` does not build .venv again with another Python."
    assert "python3 tools/setup_env.py course" in run(MAKE, "-n", "lab", cwd=repo).out
    stand_in(repo)
    its = Path(setup_env.PYTHON).relative_to(setup_env.ROOT).with_suffix("").as_posix()
    assert f"{its} tools/setup_env.py course" in run(MAKE, "-n", "lab", cwd=repo).out
    no_pip(repo, setup_env, monkeypatch)
    assert "python3 tools/setup_env.py course" in run(MAKE, "-n", "lab", cwd=repo).out
