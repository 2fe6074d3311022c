"""Arrays of every kind, at every entry that takes images: the right result, or an error that says what was wrong and how to mend it.

First every kind of array that is none of ours, each refused in its own words; then random arrays in all forms.
"""
from collections import Counter
from collections.abc import Iterator
from copy import copy
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.spatial.distance import cdist
from strategies import masked, odd_arrays, quietly

from pixelsim.classifier import PixelSimilarity
from pixelsim.distances import l1_distance, l2_distance
from pixelsim.images import as_images
from pixelsim.means import class_means
from pixelsim.pixels import ink_coverage, to_float
from pixelsim.show import show_difference, show_image, show_images, show_numbers
from pixelsim.torch_module import NearestPrototype

pytestmark = pytest.mark.filterwarnings("ignore:most of the images:UserWarning")  # noise has any border
H, W = 8, 9  # smaller ones are not asked for their borders


@cache
def known(distance="l1"):
    "A model of three classes, one image each."
    return PixelSimilarity(distance).fit(np.random.default_rng(0).integers(0, 256, (3, H, W), dtype=np.uint8), [0, 1, 2])


def means(): return known().prototypes_.numpy()


def far(x, distance="l1"):
    "SciPy's distance of each image to each mean."
    found = cdist(x.reshape(-1, H * W), means().reshape(3, -1).astype(float), {"l1": "cityblock", "l2": "euclidean"}[distance])
    return found / (H * W if distance == "l1" else (H * W)**0.5)


def labels_for(n): return np.arange(n) % 2


def averages(x): return np.array([x[labels_for(len(x)) == c].mean(0) for c in (0, 1)[:len(x)]])


# What comes of images in float64, if their shape will do; None if it will not

def stack(oracle, least=0): return lambda x: oracle(x) if x.ndim == 3 and 0 not in x.shape[1:] and len(x) >= least else None


def sized(oracle, least=0): return stack(lambda x: oracle(x) if x.shape[1:] == (H, W) else None, least)


def batch(oracle):
    "An axis for channels is taken away, if there is one, or three that are the same."
    return lambda x: oracle(x[:, 0] if x.ndim == 4 and x.shape[1] in (1, 3) and (x == x[:, :1]).all() else x)


def picture(oracle): return lambda x: oracle(x) if x.ndim == 2 and x.size else None


def drawn(ax):
    plt.close(ax.figure)
    return np.asarray(ax.images[0].get_array()) / ax.images[0].get_clim()[1]


# By name: a call with images and a label for each, and what should come of it
ANY_SIZE = {
    "fit": (lambda x, y: PixelSimilarity().fit(x, y).prototypes_, stack(averages, 2)),
    "partial_fit": (lambda x, y: getattr(PixelSimilarity().partial_fit(x, y), "prototypes_", []), stack(averages)),
    "class_means": (lambda x, y: class_means(x, y, [0, 1]), stack(averages, 2)),
    "as_images": (lambda x, y: to_float(as_images(x)), stack(lambda x: x)),
    "inverted": (lambda x, y: to_float(as_images(x, invert=True)), stack(lambda x: 1 - x)),
    "ink_coverage": (lambda x, y: ink_coverage(x), stack(lambda x: (x > 0).mean((1, 2))))}
ONE_SIZE = {
    "distances": (lambda x, y: known().distances(x), sized(far)),
    "distances by L2": (lambda x, y: known("l2").distances(x), sized(lambda x: far(x, "l2"))),
    "predict": (lambda x, y: known().predict(x), sized(lambda x: far(x).argmin(1))),
    "predict by L2": (lambda x, y: known("l2").predict(x), sized(lambda x: far(x, "l2").argmin(1))),
    "score": (lambda x, y: known().score(x, y), sized(lambda x: (far(x).argmin(1) == labels_for(len(x))).mean(), 1))}
