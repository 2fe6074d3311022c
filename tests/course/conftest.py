"What tests of the course share: a page with figures and no network, the arithmetic of a module run in the browser; a folder and a session for each test, a lesson of its own."
import json
import os
import textwrap

import pytest
import widgets
from figure_pages import settled

from pixelsim.course.figure import module, static_text
from pixelsim.course.progress_file import session

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Figures</title>
<link rel="stylesheet" href="widgets.css"><style>body {{ margin: 8px }} @media (prefers-color-scheme: dark) {{ body {{ background: #000; color: #eee }} }}</style></head>
<body><main><h1>Figures</h1>{figures}</main><script src="widgets.js"></script></body></html>"""


@pytest.fixture
def open_page(browser, shared_folder):
    "Opens figures, as their `as_html`, on a page from the disk with no network; what goes wrong there fails the test."
    file = shared_folder("widgets", widgets.write) / f"page-{os.getpid()}.html"
    contexts, trouble = [], []

    def opened(*figures, width=800, dark=False, address="", context=None, opened=False, wound=False, **options):
        if context is None:
            context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light", offline=True, **options)
            contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("console", lambda message: trouble.append(message.text) if message.type in ("error", "warning") else None)
        if wound: page.clock.install()
        file.write_text(PAGE.format(figures="".join(figures)), encoding="utf-8")
        page.goto(file.as_uri() + address)
        if options.get("java_script_enabled", True): page.wait_for_function("[...document.querySelectorAll('.pixelsim-widget')].every((place) => 'model' in place)")
        if opened:
            locked = page.get_by_role("button", name="just show me")
            for left in range(locked.count(), 0, -1):  # each is gone with the next frame
                locked.nth(0).click()
                page.wait_for_function("left => [...document.querySelectorAll('.psf-form button')].filter((each) => each.textContent === 'just show me').length < left", arg=left)
            settled(page)
        return page

    opened.trouble = trouble
    yield opened
    for context in contexts: context.close()
    assert trouble == []


@pytest.fixture
def play(open_page):
    "Opens figures, or what they have as HTML, with their answers shown and a clock that `settled` winds on."
    return lambda *figures, **options: open_page(*(each if isinstance(each, str) else each.as_html() for each in figures), **{"opened": True, "wound": True} | options)


@pytest.fixture
def arithmetic(browser):
    "`arithmetic(names, code, data)`: what the JavaScript `code` returns, with the exports of the modules `names` as m and with `data`."
    page = browser.new_page()

    def run(names, code, data=None):
        sources = [static_text("figure.js") if name == "figure" else module(name) for name in names.split()]
        return page.evaluate("""async ([sources, code, data]) => {
            const m = Object.assign({}, ...await Promise.all(sources.map((source) => import(URL.createObjectURL(new Blob([source], { type: "text/javascript" }))))));
            return JSON.stringify(new Function("m", "data", code)(m, data)) ?? "null";
        }""", [sources, code, data])
    yield lambda *args: json.loads(run(*args))
    page.close()


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    "A working folder and a session of one's own."
    monkeypatch.chdir(tmp_path)
    session.clear()
    yield tmp_path
    session.clear()


@pytest.fixture
def lesson_file(tmp_path_factory, monkeypatch):
    "A function that makes a text the file of the only lesson, `00_small`; it returns the file's path."
    folder = tmp_path_factory.mktemp("lessons")
    monkeypatch.setattr("pixelsim.course.lesson_files.lesson_files_folder", lambda: folder)
    def write(text, name="00_small"):
        path = folder / f"{name}.toml"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path
    return write
