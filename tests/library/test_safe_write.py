"Files that are whole or not there: written by many at once, under any legal name, through links, with the rights that they had."
import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from pixelsim.classifier import PixelSimilarity
from pixelsim.safe_write import write_whole

posix = pytest.mark.skipif(os.name == "nt", reason="NOT TESTED: modes and links as POSIX has them")
SIZE = 300_000


def mode(path): return stat.S_IMODE(path.stat().st_mode)


def test_many_write_and_nobody_reads_a_part(tmp_path):
    "Eight threads write one path sixty times each while two read: no error, each content in one piece, and nothing is left."
    path, seen, done = write_whole(tmp_path / "m.npz", b"0" * SIZE), [], threading.Event()
    def write(number):
        for _ in range(60): write_whole(path, str(number).encode() * SIZE)
    def look():
        while not done.is_set():
            content = path.read_bytes()
            seen.append((len(content), len({*content})))
    with ThreadPoolExecutor(10) as pool:
        readers = [pool.submit(look) for _ in range(2)]
        try: list(pool.map(write, range(1, 9)))
        finally: done.set()
        for reader in readers: reader.result()
    assert {*seen} == {(SIZE, 1)} and os.listdir(tmp_path) == ["m.npz"]


def test_threads_that_save_models(tmp_path):
    "Two models saved to one path by two threads: whoever loads it meanwhile gets one of them."
    images = np.zeros((2, 40, 40), np.uint8)
    images[1] = 255
    models = [PixelSimilarity().fit(images, labels) for labels in (["a", "b"], ["c", "d"])]
    path = models[0].save(tmp_path / "m.npz")
    found = set()
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(lambda m=m: [m.save(path) for _ in range(30)]) for m in models]
        while not all(job.done() for job in jobs): found.add(tuple(PixelSimilarity.load(path).classes_.tolist()))
        for job in jobs: job.result()
    assert found <= {("a", "b"), ("c", "d")} and os.listdir(tmp_path) == ["m.npz"]


@pytest.mark.parametrize("name", ["a" * 250, "ü" * 125, "." * 3, ".hidden", "with space\n.npz"], ids=["250", "250 bytes", "dots", "hidden", "strange"])
def test_every_legal_name(tmp_path, name):
    try: (tmp_path / name).touch()
    except OSError: pytest.skip("NOT TESTED: this file system does not take the name")
    (tmp_path / name).unlink()
    assert write_whole(tmp_path / name, b"x") == tmp_path / name and write_whole(str(tmp_path / name), b"yy").read_bytes() == b"yy"
    assert os.listdir(tmp_path) == [name]


@posix
def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path):
    "current → v1 in another folder, over a second link; a link to nothing makes what it leads to; a link to itself is an error."
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "v1").write_bytes(b"old")
    for link, to in {"middle": "far/v1", "current": "middle", "next": "far/v2", "round": "round"}.items(): (tmp_path / link).symlink_to(to)
    assert write_whole(tmp_path / "current", b"new") == tmp_path / "current"
    write_whole(tmp_path / "next", b"second")
    with pytest.raises(OSError, match="round"): write_whole(tmp_path / "round", b"x")
    assert [os.readlink(tmp_path / link) for link in ("current", "middle", "next", "round")] == ["middle", "far/v1", "far/v2", "round"]
    assert {p.name: p.read_bytes() for p in (tmp_path / "far").iterdir()} == {"v1": b"new", "v2": b"second"}


@posix
@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_modes(tmp_path, umask):
    "A new file gets what the user's umask leaves; one that was there keeps its mode."
    before = os.umask(umask)
    try:
        assert mode(write_whole(tmp_path / "new", b"x")) == 0o666 & ~umask
        for kept in (0o600, 0o640, 0o444, 0o666):
            (tmp_path / "old").touch()
            (tmp_path / "old").chmod(kept)
            assert mode(write_whole(tmp_path / "old", b"x")) == kept
    finally: os.umask(before)


@posix
def test_a_private_file_is_private_all_the_time(tmp_path, monkeypatch):
    "What takes the place of a file of mode 600 is not readable for others for a moment either."
    (tmp_path / "old").touch()
    (tmp_path / "old").chmod(0o600)
    sync, seen = os.fsync, []
    monkeypatch.setattr(os, "fsync", lambda number: (seen.append(stat.S_IMODE(os.fstat(number).st_mode)), sync(number)))
    write_whole(tmp_path / "old", b"secret")
    assert seen == [0o600]


@posix
def test_the_owner_stays(tmp_path):
    "Root that saves over somebody's file leaves it theirs; where attributes can be set, they stay too."
    path = tmp_path / "theirs"
    path.touch()
    if os.geteuid() == 0: os.chown(path, 1234, 4321)
    before = path.stat()
    noted = False
    if hasattr(os, "setxattr"):
        try: os.setxattr(path, "user.note", b"mine")
        except OSError: pass
        else: noted = True
    after = write_whole(path, b"x").stat()
    assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)
    if noted: assert os.getxattr(path, "user.note") == b"mine"


@posix
def test_devices_and_pipes_are_written_to(tmp_path):
    "/dev/null stays a device, and what waits at the end of a pipe gets the content."
    write_whole("/dev/null", b"x")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    os.mkfifo(tmp_path / "pipe")
    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit((tmp_path / "pipe").read_bytes)
        write_whole(tmp_path / "pipe", b"through")
        assert reader.result(60) == b"through" and os.listdir(tmp_path) == ["pipe"]


def test_what_cannot_be_written_changes_nothing(tmp_path):
    "A folder in the way, no folder, a name that is too long, no bytes: an error with the name that was given, and nothing is left."
    (tmp_path / "folder").mkdir()
    (tmp_path / "kept").write_bytes(b"kept")
    cases = {tmp_path / "folder": IsADirectoryError, tmp_path / "none" / "x": FileNotFoundError, tmp_path / ("a" * 300): OSError,
             tmp_path / "kept" / "x": NotADirectoryError}
    for path, kind in cases.items():
        with pytest.raises(kind) as caught: write_whole(path, b"x")
        assert caught.value.filename == str(path) and caught.value.strerror
    with pytest.raises(TypeError): write_whole(tmp_path / "kept", "text")
    assert sorted(os.listdir(tmp_path)) == ["folder", "kept"] and (tmp_path / "kept").read_bytes() == b"kept"


@pytest.mark.parametrize("at", ["fsync", "replace"])
def test_an_interrupted_write_changes_nothing(tmp_path, monkeypatch, at):
    "Ctrl-C and a full disk on the way: the old content, and nothing beside it."
    path = write_whole(tmp_path / "m", b"old")
    for error in (KeyboardInterrupt(), OSError(28, "No space left on device")):
        def stop(*args): raise error
        with monkeypatch.context() as patch:
            patch.setattr(os, at, stop)
            with pytest.raises(type(error)): write_whole(path, b"new")
        assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["m"]


KILLED = """
import os, sys
from pixelsim.safe_write import write_whole
sync = os.fsync
def stop(number):
    sync(number)
    os.kill(os.getpid(), 9)
os.fsync = stop
write_whole(sys.argv[1], b"new" * 1000)
"""


@posix
def test_a_killed_process_leaves_the_old_file(tmp_path, run_python):
    path = write_whole(tmp_path / "m", b"old")
    assert run_python(KILLED, path, check=False).returncode == -9
    assert path.read_bytes() == b"old"
    assert write_whole(path, b"newer").read_bytes() == b"newer"
