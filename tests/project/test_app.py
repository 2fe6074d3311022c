"""The app of lesson 10 as `make app` serves it, in a real browser: choose, draw, be refused; several visitors at once; and one of somebody's own photographs."""
import io
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from socket import socket
from time import monotonic, sleep

import app
import nbformat
import numpy as np
import pytest
from conftest import ROOT
from PIL import Image, ImageDraw
from websockets.sync.client import connect  # which Voila brings

NAME = "Choose a picture"


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def photograph(digit):
    "A digit of MNIST in dark ink on gray paper, five times as large, in a corner."
    sheet = np.full((300, 400), 215, np.uint8)
    sheet[60:200, 90:230] = (215 - 175 * np.kron(digit.numpy(), np.ones((5, 5))) / 255).round()
    return png(sheet)


def free_port():
    with socket() as some:
        some.bind(("127.0.0.1", 0))
        return some.getsockname()[1]


@contextmanager
def served(notebook, folder):
    "The address at which tools/app.py serves a notebook, with a home and a place for temporary files in `folder`."
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    port, said = free_port(), folder / "said.txt"
    env = {**os.environ, "HOME": str(folder), "TMPDIR": str(folder / "tmp"), "PYTHONPATH": str(ROOT), "PIXELSIM_HOME": str(folder / "pixelsim")}
    env |= {f"JUPYTER_{kind}_DIR": str(folder / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    with said.open("w") as out, subprocess.Popen([sys.executable, ROOT / "tools" / "app.py", notebook, "--port", str(port), "--no-browser"], env=env, stdout=out, stderr=out) as server:
        try:
            begun = monotonic()
            while True:
                assert server.poll() is None and monotonic() - begun < 60, said.read_text()
                try: urllib.request.urlopen(f"http://localhost:{port}/voila/static/none", timeout=5)
                except urllib.error.HTTPError: break
                except OSError: sleep(.2)
            yield f"http://localhost:{port}/"
        finally: server.terminate()


@pytest.fixture(scope="module")
def page_of_digits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    with served(ROOT / "nbs" / "app.ipynb", folder) as address: yield address, folder


@pytest.fixture
def visit(browser):
    "A visitor: a browser with nothing in common with another's, on the page."
    contexts, trouble = [], []

    def visited(address, **options):
        context = browser.new_context(viewport={"width": 900, "height": 1000}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.goto(address, timeout=120_000)
        return page
    yield visited
    for context in contexts: context.close()
    assert trouble == []


def ready(page):
    page.get_by_text("it is darker than the paper").wait_for(timeout=120_000)
    return page


def choose(page, name, content):
    with page.expect_file_chooser() as chooser: page.get_by_role("button", name=NAME).click()
    chooser.value.set_files({"name": name, "mimeType": "image/png", "buffer": content})


def told(page, text): page.get_by_text(text).first.wait_for(timeout=60_000)


def test_choose_draw_and_be_refused(page_of_digits, visit, digits):
    "In any order; and the same file twice."
    page = ready(visit(page_of_digits[0]))
    three, seven = photograph(digits[1][3][0]), photograph(digits[1][7][0])
    for name, content in [("three.png", three), ("seven.png", seven), ("three.png", three)]:
        choose(page, name, content)
        told(page, f"nearer than {7 if content is three else 3}.")
    assert page.get_by_alt_text("What the classifier sees").evaluate("picture => [picture.naturalWidth, picture.naturalHeight]") == [28, 28]
    large = io.BytesIO()
    Image.new("1", (9000, 8000)).save(large, "PNG")
    for name, content, words in [("notes.txt", b"Call me back", "Sorry: cannot read notes.txt as an image: it begins like none of PNG"), ("big.png", bytes(21_000_000), "big.png has 21.0 MB, more than the 20 that this page takes"),
                                 ("huge.png", large.getvalue(), "huge.png is 9000 pixels wide and 8000 high, more than 64,000,000 together: save it smaller, with at most 8000 pixels on each side"),
                                 ("IMG_1.HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "it is in the format HEIC: share or export it as JPEG"), ("paper.png", photograph(0 * digits[1][3][0]), "there is hardly any ink on it"),
                                 ("<b>.png", b"x", "cannot read <b>.png as an image"), ("light.png", png(255 - np.asarray(Image.open(io.BytesIO(three)))), "Light and dark look swapped")]:
        choose(page, name, content)
        told(page, words)
    page.get_by_label("it is darker than the paper").uncheck()
    told(page, "nearer than 7.")
    box = page.locator(".psd-sheet").bounding_box()
    points = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in [(.25, .2), (.75, .2), (.45, .85)]]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]: page.mouse.move(*point, steps=6)
    page.mouse.up()
    told(page, "nearer than 3.")
    page.get_by_role("button", name="Clear").click()
    told(page, "The paper is empty: draw something, or choose a picture.")


def test_no_other_host_is_asked(page_of_digits, visit):
    "All that the page needs comes from here; what Voila would fetch from elsewhere, the browser is told not to."
    page, failed, asked = visit("about:blank"), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda request: failed.append((request.url, request.failure)))
    page.goto(page_of_digits[0], timeout=120_000)
    ready(page)
    elsewhere = {url for url in asked if not url.startswith((page_of_digits[0], "data:", "blob:"))}
    assert elsewhere <= {url for url, why in failed if why == "csp"} and len(asked) > 10
    assert page.locator(".psd-sheet").is_visible()


def test_visitors_at_once_see_their_own_and_nothing_stays(page_of_digits, visit, digits):
    "Four, with a picture each, answered beside each other; none of the pictures is in any file afterwards, nor anything new beside the notebook."
    address, folder = page_of_digits
    before = sorted(path for path in (ROOT / "nbs").rglob("*") if "__pycache__" not in path.parts)
    pictures = [photograph(digits[1][digit][i]) for digit in (3, 7) for i in (0, 2)]
    pages = [visit(address) for _ in pictures]
    for page in map(ready, pages): assert page.get_by_alt_text("What the classifier sees").count() == 0
    for i, (page, content) in enumerate(zip(pages, pictures)): choose(page, f"mine-{i}.png", content)
    shown = []
    for page, other in zip(pages, (7, 7, 3, 3)):
        told(page, f"nearer than {other}.")
        shown.append(page.get_by_alt_text("What the classifier sees").get_attribute("src"))
    assert len(set(shown)) == 4
    fresh = ready(visit(address))
    assert fresh.get_by_alt_text("What the classifier sees").count() == 0
    told(fresh, "Choose a picture, or draw one.")
    assert sorted(path for path in (ROOT / "nbs").rglob("*") if "__pycache__" not in path.parts) == before
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files and not [path for path in files if any(content[60:300] in path.read_bytes() for content in pictures)]


def test_no_file_beside_the_page_is_given_out(page_of_digits):
    "Neither the notebook, which has the code, nor what lies beside it."
    for name in ("voila/files/app.ipynb", "voila/files/images/index-1.png", "voila/files/10_web_app.ipynb"):
        with pytest.raises(urllib.error.HTTPError) as refused: urllib.request.urlopen(page_of_digits[0] + name, timeout=30)
        assert refused.value.code in (403, 404), name
    source = urllib.request.urlopen(page_of_digits[0], timeout=120).read().decode()
    assert "PixelSimilarity().fit" not in source and "3 or 7?" in source


def test_a_visitor_runs_no_code(page_of_digits, visit, tmp_path):
    "Voila's list of messages lets none through that would: the kernel answers who it is, and a request to run something is not heard."
    address, _ = page_of_digits
    page, mark = ready(visit(address)), tmp_path / "it ran"
    kernel = json.loads(page.locator("#jupyter-config-data").inner_text())["kernelId"]
    with connect(f"{address.replace('http', 'ws')}api/kernels/{kernel}/channels", additional_headers={"Origin": address.rstrip("/")}) as wire:
        for kind, content in [("execute_request", {"code": f"open({str(mark)!r}, 'w')", "silent": False}), ("kernel_info_request", {})]:
            header = {"msg_id": kind, "msg_type": kind, "username": "", "session": "visitor", "version": "5.3"}
            wire.send(json.dumps({"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell", "buffers": []}))
        heard = []
        while "kernel_info_reply" not in heard: heard.append(json.loads(wire.recv(timeout=30))["header"]["msg_type"])
    assert "execute_reply" not in heard and "execute_input" not in heard and not mark.exists()


def test_an_app_of_one_s_own(tmp_path, visit):
    "By the words of the lesson: a folder with two subfolders of photographs, and a notebook beside it with the lesson's lines."
    lesson = "\n".join(cell.source for cell in nbformat.read(ROOT / "nbs" / "10_web_app.ipynb", as_version=4).cells if cell.cell_type == "markdown")
    lines = re.findall(r"^```py\n(.*?)^```", lesson, flags=re.M | re.S)
    assert len(lines) == 1 and 'load_folder("photos"' in lines[0]
    headings = re.findall(r"`(# [^`]+)`, and gives the page its title", lesson)
    assert len(headings) == 1
    random = np.random.default_rng(1)

    def cup_or_spoon(kind, light=1.):
        sheet = Image.new("RGB", (320, 240), (236, 230, 214))
        pen, (dx, dy) = ImageDraw.Draw(sheet), random.integers(-12, 13, 2).tolist()
        if kind == "cup": pen.ellipse([100 + dx, 60 + dy, 220 + dx, 180 + dy], fill=(40, 60, 120))
        elif kind == "spoon": pen.line([60 + dx, 120 + dy, 260 + dx, 120 + dy], fill=(70, 70, 70), width=16)
        file = io.BytesIO()
        sheet.point(lambda gray: light * gray).save(file, "JPEG")
        return file.getvalue()
    for kind in ("cup", "spoon"):
        (tmp_path / "own" / "photos" / kind).mkdir(parents=True)
        for i in range(8): (tmp_path / "own" / "photos" / kind / f"{i}.jpg").write_bytes(cup_or_spoon(kind))
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(headings[0]), nbformat.v4.new_code_cell(lines[0])]), tmp_path / "own" / "my_app.ipynb")
    with served(tmp_path / "own" / "my_app.ipynb", tmp_path / "home") as address:
        page = ready(visit(address))
        assert page.locator(".psd-sheet").count() == 0
        assert page.title() == headings[0].removeprefix("# ") != "my_app"
        for kind, other in (("cup", "spoon"), ("spoon", "cup")):
            for light in (1, .7):
                choose(page, f"{light}.jpg", cup_or_spoon(kind, light))
                page.locator("strong", has_text=kind).wait_for()
                told(page, f"nearer than {other}.")
        choose(page, "empty.jpg", cup_or_spoon("nothing"))
        told(page, "Sorry: there is hardly anything on it: what stands out most is")
        choose(page, "dim.jpg", cup_or_spoon("cup", .45))
        told(page, "Light and dark look swapped: if it is lighter than the paper, take the check mark away.")
        told(page, "cup, ")
        assert page.locator("strong").count() == 0  # the doubt comes first, and nothing stands out
        for width in (360, 390, 800):
            page.set_viewport_size({"width": width, "height": 800})
            button = page.get_by_role("button", name=NAME)
            assert button.evaluate("button => button.scrollWidth <= button.clientWidth"), width  # its words are not cut
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.close()


