"Thousands of broken files, images and models. Each is read correctly or refused with one of the documented errors and its name."
import io
import os
import re
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile

from pixelsim.classifier import PixelSimilarity
from pixelsim.digits import load_mnist
from pixelsim.image_files import load_folder, read_image

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # bright borders, and Pillow's of corrupt EXIF
SECONDS = 6  # for each round of random damage; what is tried depends on the machine, where it starts from the seed


def real_images():
    "The middle of a digit as a file of each kind, by name."
    digit = Image.fromarray(load_mnist(7)[1].images[0, 7:21, 7:21].numpy())
    exif = Image.Exif()
    exif[0x0112] = 6
    sixteen, color = Image.fromarray(np.array(digit).astype(np.uint16) * 257), digit.convert("RGBA")
    color.putalpha(digit)
    made = {"a.png": (digit, {}), "a.jpg": (digit, {"exif": exif}), "a.gif": (digit, {}), "a.tif": (digit, {"compression": "tiff_lzw"}),
            "a.bmp": (digit, {}), "a.pgm": (digit, {}), "a.webp": (digit, {"lossless": True}), "raw.tif": (digit, {}), "deep.png": (sixteen, {}),
            "deep.tif": (sixteen, {"exif": exif}), "color.png": (color, {}), "palette.png": (digit.convert("P"), {"transparency": 0}),
            "cmyk.jpg": (digit.convert("CMYK"), {}), "bits.png": (digit.convert("1"), {})}
    def content(name, image, options):
        file = io.BytesIO()
        image.save(file, Image.registered_extensions()[Path(name).suffix], **options)
        return file.getvalue()
    return {name: content(name, *how) for name, how in made.items()}


@pytest.mark.parametrize("forgiving", [False, True], ids=["strict", "Pillow set to forgive"])
def test_every_truncation_is_noticed(tmp_path, monkeypatch, forgiving):
    "A file cut off anywhere gives the same pixels as the whole, or an error with its name: never other pixels."
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", forgiving)
    for name, whole in real_images().items():
        path, refusals, lengths = tmp_path / name, 0, range(0, len(whole), 1 if len(whole) < 1000 else 7)
        path.write_bytes(whole)
        wanted = read_image(path).tolist()
        for n in lengths[::-1]:
            os.truncate(path, n)
            try: assert read_image(path).tolist() == wanted, (name, n)
            except (OSError, ValueError) as e:
                assert str(path) in str(e)
                refusals += 1
        assert refusals > 0.7 * len(lengths) > 70, (name, refusals)  # what is at the very end may not matter
    assert ImageFile.LOAD_TRUNCATED_IMAGES is forgiving


def damaged(rng, files):
    "One of `files` with bytes changed, cut off, moved, repeated, or exchanged with those of another; or random bytes."
    content = bytearray(files[rng.integers(len(files))])
    def place(): return int(rng.integers(len(content) + 1))
    for _ in range(rng.integers(1, 4)):
        match rng.integers(8):
            case 0 | 1 | 2:
                for _ in range(rng.integers(1, 8)):
                    if content: content[rng.integers(len(content))] = rng.integers(256)
            case 3:  # headers are at the beginning
                if content: content[rng.integers(min(len(content), 64))] = rng.choice([0, 1, 127, 128, 255])
            case 4: del content[place():]
            case 5:
                start = place()
                del content[start:start + int(rng.integers(1, 20))]
            case 6:
                other = files[rng.integers(len(files))]
                start, end = sorted(rng.integers(len(other) + 1, size=2))
                content[place():place()] = other[start:end]
            case 7 if rng.random() < .3: content = bytearray(rng.bytes(rng.integers(300)))
            case _:
                if content: content[rng.integers(len(content))] ^= 1 << int(rng.integers(8))
    return bytes(content)


def try_image(path, rng):
    "Read a damaged file, by itself or as the only one of its folder; was it read?"
    options = [{}, {"invert": True}, {"resize": (28, 28)}][rng.integers(3)]
    try:
        if rng.random() < .8: image = read_image(path, **options)
        else:
            made = load_folder(path.parents[1], **options)
            assert len(made) == 1 and made.names.tolist() == ["a/1.png"]
            image = made.images[0]
    except (OSError, ValueError) as e:
        assert str(path) in str(e), repr(e)
        return False
    assert image.dtype == torch.uint8 and image.ndim == 2 and 0 < image.numel() <= 64_000_000
    assert "resize" not in options or image.shape == (28, 28)
    return True


def try_model(path, rng):
    "Load a damaged model; was it loaded, as something that predicts?"
    try: model = PixelSimilarity.load(path)
    except (OSError, ValueError) as e:
        assert str(path) in str(e), repr(e)
        return False
    k, h, w = model.prototypes_.shape
    assert model.classes_.shape == (k,) and model.classes_.dtype.kind in "iuU"
    assert model.classes_.tolist() == sorted(set(model.classes_.tolist()))
    assert model.prototypes_.dtype == torch.float32 and model.distance in ("l1", "l2")
    assert ((model.prototypes_ >= 0) & (model.prototypes_ <= 1)).all()
    predicted = model.predict(torch.zeros(2, h, w, dtype=torch.uint8))
    assert predicted.shape == (2,) and set(predicted.tolist()) <= set(model.classes_.tolist())
    return True


