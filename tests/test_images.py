"Image files of every kind, as tensors or as an error with the file's name; a folder of them; and thousands of broken ones."
import io
import os
import re
import struct
import subprocess
import sys
import tempfile
import threading
import time
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from pixelsim import images
from pixelsim.classifier import PixelSimilarity
from pixelsim.digits import load_mnist
from pixelsim.image_files import load_folder, read_image
from pixelsim.image_set import ImageSet

BRIGHT = "ignore:.*bright border:UserWarning"
pytestmark = pytest.mark.filterwarnings("ignore:Corrupt EXIF data:UserWarning")  # Pillow's, of files cut off
quiet = pytest.mark.filterwarnings(BRIGHT)  # for images of a few pixels, which are all border


def save(path, pixels, mode=None, **options):
    "Write one image file, with the folders above it; `pixels` are nested lists, an array or an image of Pillow's."
    path.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(pixels, Image.Image): pixels = Image.fromarray(np.array(pixels, getattr(pixels, "dtype", np.uint8)))
    if mode: pixels = pixels.convert(mode)
    pixels.save(path, **options)
    return path


def read(path, **options):
    "`read_image` as nested lists, once type and rank are right."
    image = read_image(path, **options)
    assert isinstance(image, torch.Tensor) and image.dtype == torch.uint8 and image.ndim == 2
    return image.tolist()


def refused(path, kind, *parts, **options):
    "`read_image` raises exactly this kind of error, with the file's name and `parts` in it."
    with pytest.raises((OSError, ValueError)) as caught: read_image(path, **options)
    assert type(caught.value) is kind
    for part in (str(path), *parts): assert part in str(caught.value)


# A set of images

def test_image_set():
    "Indexing gives one class in order; a class that is not there is a KeyError with the classes; len and repr."
    pixels = torch.arange(4 * 2 * 3, dtype=torch.uint8).reshape(4, 2, 3)
    made = ImageSet(pixels, np.array([7, 3, 7, 7]), np.array(["a", "b", "c", "d"]), (3, 7))
    assert made[7].tolist() == [pixels[0].tolist(), pixels[2].tolist(), pixels[3].tolist()]
    assert made[3].tolist() == [[[6, 7, 8], [9, 10, 11]]]
    for label in (8, "3", [3, 7]):
        with pytest.raises(KeyError, match=re.escape(f"no class {label!r} here: the classes are [3, 7]")): made[label]
    assert len(made) == 4 and 7 in made and 8 not in made
    assert repr(made) == "ImageSet of 4 images, 2×3 pixels: 1 of class 3, 3 of class 7"


# Pixel formats: each expectation can be worked out by hand

GRAY = [[0, 10, 100], [50, 3, 7]]


@pytest.mark.parametrize("suffix", ["png", "gif", "bmp", "tif", "pgm"])
def test_gray_comes_back_unchanged(tmp_path, suffix):
    "What a lossless gray file holds is what is read, as a tensor of its own that can be written to."
    path = save(tmp_path / f"a.{suffix}", GRAY)
    assert read(path) == read(str(path)) == GRAY
    image = read_image(path)
    image[0, 0] = 9
    assert read(path) == GRAY


@quiet
def test_color_is_weighed(tmp_path):
    "(299 R + 587 G + 114 B) / 1000, rounded, in true color and with a palette; white and black stay 255 and 0."
    colors = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]], [[200, 100, 50], [10, 200, 30], [90, 90, 90]]], np.uint8)
    by_hand = [[76, 150, 29], [124, 124, 90]]  # 76.245 149.685 29.07 / 124.2 123.81 90
    assert read(save(tmp_path / "rgb.png", colors)) == by_hand
    indexed = Image.new("P", (3, 2))
    indexed.putpalette(colors.reshape(-1).tolist())
    indexed.putdata(range(6))
    assert read(save(tmp_path / "palette.png", indexed)) == by_hand
    assert read(save(tmp_path / "palette.gif", indexed)) == by_hand


@quiet
def test_black_and_white(tmp_path):
    "Pixels of one bit become 0 and 255."
    bits = Image.new("1", (3, 1))
    bits.putdata([0, 255, 0])
    for suffix in ("png", "bmp", "tif"): assert read(save(tmp_path / f"a.{suffix}", bits)) == [[0, 255, 0]]


@quiet
def test_four_inks(tmp_path):
    "CMYK: no ink is white, black ink is black, half the black is 127, and cyan alone is what green and blue make."
    inks = Image.new("CMYK", (4, 1))
    inks.putdata([(0, 0, 0, 0), (0, 0, 0, 255), (0, 0, 0, 128), (255, 0, 0, 0)])
    assert read(save(tmp_path / "a.tif", inks)) == [[255, 0, 127, 179]]  # 0.587*255 + 0.114*255 = 178.755
    square = save(tmp_path / "a.jpg", Image.new("CMYK", (16, 16), (0, 0, 0, 255)), quality=100)
    assert read_image(square).max() <= 2  # JPEG is not exact


