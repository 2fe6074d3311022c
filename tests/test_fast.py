"""The fast code against its own slow definition, and its promises: exact, in bounded memory, and never silently slow."""
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pixelsim import fast
from pixelsim.classifier import PixelSimilarity
from pixelsim.digits import load_mnist
from pixelsim.distances import l1_distance, l2_distance

shapes = st.tuples(st.integers(0, 600), st.integers(1, 5), st.integers(1, 5))


def slow_nearest(images, prototypes, distance):
    "Distances in float64, image by image and class by class, and whether the answer is clear of rounding."
    x, p = (np.asarray(a, dtype=np.float64).reshape(len(a), np.prod(a.shape[1:])) for a in (images, prototypes))
    differences = np.abs(x[:, None] - p[None]) if distance == "l1" else (x[:, None] - p[None]) ** 2
    totals = differences.sum(-1)
    ordered = np.sort(totals, axis=1)
    return totals.argmin(1), ordered[:, 1] - ordered[:, 0] > 1e-3


@settings(deadline=None, max_examples=60)
@given(data=st.data(), shape=shapes, k=st.integers(2, 4), distance=st.sampled_from(["l1", "l2"]), whole=st.booleans())
def test_nearest_is_what_the_distances_say(data, shape, k, distance, whole):
    "For images of any number and size, uint8 or float, wherever two classes are not within rounding of each other."
    pixels = st.integers(0, 255)
    images = data.draw(hnp.arrays(np.uint8, shape, elements=pixels))
    prototypes = data.draw(hnp.arrays(np.uint8, (k, *shape[1:]), elements=pixels)).astype(np.float32) / 255
    given_images = torch.from_numpy(images if whole else images.astype(np.float32) / 255)
    found = fast.nearest(given_images, torch.from_numpy(prototypes), distance)
    assert found.dtype == torch.int64 and found.shape == (shape[0],)
    expected, clear = slow_nearest(images / 255, prototypes, distance)
    assert (found.numpy() == expected)[clear].all()


@pytest.mark.parametrize("n", [1336, 1337, 1338, 4011])
def test_chunks_end_where_they_should(n):
    "No image is lost or compared twice at the border of a chunk."
    train, _ = load_mnist([3, 7])
    assert fast._rows(train.images) == 1337  # 2**20 pixels are 1337.5 images
    images, model = train.images[-n:], PixelSimilarity().fit(train.images, train.labels)
    assert model.predict(images).tolist() == model.classes_[model.distances(images).argmin(1).numpy()].tolist()


def test_sums_are_exact_beyond_float32():
    "40,000 white images: 255 × 40,000 is counted to the unit; a float32 running total of 0.1 would have drifted."
    images = torch.full((40_000, 2, 2), 255, dtype=torch.uint8)
    assert fast.class_sums(images, torch.zeros(40_000, dtype=torch.int64), 1).unique().tolist() == [10_200_000.0]


def test_fit_takes_a_loader():
    "PyTorch's DataLoader and a generator give the means of a fit in one piece, bit by bit."
    train, _ = load_mnist([3, 7])
    images, labels = train.images[::7], torch.from_numpy(train.labels[::7])
    whole = PixelSimilarity().fit(images, labels)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(images, labels), batch_size=100, shuffle=True,
                                         generator=torch.Generator().manual_seed(5))
    for batches in (loader, ((i, l) for i, l in loader)):
        assert torch.equal(PixelSimilarity().fit(batches).prototypes_, whole.prototypes_)
    with pytest.raises(ValueError, match="batches were empty"): PixelSimilarity().fit(iter([]))


def test_a_failed_fit_changes_nothing():
    "A classifier that was fitted stays as it was when a later fit or partial_fit fails."
    train, valid = load_mnist([3, 7])
    model = PixelSimilarity().fit(train.images, train.labels)
    before = model.predict(valid.images).tolist()
    for wrong in (lambda: model.fit([(train.images, train.labels), (train.images, train.labels[:5])]),
                  lambda: model.partial_fit(torch.zeros(1, 5, 5), [3]), lambda: model.partial_fit(valid.images[:1], ["three"]),
                  lambda: model.partial_fit(valid.images[:1].float(), [3])):
        with pytest.raises(ValueError): wrong()
        assert model.predict(valid.images).tolist() == before


def test_compiled_and_not_give_the_same_classes():
    "On all training digits; where no compiler is found, the warning says so and the answer is the same."
    train, _ = load_mnist([3, 7])
    plain = PixelSimilarity().fit(train.images, train.labels)
    compiled = PixelSimilarity(compiled=True).fit(train.images, train.labels)
    assert compiled.predict(train.images).tolist() == plain.predict(train.images).tolist()


def test_without_a_compiler_there_is_a_warning_and_an_answer(monkeypatch):
    "When compiling fails, the user is told, and gets what uncompiled code gives."
    def broken(): raise RuntimeError("no working C++ compiler was found")
    train, _ = load_mnist([3, 7])
    model = PixelSimilarity(compiled=True).fit(train.images, train.labels)
    monkeypatch.setattr(fast, "_compiled", broken)
    with pytest.warns(UserWarning, match=r"needs a C\+\+ compiler.*; it said: RuntimeError: no working C\+\+ compiler"):
        found = model.predict(train.images)
    assert found.tolist() == PixelSimilarity().fit(train.images, train.labels).predict(train.images).tolist()


@pytest.mark.skipif(sys.platform != "linux", reason="NOT TESTED: only Linux tells a process its own peak memory, in /proc")
def test_memory_does_not_grow_with_the_images():
    "Predicting 300,000 images (235 MB) on ten classes adds less than 100 MB; all differences at once would take 9 GB."
    code = """
import torch
from pathlib import Path
from pixelsim.classifier import PixelSimilarity
from pixelsim.digits import load_mnist
train, _ = load_mnist()
for distance in ("l1", "l2"):
    model = PixelSimilarity(distance).fit(train.images, train.labels)
    model.predict(train.images[:5000])
images = torch.cat([train.images]*5)
def peak(): return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])/1024
models = [PixelSimilarity(distance).fit(train.images, train.labels) for distance in ("l1", "l2")]
before = peak()
for model in models: model.predict(images)
after = peak()
(images[:100_000].float()/255)  # 314 MB, to see that the measure measures
print(after-before, peak()-after)
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    added, control = map(float, done.stdout.split())
    assert added < 100 < control
