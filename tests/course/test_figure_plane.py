"Two pixels, two borders: the border against every point's two distances, the screen against Python and SciPy, drags and keys."
import numpy as np
import torch
from figure_pages import drag, press, says, settled, show, texts, trait
from scipy.spatial.distance import cdist

from pixelsim.course.figure_plane import TwoPixels, pairs

METRIC = {"L1": "cityblock", "L2": "euclidean"}


def states(n, seed=3):
    "Two different pixels, a digit, and what was done to it or nothing, n times."
    random = np.random.default_rng(seed)
    for i in range(n):
        a, b = random.choice(784, 2, replace=False)
        yield dict(pixels=[[*map(int, divmod(a, 28))], [*map(int, divmod(b, 28))]], digit=int(random.integers(80)), moved=random.integers(0, 256, 2).tolist() if i % 3 else [])


def test_the_border_is_where_the_distances_change_places(arithmetic):
    "3,000 pairs of means, some of them alike in one pixel: below and above the border, SciPy finds the mean nearer that the column says."
    random = np.random.default_rng(1)
    means = random.random((3000, 2, 2)).round(2)
    means[::10, 1, 1] = means[::10, 0, 1]
    points = random.random((3000, 2))
    for kind in METRIC:
        found = arithmetic("plane distances", f"return data.map(([means, point]) => {{ const {{ y, below }} = m.crossing(means, point[0], '{kind}'); return [point[1] < y ? below : 1 - below, m.nearer(means.map((mean) => m.DISTANCE.{kind}(point, mean)))]; }})",
                           [[pair, point] for pair, point in zip(means.tolist(), points.tolist())])
        tried = 0
        for pair, point, (side, nearest) in zip(means, points, found):
            first, second = cdist(point[None], pair, METRIC[kind])[0]
            if abs(first - second) < 1e-9: continue
            assert side == nearest == (second < first)
            tried += 1
        assert tried > 2500


def test_python_is_scipy(digits):
    "40 states: the four distances to each mean, and how many digits two pixels alone get right."
    plane = TwoPixels()
    train, valid = digits
    means = np.stack([train[digit].double().flatten(1).numpy().mean(0) / 255 for digit in (3, 7)])
    images = np.concatenate([valid[digit][:40].flatten(1).numpy() for digit in (3, 7)])
    for state in states(40):
        for name, value in state.items(): setattr(plane, name, value)
        at = [row * 28 + column for row, column in state["pixels"]]
        image = images[state["digit"]].copy()
        if state["moved"]: image[at] = state["moved"]
        for kind, metric in METRIC.items():
            scale = {"L1": lambda n: n, "L2": np.sqrt}[kind]
            np.testing.assert_allclose(plane.by_two[kind], cdist(image[None, at] / 255, means[:, at], metric)[0] / scale(2), atol=1e-6)
            np.testing.assert_allclose(plane.by_all[kind], cdist(image[None] / 255, means, metric)[0] / scale(784), atol=1e-6)
            to_3, to_7 = cdist(images[:, at] / 255, means.astype(np.float32)[:, at], metric).T
            assert plane.right[kind] == (np.where(to_7 < to_3, 7, 3) == np.repeat([3, 7], 40)).sum()
    assert f"right for {plane.right['L1']} of them by L1, where the border has corners, and for {plane.right['L2']} by L2" in plane.as_html()


def test_the_pixels_to_choose_from_and_how_many_digits(digits):
    "By hand: the two that differ most, a neighbor even at the edge, and much ink in both with no difference; `each` digits of each class."
    means = torch.zeros(2, 28, 28)
    means[0, 5, 27], means[1, 7, 3], means[:, 20, 21], means[:, 2, 2] = 1, 0.5, 0.9, 0.8
    assert [pair["pixels"] for pair in pairs(means)] == [[[5, 27], [7, 3]], [[5, 27], [5, 26]], [[5, 27], [20, 21]], [[0, 0], [27, 27]]]
    few = TwoPixels(*digits, each=2)
    assert few.own == [0, 0, 1, 1] and few.still()[1].startswith("4 digits in the plane of the pixels (13, 13) and (9, 11), ")
    for few.digit, image in enumerate([*digits[1][3][:2], *digits[1][7][:2]]): assert torch.equal(few.image, image)


