"""The folders of files made of the digits, where fastai finds them.

Every test gets its own FASTAI_HOME, so the folder that fastai uses on this machine is never touched. Most make the
folders of a few digits; locks hold between threads as they do between processes, so only fastai gets a process.
"""
import functools
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

import pixelsim
from pixelsim import fastai_folder
from pixelsim.digits import digits_bundle
from pixelsim.fastai_folder import mnist_folder, mnist_sample_folder

EACH = 10  # of each class and split, where there are few
HANGS = 120  # seconds after which something counts as hung: no speed is measured
SAMPLE, FULL = ({"train": "train", "valid": "valid"}, (3, 7)), ({"train": "training", "valid": "testing"}, range(10))


@functools.cache
def few():
    bundle = digits_bundle()
    return {key: bundle[key][:EACH] for key in bundle}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    "A FASTAI_HOME for this test alone, which does not exist yet, and a few digits of each class instead of all."
    monkeypatch.setenv("FASTAI_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(fastai_folder, "digits_bundle", few)
    return tmp_path / "home"


@pytest.fixture
def writing(monkeypatch):
    "How many images have been written, and what is called after so many."
    written = SimpleNamespace(count=0, then={})
    def saving(image, path, save=Image.Image.save):
        save(image, path)
        written.count += 1
        if written.count in written.then: written.then[written.count]()
    monkeypatch.setattr(Image.Image, "save", saving)
    return written


def images(bundle, splits, digits):
    "The pixels of every image of a layout, by its path."
    return {f"{name}/{d}/{i}.png": pixels for split, name in splits.items() for d in digits
            for i, pixels in zip(bundle[f"{split}_{d}_index"], bundle[f"{split}_{d}"])}


def put(folder, files):
    "Write these files into a folder."
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def some_sample(): return dict.fromkeys([*images(few(), *SAMPLE), "labels.csv", "models/mine.pth"], b"of someone else")


def stamps(folder):
    "When each file and folder below `folder` was last changed, and its size."
    return {f: (f.stat().st_mtime_ns, f.stat().st_size) for f in folder.rglob("*")}


def assert_layout(folder, bundle, layout, step=1):
    "It holds these images and no others, every so many-th with the right pixels, in gray; the sample has labels.csv: 0 for a three, 1 for a seven."
    wanted, files = images(bundle, *layout), {f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file()}
    assert files == {*wanted} | ({"labels.csv"} if layout is SAMPLE else set())
    for name in [*wanted][::step]:
        with Image.open(folder / name) as image:
            assert (image.format, image.mode) == ("PNG", "L") and np.array_equal(image, wanted[name]), name
    rows = ["name,label", *(f"{name},{int('/7/' in name)}" for name in sorted(wanted)), ""]
    assert layout is FULL or (folder / "labels.csv").read_bytes().decode().split("\n") == rows


def assert_whole(folder):
    "It is the sample of few digits, and nothing is left beside it."
    assert_layout(folder, few(), SAMPLE)
    assert os.listdir(folder.parent) == ["mnist_sample"]


# Laid out like fastai's

def test_all_of_the_sample(fastai_home):
    "Folders, file names and pixels are MNIST_SAMPLE's, with the pixels that the book shows."
    sample = fastai_home / "data" / "mnist_sample"
    assert_layout(sample, digits_bundle(), SAMPLE, step=20)
    assert len([*sample.rglob("*.png")]) == 6131 + 6265 + 1010 + 1028
    with Image.open(sample / "train" / "3" / "10000.png") as image: assert np.asarray(image)[5, 4:10].tolist() == [0, 0, 0, 0, 0, 29]


def test_all_ten_digits():
    "They are where fastai's MNIST has them, and there is no labels.csv."
    assert_layout(folder := mnist_folder(), few(), FULL)
    assert folder.name == "mnist_png"


def test_made_once(home, writing, monkeypatch):
    "The second call takes no lock and changes nothing."
    folder = mnist_sample_folder()
    assert folder == home / "data" / "mnist_sample"
    assert_whole(folder)
    before = stamps(home)
    monkeypatch.setattr(fastai_folder, "FileLock", lambda path: pytest.fail("took the lock for a folder that is there"))
    assert mnist_sample_folder() == folder and stamps(home) == before and writing.count == 4 * EACH


def test_config(tmp_path, home):
    """fastai's config.ini says where the folder and the lock go, and is not rewritten; an empty one stands for fastai's defaults:
    whoever calls first writes it, and it is empty for a moment."""
    text = f"[DEFAULT]\ndata = {tmp_path / 'else where'}\narchive = packed\n"
    put(home, {"config.ini": text.encode()})
    assert mnist_sample_folder() == tmp_path / "else where" / "mnist_sample"
    assert_whole(tmp_path / "else where" / "mnist_sample")
    assert (home / "config.ini").read_text(encoding="utf-8") == text and sorted(os.listdir(home)) == ["config.ini", "packed"]
    put(home, {"config.ini": b""})
    assert mnist_sample_folder() == home / "data" / "mnist_sample"


# What can happen to the folder

@pytest.mark.parametrize("gone, count", [("train/7/", EACH), ("/3/", 2 * EACH), ("valid/7/0.png", 1), ("labels.csv", 1)])
@pytest.mark.parametrize("emptied", [False, True])
def test_damaged_folder_is_reported_and_left(home, gone, count, emptied):
    "An incomplete folder gives one OSError with the count, the first file and what to do, and is not changed; that done, it is made anew."
    missing = [name for name in some_sample() if gone in name]  # MNIST's first test image is a seven
    kept = {name: content for name, content in some_sample().items() if name not in missing}
    folder = put(home / "data" / "mnist_sample", kept | dict.fromkeys(missing * emptied, b""))
    before = stamps(folder)
    with pytest.raises(OSError, match="move it away or delete it, and call this again") as caught: mnist_sample_folder()
    assert f"{folder} is incomplete: missing or empty files: {count}, the first is {min(missing)}." in str(caught.value)
    assert stamps(folder) == before and os.listdir(folder.parent) == ["mnist_sample"]
    folder.rename(home / "away")
    assert_whole(mnist_sample_folder())


@pytest.mark.parametrize("killed", [False, True])
def test_stopped_half_way(home, writing, monkeypatch, killed):
    "On a full disk, or killed, there is no folder that looks ready; the next call makes it whole and clears the rest away."
    def stop():
        assert os.listdir(home / "data") == [".mnist_sample.partial"]
        raise KeyboardInterrupt if killed else OSError(28, "No space left on device")
    writing.then[3 * EACH] = stop
    with monkeypatch.context() as patch:
        if killed: patch.setattr(fastai_folder.shutil, "rmtree", lambda *args, **kwargs: None)  # it has no time to clear away
        with pytest.raises(KeyboardInterrupt if killed else OSError) as caught: mnist_sample_folder()
    assert os.listdir(home / "data") == [".mnist_sample.partial"] * killed
    assert killed or f"below {home} ([Errno 28] No space left on device): set FASTAI_HOME" in str(caught.value)
    assert_whole(mnist_sample_folder())


@pytest.mark.skipif(sys.platform == "win32", reason="NOT TESTED: Windows finds a home in other places")
def test_no_home(tmp_path, home, monkeypatch):
    "No HOME and a user without an entry: the words say to set FASTAI_HOME, and that helps."
    import pwd
    def nobody(number): raise KeyError(f"getpwuid(): uid not found: {number}")
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    for name in ("HOME", "FASTAI_HOME"): monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    said = r"^cannot write the digits below ~/.fastai \(Could not determine home.*\): set FASTAI_HOME to a folder .*, or use load_mnist\(\)"
    with pytest.raises(OSError, match=said): mnist_sample_folder()
    assert os.listdir(tmp_path) == []
    monkeypatch.setenv("FASTAI_HOME", str(home))
    assert_whole(mnist_sample_folder())


# Waiting for each other

@pytest.mark.parametrize("unpacking", [False, True])
def test_waits_for_fastai(home, writing, monkeypatch, unpacking):
    """While fastai holds its lock nothing is written, and a folder that it still fills is not reported as incomplete.

    When it lets go, the folder is used untouched, with whatever is in it; without one, it is made."""
    folder, archive, at_the_lock = home / "data" / "mnist_sample", home / "archive", threading.Event()
    def telling(path):
        at_the_lock.set()
        return FileLock(path)
    monkeypatch.setattr(fastai_folder, "FileLock", telling)
    archive.mkdir(parents=True)
    with ThreadPoolExecutor(1) as pool:
        with FileLock(archive / "mnist_sample.tgz.lock"):
            if unpacking: put(folder, {"train/3/10.png": b"of someone else"})
            made = pool.submit(mnist_sample_folder)
            assert at_the_lock.wait(HANGS)
            time.sleep(.5)  # time to do what it must not do
            assert not made.done() and os.listdir(home / "data") == ["mnist_sample"] * unpacking
            if unpacking: put(folder, some_sample())
            before = stamps(folder)
        assert made.result(HANGS) == folder
    assert writing.count == (0 if unpacking else 4 * EACH)
    if unpacking: assert stamps(folder) == before
    else: assert_whole(folder)


UNTAR = """
import socket, sys
from pathlib import Path
try: socket.create_connection(("files.invalid", 80))
except ConnectionRefusedError as e: assert "the network is blocked" in str(e), e
else: sys.exit("the network is not blocked")
from fastai.data.external import URLs, untar_data
Path(sys.argv[1]).touch()
for url in (URLs.MNIST_SAMPLE, URLs.MNIST, URLs.MNIST_SAMPLE): print(untar_data(url))
"""


@pytest.mark.skipif(find_spec("fastai") is None, reason="NOT TESTED: fastai is not installed, so we cannot see if it finds the folder")
def test_fastai_finds_both_folders_and_waits_for_us(home, writing, run_python, tmp_path):
    "With the network blocked, `untar_data` returns pixelsim's folders, unchanged; asked while pixelsim is writing, it waits."
    everything, ready, half, go = mnist_folder(), tmp_path / "ready", threading.Event(), threading.Event()
    before = stamps(everything)
    writing.then[writing.count + EACH] = lambda: (half.set(), go.wait(HANGS))
    offline = os.pathsep.join(map(str, (Path(__file__).parents[2] / "tools" / "offline", Path(pixelsim.__file__).parents[1])))
    with ThreadPoolExecutor(2) as pool:
        ours = pool.submit(mnist_sample_folder)
        assert half.wait(HANGS)
        theirs = pool.submit(run_python, UNTAR, ready, timeout=HANGS, FASTAI_HOME=home, PYTHONPATH=offline)
        while not (ready.exists() or theirs.done()): time.sleep(.05)
        time.sleep(.7)  # time to do what it must not do; on Windows its downloader takes no lock
        waited = not theirs.done()
        go.set()
        assert theirs.result().stdout.splitlines() == [str(ours.result()), str(everything), str(ours.result())]
    assert waited or os.name == "nt"
    assert_layout(ours.result(), few(), SAMPLE)
    assert stamps(everything) == before
