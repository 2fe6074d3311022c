"Advice is followed to the letter, and leads to what was wanted or to the next step: a message that sends people astray is worse than none."
import copy
import re
import warnings
from collections import deque
from enum import Enum

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from pixelsim.accuracy import accuracy, worst_mistakes
from pixelsim.intervals import accuracy_interval
from pixelsim.arrays import as_stack, check_device, check_pair
from pixelsim.classifier import PixelSimilarity
from pixelsim.distances import l1_distance
from pixelsim.images import as_images
from pixelsim.labels import as_labels, check_labels
from pixelsim.pixels import best_threshold, to_float
from pixelsim.torch_module import NearestPrototype

SIZE = 4, 6
WHOLE = np.arange(3 * 4 * 6, dtype=np.uint8).reshape(3, *SIZE)


def said(call, *args):
    with pytest.raises((TypeError, ValueError)) as caught: call(*args)
    return str(caught.value)


def follow(message, pattern, **names):
    "The value of the code that the message advises."
    found = re.search(pattern, message)
    assert found, message
    return eval(found[1], {"np": np, "torch": torch, "as_images": as_images, "to_float": to_float, **names})


LISTS = WHOLE.tolist()
SHAPES = {"one image": WHOLE[0], "one image as lists": LISTS[0], "one image as a tensor": torch.from_numpy(WHOLE[0]), "one of another size": np.zeros((9, 9), np.uint8),
          "one twice as wide": np.zeros((4, 48), np.uint8), "rows": WHOLE.reshape(3, -1), "rows as lists": WHOLE.astype(float).reshape(3, -1).clip(0, 1).tolist(),
          "all in one row": WHOLE.flatten(), "channel first": WHOLE[:, None], "channel last": WHOLE[..., None], "another size": np.zeros((2, 9, 9), np.uint8),
          "whole numbers": WHOLE.astype(np.int64), "whole numbers as lists": LISTS, "whole numbers in a tensor": torch.from_numpy(WHOLE).long(),
          "yes and no": WHOLE > 9, "yes and no as lists": (WHOLE > 9).tolist(), "sizes that differ": [np.zeros((4, 6), np.uint8), np.zeros((5, 6), np.uint8)],
          "stacks": [WHOLE, WHOLE[:2]], "sparse": torch.from_numpy(WHOLE).to_sparse(), "complex": torch.ones(1, *SIZE).cfloat(),
          "quantized": lambda: torch.quantize_per_tensor(torch.ones(1, *SIZE), 1., 0, torch.quint8), "eight bits": torch.ones(1, *SIZE).to(torch.float8_e4m3fn),
          "masked": np.ma.masked_equal(WHOLE, 3), "nested": lambda: torch.nested.nested_tensor([torch.ones(4, 6), torch.ones(4, 6)], layout=torch.jagged)}
WAYS = (r"(?:pass|with) ((?:np\.array\()?images\)?[\[.].*?[\])])(?:$|;|,)", r"(as_images\(images, resize=\(\d+, \d+\)\))", r"with (np\.concatenate\(images\))",
        r"use (\.to\(torch\.uint8\) of torch\.as_tensor\(images\)|\.float\(\) of torch\.as_tensor\(images\))", r"(?:use|pass|with|example with) (\.\w+\(?[\w.]*\)?)")


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor", "ignore:The PyTorch API of nested tensors")
@pytest.mark.parametrize("kind", SHAPES)
def test_images_become_a_stack(kind):
    "At most three pieces of advice, one after the other, lead from any of these to images of the right size."
    images = SHAPES[kind]() if callable(SHAPES[kind]) else SHAPES[kind]
    for step in range(4):
        try: done = as_stack(images, SIZE)
        except (TypeError, ValueError) as error: message = str(error).replace("(28, 28)", str(SIZE))
        else: break
        assert step < 3, message
        for way in WAYS:
            if found := re.search(way, message): break
        else: pytest.fail(message)
        code = found[1]
        if " of " in code: code = "{1}{0}".format(*code.split(" of "))
        images = eval(f"images{code}" if code[0] == "." else code, {"images": images, "np": np, "torch": torch, "as_images": as_images})
    assert tuple(done.shape[1:]) == SIZE and step > 0