def test_what_stops_the_notebook_is_told_on_the_page(tmp_path, visit):
    "In the words of the library, since whoever builds it sees no other place; but not where others could read them."
    cell = nbformat.v4.new_code_cell("from pixelsim import load_folder\nload_folder('photos')")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "my_app.ipynb")
    with served(tmp_path / "my_app.ipynb", tmp_path / "home") as address:
        page = visit(address)
        told(page, "photos is not a folder: pass one that has a subfolder for each class")
        page.close()  # before its server is gone
    assert [app.settings(host, 8866).VoilaConfiguration.show_tracebacks for host in ("localhost", "0.0.0.0")] == [True, False]


@pytest.mark.parametrize("cells, title", [(["# Cup or spoon? ", "# Other"], "Cup or spoon?"), (["Words, and #no heading", "text\n\n## Second\n\n# First"], "Second"), ([], None), (["Words"], None)])
def test_a_page_has_the_first_heading_as_its_title(cells, title):
    "A line of code that begins like one is none; and a title that the notebook has is kept."
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("# a comment"), *map(nbformat.v4.new_markdown_cell, cells)])
    assert app.titled(None, notebook, "").metadata.get("title") == title
    notebook.metadata.title = "Mine"
    assert app.titled(None, notebook, "").metadata.title == "Mine"


def test_a_notebook_that_is_not_there():
    done = subprocess.run([sys.executable, ROOT / "tools" / "app.py", "no.ipynb"], capture_output=True, text=True)
    assert done.returncode == 2 and "there is no notebook at no.ipynb" in done.stderr
