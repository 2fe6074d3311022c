"""Builds the site in build/docs/html, from the notebooks as tools/pages.py makes pages of them.

    python tools/docs.py             build it
    python tools/docs.py --serve     build it, and show it on this machine

Everything a page needs is in the folder, so it can be read from a disk, behind a firewall, or on any web server.
The repository that the launch links lead to stands in pyproject.toml; while OWNER stands there it is the clone's `origin`, and where that is not on GitHub there are none.
"""
import argparse
import contextlib
import functools
import http.server
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urljoin

import home_screen
import nbformat
import widgets
from lessons import NBS
from nbdev.config import get_config
from pages import Page, PageError
from pixelsim.course import exercises
from pixelsim.course.copy import hide_answers
from pixelsim.course.lessons import lesson_paths, lessons, notebook_paths
from pixelsim.messages import distribution
from pixelsim.table import Table

ROOT = Path(__file__).parents[1]
SITE = Path(__file__).parent / "site"
BUILD = ROOT / "build" / "docs"
NEIGHBORS = ["CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "pixelsim/data/NOTICE.md", "benchmarks/results.png"]  # linked from notebooks


def on_github(address):
    "The repository that an address or git's `origin` leads to, as owner/name, if it is on GitHub; else None."
    found = re.fullmatch(r"(?:https://(?:[^@/]+@)?|git@|ssh://git@)github\.com[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?", address.strip())
    return found and found[1]


def repository():
    "The repository, as owner/name: that of [project.urls] in pyproject.toml, or while OWNER stands in it the one that this is a clone of; or None."
    named = on_github(get_config().git_url) or "OWNER/"
    if not named.startswith("OWNER/"): return named
    if name := os.environ.get("GITHUB_REPOSITORY"): return name
    try: return on_github(subprocess.run(["git", "remote", "get-url", "origin"], cwd=ROOT, capture_output=True, text=True).stdout)
    except FileNotFoundError: return None  # there is no git


def launch_links(name, repo):
    "The ways to run a lesson or a sheet, as (text, address), from the top of the site; the one that needs no repository comes first."
    yield "Download", f"notebooks/{name}.ipynb"
    if not repo: return
    yield "Colab", f"https://colab.research.google.com/github/{repo}/blob/gh-pages/notebooks/{name}.ipynb"
    yield "Binder", f"https://mybinder.org/v2/gh/{repo}/main?urlpath=lab/tree/nbs/{name}.ipynb"
    yield "Codespaces", f"https://codespaces.new/{repo}?quickstart=1"


def launch_row(name, repo):
    "The launch links as a line of the page, and the way to the glossary."
    up = "../" * name.count("/")
    links = [f'<a href="{up}{address}" download>{text}</a>' if text == "Download" else f'<a href="{address}">{text}</a>'
             for text, address in launch_links(name, repo)]
    links += ["<span>Look up a word:</span>", f'<a href="{up}glossary.html">Glossary</a>']
    return f'<p class="launch"><span>Run this page:</span> {" ".join(links)}</p>'


def to_launch():
    "The notebooks that one may want to run: the lessons, and the sheets of the leader."
    return [path for name in lesson_paths() for path in (NBS / f"{name}.ipynb", NBS / f"group/sheet_{name}.ipynb")]


def to_run_anywhere(path, repo):
    "A lesson to take away: without what answers its predictions, with a first cell that installs pixelsim where that is missing, and links that lead to the repository."
    nb = nbformat.read(path, as_version=4)
    hide_answers(nb.cells)
    if repo:
        home = f"https://github.com/{repo}/blob/main/nbs/{path.relative_to(NBS).as_posix()}"
        for cell in nb.cells:
            if cell.cell_type == "markdown": cell.source = re.sub(r"\]\((?!https?:|#)([^)\s]+)\)", lambda m: f"]({urljoin(home, m[1])})", cell.source)
        install = ("# Where pixelsim is missing, as on Colab and Kaggle, this installs it: some seconds, and nothing that is there is replaced\n"
                   f'try: import pixelsim\nexcept ImportError:\n    %pip install --quiet "{distribution()}[course] @ git+https://github.com/{repo}"')
        nb.cells.insert(0, nbformat.v4.new_code_cell(install, id="install"))
    return nb


# The pages that are not notebooks


def sidebar(label, between, page):
    "The lines of the sidebar for the lessons, or for what belongs to each of them: how it is called, and its page."
    for about in lessons():
        yield f"{f'{label} {about.number}' if about.number else between}: {about.title.split(': ')[0]} <{page.format(about.name)}>"


def rooms(*folders):
    "The names of the notebooks in these folders of `nbs`, for the sidebar."
    return [name for folder in folders for name in notebook_paths() if name.startswith(f"{folder}/")]


def reference_tables(pages):
    "Every public name in one line, under the module that it is in."
    for page in sorted(pages, key=lambda page: page.name.startswith("course/")):
        if not page.documented: continue
        module = re.sub(r"^\d+\w?_", "", page.name.removeprefix("library/")).replace("/", ".")
        where = "Derived in the lesson" if page.is_lesson else "Explained in"
        names = Table(["name", "what it is"], [[f"[`{name}`](#{label})", says] for name, (label, says) in page.documented.items()])
        yield f"## pixelsim.{module}\n\n{where} [{page.title}](/{page.name}.ipynb).\n\n{names._repr_markdown_()}"


def filled(name, **content):
    "The text of a page in tools/site, in which each <!-- KEY --> is replaced by content[KEY]."
    return re.sub(r"<!-- (\w+) -->", lambda m: content[m[1]], (SITE / name).read_text(encoding="utf-8"))


# Laying out and building


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def make_pages():
    "A page for every notebook, by name."
    known = [exercise for name in lesson_paths() for exercise in exercises(name)]
    return {name: Page(path, known) for name, path in notebook_paths().items()}


def welcome(pages, repo):
    "Give the front page the ways in, and the widget of lesson 6 to play with."
    home = pages["index"].nb.cells
    home[0].source += "\n\n" + filled(
        "welcome.md", code=f'<a href="https://github.com/{repo}">Get the code</a>' if repo else "",
        run="at the top of each lesson, or on your own machine, as told below" if repo else "on your own machine, as told below")
    widget = next(cell for cell in pages["06_accuracy"].nb.cells if "DrawDigit(" in cell.source)
    widget = nbformat.from_dict({**widget, "id": "widget", "metadata": {"tags": ["remove-input", "hide-output"], "mystnb": {"code_prompt_show": (asks := "Show the sheet to draw on"), "code_prompt_hide": asks}}})
    at = next(i for i, cell in enumerate(home) if cell.source.startswith("## "))
    home[at:at] = [nbformat.v4.new_markdown_cell(filled("draw.md")), widget]


def lay_out(source, repo):
    "Write everything that Sphinx reads to the folder `source`; returns the names of the notebooks' pages."
    pages = make_pages()
    welcome(pages, repo)
    pages["group/answers"].nb.metadata.nosearch = True  # whoever looks for a lesson should not find its solutions
    for path in to_launch():
        page = pages[path.relative_to(NBS).with_suffix("").as_posix()]
        page.nb.cells[0].source += "\n\n" + launch_row(page.name, repo)
        write(source / "extra" / "notebooks" / f"{page.name}.ipynb", nbformat.writes(to_run_anywhere(path, repo)))
    weeks, sheets = sidebar("Week", "Between", "{}"), sidebar("Sheet", "Sheet", "sheet_{}")
    for name, contents in [("index", filled("contents.md", lessons="\n".join(weeks))),
                           ("group/index", filled("contents_group.md", sheets="\n".join(sheets)))]:
        pages[name].nb.cells.append(nbformat.v4.new_markdown_cell(contents))
    for page in pages.values(): write(source / f"{page.name}.ipynb", nbformat.writes(page.nb))
    write(source / "reference.md", filled("reference.md", names="\n\n".join(reference_tables(pages.values())),
                                          pages="\n".join(name for name in rooms("library", "course") if name != "course/arena")))
    for name in NEIGHBORS:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    static = source / "_static"
    static.mkdir()
    for name in ("site.css", "site.js"): shutil.copy(SITE / name, static)
    widgets.write(static)
    for path in (SITE / "conf.py", SITE / "favicon.svg", ROOT / "tools" / "words.py"): shutil.copy(path, source)
    return [*pages]


def build(repo=None, target=BUILD):
    "Build the site in `target`; returns the folder with its pages, or raises PageError."
    try: shutil.rmtree(target)
    except FileNotFoundError: pass
    except OSError as error: raise PageError(f"the site of last time cannot be deleted ({error}): close what has it open") from None
    laid_out = lay_out(target / "source", repo)
    def sphinx(processes):
        return subprocess.call([sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-j", processes, "-d", str(target / "doctrees"), str(target / "source"), str(target / "html")])
    def is_whole(): return all((target / "html" / f"{name}.html").exists() for name in laid_out)
    failed = sphinx("2") or not is_whole() and sphinx("1")  # one of two processes may stop at a page without a word, and the status is 0: alone it says why
    if failed or not is_whole(): raise PageError("Sphinx has complaints; they stand above")
    home_screen.write(target / "html")
    return target / "html"


def serve(folder, port):
    "Show the site on this machine until Control-C."
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    try: server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error: sys.exit(f"port {port} cannot be used ({error}): name another one, make docs-serve PORT={port + 1}")
    with server, contextlib.suppress(KeyboardInterrupt):
        print(f"The site is at http://127.0.0.1:{server.server_port} (Control-C stops)")
        server.serve_forever()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", action="store_true", help="show it on this machine when it is built")
    parser.add_argument("--port", type=int, default=8000, help="where to show it (default: %(default)s)")
    args = parser.parse_args()
    repo = repository()
    if not repo: print("No launch links for Colab, Binder and Codespaces: OWNER still stands in pyproject.toml, under [project.urls], and this clone's `origin` is not a repository on GitHub", file=sys.stderr)
    try: folder = build(repo)
    except PageError as error: sys.exit(f"The site was not built. {error}")
    print(f"The site: {os.path.relpath(folder / 'index.html')}")
    if args.serve: serve(folder, args.port)


if __name__ == "__main__": main()
