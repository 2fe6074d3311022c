"""Makes a page of the site from a notebook: nbdev's own processors first, then what MyST-NB needs to lay it out.

Our notebooks are ordinary Markdown with nbdev's directives. nbdev writes for Quarto, so what it writes is put
in MyST's words here: front matter, options of cells, documentation of functions, links to names.
"""
import ast
import io
import re
import warnings
from base64 import b64decode, b64encode
from functools import cache

import nbformat
import yaml
from fastcore.nbio import mk_cell, read_nb
from lessons import NBS, code_cells
from nbdev.process import Processor
from nbdev.processors import FilterDefaults, add_show_docs, clean_magics
from nbdev.showdoc import showdoc_nm
from PIL import Image
from pixelsim.course.markdown import fold, solved

SHOW_DOC = re.compile(r"show_doc\(([\w.]+)\)")
OPTIONS = re.compile(r"(?:#\|.*\n?)*")  # at the start of a cell
AS_IS = re.compile(r"^#\| *output: *asis$", flags=re.M)  # the page says it as if it stood in a Markdown cell, headings too
HIDES = {"echo": "remove-input", "output": "remove-output"}  # by the option's value false
KNOWN = {**{option: ("true", "false") for option in HIDES}, "exports": ("true",), "fig-alt": None,
         "code-fold": ("show",), "code-summary": ('"Exported source"',)}  # what may be said; the last two are nbdev's, of source that we show anyway
FOLDS = {"source_hidden": ("hide-input", "Checks of what stands above"), "outputs_hidden": ("hide-output", "After your prediction")}  # what JupyterLab collapses
CHECK = re.compile(r'^check\("([\w-]+)"', flags=re.M)


class PageError(Exception):
    "A notebook that the site cannot show: which one, and what to change."


# What nbdev makes of it


def exported(nb):
    "The public names that the notebook exports, in order; a method as Class.method."
    for cell in nb.cells:
        if cell.cell_type != "code" or not {"export", "exports"} & cell.directives.keys(): continue
        for item in ast.parse(cell.source).body:
            if not isinstance(item, (ast.FunctionDef, ast.ClassDef)) or item.name.startswith("_"): continue
            yield showdoc_nm(item)
            for method in item.body if isinstance(item, ast.ClassDef) else []:
                if isinstance(method, ast.FunctionDef) and not method.name.startswith("_"): yield f"{item.name}.{method.name}"


class show_methods(Processor):
    "Adds a `show_doc` for each public method after that of its class."
    def begin(self):
        names = list(exported(self.nb))
        for cell in reversed(list(self.nb.cells)):
            if (shown := SHOW_DOC.fullmatch(cell.source)) and "." not in shown[1]:
                methods = [name for name in dict.fromkeys(names) if name.startswith(shown[1] + ".") and f"show_doc({name})" not in self.shown()]
                self.nb.cells[cell.idx_ + 1:cell.idx_ + 1] = [mk_cell(f"show_doc({name})") for name in methods]

    def shown(self): return {cell.source for cell in self.nb.cells}


class Processors(FilterDefaults):
    "nbdev's own processors, and ours after the one that adds `show_doc`."
    def base_procs(self):
        procs = [proc for proc in super().base_procs() if proc is not clean_magics]  # we have none, and it reads the configuration for each cell
        return procs[:(at := procs.index(add_show_docs) + 1)] + [show_methods] + procs[at:]


def processed(path):
    "The notebook as the processors leave it, with the documentation of every public name, and these names."
    nb = read_nb(path)
    names = list(dict.fromkeys(exported(nb)))  # a property has a name twice
    processor = Processors().nb_proc(nb)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they run the imports, and would show what these warn of, with paths of this machine
        processor.process()
    nb.cells = [cell for cell in nb.cells if not cell.source.startswith("<!-- WARNING") and documented(cell) in (None, *names)]
    return in_order(nb, names), names


def documented(cell):
    "The name that the cell documents, or None."
    return cell.cell_type == "code" and (shown := SHOW_DOC.search(cell.source)) and shown[1] or None


