"Setting up: `tools/setup_env.py` and the Makefile, in a copy of what they read. Nothing is installed: pip is a stand-in, or is never reached."
import ast
import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]
MAKE = shutil.which("make")
needs_make = pytest.mark.skipif(not MAKE, reason="there is no make on PATH, so the Makefile is not tested")
WITHOUT_ENSUREPIP = ("import runpy, sys; sys.modules['ensurepip'] = None; sys.argv[1:] = ['course', '--min-free-gb', '0']; "
                     "runpy.run_path('tools/setup_env.py', run_name='__main__')")


def run(*command, cwd):
    "What `command` gives: exit status, stdout, and the lines of stderr but for make's own that it failed."
    ours = ("PYTHON", "MIN_FREE_GB", "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS")  # if make runs these tests
    env = {key: value for key, value in os.environ.items() if key not in ours}
    env["PIP_NO_INDEX"] = "1"  # should a check be missing, let pip fail at once and not fill the disk
    done = subprocess.run([*map(str, command)], cwd=cwd, env=env, capture_output=True, encoding="utf-8", errors="replace")
    errors = [line for line in done.stderr.splitlines() if not re.match(r"\S*make\S*: \*\*\* ", line)]
    return SimpleNamespace(status=done.returncode, out=done.stdout, errors=errors)


