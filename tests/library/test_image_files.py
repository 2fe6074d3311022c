"Image files of every kind, as tensors or as an error with the file's name; and a folder of them. What is damaged: test_damaged_files.py."
import io
import os
import struct
import sys
import time
import unicodedata
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile, ImageOps
from tqdm import tqdm

from pixelsim.image_files import image_from_bytes, load_folder, read_image
from pixelsim.images import as_images

quiet = pytest.mark.filterwarnings("ignore:.*(bright border|16 bits):UserWarning")  # images of a few pixels are all border


def put(path, content, **options):
    "Write one file: bytes, or an image of these gray values; None makes a folder, a path a link to it, and a function the file by itself."
    path.parent.mkdir(parents=True, exist_ok=True)
    match content:
        case None: path.mkdir()
        case bytes(): path.write_bytes(content)
        case Path(): path.symlink_to(content, target_is_directory=not path.suffix)
        case Image.Image(): content.save(path, **options)
        case _ if callable(content): content(path)
        case _: Image.fromarray(np.array(content, getattr(content, "dtype", np.uint8))).save(path, **options)
    return path


def put_all(folder, files):
    "Write several, by their paths below the folder."
    try:
        for name, content in files.items(): put(folder / name, content)
    except (OSError, NotImplementedError) as e:
        if not any(isinstance(content, Path) for content in files.values()): raise
        pytest.skip(f"NOT TESTED: this system made no link: {e}")
    return folder


def refused(call, kind, *parts):
    "The call raises exactly this kind of error, with these parts in it; its way out."
    with pytest.raises((OSError, ValueError)) as caught: call()
    said = str(caught.value).replace("\\", "/")  # Windows
    assert type(caught.value) is kind and [part for part in parts if str(part).replace("\\", "/") not in said] == [], said
    return getattr(caught.value, "way_out", {})


def told(call):
    "What a call warns of."
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        call()
    return told


# Files of a few pixels

def drawn(mode, *values, palette=None):
    "An image of Pillow's with one row of these values."
    image = Image.new(mode, (len(values), 1))
    if palette: image.putpalette(palette)
    image.putdata(values)
    return image


def turned(orientation):
    "EXIF that says this, as Pillow writes it."
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def png(pixels, *chunks, size=None, late=()):
    "A PNG byte by byte: header (of this size, if it lies), more chunks, the pixels as big-endian grays, late chunks, end."
    pixels = np.asarray(pixels)
    header = struct.pack(">IIBBBBB", *(size or pixels.shape[::-1]), 8 * pixels.itemsize, 0, 0, 0, 0)
    packed = zlib.compress(b"".join(b"\0" + row.astype(pixels.dtype.newbyteorder(">")).tobytes() for row in pixels))
    parts = [(b"IHDR", header), *chunks, (b"IDAT", packed), *late, (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content)) for kind, content in parts)


def white_is_zero(path):
    "Write a TIFF of 16 bits whose tag 262 says so, which Pillow does not write."
    path.write_bytes(put(path, DEEP).read_bytes().replace(struct.pack("<HHII", 262, 3, 1, 1), struct.pack("<HHII", 262, 3, 1, 0)))


def box(major, *compatible):
    "How a file of a phone begins."
    return struct.pack(">I4s4sI", 16 + 4 * len(compatible), b"ftyp", major, 0) + b"".join(compatible)


def animation(**options):
    "A function that writes a file of two images, all 9 and all 99."
    first, second = (Image.fromarray(np.full((16, 16), value, np.uint8)) for value in (9, 99))
    return lambda path: first.save(path, save_all=True, append_images=[second], **options)


