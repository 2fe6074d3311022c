"""Every public function against something independent: NumPy, SciPy, scikit-learn, a slow loop, or arithmetic by hand.

What is published about the real digits is in `test_published.py`; the digits and folders are in `test_digits.py`.
"""
import importlib
import inspect
import os
import pkgutil
import re
import struct
import zipfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from fastcore.docments import docments
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, mutually_broadcastable_shapes
from scipy.spatial.distance import cdist
from scipy.stats import binomtest
from sklearn import metrics
from sklearn.neighbors import NearestCentroid

import pixelsim
from pixelsim import fast
from pixelsim.accuracy import (accuracy, accuracy_interval, class_accuracies, confusion_matrix, mnist_distance,
                               worst_mistakes)
from pixelsim.broadcasting import broadcast_shape, explain_broadcast
from pixelsim.classifier import PixelSimilarity
from pixelsim.distances import l1_distance, l2_distance
from pixelsim.means import class_means
from pixelsim.pixels import best_threshold, ink_coverage, to_float
from pixelsim.show import show_difference, show_image, show_images, show_numbers
from pixelsim.table import Table
from pixelsim.tensors import explain_shape

many = settings(max_examples=60, deadline=None, database=None)
few = settings(many, max_examples=15)

# Labels are integers or strings; np.unique, and so the classifier, sorts them
LABELS = [st.integers(-2**40, 2**40), st.text("aZ é3_", min_size=1, max_size=3)]
SIDES = st.integers(1, 4)
UNIT = st.floats(0, 1, width=32)


def stacks(dtype=np.uint8, n=st.integers(1, 6), h=SIDES, w=SIDES):
    "Stacks of random images, shape (n, h, w): uint8, or floats from 0 to 1."
    return arrays(dtype, st.tuples(n, h, w), elements=UNIT if np.dtype(dtype).kind == "f" else None)


@st.composite
def two_stacks(draw, dtype=np.uint8):
    "Two stacks of images of one size."
    h, w = draw(SIDES), draw(SIDES)
    return [draw(stacks(dtype, h=st.just(h), w=st.just(w))) for _ in range(2)]


@st.composite
def labelled(draw, dtype=np.uint8, least=2):
    "Images, a label for each, and the classes, each of which has an image, in any order."
    classes = draw(st.one_of(*[st.lists(kind, min_size=least, max_size=4, unique=True) for kind in LABELS]))
    labels = draw(st.permutations(classes + draw(st.lists(st.sampled_from(classes), max_size=6))))
    return draw(stacks(dtype, n=st.just(len(labels)))), labels, classes


@pytest.fixture(autouse=True)
def close_figures():
    "No picture stays open."
    yield
    plt.close("all")


def random_images(n, side=28, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (n, side, side), dtype=np.uint8))


def random_model(classes, side=2, distance="l1"):
    "A classifier fitted on one random image for each class."
    return PixelSimilarity(distance).fit(random_images(len(classes), side), classes)


# pixels

@many
@given(x=arrays(np.uint8, array_shapes(min_dims=0, max_dims=4, max_side=5)))
@example(x=np.arange(256, dtype=np.uint8))
def test_to_float_divides_by_255(x):
    "Any uint8 array or tensor, of any rank, also transposed, becomes NumPy's float32 x/255, to the last bit."
    before = x.copy()
    for images in (x, x.T, torch.from_numpy(x)):
        made, wanted = to_float(images), np.asarray(images).astype(np.float32) / np.float32(255)
        assert made.dtype == torch.float32 and made.shape == wanted.shape and np.array_equal(made.numpy(), wanted)
    assert np.array_equal(x, before)


@many
@given(x=arrays(st.sampled_from([np.float16, np.float32, np.float64]), array_shapes(min_dims=0),
                elements=st.floats(0, 1, width=16)))
def test_to_float_keeps_floats(x):
    "Floats from 0 to 1, of any width, keep their values."
    made = to_float(x.copy())
    assert made.dtype == torch.float32 and np.array_equal(made.numpy(), x.astype(np.float32))


@many
@given(x=arrays(np.float32, array_shapes(), elements=UNIT), data=st.data(),
       bad=st.floats(width=32).filter(lambda v: not 0 <= v <= 1))
@example(x=np.zeros(2, np.float32), data=None, bad=256.0)
@example(x=np.zeros(2, np.float32), data=None, bad=float(np.nextafter(np.float32(1), np.float32(2))))
def test_to_float_refuses_other_floats(x, data, bad):
    "One value that is NaN or infinite is counted and placed; for one that is negative or above 1 the range is wrong indeed."
    at = data.draw(st.integers(0, x.size - 1)) if data else 0
    x.flat[at] = bad
    with pytest.raises(ValueError) as caught: to_float(x)
    said = str(caught.value)
    if np.isfinite(bad):
        low, high = map(float, re.search(r"should lie between 0 and 1, got (\S+) to (\S+): divide by 255", said).groups())
        assert not (low >= 0 and high <= 1)
    else:
        place = ", ".join(map(str, np.unravel_index(at, x.shape)))
        assert f"1 of them are not, the first is {bad} at images[{place}]" in said


@many
@given(images=stacks(np.uint8) | stacks(np.float32))
def test_ink_coverage(images):
    "The share of pixels above 0, as NumPy counts them."
    np.testing.assert_allclose(ink_coverage(images.copy()).numpy(), (images > 0).mean((1, 2)), atol=1e-6)


@many
@given(pairs=st.lists(st.tuples(st.integers(-9, 9) | st.floats(-2**20, 2**20, width=32), st.booleans()),
                      min_size=2, max_size=12))
def test_best_threshold(pairs):
    "No midpoint between neighbouring values gets more right, and of the equally good ones it is the lowest."
    values, is_above = map(list, zip(*pairs))
    levels = sorted(set(map(float, values)))
    if len(levels) < 2:
        with pytest.raises(ValueError, match="no threshold can tell them apart"): best_threshold(values, is_above)
        return
    middles = [(a + b) / 2 for a, b in zip(levels, levels[1:])]
    right = [sum((v > levels[i]) == up for v, up in pairs) for i in range(len(middles))]
    best = right.index(max(right))
    assert best_threshold(values, is_above) == (middles[best], right[best] / len(values))


def test_best_threshold_by_hand():
    "With 0.1 and 0.3 below and 0.2, 0.6 above, 0.15 and 0.45 both get three of four right: the lower one is taken."
    threshold, share = best_threshold(torch.tensor([.6, .1, .3, .2]).double(), torch.tensor([True, False, False, True]))
    assert threshold == pytest.approx(0.15) and share == 0.75


# tensors

