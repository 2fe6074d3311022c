"""Lessons in the real JupyterLab that the task `lab` starts: run, guess, draw, answer, save with Ctrl+S, close, and open again."""
import os
import re
import subprocess
import sys
import time
from datetime import datetime, timedelta

import nbformat
import pytest
from conftest import ROOT
from playwright.sync_api import expect

from pixelsim.course.lesson_files import lesson_file

CELLS = {
    "figure": 'from pixelsim.course import Broadcast,DrawDigit,quiz\nfigure = Broadcast((1010, 28, 28), (28, 28), name="recap")\nfigure',
    "sheet": 'from pixelsim import PixelSimilarity,load_mnist\nmodel = PixelSimilarity().fit(load_mnist([3, 7])[0])\nsheet = DrawDigit(model)\nsheet',
    "quiz": 'quiz("02_tensors")',
    "told": 'print(repr(figure.guess), figure.opened, figure.shapes, sheet.image.sum().item()>20)',
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    "The address of a JupyterLab with the settings of the task `lab`, in a folder with one notebook."
    folder = tmp_path_factory.mktemp("lab")
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS.values()]
    nb = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "language": "python", "display_name": "python3"}})
    nbformat.write(nb, folder / "one.ipynb")
    env = {**os.environ, "HOME": str(folder), "PIXELSIM_HOME": str(folder / "pixelsim"), "PYTHONPATH": str(ROOT)}
    env |= {f"JUPYTER_{kind}_DIR": str(folder / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    said = folder / "said.txt"
    with said.open("w") as out, subprocess.Popen(
            [sys.executable, "-m", "jupyter", "lab", "--config", ROOT / "tools" / "lab.py", "--no-browser", "--allow-root", "--ServerApp.port=0",
             "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}", f"--ServerApp.preferred_dir={folder}"], env=env, stdout=out, stderr=out) as server:
        try:
            while not (found := re.search(r"http://(?:localhost|127\.0\.0\.1):\d+", said.read_text())):
                assert server.poll() is None, said.read_text()
                time.sleep(.1)
            yield found[0], folder
        finally: server.terminate()


@pytest.fixture
def open_lab(lab, browser):
    "Opens the notebook in a new window, as after closing it; a menu's entry is chosen by `page.menu`."
    address, folder = lab
    windows = []

    def open_it(name="one"):
        windows.append(browser.new_context(viewport={"width": 1200, "height": 1600}))
        page = windows[-1].new_page()
        page.goto(f"{address}/lab/tree/{name}.ipynb?reset")
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)
        return page
    yield open_it
    for window in windows: window.close()


def choose(page, menu, entry):
    page.get_by_role("menuitem", name=menu, exact=True).click()
    page.get_by_role("menuitem", name=entry, exact=True).click()


def cell(page, name): return page.locator(".jp-CodeCell").nth(list(CELLS).index(name))


def run(page, name):
    "Run one cell with Ctrl+Enter and return what it prints."
    prompt = cell(page, name).locator(".jp-InputPrompt")
    before = prompt.inner_text()
    cell(page, name).locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    page.wait_for_function("([prompt, before]) => prompt.innerText !== before && /\\d/.test(prompt.innerText)", arg=[prompt.element_handle(), before])
    return cell(page, name).locator(".jp-OutputArea-output").inner_text().strip()


def saved(folder): return nbformat.read(folder / "one.ipynb", as_version=4)


def test_every_figure_is_alive_in_jupyterlab(open_lab, lab):
    "Each comes up beside a real kernel, opens, says what it shows, and Python knows that it is open."
    cells = ["from pixelsim.course import *\nfrom pixelsim.pixels import ink_coverage\n"
             "shown = [ThresholdBar(ink_coverage), Broadcast((2, 3), (3,)), MemoryStrip(), Loupe(), IntervalRain({'a': [True]*380+[False]*20}), GrowingMean(), Pile(), "
             "TwoPixels(), Spike(), RuleBuilder()]\ndisplay(*shown)", "print(*(type(each).__name__ for each in shown if each.opened))"]
    nb = saved(lab[1])
    nb.cells = [nbformat.v4.new_code_cell(source) for source in cells]
    nbformat.write(nb, lab[1] / "all.ipynb")
    page = open_lab("all")
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    choose(page, "Run", "Run All Cells")
    locked = page.get_by_role("button", name="just show me")
    expect(locked).to_have_count(10, timeout=60_000)
    for left in range(10, 0, -1):
        locked.first.click()
        expect(locked).to_have_count(left - 1)
    page.wait_for_timeout(1500)  # until they have told Python, and said it
    assert all(said.inner_text() for said in page.locator(".psf-says").all()) and wrong == []
    page.locator(".jp-CodeCell").last.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".jp-CodeCell").last.locator(".jp-OutputArea-output")).to_have_text(
        "ThresholdBar Broadcast MemoryStrip Loupe IntervalRain GrowingMean Pile TwoPixels Spike RuleBuilder")