SIXTEEN = [0, 128, 129, 257, 32896, 65406, 65407, 65535]
IN_EIGHT = [0, 0, 1, 1, 128, 254, 255, 255]  # 128/257 = 0.498; 129/257 = 0.502; 65406/257 = 254.498; 65407/257 = 254.502


@quiet
def test_sixteen_bits_are_scaled(tmp_path):
    "Gray values to 65535 are divided by 257 and rounded, in each format that has them; nothing is clipped."
    row = Image.fromarray(np.array([SIXTEEN], np.uint16))
    for suffix in ("png", "tif"): assert read(save(tmp_path / f"a.{suffix}", row)) == [IN_EIGHT]
    (tmp_path / "a.pgm").write_bytes(b"P5 8 1 65535\n" + np.array(SIXTEEN, ">u2").tobytes())
    assert read(tmp_path / "a.pgm") == [IN_EIGHT]
    big_endian = Image.frombytes("I;16B", (8, 1), np.array(SIXTEEN, ">u2").tobytes())
    assert read(save(tmp_path / "big.tif", big_endian)) == [IN_EIGHT]
    (tmp_path / "ten.pgm").write_bytes(b"P5 3 1 1023\n" + np.array([0, 1023, 512], ">u2").tobytes())  # 512/1023*255 = 127.6
    assert read(tmp_path / "ten.pgm") == [[0, 255, 128]]


def chunk(kind, content):
    "One part of a PNG, byte by byte."
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def tiff16(values, tags):
    "A TIFF of one row of 16-bit pixels, byte by byte."
    entries = {256: len(values), 257: 1, 258: 16, 259: 1, 262: 1, 273: 0, 277: 1, 278: 1, 279: 2 * len(values)} | tags
    entries[273] = 8 + 2 + 12 * len(entries) + 4
    packed = b"".join(np.array([tag, 3], "<u2").tobytes() + np.array([1, v], "<u4").tobytes()
                      for tag, v in sorted(entries.items()))
    header = b"II*\0\x08\0\0\0" + np.array([len(entries)], "<u2").tobytes()
    return header + packed + bytes(4) + np.array(values, "<u2").tobytes()


@quiet
def test_sixteen_bits_that_are_refused(tmp_path):
    "Signed pixels, pixels where white is zero, and a transparent color: each would come out wrong, so each is an error."
    path = tmp_path / "a.tif"
    path.write_bytes(tiff16(SIXTEEN, {}))
    assert read(path) == [IN_EIGHT]
    for tags in ({339: 2}, {262: 0}):
        path.write_bytes(tiff16(SIXTEEN, tags))
        refused(path, ValueError, "mode I", "8-bit grayscale")
    clear = save(tmp_path / "clear.png", Image.fromarray(np.array([SIXTEEN], np.uint16)))
    whole = clear.read_bytes()
    clear.write_bytes(whole[:33] + chunk(b"tRNS", struct.pack(">H", 257)) + whole[33:])  # the header ends at byte 33
    with Image.open(clear) as image: assert image.info["transparency"] == 257
    refused(clear, ValueError, "with transparency")


@pytest.mark.parametrize("dtype, mode", [(np.float32, "F"), (np.int32, "I")])
def test_pixels_without_a_scale_are_refused(tmp_path, dtype, mode):
    "Floats and 32-bit integers do not say what is black and what is white."
    refused(save(tmp_path / "a.tif", np.array(GRAY, dtype)), ValueError, f"mode {mode},", "8-bit grayscale")


def test_lab_is_refused(tmp_path):
    "Pillow cannot turn CIE Lab into gray, and this says so."
    refused(save(tmp_path / "a.tif", Image.new("LAB", (3, 2))), ValueError, "mode LAB")


# Transparency

@quiet
def test_transparent_is_background(tmp_path):
    "The result is ink × opacity, with ink = gray, or 255 - gray if inverted: transparent is 0 both ways."
    path = save(tmp_path / "a.png", [[[255, 255], [255, 128], [255, 0]], [[100, 255], [100, 51], [0, 255]]])
    with Image.open(path) as image: assert image.mode == "LA"
    assert read(path) == [[255, 128, 0], [100, 20, 0]]  # 100*51/255 = 20
    assert read(path, invert=True) == [[0, 0, 0], [155, 31, 255]]  # 155*51/255 = 31
    color = save(tmp_path / "b.png", [[[255, 0, 0, 255], [255, 0, 0, 127], [9, 9, 9, 0], [255, 255, 255, 255]]])
    assert read(color) == [[76, 38, 0, 255]]  # 76*127/255 = 37.85


