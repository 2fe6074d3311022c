"""The folders of files made of the digits, where fastai finds them.

Every test gets its own FASTAI_HOME, so the folder that fastai uses on this machine is never touched. What needs a
second process gets a real one.
"""
import csv
import os
import shutil
import string
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from importlib.resources import files
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

OFFLINE = Path(__file__).parents[2] / "tools" / "offline"
BUNDLE = files("pixelsim").joinpath("data/mnist.npz")
IN_SAMPLE = 6131 + 6265 + 1010 + 1028
EACH = 120  # in the smaller sample, of each class and split
IN_FEW = 4 * EACH
HANGS = 300  # seconds after which a child process counts as hung: no speed is measured
CHILDREN = []

needs_fastai = pytest.mark.skipif(
    find_spec("fastai") is None, reason="NOT TESTED: fastai is not installed, so we cannot see if it finds the folder")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    "A FASTAI_HOME for this test alone, which does not exist yet; cleared away at once, as it may get many files."
    monkeypatch.setenv("FASTAI_HOME", str(tmp_path / "home"))
    yield tmp_path / "home"
    for process in CHILDREN:
        process.kill()  # a failed test may have left it running
        process.communicate(timeout=HANGS)
    CHILDREN.clear()
    for folder in ("home", "else where"): shutil.rmtree(tmp_path / folder, ignore_errors=True)


@pytest.fixture(scope="session")
def sample(fastai_home):
    "The folder of threes and sevens, made once for all tests; they only read it."
    return fastai_home / "data" / "mnist_sample"


@pytest.fixture(scope="session")
def everything(fastai_home):
    "The folder of all digits, made once (which several processes may ask for); tests only read it."
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FASTAI_HOME", str(fastai_home))
        return mnist_folder()


# Run first where what matters is how a folder is made, and not how many files are in it
FEW = f"""
from pixelsim import fastai_folder
def few(whole=fastai_folder.digits_bundle):
    bundle = whole()
    return {{k: bundle[k][:{EACH}] for s in ("train", "valid") for d in (3, 7) for k in (f"{{s}}_{{d}}", f"{{s}}_{{d}}_index")}}
fastai_folder.digits_bundle = few
"""


@pytest.fixture
def few_digits(monkeypatch):
    "In this process too, a bundle with a few digits of each class."
    monkeypatch.setattr(fastai_folder, "digits_bundle", digits_bundle)  # put back afterwards
    exec(FEW, {})


@pytest.fixture(scope="session")
def few(sample, tmp_path_factory):
    "The folder that is made of the few digits: a part of the sample, each file as there."
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FASTAI_HOME", str(tmp_path_factory.mktemp("few")))
        patch.setattr(fastai_folder, "digits_bundle", digits_bundle)
        exec(FEW, {})
        folder = mnist_sample_folder()
    images = [f.relative_to(folder) for f in folder.rglob("*.png")]
    assert len(images) == IN_FEW and all((folder / f).read_bytes() == (sample / f).read_bytes() for f in images)
    return folder


@pytest.fixture(scope="session")
def wanted(few):
    "The bytes of every file of that folder."
    return contents(few)


