"A rule of one's own: every number on the screen is Python's, the two lines say the same, and everything can be done by mouse and keys."
import base64

import numpy as np
import torch
from figure_pages import drag, press, says, settled, show, texts, trait

from pixelsim.course.figure_rule import RuleBuilder, our_digits
from pixelsim.course.ideas import strokes
from pixelsim.pixels import to_float


def some_measure(random):
    "One of the ready measures, with random numbers."
    (a, b), (c, d) = (sorted(random.choice(29, 2, replace=False).tolist()) for _ in "ab")
    at = random.integers(0, 28, 2).tolist()
    return [["ink", a, b, c, d], ["column", at[0]], ["row", at[0]], ["upside down"], ["mirror"], ["pixel", *at]][random.integers(6)]


def some_rule(random): return {"first": some_measure(random), "how": str(random.choice(["alone", "plus", "minus", "per"])), "second": some_measure(random), "turned": bool(random.random() < 0.5), "own": []}


def test_measures_and_bars_are_numpys(arithmetic):
    "200 random rules on random dark pixels: every value, both ways round; and on the real digits, every value and the bar of the training sample."
    random = np.random.default_rng(5)
    dark = random.random((40, 28, 28)) < 0.4
    rules = [some_rule(random) for _ in range(200)]
    run = """const dark = m.darkOf(Uint8Array.from(atob(data[0]), (c) => c.charCodeAt(0))), digits = { dark, corners: m.cornersOf(dark) };
        return data[1].map((rule) => [...m.combined(m.valuesOf(digits, m.checked(rule.first)), rule.how, m.valuesOf(digits, m.checked(rule.second)))]);"""
    images, rule = torch.from_numpy(dark * np.uint8(255)), RuleBuilder()
    for pixels, some in ((images, rules), (our_digits()[0][0], rules[:12])):
        packed = base64.b64encode(np.packbits(to_float(pixels).numpy() > 0.5).tobytes()).decode()
        for state, values in zip(some, arithmetic("rule", run, [packed, some])):
            rule.set_state(state)
            assert values == rule._numbers(pixels).tolist(), state


def test_measures_are_those_one_would_write(arithmetic):
    "Against NumPy, pixel by pixel."
    dark = np.random.default_rng(6).random((3, 28, 28)) < 0.4
    def starts(line): return sum(now and not before for before, now in zip([False, *line], line))
    expected = {("ink", 3, 9, 2, 20): [int(x[3:9, 2:20].sum()) for x in dark], ("column", 5): [starts(x[:, 5]) for x in dark], ("row", 27): [starts(x[27]) for x in dark],
                ("upside down",): [int((x != x[::-1]).sum()) for x in dark], ("mirror",): [int((x != x[:, ::-1]).sum()) for x in dark], ("pixel", 4, 6): [int(x[4, 6]) for x in dark]}
    for part, values in expected.items():
        assert RuleBuilder(list(part))._numbers(torch.from_numpy(dark).float()).tolist() == values


def test_what_an_address_may_hold_is_put_right(arithmetic):
    "Whatever it is: no window is empty, and nothing is outside the square."
    odd = [[], None, "ink", 7, {}, ["love", 3], ["ink"], ["ink", 5, 5, 9, 2], ["ink", -4, 99, "x", None], ["ink", 28, 28, 28, 28], ["column", 28], ["pixel", 1.5, 3], ["__proto__"], ["mirror", 4]]
    for part in arithmetic("rule", "return data.map(m.checked)", odd): RuleBuilder(part)
    assert arithmetic("rule", "return m.checked(['ink', 3, 9, 2, 20])") == ["ink", 3, 9, 2, 20]


def test_the_screen_shows_what_python_computes_and_the_lines_say_the_same(play):
    "For random rules, with the best bar and with one's own: sentence, board, and the two lines, of which the first, run in Python, says the same of every digit."
    rule, random, images = RuleBuilder(), np.random.default_rng(8), to_float(our_digits()[0][0])
    page = play(rule)
    for k in range(10):
        state = some_rule(random)
        rule.set_state(state)
        if k % 2: state["own"] = rule.own = [float(random.choice(rule.values.numpy()) + 0.25)]
        show(page, **state)
        rule.own = [rule.bar]  # which is worked out once
        assert f"right for {rule.right:,} of 2,038 digits, {rule.accuracy:.4f} (3s " in says(page), state
        assert texts(page, ".psf-yours td")[1:] == ["▸ your rule", f"{rule.accuracy:.4f}"] and texts(page, ".psf-lines") == [rule.code], state
        entered = {}
        exec(rule.code.split("\n")[0], {"strokes": strokes}, entered)
        assert torch.equal(entered["my_rule"](images), rule.says_seven), state


