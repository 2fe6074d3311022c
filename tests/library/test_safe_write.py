"Files that are whole or not there: written by many at once, under any legal name, through links, with the rights that they had."
import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import pytest

from pixelsim.classifier import PixelSimilarity
from pixelsim.safe_write import write_whole

posix = pytest.mark.skipif(os.name == "nt", reason="NOT TESTED: modes and links as POSIX has them")
SIZE = 300_000


def mode(path): return stat.S_IMODE(path.stat().st_mode)


def test_many_write_and_nobody_reads_a_part(tmp_path):
    "Eight threads write one path thirty times each while two read: no error, each content in one piece, and nothing is left."
    path, seen, done = write_whole(tmp_path / "m.npz", b"0" * SIZE), set(), threading.Event()
    def write(number):
        for _ in range(30): write_whole(path, str(number).encode() * SIZE)
    def look():
        while not done.is_set():
            content = path.read_bytes()
            seen.add((len(content), len({*content})))
    with ThreadPoolExecutor(10) as pool:
        readers = [pool.submit(look) for _ in range(2)]
        try: list(pool.map(write, range(1, 9)))
        finally: done.set()
        for reader in readers: reader.result()
    assert seen == {(SIZE, 1)} and os.listdir(tmp_path) == ["m.npz"]


@pytest.mark.parametrize("name", ["a" * 250, "ü" * 125, "." * 3, ".hidden", "with space\n.npz"], ids=["250", "250 bytes", "dots", "hidden", "strange"])
def test_every_legal_name(tmp_path, name):
    try: (tmp_path / name).touch()
    except OSError: pytest.skip("NOT TESTED: this file system does not take the name")
    assert write_whole(str(tmp_path / name), b"x") == tmp_path / name and os.listdir(tmp_path) == [name]


@posix
def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path):
    "current → v1 in another folder, over a second link; a link to nothing makes what it leads to; a link to itself, or into no folder, is an error."
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "v1").write_bytes(b"old")
    for link, to in {"middle": "far/v1", "current": "middle", "next": "far/v2", "round": "round", "lost": "gone/v3"}.items(): (tmp_path / link).symlink_to(to)
    assert write_whole(tmp_path / "current", b"new") == tmp_path / "current"
    write_whole(tmp_path / "next", b"second")
    for link in ("round", "lost"):  # named as the caller knows it
        with pytest.raises(OSError, match=f"{link}'$"): write_whole(tmp_path / link, b"x")
    assert [os.readlink(tmp_path / link) for link in ("current", "middle", "next", "round")] == ["middle", "far/v1", "far/v2", "round"]
    assert {p.name: p.read_bytes() for p in (tmp_path / "far").iterdir()} == {"v1": b"new", "v2": b"second"}


@posix
def test_modes(tmp_path):
    "A new file gets what the user's umask leaves; one that was there keeps its mode."
    before, path = os.umask(0), tmp_path / "file"
    try:
        for umask in (0o022, 0o077, 0o002):
            os.umask(umask)
            assert mode(write_whole(path, b"x")) == 0o666 & ~umask
            for kept in (0o600, 0o640, 0o444, 0o666):
                path.chmod(kept)
                assert mode(write_whole(path, b"x")) == kept
            path.unlink()
    finally: os.umask(before)


@posix
def test_rights_stay(tmp_path, monkeypatch):
    """What takes the place of a file of mode 600 is not readable for others for a moment either, and is whole when the disk is waited for;
    root that saves over somebody's file leaves it theirs; where attributes can be set, they stay too."""
    path, sync, seen = tmp_path / "theirs", os.fsync, []
    path.touch(mode=0o600)
    if os.geteuid() == 0: os.chown(path, 1234, 4321)
    noted = {}
    with suppress(OSError, AttributeError):
        os.setxattr(path, "user.note", b"mine")
        noted = {"user.note": b"mine"}
    before = path.stat()
    def look(number):
        seen.append((stat.S_IMODE(os.fstat(number).st_mode), os.fstat(number).st_size))
        sync(number)
    monkeypatch.setattr(os, "fsync", look)
    after = write_whole(path, b"x").stat()
    assert seen == [(0o600, 1)] and (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)
    assert {name: os.getxattr(path, name) for name in noted} == noted


@posix
def test_a_pipe_is_written_to(tmp_path):
    "What waits at its end gets the content; a pipe, like a device, is not replaced."
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_whole(tmp_path / "pipe", b"through")
    assert os.read(reader, 99) == b"through" and os.listdir(tmp_path) == ["pipe"]
    os.close(reader)


def test_what_cannot_be_written_changes_nothing(tmp_path):
    "A folder in the way, no folder, a name that is too long, no bytes: an error with the name that was given, and nothing is left."
    (tmp_path / "folder").mkdir(), (tmp_path / "kept").write_bytes(b"kept")
    for name, kind in {"folder": IsADirectoryError, "none/x": FileNotFoundError, "a" * 300: OSError, "kept/x": NotADirectoryError}.items():
        with pytest.raises(kind) as caught: write_whole(tmp_path / name, b"x")
        assert caught.value.filename == str(tmp_path / name) and caught.value.strerror
    with pytest.raises(TypeError): write_whole(tmp_path / "kept", "text")
    assert sorted(os.listdir(tmp_path)) == ["folder", "kept"] and (tmp_path / "kept").read_bytes() == b"kept"


@pytest.mark.parametrize("at", ["fsync", "replace"])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")], ids=["Ctrl-C", "full"])
def test_an_interrupted_write_changes_nothing(tmp_path, monkeypatch, at, error):
    "A classifier is saved over another: until the last step there is the old file, and after an error nothing beside it; then it works."
    def save(label): return PixelSimilarity().fit(np.uint8([[[0]], [[255]]]), ["a", label]).save(tmp_path / "m")
    before = save("b").read_bytes()
    def stop(*args):
        assert (tmp_path / "m").read_bytes() == before  # what is there if the process is killed now
        raise error
    with monkeypatch.context() as patch:
        patch.setattr(os, at, stop)
        with pytest.raises(type(error)): save("c")
    assert (tmp_path / "m").read_bytes() == before and os.listdir(tmp_path) == ["m"]
    assert PixelSimilarity.load(save("c")).classes_.tolist() == ["a", "c"] and os.listdir(tmp_path) == ["m"]