@many
@given(x=arrays(st.sampled_from([np.uint8, np.int64, np.float32, np.float64, np.bool_]),
                array_shapes(min_dims=0, max_dims=4)), data=st.data())
def test_explain_shape(x, data):
    "Arrays and tensors of any rank, transposed, strided, and arrays reversed: the table says what NumPy knows."
    axes = data.draw(st.permutations(range(x.ndim)))
    steps = [data.draw(st.sampled_from([1, 2, -1])) for _ in axes]
    x = np.asarray(x.transpose(axes)[tuple(slice(None, None, step) for step in steps)])
    stride = tuple(s // x.itemsize for s in x.strides)
    contiguous = "yes" if x.flags.c_contiguous else "no"
    for thing in [x] if min(stride, default=0) < 0 else [x, torch.from_numpy(x)]:  # torch knows no negative strides
        assert [row[:2] for row in explain_shape(thing).rows] == [
            ["rank", str(x.ndim)], ["shape", str(x.shape)], ["dtype", x.dtype.name], ["stride", str(stride)],
            ["contiguous", contiguous], ["device", "cpu"]]
        meanings = [row[2] for row in explain_shape(thing).rows]
        assert str(x.ndim) in meanings[0] and meanings[1].endswith(f": {x.size:,} elements")
        assert meanings[2].endswith(f"= {x.nbytes:,} bytes")


def test_explain_shape_of_one_number():
    "Rank 0 is explained too."
    rows = explain_shape(torch.tensor(2.5)).rows
    assert [row[1] for row in rows[:3]] == ["0", "()", "float32"]
    assert [row[2] for row in rows[1:3]] == ["no axes: 1 elements", "4 × 1 = 4 bytes"]


# means

@many
@given(sample=labelled(least=1), data=st.data())
def test_class_means(sample, data):
    "NumPy's float64 means, in the order of the classes; the order of uint8 images does not change a single bit."
    images, labels, classes = sample
    made = class_means(images.copy(), labels, classes)
    wanted = [images[[label == c for label in labels]].mean(0, dtype=np.float64) / 255 for c in classes]
    assert made.dtype == torch.float32
    np.testing.assert_allclose(made.numpy(), wanted, rtol=1e-6)
    order = data.draw(st.permutations(range(len(labels))))
    assert torch.equal(made, class_means(images[order], [labels[i] for i in order], classes))


@many
@given(sample=labelled(np.float32, least=1))
def test_class_means_of_floats(sample):
    "Floats from 0 to 1 are averaged as they are."
    images, labels, classes = sample
    wanted = [images[[label == c for label in labels]].mean(0, dtype=np.float64) for c in classes]
    found = class_means(images.copy(), np.array(labels), classes)
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-6, atol=1e-9)


def test_class_means_are_exact_for_many_images():
    "Sums over 300,000 images are more than float32 can count; each mean is still the float32 nearest to the true one."
    images = np.random.default_rng(0).integers(0, 256, (300_000, 4, 8), dtype=np.uint8)
    wanted = (images.sum(0, dtype=np.int64) / (300_000 * 255)).astype(np.float32)
    for order in (images, images[::-1].copy()):
        assert np.array_equal(class_means(order, np.zeros(300_000, int), [0])[0].numpy(), wanted)


# broadcasting

def numpy_says(*shapes):
    "NumPy's broadcast shape, or None if the shapes do not fit."
    try: return np.broadcast_shapes(*shapes)
    except ValueError: return None


SHAPES = st.lists(st.lists(st.sampled_from([0, 1, 1, 2, 3]), max_size=4).map(tuple), max_size=4)
FITTING = mutually_broadcastable_shapes(num_shapes=3, min_side=0).map(lambda s: list(s.input_shapes))


@settings(many, max_examples=200)
@given(shapes=SHAPES | FITTING)
def test_broadcast_shape(shapes):
    "NumPy's result; and where NumPy fails, an error that names an axis that does not fit, with its sizes."
    wanted = numpy_says(*shapes)
    if wanted is not None:
        assert broadcast_shape(*shapes) == wanted
        assert broadcast_shape(*map(np.empty, shapes)) == broadcast_shape(*map(torch.empty, shapes)) == wanted
    else:
        with pytest.raises(ValueError) as caught: broadcast_shape(*shapes)
        axis, sizes = re.search(r"axis (-\d+) has sizes ([\d and]+):", str(caught.value)).groups()
        there = [s[int(axis)] for s in shapes if len(s) >= -int(axis)]
        assert numpy_says(*[(n,) for n in there]) is None
        assert [n for n in map(int, sizes.split(" and ")) if n != 1] == [n for n in there if n != 1]


@settings(many, max_examples=200)
@given(shapes=SHAPES | FITTING)
def test_explain_broadcast(shapes):
    "One row a shape, one column an axis; the outcome is NumPy's, or stands under an axis that does not fit."
    wanted, table, rank = numpy_says(*shapes), explain_broadcast(*shapes), max(map(len, shapes), default=0)
    assert table.header == ["shape", *[f"axis {i}" for i in range(-rank, 0)]]
    *rows, outcome = table.rows
    for shape, (name, *cells) in zip(shapes, rows, strict=True):
        added = rank - len(shape)
        assert name == str(shape) and [cell[0] == "(" for cell in cells] == [True] * added + [False] * len(shape)
        changes = [[int(n) for n in cell.strip("()").split(" → ")] for cell in cells]
        assert [c[0] for c in changes] == [1] * added + [*shape]
        if wanted is not None: assert [c[-1] for c in changes] == [*wanted]
    if wanted is not None: assert outcome == ["result", *map(str, wanted)] and table.note == ""
    else:
        [failing] = [i - rank for i, cell in enumerate(outcome[1:]) if cell]
        assert outcome[0] == "no result" and outcome[failing] == "fails" and f"axis {failing} has" in table.note
        assert numpy_says(*[(s[failing],) for s in shapes if len(s) >= -failing]) is None


def test_explain_broadcast_by_hand():
    "A thousand images minus one: the whole table."
    table = explain_broadcast((1010, 28, 28), (28, 28), (28, 1))
    assert table.header == ["shape", "axis -3", "axis -2", "axis -1"] and table.rows == [
        ["(1010, 28, 28)", "1010", "28", "28"], ["(28, 28)", "(1 → 1010)", "28", "28"],
        ["(28, 1)", "(1 → 1010)", "28", "1 → 28"], ["result", "1010", "28", "28"]]


# distances

DISTANCES = pytest.mark.parametrize("distance, metric, scale", [
    (l1_distance, "cityblock", lambda n: n), (l2_distance, "euclidean", lambda n: n**.5)])


