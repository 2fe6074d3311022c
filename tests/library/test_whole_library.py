"All modules at once: what `pixelsim.all` gives, what is documented, and what no source may do."
import importlib
import inspect
import pkgutil
import re
from functools import cache
from pathlib import Path

import pytest
from fastcore.docments import docments

import pixelsim

MODULES = sorted(m.name for m in pkgutil.walk_packages(pixelsim.__path__, "pixelsim.")
                 if not m.ispkg and m.name.split(".")[1] not in ("_modidx", "__main__", "all", "lessons"))
LIBRARY = [name for name in MODULES if name.count(".") == 1]
# what the library's modules need of each other, and users do not
INSIDE = {"arrays", "batches", "cli", "distributed", "labels", "messages", "safe_write"}


@cache
def public(module): return {name: getattr(importlib.import_module(module), name) for name in importlib.import_module(module).__all__}


def test_all_in_one_import():
    "`from pixelsim.all import *` gives exactly the public names for working with images, each the same object as in its module."
    namespace = {}
    exec("from pixelsim.all import *", namespace)
    del namespace["__builtins__"]
    wanted = {}
    for module in LIBRARY:
        if module.split(".")[1] not in INSIDE: wanted |= public(module)
    assert namespace == wanted


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
    for line in ("import pickle", "torch.load(f)", "np.load(f, allow_pickle = True)"): assert UNSAFE.search(line)
    assert not UNSAFE.search("np.load(f, allow_pickle=False)")