def in_order(nb, names):
    "The notebook, in which source that is shown stands before what documents it, and that in the order of `names`."
    def place(cell): return names.index(name) if (name := documented(cell)) else -1
    cells, run = [], []
    for cell in nb.cells:
        if documented(cell) or "exports: true" in cell.source: run.append(cell)
        else:
            cells += [*sorted(run, key=place), cell]
            run = []
    nb.cells = cells + sorted(run, key=place)
    return nb


# What MyST-NB needs


def label_of(name, page):
    "The label of a name that is documented on a page. Labels know no capitals, and `Lesson` is not `lesson`; each roof may have a `progress`."
    return ("course-" if page.startswith("course/") else "") + ("class-" if name[0].isupper() else "function-") + name.lower()


@cache
def public_names():
    "The names that some module offers; nbdev also links those that the rooms of the house share among themselves, which have no page."
    code = "\n".join(path.read_text(encoding="utf-8") for path in (NBS.parent / "pixelsim").rglob("*.py"))
    return set(re.findall(r"\'(\w+)\'", " ".join(re.findall(r"^__all__ = \[(.*?)\]", code, flags=re.M | re.S))))


def links(text):
    "Markdown with nbdev's links to names as links to their labels, and links to the README's neighbors as pages."
    def link(m): return f"[`{m[1]}{m[2] or ''}`](#{label_of(m[1], m[3])})" if m[1].split(".")[0] in public_names() else f"`{m[1]}{m[2] or ''}`"
    text = re.sub(r"\[`([\w.]+)(\(\))?`\]\(/([\w/]+)\.html#[\w.]+\)", link, text)
    return re.sub(r"\]\((?:\.\./)+([\w./-]+)\)", lambda m: m[0] if m[1].endswith(".ipynb") else f"](/{m[1]})", text)


def markdown(text): return nbformat.v4.new_markdown_cell(links(text))


