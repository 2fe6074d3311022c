"""Questions come back: when, on which day, in Python and on the screen; and three from before, each only once."""
import json
from collections import Counter
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from conftest import violations
from figure_pages import arithmetic, beside_a_kernel, open_page  # noqa: F401
from hypothesis import given, strategies as st
from small_lesson import SOUND, lesson_file, own_folder  # noqa: F401

from pixelsim.course.due import Review, comes_back, draw_three, due, review, three_from_before
from pixelsim.course.lesson_files import lesson_files, questions
from pixelsim.course.progress_file import PROGRESS_FILE, known_answers, record_answers
from pixelsim.course.quizzes import quiz

DAY = date(2026, 3, 2)


def at_noon(day, right): return dict(given="x", right=right, when=datetime(day.year, day.month, day.day, 12).astimezone().astimezone(timezone.utc).isoformat(timespec="seconds"))


def on_days(*answers): return [at_noon(DAY + timedelta(days), right) for days, right in answers]


TRIES = st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=12).map(lambda several: on_days(*sorted(several, key=lambda pair: pair[0])))


@pytest.mark.parametrize("answers, days", [
    ([(0, False)], 1), ([(0, False), (1, False)], 2), ([(0, False), (1, True)], 4), ([(0, False), (1, True), (4, True)], 11),
    ([(0, False), (1, True), (4, True), (11, True)], None), ([(0, False), (1, True), (4, False)], 5),
    ([(0, True)], 7), ([(0, True), (7, True)], 14), ([(0, True), (7, True), (14, True)], None), ([(0, True), (7, False), (8, True)], 11),
    ([(0, False), (0, True)], 1), ([(0, True), (0, False)], 7), ([(30, False)], 31), ([], None)])
def test_after_one_three_and_seven_days(answers, days):
    "Worked out by hand: wrong starts at one day, right goes on, and the first answer of a day counts."
    assert comes_back(on_days(*answers)) == (None if days is None else DAY + timedelta(days))


@given(TRIES)
def test_it_comes_back_after_the_latest_day_and_within_a_week(tries):
    back = comes_back(tries)
    latest = max(datetime.fromisoformat(x["when"]).astimezone().date() for x in tries)
    assert back is None or back - latest in (timedelta(1), timedelta(3), timedelta(7))


@given(TRIES)
def test_what_follows_on_a_day_changes_nothing(tries):
    "Nor does the order in which the answers stand."
    again = [x for each in tries for x in (each, dict(each, right=not each["right"], when=(datetime.fromisoformat(each["when"]) + timedelta(seconds=5)).isoformat()))]
    assert comes_back(again) == comes_back(tries)
    assert comes_back(tries + on_days((41, False))) == DAY + timedelta(42)
    apart = list({x["when"]: x for x in tries[::-1]}.values())
    assert comes_back(apart[::-1]) == comes_back(apart)


@given(TRIES)
def test_whoever_is_always_right_from_now_on_is_done_after_three_times(tries):
    for _ in range(3):
        if (back := comes_back(tries)) is None: break
        tries = [*tries, at_noon(back, True)]
    assert comes_back(tries) is None


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), TRIES, max_size=5), st.integers(0, 60))
def test_what_is_due_has_waited_and_the_longest_comes_first(answers, days):
    day = DAY + timedelta(days)
    found, back = due(answers, day), {name: comes_back(tries) for name, tries in answers.items()}
    assert set(found) == {name for name, at in back.items() if at and at <= day} and [back[name] for name in found] == sorted(back[name] for name in found)


def test_the_screen_agrees_with_python(arithmetic):  # noqa: F811
    "Thousands of histories, at any hour of the day, some of them not in order."
    random = np.random.default_rng(3)
    histories = [[dict(right=bool(random.integers(2)), when=datetime.fromtimestamp(int(random.integers(1_770_000_000, 1_772_500_000)), timezone.utc).isoformat()) for _ in range(random.integers(0, 9))] for _ in range(3000)]
    epoch = date(1970, 1, 1)
    assert arithmetic("questions", "return data.map(m.comesBack)", histories) == [back and (back - epoch).days for back in map(comes_back, histories)]
    day, answers = date(2026, 2, 20), {f"q{i}": history for i, history in enumerate(histories)}
    found = arithmetic("questions", "return m.dueOf(data[0], data[1])", [answers, (day - epoch).days])
    assert found == due(answers, day) and len(found) > 400
    assert arithmetic("questions", "return m.dueOf(data, 99999)", {"a": [{"given": "x"}], "b": [{"given": "x", "when": "never", "right": True}]}) == []


