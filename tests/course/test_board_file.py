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
    "Whatever the names; and in whatever order they came, the file is the same."
    path.write_bytes(board_bytes(entries, "Chipo"))
    assert read_board(path) == ("Chipo", {(e.member, e.name): e for e in entries})
    random.shuffle(entries)
    assert path.read_bytes() == board_bytes(entries, "Chipo")


def test_a_saved_board_is_names_and_counts():
    "On a line for each entry, best first."
    text = board_bytes([Entry("bar", "Aman", 1, 2), Entry("ink é", "Bo", 3, 4)], "Aman").decode()
    assert json.loads(text) == {"kind": "pixelsim arena", "version": 1, "member": "Aman", "images": [1010, 1028],
                                "entries": [{"name": "ink é", "member": "Bo", "right": [3, 4]}, {"name": "bar", "member": "Aman", "right": [1, 2]}]}
    assert [line.strip()[:9] for line in text.splitlines()] == ['{"kind": ', '{"name": ', '{"name": ', "]}"]


def changed(**fields):
    "A good board with some fields changed, as text."
    entry = {"name": "a", "member": "Aman", "right": [1, 2]}
    content = {"kind": "pixelsim arena", "version": 1, "member": "Aman", "images": [1010, 1028], "entries": [entry]}
    return json.dumps(content | fields)


def row(**fields): return changed(entries=[{"name": "a", "member": "Aman", "right": [1, 2]} | fields])


BROKEN = {
    "empty": ("", "Expecting value"), "not JSON": ("ink 0.71", "Expecting value"), "cut off": (changed()[:-9], "Expecting value"), "not text": (b"\xff\xfe\x00", "decode"),
    "deep": ("["*100_000 + "]"*100_000, "recursion"), "a list": ("[1, 2]", "something else"), "a number": ("7", "something else"), "null": ("null", "something else"),
    "other JSON": ('{"kind": "shopping list"}', "something else"), "no kind": ("{}", "something else"),
    "newer": (changed(version=2), "version 2, and this pixelsim reads 1: upgrade it"), "no version": (changed().replace("version", "edition"), "it has no 'version'"),
    "version a list": (changed(version=[1]), r"version \[1\]"), "other images": (changed(images=[1010, 1029]), r"scored on \[1010, 1029\] images, and not on \[1010, 1028\]"),
    "no images": (changed(images=None), "scored on None"), "no entries": (changed(entries=None), "NoneType"), "entries a text": (changed(entries="abc"), "keys"),
    "entries a dict": (changed(entries={"a": 1}), "keys"), "entries of lists": (changed(entries=[["a"]]), "keys"),
    "too many right": (row(right=[1011, 0]), r"the counts of 'a' are \[1011, 0\], and should be two whole numbers up to \(1010, 1028\)"),
    "negative": (row(right=[0, -1]), "counts"), "a float": (row(right=[1.0, 2]), "counts"), "true": (row(right=[True, 2]), "counts"),
    "text for counts": (row(right="12"), "counts"), "three counts": (row(right=[1, 2, 3]), "counts"), "no counts": (row(right=None), "NoneType"), "NaN": (row(right=[float("nan"), 1]), "counts"),
    "more": (row(code="import os"), r"fields \['code', 'member', 'name', 'right'\]"), "less": (changed(entries=[{"name": "a", "right": [1, 2]}]), r"fields \['name', 'right'\]"),
    "name a number": (row(name=3), "text in quotes, got int"), "empty name": (row(name=""), "1 to 40"), "line break": (row(name="a\nb"), "1 to 40"), "long name": (row(name="x"*41), "1 to 40"),
    "spaces": (row(name=" a"), "spaces around a name"), "surrogate": (row(name="\ud800"), "1 to 40"), "member the book": (row(member="the book"), "taken"),
    "member opening": (row(member="opening"), "taken"), "member you": (row(member="you"), "taken"), "member a list": (row(member=[]), "text in quotes, got list"),
    "owner you": (changed(member="you"), "taken"), "owner missing": (changed().replace('"member": "Aman", "images"', '"images"'), "it has no 'member'"),
    "twice": (changed(entries=[{"name": "a", "member": "Aman", "right": [1, k]} for k in (2, 3)]), "two entries share name and member"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_and_foreign_files(kind, path):
    "One clear error that names the file, and what is wrong."
    text, why = BROKEN[kind]
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ValueError, match=rf"board\.json is not a board that Arena\.save wrote, or it is damaged: .*{why}"): read_board(path)


def test_the_unbroken_file_is_read(path):
    "So that the tests above fail for the reason they name."
    path.write_text(row())
    assert read_board(path) == ("Aman", {("Aman", "a"): Entry("a", "Aman", 1, 2)})


FIELDS = ["kind", "version", "member", "images", "entries", "right", "name"]


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=3), inner, max_size=5)),
       st.sampled_from(FIELDS))
def test_any_json(path, content, field):
    "Whatever JSON stands in a field: the error is always the same one, or the board is good."
    path.write_text(row(**{field: content}) if field in ("right", "name") else changed(**{field: content}))
    try: read_board(path)
    except ValueError as error: assert "is not a board that Arena.save wrote" in str(error)