def test_a_meeting_in_jupyterlab(open_lab, lab):
    "What is guessed and drawn is known to Python; Ctrl+S saves from a field of the quiz; opened again, nothing is an error, and the guess is there."
    page = open_lab()
    choose(page, "Run", "Run All Cells")
    page.locator(".psf-form input").first.fill("28,28", timeout=60_000)
    page.keyboard.press("Enter")
    assert page.locator(".psf-truth").inner_text() == "You guessed (28, 28). It is (1010, 28, 28)."
    drawn = page.locator(".psd-sheet")
    drawn.scroll_into_view_if_needed()
    box = drawn.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 4)
    page.mouse.down()
    for step in range(1, 9): page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] * (.25 + step / 16))
    page.mouse.up()
    page.wait_for_timeout(600)  # a figure tells Python when it has settled
    assert run(page, "told") == "'28,28' True [[1010, 28, 28], [28, 28]] True"
    page.locator(".pixelsim-quiz input").first.focus()
    page.keyboard.press("x")  # which would cut the cell if JupyterLab took it
    page.keyboard.press("Control+s")
    page.wait_for_function("!document.querySelector('.jp-mod-dirty')")
    assert [cell.source for cell in saved(lab[1]).cells] == list(CELLS.values()) and "28,28" in str(saved(lab[1]).cells[-1].outputs)
    choose(page, "Kernel", "Shut Down Kernel")
    page.close()

    again = open_lab()
    assert again.locator(".psf-truth").inner_text() == "You guessed (28, 28). It is (1010, 28, 28)."
    assert again.locator(".psd-sheet").is_visible() and "Error displaying widget" not in again.locator(".jp-Notebook").inner_text()


def test_practice_that_lasts_in_jupyterlab(open_lab, lab):
    "A question that was wrong is due on another day; lines are put in order by keys alone; a record of both is written, and a leader reads it."
    lines = lesson_file("03_means")["order"]["lines"]
    cells = ["from pixelsim.course import *\nquiz('03_means')", "order('03_means')", "review()", "print(write_record('Ada'))\ntable = group_table('pixelsim-record-ada.json')\ndict(zip(table.header, table.rows[0]))['03_means']"]
    folder = lab[1] / "practice"
    folder.mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells], metadata=saved(lab[1]).metadata), folder / "two.ipynb")
    page = open_lab("practice/two")

    def run_cell(at):
        page.locator(".jp-CodeCell").nth(at).locator(".cm-content").click()
        page.keyboard.press("Control+Enter")

    run_cell(0)
    page.locator(".psq-field input").first.fill("(1, 2)", timeout=60_000)
    page.keyboard.press("Enter")
    expect(page.locator(".psq-feedback").first).to_contain_text("Not this.")
    run_cell(1)
    focus = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
    page.locator(".psf-pool button").first.focus()
    for text in lines:
        texts = page.locator(".psf-pool button").all_inner_texts()
        while (now := page.evaluate(focus)) != text: page.keyboard.press("ArrowDown" if texts.index(now) < texts.index(text) else "ArrowUp")
        page.keyboard.press("Enter")
    while "move up" not in page.evaluate(focus): page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".psf-reply")).to_have_text("Now line 2 of 5.")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Control+s")
    page.wait_for_function("!document.querySelector('.jp-mod-dirty')")
    while page.evaluate(focus) != "Check": page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator(".psf-reply")).to_have_text("Right. It runs in this order, and in no other.")
    run_cell(2)
    due = page.locator(".jp-CodeCell").nth(2)
    expect(due).to_contain_text("Nothing is due today. The next question comes back on")
    page.clock.set_fixed_time(datetime.now() + timedelta(8))
    run_cell(2)
    expect(due).to_contain_text("One question is due.")
    assert due.locator(".psq-asks").count() == 1
    run_cell(3)
    expect(page.locator(".jp-CodeCell").nth(3).locator(".jp-OutputArea-output").last).to_have_text("'1 of 14'")
    assert {path.name for path in folder.iterdir()} >= {"pixelsim-progress.json", "pixelsim-record-ada.json", "pixelsim-record-ada.html"}


