"What is counted for each class: exact sums and medians, against NumPy."
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import labeled

from pixelsim import totals
from pixelsim.classifier import PixelSimilarity


@pytest.mark.parametrize("as_floats", [False, True], ids=["uint8", "float32"])
@pytest.mark.parametrize("n", [1, 2047, 2048, 2049, 40_000, 300_000])
def test_sums_are_exact_beyond_float32(n, as_floats, set_threads):
    "Bytes, and floats that were bytes once, are counted to the unit; a float32 running total would have drifted, and lost odd numbers."
    images, labels = np.random.default_rng(n).integers(128, 256, (n, 1, 3), dtype=np.uint8), np.arange(n) % 2
    set_threads(3)
    given = torch.from_numpy(images).float() / 255 if as_floats else images
    model, counts = PixelSimilarity().partial_fit(given, labels), np.bincount(labels)
    sums = np.stack([images[labels == c].sum(0, dtype=int) for c in range(len(counts))])
    assert model.totals_.tolist() == sums.tolist() and model.counts_.tolist() == counts.tolist()
    assert np.array_equal(model.prototypes_, (sums / (255 * counts[:, None, None])).astype(np.float32))


def test_sums_of_other_floats(monkeypatch):
    "No 255ths: NumPy's float64 sums, and the same to the last bit each time, whatever threads would take first."
    images, labels = np.random.default_rng(0).random((9000, 12, 12), dtype=np.float32)**16, np.arange(9000) % 3
    found = PixelSimilarity().fit(images, labels).totals_
    np.testing.assert_allclose(found, [255 * images[labels == c].sum(0, dtype=float) for c in range(3)], rtol=1e-12)
    monkeypatch.setattr(totals, "on_threads", lambda work, starts, device: work(iter(starts[::-1])))
    assert torch.equal(found, PixelSimilarity().fit(images, labels).totals_)
    near = (np.array([[[100]]]) / 255 + 1e-6).astype(np.float32)  # nearly a 255th is not one
    assert PixelSimilarity().partial_fit(near, [3]).totals_.item() == pytest.approx(100 + 255e-6, abs=2e-5)


@pytest.mark.parametrize("toward", [0, 1])
@pytest.mark.parametrize("prototype", ["mean", "median"])
def test_floats_that_were_bytes_but_for_rounding(toward, prototype):
    "The last bit of a float decides nothing: all 256 grays are counted as the whole numbers that they were."
    grays = np.arange(256).reshape(1, 4, 64)
    near = np.nextafter((grays / 255).astype(np.float32), np.float32(toward))
    model = PixelSimilarity(prototype=prototype).partial_fit(near, [3])
    assert (model.totals_ if prototype == "mean" else model.totals_.argmax(-1)).tolist() == grays.tolist()


@pytest.mark.parametrize("size, label, said", [
    ((2, 4), 3, r"2×3 as before, got 2×4: bring them to it with as_images\(images, resize=\(2, 3\)\)"), ((3, 3), 3, "2×3 as before, got 3×3"),
    ((2, 3), "3", r"all strings or all numbers, got \['3'\] after \[3, 7\]")])
def test_what_does_not_join(size, label, said):
    "Another height or width is refused, and the way out is the size of before; and so are words after numbers."
    with pytest.raises(ValueError, match=said) as caught: PixelSimilarity().fit(np.zeros((2, 2, 3)), [3, 7]).partial_fit(np.zeros((1, *size)), [label])
    assert label == "3" or caught.value.way_out == {"resize": (2, 3)}


@given(sample=labeled(), as_floats=st.booleans())
def test_medians(sample, as_floats):
    "NumPy's median of each pixel, which lies between the middle two if their number is even; and how often each gray occurred."
    images, labels, classes = sample
    where = {c: images[[label == c for label in labels]] for c in sorted(classes)}
    model = PixelSimilarity(prototype="median").fit(images / np.float32(255) if as_floats else images, labels)
    np.testing.assert_allclose(model.prototypes_, [np.median(x, axis=0) / 255 for x in where.values()], atol=1e-7)
    assert model.totals_.tolist() == [(x[..., None] == np.arange(256)).sum(0).tolist() for x in where.values()]
