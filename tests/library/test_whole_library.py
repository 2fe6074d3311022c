"All modules at once: what the front door and `pixelsim.all` give, what is documented, and what no source may do."
import importlib
import inspect
import pkgutil
import re
from functools import cache
from pathlib import Path

import pytest
from fastcore.docments import docments
from PIL import Image

import pixelsim

MODULES = sorted(m.name for m in pkgutil.walk_packages(pixelsim.__path__, "pixelsim.")
                 if not m.ispkg and m.name.split(".")[1] not in ("_modidx", "__main__", "all", "lessons"))
LIBRARY = [name for name in MODULES if name.count(".") == 1]
# what the library's modules need of each other, and users do not
INSIDE = {"arrays", "batches", "cli", "distributed", "labels", "messages", "safe_write"}


@cache
def public(module): return {name: getattr(importlib.import_module(module), name) for name in importlib.import_module(module).__all__}


FRESH = """
import runpy, sys
import pixelsim
def command(*words):
    sys.argv = ["", *words]
    for module in ("pixelsim", "pixelsim.cli"):
        try: runpy.run_module(module, run_name="__main__")
        except SystemExit as end: print(end.code)
command("--version")
heavy = {"torch", "numpy", "matplotlib", "PIL", "tqdm", "fastcore", "sympy"}
assert not heavy & {*sys.modules}, heavy & {*sys.modules}
from pixelsim import PixelSimilarity, load_folder, load_mnist, read_image
print(PixelSimilarity.__module__, load_folder.__module__, load_mnist.__module__, read_image.__module__)
before = {*sys.modules}
assert "torch" in before and not {"matplotlib", "sympy", "IPython", "pandas"} & before
command("predict", "none.png", "dark.png", "--json")
print({"sympy", "matplotlib", "pandas", "scipy", "sklearn", "IPython", "torch._dynamo", "pixelsim.show", "pixelsim.course"} & ({*sys.modules} - before))
"""


def test_a_fresh_process(run_python, tmp_path):
    """Neither torch nor Matplotlib is loaded until one of the four names is asked for, and Matplotlib not even then, nor for a prediction.

    python -m pixelsim, and -m pixelsim.cli, are the command: what it prints, and its exit status."""
    Image.new("L", (28, 28)).save(tmp_path / "dark.png")
    done, version = run_python(FRESH, cwd=tmp_path), [f"pixelsim {pixelsim.__version__}", "0"]
    homes = " ".join(f"pixelsim.{module}" for module in ("classifier", "image_files", "digits", "image_files"))
    lines = done.stdout.splitlines()
    assert lines[:5] == [*version, *version, homes] and lines.count("1") == done.stdout.count("dark.png") == 2 and lines[-1] == "set()"
    assert done.stderr.count("pixelsim: there is no file at none.png") == 2


def test_the_front_door():
    "Star import, dir and tab completion name the four; what is not there is an AttributeError, and submodules are found as ever."
    named, four = {}, {"PixelSimilarity", "load_mnist", "load_folder", "read_image"}
    exec("from pixelsim import *", named)
    assert {*named} - {"__builtins__"} == {*pixelsim.__all__} == four <= {*dir(pixelsim)}
    assert pixelsim.PixelSimilarity is importlib.import_module("pixelsim.classifier").PixelSimilarity
    with pytest.raises(AttributeError, match="module 'pixelsim' has no attribute 'predict'"): pixelsim.predict
    with pytest.raises(ImportError, match="predict"): exec("from pixelsim import predict")
    exec("from pixelsim import messages")


def test_all_in_one_import():
    "`from pixelsim.all import *` gives exactly the public names for working with images, each the same object as in its module."
    namespace = {}
    exec("from pixelsim.all import *", namespace)
    del namespace["__builtins__"]
    wanted = {name: thing for module in LIBRARY if module.split(".")[1] not in INSIDE for name, thing in public(module).items()}
    assert namespace == wanted
    assert {*pixelsim.__all__, "as_images", "ImageSet", "mnist_folder", "Table", "show_image"} <= {*namespace}


@pytest.mark.parametrize("module", MODULES)
def test_everything_is_documented(module):
    "A docstring for every public function, class and method, and a comment on every parameter and result."
    for thing in public(module).values():
        if not callable(thing): continue
        parts = [thing]
        if inspect.isclass(thing): parts += [getattr(thing, n) for n in vars(thing) if n[0] != "_" and callable(getattr(thing, n))]
        for part in parts:
            assert inspect.getdoc(part) and "(" not in inspect.getdoc(part).split()[0], part  # a dataclass makes up its own
            lacking = [p for p, text in docments(part).items() if not text and p != "self"
                       and not re.search(rf"\*\*{p},? +# \w", inspect.getsource(part))]  # docments overlooks **params
            assert lacking == (["return"] if inspect.isclass(part) else []), part


UNSAFE = re.compile(r"\b(pickle|dill|shelve|marshal|joblib)\b|torch\.load|allow_pickle\s*=\s*True")
RUNS_TEXT = re.compile(r"(?<![\w.])(eval|exec)\(")


def test_nothing_unsafe_is_loaded():
    "No source can unpickle, or run what is in a file; the search does find such lines."
    sources = {s.name: s.read_text(encoding="utf-8") for s in Path(pixelsim.__file__).parent.rglob("*.py")}
    assert {f"{m.split('.')[-1]}.py" for m in MODULES} <= {*sources}
    assert [name for name, text in sources.items() if UNSAFE.search(text)] == []
    assert {name for name, text in sources.items() if RUNS_TEXT.search(text)} <= {"exercise.py", "feedback.py"}  # the course's own exercises
    assert all(map(UNSAFE.search, ("import pickle", "torch.load(f)", "np.load(f, allow_pickle = True)")))