GRAY = [[0, 10, 100], [50, 3, 7]]
SIXTEEN = [0, 128, 129, 257, 32896, 65406, 65407, 65535]
IN_EIGHT = [[0, 0, 1, 1, 128, 254, 255, 255]]  # 128/257 = 0.498; 129/257 = 0.502; 65406/257 = 254.498; 65407/257 = 254.502
DEEP = np.array([SIXTEEN], np.uint16)
BIG_ENDIAN = DEEP.astype(">u2").tobytes()
COLORS = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [200, 100, 50], [10, 200, 30], [90, 90, 90]]], np.uint8)
BY_HAND = [[76, 150, 29, 124, 124, 90]]  # 299 R + 587 G + 114 B in thousandths: 76.245 149.685 29.07 124.2 123.81 90
INDEXED = drawn("P", 0, 1, 2, 3, 4, 5, palette=COLORS.reshape(-1).tolist())
BITS = drawn("1", 0, 255, 0)
INKS = drawn("CMYK", (0, 0, 0, 0), (0, 0, 0, 255), (0, 0, 0, 128), (255, 0, 0, 0))
CLEAR = drawn("P", 0, 1, 2, palette=[250] * 3 + [200] * 3 + [100] * 3)
OPACITIES = [[[255, 255], [255, 128], [255, 0]], [[100, 255], [100, 51], [0, 255]]]
AREA = [[0, 100, 8, 8, 255, 255], [200, 100, 8, 9, 255, 254]]
SEE_THROUGH = [[[0, 255], [0, 255]], [[55, 51], [255, 255]]]
SIDE = np.zeros((16, 32), np.uint8)
SIDE[:, :16] = 250  # bright on the left; turned a quarter clockwise, bright on top


@quiet
@pytest.mark.parametrize("name, content, saving, options, wanted", [
    *[(f"a.{kind}", GRAY, {}, {}, GRAY) for kind in ("png", "gif", "bmp", "tif", "pgm")],
    ("rgb.png", COLORS, {}, {}, BY_HAND), ("p.png", INDEXED, {}, {}, BY_HAND), ("p.gif", INDEXED, {}, {}, BY_HAND),
    *[(f"bits.{kind}", BITS, {}, {}, [[0, 255, 0]]) for kind in ("png", "bmp", "tif", "pbm")],
    ("inks.tif", INKS, {}, {}, [[255, 0, 127, 179]]),  # no ink, all black, half; cyan alone is 0.587*255 + 0.114*255 = 178.755
    ("inks.jpg", Image.new("CMYK", (16, 16), (0, 0, 0, 255)), {"quality": 100}, {}, [[0] * 16] * 16),
    ("deep.png", DEEP, {}, {}, IN_EIGHT), ("deep.tif", DEEP, {}, {}, IN_EIGHT),
    ("big.tif", Image.frombytes("I;16B", (8, 1), BIG_ENDIAN), {}, {}, IN_EIGHT), ("deep.pgm", b"P5 8 1 65535\n" + BIG_ENDIAN, {}, {}, IN_EIGHT),
    ("ten.pgm", b"P5 3 1 1023\n" + np.array([0, 1023, 512], ">u2").tobytes(), {}, {}, [[0, 255, 128]]),  # 512/1023*255 = 127.6
    # transparency: ink × opacity. 128*255/255, 100*51/255; 76*127/255 = 37.85; a color or entry declared transparent
    ("la.png", OPACITIES, {}, {}, [[255, 128, 0], [100, 20, 0]]), ("opaque.png", [[[40, 255], [0, 255], [20, 255]]], {}, {}, [[40, 0, 20]]),
    ("rgba.png", [[[255, 0, 0, 255], [255, 0, 0, 127], [9, 9, 9, 0], [255, 255, 255, 255]]], {}, {}, [[76, 38, 0, 255]]),
    ("key.png", [[[9, 9, 9], [200, 200, 200]]], {"transparency": (9, 9, 9)}, {}, [[0, 200]]), ("gray.png", [[9, 200]], {"transparency": 9}, {}, [[0, 200]]),
    ("entry.png", CLEAR, {"transparency": 0}, {}, [[0, 200, 100]]), ("entry.gif", CLEAR, {"transparency": 0}, {}, [[0, 200, 100]]),
    ("half.png", CLEAR, {"transparency": bytes([0, 51, 255])}, {}, [[0, 40, 100]]),
    ("other.png", GRAY, {"format": "bmp"}, {}, GRAY),  # the content counts, not the name
    ("photo with a preview.jpg", animation(format="MPO"), {}, {}, [[9] * 16] * 16),  # what viewers show
    # 255 minus itself; where something is transparent, ink × opacity, 155*51/255 = 31, so that it is 0 both ways
    ("a.png", GRAY, {}, {"invert": True}, [[255, 245, 155], [205, 252, 248]]), ("a.png", OPACITIES, {}, {"invert": True}, [[0, 0, 0], [155, 31, 255]]),
    # the average, rounded once, of the rectangle that a new pixel covers; enlarged, pixels are repeated
    ("a.png", AREA, {}, {"resize": (1, 3)}, [[100, 8, 255]]),  # 400/4, 33/4, 1019/4 = 254.75
    ("a.png", AREA, {}, {"resize": (2, 2)}, [[36, 173], [103, 173]]),  # 108/3, 518/3 = 172.67; 308/3 = 102.67, 518/3
    *[("a.png", AREA, {}, {"resize": one}, [[121]]) for one in ((1, 1), [1, 1], np.array([1, 1]))],  # 1452/12
    ("a.png", AREA, {}, {"resize": (2, 6)}, AREA), ("a.png", AREA, {}, {"resize": (4, 6)}, [AREA[0], AREA[0], AREA[1], AREA[1]]),
    # resized last, after it was turned upright, scaled, inverted and laid on the background: the average is one of ink
    ("a.png", SEE_THROUGH, {"exif": turned(6)}, {"invert": True}, [[40, 255], [0, 255]]),  # (255-55)*51/255
    ("a.png", SEE_THROUGH, {"exif": turned(6)}, {"invert": True, "resize": (2, 1)}, [[148], [128]]),  # 295/2 and 255/2, rounded up
    ("a.png", np.array([[0, 65535], [0, 0]], np.uint16), {}, {"resize": (1, 1)}, [[64]])])  # 255/4
