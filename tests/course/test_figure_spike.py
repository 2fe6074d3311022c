"Spread or spike: what is spent and how far it leads, against NumPy and SciPy; the screen against Python; keys and a place to choose."
import numpy as np
import pytest
from figure_pages import arithmetic, open_page, settled, trait  # noqa: F401
from scipy.spatial.distance import cdist

from pixelsim.course.figure_spike import Spike, spent_on


@pytest.fixture(scope="module")
def html(): return Spike().as_html()


def states(n, seed):
    random = np.random.default_rng(seed)
    for i in range(n):
        yield dict(which=int(random.integers(2)), place=random.integers(0, 28, 2).tolist(), count=int(random.choice([784, 392, 196, 98, 49, 28, 16, 8, 4, 2, 1, random.integers(1, 785)])), legal=bool(i % 2))


def test_the_arithmetic_is_pythons(arithmetic, digits):
    "2,000 states of 20 digits: the spoiled digits are equal to the last bit, and what is spent is what NumPy adds up."
    images = np.concatenate([digits[1][digit][:10].numpy() for digit in (3, 7)])
    cases = [(i % 20, state["place"], state["count"], state["legal"]) for i, state in enumerate(states(2000, seed=2))]
    found = arithmetic("spike distances", """return data[1].map(([which, place, count, legal]) => {
        const image = m.spentOn(data[0][which], place, count, legal);
        const was = data[0][which].map((value) => value / 255);
        return [m.DISTANCE.L1(image, was), m.DISTANCE.L2(image, was), image.reduce((sum, x, i) => sum + x * Math.sin(i), 0), Math.min(...image), Math.max(...image)];
    })""", [images.reshape(20, -1).tolist(), cases])
    for (which, place, count, legal), answer in zip(cases, found):
        image = spent_on(images[which], place, count, legal)
        off = image - images[which] / 255
        np.testing.assert_allclose(answer[:3], [np.abs(off).mean(), np.sqrt((off ** 2).mean()), image.flatten() @ np.sin(np.arange(784))], rtol=1e-9, atol=1e-9)
        assert answer[3:] == [image.min(), image.max()]
        if not legal: np.testing.assert_allclose((np.abs(off).mean(), np.sqrt((off ** 2).mean())), (1 / 28, 1 / np.sqrt(count)))  # by hand
        else: assert image.min() >= 0 and image.max() <= 1 and np.abs(off).sum() <= 28 + 1e-9


def test_the_order_of_the_pixels(arithmetic):
    "Every pixel once, never one that is nearer after one that is farther."
    for place in ([13, 13], [0, 0], [5, 27]):
        order = np.array(arithmetic("spike", "return m.orderFrom(data)", place))
        far = (order // 28 - place[0]) ** 2 + (order % 28 - place[1]) ** 2
        assert sorted(order) == list(range(784)) and (np.diff(far) >= 0).all() and order[0] == place[0] * 28 + place[1]


def test_the_screen_is_what_python_has(open_page, html, digits):
    "40 states: the table, both bars, and the facts; and Python's distances are SciPy's."
    spike, page = Spike(), open_page(html, opened=True)
    means = np.stack([digits[0][digit].double().flatten(1).numpy().mean(0) / 255 for digit in (3, 7)])
    for state in states(40, seed=5):
        for name, value in state.items(): setattr(spike, name, value)
        cells, numbers, facts = page.evaluate("""(state) => new Promise((done) => {
            const { model } = document.querySelector(".pixelsim-widget");
            for (const [name, value] of Object.entries(state)) model.set(name, value);
            const texts = (selector) => [...document.querySelectorAll(selector)].map((each) => each.textContent);
            requestAnimationFrame(() => requestAnimationFrame(() => done([texts("tbody td"), texts(".psf-gauge .psf-number"), texts(".psf-facts")[0]])));
        })""", state)
        assert cells == [text for first, second in spike.to_means.values() for text in (f"{first:.4f}", f"{second:.4f}", "7" if second < first else "3")]
        assert numbers == [f"{x:.4f}" for x in spike.off.values()]
        assert facts.endswith(f"{28 / spike.count:.4f} each; values from {spike.image.min():.2f} to {spike.image.max():.2f}")
        for kind, metric, scale in (("L1", "cityblock", 784), ("L2", "euclidean", 28)):
            np.testing.assert_allclose(spike.to_means[kind], cdist(spike.image.reshape(1, -1), means, metric)[0] / scale, atol=1e-6)


def test_by_keys_alone(open_page, html):
    "To one pixel, where L2 changes sides and L1 does not; legal, neither does, and it is said how much has no room."
    page = open_page(html, opened=True)
    slider = page.get_by_role("slider")
    slider.focus()
    for key, count in [("ArrowRight", 392), ("PageUp", 1), ("ArrowUp", 1), ("ArrowLeft", 2), ("Home", 784), ("End", 1)]:
        page.keyboard.press(key)
        assert trait(page, "count") == count, key
    settled(page)
    says = page.locator(".psf-says")
    assert says.inner_text() == "Shared by 1 pixel: L1 0.0357, L2 1.0000, which is 28.00 times as large. Nearer by L1: the mean 7; by L2: the mean 3."
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    settled(page)
    assert trait(page, "legal") is True
    assert says.inner_text() == ("Shared by 1 pixel: L1 0.0013, L2 0.0357, which is 28.00 times as large. There is no room for 27.0 of the 28: a pixel from 0 to 1 cannot be off by more. "
                                 "Nearer by L1: the mean 7; by L2: the mean 7.")
    page.get_by_label("row of the pixel that is left").fill("0")
    assert trait(page, "place") == [0, 13]


def test_the_place_is_dragged(open_page, html):
    page = open_page(html, opened=True)
    box = page.locator(".psf-spike").bounding_box()
    size = (box["width"] - 2) / 28
    page.mouse.move(box["x"] + 1 + 13.5 * size, box["y"] + 1 + 13.5 * size)
    page.mouse.down()
    page.mouse.move(box["x"] + 1 + 3.5 * size, box["y"] + 1 + 20.5 * size)
    page.mouse.up()
    assert trait(page, "place") == [20, 3] and page.get_by_role("combobox", name="around").input_value() == ""


@pytest.mark.parametrize("sent", ["place=[3]", "place=[1,99]", "place=[1.5,2]"])
def test_a_link_with_an_impossible_place_does_no_harm(open_page, html, sent):
    page = open_page(html, address=f"#spike-spike:{sent}")
    settled(page)
    assert page.get_by_label("row of the pixel that is left").input_value() == "13"
