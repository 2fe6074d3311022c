"""Makes .venv and installs pixelsim in it so that you can edit it. Needs nothing but a Python.

    python3 tools/setup_env.py course     what the lessons need
    python3 tools/setup_env.py dev        that, and what the tests need

If nothing has changed since it last succeeded it does nothing, so every `make` command starts with it.
An old Python has to be told that it is old: keep to the syntax of Python 2.7.
"""
from __future__ import print_function

import argparse
import collections
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "Scripts", "python.exe") if os.name == "nt" else os.path.join(VENV, "bin", "python")
STAMPS = {extra: os.path.join(VENV, "pixelsim-" + extra + ".stamp") for extra in ("course", "dev")}
NEED_GB = 12 if sys.platform.startswith("linux") else 4  # PyTorch for Linux brings its CUDA libraries, and pip keeps a copy


def stop(message):
    "Leave, with one line that says what is wrong and what to do."
    sys.stderr.write(message + "\n")
    sys.exit(1)


def read(name):
    "The text of a file of the repository."
    with io.open(os.path.join(ROOT, name), encoding="utf-8") as file: return file.read()


def check_python(version=sys.version_info):
    "Stop if Python is older than `pyproject.toml` allows."
    oldest = re.search(r'requires-python = ">=(\d+)\.(\d+)"', read("pyproject.toml")).groups()
    if tuple(version[:2]) < tuple(map(int, oldest)):
        stop("pixelsim needs Python {}.{} or newer, but {} is Python {}.{}.{}: name a newer one, for example "
             "make course PYTHON=python3.12".format(*(oldest + (sys.executable,) + tuple(version[:3]))))


def check_venv_module():
    "Stop if Python came without the two modules that make virtual environments."
    try: import ensurepip, venv
    except ImportError as error:
        stop("this Python ({}) came without a part that makes virtual environments ({}): on Debian and Ubuntu run "
             "sudo apt install python3-venv (or python{}.{}-venv)".format(sys.executable, error, *sys.version_info[:2]))


def check_disk(need_gb):
    "Stop if the disk is too full for what will be installed."
    folder = VENV if os.path.isdir(VENV) else ROOT
    free_gb = shutil.disk_usage(folder).free / 1e9
    if free_gb < need_gb:
        stop("{:.1f} GB are free in {}, and the installation may need {:g} GB: make room, or if less will do say so, "
             "for example make course MIN_FREE_GB={:g}".format(free_gb, folder, need_gb, max(1, int(free_gb))))


def fingerprint():
    "SHA-256 of everything that decides what gets installed."
    parts = [read(name) for name in ("settings.ini", "setup.py", "pyproject.toml")] + ["%d.%d" % sys.version_info[:2]]
    return hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()


def stamps():
    "The stamps in .venv, by extra: the fingerprint of what was installed, and the folder it was installed in."
    return {extra: read(path).splitlines() for extra, path in STAMPS.items() if os.path.exists(path)}


def usable():
    "Has .venv got a Python of this version, with pip, and is it still where it was made? (It does not work elsewhere.)"
    code = "import pip, sys; sys.exit(sys.version_info[:2] != %r)" % (tuple(sys.version_info[:2]),)
    try: runs = subprocess.call([PYTHON, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError: return False
    return runs and all(stamp[1:] == [ROOT] for stamp in stamps().values())


def make_venv():
    "Make .venv anew, whatever is there."
    inside = os.path.normcase(os.path.realpath(sys.prefix)) == os.path.normcase(os.path.realpath(VENV))
    python = os.path.realpath(sys._base_executable) if inside else sys.executable  # a .venv cannot replace itself
    made = subprocess.run([python, "-m", "venv", "--clear", VENV], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if made.returncode:
        said = made.stdout.decode(errors="replace").strip().splitlines()[-1:]
        stop("cannot make {} ({}): delete it if it is there, and try again".format(VENV, *said or ["no reason given"]))


def show(text):
    "Put `text` in place of the line at the cursor, if someone is looking."
    width = shutil.get_terminal_size().columns - 1
    text = text.encode("ascii", "replace").decode()
    if sys.stdout.isatty(): print("\r" + text[:width].ljust(width), end="\r", flush=True)


def run_pip(*args):
    "Run pip in .venv and show what it is doing; returns its exit status and its last lines."
    pip = subprocess.Popen([PYTHON, "-m", "pip", "--disable-pip-version-check"] + list(args), cwd=ROOT,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace")
    last = collections.deque(maxlen=15)
    for line in pip.stdout:
        last.append(line.rstrip())
        if re.match(r"\s*(Collecting|Downloading|Building|Installing)\b", line): show(line.strip())
    show("")
    return pip.wait(), last


def install(extra):
    "Install pixelsim with `extra`, and stamp .venv when that is done and not before."
    for path in STAMPS.values():
        if os.path.exists(path): os.remove(path)
    start = time.time()
    print("Installing pixelsim and what it needs in .venv: the first time this takes some minutes", flush=True)
    status, last = run_pip("install", "--progress-bar", "off", "--editable", ".[" + extra + "]")
    if status:
        sys.stderr.write("\n".join(last) + "\n")
        stop("pip stopped with exit status {}, and says why above: check the network and run the same command again, "
             "or name another Python if a package is not made for {}.{}".format(status, *sys.version_info[:2]))
    with io.open(STAMPS[extra], "w", encoding="utf-8") as file: file.write(fingerprint() + "\n" + ROOT + "\n")
    print("Installed in {:.0f} seconds".format(time.time() - start))


def main(argv=None):
    check_python()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("extra", choices=sorted(STAMPS))
    parser.add_argument("--min-free-gb", type=float, default=NEED_GB, help="the room it takes (default: %(default)s)")
    args = parser.parse_args(argv)
    ready = usable()
    if ready and [fingerprint(), ROOT] in [stamps().get(extra) for extra in (args.extra, "dev")]: return
    check_venv_module()
    check_disk(args.min_free_gb)
    if not ready: make_venv()
    install(args.extra)


if __name__ == "__main__":
    try: main()
    except KeyboardInterrupt: stop("\nStopped before everything was installed: run the same command again")
