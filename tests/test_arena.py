"""The arena: every measure against a slow loop or SciPy, every score against NumPy or scikit-learn, and every way to go wrong.

The threshold is found here by a plain search over all midpoints, in `fitted`, and the digits come from `load_mnist` in
their stored order; the arena itself is only asked for its counts.
"""
import functools
import itertools
import json
import re
import sys
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage
from scipy.stats import binomtest, rankdata
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.naive_bayes import BernoulliNB
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Binarizer
from sklearn.tree import DecisionTreeClassifier

import pixelsim.arena as module
from pixelsim.course.arena import Arena
from pixelsim.course.entries import Entry
from pixelsim.course.ideas import asymmetry, best_pixel, bottom_ink, darkest_row, enclosed_areas, strokes
from pixelsim.classifier import PixelSimilarity
from pixelsim.digits import load_mnist

many = settings(max_examples=60, deadline=None, database=None)
few = settings(many, max_examples=15)


@pytest.fixture(scope="module")
def digits():
    "The threes and sevens as NumPy arrays in the stored order, images as uint8 and as floats from 0 to 1."
    sets = load_mnist([3, 7])
    return [SimpleNamespace(images=s.images.numpy(), floats=s.images.numpy().astype(np.float32) / np.float32(255),
                            flat=s.images.numpy().reshape(len(s), 784) / 255, labels=s.labels) for s in sets]


@pytest.fixture
def arena(): return Arena()


@pytest.fixture(autouse=True)
def close_figures():
    "No picture stays open."
    yield
    plt.close("all")


def bar(images): return images[:, 9, 11]


def counts(entry): return entry.right3, entry.right7


def right_counts(said, labels):
    "How many threes and how many sevens are right."
    return tuple(int((said[labels == d] == d).sum()) for d in (3, 7))


def fitted(train_values, train_labels, values):
    """Labels by the best threshold, found by trying every midpoint between neighboring values.

    "Three" is what lies above the line for the negated numbers, and the first of equally good lines is taken: lesson 1."""
    train_values, values = -np.asarray(train_values, dtype=float), -np.asarray(values, dtype=float)
    levels = np.unique(train_values)
    lines = (levels[1:] + levels[:-1]) / 2
    threes, sevens = (np.sort(train_values[train_labels == d]) for d in (3, 7))
    right = len(threes) - np.searchsorted(threes, lines, side="right") + np.searchsorted(sevens, lines, side="right")
    return np.where(values > lines[right.argmax()], 3, 7)


# The measures


