"Which class is nearest has one answer, exact ties among them, wherever one asks: in chunks, on threads, compiled, by the command."
import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from scipy.spatial.distance import cdist

from pixelsim.chunks import on_threads
from pixelsim.classifier import PixelSimilarity
from pixelsim.cli import main

POWER = {"l1": 1, "l2": 2}
pytestmark = pytest.mark.filterwarnings("ignore:most of the images:UserWarning")  # noise has any border
BOTH = pytest.mark.parametrize("distance", POWER)


def sums(images, prototypes, distance):
    "Of differences, or of their squares, in float64, which are exact for whole numbers and for quarters: shape (n, k)."
    return np.stack([(abs(images - p.astype(float))**POWER[distance]).sum((1, 2)) for p in prototypes], 1)


def assert_one_answer(model, images, exact):
    "predict, score and distances say the same; of equal ones the first is the answer, and the smallest are equal numbers, and no others."
    answer, distances = model.classes_[exact.argmin(1)], model.distances(images).numpy()
    assert model.predict(images).tolist() == answer.tolist()
    assert len(images) == 0 or model.score(images, answer) == 1
    np.testing.assert_array_equal(distances == distances.min(1, keepdims=True), exact == exact.min(1, keepdims=True))


# Ties

@settings(max_examples=150)
@given(data=st.data(), distance=st.sampled_from([*POWER]), k=st.integers(2, 4), quarters=st.booleans())
def test_the_nearest_and_on_a_tie_the_first(data, distance, k, quarters):
    "For bytes of few different values, and for floats that are quarters, among which ties are frequent: exactly what the sums say."
    size = data.draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    values = st.integers(0, 4) if quarters else st.sampled_from([0, 1, 51, 102, 255]) | st.integers(0, 255)
    images, prototypes = (data.draw(arrays(np.uint8, (n, *size), elements=values)) for n in (data.draw(st.integers(0, 30)), k))
    if quarters: images, prototypes = images / np.float32(4), prototypes / np.float32(4)
    assert_one_answer(PixelSimilarity(distance).fit(prototypes, range(k)), images, sums(images, prototypes, distance))


