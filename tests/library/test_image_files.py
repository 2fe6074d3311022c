"""Image files of every kind, as tensors or as an error with the file's name; and a folder of them. What is damaged:
test_damaged_files.py."""
import io
import os
import re
import struct
import sys
import tempfile
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile, ImageOps

from pixelsim.image_files import image_from_bytes, load_folder, read_image
from pixelsim.images import as_images

# images of a few pixels are all border
quiet = pytest.mark.filterwarnings("ignore:.*(bright border|16 bits):UserWarning")


def put(path, content, **options):
    "Write one file: bytes, or an image of these gray values; None makes a folder, and a path a link to it."
    path.parent.mkdir(parents=True, exist_ok=True)
    match content:
        case None: path.mkdir()
        case bytes(): path.write_bytes(content)
        case Path(): path.symlink_to(content, target_is_directory=not path.suffix)
        case Image.Image(): content.save(path, **options)
        case _: Image.fromarray(np.array(content, getattr(content, "dtype", np.uint8))).save(path, **options)
    return path


def put_all(folder, files):
    "Write several, by their paths below the folder."
    for name, content in files.items(): put(folder / name, content)
    return folder


def drawn(mode, *values, palette=None):
    "An image of Pillow's with one row of these values."
    image = Image.new(mode, (len(values), 1))
    if palette: image.putpalette(palette)
    image.putdata(values)
    return image


def read(path, **options):
    "`read_image` as nested lists, once type and rank are right."
    image = read_image(path, **options)
    assert isinstance(image, torch.Tensor) and image.dtype == torch.uint8 and image.ndim == 2
    return image.tolist()


def refused(path, kind, *parts, **options):
    "`read_image` raises exactly this kind of error, with the file's name and `parts` in it; its way out."
    with pytest.raises((OSError, ValueError)) as caught: read_image(path, **options)
    assert type(caught.value) is kind
    for part in (str(path), *parts): assert part in str(caught.value)
    return getattr(caught.value, "way_out", {})


def told(call):
    "What a call warns of."
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        call()
    return told


def turned(orientation):
    "EXIF that says this, as Pillow writes it."
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def chunk(kind, content):
    "One part of a PNG, byte by byte."
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def tiff16(values, tags):
    "A TIFF of one row of 16-bit pixels, byte by byte."
    entries = {256: len(values), 257: 1, 258: 16, 259: 1, 262: 1, 273: 0, 277: 1, 278: 1, 279: 2 * len(values)} | tags
    entries[273] = 8 + 2 + 12 * len(entries) + 4
    packed = b"".join(struct.pack("<HHII", tag, 3, 1, value) for tag, value in sorted(entries.items()))
    return struct.pack("<2sHIH", b"II", 42, 8, len(entries)) + packed + bytes(4) + np.array(values, "<u2").tobytes()


# Pixel formats: each expectation can be worked out by hand

GRAY = [[0, 10, 100], [50, 3, 7]]
SIXTEEN = [0, 128, 129, 257, 32896, 65406, 65407, 65535]
# 128/257 = 0.498; 129/257 = 0.502; 65406/257 = 254.498; 65407/257 = 254.502
IN_EIGHT = [[0, 0, 1, 1, 128, 254, 255, 255]]
DEEP = Image.fromarray(np.array([SIXTEEN], np.uint16))
BIG_ENDIAN = np.array(SIXTEEN, ">u2").tobytes()
COLORS = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [200, 100, 50], [10, 200, 30], [90, 90, 90]]], np.uint8)
BY_HAND = [[76, 150, 29, 124, 124, 90]]  # 299 R + 587 G + 114 B in thousandths: 76.245 149.685 29.07 124.2 123.81 90
INDEXED = drawn("P", 0, 1, 2, 3, 4, 5, palette=COLORS.reshape(-1).tolist())
BITS = drawn("1", 0, 255, 0)
INKS = drawn("CMYK", (0, 0, 0, 0), (0, 0, 0, 255), (0, 0, 0, 128), (255, 0, 0, 0))
CLEAR = drawn("P", 0, 1, 2, palette=[250] * 3 + [200] * 3 + [100] * 3)
OPACITIES = [[[255, 255], [255, 128], [255, 0]], [[100, 255], [100, 51], [0, 255]]]