@DISTANCES
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@many
@given(data=st.data())
def test_distances(distance, metric, scale, dtype, data):
    "SciPy's distances of all pairs, through broadcasting of leading axes; symmetric; zero to itself; uint8 as floats."
    a, b = data.draw(two_stacks(dtype))
    flat = [(x.astype(float) / (255 if dtype == np.uint8 else 1)).reshape(len(x), -1) for x in (a, b)]
    wanted = cdist(*flat, metric) / scale(flat[0].shape[1])
    a, b = torch.from_numpy(a), torch.from_numpy(b)
    found = distance(a[:, None], b)
    assert found.shape == wanted.shape and found.dtype == torch.float32
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-5, atol=1e-6)
    assert torch.equal(found, distance(b, a[:, None])) and torch.equal(found, distance(to_float(a)[:, None], b))
    assert distance(a, a).count_nonzero() == 0
    assert distance(a[0], b[0]).shape == () and distance(a[None, :, None], b[None]).shape == (1, *wanted.shape)


@many
@given(pair=two_stacks())
def test_l2_is_at_least_l1(pair):
    "The root of a mean of squares is never below the mean, and neither leaves 0 to 1."
    a, b = map(torch.from_numpy, pair)
    l1, l2 = l1_distance(a[:, None], b), l2_distance(a[:, None], b)
    assert (l2 >= l1 - 1e-6).all() and (l1 >= 0).all() and (l2 <= 1 + 1e-6).all()


@pytest.mark.parametrize("distance, wanted", [(l1_distance, 0.35), (l2_distance, 0.5)])
def test_distances_by_hand(distance, wanted):
    "Differences 0.1, 0.1, 0.7, 0.5, with opposite signs: mean 0.35; squares 0.01, 0.01, 0.49, 0.25, mean 0.19."
    a, b = torch.tensor([[.1, .0], [.7, .0]]), torch.tensor([[.0, .1], [.0, .5]])
    assert distance(a, b).item() == pytest.approx(0.35 if distance is l1_distance else 0.19**.5)


@many
@given(pair=two_stacks(np.float32))
def test_mnist_distance(pair):
    "To the bit the source's `(a-b).abs().mean((-1,-2))`, and NumPy's mean absolute difference."
    a, b = map(torch.from_numpy, pair)
    a = a[:, None]
    assert torch.equal(mnist_distance(a, b), (a-b).abs().mean((-1,-2)))
    wanted = np.abs(pair[0][:, None].astype(float) - pair[1]).mean((-1, -2))
    np.testing.assert_allclose(mnist_distance(a, b).numpy(), wanted, atol=1e-6)


# classifier

def slow_distances(images, labels, classes, new, distance):
    "The definition, one image and one class at a time, in float64."
    means = [np.mean([x / 255 for x, label in zip(images, labels) if label == c], axis=0) for c in classes]
    measure = {"l1": lambda d: np.abs(d).mean(), "l2": lambda d: (d**2).mean()**.5}[distance]
    return np.array([[measure(x / 255 - m) for m in means] for x in new])


@pytest.mark.parametrize("distance", ["l1", "l2"])
@many
@given(sample=labelled(), data=st.data())
def test_classifier_does_what_is_defined(distance, sample, data):
    "For any classes: the slow definition's distances, the nearest class, its score, and labels of the type given."
    images, labels, classes = sample
    classes = sorted(classes)
    new = data.draw(stacks(h=st.just(images.shape[1]), w=st.just(images.shape[2])))
    model = PixelSimilarity(distance).fit(torch.from_numpy(images), labels)
    assert model.classes_.tolist() == classes and model.fit(torch.from_numpy(images), np.array(labels)) is model
    slow, found = slow_distances(images, labels, classes, new, distance), model.distances(torch.from_numpy(new))
    np.testing.assert_allclose(found.numpy(), slow, atol=1e-6)
    predicted = model.predict(torch.from_numpy(new)).tolist()
    assert all(slow[i, classes.index(c)]**2 <= slow[i].min()**2 + 1e-6 for i, c in enumerate(predicted))
    actual = data.draw(st.lists(st.sampled_from(classes), min_size=len(new), max_size=len(new)))
    assert model.score(new, actual) == pytest.approx(sum(p == a for p, a in zip(predicted, actual)) / len(new))


@pytest.mark.parametrize("k", [2, 3, 10])
def test_scikit_learn_agrees(k):
    "Under L2 every prediction is that of scikit-learn's NearestCentroid; each class has a faint pattern of its own."
    rng = np.random.default_rng(k)
    labels = np.arange(300) % k
    faint = rng.normal(100, 10, (k, 8, 8))[labels]
    images = np.clip(faint + rng.normal(0, 50, (300, 8, 8)), 0, 255).astype(np.uint8)
    flat = images.reshape(300, -1) / 255
    theirs = NearestCentroid(metric="euclidean").fit(flat[:150], labels[:150]).predict(flat[150:])
    ours = PixelSimilarity("l2").fit(images[:150], labels[:150]).predict(images[150:])
    assert np.array_equal(ours, theirs) and len(set(ours)) == k


@pytest.mark.parametrize("distance", ["l1", "l2"])
@pytest.mark.parametrize("labels", [[7, 3, 5], ["no", "maybe", "yes"]])
def test_ties_go_to_the_first_class(distance, labels):
    "Where two or all means are equally far, the first of the sorted classes is predicted."
    first, second, third = sorted(labels)
    images = {first: 0, second: 255, third: 255}
    model = PixelSimilarity(distance).fit(torch.tensor([[[images[c]]] for c in labels], dtype=torch.uint8), labels)
    assert model.predict(torch.tensor([[[.5]], [[1.]], [[0.]]])).tolist() == [first, second, first]


@pytest.mark.parametrize("distance, measure", [("l1", l1_distance), ("l2", l2_distance)])
def test_chunks_change_nothing(monkeypatch, distance, measure):
    "Distances are the same bit for bit whatever the size of a chunk, and predictions for any number of images."
    images, model = random_images(2100), random_model([3, 5, 7], 28, distance)
    wanted = measure(images[:, None], model.prototypes_)
    nearest = model.classes_[wanted.argmin(1).numpy()]
    for n in (1, 255, 256, 257, 1024, 1025, 2100):
        assert torch.equal(model.distances(images[:n]), wanted[:n]), n
        assert np.array_equal(model.predict(images[:n]), nearest[:n]), n
    for chunk in (1, 7, 2099, 2100, 5000):
        monkeypatch.setitem(fast._BUFFER, "cpu", 28 * 28 * chunk)
        assert torch.equal(model.distances(images), wanted), chunk
        assert np.array_equal(model.predict(images), nearest), chunk


