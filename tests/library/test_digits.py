"The bundled digits: genuine, whole, in the published order, with no network and no pickle; and the tool that builds them."
import gzip
import hashlib
import os
import re
import struct
import sys
import zipfile
from importlib.resources import files
from pathlib import Path

import build_digits
import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pixelsim import digits as module
from pixelsim.digits import load_mnist
from pixelsim.fastai_folder import mnist_sample_folder
from pixelsim.image_set import ImageSet

BUNDLE = files("pixelsim").joinpath("data/mnist.npz")
# SHA-256 of the four original files, unzipped
ORIGINALS = {"train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
             "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
             "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
             "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"}


@pytest.fixture(scope="session")
def bundle():
    "The bundled arrays, read with NumPy alone, with pickles forbidden."
    with BUNDLE.open("rb") as file, np.load(file, allow_pickle=False) as arrays: return {k: arrays[k] for k in arrays}


@settings(max_examples=6)
@given(asked=st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True))
@example(asked=None)
def test_any_digits_in_any_order(bundle, asked):
    "Exactly their images, labels and names, digit after digit; all ten if none are named."
    digits = asked or range(10)
    for split, images in zip(("train", "valid"), load_mnist(asked) if asked else load_mnist(), strict=True):
        assert isinstance(images, ImageSet) and images.images.dtype == torch.uint8 and images.classes == tuple(digits)
        assert np.array_equal(images.images.numpy(), np.concatenate([bundle[f"{split}_{d}"] for d in digits]))
        assert images.labels.tolist() == [d for d in digits for _ in bundle[f"{split}_{d}"]]
        assert images.names.tolist() == [f"{split}/{d}/{i}.png" for d in digits for i in bundle[f"{split}_{d}_index"]]
        for d in digits: assert images.names[images.labels == d].tolist() == sorted(images.names[images.labels == d])


# Genuine, and remade by the builder

@pytest.fixture(scope="session")
def originals(bundle):
    "The four files as MNIST's authors published them, put together again by hand from the bundle."
    made = {}
    for split, name, n in (("train", "train", 60_000), ("valid", "t10k", 10_000)):
        images, labels = np.zeros((n, 28, 28), np.uint8), np.full(n, 255, np.uint8)
        for digit in range(10):
            index = bundle[f"{split}_{digit}_index"]
            images[index], labels[index] = bundle[f"{split}_{digit}"], digit
        made[f"{name}-images-idx3-ubyte"] = struct.pack(">IIII", 2051, n, 28, 28) + images.tobytes()
        made[f"{name}-labels-idx1-ubyte"] = struct.pack(">II", 2049, n) + labels.tobytes()
    return made


def build(folder, originals, out):
    "Run the builder on these files, gzipped, in a new folder."
    folder.mkdir()
    for name, content in originals.items(): (folder / f"{name}.gz").write_bytes(gzip.compress(content, compresslevel=0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["build_digits.py", str(folder), "--out", str(out)])
        build_digits.main()
    return out


def test_the_bundle_is_the_original_data_as_the_builder_packs_it(originals, bundle, tmp_path):
    "With every image back in its place the original files appear, to the last bit; built anew, nothing of the day is in them or beside them."
    assert {name: hashlib.sha256(content).hexdigest() for name, content in originals.items()} == ORIGINALS
    rebuilt = build(tmp_path / "in", originals, tmp_path / "mnist.npz")
    assert sorted(os.listdir(tmp_path)) == ["in", "mnist.npz"]
    with np.load(rebuilt, allow_pickle=False) as again:
        assert [*again] == [*bundle]
        for key in again: assert again[key].dtype == bundle[key].dtype and np.array_equal(again[key], bundle[key]), key
    with zipfile.ZipFile(rebuilt) as file: assert {info.date_time for info in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert rebuilt.stat().st_size == pytest.approx(len(BUNDLE.read_bytes()), rel=0.05)  # packed as well; the same bytes only with the same zlib


def test_builder_refuses_a_changed_file(originals, tmp_path):
    "One other byte, and the builder stops with the file's name and both hashes, and leaves nothing behind."
    name = "t10k-labels-idx1-ubyte"
    changed = bytearray(originals[name])
    changed[1234] ^= 1
    with pytest.raises(SystemExit, match=rf"{name}\.gz: .*{hashlib.sha256(changed).hexdigest()}, expected {ORIGINALS[name]}"):
        build(tmp_path / "in", originals | {name: bytes(changed)}, tmp_path / "mnist.npz")
    assert os.listdir(tmp_path) == ["in"]


# A damaged installation

def test_damaged_bundle(tmp_path, monkeypatch):
    "One flipped bit is noticed, by `load_mnist` and before any folder is made; the same copy undamaged is fine."
    copy, content = tmp_path / "data" / "mnist.npz", bytearray(BUNDLE.read_bytes())
    copy.parent.mkdir()
    monkeypatch.setattr(module, "files", lambda package: tmp_path)
    monkeypatch.setenv("FASTAI_HOME", str(tmp_path / "home"))
    copy.write_bytes(content)
    assert len(load_mnist(3)[1]) == 1010
    content[len(content) // 2] ^= 1
    copy.write_bytes(content)
    for load in (load_mnist, mnist_sample_folder):
        with pytest.raises(OSError, match="damaged.*reinstall pixelsim"): load()
    assert not (tmp_path / "home").exists()


# What may be asked for

@pytest.mark.parametrize("wrong, said", [
    ("37", "got '37'"), (10, "got 10"), (-1, "got -1"), (True, "got True"), (3.0, "got 3.0"), (None, "got None"), (b"\x03", "got b'\\x03'"),
    (np.array(3), "got array(3)"), (torch.tensor(3), "got tensor(3)"), ([3, "7"], "got '7'"), ([[3, 7]], "got [3, 7]"),
    (range(0), "digits is empty"), ((7, 3, 7), "got [7, 3, 7]")])
def test_what_is_no_list_of_digits(wrong, said):
    "Each wrong argument gets a ValueError that shows the value as it was given."
    with pytest.raises(ValueError, match=re.escape(said)): load_mnist(wrong)


def test_the_example_in_the_advice_is_one():
    with pytest.raises(ValueError) as caught: load_mnist([])
    assert eval(re.search(r"for example (.*)$", str(caught.value))[1])[0].classes == (3, 7)


@pytest.mark.parametrize("asked, classes", [
    (3, (3,)), (np.int64(7), (7,)), (0, (0,)), (range(8, 10), (8, 9)), (np.array([9, 1]), (9, 1)), ((d for d in (2, 1)), (2, 1)), ([np.uint8(4)], (4,))])
def test_ways_to_name_digits(asked, classes):
    "A bare digit, NumPy's integers and anything that yields digits will do; the classes are plain ints in that order."
    for split in load_mnist(asked): assert split.classes == classes and all(type(c) is int for c in split.classes)


def test_loading_writes_nothing(tmp_path, monkeypatch):
    "`load_mnist` opens no file for writing, makes no folder and uses no socket (and the spy does see a file written)."
    monkeypatch.setenv("FASTAI_HOME", str(tmp_path / "home")), monkeypatch.chdir(tmp_path)
    seen, watching = [], [True]  # a spy cannot be called off
    def spy(event, args):
        if not watching or event == "open" and not args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT): return
        if event in ("open", "os.mkdir") or event.startswith(("socket.", "shutil.", "tempfile.")): seen.append(f"{event} {[*map(str, args[:1])]}")
    sys.addaudithook(spy)
    load_mnist()
    Path("control").write_text("")
    watching.clear()
    assert seen == ["open ['control']"] and os.listdir() == ["control"]