def attack(folder, files, attempt, seed, seconds=SECONDS):
    "Try damaged files for so long; returns how many were read and how many refused."
    path, counts = folder / "a" / "1.png", [0, 0]
    path.parent.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        rng = np.random.default_rng([seed, sum(counts)])
        path.write_bytes(damaged(rng, files))
        start = time.monotonic()
        try: counts[not attempt(path, rng)] += 1
        except Exception as e:
            raise AssertionError(f"damaged file number {sum(counts)} of seed {seed}: {type(e).__name__}: {e}") from e
        assert time.monotonic() - start < 20, f"damaged file number {sum(counts)} of seed {seed} took far too long"
    return counts


CHILD = """
import faulthandler, sys, warnings
from pathlib import Path
faulthandler.enable()
warnings.simplefilter("ignore")
sys.path.insert(0, sys.argv[1])
import test_damaged_files as own
print(*own.attack(Path(sys.argv[2]), [*own.real_images().values()], own.try_image, 1))
"""


def test_damaged_images_crash_nothing(tmp_path, run_python):
    "In a process of its own, so that a crash or an endless loop in a decoder is a failure like any other."
    counts = [int(n) for n in run_python(CHILD, Path(__file__).parent, tmp_path).stdout.split()]
    assert min(counts) > 50, counts


def test_damaged_models(tmp_path, digits):
    "A saved classifier, compressed or not, is loaded as one that predicts, or refused."
    few, files = torch.cat([digits[0][3][:5], digits[0][7][:5]]), []
    for labels in ([3] * 5 + [7] * 5, ["three"] * 5 + ["seven"] * 5):
        saved = PixelSimilarity("l2").fit(few[:, 10:14, 10:14], labels).save(tmp_path / "model.npz")
        files.append(saved.read_bytes())
        with np.load(saved) as arrays: np.savez(tmp_path / "stored.npz", **arrays)
        files.append((tmp_path / "stored.npz").read_bytes())
    counts = attack(tmp_path, files, try_model, 3)
    assert sum(counts) > 100, counts


TINY = torch.arange(24, dtype=torch.uint8).reshape(4, 2, 3)


def arrays_of(model):
    "The arrays in the file of a saved classifier."
    with np.load(model, allow_pickle=False) as saved: return {name: saved[name] for name in saved.files}


def test_models_with_the_wrong_arrays(tmp_path):
    "Undamaged archives with one array left out, of another type, shape or value: loaded as a model that works, or refused."
    whole, shape = arrays_of(PixelSimilarity().fit(TINY, [3, 3, 7, 7]).save(tmp_path / "m.npz")), (2, 2, 3)
    odd = [np.array(v) for v in (
        0, -1, 2**62, 1.5, np.nan, np.inf, True, 1j, "l1", "x", b"l2", [], [0], [3, 7], [[3, 7]], [7, 3], [3, 3], [-1, 0],
        [np.nan, 1], ["a", "b"], np.zeros(shape), np.full(shape, np.nan), np.full(shape, -5.), np.full(shape, 1e300),
        np.zeros(shape, np.float32), np.zeros((2, 0, 3)), np.zeros((0, 2, 3)), np.zeros((2, 6)), np.zeros(shape, complex),
        np.zeros(2, "M8[s]"), np.zeros(2, "V3"), np.zeros(shape, ">f8"), np.zeros(shape, np.uint16))]
    path, wrong, refused = tmp_path / "other.npz", [], 0
    for name in whole:
        for value in [None, *odd]:
            np.savez(path, **{k: v for k, v in (whole | {name: value}).items() if v is not None})
            try: refused += not try_model(path, None)
            except Exception as e: wrong.append(f"{name} = {value!r}: {type(e).__name__}: {str(e).splitlines()[0]}")
    assert not wrong and refused > 100, "\n".join(wrong)


def test_no_pickle_is_opened(tmp_path):
    "An archive that holds a pickle is refused, and what is in it is not run."
    class Trap:
        def __reduce__(self): return os.mkdir, (str(tmp_path / "sprung"),)
    path = PixelSimilarity().fit(TINY, [3, 3, 7, 7]).save(tmp_path / "m.npz")
    np.savez(path, **arrays_of(path) | {"classes": np.array([Trap(), 7], object)})
    with pytest.raises(ValueError, match=re.escape(str(path))): PixelSimilarity.load(path)
    assert not (tmp_path / "sprung").exists()
    np.load(path, allow_pickle=True)["classes"]
    assert (tmp_path / "sprung").exists()  # the trap works