@quiet
def test_a_transparent_color(tmp_path):
    "One color, or an entry of the palette, declared transparent becomes 0; a palette with half-transparent entries works too."
    assert read(save(tmp_path / "rgb.png", [[[9, 9, 9], [200, 200, 200]]], transparency=(9, 9, 9))) == [[0, 200]]
    assert read(save(tmp_path / "gray.png", [[9, 200]], transparency=9)) == [[0, 200]]
    indexed = Image.new("P", (3, 1))
    indexed.putpalette([250, 250, 250, 200, 200, 200, 100, 100, 100])
    indexed.putdata([0, 1, 2])
    for suffix in ("png", "gif"):
        assert read(save(tmp_path / f"p.{suffix}", indexed, transparency=0)) == [[0, 200, 100]]
    assert read(save(tmp_path / "q.png", indexed, transparency=bytes([0, 51, 255]))) == [[0, 40, 100]]


@quiet
@pytest.mark.parametrize("paint, invert", [(0, True), (255, False)])
def test_a_drawing_that_lives_in_its_transparency(tmp_path, paint, invert):
    "One color on nothing: read the right way its opacity is the ink; the other way is an error, not an empty picture."
    opacity = np.array([[0, 255, 0], [0, 90, 255]], np.uint8)
    path = save(tmp_path / "a.png", np.stack([np.full_like(opacity, paint)] * 3 + [opacity], axis=2))
    assert read(path, invert=invert) == opacity.tolist()
    refused(path, ValueError, "on transparency", f"pass invert={invert}", invert=not invert)


def test_nearly_black_on_nothing(tmp_path):
    "A drawing in dark gray would come out faint: it is refused like one in black. Opaque, it is a dark image and is read."
    pixels = np.array([[[40, 255], [0, 0], [20, 255]]], np.uint8)
    refused(save(tmp_path / "a.png", pixels), ValueError, "drawn in dark color", "pass invert=True")
    pixels[..., 1] = 255
    assert read(save(tmp_path / "a.png", pixels)) == [[40, 0, 20]]


def test_nothing_to_see(tmp_path):
    "An image that is transparent all over is refused, however it is read."
    path = save(tmp_path / "a.png", np.zeros((2, 3, 4), np.uint8))
    for invert in (False, True): refused(path, ValueError, "fully transparent", invert=invert)


# Ink and paper

PAPER = [[250, 250, 250], [250, 0, 250], [250, 250, 128]]


def test_invert_swaps_ink_and_paper(tmp_path):
    "Every value becomes 255 minus itself."
    path = save(tmp_path / "a.png", PAPER)
    assert read(path, invert=True) == [[5, 5, 5], [5, 255, 5], [5, 5, 127]]


def test_a_bright_border_is_reported(tmp_path):
    "Paper read as ink gives one warning at the caller's line, with the file's name and the way out; so does the reverse."
    path = save(tmp_path / "a.png", PAPER)
    with pytest.warns(UserWarning) as told: assert read_image(path).tolist() == PAPER
    assert len(told) == 1 and told[0].filename == __file__
    assert str(path) in str(told[0].message) and "pass invert=True" in str(told[0].message)
    dark = save(tmp_path / "b.png", 255 - np.array(PAPER, np.uint8))
    with pytest.warns(UserWarning, match="b.png has a bright border.*leave out invert=True"): read_image(dark, invert=True)


@pytest.mark.parametrize("frame, warns", [(127, False), (128, True)])
def test_what_counts_as_bright(tmp_path, frame, warns):
    "The border's median decides, above 127, and not what is inside or in one corner."
    pixels = np.full((5, 5), frame, np.uint8)
    pixels[1:-1, 1:-1] = 0 if warns else 255
    pixels[0, :2] = 255 - pixels[0, :2]
    path = save(tmp_path / "a.png", pixels)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        read_image(path)
    assert len(told) == warns


# The way up

STANDING = [[1, 2], [3, 4], [5, 6]]
LYING = {  # how the pixels are stored so that the viewer, after what the orientation says, sees STANDING
    1: [[1, 2], [3, 4], [5, 6]], 2: [[2, 1], [4, 3], [6, 5]], 3: [[6, 5], [4, 3], [2, 1]], 4: [[5, 6], [3, 4], [1, 2]],
    5: [[1, 3, 5], [2, 4, 6]], 6: [[2, 4, 6], [1, 3, 5]], 7: [[6, 4, 2], [5, 3, 1]], 8: [[5, 3, 1], [6, 4, 2]]}


@pytest.mark.parametrize("orientation", LYING)
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_turned_upright(tmp_path, suffix, orientation):
    "All eight orientations of the EXIF standard are undone, for 8 bits and for 16."
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.array(LYING[orientation], np.uint8)
    assert read(save(tmp_path / f"a.{suffix}", stored, exif=exif)) == STANDING
    assert read(save(tmp_path / f"b.{suffix}", stored * np.uint16(257), exif=exif)) == STANDING


def test_a_photo_is_turned_upright(tmp_path):
    "A JPEG that is stored lying on its side stands when it is read, and its size is the one you see."
    stored = np.zeros((16, 32), np.uint8)
    stored[:, :16] = 250  # bright on the left; turned a quarter clockwise, bright on top
    exif = Image.Exif()
    exif[0x0112] = 6
    image = read_image(save(tmp_path / "a.jpg", stored, exif=exif, quality=100))
    assert image.shape == (32, 16) and image[:16].min() > 240 and image[16:].max() < 10


