"""The widgets for a published page: one ordinary script with the modules of `pixelsim/course/static` and what brings them to life.

An ES module cannot be loaded from a page that was opened from the disk, so each becomes a function in one script that can.
"""
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
STATIC = ROOT / "pixelsim" / "course" / "static"
NAMES = ("draw",)


def function(source):
    "The JavaScript module `source` as a function that returns what it exports; ValueError if that is not so simple."
    exports, imports = re.findall(r"^export\b.*", source, flags=re.M), re.findall(r"^import\b.*", source, flags=re.M)
    if len(exports) != 1 or not exports[0].startswith("export default ") or imports:
        raise ValueError(f"a widget's module should import nothing and have one 'export default', got {imports + exports}")
    return "(() => {\n" + re.sub(r"^export default ", "return ", source, flags=re.M) + "})()"


def script():
    "The whole script: the widgets, then the host."
    modules = [f"window.pixelsimWidgets[{name!r}] = {function((STATIC / f'{name}.js').read_text(encoding='utf-8'))};" for name in NAMES]
    host = (ROOT / "tools" / "site" / "widgets.js").read_text(encoding="utf-8")
    return "\n".join(["window.pixelsimWidgets = {};", *modules, host])


def style():
    "The style of all widgets."
    return "\n".join((STATIC / f"{name}.css").read_text(encoding="utf-8") for name in NAMES)


def write(folder):
    "Write widgets.js and widgets.css into `folder`, the static folder of the site."
    for name, text in (("widgets.js", script()), ("widgets.css", style())):
        (Path(folder) / name).write_text(text, encoding="utf-8")