@BOTH
@pytest.mark.parametrize("k, levels, n", [(2, 2, 3000), (2, 3, 3000), (10, 2, 3000), (10, 6, 3000), (3, 256, 500)])
@pytest.mark.parametrize("floats", [False, True])
def test_many_images_of_few_grays(distance, k, levels, n, floats):
    "5 × 6 pixels with so few gray levels that many distances are equal, as bytes and as 255ths."
    grays = np.random.default_rng(k * levels).integers(0, levels, (k + n, 5, 6)) * (255 // (levels - 1))
    prototypes, images = np.split(grays.astype(np.uint8), [k])
    exact = sums(images, prototypes, distance)
    if levels < 10: assert (np.sort(exact)[:, 0] == np.sort(exact)[:, 1]).mean() > 0.02  # there are ties to decide
    assert_one_answer(PixelSimilarity(distance).fit(prototypes, range(k)), torch.from_numpy(images) / 255 if floats else images, exact)


@BOTH
def test_255ths_are_whole_numbers_again(distance):
    "Halfway between two grays both are equally far, though a 255th is a little more as a float32, or a little less where ink and paper were swapped."
    grays = np.arange(1, 255, dtype=np.uint8).reshape(1, 1, 254)
    prototypes = np.concatenate([grays + 1, grays - 1])
    for floats in (grays / np.float32(255), 1 - (255 - grays) / np.float32(255)):
        assert_one_answer(PixelSimilarity(distance).fit(prototypes, [0, 1]), floats, sums(grays, prototypes, distance))


@BOTH
def test_the_command_says_the_same(tmp_path, capsys, distance):
    "pixelsim predict and pixelsim score on files whose distances are equal."
    first, *images = 255 * np.random.default_rng(4).integers(0, 2, (61, 5, 6), dtype=np.uint8)
    second, model = first.copy(), tmp_path / "model.npz"
    second[0] = 255 - second[0]  # six pixels differ: an image that has three of each is equally far
    PixelSimilarity(distance).fit([first, second], ["b", "a"]).save(model)
    exact = sums(np.stack(images), [second, first], distance)  # in the order of the classes: a, b
    assert (exact[:, 0] == exact[:, 1]).any()
    for label in "ab": (tmp_path / "files" / label).mkdir(parents=True)
    for i, image in enumerate(images): Image.fromarray(image).save(tmp_path / "files" / "ab"[exact[i].argmin()] / f"{i}.png")
    files = sorted((tmp_path / "files").glob("*/*.png"))
    assert main(["predict", *map(str, files), "--model", str(model), "--json"]) == 0
    assert [p["label"] for p in json.loads(capsys.readouterr().out)] == [f.parent.name for f in files]
    assert main(["score", str(model), str(tmp_path / "files"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] == 1


@BOTH
@pytest.mark.parametrize("side", [2, 3, 8, 28])
@pytest.mark.parametrize("step", [1, 51, 255], ids=["any gray", "six grays", "black and white"])
@pytest.mark.parametrize("prototype, each", [("mean", 1), ("mean", 3), ("median", 3)])
def test_symmetric_images(distance, step, side, prototype, each):
    "Exactly as far from an image, or from what stands for three, as from the same upside down: the first class, whichever it is."
    images = step * np.random.default_rng(side).integers(0, 255 // step + 1, (100 + each, side, side)).astype(np.uint8)
    symmetric = np.maximum(images[each:], images[each:, ::-1])
    for up in (1, -1):
        some = images[:each, ::up]
        model = PixelSimilarity(distance, prototype).fit([*some, *some[:, ::-1]], ["b"] * each + ["a"] * each)
        assert_one_answer(model, symmetric, np.zeros((100, 2)))


@BOTH
def test_thousands_of_ties(distance):
    "Far more at once than are worked out exactly at a time; and of faint prototypes, from which bright images are equally far."
    random, (symmetric, faint) = np.random.default_rng(0), (np.zeros((n, 28, 28), np.uint8) for n in (6000, 1))
    symmetric[:, 1:14, 1:-1] = random.integers(200, 256, (6000, 13, 26))
    symmetric = np.maximum(symmetric, symmetric[:, ::-1])
    faint[:, 1:-1, 1:-1] = random.integers(0, 2, (26, 26))
    for image in (symmetric[0] * (np.arange(28)[:, None] < 14), faint[0]):
        model = PixelSimilarity(distance).fit(np.stack([image, image[::-1]]), ["b", "a"])
        for images in (symmetric, symmetric / np.float32(255)): assert (model.predict(images) == "a").all()


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("distance, values, gray", [("l1", [202, 50, 0], 76), ("l2", [202, 202, 0], 101)])
def test_what_cancels_is_not_told_apart_by_rounding(distance, values, gray, k):
    "The same pixels in any order are equally far from an even gray; and from this one, all numbers that are compared are nearly 0."
    pixels = np.repeat(values, [150, 150, 484]).astype(np.uint8)
    image = np.full((1, 28, 28), gray, np.uint8) / np.float32(255)
    for random in map(np.random.default_rng, range(20)):
        prototypes = np.stack([random.permutation(pixels) for _ in range(k)]).reshape(k, 28, 28)
        assert_one_answer(PixelSimilarity(distance).fit(prototypes, range(k)), image, np.zeros((1, k)))


@BOTH
@pytest.mark.parametrize("farther", [0, 1])
def test_who_is_hardly_farther_has_a_larger_number(distance, farther):
    "One gray of one pixel in a million, less than float32 tells apart."
    prototypes, image = np.full((2, 1200, 1200), 128, np.uint8), np.zeros((1, 1200, 1200), np.uint8)
    prototypes[farther, 600, 600] += 1
    assert_one_answer(PixelSimilarity(distance).fit(prototypes, [0, 1]), image, np.array([[1 - farther, farther]]))


# Digits

@BOTH
@pytest.mark.parametrize("compiled", [False, True])
def test_digits_by_the_slow_definition(digits, distance, compiled):
    "In float64 and with the means as fractions. Only L1 is compiled: with L2, what is would answer another question."
    train, _ = digits
    means = [train[c].numpy().sum(0, dtype=int) / len(train[c]) for c in (3, 7)]
    wanted = np.array([3, 7])[sums(train.images.numpy(), means, distance).argmin(1)]
    assert (PixelSimilarity(distance, compiled=compiled).fit(train).predict(train) == wanted).all()


@BOTH
def test_few_digits_are_in_doubt(digits, distance, monkeypatch):
    "What is worked out once more in float64, since rounding could decide: hardly any digit, or all would take far longer."
    doubted, cdist, model = [], torch.cdist, PixelSimilarity(distance).fit(digits[0])
    monkeypatch.setattr(torch, "cdist", lambda images, *args, **options: (doubted.append(len(images)), cdist(images, *args, **options))[1])
    model.predict(digits[0].images), model.distances(digits[0].images)
    assert sum(doubted) < len(digits[0]) / 100


def test_less_exact_multiplication_changes_nothing(digits):
    "Where matrices may be multiplied with fewer digits, more images are compared again."
    train, valid = digits
    model = PixelSimilarity("l2").fit(train)
    right, before = model.predict(valid), torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        assert (model.predict(valid) == right).all()
    finally: torch.set_float32_matmul_precision(before)


# Chunks and threads

def far(images, model):
    "SciPy's distances to the prototypes."
    flat, p = images.numpy().reshape(len(images), -1) / 255, model.prototypes_.numpy().reshape(len(model.classes_), -1)
    return cdist(flat, p, "cityblock") / p.shape[1] if model.distance == "l1" else cdist(flat, p, "euclidean") / p.shape[1]**.5


@BOTH
@pytest.mark.parametrize("side, n, k", [(28, 6100, 3), (28, 2700, 2), (28, 700, 500), (1, 3000, 3), (300, 30, 7), (1100, 3, 3)])
@pytest.mark.parametrize("threads", [1, 3])
def test_chunks_change_nothing(side, n, k, threads, distance, set_threads):
    "However many images and classes there are, and however large: distances are SciPy's, predictions the first lowest, and more images change nothing."
    images = torch.from_numpy(np.random.default_rng(side).integers(0, 256, (n, side, side), dtype=np.uint8))
    model = PixelSimilarity(distance).fit(images[:k], range(k, 0, -1))
    wanted = far(images, model)
    set_threads(threads)
    for m in sorted({1, 2, 3, 255, 256, 257, 511, 512, 513, 1336, 1337, 1338, 2674, 2675, n - 1, n} & {*range(n + 1)}):
        found = model.distances(images[:m])
        np.testing.assert_allclose(found, wanted[:m], atol=2e-6)
        if side == 28: assert torch.equal(found, model.distances(images)[:m])
        clear = np.diff(np.sort(wanted[:m], 1)[:, :2])[:, 0] > 1e-6
        assert (model.predict(images[:m]) == model.classes_[wanted[:m].argmin(1)])[clear].all() and clear.mean() > 0.6
    with ThreadPoolExecutor(1) as pool:  # the setting of a thread that begins later
        assert torch.get_num_threads() == pool.submit(torch.get_num_threads).result() == threads


@pytest.mark.parametrize("threads, device", [(1, "cpu"), (3, "cpu"), (3, "meta")])
def test_who_takes_the_chunks(threads, device, set_threads):
    "All are taken once: by several threads on a processor, by this one elsewhere; what fails on a thread is not lost."
    set_threads(threads)
    taken, workers, together = [], set(), threading.Barrier(threads if device == "cpu" else 1, timeout=60)
    def work(starts):
        workers.add(threading.get_ident())
        together.wait()
        taken.extend(starts)
    on_threads(work, range(9), torch.device(device))
    assert sorted(taken) == [*range(9)]
    assert (workers == {threading.get_ident()}) == (together.parties == 1) and len(workers) == together.parties
    with pytest.raises(ZeroDivisionError): on_threads(lambda starts: [1 / (start - 5) for start in starts], range(9), torch.device(device))
    assert torch.get_num_threads() == threads


def test_two_threads_at_once(model, digits):
    "Predictions of several threads do not disturb each other, or the number of threads."
    valid, threads = digits[1], torch.get_num_threads()
    with ThreadPoolExecutor(4) as pool: found = [*pool.map(model.predict, [valid] * 4)]
    assert all((one == model.predict(valid)).all() for one in found) and torch.get_num_threads() == threads


# Where nothing compiles, and memory

def test_without_a_compiler_there_is_a_warning_and_an_answer(run_python, tmp_path):
    "When compiling fails, the user is told once, and gets what uncompiled code gives."
    code = """
import warnings
from pixelsim.classifier import PixelSimilarity
from pixelsim.digits import load_mnist
train, _ = load_mnist([3, 7])
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    found = PixelSimilarity(compiled=True).fit(train).predict(train.images)
print([str(w.message) for w in told if "pixelsim" in str(w.message) or "compare" in str(w.message)])
print((found==PixelSimilarity().fit(train).predict(train.images)).all())
"""
    said, same = run_python(code, CXX=tmp_path / "missing", TORCHINDUCTOR_CACHE_DIR=tmp_path / "cache").stdout.splitlines()[-2:]
    assert "compared without it. It needs a C++ compiler" in said and "; it said: " in said and same == "True"


@pytest.mark.skipif(sys.platform != "linux", reason="NOT TESTED: only Linux tells a process its own peak memory, in /proc")
def test_memory_does_not_grow_with_the_images(run_python):
    "300,000 images (235 MB) and ten classes: no step adds 100 MB; all differences at once would take 9 GB."
    code = """
import torch
from pathlib import Path
from pixelsim.classifier import PixelSimilarity
from pixelsim.digits import load_mnist
train, _ = load_mnist()
models = [PixelSimilarity(distance).fit(train) for distance in ("l1", "l2")]
images, labels = torch.cat([train.images]*5), [*train.labels]*5
def peak(): return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])/1024
for model in models: model.predict(images[:5000])
peaks = [peak()]
for model in models: model.predict(images)
peaks.append(peak())
models[0].distances(images[:100_000])
peaks.append(peak())
for model in models: model.partial_fit(images, labels)
peaks.append(peak())
(images[:150_000].float()/255)  # 471 MB, to see that the measure measures
print(*peaks, peak())
"""
    *added, control = np.diff([*map(float, run_python(code).stdout.split())])
    assert max(added) < 100 < control, added
