"""What there is to do with this repository, with nothing but a Python: on Windows, with no `make`, or with no terminal that speaks UTF-8.

    python3 tools/do.py                     the list
    python3 tools/do.py course              one of them
    python3 tools/do.py course TORCH=cpu    one of them, with a setting

`make course TORCH=cpu` is the same. An old Python has to be told that it is old, so this keeps to the syntax of Python 3.6.
"""
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import setup_env  # noqa: E402

ROOT, PYTHON = setup_env.ROOT, setup_env.PYTHON
ME = "py tools\\do.py" if os.name == "nt" else "python3 tools/do.py"
SETTINGS = {"PYTHON": "another Python to make .venv with", "TORCH": "cpu or cuda: the build of PyTorch", "TORCH_INDEX": "where the build without CUDA comes from",
            "MIN_FREE_GB": "the room on the disk that will do", "PORT": "where docs-serve shows the site, and app the page", "FROM": "the folder of MNIST's files for digits",
            "TAG": "the tag that release is for",
            "NOTEBOOK": "the notebook that app serves", "SHARE": "yes lets everyone in the network open app",
            "OTHER_PYTHON": "the Python for floors, colab and kaggle, if it is not found"}
TASKS = {}


def task(function):
    "A function as a task of that name."
    TASKS[function.__name__.replace("_", "-")] = function
    return function


def call(*command, fine=(0,)):
    "Run `command` in the root of the repository; end with its exit status if it fails."
    process = subprocess.Popen([str(word) for word in command], cwd=str(ROOT))
    while process.returncode is None:
        try: process.wait()
        except KeyboardInterrupt: pass  # it got the Ctrl-C as well, and Jupyter asks whether it was meant
    if process.returncode not in fine: sys.exit(process.returncode)


def set_up(extra):
    "See to it that .venv is there, with pixelsim and everything that `lab` or `dev` needs."
    python = os.environ.get("PYTHON") or (str(PYTHON) if setup_env.works() else sys.executable)
    try: call(python, ROOT / "tools" / "setup_env.py", extra)
    except OSError as error: sys.exit(f"the command {python} is missing or does not run ({error}): install Python from https://www.python.org/downloads/, or name yours, PYTHON=python3.12")


def python(*words): call(PYTHON, *words)


def command(name, *words): call(PYTHON.with_name(name), *words)


@task
def help():
    "Show this list"
    print(f"{ME} TASK [SETTING=value …]\n")
    for name, function in TASKS.items(): print(f"{name:10} {function.__doc__}")
    print()
    for name, says in SETTINGS.items(): print(f"{name + '=':12} {says}")


@task
def course():
    "Set everything up, run every lesson, and show what came out"
    set_up("lab")
    print("Running every lesson, each in a fresh kernel: some minutes", flush=True)
    python("tools/lessons.py")
    print(f"To open the lessons in Jupyter: {ME} lab")


@task
def lab():
    "Open the lessons in Jupyter"
    set_up("lab")
    python("-m", "jupyterlab", "--config", ROOT / "tools" / "lab.py")


@task
def app():
    "Serve the app of lesson 10 as a page of its own"
    set_up("lab")
    notebook, port, share = map(os.environ.get, ("NOTEBOOK", "PORT", "SHARE"))
    python("tools/app.py", *([os.path.abspath(notebook)] if notebook else []), *(["--port", port] if port else []), *(["--share"] if share == "yes" else []))


@task
def test():
    "Run the tests"
    set_up("dev")
    python("tools/browser.py")
    python("-m", "pytest", "-n", "logical", "--dist", "worksteal")


@task
def docs():
    "Build the site, in build/docs/html"
    set_up("dev")
    python("tools/docs.py")


@task
def docs_serve():
    "Build the site and show it on this machine"
    set_up("dev")
    python("tools/docs.py", "--serve", *(["--port", os.environ["PORT"]] if os.environ.get("PORT") else []))


@task
def book():
    "Make the course a book, in build/book: PDF and EPUB"
    set_up("dev")
    python("tools/browser.py")
    python("tools/book.py")


@task
def kit():
    "Make the kit for a memory stick, in build/kit: site, notebooks, wheel, book"
    set_up("dev")
    python("tools/browser.py")
    python("tools/kit.py")


@task
def release():
    "Build and check what a release publishes, and publish nothing"
    set_up("dev")
    python("tools/browser.py")
    python("tools/release.py", *filter(None, [os.environ.get("TAG")]))


@task
def bench():
    "Compare pixelsim with what one would use instead (half an hour, 16 GB of memory)"
    set_up("dev")
    python("-W", "ignore", "benchmarks/compare.py")
    python("-W", "ignore", "benchmarks/compare.py", "--busy")
    python("benchmarks/figures.py")
    python("-W", "ignore", "benchmarks/startup.py")
    call(PYTHON, "-W", "ignore", "benchmarks/gpu.py", fine=(0, 2))  # 2: there is no GPU


def elsewhere(place):
    set_up("dev")
    python("tools/elsewhere.py", place)


@task
def floors():
    "Run lessons and library with the oldest versions that are allowed, on the oldest Python (downloads them)"
    elsewhere("floors")


@task
def colab():
    "Run the lessons with what Colab has installed (downloads it)"
    elsewhere("colab")


@task
def kaggle():
    "Run the lessons with what Kaggle has installed (downloads it)"
    elsewhere("kaggle")


@task
def export():
    "Write the library from the notebooks"
    set_up("dev")
    command("nbdev-export")


@task
def save():
    "Run every notebook, store its outputs, and write the library and README.md from them"
    set_up("dev")
    python("tools/lessons.py", "--save")
    command("nbdev-export")
    command("nbdev-clean")
    python("tools/readme.py")


@task
def digits():
    "Build the bundled digits again from MNIST's four original files, in the folder FROM"
    folder = os.environ.get("FROM", "")
    if not os.path.isdir(folder): sys.exit(f"There is no folder '{folder}': name it, FROM=folder")
    set_up("lab")
    python("tools/build_digits.py", folder)


@task
def clean():
    "Delete what builds and tests left behind; .venv stays"
    left = [ROOT / name for name in ("build", "dist", ".pytest_cache", ".hypothesis")] + list(ROOT.glob("*.egg-info"))
    for room in ("nbs", "pixelsim", "tests", "tools", "benchmarks"): left += [path for name in ("__pycache__", ".ipynb_checkpoints") for path in (ROOT / room).rglob(name)]
    for path in left: shutil.rmtree(str(path), ignore_errors=True)


def main(words):
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"): stream.reconfigure(errors="replace")  # a console with few letters is no reason to stop
    settings = dict(word.split("=", 1) for word in words if "=" in word)
    names = [word for word in words if "=" not in word] or ["help"]
    for name in settings:
        if name not in SETTINGS: sys.exit(f"there is no setting {name}: the settings are {', '.join(SETTINGS)}")
    for name in names:
        if name not in TASKS: sys.exit(f"there is no task {name}: the tasks are {', '.join(TASKS)}")
    os.environ.update(settings, PYTHONUTF8="1")  # for what is started here, on Windows too
    for name in names:
        if name != "help": print(f"{name}: {TASKS[name].__doc__}", flush=True)  # a sign of life before anything heavy starts
        TASKS[name]()


if __name__ == "__main__":
    try: main(sys.argv[1:])
    except KeyboardInterrupt: sys.exit("\nStopped")