@pytest.mark.parametrize("nothing", [[], torch.zeros(0), np.zeros((0, 24))])
def test_nothing_is_called_nothing(nothing): assert said(as_stack, nothing, SIZE).endswith("there is no image in it")


@pytest.mark.parametrize("a, b", [((5, 4, 6), (3, 4, 6)), ((5, 2, 4, 6), (3, 4, 6)), ((5, 4, 6), (3, 2, 4, 6)), ((5, 7, 4, 6), (3, 2, 4, 6))])
def test_every_pair_of_images(a, b):
    x, y = torch.zeros(a), torch.zeros(b)
    assert l1_distance(follow(said(check_pair, x, y), r"pass (a\[.*\])$", a=x), y).shape == (*a[:-2], *b[:-2])


def test_the_other_device():
    b, a = torch.zeros(2, 2, device="meta"), torch.zeros(2, 2)
    place = follow(said(lambda: check_device(b=b, a=a)), r"with \.to\(('meta')\)")
    check_device(b=b, a=a.to(place))


class Animal(str, Enum): CAT, DOG, COW = "cat", "dog", "cow"


LABELS = {"bytes": [b"cat", b"dog"], "whole floats": [3., 7.], "fractions": [3.2, 3.7], "endless": [float("inf"), 1.], "mixed": [3, "7"],
          "bytes of NumPy": np.array([b"cat", b"dog"]), "floats in a tensor": torch.tensor([3.5, 3.7]),
          "paths": [Path("cat"), Path("dog")]}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_are_converted_and_stay_apart(kind):
    labels = LABELS[kind]
    assert len(set(as_labels(follow(said(as_labels, labels), r"with (\[.*\])$", labels=labels)).tolist())) == 2


@pytest.mark.filterwarnings("ignore:__array_wrap__ must accept")
@pytest.mark.parametrize("make", [list, np.array, torch.tensor])
def test_labels_in_a_table(make):
    for table, right in ((make([[0, 1], [1, 0], [0, 1]]), [1, 0, 1]), (make([[3], [7], [3]]), [3, 7, 3])):
        assert check_labels(follow(said(check_labels, table, 3), r"pass (np\..*)$", labels=table), 3).tolist() == right


@pytest.mark.parametrize("make", [list, tuple, deque, iter, lambda labels: dict(enumerate(labels)).values(), lambda labels: np.array(labels, dtype=object)])
def test_whatever_lists_labels_keeps_their_text(make):
    from fastcore.foundation import L
    three = [Animal.CAT, Animal.DOG, Animal.COW]
    for lists in (make, L):
        assert as_labels(lists(three)).tolist() == ["cat", "dog", "cow"] and accuracy(lists(three), [Animal.CAT] * 3) == pytest.approx(1 / 3)
        assert check_labels(lists(three), 3).tolist() == ["cat", "dog", "cow"]
        with pytest.raises(ValueError, match="ends with a null character"): as_labels(lists(["a", "a\0"]))


@pytest.mark.parametrize("image, label", [("image", "label"), ("pixel_values", "labels"), ("x", "y"), ("img", "target"), ("left", "right")])
def test_batches_and_data_in_dictionaries(image, label):
    x, y = torch.from_numpy(WHOLE), [3, 7, 7]
    right, loader = PixelSimilarity().fit(x, y), [{image: x, label: y}]
    pairs = follow(said(PixelSimilarity().fit, loader), r"for example (\(\(batch.*loader\))$", loader=loader)
    assert torch.equal(PixelSimilarity().fit(pairs).totals_, right.totals_)
    found = re.search(r"example fit\(data\['(.*)'\], data\['(.*)'\]\)", said(PixelSimilarity().fit, loader[0]))
    assert found.groups() == (image, label)


def test_a_data_set():
    dataset = TensorDataset(torch.from_numpy(WHOLE)[:, None], torch.tensor([3, 7, 7]))
    loader = follow(said(PixelSimilarity().fit, dataset), r"pass (DataLoader\(.*\))", dataset=dataset, DataLoader=DataLoader)
    assert PixelSimilarity().fit(loader).counts_.tolist() == [1, 2]


