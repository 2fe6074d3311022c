"What one does with a figure on a page, and a notebook's side of its model. The page: `open_page` in tests/course/conftest.py."
import json
import re


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