ANY_SHAPE = {
    "to_float": (lambda x, y: to_float(x), lambda x: x),
    "l1_distance": (lambda x, y: l1_distance(x, means()[0]), lambda x: far(x)[:, 0].reshape(x.shape[:-2]) if x.shape[-2:] == (H, W) else None),
    "l2_distance": (lambda x, y: l2_distance(means()[0], x),
                    lambda x: far(x, "l2")[:, 0].reshape(x.shape[:-2]) if x.shape[-2:] == (H, W) else None)}
BATCHES = {
    "module": (lambda x, y: known().module(scale=2.)(x), batch(sized(lambda x: -2 * far(x)))),
    "batches": (lambda x, y: PixelSimilarity().fit(iter([(x, y)])).prototypes_, batch(stack(averages, 2)))}
PROTOTYPES = {"prototypes": (lambda x, y: NearestPrototype(x).prototypes, stack(lambda x: x, 1))}
PICTURES = {
    "show_image": (lambda x, y: drawn(show_image(x)), picture(lambda x: x)),
    "show_numbers": (lambda x, y: drawn(show_numbers(x)), picture(lambda x: x)),
    "show_images": (lambda x, y: drawn(show_images(x)[-1]), stack(lambda x: x[-1], 1)),
    "show_difference": (lambda x, y: drawn(show_difference(x, x)), picture(np.zeros_like))}
ENTRIES = ANY_SIZE | ONE_SIZE | ANY_SHAPE | BATCHES


def message(name, x, n=6):
    "What the entry says when it refuses this, or what came instead of a refusal."
    try: found = (ENTRIES | PROTOTYPES | PICTURES)[name][0](x, labels_for(n))
    except (TypeError, ValueError) as e: return str(e)
    return f"NO ERROR, BUT: {found!r}"


def told_apart(name, kinds):
    "For each kind of mistake what its message lacks, and which kinds share one."
    said = {kind: message(name, thing) for kind, (thing, _) in kinds.items()}
    lines = [f"{kind}: {part!r} is not in {said[kind]!r}" for kind, (_, parts) in kinds.items() for part in parts if part not in said[kind]]
    return "\n".join(lines + [f"{n} kinds get {text!r}" for text, n in Counter(said.values()).items() if n > 1])


# Each mistake in its own words

def some(*values, at=()):
    "Six images in floats, with these values at these places."
    images = torch.rand(6, H, W, generator=torch.Generator().manual_seed(0)) * 0.9
    for value, place in zip(values, at): images[place] = value
    return images