@quiet
@pytest.mark.parametrize("name, content, saving, wanted", [
    *[(f"a.{kind}", GRAY, {}, GRAY) for kind in ("png", "gif", "bmp", "tif", "pgm")],
    ("rgb.png", COLORS, {}, BY_HAND), ("p.png", INDEXED, {}, BY_HAND), ("p.gif", INDEXED, {}, BY_HAND),
    *[(f"bits.{kind}", BITS, {}, [[0, 255, 0]]) for kind in ("png", "bmp", "tif", "pbm")],
    # no ink, all black, half; cyan alone is 0.587*255 + 0.114*255 = 178.755
    ("inks.tif", INKS, {}, [[255, 0, 127, 179]]),
    ("deep.png", DEEP, {}, IN_EIGHT), ("deep.tif", DEEP, {}, IN_EIGHT),
    ("big.tif", Image.frombytes("I;16B", (8, 1), BIG_ENDIAN), {}, IN_EIGHT),
    ("own.tif", tiff16(SIXTEEN, {}), {}, IN_EIGHT), ("deep.pgm", b"P5 8 1 65535\n" + BIG_ENDIAN, {}, IN_EIGHT),
    # 512/1023*255 = 127.6
    ("ten.pgm", b"P5 3 1 1023\n" + np.array([0, 1023, 512], ">u2").tobytes(), {}, [[0, 255, 128]]),
    # transparency: ink × opacity. 128*255/255, 100*51/255; 76*127/255 = 37.85; a color or entry declared transparent
    ("la.png", OPACITIES, {}, [[255, 128, 0], [100, 20, 0]]),
    ("rgba.png", [[[255, 0, 0, 255], [255, 0, 0, 127], [9, 9, 9, 0], [255, 255, 255, 255]]], {}, [[76, 38, 0, 255]]),
    ("key.png", [[[9, 9, 9], [200, 200, 200]]], {"transparency": (9, 9, 9)}, [[0, 200]]),
    ("gray.png", [[9, 200]], {"transparency": 9}, [[0, 200]]),
    ("entry.png", CLEAR, {"transparency": 0}, [[0, 200, 100]]),
    ("entry.gif", CLEAR, {"transparency": 0}, [[0, 200, 100]]),
    ("half.png", CLEAR, {"transparency": bytes([0, 51, 255])}, [[0, 40, 100]]),
    ("other.png", GRAY, {"format": "bmp"}, GRAY)])  # the content counts, not the name
def test_gray_values(tmp_path, name, content, saving, wanted):
    "What each kind of file holds, by hand; the tensor is the caller's own."
    path = put(tmp_path / name, content, **saving)
    assert read(path) == read(str(path)) == wanted
    read_image(path)[0, 0] = 9
    assert read(path) == wanted


def test_gray_values_that_are_not_exact(tmp_path):
    "A JPEG in four inks."
    assert read_image(put(tmp_path / "a.jpg", Image.new("CMYK", (16, 16), (0, 0, 0, 255)), quality=100)).max() <= 2


@pytest.mark.parametrize("content, said", [
    (tiff16(SIXTEEN, {339: 2}), "mode I"), (tiff16(SIXTEEN, {262: 0}), "mode I"),  # signed; white is zero
    (np.array(GRAY, np.float32), "mode F,"), (np.array(GRAY, np.int32), "mode I,"),
    (Image.new("LAB", (3, 2)), "mode LAB,")])
def test_pixels_that_are_refused(tmp_path, content, said):
    "Each would come out wrong, so each is an error."
    refused(put(tmp_path / "a.tif", content), ValueError, said, "8-bit grayscale")


def test_a_transparent_color_in_16_bits_is_refused(tmp_path):
    whole = put(tmp_path / "a.png", DEEP).read_bytes()
    clear = chunk(b"tRNS", struct.pack(">H", 257))
    path = put(tmp_path / "a.png", whole[:33] + clear + whole[33:])  # the header ends at byte 33
    refused(path, ValueError, "with transparency")


# Ink, paper, and what is transparent

@quiet
@pytest.mark.parametrize("paint, invert", [(0, True), (255, False)])
def test_a_drawing_that_lives_in_its_transparency(tmp_path, paint, invert):
    """One color on nothing: the right way its opacity is the ink;
    the other way is an error, whose way out is the right way."""
    opacity = np.array([[0, 255, 0], [0, 90, 255]], np.uint8)
    path = put(tmp_path / "a.png", np.stack([np.full_like(opacity, paint)] * 3 + [opacity], axis=2))
    advice = f"pass invert={invert}", "or save it without transparency"
    way_out = refused(path, ValueError, "on transparency", *advice, invert=not invert)
    assert way_out == {"invert": invert} and read(path, **way_out) == opacity.tolist()
    with Image.open(path) as image:
        assert read_image(put(tmp_path / "b.png", image.convert("RGB")), invert=not invert).shape == (2, 3)


def test_faint_and_nothing_to_see(tmp_path):
    """Dark gray on nothing is refused like black; opaque it is a dark image and is read.

    Transparent all over is refused both ways."""
    path = put(tmp_path / "a.png", [[[40, 255], [0, 0], [20, 255]]])
    refused(path, ValueError, "drawn in dark color", "pass invert=True")
    assert read(put(tmp_path / "b.png", [[[40, 255], [0, 255], [20, 255]]])) == [[40, 0, 20]]
    for invert in (False, True):
        refused(put(tmp_path / "c.png", np.zeros((2, 3, 4), np.uint8)), ValueError, "fully transparent", invert=invert)


