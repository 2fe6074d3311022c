"The classifier against its own slow definition, and its promises: learning adds up, nothing is half done, what looks wrong is told."
import copy
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import labeled, stacks

from pixelsim.classifier import PixelSimilarity
from pixelsim.images import as_images

LEARNED = ["classes_", "totals_", "counts_", "prototypes_"]


def state(model):
    "All that a classifier is and knows, to compare to the last bit."
    known = {name: (str(x.dtype), tuple(x.shape), np.asarray(x).tolist()) for name in LEARNED if (x := getattr(model, name, None)) is not None}
    return type(model), model.get_params(), known


def two_classes(distance="l1", side=2, classes=(3, 7), **options):
    "A classifier fitted on one image for each class."
    images = np.random.default_rng(0).integers(0, 256, (len(classes), side, side), dtype=np.uint8)
    return PixelSimilarity(distance, **options).fit(images, [*classes])


def slow_distances(images, labels, classes, new, distance):
    "The definition, one image and one class at a time, in float64."
    means = [np.mean([x / 255 for x, label in zip(images, labels) if label == c], axis=0) for c in classes]
    measure = {"l1": lambda d: np.abs(d).mean(), "l2": lambda d: (d**2).mean()**.5}[distance]
    return np.array([[measure(x / 255 - m) for m in means] for x in new])


@pytest.mark.parametrize("distance", ["l1", "l2"])
@given(sample=labeled(), data=st.data())
def test_classifier_does_what_is_defined(distance, sample, data):
    "For any classes: the slow definition's distances, the nearest class, its score, and labels of the type given."
    images, labels, classes = sample
    classes = sorted(classes)
    new = data.draw(stacks(h=st.just(images.shape[1]), w=st.just(images.shape[2])))
    model = PixelSimilarity(distance).fit(torch.from_numpy(images), labels)
    assert model.classes_.tolist() == classes and model.fit(torch.from_numpy(images), np.array(labels)) is model
    assert model.prototypes_.dtype == torch.float32
    slow, found = slow_distances(images, labels, classes, new, distance), model.distances(torch.from_numpy(new))
    np.testing.assert_allclose(found.numpy(), slow, atol=1e-6)
    predicted = model.predict(torch.from_numpy(new)).tolist()
    assert all(slow[i, classes.index(c)]**2 <= slow[i].min()**2 + 1e-6 for i, c in enumerate(predicted))
    actual = data.draw(st.lists(st.sampled_from(classes), min_size=len(new), max_size=len(new)))
    assert model.score(new, actual) == pytest.approx(sum(p == a for p, a in zip(predicted, actual)) / len(new))


# Learning is adding

@pytest.mark.parametrize("prototype", ["mean", "median"])
@given(sample=labeled(), data=st.data())
def test_learning_adds_up(prototype, sample, data):
    "uint8 images in batches, in any order, or in two classifiers that are merged: what is learned is the same, bit by bit."
    images, labels, _ = sample
    order = data.draw(st.permutations(range(len(labels))))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(labels)), max_size=3)))
    batches = [(images[part], [labels[i] for i in part]) for part in np.split(np.array(order), cuts)]
    whole, grown = PixelSimilarity(prototype=prototype).fit(images, labels), PixelSimilarity(prototype=prototype)
    for batch in batches: assert grown.partial_fit(*batch) is grown
    assert state(grown) == state(PixelSimilarity(prototype=prototype).fit(iter(batches))) == state(whole)
    first, second = (PixelSimilarity(prototype=prototype).partial_fit(images[part], np.array(labels)[part])
                     for part in (slice(None, None, 2), slice(1, None, 2)))
    before = state(first), state(second)
    assert state(first.merge(second)) == state(second.merge(first)) == state(whole) and (state(first), state(second)) == before


class Named(PixelSimilarity):
    "A subclass with a parameter more, and one less, which a user may make."
    def __init__(self, distance="l1", name="mine"):
        super().__init__(distance)
        self.name = name


