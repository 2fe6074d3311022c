"Which class is nearest: ties, chunks, threads, compiled code, and memory that does not grow."
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist

from pixelsim.chunks import on_threads
from pixelsim.classifier import PixelSimilarity

POWER = {"l1": 1, "l2": 2}


def nearest(images, prototypes, distance):
    "The first of the nearest, from sums in float64, which are exact for whole numbers and for quarters."
    differences = np.abs(images[:, None].astype(float) - prototypes[None])
    return (differences**POWER[distance]).sum((2, 3)).argmin(1)


@settings(max_examples=150)
@given(data=st.data(), distance=st.sampled_from(["l1", "l2"]), k=st.integers(2, 4), quarters=st.booleans())
def test_the_nearest_and_on_a_tie_the_first(data, distance, k, quarters):
    "For bytes of few different values, and for floats that are quarters, among which ties are frequent: exactly what the sums say."
    size = data.draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    values = st.sampled_from([0, 1, 2, 3, 4]) if quarters else st.sampled_from([0, 1, 51, 102, 255]) | st.integers(0, 255)
    draw = lambda n: data.draw(arrays(np.uint8, (n, *size), elements=values)) / (np.float32(4) if quarters else np.uint8(1))
    images, prototypes = draw(data.draw(st.integers(0, 30))), draw(k)
    if not quarters: images, prototypes = images.astype(np.uint8), prototypes.astype(np.uint8)
    model = PixelSimilarity(distance).fit(prototypes, range(k))
    assert model.predict(images).tolist() == nearest(images, prototypes, distance).tolist()


@pytest.mark.filterwarnings("ignore:most of the images:UserWarning")  # noise has any border
@pytest.mark.parametrize("side", [2, 3, 8, 28])
@pytest.mark.parametrize("step", [1, 51, 255], ids=["any gray", "six grays", "black and white"])
@pytest.mark.parametrize("distance", ["l1", "l2"])
def test_symmetric_images(distance, step, side):
    "Exactly as far from an image as from the same one upside down: the first class, whichever of the two it is."
    images = step * np.random.default_rng(side).integers(0, 255 // step + 1, (101, side, side)).astype(np.uint8)
    first, second, symmetric = images[0], images[0, ::-1], np.maximum(images[1:], images[1:, ::-1])
    for pair in ([first, second], [second, first]):
        model = PixelSimilarity(distance).fit(np.stack(pair), ["b", "a"])
        assert model.predict(np.stack(pair)).tolist() == ["b", "a"]
        assert model.predict(symmetric).tolist() == ["a"] * 100
        for image in symmetric[:9]: assert model.distances(image[None]).unique().numel() == 1


@pytest.mark.parametrize("distance", ["l1", "l2"])
def test_thousands_of_ties(distance):
    "Far more at once than are worked out exactly at a time; and of faint prototypes, from which bright images are equally far."
    random, symmetric = np.random.default_rng(0), np.zeros((6000, 28, 28), np.uint8)
    symmetric[:, 1:14, 1:-1] = random.integers(200, 256, (6000, 13, 26))
    symmetric = np.maximum(symmetric, symmetric[:, ::-1])
    faint = np.zeros((28, 28), np.uint8)
    faint[1:-1, 1:-1] = random.integers(0, 2, (26, 26))
    for image in (symmetric[0] * (np.arange(28)[:, None] < 14), faint):
        model = PixelSimilarity(distance).fit(np.stack([image, image[::-1]]), ["b", "a"])
        for images in (symmetric, symmetric / np.float32(255)): assert (model.predict(images) == "a").all()


@pytest.mark.parametrize("distance", ["l1", "l2"])
@pytest.mark.parametrize("farther", [0, 1])
def test_who_is_hardly_farther_has_a_larger_number(distance, farther):
    "One gray of one pixel in a million, less than float32 tells apart."
    prototypes = np.zeros((2, 1200, 1200), np.uint8)
    prototypes[:, 1:-1, 1:-1] = 128
    prototypes[farther, 600, 600] += 1
    model, image = PixelSimilarity(distance).fit(prototypes, [0, 1]), np.zeros((1, 1200, 1200), np.uint8)
    far = model.distances(image)[0]
    assert far[farther] > far[1 - farther] and model.predict(image).tolist() == [1 - farther]


def far(images, model):
    "SciPy's distances to the prototypes."
    flat, p = images.numpy().reshape(len(images), -1) / 255, model.prototypes_.numpy().reshape(len(model.classes_), -1)
    if model.distance == "l1": return cdist(flat, p, "cityblock") / p.shape[1]
    return cdist(flat, p, "euclidean") / p.shape[1]**.5


@pytest.mark.filterwarnings("ignore:most of the images:UserWarning")
@pytest.mark.parametrize("distance", ["l1", "l2"])
@pytest.mark.parametrize("side, n", [(28, 6100), (1, 3000), (300, 30), (1100, 3)])
@pytest.mark.parametrize("threads", [1, 3])
def test_chunks_change_nothing(side, n, threads, distance, set_threads):
    "However many images there are, and however large: distances are SciPy's, predictions the first lowest, and more images change nothing."
    images = torch.from_numpy(np.random.default_rng(side).integers(0, 256, (n, side, side), dtype=np.uint8))
    model = PixelSimilarity(distance).fit(images[:3], [5, 3, 7])
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
        for start in starts: taken.append(start)
    on_threads(work, range(9), torch.device(device))
    assert sorted(taken) == [*range(9)]
    assert (workers == {threading.get_ident()}) == (threads == 1 or device != "cpu") and len(workers) == together.parties
    def fails(starts):
        for start in starts: 1 / (start - 5)
    with pytest.raises(ZeroDivisionError): on_threads(fails, range(9), torch.device(device))
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("distance", ["l1", "l2"])
def test_few_images_are_in_doubt(digits, distance, monkeypatch):
    "What is worked out once more in float64, since rounding could decide: hardly any digit, or all would take far longer."
    doubted = []
    def counting(images, *args, **options):
        doubted.append(len(images))
        return torch_cdist(images, *args, **options)
    torch_cdist, model = torch.cdist, PixelSimilarity(distance).fit(digits[0])
    monkeypatch.setattr(torch, "cdist", counting)
    model.predict(digits[0].images), model.distances(digits[0].images)
    assert sum(doubted) < len(digits[0]) / 100


# Compiled

def test_compiled_and_not_give_the_same_classes(digits, model):
    "On all training digits; where no compiler is found, the warning says so and the answer is the same."
    compiled = PixelSimilarity(compiled=True).fit(digits[0])
    assert compiled.predict(digits[0].images).tolist() == model.predict(digits[0].images).tolist()


def test_only_l1_is_compiled(digits):
    "With L2, what is compiled would answer another question."
    images = digits[0].images
    said = [PixelSimilarity("l2", compiled=compiled).fit(digits[0]).predict(images).tolist() for compiled in (True, False)]
    assert said[0] == said[1]


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


# Memory

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
before = peak()
for model in models: model.predict(images)
predicted = peak()
models[0].distances(images[:100_000])
measured = peak()
for model in models: model.partial_fit(images, labels)
after = peak()
(images[:150_000].float()/255)  # 471 MB, to see that the measure measures
print(predicted-before, measured-predicted, after-measured, peak()-after)
"""
    *added, control = map(float, run_python(code).stdout.split())
    assert max(added) < 100 < control, added
