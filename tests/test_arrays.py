"""Arrays of every kind, at every entry that takes one: the right result, or an error that says what was wrong and how to mend it.

First the ways to go silently wrong that people have met, one by one; then thousands of random arrays. Files are in
`test_images.py`.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from scipy import sparse

import pixelsim
from pixelsim.accuracy import (accuracy, accuracy_interval, class_accuracies, confusion_matrix, mnist_distance,
                               worst_mistakes)
from pixelsim.classifier import PixelSimilarity
from pixelsim.digits import load_mnist
from pixelsim.distances import l1_distance, l2_distance
from pixelsim.nearest import nearest
from pixelsim.totals import class_histograms, class_sums
from pixelsim.images import as_images, mostly_bright
from pixelsim.means import class_means
from pixelsim.torch_module import NearestPrototype
from pixelsim.pixels import best_threshold, ink_coverage, to_float
from pixelsim.show import show_difference, show_image, show_images, show_numbers
from pixelsim.tensors import explain_shape

TRAIN, VALID = load_mnist([3, 7])
MODELS = {distance: PixelSimilarity(distance).fit(TRAIN.images, TRAIN.labels) for distance in ("l1", "l2")}
MODEL, MEANS = MODELS["l1"], MODELS["l1"].prototypes_
FEW, LABELS = VALID.images[::340], VALID.labels[::340]  # three of each
FLOATS = FEW.float() / 255


def fit(images, labels=LABELS, **options): return PixelSimilarity(**options).fit(images, labels)


# Entries that take a stack of images
ANY_SIZE = {"fit": fit, "partial_fit": lambda x: PixelSimilarity().partial_fit(x, LABELS), "as_images": as_images,
            "class_means": lambda x: class_means(x, LABELS, [3, 7])}
ONE_SIZE = {"predict": MODEL.predict, "distances": MODEL.distances, "score": lambda x: MODEL.score(x, LABELS),
            "predict by L2": MODELS["l2"].predict}
ANY_SHAPE = {"to_float": to_float, "l1_distance": lambda x: l1_distance(x, MEANS[0]),
             "l2_distance": lambda x: l2_distance(MEANS[0], x)}
BATCHES = {"module": MODEL.module(), "batches": lambda x: PixelSimilarity().fit([(x, LABELS)])}
ENTRIES = ANY_SIZE | ONE_SIZE | ANY_SHAPE | BATCHES


def message(call, *args, error=(TypeError, ValueError), **options):
    "What the error says, or what came instead of one."
    try: found = call(*args, **options)
    except error as e: return str(e)
    except Exception as e: return f"NOT AN ERROR OF THE DOCUMENTED KIND: {type(e).__name__}: {e}"
    return f"NO ERROR, BUT: {found!r}"


def lacking(said, *parts):
    "Which of `parts` are not in what was said, as a list with one line, or none."
    absent = [part for part in parts if part not in said]
    return [f"{absent} not in {said!r}"] if absent else []


def told_apart(call, kinds):
    "For each kind of mistake what its message lacks, and which kinds share one; a list of lines, empty if all is well."
    said = {kind: message(call, *things) for kind, (*things, _) in kinds.items()}
    lines = [f"{kind}: {line}" for kind, (*_, parts) in kinds.items() for line in lacking(said[kind], *parts)]
    return lines + [f"{n} kinds get {text!r}" for text, n in Counter(said.values()).items() if n > 1]


# The wrong scale

def by_hand(images, means):
    "Which images are nearer to the first mean, by the lines that one writes by hand."
    to_3, to_7 = ((images - mean).abs().float().mean((-1, -2)) for mean in means)
    return to_3 < to_7


def right(is_3): return (is_3.numpy() == (VALID.labels == 3)).mean()


def test_whole_numbers_do_not_wrap_round():
    "By hand, uint8 minus uint8 is wrong for most digits; here it is what floats give, and the source's rule is refused."
    whole = (MEANS * 255).round().byte()
    assert right(by_hand(VALID.images, whole)) < 0.4 and right(by_hand(VALID.images / 255, MEANS)) > 0.95
    by_numpy = np.abs(VALID.images.numpy().astype(int) - whole[0].numpy().astype(int)).mean((1, 2)) / 255
    np.testing.assert_allclose(l1_distance(VALID.images, whole[0]), by_numpy, atol=1e-6)
    for model in MODELS.values():
        assert torch.equal(model.distances(VALID.images), model.distances(VALID.images.float() / 255))
    with pytest.raises(TypeError, match="convert with to_float"): mnist_distance(VALID.images, whole[0])


@pytest.mark.parametrize("name", ENTRIES)
def test_a_wrong_scale_is_refused(name):
    "By hand, floats to 255 against means to 1 score higher than what is right, so that only a refusal reveals them."
    assert right(by_hand(VALID.images.float(), MEANS)) > 0.96 > right(by_hand(VALID.images / 255, MEANS))
    assert lacking(message(ENTRIES[name], FEW.float(), error=ValueError), "0 to 255", "divide by 255") == []
    assert lacking(message(ENTRIES[name], FLOATS * 2 - 1, error=ValueError), "-1 to 1") == []


@pytest.mark.parametrize("floats", [False, True])
def test_swapped_ink_warns(floats):
    "Dark ink on light paper is taken for the other digit; a warning says so and names invert=True, and that mends it."
    images = VALID.images / 255 if floats else VALID.images
    swapped = 1 - images if floats else 255 - images
    with pytest.warns(UserWarning, match="bright border.*dark one: pass invert=True"): found = MODEL.predict(swapped)
    assert (found == VALID.labels).mean() < 0.1
    for call in (MODEL.distances, lambda x: MODEL.score(x, VALID.labels)):
        with pytest.warns(UserWarning, match="pass invert=True"): call(swapped)
    with pytest.warns(UserWarning, match="pass invert=False"): MODEL.predict(images, invert=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (MODEL.predict(swapped, invert=True) == MODEL.predict(images)).all()
        assert MODEL.score(swapped, VALID.labels, invert=True) == MODEL.score(images, VALID.labels)
        assert torch.allclose(MODEL.distances(swapped, invert=True), MODEL.distances(images), atol=1e-6)


def test_fitting_swapped_ink_warns():
    "Learning from light paper warns too, at once or in parts; if all of it is inverted, before or after, nothing is said."
    swapped = 255 - FEW
    for call in (fit, PixelSimilarity().partial_fit):
        with pytest.warns(UserWarning, match=r"bright border.*as_images\(images, invert=True\)"): call(swapped, LABELS)
    with pytest.warns(UserWarning): light = fit(swapped)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert light.predict(swapped).tolist() == fit(as_images(swapped, invert=True)).predict(FEW).tolist()
    with pytest.warns(UserWarning, match="dark border.*bright one: pass invert=True"): light.predict(FEW)


@pytest.mark.parametrize("call", [MODEL.predict, MODEL.distances, lambda x: PixelSimilarity().partial_fit(x, LABELS),
                                  lambda x: MODEL.score(x, LABELS), lambda x: PixelSimilarity().fit(x, LABELS)],
                         ids=["predict", "distances", "partial_fit", "score", "fit"])
def test_warnings_name_the_line_of_the_caller(call):
    "Else the same warning for other images, from another line, would not be shown."
    with pytest.warns(UserWarning) as told: call(255 - FEW)
    assert [w.filename for w in told] == [__file__]


# Shapes that broadcast

@pytest.mark.parametrize("distance", [l1_distance, l2_distance, mnist_distance])
@pytest.mark.parametrize("shape", [(28,), (28, 1), (1, 28), (1, 1), (), (5, 28, 1)])
def test_only_leading_axes_broadcast(distance, shape):
    "Torch would stretch each of these over the other image; here rows and columns have to match."
    short = torch.rand(shape)
    assert (short - MEANS[0]).shape[-2:] == (28, 28)
    for pair in ((short, MEANS[0]), (MEANS[0], short)):
        assert lacking(message(distance, *pair, error=ValueError), "one size", str(shape), "(28, 28)") == []


@pytest.mark.parametrize("distance", [l1_distance, l2_distance, mnist_distance])
@pytest.mark.parametrize("shape", [(28,), ()])
def test_an_image_has_two_axes(distance, shape):
    "Two rows of pixels, or two pixels, are not two images."
    assert lacking(message(distance, torch.rand(shape), torch.rand(shape), error=ValueError), str(shape)) == []


@pytest.mark.parametrize("distance", [l1_distance, l2_distance, mnist_distance])
def test_stacks_of_different_lengths(distance):
    "Three images and six do not go together: a ValueError with both shapes. Every pair of them, by an axis of size 1, does."
    assert distance(FLOATS[:3, None], FLOATS).shape == (3, 6)
    said = message(distance, FLOATS[:3], FLOATS, error=ValueError)
    assert lacking(said, "(3, 28, 28)", "(6, 28, 28)") == []


@pytest.mark.parametrize("distance", [l1_distance, l2_distance])
def test_images_without_pixels_have_no_distance(distance):
    "The mean of no differences is undefined: it is refused."
    empty = torch.zeros(3, 0, 28)
    assert "pixels" in message(distance, empty, empty, error=ValueError)


# Each mistake in its own words

def rare(make, *args):
    "A kind of tensor that torch makes with a warning that it will change, or go."
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make(*args)


def with_gap(value, *places):
    "Images with this value at each of these places."
    images = FLOATS.clone()
    for place in places: images[place] = value
    return images


LONG = FLOATS.numpy().astype(np.longdouble)

# What is handed over, and what the error has to say about it: what it got, and a way out
NO_GRAYS = {
    "None": (None, ["None", "pass a tensor"]),
    "complex": (torch.complex(FLOATS, FLOATS), ["complex64", ".real"]),
    "complex array": (FLOATS.numpy().astype(complex), ["complex128", ".real"]),
    "sparse": (FLOATS.to_sparse(), ["sparse_coo", ".to_dense()"]),
    "sparse rows": (rare(FLOATS[0].to_sparse_csr), ["sparse_csr", ".to_dense()"]),
    "SciPy's sparse": (sparse.csr_array(FLOATS[0].numpy()), ["sparse matrix", ".toarray()"]),
    "meta": (FLOATS.to("meta"), ["meta device", "on the CPU"]),
    "nested": (rare(torch.nested.nested_tensor, [torch.zeros(28, 28), torch.zeros(32, 28)]), ["nested", "ordinary"]),
    "quantized": (rare(torch.quantize_per_tensor, FLOATS, 1 / 255, 0, torch.quint8), ["quint8", ".dequantize()"]),
    "bool": (FEW > 0, ["torch.bool", ".float()"]),
    "long": (FEW.long(), ["torch.int64", ".to(torch.uint8)"]),
    "16 bits": (FEW.numpy().astype(np.uint16), ["uint16", "uint8"]),
    "8-bit floats": (FLOATS.to(torch.float8_e4m3fn), ["float8_e4m3fn", "float"]),
    "words": (np.array([["a", "b"]] * 2), ["<U1", "pass a tensor"]),
    "objects": (np.array([[3, None]]), ["object", "pass a tensor"]),
    "dates": (np.zeros((6, 28, 28), "M8[s]"), ["datetime64", "pass a tensor"]),
    "records": (np.zeros((6, 28, 28), [("gray", "u1")]), ["gray", "pass a tensor"]),
    "dict": ({3: FEW}, ["dict", "pass a tensor"]),
    "generator": ((image for image in FEW), ["generator", "pass a tensor"]),
    "two sizes": ([FEW[0], FEW[1][:14]], ["images[0]", "(28, 28)", "images[1]", "(14, 28)", "resize="]),
    "two types": ([FEW[0], FLOATS[1]], ["images[0]", "torch.uint8", "images[1]", "torch.float32"]),
    "one missing": ([FEW[0], None], ["images[1]", "None", "pass a tensor"]),
    "ragged lists": ([[0, 0], [0]], ["different lengths", "one size"]),
    "one NaN": (with_gap(np.nan, (2, 3, 4)), ["1 of", "nan at images[2, 3, 4]", "leave those images out"]),
    "infinite": (with_gap(-np.inf, (2, 0, 1), (1, 27, 27), (1, 27, 26)), ["3 of", "-inf at images[1, 27, 26]", "leave"]),
    "to 255": (FEW.float(), ["0 to 255", "divide by 255"]),
    "from -1": (FLOATS * 2 - 1, ["-1 to 1", "divide by 255"])}
if LONG.itemsize > 8: NO_GRAYS["longdouble"] = LONG, [str(LONG.dtype), "float32"]  # not on Windows


@pytest.mark.parametrize("name", ENTRIES)
def test_what_holds_no_grays_is_refused_in_its_own_words(name):
    "Every kind of array that is none of ours: what was got, and how to mend it; no two kinds get the same message."
    lines = told_apart(ENTRIES[name], NO_GRAYS)
    assert not lines, "\n".join(lines)


CHANNEL = FLOATS[:, None]
SHAPES = {
    "one in a row": (FLOATS[0].flatten(), ["(784,)", "reshape(-1"]),
    "one image": (FLOATS[0], ["(28, 28)", "images[None]"]),
    "one channel": (CHANNEL, ["(6, 1, 28, 28)", "squeeze(1)"]),
    "one channel at the end": (CHANNEL.movedim(1, 3), ["(6, 28, 28, 1)", "squeeze(3)"]),
    "RGB": (CHANNEL.repeat(1, 3, 1, 1), ["(6, 3, 28, 28)", "color", "gray"]),
    "RGB at the end": (CHANNEL.movedim(1, 3).repeat(1, 1, 1, 3), ["(6, 28, 28, 3)", "color", "gray"]),
    "RGBA": (CHANNEL.movedim(1, 3).repeat(1, 1, 1, 4), ["(6, 28, 28, 4)", "color", "gray"]),
    "five axes": (CHANNEL[None], ["(1, 6, 1, 28, 28)", "one stack"]),
    "no pixels": (FLOATS[:, :0], ["(6, 0, 28)", "no pixels"])}
SIZES = {"32×32": (torch.rand(6, 32, 32), ["(6, 32, 32)", "28×28", "resize=True"]),
         "one image in color": (torch.rand(28, 28, 3), ["(28, 28, 3)", "color", "gray"])}


@pytest.mark.parametrize("name", ANY_SIZE | ONE_SIZE)
def test_wrong_shapes_are_refused_in_their_own_words(name):
    "Each wrong shape: what was got, what was expected, how to mend it; no two get the same message."
    lines = told_apart(ENTRIES[name], SHAPES | (SIZES if name in ONE_SIZE else {}))
    lines += [said for thing, _ in SHAPES.values() if "(n, " not in (said := message(ENTRIES[name], thing, error=ValueError))]
    assert not lines, "\n".join(lines)


def test_flat_images_are_told_to_be_reshaped():
    "Rows of 784 numbers, as scikit-learn's loaders give them: the way out is a reshape."
    lines = [f"{name}: {line}" for name, call in (ANY_SIZE | ONE_SIZE).items()
             for line in lacking(message(call, FLOATS.flatten(1), error=ValueError), "(6, 784)", "reshape(-1")]
    assert not lines, "\n".join(lines)


def test_class_means_tell_the_place_of_a_gap():
    "The first NaN is in image 4, the second of the sevens; there is one more in image 1."
    assert "nan at images[4, 3, 4]" in message(class_means, with_gap(np.nan, (4, 3, 4)), LABELS, [3, 7])
    assert "2 of" in message(class_means, with_gap(np.nan, (4, 3, 4), (1, 3, 4)), LABELS, [3, 7])


@pytest.mark.parametrize("channels", [1, 3])
def test_nan_is_no_color(channels):
    "In a batch with an axis for channels, a missing value is told as a missing value."
    images = with_gap(np.nan, (2, 3, 4))[:, None].repeat(1, channels, 1, 1)
    for call in BATCHES.values(): assert lacking(message(call, images, error=ValueError), "finite", "nan at images[2, ") == []


def test_masked_arrays_are_refused():
    "NumPy's masked arrays say of some pixels that they are not known: using those would be a guess."
    masked = np.ma.array(FLOATS.numpy(), mask=np.zeros((6, 28, 28)))
    assert all("NO ERROR" in message(call, masked) for call in ENTRIES.values())  # nothing is masked yet
    masked[2, 3, 4] = np.ma.masked
    lines = [f"{name}: {line}" for name, call in ENTRIES.items() for line in lacking(message(call, masked), "mask")]
    assert not lines, "\n".join(lines)


def test_two_types_with_resize():
    "uint8 from 0 to 255 and floats from 0 to 1 in one list are refused with `resize` as they are without."
    images = [FEW[0][:20], FLOATS[1]]
    for call in (as_images, lambda x, resize: MODEL.predict(x, resize=True)):
        assert lacking(message(call, images, resize=(14, 14)), "torch.uint8", "torch.float32") == []


def test_other_sizes_on_request():
    "Every pixel four times, or two sizes in one list: refused, and with resize=True what it is at the right size."
    doubled = FEW.repeat_interleave(2, 1).repeat_interleave(2, 2)
    two_sizes = [FEW[0], *doubled[1:]]
    for model in MODELS.values():
        for images in (doubled, doubled.numpy(), doubled.float() / 255, two_sizes, [np.asarray(i) for i in two_sizes]):
            with pytest.raises(ValueError, match="28"): model.predict(images)
            assert torch.equal(model.distances(images, resize=True), model.distances(FEW))
            assert model.predict(images, resize=True).tolist() == model.predict(FEW).tolist()
            assert model.score(images, LABELS, resize=True) == model.score(FEW, LABELS)
    with pytest.raises(ValueError, match=r"got \(6, 784\)"): MODEL.predict(FEW.flatten(1), resize=True)
    assert torch.equal(as_images(255 - doubled, invert=True, resize=(28, 28)), FEW)


# Labels

WITH_LABELS = {"fit": fit, "partial_fit": PixelSimilarity().partial_fit, "score": MODEL.score,
               "class_means": lambda x, y: class_means(x, y, [3, 7]), "batches": lambda x, y: PixelSimilarity().fit([(x, y)])}
NO_LABELS = {
    "too many": (FEW, range(7), ["(6,)", "one for each image", "(7,)"]),
    "a column": (FEW, LABELS[:, None], ["(6,)", "one for each image", "(6, 1)"]),
    "one for all": (FEW, 3, ["(6,)", "got ()"]),
    "floats": (FEW, LABELS.astype(float), ["float64", "first 3.0", "int(label)"]),
    "float tensor": (FEW, torch.tensor(LABELS).float(), ["float32", "first 3.0", "int(label)"]),
    "one missing": (FEW, [3, 3, 3, 7, None, 7], ["1 labels are missing", "labels[4]", "every image needs one"]),
    "two NaN": (FEW, [3, 3, np.nan, 7, 7, np.nan], ["2 labels are missing", "labels[2]", "every image needs one"]),
    "NaN among words": (FEW, ["a", "a", "b", "b", "a", np.nan], ["1 labels are missing", "labels[5]"]),
    "bytes": (FEW, [b"a"] * 3 + [b"b"] * 3, ["first b'a'", "str(label)"]),
    "numbers and words": (FEW, [3, 3, 3, "7", "7", "7"], ["all integers or all strings", "first 3", "str(label)"]),
    "dates": (FEW, LABELS.astype("M8[D]"), ["datetime64", "1970"]),
    "complex": (FEW, torch.tensor(LABELS) * 1j, ["labels", "complex64"]),
    "meta": (FEW, torch.tensor(LABELS).to("meta"), ["labels", "meta device"]),
    "sparse": (FEW, torch.tensor(LABELS).to_sparse(), ["labels", "sparse"])}


@pytest.mark.parametrize("name", WITH_LABELS)
def test_wrong_labels_are_refused_in_their_own_words(name):
    "Another number of labels, floats, missing ones, and what else is no label."
    lines = told_apart(WITH_LABELS[name], NO_LABELS)
    assert not lines, "\n".join(lines)


@pytest.mark.parametrize("labels, parts", [
    (torch.tensor(LABELS).float().requires_grad_(), ["labels", "float32"]),
    (torch.tensor(LABELS).bfloat16(), ["labels", "bfloat16"]), ([3, 3, 3, [7], 7, 7], ["labels"]),
    (np.ma.array(LABELS, mask=[0, 0, 1, 0, 0, 0]), ["1 labels are missing", "labels[2]"])],
    ids=["gradient", "bfloat16", "ragged", "masked"])
def test_odd_labels_are_refused_too(labels, parts):
    "What else is no label, in words about labels."
    lines = [f"{name}: {line}" for name, call in WITH_LABELS.items() for line in lacking(message(call, FEW, labels), *parts)]
    assert not lines, "\n".join(lines)


@pytest.mark.parametrize("classes", [[], [[3, 7, 3, 7, 3, 7]], [[3], [7]], 3, None])
def test_classes_are_a_list_of_labels(classes):
    "Neither none at all, nor one number, nor lists in a list."
    assert "class" in message(class_means, FEW, [3, 7, 3, 7, 3, 7], classes)


def test_classes_that_are_missing():
    "An empty class, a single class, no image at all: three messages."
    assert "class 5 has no images" in message(class_means, FEW, LABELS, [3, 5], error=ValueError)
    assert "at least two classes, got [3]" in message(fit, FEW, [3] * 6, error=ValueError)
    for nothing in ([], iter([]), [(FEW[:0], [])]):
        assert "no images to fit" in message(PixelSimilarity().fit, nothing, error=ValueError)
    assert "no images to fit" in message(fit, FEW[:0], [], error=ValueError)


@pytest.mark.parametrize("way", ["batches", "merge"])
def test_integers_of_all_widths_stay_integers(way):
    "Labels of one batch are int64 and of the next uint64: the classes are integers, to the last digit."
    three, seven = 2**53 + 1, 2**53 + 3
    parts = [(FEW, np.where(LABELS == 3, three, seven).astype(dtype)) for dtype in (np.int64, np.uint64)]
    model = PixelSimilarity().fit(parts) if way == "batches" else fit(*parts[0]).merge(fit(*parts[1]))
    assert model.classes_.dtype.kind in "iu" and model.classes_.tolist() == [three, seven]


# Not fitted, other devices, nothing at all

def test_what_cannot_be_done_before_fit():
    "Each method says that there is nothing yet to compare with, and what to call."
    new = PixelSimilarity()
    for call in (new.predict, new.distances, lambda x: new.score(x, LABELS), lambda x: new.module()):
        assert lacking(message(call, FEW, error=ValueError), "not fitted yet", "fit(") == []


@pytest.mark.parametrize("device", ["meta", "cuda", "mps"])
def test_devices_do_not_mix(device):
    "Images here and prototypes there: the error names both devices and the way out. With a device, results follow the images."
    if device != "meta" and not getattr(torch, device).is_available(): pytest.skip(f"NOT TESTED: there is no {device} here")
    said = message(MODEL.module().to(device), FLOATS, error=ValueError)
    assert lacking(said, "images on cpu", f"prototypes on {device}", ".to('cpu')") == []
    if device == "meta": return
    there = FLOATS.to(device)
    for distance in (l1_distance, l2_distance, mnist_distance):
        assert lacking(message(distance, there, FLOATS, error=ValueError), "cpu", device) == []
    assert lacking(message(MODEL.predict, [FLOATS[0], there[1]], error=ValueError), "images[0]", "images[1]", device) == []
    for model in MODELS.values():
        assert model.distances(there).device.type == device
        assert model.predict(there).tolist() == model.predict(FLOATS).tolist()
    assert torch.equal(fit(FEW.to(device)).totals_, fit(FEW).totals_)


@pytest.mark.parametrize("options", [{}, {"invert": True}, {"resize": True}], ids=str)
@pytest.mark.parametrize("kind", [lambda x: x, lambda x: x.float(), lambda x: x.half(), lambda x: x.numpy()],
                         ids=["uint8", "float32", "float16", "NumPy"])
def test_nothing_gives_nothing(options, kind):
    "An empty batch predicts an empty result, and its accuracy is an error."
    nothing = kind(FEW[:0])
    for model in MODELS.values():
        assert model.predict(nothing, **options).shape == (0,) and model.distances(nothing, **options).shape == (0, 2)
        assert model.module()(nothing).shape == (0, 2)
        assert "accuracy of nothing" in message(lambda: model.score(nothing, [], **options), error=ValueError)
    assert as_images(nothing, resize=(5, 9)).shape == (0, 5, 9)


# Narrow floats

NARROW = {
    "distances": lambda m, x, y: m.distances(x), "predict": lambda m, x, y: torch.from_numpy(m.predict(x)),
    "score": lambda m, x, y: torch.tensor(m.score(x, y)), "fit": lambda m, x, y: fit(x, y, distance=m.distance).prototypes_,
    "module": lambda m, x, y: m.module()(x), "class_means": lambda m, x, y: class_means(x, y, [3, 7]),
    "l1_distance": lambda m, x, y: l1_distance(x, MEANS[0]), "l2_distance": lambda m, x, y: l2_distance(x[5], x),
    "invert": lambda m, x, y: PixelSimilarity("l2").fit(1 - x.float(), y).distances(x, invert=True),
    "resize": lambda m, x, y: PixelSimilarity().fit(x.float()[:, :9, :9], y).distances(x, resize=True)}


@pytest.mark.filterwarnings("ignore:most of the images:UserWarning")
@pytest.mark.parametrize("narrow", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", NARROW)
def test_narrow_floats_compute_in_float32(name, narrow):
    "float16 and bfloat16 give float32, bit by bit what their values as float32 give; in their own width they would not."
    images, labels = (VALID.images[::20] / 255).to(narrow), VALID.labels[::20]
    for model in MODELS.values():
        found, wanted = (NARROW[name](model, x, labels) for x in (images, images.float()))
        assert found.dtype == wanted.dtype and torch.equal(found, wanted)
    mean = MEANS[0].to(narrow)
    assert not torch.equal(mnist_distance(images, mean).float(), l1_distance(images, mean))


# Ties

@pytest.mark.filterwarnings("ignore:most of the images:UserWarning")  # noise has any border
@pytest.mark.parametrize("side", [2, 3, 8, 28])
@pytest.mark.parametrize("step", [1, 51, 255], ids=["any gray", "six grays", "black and white"])
@pytest.mark.parametrize("distance", ["l1", "l2"])
def test_ties_go_to_the_first_class(distance, step, side):
    "Images that are symmetric are exactly as far from an image as from the same one upside down, in whole numbers."
    images = step * np.random.default_rng(side).integers(0, 255 // step + 1, (101, side, side)).astype(np.uint8)
    first, second, symmetric = images[0], images[0, ::-1], np.maximum(images[1:], images[1:, ::-1])
    power = 1 if distance == "l1" else 2
    to_first, to_second = ((np.abs(symmetric.astype(int) - p)**power).sum((1, 2)) for p in (first, second))
    assert (to_first == to_second).all()
    for pair in ([first, second], [second, first]):
        model = PixelSimilarity(distance).fit(np.stack(pair), ["b", "a"])
        assert model.predict(np.stack(pair)).tolist() == ["b", "a"]
        assert model.predict(symmetric).tolist() == ["a"] * 100


# Slopes

def numeric_slope(f, x, step=1e-5):
    "The slope of f at x in each pixel, by small steps in float64."
    x = x.double()
    steps = step * torch.eye(x.numel(), dtype=torch.float64).reshape(-1, *x.shape)
    return torch.stack([(f(x + s) - f(x - s)) / (2 * step) for s in steps]).reshape(x.shape)


def test_slopes_of_l2():
    "Zero, and so finite, where the images are equal, also beside ones that are not; elsewhere what small steps find."
    image, other = torch.rand(2, 3, 4, generator=torch.Generator().manual_seed(0)) / 2 + 0.25
    naive = image.clone().requires_grad_()
    (naive - image).square().mean().sqrt().backward()
    assert naive.grad.isnan().all()
    for flipped in (False, True):
        both = torch.stack([image, other]).requires_grad_()
        (l2_distance(image, both) if flipped else l2_distance(both, image)).sum().backward()
        assert both.grad[0].count_nonzero() == 0
        np.testing.assert_allclose(both.grad[1], numeric_slope(lambda v: (v - image).square().mean().sqrt(), other), atol=1e-4)


@pytest.mark.parametrize("distance", ["l1", "l2"])
def test_slopes_of_the_module(distance):
    "Finite where an image is its prototype; where it is not, what small steps find, times the scale."
    prototypes = torch.rand(2, 3, 4, generator=torch.Generator().manual_seed(1)) / 2 + 0.25
    net, images = NearestPrototype(prototypes, distance, learn=True, scale=3.), prototypes.clone().requires_grad_()
    net(images).sum().backward()
    def logits(p):
        d = prototypes.double()[:, None] - p
        return -3 * (d.abs().mean((-1, -2)) if distance == "l1" else d.square().sum((-1, -2)).div(12).sqrt()).sum()
    np.testing.assert_allclose(net.prototypes.grad, numeric_slope(logits, prototypes), atol=1e-3)
    np.testing.assert_allclose(images.grad, -net.prototypes.grad.flip(0), atol=1e-6)  # what moves one towards the other
    assert images.grad.count_nonzero() == images.numel()


# What the functions below the classifier are handed

@pytest.mark.parametrize("count", [class_sums, class_histograms])
@pytest.mark.parametrize("n, m", [(6, 3), (6, 1), (6, 7), (4096, 2048), (2048, 4096), (6, 0)])
def test_every_image_needs_its_class(count, n, m):
    "One number for each image, no more and no less."
    images = torch.ones(n, 1, 1, dtype=torch.uint8)
    assert count(images, torch.zeros(n, dtype=torch.int64), 1).sum() == n
    assert lacking(message(count, images, torch.zeros(m, dtype=torch.int64), 1), str(n), str(m)) == []


@pytest.mark.parametrize("prototypes", [MEANS * 255, MEANS.reshape(2, 14, 56), MEANS * np.nan, MEANS[:, :14], MEANS[0], MEANS[:0],
                                        (MEANS * 255).byte()], ids=["to 255", "14×56", "NaN", "14×28", "one", "none", "uint8"])
def test_prototypes_are_checked(prototypes):
    "`nearest` refuses what is no prototype; of uint8 it makes what the module makes of them, or refuses them too."
    for distance in ("l1", "l2"):
        try: found = nearest(FEW, prototypes, distance)
        except (TypeError, ValueError) as e: assert "prototypes" in str(e)
        else:
            assert prototypes.dtype == torch.uint8
            assert found.tolist() == NearestPrototype(prototypes, distance)(FEW).argmax(1).tolist()


@pytest.mark.parametrize("kind", [lambda d: (d * 100).byte(), lambda d: d.where(d < .5, np.nan), lambda d: d.numpy()],
                         ids=["uint8", "NaN", "NumPy"])
def test_mistakes_from_other_distances(kind):
    "Whole numbers and arrays give what floats give, or are refused."
    distances = torch.tensor([[.1, .2], [.6, .1], [.3, .9]])
    assert worst_mistakes(distances, [3, 3, 7], [3, 7]).tolist() == [2, 1]
    try: assert worst_mistakes(kind(distances), [3, 3, 7], [3, 7]).tolist() == [2, 1]
    except (TypeError, ValueError) as e: assert "distances" in str(e)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "int64", "float32"])
def test_intervals_of_other_numbers(dtype):
    "Counts are sums, and so NumPy's or torch's numbers: the interval is that of Python's."
    for right, total in ((63, 100), (0, 120), (120, 120), (20_000, 30_000), (50_000, 60_000)):
        if total > 127 and dtype in ("uint8", "int16"): continue
        for make in (np.dtype(dtype).type, lambda n: torch.tensor(n, dtype=getattr(torch, dtype))):
            found = [float(end) for end in accuracy_interval(make(right), make(total))]
            assert found == pytest.approx(accuracy_interval(right, total), abs=1e-6), (right, total)


@pytest.mark.parametrize("labels", [[3, None], [np.nan, 3.], np.ma.array([3, 7], mask=[0, 1])], ids=["None", "NaN", "masked"])
def test_no_accuracy_with_missing_labels(labels):
    "What is missing is neither right nor wrong."
    calls = accuracy, class_accuracies, lambda p, a: confusion_matrix(p, a, [3, 7])
    lines = [line for call in calls for pair in ([[3, 7], labels], [labels, [3, 7]], [labels, labels])
             for line in lacking(message(call, *pair), "missing")]
    assert not lines, "\n".join(lines)


def test_no_accuracy_of_numbers_and_words():
    "In one list they are refused, as `fit` refuses them: 3 is not '3'."
    assert accuracy([3, 7], [3, 3]) == 0.5
    for call in (accuracy, class_accuracies): assert "all integers or all strings" in message(call, [3, "7"], ["3", "7"])


@pytest.mark.parametrize("values, is_above", [([0., 1.], [np.nan, 0.]), (torch.tensor([0j, 1 + 1j]), [False, True])],
                         ids=["NaN", "complex"])
def test_thresholds_of_odd_numbers(values, is_above):
    "NaN is neither above nor below, and complex numbers have no order."
    assert best_threshold([0., 1.], [False, True]) == (0.5, 1.)
    assert "NO" not in message(best_threshold, values, is_above)


def test_pictures_have_a_known_scale():
    "Values that are neither 0 to 255 in uint8 nor 0 to 1 in floats would be drawn all black or white: they are refused."
    part = FEW[0, 10:15, 10:15]
    kinds = {"float to 255": part.float(), "int64": part.long(), "uint16": part.numpy().astype(np.uint16),
             "negative": part / 255 - 1}
    shows = {"image": show_image, "numbers": show_numbers, "images": lambda x: show_images(x[None]),
             "difference": lambda x: show_difference(x, x)}
    for show in shows.values(): assert "NO ERROR" in message(show, part)
    lines = [f"{name} of {kind}" for name, show in shows.items() for kind, x in kinds.items() if "NO" in message(show, x)]
    plt.close("all")
    assert not lines, f"drawn all the same: {', '.join(lines)}"


# Thousands of random arrays: values, and something that has these values in some odd way

GRAYS = ("uint8", "float16", "float32", "float64", "bfloat16")  # the types that images can have
OTHERS = ("bool", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "complex64", "complex128", "longdouble",
          "float8_e4m3fn", "float8_e5m2", "str", "object", "datetime64[s]")
NO_NUMPY = ("bfloat16", "float8_e4m3fn", "float8_e5m2")
NO_TORCH = ("longdouble", "str", "object", "datetime64[s]")
NO_NUMBERS = NO_TORCH[1:]


class OddTensor(torch.Tensor): "A subclass, as fastai's images are."


class OddArray(np.ndarray): "A subclass, as arrays with units are."


class LikeAnArray:
    "What is no array, but can be asked for one."
    def __init__(self, array): self.array = array

    def __array__(self, dtype=None, copy=None): return np.array(self.array, dtype)


def random_values(rng, shape, dtype):
    "Random values as a plain array, sometimes with some that no image has; float32 for types that NumPy does not know."
    if dtype in NO_NUMBERS: return np.full(shape, 3).astype(dtype)
    values = np.asarray([rng.random(shape), rng.integers(0, 256, shape) / 255, rng.integers(0, 2, shape) / 1][rng.integers(3)])
    if dtype in NO_NUMPY: values = torch.tensor(values).to(getattr(torch, dtype)).float().numpy()
    else: values = np.array(255 * values if dtype == "uint8" else values, dtype)
    if dtype in GRAYS[1:] and values.size and rng.random() < 0.25:
        for _ in range(rng.integers(1, 3)):
            values.flat[rng.integers(values.size)] = rng.choice([np.nan, np.inf, -np.inf, -0.5, 1.5, 255, -2.**-14])
    return values


def is_gray(values, dtype): return dtype == "uint8" or dtype in GRAYS and bool(((values >= 0) & (values <= 1)).all())


# Ways to hold values. Each returns None where it does not apply; those that repeat values may hold others than they were given

def permuted(rng, x):
    axes = rng.permutation(x.ndim)
    return x.transpose(axes).copy().transpose(np.argsort(axes))


def reversed_steps(rng, x):
    if x.ndim == 0: return None
    turned = tuple(slice(None, None, int(step)) for step in rng.choice([-1, 1], x.ndim))
    return x[turned].copy()[turned]


def stepped(rng, x):
    "Every second or third element of an array that has NaN, or something else that is not in x, in between."
    if x.ndim == 0: return None
    steps = tuple(slice(0, max(0, n * s - s + 1), s) for n, s in zip(x.shape, map(int, rng.integers(1, 4, x.ndim))))
    between = {"f": np.nan, "u": 77}.get(x.dtype.kind, 3)
    large = np.full([s.stop + 5 for s in steps], between).astype(x.dtype)
    large[steps] = x
    return large[steps]


def read_only(rng, x):
    x.flags.writeable = False
    return x


def unaligned(rng, x):
    if x.dtype.kind == "O" or x.size == 0: return None
    view = np.zeros(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    view[...] = x
    return view


def field(rng, x):
    "One field of many records: its steps are no multiple of its size."
    records = np.zeros(x.shape, [("other", "u1"), ("gray", x.dtype)])
    records["gray"] = x
    return records["gray"]


def mapped(rng, x):
    if x.dtype.kind == "O" or x.size == 0: return None
    file, path = tempfile.mkstemp(dir=os.environ["FUZZ_FOLDER"])
    os.close(file)
    x.tofile(path)
    return np.memmap(path, x.dtype, str(rng.choice(["r", "c"])), shape=x.shape)


def masked(rng, x):
    if x.size == 0: return None
    mask = np.zeros(x.shape, bool)
    mask.flat[rng.integers(x.size)] = True
    return np.ma.array(x, mask=mask)


def stretched(rng, x): return np.broadcast_to(x[:1], x.shape) if len(x.shape) and len(x) else None


def windows(rng, x):
    "Images that overlap in memory: each begins one row further down."
    if x.ndim != 3 or 0 in x.shape or len(x) > x.shape[1]: return None
    return np.lib.stride_tricks.sliding_window_view(np.concatenate([x[0], x[-1]]), x.shape[1], axis=0).swapaxes(1, 2)[:len(x)]


def listed(rng, x): return [*x] if len(x.shape) and 0 not in x.shape else None


def both_kinds(rng, x):
    "Arrays and tensors in one list."
    if x.dtype not in (np.uint8, np.float32, np.float64): return None
    return [torch.from_numpy(i.copy()) if rng.random() < 0.5 else i for i in x] if x.ndim > 1 and x.size else None


def tensor_permuted(rng, x):
    axes = [int(i) for i in rng.permutation(x.ndim)]
    return x.permute(axes).clone(memory_format=torch.contiguous_format).permute([axes.index(i) for i in range(x.ndim)])


def tensor_stepped(rng, x): return x.new_zeros([2 * n for n in x.shape])[tuple(slice(1, None, 2) for _ in x.shape)].copy_(x)


def tensor_shifted(rng, x): return torch.cat([x.new_zeros(3), x.flatten(), x.new_zeros(2)])[3:3 + x.numel()].view(x.shape)


def with_grad(rng, x): return x.requires_grad_() if x.dtype.is_floating_point and x.dtype.itemsize > 1 else None


def computed(rng, x): return None if with_grad(rng, x) is None else x * 1


def inference(rng, x):
    with torch.inference_mode(): return x.clone()


def negative_bit(rng, x):
    "A view that says of its numbers that they are the negative of what lies in memory."
    if x.dtype not in (torch.float32, torch.float64): return None
    view = torch.complex(torch.zeros_like(x), -x).conj().imag
    assert view.is_neg()
    return view


def lists_of_tensors(rng, x): return [listed(rng, row) for row in x] if x.ndim > 1 and x.numel() else None


def sparse_rows(rng, x): return x.to_sparse_csr() if x.ndim == 2 and x.dtype in (torch.float32, torch.float64) else None


def imaginary(rng, x): return torch.complex(x.float(), x.float()) if x.dtype.is_floating_point else None


MUST, MAY, MUST_NOT = "taken", "either", "refused"
ARRAYS = {
    "plain array": (MUST, lambda rng, x: x),
    "Fortran": (MUST, lambda rng, x: np.asfortranarray(x) if x.ndim else None), "permuted": (MUST, permuted),
    "reversed": (MUST, reversed_steps), "stepped": (MUST, stepped), "read-only": (MUST, read_only),
    "unaligned": (MUST, unaligned), "byte-swapped": (MUST, lambda rng, x: x.astype(x.dtype.newbyteorder())),
    "field": (MUST, field), "memmap": (MUST, mapped), "subclass": (MUST, lambda rng, x: x.view(OddArray)),
    "stretched": (MUST, stretched), "windows": (MUST, windows),
    "matrix": (MUST, lambda rng, x: rare(np.matrix, x) if x.ndim == 2 else None),
    "scalar": (MAY, lambda rng, x: None if x.ndim else x[()]), "list of arrays": (MAY, listed),
    "list of both kinds": (MAY, both_kinds), "tuple of arrays": (MAY, lambda rng, x: listed(rng, x) and (*x,)),
    "nested list": (MAY, lambda rng, x: x.tolist() if x.size and x.dtype.kind in "biufc" else None),
    "like an array": (MAY, lambda rng, x: LikeAnArray(x)),
    "memoryview": (MAY, lambda rng, x: memoryview(x) if x.dtype.kind in "uif" and x.size else None),
    "nothing masked": (MAY, lambda rng, x: np.ma.array(x)), "masked": (MUST_NOT, masked),
    "objects": (MUST_NOT, lambda rng, x: x.astype(object)),
    "generator": (MUST_NOT, lambda rng, x: (i for i in np.atleast_1d(x))),
    "None": (MUST_NOT, lambda rng, x: None if x.ndim else Nothing)}
TENSORS = {
    "plain tensor": (MUST, lambda rng, x: x), "permuted tensor": (MUST, tensor_permuted),
    "stepped tensor": (MUST, tensor_stepped), "shifted tensor": (MUST, tensor_shifted),
    "tensor with a gradient": (MUST, with_grad), "computed tensor": (MUST, computed),
    "parameter": (MUST, lambda rng, x: torch.nn.Parameter(x, x.dtype.is_floating_point)),
    "stretched tensor": ( MUST, lambda rng, x: x[:1].expand(x.shape) if x.ndim and len(x) else None),
    "tensor subclass": (MUST, lambda rng, x: x.as_subclass(OddTensor)), "inference tensor": (MUST, inference),
    "negative bit": (MUST, negative_bit), "list of tensors": (MAY, listed),
    "list with gradients": (MAY, lambda rng, x: None if with_grad(rng, x) is None else listed(rng, x)),
    "lists of tensors": (MAY, lists_of_tensors), "meta": (MUST_NOT, lambda rng, x: x.to("meta")),
    "sparse rows": (MUST_NOT, sparse_rows), "sparse": (MUST_NOT, lambda rng, x: x.to_sparse() if x.ndim else None),
    "imaginary": (MUST_NOT, imaginary)}
REPEATING = ("stretched", "stretched tensor", "windows")


class Nothing: "Stands for None, which means something else above."


def peek(thing):
    "The values of an array or a strided tensor as they are now; None for anything else."
    if isinstance(thing, np.ma.MaskedArray): thing = thing.data
    if isinstance(thing, np.ndarray): return np.array(thing)
    if not isinstance(thing, torch.Tensor) or thing.is_meta or thing.layout != torch.strided: return None
    plain = thing.detach().resolve_neg().as_subclass(torch.Tensor)
    return (plain.float() if str(plain.dtype).removeprefix("torch.") in NO_NUMPY else plain).numpy().copy()


def draw(rng, shape, odd=0.2, only=None):
    "Some `thing` with `values`, a plain array; whether these are `fine` as grays, and whether they `must` be taken in this form."
    shape = tuple(int(n) for n in shape)
    dtype = str(rng.choice(only or (OTHERS if rng.random() < odd else GRAYS)))
    values, thing = random_values(rng, shape, dtype), None
    ways = ARRAYS if dtype in NO_TORCH else TENSORS if dtype in NO_NUMPY else ARRAYS | TENSORS
    while thing is None:
        way = str(rng.choice([*ways]))
        asked, make = ways[way]
        x = values.copy() if way in ARRAYS else torch.from_numpy(values.copy()).to(getattr(torch, dtype))
        try: thing = make(rng, x)
        except (NotImplementedError, RuntimeError):  # torch can do little with 8-bit floats and wide unsigned integers
            assert dtype not in GRAYS
    if way in REPEATING: values = peek(thing)
    if thing is Nothing: thing = None
    gray = is_gray(values, dtype)
    flaw = way if asked == MUST_NOT else dtype if dtype not in GRAYS else "" if gray else "a bad value"
    return SimpleNamespace(values=values, thing=thing, shape=shape, dtype=dtype, before=peek(thing), flaw=flaw,
                           fine=gray and asked != MUST_NOT, must=asked == MUST, refuse=asked == MUST_NOT,
                           tensor=isinstance(thing, torch.Tensor),
                           what=f"{way} of {dtype} {shape}" + f" with {flaw}" * (flaw == "a bad value"))


def stack_shape(rng, h=None, w=None):
    "The shape of a stack of images, mostly."
    n, h, w = int(rng.integers(0, 5)), h or int(rng.integers(1, 10)), w or int(rng.integers(1, 10))
    if rng.random() < 0.75: return n, h, w
    odd = [(), (w,), (h, w), (n, 1, h, w), (n, 3, h, w), (n, h, w, 1), (n, h, w, 3), (n, h * w), (2, n, 1, h, w),
           (n, 0, w), (n, h, 0), (n, w, h), (n, h + 1, w), (n, h, 1), (n, 1, w), (0, 0, 0)]
    return odd[rng.integers(len(odd))]


def sides(rng): return (int(n) for n in rng.integers(1, 10, 2))


def is_stack(d): return len(d.shape) == 3 and 0 not in d.shape[1:]


def is_real(d): return d.dtype not in NO_TORCH and not d.dtype.startswith("complex") and not d.refuse


def unit(d): return d.values / 255 if d.dtype == "uint8" else d.values.astype(np.float64)


def is_whole(d): return np.array_equal(np.round(unit(d) * 255).astype(np.float32) / np.float32(255), unit(d).astype(np.float32))


# What is tried at each entry: the call, how its result is checked (None if there must be none), and whether it may be refused

def case(call, check, may_refuse, *drawn): return SimpleNamespace(call=call, check=check, may_refuse=may_refuse, drawn=drawn)


def close(found, wanted, atol=2e-6):
    if isinstance(found, torch.Tensor): found = found.detach().double().numpy()
    assert np.shape(found) == np.shape(wanted), f"shape {np.shape(found)}, not {np.shape(wanted)}"
    assert np.allclose(found, wanted, atol=atol, rtol=1e-5, equal_nan=True), f"{np.ravel(found)[:4]}, not {np.ravel(wanted)[:4]}"


def same(found, wanted): assert found == wanted, f"{found}, not {wanted}"


def slow_distances(x, prototypes, distance):
    "The definition, in float64, shape (n, k)."
    d = x[:, None] - prototypes
    return np.abs(d).mean((-1, -2)) if distance == "l1" else np.sqrt(np.square(d).mean((-1, -2)))


def near(index, slow):
    "Is each the number of the smallest distance, but for rounding?"
    index = np.asarray(index, int)
    assert index.shape == slow.shape[:1], f"shape {index.shape}, not {slow.shape[:1]}"
    assert (slow[np.arange(len(slow)), index]**2 <= slow.min(1)**2 + 1e-5).all(), f"{index} for distances {slow.tolist()}"


def try_to_float(rng, to_float=to_float):
    d = draw(rng, stack_shape(rng))
    def check(found):
        same((type(found), found.dtype), (torch.Tensor, torch.float32))
        close(found, unit(d), 1e-7)
    return case(lambda: to_float(d.thing), check if d.fine else None, not d.must, d)


def try_ink_coverage(rng):
    d = draw(rng, stack_shape(rng))
    def check(found): close(found, (d.values > 0).mean((1, 2)))
    return case(lambda: ink_coverage(d.thing), check if d.fine and is_stack(d) else None, not d.must, d)


def try_best_threshold(rng):
    n = int(rng.integers(2, 7))
    d, above = draw(rng, (n,) if rng.random() < 0.8 else stack_shape(rng), 0.4), draw(rng, (n,), only=("bool",))
    real = d.shape == (n,) and is_real(d) and not above.refuse
    values = d.values.astype(float) if real else np.array([np.nan])
    levels = np.unique(values) if np.isfinite(values).all() else []
    def check(found):
        middles = (levels[1:] + levels[:-1]) / 2
        shares = [((values > middle) == above.values).mean() for middle in middles]
        same(found, (middles[np.argmax(shares)], max(shares)))
    return case(lambda: best_threshold(d.thing, above.thing), check if len(levels) > 1 else None,
                not (d.must and above.must and d.dtype in GRAYS), d, above)


GOOD_LABELS = ("list", "words", "array", "array of words", "byte-swapped", "reversed", "stepped", "read-only", "tensor",
               "int32 tensor", "uint8 tensor", "stepped tensor", "list of tensors", "list of numbers", "tuple", "bools",
               "like an array", "subclass", "negative", "objects")
BAD_LABELS = ("floats", "float tensor", "missing", "NaN", "missing word", "longer", "shorter", "column", "one", "bytes",
              "mixed", "masked", "bfloat16", "gradient", "meta", "sparse", "complex", "dict", "generator", "dates", "ragged")


def draw_labels(rng, n, bad=0.3):
    "Labels in some odd form: their `values` in a list, the `thing`, its `kind`, and whether it is `fine`; three classes at most."
    kind = str(rng.choice(BAD_LABELS if n and rng.random() < bad else GOOD_LABELS))
    v = [int(x) for x in rng.choice([3, 7, 100], n, p=[.5, .3, .2])]
    a, t, words = np.array(v, np.int64), torch.tensor(v, dtype=torch.int64), [f"é{x}" for x in v]
    i = int(rng.integers(max(1, n)))
    def put(values, x): return [*values[:i], x, *values[i + 1:]]
    makes = {
        "list": lambda: v, "words": lambda: words,
        "array": lambda: a.astype(str(rng.choice(["i1", "u1", "i2", "u4", "i4", "i8", "u8"]))),
        "array of words": lambda: np.array(words),
        "byte-swapped": lambda: a.astype(">i4" if rng.random() < 0.5 else ">u8"),
        "reversed": lambda: a[::-1].copy()[::-1], "stepped": lambda: np.repeat(a, 3)[::3],
        "read-only": lambda: read_only(rng, a), "tensor": lambda: t, "int32 tensor": lambda: t.int(),
        "uint8 tensor": lambda: t.byte(), "stepped tensor": lambda: t.repeat_interleave(2)[::2],
        "list of tensors": lambda: [*t], "list of numbers": lambda: [np.int16(x) for x in v], "tuple": lambda: (*v,),
        "bools": lambda: a > 3, "like an array": lambda: LikeAnArray(a), "subclass": lambda: a.view(OddArray),
        "negative": lambda: -a, "floats": lambda: a.astype(float), "float tensor": lambda: t.float(),
        "missing": lambda: put(v, None), "NaN": lambda: put(v, np.nan), "missing word": lambda: put(words, None),
        "longer": lambda: [*v, 3], "shorter": lambda: v[:-1], "column": lambda: a[:, None], "one": lambda: 3,
        "bytes": lambda: a.astype("S"), "mixed": lambda: [*put(v, "a"), 3][:max(2, n)],
        "masked": lambda: np.ma.array(a, mask=np.arange(n) == i), "bfloat16": lambda: t.bfloat16(),
        "gradient": lambda: t.float().requires_grad_(), "meta": lambda: t.to("meta"), "sparse": lambda: t.to_sparse(),
        "complex": lambda: t * 1j, "dict": lambda: dict(enumerate(v)), "generator": lambda: (x for x in v),
        "dates": lambda: a.astype("M8[D]"), "objects": lambda: a.astype(object), "ragged": lambda: put(v, [3, 7])}
    values = {"words": words, "array of words": words, "bools": [x > 3 for x in v], "negative": [-x for x in v]}
    return SimpleNamespace(values=values.get(kind, v), thing=makes[kind](), fine=kind in GOOD_LABELS, must=kind != "objects",
                           kind=kind, flaw=kind * (kind in BAD_LABELS), before=None, what=f"labels: {kind} of {n}")


def try_class_means(rng):
    d = draw(rng, stack_shape(rng))
    y = draw_labels(rng, d.shape[0] if d.shape else 1)
    classes = [*dict.fromkeys(y.values)] or [3]
    if rng.random() < 0.1: classes.append(5)
    fine = d.fine and is_stack(d) and y.fine and {*classes} <= {*y.values}
    def check(found): close(found, [unit(d)[[label == c for label in y.values]].mean(0) for c in classes])
    return case(lambda: class_means(d.thing, y.thing, classes), check if fine else None, not (d.must and y.must), d, y)


def try_fit(rng, way="fit"):
    d = draw(rng, stack_shape(rng))
    n = d.shape[0] if d.shape else 1
    y, prototype = draw_labels(rng, n), str(rng.choice(["mean", "mean", "median"]))
    with_channel = way == "batches" and len(d.shape) == 4 and d.shape[1] in (1, 3) and 0 not in d.shape
    x = unit(d) if d.fine and is_stack(d) else None
    if d.fine and with_channel and (d.values == d.values[:, :1]).all(): x = unit(d)[:, 0]
    enough = len({*y.values}) > (way != "partial_fit")
    learns = x is not None and y.fine and enough and (prototype == "mean" or is_whole(d))
    nothing = x is not None and n == 0 and way == "partial_fit"
    model, middle = PixelSimilarity(prototype=prototype), np.mean if prototype == "mean" else np.median
    def check(found):
        assert found is model and hasattr(model, "classes_") == (not nothing)
        if nothing: return
        classes = sorted({*y.values})
        same((model.classes_.tolist(), model.counts_.tolist()), (classes, [y.values.count(c) for c in classes]))
        close(model.prototypes_, [middle(x[[label == c for label in y.values]], axis=0) for c in classes], 3e-6)
        same((model.prototypes_.dtype, model.prototypes_.requires_grad), (torch.float32, False))
    calls = {"fit": lambda: model.fit(d.thing, y.thing), "partial_fit": lambda: model.partial_fit(d.thing, y.thing),
             "batches": lambda: model.fit(iter([(d.thing, y.thing)]))}
    return case(calls[way], check if learns or nothing else None, not (d.must and y.must), d, y)


def fitted(rng, h, w):
    "A model of two to four classes, named '0' to '3', and its prototypes in float64."
    k = int(rng.integers(2, 5))
    images = rng.integers(0, 256, (3 * k, h, w), dtype=np.uint8)
    model = PixelSimilarity(str(rng.choice(["l1", "l2"])), str(rng.choice(["mean", "median"])))
    middle = np.mean if model.prototype == "mean" else np.median
    return model.fit(images, [str(i % k) for i in range(3 * k)]), np.stack([middle(images[i::k] / 255, axis=0) for i in range(k)])


def try_classifier(rng, way="distances"):
    h, w = sides(rng)
    model, prototypes = fitted(rng, h, w)
    d, invert = draw(rng, stack_shape(rng, h, w)), bool(rng.random() < 0.3)
    fine, n = d.fine and is_stack(d) and d.shape[1:] == (h, w), d.shape[0] if d.shape else 1
    slow = slow_distances(1 - unit(d) if invert else unit(d), prototypes, model.distance) if fine else None
    actual = [str(i) for i in rng.integers(0, len(prototypes), n)]
    def check_score(found):
        if (np.diff(np.sort(slow, 1)[:, :2]) < 1e-3).any(): return  # that one could be either
        close(found, np.mean([int(c) == i for c, i in zip(actual, slow.argmin(1))]))
    call, check = {"distances": (lambda: model.distances(d.thing, invert), lambda found: close(found, slow, 3e-6)),
                   "predict": (lambda: model.predict(d.thing, invert), lambda found: near(found, slow)),
                   "score": (lambda: model.score(d.thing, actual, invert), check_score)}[way]
    return case(call, check if fine and (n or way != "score") else None, not d.must, d)


def try_module(rng):
    h, w = sides(rng)
    model, prototypes = fitted(rng, h, w)
    d = draw(rng, stack_shape(rng, h, w))
    has_channel = len(d.shape) == 4 and d.shape[1] in (1, 3) and d.fine and (d.values == d.values[:, :1]).all()
    x = (unit(d)[:, 0] if has_channel else unit(d)) if d.fine else None
    fine = d.fine and x.ndim == 3 and x.shape[1:] == (h, w)
    def check(found): close(found, -2 * slow_distances(x, prototypes, model.distance), 6e-6)
    return case(lambda: model.module(scale=2.)(d.thing), check if fine else None, not d.must, d)


def try_prototypes(rng):
    d = draw(rng, stack_shape(rng))
    def check(net):
        close(net.prototypes, unit(d), 1e-7)
        same(([*net.state_dict()], net.prototypes.is_leaf, net.prototypes.requires_grad), (["prototypes"], True, False))
    fine = d.fine and is_stack(d) and len(d.values) > 0
    return case(lambda: NearestPrototype(d.thing), check if fine else None, not d.must, d)


def try_as_images(rng):
    d = draw(rng, stack_shape(rng))
    invert, resize = bool(rng.random() < 0.3), [None, None, (3, 4), (9, 2)][rng.integers(4)]
    def check(found):
        full = 255 if found.dtype == torch.uint8 else 1
        if resize in (None, d.shape[1:]): return close(found.double() / full, 1 - unit(d) if invert else unit(d), 1e-3)
        same(tuple(found.shape), (d.shape[0], *resize))
        assert found.numel() == 0 or -1e-6 <= found.min() and found.max() <= full + 1e-6, f"{found.aminmax()}"
    return case(lambda: as_images(d.thing, invert, resize), check if d.fine and is_stack(d) else None, not d.must, d)


def try_mostly_bright(rng):
    d = draw(rng, stack_shape(rng, *(int(n) for n in rng.integers(6, 12, 2))))
    def is_bright(i): return np.median([*i[0], *i[-1], *i[:, 0], *i[:, -1]]) > (127 if d.dtype == "uint8" else 0.5)
    def check(found):
        assert isinstance(found, bool), repr(found)
        if not (d.fine and is_stack(d)): return  # it is no check of values
        same(found, bool(len(d.values) and min(d.shape[1:]) >= 8 and np.mean([is_bright(i) for i in d.values]) > 0.5))
    return case(lambda: mostly_bright(d.thing), check, not (d.must and d.tensor and d.fine and is_stack(d)), d)


def try_nearest(rng):
    h, w = sides(rng)
    d, p, distance = draw(rng, stack_shape(rng, h, w)), draw(rng, stack_shape(rng, h, w)), str(rng.choice(["l1", "l2"]))
    fine = d.fine and p.fine and is_stack(d) and is_stack(p) and d.shape[1:] == p.shape[1:] and len(p.values) > 0
    def check(found): near(found, slow_distances(unit(d), unit(p), distance)) if fine else same(len(found), 0)
    return case(lambda: nearest(d.thing, p.thing, distance), check if fine or 0 in d.shape[:1] else None,
                not (fine and d.must and d.tensor and p.must and p.tensor and p.dtype != "uint8"), d, p)


def try_counts(rng, count=class_sums):
    d, k = draw(rng, stack_shape(rng)), int(rng.integers(1, 4))
    n = d.shape[0] if d.shape else 1
    good = ("int64", "int64", "int64", "int64", "int32", "uint8", "NumPy", "list")
    kind = str(rng.choice([*good, *(["float32", "longer", "too large", "negative", "column", "None"] if n else [])]))
    numbers = rng.integers(0, k, n + (kind == "longer"))
    if kind in ("too large", "negative"): numbers[-1] = k if kind == "too large" else -1
    tensor = torch.from_numpy(numbers)
    index = {"NumPy": numbers, "list": numbers.tolist(), "column": tensor[:, None], "None": None, "int32": tensor.int(),
             "uint8": tensor.byte(), "float32": tensor.float()}.get(kind, tensor)
    fine = d.fine and is_stack(d) and kind in good and (count is class_sums or is_whole(d))
    def check(found):
        if not fine: return same(found.numel(), 0)
        x = np.round(unit(d) * 255).astype(int) if count is class_histograms else unit(d) * 255
        for j in range(k):
            mine = x[numbers == j]
            close(found[j], mine.sum(0) if count is class_sums else (mine[..., None] == np.arange(256)).sum(0), 1e-3)
    return case(lambda: count(d.thing, index, k), check if fine or 0 in d.shape[1:] else None,
                not (fine and d.must and d.tensor and kind == "int64"), d,
                SimpleNamespace(what=f"index: {kind}", flaw=kind * (kind not in good), before=None, values=numbers))


def try_distance(rng, distance=l1_distance):
    h, w = sides(rng)
    a = draw(rng, stack_shape(rng, h, w), only=GRAYS[1:] if distance is mnist_distance and rng.random() < 0.8 else None)
    n = a.shape[0] if a.shape else 1
    fitting = [(h, w), (1, h, w), (n, h, w), (3, 1, h, w)][rng.integers(4)]
    b = draw(rng, stack_shape(rng, h, w) if rng.random() < 0.3 else fitting, odd=0.05)
    if rng.random() < 0.5: a, b = b, a
    try: fits = np.broadcast_shapes(a.shape[:-2], b.shape[:-2]) is not None
    except ValueError: fits = False
    fits = fits and min(len(a.shape), len(b.shape)) >= 2 and a.shape[-2:] == b.shape[-2:] and 0 not in a.shape[-2:]
    fine = all(d.fine and (distance is not mnist_distance or d.dtype != "uint8") for d in (a, b))
    either = distance is mnist_distance and not all(d.fine and d.must and d.tensor for d in (a, b))  # it checks less, and says so
    def check(found):
        if either and not fine: return
        x = unit(a) - unit(b)
        close(found, np.sqrt(np.square(x).mean((-1, -2))) if distance is l2_distance else np.abs(x).mean((-1, -2)),
              2e-2 if distance is mnist_distance else 2e-6)
        assert found.dtype == torch.float32 or distance is mnist_distance
    return case(lambda: distance(a.thing, b.thing), check if fits and fine or either else None,
                not (a.must and b.must) or either, a, b)


def try_explain_shape(rng):
    d = draw(rng, stack_shape(rng), 0.4)
    def check(table):
        rows = {row[0]: row[1] for row in table.rows}
        same((rows["shape"], rows["rank"]), (str(tuple(d.thing.shape)), str(d.thing.ndim)))
        same(rows["dtype"], str(d.thing.dtype).removeprefix("torch."))
        if d.refuse: return
        contiguous = d.thing.is_contiguous() if d.tensor else d.thing.flags.c_contiguous
        same(rows["contiguous"], "yes" if contiguous else "no")
        if d.tensor: same(rows["stride"], str(d.thing.stride()))
    known = isinstance(d.thing, (np.ndarray, torch.Tensor))
    return case(lambda: explain_shape(d.thing), check if known else None, d.refuse or not d.must, d)


def try_show(rng, kind="image"):
    h, w = sides(rng)
    rank = 3 if kind == "images" else 2
    d = draw(rng, (int(rng.integers(1, 3)), h, w)[-rank:] if rng.random() < 0.7 else stack_shape(rng, h, w))
    e = draw(rng, d.shape if rng.random() < 0.8 else (h, w), odd=0)
    call = {"image": lambda: show_image(d.thing), "numbers": lambda: show_numbers(d.thing),
            "images": lambda: show_images(d.thing)[-1], "difference": lambda: show_difference(d.thing, e.thing)}[kind]
    fine = d.fine and len(d.shape) == rank and 0 not in d.shape
    if kind == "difference": fine = fine and e.fine and d.shape == e.shape and (d.dtype == "uint8") == (e.dtype == "uint8")
    shown = (d, e) if kind == "difference" else (d,)
    def check(ax):
        ax.figure.canvas.draw()
        if not d.must: return  # lists may lose their type
        drawn = {"difference": lambda: unit(d) - unit(e), "images": lambda: d.values[-1]}.get(kind, lambda: d.values)()
        close(ax.images[0].get_array(), drawn, 2e-6)
        same(ax.images[0].get_clim(), (-1, 1) if kind == "difference" else (0, 255 if d.dtype == "uint8" else 1))
    return case(call, check if fine else None, not all(x.must for x in shown), *shown)


def try_accuracy(rng, measure=accuracy):
    n = int(rng.integers(0, 7))
    y = draw_labels(rng, n)
    p = draw_labels(rng, n, bad=0.1 if y.fine else 0)
    if rng.random() < 0.6 and y.fine:
        p.values = [y.values[i] for i in rng.permutation(n)]
        p.thing, p.fine, p.flaw, p.kind, p.what = p.values, True, "", "list", "labels: the same, shuffled"
    floats, others = ("floats", "float tensor", "bfloat16", "gradient"), ("dates", "bytes", "complex")  # these may be compared
    alike = n and all(x.fine or x.kind in floats + others for x in (y, p))
    alike = alike and isinstance(y.values[0], str) == isinstance(p.values[0], str)
    classes = [*dict.fromkeys([*y.values, *p.values])]
    def check(found):
        hits = [a == b for a, b in zip(y.values, p.values)]
        if {y.kind, p.kind} & {*others}: return
        if measure is accuracy: close(found, np.mean(hits))
        elif measure is class_accuracies:
            same(found, {c: np.mean([hit for hit, label in zip(hits, y.values) if label == c]) for c in {*y.values}})
        else:
            pairs = Counter(zip(y.values, p.values))
            same(found.tolist(), [[pairs[row, column] for column in classes] for row in classes])
    call = (lambda: measure(p.thing, y.thing, classes)) if measure is confusion_matrix else (lambda: measure(p.thing, y.thing))
    return case(call, check if alike else None, not (y.fine and p.fine and y.must and p.must), p, y)


def try_worst_mistakes(rng):
    n, k = int(rng.integers(0, 6)), int(rng.integers(1, 4))
    classes = [3, 7, 100][:k]
    d = draw(rng, (n, k) if rng.random() < 0.8 else stack_shape(rng), 0.3)
    actual = rng.integers(0, k, n)
    real = d.shape == (n, k) and is_real(d)
    x = d.values.astype(float) if real else np.array([np.nan])
    def check(found):
        mistakes = [i for i in range(n) if x[i].argmin() != actual[i]]
        same(sorted(found.tolist()), mistakes)
        behind = [x[i, actual[i]] - x[i].min() for i in found.tolist()]
        assert np.isinf(x).any() or all(a >= b - 1e-2 for a, b in zip(behind, behind[1:])), f"{found.tolist()} behind by {behind}"
    return case(lambda: worst_mistakes(d.thing, [classes[i] for i in actual], classes),
                check if real and not np.isnan(x).any() else None,
                not (d.must and d.tensor and d.dtype in GRAYS and np.isfinite(x).all()), d)


TRIES = {
    "to_float": (try_to_float, 3000), "ink_coverage": (try_ink_coverage, 1500),
    "best_threshold": (try_best_threshold, 1000), "class_means": (try_class_means, 1500), "fit": (try_fit, 3000),
    "partial_fit": (lambda rng: try_fit(rng, "partial_fit"), 1500),
    "fit of batches": (lambda rng: try_fit(rng, "batches"), 1500), "distances": (try_classifier, 1500),
    "predict": (lambda rng: try_classifier(rng, "predict"), 3000),
    "score": (lambda rng: try_classifier(rng, "score"), 1500), "module": (try_module, 1500),
    "NearestPrototype": (try_prototypes, 1500), "as_images": (try_as_images, 3000),
    "mostly_bright": (try_mostly_bright, 1500), "nearest": (try_nearest, 3000), "class_sums": (try_counts, 1500),
    "class_histograms": (lambda rng: try_counts(rng, class_histograms), 600), "l1_distance": (try_distance, 2000),
    "l2_distance": (lambda rng: try_distance(rng, l2_distance), 2000),
    "mnist_distance": (lambda rng: try_distance(rng, mnist_distance), 2000),
    "explain_shape": (try_explain_shape, 1500), "accuracy": (try_accuracy, 1500),
    "class_accuracies": (lambda rng: try_accuracy(rng, class_accuracies), 1500),
    "confusion_matrix": (lambda rng: try_accuracy(rng, confusion_matrix), 1500),
    "worst_mistakes": (try_worst_mistakes, 1500), "show_image": (try_show, 100),
    "show_numbers": (lambda rng: try_show(rng, "numbers"), 60),
    "show_images": (lambda rng: try_show(rng, "images"), 60),
    "show_difference": (lambda rng: try_show(rng, "difference"), 100)}


def problem(tried):
    "What is wrong with this try, as a headline and a sentence, or None; and whether it was refused."
    try: found = tried.call()
    except (TypeError, ValueError) as e:
        if not str(e).strip(): return ("refused without a word", repr(e)), True
        return ("refused, though it is fine", f"{type(e).__name__}: {e}") if tried.check and not tried.may_refuse else None, True
    except Exception as e: return ("another kind of error", f"{type(e).__name__}: {e}"), True
    for d in tried.drawn:
        if d.before is not None and not np.array_equal(d.before, peek(d.thing), equal_nan=d.before.dtype.kind in "fc"):
            return ("it changed what it was given", d.what), False
    if tried.check is None: return ("taken, though it is not fine", repr(found)), False
    try: tried.check(found)
    except Exception as e: return ("a wrong result", f"{type(e).__name__}: {e}"), False
    return None, False


def attack(make, n, seed=1):
    "Try `n` random inputs: how many were taken, how many refused, and of each kind of problem how many, with the smallest example."
    counts, problems, seen = [0, 0], {}, Counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for i in range(n):
            tried = make(np.random.default_rng([seed, i]))
            bad, refused = problem(tried)
            counts[refused] += 1
            plt.close("all")
            if not bad: continue
            what = "; ".join(d.what for d in tried.drawn)
            taken = bad[0].startswith("taken")
            key = bad[0], "; ".join(d.flaw for d in tried.drawn) if taken else re.sub(r"'\w+'|[^A-Za-z]+", " ", bad[1])[:30]
            seen[key] += 1
            size = sum(np.size(d.values) for d in tried.drawn), len(what)
            if key not in problems or size < problems[key][0]: problems[key] = size, f"{bad[0]}: {what}: {bad[1][:200]} (try {i})"
    return *counts, [f"{seen[key]} times {problems[key][1]}" for key, _ in seen.most_common()]


CHILD = """
import faulthandler, json, sys
faulthandler.enable()
sys.path.insert(0, sys.argv[1])
import matplotlib
matplotlib.use("Agg")
import test_arrays, torch
torch.set_num_threads(1)
print(json.dumps({name: test_arrays.attack(*test_arrays.TRIES[name]) for name in [*test_arrays.TRIES][int(sys.argv[2])::2]}))
"""
TRIED = {}


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    "What came of each attack. In two processes of their own, so that a crash or an endless loop is a failure like any other."
    path = os.pathsep.join(filter(None, [str(Path(pixelsim.__file__).parents[1]), os.getenv("PYTHONPATH")]))
    env = os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1",
                        "FUZZ_FOLDER": str(tmp_path_factory.mktemp("maps"))}
    command = [sys.executable, "-W", "ignore", "-c", CHILD, str(Path(__file__).parent)]
    started = [subprocess.Popen([*command, str(part)], env=env, encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
               for part in (0, 1)]
    results = {}
    try:
        for process in started:
            out, err = process.communicate(timeout=300)
            assert process.returncode == 0, f"ended with {process.returncode}: {err[-3000:]}"
            results |= json.loads(out.splitlines()[-1])
    finally:
        for process in started: process.kill()
    return results


@pytest.mark.parametrize("name", TRIES)
def test_random_arrays(attacked, name):
    "What is fine gives what NumPy gives in float64; what is not, a TypeError or ValueError that says something; nothing is changed."
    taken, refused, problems = attacked[name]
    TRIED[name] = taken, refused
    assert not problems, "\n".join(problems[:20])
    assert min(taken, refused) > 0.04 * (taken + refused)


def test_an_attack_finds_what_is_wrong(tmp_path, monkeypatch):
    "The control: a conversion that one would write by hand fails in each of the ways that are looked for."
    def naive(x):
        x = torch.as_tensor(x).float()
        if x.ndim == 1: raise ValueError
        if x.ndim == 4: x -= x.amax()
        return x / 255 if x.numel() and x.max() > 1 else x  # a guess
    monkeypatch.setenv("FUZZ_FOLDER", str(tmp_path))
    problems = attack(lambda rng: try_to_float(rng, naive), 800)[2]
    assert {re.sub(r"^\d+ times |:.*", "", text, flags=re.DOTALL) for text in problems} == {
        "refused without a word", "refused, though it is fine", "another kind of error", "taken, though it is not fine",
        "a wrong result", "it changed what it was given"}
