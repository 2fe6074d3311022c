"What the tests of the figures share: a page with figures and no network, a notebook's side of a model, and the arithmetic of a module run in the browser."
import json
import os
import re

import pytest
import widgets

from pixelsim.course.figure import module, static_text

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


def state_of(html): return json.loads(re.search(r'<script type="application/json">(.*?)</script>', html)[1])


def settled(page):
    "Wind the clock on until every sentence has been said and every link written."
    page.clock.run_for(1000)
    for says in page.locator(".psf-says, .psd-says").all(): says.and_(page.locator("[aria-busy=false]")).wait_for(state="attached")


def trait(page, name, i=0):
    "A trait of figure i of the page."
    return page.evaluate("([name, i]) => document.querySelectorAll('.pixelsim-widget')[i].model.get(name)", [name, i])


def show(page, **state):
    "Set traits of the first figure of the page, as one who plays with it does."
    page.evaluate("""state => { const { model } = document.querySelector(".pixelsim-widget");
        for (const [name, value] of Object.entries(state)) model.set(name, value);
        model.save_changes(); }""", state)
    settled(page)


def texts(page, selector): return page.locator(selector).evaluate_all("all => all.map((each) => each.textContent)")


def says(page): return page.locator(".psf-says").inner_text()


def press(page, part, name, moves):
    "Each key with what the trait is then; the focus stays where it was led to."
    part.focus()
    for key, value in moves:
        page.keyboard.press(key)
        assert trait(page, name) == value, key
    settled(page)


def drag(page, canvas, *places):
    "Press the mouse at the first place, x and y in pixels of `canvas`, and let it go at the last."
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    for i, (x, y) in enumerate(places):
        page.mouse.move(box["x"] + x, box["y"] + y, steps=1 if i == 0 else 3)
        if i == 0: page.mouse.down()
    page.mouse.up()


def beside_a_kernel(page, figure):
    "Show `figure` as Jupyter does: its module as it is, its state, and a model that notes what is saved."
    page.evaluate("""async ([source, state]) => {
        const heard = {}, saved = [];
        const tell = (name) => { for (const listener of heard[`change:${name}`] ?? []) listener(); };
        window.model = { saved, heard, get: (name) => state[name], set: (name, value) => { if (state[name] !== value) { state[name] = value; tell(name); } },
                         on: (event, listener) => { (heard[event] ??= new Set()).add(listener); }, off: (event, listener) => heard[event].delete(listener),
                         save_changes: () => saved.push({ ...state }) };
        const { default: shown } = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
        const el = document.createElement("div");
        document.querySelector("main").append(el);
        window.close_view = await shown.render({ model: window.model, el });
    }""", [figure._esm, figure.get_state(figure.page_state().keys())])
