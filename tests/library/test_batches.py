"Batches from anywhere: lists, generators, PyTorch's and fastai's loaders; no image is lost without a word."
import re
import warnings
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


def test_a_loader_that_drops_images_warns(some):
    "The last 40 of 1,240 are lost with drop_last; without it, shuffled or not, it is the fit of everything, and silent."
    images, labels, _ = some[0]
    def loader(**options):
        dataset = TensorDataset(images, torch.from_numpy(labels.astype(int)))
        return DataLoader(dataset, batch_size=100, generator=torch.Generator().manual_seed(0), **options)
    wanted = PixelSimilarity().fit(images, labels.astype(int))
    with pytest.warns(UserWarning, match=r"DataLoader has drop_last=True.*drop_last=False"): part = PixelSimilarity().fit(loader(drop_last=True))
    assert part.counts_.sum() == 1200 and not same_model(part, wanted)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for shuffle in (False, True): assert same_model(PixelSimilarity().fit(loader(shuffle=shuffle)), wanted)


def test_batches_from_anywhere(digits):
    "A list, a generator, an iterator, lists or arrays in them, an axis for gray or for three equal colors: all are one."
    images, labels = digits[0].images[::100], digits[0].labels[::100]
    wanted = PixelSimilarity().fit(images, labels)
    pairs = [(images[i:i + 20], labels[i:i + 20]) for i in range(0, len(images), 20)]
    for batches in (pairs, iter(pairs), (pair for pair in pairs), tuple(pairs), [[x.numpy(), y.tolist()] for x, y in pairs],
                    [(x[:, None], torch.from_numpy(y)) for x, y in pairs],
                    [(x[:, None].expand(-1, 3, -1, -1).float() / 255, y) for x, y in pairs]):
        assert same_model(PixelSimilarity().fit(batches), wanted)
    for wrong, said in (([images], "pair (images, labels), got Tensor"), (images, "pair (images, labels), got Tensor"), (7, "got int"),
                        (None, "got NoneType"), ([(images, labels, 1)], "got tuple"), ([(torch.rand(2, 3, 5, 5), [3, 7])], "have colors"),
                        ([(torch.rand(2, 2, 5, 5), [3, 7])], "(2, 2, 5, 5)"),
                        (pairs + [(images[:2, :14], [3, 7])], "28×28 as before, got 14×28: bring them to it with as_images(images, resize=(28, 28))"),
                        (pairs + [(images[:2], ["3", "7"])], "all strings or all numbers, got ['3', '7'] after [3, 7]")):
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


def test_fastais_loaders(loaders, words, some):
    "Learned from both, or from one alone, to the bit, is what is learned from the digits in memory, none left out."
    assert loaders.train.drop_last and loaders.train.shuffle and len(loaders.train.dataset) % loaders.train.bs
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        for each in (loaders, loaders.train): assert same_model(PixelSimilarity().fit(each), words)
        assert words.classes_.tolist() == [*loaders.vocab]
        assert same_model(PixelSimilarity().fit(loaders.valid), PixelSimilarity().fit(*some[1][:2]))
    assert loaders.train.drop_last and loaders.train.shuffle  # theirs are as they were


def test_fastais_loaders_in_color(files):
    "fastai reads files in color unless told otherwise: three equal channels, the same model."
    from fastai.vision.all import ImageDataLoaders, get_image_files
    some = sorted(get_image_files(files / "train"))[::20]
    loaders = ImageDataLoaders.from_path_func(files, some, lambda path: path.parent.name, bs=64, num_workers=0, seed=1)
    assert loaders.one_batch()[0].shape[1] == 3
    names = [str(path) for path in loaders.train.dataset.items]
    assert same_model(PixelSimilarity().fit(loaders), PixelSimilarity().fit(names, [Path(name).parent.name for name in names]))


def test_fastais_learner(loaders, words, some):
    "Its metric on the module is the score of the classifier; the loss is that of the logits; and it can train it."
    from fastai.vision.all import CrossEntropyLossFlat, Learner, accuracy
    images, labels, _ = some[1]
    learner = Learner(loaders, words.module(learn=True, scale=20), loss_func=CrossEntropyLossFlat(), metrics=accuracy)
    with learner.no_bar(), learner.no_logging():
        loss, right = learner.validate()
        learner.fit(1, lr=1e-2)
        assert learner.validate()[0] < loss
    assert right == pytest.approx(words.score(images, labels), abs=1e-6)
    target = torch.from_numpy((labels == "7").astype(np.int64))
    assert loss == pytest.approx(torch.nn.functional.cross_entropy(-20 * words.distances(images), target).item(), abs=1e-5)


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
    "Paths, and Pillow's images of each kind, are what their pixels are, in fit, predict, distances and score. Lists of every kind: test_images.py."
    images, labels = digits[1].images[::200], digits[1].labels[::200]
    model = PixelSimilarity("l2").fit(digits[1])
    paths, made = [tmp_path / f"{i}.png" for i in range(len(images))], [Image.fromarray(image.numpy()) for image in images]
    for image, path in zip(made, paths, strict=True): image.save(path)
    wanted = model.distances(images)
    for listed in (paths, made, [image.convert("RGB") for image in made], [image.convert("LA") for image in made]):
        assert torch.equal(model.distances(listed), wanted) and model.score(listed, labels) == model.score(images, labels)
        assert model.predict(listed).tolist() == model.predict(images).tolist()
        assert same_model(PixelSimilarity().fit(listed, labels), PixelSimilarity().fit(images, labels))
    for one in (paths[0], str(paths[0]), made[0]): assert model.predict(one).tolist() == model.predict(images[:1]).tolist()
    assert torch.equal(model.distances([Image.fromarray(255 - image.numpy()) for image in images], invert=True), wanted)
    large = [image.resize((56, 56), Image.Resampling.NEAREST) for image in made]
    assert torch.equal(model.distances(large, resize=True), wanted)
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
