"""Builds what a release publishes, in build/dist and build/kit, and checks it: nothing is published here.

    python tools/release.py           a dry run
    python tools/release.py v0.1.0    for this tag, which has to fit

The version stands in pixelsim/__init__.py; the changelog and CITATION.cff have to name it. The kit is unpacked, its wheel installed in an empty
environment, and lesson 1 of the copy that it brings is run there with no network.
"""
import os
import re
import shutil
import subprocess
import sys

import book
import docs
import elsewhere
import kit
from browser import MISSING, chromium
from pages import PageError
from pixelsim import __version__
from pixelsim.messages import distribution

ROOT = docs.ROOT
DIST = ROOT / "build" / "dist"
LESSON = "import nbformat, nbclient; nb = nbformat.read('01_pixels.ipynb', 4); nbclient.NotebookClient(nb, kernel_name='python3', extra_arguments=['--log-level=ERROR']).execute(); print('lesson 1 ran')"


def run(*command, **kwargs): subprocess.run([str(word) for word in command], check=True, **kwargs)


def troubles(tag=None):
    "What does not fit the version; with a tag, also what a dry run may leave open."
    text = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("CHANGELOG.md", "CITATION.cff", "pyproject.toml")}
    if not re.search(rf"^## {re.escape(__version__)}$", text["CHANGELOG.md"], flags=re.M): yield f"CHANGELOG.md has no heading ## {__version__}"
    if not re.search(rf'^version: "?{re.escape(__version__)}"?$', text["CITATION.cff"], flags=re.M): yield f"CITATION.cff does not say version: {__version__}"
    if not tag: return
    if tag != f"v{__version__}": yield f"the tag is {tag}, and the version {__version__}: it should be v{__version__}"
    if "/OWNER/" in text["pyproject.toml"]: yield "OWNER stands in pyproject.toml, under [project.urls]: write there who owns the repository"


def packages(target, *options):
    "Build wheel and sdist in the folder `target`, with these options of `build`; check them, and return their paths."
    shutil.rmtree(target, ignore_errors=True)
    run(sys.executable, "-m", "build", *options, "--outdir", target, ROOT, stdout=subprocess.DEVNULL)
    wheel, sdist = next(target.glob("*.whl")), next(target.glob("*.tar.gz"))
    run(sys.executable, "-m", "twine", "check", "--strict", wheel, sdist)
    run(sys.executable, "-m", "check_wheel_contents", "--ignore", "W002", wheel)  # the notice is beside the digits and among the licenses
    return wheel, sdist


def unpacked(archive, folder):
    "Unpack the kit in an empty folder, and return the folder that it makes there."
    shutil.rmtree(folder, ignore_errors=True)
    shutil.unpack_archive(archive, folder)
    return next(folder.iterdir())


def learn(commands, folder):
    "In the empty `folder`, copy the lessons with the `pixelsim` that is in the folder `commands`, and run lesson 1, with no network and none of our files."
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    run(commands / "pixelsim", "lessons", cwd=folder, env=env)
    offline = env | {"PYTHONPATH": str(ROOT / "tools" / "offline"), "FASTAI_HOME": str(folder / "fastai")}
    run(commands / "python", "-c", LESSON, cwd=folder / "pixelsim-lessons", env=offline)


def try_kit(archive, folder):
    "Unpack the kit in `folder`, install its wheel in an empty environment there, and run lesson 1."
    kit_folder, venv = unpacked(archive, folder), folder / "venv"
    commands = venv / ("Scripts" if os.name == "nt" else "bin")
    print("Installing the wheel of the kit, and all that it needs, in an empty environment: some minutes", flush=True)
    elsewhere.uv("venv", "--quiet", venv)
    elsewhere.install(commands / "python", f"{distribution()}[lab] @ {next(kit_folder.glob('*.whl')).as_uri()}", torch=["torch", "torchvision"])
    (folder / "empty").mkdir()
    learn(commands, folder / "empty")
    shutil.rmtree(folder)  # on Linux some gigabytes


def main(tag=None):
    if not chromium(): sys.exit(MISSING)
    if found := list(troubles(tag)): sys.exit("Not ready to be released: " + "; ".join(found))
    wheel, sdist = packages(DIST)
    site = docs.build(docs.repository())
    made = kit.make(site, book.make(site), wheel)
    try_kit(made, ROOT / "build" / "try")
    print(f"Ready: {wheel.name}, {sdist.name} and {made}")


if __name__ == "__main__":
    try: main(*sys.argv[1:])
    except (PageError, subprocess.CalledProcessError) as error: sys.exit(f"Not ready to be released: {error}")
