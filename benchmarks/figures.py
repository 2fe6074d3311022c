"""Measures how long a figure of a lesson takes to show a move, in Chromium slowed down four times, as on a phone.

    python benchmarks/figures.py

The site is built, each page with figures is opened, and every figure is moved forty times, to states of which it knows. What is shown is the
time from the move to the end of the frame that shows it: median and worst, in milliseconds. One frame of 60 in a second is 16.7 ms.
Nothing here is a test, and no test is timed.
"""
import statistics
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))
SLOWED = 4
# A trait of each figure, and values to move between; for the bar, steps from where it is
MOVES = {
    "bar": ("threshold", [.01, .02, -.01]), "broadcast": ("shapes", [[[3, 4], [4]], [[2, 3, 4], [3, 1]]]), "strip": ("ops", [[".T"], ["[1:]"], [".T", ".view(-1)"]]),
    "loupe": ("constant", [3, 7, 200]), "rain": ("draws", [10, 40, 100]), "grow": ("step", [2, 3, 4]), "plane": ("pixels", [[[7, 14], [13, 13]], [[20, 8], [6, 19]]]),
    "spike": ("count", [1, 9, 100]), "pile": ("picked", [[13, 13], [7, 14]]), "rule": ("first", [["column", 14], ["column", 9]]),
    "matrix": ("picked", [[4, 9], [7, 9], [5, 3]]), "valley": ("start", [[1, 2], [-2, 3], [3, -1]]), "photo": ("shadow", [10, 40, 80]),
    "plan": ("answers", [["color", "all", "third", "parent"], ["gray", "all", "grandparent", "parent"]]),
}
MEASURE = """async ([widget, name, values, times]) => {
    const taken = [];
    const { model } = widget;
    for (let i = 0; i < times; i += 1) {
        await new Promise((done) => setTimeout(done, 20));
        const start = performance.now();
        model.set(name, values[i % values.length]);
        await new Promise((done) => requestAnimationFrame(() => { const { port1, port2 } = new MessageChannel(); port1.onmessage = done; port2.postMessage(0); }));
        taken.push(performance.now() - start);
    }
    return taken;
}"""


def main():
    import docs
    from browser import FLAGS, MISSING, chromium
    from playwright.sync_api import sync_playwright

    from pixelsim.course.lessons import lesson_paths
    if not (path := chromium()): sys.exit(MISSING)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        docs.build(None, Path(folder))
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_page(viewport={"width": 412, "height": 900})
        page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
        print(f"A move, in ms, with the processor slowed {SLOWED} times\n\n{'page':16}{'figure':24}{'median':>8}{'worst':>8}")
        for name in lesson_paths():
            page.goto((Path(folder) / "html" / f"{name}.html").as_uri())
            for widget in page.query_selector_all(".pixelsim-widget[data-figure]"):
                kind, label = widget.get_attribute("data-widget"), widget.get_attribute("data-figure")
                widget.scroll_into_view_if_needed()
                page.wait_for_function("(widget) => widget.model", arg=widget)
                widget.evaluate("({ model }) => { model.set('opened', true); }")
                page.wait_for_timeout(1000)  # its picture of digits has come
                trait, values = MOVES[kind]
                if kind == "bar": values = [widget.evaluate("({ model }) => model.get('threshold')") + step for step in values]
                taken = page.evaluate(MEASURE, [widget, trait, values, 40])
                print(f"{name:16}{label[:22]:24}{statistics.median(taken):8.1f}{max(taken):8.1f}")
        browser.close()


if __name__ == "__main__": main()