@many
@given(sample=labelled(), data=st.data())
def test_learning_bit_by_bit(sample, data):
    "uint8 images in batches, in any order, or in two classifiers that are merged: what is learned is the same."
    images, labels, _ = sample
    order = data.draw(st.permutations(range(len(labels))))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(labels)), max_size=3)))
    batches = [(images[part], [labels[i] for i in part]) for part in np.split(np.array(order), cuts)]
    whole, grown = PixelSimilarity().fit(images, labels), PixelSimilarity()
    for batch in batches: assert grown.partial_fit(*batch) is grown
    for model in (grown, PixelSimilarity().fit(iter(batches))): assert_same(model, whole)
    first, second = (PixelSimilarity().partial_fit(images[part], np.array(labels)[part])
                     for part in (slice(None, None, 2), slice(1, None, 2)))
    for merged in (first.merge(second), second.merge(first)): assert_same(merged, whole)


def test_parameters():
    "The distance can be read and changed, as scikit-learn does it, and the means stay."
    model = random_model([3, 7])
    images, before = random_images(9, 2), model.prototypes_
    assert model.get_params()["distance"] == "l1" and model.set_params(distance="l2") is model
    assert model.get_params()["distance"] == "l2" and model.prototypes_ is before
    assert torch.equal(model.distances(images), random_model([3, 7], distance="l2").distances(images))


@pytest.mark.parametrize("classes", [[3, 7], ["a", "b", "c"]])
def test_empty_batch(classes):
    "No images have no distances and no predictions, of the right shape and type."
    model = random_model(classes)
    for empty in (torch.zeros(0, 2, 2), torch.zeros(0, 2, 2, dtype=torch.uint8)):
        assert tuple(model.distances(empty).shape) == (0, len(classes))
        assert model.predict(empty).shape == (0,) and model.predict(empty).dtype == model.classes_.dtype


def test_a_failed_fit_changes_nothing():
    "Images that cannot be learned from leave what was learned before."
    model = random_model([3, 7])
    before = model.predict(random_images(50, 2)).tolist()
    with pytest.raises(ValueError): model.fit(torch.full((2, 2, 2), 2.), [3, 7])
    with pytest.raises(ValueError): model.fit(random_images(2, 2), [3, 7, 7])
    with pytest.raises(ValueError): model.fit(random_images(2, 2), [5, 5])
    with pytest.raises(ValueError): model.partial_fit(random_images(2, 3), [3, 7])
    assert model.predict(random_images(50, 2)).tolist() == before


def test_classifier_in_words():
    "What it is and whether it is fitted can be read."
    assert repr(PixelSimilarity()) == "PixelSimilarity(distance='l1', prototype='mean', not fitted)"
    assert repr(random_model([7, 3], distance="l2")) == "PixelSimilarity(distance='l2', prototype='mean', fitted on classes [3, 7])"


# Saved classifiers

def assert_same(a, b):
    "Two classifiers that differ in no bit of what they have learned."
    assert vars(a).keys() == vars(b).keys() and a.distance == b.distance and len(vars(a)) > 2
    for x, y in [(np.asarray(x), np.asarray(vars(b)[name])) for name, x in vars(a).items()]:
        if "U" in (x.dtype.kind, y.dtype.kind): assert x.tolist() == y.tolist()
        else: assert x.dtype == y.dtype and np.array_equal(x, y)


def survives(content, path, model):
    "Whether a file with this content loads: then it is the very `model`, else a ValueError names the file."
    path.write_bytes(content)
    try: loaded = PixelSimilarity.load(path)
    except ValueError as e:
        assert str(path) in str(e)
        return False
    assert_same(loaded, model)
    return True


@pytest.fixture(scope="module")
def folder(tmp_path_factory): return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def small(folder):
    "A classifier of tiny images, and the bytes of its file."
    model = random_model([3, 7])
    return model, model.save(folder / "small").read_bytes()


