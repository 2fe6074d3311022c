"Saved classifiers: the same when loaded; refused when damaged in any bit, newer, or something else."
import io
import os
import re
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from conftest import state
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import labeled

from pixelsim.classifier import PixelSimilarity

def fitted(classes=(3, 7), distance="l1", side=2):
    "A classifier that has learned one image of each class."
    images = np.random.default_rng(0).integers(0, 256, (len(classes), side, side), dtype=np.uint8) // 16 * 16
    return PixelSimilarity(distance).fit(images, [*classes])


@pytest.fixture(scope="module")
def folder(tmp_path_factory): return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def small(folder): return fitted(), fitted().save(folder / "small").read_bytes()


@pytest.fixture(scope="module")
def large(folder):
    "Ten digits: its file is long enough for NumPy to read it in pieces."
    model = fitted(range(10), "l2", side=28)
    return model, model.save(folder / "large").read_bytes()


class Held(io.BytesIO):
    "A file in memory, since to open ten thousand on a disk takes most of a minute."
    def __str__(self): return "held.npz"


def survives(content, model):
    "Does a file with this content load? Then it is the very `model`, else a ValueError names the file."
    try: loaded = PixelSimilarity.load(Held(content))
    except ValueError as e:
        assert "held.npz" in str(e)
        return False
    assert state(loaded) == state(model)
    return True


@settings(max_examples=20)
@given(sample=labeled(), distance=st.sampled_from(["l1", "l2"]), prototype=st.sampled_from(["mean", "median"]),
       as_labels=st.sampled_from([list, np.array, lambda labels: np.array(labels, object)]))
def test_round_trip(folder, sample, distance, prototype, as_labels):
    "Saved and loaded, under exactly the name given, it is the same to the bit, and can go on learning."
    images, labels = sample[0], as_labels(sample[1])
    model, path = PixelSimilarity(distance, prototype).fit(images, labels), folder / "round.trip"
    assert model.save(str(path)) == path and "round.trip.npz" not in os.listdir(folder)
    for place in (path, str(path)): assert state(loaded := PixelSimilarity.load(place)) == state(model)
    assert loaded.predict(images).tolist() == model.predict(images).tolist()
    assert state(loaded.partial_fit(images, labels)) == state(model.partial_fit(images, labels))


def test_yes_and_no(folder):
    "Classes that are False and True are saved too."
    model = fitted([False, True])
    assert state(PixelSimilarity.load(model.save(folder / "yes or no"))) == state(model)


# Damaged

def test_every_truncation_is_refused(small):
    "A file cut off anywhere is a ValueError; whole it loads."
    model, content = small
    assert [n for n in range(len(content) + 1) if survives(content[:n], model)] == [len(content)]


