"A mean that grows: its counts against SciPy's distances, the screen against Python, and moving it."
import numpy as np
import pytest
from figure_pages import says, show, trait
from scipy.spatial.distance import cdist

from pixelsim.course.figure_grow import GrowingMean
from pixelsim.digits import load_mnist


@pytest.fixture(scope="module")
def grow(): return GrowingMean()


def test_accuracies_are_scipys(grow, digits):
    "For every fourth step: means by NumPy, city-block distances by SciPy, in which an image is right if its own mean is nearer."
    train, valid = digits
    images = valid.images.flatten(1).numpy() / 255
    def means_of(count): return np.stack([train[digit][:count].double().flatten(1).numpy().mean(0) / 255 for digit in (3, 7)])
    for step in range(0, len(grow.counts), 4):
        means = means_of(grow.counts[step])
        to_3, to_7 = cdist(images, means, "cityblock").T
        assert grow.right[step] == (np.where(to_3 < to_7, 3, 7) == valid.labels).sum()
        assert grow.errors[step] == pytest.approx(np.abs(means[0] - means_of(6131)[0]).mean(), abs=1e-7)
        grow.step = step
        np.testing.assert_allclose(grow.mean.flatten(1), means, atol=1e-6)
    turned = GrowingMean(*load_mnist([7, 3]))
    assert (turned.classes, turned.sizes, turned.right) == ([7, 3], [6265, 6131], grow.right)
    told = ", ".join(f"{grow.right[step] / 2038:.4f} with {count}" for step, count in ((0, "1"), (5, "10"), (-1, "6,265")))
    assert f"The mean 3 grows; the accuracy with means of so many images: {told}. " in grow.as_html()


def test_the_screen_is_what_python_has(play, grow, arithmetic):
    "At every fifth step: accuracy, error, and each pixel of both pictures within half a 255th. A click on the curve goes to its nearest step."
    grow.step, last = 0, len(grow.counts) - 1
    page = play(grow)
    for grow.step in range(0, last + 1, 5):
        show(page, step=grow.step)
        assert page.locator(".psf-facts").inner_text() == f"accuracy {grow.accuracy:.4f}; the mean 3 is {grow.errors[grow.step]:.4f} from that of all 6,131"
        shown = page.locator(".psf-mean").evaluate_all("""all => all.map((canvas) => {
            const context = Object.assign(document.createElement("canvas"), { width: 28, height: 28 }).getContext("2d", { willReadFrequently: true });
            context.drawImage(canvas, 0, 0);
            return [...context.getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 0);
        })""")
        assert np.abs(255 - np.array(shown) - grow.mean.flatten(1).numpy() * 255).max() <= 0.5 + 1e-4
        assert says(page).endswith(f"{grow.right[grow.step]:,} of 2,038 validation images are right, {grow.accuracy:.4f}.")
    page.locator(".psf-chart").click(position={"x": page.locator(".psf-chart").bounding_box()["width"] - 15, "y": 50})
    assert trait(page, "step") == last
    assert arithmetic("grow", "return data.map((count) => m.stepAt(data, Math.log(count) / Math.log(data[data.length - 1])))", grow.counts) == list(range(last + 1))
