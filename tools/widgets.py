"""The widgets for a published page: one ordinary script with the modules of `pixelsim/course/static` and what brings them to life.

An ES module cannot be loaded from a page that was opened from the disk, so each becomes a function in one script that can.
"""
import json
import re
from pathlib import Path

from pixelsim.course.draw import TEN, ten_means
from pixelsim.course.figure import OURS, SHARED_BY_ALL, bare, our_sprite, static_text
from pixelsim.course.figure_rule import BITS, our_bits

ROOT = Path(__file__).parents[1]
STATIC = ROOT / "pixelsim" / "course" / "static"
NAMES = ("draw",)
FIGURES = ("bar", "broadcast", "strip", "loupe", "rain", "grow", "rule")


def function(source):
    "The JavaScript module `source` as a function that returns what it exports; ValueError if that is not so simple."
    exports, imports = re.findall(r"^export\b.*", source, flags=re.M), re.findall(r"^import\b.*", source, flags=re.M)
    if len(exports) != 1 or not exports[0].startswith("export default ") or imports:
        raise ValueError(f"a widget's module should import nothing and have one 'export default', got {imports + exports}")
    return "(() => {\n" + re.sub(r"^export default ", "return ", source, flags=re.M) + "})()"


def figures():
    "The figures as functions inside one that has what they all import, once."
    inside = "\n".join(f"window.pixelsimWidgets[{name!r}] = {function(bare(static_text(f'{name}.js')))};" for name in FIGURES)
    shared = "\n".join(bare(static_text(f"{name}.js")) for name in SHARED_BY_ALL)
    return f"(() => {{\n{shared}\n{inside}\n}})();"


def script():
    "The whole script: the widgets, the figures, then the host."
    modules = [f"window.pixelsimWidgets[{name!r}] = {function((STATIC / f'{name}.js').read_text(encoding='utf-8'))};" for name in NAMES]
    host = (ROOT / "tools" / "site" / "widgets.js").read_text(encoding="utf-8")
    return "\n".join(["window.pixelsimWidgets = {};", *modules, figures(), host])


def style():
    "The style of all widgets."
    return "\n".join([*((STATIC / f"{name}.css").read_text(encoding="utf-8") for name in NAMES), static_text("figure.css")])


def as_script(name, text):
    "A text that only some pages need as a script of its own, which `pixelsimText` of tools/site/widgets.js loads."
    return f"(window.pixelsimTexts ??= {{}})[{json.dumps(name)}] = {json.dumps(text)};\n"


def write(folder):
    "Write widgets.js, widgets.css, the picture of the validation set and what only some pages need into `folder`, the static folder of the site."
    for name, text in (("widgets.js", script()), ("widgets.css", style()), *((name, as_script(name, of())) for name, of in ((TEN, ten_means), (BITS, our_bits)))):
        (Path(folder) / name).write_text(text, encoding="utf-8")
    (Path(folder) / OURS).write_bytes(our_sprite())