def test_gray_values(tmp_path, name, content, saving, options, wanted):
    "What each kind of file holds, and what becomes of it, by hand."
    path = put(tmp_path / name, content, **saving)
    image = read_image(path, **options)
    assert image.dtype == torch.uint8 and image.tolist() == read_image(str(path), **options).tolist() == wanted


GOOD = png(np.uint8(GRAY))
LIKE_NONE = "as an image: it begins like none of PNG JPEG"
NO_FILE = "there is no file at {}: pass the path of an image"
NO_GRAY = "which does not turn into gray in one agreed way: save it as 8-bit grayscale or RGB"
NOTHING = np.zeros((2, 3, 4), np.uint8)  # transparent all over


@pytest.mark.parametrize("name, content, kind, said", [
    *[("a.tif", content, ValueError, NO_GRAY) for content in (lambda path: Image.fromarray(DEEP).save(path, tiffinfo={339: 2}), white_is_zero)],  # 339: signed
    *[("a.tif", Image.new(mode, (3, 2)), ValueError, f"has mode {mode}, {NO_GRAY}") for mode in ("F", "I", "LAB")],
    ("a.png", png(DEEP, (b"tRNS", struct.pack(">H", 257))), ValueError, f"with transparency, {NO_GRAY}"),
    ("a.png", NOTHING, ValueError, "fully transparent: there is nothing in it to see"),
    *[(f"a.{kind}", animation(), ValueError, "holds several images: save the one you want by itself") for kind in ("gif", "tif", "png", "webp")],
    *[("a.png", content, OSError, LIKE_NONE) for content in (
        b"", b"not an image", b"%PDF-1.7", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\x00" * 100, b"RIFF\x04\0\0\0WAVE", lambda path: drawn("L", 1).save(path, "ico"),
        box(b"isom", b"mp42"), box(b"qt  "), box(b"heic")[:8], b"\0\0\0\x18ftyp")],  # videos begin as a phone's photographs do
    *[("a.png", content, OSError, f"as an image: it begins like {kind}, but is damaged or cut off: get it again") for content, kind in (
        (b"GIF89a", "GIF"), (b"\x89PNG\r\n\x1a\n", "PNG"), (b"\xff\xd8\xff", "JPEG"), (b"II*\x00", "TIFF"), (b"BM", "BMP"),
        (GOOD[:29] + bytes([GOOD[29] ^ 1]) + GOOD[30:], "PNG"))],  # one bit of a checksum
    ("a.png", b"P5", OSError, "EOF while reading header"),
    ("a.png", lambda path: None, FileNotFoundError, NO_FILE), ("folder", None, FileNotFoundError, NO_FILE),
    *[("pipe.png", os.mkfifo, FileNotFoundError, NO_FILE) for _ in range(hasattr(os, "mkfifo"))]])  # it would never end