def test_a_subclass_stays_what_it_is(tmp_path):
    "Merged, loaded and with other parameters."
    one = Named("l2", "yours").fit(np.eye(2, dtype=np.uint8)[:, None], [3, 7])
    both, loaded = one.merge(one), Named.load(one.save(tmp_path / "named.npz"))
    assert type(both) is type(loaded) is Named and (both.name, loaded.name, loaded.distance) == ("yours", "mine", "l2")
    assert one.set_params(name="ours").get_params() == {"distance": "l2", "name": "ours"}
    other = Named()
    other.prototype = "median"
    other.fit(np.eye(2, dtype=np.uint8)[:, None], [3, 7]).save(tmp_path / "other.npz")
    assert Named.load(tmp_path / "other.npz").prototype == "median"  # which its constructor does not take
    assert both.counts_.tolist() == [2, 2] and loaded.counts_.tolist() == one.counts_.tolist() == [1, 1]


def test_copies_learn_for_themselves():
    "Also a shallow one: what it learns later is not learned by the original."
    model = two_classes()
    before = state(model)
    for other in (copy.copy(model), copy.deepcopy(model)):
        assert state(other) == before
        for labels in ([3, 3], [3, 5]):
            assert state(other.partial_fit(np.ones((2, 2, 2), np.uint8), labels)) != before and state(model) == before


# Nothing is half done

BAD = [np.full((2, 2, 2), 2.), np.zeros((2, 3, 3), np.uint8), np.full((2, 2, 2), np.nan), None]


@pytest.mark.parametrize("prototype", ["mean", "median"])
def test_a_failed_fit_changes_nothing(prototype):
    "Images and labels that cannot be learned from leave what was learned before."
    model = two_classes(prototype=prototype)
    before, good = state(model), np.zeros((2, 2, 2), np.uint8)
    calls = [lambda x=x: model.partial_fit(x, [3, 7]) for x in BAD]
    calls += [lambda x=x, f=f: f([(good, [3, 7]), (x, [3, 7])]) for f in (model.fit, model.partial_fit) for x in BAD]
    calls += [lambda y=y, f=f: f(good, y) for f in (model.fit, model.partial_fit) for y in ([3], [3, None], [3., 7.], [3, 7, 7])]
    calls += [lambda: model.partial_fit(good, ["3", "7"]), lambda: model.fit(good, [5, 5]), lambda: model.set_params(prototype="mode"),
              lambda: model.set_params(prototype="median", metric="l2"), lambda: model.merge(two_classes(side=3, prototype=prototype))]
    for call in calls:
        with pytest.raises((TypeError, ValueError)): call()
        assert state(model) == before


