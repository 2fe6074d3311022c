"Intervals that rain: the stream of numbers, the groups and the intervals against Python's, and drawing them."
import numpy as np
import pytest
from figure_pages import says, settled, show, trait
from scipy.stats import kstest

from pixelsim.intervals import accuracy_interval
from pixelsim.course.figure_rain import IntervalRain, random_at


@pytest.fixture
def two():
    "Two rules on 2,038 images that agree on most, as L1 and L2 do."
    first = np.arange(2038) >= 99
    second = first.copy()
    second[:42], second[200:212] = True, False
    return IntervalRain({"L1": first, "L2": second})


def one_by_one(seed, place):
    "mulberry32 as its author wrote it, with whole numbers of any size."
    a = (seed + (place + 1) * 0x6D2B79F5) % 2**32
    t = (a ^ a >> 15) * (a | 1) % 2**32
    t ^= (t + (t ^ t >> 7) * (t | 61)) % 2**32
    return (t ^ t >> 14) / 2**32


def test_the_stream_is_the_same_everywhere_and_even(arithmetic):
    "5,000 places in 5 streams: browser, NumPy and plain whole numbers; and no sign of unevenness."
    places = [*range(900), *range(4096 * 1999, 4096 * 1999 + 100)]
    for seed in (0, 1, 2, 77, 10**6 + 1):
        expected = [one_by_one(seed, place) for place in places]
        assert arithmetic("rain", "return data[1].map((place) => m.randomAt(data[0], place))", [seed, places]) == expected == random_at(seed, np.array(places)).tolist()
        assert kstest(expected, "uniform").pvalue > 0.001


def test_intervals_are_wilsons(arithmetic, two):
    "3,000 counts, the ends among them: those of `accuracy_interval`."
    random = np.random.default_rng(4)
    cases = [(int(random.integers(n + 1)) if k % 10 else k // 10 % 2 * n, n) for k, n in enumerate(random.integers(1, 2039, 3000).tolist())]
    found = arithmetic("rain", f"return data.map(([right, n]) => m.intervalOf(right, n, {two.z!r}))", cases)
    np.testing.assert_allclose(found, [accuracy_interval(*case) for case in cases], rtol=0, atol=1e-14)


def test_the_groups_on_the_screen_are_pythons(play, two):
    "Drawn 111 times: how many miss, and how often the second rule is ahead, on the same images and on images of its own; `others` begins anew."
    page = play(two)
    for two.n, two.seed in ((20, 0), (200, 3), (2038, 1)):
        show(page, n=two.n, seed=two.seed)
        for name in ("draw a group", "draw 10", "draw 100"): page.get_by_role("button", name=name, exact=True).click()
        settled(page)
        two.draws = trait(page, "draws")
        assert two.draws == 111 and two.groups.shape == (111, 2)
        same, own = two.ahead
        facts = page.locator(".psf-facts").inner_text()
        assert facts.startswith(f"{two.missed} of 111 intervals miss.") and f"in {same} of 111 groups, if both are given the same digits, and in {own}, if" in facts
        low, high = accuracy_interval(int(two.groups[-1, 0]), two.n)
        assert f"The latest goes from {low:.4f} to {high:.4f}" in says(page)
        assert same == (two.groups[:, 1] > two.groups[:, 0]).sum()
        page.get_by_role("button", name="others").click()
        assert (trait(page, "draws"), trait(page, "seed")) == (0, two.seed + 1)
        two.draws = 40  # so many are in the picture for where nothing can run
        assert f"Forty groups of {two.n:,} of them, each with its 95% interval: {two.missed} of the forty, dashed, miss {1939 / 2038:.4f}" in two.as_html()


def test_the_answer_to_the_question(play, two):
    "Counted by Python over the first hundred groups of 200, and the first thousand."
    missed = []
    for two.draws in (100, 1000): missed.append(two.missed)
    assert play(two).locator(".psf-truth").inner_text().startswith(f"Of the first hundred here, {missed[0]} miss it, and of the first thousand {missed[1]}.")