def test_what_is_refused(tmp_path, name, content, kind, said):
    "What would come out wrong, is no image, or no file: an error with the name, which says which; whichever way ink and paper are."
    path = put(tmp_path / name, content)
    for invert in (False, True): refused(lambda: read_image(path, invert=invert), kind, path, said.format(path))
    if kind is ValueError:
        with Image.open(path) as image: refused(lambda: as_images(image), kind, image, said)


@pytest.mark.parametrize("width, height, kind", [
    (8000, 8000, OSError), (8001, 8000, ValueError), (64_000_001, 1, ValueError), (14_000, 14_000, ValueError), (10**9, 10**9, ValueError)])
@pytest.mark.parametrize("theirs", [Image.MAX_IMAGE_PIXELS, None])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")  # Pillow's own, from 89 megapixels; over 179 it refuses itself
def test_too_many_pixels(tmp_path, monkeypatch, width, height, kind, theirs):
    "More than 64 megapixels are refused by what the header says, with name and size, whatever limit others set; nothing is decoded."
    def decodes(image): raise RuntimeError("decoded")
    monkeypatch.setattr(ImageFile.ImageFile, "load", decodes), monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", theirs)
    path = put(tmp_path / "a.png", png(np.uint8([[0]]), size=(width, height)))
    size = f"is {width} pixels wide and {height} high, more than 64,000,000 together"
    if theirs and width * height > 2 * theirs: size = f"has {width * height:,} pixels, more than 64,000,000"
    refused(lambda: read_image(path), kind, path, "decoded" if kind is OSError else f"{size}: save it smaller, with at most 8000 pixels on each side")


@pytest.mark.parametrize("said, begins", [
    *[("HEIC: share or export it as JPEG", box(major, b"mif1", b"heic")) for major in (b"heic", b"heix", b"hevc", b"mif1", b"msf1")],
    ("HEIC: share or export it as JPEG", box(b"mif1")),
    *[("AVIF: save it as JPEG or PNG", begins) for begins in (box(b"avif", b"mif1", b"miaf"), box(b"avis", b"msf1"), box(b"mif1", b"avif"))]])
def test_what_phones_and_browsers_keep_is_named(tmp_path, said, begins):
    "By its content, whatever it is called, as a file, in memory and in a folder of classes."
    for name in ("a.png", "A.HEIC"):
        path = put(tmp_path / "own" / "cup" / name, begins + bytes(100))
        for call in (lambda: read_image(path), lambda: load_folder(tmp_path / "own"), lambda: image_from_bytes(path.read_bytes(), str(path))):
            refused(call, OSError, f"cannot read {path} as an image: it is in the format {said}")
        path.unlink()


@pytest.mark.parametrize("wrong", [28, "28", (28,), (28, 28, 1), (0, 28), (28, -1), (2.0, 2), (None, 2), (10**5, 10**5), ()])
def test_what_is_no_size(tmp_path, wrong):
    "Said with the value, before any file is read."
    for reader in (read_image, load_folder): refused(lambda: reader(tmp_path, resize=wrong), ValueError, "(height, width)", repr(wrong))


def test_the_setting_of_others_is_put_back(tmp_path, monkeypatch):
    "`LOAD_TRUNCATED_IMAGES` is as before after an error, and with several threads reading at once; it never holds for us."
    def slow(image, load=ImageFile.ImageFile.load):
        time.sleep(.001)
        return load(image)
    monkeypatch.setattr(ImageFile.ImageFile, "load", slow), monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    path = put(tmp_path / "cut.pgm", b"P5 9 9 255\n" + bytes(40))
    with ThreadPoolExecutor(4) as pool: said = [*pool.map(lambda _: pytest.raises(OSError, read_image, path), range(40))]
    assert len(said) == 40 and ImageFile.LOAD_TRUNCATED_IMAGES is True


# Ink, paper, and scans of few grays