@pytest.fixture(scope="module")
def large(folder):
    "A classifier of ten digits: its file is long enough for NumPy to read it in pieces."
    model = PixelSimilarity("l2").fit(random_images(10, 28) // 16 * 16, range(10))
    return model, model.save(folder / "large").read_bytes()


@few
@given(sample=labelled(), distance=st.sampled_from(["l1", "l2"]))
def test_round_trip(folder, sample, distance):
    "Saved and loaded, under exactly the name given, it is the same to the bit, with int labels and with str labels."
    images, labels, _ = sample
    model, path = PixelSimilarity(distance).fit(images, labels), folder / "round.trip"
    assert model.save(str(path)) == path and "round.trip.npz" not in os.listdir(folder)
    for place in (path, str(path)): assert_same(PixelSimilarity.load(place), model)
    assert PixelSimilarity.load(path).predict(images).tolist() == model.predict(images).tolist()


@pytest.mark.parametrize("labels", [
    np.array(["a", "b"], object), np.array([3, 7], object), np.array([True, False]), np.array([3, 7], np.uint8),
    torch.tensor([3, 7]), np.array([1.5, 2.0]), np.array([b"a", b"b"])], ids=lambda x: str(x.dtype))
def test_what_can_be_fitted_can_be_loaded(folder, labels):
    "Labels of an unusual type (pandas holds strings as objects) are refused by `fit` at once, or survive the file."
    try: model = PixelSimilarity().fit(random_images(2), labels)
    except ValueError as e: assert str(np.asarray(labels).dtype) in str(e)
    else: assert_same(PixelSimilarity.load(model.save(folder / "labels")), model)


def test_every_truncation_is_refused(folder, small):
    "A file cut off anywhere is a ValueError; whole it loads."
    model, content = small
    assert survives(content, folder / "cut", model)
    assert not any(survives(content[:n], folder / "cut", model) for n in range(len(content)))


def test_every_flipped_bit(folder, small):
    "One wrong bit anywhere gives a ValueError, or changes nothing; amid the data of an array it is always noticed."
    model, content = small
    with zipfile.ZipFile(folder / "small") as archive:
        amid = [info.header_offset + 60 + info.compress_size // 2 for info in archive.infolist()]
    noticed = set()
    for i in range(len(content)):
        for bit in range(8):
            flipped = content[:i] + bytes([content[i] ^ 1 << bit]) + content[i + 1:]
            if not survives(flipped, folder / "flipped", model): noticed.add((i, bit))
    assert len(amid) >= 4 and {(i, bit) for i in amid for bit in range(8)} <= noticed


@settings(many, max_examples=400)
@given(data=st.data())
def test_a_wrong_byte_in_a_long_file(folder, large, data):
    "In a file of realistic size too one wrong byte gives a ValueError or the same classifier."
    model, content = large
    flipped = bytearray(content)
    flipped[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    survives(bytes(flipped), folder / "flipped", model)


@pytest.mark.parametrize("extra", [0, 10_000])
@pytest.mark.parametrize("name", ["totals.npy", "counts.npy"])
def test_other_numbers_under_the_old_checksum(folder, large, name, extra):
    """Numbers that are not those of the checksum are refused, also if bytes follow them.

    One wrong byte can make compressed data longer; `np.load` stops once it has the array, and `zipfile` compares the
    checksum only at the end of the data."""
    with zipfile.ZipFile(folder / "large") as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist()}
        old = archive.getinfo(name).CRC
    last = struct.pack("<d", 33) if name == "totals.npy" else struct.pack("<q", 2)
    assert parts[name][-8:] != last
    parts[name] = parts[name][:-8] + last + bytes(extra)
    with zipfile.ZipFile(folder / "changed", "w", zipfile.ZIP_DEFLATED) as archive:
        for each, part in parts.items(): archive.writestr(each, part)
        new = archive.getinfo(name).CRC
    content = (folder / "changed").read_bytes()
    assert content.count(struct.pack("<I", new)) == 2  # before the data, and in the table of contents
    changed = content.replace(struct.pack("<I", new), struct.pack("<I", old))
    assert not survives(changed, folder / "changed", large[0])


FIELDS = dict(format=1, distance="l1", prototype="mean", classes=np.array([3, 7]), totals=np.full((2, 3, 2), 255.),
              counts=np.array([2, 5]))


@pytest.mark.parametrize("change, said", [
    (dict(format=2), "has format 2, .*upgrade pixelsim"),
    (dict(format=2, totals=None), "has format 2, .*upgrade pixelsim"),
    (dict(format="first"), "format"), (dict(format=[1, 1]), "format"),
    (dict(distance="l3"), "l3"), (dict(distance=1), "distance"), (dict(distance=["l1", "l1"]), "distance"),
    (dict(classes=3), "classes"), (dict(classes=[[3], [7]]), "classes"), (dict(classes=[3]), "classes"),
    (dict(classes=np.array([3, "7"], object)), "allow_pickle=False"),
    (dict(prototype="mode"), "mode"), (dict(prototype="median"), "median"),
    (dict(totals=np.zeros((2, 3))), r"\(2, 3\)"), (dict(totals=np.zeros((3, 3, 2))), r"\(3, 3, 2\)"),
    (dict(totals=np.full((2, 3, 2), 7)), "totals"), (dict(totals=np.full((2, 3, 2), "x")), "totals"),
    (dict(counts=np.array([2, 0])), "counts"), (dict(counts=np.array([2., 5.])), "counts"), (dict(counts=2), "counts"),
    *[({name: None}, f"has no {name}") for name in FIELDS],
    (dict.fromkeys(FIELDS) | {"x": 1}, "has no ")])
def test_archives_that_are_something_else(tmp_path, change, said):
    "A NumPy archive that is newer, lacks a field or has something odd in it: a ValueError with file and reason."
    path = tmp_path / "odd.npz"
    np.savez_compressed(path, **FIELDS)
    assert PixelSimilarity.load(path).prototypes_[:, 0, 0].tolist() == pytest.approx([1 / 2, 1 / 5])
    np.savez_compressed(path, **{name: value for name, value in (FIELDS | change).items() if value is not None})
    with pytest.raises(ValueError, match=said) as caught: PixelSimilarity.load(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("kind", ["empty", "text", "npy", "zip", "folder"])
def test_files_that_are_something_else(tmp_path, kind):
    "No file, an empty one, a text, one array, another zip file, a folder: a fitting kind of error, with the name."
    path = tmp_path / "something"
    with pytest.raises(FileNotFoundError, match="something"): PixelSimilarity.load(path)
    if kind == "empty": path.touch()
    elif kind == "text": path.write_text("not a model")
    elif kind == "folder": path.mkdir()
    elif kind == "npy":
        with path.open("wb") as file: np.save(file, np.zeros(3))
    else:
        with zipfile.ZipFile(path, "w") as archive: archive.writestr("classes", "3 7")
    with pytest.raises((OSError, ValueError) if kind == "folder" else ValueError, match="something"):
        PixelSimilarity.load(path)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["full", "stop"])
@pytest.mark.parametrize("step", ["write", "replace"])
def test_a_save_that_fails(tmp_path, monkeypatch, step, error):
    "When writing fails half-way, or is interrupted, the old file stays as it was and nothing is left beside it."
    path = random_model([3, 7]).save(tmp_path / "model.npz")
    before = path.read_bytes()
    def write_half(path, content):
        with path.open("wb") as file: file.write(content[:4])
        raise error
    def fail(*args): raise error
    with monkeypatch.context() as patch:
        patch.setattr(*((Path, "write_bytes", write_half) if step == "write" else (os, "replace", fail)))
        with pytest.raises(type(error)): random_model([1, 2]).save(path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["model.npz"]
    assert random_model([1, 2]).save(path).read_bytes() != before and os.listdir(tmp_path) == ["model.npz"]


def test_places_where_nothing_can_be_saved(tmp_path):
    "A missing folder, or a folder in place of the file, is an OSError, and nothing is left behind."
    (tmp_path / "taken").mkdir()
    for place in ("missing/model.npz", "taken"):
        with pytest.raises(OSError, match=place.split("/")[0]): random_model([3, 7]).save(tmp_path / place)
    assert os.listdir(tmp_path) == ["taken"] and os.listdir(tmp_path / "taken") == []


# accuracy

@st.composite
def answers(draw):
    "Predicted and actual labels, and all classes in any order."
    classes = draw(st.one_of(*[st.lists(kind, min_size=1, max_size=5, unique=True) for kind in LABELS]))
    pairs = draw(st.lists(st.tuples(*[st.sampled_from(classes)] * 2), min_size=1, max_size=20))
    return [p for p, _ in pairs], [a for _, a in pairs], classes


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true:UserWarning")
@pytest.mark.filterwarnings("ignore:A single label was found:UserWarning")
@many
@given(sample=answers(), kind=st.sampled_from([list, np.array]))
def test_accuracies(sample, kind):
    "scikit-learn's accuracy, recall of each class, balanced accuracy, and confusion matrix."
    predicted, actual, classes = sample
    ours = class_accuracies(kind(predicted), kind(actual))
    assert accuracy(kind(predicted), kind(actual)) == pytest.approx(metrics.accuracy_score(actual, predicted))
    assert list(ours) == sorted(set(actual))
    assert [*ours.values()] == pytest.approx(metrics.recall_score(actual, predicted, labels=[*ours], average=None))
    assert np.mean([*ours.values()]) == pytest.approx(metrics.balanced_accuracy_score(actual, predicted))
    matrix = confusion_matrix(kind(predicted), kind(actual), classes)
    assert matrix.dtype == torch.int64
    assert np.array_equal(matrix.numpy(), metrics.confusion_matrix(actual, predicted, labels=classes))


@settings(many, max_examples=200)
@given(n=st.integers(1, 3000), data=st.data(), confidence=st.floats(0.01, 0.9999))
def test_accuracy_interval(n, data, confidence):
    "SciPy's Wilson interval, for any counts and any confidence."
    k = data.draw(st.sampled_from([0, n]) | st.integers(0, n))
    wanted = binomtest(k, n).proportion_ci(confidence, method="wilson")
    found = accuracy_interval(k, n, confidence)
    assert found == pytest.approx((wanted.low, wanted.high), abs=1e-9)
    assert 0 <= found[0] <= k / n <= found[1] <= 1  # so it is exact at the ends


@pytest.mark.parametrize("right, total, low, high", [
    (81, 263, "0.2553", "0.3662"), (15, 148, "0.0624", "0.1605"),
    (0, 20, "0.0000", "0.1611"), (1, 29, "0.0061", "0.1718")])
def test_published_intervals(right, total, low, high):
    "R. G. Newcombe (1998), Statistics in Medicine 17, 857-872, Table I, method 3: the score interval at 95 %."
    assert [f"{x:.4f}" for x in accuracy_interval(right, total)] == [low, high]


@many
@given(data=st.data(), classes=st.lists(st.integers(0, 9), min_size=2, max_size=4, unique=True), n=st.integers(0, 10))
def test_worst_mistakes(data, classes, n):
    "A loop over the images: those that are wrong, by how far the right class was behind, equal ones in their order."
    eighths = data.draw(arrays(np.int64, (n, len(classes)), elements=st.integers(0, 8)))
    actual = data.draw(st.lists(st.sampled_from(classes), min_size=n, max_size=n))
    mistakes = []
    for i, (row, label) in enumerate(zip(eighths.tolist(), actual)):
        nearest = row.index(min(row))
        if classes[nearest] != label: mistakes.append((row[nearest] - row[classes.index(label)], i))
    found = worst_mistakes(torch.from_numpy(eighths) / 8, actual, classes)
    assert found.dtype == torch.int64 and found.tolist() == [i for _, i in sorted(mistakes)]


# show

def limits(ax): return ax.images[0].get_clim()


@few
@given(image=arrays(np.uint8, st.tuples(SIDES, SIDES)) | arrays(np.float32, st.tuples(SIDES, SIDES), elements=UNIT))
def test_pictures_have_fixed_scales(image):
    "Whatever is in an image, 0 is white and full ink black; a difference goes from -1 to 1; the image stays as it is."
    full, other = 255 if image.dtype == np.uint8 else 1, image[::-1].copy()
    for kind in (np.array, lambda x: torch.from_numpy(x.copy())):
        given_, given_other = kind(image), kind(other)
        for ax in (show_image(given_), show_numbers(given_), show_images([given_, given_other])[0]):
            drawn = ax.images[0]
            assert limits(ax) == (0, full) and drawn.cmap(0.) == (1, 1, 1, 1) and drawn.cmap(1.) == (0, 0, 0, 1)
            assert np.array_equal(drawn.get_array(), image)
        ax = show_difference(given_, given_other)
        assert limits(ax) == (-1, 1)
        np.testing.assert_allclose(ax.images[0].get_array(), (image.astype(float) - other.astype(float)) / full)
        assert np.array_equal(given_, image) and np.array_equal(given_other, other)
        plt.close("all")


def test_colours_of_a_difference():
    "Red where the first image has more ink, blue where the second has, white where they agree."
    image = show_difference(np.array([[255, 0, 9]], np.uint8), np.array([[0, 255, 9]], np.uint8)).images[0]
    (r, _, b), (r2, _, b2), white = image.to_rgba(image.get_array())[0, :, :3]
    assert r > b and b2 > r2 and white.min() > 0.95


def test_where_pictures_are_drawn():
    "On the axes given, with the title given, without ticks; else on new axes."
    image, (_, ax) = np.zeros((2, 3)), plt.subplots()
    for draw in (show_image, lambda x, **kw: show_difference(x, x, **kw)):
        assert draw(image, title="a three", ax=ax) is ax and ax.get_title() == "a three" and len(ax.get_xticks()) == 0
        assert draw(image) is not ax
    assert show_numbers(image, ax=ax) is ax


@pytest.mark.parametrize("n, columns, rows", [(1, 10, 1), (3, 10, 1), (10, 10, 1), (11, 10, 2), (7, 3, 3), (6, 3, 2)])
def test_show_images(n, columns, rows):
    "One set of axes for each image, in rows; what is left of the last row is blank; titles above their images."
    images = random_images(n, 2)
    axs = show_images(images, titles=range(n), columns=columns)
    every = axs[0].figure.axes
    assert axs.shape == (n,) and len(every) == rows * min(columns, n)
    assert [a.get_subplotspec().rowspan.start for a in axs] == [i // columns for i in range(n)]
    assert [a.axison for a in every] == [True] * n + [False] * (len(every) - n)
    assert [a.get_title() for a in axs] == [str(i) for i in range(n)]
    assert all(np.array_equal(a.images[0].get_array(), im) for a, im in zip(axs, images))
    assert {a.get_title() for a in show_images(images, columns=columns)} == {""}


@pytest.mark.parametrize("image, texts", [
    (np.array([[0, 29], [166, 255]], np.uint8), ["0", "29", "166", "255"]),
    (np.array([[0, .25], [.126, 1]]), [".00", ".25", ".13", "1.00"])])
def test_show_numbers(image, texts):
    "Each pixel has its number on it, readable on its colour, and rows and columns are numbered from the corner given."
    ax = show_numbers(image, top=4, left=10)
    assert [t.get_text() for t in ax.texts] == texts
    assert [t.get_position() for t in ax.texts] == [(0, 0), (1, 0), (0, 1), (1, 1)]
    assert [t.get_color() for t in ax.texts][::3] == ["black", "white"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["4", "5"]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["10", "11"]


def test_table():
    "As text the columns are aligned; as Markdown a bar in a cell is escaped; the note stands below."
    table = Table(["digit", "n"], [[3, 6131], ["a|b", ""]], note="That is all.")
    assert repr(table) == "digit  n\n─────  ────\n3      6131\na|b\nThat is all."
    assert table._repr_markdown_() == "| digit | n |\n| --- | --- |\n| 3 | 6131 |\n| a\\|b |  |\n\nThat is all."
    assert repr(Table(["x"], [])) == "x\n─"


# Errors: the right kind, with the value that caused it

HALF, IMAGE, FITTED = torch.full((2, 2), .5), torch.zeros(2, 2, dtype=torch.uint8), random_model([3, 7])
UNFITTED = "not fitted yet"


@pytest.mark.parametrize("call, error, said", [
    *[(lambda d=d: to_float(torch.zeros(2, dtype=d)), TypeError, f"got {d}") for d in (
        torch.bool, torch.int8, torch.int16, torch.int32, torch.int64)],
    (lambda: to_float([3, 7]), TypeError, "got torch.int64: use .to(torch.uint8)"),
    (lambda: to_float(torch.tensor([0, 256.])), ValueError, "got 0 to 256: divide by 255"),
    (lambda: to_float(torch.tensor([-.5, 1])), ValueError, "got -0.5 to 1"),
    (lambda: to_float(torch.tensor([0, torch.nan])), ValueError, "the first is nan at images[1]"),
    (lambda: to_float(torch.tensor([0, torch.inf])), ValueError, "the first is inf at images[1]"),
    (lambda: ink_coverage(IMAGE), ValueError, "got (2, 2): for one image pass images[None]"),
    (lambda: best_threshold([1, 2, 3], [True, False]), ValueError, "got (3,) and (2,)"),
    (lambda: best_threshold([[1]], [[True]]), ValueError, "got (1, 1) and (1, 1)"),
    (lambda: best_threshold([1, torch.nan], [True, False]), ValueError, "nan at values[1]"),
    (lambda: best_threshold([1, -torch.inf], [True, False]), ValueError, "-inf at values[1]"),
    (lambda: best_threshold([5, 5], [True, False]), ValueError, "5.0"),
    (lambda: explain_shape([3, 7]), TypeError, "got list: try torch.tensor(x)"),
    (lambda: class_means(IMAGE, [3], [3]), ValueError, "got (2, 2): for one image pass images[None]"),
    (lambda: class_means(IMAGE[None], [3, 7], [3]), ValueError, "shape (1,), one for each image, got (2,)"),
    (lambda: class_means(IMAGE[None], [3], [3, 7]), ValueError, "class 7 has no images"),
    (lambda: class_means(IMAGE[None], ["a"], ["b"]), ValueError, "class 'b' has no images"),
    (lambda: class_means(IMAGE[None], [3], np.array([7])), ValueError, "class 7 has no images"),
    (lambda: class_means(HALF[None] * 4, [3], [3]), ValueError, "got 2 to 2"),
    (lambda: class_means(IMAGE[None].long(), [3], [3]), TypeError, "got torch.int64"),
    (lambda: broadcast_shape((4, 3), (5, 3)), ValueError, "axis -2 has sizes 4 and 5"),
    (lambda: broadcast_shape(torch.zeros(2), np.zeros((7, 3))), ValueError, "axis -1 has sizes 2 and 3"),
    *[(lambda f=f, n=n: f((2, n)), ValueError, f"got {n!r} in (2, {n!r})")
      for f in (broadcast_shape, explain_broadcast) for n in (-1, 2.0, True, "3")],
    *[(lambda f=f: f(5), ValueError, "got 5") for f in (broadcast_shape, explain_broadcast)],
    *[(lambda f=f: f(HALF, HALF[:1]), ValueError, "got (2, 2) and (1, 2)") for f in (l1_distance, l2_distance)],
    *[(lambda f=f: f(HALF[0], HALF[0]), ValueError, "got (2,) and (2,)") for f in (l1_distance, l2_distance)],
    *[(lambda f=f: f(HALF, IMAGE.long()), TypeError, "got torch.int64") for f in (l1_distance, l2_distance)],
    (lambda: mnist_distance(IMAGE, HALF), TypeError, "got torch.uint8: convert with to_float first"),
    (lambda: mnist_distance(HALF, IMAGE.long()), TypeError, "got torch.int64: convert with to_float first"),
    *[(lambda f=f: f([], []), ValueError, "no images") for f in (accuracy, class_accuracies)],
    *[(lambda f=f: f([3, 7], [3]), ValueError, "got (2,) and (1,)") for f in (accuracy, class_accuracies)],
    *[(lambda f=f: f(["3"], [3]), ValueError, "got <U1 and int") for f in (accuracy, class_accuracies)],
    *[(lambda r=r, n=n: accuracy_interval(r, n), ValueError, f"got {r} of {n}") for r, n in ((-1, 5), (6, 5), (0, 0))],
    *[(lambda c=c: accuracy_interval(1, 2, c), ValueError, f"got {c}") for c in (0, 1, 95, -.5)],
    (lambda: confusion_matrix([3], [8], [3, 7]), ValueError, "label 8 is not among the classes [3, 7]"),
    (lambda: confusion_matrix(["b"], ["a"], ["a"]), ValueError, "label 'b' is not among the classes ['a']"),
    (lambda: confusion_matrix([8], [3], np.array([3, 7])), ValueError, "label 8 is not among the classes [3, 7]"),
    (lambda: confusion_matrix([3, 3], [3], [3, 7]), ValueError, "got (2,) and (1,)"),
    (lambda: confusion_matrix([3], [3], [3, 3]), ValueError, "[3, 3]"),
    (lambda: worst_mistakes(HALF, [3, 7, 7], [3, 7]), ValueError, "shape (3, 2), one row for each label"),
    (lambda: worst_mistakes(HALF, [3, 7], [3, 7, 9]), ValueError, "got (2, 2)"),
    (lambda: worst_mistakes(HALF, [3, 8], [3, 7]), ValueError, "label 8 is not among the classes [3, 7]"),
    (lambda: PixelSimilarity("l3"), ValueError, "one of ['l1', 'l2'], got 'l3'"),
    (lambda: PixelSimilarity().fit(IMAGE[None], [3]), ValueError, "at least two classes, got [3]"),
    (lambda: PixelSimilarity().fit(IMAGE, [3, 7]), ValueError, "got (2, 2)"),
    (lambda: PixelSimilarity().fit(IMAGE[None], [3, 7]), ValueError, "got (2,)"),
    (lambda: PixelSimilarity().fit([]), ValueError, "no images"),
    (lambda: PixelSimilarity().partial_fit(IMAGE, [3, 7]), ValueError, "got (2, 2)"),
    (lambda: PixelSimilarity().partial_fit(IMAGE[None], [3, 7]), ValueError, "got (2,)"),
    (lambda: random_model([3, 7]).partial_fit(HALF[None, :1], [3]), ValueError, "2×2 as before, got 1×2: bring them to it with as_images(images, resize=(2, 2))"),
    (lambda: random_model([3, 7]).partial_fit(HALF[None], ["a"]), ValueError, "got ['a'] after [3, 7]"),
    (lambda: FITTED.merge(PixelSimilarity()), ValueError, "got PixelSimilarity(distance='l1', prototype='mean', not fitted)"),
    (lambda: PixelSimilarity().merge(FITTED), ValueError, "got PixelSimilarity(distance='l1', prototype='mean', not fitted)"),
    (lambda: FITTED.merge(random_model([3, 7], distance="l2")), ValueError, "got 'l1' and 'l2'"),
    (lambda: FITTED.merge(random_model([3, 7], 3)), ValueError, "got 3×3"),
    (lambda: FITTED.set_params(metric="l2"), ValueError, "no parameter 'metric': it has ['distance'"),
    (lambda: FITTED.set_params(distance="l3"), ValueError, "got 'l3'"),
    (lambda: PixelSimilarity().distances(IMAGE[None]), ValueError, UNFITTED),
    (lambda: PixelSimilarity().predict(IMAGE[None]), ValueError, UNFITTED),
    (lambda: PixelSimilarity().score(IMAGE[None], [3]), ValueError, UNFITTED),
    (lambda: PixelSimilarity().save("never written"), ValueError, UNFITTED),
    *[(lambda f=f: f(IMAGE), ValueError, "got (2, 2): for one image pass images[None]")
      for f in (FITTED.distances, FITTED.predict)],
    (lambda: FITTED.predict(torch.zeros(1, 3, 2)), ValueError, "got (1, 3, 2)"),
    (lambda: FITTED.score(IMAGE[None], [3, 7]), ValueError, "shape (1,), one for each image, got (2,)"),
    (lambda: FITTED.score(IMAGE[None][:0], []), ValueError, "no images"),
    (lambda: FITTED.score(IMAGE[None], ["3"]), ValueError, "and <U1"),
    *[(lambda f=f: f(HALF[None]), ValueError, "got (1, 2, 2): pick one image") for f in (show_image, show_numbers)],
    *[(lambda f=f: f(HALF[0]), ValueError, "got (2,)") for f in (show_image, show_numbers, show_images)],
    (lambda: show_images([]), ValueError, "images is empty"),
    (lambda: show_images(HALF), ValueError, "got (2, 2)"),
    (lambda: show_images([HALF, HALF], titles=["one"]), ValueError, "got 1 titles for 2 images"),
    (lambda: show_images([HALF], columns=0), ValueError, "got 0"),
    (lambda: show_difference(HALF, HALF[:1]), ValueError, "got (2, 2) and (1, 2)"),
    (lambda: show_difference(HALF[0], HALF), ValueError, "a should have shape (h, w), got (2,)"),
    (lambda: show_difference(HALF, HALF[0]), ValueError, "b should have shape (h, w), got (2,)"),
    (lambda: show_difference(IMAGE, HALF), ValueError, "full ink is 255 in a and 1 in b: convert both with to_float"),
    (lambda: Table(["x", "y"], [[1, 2], [3]]), ValueError, "should have 2 cells, got 1: ['3']")])
def test_errors(call, error, said):
    "Each misuse gets the kind of error that is documented, with the offending value and the way out."
    with pytest.raises(error, match=re.escape(said)): call()


# All of the library

MODULES = sorted(m.name for m in pkgutil.iter_modules(pixelsim.__path__) if m.name not in ("_modidx", "all"))
INSIDE = {"arena", "batches", "checks", "draw", "files", "guide", "practice", "ranks"}  # the library's own tools, and what a learner asks for by name
PUBLIC = [f"{m}.{name}" for m in MODULES for name in importlib.import_module(f"pixelsim.{m}").__all__]


def test_public_names_are_known():
    "In the modules that are tested here, no public name was forgotten."
    tested = {"accuracy", "broadcasting", "classifier", "distances", "means", "pixels", "show", "tensors"}
    assert tested < {*MODULES}
    assert [name for name in PUBLIC if name.split(".")[0] in tested and name.split(".")[1] not in globals()] == []


def test_all_in_one_import():
    "`from pixelsim.all import *` gives exactly the public names for working with images, each the same object as in its module."
    namespace = {}
    exec("from pixelsim.all import *", namespace)
    del namespace["__builtins__"]
    pairs = [name.split(".") for name in PUBLIC if name.split(".")[0] not in INSIDE]
    assert namespace == {name: getattr(importlib.import_module(f"pixelsim.{module}"), name) for module, name in pairs}


@pytest.mark.parametrize("name", PUBLIC)
def test_everything_is_documented(name):
    "A docstring for every public function, class and method, and a comment on every parameter and result."
    module, name = name.split(".")
    thing = getattr(importlib.import_module(f"pixelsim.{module}"), name)
    parts = [thing]
    if inspect.isclass(thing):
        parts += [getattr(thing, n) for n in vars(thing) if n[0] != "_" and callable(getattr(thing, n))]
    for part in parts:
        assert inspect.getdoc(part) and "(" not in inspect.getdoc(part).split()[0], part  # a dataclass makes up its own
        lacking = [p for p, text in docments(part).items() if not text and p != "self"
                   and not re.search(rf"\*\*{p},? +# \w", inspect.getsource(part))]  # docments overlooks **params
        assert lacking == (["return"] if inspect.isclass(part) else []), part


UNSAFE = re.compile(r"\b(pickle|dill|shelve|marshal|joblib)\b|torch\.load|allow_pickle\s*=\s*True")
RUNS_TEXT = re.compile(r"(?<![\w.])(eval|exec)\(")


def test_nothing_unsafe_is_loaded():
    "No source can unpickle, or run what is in a file; the search does find such lines."
    sources = sorted(Path(pixelsim.__file__).parent.glob("*.py"))
    assert {f"{m}.py" for m in MODULES} <= {s.name for s in sources}
    assert [s.name for s in sources if UNSAFE.search(s.read_text(encoding="utf-8"))] == []
    assert {s.name for s in sources if RUNS_TEXT.search(s.read_text(encoding="utf-8"))} <= {"practice.py"}  # runs its own exercises
    for line in ("import pickle", "torch.load(f)", "np.load(f, allow_pickle = True)"): assert UNSAFE.search(line)
    assert not UNSAFE.search("np.load(f, allow_pickle=False)")


def test_a_wrong_parameter_loses_nothing():
    "`set_params` with a prototype that does not exist is refused, and what was learned stays."
    model = random_model([3, 7])
    before = model.prototypes_.clone()
    with pytest.raises(ValueError, match="got 'mode'"): model.set_params(prototype="mode")
    assert model.prototype == "mean" and torch.equal(model.prototypes_, before)