def test_the_screen_is_what_python_has(play):
    "25 states: every number of the table, who is nearer, both counts, and what is said."
    plane = TwoPixels()
    page = play(plane)
    for state in states(25, seed=4):
        plane.set_state(state)
        show(page, **state)
        assert texts(page, ".psf-table td:not(:empty)") == [text for distances in (plane.by_two, plane.by_all) for first, second in distances.values()
                                                            for text in (f"{first:.4f}", f"{second:.4f}", "neither" if abs(first - second) < 1e-12 else "7" if second < first else "3")]
        assert texts(page, "figcaption")[:2] == [f"{kind}: right for {n} of 80 digits" for kind, n in plane.right.items()]
        assert says(page).startswith(f"valid[{3 if plane.digit < 40 else 7}][{plane.digit % 40}], ")


def test_a_digit_is_dragged_across_and_another_taken(play, digits):
    plane = TwoPixels()
    page = play(plane)
    canvas = page.locator(".psf-plane").first
    box = canvas.bounding_box()
    def at(across, up): return 46 + across * (box["width"] - 66), 20 + (1 - up) * (box["height"] - 72)
    drag(page, canvas, at(*(plane.image[row, column].item() / 255 for row, column in plane.pixels)), at(0.3, 0.5), at(0.1, 0.9))
    settled(page)
    plane.moved = trait(page, "moved")
    assert np.abs(np.array(plane.moved) / 255 - [0.1, 0.9]).max() < 0.02
    assert plane.by_two["L1"][1] < plane.by_two["L1"][0] and "nearer to the mean 7 by both; by all 784, nearer to the mean 3 by both." in says(page)
    places = np.concatenate([digits[1][digit][:40, [13, 9], [13, 11]].numpy() for digit in (3, 7)]) / 255
    alone = (cdist(places, places) + np.eye(80)).min(1).argmax()  # the digit farthest from all others
    drag(page, canvas, at(*places[alone]))
    assert (trait(page, "digit"), trait(page, "moved")) == (alone, [])
    drag(page, canvas, at(0.5, 0.75))
    assert trait(page, "moved") != []


def test_keys_and_pixels_to_choose(play):
    "The value by arrows, Escape gives back; a typed pixel, the examples, and a frame that is dragged."
    plane = TwoPixels()
    page = play(plane)
    across, up = plane.pixels
    ink = int(plane.image[*across])
    press(page, page.get_by_role("slider", name="value of the pixel up"), "moved",
          [(key, [ink, value]) for key, value in [("End", 255), ("ArrowLeft", 254), ("PageDown", 244), ("Home", 0), ("ArrowUp", 1), ("Escape", int(plane.image[*up]))]])
    press(page, page.get_by_role("slider", name="digit"), "moved", [("ArrowRight", [])])
    for row, pixels in (("20", [[20, across[1]], up]), ("28", [[20, across[1]], up])):
        page.get_by_label("row of the pixel across").fill(row)
        assert trait(page, "pixels") == pixels
    page.get_by_role("combobox", name="pixels").select_option(label="two corners")
    settled(page)
    assert trait(page, "pixels") == [[0, 0], [27, 27]] and "cannot decide anything" in says(page)
    assert texts(page, ".psf-table td:not(:empty)").count("neither") == 2  # by these pixels alone, under both distances
    page.locator(".psf-places").click(position={"x": 111 * 13.5 / 28, "y": 111 * 5.5 / 28})
    assert trait(page, "pixels") == [[5, 13], [27, 27]]
