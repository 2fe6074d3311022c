"A valley: loss, slopes and paths against PyTorch, the bowl against NumPy; the screen against Python; keys, a click, and links that hold nonsense."
import numpy as np
import torch
from figure_pages import says, settled, show, trait

from pixelsim.course.figure import static_text
from pixelsim.course.figure_valley import Valley


def data_of(valley, pair): return np.array(valley.presets[pair]["bytes"]) / 255, np.array(valley.wanted, dtype=float)


def test_the_pixels_are_those_of_real_images(digits):
    "Ten threes and ten sevens of the training set, and a three should give 1."
    valley = Valley()
    for preset in valley.presets:
        (r0, c0), (r1, c1) = preset["pixels"]
        assert preset["bytes"] == [[int(image[r0, c0]), int(image[r1, c1])] for digit in (3, 7) for image in digits[0][digit][:10]]
    assert valley.wanted == [1] * 10 + [-1] * 10


def test_the_arithmetic_is_that_of_pytorch(arithmetic):
    "Loss and gradient at 1,000 places of both valleys."
    valley, random = Valley(), np.random.default_rng(8)
    for pair in (0, 1):
        inks, wanted = data_of(valley, pair)
        places = random.uniform(-3, 3, (500, 2))
        found = arithmetic("valley", "return data[2].map((w) => [m.lossAt(data[0], data[1], w), ...m.slopesAt(data[0], data[1], w)])", [inks.tolist(), wanted.tolist(), places.tolist()])
        w = torch.from_numpy(places).requires_grad_()
        losses = (w @ torch.from_numpy(inks).T - torch.from_numpy(wanted)).square().mean(1)
        losses.sum().backward()
        np.testing.assert_allclose(found, np.column_stack([losses.detach(), w.grad]), rtol=1e-10, atol=1e-12)


def test_the_path_is_that_of_steps_with_pytorch(arithmetic):
    "Of 200 random starts, ten steps each, with rates that change."
    valley, random, cases, paths = Valley(), np.random.default_rng(9), [], []
    for k in range(200):
        valley.pair, valley.start, valley.taken = k % 2, random.integers(-30, 31, 2).tolist(), random.uniform(0.05, 2, 10).tolist()
        inks, wanted = data_of(valley, valley.pair)
        w, path = torch.tensor(valley.start, dtype=torch.float64) / 10, []
        for rate in [*valley.taken, 0]:
            path.append(w.tolist())
            w.requires_grad_()
            (torch.from_numpy(inks) @ w - torch.from_numpy(wanted)).square().mean().backward()
            w = (w - rate * w.grad).detach()
        np.testing.assert_allclose(valley.path, path, rtol=1e-8, atol=1e-8)
        cases.append([inks.tolist(), wanted.tolist(), [n / 10 for n in valley.start], valley.taken])
        paths.append(path)
    np.testing.assert_allclose(arithmetic("valley", "return data.map((each) => m.pathOf(...each))", cases), paths, rtol=1e-8, atol=1e-8)
    valley.taken = [0.5] * 50
    assert len(valley.path) == 41  # of so many steps the screen takes forty


