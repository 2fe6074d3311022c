"Advice is followed, and leads to what was wanted: a message that sends people astray is worse than none. Of images: test_arrays.py, of files: test_image_files.py, of the command: test_cli.py."
import re
from collections import deque
from enum import Enum
from pathlib import Path

import numpy as np
import pytest
import torch
from fastcore.foundation import L
from torch.utils.data import DataLoader, TensorDataset

from pixelsim.accuracy import accuracy, worst_mistakes
from pixelsim.arrays import check_device
from pixelsim.classifier import PixelSimilarity
from pixelsim.images import as_images
from pixelsim.intervals import accuracy_interval
from pixelsim.labels import as_labels, check_labels
from pixelsim.pixels import best_threshold
from pixelsim.torch_module import NearestPrototype

WHOLE = np.arange(3 * 4 * 6, dtype=np.uint8).reshape(3, 4, 6)


def said(call, *args):
    with pytest.raises((TypeError, ValueError)) as caught: call(*args)
    return str(caught.value)


def follow(message, pattern, **names):
    "The value of the code that the message advises."
    found = re.search(pattern, message)
    assert found, message
    return eval(found[1], {"np": np, "as_images": as_images, **names})


def test_the_other_device():
    b, a = torch.zeros(2, 2, device="meta"), torch.zeros(2, 2)
    place = follow(said(lambda: check_device(b=b, a=a)), r"with \.to\(('meta')\)")
    check_device(b=b, a=a.to(place))


# Labels

class Animal(str, Enum): CAT, DOG, COW = "cat", "dog", "cow"


@pytest.mark.parametrize("labels", [
    [b"cat", b"dog"], [3., 7.], [3.2, 3.7], [float("inf"), 1.], [3, "7"], np.array([b"cat", b"dog"]), torch.tensor([3.5, 3.7]),
    [Path("cat"), Path("dog")]])
def test_labels_are_converted_and_stay_apart(labels):
    assert len(set(as_labels(follow(said(as_labels, labels), r"with (\[.*\])$", labels=labels)).tolist())) == 2


@pytest.mark.filterwarnings("ignore:__array_wrap__ must accept")
@pytest.mark.parametrize("make", [list, np.array, torch.tensor])
@pytest.mark.parametrize("table, right", [([[0, 1], [1, 0], [0, 1]], [1, 0, 1]), ([[3], [7], [3]], [3, 7, 3])])
def test_labels_in_a_table(make, table, right):
    assert check_labels(follow(said(check_labels, make(table), 3), r"pass (np\..*)$", labels=make(table)), 3).tolist() == right


@pytest.mark.parametrize("lists", [list, tuple, deque, iter, L, lambda labels: dict(enumerate(labels)).values(), lambda labels: np.array(labels, object)])
def test_whatever_lists_labels_keeps_their_text(lists):
    three = [Animal.CAT, Animal.DOG, Animal.COW]
    assert as_labels(lists(three)).tolist() == check_labels(lists(three), 3).tolist() == ["cat", "dog", "cow"]
    assert accuracy(lists(three), [Animal.CAT] * 3) == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="ends with a null character"): as_labels(lists(["a", "a\0"]))


# Images and labels in the wrong place, or of another kind than was asked for

@pytest.mark.parametrize("image, label", [("image", "label"), ("pixel_values", "labels"), ("x", "y"), ("img", "target"), ("left", "right")])
def test_batches_and_data_in_dictionaries(image, label):
    x, y = torch.from_numpy(WHOLE), [3, 7, 7]
    right, loader = PixelSimilarity().fit(x, y), [{image: x, label: y}]
    pairs = follow(said(PixelSimilarity().fit, loader), r"for example (\(\(batch.*loader\))$", loader=loader)
    assert torch.equal(PixelSimilarity().fit(pairs).totals_, right.totals_)
    assert f"example fit(data['{image}'], data['{label}'])" in said(PixelSimilarity().fit, loader[0])


def test_a_data_set():
    dataset = TensorDataset(torch.from_numpy(WHOLE)[:, None], torch.tensor([3, 7, 7]))
    loader = follow(said(PixelSimilarity().fit, dataset), r"pass (DataLoader\(.*\))", dataset=dataset, DataLoader=DataLoader)
    assert PixelSimilarity().fit(loader).counts_.tolist() == [1, 2]


def test_a_loader_with_several_vocabularies():
    class Loader(list): vocab = [["a", "b"], ["c"]]
    assert "each should be a pair" in said(PixelSimilarity().fit, Loader([(torch.from_numpy(WHOLE), [0, 1, 1], [0, 0, 0])]))


def test_a_share_is_no_count():
    share, total = 0.9661, 2038
    right = follow(said(accuracy_interval, share, total), r"got 0.9661 of 2038: .* (round\(.*\))", share=share, total=total)
    assert accuracy_interval(right, total) == accuracy_interval(1969, total)


def test_logits_are_no_distances():
    far = torch.tensor([[.1, .3], [.1, .4], [.2, .1]])
    assert "of logits pass the negative" in said(worst_mistakes, -far, [3, 7, 7], [3, 7])
    assert worst_mistakes(far, [3, 7, 7], [3, 7]).tolist() == [1]


def test_labels_are_no_answers():
    labels = torch.tensor([3, 7, 7])
    code = follow(said(best_threshold, [.1, .2, .3], labels), r"as in (labels==\d)", labels=labels)
    assert best_threshold([.1, .2, .3], code) == (pytest.approx(.15), 1.)


def test_other_sizes():
    "Those that are learned later; those that are asked about; and one that is written where only yes or no may stand."
    model, labels, large = PixelSimilarity().fit(WHOLE, [3, 7, 7]), [3, 7, 7], np.zeros((3, 9, 9), np.uint8)
    assert "resize should be True or False" in said(model.predict, large, False, (9, 9)) and len(model.predict(large, resize=True)) == 3
    same = follow(said(model.partial_fit, large, labels), r"with (as_images\(.*\))$", images=large)
    assert model.partial_fit(same, labels).counts_.tolist() == [2, 4]


# What the classifier and its module are made in

@pytest.mark.parametrize("scale", [-1., 0., float("nan"), float("inf")])
def test_a_scale_that_would_turn_the_answer(scale):
    assert "scale should be above 0" in said(NearestPrototype, torch.zeros(2, 2, 2), "l1", False, scale)


def test_a_module_made_in_a_mode_can_be_trained():
    with torch.inference_mode(): net = PixelSimilarity().fit(WHOLE, [3, 7, 7]).module(learn=True)
    net(torch.from_numpy(WHOLE)).sum().backward()
    assert net.prototypes.grad.isfinite().all()


def test_another_default_device_changes_nothing():
    right = PixelSimilarity().fit(WHOLE, [3, 7, 7])
    try:
        torch.set_default_device("meta")
        model = PixelSimilarity().partial_fit(WHOLE[:2], [3, 7]).partial_fit(WHOLE[2:], [7])
        found = model.distances(WHOLE)
    finally: torch.set_default_device(None)
    assert torch.equal(found, right.distances(WHOLE))