@quiet
@pytest.mark.parametrize("paint, invert", [(0, True), (255, False)])
def test_a_drawing_that_lives_in_its_transparency(tmp_path, paint, invert):
    "One color on nothing: the right way its opacity is the ink; the other way is an error, whose way out is the right way."
    opacity = np.array([[0, 255, 0], [0, 90, 255]], np.uint8)
    path = put(tmp_path / "a.png", np.stack([np.full_like(opacity, paint)] * 3 + [opacity], axis=2))
    way_out = refused(lambda: read_image(path, invert=not invert), ValueError, path, f"drawn in {'dark' if invert else 'light'} color on transparency",
                      f"pass invert={invert}", "or save it without transparency")
    assert way_out == {"invert": invert} and read_image(path, **way_out).tolist() == opacity.tolist()


PAPER = np.array([[250, 250, 250], [250, 0, 250], [250, 250, 128]], np.uint8)


@pytest.mark.parametrize("pixels, invert, advice", [
    (PAPER, False, "for dark ink on light paper pass invert=True"), (255 - PAPER, True, "for light ink on a dark background leave out invert=True")])
def test_a_bright_border_is_reported(tmp_path, pixels, invert, advice):
    "One warning at the caller's line, with the name and the way out, in words and as data; followed, there is none."
    path = put(tmp_path / "a.png", pixels)
    warning, = told(lambda: read_image(path, invert=invert))
    said = warning.message
    assert str(said) == f"{said.problem}: {said.advice}" == f"{path} has a bright border, where background should be 0: {advice}"
    assert warning.filename == __file__ and not told(lambda: read_image(path, **said.way_out))
    assert read_image(path, **said.way_out).tolist() == (255 - PAPER).tolist()


WIDE = np.pad(np.zeros((3, 9), np.uint8), ((1, 1), (0, 0)), constant_values=255)


@pytest.mark.parametrize("pixels, warnings", [
    ([[255, 255, 127], [127, 255, 127], [127, 127, 127]], 0), ([[0, 0, 128], [128, 0, 128], [128, 128, 128]], 1),  # the border's median decides, above 127
    (WIDE, 1), (WIDE.T, 1),  # all four sides count
    *[(np.array([[0, 0, 0], [0, top, 0], [0, 0, 0]], np.uint16), 0) for top in (0, 2**14)]])  # a blank scan, and one that uses a quarter of the grays
def test_what_is_reported(tmp_path, pixels, warnings):
    assert len(told(lambda: read_image(put(tmp_path / "a.png", pixels)))) == warnings


@pytest.mark.parametrize("invert, first, advice", [(False, "2", "pass invert=True"), (True, "1", "leave out invert=True")])
def test_bright_borders_are_counted(tmp_path, invert, first, advice):
    "One warning for a folder, at the caller's line, with the count, the first file and the way out; none if all is well."
    put_all(tmp_path, {name: BLANK + np.uint8(value) for name, value in {"a/1.png": 0, "a/2.png": 255, "b/1.png": 200, "b/2.png": 127}.items()})
    warning, = told(lambda: load_folder(tmp_path, invert=invert))
    assert warning.filename == __file__ and warning.message.way_out == {"invert": not invert}
    for part in (f"2 of the 4 images in {tmp_path} ", str(tmp_path / "a" / f"{first}.png"), advice): assert part in str(warning.message)
    assert not told(lambda: as_images([tmp_path / "a" / "2.png"]))  # the classifier asks whether most are
    for name in ("a/2.png", "b/1.png"): (tmp_path / name).unlink()
    assert not told(lambda: load_folder(tmp_path))


