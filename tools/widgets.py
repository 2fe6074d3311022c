"""The widgets for a published page: an ordinary script for each module of `pixelsim/course/static/figures`, and one that brings them to life.

An ES module cannot be loaded from a page that was opened from the disk, so each becomes a function in a script that can.
"""
import json
import re
from pathlib import Path

from pixelsim.course.draw import TEN, ten_means
from pixelsim.course.figure import OURS, bare, module, our_sprite, static_text
from pixelsim.course.figure_rule import BITS, our_bits

ROOT = Path(__file__).parents[1]
FIGURES = ("bar", "broadcast", "strip", "loupe", "rain", "grow", "plane", "spike", "pile", "rule", "matrix", "plan", "valley", "photo")


def function(source):
    "The JavaScript module `source` as a function that returns what it exports; ValueError if that is not so simple."
    exports, imports = re.findall(r"^export\b.*", source, flags=re.M), re.findall(r"^import\b.*", source, flags=re.M)
    if len(exports) != 1 or not exports[0].startswith("export default ") or imports:
        raise ValueError(f"a widget's module should import nothing and have one 'export default', got {imports + exports}")
    return "(() => {\n" + re.sub(r"^export default ", "return ", source, flags=re.M) + "})()"


def compact(source):
    "JavaScript without indentation, empty lines and lines that are a comment."
    return re.sub(r"^(?:\s*//.*)?\s+", "", source, flags=re.M)


def script(name):
    "The script of one widget, with all that its module imports."
    return compact(f"window.pixelsimWidgets[{name!r}] = {function(bare(module(name)))};")


def host():
    "The script that every page has: it brings the widgets of the page to life, each by its own script."
    return compact((ROOT / "tools" / "site" / "widgets.js").read_text(encoding="utf-8"))


def style():
    "The style of all widgets."
    return "".join(static_text(f"{name}.css") for name in ("draw", "figure", "questions"))


def as_script(name, text):
    "A text that only some pages need as a script of its own, which `pixelsimText` of tools/site/widgets.js loads."
    return f"window.pixelsimTexts[{json.dumps(name)}] = {json.dumps(text)};\n"


def write(folder):
    "Write widgets.js, widgets.css, and what only some pages need into `folder`, the static folder of the site."
    texts = {"widgets.js": host(), "widgets.css": style(), TEN: as_script(TEN, ten_means()), BITS: as_script(BITS, our_bits())}
    texts |= {f"widget-{name}.js": script(name) for name in ("draw", "questions", "order", *FIGURES)}
    for name, text in texts.items(): (Path(folder) / name).write_text(text, encoding="utf-8")
    (Path(folder) / OURS).write_bytes(our_sprite())
