"""Runs the lessons where others run them: with the oldest versions that are allowed, and with what Colab and Kaggle have installed.

    python tools/elsewhere.py floors       the oldest versions by settings.ini on the oldest Python; the tests of the library too
    python tools/elsewhere.py colab        the versions in tools/elsewhere/colab.txt, on the Python that it names
    python tools/elsewhere.py kaggle       the same for Kaggle

Each gets an environment of its own in build/elsewhere. pip must not replace anything there when it installs pixelsim, or a notebook that somebody
else has open might fail. OTHER_PYTHON names the Python, where uv neither finds nor can fetch it.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import setup_env
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[1]
LISTS = Path(__file__).parent / "elsewhere"
HOME = ROOT / "build" / "elsewhere"
UV = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])) or "uv"
PLACES = ["floors", "colab", "kaggle"]
TESTS = ["hypothesis", "psutil", "pytest", "pytest-xdist", "scikit-learn"]
TRAINING = """
from fastai.vision.all import ImageDataLoaders, Learner, nn
from pixelsim.fastai_folder import mnist_sample_folder
loaders = ImageDataLoaders.from_folder(mnist_sample_folder(), bs=2048, num_workers=0)
learner = Learner(loaders, nn.Sequential(nn.Flatten(), nn.Linear(3*28*28, 2)), nn.CrossEntropyLoss())
with learner.no_bar(), learner.no_logging(): learner.fit(1, .01)
loss = learner.recorder.values[0][1]
assert loss < .3, loss  # who only guesses has ln 2, 0.69
print(f"fastai trains: loss {loss:.4f}")
"""


def run(*command, **kwargs):
    "Run the command, with none of our folders on its path; what it prints is shown, and its failure is ours."
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"FASTAI_HOME": str(HOME / "fastai")} | kwargs.pop("env", {})
    return subprocess.run([*map(str, command)], check=True, cwd=ROOT, env=env, encoding="utf-8", **kwargs).stdout


def uv(*words, **kwargs): return run(UV, *words, **kwargs)


def listed(text): return {need.name: need for line in text.splitlines() if line[:1].isalnum() for need in [Requirement(line)]}


def asked_for(place):
    "The Python of a place, as major.minor, and how its packages are pinned: by name."
    if place != "floors":
        text = (LISTS / f"{place}.txt").read_text(encoding="utf-8")
        return re.search(r"on Python (\d\.\d+)", text)[1], listed(text)
    oldest = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))[1]
    found = uv("pip", "compile", "--quiet", "--no-annotate", "--no-header", "--resolution", "lowest-direct", "--extra", "course", "--python-version", oldest,
               "pyproject.toml", stdout=subprocess.PIPE)
    return oldest, listed(found)


def replaced(pins, after):
    "What is there in another version than pinned, as text; a build without CUDA is the same version."
    return [f"{name} {pin.specifier} by {after[name].specifier}" for name, pin in pins.items() if name in after
            and not pin.specifier.contains(Version(next(iter(after[name].specifier)).version).public, prereleases=True)]


def install(python, *packages, torch):
    "Install packages with uv; those of `torch` come without CUDA where that is the build for this machine."
    index = os.environ.get("TORCH_INDEX") or setup_env.CPU_INDEX
    if setup_env.torch_build("auto", index)[0] == "cpu": uv("pip", "install", "--quiet", "--python", python, "--no-deps", "--index-url", index, *torch)
    uv("pip", "install", "--quiet", "--python", python, *packages)


def environment(place):
    "Make the environment of a place, install pixelsim in it with pip, and return its Python."
    version, pins = asked_for(place)
    folder = HOME / place
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    try: uv("venv", "--quiet", "--clear", "--seed", "--python", os.environ.get("OTHER_PYTHON") or version, folder)
    except subprocess.CalledProcessError: sys.exit(f"{place} is on Python {version}, and uv has none, as it says above: install it, and name it, OTHER_PYTHON=/path/to/python{version}")
    assert run(python, "-c", "import sys; print('{}.{}'.format(*sys.version_info[:2]))", stdout=subprocess.PIPE).strip() == version, f"{place} is on Python {version}"
    install(python, *pins.values(), torch=[pins[name] for name in ("torch", "torchvision")])
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"{ROOT}[course]")
    after = listed("\n".join(line for line in uv("pip", "freeze", "--python", python, stdout=subprocess.PIPE).splitlines() if " @ " not in line))
    if changed := replaced(pins, after): sys.exit(f"as on {place}, pip replaces {', '.join(changed)}: look at the floors in settings.ini")
    return python, pins


def kernels(place, python):
    "A folder in which Jupyter finds the kernel of this environment before any other."
    folder = HOME / f"{place}-kernels"
    run(python, "-m", "ipykernel", "install", "--prefix", folder, "--name", "python3", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return folder / "share" / "jupyter"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("place", choices=PLACES)
    place = parser.parse_args().place
    print(f"Installing the packages as on {place}: some minutes", flush=True)
    python, pins = environment(place)
    print(f"As on {place}: {', '.join(f'{name} {pins[name].specifier}' for name in ('torch', 'numpy', 'fastai', 'fastcore', 'ipywidgets'))}; pip replaced nothing", flush=True)
    run(sys.executable, "tools/lessons.py", env={"JUPYTER_PATH": str(kernels(place, python)), "PYTHONPATH": str(ROOT)})
    run(python, "-c", TRAINING)
    if place != "floors": return
    uv("pip", "install", "--quiet", "--python", python, *TESTS, *pins.values())
    run(python, "-m", "pytest", "-n", "logical", "tests/library")


if __name__ == "__main__":
    try: main()
    except subprocess.CalledProcessError as error: sys.exit(f"ended with exit status {error.returncode}: {' '.join(error.cmd[:6])} …")
