"Which class is nearest has one answer, exact ties among them, wherever one asks: in chunks, on threads, compiled, by the command."
import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.spatial.distance import cdist

from pixelsim.chunks import on_threads
from pixelsim.classifier import PixelSimilarity
from pixelsim.cli import main

POWER = {"l1": 1, "l2": 2}
pytestmark = pytest.mark.filterwarnings("ignore:most of the images:UserWarning")  # noise has any border
BOTH = pytest.mark.parametrize("distance", POWER)


def assert_one_answer(model, images, exact):
    """predict, score and distances say the same; of equal ones the first is the answer.

    The smallest are equal numbers, and no others; all that are equal are equal numbers, and who is nearer is never shown as farther."""
    answer, far = model.classes_[exact.argmin(1)], model.distances(images).numpy()
    assert model.predict(images).tolist() == answer.tolist() and model.score(images, answer) == 1
    np.testing.assert_array_equal(far == far.min(1, keepdims=True), exact == exact.min(1, keepdims=True))
    one, other = exact[:, :, None], exact[:, None]
    assert (far[:, :, None] == far[:, None])[one == other].all() and (far[:, :, None] <= far[:, None])[one < other].all()


# Ties

FORMS = {"bytes": lambda grays: (51 * grays).astype(np.uint8), "255ths": lambda grays: torch.from_numpy(51 * grays) / 255,
         "float64": lambda grays: 51 * grays / 255, "quarters": lambda grays: torch.from_numpy(grays) / 4}


@BOTH
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("k, of, levels", [(2, 1, 2), (2, 3, 3), (3, 1, 2), (10, 1, 5), (10, 3, 3)])
def test_few_grays(distance, form, k, of, levels):
    "So few that many sums of whole numbers are equal, for means of one image and of three; quarters are no 255ths."
    taught, images = np.split(np.random.default_rng(k * levels).integers(0, levels, (k * of + 1000, 5, 6)), [k * of])
    exact = (abs(of * images[:, None] - taught.reshape(k, of, 5, 6).sum(1)) ** POWER[distance]).sum((2, 3))
    assert (np.sort(exact)[:, 0] == np.sort(exact)[:, 1]).mean() > 0.01  # there are ties to decide
    model = PixelSimilarity(distance).fit(FORMS[form](taught), np.repeat(range(k), of))
    assert_one_answer(model, FORMS[form](images), exact)
    if of == 1: assert (model.module()(torch.as_tensor(FORMS[form](images))).argmax(1).numpy() == exact.argmin(1)).all()


@BOTH
def test_255ths_are_whole_numbers_again(distance):
    "Halfway between two grays both are equally far, though a 255th is a little more as a float32, or a little less where ink and paper were swapped."
    grays = np.arange(1, 255, dtype=np.uint8).reshape(1, 1, 254)
    model = PixelSimilarity(distance).fit(np.concatenate([grays + 1, grays - 1]), [0, 1])
    for floats in (grays / np.float32(255), 1 - (255 - grays) / np.float32(255)): assert_one_answer(model, floats, np.zeros((1, 2)))


@BOTH
@pytest.mark.parametrize("prototype, each, brightest", [("mean", 1, 255), ("mean", 3, 255), ("median", 3, 255), ("mean", 1, 1)])
def test_thousands_of_symmetric_images(distance, prototype, each, brightest):
    """Exactly as far from an image, faint or not, or from what stands for three, as from the same upside down: the first class, whichever it is.

    Far more ties at once than are worked out exactly at a time."""
    random = np.random.default_rng(each)
    images, some = (random.integers(0, top + 1, (n, 28, 28)).astype(np.uint8) for n, top in ((6000, 255), (each, brightest)))
    symmetric = np.maximum(images, images[:, ::-1])
    for up, shown in ((1, symmetric), (-1, symmetric / np.float32(255))):
        model = PixelSimilarity(distance, prototype).fit([*some[:, ::up], *some[:, ::-up]], ["b"] * each + ["a"] * each)
        assert_one_answer(model, shown, np.zeros((6000, 2)))


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


