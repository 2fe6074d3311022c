"The bar through two hills: its arithmetic against NumPy, and moving it by mouse, finger and keys."
import base64
import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from figure_pages import drag, press, settled, show, state_of, texts, trait
from PIL import Image

from pixelsim.course.figure_bar import ThresholdBar
from pixelsim.pixels import best_threshold, ink_coverage


@pytest.fixture(scope="module")
def on_valid(digits): return ThresholdBar(ink_coverage, valid=digits[1], name="share of ink", percent=True)


def test_counts_and_best_bar_are_numpys(arithmetic):
    "For 300 random sets, smooth or in steps, and ten bars each: right of either class; the best bar is that of `best_threshold`; the highest bar that loses none."
    random, cases = np.random.default_rng(3), []
    for k in range(300):
        n = int(random.integers(2, 60))
        values = random.normal(size=n) if k % 2 else random.integers(0, 9, n) / 8
        above = random.random(n) < 0.5
        above[:2], values[:2] = (True, False), (0, 1)
        cases.append((values, above, [*random.normal(size=8), *random.choice(values, 2)]))
    found = arithmetic("hills", """return data.map(([values, above, bars]) => {
        const set = m.setOf(Float64Array.from(values), above);
        return [bars.map((bar) => m.countsOf(set, bar).right), m.bestOf(set), m.losingNone(set), bars.map((bar) => m.nearestStop(set.stops, bar)), bars.map((bar) => m.nearestTo(set, bar, 3)), [...set.stops]];
    })""", [[values.tolist(), above.tolist(), list(map(float, bars))] for values, above, bars in cases])
    for (values, above, bars), (right, best, none, nearest, around, stops) in zip(cases, found):
        assert right == [[int((values[above] > bar).sum()), int((values[~above] <= bar).sum())] for bar in bars]
        assert best == best_threshold(torch.from_numpy(values), torch.from_numpy(above))[0]
        assert (values[above] > none).all() and none == max(stop for stop in stops if stop < values[above].min())
        assert [abs(stops[i] - bar) for i, bar in zip(nearest, bars)] == [np.abs(np.array(stops) - bar).min() for bar in bars]
        for (below, over), bar in zip(around, bars):
            assert values[below].tolist() == np.sort(values[values <= bar])[-3:].tolist() and values[over].tolist() == np.sort(values[values > bar])[:3].tolist()


def test_images_are_those_of_the_set_that_was_given(on_valid, digits):
    "The opened one in Python; in Jupyter a picture that holds all of them; and a page fetches the site's file only if they are ours."
    other = replace(digits[1], images=digits[1].images.flip(0), labels=digits[1].labels[::-1].copy())
    for bar, images, fetched in ((on_valid, digits[1].images, True), (ThresholdBar(ink_coverage, valid=other, ask="accuracy"), other.images, False)):
        drawn = 255 - np.asarray(Image.open(io.BytesIO(base64.b64decode(bar.images.removeprefix("data:image/png;base64,")))).convert("L")).astype(int)
        for bar.look in (0, 1500):
            assert (bar.image == images[bar.look]).all()
            row, column = divmod(bar.look, 64)
            assert abs(drawn[28 * row:28 * row + 28, 28 * column:28 * column + 28] - images[bar.look].numpy()).max() <= 8  # 16 shades
        bar.look = -1
        assert bar.image is None and state_of(bar.as_html())["images"] == ("digits-3-7.png" if fetched else bar.images)
    assert ThresholdBar(ink_coverage, train=digits[0]).images == ""


def shown(page):
    "The four counts and the three accuracies on the screen."
    cells = texts(page, ".psf-table td:not(:empty)")
    return cells[:4], cells[4:]


def test_the_screen_shows_what_python_computes(play, on_valid):
    "At 20 bars: counts, confusion matrix and accuracies."
    page = play(on_valid)
    for threshold in np.linspace(0.05, 0.4, 20).tolist():
        show(page, threshold=threshold)
        on_valid.threshold = threshold
        counts = on_valid.confusion.double()
        assert shown(page) == ([f"{n:,.0f}" for n in counts.flatten().tolist()], [f"{counts[0, 0] / 1010:.4f}", f"{counts[1, 1] / 1028:.4f}", f"{on_valid.accuracy:.4f}"])


