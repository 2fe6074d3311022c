"The promises of the classifier: learning adds up, nothing is half done, what looks wrong is told. What it answers: test_arrays.py, test_nearest.py."
import copy
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import state
from hypothesis import given
from hypothesis import strategies as st
from strategies import labeled
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from pixelsim.classifier import PixelSimilarity
from pixelsim.images import as_images
from pixelsim.means import class_means
from pixelsim.pixels import best_threshold

PROTOTYPES = pytest.mark.parametrize("prototype", ["mean", "median"])


def two_classes(distance="l1", side=2, classes=(3, 7), **options):
    "A classifier fitted on one image for each class."
    images = np.random.default_rng(0).integers(0, 256, (len(classes), side, side), dtype=np.uint8)
    return PixelSimilarity(distance, **options).fit(images, [*classes])


# Learning is adding

@PROTOTYPES
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
    "Merged, loaded and with other parameters; what its constructor does not take is loaded too."
    images = np.eye(2, dtype=np.uint8)[:, None]
    one, other = Named("l2", "yours").fit(images, [3, 7]), Named()
    assert (type(both := one.merge(one)), both.name, both.counts_.tolist()) == (Named, "yours", [2, 2])
    assert state(Named.load(one.save(tmp_path / "one"))) == state(Named("l2").fit(images, [3, 7]))
    assert one.set_params(name="ours").get_params() == {"distance": "l2", "name": "ours"}
    other.prototype = "median"
    assert Named.load(other.fit(images, [3, 7]).save(tmp_path / "other")).prototype == "median"


def test_copies_learn_for_themselves():
    "Also a shallow one and a pickle: what it learns later is not learned by the original."
    model = two_classes()
    before = state(model)
    for other in (copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert state(other) == before
        for labels in ([3, 3], [3, 5]):
            assert state(other.partial_fit(np.ones((2, 2, 2), np.uint8), labels)) != before and state(model) == before


# Nothing is half done

BAD = [np.full((2, 2, 2), 2.), np.zeros((2, 3, 3), np.uint8), np.full((2, 2, 2), np.nan), None]


@PROTOTYPES
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
    assert model.set_params(distance="l2", compiled=True) is model and state(model)[2] == known
    assert model.get_params() == {"distance": "l2", "prototype": "mean", "compiled": True}
    assert torch.equal(model.distances(images), two_classes("l2").distances(images))
    assert repr(model) == "PixelSimilarity(distance='l2', prototype='mean', fitted on classes [3, 7])"
    assert state(model.set_params(prototype="median"))[2] == {} and state(model.fit(images, [3, 7, 8] * 3))[2] != {}
    assert PixelSimilarity().get_params() == {"distance": "l1", "prototype": "mean", "compiled": False}
    assert repr(PixelSimilarity()) == "PixelSimilarity(distance='l1', prototype='mean', not fitted)"


# Other sizes and other prototypes

def test_other_prototypes_are_used():
    "Whoever puts others in their place, as after training, gets what these say, also if they are less than a gray away."
    model, images = two_classes(side=9), np.random.default_rng(1).integers(0, 256, (50, 9, 9), dtype=np.uint8)
    before, model.prototypes_ = model.predict(images), 0.9995 * model.prototypes_
    np.testing.assert_allclose(model.distances(0 * images[:1])[0], model.prototypes_.mean((1, 2)), atol=1e-6)
    model.prototypes_ = model.prototypes_.flip(0)
    assert (model.predict(images) != before).all()


def test_other_sizes_on_request(digits, model):
    "Every pixel four times, or two sizes in one list: refused, and with resize=True what it is at the right size."
    few, labels = digits[1].images[::340], digits[1].labels[::340]
    doubled = few.repeat_interleave(2, 1).repeat_interleave(2, 2)
    for images in (doubled, doubled.float() / 255, [few[0], *doubled[1:]]):
        with pytest.raises(ValueError, match="28"): model.predict(images)
        assert torch.allclose(model.distances(images, resize=True), model.distances(few), atol=1e-6)
        assert model.predict(images, resize=True).tolist() == model.predict(few).tolist()
        assert model.score(images, labels, resize=True) == model.score(few, labels)
    with pytest.raises(ValueError, match=r"got \(6, 784\)"): model.predict(few.flatten(1), resize=True)


def test_labels_never_seen_are_named(model, digits):
    with pytest.warns(UserWarning, match=r"2 of 4 labels were never seen by this classifier, the first is 8"):
        assert model.score(digits[1].images[:4], [8, 3, 3, 8]) == 0.5


# Ink and paper

@pytest.mark.filterwarnings("error::UserWarning")
def test_swapped_ink_warns(digits, model):
    "Dark ink on light paper is taken for the other digit; a warning says so and names invert=True, and that mends it."
    images, labels = digits[1].images, digits[1].labels
    for call in (model.predict, model.distances, lambda x, **options: model.score(x, labels, **options)):
        with pytest.warns(UserWarning, match="bright border.*dark one: pass invert=True") as told: astray = call(255 - images)
        assert told[0].message.way_out == {"invert": True}
        assert [w.filename for w in told] == [__file__]  # else Python would not show the same warning from another line
        with pytest.warns(UserWarning, match="pass invert=False"): call(images, invert=True)
        np.testing.assert_allclose(call(255 - images, invert=True), call(images), atol=1e-6)
    assert astray < 0.1


@pytest.mark.filterwarnings("error::UserWarning")
def test_fitting_swapped_ink_warns(digits):
    "Learning from light paper warns too, once, at once or in parts; if all of it is inverted, before or after, nothing is said."
    few, labels = digits[1].images[::34], digits[1].labels[::34]
    swapped = 255 - few
    for call in (lambda: PixelSimilarity().partial_fit(swapped, labels), lambda: PixelSimilarity().fit([(swapped, labels)] * 3)):
        with pytest.warns(UserWarning, match=r"bright border.*as_images\(images, invert=True\)") as told: light = call()
        assert [w.filename for w in told] == [__file__]
    dark = PixelSimilarity().fit(as_images(swapped, invert=True), labels)
    assert light.predict(swapped).tolist() == dark.predict(few).tolist()
    with pytest.warns(UserWarning, match="dark border.*bright one: pass invert=True"): light.predict(few)
    for options in ({}, {"invert": True}, {"resize": True}):  # nothing is neither ink nor paper; nothings of every kind: test_arrays.py
        assert light.predict(few[:0], **options).dtype == labels.dtype and light.distances(few[:0], **options).shape == (0, 2)


# Modes, types and devices

@PROTOTYPES
@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad, lambda: torch.autocast("cpu", dtype=torch.bfloat16)],
                         ids=["inference", "no_grad", "autocast"])
