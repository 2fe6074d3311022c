"""Makes .venv and installs pixelsim in it so that you can edit it. Needs nothing but a Python.

    python3 tools/setup_env.py course     what the lessons need
    python3 tools/setup_env.py dev        that, and what the tests need

If nothing has changed since it last succeeded it does nothing and needs no network, so every `make` command starts with it.
An old Python has to be told that it is old, so this keeps to the syntax of Python 3.6.
"""
import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
EXTRAS = ["course", "dev"]
RUNNING = "{}.{}".format(*sys.version_info[:2])
NEED_GB = 12 if sys.platform.startswith("linux") else 4  # PyTorch for Linux brings its CUDA libraries, and pip keeps a copy


def check_python(version=sys.version_info[:3]):
    "Stop if Python is older than `pyproject.toml` allows."
    oldest = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))[1]
    if version < tuple(map(int, oldest.split("."))):
        sys.exit(f"pixelsim needs Python {oldest} or newer, but {sys.executable} is Python {'.'.join(map(str, version))}: "
                 "name a newer one, for example make course PYTHON=python3.12")


def check_disk(need_gb):
    "Stop if the disk is too full for what will be installed."
    free_gb = shutil.disk_usage(str(ROOT)).free / 1e9
    if free_gb < need_gb:
        sys.exit(f"{free_gb:.1f} GB are free in {ROOT}, and the installation may need {need_gb:g} GB: make room, or if less "
                 f"will do say so, for example make course MIN_FREE_GB={max(1, int(free_gb))}")


def usable():
    "Has .venv got a Python of this version, with pip?"
    code = f"import pip, sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    try: return subprocess.call([str(PYTHON), "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError: return False


def make_venv():
    "Make .venv anew, whatever is there, with the Python that the running one came from: a .venv cannot replace itself."
    try: import ensurepip, venv  # noqa: F401
    except ImportError as error:
        sys.exit(f"this Python ({sys.executable}) came without a part that makes virtual environments ({error}): "
                 f"on Debian and Ubuntu run sudo apt install python3-venv (or python{RUNNING}-venv)")
    if subprocess.call([os.path.realpath(sys._base_executable), "-m", "venv", "--clear", str(VENV)]):
        sys.exit(f"cannot make {VENV}, as said above: delete it if it is there, and try again")


def main():
    check_python()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("extra", choices=EXTRAS)
    parser.add_argument("--min-free-gb", type=float, default=NEED_GB, help="the room it takes (default: %(default)s)")
    args = parser.parse_args()
    # A stamp says what was installed, for which Python, and where: a .venv that was moved does not work
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in ("settings.ini", "setup.py", "pyproject.toml")]
    stamp = [hashlib.sha256("\0".join([*texts, RUNNING]).encode()).hexdigest(), str(ROOT)]
    paths = {extra: VENV / f"pixelsim-{extra}.stamp" for extra in EXTRAS}
    stamps = {extra: path.read_text(encoding="utf-8").splitlines() for extra, path in paths.items() if path.exists()}
    ready = usable() and all(where == str(ROOT) for _, where in stamps.values())
    if ready and stamp in (stamps.get(args.extra), stamps.get("dev")): return
    check_disk(args.min_free_gb)
    if not ready: make_venv()
    for path in paths.values(): path.unlink(missing_ok=True)
    print("Installing pixelsim and what it needs in .venv: the first time this takes some minutes", flush=True)
    status = subprocess.call([str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--editable", f".[{args.extra}]"], cwd=str(ROOT))
    if status:
        sys.exit(f"pip stopped with exit status {status}, and says why above: check the network and run the same command again, "
                 f"or name another Python if a package is not made for {RUNNING}")
    paths[args.extra].write_text("\n".join(stamp), encoding="utf-8")


if __name__ == "__main__":
    try: main()
    except KeyboardInterrupt: sys.exit("\nStopped before everything was installed: run the same command again")
