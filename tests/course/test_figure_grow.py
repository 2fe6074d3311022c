"A mean that grows: its counts against SciPy's distances, the screen against Python, and moving it."
import numpy as np
import pytest
from figure_pages import arithmetic, open_page, settled, trait  # noqa: F401
from scipy.spatial.distance import cdist

from pixelsim.course.figure_grow import GrowingMean, steps_to


@pytest.fixture(scope="module")
def grow(): return GrowingMean()


def test_accuracies_are_scipys(grow, digits):
    "For every fourth step: means by NumPy, city-block distances by SciPy, in which an image is right if its own mean is nearer."
    train, valid = digits
    images = valid.images.flatten(1).numpy() / 255
    for step in range(0, len(grow.counts), 4):
        means = np.stack([train[digit][:grow.counts[step]].double().flatten(1).numpy().mean(0) / 255 for digit in (3, 7)])
        to_3, to_7 = cdist(images, means, "cityblock").T
        assert grow.right[step] == (np.where(to_3 < to_7, 3, 7) == valid.labels).sum()
        assert grow.errors[step] == pytest.approx(np.abs(means[0] - train[3].double().flatten(1).numpy().mean(0) / 255).mean(), abs=1e-7)
        grow.step = step
        np.testing.assert_allclose(grow.mean.flatten(1), means, atol=1e-6)


def test_the_screen_is_what_python_has(open_page, grow):
    "At every fifth step: accuracy, error, and each pixel of both pictures within half a 255th."
    grow.step = 0
    page = open_page(grow.as_html(), opened=True)
    for step in range(0, len(grow.counts), 5):
        page.evaluate("step => document.querySelector('.pixelsim-widget').model.set('step', step)", step)
        settled(page)
        grow.step = step
        assert page.locator(".psf-facts").inner_text() == f"accuracy {grow.accuracy:.4f}; the mean 3 is {grow.errors[step]:.4f} from that of all 6,131"
        shown = page.locator(".psf-mean").evaluate_all("""all => all.map((canvas) => {
            const context = Object.assign(document.createElement("canvas"), { width: 28, height: 28 }).getContext("2d", { willReadFrequently: true });
            context.drawImage(canvas, 0, 0);
            return [...context.getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 0);
        })""")
        assert np.abs(255 - np.array(shown) - grow.mean.flatten(1).numpy() * 255).max() <= 0.5 + 1e-4
        assert page.locator(".psf-says").inner_text().endswith(f"{grow.right[step]:,} of 2,038 validation images are right, {grow.accuracy:.4f}.")


def test_keys_clicks_and_the_place_of_a_step(open_page, grow, arithmetic):
    grow.step = 0
    page = open_page(grow.as_html(), opened=True)
    last = len(grow.counts) - 1
    page.get_by_role("slider").focus()
    for key, step in [("ArrowRight", 1), ("PageUp", 11), ("ArrowDown", 10), ("End", last), ("ArrowUp", last), ("Home", 0), ("ArrowUp", 1), ("Escape", 0)]:
        page.keyboard.press(key)
        assert trait(page, "step") == step, key
    box = page.locator(".psf-chart").bounding_box()
    page.mouse.click(box["x"] + box["width"] - 15, box["y"] + 50)
    assert trait(page, "step") == last
    assert arithmetic("grow", "return data.map((count) => m.stepAt(data, Math.log(count) / Math.log(data[data.length - 1])))", grow.counts) == list(range(last + 1))


@pytest.mark.parametrize("n", [1, 2, 10, 11, 6265])
def test_counts_go_up_to_the_last(n):
    counts = steps_to(n)
    assert counts == sorted(set(counts)) and counts[0] == 1 and counts[-1] == n