def slow_measures(image):
    "Every measure of one image, uint8, by loops over pixels."
    h, w = image.shape
    ink = [[image[r][c] > 0 for c in range(w)] for r in range(h)]
    dark = [[image[r][c] / 255 > 0.5 for c in range(w)] for r in range(h)]
    sums = [sum(int(v) for v in row) for row in image]
    total = sum(sums)
    up_down = sum(abs(int(image[r][c]) - int(image[h-1-r][c])) for r in range(h) for c in range(w))
    left_right = sum(abs(int(image[r][c]) - int(image[r][w-1-c])) for r in range(h) for c in range(w))
    runs = [sum(key for key, _ in itertools.groupby(dark[r][c] for r in range(h))) for c in range(w)]
    return dict(ink=sum(map(sum, ink)) / (h*w), bottom=sum(map(sum, ink[h-h//3:])) / (h//3*w), row=sums.index(max(sums)),
                up_down=up_down / (255*h*w), left_right=left_right / (255*h*w),
                up_down_ink=up_down / max(total, 1), left_right_ink=left_right / max(total, 1), strokes=runs)


def check_measures(images):
    "Compare the measures of a stack of uint8 images with those of the loops."
    slow = [slow_measures(image) for image in images]
    fast = torch.from_numpy(images)
    def column(name): return [s[name] for s in slow]
    assert bottom_ink(fast).tolist() == pytest.approx(column("bottom"), abs=1e-6)
    assert darkest_row(fast).tolist() == column("row")
    for axis, name in ((1, "up_down"), (2, "left_right")):
        assert asymmetry(fast, axis).tolist() == pytest.approx(column(name), abs=1e-6)
        assert asymmetry(fast, axis, relative=True).tolist() == pytest.approx(column(name + "_ink"), rel=1e-4)
    assert strokes(fast).tolist() == column("strokes")


def test_measures_on_real_digits(digits):
    "Each measure of 200 digits is that of a loop over the pixels."
    check_measures(digits[1].images[::11][:200])


@few
@given(arrays(np.uint8, st.tuples(st.integers(1, 3), st.integers(3, 9), st.integers(1, 9))))
@example(np.zeros((1, 3, 3), np.uint8))
@example(np.full((1, 3, 3), 255, np.uint8))
def test_measures_on_any_images(images): check_measures(images)


def scipy_areas(image):
    "Enclosed areas of one boolean image: SciPy's areas of paper in a frame, without the one outside."
    return ndimage.label(~np.pad(image, 1))[1] - 1


def test_enclosed_areas_on_all_ten_digits():
    "The count is SciPy's for every validation digit; zeros mostly have one and eights two."
    valid = load_mnist()[1]
    found = enclosed_areas(valid.images)
    assert found.tolist() == [scipy_areas(image / 255 > 0.5) for image in valid.images.numpy()]
    assert [found[torch.from_numpy(valid.labels == d)].mode().values.item() for d in (0, 1, 8)] == [1, 0, 2]


@many
@given(arrays(bool, array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=12)))
@example(np.ones((2, 3, 3), bool))
@example(np.zeros((2, 3, 3), bool))
@example(np.indices((1, 12, 12)).sum(0) % 2 == 1)
@example(np.pad(np.pad(np.zeros((1, 1, 1), bool), [(0, 0), (1, 1), (1, 1)], constant_values=True), [(0, 0), (2, 2), (2, 2)]))
def test_enclosed_areas_on_any_images(ink):
    "Spirals, checkerboards and islands too, in both types."
    expected = [scipy_areas(image) for image in ink]
    assert enclosed_areas(torch.from_numpy(ink).float()).tolist() == expected
    assert enclosed_areas(torch.from_numpy(ink.astype(np.uint8) * 255)).tolist() == expected


def test_a_labyrinth_is_one_area():
    "A corridor that winds from wall to wall is one area however long it is, and none once its wall has a door."
    walls = np.zeros((1, 29, 29), bool)
    walls[0, ::2] = walls[0, :, [0, -1]] = True
    walls[0, 2:-1:4, 1] = walls[0, 4:-1:4, -2] = False
    assert enclosed_areas(torch.from_numpy(walls).float()).tolist() == [1]
    walls[0, 1, 0] = False
    assert enclosed_areas(torch.from_numpy(walls).float()).tolist() == [0]


@pytest.mark.parametrize("measure", [bottom_ink, darkest_row, enclosed_areas, strokes, lambda x: asymmetry(x, 1),
                                     lambda x: best_pixel(x, torch.ones(1, dtype=torch.bool))])
def test_measures_want_a_stack(measure):
    "One image alone is refused, and the message says how to pass it."
    with pytest.raises(ValueError, match=r"for one image pass images\[None\]"): measure(torch.zeros(28, 28, dtype=torch.uint8))


def test_best_pixel_on_the_training_set(digits):
    "No pixel, no threshold and no direction does better: all 784 with lesson 1's search."
    from pixelsim.pixels import best_threshold
    train = digits[0]
    three = torch.from_numpy(train.labels == 3)
    found = {}
    for pixel in range(784):
        values = torch.from_numpy(train.images[:, pixel//28, pixel % 28]).double()
        if values.min() == values.max(): continue
        found[pixel, 3], found[pixel, 7] = best_threshold(values, three)[1], best_threshold(-values, three)[1]
    row, column, digit = best_pixel(torch.from_numpy(train.images), ~three)
    assert found[28*row + column, digit] == max(found.values()) and (row, column, digit) == (13, 13, 3)


@many
@given(arrays(np.uint8, st.tuples(st.integers(1, 8), st.integers(1, 3), st.integers(1, 3)), elements=st.integers(0, 4) | st.just(255)), st.data())
def test_best_pixel_on_any_images(images, data):
    "The pixel that is found, with its best line, is right as often as the best of all pixels, lines and directions."
    seven = np.array(data.draw(st.lists(st.booleans(), min_size=len(images), max_size=len(images))))
    def right(r, c, digit):
        return max(((images[:, r, c] > line) == (seven if digit == 7 else ~seven)).sum() for line in range(256))
    best = max(right(r, c, d) for r in range(images.shape[1]) for c in range(images.shape[2]) for d in (3, 7))
    assert right(*best_pixel(torch.from_numpy(images), torch.from_numpy(seven))) == best


def test_best_pixel_refuses():
    "Floats, and labels of another number than images."
    images = torch.zeros(2, 3, 3, dtype=torch.uint8)
    with pytest.raises(ValueError, match="should be uint8"): best_pixel(images.float(), torch.tensor([True, False]))
    with pytest.raises(ValueError, match=r"should have shape \(2,\)"): best_pixel(images, torch.tensor([True]))


# The opening board


def nearer(far3, far7): return np.where(far7 < far3, 7, 3)


def independent(name, train, valid):
    "What an idea of the opening board says about the validation images, without pixelsim."
    def by(measure): return fitted(measure(train.floats), train.labels, measure(valid.floats))
    def turned(axis, relative):
        def measure(x):
            difference = np.abs(x - np.flip(x, axis)).mean((1, 2), dtype=float)
            return difference / x.mean((1, 2), dtype=float) if relative else -difference
        return measure
    def crossed(x):
        dark = x > 0.5
        return (np.diff(dark, axis=1, prepend=False) & dark).sum(1)
    means, medians = ([f(train.flat[train.labels == d], axis=0) for d in (3, 7)] for f in (np.mean, np.median))
    return {
        "ink coverage": lambda: by(lambda x: -(x > 0).sum((1, 2))),
        "ink in the bottom third": lambda: by(lambda x: -(x[:, 19:] > 0).sum((1, 2))),
        "the darkest row": lambda: fitted(-train.images.sum(2, dtype=int).argmax(1), train.labels, -valid.images.sum(2, dtype=int).argmax(1)),
        "up-down symmetry": lambda: by(turned(1, False)),
        "up-down symmetry / ink": lambda: by(turned(1, True)),
        "left-right symmetry": lambda: by(turned(2, False)),
        "left-right symmetry / ink": lambda: by(turned(2, True)),
        "enclosed areas": lambda: fitted(*[-np.array([scipy_areas(i) for i in s.floats > 0.5]) if k else s.labels
                                           for s, k in ((train, 1), (train, 0), (valid, 1))]),
        "strokes, middle column": lambda: by(lambda x: -crossed(x)[:, 14]),
        "strokes, all columns": lambda: by(lambda x: -crossed(x).sum(1)),
        "the most telling pixel": lambda: by(lambda x: -x[:, 13, 13]),
        "mean image, L1": lambda: nearer(*[np.abs(valid.flat - m).mean(1) for m in means]),
        "mean image, L2": lambda: NearestCentroid().fit(train.flat, train.labels).predict(valid.flat),
        "median image, L1": lambda: nearer(*[np.abs(valid.flat - m).mean(1) for m in medians]),
        "mean image, cosine": lambda: nearer(*-cosine_similarity(valid.flat, means).T),
        "nearest neighbor": lambda: KNeighborsClassifier(1, algorithm="brute").fit(train.flat, train.labels).predict(valid.flat),
        "always 7": lambda: DummyClassifier(strategy="most_frequent").fit(train.flat, train.labels).predict(valid.flat),
    }[name]()


IDEAS = ["ink coverage", "ink in the bottom third", "the darkest row", "up-down symmetry", "up-down symmetry / ink",
         "left-right symmetry", "left-right symmetry / ink", "enclosed areas", "strokes, middle column", "strokes, all columns",
         "the most telling pixel", "mean image, L1", "mean image, L2", "median image, L1", "mean image, cosine",
         "nearest neighbor", "always 7"]


@pytest.mark.parametrize("name", IDEAS)
@pytest.mark.filterwarnings("ignore:self.within_class_std_dev_")
def test_opening_idea(name, arena, digits):
    "Threes and sevens that each idea gets right, against NumPy, SciPy or scikit-learn."
    assert counts(arena.entry(name)) == right_counts(independent(name, *digits), digits[1].labels)


def test_all_opening_ideas_are_tested(arena): assert {row[1] for row in arena.board(reveal=True).rows} == {*IDEAS}


@pytest.mark.filterwarnings("ignore:self.within_class_std_dev_")
def test_published_figures(arena, digits):
    "The book's three figures and 0.9514; L2's 0.9661; lesson 1's ink; scikit-learn's nearest centroid under Manhattan."
    l1, l2 = arena.entry("mean image, L1"), arena.entry("mean image, L2")
    assert [f"{x:.4f}" for x in (l1.threes, l1.sevens, l1.mean, l1.accuracy, l2.mean)] == ["0.9168", "0.9854", "0.9511", "0.9514", "0.9661"]
    assert counts(arena.entry("ink coverage")) == (722, 717)
    assert f"{arena.entry('ink in the bottom third').accuracy:.4f}" == "0.8238"
    assert f"{arena.entry('the most telling pixel').accuracy:.4f}" == "0.9230"
    train, valid = digits
    manhattan = NearestCentroid(metric="manhattan").fit(train.flat, train.labels).predict(valid.flat)
    median = arena.entry("median image, L1")
    assert counts(median) == right_counts(manhattan, valid.labels) and f"{median.accuracy:.4f}" == "0.9558"


def test_the_directions_come_from_the_training_set():
    "No opening measure would do better on the training set the other way round."
    for idea, verdict in module._ideas().values():
        if idea.sign: assert verdict.train_right > verdict.reverse_right, idea.name


@many
@given(st.integers(0, 1010), st.integers(0, 1028))
@example(1010, 1028)
@example(0, 0)
def test_entry(right3, right7):
    "Everything that follows from the counts, by arithmetic; the interval against SciPy."
    entry = Entry("a", "b", right3, right7)
    assert (entry.threes, entry.sevens) == (right3/1010, right7/1028)
    assert entry.mean == pytest.approx((right3/1010 + right7/1028) / 2)
    assert entry.accuracy == (right3 + right7) / 2038
    assert entry.interval == pytest.approx(tuple(binomtest(right3 + right7, 2038).proportion_ci(method="wilson")), abs=1e-12)


# What may enter


class Bar:
    "An object that can be called."
    def __call__(self, images): return bar(images)


class OneLayer(torch.nn.Module):
    "A network of one layer that looks at one pixel, with gradients."
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(784, 1)
        with torch.no_grad():
            self.layer.weight.zero_()[0, 9*28 + 11] = 1
            self.layer.bias.zero_()

    def forward(self, images): return self.layer(images.flatten(1))[:, 0]


SAME = {
    "a function": bar,
    "a lambda": lambda images: images[:, 9, 11],
    "NumPy": lambda images: images.numpy()[:, 9, 11],
    "float16": lambda images: (images[:, 9, 11]*255).round().half(),
    "bfloat16": lambda images: (images[:, 9, 11]*255).round().bfloat16(),
    "whole numbers": lambda images: (255*images[:, 9, 11]).round().int(),
    "a list": lambda images: images[:, 9, 11].tolist(),
    "a list of tensors": lambda images: [image[9, 11] for image in images],
    "a tuple": lambda images: tuple(images[:, 9, 11].tolist()),
    "one image": lambda image: image[9, 11],
    "one image, a Python number": lambda image: float(image[9, 11]),
    "one image, NumPy": lambda image: image.numpy()[9, 11],
    "partial": functools.partial(lambda k, images: images[:, k, 11], 9),
    "an object": Bar(),
    "a network": OneLayer(),
    "another argument": lambda images, k=9: images[:, k, 11],
    "any arguments": lambda *images: images[0][:, 9, 11],
}


@pytest.mark.parametrize("kind", SAME)
def test_kinds_of_rules(kind, arena, digits):
    "One rule written in many ways gets one score, that of an independent search for its threshold."
    train, valid = digits
    arena.enter("bar", SAME[kind], show=False)
    expected = fitted(train.floats[:, 9, 11], train.labels, valid.floats[:, 9, 11])
    assert counts(arena.entry("bar")) == right_counts(expected, valid.labels)


@pytest.mark.parametrize("answer", [
    lambda yes: torch.where(yes, 7, 3), lambda yes: torch.where(yes, 7., 3.), lambda yes: np.where(yes, 7, 3).tolist(),
    lambda yes: yes, lambda yes: yes.int(), lambda yes: yes*2.5 - 100])
def test_labels_and_yes_or_no(answer, arena, digits):
    "Labels, True for a seven, and any two numbers of which the larger means 7: the same."
    arena.enter("bar", lambda images: answer(images[:, 8, 9] > 0.3), show=False)
    assert counts(arena.entry("bar")) == right_counts(np.where(digits[1].floats[:, 8, 9] > 0.3, 7, 3), digits[1].labels)


@pytest.mark.parametrize("label, expected", [(3, (1010, 0)), (7, (0, 1028))])
def test_always_the_same_label(label, expected, arena):
    "A dull rule, but a rule; always the same number that is not a label is refused."
    arena.enter("dull", lambda images: [label]*len(images), show=False)
    assert counts(arena.entry("dull")) == expected
    with pytest.raises(ValueError, match="the same number, 5"): arena.enter("duller", lambda images: [5]*len(images))


@pytest.mark.parametrize("make", [
    lambda: DecisionTreeClassifier(max_depth=3, random_state=0), BernoulliNB, lambda: make_pipeline(Binarizer(threshold=0.5), BernoulliNB())])
def test_classifiers_of_scikit_learn(make, arena, digits):
    "An estimator is fitted on the training set, as a copy: the one passed stays as it was."
    train, valid = digits
    model = make()
    before = repr(vars(model))
    arena.enter("model", model, show=False)
    assert repr(vars(model)) == before
    order = torch.randperm(len(train.labels), generator=torch.Generator().manual_seed(0)).numpy()
    own = make().fit(train.floats.reshape(-1, 784)[order], train.labels[order])
    expected = right_counts(own.predict(valid.floats.reshape(-1, 784)), valid.labels)
    assert counts(arena.entry("model")) == pytest.approx(expected, abs=2)  # a tree may split ties by the order


def test_a_regression_gets_a_threshold(arena, digits):
    "An estimator that predicts numbers is a rule like any other."
    train, valid = digits
    arena.enter("line", LinearRegression(), show=False)
    own = LinearRegression().fit(train.flat, train.labels)
    expected = right_counts(fitted(own.predict(train.flat), train.labels, own.predict(valid.flat)), valid.labels)
    assert counts(arena.entry("line")) == pytest.approx(expected, abs=3)


def test_pixel_similarity_enters(arena):
    "The library's own classifier gets images, not rows, and gives what the board has."
    for distance in ("l1", "l2"):
        arena.enter(distance, PixelSimilarity(distance), show=False)
        assert counts(arena.entry(distance)) == counts(arena.entry(f"mean image, {distance.upper()}"))


def test_an_estimator_cannot_spoil_the_images(arena):
    "One that overwrites what it is fitted on does no harm to the next."
    class Vandal:
        def fit(self, x, y): x[:] = 0; y[:] = 3
        def predict(self, x): return (x[:, 406] > 0.5)*4 + 3
    arena.enter("vandal", Vandal(), show=False)
    arena.enter("after", PixelSimilarity(), show=False)
    assert counts(arena.entry("after")) == (926, 1013)


def test_what_a_rule_is_given(arena, digits):
    "Floats from 0 to 1, nothing else; every image of both sets, in an order that is not the stored one."
    given = []
    def rule(*args, **kwargs):
        given.append((args, kwargs))
        return args[0][:, 9, 11]
    arena.enter("spy", rule, show=False)
    assert all(len(args) == 1 and not kwargs for args, kwargs in given)
    batches = [args[0] for args, _ in given]
    assert {(b.dtype, tuple(b.shape[1:])) for b in batches} == {(torch.float32, (28, 28))}
    for n, part in ((12396, digits[0]), (2038, digits[1])):
        whole, = [b.numpy() for b in batches if len(b) == n]
        assert not np.array_equal(whole, part.floats)
        np.testing.assert_array_equal(np.sort(whole.reshape(n, -1) @ np.arange(784.)), np.sort(part.floats.reshape(n, -1) @ np.arange(784.)))


def test_a_threshold_from_the_training_set_only(arena, digits):
    "A rule tuned to the validation set would score more than the arena gives it."
    valid = digits[1]
    arena.enter("row", lambda images: images[:, 9].sum(1), show=False)
    best = right_counts(fitted(valid.floats[:, 9].sum(1), valid.labels, valid.floats[:, 9].sum(1)), valid.labels)
    assert sum(best) > arena.entry("row").right


# What may not


def stuck(images):
    rows = images.sum(2)
    return rows[:, 28]


def stuck_one(image):
    if image.shape != (28, 28): raise TypeError("one image, please")
    return image[14][99]


def mutates(images):
    images[images > 0.5] = 1
    return images.mean((1, 2))


def mutates_through_numpy(images):
    images.numpy()[:] = 0
    return images[:, 9, 11]


def recursive(images): return recursive(images)


class Raises:
    def fit(self, x, y): raise RuntimeError("no fit today")
    def predict(self, x): return x


class Short:
    def fit(self, x, y): return self
    def predict(self, x): return [7]


class Words(Short):
    def predict(self, x): return np.array(["seven"]*len(x))


COUNTER = itertools.count()
VALID = load_mnist([3, 7])[1]
BAD = {
    "row for each": (lambda images: images.mean(2), r"for 11 images it returned shape \(11, 28\), not \(11,\): one number for each$"),
    "column": (lambda images: images.mean((1, 2))[:, None], r"returned shape \(11, 1\)"),
    "one image, a row": (lambda image: [image[r].sum() for r in range(28)], r"^'bad' was not entered: for one image it returned shape \(28,\), not a single number$"),
    "too many": (lambda images: [0.]*(len(images) + 1), r"returned shape \(12,\)"),
    "too few": (lambda images: images[1:, 14, 14], r"returned shape \(10,\)"),
    "nothing": (lambda images: None, "it returned None: does it end with `return …`"),
    "nothing for some": (lambda images: [None for _ in images], "it returned None"),
    "text": (lambda images: ["7"]*len(images), "it returned text"),
    "complex": (lambda images: images[:, 9, 11]*1j, "it returned something of type Tensor"),
    "a dict": (lambda images: {7: images}, "something of type dict"),
    "a generator": (lambda images: (i.mean() for i in images), "something of type generator"),
    "ragged": (lambda images: [[1], [1, 2]], "something of type list"),
    "NaN": (lambda images: torch.where(images[:, 9, 11] > 0.5, float("nan"), images[:, 9, 11]), "of 2038 validation images it gives nan"),
    "infinite": (lambda images: 1/images[:, 9, 11], "gives inf: is there a division by zero"),
    "all equal": (lambda images: images.mean((1, 2))*0, "the same number, 0: that tells nothing apart"),
    "raises": (stuck, r"stopped with IndexError in line \d+, `return rows\[:, 28\]`: index 28"),
    "raises on one": (stuck_one, r"stopped with TypeError in line \d+, `if image.*one image, please. Given one image at a time, it stopped with IndexError in line \d+, `return image\[14\]\[99\]`"),
    "name": (lambda images: imgs.mean((1, 2)), "NameError in line .*name 'imgs' is not defined$"),  # noqa: F821
    "recursion": (recursive, "RecursionError"),
    "mutates": (mutates, r"changed the images .* `images = images.clone\(\)`$"),
    "mutates by NumPy": (mutates_through_numpy, "changed the images"),
    "labels asked": (lambda images, labels: labels, r"its arguments are \(images, labels\), and a rule is given the images and nothing else, no labels"),
    "no argument": (lambda: 7, r"its arguments are \(\)"),
    "keyword": (lambda images, *, labels: labels, r"its arguments are \(images, labels\)"),
    "random": (lambda images: torch.rand(len(images)), "in another order, or fewer at a time"),
    "random labels": (lambda images: torch.randint(2, (len(images),))*4 + 3, "in another order"),
    "counter": (lambda images: [next(COUNTER) for _ in images], "in another order"),
    "rank in the batch": (lambda images: images.mean((1, 2)).argsort().argsort(), "in another order"),
    "batch mean": (lambda images: images[:, 9, 11] - images.mean(), "in another order"),
    "stored labels": (lambda images: VALID.labels[:len(images)], "in another order"),
    "all stored labels": (lambda images: VALID.labels, r"returned shape \(2038,\)"),
    "stored by length": (lambda images: VALID.labels if len(images) == 2038 else np.arange(len(images)), "in another order"),
    "a result": (torch.zeros(2038), "of type Tensor, and should be a function: pass the function itself"),
    "none": (None, "of type NoneType"),
    "a class": (BernoulliNB, r"BernoulliNB is a class: pass one that was made from it, BernoulliNB\(\)"),
    "fit raises": (Raises(), "stopped with RuntimeError: no fit today"),
    "fit, short": (Short(), r"returned shape \(1,\)"),
    "fit, words": (Words(), "returned text"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_rule_leaves_the_board_as_it_was(kind, arena, capsys):
    "One sentence says what is wrong; entries, pictures and output stay as they were, an older entry of the name too."
    rule, message = BAD[kind]
    arena.enter("bad", bar, show=False)
    before = repr(arena.board()), dict(arena._entries), dict(arena._verdicts)
    with pytest.raises(ValueError, match=message) as caught: arena.enter("bad", rule)
    assert str(caught.value).startswith("'bad' was not entered: ") and "\n" not in str(caught.value)
    assert (repr(arena.board()), arena._entries, arena._verdicts) == before
    assert capsys.readouterr().out == "" and not plt.get_fignums()


def test_the_learners_error_is_the_cause(arena):
    "Whoever wants to see it all finds the error of the rule behind the message."
    with pytest.raises(ValueError) as caught: arena.enter("stuck", stuck)
    assert isinstance(caught.value.__cause__, IndexError)


def test_an_interrupt_is_not_an_error_of_the_rule(arena):
    "Stopping a rule that takes too long stops it."
    def impatient(images): raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt): arena.enter("slow", impatient)
    assert len(arena._entries) == 17


@pytest.mark.parametrize("rule", [lambda images: ..., SimpleNamespace(fit=lambda x, y: None, predict=lambda x: ...)])
def test_a_placeholder_is_not_entered(rule, arena, capsys):
    "Three dots are nobody's mistake."
    arena.enter("mine", rule)
    assert capsys.readouterr().out == "'mine' is not entered yet: replace the three dots with your rule\n"
    assert len(arena._entries) == 17


@pytest.mark.parametrize("name", ["", "  ", "two\nlines", "tab\tbed", "x"*41, "\ud800", "\u202eright to left", 7, None, bar])
def test_bad_names(name, arena):
    "A name is a short line that can be seen; so is a member's."
    with pytest.raises(ValueError, match="1 to 40 characters|should be a text in quotes"): arena.enter(name, bar)
    with pytest.raises(ValueError, match="1 to 40 characters|should be a text in quotes"): Arena(name)
    assert len(arena._entries) == 17


@pytest.mark.parametrize("member", ["opening", "the book", " the book "])
def test_nobody_is_the_book(member):
    with pytest.raises(ValueError, match=f"the member cannot be '{member.strip()}': that name is taken"): Arena(member)


# What is shown


def output(capsys, arena, name, rule, show=True):
    "What `enter` prints outside Jupyter."
    arena.enter(name, rule, show=show)
    return capsys.readouterr().out


def test_report(arena, capsys):
    "Counts, accuracies, interval and rank of the ink, as lesson 1 has them."
    text = output(capsys, arena, "ink", lambda images: -(images > 0).sum((1, 2)))
    for part in (r"threes +722 of 1010 +0\.7149", r"sevens +717 of 1028 +0\.6975", r"mean of the two +0\.7062",
                 r"all images +1439 of 2038 +0\.7061, 95% interval 0\.6859 to 0\.7255", r"Rank 11 of 18\.",
                 r"It says 7 from -143\.5 up.* right for 0\.7027"):
        assert re.search(part, text), part
    assert "other way round" not in text and "one image" not in text and "replaces" not in text


def test_forgotten_axes_are_told(arena, capsys):
    "A rule that names no axis is taken for one about a single image, where `[:, 14]` is a column: said with and without `show`."
    for rule in (lambda images: images[:, 14].max(), lambda images: images[:, :14].sum()/images.sum()):
        for show in (True, False):
            text = output(capsys, arena, "row", rule, show=show)
            assert "For 11 images it returned a single number, so it was given one image at a time, shape (28, 28)" in text
            assert "`image[:, 14]` is *column* 14" in text and "name the axes, as in `.mean((1, 2))`" in text
    assert "returned shape (28,), so it was given" in output(capsys, arena, "other", lambda image: image.sum(1)[9], show=False)
    def only_one(image):
        if image.ndim != 2: raise ValueError("one image")
        return image[9, 11]
    text = output(capsys, arena, "one", only_one, show=False)
    assert "one image at a time: given several, it stopped" in text and "returned" not in text
    assert output(capsys, arena, "stack", bar, show=False) == ""


def test_a_forgotten_axis_takes_a_column(arena, digits):
    "What the notice says is so: the rule is the one about column 14."
    train, valid = digits
    arena.enter("column", lambda images: images[:, 14].sum(), show=False)
    expected = fitted(train.floats[:, :, 14].sum(1), train.labels, valid.floats[:, :, 14].sum(1))
    assert counts(arena.entry("column")) == pytest.approx(right_counts(expected, valid.labels), abs=2)  # sums are rounded


@pytest.mark.parametrize("rule", [lambda images: images[:14].mean((1, 2)), lambda images: images[:9].mean((1, 2)), lambda images: images[14:].mean((1, 2))])
def test_a_forgotten_comma_is_told(arena, rule):
    "Fewer numbers than images: the first index chose images where rows were meant."
    with pytest.raises(ValueError, match=r"Is a comma missing\? `images\[:14\]` takes the first 14 \*images\*; .* are `images\[:, :14\]`$"):
        arena.enter("bad", rule)


def test_remarks(arena, capsys):
    "The wrong way round, labels swapped, one image at a time, a second try, and not one mistake: each is said, once."
    text = output(capsys, arena, "ink", lambda images: (images > 0).sum((1, 2)))
    assert "if small numbers meant 7, it would be right for 0.7027 of the training images" in text and "put a minus" in text
    before = arena.entry("ink").right
    text = output(capsys, arena, "ink", lambda image: -(image > 0).sum())
    assert "one image at a time" in text and f"It replaces your earlier entry of this name, which had {before} right" in text
    assert len(arena._entries) == 18
    model = PixelSimilarity().fit(VALID.images, VALID.labels)
    assert "swap 3 and 7" in output(capsys, arena, "swapped", lambda images: 10 - model.predict(images))
    known = {bytes((255*image).round().byte().numpy()): int(label) for image, label in zip(VALID.images/255, VALID.labels)}
    cheat = lambda images: [known.get(bytes((255*i).round().byte().numpy()), 3) for i in images]  # noqa: E731
    assert "has it seen the validation images" in output(capsys, arena, "cheat", cheat)


def test_disagreements_with_the_book(arena, digits):
    "Pictures of exactly those images that the book gets right and the rule does not, and the reverse."
    train, valid = digits
    arena.enter("bar", bar)
    own = fitted(train.floats[:, 9, 11], train.labels, valid.floats[:, 9, 11]) == valid.labels
    book = independent("mean image, L1", train, valid) == valid.labels
    only_book, only_own = module._disagreements(arena._verdicts["you", "bar"].said)
    assert (len(only_book), len(only_own)) == ((book & ~own).sum(), (own & ~book).sum())
    images = module._digits()[1].images
    stored = {image.tobytes() for image in valid.floats[book & ~own]}
    assert {images[i].numpy().tobytes() for i in only_book} == stored
    titles = [plt.figure(n).get_suptitle() for n in plt.get_fignums()]
    assert titles == [f"Only the book's rule is right: {(book & ~own).sum()} images, here are 10",
                      f"Only this rule is right: {(own & ~book).sum()} images, here are 10"]


def test_no_pictures_without_disagreement(arena):
    "The book's rule, entered by someone, disagrees with itself nowhere."
    arena.enter("same", PixelSimilarity())
    assert not plt.get_fignums()


def test_shown_in_jupyter(arena, monkeypatch, capsys):
    "Inside Jupyter the table is handed to its display."
    shown = []
    fake = SimpleNamespace(get_ipython=lambda: object(), display=SimpleNamespace(display=shown.append))
    monkeypatch.setitem(sys.modules, "IPython", fake)
    arena.enter("bar", bar)
    assert capsys.readouterr().out == "" and "| threes |" in shown[0]._repr_markdown_()


# The board

RIGHT = st.integers(0, 1010)
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=10).filter(str.isprintable)
ENTRIES = st.lists(st.builds(Entry, NAMES, st.sampled_from(["Aman", "Bo", "Çelik"]), RIGHT, RIGHT), max_size=8,
                   unique_by=lambda e: (e.name, e.member))


def group(entries, member="Chipo"):
    "An arena with these entries."
    arena = Arena(member)
    arena._entries |= {(e.member, e.name): e for e in entries}
    return arena


@many
@given(ENTRIES, st.integers(1, 4))
def test_ranks(entries, levels):
    "Competition ranks, as SciPy gives them; few levels make many ties."
    entries = [Entry(e.name, e.member, e.right3 % levels, 0) for e in entries]
    ranked = module._ranked(entries)
    assert [rank for rank, _ in ranked] == sorted(rankdata([-e.right for e in entries], method="min"))
    assert all(rank == 1 + sum(o.right > e.right for o in entries) for rank, e in ranked)
    assert {(e.member, e.name) for _, e in ranked} == {(e.member, e.name) for e in entries}


def test_board(arena):
    "Best first, and every cell follows from the counts."
    for name in ("b", "a"): arena.enter(name, bar, show=False)
    rows = arena.board(reveal=True).rows
    assert [row[0] for row in rows] == [str(r) for r in sorted(int(row[0]) for row in rows)] and len(rows) == 19
    for rank, name, member, *figures in rows:
        entry = arena.entry(name, member)
        low, high = binomtest(entry.right, 2038).proportion_ci(method="wilson")
        assert figures == [f"{entry.right3/1010:.4f}", f"{entry.right7/1028:.4f}", f"{(entry.right3/1010 + entry.right7/1028)/2:.4f}",
                           f"{entry.right/2038:.4f}", f"{low:.4f} to {high:.4f}"]
    a, b = [i for i, row in enumerate(rows) if row[2] == "you"]
    assert b == a + 1 and rows[a][:2] == [rows[b][0], "a"] and int(rows[b + 1][0]) == int(rows[a][0]) + 2


def test_the_veil(arena):
    "Names that would give away lesson 3 are hidden in table and plot until asked for, and then never again."
    hidden = {"the most telling pixel", "mean image, L1", "mean image, L2", "median image, L1", "mean image, cosine", "nearest neighbor"}
    arena.enter("mean image, L1", bar, show=False)  # a member's own name is never veiled
    for _ in range(2):
        board = arena.board()
        assert {*IDEAS} - {row[1] for row in board.rows if row[2] != "you"} == hidden and "• • •" in board.note
    assert ["mean image, L1"] == [row[1] for row in board.rows if row[2] == "you"]
    texts = {text.get_text() for text in arena.plot().texts}
    assert not hidden & texts and "• • • (the book)" in texts
    assert hidden <= {row[1] for row in arena.board(reveal=True).rows} and arena.board().note == ""
    assert "mean image, L1 (the book)" in {text.get_text() for text in arena.plot().texts}


def test_names_are_text_in_markdown(arena):
    "Whatever a name from a file contains, a table shows it as it is."
    arena.enter("<b>*x*</b> | [y](z) `w` $1$", bar, show=False)
    line = next(line for line in arena.board()._repr_markdown_().splitlines() if "you" in line)
    assert r"\<b\>\*x\*\</b\> \| \[y\](z) \`w\` \$1\$" in line
    assert "<b>*x*</b> | [y](z) `w` $1$" in repr(arena.board())
    notes = module._Board(["a"], [["b"]], "*c* <i>")._repr_markdown_().splitlines()
    assert notes[-1] == r"\*c\* \<i\>"


def test_plot(arena):
    "Dots at the accuracies, bars over the intervals, names and figures beside them; a dollar is no mathematics."
    arena.enter("half $a$, half $b$", bar, show=False)
    ax = arena.plot(reveal=True)
    entries = [e for _, e in module._ranked(arena._entries.values())]
    bars, dots = ax.lines[::2], ax.lines[1::2]
    assert [dot.get_xdata()[0] for dot in dots] == [e.accuracy for e in entries]
    assert [tuple(bar.get_xdata()) for bar in bars] == [e.interval for e in entries]
    assert [text.get_text() for text in ax.texts][2::3] == [f"{e.accuracy:.4f}" for e in entries]
    assert r"half \$a\$, half \$b\$ (you)" in [text.get_text() for text in ax.texts]
    ax.figure.canvas.draw()


@pytest.mark.parametrize("name", IDEAS)
def test_pictures_of_the_opening_ideas(name, arena):
    "Six digits, each with marks in color where the idea looks; the ink, of course, everywhere."
    axs = arena.picture(name)
    assert len(axs) == 6 and axs[0].figure.get_suptitle().startswith(f"{name}: ")
    colored = [(np.ptp(ax.images[0].get_array(), axis=-1) > 0.01).mean() for ax in axs]
    if name == "always 7": assert max(colored) == 0
    elif name == "enclosed areas": assert sum(c > 0 for c in colored) == 1
    else: assert min(colored) > 0
    if name == "ink coverage":
        assert colored == pytest.approx((module._example_images() > 0).float().mean((1, 2)).tolist())
    places = [{tuple(p) for p in np.argwhere(np.ptp(ax.images[0].get_array(), axis=-1) > 0.01).tolist()} for ax in axs]
    if name == "the most telling pixel": assert places == [{(13, 13)}]*6
    if name == "strokes, middle column": assert places == [{(row, 14) for row in range(28)}]*6
    if name == "the darkest row":
        assert places == [{(row, c) for c in range(28)} for row in darkest_row(module._example_images()).tolist()]
    if name == "ink in the bottom third": assert min(row for p in places for row, _ in p) >= 19


def test_picture_of_a_rule(arena):
    "Where a full pixel gives a larger number than an empty one: orange here, blue there, nothing elsewhere."
    arena.enter("corner", lambda images: 2*images[:, 10, 4] - images[:, 20, 20], show=False)
    for ax in arena.picture("corner"):
        picture = ax.images[0].get_array()
        red, blue = picture[..., 0] - picture[..., 2], picture[..., 2] - picture[..., 0]
        assert np.argwhere(red > 0.01).tolist() == [[10, 4]] and np.argwhere(blue > 0.01).tolist() == [[20, 20]]
    arena.enter("labels", lambda images: torch.where(images[:, 10, 4] > 0.5, 7, 3), show=False)
    assert [np.argwhere(np.ptp(ax.images[0].get_array(), axis=-1) > 0.01).tolist() for ax in arena.picture("labels")] == [[[10, 4]]]*6
    with pytest.raises(KeyError, match="no rule 'nobody'"): arena.picture("nobody")


def test_whose_entry(arena):
    "Your own comes first; one of that name is found; of several one must say whose."
    both = [Entry("a", "Aman", 1, 0), Entry("a", "Bo", 2, 0), Entry("b", "Bo", 3, 0)]
    board = group(both)
    assert board.entry("b").member == "Bo" and board.entry("a", member="Aman").right == 1
    with pytest.raises(KeyError, match="was entered by Aman and Bo: say whose"): board.entry("a")
    with pytest.raises(KeyError, match="no rule 'b' by Aman"): board.entry("b", member="Aman")
    assert group(both, "Bo").entry("a").right == 2


# Files


@pytest.fixture
def folder(tmp_path_factory): return tmp_path_factory.mktemp("boards")


@few
@given(entries=ENTRIES)
def test_saved_and_loaded(entries, tmp_path_factory):
    "What comes out is what went in, and the opening ideas; saved again it is the same file."
    path = tmp_path_factory.mktemp("boards") / "board.json"
    before = group(entries)
    assert before.save(path) == path
    after = Arena.load(path)
    assert (after.member, after._entries) == (before.member, before._entries)
    content = path.read_bytes()
    after.save(path)
    assert path.read_bytes() == content and [p.name for p in path.parent.iterdir()] == ["board.json"]


def test_a_saved_board_is_names_and_counts(folder):
    "Nothing of the opening ideas, and no code."
    arena = Arena("Aman")
    arena.enter("bar", bar, show=False)
    content = json.loads(arena.save(folder / "board.json").read_text(encoding="utf-8"))
    entry = arena.entry("bar")
    assert content == {"kind": "pixelsim arena", "version": 1, "member": "Aman", "images": [1010, 1028],
                       "entries": [{"name": "bar", "member": "Aman", "right": [entry.right3, entry.right7]}]}


@few
@given(st.lists(ENTRIES, min_size=1, max_size=3), st.randoms())
def test_merging(boards, random):
    "Every name of every member is there once; if nothing is in conflict, order and repetition do not matter."
    known = {}
    boards = [[e for e in entries if known.setdefault((e.member, e.name), e) == e] for entries in boards]
    merged, again = Arena("Chipo"), Arena("Chipo")
    merged.merge(*[group(entries, "Dara") for entries in boards])
    shuffled = [*boards, *boards]
    random.shuffle(shuffled)
    for entries in shuffled: again.merge(group(entries, "Dara"))
    assert merged._entries == again._entries == Arena()._entries | known


def test_a_group(folder, capsys):
    "Files and arenas; the same name stays apart; what is new, known or in conflict is said, and what was here stays."
    aman, bo = group([Entry("ink", "Aman", 10, 5)], "Aman"), group([Entry("ink", "Bo", 10, 5), Entry("bar", "Bo", 7, 7)], "Bo")
    board = Arena("Chipo")
    board.merge(aman.save(folder / "aman.json"), bo)
    header, _, *rows = capsys.readouterr().out.splitlines()
    assert re.split("  +", header) == ["from", "new", "already here", "in conflict"]
    assert [re.split("  +", row) for row in rows] == [["aman.json", "1", "0", "0"], ["the board of Bo", "2", "0", "0"]]
    ranks = {(e.name, e.member): rank for rank, e in module._ranked(board._entries.values())}
    assert ranks["ink", "Aman"] == ranks["ink", "Bo"] == 18 and ranks["bar", "Bo"] == 20
    board.merge(group([Entry("ink", "Aman", 11, 5), Entry("bar", "Bo", 7, 7), Entry("new", "Bo", 0, 0)]))
    row, note = capsys.readouterr().out.splitlines()[2:]
    assert re.split("  +", row) == ["the board of Chipo", "1", "1", "1"]
    assert note == "'ink' by Aman has 15 right here and 16 in the board of Chipo: the one here stays."
    assert board.entry("ink", "Aman").right == 15
    with pytest.raises(ValueError, match="'ink' by Aman came from a file, which holds results and no code"): board.picture("ink", "Aman")


def test_you_must_say_who_you_are(folder, arena):
    "A board of `you` would mean somebody else to its reader: it is not saved or merged before it has a name."
    arena.enter("bar", bar, show=False)
    for share in (lambda: arena.save(folder / "board.json"), lambda: Arena("Bo").merge(arena)):
        with pytest.raises(ValueError, match="say who you are first"): share()
    assert [*folder.iterdir()] == []
    arena.member = " Aman "
    assert (arena.member, arena.entry("bar").member) == ("Aman", "Aman") and len(arena._entries) == 18
    assert len(arena.picture("bar")) == 6
    arena.save(folder / "board.json")
    arena.merge(group([Entry("bar", "Bo", 1, 1)]))
    with pytest.raises(ValueError, match="Bo has an entry 'bar' too"): arena.member = "Bo"
    with pytest.raises(ValueError, match="1 to 40"): arena.member = ""
    assert arena.member == "Aman"


def changed(**fields):
    "A good board with some fields changed, as text."
    entry = {"name": "a", "member": "Aman", "right": [1, 2]}
    content = {"kind": "pixelsim arena", "version": 1, "member": "Aman", "images": [1010, 1028], "entries": [entry]}
    return json.dumps(content | fields)


def row(**fields): return changed(entries=[{"name": "a", "member": "Aman", "right": [1, 2]} | fields])


BROKEN = {
    "empty": "", "not JSON": "ink 0.71", "cut off": changed()[:-9], "a list": "[1, 2]", "a number": "7", "null": "null",
    "other JSON": '{"kind": "shopping list"}', "no kind": "{}", "deep": "["*100_000 + "]"*100_000, "not text": b"\xff\xfe\x00",
    "newer": changed(version=2), "no version": changed().replace("version", "edition"), "version true": changed(version=[1]),
    "other images": changed(images=[1010, 1029]), "no images": changed(images=None), "no entries": changed(entries=None),
    "entries a text": changed(entries="abc"), "entries a dict": changed(entries={"a": 1}), "entries of lists": changed(entries=[["a"]]),
    "too many right": row(right=[1011, 0]), "negative": row(right=[0, -1]), "a float": row(right=[1.0, 2]), "true": row(right=[True, 2]),
    "text for counts": row(right="12"), "three counts": row(right=[1, 2, 3]), "no counts": row(right=None), "NaN": row(right=[float("nan"), 1]),
    "more": row(code="import os"), "less": changed(entries=[{"name": "a", "right": [1, 2]}]),
    "name a number": row(name=3), "empty name": row(name=""), "line break": row(name="a\nb"), "long name": row(name="x"*41),
    "spaces": row(name=" a"), "surrogate": row(name="\ud800"), "member the book": row(member="the book"), "member opening": row(member="opening"),
    "member you": row(member="you"), "member a list": row(member=[]), "owner you": changed(member="you"), "owner missing": changed().replace('"member": "Aman", "images"', '"images"'),
    "twice": changed(entries=[{"name": "a", "member": "Aman", "right": [1, k]} for k in (2, 3)]),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_and_foreign_files(kind, folder):
    "One clear error that names the file, and nothing changes, whatever else was to be merged with it."
    text = BROKEN[kind]
    (folder / "broken.json").write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    good = group([Entry("good", "Bo", 1, 1)], "Bo").save(folder / "good.json")
    board = Arena("Chipo")
    message = r"broken\.json is not a board that Arena\.save wrote, or it is damaged: \S"
    with pytest.raises(ValueError, match=message): board.merge(good, folder / "broken.json")
    with pytest.raises(ValueError, match=message): Arena.load(folder / "broken.json")
    assert board._entries == Arena()._entries


def test_the_unbroken_file_is_read(folder):
    "So that the tests above fail for the reason they name."
    (folder / "board.json").write_text(row())
    assert Arena.load(folder / "board.json").entry("a").right == 3


@few
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["kind", "version", "member", "images", "entries", "name", "right"]) | st.text(max_size=3), inner, max_size=5)),
       st.sampled_from(["kind", "version", "member", "images", "entries", "right", "name"]))
def test_any_json(tmp_path_factory, content, field):
    "Whatever JSON stands in a field: the error is always the same one, or the board is good."
    path = tmp_path_factory.mktemp("boards") / "any.json"
    path.write_text(row(**{field: content}) if field in ("right", "name") else changed(**{field: content}))
    try: Arena.load(path)
    except ValueError as error: assert "is not a board that Arena.save wrote" in str(error)


def test_missing_files(folder):
    "A file that is not there, or a folder, is what Python calls it."
    with pytest.raises(FileNotFoundError): Arena.load(folder / "nothing.json")
    with pytest.raises(OSError): Arena("Aman").merge(folder)
    with pytest.raises(OSError): Arena("Aman").save(folder / "no folder" / "board.json")
    assert [*folder.iterdir()] == []


def test_a_failed_save_keeps_the_old_file(folder, monkeypatch):
    "The old board is replaced only by a whole new one."
    path = group([Entry("old", "Aman", 1, 1)], "Aman").save(folder / "board.json")
    before = path.read_bytes()
    def fails(*args): raise OSError("disk full")
    monkeypatch.setattr("os.replace", fails)
    with pytest.raises(OSError, match="disk full"): group([Entry("new", "Aman", 1, 1)], "Aman").save(path)
    assert path.read_bytes() == before and [p.name for p in folder.iterdir()] == ["board.json"]


def test_arenas_do_not_share_entries():
    "The opening ideas are worked out once, but each arena has its own board."
    one, two = Arena(), Arena()
    one.enter("bar", bar, show=False)
    assert len(two._entries) == 17 and repr(two) == "Arena of you: 17 rules on the board, none of them by you"
    assert repr(one) == "Arena of you: 18 rules on the board, 1 of them by you"
