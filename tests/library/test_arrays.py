"""Arrays of every kind, at every entry that takes images: the right result, or an error that says what was wrong and how to mend it.

First every kind of array that is none of ours, each refused in its own words, which are followed; then random arrays in all forms.
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
from strategies import held, masked, odd_arrays, quietly

from pixelsim.arrays import as_stack
from pixelsim.classifier import PixelSimilarity
from pixelsim.distances import l1_distance, l2_distance
from pixelsim.images import as_images
from pixelsim.means import class_means
from pixelsim.pixels import ink_coverage, to_float
from pixelsim.show import show_difference, show_image, show_images, show_numbers
from pixelsim.torch_module import NearestPrototype

pytestmark = pytest.mark.filterwarnings("ignore:most of the images:UserWarning")  # noise has any border
SIZE = H, W = 8, 9  # smaller ones are not asked for their borders


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


def sized(oracle, least=0): return stack(lambda x: oracle(x) if x.shape[1:] == SIZE else None, least)


def pairs(distance): return lambda x: far(x, distance)[:, 0].reshape(x.shape[:-2]) if x.shape[-2:] == SIZE else None


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
    "class_means": (lambda x, y: class_means(x, y, [0, 1]), stack(averages, 2)),
    "as_images": (lambda x, y: to_float(as_images(x)), stack(lambda x: x)),
    "inverted": (lambda x, y: to_float(as_images(x, invert=True)), stack(lambda x: 1 - x)),
    "ink_coverage": (lambda x, y: ink_coverage(x), stack(lambda x: (x > 0).mean((1, 2))))}
ONE_SIZE = {
    "as_stack": (lambda x, y: to_float(as_stack(x, SIZE)), sized(lambda x: x)),
    "distances": (lambda x, y: known().distances(x), sized(far)),
    "predict": (lambda x, y: known().predict(x), sized(lambda x: far(x).argmin(1))),
    "score": (lambda x, y: known().score(x, y), sized(lambda x: (far(x).argmin(1) == labels_for(len(x))).mean(), 1))}
ANY_SHAPE = {
    "to_float": (lambda x, y: to_float(x), lambda x: x),
    "l1_distance": (lambda x, y: l1_distance(x, means()[0]), pairs("l1")),
    "l2_distance": (lambda x, y: l2_distance(means()[0], x), pairs("l2"))}
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


def message(name, x):
    "What the entry says when it refuses this; a size that is an example is that of the known ones."
    with pytest.raises((TypeError, ValueError)) as caught: ENTRIES[name][0](x, labels_for(6))
    return str(caught.value).replace("(28, 28)", str(SIZE)).replace("-1, h, w", f"-1, {H}, {W}")


# Each mistake in its own words

def some(*values, at=()):
    "Six images in floats, with these values at these places."
    images = torch.rand(6, H, W, generator=torch.Generator().manual_seed(0)) * 0.9
    for value, place in zip(values, at): images[place] = value
    return images


FLOATS, WHOLE = some(), (some() * 255).byte()
GRAY, LONG = FLOATS.numpy(), FLOATS.numpy().astype(np.longdouble)
# What is handed over; the code that the error advises, and "" where it gives none; and what else it has to say
NO_GRAYS = {
    "None": (None, "", "got None:", "pass a tensor"),
    "complex": (torch.complex(FLOATS, FLOATS), ".real", "complex64"),
    "sparse": (FLOATS.to_sparse(), ".to_dense()", "sparse_coo"),
    "SciPy's sparse": (sparse.csr_array(GRAY[0]), ".toarray()", "sparse matrix"),
    "meta": (FLOATS.to("meta"), "", "meta device", "on the CPU"),
    "nested": (quietly(torch.nested.nested_tensor, [torch.zeros(H, W), torch.zeros(7, W)]), ".to_padded_tensor(0)", "a nested tensor"),
    "quantized": (quietly(torch.quantize_per_tensor, FLOATS, 1 / 255, 0, torch.quint8), ".dequantize()", "quint8"),
    "bool": (WHOLE > 0, ".float()", "torch.bool"),
    "bool array": (GRAY > 0, ".float() of torch.as_tensor(images)", "torch.bool"),
    "long": (WHOLE.long(), ".to(torch.uint8)", "torch.int64"),
    "lists": (WHOLE.tolist(), ".to(torch.uint8) of torch.as_tensor(images)", "torch.int64"),
    "8-bit floats": (FLOATS.to(torch.float8_e4m3fn), ".float()", "float8_e4m3fn"),
    "words": (np.array([["a", "b"]] * 2), "", "<U1", "pass a tensor"),
    "objects": (np.array([[3, None]]), "", "object", "pass a tensor"),
    "dict": ({3: WHOLE}, "", "dict", "pass a tensor"),
    "masked": (masked(GRAY), ".filled(0)", "mask"),
    "two sizes": ([WHOLE[0], WHOLE[1][:4]], f"as_images(images, resize={SIZE})", "images[0]", f"({H}, {W})", "images[1]", f"(4, {W})"),
    "stacks": ([WHOLE, WHOLE[:2]], "np.concatenate(images)", f"(6, {H}, {W})", f"(2, {H}, {W})"),
    "two types": ([WHOLE[0], FLOATS[1]], "", "images[0]", "torch.uint8", "images[1]", "torch.float32"),
    "one missing": ([WHOLE[0], None], "", "images[1]", "None", "pass a tensor"),
    "ragged lists": ([[0, 0], [0]], "", "different lengths", "one size"),
    "infinite": (some(np.nan, -np.inf, np.inf, at=[(2, 0, 1), (1, 4, 4), (1, 4, 5)]), "", "3 of", "-inf at images[1, 4, 4]", "leave those images out"),
    "to 255": (some(255, at=[(0, 0, 0)]), "", "to 255", "divide by 255"),
    "from -1": (some(-1, at=[(0, 0, 0)]), "", "-1 to 0.", "divide by 255"),
    **({"longdouble": (LONG, "", str(LONG.dtype), "float32")} if LONG.itemsize > 8 else {})}  # not on Windows
CHANNEL, ROWS, COLOR = FLOATS[:, None], f"images.reshape(-1, {H}, {W})", ": these have color channels: make them gray first, as Pillow's"
SHAPES = {
    "one in a row": (FLOATS[0].flatten(), ROWS, f"({H * W},)"),
    "rows": (FLOATS.flatten(1), ROWS, f"(6, {H * W})"),
    "rows as lists": (FLOATS.flatten(1).tolist(), ROWS.replace("images", "np.array(images)"), f"(6, {H * W})"),
    "one image": (FLOATS[0], "images[None]", f"({H}, {W})"),
    "one image as lists": (FLOATS[0].tolist(), "np.array(images)[None]", f"({H}, {W})"),
    "one channel": (CHANNEL, "images.squeeze(1)", f"(6, 1, {H}, {W})"),
    "one channel at the end": (CHANNEL.movedim(1, 3), "images.squeeze(3)", f"(6, {H}, {W}, 1)"),
    "RGB": (CHANNEL.repeat(1, 3, 1, 1), "", f"(6, 3, {H}, {W})", COLOR),
    "RGB at the end": (CHANNEL.movedim(1, 3).repeat(1, 1, 1, 3), "", f"(6, {H}, {W}, 3)", COLOR),
    "RGBA": (CHANNEL.movedim(1, 3).repeat(1, 1, 1, 4), "", f"(6, {H}, {W}, 4)", COLOR),
    "five axes": (CHANNEL[None], "", f"(1, 6, 1, {H}, {W})", "one stack"),
    "nothing": (FLOATS[:0].flatten(1), "", f"(0, {H * W}): there is no image in it"),
    "no pixels": (FLOATS[:, :0], "", f"(6, 0, {W})", "no pixels")}
SIZES = {
    "other size": (torch.rand(6, 7, 7), f"as_images(images, resize={SIZE})", "(6, 7, 7)", f"{H}×{W}", "resize=True"),
    "one image in color": (torch.rand(H, W, 3), "", f"({H}, {W}, 3)", COLOR)}


@pytest.mark.parametrize("name", ENTRIES)
def test_what_is_no_stack_of_grays_is_refused_in_its_own_words(name):
    "Every kind of array that is none of ours: what was got, and how to mend it; no two kinds get the same message."
    kinds = NO_GRAYS | (SHAPES if name in ANY_SIZE | ONE_SIZE else {}) | (SIZES if name in ONE_SIZE else {})
    said = {kind: message(name, thing) for kind, (thing, *_) in kinds.items()}
    for kind, (_, way, *parts) in kinds.items():
        for part in [*parts, f" {way}", *["(n, "] * (kind in SHAPES)]: assert part in said[kind], kind
    assert [text for text, n in Counter(said.values()).items() if n > 1] == []


KINDS = NO_GRAYS | SHAPES | SIZES


@pytest.mark.parametrize("kind", [kind for kind, (_, way, *_) in KINDS.items() if way])
def test_the_advice_leads_to_a_stack(kind):
    "Followed to the letter it makes images of the right size, or what gets the next piece of advice."
    images, way, *_ = KINDS[kind]
    call, _, on = way.partition(" of ")
    mended = eval(f"{on or 'images'}{call}" if way[0] == "." else way)
    done = as_stack(mended[None] if kind == "SciPy's sparse" else mended, SIZE)  # that is one image
    assert tuple(done.shape[1:]) == SIZE and len(done)


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
    with pytest.raises(ValueError, match=rf"images on cpu.*prototypes on {device}.*\.to\('cpu'\)"): known().module().to(device)(FLOATS)
    if device == "meta": return
    there, y = FLOATS.to(device), labels_for(6)
    for distance in (l1_distance, l2_distance):
        with pytest.raises(ValueError, match=rf"on {device}.*on cpu"): distance(there, FLOATS)
    with pytest.raises(ValueError, match=rf"images\[0\] .*cpu.*images\[1\] .*{device}"): known().predict([FLOATS[0], there[1]])
    assert known().distances(there).device.type == device
    for distance in ("l1", "l2"): assert known(distance).predict(there).tolist() == known(distance).predict(FLOATS).tolist()
    assert torch.equal(PixelSimilarity().fit(WHOLE.to(device), y).totals_, PixelSimilarity().fit(WHOLE, y).totals_)


# Random arrays, in the forms in which people hold them

@st.composite
def mostly_stacks(draw):
    "The shape of a stack of images, mostly of the size of the known ones."
    n, h, w = draw(st.integers(0, 4)), *draw(st.sampled_from([SIZE] * 3 + [(2, 7)]))
    return draw(st.sampled_from([(n, h, w)] * 30 + [
        (), (w,), (h, w), (n, 1, h, w), (n, 3, h, w), (n, h, w, 1), (n, h, w, 3), (n, h * w), (2, n, 1, h, w), (n, 0, w), (n, h, 0),
        (n, w, h), (n, h + 1, w), (n, h, 1), (n, 1, w), (0, 0, 0)]))


def check(name, odd):
    "What is fine gives what NumPy gives in float64; what is not, an error that says something; nothing is changed."
    call, oracle = (ENTRIES | PROTOTYPES | PICTURES)[name]
    wanted, before = None if odd.grays is None else oracle(odd.grays), quietly(held, odd.thing)
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
    np.testing.assert_array_equal(quietly(held, odd.thing), before, name)


@settings(max_examples=200)
@given(odd=odd_arrays(mostly_stacks()))
def test_any_array_in_any_form(odd):
    for name in ENTRIES | PROTOTYPES: check(name, odd)


@pytest.mark.parametrize("axes", [2, 3])
@given(data=st.data())
def test_a_picture_of_any_array(axes, data):
    odd = data.draw(odd_arrays(st.tuples(*[st.integers(0, 3)] * axes) | mostly_stacks()))
    for name in PICTURES: check(name, odd)
