"Labels of every kind, wherever labels are taken: integers and strings in any form, and all else refused in its own words."
from enum import IntEnum
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import LikeAnArray, OddArray, read_only

from pixelsim.accuracy import accuracy, class_accuracies, confusion_matrix, worst_mistakes
from pixelsim.classifier import PixelSimilarity
from pixelsim.means import class_means


class Digit(IntEnum): THREE, SEVEN, HUNDRED = 3, 7, 100


def images(n=6): return np.random.default_rng(0).integers(0, 256, (n, 2, 3), dtype=np.uint8)


def counted(model): return model.classes_.tolist(), model.counts_.tolist()


def check(labels, values):
    "Whatever takes labels for images takes these for `values`, a list of Python's own."
    x, plain, classes = images(len(values)), np.array(values), sorted({*values})
    model, means = PixelSimilarity().fit(x, labels), [x[plain == c].mean(0) / 255 for c in classes]
    assert counted(model) == counted(PixelSimilarity().fit([(x, labels)])) == (classes, [values.count(c) for c in classes])
    for found in (model.prototypes_, class_means(x, labels, classes)): np.testing.assert_allclose(found, means, atol=1e-6)
    assert model.score(x, labels) == pytest.approx((model.predict(x) == plain).mean())
    assert accuracy(labels, values) == accuracy(values, labels) == 1


# Forms of the labels 3, 7 and 100
FORMS = {
    **{dtype: partial(np.array, dtype=dtype) for dtype in ("int64", "uint8", "uint64", ">i4", "object")},
    **{str(dtype): partial(torch.tensor, dtype=dtype) for dtype in (torch.int32, torch.uint8)},
    "stepped": lambda v: np.repeat(v, 3)[::3], "read-only": lambda v: read_only(np.array(v)),
    "stepped tensor": lambda v: torch.tensor(v).repeat_interleave(2)[::2], "list of tensors": lambda v: [*torch.tensor(v)],
    "list of numbers": lambda v: [*map(np.int16, v)], "enumeration": lambda v: [*map(Digit, v)], "tuple": tuple,
    "like an array": lambda v: LikeAnArray(np.array(v)), "subclass": lambda v: np.array(v).view(OddArray)}


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=15)
@given(values=st.permutations([3, 7, 100]).flatmap(lambda v: st.lists(st.sampled_from(v), max_size=4).map(lambda more: [*v, *more])))
def test_labels_in_any_form(form, values):
    "What is learned, and what is right, is what a list of Python's integers gives; and the labels stay as they are."
    labels = FORMS[form](values)
    check(labels, values)
    assert [int(label) for label in (labels.array if form == "like an array" else labels)] == values


@pytest.mark.parametrize("form", [np.array, tuple, partial(np.array, dtype=object), lambda v: [np.array(v)[0], *v[1:]]],
                         ids=["array", "tuple", "objects", "one of NumPy's"])
def test_words_in_any_form(form):
    "Words too, and True and False; in a table they are objects."
    words = ["x7", "x3", "x3", "x100", "x7"]
    check(form(words), words)
    check(form([True, False, True]), [True, False, True])  # as `digits==3` gives


GOOD = np.array([3, 3, 3, 7, 7, 7])
NO_LABELS = {
    "too many": ([3, 3, 3, 3, 7, 7, 7], ["(6,)", "one for each image", "(7,)"]),
    "a column": (GOOD[:, None], ["(6,)", "one for each image", "(6, 1)"]),
    "one for all": (3, ["(6,)", "got ()"]),
    "floats": (GOOD.astype(float), ["float64", "first 3.0", "int(label)"]),
    "bfloat16": (torch.tensor(GOOD).bfloat16(), ["bfloat16", "first 3.0", "int(label)"]),
    "one missing": ([3, 3, 3, 7, None, 7], ["1 labels are missing", "labels[4]", "every image needs one"]),
    "two NaN": ([3, 3, np.nan, 7, 7, np.nan], ["2 labels are missing", "labels[2]", "every image needs one"]),
    "masked": (np.ma.array(GOOD, mask=[0, 0, 0, 1, 0, 0]), ["1 labels are missing", "labels[3]"]),
    "bytes": ([b"a"] * 3 + [b"b"] * 3, ["first b'a'", "label"]),
    "numbers and words": ([3, 3, 3, "7", "7", "7"], ["all integers or all strings", "first 3", "str(label)"]),
    "ragged": ([3, 3, 3, [7], 7, 7], ["labels", "different lengths"]),
    "dates": (GOOD.astype("M8[D]"), ["datetime64", "1970"]),
    "complex": (torch.tensor(GOOD) * 1j, ["labels", "complex64"]),
    "meta": (torch.tensor(GOOD).to("meta"), ["labels", "meta device"]),
    "sparse": (torch.tensor(GOOD).to_sparse(), ["labels", "sparse"]),
    "too large": (np.array([2**63, 3, 3, 7, 7, 7], np.uint64), ["integers below 2**63", str(2**63)])}


