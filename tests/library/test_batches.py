"Batches from anywhere: lists, generators, PyTorch's and fastai's loaders; no image is lost without a word."
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, TensorDataset

from pixelsim.batches import gray_batch
from pixelsim.classifier import PixelSimilarity


def same_model(a, b):
    "Have two classifiers learned the same, to the last bit?"
    return a.classes_.tolist() == b.classes_.tolist() and all(torch.equal(getattr(a, n), getattr(b, n)) for n in ("totals_", "counts_"))


@pytest.fixture(scope="module")
def some(digits):
    "Every tenth digit to learn from, and to test with; the classes are the names of the folders."
    return [(split.images[::10], split.labels[::10].astype(str), split.names[::10]) for split in digits]


@pytest.mark.filterwarnings("error::UserWarning")
def test_a_loader_that_drops_images_warns(some):
    "The last 40 of 1,240 are lost with drop_last; without it, shuffled or not, it is the fit of everything, and silent."
    images, labels = some[0][0], torch.from_numpy(some[0][1].astype(int))
    def fitted(**options): return PixelSimilarity().fit(DataLoader(TensorDataset(images, labels), batch_size=100, **options))
    with pytest.warns(UserWarning, match=r"DataLoader has drop_last=True.*drop_last=False"): part = fitted(drop_last=True)
    assert part.counts_.sum() == 1200
    for shuffle in (False, True): assert same_model(fitted(shuffle=shuffle), PixelSimilarity().fit(images, labels))


def test_batches_from_anywhere(digits):
    "A list, an iterator, a tuple, lists or arrays in them, an axis for gray or for three equal colors: all are one; what is no batch is told."
    images, labels = digits[0].images[::100], digits[0].labels[::100]
    wanted = PixelSimilarity().fit(images, labels)
    pairs = [(images[i:i + 20], labels[i:i + 20]) for i in range(0, len(images), 20)]
    for batches in (pairs, iter(pairs), tuple(pairs), [[x.numpy(), y.tolist()] for x, y in pairs],
                    [(x[:, None], torch.from_numpy(y)) for x, y in pairs],
                    [(x[:, None].expand(-1, 3, -1, -1).float() / 255, y) for x, y in pairs]):
        assert same_model(PixelSimilarity().fit(batches), wanted)
    for wrong, said in ((images, "pair (images, labels), got Tensor"), (7, "got int"), ([(images, labels, 1)], "got tuple"),
                        ([(torch.rand(2, 3, 5, 5), [3, 7])], "have colors"), ([(torch.rand(2, 2, 5, 5), [3, 7])], "(2, 2, 5, 5)")):
        with pytest.raises((TypeError, ValueError), match=re.escape(said)): PixelSimilarity().fit(wrong)


# fastai

@pytest.fixture(scope="module")
def files(fastai_home): return fastai_home / "data" / "mnist_sample"


@pytest.fixture(scope="module")
def loaders(files, some):
    "fastai's DataLoaders over their files, in gray. The training set is shuffled and drops its last images."
    from fastai.vision.all import CategoryBlock, DataBlock, GrandparentSplitter, ImageBlock, PILImageBW, parent_label
    block = DataBlock((ImageBlock(PILImageBW), CategoryBlock), get_y=parent_label, splitter=GrandparentSplitter(),
                      get_items=lambda folder: [folder / name for _, _, names in some for name in names])
    return block.dataloaders(files, bs=100, num_workers=0)


@pytest.fixture(scope="module")
def words(some): return PixelSimilarity().fit(*some[0][:2])


@pytest.mark.filterwarnings("error::UserWarning")
def test_fastais_loaders(loaders, words, some):
    "Learned from both, or from one alone, to the bit, is what is learned from the digits in memory, none left out; theirs are as they were."
    for each in (loaders, loaders.train): assert same_model(PixelSimilarity().fit(each), words)
    assert words.classes_.tolist() == [*loaders.vocab]
    assert same_model(PixelSimilarity().fit(loaders.valid), PixelSimilarity().fit(*some[1][:2]))
    assert loaders.train.drop_last and loaders.train.shuffle and len(loaders.train.dataset) % loaders.train.bs


