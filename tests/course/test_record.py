"""A record of what one can do: the file, the page to print, and several of them in one table, whatever is wrong with one."""
import json
import re
from datetime import date, datetime
from pathlib import Path

import pytest
from conftest import violations
from hypothesis import given, strategies as st

from pixelsim.course.lesson_files import exercises, lesson_file, lesson_files, questions
from pixelsim.course.practice import check
from pixelsim.course.progress_file import PROGRESS_FILE, record_answers
from pixelsim.course.record import group_table, record_page, tasks, write_record

pytestmark = pytest.mark.usefixtures("own_folder")
NAMES = [*lesson_files()]
RIGHT = "2026-03-02"


def cells(**done):
    "Of each lesson how much is right, by its number; nothing where nothing is given."
    return [done.get(f"l{name[:3].strip('_')}", f"0 of {len(tasks(name))}") for name in NAMES]


@pytest.fixture
def on_day(monkeypatch):
    "Sets the day on which everything happens."
    def set_day(day):
        class Clock(datetime):
            @classmethod
            def now(cls, tz=None): return cls.fromisoformat(f"{day}T12:00:00+00:00")
        class Calendar(date):
            @classmethod
            def today(cls): return cls.fromisoformat(day)
        monkeypatch.setattr("pixelsim.course.progress_file.datetime", Clock)
        monkeypatch.setattr("pixelsim.course.record.date", Calendar)
    return set_day


def answered(name, *tries): record_answers({name: [dict(given="x", right=right, when=f"{day}T12:00:00+00:00") for day, right in tries]})


@pytest.fixture
def learned(on_day):
    "Someone who has an exercise right, is stuck at another, put lines in order at the second try, and has two questions right and one wrong."
    on_day("2026-03-02")
    check("corner-of-nine", [[10, 12], [16, 18]])
    check("mirror-the-stack", lambda images: images.flip(1))
    on_day("2026-03-05")
    check("corner-of-nine", 7)  # later, and no longer right
    answered("02_tensors/one-pixel-of-all", ("2026-03-03", False), ("2026-03-04", True), ("2026-03-05", True))
    answered("02_tensors/rank-three", ("2026-03-02", True))
    answered("02_tensors/one-row-down", ("2026-03-03", False), ("2026-03-04", True))
    answered("02_tensors/slice-and-number", ("2026-03-03", False))
    answered("02_tensors/some-prediction", ("2026-03-02", True))


def test_the_file_holds_what_was_done_and_when(learned):
    "The first day on which it was right, the last on which it was tried; predictions and what is unknown are no part of it."
    total = sum(len(exercises(each)) + len(questions(each)) + ("order" in lesson_file(each)) for each in NAMES)
    assert write_record("Ada  Lovelace").text == (f"4 of {total} are right. Written: `pixelsim-record-ada-lovelace.json`, for whoever leads your group, and "
                                                  "`pixelsim-record-ada-lovelace.html`, a page to print. Nothing has left this machine.")
    assert sorted(path.name for path in Path().iterdir() if path.name[0] != ".") == [PROGRESS_FILE, "pixelsim-record-ada-lovelace.html", "pixelsim-record-ada-lovelace.json"]
    content = json.loads(Path("pixelsim-record-ada-lovelace.json").read_text(encoding="utf-8"))
    assert (content["name"], content["written"]) == ("Ada Lovelace", "2026-03-05")
    assert [tuple(x.values()) for x in content["done"]] == [("02_tensors", *done) for done in (
        ("exercise", "corner-of-nine", "2026-03-05", "2026-03-02"), ("exercise", "mirror-the-stack", "2026-03-02", None), ("order", "one-pixel-of-all", "2026-03-05", "2026-03-04"),
        ("question", "rank-three", "2026-03-02", "2026-03-02"), ("question", "slice-and-number", "2026-03-03", None), ("question", "one-row-down", "2026-03-04", "2026-03-04"))]


def test_the_page_to_print(learned, browser):
    "What can be done stands there in words, with the day; it needs no other file, and anyone can read it."
    write_record("Ada <b>")
    context = browser.new_context(offline=True, viewport={"width": 360, "height": 800})
    page = context.new_page()
    page.goto(Path("pixelsim-record-ada-b.html").absolute().as_uri())
    assert page.get_by_role("heading").all_inner_texts() == ["What Ada <b> can do", "Lesson 2: Tensors: rank and shape"]
    rows = [[cell.inner_text() for cell in row.get_by_role("cell").all()] for row in page.get_by_role("row").all()[1:]]
    assert [(says[:30], day) for says, day in rows] == [("Two slices with a comma betwee", "2026-03-02"), ("Lines put in order: arrays is ", "2026-03-04"), ("2 of 8 questions of the quiz a", "2026-03-04")]
    assert violations(page) == [] and page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.emulate_media(media="print")
    assert page.get_by_role("table").is_visible() and not re.search(r"https?:|src=|<script|<link", page.content())
    context.close()


