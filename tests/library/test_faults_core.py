"Faults that people met in fitting, comparing and measuring: each with its right value, and others of its kind."
import copy
import threading
from enum import Enum, IntEnum
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.data import DataLoader, TensorDataset

from pixelsim.accuracy import accuracy, accuracy_interval, confusion_matrix
from pixelsim.broadcasting import broadcast_shape, explain_broadcast
from pixelsim.classifier import PixelSimilarity
from pixelsim.labels import as_labels
from pixelsim.totals import Totals

# Modes and threads


@pytest.mark.parametrize("prototype", ["mean", "median"])
@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad, lambda: torch.autocast("cpu", dtype=torch.bfloat16)])
def test_what_was_fitted_in_a_mode_is_like_any_other(digits, tmp_path, mode, prototype):
    train, valid = digits
    right = PixelSimilarity("l2", prototype).fit(train)
    with mode():
        model = PixelSimilarity("l2", prototype).fit(train.images[::2], train.labels[::2])
        assert model.score(train.images[::3], train.labels[::3]) > 0.9
        inside = model.distances(valid)
    model.partial_fit(train.images[1::2], train.labels[1::2])
    assert torch.equal(model.totals_, right.totals_) and not model.totals_.is_inference()
    with mode(): assert (model.predict(valid) == right.predict(valid)).all() and model.distances(valid).shape == inside.shape
    loaded = PixelSimilarity.load(model.save(tmp_path / "model.npz"))
    assert torch.equal(loaded.merge(loaded).counts_, 2 * right.counts_)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_another_default_type_changes_nothing(digits, dtype):
    train, valid = digits
    right = PixelSimilarity().fit(train).distances(valid)
    before = torch.get_default_dtype()
    try:
        torch.set_default_dtype(dtype)
        assert torch.equal(PixelSimilarity().fit(train).distances(valid), right)
    finally: torch.set_default_dtype(before)


@pytest.mark.parametrize("fault", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("step", ["of", "__add__", "grays"])
def test_what_stops_half_way_changes_nothing(digits, monkeypatch, fault, step):
    "Whatever is interrupted, at whatever step: the model is as it was, and goes on learning."
    train, _ = digits
    model = PixelSimilarity().fit(train.images[::9], train.labels[::9])
    before = copy.deepcopy(vars(model))
    def stop(*args, **kwargs): raise fault
    with monkeypatch.context() as patch:
        patch.setattr(Totals, step, stop)
        for call in (model.fit, model.partial_fit):
            with pytest.raises(fault): call(train.images[::100], train.labels[::100])
    assert vars(model).keys() == before.keys()
    for name, value in before.items(): assert np.array_equal(np.asarray(getattr(model, name)), np.asarray(value)), name
    model.partial_fit(train.images[:5], train.labels[:5])
    assert model.counts_.sum() == before["counts_"].sum() + 5


def test_a_batch_that_fails_takes_the_ones_before_with_it(digits):
    train, _ = digits
    model = PixelSimilarity().fit(train.images[::9], train.labels[::9])
    counts = model.counts_.clone()
    with pytest.raises(ValueError, match="one size"): model.partial_fit([(train.images[:9], train.labels[:9]), (torch.zeros(1, 2, 2), [3])])
    assert torch.equal(model.counts_, counts)


def test_a_copy_is_a_copy_and_a_subclass_stays_one(digits, tmp_path):
    train, _ = digits
    class Named(PixelSimilarity):
        def __init__(self, distance="l1", name="mine"):
            super().__init__(distance)
            self.name = name
    model = Named("l2", "yours").fit(train.images[::9], train.labels[::9])
    twin = copy.copy(model).partial_fit(train.images[:50], train.labels[:50])
    assert model.counts_.sum() + 50 == twin.counts_.sum()
    merged = model.merge(twin)
    assert type(merged) is Named and merged.name == "yours" and merged.counts_.sum() == 2 * model.counts_.sum() + 50
    assert type(Named.load(model.save(tmp_path / "m.npz"))) is Named
    assert model.set_params(name="ours").get_params() == {"distance": "l2", "name": "ours"}


# Devices that have no float64


class NoFloat64(TorchDispatchMode):
    "Tensors of float64 cannot be made from those on a device that has none; here every tensor is on it until `.cpu()`."
    def __init__(self): self.there = {}  # held, so that no other tensor gets their place in memory

    def put(self, tensor): self.there[tensor.untyped_storage().data_ptr()] = tensor

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        tensors = [t for t in torch.utils._pytree.tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)]
        if any(t.untyped_storage().data_ptr() in self.there for t in tensors if t.numel()):
            for made in torch.utils._pytree.tree_leaves(out):
                if not isinstance(made, torch.Tensor): continue
                if made.dtype == torch.float64: raise TypeError("Cannot convert a tensor to float64: the device has no float64")
                if made.numel(): self.put(made)
        return out