@pytest.mark.parametrize("top, grays, white, factor", [(4095, 17, 4095, 16), (4000, 17, 4095, 16), (1000, 5, 1023, 64), (16383, 65, 16383, 4)])
def test_scans_of_few_bits_are_reported(tmp_path, top, grays, white, factor):
    "A 12-bit scan in a 16-bit file: one warning with the real maximum; followed, the grays are there, white is 255, and nothing is said."
    values = np.zeros((64, 64), np.uint16)
    values[1:-1, 1:-1] = np.linspace(0, top, 62 * 62).astype(np.uint16).reshape(62, 62)
    files = [put(tmp_path / "own" / c / "1.png", pixels) for c, pixels in (("a", values // 2), ("b", values))]
    for look, which in ((lambda: read_image(files[1]), f"{files[1]} has"), (lambda: load_folder(tmp_path / "own"), f"{files[0]} and 1 more have"),
                        (lambda: as_images(files), f"{files[0]} and 1 more have")):
        warning, = told(look)
        assert warning.filename == __file__ and str(warning.message) == (
            f"{which} 16 bits for each pixel, but no gray above {top} of 65535, which leaves at most {grays} of 256 grays: "
            f"if {white} is white there, save it again with all values times {factor}")
    with pytest.warns(UserWarning): assert len(read_image(files[1]).unique()) == grays
    mended = put(tmp_path / "c.png", values * np.uint16(factor))
    assert not told(lambda: read_image(mended)) and len(read_image(mended).unique()) > 200
    assert abs(int(read_image(mended).max()) - 255 * top / white) <= 1


# The way up

STANDING = [[1, 2], [3, 4], [5, 6]]
LYING = {  # how the pixels are stored so that the viewer, after what the orientation says, sees STANDING
    1: [[1, 2], [3, 4], [5, 6]], 2: [[2, 1], [4, 3], [6, 5]], 3: [[6, 5], [4, 3], [2, 1]], 4: [[5, 6], [3, 4], [1, 2]],
    5: [[1, 3, 5], [2, 4, 6]], 6: [[2, 4, 6], [1, 3, 5]], 7: [[6, 4, 2], [5, 3, 1]], 8: [[5, 3, 1], [6, 4, 2]]}


@pytest.mark.parametrize("orientation", LYING)
@pytest.mark.parametrize("suffix", ["png", "tif"])
@quiet
def test_turned_upright(tmp_path, suffix, orientation):
    "All eight orientations of the EXIF standard are undone, for 8 bits and for 16, also where they stand behind the pixels."
    stored = np.array(LYING[orientation], np.uint8)
    for scale in (np.uint8(1), np.uint16(257)):
        assert read_image(put(tmp_path / f"a.{suffix}", stored * scale, exif=turned(orientation))).tolist() == STANDING
    if suffix == "tif": return
    late = put(tmp_path / "late.png", png(stored, late=[(b"eXIf", turned(orientation).tobytes()[6:])]))
    assert read_image(late).tolist() == STANDING
    with Image.open(tmp_path / "a.png") as image: assert as_images(image)[0].tolist() == STANDING  # Pillow 13 scrambles a TIFF on its side opened by name


def test_xmp_says_the_way_up(tmp_path):
    "As Pillow itself would turn it: Pillow 10 knows no XMP in a JPEG."
    path = put(tmp_path / "a.jpg", np.zeros((8, 16), np.uint8), xmp=b'<x tiff:Orientation="6"/>')
    with Image.open(path) as image: assert read_image(path).shape == ImageOps.exif_transpose(image).size[::-1]


WHOLE = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i"}  # TIFF's types of whole numbers
OTHER_TAGS = st.tuples(st.integers(0, 2**16 - 1).filter(lambda tag: tag != 0x0112), st.integers(0, 20),
                       st.integers(0, 4) | st.integers(0, 2**32 - 1), st.binary(min_size=4, max_size=4))


@given(order=st.sampled_from("<>"), kind=st.sampled_from([*WHOLE]), others=st.lists(OTHER_TAGS, max_size=4),
       following=st.integers(0, 2**32 - 1), tail=st.binary(max_size=40))
@settings(max_examples=150)
@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, of corrupt EXIF
def test_photos_with_odd_exif(tmp_path_factory, order, kind, others, following, tail):
    "Whatever else stands in the block, a quarter turn that is noted there is made, and the pixels are those of the file."
    entries = [struct.pack(f"{order}HHI", tag, type_, count) + value for tag, type_, count, value in others]
    turn = struct.pack(f"{order}HHI", 0x0112, kind, 1) + struct.pack(order + WHOLE[kind], 6).ljust(4, b"\0")
    entries.insert(len(entries) // 2, turn)
    block = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HIH", 42, 8, len(entries)) + b"".join(entries)
    exif = b"Exif\0\0" + block + struct.pack(f"{order}I", following) + tail
    image = read_image(put(tmp_path_factory.getbasetemp() / "odd.jpg", SIDE, quality=100, exif=exif))
    assert image.shape == (32, 16) and image[:16].min() > 240 and image[16:].max() < 10


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("block", [
    b"", b"II", b"II*\0", b"XX*\0\x08\0\0\0", b"MM\0*\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff" + bytes(8),
    b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x63\0\0", b"Exif\0\0", bytes(200), b"\xff" * 200])
def test_exif_that_says_nothing(tmp_path, block):
    "Cut off, of no order, or with an orientation that there is not: the photo is shown as it is stored."
    for path in (put(tmp_path / "a.jpg", SIDE, exif=b"Exif\0\0" + block), put(tmp_path / "a.png", png(SIDE, (b"eXIf", block)))):
        assert read_image(path).shape == (16, 32)


# A folder

BLANK = np.zeros((2, 3), np.uint8)
TWO = {"a/1.png": BLANK, "b/1.png": BLANK}
JUNK = ("a/.hidden", "a/.DS_Store", "a/._1.png", "a/Thumbs.db", "a/thumbs.db", "a/desktop.ini", "a/Desktop.ini", "labels.csv", "loose.png")
JUNK_FOLDERS = (".ipynb_checkpoints", "__MACOSX", "a/.ipynb_checkpoints", "a/__MACOSX")
COMPOSED, SPLIT = "caf\u00e9", "cafe\u0301"  # é as Linux writes it, one code point, and as a Mac does, two


def gray(value): return [[value] * 3] * 2


@pytest.mark.parametrize("files, options, names, labels, images", [
    ({f"{c}/{name}.png": gray(c + len(name)) for c in (2, 10) for name in ("2", "10", "1-2", "10-")}, {"label": int},  # 10 comes before 2, and - before .
     [f"{c}/{name}.png" for c in (10, 2) for name in ("1-2", "10-", "10", "2")], [10] * 4 + [2] * 4, [gray(value) for value in (13, 13, 12, 11, 5, 5, 4, 3)]),
    ({"a/1.PNG": gray(5)} | dict.fromkeys(JUNK, b"no image") | {f"{name}/1.png": BLANK for name in JUNK_FOLDERS}, {}, ["a/1.PNG"], ["a"], [gray(5)]),
    ({"a/1.png": [[255, 0, 255, 255]], "a/2.png": [[155], [255]], "b/1.bmp": [[[250] * 3, [246] * 3], [[255] * 3, [255] * 3]]},
     {"invert": True, "resize": (1, 2)}, ["a/1.png", "a/2.png", "b/1.bmp"], ["a", "a", "b"],
     [[[128, 0]], [[50, 50]], [[3, 5]]]),  # (0+255)/2, (100+0)/2; (5+0)/2 and (9+0)/2, rounded up
    ({"a/1.png": BLANK, "far/x.png": gray(5), "a/2.png": Path("../far/x.png"), "b": Path("far")}, {},  # links are followed, under their names
     ["a/1.png", "a/2.png", "b/x.png", "far/x.png"], ["a", "a", "b", "far"], [gray(0), gray(5), gray(5), gray(5)]),
    # what looks alike is one, from the name and from what `label` makes
    *[({f"{name}/1.png": BLANK}, {"label": label}, [f"{name}/1.png"], [wanted], [gray(0)]) for name in (COMPOSED, SPLIT)
      for label, wanted in ((str, COMPOSED), (lambda _: SPLIT, COMPOSED), ({COMPOSED: 3}.__getitem__, 3))]])
def test_what_a_folder_gives(tmp_path, files, options, names, labels, images):
    made = load_folder(str(put_all(tmp_path, files)), **options)
    assert [unicodedata.normalize("NFC", name) for name in made.names] == [unicodedata.normalize("NFC", name) for name in names]
    assert all((tmp_path / name).is_file() for name in made.names)
    assert made.labels.tolist() == labels and made.images.tolist() == images
    assert made.classes == tuple(dict.fromkeys(labels)) and {type(c) for c in made.classes} == {type(label) for label in labels}


def test_every_suffix_that_pillow_knows_for_these_kinds(tmp_path):
    "A class folder may hold each kind under each of its names, .jfif and .jpe too, in capitals as well; no other file."
    known = {suffix for suffix, kind in Image.registered_extensions().items()
             if kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "MPO") and suffix != ".pfm"}  # which holds floats
    for suffix in known:
        put(tmp_path / "a" / f"1{suffix}", BLANK, **({"format": "JPEG"} if suffix == ".mpo" else {}))
        put(tmp_path / "b" / f"1{suffix.upper()}", BLANK, format="PNG")
    assert {".jfif", ".jpe", ".pnm", ".tif", ".webp"} <= known and len(load_folder(tmp_path)) == 2 * len(known)


@pytest.mark.parametrize("files, label, kind, said", [
    *[(TWO | spoil, str, kind, said) for spoil, kind, said in (
        ({"a/notes.txt": b"x"}, ValueError, ["{}/a/notes.txt is not an image file: a class folder should hold only images"]),
        ({"a/2.png": b"not an image"}, OSError, ["cannot read {}/a/2.png"]), ({"a/2.tif": Image.new("F", (3, 2))}, ValueError, ["{}/a/2.tif has mode F"]),
        ({"b/2.png": BLANK.T}, ValueError, ["one size, but {}/a/1.png has (2, 3)", "{}/b/2.png has (3, 2): pass resize=(2, 3), or another (height, width)"]),
        *[({name: None}, ValueError, ["{}/empty is empty: each class needs at least one image"]) for name in ("empty", "empty/.ipynb_checkpoints")],
        *[({link: Path(to)}, FileNotFoundError, [f"{{}}/{link} is a link to nothing that is there: mend the link, or delete it"])
          for link, to in (("a/2.png", "gone.png"), ("c", "gone"), ("a/2.png", "2.png"))])],  # the last goes round
    *[({f"{name}/1.png": BLANK for name in folders}, label, ValueError, [said]) for folders, label, said in (
        (["03", "3", "7"], int, "{}/03 and {}/3 both get the label 3: each class needs its own"),  # else the images of one would be lost
        (["a", "b"], {"a": COMPOSED, "b": SPLIT}.get, "{}/a and {}/b both get the label 'caf\u00e9'"),
        (["3", "x"], int, "{}/x does not turn into a label"), (["3"], list, "{}/3 does not turn into a label"),
        # NumPy would turn a mixture into something else without a word
        (["3", "x"], lambda name: int(name) if name.isdigit() else name, "the labels for {} should be all integers or all strings, got [3, 'x']"),
        (["3", "x"], lambda name: (name, 1), "the labels for {} should be all integers or all strings"))],
    (dict.fromkeys(["train/3/1.png", "train/7/1.png"], BLANK), str, ValueError,
     ["{}/train has subfolders (3, 7), not images: if they are the classes, load {}/train itself"]),
    *[(files, str, ValueError, ["{} has no subfolders: it needs one for each class, with the images inside"]) for files in ({}, {"1.png": BLANK})]])
def test_what_a_folder_cannot_hold(tmp_path, files, label, kind, said):
    "Each spoilt folder gets its own kind of error, with the name of what is wrong; the way out, if there is one, works."
    put_all(tmp_path, files)
    way_out = refused(lambda: load_folder(tmp_path, label=label), kind, *(part.replace("{}", str(tmp_path)) for part in said))
    assert way_out == ({"resize": (2, 3)} if "resize" in said[-1] else {}) and (not way_out or len(load_folder(tmp_path, **way_out)) == 3)


def test_what_is_no_folder(tmp_path):
    for path in (put(tmp_path / "file", b""), tmp_path / "missing"):
        refused(lambda: load_folder(path), NotADirectoryError, f"{path} is not a folder: pass one that has a subfolder")


# Without a terminal

@pytest.mark.parametrize("stream", [None, "a log", "closed", "a terminal"])
def test_a_bar_only_where_someone_watches(tmp_path, monkeypatch, stream):
    "A long folder is read with a bar in a terminal, and without one in a log, after stderr was closed and in a program without a console."
    put_all(tmp_path / "long", {f"a/{i}.png": BLANK for i in range(3)})
    log, began = io.StringIO(), tqdm.__init__
    if stream == "a terminal": monkeypatch.setattr(log, "isatty", lambda: True)
    if stream == "closed": log.close()
    monkeypatch.setattr(sys, "stderr", stream and log), monkeypatch.setattr(tqdm, "monitor_interval", 0)
    monkeypatch.setattr(tqdm, "__init__", lambda bar, *args, **options: began(bar, *args, **options | {"delay": 0}))
    assert len(load_folder(tmp_path / "long")) == 3
    if not log.closed: assert ("Reading long" in log.getvalue()) == bool(log.getvalue()) == (stream == "a terminal")