# Review


NOON = "2026-03-02T12:00:00"


@pytest.fixture
def on_day(open_page):  # noqa: F811
    "Opens a page some days after the second of March, in the browser of an earlier page."
    def open_it(html, days=0, before=None, **options):
        page = open_page(context=before and before.context, **options)
        page.context.clock.set_fixed_time(datetime.fromisoformat(NOON) + timedelta(days))
        page.close()
        return open_page(html, context=page.context)
    return open_it


def answer(page, at, right, question):
    "Give a right or a wrong answer to question number `at` of a page."
    section = page.locator(".psq-question").nth(at)
    if question["kind"] == "choice":
        wanted = next(i for i, choice in enumerate(question["choice"]) if bool(choice.get("right")) == right)
        section.get_by_role("radio").nth(wanted).check()
    else:
        value = question["answer"] if right else question["mistake"][0]["answer"]
        section.get_by_role("textbox").fill(str(tuple(value)) if isinstance(value, list) else str(value))
    section.get_by_role("button", name="Check").click()


def told(page): return page.locator(".pixelsim-quiz > p").first.inner_text()


def asked(page): return [" ".join(text.split()) for text in page.locator(".psq-asks").all_inner_texts()]


def test_eight_days_later_what_was_wrong_is_asked(on_day):
    "Lesson 2, two wrong and one right; a week and a day later the review asks for them, what was wrong first, and what is right now comes back later."
    bank = questions("02_tensors")
    page = on_day(quiz("02_tensors").as_html())
    for at, right in ((0, True), (1, False), (2, False)): answer(page, at, right, bank[at])
    asks = asked(page)
    answer(page, 1, True, bank[1])  # having read the reply
    html = review().as_html()
    assert told(on_day(html, 0, page)) == "Nothing is due today. The next question comes back on 2026-03-03."
    assert asked(on_day(html, 1, page)) == [asks[1], asks[2]]
    later = on_day(html, 8, page)
    assert told(later) == "3 questions are due." and asked(later) == [asks[1], asks[2], asks[0]]
    assert later.get_by_role("radio", checked=True).count() == 0 and [x.inner_text() for x in later.locator(".psq-feedback").all()] == [""] * 3
    assert violations(later) == []
    answer(later, 0, True, bank[1])
    answer(later, 1, False, bank[2])
    assert later.locator(".psq-score").inner_text() == "1 of 3 right" and told(later) == "3 questions are due."
    assert asked(on_day(html, 8, page)) == [asks[0]]
    assert asked(on_day(html, 9, page)) == [asks[0], asks[2]]
    assert asked(on_day(html, 11, page)) == [asks[0], asks[2], asks[1]]


@pytest.mark.parametrize("width, dark", [(800, False), (360, True)])
def test_five_at_once_for_everyone(on_day, width, dark):
    page = on_day(quiz("01_pixels").as_html(), width=width, dark=dark)
    for at, question in enumerate(questions("01_pixels")): answer(page, at, False, question)
    later = on_day(review().as_html(), 1, page)
    assert told(later) == "8 questions are due. Here are the 5 that have waited longest; for the others, open this again." and len(asked(later)) == 5
    assert violations(later) == [] and later.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_where_nothing_was_answered_yet(open_page):  # noqa: F811
    page = open_page(review().as_html())
    assert told(page).startswith("Nothing is due today. Questions of the quizzes come back here") and page.locator(".psq-score").count() == 0
    assert "needs its script" in open_page(review().as_html(), java_script_enabled=False).locator("main").inner_text()