def test_an_empty_record_and_a_full_one_which_fits_on_a_few_pages(browser):
    assert write_record().text.startswith("0 of ") and "Nothing yet" in Path("pixelsim-record.html").read_text(encoding="utf-8")
    done = [dict(lesson=each, kind=kind, name=name, tried=RIGHT, right=RIGHT) for each in NAMES for kind, name in tasks(each)]
    page = browser.new_page()
    page.set_content(record_page("", RIGHT, done))
    assert page.get_by_role("heading", level=1).inner_text() == "What I can do" and page.get_by_role("heading", level=2).count() == len(NAMES)
    assert page.get_by_role("row").count() == sum(1 + len(exercises(each)) + ("order" in lesson_file(each)) + (questions(each) != []) for each in NAMES)
    assert page.pdf(format="A4").count(b"/Type /Page\n") <= 5  # of twelve lessons
    page.close()


# A group


def entry(lesson, kind, name, right=None): return dict(lesson=lesson, kind=kind, name=name, tried=RIGHT, right=right)


def written(path, name, *done):
    path.write_text(json.dumps(dict(format=1, name=name, written=RIGHT, done=done)), encoding="utf-8")
    return path


def test_three_people_in_one_table(tmp_path):
    "One of their files is damaged: it is named, and the others are there. Nothing is moved or written."
    written(tmp_path / "b.json", "Ada", entry("03_means", "exercise", "mean-axis", RIGHT), entry("03_means", "question", "why-blurred", RIGHT), entry("03_means", "question", "middle-value"))
    written(tmp_path / "grace.json", "", entry("03_means", "exercise", "mean-axis"), entry("05_distances", "order", "nearest-to-the-mean"), entry("09_other", "exercise", "mean-axis", RIGHT))
    (tmp_path / "alan.json").write_text('{"format": 1, "name": "Al', encoding="utf-8")
    before = sorted((path.name, path.stat().st_mtime_ns) for path in tmp_path.iterdir())
    table = group_table(tmp_path)
    assert table.header == ["who", *NAMES, "tried, and not right yet"] and table.note == "`alan.json` was left out: it is damaged, or no JSON."
    assert table.rows == [["Ada", *cells(l03="2 of 14"), ""], ["grace", *cells(), "mean-axis (03_means), nearest-to-the-mean (05_distances)"]]
    assert before == sorted((path.name, path.stat().st_mtime_ns) for path in tmp_path.iterdir())
    assert group_table(str(tmp_path)).rows == group_table(tmp_path.glob("*.json")).rows == table.rows


def test_what_one_learner_writes_a_leader_reads(learned):
    write_record()
    Path("pixelsim-record.json").rename("ada.json")
    assert group_table("ada.json").rows == [["ada", *cells(l02="4 of 14"), "mirror-the-stack (02_tensors)"]]
    assert group_table(".").note == f"`{PROGRESS_FILE}` was left out: it is not a record that write_record() wrote."


SOUND = dict(format=1, name="  Ada\n ", written=RIGHT, done=[entry("03_means", "exercise", "mean-axis", RIGHT)])


@pytest.mark.parametrize("content, says", [
    ("", "it is damaged, or no JSON"), ("[" * 100_000, "it is damaged"), ("\ufeff\udcff", "it is damaged"), *((content, "not a record") for content in ("7", "[]", "{}")),
    *((SOUND | change, "not a record") for change in (dict(format=2), dict(name=None), dict(done={}))),
    *((SOUND | dict(done=[done]), "an entry in it is damaged") for done in (
        7, entry("a", "b", "c", "today"), dict(entry("a", "b", "c"), tried=None), dict(entry("a", "b", "c"), tried="now"), dict(entry("a", "b", "c"), name=3)))],
    ids=lambda value: str(value)[:60])
def test_what_is_no_record_is_left_out_with_a_word(tmp_path, content, says):
    "And two of one name are told apart."
    (tmp_path / "x.json").write_bytes((content if isinstance(content, str) else json.dumps(content)).encode("utf-8", "surrogateescape"))
    for file in ("y.json", "z.json"): (tmp_path / file).write_text(json.dumps(SOUND), encoding="utf-8")
    table = group_table(tmp_path)
    assert [row[0] for row in table.rows] == ["Ada (y.json)", "Ada (z.json)"] and table.note.startswith("`x.json` was left out: ") and says in table.note


@given(st.integers(0, 300), st.binary(max_size=4), st.integers(0, 6))
def test_a_file_that_was_damaged_anywhere_is_a_record_or_left_out(tmp_path_factory, at, bits, gone):
    path, text = tmp_path_factory.mktemp("group") / "x.json", json.dumps(SOUND, indent=1).encode()
    path.write_bytes(text[:at] + bits + text[at + gone:])
    table = group_table(path.parent)
    assert len(table.rows) + (table.note != "") == 1


def test_where_nothing_can_be_read_or_written(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"no record in .*: everyone writes one with write_record\(\), and gives you the file"): group_table(tmp_path)
    assert group_table(tmp_path / "x.json").note == "`x.json` was left out: No such file or directory."
    def refuse(path, content): raise OSError(30, "Read-only file system", str(path))
    monkeypatch.setattr("pixelsim.course.record.write_whole", refuse)
    with pytest.raises(OSError, match="Read-only file system: 'pixelsim-record.json'"): write_record()