def test_every_flipped_bit(small):
    "One wrong bit anywhere gives a ValueError, or changes nothing; amid the data of an array it is always noticed."
    model, content = small
    with zipfile.ZipFile(Held(content)) as archive:
        amid = {info.header_offset + 60 + info.compress_size // 2 for info in archive.infolist()}
    for i in range(len(content)):
        noticed = [not survives(content[:i] + bytes([content[i] ^ 1 << bit]) + content[i + 1:], model) for bit in range(8)]
        assert i not in amid or all(noticed)
    assert len(amid) >= 4


@settings(max_examples=400)
@given(data=st.data())
def test_a_wrong_byte_in_a_long_file(large, data):
    "In a file of realistic size too one wrong byte gives a ValueError or the same classifier."
    flipped = bytearray(large[1])
    flipped[data.draw(st.integers(0, len(flipped) - 1))] ^= data.draw(st.integers(1, 255))
    survives(bytes(flipped), large[0])


@pytest.mark.parametrize("extra", [0, 10_000])
@pytest.mark.parametrize("name, last", [("totals.npy", struct.pack("<d", 33)), ("counts.npy", struct.pack("<q", 2))])
def test_other_numbers_under_the_old_checksum(large, name, last, extra):
    """Numbers that are not those of the checksum are refused, also if bytes follow them.

    One wrong byte can make compressed data longer; `np.load` stops once it has the array, and `zipfile` compares the
    checksum only at the end of the data."""
    changed = Held()
    with zipfile.ZipFile(Held(large[1])) as archive, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as other:
        for part in archive.namelist():
            content = archive.read(part)
            assert part != name or content[-8:] != last
            other.writestr(part, content[:-8] + last + bytes(extra) if part == name else content)
        old, new = (struct.pack("<I", file.getinfo(name).CRC) for file in (archive, other))
    assert changed.getvalue().count(new) == 2  # before the data, and in the table of contents
    assert not survives(changed.getvalue().replace(new, old), large[0])


# Something else

MEAN = dict(format=1, distance="l1", prototype="mean", classes=np.array([3, 7]), totals=np.full((2, 3, 2), 255.), counts=np.array([2, 5]))
GRAYS = np.zeros((2, 3, 2, 256), np.int64)
GRAYS[0, ..., 9], GRAYS[1, ..., 4], GRAYS[1, ..., 8] = 2, 3, 2
MEDIAN = MEAN | dict(prototype="median", totals=GRAYS)
OFF = GRAYS.copy()
OFF[0, 0, 0, :3] = -1, 1, 0


@pytest.mark.parametrize("whole, change, said", [
    (MEAN, dict(format=2), "has format 2, .*upgrade pixelsim"), (MEAN, dict(format=2, totals=None), "has format 2, .*upgrade pixelsim"),
    (MEAN, dict(format="first"), "format"), (MEAN, dict(format=[1, 1]), "format"), (MEAN, dict(format=1.5), "format"),
    (MEAN, dict(distance="l3"), "l3"), (MEAN, dict(distance=1), "distance"), (MEAN, dict(distance=["l1", "l1"]), "distance"),
    (MEAN, dict(classes=3), "classes"), (MEAN, dict(classes=[[3], [7]]), "classes"), (MEAN, dict(classes=[3]), "classes"),
    (MEAN, dict(classes=[7, 3]), "classes"), (MEAN, dict(classes=[3, 3]), "classes"), (MEAN, dict(classes=[3., 7.]), "classes"),
    (MEAN, dict(classes=np.array([3, "7"], object)), "allow_pickle=False"),
    (MEAN, dict(prototype="mode"), "mode"), (MEAN, dict(prototype="median"), "median"), (MEDIAN, dict(prototype="mean"), "mean"),
    (MEAN, dict(totals=np.zeros((2, 3))), r"\(2, 3\)"), (MEAN, dict(totals=np.zeros((3, 3, 2))), r"\(3, 3, 2\)"),
    (MEAN, dict(totals=np.zeros((2, 0, 2))), r"\(2, 0, 2\)"), (MEAN, dict(totals=np.full((2, 3, 2), 7)), "totals"),
    (MEAN, dict(totals=np.full((2, 3, 2), "x")), "totals"), (MEAN, dict(totals=np.full((2, 3, 2), -1.)), "totals"),
    (MEAN, dict(totals=np.full((2, 3, 2), 511.)), "totals"), (MEAN, dict(totals=np.full((2, 3, 2), np.nan)), "totals"),
    (MEAN, dict(counts=np.array([2, 0])), "counts"), (MEAN, dict(totals=np.zeros((2, 3, 2)), counts=np.array([2, 0])), "counts"),
    (MEAN, dict(counts=np.array([2., 5.])), "counts"), (MEAN, dict(counts=2), "counts"),
    (MEDIAN, dict(totals=GRAYS[..., :255]), "totals"), (MEDIAN, dict(totals=GRAYS.astype(float)), "totals"),
    (MEDIAN, dict(totals=2 * GRAYS), "totals"), (MEDIAN, dict(totals=OFF), "totals"), (MEDIAN, dict(counts=np.array([2, 6])), "totals"),
    *[(MEAN, {name: None}, f"has no {name}") for name in MEAN], (MEAN, dict.fromkeys(MEAN) | {"x": 1}, "has no ")])
def test_archives_that_are_something_else(tmp_path, whole, change, said):
    "A NumPy archive that is newer, lacks a field or has something odd in it: a ValueError with file and reason."
    path = tmp_path / "odd.npz"
    np.savez_compressed(path, **whole)
    wanted = [1 / 2, 1 / 5] if whole is MEAN else [9 / 255, 4 / 255]
    assert PixelSimilarity.load(path).prototypes_[:, 0, 0].tolist() == pytest.approx(wanted)
    np.savez_compressed(path, **{name: value for name, value in (whole | change).items() if value is not None})
    with pytest.raises(ValueError, match=said) as caught: PixelSimilarity.load(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("make", [Path.touch, lambda path: path.write_text("not a model"), Path.mkdir,
                                  lambda path: np.save(path.open("wb"), np.zeros(3)), lambda path: zipfile.ZipFile(path, "w").writestr("classes", "3 7")],
                         ids=["empty", "text", "folder", "npy", "zip"])
def test_files_that_are_something_else(tmp_path, make):
    "No file, an empty one, a text, one array, another zip file, a folder: a fitting kind of error, with the name."
    path = tmp_path / "something"
    with pytest.raises(FileNotFoundError, match="something"): PixelSimilarity.load(path)
    make(path)
    with pytest.raises((OSError, ValueError) if path.is_dir() else ValueError, match=re.escape(str(path))): PixelSimilarity.load(path)


def test_a_save_that_fails(tmp_path, monkeypatch):
    "When the last step fails, or is interrupted, the old file stays as it was and nothing is left beside it; then it works."
    path = fitted().save(tmp_path / "model.npz")
    before = path.read_bytes()
    for error in (OSError(28, "No space left on device"), KeyboardInterrupt()):
        def fail(*args): raise error
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", fail)
            with pytest.raises(type(error)): fitted([1, 2]).save(path)
        assert path.read_bytes() == before and os.listdir(tmp_path) == ["model.npz"]
    assert fitted([1, 2]).save(path).read_bytes() != before and os.listdir(tmp_path) == ["model.npz"]
