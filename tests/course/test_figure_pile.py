"The pile: means and medians against NumPy's and PyTorch's, the screen against Python, digits in and out by mouse and keys."
import numpy as np
import pytest
import torch
from figure_pages import says, settled, show, texts, trait

from pixelsim.course.figure_pile import Pile


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


def gray_of(page):
    "The ink of both pictures, in the middle of each pixel, shape (2, 28, 28), 0 to 255."
    return 255 - np.array(page.locator(".psf-places").evaluate_all("""all => all.map((canvas) => {
        const context = Object.assign(document.createElement("canvas"), { width: 140, height: 140 }).getContext("2d", { willReadFrequently: true });
        context.drawImage(canvas, 0, 0);
        const { data } = context.getImageData(0, 0, 140, 140);
        return Array.from({ length: 784 }, (_, i) => data[4 * (140 * (5 * Math.floor(i / 28) + 2) + 5 * (i % 28) + 2)]);
    })""")).reshape(2, 28, 28)


def test_the_screen_is_what_python_has(play, digits):
    "20 states: values under the digits and sorted, mean and median in words, both pictures within half a 255th."
    pile, random = Pile(), np.random.default_rng(5)
    page = play(pile)
    every = np.concatenate([digits[0][3][:17].numpy(), digits[0][7][:5].numpy(), 255 - digits[0][3][:2].numpy()])
    for _ in range(20):
        pile.inside, pile.picked = sorted(random.choice(24, random.integers(1, 25), replace=False).tolist()), random.integers(4, 24, 2).tolist()
        show(page, inside=pile.inside, picked=pile.picked)
        (row, column), inside = pile.picked, every[pile.inside]
        np.testing.assert_array_equal(pile.images, inside)
        np.testing.assert_allclose(pile.mean, inside.mean(0) / 255, atol=1e-12)
        assert texts(page, ".psf-value") == [f"{x / 255:.2f}" for x in every[:, row, column]]
        assert [i for i, pressed in enumerate(page.locator("[aria-pressed]").evaluate_all("all => all.map((button) => button.ariaPressed)")) if pressed == "true"] == pile.inside
        order = [f"{x:.2f}" for x in sorted(pile.values)]
        order[(len(order) - 1) // 2] = f"[{order[(len(order) - 1) // 2]}]"
        assert page.locator(".psf-sorted").inner_text().split() == ["sorted:", *order]
        assert texts(page, ".psf-facts") == [f"pixels with ink: {(pile.mean > 0).sum()} in the mean, {(pile.median > 0).sum()} in the median"]
        off = np.abs(gray_of(page) - 255 * np.stack([pile.mean, pile.median]))
        off[:, row - 1:row + 2, column - 1:column + 2] = 0  # the frame is there
        assert off.max() <= 0.5 + 1e-9
        lower = "" if len(inside) % 2 else ", the lower of the two in the middle"
        assert says(page) == f"{len(inside)} in the pile. Pixel ({row}, {column}): mean {pile.mean[row, column]:.2f}, median {pile.median[row, column]:.2f}{lower}."


def test_in_and_out_by_mouse_and_by_keys(play):
    "One stop for Tab, arrows from digit to digit, the space bar puts in or takes out. A pixel is pointed at with the mouse."
    page = play(Pile())
    start = [*range(8), 22]
    for inside in ([*range(8), 17, 22], start):
        page.get_by_role("button", name="sevens[0]").click()
        assert trait(page, "inside") == inside
    settled(page)
    assert page.locator(".psf-thumbs button[tabindex='0']").count() == 1
    for keys, inside in (("End Space", [*start, 23]), ("Home ArrowRight ArrowDown ArrowLeft Space", [0, 2, 3, 4, 5, 6, 7, 22, 23])):
        for key in keys.split(): page.keyboard.press(key)
        assert trait(page, "inside") == inside
    settled(page)
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "false"
    page.locator(".psf-places").last.hover(position={"x": 110 * 13.5 / 28, "y": 110 * 6.5 / 28})
    assert trait(page, "picked") == [6, 13]
    page.get_by_role("combobox", name="pile").select_option(label="nothing")
    settled(page)
    assert says(page) == "The pile is empty, and nothing has no mean and no median."