def no_grays():
    "What is handed over, and what the error has to say about it: what it got, and a way out."
    whole, floats = (some() * 255).byte(), some()
    long = floats.numpy().astype(np.longdouble)
    return {
        "None": (None, ["None", "pass a tensor"]),
        "complex": (torch.complex(floats, floats), ["complex64", ".real"]),
        "complex array": (floats.numpy().astype(complex), ["complex128", ".real"]),
        "sparse": (floats.to_sparse(), ["sparse_coo", ".to_dense()"]),
        "sparse rows": (quietly(floats[0].to_sparse_csr), ["sparse_csr", ".to_dense()"]),
        "SciPy's sparse": (sparse.csr_array(floats[0].numpy()), ["sparse matrix", ".toarray()"]),
        "meta": (floats.to("meta"), ["meta device", "on the CPU"]),
        "nested": (quietly(torch.nested.nested_tensor, [torch.zeros(H, W), torch.zeros(7, W)]), ["nested", "ordinary"]),
        "quantized": (quietly(torch.quantize_per_tensor, floats, 1 / 255, 0, torch.quint8), ["quint8", ".dequantize()"]),
        "bool": (whole > 0, ["torch.bool", ".float()"]),
        "long": (whole.long(), ["torch.int64", ".to(torch.uint8)"]),
        "16 bits": (whole.numpy().astype(np.uint16), ["uint16", "uint8"]),
        "8-bit floats": (floats.to(torch.float8_e4m3fn), ["float8_e4m3fn", ".float()"]),
        "words": (np.array([["a", "b"]] * 2), ["<U1", "pass a tensor"]),
        "objects": (np.array([[3, None]]), ["object", "pass a tensor"]),
        "dates": (np.zeros((6, H, W), "M8[s]"), ["datetime64", "pass a tensor"]),
        "records": (np.zeros((6, H, W), [("gray", "u1")]), ["gray", "pass a tensor"]),
        "dict": ({3: whole}, ["dict", "pass a tensor"]),
        "masked": (masked(floats.numpy()), ["mask", ".filled(0)"]),
        "two sizes": ([whole[0], whole[1][:4]], ["images[0]", f"({H}, {W})", "images[1]", f"(4, {W})", "resize="]),
        "two types": ([whole[0], floats[1]], ["images[0]", "torch.uint8", "images[1]", "torch.float32"]),
        "one missing": ([whole[0], None], ["images[1]", "None", "pass a tensor"]),
        "ragged lists": ([[0, 0], [0]], ["different lengths", "one size"]),
        "one NaN": (some(np.nan, at=[(2, 3, 4)]), ["1 of", "nan at images[2, 3, 4]", "leave those images out"]),
        "infinite": (some(np.nan, -np.inf, np.inf, at=[(2, 0, 1), (1, 4, 4), (1, 4, 5)]), ["3 of", "-inf at images[1, 4, 4]", "leave those images out"]),
        "to 255": (some(255, at=[(0, 0, 0)]), ["to 255", "divide by 255"]),
        "from -1": (some(-1, at=[(0, 0, 0)]), ["-1 to 0.", "divide by 255"]),
        **({"longdouble": (long, [str(long.dtype), "float32"])} if long.itemsize > 8 else {})}  # not on Windows


def shapes():
    "Shapes that no stack of images has."
    x, channel = some(), some()[:, None]
    return {
        "one in a row": (x[0].flatten(), [f"({H * W},)", "reshape(-1"]),
        "one image": (x[0], [f"({H}, {W})", "images[None]"]),
        "one channel": (channel, [f"(6, 1, {H}, {W})", "squeeze(1)"]),
        "one channel at the end": (channel.movedim(1, 3), [f"(6, {H}, {W}, 1)", "squeeze(3)"]),
        "RGB": (channel.repeat(1, 3, 1, 1), [f"(6, 3, {H}, {W})", "color", "gray"]),
        "RGB at the end": (channel.movedim(1, 3).repeat(1, 1, 1, 3), [f"(6, {H}, {W}, 3)", "color", "gray"]),
        "RGBA": (channel.movedim(1, 3).repeat(1, 1, 1, 4), [f"(6, {H}, {W}, 4)", "color", "gray"]),
        "five axes": (channel[None], [f"(1, 6, 1, {H}, {W})", "one stack"]),
        "no pixels": (x[:, :0], [f"(6, 0, {W})", "no pixels"])}


@pytest.mark.parametrize("name", ENTRIES)
def test_what_holds_no_grays_is_refused_in_its_own_words(name):
    "Every kind of array that is none of ours: what was got, and how to mend it; no two kinds get the same message."
    lines = told_apart(name, no_grays())
    assert not lines, lines


@pytest.mark.parametrize("name", ANY_SIZE | ONE_SIZE)
def test_wrong_shapes_are_refused_in_their_own_words(name):
    "Each wrong shape: what was got, what was expected, how to mend it; no two get the same message."
    sizes = {"other size": (torch.rand(6, 7, 7), ["(6, 7, 7)", f"{H}×{W}", "resize=True"]),
             "one image in color": (torch.rand(H, W, 3), [f"({H}, {W}, 3)", "color", "gray"])} if name in ONE_SIZE else {}
    lines = told_apart(name, shapes() | sizes)
    assert not lines, lines
    assert all("(n, " in message(name, thing) for thing, _ in shapes().values())
    assert f"(6, {H * W})" in (said := message(name, some().flatten(1))) and "reshape(-1" in said  # rows, as scikit-learn has them