def test_by_mouse_and_the_board(play):
    "Your rule stands where its number puts it, behind those that are as good. A window is dragged from corner to corner, a line to where the pointer is, and the bar; another pair of digits comes."
    rule = RuleBuilder(["column", 14], turned=True)
    page = play(rule)
    rows = [row.inner_text().split("\t") for row in page.locator(".psf-board tbody tr").all()]
    assert [row[0] for row in rows[:4]] == ["1", "2", "2", "4"] and rows[2][1:] == ["▸ your rule", "0.8876"] == ["▸ your rule", rows[1][2]]
    page.get_by_label("turned round").uncheck()
    settled(page)
    assert "Turned round, it would get 1,809 right." in says(page)
    show(page, turned=True, first=["ink", 14, 28, 0, 14])
    def at(row, column): return 1 + (column + 0.5) * 5, 1 + (row + 0.5) * 5
    digits, window = page.locator(".psf-window"), ["ink", 10, 21, 6, 19]
    drag(page, digits.first, at(20, 18), at(10, 6))
    assert trait(page, "first") == window
    page.get_by_label("how the measures are combined").select_option("minus")
    page.get_by_label("second measure", exact=True).select_option("column")
    drag(page, digits.nth(1), at(3, 9))
    assert (trait(page, "first"), trait(page, "second")) == (window, ["column", 9])
    page.get_by_role("button", name="Two others").click()
    settled(page)
    page.locator(".psf-hills").click(position={"x": page.locator(".psf-hills").bounding_box()["width"] / 2, "y": 20})
    settled(page)
    rule.set_state({name: trait(page, name) for name in ("first", "second", "how", "turned", "own", "pair")})
    assert rule.pair == 1 and len(rule.own) == 1 and f"right for {rule.right:,} of" in says(page)
    told = ["37"[int(rule.says_seven[i])] for i in (1, 1011)]
    assert [text.split(": ")[1] for text in texts(page, ".psf-window + figcaption")] == [f"it says {said}, {'right' if said == was else 'wrong'}" for said, was in zip(told, "37")]
    page.get_by_role("button", name="Best bar again").click()
    assert trait(page, "own") == []


def test_by_keys_alone(play):
    "Numbers are stepped or typed, a half typed one waits, and the bar goes from image to image and back."
    rule = RuleBuilder()
    page = play(rule)
    press(page, page.get_by_label("first measure, first row"), "first", [("ArrowUp", ["ink", 15, 28, 0, 14])])
    press(page, page.get_by_label("first measure, row after the last"), "first", [("Control+a", ["ink", 15, 28, 0, 14]), ("2", ["ink", 15, 28, 0, 14]), ("0", ["ink", 15, 20, 0, 14])])
    rule.first = trait(page, "first")
    levels = rule.values.unique().numpy()
    stops = [levels[0] - (levels[1] - levels[0]) / 2, *((levels[1:] + levels[:-1]) / 2), levels[-1] + (levels[-1] - levels[-2]) / 2]
    at = int(np.abs(np.array(stops) - rule.bar).argmin())
    moves = [(key, [float(stops[place])]) for key, place in (("ArrowRight", at + 1), ("PageUp", at + 11), ("ArrowLeft", at + 10), ("Home", 0), ("End", -1))]
    press(page, page.get_by_role("slider", name="Bar"), "own", [*moves, ("Escape", [])])


def test_a_move_shows_within_one_frame(play):
    "2,038 digits, and 2,000 to choose the bar on: half of twenty moves of the window take less than 16 ms from the key to the picture."
    page = play(RuleBuilder(), wound=False, opened=False)
    page.get_by_role("button", name="just show me").click()
    page.locator(".psf-yours").wait_for()
    times = page.evaluate("""async () => { const times = [], { model } = document.querySelector(".pixelsim-widget");
        for (let i = 0; i < 20; i++) {
            const start = performance.now();
            model.set("first", ["ink", i, 28, 0, 14]);
            await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
            times.push(performance.now() - start);
        }
        return times; }""")
    assert np.median(times) < 16.7 + 16  # up to one frame passes before the next begins


def test_the_page_stays_small():
    "The digits are in a file of the site, and not in the page."
    html = RuleBuilder().as_html()
    assert len(html) < 12_000 and '"bits": ""' in html
