"Spread or spike: what is spent and how far it leads, against NumPy and SciPy; the screen against Python; keys and a place to choose."
import numpy as np
from figure_pages import drag, says, settled, show, texts, trait
from scipy.spatial.distance import cdist

from pixelsim.course.figure_spike import Spike, spent_on


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


def test_the_screen_is_what_python_has(play, digits):
    "40 states: the table, both bars, and the facts; and Python's distances are SciPy's."
    spike = Spike()
    page = play(spike)
    means = np.stack([digits[0][digit].double().flatten(1).numpy().mean(0) / 255 for digit in (3, 7)])
    for state in states(40, seed=5):
        spike.set_state(state)
        show(page, **state)
        assert texts(page, "tbody td") == [text for first, second in spike.to_means.values() for text in (f"{first:.4f}", f"{second:.4f}", "7" if second < first else "3")]
        assert texts(page, ".psf-gauge .psf-number") == [f"{x:.4f}" for x in spike.off.values()]
        assert texts(page, ".psf-facts")[0].endswith(f"{28 / spike.count:.4f} each; values from {spike.image.min():.2f} to {spike.image.max():.2f}")
        for kind, metric, scale in (("L1", "cityblock", 784), ("L2", "euclidean", 28)):
            np.testing.assert_allclose(spike.to_means[kind], cdist(spike.image.reshape(1, -1), means, metric)[0] / scale, atol=1e-6)


def test_one_pixel_any_value_or_legal_and_elsewhere(play):
    "In one pixel L2 changes sides and L1 does not; legal, neither does, and it is said how much has no room. The place is typed or dragged."
    page = play(Spike())
    assert "0.0357 and 0.0357 with 784 pixels, 0.0357 and 0.1890 with 28 pixels, 0.0357 and 1.0000 with 1 pixel. " in Spike().as_html()  # by hand
    show(page, count=1)
    assert says(page) == "Shared by 1 pixel: L1 0.0357, L2 1.0000, which is 28.00 times as large. Nearer by L1: the mean 7; by L2: the mean 3."
    page.get_by_label("only 0 to 1").press("Space")
    settled(page)
    assert says(page) == ("Shared by 1 pixel: L1 0.0013, L2 0.0357, which is 28.00 times as large. There is no room for 27.0 of the 28: a pixel from 0 to 1 cannot be off by more. "
                          "Nearer by L1: the mean 7; by L2: the mean 7.")
    page.get_by_label("row of the pixel that is left").fill("0")
    assert trait(page, "place") == [0, 13]
    canvas = page.locator(".psf-spike")
    size = (canvas.bounding_box()["width"] - 2) / 28
    drag(page, canvas, (1 + 13.5 * size, 1 + 13.5 * size), (1 + 3.5 * size, 1 + 20.5 * size))
    settled(page)
    assert trait(page, "place") == [20, 3] and page.get_by_role("combobox", name="around").input_value() == ""
