"""Boards as files: names and counts, read by someone who trusts nobody."""
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelsim.course.board_file import board_bytes, read_board
from pixelsim.course.entries import Entry

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=10).filter(str.isprintable)
ENTRIES = st.lists(st.builds(Entry, NAMES, st.sampled_from(["Aman", "Bo", "Çelik"]), st.integers(0, 1010), st.integers(0, 1028)), max_size=8,
                   unique_by=lambda e: (e.name, e.member))


@pytest.fixture(scope="module")
def path(tmp_path_factory): return tmp_path_factory.mktemp("boards") / "board.json"


@given(ENTRIES, st.randoms())
def test_what_is_written_is_read(path, entries, random):
    "Whatever the names, which stand there as they are; and in whatever order they came, the file is the same."
    path.write_bytes(board_bytes(entries, "Chipo"))
    assert read_board(path) == ("Chipo", {(e.member, e.name): e for e in entries})
    random.shuffle(entries)
    assert path.read_bytes() == board_bytes(entries, "Chipo") and all(e.member in path.read_text(encoding="utf-8") for e in entries)


def changed(**fields):
    "A good board with some fields changed, as text."
    content = {"kind": "pixelsim arena", "version": 1, "member": "Aman", "images": [1010, 1028], "entries": [{"name": "a", "member": "Aman", "right": [1, 2]}]}
    return json.dumps(content | fields)


def row(**fields): return changed(entries=[{"name": "a", "member": "Aman", "right": [1, 2]} | fields])


@pytest.mark.parametrize("text, why", [
    ("", "Expecting value"), (changed()[:-9], "Expecting value"), (b"\xff\xfe\x00", "decode"), pytest.param("["*100_000 + "]"*100_000, "recursion", id="deep"),
    ("[1, 2]", "something else"), ("null", "something else"), ('{"kind": "shopping list"}', "something else"), ("{}", "something else"),
    (changed(version=2), "version 2, and this pixelsim reads 1: upgrade it"), (changed().replace("version", "edition"), "it has no 'version'"),
    (changed(images=[1010, 1029]), r"scored on \[1010, 1029\] images, and not on \[1010, 1028\]"),
    (changed(entries=None), "NoneType"), (changed(entries={"a": 1}), "keys"), (changed(entries=[["a"]]), "keys"),
    (changed(entries=[{"name": "a", "member": "Aman", "right": [1, k]} for k in (2, 3)]), "two entries share name and member"),
    (row(right=[1011, 0]), r"the counts of 'a' are \[1011, 0\], and should be two whole numbers up to \(1010, 1028\)"),
    *((row(right=right), "counts") for right in ([0, -1], [1.0, 2], [True, 2], "12", [1, 2, 3], [float("nan"), 1])), (row(right=None), "NoneType"),
    (row(code="import os"), r"fields \['code', 'member', 'name', 'right'\]"), (changed(entries=[{"name": "a", "right": [1, 2]}]), r"fields \['name', 'right'\]"),
    (row(name=3), "text in quotes, got int"), *((row(name=name), "1 to 40") for name in ("", "a\nb", "x"*41, "\ud800")), (row(name=" a"), "spaces around a name"),
    *((row(member=member), "taken") for member in ("the book", "opening", "you")), (row(member=[]), "text in quotes, got list"),
    (changed(member="you"), "taken"), (changed().replace('"member": "Aman", "images"', '"images"'), "it has no 'member'")])
def test_broken_and_foreign_files(text, why, path):
    "One clear error that names the file, and what is wrong; for that reason, since the unbroken file is read."
    path.write_text(row())
    assert read_board(path) == ("Aman", {("Aman", "a"): Entry("a", "Aman", 1, 2)})
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ValueError, match=rf"board\.json is not a board that Arena\.save wrote, or it is damaged: .*{why}"): read_board(path)


FIELDS = ["kind", "version", "member", "images", "entries", "right", "name"]


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=3), inner, max_size=5)),
       st.sampled_from(FIELDS))
def test_any_json(path, content, field):
    "Whatever JSON stands in a field: the error is always the same one, or the board is good."
    path.write_text(row(**{field: content}) if field in ("right", "name") else changed(**{field: content}))
    try: read_board(path)
    except ValueError as error: assert "is not a board that Arena.save wrote" in str(error)