def test_published_figures(play):
    "Chosen on the training set, then measured on the validation set once, as in lesson 1."
    ink = ThresholdBar(ink_coverage, name="share of ink", percent=True, threshold=0.25)
    page = play(ink, opened=False)
    page.locator(".psf-form input").fill("25")
    page.keyboard.press("Enter")
    settled(page)
    assert page.locator(".psf-truth").inner_text() == f"You guessed 25.0%, where the bar gets {ink.right:,} of 12,396 right. The best bar stands at 18.3% and gets 8,711 of 12,396 right."
    page.get_by_role("button", name="Best bar").click()
    settled(page)
    assert shown(page)[1][2] == "0.7027"
    page.get_by_label("validation set").check()
    settled(page)
    assert shown(page) == (["722", "288", "311", "717"], ["0.7149", "0.6975", "0.7061"])


def test_moving_the_bar_and_opening_images(play, on_valid, digits):
    "The bar goes where it is dragged; an arrow takes it past one number, Page past ten. An image is opened by keys in the order of the numbers, by a button beside the bar, by a click on its dot."
    page = play(on_valid)
    hills = page.locator(".psf-hills")
    width = hills.bounding_box()["width"]
    drag(page, hills, (100, 20), (width / 2, 30))
    settled(page)
    values = on_valid.numbers["valid"].numpy()
    levels = np.unique(values)
    stops = np.concatenate([[levels[0] - (levels[1] - levels[0]) / 2], (levels[1:] + levels[:-1]) / 2, [levels[-1] + (levels[-1] - levels[-2]) / 2]]).tolist()
    at = trait(page, "threshold")
    assert at == pytest.approx((stops[0] + stops[-1]) / 2, abs=0.01)
    place = stops.index(at)
    press(page, page.get_by_role("slider", name="Bar: share of ink"), "threshold",
          [(key, stops[i]) for key, i in [("ArrowRight", place + 1), ("ArrowUp", place + 2), ("ArrowLeft", place + 1), ("PageDown", place - 9), ("PageUp", place + 1), ("Home", 0), ("End", -1), ("Escape", place)]])
    order = np.lexsort((range(2038), values)).tolist()
    for key, i in zip(("Home", "ArrowRight", "ArrowRight"), order):
        press(page, page.get_by_role("slider", name="Open an image"), "look", [(key, i)])
        name = f"valid[3][{i}]" if i < 1010 else f"valid[7][{i - 1010}]"
        assert page.locator(".psf-about").inner_text().startswith(f"{name} is a {digits[1].labels[i]}, {values[i]:.1%}: the bar says 7")
    page.locator(".psf-digit:visible").first.click()
    assert trait(page, "look") == [i for i in order if values[i] <= at][-4]
    show(page, threshold=stops[0], look=-1)
    hills.click(position={"x": width * 0.4, "y": 104 + 20})
    assert trait(page, "look") >= 1010 and trait(page, "threshold") == stops[0]


def test_a_finger_can_scroll_past(play, on_valid):
    page = play(on_valid, width=360, has_touch=True)
    assert {page.locator(part).evaluate("e => getComputedStyle(e).touchAction") for part in (".psf-hills", ".psf-bar")} == {"pan-y"}
    box = page.locator(".psf-hills").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] - 20, box["y"] + 100)  # no dot there: the bar goes to it
    settled(page)
    assert trait(page, "threshold") > 0.3


def test_all_images_move_within_one_frame(play, on_valid):
    "2,038 dots: half of forty moves take less than 16 ms from the key to the picture."
    page = play(on_valid, wound=False, opened=False)
    page.get_by_role("button", name="just show me").click()
    times = page.evaluate("""async () => { const times = [], bar = document.querySelector(".psf-bar");
        for (let i = 0; i < 40; i++) {
            bar.value = 0.3 + i * 0.01;
            const start = performance.now();
            bar.dispatchEvent(new Event("input"));
            await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
            times.push(performance.now() - start);
        }
        return times; }""")
    assert np.median(times) < 16.7 + 16  # up to one frame passes before the next begins
