"The pile: means and medians against NumPy's and PyTorch's, the screen against Python, digits in and out by mouse and keys."
import numpy as np
import pytest
import torch
from figure_pages import arithmetic, open_page, settled, trait  # noqa: F401

from pixelsim.course.figure_pile import Pile


@pytest.fixture(scope="module")
def html(): return Pile().as_html()


def states(n, seed):
    random = np.random.default_rng(seed)
    for _ in range(n): yield dict(inside=sorted(random.choice(24, random.integers(1, 25), replace=False).tolist()), picked=random.integers(4, 24, 2).tolist())


def test_mean_and_median_are_numpys_and_pytorchs(arithmetic):
    "3,000 piles of 1 to 24 values: the mean to the last bit but one, the median exactly, of two in the middle the lower."
    random = np.random.default_rng(1)
    piles = [random.choice([0, 255, 128, 7], n).tolist() if i % 2 else random.integers(0, 256, n).tolist() for i, n in enumerate(random.integers(1, 25, 3000))]
    found = arithmetic("pile", "return data.map((values) => [m.meanOf(values), m.medianOf(values)])", piles)
    for pile, (mean, median) in zip(piles, found):
        assert mean == pytest.approx(np.mean(pile) / 255, rel=1e-15, abs=1e-15) and median == torch.tensor(pile).median().item() / 255
        if len(pile) % 2: assert median == np.median(pile) / 255


def test_what_an_address_may_hold(arithmetic):
    assert arithmetic("pile", "return data.map((inside) => m.inPile(inside, 5))", [[3, 1, 3], [5, -1, 1.5, "2", 0], "x", None, []]) == [[1, 3], [0], [], [], []]


def test_the_screen_is_what_python_has(open_page, html, digits):
    "20 states: values under the digits and sorted, mean and median in words, both pictures within half a 255th."
    pile, page = Pile(), open_page(html, opened=True)
    every = np.concatenate([digits[0][3][:17].numpy(), digits[0][7][:5].numpy(), 255 - digits[0][3][:2].numpy()])
    for state in states(20, seed=5):
        for name, value in state.items(): setattr(pile, name, value)
        shown = page.evaluate("""(state) => new Promise((done) => {
            const { model } = document.querySelector(".pixelsim-widget");
            for (const [name, value] of Object.entries(state)) model.set(name, value);
            const texts = (selector) => [...document.querySelectorAll(selector)].map((each) => each.textContent);
            const gray = (canvas) => {
                const context = Object.assign(document.createElement("canvas"), { width: 140, height: 140 }).getContext("2d", { willReadFrequently: true });
                context.drawImage(canvas, 0, 0);
                const { data } = context.getImageData(0, 0, 140, 140);
                return Array.from({ length: 784 }, (_, i) => data[4 * (140 * (5 * Math.floor(i / 28) + 2) + 5 * (i % 28) + 2)]);
            };
            requestAnimationFrame(() => requestAnimationFrame(() => done([texts(".psf-value"), texts(".psf-sorted")[0], texts(".psf-facts")[0], [...document.querySelectorAll(".psf-places")].map(gray),
                [...document.querySelectorAll("[aria-pressed=true]")].map((button) => [...button.parentNode.children].indexOf(button))])));
        })""", state)
        row, column = pile.picked
        assert shown[0] == [f"{x / 255:.2f}" for x in every[:, row, column]] and shown[4] == pile.inside
        np.testing.assert_array_equal(pile.images, every[state["inside"]])
        np.testing.assert_allclose(pile.mean, every[state["inside"]].mean(0) / 255, atol=1e-12)
        order = [f"{x:.2f}" for x in sorted(pile.values)]
        order[(len(order) - 1) // 2] = f"[{order[(len(order) - 1) // 2]}]"
        assert shown[1].split() == ["sorted:", *order]
        assert shown[2] == f"pixels with ink: {(pile.mean > 0).sum()} in the mean, {(pile.median > 0).sum()} in the median"
        for picture, expected in zip(shown[3], (pile.mean, pile.median)):
            off = np.abs(255 - np.array(picture).reshape(28, 28) - expected.numpy() * 255)
            off[max(0, row - 1):row + 2, max(0, column - 1):column + 2] = 0  # the frame is there
            assert off.max() <= 0.5 + 1e-9
    settled(page)
    lower = "" if len(pile.inside) % 2 else ", the lower of the two in the middle"
    assert page.locator(".psf-says").inner_text() == f"{len(pile.inside)} in the pile. Pixel ({row}, {column}): mean {pile.mean[row, column]:.2f}, median {pile.median[row, column]:.2f}{lower}."


def test_in_and_out_by_mouse_and_by_keys(open_page, html):
    "One stop for Tab, arrows from digit to digit, the space bar puts in or takes out; Ctrl with an arrow is left alone."
    page = open_page(html, opened=True)
    start = [*range(8), 22]
    page.get_by_role("button", name="sevens[0]").click()
    assert trait(page, "inside") == [*range(8), 17, 22]
    page.get_by_role("button", name="sevens[0]").click()
    assert trait(page, "inside") == start and page.locator(".psf-thumbs button[tabindex='0']").count() == 1
    page.keyboard.press("End")
    page.keyboard.press("Space")
    assert trait(page, "inside") == [*start, 23]
    for key in ("Home", "ArrowRight", "ArrowDown", "ArrowLeft", "Space"): page.keyboard.press(key)
    assert trait(page, "inside") == [0, 2, 3, 4, 5, 6, 7, 22, 23]
    settled(page)
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "false"
    page.get_by_role("combobox", name="pile").select_option(label="nothing")
    settled(page)
    assert page.locator(".psf-says").inner_text() == "The pile is empty, and nothing has no mean and no median."


def test_a_pixel_is_pointed_at(open_page, html):
    page = open_page(html, opened=True)
    page.locator(".psf-places").last.hover(position={"x": 110 * 13.5 / 28, "y": 110 * 6.5 / 28})
    assert trait(page, "picked") == [6, 13]
    page.get_by_role("slider", name="row of the pixel").focus()
    for key, row in [("ArrowRight", 7), ("PageUp", 17), ("Home", 0), ("End", 27), ("Escape", 6)]:
        page.keyboard.press(key)
        assert trait(page, "picked") == [row, 13], key
