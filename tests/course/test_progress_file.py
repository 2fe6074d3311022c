"The file in which progress is kept: what it remembers, what becomes of a broken one, and where nothing can be written."
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from small_lesson import DOUBLE

from pixelsim.course import progress_file
from pixelsim.course.progress_file import PROGRESS_FILE, known_guess, progress, record, record_guess, reset_progress, session


@pytest.fixture(autouse=True)
def small(lesson_file, own_folder): lesson_file(DOUBLE)


@pytest.fixture
def no_place(monkeypatch):
    "Nothing can be written, not even by root: below a file there can be no folder."
    Path("file").touch()
    with monkeypatch.context() as patch:
        patch.setattr(progress_file, "PROGRESS_FILE", "file/progress.json")
        yield patch


def states(): return [row[2] for row in progress().rows]  # of `double` and `any-even`


def saved(): return json.loads(Path(PROGRESS_FILE).read_text())["exercises"]


def write(**content): Path(PROGRESS_FILE).write_text(json.dumps(dict(format=1, **content)))


def test_right_tried_and_not_attempted():
    assert states() == ["not attempted"] * 2 and not Path(PROGRESS_FILE).exists()
    for status, state in (("wrong", "tried"), ("error", "tried"), ("right", "right"), ("wrong", "right")):  # once right, it stays right
        record("any-even", status)
        assert states() == ["not attempted", state]
    assert progress().rows[1][3] == saved()["any-even"]["right"][:10] and saved()["any-even"]["right"] <= saved()["any-even"]["tried"]
    assert "1 of 2 right" in repr(progress()) and progress("00_small").rows == progress().rows
    assert [row[1] for row in progress().rows] == ["Exercise 1: double", "Exercise 2: any even"]
    session.clear()  # the next one
    assert states() == ["not attempted", "right"]
    with pytest.raises(ValueError, match="there is no lesson"): progress("99_none")


def test_the_first_time_it_was_right_and_the_last_try_are_kept():
    "And what another version wrote stays."
    old = {"tried": "2026-01-02T10:00:00+00:00", "right": "2026-01-01T10:00:00+00:00", "more": 1}
    write(exercises={"double": old, "from-another-version": old})
    record("double", "right")
    new = saved()["double"]
    assert new == dict(old, tried=new["tried"]) and new["tried"] > old["tried"] and saved()["from-another-version"] == old and len(states()) == 2


def test_reset():
    record("any-even", "right")
    session.last, session.hints = "any-even", {"any-even": 2}
    assert reset_progress().text == "Forgotten: 1 exercise." and not Path(PROGRESS_FILE).exists()
    assert (session.last, session.hints, session.unsaved) == (None, {}, {})
    assert states() == ["not attempted"] * 2 and reset_progress().text == "Forgotten: 0 exercises."


@pytest.mark.parametrize("content", [
    b"", b"{", b"[1, 2]", b"\xff\xfe\x00", b"[" * 100_000, b'{"shopping": ["milk"]}', b'{"format": 99, "exercises": {}}', b'{"format": 1}',
    *(b'{"format": 1, "exercises": {}, %s}' % rest for rest in (
        b'"exercises": {"a": 1}', b'"exercises": {"a": {"tried": "yesterday", "right": null}}', b'"exercises": {"a": {"tried": "2026-01-01", "right": 7}}',
        b'"guesses": []', b'"guesses": {"a": {"guess": 7, "made": "2026-01-01"}}', b'"guesses": {"a": {"guess": "7"}}'))])
def test_a_broken_or_foreign_file_is_set_aside(content):
    "With a message, and nothing of it is lost; a second one gets another name; and it is no trouble for progress and reset."
    for i, work in enumerate((lambda: record("any-even", "right"), lambda: repr(progress()), lambda: reset_progress().text), 1):
        Path(PROGRESS_FILE).write_bytes(content)
        assert f"It is now called `pixelsim-progress.set-aside-{i}.json`" in work()
        assert Path(f"pixelsim-progress.set-aside-{i}.json").read_bytes() == content
    assert record("any-even", "right") == "" and states()[1] == "right"


def test_guesses_are_kept_beside_exercises():
    "For the next session; the first one stays, an empty one is one too, and a file without any is as it was."
    record("any-even", "right")
    assert "guesses" not in json.loads(Path(PROGRESS_FILE).read_text()) and known_guess("grow-means") is None
    for figure, guess in (("grow-means", "70"), ("grow-means", "80"), ("bar-ink", "")): record_guess(figure, guess)
    session.clear()
    record("double", "right")
    assert [known_guess(figure) for figure in ("grow-means", "bar-ink", "rain")] == ["70", "", None] and states() == ["right"] * 2
    assert reset_progress().text == "Forgotten: 2 exercises, 2 guesses." and known_guess("grow-means") is None


def test_a_file_damaged_at_a_figure_is_told_of_at_the_next_exercise():
    Path(PROGRESS_FILE).write_text("{")
    assert known_guess("grow-means") is None and Path("pixelsim-progress.set-aside-1.json").exists()
    assert "set-aside-1" in record("any-even", "right") and record("any-even", "right") == ""


def is_told_once():
    "Everything works where nothing can be written, and that is said once."
    assert "Your progress cannot be saved here" in record("any-even", "wrong") and record("any-even", "right") == ""
    assert states()[1] == "right" and "Forgotten: 1 exercise" in reset_progress().text


def test_a_place_that_cannot_be_written(no_place):
    is_told_once()
    record_guess("grow-means", "70")
    assert known_guess("grow-means") == "70"
    is_told_once()  # it waited for the exercise


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="to root, and on Windows, no folder is read-only")
def test_a_read_only_folder(own_folder):
    own_folder.chmod(0o555)
    try: is_told_once()
    finally: own_folder.chmod(0o755)


def test_what_is_there_can_be_read_where_nothing_can_be_written(monkeypatch):
    record("any-even", "right")
    session.clear()
    def denied(*args, **kwargs): raise PermissionError(13, "Permission denied")
    monkeypatch.setattr(progress_file, "FileLock", denied)
    assert states() == ["not attempted", "right"] and "(Permission denied)" in record("any-even", "wrong") and states()[1] == "right"


def test_a_folder_in_the_place_of_the_file():
    Path(PROGRESS_FILE).mkdir()
    record("any-even", "right")
    assert states()[1] == "right" and Path(PROGRESS_FILE).is_dir()


def test_what_could_not_be_saved_is_saved_later(no_place):
    record("any-even", "right")
    no_place.undo()
    record("double", "wrong")
    assert {name: bool(entry["right"]) for name, entry in saved().items()} == {"any-even": True, "double": False} and session.unsaved == {}


def test_two_notebooks_at_once_lose_nothing(own_folder, run_python):
    "Two processes write 40 entries each to one file at the same time, and all 80 are there."
    code = "import sys\nfrom pixelsim.course.progress_file import record\nfor i in range(40): assert record(f'{sys.argv[1]}-{i}', 'right') == ''"
    with ThreadPoolExecutor() as pool: list(pool.map(lambda who: run_python(code, who, cwd=own_folder), "ab"))
    assert sorted(saved()) == sorted(f"{who}-{i}" for who in "ab" for i in range(40)) and not list(own_folder.glob("*.set-aside*"))