def test_the_place_of_a_gap():
    "Also where the images of a class are taken out first, and in a batch with an axis for channels, where NaN is no color."
    said = message("class_means", some(np.nan, np.nan, at=[(4, 3, 4), (3, 3, 4)]))
    assert "2 of" in said and "nan at images[3, 3, 4]" in said
    for name in BATCHES:
        for channels in (1, 3): assert "nan at images[2, " in message(name, some(np.nan, at=[(2, 3, 4)])[:, None].repeat(1, channels, 1, 1))


@pytest.mark.parametrize("device", ["meta", "cuda", "mps"])
def test_devices_do_not_mix(device):
    "Images here and prototypes there: the error names both devices and the way out. With a device, results follow the images."
    if device != "meta" and not getattr(torch, device).is_available(): pytest.skip(f"NOT TESTED: there is no {device} here")
    with pytest.raises(ValueError, match=rf"images on cpu.*prototypes on {device}.*\.to\('cpu'\)"): known().module().to(device)(some())
    if device == "meta": return
    there = some().to(device)
    for distance in (l1_distance, l2_distance):
        with pytest.raises(ValueError, match=rf"on {device}.*on cpu"): distance(there, some())
    with pytest.raises(ValueError, match=rf"images\[0\] .*cpu.*images\[1\] .*{device}"): known().predict([some()[0], there[1]])
    assert known().distances(there).device.type == device
    for distance in ("l1", "l2"): assert known(distance).predict(there).tolist() == known(distance).predict(some()).tolist()
    whole, y = (some() * 255).byte(), labels_for(6)
    assert torch.equal(PixelSimilarity().fit(whole.to(device), y).totals_, PixelSimilarity().fit(whole, y).totals_)


# Random arrays, in the forms in which people hold them

@st.composite
def mostly_stacks(draw):
    "The shape of a stack of images, mostly of the size of the known ones."
    n, h, w = draw(st.integers(0, 4)), *draw(st.sampled_from([(H, W)] * 3 + [(2, 7)]))
    return draw(st.sampled_from([(n, h, w)] * 30 + [
        (), (w,), (h, w), (n, 1, h, w), (n, 3, h, w), (n, h, w, 1), (n, h, w, 3), (n, h * w), (2, n, 1, h, w), (n, 0, w), (n, h, 0),
        (n, w, h), (n, h + 1, w), (n, h, 1), (n, 1, w), (0, 0, 0)]))


def check(name, odd):
    "What is fine gives what NumPy gives in float64; what is not, an error that says something; nothing is changed."
    call, oracle = (ENTRIES | PROTOTYPES | PICTURES)[name]
    wanted, before = None if odd.grays is None else oracle(odd.grays), odd.values()
    thing = copy(odd.thing) if isinstance(odd.thing, Iterator) else odd.thing  # the next entry begins anew
    try: found = call(thing, labels_for(odd.shape[0] if odd.shape else 1))
    except (TypeError, ValueError, FileNotFoundError) as e:  # a list of words is one of files
        assert str(e).strip() and (wanted is None or not odd.must), f"{name}: refused, though it is fine: {e}"
    else:
        assert wanted is not None, f"{name}: taken, though it is not fine: {found}"
        if isinstance(found, torch.Tensor):
            assert found.dtype == torch.float32 and type(found) in (torch.Tensor, torch.nn.Parameter)
            found = found.detach().numpy()
        np.testing.assert_allclose(found, wanted, atol=3e-6, err_msg=name)
    if before is not None: np.testing.assert_array_equal(odd.values(), before, name)


@settings(max_examples=200)
@given(odd=odd_arrays(mostly_stacks()))
def test_any_array_in_any_form(odd):
    for name in ENTRIES | PROTOTYPES: check(name, odd)


@pytest.mark.parametrize("axes", [2, 3])
@given(data=st.data())
def test_a_picture_of_any_array(axes, data):
    odd = data.draw(odd_arrays(st.tuples(*[st.integers(0, 3)] * axes) | mostly_stacks()))
    for name in PICTURES: check(name, odd)
