"A set of images, and everything that may hold images: lists of every kind, files, arrays, Pillow's pictures."
import io
import re
from collections import deque
from pathlib import Path

import numpy as np
import pytest
import torch
from fastcore.foundation import L
from PIL import Image

from pixelsim.classifier import PixelSimilarity
from pixelsim.image_set import ImageSet
from pixelsim.images import as_images, mostly_bright


@pytest.fixture
def files(tmp_path):
    "Two files of 2×3 pixels, all 5 and all 9; on file systems in text order."
    for value in (5, 9): Image.fromarray(np.full((2, 3), value, np.uint8)).save(tmp_path / f"{value}.png")
    return [tmp_path / "5.png", tmp_path / "9.png"]


# A set of images

def made_set(labels, classes): return ImageSet(torch.arange(24, dtype=torch.uint8).reshape(4, 2, 3), np.array(labels), np.array([*"abcd"]), classes)


def test_image_set():
    "Indexing gives one class in order; a class that is not there is a KeyError with the classes; len and repr."
    made = made_set([7, 3, 7, 7], (3, 7))
    assert torch.equal(made[7], made.images[[0, 2, 3]]) and torch.equal(made[3], made.images[1:2])
    for label in (8, "3", [3, 7]):
        with pytest.raises(KeyError, match=re.escape(f"no class {label!r} here: the classes are [3, 7]")): made[label]
    assert len(made) == 4 and 7 in made and 8 not in made and torch.equal(as_images(made), made.images)
    assert repr(made) == "ImageSet of 4 images, 2×3 pixels: 1 of class 3, 3 of class 7"
    with pytest.raises(TypeError): iter(made)


@pytest.mark.parametrize("stored, asked", [("cafe\u0301", "caf\u00e9"), ("caf\u00e9", "cafe\u0301"), ("\u1112\u1161\u11ab", "\ud55c"), ("A\u030a", "\u212b")])
def test_names_that_look_alike(stored, asked):
    "An accent as a character of its own or not, a syllable of Hangul or its letters, Å or the unit Ångström: one class."
    made = made_set([stored, "tea", stored, "tea"], (stored, "tea"))
    assert asked in made and torch.equal(made[asked], made.images[::2]) and torch.equal(made[stored], made.images[::2])
    assert made.classes[0] == made.labels[0] and len({made.classes[0]} & {stored, asked, "\u00c5"}) == 1


# Whatever lists images

LISTS = {"list": list, "tuple": tuple, "L": L, "array of strings": lambda f: np.array([str(p) for p in f]), "array of objects": lambda f: np.array(f, object),
         "generator": lambda f: (p for p in f), "deque": deque, "values": lambda f: dict(enumerate(f)).values(),
         "L of pictures": lambda f: L(f).map(Image.open), "L of arrays": lambda f: L(np.asarray(Image.open(p)) for p in f),
         "mixed": lambda f: [str(f[0]), Image.open(f[1])],
         "generator of tensors": lambda f: (torch.tensor(np.array(Image.open(p))) for p in f)}


@pytest.mark.parametrize("kind", LISTS)
def test_lists_of_files_and_pictures(files, kind):
    "Each kind of list gives the images in its order, and a model takes it too."
    assert as_images(LISTS[kind](files)).tolist() == [[[5] * 3] * 2, [[9] * 3] * 2]
    model = PixelSimilarity().fit(LISTS[kind](files), ["five", "nine"])
    assert model.predict(LISTS[kind](files[::-1])).tolist() == ["nine", "five"]