def test_whenever_it_is_interrupted():
    "Ctrl-C at any line of `fit` and `partial_fit`: the classifier is as it was, or has learned all."
    said = subprocess.run([sys.executable, Path(__file__).parents[1] / "interrupted.py"], capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    lines = said.stdout.split()
    assert len(lines) == 4 and min(map(int, lines)) > 20


# Parameters

def test_parameters():
    "The distance can be read and changed, and what was learned stays; another kind of prototype forgets what it was not counted for."
    model, images = two_classes(), np.random.default_rng(1).integers(0, 256, (9, 2, 2), dtype=np.uint8)
    known = state(model)[2]
    assert model.get_params() == {"distance": "l1", "prototype": "mean", "compiled": False}
    assert model.set_params(distance="l2", compiled=True) is model and state(model)[2] == known
    assert model.get_params() == {"distance": "l2", "prototype": "mean", "compiled": True}
    assert torch.equal(model.distances(images), two_classes("l2").distances(images))
    assert state(model.set_params(prototype="median"))[2] == {} and state(model.fit(images, [3, 7, 8] * 3))[2] != {}


def test_classifier_in_words():
    "What it is and whether it is fitted can be read."
    assert repr(PixelSimilarity()) == "PixelSimilarity(distance='l1', prototype='mean', not fitted)"
    assert repr(two_classes("l2")) == "PixelSimilarity(distance='l2', prototype='mean', fitted on classes [3, 7])"


# Nothing, and other sizes

@pytest.mark.parametrize("options", [{}, {"invert": True}, {"resize": True}], ids=str)
def test_nothing_gives_nothing(options):
    "No images have no distances and no predictions, of the right shape and type; their accuracy is an error."
    model = two_classes(classes=["a", "b", "c"])
    for nothing in (np.zeros((0, 2, 2)), torch.zeros(0, 2, 2, dtype=torch.uint8), torch.zeros(0, 2, 2, dtype=torch.float16)):
        assert model.distances(nothing, **options).shape == model.module()(nothing).shape == (0, 3)
        assert model.predict(nothing, **options).shape == (0,) and model.predict(nothing, **options).dtype == model.classes_.dtype
        with pytest.raises(ValueError, match="accuracy of nothing"): model.score(nothing, [], **options)


@pytest.mark.filterwarnings("ignore:most of the images have a bright border:UserWarning")
def test_nothing_is_neither_ink_nor_paper():
    "Also to a model of paper."
    model = PixelSimilarity().fit(np.full((2, 9, 9), [[[255]], [[200]]], np.uint8), [3, 7])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(model.predict(np.zeros((0, 9, 9), np.uint8))) == 0


def test_other_prototypes_are_used():
    "Whoever puts others in their place, as after training, gets what these say."
    model, images = two_classes(side=9), np.random.default_rng(1).integers(0, 256, (50, 9, 9), dtype=np.uint8)
    before = model.predict(images)
    model.prototypes_ = model.prototypes_.flip(0)
    assert (model.predict(images) != before).all()


def test_other_sizes_on_request(digits, model):
    "Every pixel four times, or two sizes in one list: refused, and with resize=True what it is at the right size."
    few, labels = digits[1].images[::340], digits[1].labels[::340]
    doubled = few.repeat_interleave(2, 1).repeat_interleave(2, 2)
    two_sizes = [few[0], *doubled[1:]]
    for images in (doubled, doubled.numpy(), doubled.float() / 255, two_sizes, [np.asarray(i) for i in two_sizes]):
        with pytest.raises(ValueError, match="28"): model.predict(images)
        assert torch.allclose(model.distances(images, resize=True), model.distances(few), atol=1e-6)
        assert model.predict(images, resize=True).tolist() == model.predict(few).tolist()
        assert model.score(images, labels, resize=True) == model.score(few, labels)
    with pytest.raises(ValueError, match=r"got \(6, 784\)"): model.predict(few.flatten(1), resize=True)


# Ink and paper

@pytest.mark.parametrize("floats", [False, True])
def test_swapped_ink_warns(floats, digits, model):
    "Dark ink on light paper is taken for the other digit; a warning says so and names invert=True, and that mends it."
    _, valid = digits
    images = valid.images / 255 if floats else valid.images
    swapped = 1 - images if floats else 255 - images
    with pytest.warns(UserWarning, match="bright border.*dark one: pass invert=True"): found = model.predict(swapped)
    assert (found == valid.labels).mean() < 0.1
    for call in (model.predict, model.distances, lambda x: model.score(x, valid.labels)):
        with pytest.warns(UserWarning, match="pass invert=True") as told: call(swapped)
        assert told[0].message.way_out == {"invert": True}
        assert [w.filename for w in told] == [__file__]  # else Python would not show the same warning from another line
    with pytest.warns(UserWarning, match="pass invert=False"): model.predict(images, invert=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (model.predict(swapped, invert=True) == model.predict(images)).all()
        assert model.score(swapped, valid.labels, invert=True) == model.score(images, valid.labels)
        assert torch.allclose(model.distances(swapped, invert=True), model.distances(images), atol=1e-6)


def test_fitting_swapped_ink_warns(digits):
    "Learning from light paper warns too, once, at once or in parts; if all of it is inverted, before or after, nothing is said."
    few, labels = digits[1].images[::34], digits[1].labels[::34]
    swapped = 255 - few
    for call in (lambda: PixelSimilarity().fit(swapped, labels), lambda: PixelSimilarity().partial_fit(swapped, labels),
                 lambda: PixelSimilarity().fit([(swapped, labels)] * 3)):
        with pytest.warns(UserWarning, match=r"bright border.*as_images\(images, invert=True\)") as told: light = call()
        assert [w.filename for w in told] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dark = PixelSimilarity().fit(as_images(swapped, invert=True), labels)
        assert light.predict(swapped).tolist() == dark.predict(few).tolist()
    with pytest.warns(UserWarning, match="dark border.*bright one: pass invert=True"): light.predict(few)
