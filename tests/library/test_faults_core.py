"Faults that people met in fitting, comparing and measuring: each with its right value, and others of its kind."
import threading
from enum import IntEnum

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from pixelsim.accuracy import accuracy
from pixelsim.broadcasting import broadcast_shape, explain_broadcast
from pixelsim.classifier import PixelSimilarity
from pixelsim.labels import as_labels

# Modes and threads

@pytest.mark.parametrize("prototype", ["mean", "median"])
@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad, lambda: torch.autocast("cpu", dtype=torch.bfloat16)],
                         ids=["inference", "no_grad", "autocast"])
def test_what_was_fitted_in_a_mode_is_like_any_other(digits, tmp_path, mode, prototype):
    train, valid = digits
    images, labels = train.images[::10], train.labels[::10]
    right = PixelSimilarity("l2", prototype).fit(images, labels)
    with mode():
        model = PixelSimilarity("l2", prototype).fit(images[::2], labels[::2])
        assert model.score(images[::3], labels[::3]) > 0.9
        inside = model.distances(valid)
    assert not model.totals_.is_inference() and not model.prototypes_.is_inference()
    model.partial_fit(images[1::4], labels[1::4])
    with mode(): model.partial_fit(images[3::4], labels[3::4])
    assert torch.equal(model.totals_, right.totals_) and not model.totals_.is_inference()
    with mode():
        assert (model.predict(valid) == right.predict(valid)).all() and model.distances(valid).shape == inside.shape
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
                if made.dtype == torch.float64:
                    raise TypeError("Cannot convert a tensor to float64: the device has no float64")
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

class Digit(IntEnum): THREE, SEVEN = 3, 7


def test_labels_that_are_more_than_their_value():
    "Strings of enumerations: test_advice_core.py."
    assert as_labels([Digit.SEVEN, Digit.THREE]).tolist() == [7, 3]
    assert as_labels([np.str_("cat"), "dog"]).tolist() == ["cat", "dog"]


def test_texts_that_look_alike_are_alike():
    one, two = "caf\u00e9", "cafe\u0301"
    assert one != two and accuracy([one], [two]) == 1
    images = np.eye(4, dtype=np.uint8).reshape(4, 2, 2)
    model = PixelSimilarity().fit(images, [one, two, "tea", "tea"])
    assert model.classes_.tolist() == [one, "tea"] and model.score(images, [two, one, "tea", "tea"]) == 1


def test_labels_never_seen_are_named(model, digits):
    _, valid = digits
    with pytest.warns(UserWarning, match=r"2 of 4 labels were never seen by this classifier, the first is 8"):
        assert model.score(valid.images[:4], [8, 3, 3, 8]) == 0.5


@pytest.mark.parametrize("whole", [np.int64, np.uint8, torch.tensor, int])
def test_shapes_of_any_integers(whole):
    assert broadcast_shape((whole(28), 28), (3, 1, 28)) == (3, 28, 28)
    assert repr(explain_broadcast((whole(28), 28), (3, 1, 28))) == repr(explain_broadcast((28, 28), (3, 1, 28)))


def test_several_labels_for_an_image(digits):
    class Loader(list): vocab = ["three", "seven"]
    images = digits[0].images[:2]
    with pytest.raises(ValueError, match=r"got \(2, 2\): this takes one class"):
        PixelSimilarity().fit(Loader([(images, torch.eye(2, dtype=int))]))
    with pytest.raises(ValueError, match=r"from 0 to 1, numbers into the loader's vocab \['three', 'seven'\], got 2"):
        PixelSimilarity().fit(Loader([(images, torch.tensor([0, 2]))]))


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
    assert torch.equal(torch.compile(net, backend=counter, fullgraph=True)(images), net(images))
    assert counter.frame_count == 1


def test_two_threads_at_once(model, digits):
    "Predictions of two threads do not disturb each other, or the number of threads."
    _, valid = digits
    right, threads, found = model.predict(valid).tolist(), torch.get_num_threads(), []
    at_once = [threading.Thread(target=lambda: found.append(model.predict(valid).tolist())) for _ in range(4)]
    for thread in at_once: thread.start()
    for thread in at_once: thread.join()
    assert found == [right] * 4 and torch.get_num_threads() == threads
