"""The widgets for a published page: one ordinary script with the modules of `pixelsim/course/static` and what brings them to life.

An ES module cannot be loaded from a page that was opened from the disk, so each becomes a function in one script that can.
"""
import re
from pathlib import Path

from pixelsim.course.figure import OURS, SHARED_BY_ALL, bare, our_sprite, static_text

ROOT = Path(__file__).parents[1]
STATIC = ROOT / "pixelsim" / "course" / "static"
NAMES = ("draw",)
FIGURES = ("bar", "broadcast", "strip", "loupe", "rain", "grow", "plane", "spike", "pile")


def function(source):
    "The JavaScript module `source` as a function that returns what it exports; ValueError if that is not so simple."
    exports, imports = re.findall(r"^export\b.*", source, flags=re.M), re.findall(r"^import\b.*", source, flags=re.M)
    if len(exports) != 1 or not exports[0].startswith("export default ") or imports:
        raise ValueError(f"a widget's module should import nothing and have one 'export default', got {imports + exports}")
    return "(() => {\n" + re.sub(r"^export default ", "return ", source, flags=re.M) + "})()"


def figures():
    "The figures as functions inside one that has what they all import, once."
    inside = "\n".join(f"window.pixelsimWidgets[{name!r}] = {function(bare(static_text(f'{name}.js')))};" for name in FIGURES)
    return f"(() => {{\n{bare(static_text(f'{SHARED_BY_ALL}.js'))}\n{inside}\n}})();"


def compact(source):
    "JavaScript without indentation, empty lines and lines that are a comment."
    return re.sub(r"^(?:\s*//.*)?\s+", "", source, flags=re.M)


def script():
    "The whole script: the widgets, the figures, then the host."
    modules = [f"window.pixelsimWidgets[{name!r}] = {function((STATIC / f'{name}.js').read_text(encoding='utf-8'))};" for name in NAMES]
    host = (ROOT / "tools" / "site" / "widgets.js").read_text(encoding="utf-8")
    return compact("\n".join(["window.pixelsimWidgets = {};", *modules, figures(), host]))


def style():
    "The style of all widgets."
    return "\n".join([*((STATIC / f"{name}.css").read_text(encoding="utf-8") for name in NAMES), static_text("figure.css")])


def write(folder):
    "Write widgets.js, widgets.css and the picture of the validation set into `folder`, the static folder of the site."
    for name, text in (("widgets.js", script()), ("widgets.css", style())):
        (Path(folder) / name).write_text(text, encoding="utf-8")
    (Path(folder) / OURS).write_bytes(our_sprite())