@BOTH
def test_the_command_says_the_same(tmp_path, capsys, distance):
    "pixelsim predict and pixelsim score on files that are equally far from two images, of which six pixels differ."
    first, *images = 255 * np.random.default_rng(4).integers(0, 2, (61, 5, 6), dtype=np.uint8)
    second, model = np.concatenate([255 - first[:1], first[1:]]), tmp_path / "model.npz"
    PixelSimilarity(distance).fit([first, second], ["b", "a"]).save(model)
    exact = np.array([[(image != known).sum() for known in (second, first)] for image in images])  # in the order of the classes: a, b
    assert (exact[:, 0] == exact[:, 1]).any()
    for label in "ab": (tmp_path / "files" / label).mkdir(parents=True)
    for i, image in enumerate(images): Image.fromarray(image).save(tmp_path / "files" / "ab"[exact[i].argmin()] / f"{i}.png")
    files = sorted((tmp_path / "files").glob("*/*.png"))
    assert main(["predict", *map(str, files), "--model", str(model), "--json"]) == 0
    assert [p["label"] for p in json.loads(capsys.readouterr().out)] == [f.parent.name for f in files]
    assert main(["score", str(model), str(tmp_path / "files"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] == 1


# Digits

@BOTH
def test_compiled_digits_by_the_slow_definition(digits, distance):
    "In float64 and with the means as fractions. Only L1 is compiled: with L2, what is would answer another question."
    train, _ = digits
    means = [train[c].numpy().sum(0, dtype=int) / len(train[c]) for c in (3, 7)]
    sums = [(abs(train.images.numpy() - mean)**POWER[distance]).sum((1, 2)) for mean in means]
    wanted = np.array([3, 7])[np.argmin(sums, 0)]
    assert (PixelSimilarity(distance, compiled=True).fit(train).predict(train) == wanted).all()


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

@BOTH
@pytest.mark.parametrize("side, n, k", [(28, 6100, 2), (28, 6100, 3), (300, 30, 7), (1100, 3, 3)])
def test_chunks_change_nothing(side, n, k, distance, set_threads):
    "However many images and classes there are, and however large: distances are SciPy's, predictions the first lowest, and more images change nothing."
    images = torch.from_numpy(np.random.default_rng(side).integers(0, 256, (n, side, side), dtype=np.uint8))
    model = PixelSimilarity(distance).fit(images[:k], range(k, 0, -1))
    flat, p = images.flatten(1) / 255, model.prototypes_.flatten(1)
    wanted = cdist(flat, p, "cityblock") / side**2 if distance == "l1" else cdist(flat, p) / side
    clear = np.diff(np.sort(wanted)[:, :2])[:, 0] > 1e-6
    assert clear.mean() > 0.6
    set_threads(3)
    every = model.distances(images)
    for m in {1, 2, n // 2, n - 1, n}:
        found = model.distances(images[:m])
        np.testing.assert_allclose(found, wanted[:m], atol=2e-6)
        assert torch.equal(found, every[:m]) or side > 28
        assert (model.predict(images[:m]) == model.classes_[wanted[:m].argmin(1)])[clear[:m]].all()


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
    with ThreadPoolExecutor(1) as pool:  # the setting of a thread that begins later
        assert torch.get_num_threads() == pool.submit(torch.get_num_threads).result() == threads


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
one, other = [PixelSimilarity(distance).fit(train) for distance in ("l1", "l2")]
images, labels = torch.cat([train.images]*5), [*train.labels]*5
one.predict(images[:5000]), other.predict(images[:5000])
control = lambda: images[:150_000].float()/255  # 471 MB, to see that the measure measures
for step in (int, lambda: one.predict(images), lambda: other.predict(images), lambda: one.distances(images[:100_000]),
             lambda: one.partial_fit(images, labels), lambda: other.partial_fit(images, labels), control):
    step()
    print(int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])/1024)
"""
    *added, control = np.diff([*map(float, run_python(code).stdout.split())])
    assert max(added) < 100 < control, added