def start(code, *args, home, pythonpath=(), cwd=None):
    "A Python process that runs `code` with this very pixelsim and FASTAI_HOME at `home`."
    path = [*map(str, pythonpath), str(Path(pixelsim.__file__).parents[1]), *filter(None, [os.getenv("PYTHONPATH")])]
    env = os.environ | {"FASTAI_HOME": str(home), "PYTHONPATH": os.pathsep.join(path), "PYTHONUTF8": "1",
                        "PYTHONDONTWRITEBYTECODE": "1"}
    CHILDREN.append(subprocess.Popen([sys.executable, "-c", code, *map(str, args)], env=env, cwd=cwd,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"))
    return CHILDREN[-1]


@contextmanager
def unless_it_hangs(process):
    "Ends `process`, and with it what waits for its output, if this block does not end in good time."
    hung = threading.Timer(HANGS, process.kill)
    hung.start()
    try: yield
    finally: hung.cancel()


def expect(process, line):
    "Wait until `process` prints `line`."
    with unless_it_hangs(process): assert process.stdout.readline().strip() == line


def let_go(process):
    "Send the line that `process` waits for."
    process.stdin.write("\n")
    process.stdin.flush()


def finish(process):
    "What `process` printed since, once it has ended well."
    with unless_it_hangs(process):
        said = process.stdout.read().strip()  # not communicate(), which loses what readline() has buffered
        process.wait()
    assert process.returncode == 0, f"the child process ended with {process.returncode}; it printed {said!r}"
    return said


def stamps(folder):
    "When each file and folder below `folder` was last changed, and its size."
    return {f.relative_to(folder).as_posix(): (f.stat().st_mtime_ns, f.stat().st_size) for f in folder.rglob("*")}


def contents(folder):
    "The bytes of each file below `folder`."
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def assert_whole(folder, wanted):
    "`folder` holds the files `wanted` and no others, and nothing is left beside it."
    found = contents(folder)
    assert len(wanted) == IN_FEW + 1
    assert [k for k in found.keys() | wanted.keys() if found.get(k) != wanted.get(k)][:3] == []
    assert os.listdir(folder.parent) == ["mnist_sample"]


# The folder laid out like fastai's

def pixels(path):
    "The pixels of a PNG file that must be 8-bit grayscale."
    with Image.open(path) as image:
        assert (image.format, image.mode) == ("PNG", "L"), path
        return np.array(image)


def test_sample_layout(sample):
    "Folders, file names and pixels are MNIST_SAMPLE's: all of valid, and every tenth file of train."
    bundle = digits_bundle()
    assert sorted(os.listdir(sample)) == ["labels.csv", "train", "valid"]
    for split, step in (("train", 10), ("valid", 1)):
        assert sorted(os.listdir(sample / split)) == ["3", "7"]
        for digit in (3, 7):
            index, images = bundle[f"{split}_{digit}_index"], bundle[f"{split}_{digit}"]
            folder = sample / split / str(digit)
            assert sorted(os.listdir(folder)) == [f"{i}.png" for i in index]
            for i, image in list(zip(index, images))[::step]: assert np.array_equal(pixels(folder / f"{i}.png"), image)
    assert np.array_equal(pixels(sample / "train" / "3" / "10000.png")[5, 4:10], [0, 0, 0, 0, 0, 29])  # the book's


def test_labels_csv(sample):
    "labels.csv has fastai's header and one row for every image: 0 for a three, 1 for a seven."
    with (sample / "labels.csv").open(newline="", encoding="utf-8") as file: header, *rows = csv.reader(file)
    assert header == ["name", "label"] and len(rows) == IN_SAMPLE
    there = {f.relative_to(sample).as_posix() for f in sample.rglob("*.png")}
    assert {name for name, _ in rows} == there and len(there) == IN_SAMPLE
    assert {(name.split("/")[1], label) for name, label in rows} == {("3", "0"), ("7", "1")}
    assert b"\r" not in (sample / "labels.csv").read_bytes()


def test_a_second_call_changes_nothing(sample, fastai_home, monkeypatch):
    "A folder that is there is returned without a lock and without a change."
    monkeypatch.setenv("FASTAI_HOME", str(fastai_home))
    def locked(path): raise AssertionError("took the lock for a folder that is already there")
    monkeypatch.setattr(fastai_folder, "FileLock", locked)
    before = stamps(sample)
    assert mnist_sample_folder() == sample == fastai_home / "data" / "mnist_sample"
    assert stamps(sample) == before


def linked(sample, home):
    "A copy of the folder where fastai looks for it, made of links: unlink a file before you write it."
    return Path(shutil.copytree(sample, home / "data" / "mnist_sample", copy_function=os.link))


def rewrite(path, content):
    "Write `content` to a file that was a link."
    path.unlink()
    path.write_bytes(content)


def test_custom_config(tmp_path, home, few_digits, wanted):
    "fastai's config.ini says where the folder and the lock go, and is not rewritten."
    home.mkdir()
    text = f"[DEFAULT]\ndata = {tmp_path / 'else where'}\narchive = packed\n"
    (home / "config.ini").write_text(text, encoding="utf-8")
    folder = mnist_sample_folder()
    assert folder == tmp_path / "else where" / "mnist_sample"
    assert_whole(folder, wanted)
    assert (home / "config.ini").read_text(encoding="utf-8") == text
    assert not (home / "data").exists() and not (home / "archive").exists()


def test_config_that_is_being_written(home, sample):
    """An empty config.ini stands for fastai's defaults.

    Whoever calls first writes it, so a process that comes at that moment sees it opened but not yet filled."""
    folder = linked(sample, home)
    (home / "config.ini").touch()
    assert mnist_sample_folder() == folder


UNTAR = """
import socket, sys
try: socket.create_connection(("files.invalid", 80))
except ConnectionRefusedError as e: assert "the network is blocked" in str(e), e
else: sys.exit("the network is not blocked")
from fastai.data.external import URLs, untar_data
print("ready", flush=True)
sys.stdin.readline()
for url in sys.argv[1:]: print(untar_data(getattr(URLs, url)))
"""


def untar(*urls, home):
    "fastai's own `untar_data` in a process without network; it is called once the process is let go."
    return start(UNTAR, *urls, home=home, pythonpath=[OFFLINE])


def test_full_layout(everything):
    "All 70,000 files are where fastai's MNIST has them, with the published counts and (every 200th) the right pixels."
    bundle = digits_bundle()
    assert sorted(os.listdir(everything)) == ["testing", "training"]
    for split, name in (("train", "training"), ("valid", "testing")):
        assert sorted(os.listdir(everything / name)) == list(string.digits)
        for digit in range(10):
            folder, index = everything / name / str(digit), bundle[f"{split}_{digit}_index"]
            there = sorted(f.name for f in os.scandir(folder) if f.stat().st_size)
            assert there == [f"{i}.png" for i in index]
            images = bundle[f"{split}_{digit}"]
            for i in range(0, len(there), 200): assert np.array_equal(pixels(folder / there[i]), images[i])


@needs_fastai
def test_fastai_finds_both_folders(sample, everything, fastai_home):
    "With the network blocked, `untar_data` returns pixelsim's folders for MNIST_SAMPLE and for MNIST, unchanged."
    before = stamps(sample), stamps(everything)
    process = untar("MNIST_SAMPLE", "MNIST", home=fastai_home)
    expect(process, "ready")
    let_go(process)
    assert finish(process).splitlines() == [str(sample), str(everything)]
    assert (stamps(sample), stamps(everything)) == before


# What can happen to the folder

PAUSED = """
import sys, time
from pathlib import Path
from PIL import Image
from pixelsim.fastai_folder import mnist_sample_folder
go, save, written = Path(sys.argv[1]), Image.Image.save, []
def pausing(image, path, *args, **kwargs):
    save(image, path, *args, **kwargs)
    written.append(path)
    if len(written) == 300: print("300 written", flush=True)
    while len(written) == 300 and not go.exists(): time.sleep(.01)
Image.Image.save = pausing
print(mnist_sample_folder())
"""


def half_written(home):
    "What lies in the hidden folder while a process writes."
    return list((home / "data").glob(".mnist_sample*/*/*/*.png"))


def test_killed_half_way(home, tmp_path, few_digits, wanted):
    "A killed process leaves no folder that looks ready; the next call makes it whole and clears the rest away."
    process = start(FEW + PAUSED, tmp_path / "never", home=home)
    expect(process, "300 written")
    process.kill()
    process.wait(HANGS)
    assert len(half_written(home)) == 300
    (half_written(home)[0].parents[2] / "left over").touch()
    assert not (home / "data" / "mnist_sample").exists()
    assert_whole(mnist_sample_folder(), wanted)


def test_someone_elses_folder_is_used_untouched(home, sample):
    "A complete folder with other bytes and more files in it is used as it is."
    folder = linked(sample, home)
    for f in list((folder / "valid" / "3").iterdir()): rewrite(f, f.read_bytes() + b"packed by someone else")
    (folder / "models").mkdir()
    (folder / "models" / "mine.pth").write_bytes(b"weights")
    (folder / "train" / "3" / ".DS_Store").write_bytes(b"")
    before, bytes_before = stamps(folder), contents(folder)
    assert mnist_sample_folder() == folder
    assert stamps(folder) == before and contents(folder) == bytes_before


@pytest.mark.parametrize("case", ["a hundred deleted", "one emptied", "no labels.csv", "a class gone"])
def test_damaged_folder_is_reported_and_left(home, sample, case):
    "An incomplete folder gives one OSError with the count, the first file and what to do, and is not changed."
    folder = linked(sample, home)
    if case == "a hundred deleted":
        gone = sorted((folder / "train" / "7").iterdir())[100:160] + sorted((folder / "valid" / "3").iterdir())[:40]
        first = f"train/7/{min(f.name for f in gone if f.parent.name == '7')}"
        for f in gone: f.unlink()
        count = 100
    elif case == "one emptied":
        count, first = 1, "valid/7/0.png"  # MNIST's first test image is a seven
        rewrite(folder / first, b"")
    elif case == "no labels.csv":
        count, first = 1, "labels.csv"
        (folder / first).unlink()
    else:
        count, first = 6265, f"train/7/{min(os.listdir(folder / 'train' / '7'))}"
        shutil.rmtree(folder / "train" / "7")
    before = stamps(folder)
    with pytest.raises(OSError) as caught: mnist_sample_folder()
    said = str(caught.value)
    for part in (str(folder), f"missing or empty files: {count},", f"first is {first}.", "move it away or delete it"):
        assert part in said
    assert stamps(folder) == before and os.listdir(folder.parent) == ["mnist_sample"]


AT_ONCE = """
import sys
from pixelsim.fastai_folder import mnist_sample_folder
print("ready", flush=True)
sys.stdin.readline()
print(mnist_sample_folder())
"""


def test_four_processes_at_once(home, wanted):
    "Four processes that start at the same moment all return the same complete folder, and nothing else is left."
    processes = [start(FEW + AT_ONCE, home=home) for _ in range(4)]
    for p in processes: expect(p, "ready")
    for p in processes: let_go(p)
    assert [finish(p) for p in processes] == [str(home / "data" / "mnist_sample")] * 4
    assert_whole(home / "data" / "mnist_sample", wanted)


READ_ONLY = """
import os, sys
from pathlib import Path
from pixelsim import digits, fastai_folder
outside, home = Path(sys.argv[1]), os.environ["FASTAI_HOME"]
digits.load_mnist(3)  # imports what Python imports late, while every file can still be read
if os.geteuid() == 0:  # permissions do not bind root: go on as nobody
    digits.files = lambda package: outside
    try:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    except OSError as e: sys.exit(print(f"NOT TESTED: this process cannot give up root: {e}"))
if os.access(home, os.W_OK): sys.exit(print("NOT TESTED: on this machine the read-only folder can be written"))
if not os.access(home, os.R_OK | os.X_OK): sys.exit(print("NOT TESTED: nobody cannot even enter the temporary folder"))
try: fastai_folder.mnist_sample_folder()
except Exception as e: print(f"{type(e).__name__}: {e}")
"""


@pytest.fixture
def open_tmp():
    "A temporary folder that other users may enter, unlike pytest's."
    folder = Path(tempfile.mkdtemp(prefix="pixelsim-"))
    folder.chmod(0o755)
    yield folder
    for f in [folder, *folder.iterdir()]: f.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="NOT TESTED: Windows does not keep a process from writing into a "
                    "folder marked read-only; test_home_that_is_no_folder tests the same error there")
def test_read_only_home(open_tmp):
    "Where nothing can be written there is one OSError that names the place, FASTAI_HOME and load_mnist()."
    (open_tmp / "data").mkdir()
    (open_tmp / "data" / "mnist.npz").write_bytes(BUNDLE.read_bytes())
    (open_tmp / "data" / "mnist.npz").chmod(0o644)
    home = open_tmp / "home"
    home.mkdir()
    home.chmod(0o555)
    said = finish(start(READ_ONLY, open_tmp, home=home))
    if said.startswith("NOT TESTED"): pytest.skip(said)
    assert said.startswith(f"OSError: cannot write the digits below {home} (")
    assert "ermission denied" in said and "set FASTAI_HOME" in said and "load_mnist()" in said
    assert os.listdir(home) == []


def test_home_that_is_no_folder(home):
    "A file where FASTAI_HOME should be a folder: the same OSError, on every system."
    home.write_bytes(b"in the way")
    with pytest.raises(OSError, match=r"cannot write the digits below .*set FASTAI_HOME.*load_mnist\(\)") as caught:
        mnist_sample_folder()
    assert str(home) in str(caught.value) and type(caught.value) is OSError
    assert home.read_bytes() == b"in the way"


def test_disk_full(home, few_digits, wanted, monkeypatch):
    "A full disk gives one OSError and no folder that looks ready; with room again the next call makes it."
    save, written = Image.Image.save, []
    def fills_up(image, path, *args, **kwargs):
        if len(written) == 200: raise OSError(28, "No space left on device")
        save(image, path, *args, **kwargs)
        written.append(path)
    with monkeypatch.context() as patch:
        patch.setattr(Image.Image, "save", fills_up)
        with pytest.raises(OSError, match="No space left on device.*set FASTAI_HOME") as caught: mnist_sample_folder()
    assert type(caught.value) is OSError and str(home) in str(caught.value)
    assert len(written) == 200 and not (home / "data" / "mnist_sample").exists()
    assert_whole(mnist_sample_folder(), wanted)


# Waiting for each other

@contextmanager
def downloading(home):
    "Hold the lock as fastai's downloader holds it: flock where there is one, else the lock that pixelsim takes."
    lock = home / "archive" / "mnist_sample.tgz.lock"
    lock.parent.mkdir(parents=True)
    if fcntl is None:
        with FileLock(lock): yield
    else:
        with open(lock, "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


AT_THE_LOCK = """
from pixelsim import fastai_folder
lock = fastai_folder.FileLock
def telling(path):
    print("at the lock", flush=True)
    return lock(path)
fastai_folder.FileLock = telling
print(fastai_folder.mnist_sample_folder())
"""


def still_waits(process):
    "Give `process` time to do what it must not do; has it gone on?"
    time.sleep(.7)
    return process.poll() is None


def test_waits_for_the_lock(home, wanted):
    "While another process holds fastai's lock nothing is written; when it lets go without a folder, one is made."
    with downloading(home):
        process = start(FEW + AT_THE_LOCK, home=home)
        expect(process, "at the lock")
        assert still_waits(process)
        assert os.listdir(home / "data") == []
    assert finish(process) == str(home / "data" / "mnist_sample")
    assert_whole(home / "data" / "mnist_sample", wanted)


def test_waits_while_fastai_unpacks(home, few, wanted):
    "A folder that fastai is still filling is waited for, not reported as incomplete; then it is used untouched."
    folder = home / "data" / "mnist_sample"
    with downloading(home):
        shutil.copytree(few / "valid", folder / "valid")
        process = start(FEW + AT_THE_LOCK, home=home)
        expect(process, "at the lock")
        assert still_waits(process)
        shutil.copytree(few / "train", folder / "train")
        shutil.copy(few / "labels.csv", folder)
        before = stamps(folder)
    assert finish(process) == str(folder)
    assert stamps(folder) == before
    assert_whole(folder, wanted)


@needs_fastai
@pytest.mark.skipif(fcntl is None, reason="NOT TESTED: without fcntl (Windows) fastai's downloader takes no lock")
def test_fastai_waits_for_us(home, tmp_path, wanted):
    "fastai, asked while pixelsim is writing, waits and returns the complete folder, with the network blocked."
    ours = start(FEW + PAUSED, tmp_path / "go", home=home)
    theirs = untar("MNIST_SAMPLE", home=home)
    expect(ours, "300 written")
    expect(theirs, "ready")
    let_go(theirs)
    assert still_waits(theirs)
    (tmp_path / "go").touch()
    assert finish(ours) == finish(theirs) == str(home / "data" / "mnist_sample")
    assert_whole(home / "data" / "mnist_sample", wanted)


# Where nobody watches, and where nobody lives

NO_TERMINAL = """
import sys
from pixelsim.fastai_folder import mnist_sample_folder
if "none" in sys.argv: sys.stderr = None
print(mnist_sample_folder())
"""


@pytest.mark.parametrize("stream", ["a log", "none"])
def test_no_bar_without_a_terminal(home, run_python, wanted, stream):
    "In a program without a console the folder is made all the same, and a log has no bar in it."
    done = run_python(FEW + NO_TERMINAL, stream, FASTAI_HOME=home)
    assert done.stderr == "" and done.stdout.strip() == str(home / "data" / "mnist_sample")
    assert_whole(home / "data" / "mnist_sample", wanted)


@pytest.mark.skipif(sys.platform == "win32", reason="NOT TESTED: Windows finds a home in other places")
def test_no_home(tmp_path, home, monkeypatch, few_digits, wanted):
    "No HOME and a user without an entry: the words say to set FASTAI_HOME, and that helps."
    import pwd
    def nobody(number): raise KeyError(f"getpwuid(): uid not found: {number}")
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    for name in ("HOME", "FASTAI_HOME"): monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OSError, match=r"cannot write the digits below ~/\.fastai \(Could not determine home.*: set FASTAI_HOME to a folder that"):
        mnist_sample_folder()
    assert os.listdir(tmp_path) == []
    monkeypatch.setenv("FASTAI_HOME", str(home))
    assert_whole(mnist_sample_folder(), wanted)
