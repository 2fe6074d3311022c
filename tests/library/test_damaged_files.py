"Thousands of broken image files. Each is read correctly or refused with one of the documented errors and its name. Models: test_model_file.py."
import io
import os
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile

from pixelsim.digits import load_mnist
from pixelsim.image_files import load_folder, read_image

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # bright borders, and Pillow's of corrupt EXIF


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
    "One of `files` with some bytes changed, cut off, taken out, or exchanged with those of another; or random bytes."
    content, other = (bytearray(files[i]) for i in rng.integers(len(files), size=2))
    for _ in range(rng.integers(1, 4)):
        start, end = sorted(rng.integers(len(content) + 1, size=2))
        match rng.integers(6):
            case 0: content[start:start + 1] = rng.bytes(1)
            case 1: content[start % 64:start % 64 + 1] = rng.choice([b"\0", b"\1", b"\x7f", b"\x80", b"\xff"])  # headers are at the beginning
            case 2: content[start:start + 8] = rng.bytes(rng.integers(9))
            case 3: del content[start:]
            case 4: content[start:end] = other[start:end + int(rng.integers(20))]
            case _ if rng.random() < .1: content = bytearray(rng.bytes(300))
    return bytes(content)


def read_damaged(folder, seconds=6):
    "Read damaged files for so long, each by itself or as the only one of its folder; how many were read, and how many refused."
    files, path, counts, end = [*real_images().values()], folder / "a" / "1.png", [0, 0], time.monotonic() + seconds
    path.parent.mkdir()
    while time.monotonic() < end:
        number, start = sum(counts), time.monotonic()
        rng = np.random.default_rng(number)
        path.write_bytes(damaged(rng, files))
        options = [{}, {"invert": True}, {"resize": (28, 28)}][number % 3]
        try:
            image, = load_folder(folder, **options).images if number % 5 == 0 else [read_image(path, **options)]
            assert image.dtype == torch.uint8 and image.ndim == 2 and 0 < image.numel() <= 64_000_000, number
            assert "resize" not in options or image.shape == (28, 28), number
            counts[0] += 1
        except (OSError, ValueError) as e:
            assert str(path) in str(e), (number, e)
            counts[1] += 1
        except Exception as e: raise AssertionError(f"damaged file number {number}") from e
        assert time.monotonic() - start < 20, f"damaged file number {number} took far too long"
    return counts


CHILD = """
import faulthandler, sys, warnings
from pathlib import Path
faulthandler.enable()
warnings.simplefilter("ignore")
sys.path.insert(0, sys.argv[1])
import test_damaged_files as own
print(*own.read_damaged(Path(sys.argv[2])))
"""


def test_damaged_images_crash_nothing(tmp_path, run_python):
    "In a process of its own, so that a crash or an endless loop in a decoder is a failure like any other."
    counts = [int(n) for n in run_python(CHILD, Path(__file__).parent, tmp_path).stdout.split()]
    assert min(counts) > 50, counts