def test_the_bowl_is_that_of_numpy(arithmetic):
    "Lowest place, curvatures and direction, of both valleys and of 200 random ones."
    random = np.random.default_rng(3)
    cases = [data_of(Valley(), pair) for pair in (0, 1)] + [(random.uniform(0, 1, (20, 2)), random.choice([-1., 1.], 20)) for _ in range(200)]
    found = arithmetic("valley", "return data.map(([inks, wanted]) => m.bowlOf(inks, wanted))", [[inks.tolist(), wanted.tolist()] for inks, wanted in cases])
    for (inks, wanted), bowl in zip(cases, found):
        bent, ways = np.linalg.eigh(2 * inks.T @ inks / len(inks))
        np.testing.assert_allclose(bowl["best"], np.linalg.lstsq(inks, wanted, rcond=None)[0], rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(bowl["bent"], bent, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(abs(ways[:, 0] @ [np.cos(bowl["angle"]), np.sin(bowl["angle"])]), 1, atol=1e-9)


def written(x): return f"{x:.3f}".replace("-0.000", "0.000").replace("-", "−") if abs(x) < 1000 else f"{'below −' if x < 0 else 'above '}1,000"


def test_the_sentence_is_what_python_has(play):
    "20 states, also far outside of the map."
    valley, random = Valley(), np.random.default_rng(4)
    page = play(valley)
    for k in range(20):
        state = dict(pair=int(k % 2), start=random.integers(-30, 31, 2).tolist(), rate=0.5, taken=random.choice([0.05, 0.5, 1.5, 2], random.integers(0, 13)).tolist())
        valley.set_state(state)
        show(page, **state)
        told, steps = says(page), len(state["taken"])
        begins = f"After {steps} step{'s' * (steps > 1)}" if steps else "At the start"
        assert told.startswith(f"{begins}: weights {' and '.join(map(written, valley.weights))}, loss {written(valley.loss)}, slopes {' and '.join(map(written, valley.gradient))}.")
        assert ("beyond the edge" in told) == bool((abs(valley.weights) > 3).any())
        inks, wanted = data_of(valley, valley.pair)
        ahead = valley.weights - 0.5 * 2 * inks.T @ (inks @ valley.weights - wanted) / 20
        assert told.endswith(f" The next step leads to {' and '.join(map(written, ahead))}.")
        if steps:
            now, valley.taken = valley.loss, state["taken"][:-1]
            assert ("made the loss smaller" in told) == (now < valley.loss)


def test_steps_and_another_start(play):
    "Steps, ten at once, by keys, and back; no more than 40 are kept. Another start, by a slider and by a click on the map, begins them anew, and so do other pixels."
    page = play(Valley())
    step, ten = (page.get_by_role("button", name=name, exact=True) for name in ("step", "ten steps"))
    for button, key, steps in ((step, "Enter", 1), (ten, "Space", 11), (ten, "Space", 21), (ten, "Space", 31), (ten, "Space", 40)):
        button.press(key)
        assert trait(page, "taken") == [0.5] * steps
        settled(page)
    assert "next step" not in says(page) and step.is_disabled() and ten.is_disabled()
    page.get_by_role("button", name="back to the start").press("Enter")
    assert trait(page, "taken") == []
    settled(page)
    step.click()
    page.get_by_role("slider", name="first weight at the start").press("End")
    assert (trait(page, "start"), trait(page, "taken")) == ([30, 5], [])
    step.click()
    span = page.locator(".psf-valley").bounding_box()["width"] - 52
    page.locator(".psf-valley").click(position={"x": 40 + span / 2, "y": 12 + span * 5 / 6})
    assert (trait(page, "start"), trait(page, "taken")) == ([0, -20], [])
    step.click()
    page.get_by_label("pixels").select_option("1")
    assert (trait(page, "pair"), trait(page, "taken"), trait(page, "start")) == (1, [], [0, -20])


def test_the_guess_is_right():
    "What question and answer say of 0.5, 1.5 and 1.7: from one side, across and nearer, thrown out; and how much of the way across the first valley a step goes."
    valley = Valley()
    inks, wanted = data_of(valley, 0)
    best, bent = np.linalg.lstsq(inks, wanted, rcond=None)[0], np.linalg.eigvalsh(2 * inks.T @ inks / 20)
    assert (1 - 0.5 * bent > 0).all()  # each way to the lowest place is shortened by this factor in a step
    assert (1 - 1.5 * bent < 0).all() and (abs(1 - 1.5 * bent) < 1).all()
    assert 1 - 1.7 * bent[1] < -1
    for rate in (1.5, 1.7):  # where the ball begins it can be seen at once
        valley.taken = [rate] * 2
        ways = valley.path - best
        assert ways[0] @ ways[1] < 0 and ways[1] @ ways[2] < 0 and (np.hypot(*ways[2]) < np.hypot(*ways[1]) < np.hypot(*ways[0])) == (rate == 1.5)
    told = []
    for rate in (0.5, 1.5, 1.7):
        valley.taken = [rate] * 10
        told.append(f"{valley.loss:.3f} with a rate of {rate}")
    assert f" to {', '.join(told)}: nearer from one side, across and nearer, thrown out. " in valley.as_html()
    for rate, words in ((0.5, "goes {} of the way across"), (1.5, "{} times the way: less than twice"), (1.7, "{} times the way, and the ball is thrown out")):
        assert words.format(f"{rate * bent[1]:.2f}") in static_text("valley.js")