def test_what_was_fitted_in_a_mode_is_like_any_other(digits, mode, prototype):
    "It can learn on inside of the mode and outside, predicts and measures the same, and can be merged."
    train, valid = digits
    right = PixelSimilarity("l2", prototype).fit(train.images[::10], train.labels[::10])
    with mode(): model = PixelSimilarity("l2", prototype).fit(train.images[::20], train.labels[::20])
    model.partial_fit(train.images[10::40], train.labels[10::40])
    with mode():
        model.partial_fit(train.images[30::40], train.labels[30::40])
        assert (model.predict(valid) == right.predict(valid)).all() and torch.equal(model.distances(valid), right.distances(valid))
    assert state(model) == state(right) and not model.totals_.is_inference() and not model.prototypes_.is_inference()
    assert torch.equal(model.merge(model).counts_, 2 * right.counts_)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_another_default_type_changes_nothing(digits, dtype):
    train, valid = digits
    right, before = PixelSimilarity().fit(train).distances(valid), torch.get_default_dtype()
    try:
        torch.set_default_dtype(dtype)
        assert torch.equal(PixelSimilarity().fit(train).distances(valid), right)
    finally: torch.set_default_dtype(before)


class NoFloat64(TorchDispatchMode):
    "Tensors of float64 cannot be made from those on a device that has none; here every tensor is on it until `.cpu()`."
    def __init__(self, *tensors): self.there = {t.untyped_storage().data_ptr(): t for t in tensors}  # held, so that no other gets their place

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        used, made = ([t for t in tree_leaves(x) if isinstance(t, torch.Tensor) and t.numel()] for x in ((args, kwargs), out))
        if any(t.untyped_storage().data_ptr() in self.there for t in used):
            if any(t.dtype == torch.float64 for t in made): raise TypeError("Cannot convert a tensor to float64: the device has no float64")
            self.there |= {t.untyped_storage().data_ptr(): t for t in made}
        return out


@pytest.mark.parametrize("distance", ["l1", "l2"])
@PROTOTYPES
def test_no_float64_on_the_device(digits, monkeypatch, distance, prototype):
    (train, labels), (images, actual) = ((s.images[::9].clone(), s.labels[::9]) for s in digits)
    right = PixelSimilarity(distance, prototype).fit(train, labels)
    answer, far, cpu = right.predict(images), right.distances(images), torch.Tensor.cpu
    def away(tensor): return torch.from_numpy(np.array(cpu(tensor).detach().numpy()))  # a copy that is no longer on the device
    monkeypatch.setattr(torch.Tensor, "cpu", away)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)  # a mode holds for one thread
    with NoFloat64(train, images):
        model = PixelSimilarity(distance, prototype).fit(train, labels)
        assert (model.predict(images) == answer).all() and torch.equal(away(model.distances(images)), far)
        for grays in (train, train / 255): class_means(grays, labels, [3, 7])
        best_threshold(images.float().mean((1, 2)), torch.from_numpy(actual == 3))
        with pytest.raises(TypeError, match="no float64"): images.double()  # the mode does its work