@pytest.mark.parametrize("distance", ["l1", "l2"])
@pytest.mark.parametrize("prototype", ["mean", "median"])
def test_no_float64_on_the_device(digits, monkeypatch, distance, prototype):
    from pixelsim.means import class_means
    from pixelsim.pixels import best_threshold
    train, valid = digits
    right = PixelSimilarity(distance, prototype).fit(train.images[::9], train.labels[::9])
    answer, far = right.predict(valid.images), right.distances(valid.images)
    mode, cpu = NoFloat64(), torch.Tensor.cpu
    def away(tensor):
        "What `.cpu()` gives: a copy that is no longer on the device."
        return torch.from_numpy(np.array(cpu(tensor).detach().numpy()))
    monkeypatch.setattr(torch.Tensor, "cpu", away)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)  # a mode holds for one thread
    images, some = valid.images.clone(), train.images[::9].clone()
    for tensor in (images, some): mode.put(tensor)
    with mode:
        model = PixelSimilarity(distance, prototype).fit(some, train.labels[::9])
        assert (model.predict(images) == answer).all()
        assert torch.equal(away(model.distances(images)), far)
        class_means(some, train.labels[::9], [3, 7])
        class_means(some / 255, train.labels[::9], [3, 7])
        best_threshold(images.float().mean((1, 2)), torch.from_numpy(valid.labels == 3))
        with pytest.raises(TypeError, match="no float64"): images.double()  # the mode does its work


# Labels


class Animal(str, Enum): CAT, DOG, COW = "cat", "dog", "cow"


class Digit(IntEnum): THREE, SEVEN = 3, 7


def test_labels_that_are_more_than_their_text():
    three = [Animal.CAT, Animal.DOG, Animal.COW]
    assert accuracy(three, [Animal.CAT] * 3) == pytest.approx(1 / 3) and accuracy(three, ["cat", "dog", "cow"]) == 1
    assert confusion_matrix(three, three, three).tolist() == np.eye(3).tolist()
    model = PixelSimilarity().fit(np.eye(9, dtype=np.uint8).reshape(9, 3, 3), three * 3)
    assert model.classes_.tolist() == ["cat", "cow", "dog"] and model.counts_.tolist() == [3, 3, 3]
    assert as_labels(np.array(three, dtype=object)).tolist() == ["cat", "dog", "cow"]
    assert as_labels([Digit.SEVEN, Digit.THREE]).tolist() == [7, 3]
    assert as_labels([np.str_("cat"), Animal.DOG]).tolist() == ["cat", "dog"]


def test_texts_that_look_alike_are_alike():
    one, two = "caf\u00e9", "cafe\u0301"
    assert one != two and accuracy([one], [two]) == 1
    images = np.eye(4, dtype=np.uint8).reshape(4, 2, 2)
    model = PixelSimilarity().fit(images, [one, two, "tea", "tea"])
    assert model.classes_.tolist() == [one, "tea"] and model.score(images, [two, one, "tea", "tea"]) == 1


@pytest.mark.parametrize("labels, advice", [([b"cat", b"dog"], lambda labels: [label.decode() for label in labels]),
                                            ([3.0, 7.0], lambda labels: [int(label) for label in labels]),
                                            ([Path("cat"), Path("dog")], lambda labels: [str(label) for label in labels]),
                                            (["a\0", "b"], lambda labels: [label.rstrip("\0") for label in labels])])
def test_advice_on_labels_can_be_followed(labels, advice):
    with pytest.raises(ValueError, match=r"label\.decode\(\)|int\(label\)|str\(label\)|label\.rstrip"): as_labels(labels)
    assert len(set(as_labels(advice(labels)).tolist())) == 2


def test_labels_never_seen_are_named(model, digits):
    _, valid = digits
    with pytest.warns(UserWarning, match=r"2 of 4 labels were never seen by this classifier, the first is 8"):
        assert model.score(valid.images[:4], [8, 3, 3, 8]) == 0.5


# Counts


@pytest.mark.parametrize("right, total", [(0.9661, 2038), (1.0, 2038), (1969, 2038.5), (0.5, 1), (float("nan"), 9), (9, float("inf"))])
def test_a_share_is_no_count(right, total):
    with pytest.raises(ValueError, match="whole numbers of images"): accuracy_interval(right, total)


def test_counts_of_any_integer_type():
    expected = accuracy_interval(1969, 2038)
    for kind in (np.int16, np.uint16, np.int64, torch.tensor): assert accuracy_interval(kind(1969), kind(2038)) == expected
    assert accuracy_interval(round(0.9661 * 2038), 2038) == expected  # the advice


