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


@pytest.fixture(scope="module")
def folder(tmp_path_factory): return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def small(folder):
    "A classifier that has learned one image of each of two classes, and the content of its file."
    model = PixelSimilarity().fit(np.uint8([[[80, 128], [192, 208]], [[192, 224], [0, 160]]]), [3, 7])
    return model, model.save(folder / "small").read_bytes()


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


def test_other_numbers_under_the_old_checksum(small):
    """Numbers that are not those of the checksum are refused, also if bytes follow them.

    One wrong byte can make compressed data longer; `np.load` stops once it has the array, and `zipfile` compares the
    checksum only at the end of the data."""
    model, content = small
    for extra in (0, 10_000):
        changed = Held()
        with zipfile.ZipFile(Held(content)) as archive, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as other:
            for part in archive.namelist():
                whole = archive.read(part)
                other.writestr(part, whole[:-8] + struct.pack("<d", 33) + bytes(extra) if part == "totals.npy" else whole)
            old, new = (struct.pack("<I", file.getinfo("totals.npy").CRC) for file in (archive, other))
        assert changed.getvalue().count(new) == 2  # before the data, and in the table of contents
        assert not survives(changed.getvalue().replace(new, old), model)


# Something else

MEAN = dict(format=1, distance="l1", prototype="mean", classes=np.array([3, 7]), totals=np.full((2, 3, 2), 255.), counts=np.array([2, 5]))
GRAYS = np.zeros((2, 3, 2, 256), np.int64)
GRAYS[0, ..., 9], GRAYS[1, ..., 4], GRAYS[1, ..., 8] = 2, 3, 2
MEDIAN = MEAN | dict(prototype="median", totals=GRAYS)
OFF = GRAYS.copy()
OFF[0, 0, 0, :3] = -1, 1, 0
NO_TOTALS = [np.zeros((2, 3)), np.zeros((3, 3, 2)), np.zeros((2, 0, 2)), *[np.full((2, 3, 2), value) for value in (7, "x", -1., 511., np.nan)]]
ODD = [(MEAN, "format", [2, "first", [1, 1], 1.5]), (MEAN, "distance", ["l3", 1, ["l1", "l1"]]), (MEAN, "prototype", ["mode", "median"]),
       (MEAN, "classes", [3, [[3], [7]], [3], [7, 3], [3, 3], [3., 7.]]), (MEAN, "totals", NO_TOTALS), (MEAN, "counts", [[2, 0], [2., 5.], 2]),
       (MEAN | {"totals": np.zeros((2, 3, 2))}, "counts", [[2, 0]]), (MEDIAN, "prototype", ["mean"]), (MEDIAN, "counts", [[2, 6]]),
       (MEDIAN, "totals", [GRAYS[..., :255], GRAYS.astype(float), 2 * GRAYS, OFF]),
       *[(MEAN, name, [np.nan, 1j, [], np.zeros(2, "M8[s]"), np.zeros(2, "V3")]) for name in MEAN]]


def archived(fields):
    "An archive of these arrays."
    file = io.BytesIO()
    np.savez_compressed(file, **{name: value for name, value in fields.items() if value is not None})
    return Held(file.getvalue())


@pytest.mark.parametrize("whole, change, said", [
    *[(whole, {name: value}, "has format .*upgrade" if name == "format" else "is damaged: distance") for whole, name, values in ODD for value in values],
    (MEAN, dict(format=2, totals=None), "has format 2, .*upgrade pixelsim"), (MEAN, dict(classes=np.array([3, "7"], object)), ".*allow_pickle=False"),
    *[(MEAN, {name: None}, f".*has no {name}") for name in MEAN], (MEAN, dict.fromkeys(MEAN) | {"x": 1}, ".*has no ")])
def test_archives_that_are_something_else(whole, change, said):
    "A NumPy archive that is newer, lacks a field, has something odd or a pickle in it: a ValueError with file and reason."
    with pytest.raises(ValueError, match=f"^held.npz {said}"): PixelSimilarity.load(archived(whole | change))


@pytest.mark.parametrize("whole, wanted", [
    (MEAN, [1 / 2, 1 / 5]), (MEAN | {"classes": [False, True]}, [1 / 2, 1 / 5]), (MEDIAN, [9 / 255, 4 / 255])])
def test_archives_that_are_models(whole, wanted):
    "By hand: a total of 255 of two images and of five; the middle one of two 9, and of three 4 and two 8."
    assert PixelSimilarity.load(archived(whole)).prototypes_[:, 0, 0].tolist() == pytest.approx(wanted)


@pytest.mark.parametrize("make", [Path.touch, lambda path: path.write_text("not a model"), Path.mkdir,
                                  lambda path: np.save(path.open("wb"), np.zeros(3)), lambda path: zipfile.ZipFile(path, "w").writestr("classes", "3 7")],
                         ids=["empty", "text", "folder", "npy", "zip"])
def test_files_that_are_something_else(tmp_path, make):
    "No file, an empty one, a text, one array, another zip file, a folder: a fitting kind of error, with the name."
    path = tmp_path / "something"
    with pytest.raises(FileNotFoundError, match="something"): PixelSimilarity.load(path)
    make(path)
    with pytest.raises((OSError, ValueError) if path.is_dir() else ValueError, match=re.escape(str(path))): PixelSimilarity.load(path)
