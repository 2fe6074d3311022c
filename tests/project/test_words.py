"""The words of the trade: none stands in a lesson before it is introduced, each has its entry, and each leads there."""
import json
import re
from functools import cache

import pytest
import words
from docutils.core import publish_doctree
from lessons import NBS

from pixelsim.course.lessons import lesson_paths

NAMES = sorted(lesson_paths())
TRADE = ["correlation", "cosine", "deep learning", "derivative", "epoch", "fastai", "gradient", "GPU", "histogram", "hyperparameter", "kernel", "logarithmic", "Manhattan", "matrix", "model",
         "neural network", "outlier", "scikit-learn", "sigmoid", "standard deviation", "variance", "vector", "weights"]  # who uses one of these explains it in the glossary


@cache
def cells(name):
    "The Markdown cells of a notebook."
    notebook = json.loads((NBS / f"{name}.ipynb").read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]


def prose(text):
    "A Markdown text without code, formulas, links, folds, and the sentence on what comes next."
    text = re.sub(r"^(```+).*?^\1$|<details>.*?</details>|^\*\*Where next:\*\*.*?$|^\|.*?$", "", text, flags=re.M | re.S)
    return re.sub(r"`[^`]*`|\$[^$]*\$|<[^>]+>|\[[^\]]*\]\([^)]*\)|\"[^\"\n]*\"", " ", text)


def anchor(heading): return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def place(name, at):
    "Where a cell of a lesson comes in the course; what is to be read after lesson 5 comes after it."
    back = next((i for i, cell in enumerate(cells(name)) if cell.startswith("## Come back after lesson 5")), len(cells(name)))
    return (NAMES.index(next(n for n in NAMES if n.startswith("05"))) if at >= back else NAMES.index(name), at >= back, at)


@cache
def entries():
    "For each term of the glossary its entry, and the first place that this links to."
    found = {}
    for heading, entry in zip(cells("glossary"), cells("glossary")[1:]):
        if not heading.startswith("### "): continue
        name, target = re.search(r"\]\((\w+)\.ipynb#([^)]+)\)", entry.split("\n\n")[-1]).groups()
        at = next(i for i, cell in enumerate(cells(name)) if re.match("##+ ", cell) and anchor(cell.lstrip("# ")) == target)
        found[heading[4:]] = entry, place(name, at)
    return found


def too_early(term, name, introduced):
    "The cells of a lesson, after its title and goals, that use a term before the place where it is introduced, and do not set it apart."
    for at, cell in enumerate(cells(name)[2:], 2):
        if cell.startswith("#") or place(name, at) >= introduced: continue
        is_told = any(words.pattern(term).search(word) for word in re.findall(r"\*+([^*\n]+)\*+", cell))
        if words.pattern(term).search(prose(cell)) and not is_told: yield at


@pytest.mark.parametrize("term", [term for term in entries() if term not in words.EVERYDAY])
def test_no_word_before_it_is_introduced(term):
    "By the section that its entry in the glossary leads to, or in italics in the very cell."
    assert [(name, at, cells(name)[at]) for name in NAMES for at in too_early(term, name, entries()[term][1])] == []


def test_a_word_too_early_would_be_found(monkeypatch):
    monkeypatch.setitem(entries(), "stride", (entries()["stride"][0], place(NAMES[-1], 99)))
    assert [*too_early("stride", "02_tensors", entries()["stride"][1])]


def test_everyday_words_have_an_entry_too():
    "It says what they mean here."
    assert words.EVERYDAY | words.FORMS.keys() <= entries().keys()


LESSON = """
The shape
=========

``shape`` and `shape <there>`__ are no place for a link, and neither is this:

.. table::

   ====== =====
   shape  stack
   ====== =====

It fits, in every shape. The shape of a *stack* is a shape, and shaped is another word. L1 is not l1.
"""


def linked(term):
    "The words before the first use of a term in a small lesson that may link, and the words that are used."
    use = words.first_use(words.linkable(publish_doctree(LESSON)), term)
    return use and (use[1].string[:use[1].start()], use[1][0])


def test_a_term_links_where_it_is_first_used_in_a_paragraph():
    assert linked("shape") == ("It fits, in every ", "shape")
    assert linked("stack") == ("", "stack")  # a word of everyday where it is set apart
    assert linked("fit") is None and linked("stride") is None
    assert linked("L1")[1] == "L1"


@pytest.mark.parametrize("word", TRADE)
def test_a_word_of_the_trade_has_an_entry(word):
    "Its own, or a place in another one."
    find = re.compile(rf"(?<![\w-]){word}", re.I)
    explained = "\n".join([*entries(), *(entry for entry, _ in entries().values())])
    assert find.search(explained) or not [name for name in NAMES for cell in cells(name)[1:] if find.search(prose(cell).replace("Deep Learning for Coders", ""))]