def test_a_prediction_in_jupyterlab(open_lab, lab):
    "What answers it is out of sight until its cell is run, and what only guards stays collapsed; the prediction is kept, and there when the notebook is opened again."
    new = nbformat.v4.new_code_cell
    answer = new("print(250+4)", metadata={"jupyter": {"outputs_hidden": True}}, outputs=[nbformat.v4.new_output("stream", text="254\n")], execution_count=1)
    guard = new("assert 250+4==254", metadata={"jupyter": {"source_hidden": True}})
    nb = saved(lab[1])
    nb.cells = [new("from pixelsim.course import predict,quiz\npredict('three-minus-five')"), answer, guard, new("quiz('01_pixels')")]
    nbformat.write(nb, lab[1] / "foreseen.ipynb")
    page = open_lab("foreseen")
    outputs, editors = (page.locator(".jp-CodeCell").nth(i).locator(f"{part}:visible") for i, part in ((1, ".jp-OutputArea-output"), (2, ".cm-content")))
    assert outputs.count() == 0 and editors.count() == 0
    for i in (0, 3):
        page.locator(".jp-CodeCell").nth(i).locator(".cm-content").click()
        page.keyboard.press("Control+Enter")
    page.locator(".psq-field input").first.fill("-2", timeout=60_000)
    page.keyboard.press("Enter")
    expect(page.locator(".psq-feedback").first).to_contain_text("Not this. In mathematics")
    expect(page.locator(".psq-score")).to_contain_text("of the lesson's 4 predictions, you made 0 right")
    page.locator(".jp-CodeCell").nth(1).locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    expect(outputs).to_have_text("254")
    page.locator(".pixelsim-quiz").last.get_by_role("textbox").first.focus()
    page.keyboard.press("Control+s")
    page.wait_for_function("!document.querySelector('.jp-mod-dirty')")
    choose(page, "Kernel", "Shut Down Kernel")
    page.close()

    again = open_lab("foreseen")
    again.locator(".jp-CodeCell").first.locator(".cm-content").click()
    again.keyboard.press("Control+Enter")
    expect(again.locator(".psq-feedback").first).to_contain_text("Not this. In mathematics", timeout=60_000)
    expect(again.locator(".psq-field input").first).to_be_disabled()


ANSWERS = ["from pixelsim.course import check,hint", 'check("share-not-gray", 0.2130)', 'check("share-not-gray", 0.7870)', 'hint("share-not-gray")', "hint()"]


def test_answers_in_jupyterlab(open_lab, lab):
    "Right and wrong differ in color too, hints name their exercise and stay; and all this is there when the notebook is saved, closed and opened again."
    nb = saved(lab[1])
    nb.cells = [nbformat.v4.new_code_cell(source) for source in ANSWERS]
    nbformat.write(nb, lab[1] / "answers.ipynb")

    def said(page): return [text.strip() for text in page.locator(".jp-CodeCell .jp-OutputArea-output").all_inner_texts()]
    page = open_lab("answers")
    choose(page, "Run", "Run All Cells")
    outputs = page.locator(".jp-CodeCell .jp-OutputArea-output")
    expect(outputs.last).to_contain_text("Of the exercise that was checked last", timeout=60_000)
    wrong, right, first, second = replies = said(page)
    assert wrong.startswith("✘ Not yet. ") and "1 minus what was asked for" in wrong and right.startswith("✔ Right. ")
    assert first.startswith("Hint 1 of") and second.startswith(first.split("\n")[0]) and "Hint 2 of" in second and second.count("for share-not-gray") == 2
    bars = [outputs.nth(i).locator("div[style*=border-left]").first.evaluate("e => getComputedStyle(e).borderLeftColor") for i in (0, 1)]
    assert bars[0] != bars[1], bars
    page.keyboard.press("Control+s")
    page.wait_for_function("!document.querySelector('.jp-mod-dirty')")
    choose(page, "Kernel", "Shut Down Kernel")
    page.close()
    again = open_lab("answers")
    again.get_by_text("Of the exercise that was checked last").wait_for()
    assert said(again) == replies
