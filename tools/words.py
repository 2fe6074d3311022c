"""The words of the glossary: how each is recognized in a text, and links to them on the pages of the lessons.

Sphinx loads this file as an extension; `tests/project/test_words.py` reads the lessons with it.
"""
import re
from functools import cache

from docutils import nodes

FORMS = {  # terms that are also written otherwise
    "axis": "ax[ie]s", "class": "class(?:es)?", "overfitting": r"overfit\w*", "wrap around": "wrap(?:s|ped)? (?:a)?round", "reshape": r"reshap\w+", "transpose": r"transpos\w+",
    "metric": "(?<!Manhattan )metrics?", "logarithmic axis": r"logarithm\w*",  # scikit-learn calls a distance a metric
    "training": "(?:[Tt]o train|[Tt]raining)(?! (?:set|image|three|seven|digit))", "class mean": "(?:class|image) means?", "validation set": "validation sets?"}
EVERYDAY = {"class", "device", "fit", "image", "ink", "measure", "rule", "score", "size", "slice", "stack", "training", "view"}  # known without a glossary
AS_TEXT = (nodes.reference, nodes.literal, nodes.literal_block, nodes.title, nodes.raw, nodes.math, nodes.math_block, nodes.caption, nodes.table)


@cache
def pattern(term):
    "What finds a term of the glossary in a text."
    return re.compile(rf"(?<![\w-]){FORMS.get(term, re.escape(term) + 's?')}(?![\w-])", 0 if term in ("L1", "L2", "MNIST") else re.I)


def places(glossary):
    "The id on the glossary's page of each of its terms."
    terms = [section for section in glossary.findall(nodes.section) if isinstance(section.parent.parent, nodes.section)]  # below the title and a letter
    return {section.next_node(nodes.title).astext(): section["ids"][0] for section in terms}


def may_link(text):
    "Does a piece of text stand where a link may: in a paragraph, and in no code, heading, link, quiz or table?"
    node, in_paragraph = text.parent, False
    while node is not None:
        if isinstance(node, AS_TEXT) or "cell_output" in node.get("classes", ()): return False
        in_paragraph |= isinstance(node, nodes.paragraph)
        node = node.parent
    return in_paragraph


def linkable(doctree): return [text for text in doctree.findall(nodes.Text) if may_link(text)]


def set_apart(text): return isinstance(text.parent, (nodes.emphasis, nodes.strong))


def first_use(texts, term):
    "Among pieces of text that may link, the place of the first that uses a term, and the match; a word of everyday only where it is set apart."
    for at, text in enumerate(texts):
        if (found := pattern(term).search(text.astext())) and (term not in EVERYDAY or set_apart(text)): return at, found
    return None


def link_terms(app, doctree, docname):
    "Let the first use of each term on a lesson's page lead to the glossary."
    if not re.match(r"\d\d\w?_", docname): return
    ids = places(app.env.get_doctree("glossary"))
    texts = linkable(doctree)
    for term in sorted(ids, key=len, reverse=True):  # "class mean" before "class"
        if not (use := first_use(texts, term)): continue
        at, found = use
        link = nodes.reference("", found[0], internal=True, refuri=app.builder.get_relative_uri(docname, "glossary") + "#" + ids[term], classes=["term"])
        before, after = [[nodes.Text(words)] if words else [] for words in (found.string[:found.start()], found.string[found.end():])]
        texts[at].parent.replace(texts[at], [*before, link, *after])
        texts[at:at + 1] = before + after


def setup(app):
    app.connect("doctree-resolved", link_terms)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