PAPER = np.array([[250, 250, 250], [250, 0, 250], [250, 250, 128]], np.uint8)


@pytest.mark.parametrize("pixels, invert, advice", [
    (PAPER, False, "for dark ink on light paper pass invert=True"),
    (255 - PAPER, True, "for light ink on a dark background leave out invert=True")])
def test_a_bright_border_is_reported(tmp_path, pixels, invert, advice):
    "One warning at the caller's line, with the name and the way out, in words and as data; followed, there is none."
    path = put(tmp_path / "a.png", pixels)
    warning, = told(lambda: read_image(path, invert=invert))
    said = warning.message
    assert str(said) == f"{path} has a bright border, where background should be 0: {advice}"
    assert str(said) == f"{said.problem}: {said.advice}"
    assert warning.filename == __file__ and not told(lambda: read_image(path, **said.way_out))
    assert read(path, **said.way_out) == (255 - PAPER).tolist()


@pytest.mark.parametrize("frame, warns", [(127, False), (128, True)])
def test_what_counts_as_bright(tmp_path, frame, warns):
    "The border's median decides, above 127, and not what is inside or in one corner."
    pixels = np.full((5, 5), frame, np.uint8)
    pixels[1:-1, 1:-1] = 0 if warns else 255
    pixels[0, :2] = 255 - pixels[0, :2]
    assert len(told(lambda: read_image(put(tmp_path / "a.png", pixels)))) == warns


@pytest.mark.parametrize("top, grays, white, factor", [
    (4095, 17, 4095, 16), (4000, 17, 4095, 16), (1000, 5, 1023, 64), (16383, 65, 16383, 4)])