def lighter(picture):
    "A PNG file as base64 text, with so few colors that it takes little: 256, which is all that most have, or fewer where that is still much."
    with Image.open(io.BytesIO(b64decode(picture))) as opened: drawn = opened.convert("RGB")
    for colors in (256, 64):
        file = io.BytesIO()
        drawn.quantize(colors, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
        if file.tell() < 60_000: break
    return min(picture, b64encode(file.getvalue()).decode(), key=len)


def code(cell):
    "A code cell, in which nbdev's options are MyST-NB's tags."
    head = OPTIONS.match(cell.source)[0]
    options = dict(re.findall(r"^#\| *([\w-]+):? *(.*)", head, flags=re.M))
    for option, value in options.items():
        if option not in KNOWN or KNOWN[option] and value.lower() not in (v.lower() for v in KNOWN[option]):
            raise PageError(f"the site knows no directive {option}: {value}, as in the cell\n{cell.source}")
    source = cell.source[len(head):].strip("\n")
    new = nbformat.v4.new_code_cell(source, outputs=[nbformat.from_dict(out) for out in cell.outputs])
    for out in new.outputs:
        if "text/markdown" in out.get("data", {}): out.data["text/markdown"] = links("".join(out.data["text/markdown"]))
        if "image/png" in out.get("data", {}): out.data["image/png"] = lighter("".join(out.data["image/png"]))
    new.metadata.tags = [tag for option, tag in HIDES.items() if options.get(option, "").lower() == "false"]
    if source.startswith(("quiz(", "predict(", "order(", "review(", "three_from_before(")): new.metadata.tags.append("remove-input")
    shown = {}
    for part, (tag, says) in FOLDS.items():
        if cell.metadata.get("jupyter", {}).get(part):
            new.metadata.tags.append(tag)
            shown |= {"code_prompt_show": says, "code_prompt_hide": says}
    if "fig-alt" in options: shown["image"] = {"alt": options["fig-alt"]}
    if shown: new.metadata.mystnb = shown
    return new


def practice(exercise):
    "Hints and solution of an exercise, folded away."
    hints = "\n".join(f"{i}. {hint}" for i, hint in enumerate(exercise["hints"], 1))
    return fold("Hints", hints) + "\n\n" + fold("Solution", solved(exercise))


def unconverted(text):
    "The first mark of nbdev's or Quarto's that is left in a text; code blocks may show them."
    left = re.search(r"^\s*(?:#\||:::).*|\]\([^)\s]*\)\{\S.*", re.sub(r"^(```+)(?!`).*?^\1$", "", text, flags=re.M | re.S), flags=re.M)
    return left and left[0].strip()


def said(cell): return ["".join(out.data["text/markdown"]) for out in cell.get("outputs", []) if "text/markdown" in out.get("data", {})]


class Page:
    "A notebook as a page: `nb` is what MyST-NB reads, `documented` has a label and the first line for every name."
    def __init__(self, path, exercises=()):
        self.name = path.relative_to(NBS).with_suffix("").as_posix()
        self.is_lesson = path.parent == NBS
        self.exercises = {exercise["name"]: exercise for exercise in exercises}
        self.documented, self.level = {}, 1
        try: cells = [new for cell in processed(path)[0].cells for new in self.cells(cell)]
        except PageError as error: raise PageError(f"{self.name}: {error}") from None
        self.nb = nbformat.v4.new_notebook(cells=cells)
        self.nb.metadata.language_info = {"name": "python"}
        self.check()

    def cells(self, cell):
        "The cells of the page that come of a cell of the notebook."
        if cell.cell_type == "raw": yield self.front_matter(cell)
        elif cell.cell_type == "markdown":
            if heading := re.match("#+(?= )", cell.source): self.level = len(heading[0])
            yield markdown(cell.source)
        elif name := documented(cell): yield self.reference(name, cell)
        elif AS_IS.search(OPTIONS.match(cell.source)[0]): yield from map(markdown, said(cell))
        else:
            new = code(cell)
            if self.is_lesson and CHECK.search(new.source): new.outputs = []  # "put your answer here and run the cell", which a page cannot
            yield new
            if not self.is_lesson and "exports: true" in cell.source: new.metadata.tags.append("hide-input")
            yield from (markdown(practice(self.exercises[name])) for name in CHECK.findall(new.source) if name in self.exercises)

    def front_matter(self, cell):
        "Title and promise as people wrote them."
        fields = yaml.safe_load(cell.source.strip().strip("-"))
        if not fields.get("description"): raise PageError("a promise is missing below the title, in its cell: > What the reader will have")
        self.title, self.promise = fields["title"], fields["description"]
        return markdown(f"# {self.title}\n\n> {self.promise}")

    def reference(self, name, cell):
        "The documentation of a name under its label: in a lesson, where the source is shown too, folded away."
        label = label_of(name, self.name)
        text = "".join(cell.outputs[0].data["text/markdown"]).replace("__main__.", "")  # where nbdev has run the notebook
        text = re.sub(r"^---\n+|^\[source\]\(.*\)\{.*\}\n+", "", text, flags=re.M)
        heading, text = text.split("\n", 1)
        says = re.search(r"^\*(.+)\*$", text, flags=re.M)
        if not says: raise PageError(f"{name} has no docstring")
        self.documented[name] = (label, links(says[1]))
        folded = fold(f"Reference: <code>{name}</code>", text.strip())
        if self.is_lesson: return markdown(f"({label})=\n````{{container}} reference\n{folded}\n````")  # the label needs a place of its own
        return markdown(f"({label})=\n{'#' * (self.level + 1)} {heading.lstrip('# ')}\n{text}")

    def check(self):
        "Raise PageError if a mark is left that neither nbdev nor this file has turned into what MyST-NB understands, or a picture says nothing."
        for cell in self.nb.cells:
            for text in [cell.source] + said(cell):
                if left := unconverted(text): raise PageError(f"{self.name}: this was not converted: {left!r}")
        for cell in code_cells(self.nb):
            shown = any(kind.startswith("image/") for out in cell.outputs for kind in out.get("data", {}))
            if shown and len(cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "").split()) < 3:
                raise PageError(f"{self.name}: say what is to be seen, in a line #| fig-alt: …, in the cell\n{cell.source}")
