"Batches from anywhere: lists, generators, PyTorch's and fastai's loaders; no image is lost without a word."
import re

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, TensorDataset

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
    pairs = [(images[i:i + 20], labels[i:i + 20]) for i in range(0, len(images), 20)]
    for batches in (pairs, iter(pairs), tuple(pairs), [[x.numpy(), y.tolist()] for x, y in pairs],
                    [(memoryview(x[:, None].numpy()), torch.from_numpy(y)) for x, y in pairs],
                    [(x[:, None].expand(-1, 3, -1, -1).float() / 255, y) for x, y in pairs]):
        assert same_model(PixelSimilarity().fit(batches), PixelSimilarity().fit(images, labels))
    for wrong, said in ((images, "pair (images, labels), got Tensor"), (7, "got int"), ([(images, labels, 1)], "got tuple"),
                        ([(torch.rand(2, 3, 5, 5), [3, 7])], "have colors"), ([(torch.rand(2, 2, 5, 5), [3, 7])], "(2, 2, 5, 5)"),
                        ([(torch.zeros(2, 3, 2, 2, device="meta"), [3, 7])], "meta"), ([(torch.zeros(2, 3, 2, 2).to_sparse(), [3, 7])], "sparse")):
        with pytest.raises((TypeError, ValueError), match=re.escape(said)): PixelSimilarity().fit(wrong)


def test_a_set_of_images_has_its_labels(digits, model):
    "`fit` and `score` take them from it; `predict` does without."
    train, valid = digits
    assert same_model(PixelSimilarity().fit(train.images, train.labels), model)
    assert model.score(valid) == model.score(valid.images, valid.labels) == (model.predict(valid) == valid.labels).mean()


# fastai

@pytest.fixture(scope="module")
def files(fastai_home): return fastai_home / "data" / "mnist_sample"


@pytest.fixture(scope="module")
def words(some): return PixelSimilarity().fit(*some[0][:2])


@pytest.mark.filterwarnings("error::UserWarning")
@pytest.mark.parametrize("kind", ["PILImageBW", "PILImage"])
def test_fastais_loaders(files, words, some, kind):
    """Learned from both, or from one alone, to the bit, is what is learned from the digits in memory, none left out; theirs are as they were; chance is told.

    fastai reads files in color unless told otherwise: three equal channels. The training set is shuffled and drops its last images."""
    from fastai.vision import all as fastai
    block = fastai.DataBlock((fastai.ImageBlock(getattr(fastai, kind)), fastai.CategoryBlock), get_y=fastai.parent_label,
                             splitter=fastai.GrandparentSplitter(), get_items=lambda folder: [folder / name for _, _, names in some for name in names])
    loaders = block.dataloaders(files, bs=100, num_workers=0)
    for each in (loaders, loaders.train): assert same_model(PixelSimilarity().fit(each), words)
    assert words.classes_.tolist() == [*loaders.vocab] and loaders.one_batch()[0].shape[1] == (1 if kind == "PILImageBW" else 3)
    assert same_model(PixelSimilarity().fit(loaders.valid), PixelSimilarity().fit(*some[1][:2]))
    assert loaders.train.drop_last and loaders.train.shuffle and len(loaders.train.dataset) % loaders.train.bs
    for changes in ({"item_tfms": fastai.FlipItem()}, {"batch_tfms": fastai.Flip()}):
        with pytest.warns(UserWarning, match=r"changes its images at random \(Flip.*make it without them"):
            PixelSimilarity().fit(block.new(**changes).dataloaders(files, bs=100, num_workers=0))


def test_fastais_images(files, words):
    "Images that fastai has opened, and its tensors, are images."
    from fastai.vision.all import PILImage, PILImageBW, TensorImage
    paths = sorted((files / "valid").glob("*/*.png"))[::100]
    wanted = words.distances(paths)
    for kind in (PILImage, PILImageBW): assert torch.equal(words.distances([kind.create(path) for path in paths]), wanted)
    far = words.distances(TensorImage(np.stack([np.array(Image.open(path)) for path in paths])))
    assert torch.equal(far, wanted) and type(far) is torch.Tensor