def test_a_loader_with_several_vocabularies():
    class Loader(list): vocab = [["a", "b"], ["c"]]
    assert "each should be a pair" in said(PixelSimilarity().fit, Loader([(torch.from_numpy(WHOLE), [0, 1, 1], [0, 0, 0])]))


# Numbers of another kind than was asked for


def test_shares_logits_labels_and_sizes_in_the_wrong_place():
    share, total = 0.9661, 2038
    message = said(accuracy_interval, share, total)
    assert accuracy_interval(follow(message, r"(round\(.*\))", share=share, total=total), total)[0] < share < accuracy_interval(1969, total)[1]
    far = torch.tensor([[.1, .3], [.1, .4], [.2, .1]])
    assert "of logits pass the negative" in said(worst_mistakes, -far, [3, 7, 7], [3, 7])
    assert worst_mistakes(far, [3, 7, 7], [3, 7]).tolist() == [1]
    labels = torch.tensor([3, 7, 7])
    code = follow(said(best_threshold, [.1, .2, .3], labels), r"as in (labels==\d)", labels=labels)
    assert best_threshold([.1, .2, .3], code) == (pytest.approx(.15), 1.)
    for scale in (-1., 0., float("nan"), float("inf")): assert "scale should be above 0" in said(NearestPrototype, torch.zeros(2, 2, 2), "l1", False, scale)
    model = PixelSimilarity().fit(WHOLE, [3, 7, 7])
    assert "resize should be True or False" in said(model.predict, np.zeros((1, 9, 9), np.uint8), False, (9, 9))
    assert len(model.predict(np.zeros((1, 9, 9), np.uint8), resize=SIZE)) == 1  # that is its size


# What else the classifier advises


def test_the_words_of_the_classifier(digits):
    train, _ = digits
    images, labels = train.images[::90], train.labels[::90]
    model = PixelSimilarity().fit(images, labels)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        PixelSimilarity().fit(as_images(255 - images, invert=True), labels)  # "pass as_images(images, invert=True)"
        assert (model.predict(255 - images, invert=True) == model.predict(images)).all()
    other = images[:, :20]
    grown = copy.copy(model).partial_fit(follow(said(model.partial_fit, other, labels), r"with (as_images\(.*\))$", images=other), labels)
    assert grown.counts_.tolist() == (2 * model.counts_).tolist()
    assert len(model.predict(other, resize=True)) == len(other)
    assert "label 7 is not among the classes [3, 8]" in said(lambda: model.partial_fit(images, labels, classes=[3, 8]))


def test_a_subclass_with_a_constructor_of_its_own(tmp_path):
    class Squares(PixelSimilarity):
        def __init__(self, name="mine"):
            super().__init__("l2")
            self.name = name
    loaded = Squares.load(Squares().fit(WHOLE, [3, 7, 7]).save(tmp_path / "m.npz"))
    assert type(loaded) is Squares and loaded.distance == "l2" and loaded.name == "mine"


# Ties beyond the nearest, and in the module


@pytest.mark.parametrize("distance", ["l1", "l2"])
@pytest.mark.parametrize("of", [1, 3])
def test_equal_distances_are_equal_numbers(distance, of):
    "Of all classes, not only of the nearest, for means of one and of three images; and who is nearer is never shown as farther."
    random, power = np.random.default_rng(of), {"l1": 1, "l2": 2}[distance]
    taught, images = random.integers(0, 4, (10, of, 2, 3)).astype(np.uint8), random.integers(0, 4, (500, 2, 3)).astype(np.uint8)
    model = PixelSimilarity(distance).fit(taught.reshape(-1, 2, 3), np.repeat(np.arange(10), of))
    exact = (abs(of * images[:, None].astype(int) - taught.astype(int).sum(1)) ** power).sum((2, 3))
    equal = exact[:, :, None] == exact[:, None, :]
    for shown in (torch.from_numpy(images), images / 255, (images / 255).astype(np.float32)):
        far = model.distances(shown).numpy()
        assert ((far[:, :, None] == far[:, None, :]) == equal).all()
        assert not ((far[:, :, None] > far[:, None, :]) & (exact[:, :, None] < exact[:, None, :])).any()
        if of == 1: assert (model.module()(torch.as_tensor(shown)).argmax(1).numpy() == exact.argmin(1)).all()


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
