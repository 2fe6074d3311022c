"""Makes `README.md`, and the picture in it, from the stored outputs of `nbs/index.ipynb`.

    python tools/readme.py

nbconvert does the conversion. nbdev's directives are honoured: `hide` drops a cell, `echo: false` its code, and
`fig-alt` becomes the text that stands for a picture.
"""
import re
from pathlib import Path

from nbconvert import MarkdownExporter
from nbconvert.preprocessors import Preprocessor

ROOT = Path(__file__).parents[1]
INDEX, README, PICTURES = ROOT / "nbs" / "index.ipynb", ROOT / "README.md", ROOT / "nbs" / "images"
DIRECTIVE = re.compile(r"^#\|\s*([\w-]+):?\s*(.*)\n?", flags=re.M)


class Directives(Preprocessor):
    "Honours nbdev's directives, and collects the alternative texts in `resources`."
    def preprocess(self, nb, resources):
        nb.metadata["language_info"] = {"name": "python"}  # for the colours of the code blocks
        resources["alt"] = {}
        kept = []
        for i, cell in enumerate(nb.cells):
            found = dict(DIRECTIVE.findall(cell.source)) if cell.cell_type == "code" else {}
            if "hide" in found: continue
            if found.get("echo") == "false": cell.metadata["transient"] = {"remove_source": True}
            if "fig-alt" in found: resources["alt"][i] = found["fig-alt"]
            if found: cell.source = DIRECTIVE.sub("", cell.source)
            kept.append(cell)
        nb.cells = kept
        return nb, resources


def relative_to_root(text):
    "Links of a page in `nbs/` as links of a page in the root."
    return re.sub(r"\]\((?!https?:|#)(?:\.\./([^)]*)|([^)]*))\)", lambda m: f"]({m[1] or 'nbs/' + m[2]})", text)


def render():
    "The files to write, by path, as bytes."
    exporter = MarkdownExporter(preprocessors=[Directives])
    text, resources = exporter.from_filename(str(INDEX))
    files = {}
    for name, content in resources["outputs"].items():
        cell = int(re.fullmatch(r"output_(\d+)_\d+\.png", name)[1])
        picture = PICTURES / f"index-{len(files) + 1}.png"
        text = re.sub(rf"!\[[^]]*\]\({name}\)", f"![{resources['alt'][cell]}](images/{picture.name})", text)
        files[picture] = content
    text = re.sub(r"\n\s*\n\s*\n", "\n\n", relative_to_root(text)).strip() + "\n"
    return {README: text.encode(), **files}


def main():
    for path, content in render().items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__": main()