def test_fastais_loaders_in_color(files):
    "fastai reads files in color unless told otherwise: three equal channels, the same model."
    from fastai.vision.all import ImageDataLoaders, get_image_files
    some = sorted(get_image_files(files / "train"))[::20]
    loaders = ImageDataLoaders.from_path_func(files, some, lambda path: path.parent.name, bs=64, num_workers=0, seed=1)
    assert loaders.one_batch()[0].shape[1] == 3
    names = [str(path) for path in loaders.train.dataset.items]
    assert same_model(PixelSimilarity().fit(loaders), PixelSimilarity().fit(names, [Path(name).parent.name for name in names]))


def test_fastais_images(files, words):
    "Images that fastai has opened, and its tensors, are images."
    from fastai.vision.all import PILImage, PILImageBW, TensorImage, TensorImageBW
    paths = sorted((files / "valid").glob("*/*.png"))[::100]
    wanted = words.predict(paths).tolist()
    assert set(wanted) == {"3", "7"}
    for kind in (PILImage, PILImageBW): assert words.predict([kind.create(path) for path in paths]).tolist() == wanted
    pixels = torch.stack([torch.from_numpy(np.array(Image.open(path))) for path in paths])
    for tensor in (TensorImageBW(pixels), TensorImage(pixels.float() / 255)):
        assert words.predict(tensor).tolist() == wanted and type(words.distances(tensor)) is torch.Tensor


# Pillow and files

def test_files_and_pillows_images(tmp_path, digits):
    "Paths and Pillow's images are what their pixels are, in fit, predict, distances and score. Lists of every kind: test_images.py."
    images, labels = digits[1].images[::200], digits[1].labels[::200]
    model, made = PixelSimilarity("l2").fit(digits[1]), [Image.fromarray(image.numpy()) for image in images]
    paths, wanted = [tmp_path / f"{i}.png" for i in range(len(images))], model.distances(images)
    for image, path in zip(made, paths): image.save(path)
    for listed in (paths, [image.convert("RGB") for image in made], [image.convert("LA") for image in made]):
        assert torch.equal(model.distances(listed), wanted) and model.score(listed, labels) == model.score(images, labels)
        assert model.predict(listed).tolist() == model.predict(images).tolist()
        assert same_model(PixelSimilarity().fit(listed, labels), PixelSimilarity().fit(images, labels))
    large = [Image.fromarray(255 - np.kron(image, np.ones((2, 2), np.uint8))) for image in images.numpy()]
    assert torch.equal(model.distances(large, invert=True, resize=True), wanted)
    with pytest.raises(ValueError, match=r"\(n, 28, 28\), got \(11, 56, 56\).*resize=True"): model.predict(large)
    for call in (model.predict, lambda x: model.score(x, [3]), lambda x: PixelSimilarity().fit(x, [3])):
        with pytest.raises(FileNotFoundError, match="gone.png"): call(str(tmp_path / "gone.png"))


def test_a_set_of_images_has_its_labels(digits, model):
    "`fit` and `score` take them from it; `predict` does without."
    valid = digits[1]
    assert same_model(PixelSimilarity().fit(valid), PixelSimilarity().fit(valid.images, valid.labels))
    assert model.score(valid) == model.score(valid.images, valid.labels) and len(model.predict(valid)) == len(valid)


def test_batches_of_memory_and_of_nothing():
    "A memory view of images with channels is taken; a tensor without values, or with some only, is refused in words, also with channels."
    gray = np.repeat(np.float32([[[[0, .25], [.5, 1]]]]), 3, axis=1)
    assert gray_batch(memoryview(gray)).tolist() == [[[0, .25], [.5, 1]]]
    with pytest.raises((TypeError, ValueError), match="meta"): PixelSimilarity().fit(torch.zeros(2, 3, 2, 2, device="meta"), [0, 1])
    with pytest.raises((TypeError, ValueError), match="sparse"): PixelSimilarity().fit(torch.zeros(2, 3, 2, 2).to_sparse(), [0, 1])