# Other sizes

AREA = [[0, 100, 8, 8, 255, 255], [200, 100, 8, 9, 255, 254]]


@quiet
@pytest.mark.parametrize("size, wanted", [
    ((1, 3), [[100, 8, 255]]),  # 400/4, 33/4, 1019/4 = 254.75
    ((2, 2), [[36, 173], [103, 173]]),  # 108/3, 518/3 = 172.67; 308/3 = 102.67, 518/3
    ((2, 6), AREA), ((4, 6), [AREA[0], AREA[0], AREA[1], AREA[1]]),
    ((1, 1), [[121]])])  # 1452/12
def test_resized_pixels_are_averages(tmp_path, size, wanted):
    "Each new pixel is the average, rounded once, of the rectangle that it covers; enlarged, pixels are repeated."
    path = save(tmp_path / "a.png", AREA)
    assert read(path, resize=size) == wanted
    assert read(path, resize=list(size)) == read(path, resize=np.array(size)) == wanted


@quiet
def test_resize_comes_last(tmp_path):
    "Turned upright, scaled, laid on the background and inverted first: the average is one of ink."
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path / "a.png", [[[0, 255], [0, 255]], [[55, 51], [255, 255]]], exif=exif)
    assert read(path, invert=True) == [[40, 255], [0, 255]]  # (255-55)*51/255
    assert read(path, invert=True, resize=(2, 1)) == [[148], [128]]  # 295/2 and 255/2, rounded up
    deep = save(tmp_path / "b.png", np.array([[0, 65535], [0, 0]], np.uint16))
    assert read(deep, resize=(1, 1)) == [[64]]  # 255/4


@pytest.mark.parametrize("wrong", [28, "28", (28,), (28, 28, 1), (0, 28), (28, -1), (2.0, 2), (None, 2), (10**5, 10**5), ()])
def test_what_is_no_size(tmp_path, wrong):
    "Each wrong size is a ValueError that shows it, before any file is read."
    for reader in (read_image, load_folder):
        with pytest.raises(ValueError, match=re.escape("(height, width)")) as caught: reader(tmp_path, resize=wrong)
        assert repr(wrong) in str(caught.value)


# Files that are refused

def png_header(width, height):
    "A grayscale PNG that claims to be as large as this and holds nothing."
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) + chunk(b"IDAT", b"")


@pytest.mark.parametrize("width, height", [(8001, 8000), (64_000_001, 1), (9500, 9500), (14_000, 14_000), (10**9, 10**9)])
def test_too_many_pixels(tmp_path, width, height, monkeypatch):
    "More than 64 megapixels are refused by what the header says, with name and size; nothing is decoded."
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("decoded"))
    path = tmp_path / "a.png"
    path.write_bytes(png_header(width, height))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # Pillow's own, from 89 megapixels
        with pytest.raises(ValueError) as caught: read_image(path)
    said = str(caught.value)
    assert str(path) in said and "save it smaller" in said
    assert f"{height}×{width}" in said or str(width * height) in said  # Pillow itself refuses what is over 179 megapixels


def test_the_limit_itself(tmp_path, monkeypatch):
    "At the limit an image is read, one pixel above it is not; other people's limits do not count."
    monkeypatch.setattr(images, "_MAX_PIXELS", 6)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert read(save(tmp_path / "a.png", GRAY)) == GRAY
    refused(save(tmp_path / "b.png", [[1] * 7]), ValueError, "1×7 pixels", "more than 6")


def animation(path, **options):
    "Write a file of two images."
    first, second = (Image.fromarray(np.full((16, 16), v, np.uint8)) for v in (9, 99))
    first.save(path, save_all=True, append_images=[second], **options)
    return path


@pytest.mark.parametrize("suffix", ["gif", "tif", "png", "webp"])
def test_several_images_in_one_file(tmp_path, suffix):
    "An animation, or a document of several pages, is not one image."
    refused(animation(tmp_path / f"a.{suffix}"), ValueError, "several images")


def test_a_phones_preview_is_no_second_image(tmp_path):
    "Phones put a preview behind the photo, in a JPEG that Pillow calls MPO: the photo is what every viewer shows."
    path = animation(tmp_path / "a.jpg", format="MPO")
    with Image.open(path) as image: assert (image.format, image.n_frames) == ("MPO", 2)
    assert read(path) == [[9] * 16] * 16