def test_scans_of_few_bits_are_reported(tmp_path, top, grays, white, factor):
    """A 12-bit scan in a 16-bit file: one warning with the real maximum;
    followed, the grays are there, white is 255, and nothing is said."""
    values = np.zeros((64, 64), np.uint16)
    values[1:-1, 1:-1] = np.linspace(0, top, 62 * 62).astype(np.uint16).reshape(62, 62)
    files = [put(tmp_path / "own" / c / "1.png", pixels) for c, pixels in (("a", values // 2), ("b", values))]
    for look, which in ((lambda: read_image(files[1]), f"{files[1]} has"),
                        (lambda: load_folder(tmp_path / "own"), f"{files[0]} and 1 more have"),
                        (lambda: as_images(files), f"{files[0]} and 1 more have")):
        warning, = told(look)
        assert warning.filename == __file__ and str(warning.message) == (
            f"{which} 16 bits for each pixel, but no gray above {top} of 65535, "
            f"which leaves at most {grays} of 256 grays: "
            f"if {white} is white there, save it again with all values times {factor}")
    with pytest.warns(UserWarning): assert len(read_image(files[1]).unique()) == grays
    mended = put(tmp_path / "c.png", values * np.uint16(factor))
    assert not told(lambda: read_image(mended)) and len(read_image(mended).unique()) > 200
    assert abs(int(read_image(mended).max()) - 255 * top / white) <= 1


@pytest.mark.parametrize("top", [0, 16384])
def test_scans_that_are_not_faint(tmp_path, top):
    "A blank one, and one that uses a quarter of the grays."
    path = put(tmp_path / "a.png", np.array([[0, 0, 0], [0, top, 0], [0, 0, 0]], np.uint16))
    assert not told(lambda: read_image(path))


# The way up

STANDING = [[1, 2], [3, 4], [5, 6]]
LYING = {  # how the pixels are stored so that the viewer, after what the orientation says, sees STANDING
    1: [[1, 2], [3, 4], [5, 6]], 2: [[2, 1], [4, 3], [6, 5]], 3: [[6, 5], [4, 3], [2, 1]], 4: [[5, 6], [3, 4], [1, 2]],
    5: [[1, 3, 5], [2, 4, 6]], 6: [[2, 4, 6], [1, 3, 5]], 7: [[6, 4, 2], [5, 3, 1]], 8: [[5, 3, 1], [6, 4, 2]]}


@pytest.mark.parametrize("orientation", LYING)
@pytest.mark.parametrize("suffix", ["png", "tif"])
@quiet
def test_turned_upright(tmp_path, suffix, orientation):
    "All eight orientations of the EXIF standard are undone, for 8 bits and for 16."
    stored = np.array(LYING[orientation], np.uint8)
    for scale in (np.uint8(1), np.uint16(257)):
        assert read(put(tmp_path / f"a.{suffix}", stored * scale, exif=turned(orientation))) == STANDING
    if suffix == "png":  # Pillow 13 scrambles a TIFF that lies on its side if it opens it by its name
        with Image.open(tmp_path / "a.png") as image: assert as_images(image)[0].tolist() == STANDING


def test_other_places_that_say_the_way_up(tmp_path):
    "XMP, and EXIF behind the pixels of a PNG, as Pillow itself would turn them."
    path = put(tmp_path / "a.jpg", np.zeros((8, 16), np.uint8), xmp=b'<x tiff:Orientation="6"/>')
    with Image.open(path) as image: assert read_image(path).shape == ImageOps.exif_transpose(image).size[::-1]  # Pillow 10 knows no XMP in a JPEG
    whole = put(tmp_path / "b.png", LYING[6]).read_bytes()
    late = chunk(b"eXIf", turned(6).tobytes()[6:])
    assert read(put(tmp_path / "b.png", whole[:-12] + late + whole[-12:])) == STANDING  # before the end


SIDE = np.zeros((16, 32), np.uint8)
SIDE[:, :16] = 250  # bright on the left; turned a quarter clockwise, bright on top
WHOLE = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i"}  # TIFF's types of whole numbers
OTHER_TAGS = st.tuples(st.integers(0, 2**16 - 1).filter(lambda tag: tag != 0x0112), st.integers(0, 20),
                       st.integers(0, 4) | st.integers(0, 2**32 - 1), st.binary(min_size=4, max_size=4))


def photo(block):
    "A JPEG with this block of EXIF."
    made = io.BytesIO()
    Image.fromarray(SIDE).save(made, "JPEG", quality=100)
    content = b"Exif\0\0" + block
    return made.getvalue()[:2] + b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content + made.getvalue()[2:]


@given(order=st.sampled_from("<>"), kind=st.sampled_from([*WHOLE]), others=st.lists(OTHER_TAGS, max_size=4),
       following=st.integers(0, 2**32 - 1), tail=st.binary(max_size=40))
@settings(max_examples=150)
@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, of corrupt EXIF
def test_photos_with_odd_exif(tmp_path_factory, order, kind, others, following, tail):
    """Whatever else stands in the block, a quarter turn that is noted there is made,
    and the pixels are those of the file."""
    entries = [struct.pack(f"{order}HHI", tag, type_, count) + value for tag, type_, count, value in others]
    turn = struct.pack(f"{order}HHI", 0x0112, kind, 1) + struct.pack(order + WHOLE[kind], 6).ljust(4, b"\0")
    entries.insert(len(entries) // 2, turn)
    block = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HIH", 42, 8, len(entries)) + b"".join(entries)
    content = photo(block + struct.pack(f"{order}I", following) + tail)
    image = read_image(put(tmp_path_factory.getbasetemp() / "odd.jpg", content))
    assert image.shape == (32, 16) and image[:16].min() > 240 and image[16:].max() < 10


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("block", [
    b"", b"II", b"II*\0", b"XX*\0\x08\0\0\0", b"MM\0*\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff" + bytes(8),
    b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x63\0\0", b"Exif\0\0", bytes(200), b"\xff" * 200])
def test_exif_that_says_nothing(tmp_path, block):
    "Cut off, of no order, or with an orientation that there is not: the photo is shown as it is stored."
    assert read_image(put(tmp_path / "a.jpg", photo(block))).shape == (16, 32)
    whole = put(tmp_path / "a.png", SIDE).read_bytes()
    assert read_image(put(tmp_path / "a.png", whole[:33] + chunk(b"eXIf", block) + whole[33:])).shape == (16, 32)


# Other sizes

AREA = [[0, 100, 8, 8, 255, 255], [200, 100, 8, 9, 255, 254]]
SEE_THROUGH = [[[0, 255], [0, 255]], [[55, 51], [255, 255]]]  # and lying on its side


@quiet
@pytest.mark.parametrize("pixels, wanted, options", [
    # 255 minus itself; where something is transparent, ink × opacity, 155*51/255 = 31, so that it is 0 both ways
    (GRAY, [[255, 245, 155], [205, 252, 248]], {"invert": True}),
    (OPACITIES, [[0, 0, 0], [155, 31, 255]], {"invert": True}),
    # the average, rounded once, of the rectangle that a new pixel covers; enlarged, pixels are repeated
    (AREA, [[100, 8, 255]], {"resize": (1, 3)}),  # 400/4, 33/4, 1019/4 = 254.75
    (AREA, [[36, 173], [103, 173]], {"resize": (2, 2)}),  # 108/3, 518/3 = 172.67; 308/3 = 102.67, 518/3
    (AREA, [[121]], {"resize": (1, 1)}),  # 1452/12
    (AREA, AREA, {"resize": (2, 6)}), (AREA, [AREA[0], AREA[0], AREA[1], AREA[1]], {"resize": (4, 6)}),
    (AREA, [[121]], {"resize": [1, 1]}), (AREA, [[121]], {"resize": np.array([1, 1])}),
    # resized last, after it was turned upright, scaled, inverted and laid on the background: the average is one of ink
    (SEE_THROUGH, [[40, 255], [0, 255]], {"invert": True}),  # (255-55)*51/255
    (SEE_THROUGH, [[148], [128]], {"invert": True, "resize": (2, 1)}),  # 295/2 and 255/2, rounded up
    (np.array([[0, 65535], [0, 0]], np.uint16), [[64]], {"resize": (1, 1)})])  # 255/4
def test_inverted_and_resized(tmp_path, pixels, wanted, options):
    "What becomes of the pixels, by hand."
    path = put(tmp_path / "a.png", pixels, **({"exif": turned(6)} if pixels is SEE_THROUGH else {}))
    assert read(path, **options) == wanted


@pytest.mark.parametrize("wrong", [
    28, "28", (28,), (28, 28, 1), (0, 28), (28, -1), (2.0, 2), (None, 2), (10**5, 10**5), ()])
def test_what_is_no_size(tmp_path, wrong):
    "Each wrong size is a ValueError that shows it, before any file is read."
    for reader in (read_image, load_folder):
        with pytest.raises(ValueError, match=re.escape("(height, width)")) as caught: reader(tmp_path, resize=wrong)
        assert repr(wrong) in str(caught.value)


# Files that are refused

@pytest.mark.parametrize("width, height, kind", [
    (8000, 8000, OSError), (8001, 8000, ValueError), (64_000_001, 1, ValueError),
    (14_000, 14_000, ValueError), (10**9, 10**9, ValueError)])
@pytest.mark.parametrize("theirs", [Image.MAX_IMAGE_PIXELS, None])
# Pillow's own, from 89 megapixels; over 179 it refuses itself
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_too_many_pixels(tmp_path, monkeypatch, width, height, kind, theirs):
    """More than 64 megapixels are refused by what the header says, with name and size; nothing is decoded.

    Other people's limits do not count."""
    def decodes(image): raise RuntimeError("decoded")
    monkeypatch.setattr(ImageFile.ImageFile, "load", decodes), monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", theirs)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    path = put(tmp_path / "a.png", b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b""))
    ours = f"{width} pixels wide and {height} high, more than 64,000,000 together"
    size = f"{width * height}" if theirs and width * height > 2 * theirs else ours
    refused(path, kind, *(["decoded"] if kind is OSError else [size, "save it smaller, with at most 8000 pixels on each side"]))


def animation(path, **options):
    "Write a file of two images."
    first, second = (Image.fromarray(np.full((16, 16), v, np.uint8)) for v in (9, 99))
    first.save(path, save_all=True, append_images=[second], **options)
    return path


def test_several_images_in_one_file(tmp_path):
    """An animation or a document of pages is not one image.

    A photo with a preview behind it, which Pillow calls MPO, is what viewers show."""
    for suffix in ("gif", "tif", "png", "webp"):
        refused(animation(tmp_path / f"a.{suffix}"), ValueError, "several images")
    path = animation(tmp_path / "a.jpg", format="MPO")
    with Image.open(path) as image: assert (image.format, image.n_frames) == ("MPO", 2)
    assert read(path) == [[9] * 16] * 16


@pytest.mark.parametrize("said, contents", {
    "it begins like none of PNG JPEG": [
        b"", b"not an image", b"%PDF-1.7", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\x00" * 100, b"RIFF\x04\0\0\0WAVE"],
    "it begins like GIF, but is": [b"GIF89a"], "it begins like PNG, but is": [b"\x89PNG\r\n\x1a\n"],
    "it begins like JPEG, but is": [b"\xff\xd8\xff"],
    "it begins like TIFF, but is": [b"II*\x00"], "it begins like BMP, but is": [b"BM"],
    "EOF while reading header": [b"P5"]}.items())
def test_what_is_no_image(tmp_path, said, contents):
    """Nothing, text, another kind of file, or only the beginning of an image:
    an OSError with the name, which tells them apart."""
    for content in contents:
        refused(path := put(tmp_path / "a.png", content), OSError, f"cannot read {path} as an image", said)


def box(major, *compatible): return struct.pack(">I4s4sI", 16 + 4 * len(compatible), b"ftyp", major, 0) + b"".join(compatible)


@pytest.mark.parametrize("kind, begins", [
    *[("HEIC", box(major, b"mif1", b"heic")) for major in (b"heic", b"heix", b"hevc", b"mif1", b"msf1")], ("HEIC", box(b"mif1")),
    ("AVIF", box(b"avif", b"mif1", b"miaf")), ("AVIF", box(b"avis", b"msf1")), ("AVIF", box(b"mif1", b"avif"))])
def test_what_phones_and_browsers_keep_is_named(tmp_path, kind, begins):
    "By its content, whatever it is called, as a file, in memory and in a folder of classes; a video that begins alike is none."
    for name in ("a.png", "A.HEIC", "a.avif"):
        (path := tmp_path / "own" / "cup" / name).parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(begins + bytes(100))
        said = f"as an image: it is in the format {kind}: "
        refused(path, OSError, f"cannot read {path} {said}")
        with pytest.raises(OSError, match=re.escape(f"cannot read mine {said}")): image_from_bytes(path.read_bytes(), "mine")
        with pytest.raises(OSError, match=re.escape(f"{path} {said}")): load_folder(tmp_path / "own")
        path.unlink()
    for other in (box(b"isom", b"mp42"), box(b"qt  "), begins[:8], b"\0\0\0\x18ftyp"):
        refused(put(tmp_path / "a.png", other), OSError, "it begins like none of PNG JPEG")


def test_images_that_are_not_tried_and_headers_that_are_wrong(tmp_path):
    "A kind that is not listed; and one bit of a PNG's checksum, which is named as the damaged PNG that it is."
    refused(put(tmp_path / "b.png", GRAY, format="ico"), OSError, "begins like none of PNG JPEG")
    whole = put(tmp_path / "a.png", GRAY).read_bytes()
    refused(put(tmp_path / "a.png", whole[:29] + bytes([whole[29] ^ 1]) + whole[30:]), OSError,
            "begins like PNG, but is damaged or cut off: get it again from where it came from")


def test_what_is_no_file(tmp_path):
    "A missing file, a folder, a pipe, which would never end."
    put(tmp_path / "folder.png", None)
    if hasattr(os, "mkfifo"): os.mkfifo(tmp_path / "pipe.png")
    for name in ("missing", "folder", *["pipe"] * hasattr(os, "mkfifo")):
        refused(tmp_path / f"{name}.png", FileNotFoundError, "no file at")


def test_the_setting_of_others_is_put_back(tmp_path, monkeypatch):
    "`LOAD_TRUNCATED_IMAGES` is as before after an error, and with several threads reading at once."
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    whole, said = put(tmp_path / "cut.png", np.arange(784).reshape(28, 28).astype(np.uint8)).read_bytes(), []
    path = put(tmp_path / "cut.png", whole[:-100])
    def work():
        for _ in range(50):
            try: said.append(read_image(path))
            except OSError as e: said.append(type(e))
    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads: t.start()
    for t in threads: t.join()
    assert said == [OSError] * 200 and ImageFile.LOAD_TRUNCATED_IMAGES is True


# A folder

BLANK = np.zeros((2, 3), np.uint8)
# Images with a few pixels each, by class folder and file name; no letter has two cases, for systems that ignore it
NAMES = st.text("0129ab_-", min_size=1, max_size=4)
FILES = st.dictionaries(NAMES, st.binary(min_size=6, max_size=6), min_size=1, max_size=4)
FOLDERS = st.dictionaries(NAMES, FILES, min_size=1, max_size=3)


@quiet
@settings(max_examples=30)
@given(tree=FOLDERS)
def test_any_folder(tree):
    "Any folders, file names and pixels come back unchanged, in the text order of the names, labeled by folder."
    wanted = [(c, file, tree[c][file[:-4]]) for c in sorted(tree) for file in sorted(f"{n}.png" for n in tree[c])]
    with tempfile.TemporaryDirectory() as tmp:
        for c, file, content in wanted: put(Path(tmp, c, file), np.frombuffer(content, np.uint8).reshape(2, 3))
        made = load_folder(tmp)
    assert made.classes == tuple(sorted(tree)) and made.labels.tolist() == [c for c, _, _ in wanted]
    assert made.names.tolist() == [f"{c}/{file}" for c, file, _ in wanted]
    assert [i.numpy().tobytes() for i in made.images] == [content for _, _, content in wanted]


def test_labels_by_number(tmp_path):
    """Folder 10 comes before folder 2, and 10.png before 2.png, whatever the labels are turned into;
    int makes plain integers."""
    own = put_all(tmp_path, {f"{c}/{name}.png": BLANK + np.uint8(c) for c in (2, 10) for name in (2, 10)})
    made = load_folder(str(own), label=int)
    assert made.names.tolist() == ["10/10.png", "10/2.png", "2/10.png", "2/2.png"]
    assert made.images[:, 0, 0].tolist() == [10, 10, 2, 2]
    assert made.classes == (10, 2) and [type(c) for c in made.classes] == [int, int]
    assert made.labels.tolist() == [10, 10, 2, 2]
    assert made[2].shape == (2, 2, 3)


def test_every_suffix_that_pillow_knows_for_these_kinds(tmp_path):
    "A class folder may hold each kind under each of its names, .jfif and .jpe too, in capitals as well; no other file."
    known = {suffix for suffix, kind in Image.registered_extensions().items()
             if kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "MPO") and suffix != ".pfm"}  # which holds floats
    for suffix in known:
        put(tmp_path / "a" / f"1{suffix}", BLANK, **({"format": "JPEG"} if suffix == ".mpo" else {}))
        put(tmp_path / "b" / f"1{suffix.upper()}", BLANK, format="PNG")
    assert {".jfif", ".jpe", ".pnm", ".tif", ".webp"} <= known and len(load_folder(tmp_path)) == 2 * len(known)


def test_what_is_ignored(tmp_path):
    "Hidden files, what file managers and Jupyter leave, and files beside the class folders do not count."
    junk = ("a/.hidden", "a/.DS_Store", "a/._1.png", "a/Thumbs.db", "a/thumbs.db", "a/desktop.ini",
            "a/Desktop.ini", "labels.csv", "loose.png")
    folders = (".ipynb_checkpoints", "__MACOSX", "a/.ipynb_checkpoints", "a/__MACOSX")
    put_all(tmp_path, {name: b"no image" for name in junk} | {f"{name}/1.png": BLANK for name in folders})
    put(tmp_path / "a" / "1.PNG", BLANK + np.uint8(5))
    made = load_folder(tmp_path)
    assert made.names.tolist() == ["a/1.PNG"] and made.classes == ("a",) and made.images[0].tolist() == [[5] * 3] * 2


def test_invert_and_resize_go_to_every_image(tmp_path):
    "Images of several sizes and kinds become one stack; `invert` and `resize` mean what they mean for one image."
    made = load_folder(put_all(tmp_path, {"a/1.png": [[255, 0, 255, 255]], "a/2.png": [[155], [255]],
                                          "b/1.bmp": [[[250] * 3, [246] * 3], [[255] * 3, [255] * 3]]}), invert=True, resize=(1, 2))
    assert made.images.tolist() == [[[128, 0]], [[50, 50]], [[3, 5]]]  # (0+255)/2, (100+0)/2; (5+0)/2 and (9+0)/2, rounded up
    assert made.labels.tolist() == ["a", "a", "b"]


def test_bright_borders_are_counted(tmp_path):
    """One warning for a folder, at the caller's line, with the count, the first file and the way out;
    none if all is well."""
    values = {"a/1.png": 0, "a/2.png": 255, "b/1.png": 200, "b/2.png": 127}
    put_all(tmp_path, {name: BLANK + np.uint8(value) for name, value in values.items()})
    for invert, first, advice in ((False, "2", "pass invert=True"), (True, "1", "leave out invert=True")):
        warning, = told(lambda: load_folder(tmp_path, invert=invert))
        assert warning.filename == __file__ and warning.message.way_out == {"invert": not invert}
        for part in (f"2 of the 4 images in {tmp_path} ", str(tmp_path / "a" / f"{first}.png"), advice):
            assert part in str(warning.message)
    for name in ("a/2.png", "b/1.png"): (tmp_path / name).unlink()
    assert not told(lambda: load_folder(tmp_path))


@pytest.mark.parametrize("spoil, error, parts", [
    ({"a/notes.txt": b"x"}, ValueError, ["a/notes.txt", "not an image file"]),
    *[({"a/2.png": content}, OSError, ["a/2.png", "cannot read"])
      for content in (b"\x89PNG\r\n\x1a\n\0\0", b"not an image", b"")],
    ({"b/2.png": BLANK.T}, ValueError, ["a/1.png", "(2, 3)", "b/2.png", "(3, 2)", "one size", "pass resize=(2, 3)"]),
    ({"a/2.tif": BLANK.astype(np.float32)}, ValueError, ["a/2.tif", "mode F", "8-bit"]),
    ({"a/2.png": np.zeros((2, 3, 4), np.uint8)}, ValueError, ["a/2.png", "transparent"]),
    ({"empty": None}, ValueError, ["empty is empty", "at least one image"]),
    ({"empty/.ipynb_checkpoints": None}, ValueError, ["empty is empty", "at least one image"]),
    ({"a/deep/1.png": BLANK}, ValueError, ["a has subfolders (deep)"]),
    ({"a/2.png": Path("gone.png")}, FileNotFoundError, ["a/2.png", "link to nothing"]),
    ({"c": Path("gone")}, FileNotFoundError, ["c is a link to nothing"]),
    ({"a/2.png": Path("2.png")}, FileNotFoundError, ["a/2.png", "link to nothing"])])  # it goes round
def test_what_a_class_folder_cannot_hold(tmp_path, spoil, error, parts):
    "Each kind of spoilt folder gets its own kind of error, with the file's name; unspoilt it loads."
    assert len(load_folder(put_all(tmp_path, {"a/1.png": BLANK, "b/1.png": BLANK}))) == 2
    try: put_all(tmp_path, spoil)
    except (OSError, NotImplementedError) as e: pytest.skip(f"NOT TESTED: this system made no link: {e}")
    with pytest.raises(error) as caught: load_folder(tmp_path)
    said = str(caught.value).replace("\\", "/")  # Windows
    assert type(caught.value) is error
    assert [part for part in [str(tmp_path).replace("\\", "/"), *parts] if part not in said] == []
    if "one size" in parts: assert len(load_folder(tmp_path, **caught.value.way_out)) == 3


def test_links_are_followed(tmp_path):
    "A link to a class folder and a link to an image are as good as the thing itself, under the name of the link."
    far = put(tmp_path / "far" / "x.png", BLANK + np.uint8(5))
    try: made = load_folder(put_all(tmp_path / "own", {"a/1.png": BLANK, "a/2.png": far, "b": far.parent}))
    except (OSError, NotImplementedError) as e: pytest.skip(f"NOT TESTED: this system made no link: {e}")
    assert made.names.tolist() == ["a/1.png", "a/2.png", "b/x.png"] and made.images[:, 0, 0].tolist() == [0, 5, 5]


def test_the_wrong_folder(tmp_path):
    """A file, a missing folder, a folder without subfolders and the folder above:
    each error names it and the way out, which works."""
    put_all(tmp_path, {"file": b"", "bare": None, "data/train/3/1.png": BLANK, "data/train/7/1.png": BLANK})
    for wrong in ("file", "missing"):
        with pytest.raises(NotADirectoryError, match=f"{wrong} is not a folder"): load_folder(tmp_path / wrong)
    for wrong in ("bare", "data/train/3"):
        with pytest.raises(ValueError, match=f"{Path(wrong).name} has no subfolders"): load_folder(tmp_path / wrong)
    with pytest.raises(ValueError, match=r"train has subfolders \(3, 7\), not images") as caught:
        load_folder(tmp_path / "data")
    assert load_folder(re.search(r"load (.*) itself$", str(caught.value))[1]).classes == ("3", "7")


COMPOSED, SPLIT = "caf\u00e9", "cafe\u0301"  # é as Linux writes it, one code point, and as a Mac does, two


@pytest.mark.parametrize("folders, label, said", [
    # else the images of one would be lost
    (["03", "3", "7"], int, "{folder}/03 and {folder}/3 both get the label 3"),
    (["a", "b"], {"a": COMPOSED, "b": SPLIT}.get, "{folder}/a and {folder}/b both get the label 'caf\u00e9'"),
    ([SPLIT, COMPOSED], str, "both get the label 'caf\u00e9'"),
    # NumPy would turn a mixture into something else without a word
    (["3", "x"], int, "{folder}/x does not turn into a label"), (["3"], list, "{folder}/3 does not turn into a label"),
    (["3", "x"], lambda name: int(name) if name.isdigit() else name,
     "the labels for {folder} should be all integers or all strings, got [3, 'x']"),
    (["3", "x"], lambda name: (name, 1), "the labels for {folder} should be all integers or all strings")])
def test_labels_that_do_not_go_together(tmp_path, folders, label, said):
    "Each folder has a label of its own, and all are integers or all strings."
    put_all(tmp_path, {f"{name}/1.png": BLANK for name in folders})
    if len(os.listdir(tmp_path)) < len(folders): pytest.skip("NOT TESTED: on this file system they are one folder")
    with pytest.raises(ValueError) as caught: load_folder(tmp_path, label=label)
    assert said.format(folder=tmp_path) in str(caught.value).replace("\\", "/")


@pytest.mark.parametrize("name", [COMPOSED, SPLIT])
def test_names_that_look_alike_are_one(tmp_path, name):
    "é in either spelling gives one label, from the name and from what `label` makes; the file is found."
    put(tmp_path / name / "1.png", BLANK)
    for label in (str, lambda _: name):
        made = load_folder(tmp_path, label=label)
        assert made.classes == (COMPOSED,) and made.labels.tolist() == [COMPOSED]
        assert (tmp_path / made.names[0]).is_file()
    assert load_folder(tmp_path, label={COMPOSED: 3}.__getitem__).classes == (3,)


# Without a terminal

class Terminal(io.StringIO):
    def isatty(self): return True


@pytest.mark.parametrize("stream", [None, io.StringIO(), "closed", Terminal()], ids=["none", "a log", "closed", "a terminal"])
def test_a_bar_only_where_someone_watches(tmp_path, monkeypatch, stream):
    """A long folder is read with a bar in a terminal, and without one in a log,
    after stderr was closed and in a program without a console."""
    from tqdm import tqdm
    put_all(tmp_path / "long", {f"a/{i}.png": BLANK for i in range(3)})
    if stream == "closed":
        stream = io.StringIO()
        stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(tqdm, "monitor_interval", 0)
    began = tqdm.__init__
    monkeypatch.setattr(tqdm, "__init__", lambda bar, *args, **options: began(bar, *args, **options | {"delay": 0}))
    assert len(load_folder(tmp_path / "long")) == 3
    if stream and not stream.closed:
        assert ("Reading long" in stream.getvalue()) == stream.isatty() == bool(stream.getvalue())
