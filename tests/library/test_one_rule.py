"Which class is nearest has one answer, wherever one asks, exact ties among them."
import json

import numpy as np
import pytest
import torch
from PIL import Image

from pixelsim.cli import main
from pixelsim.classifier import PixelSimilarity

POWER = {"l1": 1, "l2": 2}


def whole_numbers(seed, k, n, levels):
    "Prototypes of `k` classes and `n` images, 5 × 6 pixels with so few gray levels that many distances are equal."
    random = np.random.default_rng(seed)
    prototypes = random.integers(0, levels, (k, 5, 6)) * (255 // (levels - 1))
    return prototypes.astype(np.uint8), (random.integers(0, levels, (n, 5, 6)) * (255 // (levels - 1))).astype(np.uint8)


def far(images, prototypes, distance):
    "The sums of differences, or of their squares, in whole numbers: shape (n, k)."
    return (abs(images[:, None].astype(np.int64) - prototypes[None].astype(np.int64)) ** POWER[distance]).sum((2, 3))


@pytest.mark.parametrize("distance", POWER)
@pytest.mark.parametrize("k, levels, n", [(2, 2, 3000), (2, 3, 3000), (10, 2, 3000), (10, 6, 3000), (3, 256, 500)])
@pytest.mark.parametrize("floats", [False, True])
def test_everyone_gives_the_same_answer(distance, k, levels, n, floats):
    "predict, score, the smallest distance and whole numbers agree on every image; of equal distances the first is the answer."
    prototypes, images = whole_numbers(k * levels, k, n, levels)
    model = PixelSimilarity(distance).fit(prototypes, range(k))
    exact = far(images, prototypes, distance)
    if levels < 10: assert (np.sort(exact)[:, 0] == np.sort(exact)[:, 1]).mean() > 0.02  # there are ties to decide
    shown = torch.from_numpy(images) / 255 if floats else images
    answer = exact.argmin(1)
    assert model.predict(shown).tolist() == answer.tolist()
    distances = model.distances(shown).numpy()
    assert distances.argmin(1).tolist() == answer.tolist()
    least = distances.min(1, keepdims=True)
    assert ((distances == least) == (exact == exact.min(1, keepdims=True))).all()  # equal ones are equal numbers, and no others
    assert model.score(shown, answer) == 1


@pytest.mark.parametrize("prototype", ["mean", "median"])
@pytest.mark.parametrize("distance", POWER)
def test_prototypes_that_are_no_whole_numbers(distance, prototype):
    "Means of three images and their mirror images: what lies on the axis is equally far from both."
    half = np.random.default_rng(3).integers(0, 256, (3, 6, 4)).astype(np.uint8)
    model = PixelSimilarity(distance, prototype).fit([*half, *half[:, :, ::-1]], [0] * 3 + [1] * 3)
    side = np.random.default_rng(4).integers(0, 256, (400, 6, 2)).astype(np.uint8)
    symmetric = np.concatenate([side, side[:, :, ::-1]], axis=2)
    assert model.predict(symmetric).tolist() == [0] * 400
    distances = model.distances(symmetric)
    assert (distances[:, 0] == distances[:, 1]).all()


@pytest.mark.parametrize("compiled", [False, True])
def test_digits_by_the_slow_definition(digits, compiled):
    "On real digits, in float64 and with the means as fractions."
    train, valid = digits
    if compiled: pytest.importorskip("torch._inductor")
    means = np.stack([train[c].numpy().astype(np.int64).sum(0) / len(train[c]) for c in (3, 7)])
    slow = np.stack([abs(valid.images.numpy() - m).sum((1, 2)) for m in means]).argmin(0)
    many = torch.cat([valid.images] * 3)  # enough of them to be worth compiling
    assert PixelSimilarity(compiled=compiled).fit(train).predict(many).tolist() == np.tile(np.array([3, 7])[slow], 3).tolist()


@pytest.mark.parametrize("distance", POWER)
def test_the_command_agrees(tmp_path, capsys, distance):
    "pixelsim predict and pixelsim score on files whose distances are equal."
    prototypes, images = whole_numbers(1, 2, 60, 2)
    prototypes[1] = prototypes[0]
    prototypes[1, 0] = 255 - prototypes[1, 0]  # six pixels differ: an image that has three of each is equally far
    model = tmp_path / "model.npz"
    PixelSimilarity(distance).fit(prototypes, ["b", "a"]).save(model)
    exact = far(images, prototypes[::-1], distance)  # in the order of the classes: a, b
    assert (exact[:, 0] == exact[:, 1]).any()
    answer = np.array(["a", "b"])[exact.argmin(1)]
    for i, (image, label) in enumerate(zip(images, answer)):
        (tmp_path / "files" / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(tmp_path / "files" / label / f"{i}.png")
    files = sorted((tmp_path / "files").glob("*/*.png"))
    assert main(["predict", *map(str, files), "--model", str(model), "--json"]) == 0
    assert [p["label"] for p in json.loads(capsys.readouterr().out)] == [f.parent.name for f in files]
    assert main(["score", str(model), str(tmp_path / "files"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] == 1


def test_less_exact_multiplication_changes_nothing(digits):
    "Where matrices may be multiplied with fewer digits, more images are compared again."
    train, valid = digits
    model = PixelSimilarity("l2").fit(train)
    right = model.predict(valid)
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        assert (model.predict(valid) == right).all()
    finally: torch.set_float32_matmul_precision(before)
    with torch.autocast("cpu", dtype=torch.bfloat16): assert (model.predict(valid) == right).all()
