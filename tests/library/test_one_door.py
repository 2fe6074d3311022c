"Each image is checked and converted once on its way through the classifier."
from unittest.mock import Mock

import pytest
import torch

import pixelsim.arrays as arrays
import pixelsim.images as images_room
from pixelsim.classifier import PixelSimilarity


@pytest.mark.parametrize("floats", [False, True])
@pytest.mark.parametrize("method", ["fit", "partial_fit", "predict", "distances", "score"])
def test_one_check_of_each_kind(digits, monkeypatch, method, floats):
    images, labels = digits[0].images[::50], digits[0].labels[::50].tolist()
    if floats: images = images / 255
    model = PixelSimilarity().fit(images, labels)
    checks = {name: Mock(wraps=getattr(arrays, name)) for name in ("as_numbers", "check_stack", "check_values")}
    for name, check in checks.items():
        for room in (arrays, images_room): monkeypatch.setattr(room, name, check, raising=False)
    getattr(model, method)(images, *[labels] * (method in ("fit", "partial_fit", "score")))
    assert [check.call_count for check in checks.values()] == [1, 1, 1]


@pytest.mark.parametrize("k", [2, 10])
@pytest.mark.parametrize("method", ["predict", "distances"])
def test_ten_classes_convert_each_chunk_once(digits, monkeypatch, method, k):
    "Each row of pixels is copied into a buffer of floats once, whatever the number of classes."
    images, copied, copy = digits[1].images, [], torch.Tensor.copy_
    model = PixelSimilarity().fit(images, [i % k for i in range(len(images))])
    def counting(self, other, *args, **kwargs):
        if other.dtype == torch.uint8 and self.is_floating_point(): copied.append(len(other))
        return copy(self, other, *args, **kwargs)
    monkeypatch.setattr(torch.Tensor, "copy_", counting)
    getattr(model, method)(images)
    assert sum(copied) == len(images)