@pytest.mark.parametrize("name, call", {
    "fit": lambda y: PixelSimilarity().fit(images(), y), "batches": lambda y: PixelSimilarity().fit([(images(), y)]),
    "score": lambda y: PixelSimilarity().fit(images(), GOOD).score(images(), y), "class_means": lambda y: class_means(images(), y, [3, 7])}.items())
def test_what_is_no_label_is_refused_in_its_own_words(name, call):
    "Another number of labels, floats, missing ones, and what else is no label: what was got, and how to mend it."
    said = {}
    for kind, (labels, parts) in NO_LABELS.items():
        with pytest.raises((TypeError, ValueError)) as caught: call(labels)
        said[kind] = str(caught.value)
        if name == "batches" and kind == "one for all": parts = ["one image with the label 3", "DataLoader(dataset"]
        for part in parts: assert part in said[kind], kind
    assert len({*said.values()}) == len(said)
    with pytest.raises((TypeError, ValueError), match="labels.*float32"): call(torch.tensor(GOOD).float().requires_grad_())
    with pytest.raises((TypeError, ValueError), match="labels"): call(dict(enumerate(GOOD)))


@pytest.mark.parametrize("kind", NO_LABELS)
def test_no_accuracy_of_what_is_no_label(kind):
    "What is missing is neither right nor wrong, and so with all else that is no label, on either side and on both."
    labels, parts = NO_LABELS[kind]
    said = "should both have shape" if kind == "too many" else "missing" if "missing" in parts[0] else None
    for pair in ((GOOD, labels), (labels, GOOD), (labels, labels))[:2 if kind == "too many" else 3]:
        for call in (accuracy, class_accuracies, lambda p, a: confusion_matrix(p, a, [3, 7])):
            with pytest.raises((TypeError, ValueError), match=said): call(*pair)
    column = r"labels should have shape \(n,\), got \(6, 1\)" if kind == "a column" else None
    with pytest.raises((TypeError, ValueError), match=column): worst_mistakes(np.zeros((6, 2)), labels, [3, 7])


def test_texts_that_look_alike_are_alike():
    one, two = "caf\u00e9", "cafe\u0301"
    model = PixelSimilarity().fit(images(4), [one, two, "tea", "tea"])
    assert model.classes_.tolist() == [one, "tea"] and model.score(images(4), [two, one, "tea", "tea"]) == accuracy([one], [two]) == 1


@pytest.mark.parametrize("labels, said", [
    (torch.eye(2, dtype=int), r"got \(2, 2\): this takes one class"),
    (torch.tensor([0, 2]), r"from 0 to 1, numbers into the loader's vocab \['three', 'seven'\], got 2")], ids=["several", "beyond"])
def test_labels_of_a_loader_with_a_vocabulary(labels, said):
    class Loader(list): vocab = ["three", "seven"]
    with pytest.raises(ValueError, match=said): PixelSimilarity().fit(Loader([(images(2), labels)]))


def test_integers_of_all_widths_stay_integers():
    "Labels of one batch are int64 and of the next uint64: the classes are integers, to the last digit."
    one, two = ((images(), GOOD.astype(dtype) + dtype(more)) for dtype, more in ((np.int64, 2**53 + 1), (np.uint64, 2**53 + 3)))
    for model in (PixelSimilarity().fit([one, two]), PixelSimilarity().fit(*one).merge(PixelSimilarity().fit(*two))):
        assert model.classes_.dtype.kind in "iu" and (model.classes_ - 2**53).tolist() == [4, 6, 8, 10]


@pytest.mark.parametrize("dtype", [None, object, "string", "category"], ids=str)
def test_labels_from_a_table(dtype):
    "A column of words or of numbers in a pandas table; a missing one is told."
    pandas = pytest.importorskip("pandas")
    def column(values, dtype): return pandas.Series(values, index=values, dtype=dtype)
    numbers = PixelSimilarity().fit(images(), column(GOOD, "category" if dtype == "category" else "Int64"))
    words = PixelSimilarity().fit(images(), column(GOOD.astype(str), dtype))
    assert counted(numbers) == ([3, 7], [3, 3]) and counted(words) == (["3", "7"], [3, 3])
    assert words.classes_.dtype.kind == "U" and words.predict(images(1)).tolist() == ["3"]
    with pytest.raises(ValueError, match=r"1 labels are missing, the first is labels\[1\]"):
        words.score(images(2), pandas.Series(["a", None], dtype=dtype))
