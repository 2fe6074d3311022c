"""Makes the kit for a memory stick, build/kit/pixelsim-VERSION-kit.zip: the site, the notebooks, the wheel, the book, and a page that says where to begin.

    python tools/kit.py
"""
import shutil
import subprocess
import sys

import book
import docs
from browser import MISSING, chromium
from pages import PageError
from pixelsim import __version__
from pixelsim.course.copy import copy_lessons

KIT = docs.ROOT / "build" / "kit"


def make_wheel(target):
    "Build the wheel in the folder `target`, and return its path."
    subprocess.run([sys.executable, "-m", "build", "--wheel", "--outdir", str(target), str(docs.ROOT)], check=True, stdout=subprocess.DEVNULL)
    return next(target.glob("*.whl"))


def make(site, leaves, wheel, target=KIT):
    "The kit as a zip in the folder `target`, from the built site, the folder with the book, and the wheel."
    name = f"pixelsim-{__version__}-kit"
    folder = target / name
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(site, folder / "site")
    copy_lessons(docs.NBS, folder / "lessons")
    for path in (wheel, leaves / "pixelsim.pdf", leaves / "pixelsim.epub"): shutil.copy(path, folder)
    (folder / "begin here.html").write_text(docs.filled("begin.html", wheel=wheel.name), encoding="utf-8")
    return shutil.make_archive(str(folder), "zip", target, name)


def main():
    if not chromium(): sys.exit(MISSING)
    try:
        site = docs.build(docs.repository())
        made = make(site, book.make(site), make_wheel(docs.ROOT / "build" / "dist"))
    except PageError as error: sys.exit(f"The kit was not made. {error}")
    print(f"The kit: {made}")


if __name__ == "__main__": main()