def test_review_beside_a_kernel(open_page, own_folder):  # noqa: F811
    "It knows the progress file from the start, and what is answered there is in it; the stored page knows nothing."
    names = [f"03_means/{question['name']}" for question in questions("03_means")[:2]]
    long_ago = [at_noon(date.today() - timedelta(8), False)]
    record_answers({names[0]: long_ago, names[1]: [at_noon(date.today(), False)]})
    shown, page = review(), open_page()
    assert repr(shown) == "Due: 1\n\n" + questions("03_means")[0]["asks"]
    data, _ = shown._repr_mimebundle_()
    assert long_ago[0]["when"] not in data["text/html"] == Review().as_html()
    beside_a_kernel(page, shown)
    assert told(page) == "One question is due."
    answer(page, 0, True, questions("03_means")[0])
    shown.set_state({"tries": page.evaluate("model.saved.at(-1).tries")})
    assert [x["right"] for x in json.loads(Path(PROGRESS_FILE).read_text())["answers"][names[0]]] == [False, True]
    assert due(known_answers(), date.today()) == [] and told(open_page(review().as_html())).startswith("Nothing is due")


# Three from before


def test_each_lesson_opens_with_three_questions_and_none_is_asked_twice():
    "One of the lesson before, two of those before that; lesson 2 has only lesson 1 before it. Only a lesson with fewer than three questions has one asked again."
    taught = [*lesson_files()]
    drawn = {lesson: [key for key, _ in three_from_before(lesson)._asked] for lesson in taught[1:]}
    assert all(len(names) == 3 for names in drawn.values())
    for name, times in Counter(sum(drawn.values(), [])).items(): assert times == 1 or times == 2 == len(questions(name.split("/")[0])), name
    bank = [lesson for lesson in taught if questions(lesson)]
    for lesson, names in drawn.items():
        before = [each for each in bank if each < lesson][::-1]
        assert [name.split("/")[0] for name in names] == (before + [before[-1]] * 2)[:3]
    assert three_from_before("05_distances").as_html() == three_from_before("05_distances").as_html()


@given(st.lists(st.integers(0, 6), min_size=1, max_size=9))
def test_three_of_any_number_of_lessons(counts):
    "They exist, they are of earlier lessons, and no question is asked again before all of its lesson were."
    drawn, asked_so_far = draw_three(dict(enumerate(counts))), Counter()
    for lesson, three in drawn.items():
        assert len(three) == (3 if any(counts[:lesson]) else 0) and all(name < lesson and 0 <= i < counts[name] for name, i in three)
        asked_so_far.update(three)
        for name, n in enumerate(counts):
            times = [asked_so_far[name, i] for i in range(n)]
            assert not times or max(times) - min(times) <= 1


def test_three_are_asked_anew_on_another_day(on_day):
    "What was answered in the quiz is not shown; what is answered here today is, and counts for the quiz as well."
    keys = [key.split("/") for key, _ in three_from_before("02_tensors")._asked]
    assert {lesson for lesson, _ in keys} == {"01_pixels"}
    bank = {question["name"]: question for question in questions("01_pixels")}
    page = on_day(quiz("01_pixels").as_html())
    for at, question in enumerate(bank.values()): answer(page, at, True, question)
    html = three_from_before("02_tensors").as_html()
    later = on_day(html, 1, page)
    assert [x.inner_text() for x in later.locator(".psq-feedback").all()] == [""] * 3 and later.locator(".psq-score").inner_text() == "0 of 3 right"
    answer(later, 0, False, bank[keys[0][1]])
    again = on_day(html, 1, page)
    assert again.locator(".psq-feedback").first.inner_text().startswith("Not this.") and again.get_by_role("button", name="Forget").count() == 0
    assert violations(again) == []
    assert len(on_day(review().as_html(), 2, page).locator(".psq-asks").all()) == 1


def test_no_lesson_before(request):
    with pytest.raises(ValueError, match="no lesson before '01_pixels' has questions"): three_from_before("01_pixels")
    with pytest.raises(ValueError, match="did you mean '02_tensors'"): three_from_before("02_tensor")
    write = request.getfixturevalue("lesson_file")
    for name in ("00_small", "01_next"): write(SOUND, name)
    assert [key for key, _ in three_from_before("01_next")._asked] == ["00_small/rank", "00_small/half", "00_small/rank"]