@pytest.mark.parametrize("dtype", [None, "string", "category", object])
def test_columns_of_a_table(files, dtype):
    "A column of paths, of each type that pandas has for them, with an index that does not start at 0; a column of arrays too."
    pandas = pytest.importorskip("pandas", reason="NOT TESTED: pandas is not installed")
    table = pandas.DataFrame({"file": pandas.Series([str(f) for f in files], index=[7, 3], dtype=dtype)})
    assert as_images(table.file)[:, 0, 0].tolist() == as_images(pandas.Index(table.file))[:, 0, 0].tolist() == [5, 9]
    assert as_images(pandas.Series([np.asarray(Image.open(f)) for f in files]))[:, 0, 0].tolist() == [5, 9]
    table.loc[3, "file"] = None
    with pytest.raises(TypeError, match=r"images\[1\] is \w+, and others are files or Pillow images: pass one kind"): as_images(table.file)


@pytest.mark.parametrize("one", [str, Path, Image.open])
def test_one_file(files, one):
    for options, gray in (({}, 9), ({"invert": True}, 246)): assert as_images(one(files[1]), **options).tolist() == [[[gray] * 3] * 2]


@pytest.mark.parametrize("nothing", [[], (), np.array([]), torch.tensor([]), iter([]), np.array([], object)], ids=lambda nothing: type(nothing).__name__)
def test_nothing_at_all(nothing):
    "An empty list, a pattern that found no file: the truth, and no advice to reshape it."
    with pytest.raises(ValueError, match="^images lists nothing, not one image: look at where the list comes from$"): as_images(nothing)


@pytest.mark.parametrize("wrong", [{"a": 1}, {"a.png"}, None, b"a.png", io.BytesIO(b"x"), object()], ids=lambda w: type(w).__name__)
def test_what_lists_no_images(wrong):
    "A dictionary, a set (which has no order), bytes, an open file: a TypeError that names the kind."
    with pytest.raises(TypeError, match=f"^images: (expected numbers, )?got {type(wrong).__name__.removesuffix('Type')}"): as_images(wrong)


def test_sizes_that_differ(files):
    "The advice, followed, works, for files and for arrays; the way out of files is the size of the first."
    Image.fromarray(np.full((4, 6), 9, np.uint8)).save(files[1])
    for images in (files, L(np.asarray(Image.open(f)) for f in files)):
        with pytest.raises(ValueError, match="one size") as caught: as_images(images)
        advice = re.search(r"as_images\(images, resize=.*?\)\)", str(caught.value))[0]
        assert eval(advice, {"as_images": as_images, "images": images})[:, 0, 0].tolist() == [5, 9]
        if images is files: assert caught.value.way_out == {"resize": (2, 3)}


# invert and resize, for what is in memory

@pytest.mark.parametrize("images, whole", [(torch.tensor([[[0, 100]]]).byte(), 255), (torch.tensor([[[0, 100]]]) / 255, 1)], ids=["uint8", "floats"])
def test_inverted_and_resized(images, whole):
    "By hand: the average of 0 and 100 of 255 is 50; inverted first, 255 and 155 give 205. Floats are not rounded."
    for options, wanted in (({}, 50), ({"invert": True}, 205)):
        assert as_images(images, resize=(1, 1), **options).tolist() == [[[pytest.approx(wanted * whole / 255)]]]
    assert as_images([images[0], images[0]], resize=(2, 2), invert=True).tolist() == [[[pytest.approx(ink * whole / 255) for ink in (255, 155)]] * 2] * 2
    assert as_images(images[:0], resize=(5, 4)).shape == (0, 5, 4) and as_images(images[:0]).shape == (0, 1, 2)
    assert torch.equal(as_images(images), images) and as_images(images).dtype == as_images(images, resize=(3, 3)).dtype == images.dtype


@pytest.mark.parametrize("share, wanted", [(0, False), (2, False), (3, True), (4, True)])
def test_mostly_bright(share, wanted):
    "More than half with a bright border; images of fewer than eight pixels a side are all border, and none says nothing."
    images = torch.full((4, 8, 8), 127, dtype=torch.uint8)
    images[:share] = 128
    assert mostly_bright(images) == mostly_bright(images / 255) == wanted
    assert not mostly_bright(images[:, :7]) and not mostly_bright(images[:0]) and mostly_bright(images[:1]) == (share > 0)