@pytest.mark.parametrize("content", [b"", b"not an image", b"%PDF-1.7", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\x00" * 100,
                                     b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\x00", b"BM", b"P5"])
def test_what_is_no_image(tmp_path, content):
    "Nothing, text, another kind of file, or only the beginning of an image: an OSError with the name."
    path = tmp_path / "a.png"
    path.write_bytes(content)
    refused(path, OSError, "cannot read")


def test_what_is_no_file(tmp_path):
    "A missing file, a folder, a dangling link, and a pipe, which would never end."
    (tmp_path / "folder.png").mkdir()
    names = ["missing.png", "folder.png"]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.png")
        names.append("pipe.png")
    for name in names: refused(tmp_path / name, FileNotFoundError, "no file at")


def test_the_content_counts_and_not_the_name(tmp_path):
    "A file of a known kind under the name of another is read as what it is; a kind that is not listed is never tried."
    save(tmp_path / "a.png", GRAY, format="bmp")
    assert read(tmp_path / "a.png") == GRAY
    save(tmp_path / "b.png", GRAY, format="ico")
    refused(tmp_path / "b.png", OSError, "begins like none of PNG JPEG")


REAL = {}  # real files, by suffix


def real_files():
    "One digit as a file of each kind."
    if not REAL:
        digit = Image.fromarray(load_mnist(7)[1].images[0].numpy())
        exif = Image.Exif()
        exif[0x0112] = 6
        kinds = {"png": {}, "jpg": {"exif": exif}, "gif": {}, "tif": {"compression": "tiff_lzw"}, "bmp": {}, "pgm": {},
                 "webp": {"lossless": True}}
        sixteen = Image.fromarray(np.array(digit).astype(np.uint16) * 257)
        color = digit.convert("RGBA")
        color.putalpha(digit)
        for name, image, options in [*[(f"a.{k}", digit, o) for k, o in kinds.items()], ("raw.tif", digit, {}),
                                     ("deep.png", sixteen, {}), ("deep.tif", sixteen, {"exif": exif}),
                                     ("color.png", color, {}), ("palette.png", digit.convert("P"), {"transparency": 0}),
                                     ("cmyk.jpg", digit.convert("CMYK"), {}), ("bits.png", digit.convert("1"), {})]:
            made = io.BytesIO()
            image.save(made, Image.registered_extensions()[f".{name.split('.')[1]}"], **options)
            REAL[name] = made.getvalue()
    return REAL


@pytest.mark.parametrize("forgiving", [False, True], ids=["strict", "Pillow set to forgive"])
def test_every_truncation_is_noticed(tmp_path, monkeypatch, forgiving):
    "A file cut off anywhere gives the same pixels as the whole, or an error with its name: never other pixels."
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", forgiving)
    cut = 0
    for name, whole in real_files().items():
        path = tmp_path / name
        path.write_bytes(whole)
        wanted, refusals = read(path), 0
        for n in range(0, len(whole), 1 if len(whole) < 1000 else 7):
            path.write_bytes(whole[:n])
            try: assert read(path) == wanted, (name, n)
            except (OSError, ValueError) as e:
                assert str(path) in str(e)
                refusals += 1
            cut += 1
        assert refusals > 0.8 * n / (1 if len(whole) < 1000 else 7), (name, refusals, n)
    assert ImageFile.LOAD_TRUNCATED_IMAGES is forgiving and cut > 3000


def test_the_setting_of_others_is_put_back(tmp_path, monkeypatch):
    "`LOAD_TRUNCATED_IMAGES` is as before after an error, and with several threads reading at once."
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    whole = real_files()["a.png"]
    (tmp_path / "cut.png").write_bytes(whole[:len(whole) // 2])
    said = []
    def work():
        for _ in range(50):
            try: said.append(read_image(tmp_path / "cut.png"))
            except OSError as e: said.append(type(e))
    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads: t.start()
    for t in threads: t.join()
    assert said == [OSError] * 200 and ImageFile.LOAD_TRUNCATED_IMAGES is True


# A folder

BLANK = np.zeros((2, 3), np.uint8)
# Images with a few pixels each, by class folder and file name; no letter has two cases, for systems that ignore it
NAMES = st.text("0129ab_-", min_size=1, max_size=4)
FOLDERS = st.dictionaries(NAMES, st.dictionaries(NAMES, st.binary(min_size=6, max_size=6), min_size=1, max_size=4),
                          min_size=1, max_size=3)


@pytest.mark.parametrize("convert", [int, str])
def test_round_trip(fastai_home, convert):
    "Read back from the files, the validation set is the bundle's, under int labels and under str labels."
    made, valid = load_folder(fastai_home / "data" / "mnist_sample" / "valid", label=convert), load_mnist([3, 7])[1]
    three, seven = convert(3), convert(7)
    assert made.classes == (three, seven) and [type(c) for c in made.classes] == [convert] * 2
    assert made.images.dtype == torch.uint8 and torch.equal(made.images, valid.images)
    assert made.labels.tolist() == [three] * 1010 + [seven] * 1028
    assert made.names.tolist() == [name.removeprefix("valid/") for name in valid.names]
    assert torch.equal(made[seven], valid[7])


@quiet
@settings(max_examples=40, deadline=None, database=None)
@given(tree=FOLDERS)
def test_any_folder(tree):
    "Any folders, file names and pixels come back unchanged, in the text order of the names, labelled by folder."
    with tempfile.TemporaryDirectory() as tmp:
        for c, files in tree.items():
            for name, content in files.items():
                save(Path(tmp, c, f"{name}.png"), np.frombuffer(content, np.uint8).reshape(2, 3))
        made = load_folder(tmp)
    wanted = [(c, file, tree[c][file[:-4]]) for c in sorted(tree) for file in sorted(f"{n}.png" for n in tree[c])]
    assert made.classes == tuple(sorted(tree)) and made.labels.tolist() == [c for c, _, _ in wanted]
    assert made.names.tolist() == [f"{c}/{file}" for c, file, _ in wanted]
    assert [i.numpy().tobytes() for i in made.images] == [content for _, _, content in wanted]


def test_order_is_by_text(tmp_path):
    "10.png comes before 2.png, and folder 10 before folder 2, whatever the labels are turned into."
    for folder in ("2", "10"):
        for i, name in enumerate(("2.png", "10.png")): save(tmp_path / "own" / folder / name, BLANK + np.uint8(i))
    made = load_folder(str(tmp_path / "own"), label=int)
    assert made.names.tolist() == ["10/10.png", "10/2.png", "2/10.png", "2/2.png"]
    assert made.classes == (10, 2) and made.images[:, 0, 0].tolist() == [1, 0, 1, 0]


def test_what_is_ignored(tmp_path):
    "Hidden files, what file managers and Jupyter leave, and files beside the class folders do not count."
    own = tmp_path / "own"
    save(own / "a" / "1.PNG", BLANK + np.uint8(5), format="png")
    for name in ("a/.hidden", "a/.DS_Store", "a/._1.png", "a/Thumbs.db", "a/thumbs.db", "a/desktop.ini", "a/Desktop.ini",
                 "labels.csv", "loose.png"):
        (own / name).write_bytes(b"no image")
    for name in (".ipynb_checkpoints", "__MACOSX", "a/.ipynb_checkpoints", "a/__MACOSX"):
        save(own / name / "1.png", BLANK)
    made = load_folder(own)
    assert made.names.tolist() == ["a/1.PNG"] and made.classes == ("a",) and made.images[0].tolist() == [[5] * 3] * 2


def test_invert_and_resize_go_to_every_image(tmp_path):
    "Images of several sizes and kinds become one stack; `invert` and `resize` mean what they mean for one image."
    save(tmp_path / "own" / "a" / "1.png", [[255, 0, 255, 255]])
    save(tmp_path / "own" / "a" / "2.png", [[155], [255]])
    save(tmp_path / "own" / "b" / "1.bmp", [[[250] * 3, [246] * 3], [[255] * 3, [255] * 3]])
    made = load_folder(tmp_path / "own", invert=True, resize=(1, 2))
    assert made.images.tolist() == [[[128, 0]], [[50, 50]], [[3, 5]]]  # (0+255)/2, (100+0)/2; (5+0)/2 and (9+0)/2, rounded up
    assert made.labels.tolist() == ["a", "a", "b"]


def test_bright_borders_are_counted(tmp_path):
    "One warning for a folder, at the caller's line, with the count, the first file and the way out; none if all is well."
    own = tmp_path / "own"
    for name, value in (("a/1", 0), ("a/2", 255), ("b/1", 200), ("b/2", 127)):
        save(own / f"{name}.png", BLANK + np.uint8(value))
    with pytest.warns(UserWarning) as told: load_folder(own)
    assert len(told) == 1 and told[0].filename == __file__
    said = str(told[0].message)
    for part in (f"2 of the 4 images in {own} ", str(own / "a" / "2.png"), "pass invert=True"): assert part in said
    with pytest.warns(UserWarning, match="2 of the 4 .*leave out invert=True") as told: load_folder(own, invert=True)
    assert str(own / "a" / "1.png") in str(told[0].message) and len(told) == 1
    for name in ("a/2", "b/1"): (own / f"{name}.png").unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_folder(own)


def text_among(own): (own / "a" / "notes.txt").write_text("x")
def truncated(own): (own / "a" / "2.png").write_bytes((own / "a" / "1.png").read_bytes()[:45])
def renamed(own): (own / "a" / "2.png").write_text("not an image")
def emptied(own): (own / "a" / "2.png").write_bytes(b"")
def other_size(own): save(own / "b" / "2.png", np.zeros((3, 2), np.uint8))
def float_pixels(own): save(own / "a" / "2.tif", np.zeros((2, 3), np.float32))
def see_through(own): save(own / "a" / "2.png", np.zeros((2, 3, 4), np.uint8))
def moving(own): animation(own / "a" / "2.gif")
def empty_class(own): (own / "empty").mkdir()
def only_hidden(own): (own / "empty" / ".ipynb_checkpoints").mkdir(parents=True)
def deeper(own): save(own / "a" / "deep" / "1.png", BLANK)
def dangling(own): (own / "a" / "2.png").symlink_to(own / "gone.png")
def dangling_class(own): (own / "c").symlink_to(own / "gone", target_is_directory=True)
def going_round(own): (own / "a" / "2.png").symlink_to(own / "a" / "2.png")


@pytest.mark.parametrize("spoil, error, parts", [
    (text_among, ValueError, ["a/notes.txt", "not an image file"]),
    (truncated, OSError, ["a/2.png", "cannot read"]),
    (renamed, OSError, ["a/2.png", "cannot read"]),
    (emptied, OSError, ["a/2.png", "cannot read"]),
    (other_size, ValueError, ["a/1.png", "(2, 3)", "b/2.png", "(3, 2)", "one size", "pass resize=(2, 3)"]),
    (float_pixels, ValueError, ["a/2.tif", "mode F", "8-bit"]),
    (see_through, ValueError, ["a/2.png", "transparent"]),
    (moving, ValueError, ["a/2.gif", "several images"]),
    (empty_class, ValueError, ["empty is empty", "at least one image"]),
    (only_hidden, ValueError, ["empty is empty", "at least one image"]),
    (deeper, ValueError, ["a has subfolders (deep)"]),
    (dangling, FileNotFoundError, ["a/2.png", "link to nothing"]),
    (dangling_class, FileNotFoundError, ["own/c", "link to nothing"]),
    (going_round, FileNotFoundError, ["a/2.png", "link to nothing"])])
def test_what_a_class_folder_cannot_hold(tmp_path, spoil, error, parts):
    "Each kind of spoilt folder gets its own kind of error, with the file's name; unspoilt it loads."
    own = tmp_path / "own"
    save(own / "a" / "1.png", BLANK)
    save(own / "b" / "1.png", BLANK)
    assert len(load_folder(own)) == 2
    try: spoil(own)
    except (OSError, NotImplementedError) as e: pytest.skip(f"NOT TESTED: this system made no link: {e}")
    with pytest.raises(error) as caught: load_folder(own)
    assert type(caught.value) is error
    said = str(caught.value).replace("\\", "/")  # Windows
    for part in [str(own).replace("\\", "/"), *parts]: assert part in said


def test_links_are_followed(tmp_path):
    "A link to a class folder and a link to an image are as good as the thing itself, under the name of the link."
    save(tmp_path / "far" / "x.png", BLANK + np.uint8(5))
    save(tmp_path / "own" / "a" / "1.png", BLANK)
    try:
        (tmp_path / "own" / "a" / "2.png").symlink_to(tmp_path / "far" / "x.png")
        (tmp_path / "own" / "b").symlink_to(tmp_path / "far", target_is_directory=True)
    except (OSError, NotImplementedError) as e: pytest.skip(f"NOT TESTED: this system made no link: {e}")
    made = load_folder(tmp_path / "own")
    assert made.names.tolist() == ["a/1.png", "a/2.png", "b/x.png"] and made.images[:, 0, 0].tolist() == [0, 5, 5]


def test_the_wrong_folder(tmp_path):
    "A file, a missing folder, a folder without subfolders and the folder above: each error names it and the way out."
    (tmp_path / "file").touch()
    (tmp_path / "bare").mkdir()
    for digit in (3, 7): save(tmp_path / "data" / "train" / str(digit) / "1.png", BLANK)
    for wrong in ("file", "missing"):
        with pytest.raises(NotADirectoryError, match=f"{wrong} is not a folder"): load_folder(tmp_path / wrong)
    with pytest.raises(ValueError, match="bare has no subfolders"): load_folder(tmp_path / "bare")
    with pytest.raises(ValueError, match="has no subfolders"): load_folder(tmp_path / "data" / "train" / "3")
    with pytest.raises(ValueError, match=r"train has subfolders \(3, 7\).*load .*train itself"): load_folder(tmp_path / "data")


def test_labels_that_collide(tmp_path):
    "Two folders with one label are refused with both names: else the images of one would be lost."
    own = tmp_path / "own"
    for folder in ("3", "03", "7"): save(own / folder / "1.png", BLANK)
    assert load_folder(own).classes == ("03", "3", "7")
    with pytest.raises(ValueError) as caught: load_folder(own, label=int)
    for folder in ("3", "03"): assert re.search(re.escape(str(own / folder)) + r"\b", str(caught.value))


@pytest.mark.parametrize("label, said", [
    (int, "x does not turn into a label"), (list, "does not turn into a label"),  # int("x") fails; a list is no key
    (lambda name: int(name) if name.isdigit() else name, "all integers or all strings, got [3, 'x']"),
    (lambda name: (name, 1), "all integers or all strings")])
def test_labels_that_do_not_go_together(tmp_path, label, said):
    "Labels are all integers or all strings: NumPy would turn a mixture into something else without a word."
    for folder in ("3", "x"): save(tmp_path / "own" / folder / "1.png", BLANK)
    with pytest.raises(ValueError, match=re.escape(said)) as caught: load_folder(tmp_path / "own", label=label)
    assert str(tmp_path / "own") in str(caught.value)


# Thousands of broken files. Each is read correctly or refused with one of the documented errors and its name

SECONDS = 6  # for each round of random damage; what is tried depends on the machine, where it starts from the seed
TRIED = {}


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
    assert image.dtype == torch.uint8 and image.ndim == 2 and 0 < image.numel() <= images._MAX_PIXELS
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


def attack(folder, files, attempt, seed, seconds):
    "Try damaged files for so long; returns how many were read and how many refused."
    path, counts = folder / "a" / "1.png", [0, 0]
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
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
import faulthandler, sys
from pathlib import Path
faulthandler.enable()
sys.path.insert(0, sys.argv[1])
import test_images
files = [*test_images.real_files().values()]
print(*test_images.attack(Path(sys.argv[2]), files, test_images.try_image, 1, float(sys.argv[3])))
"""


def test_damaged_images_crash_nothing(tmp_path):
    "In a process of its own, so that a crash or an endless loop in a decoder is a failure like any other."
    path = os.pathsep.join(filter(None, [str(Path(images.__file__).parents[1]), os.getenv("PYTHONPATH")]))
    env = os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"}
    done = subprocess.run([sys.executable, "-c", CHILD, str(Path(__file__).parent), str(tmp_path), str(SECONDS)], env=env,
                          capture_output=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, f"ended with {done.returncode}: {done.stderr[-3000:]}"
    TRIED["images in a second process"] = [int(n) for n in done.stdout.split()]
    assert min(TRIED["images in a second process"]) > 50


def test_damaged_images(tmp_path):
    "The same damage from another seed, in this process."
    TRIED["images"] = attack(tmp_path, [*real_files().values()], try_image, 2, SECONDS)
    assert min(TRIED["images"]) > 50


def test_damaged_models(tmp_path):
    "A saved classifier, compressed or not, is loaded as one that predicts, or refused."
    train = load_mnist([3, 7])[0]
    few = torch.cat([train[3][:5], train[7][:5]])
    files = []
    for labels in ([3] * 5 + [7] * 5, ["three"] * 5 + ["seven"] * 5):
        saved = PixelSimilarity("l2").fit(few[:, 10:14, 10:14], labels).save(tmp_path / "model.npz")
        files.append(saved.read_bytes())
        with np.load(saved) as arrays: np.savez(tmp_path / "stored.npz", **arrays)
        files.append((tmp_path / "stored.npz").read_bytes())
    TRIED["models"] = attack(tmp_path, files, try_model, 3, SECONDS)
    assert sum(TRIED["models"]) > 100


def arrays_of(model):
    "The arrays in the file of a saved classifier."
    with np.load(model, allow_pickle=False) as saved: return {name: saved[name] for name in saved.files}


def test_models_with_the_wrong_arrays(tmp_path):
    "Undamaged archives with one array left out, of another type, shape or value: loaded as a model that works, or refused."
    model = PixelSimilarity().fit(torch.arange(24, dtype=torch.uint8).reshape(4, 2, 3), [3, 3, 7, 7]).save(tmp_path / "m.npz")
    whole, counts = arrays_of(model), [0, 0]
    shape = (2, 2, 3)
    odd = [np.array(v) for v in (
        0, -1, 2**62, 1.5, np.nan, np.inf, True, 1j, "l1", "x", b"l2", [], [0], [3, 7], [[3, 7]], [7, 3], [3, 3], [-1, 0],
        [np.nan, 1], ["a", "b"], np.zeros(shape), np.full(shape, np.nan), np.full(shape, -5.), np.full(shape, 1e300),
        np.zeros(shape, np.float32), np.zeros((2, 0, 3)), np.zeros((0, 2, 3)), np.zeros((2, 6)), np.zeros(shape, complex),
        np.zeros(2, "M8[s]"), np.zeros(2, "V3"), np.zeros(shape, ">f8"), np.zeros(shape, np.uint16))]
    path, wrong = tmp_path / "other.npz", []
    for name in whole:
        for value in [None, *odd]:
            np.savez(path, **{k: v for k, v in (whole | {name: value}).items() if v is not None})
            try: counts[not try_model(path, None)] += 1
            except Exception as e: wrong.append(f"{name} = {value!r}: {type(e).__name__}: {str(e).splitlines()[0]}")
    TRIED["models with a wrong array"] = counts
    assert not wrong, "\n".join(wrong)


def test_no_pickle_is_opened(tmp_path):
    "An archive that holds a pickle is refused, and what is in it is not run."
    class Trap:
        def __reduce__(self): return os.mkdir, (str(tmp_path / "sprung"),)
    path = PixelSimilarity().fit(torch.arange(24, dtype=torch.uint8).reshape(4, 2, 3), [3, 3, 7, 7]).save(tmp_path / "m.npz")
    np.savez(path, **arrays_of(path) | {"classes": np.array([Trap(), 7], object)})
    with pytest.raises(ValueError, match=re.escape(str(path))): PixelSimilarity.load(path)
    assert not (tmp_path / "sprung").exists()
    np.load(path, allow_pickle=True)["classes"]
    assert (tmp_path / "sprung").exists()  # the trap works