@pytest.mark.parametrize("whole", [np.int64, np.uint8, torch.tensor, int])
def test_shapes_of_any_integers(whole):
    assert broadcast_shape((whole(28), 28), (3, 1, 28)) == (3, 28, 28)
    assert repr(explain_broadcast((whole(28), 28), (3, 1, 28))) == repr(explain_broadcast((28, 28), (3, 1, 28)))


# Loaders


class Pairs(torch.utils.data.Dataset):
    "Digits as a data set gives them, one by one."
    def __init__(self, images, labels): self.images, self.labels = images, labels
    def __len__(self): return len(self.images)
    def __getitem__(self, i): return self.images[i][None] / 255, int(self.labels[i])


def test_loaders_of_all_kinds(digits):
    train, valid = digits
    images, labels = train.images[::40], train.labels[::40]
    right = PixelSimilarity().fit(images, labels)
    data = Pairs(images, labels)
    loaders = [DataLoader(data, batch_size=100), DataLoader(TensorDataset(images, torch.from_numpy(labels)), batch_size=64)]
    from fastai.data.core import DataLoaders
    loaders.append(DataLoaders(DataLoader(data, batch_size=100), DataLoader(Pairs(valid.images[:9], valid.labels[:9]))))
    loaders.append(({"image": x, "label": y} for x, y in [(images, labels)]))
    for loader in loaders[:3]: assert torch.equal(PixelSimilarity().fit(loader).totals_, right.totals_)
    with pytest.raises(ValueError, match=r"dictionary with \['image', 'label'\]"): PixelSimilarity().fit(loaders[3])
    pairs = ((batch["image"], batch["label"]) for batch in [{"image": images, "label": labels}])  # the advice
    assert torch.equal(PixelSimilarity().fit(pairs).totals_, right.totals_)
    with pytest.raises(ValueError, match=r"DataLoader\(dataset, batch_size=256\)"): PixelSimilarity().fit(data)
    assert torch.equal(PixelSimilarity().fit(DataLoader(data, batch_size=256)).totals_, right.totals_)


def test_several_labels_for_an_image(digits):
    class Loader(list): vocab = ["three", "seven"]
    images = digits[0].images[:2]
    with pytest.raises(ValueError, match=r"got \(2, 2\): this takes one class"): PixelSimilarity().fit(Loader([(images, torch.eye(2, dtype=int))]))
    with pytest.raises(ValueError, match=r"from 0 to 1, numbers into the loader's vocab \['three', 'seven'\], got 2"): PixelSimilarity().fit(Loader([(images, torch.tensor([0, 2]))]))


# scikit-learn's protocol


def test_learning_curve_in_steps(digits):
    from sklearn.model_selection import learning_curve
    train, _ = digits
    x, y = train.images[::40].numpy(), train.labels[::40]
    *_, scores = learning_curve(PixelSimilarity(), x, y, exploit_incremental_learning=True, train_sizes=[0.2, 1.0], cv=3, shuffle=True, random_state=0)
    *_, whole = learning_curve(PixelSimilarity(), x, y, train_sizes=[0.2, 1.0], cv=3, shuffle=True, random_state=0)
    assert np.array_equal(scores, whole)


def test_partial_fit_takes_what_fit_takes(digits):
    train, valid = digits
    model = PixelSimilarity().partial_fit(train).partial_fit(valid)
    assert model.counts_.tolist() == [6131 + 1010, 6265 + 1028]
    with pytest.raises(ValueError, match="each class should be named once"): model.partial_fit(valid, classes=[3, 3])


# Exported and compiled


def test_export_and_full_graph(model, digits):
    _, valid = digits
    images, net = valid.images / 255, model.module()
    exported = torch.export.export(net, (images[:7],), dynamic_shapes=({0: torch.export.Dim("count", min=2)},))
    assert torch.equal(exported.module()(images), net(images))
    from torch._dynamo.testing import CompileCounter
    counter = CompileCounter()
    assert torch.equal(torch.compile(net, backend=counter, fullgraph=True)(images), net(images)) and counter.frame_count == 1


def test_two_threads_at_once(model, digits):
    "Predictions of two threads do not disturb each other, or the number of threads."
    _, valid = digits
    right, threads, found = model.predict(valid).tolist(), torch.get_num_threads(), []
    at_once = [threading.Thread(target=lambda: found.append(model.predict(valid).tolist())) for _ in range(4)]
    for thread in at_once: thread.start()
    for thread in at_once: thread.join()
    assert found == [right] * 4 and torch.get_num_threads() == threads