@pytest.fixture
def repo(tmp_path):
    "A repository of nothing but what setting up reads; `set_up` runs the script in it."
    tree = tmp_path / "repo"
    for name in ("Makefile", "pyproject.toml", "settings.ini", "setup.py", "tools/setup_env.py"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    return tree


def set_up(repo, extra="course", gb=0, python=sys.executable): return run(python, "tools/setup_env.py", extra, "--min-free-gb", gb, cwd=repo)


def pip_folder(repo): return next((repo / ".venv").glob("[Ll]ib/**/site-packages")) / "pip"


def stand_in(repo, pip=""):
    "Make a .venv in `repo`, whose pip is the Python code `pip`; each run of it adds a line to the file `pip-runs`."
    venv.create(repo / ".venv", clear=True, with_pip=False, symlinks=os.name != "nt")
    pip_folder(repo).mkdir()
    (pip_folder(repo) / "__init__.py").touch()
    (pip_folder(repo) / "__main__.py").write_text(f"import sys\nwith open('pip-runs', 'a') as f: print(*sys.argv[1:], file=f)\n{pip}")


def installed(repo):
    "What pip was asked for in `repo`, each time."
    log = repo / "pip-runs"
    return [line.split()[-1] for line in log.read_text().splitlines()] if log.exists() else []


@pytest.mark.parametrize("gb, wanted, change, words", [
    (0, "3.99", "", r"pixelsim needs Python 3\.99 or newer, but .* is Python \d+\.\d+\.\d+: .*make course PYTHON="),
    (999999, "3.10", "", r"\d+\.\d GB are free in .*, and the installation may need 999999 GB: .*MIN_FREE_GB="),
    (0, "3.10", "a file", r"cannot make .*\.venv, as said above: delete it")])
def test_what_is_wrong_is_told_in_a_line(repo, gb, wanted, change, words):
    "An old Python (by what pyproject.toml says), a full disk, something in the place of .venv; what is there stays."
    pyproject = repo / "pyproject.toml"
    pyproject.write_text(pyproject.read_text(encoding="utf-8").replace('">=3.10"', f'">={wanted}"'), encoding="utf-8")
    if change: (repo / ".venv").write_text("mine")
    got = set_up(repo, gb=gb)
    assert got.status == 1 and re.match(words, got.errors[-1]) and (change or len(got.errors) == 1)
    assert (repo / ".venv").read_text() == "mine" if change else not (repo / ".venv").exists()


def test_missing_ensurepip(repo):
    "Debian splits the standard library: the line names the package to install."
    got = run(sys.executable, "-c", WITHOUT_ENSUREPIP, cwd=repo)
    assert got.status == 1 and len(got.errors) == 1 and "ensurepip" in got.errors[0] and "sudo apt install python3-venv" in got.errors[0]


def test_old_pythons_can_read_it(repo):
    "By its grammar the script is one for Python 3.6; those of the old ones that are on this machine give the one line."
    with pytest.raises(SyntaxError): ast.parse("(x := 1)", feature_version=(3, 6))
    ast.parse((repo / "tools/setup_env.py").read_text(encoding="utf-8"), feature_version=(3, 6))
    for python in [path for minor in range(6, 10) if (path := shutil.which(f"python3.{minor}"))]:
        if run(python, "-c", "", cwd=repo).status: continue  # a name and nothing behind it
        got = set_up(repo, python=python)
        assert (got.status, len(got.errors), got.out) == (1, 1, "") and "pixelsim needs Python 3.10 or newer" in got.errors[0], python


def test_nothing_is_done_twice(repo):
    "The first run installs; the next does nothing, whatever room there is; whoever has `dev` has `course`, not the other way round."
    stand_in(repo)
    assert "some minutes" in set_up(repo).out
    assert set_up(repo, gb=999999) == SimpleNamespace(status=0, out="", errors=[])
    for extra in ("dev", "course", "dev"): assert set_up(repo, extra).status == 0
    assert installed(repo) == [".[course]", ".[dev]"]


@pytest.mark.parametrize("name", ["settings.ini", "setup.py", "pyproject.toml"])
def test_a_change_installs_again(repo, name):
    stand_in(repo)
    for _ in range(2):
        set_up(repo)
        with (repo / name).open("a") as file: file.write("\n# changed\n")
    assert installed(repo) == [".[course]"] * 2


def test_pip_fails(repo):
    "What pip said, then the line; nothing vouches for what is half installed, not even what was whole before; the next run tries again."
    stand_in(repo)
    set_up(repo)
    stand_in_again = pip_folder(repo) / "__main__.py"
    stand_in_again.write_text(stand_in_again.read_text() + "print('no route to host', file=sys.stderr)\nsys.exit(7)")
    got = set_up(repo, "dev")
    assert got.status == 1 and got.errors[0] == "no route to host" and re.match(r"pip stopped with exit status 7, .*network", got.errors[1])
    set_up(repo)
    assert installed(repo) == [".[course]", ".[dev]", ".[course]"]


def no_python(repo): next((repo / ".venv").glob("[Sb]*/python*")).unlink()
def no_pip(repo): shutil.rmtree(pip_folder(repo))
def moved(repo): (repo / ".venv/pixelsim-course.stamp").write_text("of the same\n/elsewhere")
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


# The Makefile

@needs_make
def test_help_lists_every_target(repo):
    "`make` alone is `make help`, and no target is missing from it."
    rules = re.findall(r"^([\w-]+):", (repo / "Makefile").read_text(encoding="utf-8"), flags=re.M)
    got = run(MAKE, cwd=repo)
    assert got.status == 0 and got.out == run(MAKE, "help", cwd=repo).out
    assert [line.split()[1] for line in got.out.splitlines()] == rules and len(rules) > 7


@needs_make
@pytest.mark.parametrize("command, words", [
    (["course", f"PYTHON={Path(sys.executable).as_posix()}", "MIN_FREE_GB=999999"], "may need 999999 GB"),
    (["course", "PYTHON=no-such-python"], "no-such-python is missing"), (["digits", "FROM=no-such-folder"], "no-such-folder")])
def test_make_stops_at_one_line(repo, command, words):
    "Before any lesson is run, and with nothing installed."
    got = run(MAKE, *command, cwd=repo)
    assert got.status != 0 and len(got.errors) == 1 and words in got.errors[0] and "make lab" not in got.out


@needs_make
def test_make_goes_on_with_the_python_of_the_venv(repo):
    "After `make course PYTHON=python3.12` a plain `make lab` does not build .venv again with another Python."
    assert "python3 tools/setup_env.py course" in run(MAKE, "-n", "lab", cwd=repo).out
    stand_in(repo)
    assert re.search(r"\.venv/\w+/python tools/setup_env.py course", run(MAKE, "-n", "lab", cwd=repo).out)
    no_pip(repo)
    assert "python3 tools/setup_env.py course" in run(MAKE, "-n", "lab", cwd=repo).out
