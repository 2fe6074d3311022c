"The course as a book and as a kit, made from the site, and what a release checks before anything is built."
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote, urlsplit

import book
import docs
import kit
import pytest
import release
from browser import chromium
from bs4 import BeautifulSoup
from playwright.sync_api import expect
from pypdf import PdfReader

import pixelsim
from pixelsim.course import exercises
from pixelsim.course.lessons import lesson_paths, lessons

PAGE = """<article><h1 id="a">A</h1><p class="launch">Run this page</p><p>Ask. <a href="#a">a</a> <a href="glossary.html#ink">ink</a> <a href="library/cli.html">cli</a></p>
<details><summary>Hints</summary><p>Look.</p><details><summary>More</summary><p>Closer.</p></details></details></article>"""


def test_what_is_folded_stands_at_the_end(tmp_path):
    "Under a number that leads there and back; controls are gone, and links lead to chapters or nowhere."
    (tmp_path / "start.html").write_text(PAGE, encoding="utf-8")
    article = book.chapter(tmp_path, "start")
    assert re.sub(r"\s+", " ", article.get_text(" ", strip=True)) == "A Ask. a ink cli Hints [1] Hints, solutions, answers [1] Hints Look. More Closer."
    assert [link["href"] for link in article.select("a")] == ["#start--a", "#glossary--ink", "#start--unfolded-1", "#start--asked-1"]
    assert article.h1["id"] == "start" and article.select_one(".unfolded")["id"] == "start--unfolded-1" and not article.select("details, .launch")
    book.mend_links([article])
    assert [link["href"] for link in article.select("a")][:2] == ["#start", "#glossary"]  # neither place is there


@pytest.fixture(scope="module")
def made(site, tmp_path_factory):
    "The folder with the book."
    if not chromium(): pytest.skip("there is no Chromium")
    with ThreadPoolExecutor(1) as thread:  # of its own, since a browser of another test may have its loop on this one
        return thread.submit(book.make, site, tmp_path_factory.mktemp("book")).result()


def flat(text): return re.sub(r"\s+", " ", text)


def test_the_pdf_has_a_title_contents_and_all_chapters(made):
    "In the contents each lesson stands with the page on which it begins; every exercise has its solution; nothing is undefined."
    pages = [flat(page.extract_text()) for page in PdfReader(made / "pixelsim.pdf").pages]
    assert pages[0].startswith("pixelsim From pixels to accuracy") and f"Version {pixelsim.__version__}" in pages[0]
    assert pages[1].startswith("Contents Start here 3")
    for about in lessons():
        number = int(re.search(rf"{re.escape(flat(about.title))} (\d+)", pages[1])[1])
        assert pages[number - 1].startswith(flat(about.title)) and flat(about.promise) in pages[number - 1]
    text = " ".join(pages)
    assert len(re.findall(r"Solution \[\d+\]", text)) == sum(len(exercises(name)) for name in lesson_paths()) > 20
    assert not re.search(r"undefined|Run this page|Show the source", text) and len(pages) > 60


def test_the_epub_has_all_chapters(made):
    "epubcheck has read it, where there is a Java (`book.make` stops at what it finds); the pictures are inside."
    with zipfile.ZipFile(made / "pixelsim.epub") as epub:
        names = epub.namelist()
        titles = [BeautifulSoup(epub.read(name), "html.parser").h1 for name in sorted(names) if re.search(r"/ch\d+\.xhtml$", name)]
    assert [flat(title.get_text()) for title in titles if title] == ["Start here", *[flat(about.title) for about in lessons()], "Where this leads", "The book and today", "Glossary"]
    assert sum(name.endswith((".png", ".svg")) for name in names) > 40


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    "The wheel of a dry run, which twine and check-wheel-contents have read; built with the setuptools that is here."
    return release.packages(tmp_path_factory.mktemp("release") / "dist", "--no-isolation")[0]


def test_the_kit_teaches_lesson_1_without_a_network(site, made, wheel, tmp_path, browser):
    "Unpacked in an empty folder, its first page leads to lesson 1, where a figure takes a guess; whatever is not in the folder is refused, and nothing asks for it."
    folder = release.unpacked(kit.make(site, made, wheel, tmp_path / "kit"), tmp_path / "unpacked")
    assert {path.name for path in folder.iterdir()} == {"begin here.html", "lessons", wheel.name, "pixelsim.epub", "pixelsim.pdf", "site"}
    assert (folder / "lessons" / "01_pixels.ipynb").exists()
    page = browser.new_context(offline=True).new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((folder / "begin here.html").as_uri())
    assert wheel.name in page.inner_text("body")
    for address in page.eval_on_selector_all("a", "links => links.map(link => link.href)"): assert Path(unquote(urlsplit(address).path)).exists()
    page.get_by_role("link", name="Begin").click()
    page.locator("article").get_by_role("link", name="Pixels: everything is an array").click()
    figure = page.locator("[data-figure=loupe-pixels]")
    figure.locator("input[type=text]").first.fill("0")
    figure.get_by_role("button", name="Guess").click()
    expect(figure).to_contain_text("You guessed 0.")
    assert page.title().startswith("Pixels") and asked and all(re.match(r"(file|data|blob):", address) for address in asked)


def test_the_wheel_teaches_lesson_1_without_a_network(wheel, tmp_path):
    "Installed with nothing but itself; what it needs comes from the environment of the tests (a release itself gets it from the index), pixelsim does not."
    venv, empty = tmp_path / "venv", tmp_path / "empty"
    empty.mkdir()
    release.run(sys.executable, "-m", "venv", "--without-pip", venv)
    commands = venv / ("Scripts" if os.name == "nt" else "bin")
    release.run(sys.executable, "-m", "pip", "--python", commands / "python", "install", "--quiet", "--no-index", "--no-deps", "--ignore-installed", wheel)
    package = next(venv.glob("[Ll]ib/**/site-packages/pixelsim"))
    (package.parent / "others.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    release.learn(commands, empty)
    said = subprocess.run([commands / "python", "-c", "import pixelsim; print(pixelsim.__file__)"], cwd=empty, env={**os.environ, "PYTHONPATH": ""}, check=True, capture_output=True, encoding="utf-8")
    assert Path(said.stdout.strip()) == package / "__init__.py"


def test_a_release_fits_its_version():
    "Changelog and citation name the version; a tag has to be that of the version, and the repository's owner to be known."
    assert list(release.troubles()) == []
    found = " ".join(release.troubles("v9.9"))
    assert f"it should be v{pixelsim.__version__}" in found and ("OWNER stands" in found) == ("/OWNER/" in (docs.ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_a_version_that_nobody_has_written_down(monkeypatch):
    monkeypatch.setattr(release, "__version__", "7.7.7")
    assert list(release.troubles()) == ["CHANGELOG.md has no heading ## 7.7.7", "CITATION.cff does not say version: 7.7.7"]
