"""Makes .venv and installs pixelsim in it so that you can edit it. Needs nothing but a Python.

    python3 tools/setup_env.py lab      what the lessons need, and JupyterLab
    python3 tools/setup_env.py dev      that, and what the tests need

If nothing has changed since it last succeeded it does nothing and needs no network, so every task of tools/do.py starts with it.
Three settings come from the environment: TORCH=cpu or TORCH=cuda chooses the build of PyTorch, TORCH_INDEX is where the one without CUDA comes
from, and MIN_FREE_GB is the room on the disk that will do.
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
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
EXTRAS = ["lab", "dev"]
RUNNING = "{}.{}".format(*sys.version_info[:2])
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
NEED_GB = {"cpu": 3, "ordinary": 12 if sys.platform.startswith("linux") else 4}  # for Linux the ordinary PyTorch brings its CUDA libraries, and pip keeps a copy
ROOM = 170  # characters of the longest path in .venv, below the folder of the clone
PIP_ONLY = re.compile(r"\.(extra-index-url|index-url|no-index|find-links|constraint|proxy|cert|trusted-host)=")  # settings of pip that uv does not read


def check_python(version=sys.version_info[:3]):
    "Stop if Python is older than `pyproject.toml` allows."
    oldest = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))[1]
    if version < tuple(map(int, oldest.split("."))):
        sys.exit(f"pixelsim needs Python {oldest} or newer, but {sys.executable} is Python {'.'.join(map(str, version))}: "
                 "install a newer one from https://www.python.org/downloads/, and name it, for example PYTHON=python3.12 (on Windows: begin with py -3.12)")


def check_place(root=str(ROOT), windows=os.name == "nt"):
    "Stop where Windows would not find its own files again; say what makes a folder slow."
    if windows and len(root) + ROOM > 259:
        sys.exit(f"{root} is too long a path for Windows, which allows 259 characters for it and all that comes below: "
                 f"move the folder to where its path has at most {259 - ROOM}, for example C:\\pixelsim")
    if "onedrive" in root.lower():
        print(f"{root} is in OneDrive, which will copy thousands of files: a folder outside, for example C:\\pixelsim, is faster", flush=True)


def check_disk(need_gb):
    "Stop if the disk is too full for what will be installed."
    free_gb = shutil.disk_usage(str(ROOT)).free / 1e9
    if free_gb < need_gb:
        sys.exit(f"{free_gb:.1f} GB are free in {ROOT}, and the installation may need {need_gb:g} GB: make room, or if less "
                 f"will do say so, MIN_FREE_GB={max(1, int(free_gb))}")


def has_nvidia():
    "Is there a graphics card that PyTorch's CUDA libraries are for?"
    try: return subprocess.check_output(["nvidia-smi", "-L"], stderr=subprocess.DEVNULL).startswith(b"GPU ")
    except (OSError, subprocess.CalledProcessError): return False


def reachable(index):
    "Does the package index answer?"
    try: return urlopen(Request(f"{index}/torch/", method="HEAD"), timeout=10).status == 200
    except (OSError, ValueError): return False


def torch_build(wanted, index, linux=sys.platform.startswith("linux")):
    "Which build of PyTorch to install, `cpu` or `ordinary`, and why."
    if wanted not in ("auto", "cpu", "cuda"): sys.exit(f"TORCH={wanted} is none of TORCH=auto, TORCH=cpu and TORCH=cuda: leave it out, or choose one of them")
    if not linux: return "ordinary", "it is small on this system"
    if wanted == "cuda": return "ordinary", "TORCH=cuda asks for it"
    if wanted == "auto" and has_nvidia(): return "ordinary", "there is an NVIDIA card; TORCH=cpu leaves the libraries for it out"
    if not reachable(index): return "ordinary", f"{index} does not answer"
    return "cpu", "TORCH=cpu asks for it" if wanted == "cpu" else "there is no NVIDIA card; TORCH=cuda brings the libraries for one"


def works(*condition):
    "Has .venv got a Python that works, with pip, and fulfils the condition?"
    try: return subprocess.call([str(PYTHON), "-c", f"import pip, sys; sys.exit(not ({' and '.join(condition) or True}))"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError: return False


def make_venv():
    "Make .venv anew, whatever is there, with the Python that the running one came from: a .venv cannot replace itself."
    try: import ensurepip, venv  # noqa: F401
    except ImportError as error:
        sys.exit(f"this Python ({sys.executable}) came without a part that makes virtual environments ({error}): "
                 f"on Debian and Ubuntu run sudo apt install python3-venv (or python{RUNNING}-venv)")
    if subprocess.call([os.path.realpath(sys._base_executable), "-m", "venv", "--clear", str(VENV)]):
        sys.exit(f"cannot make {VENV}, as said above: delete it if it is there, and try again")


def installers():
    "The commands that can install, the best first: uv, which is faster, unless pip has settings that uv would not know of; and pip."
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check"]
    said = subprocess.run([*pip, "config", "list"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode(errors="replace")
    if not PIP_ONLY.search(said):
        uv = shutil.which("uv")
        if not uv and subprocess.call([*pip, "install", "--quiet", "uv"], stderr=subprocess.DEVNULL) == 0: uv = str(PYTHON.with_name("uv"))
        if uv: yield [uv, "pip", "install", "--python", str(PYTHON)]
    yield [*pip, "install"]


def install(extra, build, index):
    "Install PyTorch without CUDA if that is the build, and then all the rest."
    def call(command):
        try: return subprocess.call(command, cwd=str(ROOT))
        except OSError as error:  # a company's rules may forbid uv
            print(error, flush=True)
            return 1
    for command in installers():
        if build == "cpu" and call([*command, "--no-deps", "--index-url", index, "torch", "torchvision"]):
            print("PyTorch without CUDA could not be installed, as said above: now the ordinary one", flush=True)
        status = call([*command, "--editable", f".[{extra}]"])
        if status == 0: return
    sys.exit(f"pip stopped with exit status {status}, and says why above: check the network and run the same command again, "
             f"or, if a package is not made for {RUNNING}, delete the folder .venv and begin with another Python, such as python3.12, or py -3.12 on Windows")


def main():
    check_python()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("extra", choices=EXTRAS)
    extra = parser.parse_args().extra
    wanted, index = os.environ.get("TORCH") or "auto", (os.environ.get("TORCH_INDEX") or CPU_INDEX).rstrip("/")
    # A stamp says what was installed, for which Python, where, and by which wish: a .venv that was moved does not work
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in ("settings.ini", "setup.py", "pyproject.toml")]
    stamp = [hashlib.sha256("\0".join([*texts, RUNNING]).encode()).hexdigest(), str(ROOT), wanted]
    paths = {extra: VENV / f"pixelsim-{extra}.stamp" for extra in EXTRAS}
    stamps = {extra: [*path.read_text(encoding="utf-8").splitlines(), "", "", ""][:3] for extra, path in paths.items() if path.exists()}  # of an older version shorter
    ready = works(f"sys.version_info[:2] == {sys.version_info[:2]}") and all(
        where == str(ROOT) and wanted in ("auto", wish) for _, where, wish in stamps.values())
    if ready and stamp[:2] in [known[:2] for known in (stamps.get(extra, []), stamps.get("dev", []))]: return
    check_place()
    build, why = torch_build(wanted, index)
    check_disk(float(os.environ.get("MIN_FREE_GB") or NEED_GB[build]))
    if not ready: make_venv()
    for path in paths.values(): path.unlink(missing_ok=True)
    print("Installing pixelsim and what it needs in .venv: the first time this takes some minutes", flush=True)
    print(f"PyTorch: the build {'without CUDA' if build == 'cpu' else 'of the ordinary index'}, since {why}", flush=True)
    install(extra, build, index)
    paths[extra].write_text("\n".join(stamp), encoding="utf-8")


if __name__ == "__main__":
    try: main()
    except KeyboardInterrupt: sys.exit("\nStopped before everything was installed: run the same command again")
