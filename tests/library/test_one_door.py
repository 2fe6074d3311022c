"Each image is checked and converted once on its way through the classifier."
from collections import Counter

import pytest
import torch

import pixelsim.arrays as arrays
import pixelsim.images as images_room
from pixelsim.classifier import PixelSimilarity

CHECKS = ("as_numbers", "check_stack", "check_values")


@pytest.fixture
def calls(monkeypatch):
    "How often each check is called, in whatever room it was imported."
    counted = Counter()
    def counting(name, check):
        def counts(*args, **kwargs):
            counted[name] += 1
            return check(*args, **kwargs)
        return counts
    for name in CHECKS:
        check = getattr(arrays, name)
        for room in (arrays, images_room):
            if hasattr(room, name): monkeypatch.setattr(room, name, counting(name, check))
    return counted


@pytest.mark.parametrize("floats", [False, True])
@pytest.mark.parametrize("method", ["fit", "partial_fit", "predict", "distances", "score"])
def test_one_check_of_each_kind(digits, calls, method, floats):
    train, _ = digits
    images = train.images[::50] / 255 if floats else train.images[::50]
    labels = train.labels[::50].tolist()
    model = PixelSimilarity().fit(images, labels)
    calls.clear()
    getattr(model, method)(*((images, labels) if method in ("fit", "partial_fit", "score") else (images,)))
    assert calls == {name: 1 for name in CHECKS}


def test_ten_classes_convert_each_chunk_once(digits, monkeypatch):
    "Each row of pixels is copied into a buffer of floats once, whatever the number of classes."
    images = digits[1].images
    copied, copy = [], torch.Tensor.copy_
    def counting(self, other, *args, **kwargs):
        if other.dtype == torch.uint8 and self.is_floating_point(): copied.append(len(other))
        return copy(self, other, *args, **kwargs)
    monkeypatch.setattr(torch.Tensor, "copy_", counting)
    for k in (2, 10):
        model = PixelSimilarity().fit(images, [i % k for i in range(len(images))])
        for ask in (model.distances, model.predict):
            copied.clear()
            ask(images)
            assert sum(copied) == len(images)
