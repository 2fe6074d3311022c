"""The folders of files made of the digits, where fastai finds them.

Every test gets its own FASTAI_HOME, so the folder that fastai uses on this machine is never touched. Most make the
folders of a few digits; locks hold between threads as they do between processes, so only fastai gets a process.
"""
import io
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

import pixelsim
from pixelsim import fastai_folder
from pixelsim.digits import digits_bundle
from pixelsim.fastai_folder import mnist_folder, mnist_sample_folder

try: import fcntl
except ImportError: fcntl = None  # Windows

ROOT = Path(pixelsim.__file__).parents[1]
OFFLINE = Path(__file__).parents[2] / "tools" / "offline"
EACH = 10  # of each class and split, where there are few
HANGS = 120  # seconds after which something counts as hung: no speed is measured
SAMPLE, FULL = ({"train": "train", "valid": "valid"}, (3, 7)), ({"train": "training", "valid": "testing"}, range(10))


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    "A FASTAI_HOME for this test alone, which does not exist yet."
    monkeypatch.setenv("FASTAI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="session")
def sample(fastai_home):
    "The folder of all threes and sevens, made once for all tests; they only read it."
    return fastai_home / "data" / "mnist_sample"


@pytest.fixture(scope="session")
def few_digits():
    bundle = digits_bundle()
    return {key: bundle[key][:EACH] for key in bundle}


@pytest.fixture
def few(monkeypatch, few_digits):
    "A bundle with a few digits of each class takes the place of the whole one."
    monkeypatch.setattr(fastai_folder, "digits_bundle", lambda: few_digits)
    return few_digits


@pytest.fixture(scope="session")
def few_files(sample, few_digits):
    "The bytes of every file in the sample of the few digits: each is as in the whole sample."
    names = [f"{split}/{d}/{i}.png" for split in ("train", "valid") for d in (3, 7) for i in few_digits[f"{split}_{d}_index"]]
    header, *rows = (sample / "labels.csv").read_text(encoding="utf-8").splitlines()
    labels = "\n".join([header, *(row for row in rows if row.split(",")[0] in names), ""])
    return {name: (sample / name).read_bytes() for name in names} | {"labels.csv": labels.encode()}


@pytest.fixture
def wanted(few, few_files): return few_files


def put(folder, wanted):
    "Write these files into a folder."
    for name, content in wanted.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def contents(folder):
    "The bytes of each file below `folder`."
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def stamps(folder):
    "When each file and folder below `folder` was last changed, and its size."
    return {f: (f.stat().st_mtime_ns, f.stat().st_size) for f in folder.rglob("*")}


def assert_whole(folder, wanted):
    "`folder` holds the files `wanted` and no others, and nothing is left beside it."
    assert contents(folder) == wanted and os.listdir(folder.parent) == ["mnist_sample"]


@pytest.fixture
def writing(monkeypatch):
    "A list of the images written so far; `writing.at(n, call)` calls something after the n-th."
    class Written(list):
        calls = {}
        def at(self, n, call): self.calls[n] = call
    written, save = Written(), Image.Image.save
    def saving(image, path, *args, **kwargs):
        save(image, path, *args, **kwargs)
        written.append(path)
        if len(written) in written.calls: written.calls.pop(len(written))()
    monkeypatch.setattr(Image.Image, "save", saving)
    return written


# Laid out like fastai's

def assert_layout(folder, bundle, splits, digits, step=1):
    "These subfolders with these files and no others, and in every so many-th the right pixels, in gray."
    assert {f.relative_to(folder).as_posix() for f in folder.rglob("*.png") if f.stat().st_size} == {
        f"{name}/{d}/{i}.png" for split, name in splits.items() for d in digits for i in bundle[f"{split}_{d}_index"]}
    assert sorted({*os.listdir(folder)} - {"labels.csv"}) == sorted(splits.values())
    for split, name in splits.items():
        for d in digits:
            for i, wanted in list(zip(bundle[f"{split}_{d}_index"], bundle[f"{split}_{d}"]))[::step]:
                with Image.open(folder / name / str(d) / f"{i}.png") as image:
                    assert (image.format, image.mode) == ("PNG", "L") and np.array_equal(image, wanted), (split, d, i)


def test_sample_layout(sample):
    "Folders, file names and pixels are MNIST_SAMPLE's; labels.csv has its header and a row for every image: 0 for a three, 1 for a seven."
    assert_layout(sample, digits_bundle(), *SAMPLE, step=20)
    with Image.open(sample / "train" / "3" / "10000.png") as image:
        assert np.asarray(image)[5, 4:10].tolist() == [0, 0, 0, 0, 0, 29]  # the book's
    names = sorted(f.relative_to(sample).as_posix() for f in sample.rglob("*.png"))
    rows = [f"{name},{int('/7/' in name)}" for name in names]
    assert len(rows) == 6131 + 6265 + 1010 + 1028 and (sample / "labels.csv").read_bytes().decode().split("\n") == ["name,label", *rows, ""]


def test_full_layout(few):
    "All ten digits are where fastai's MNIST has them, and there is no labels.csv."
    assert_layout(folder := mnist_folder(), few, *FULL)
    assert folder.name == "mnist_png" and sorted(os.listdir(folder)) == ["testing", "training"]


@pytest.mark.parametrize("stream", [None, io.StringIO()], ids=["none", "a log"])
def test_made_once_and_in_silence(home, wanted, writing, monkeypatch, stream):
    "The second call takes no lock and changes nothing; nothing is said in a log, and nothing is needed to say it to."
    monkeypatch.setattr(sys, "stderr", stream)
    folder = mnist_sample_folder()
    assert folder == home / "data" / "mnist_sample" and (stream is None or stream.getvalue() == "")
    assert_whole(folder, wanted)
    before = stamps(home)
    monkeypatch.setattr(fastai_folder, "FileLock", lambda path: pytest.fail("took the lock for a folder that is there"))
    assert mnist_sample_folder() == folder and stamps(home) == before and len(writing) == 4 * EACH


def test_config(tmp_path, home, wanted):
    """fastai's config.ini says where the folder and the lock go, and is not rewritten; an empty one stands for fastai's defaults:
    whoever calls first writes it, and it is empty for a moment."""
    text = f"[DEFAULT]\ndata = {tmp_path / 'else where'}\narchive = packed\n"
    put(home, {"config.ini": text.encode()})
    assert mnist_sample_folder() == tmp_path / "else where" / "mnist_sample"
    assert_whole(tmp_path / "else where" / "mnist_sample", wanted)
    assert (home / "config.ini").read_text(encoding="utf-8") == text and not {"data", "archive"} & {*os.listdir(home)}
    put(home, {"config.ini": b""})
    folder = put(home / "data" / "mnist_sample", wanted)
    assert mnist_sample_folder() == folder


# What can happen to the folder

def test_someone_elses_folder_is_used_untouched(home, wanted):
    "A complete folder with other bytes and more files in it is used as it is."
    theirs = {name: content + b"packed by someone else" for name, content in wanted.items()}
    folder = put(home / "data" / "mnist_sample", theirs | {"models/mine.pth": b"weights", "train/3/.DS_Store": b""})
    before = stamps(folder)
    assert mnist_sample_folder() == folder and stamps(folder) == before


@pytest.mark.parametrize("gone, count", [("train/7/", EACH), ("/3/", 2 * EACH), ("valid/7/0.png", 1), ("labels.csv", 1)])
@pytest.mark.parametrize("emptied", [False, True])
def test_damaged_folder_is_reported_and_left(home, wanted, gone, count, emptied):
    "An incomplete folder gives one OSError with the count, the first file and what to do, and is not changed."
    missing = [name for name in wanted if gone in name]  # MNIST's first test image is a seven
    kept = {name: content for name, content in wanted.items() if name not in missing}
    folder = put(home / "data" / "mnist_sample", kept | dict.fromkeys(missing * emptied, b""))
    before = stamps(folder)
    with pytest.raises(OSError, match="move it away or delete it") as caught: mnist_sample_folder()
    assert f"{folder} is incomplete: missing or empty files: {count}, the first is {min(missing)}." in str(caught.value)
    assert stamps(folder) == before and os.listdir(folder.parent) == ["mnist_sample"]


@pytest.mark.parametrize("killed", [False, True])
def test_stopped_half_way(home, wanted, writing, monkeypatch, killed):
    "On a full disk, or killed, there is no folder that looks ready; the next call makes it whole and clears the rest away."
    class Killed(BaseException): "What nobody catches."
    def stop():
        assert os.listdir(home / "data") == [".mnist_sample.partial"]
        raise Killed if killed else OSError(28, "No space left on device")
    writing.at(3 * EACH, stop)
    with monkeypatch.context() as patch:
        if killed: patch.setattr(shutil, "rmtree", lambda *args, **kwargs: None)  # it has no time to clear away
        with pytest.raises(Killed if killed else OSError) as caught: mnist_sample_folder()
    if killed: assert len([*(home / "data" / ".mnist_sample.partial").rglob("*.png")]) == 3 * EACH
    else:
        assert type(caught.value) is OSError
        assert f"below {home} ([Errno 28] No space left on device): set FASTAI_HOME" in str(caught.value)
        assert os.listdir(home / "data") == []
    assert_whole(mnist_sample_folder(), wanted)


def cannot_write(home):
    "The words for a place that cannot be written."
    words = r"cannot write the digits below .*: set FASTAI_HOME to a folder .*load_mnist\(\)"
    with pytest.raises(OSError, match=words) as caught: mnist_sample_folder()
    assert type(caught.value) is OSError and f"below {home} (" in str(caught.value)
    return str(caught.value)


def test_home_that_is_no_folder(home):
    home.write_bytes(b"in the way")
    cannot_write(home)
    assert home.read_bytes() == b"in the way"


@contextmanager
def as_nobody():
    "Permissions do not bind root, so for a while this process acts as someone else."
    if os.geteuid(): yield
    else:
        try: os.seteuid(65534)
        except OSError as e: pytest.skip(f"NOT TESTED: this process cannot give up root: {e}")
        try: yield
        finally: os.seteuid(0)


@pytest.mark.skipif(sys.platform == "win32", reason="NOT TESTED: Windows does not keep a process from writing into a "
                    "folder marked read-only; test_home_that_is_no_folder tests the same error there")
def test_read_only_home(few, monkeypatch):
    with tempfile.TemporaryDirectory(prefix="pixelsim-") as folder:  # pytest's own may not be entered by others
        os.chmod(folder, 0o555)
        monkeypatch.setenv("FASTAI_HOME", folder)
        with as_nobody():
            if os.access(folder, os.W_OK, effective_ids=True):
                pytest.skip("NOT TESTED: here the read-only folder can be written")
            assert "ermission denied" in cannot_write(folder)
        assert os.listdir(folder) == []
        os.chmod(folder, 0o755)


@pytest.mark.skipif(sys.platform == "win32", reason="NOT TESTED: Windows finds a home in other places")
def test_no_home(tmp_path, home, monkeypatch, wanted):
    "No HOME and a user without an entry: the words say to set FASTAI_HOME, and that helps."
    import pwd
    def nobody(number): raise KeyError(f"getpwuid(): uid not found: {number}")
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    for name in ("HOME", "FASTAI_HOME"): monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    assert "(Could not determine home" in cannot_write("~/.fastai") and os.listdir(tmp_path) == []
    monkeypatch.setenv("FASTAI_HOME", str(home))
    assert_whole(mnist_sample_folder(), wanted)


# Waiting for each other

def test_four_at_once(home, wanted, writing):
    "Four that start at the same moment all return the same complete folder, which is written once."
    together = threading.Barrier(4, timeout=HANGS)
    def make(_):
        together.wait()
        return mnist_sample_folder()
    with ThreadPoolExecutor(4) as pool: assert [*pool.map(make, range(4))] == [home / "data" / "mnist_sample"] * 4
    assert_whole(home / "data" / "mnist_sample", wanted)
    assert len(writing) == 4 * EACH


@contextmanager
def downloading(home):
    "Hold the lock as fastai's downloader holds it: flock where there is one, else the lock that pixelsim takes."
    lock = home / "archive" / "mnist_sample.tgz.lock"
    lock.parent.mkdir(parents=True)
    if fcntl is None:
        with FileLock(lock): yield
    else:
        with lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


@pytest.mark.parametrize("unpacking", [False, True])
def test_waits_for_fastai(home, wanted, writing, monkeypatch, unpacking):
    """While fastai holds its lock nothing is written, and a folder that it still fills is not reported as incomplete.

    When it lets go, the folder is used untouched; without one, it is made."""
    folder, at_the_lock = home / "data" / "mnist_sample", threading.Event()
    def telling(path, lock=fastai_folder.FileLock):
        at_the_lock.set()
        return lock(path)
    monkeypatch.setattr(fastai_folder, "FileLock", telling)
    with ThreadPoolExecutor(1) as pool:
        with downloading(home):
            if unpacking: put(folder, {name: wanted[name] for name in wanted if "valid" in name})
            made = pool.submit(mnist_sample_folder)
            assert at_the_lock.wait(HANGS)
            time.sleep(.5)  # time to do what it must not do
            assert not made.done() and os.listdir(home / "data") == ["mnist_sample"] * unpacking
            if unpacking: put(folder, wanted)
            before = stamps(folder)
        assert made.result(HANGS) == folder
    assert_whole(folder, wanted)
    assert len(writing) == (0 if unpacking else 4 * EACH) and (not unpacking or stamps(folder) == before)


UNTAR = """
import socket, sys
try: socket.create_connection(("files.invalid", 80))
except ConnectionRefusedError as e: assert "the network is blocked" in str(e), e
else: sys.exit("the network is not blocked")
from fastai.data.external import URLs, untar_data
print("ready", flush=True)
for line in sys.stdin: print(untar_data(getattr(URLs, line.strip())), flush=True)
"""


@contextmanager
def fastai():
    "fastai's own `untar_data` in a process without network: a function that asks it for a data set."
    path = os.pathsep.join(map(str, (OFFLINE, ROOT)))
    env = os.environ | {"PYTHONPATH": path, "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")
    with subprocess.Popen([sys.executable, "-c", UNTAR], env=env, **pipes) as process:
        def answer(): return process.stdout.readline().strip()
        def ask(name):
            process.stdin.write(f"{name}\n")
            process.stdin.flush()
            return answer()
        hung = threading.Timer(HANGS, process.kill)
        hung.start()
        try:
            assert answer() == "ready"
            yield ask
            process.stdin.close()
            assert process.wait() == 0
        finally:
            process.kill()
            hung.cancel()


@pytest.mark.skipif(find_spec("fastai") is None, reason="NOT TESTED: fastai is not installed, so we cannot see if it finds the folder")
def test_fastai_finds_both_folders_and_waits_for_us(home, wanted, writing):
    "With the network blocked, `untar_data` returns pixelsim's folders, unchanged; asked while pixelsim is writing, it waits."
    half, go = threading.Event(), threading.Event()
    writing.at(EACH, lambda: (half.set(), go.wait(HANGS)))
    with fastai() as ask, ThreadPoolExecutor(2) as pool:
        ours = pool.submit(mnist_sample_folder)
        assert half.wait(HANGS)
        theirs = pool.submit(ask, "MNIST_SAMPLE")
        time.sleep(.7)  # time to do what it must not do; on Windows its downloader takes no lock
        waited = not theirs.done()
        go.set()
        assert ours.result(HANGS) == home / "data" / "mnist_sample" == Path(theirs.result(HANGS))
        assert waited or fcntl is None
        everything = mnist_folder()
        before = stamps(home / "data")
        assert ask("MNIST_SAMPLE") == str(home / "data" / "mnist_sample") and ask("MNIST") == str(everything)
        assert stamps(home / "data") == before
    assert contents(home / "data" / "mnist_sample") == wanted
