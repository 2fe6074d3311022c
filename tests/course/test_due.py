"""Questions come back: when, on which day, in Python and on the screen; and three from before, each only once."""
import json
from collections import Counter
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from conftest import violations
from figure_pages import beside_a_kernel
from hypothesis import given, strategies as st
from small_lesson import SOUND

from pixelsim.course.due import Review, comes_back, draw_three, due, review, three_from_before
from pixelsim.course.lesson_files import lesson_files, questions
from pixelsim.course.progress_file import PROGRESS_FILE, known_answers, record_answers
from pixelsim.course.quizzes import quiz

NOON = datetime(2026, 3, 2, 12)
DAY = NOON.date()


def at_noon(day, right): return dict(given="x", right=right, when=datetime.combine(day, NOON.time()).astimezone().isoformat())


def on_days(*answers): return [at_noon(DAY + timedelta(days), right) for days, right in answers]


@pytest.mark.parametrize("answers, days", [
    ([(0, False)], 1), ([(0, False), (1, False)], 2), ([(0, False), (1, True)], 4), ([(0, False), (1, True), (4, True)], 11),
    ([(0, False), (1, True), (4, True), (11, True)], None), ([(0, False), (1, True), (4, False)], 5),
    ([(0, True)], 7), ([(0, True), (7, True)], 14), ([(0, True), (7, True), (14, True)], None), ([(0, True), (7, False), (8, True)], 11),
    ([(0, False), (0, True)], 1), ([(0, True), (0, False)], 7), ([(30, False)], 31), ([], None)])
def test_after_one_three_and_seven_days(answers, days):
    "Worked out by hand: wrong starts at one day, right goes on, and the first answer of a day counts."
    assert comes_back(on_days(*answers)) == (None if days is None else DAY + timedelta(days))


@given(st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=12, unique_by=lambda pair: pair[0]))
def test_what_holds_of_all_answers(answers):
    "What follows on a day changes nothing, nor does the order in which they stand; and whoever is always right from now on is done after three times."
    tries = on_days(*answers)
    back = comes_back(tries)
    assert back is None or back - DAY - timedelta(max(answers)[0]) in (timedelta(1), timedelta(3), timedelta(7))
    assert comes_back(tries[::-1]) == back == comes_back(tries + [dict(x, right=not x["right"], when=x["when"].replace("12:00:00", "12:00:05")) for x in tries])
    for _ in range(3): tries += [at_noon(day, True)] if (day := comes_back(tries)) else []
    assert comes_back(tries) is None


def test_the_screen_agrees_with_python(arithmetic):
    "Thousands of histories, at any hour of the day, some of them not in order: when they come back, what is due, and what has waited longest."
    random = np.random.default_rng(3)
    def when(): return datetime.fromtimestamp(int(random.integers(1_770_000_000, 1_772_500_000)), timezone.utc).isoformat()
    answers = {f"q{i}": [dict(right=bool(random.integers(2)), when=when()) for _ in range(random.integers(0, 9))] for i in range(3000)}
    day, epoch = date(2026, 2, 20), date(1970, 1, 1)
    assert arithmetic("questions", "return data.map(m.comesBack)", [*answers.values()]) == [back and (back - epoch).days for back in map(comes_back, answers.values())]
    found = arithmetic("questions", "return m.dueOf(data[0], data[1])", [answers, (day - epoch).days])
    assert found == due(answers, day) and len(found) > 400
    assert arithmetic("questions", "return m.dueOf(data, 99999)", {"a": [{"given": "x"}], "b": [{"given": "x", "when": "never", "right": True}]}) == []


# Review


@pytest.fixture
def on_day(open_page):
    "Opens a page some days after the second of March, in the browser of an earlier page."
    def open_it(html, days=0, before=None, **options):
        page = before or open_page(**options)
        page.context.clock.set_fixed_time(NOON + timedelta(days))
        return open_page(html, context=page.context)
    return open_it


def answer(page, at, right, question):
    "Give a right or a wrong answer to question number `at` of a page."
    section = page.locator(".psq-question").nth(at)
    if question["kind"] == "choice": section.get_by_role("radio").nth([bool(choice.get("right")) for choice in question["choice"]].index(right)).check()
    else:
        value = question["answer"] if right else question["mistake"][0]["answer"]
        section.get_by_role("textbox").fill(str(tuple(value)) if isinstance(value, list) else str(value))
    section.get_by_role("button", name="Check").click()


def told(page): return page.locator(".pixelsim-quiz > p").first.inner_text()


def asked(page): return [" ".join(text.split()) for text in page.locator(".psq-asks").all_inner_texts()]


def replies(page): return page.locator(".psq-feedback").all_inner_texts()


def test_eight_days_later_what_was_wrong_is_asked(on_day):
    "Lesson 2, two wrong and one right; a week and a day later the review asks for them, what was wrong first, and what is right now comes back later."
    bank, html = questions("02_tensors"), review().as_html()
    page = on_day(quiz("02_tensors").as_html())
    for at, right in ((0, True), (1, False), (2, False), (1, True)): answer(page, at, right, bank[at])  # the last one having read the reply
    first, second, third = asked(page)[:3]
    assert told(on_day(html, 0, page)) == "Nothing is due today. The next question comes back on 2026-03-03."
    assert asked(on_day(html, 1, page)) == [second, third]
    later = on_day(html, 8, page)
    assert told(later) == "3 questions are due." and asked(later) == [second, third, first] and replies(later) == [""] * 3
    assert later.get_by_role("radio", checked=True).count() == 0 and violations(later) == []
    answer(later, 0, True, bank[1])
    answer(later, 1, False, bank[2])
    assert later.locator(".psq-score").inner_text() == "1 of 3 right" and told(later) == "3 questions are due."
    for day, due_then in ((8, [first]), (9, [first, third]), (11, [first, third, second])): assert asked(on_day(html, day, page)) == due_then


def test_five_at_once_for_everyone(on_day):
    page = on_day(quiz("01_pixels").as_html(), width=360, dark=True)
    for at, question in enumerate(questions("01_pixels")): answer(page, at, False, question)
    later = on_day(review().as_html(), 1, page)
    assert told(later) == "8 questions are due. Here are the 5 that have waited longest; for the others, open this again." and len(asked(later)) == 5
    assert violations(later) == [] and later.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_where_nothing_was_answered_yet(open_page):
    page = open_page(review().as_html())
    assert told(page).startswith("Nothing is due today. Questions of the quizzes come back here") and page.locator(".psq-score").count() == 0
    assert "needs its script" in open_page(review().as_html(), java_script_enabled=False).locator("main").inner_text()


def test_review_beside_a_kernel(open_page, own_folder):
    "It knows the progress file from the start, and what is answered there is in it; the stored page knows nothing."
    first, second = questions("03_means")[:2]
    key, long_ago = f"03_means/{first['name']}", at_noon(date.today() - timedelta(8), False)
    record_answers({key: [long_ago], f"03_means/{second['name']}": [at_noon(date.today(), False)]})
    shown, page = review(), open_page()
    assert repr(shown) == "Due: 1\n\n" + first["asks"]
    assert long_ago["when"] not in shown._repr_mimebundle_()[0]["text/html"] == Review().as_html()
    beside_a_kernel(page, shown)
    assert told(page) == "One question is due."
    answer(page, 0, True, first)
    shown.set_state({"tries": page.evaluate("model.saved.at(-1).tries")})
    assert [x["right"] for x in json.loads(Path(PROGRESS_FILE).read_text())["answers"][key]] == [False, True]
    assert due(known_answers(), date.today()) == [] and told(open_page(review().as_html())).startswith("Nothing is due")


# Three from before


def test_each_lesson_opens_with_three_questions_and_none_is_asked_twice():
    "One of the lesson before, two of those before that; lesson 2 has only lesson 1 before it. Only a lesson with fewer than three questions has one asked again."
    bank = {lesson: len(questions(lesson)) for lesson in lesson_files()}
    drawn = {lesson: [key for key, _ in three_from_before(lesson)._asked] for lesson in [*bank][1:]}
    for name, times in Counter(sum(drawn.values(), [])).items(): assert times == 1 or times == 2 == bank[name.split("/")[0]], name
    for lesson, names in drawn.items():
        before = [each for each in bank if each < lesson and bank[each]][::-1]
        assert [name.split("/")[0] for name in names] == (before + [before[-1]] * 2)[:3]


@given(st.lists(st.integers(0, 6), min_size=1, max_size=9))
def test_three_of_any_number_of_lessons(counts):
    "They exist, they are of earlier lessons, and no question is asked again before all of its lesson were."
    drawn, asked_so_far = draw_three(dict(enumerate(counts))), Counter()
    for lesson, three in drawn.items():
        assert len(three) == (3 if any(counts[:lesson]) else 0) and all(name < lesson and 0 <= i < counts[name] for name, i in three)
        asked_so_far.update(three)
        for name, n in enumerate(counts): assert np.ptp([asked_so_far[name, i] for i in range(n)] or [0]) <= 1


def test_three_are_asked_anew_on_another_day(on_day):
    "What was answered in the quiz is not shown; what is answered here today is, and counts for the quiz as well."
    keys = [key.split("/") for key, _ in three_from_before("02_tensors")._asked]
    bank, html = {question["name"]: question for question in questions("01_pixels")}, three_from_before("02_tensors").as_html()
    page = on_day(quiz("01_pixels").as_html())
    for at, question in enumerate(bank.values()): answer(page, at, True, question)
    later = on_day(html, 1, page)
    assert replies(later) == [""] * 3 and later.locator(".psq-score").inner_text() == "0 of 3 right"
    answer(later, 0, False, bank[keys[0][1]])
    again = on_day(html, 1, page)
    assert replies(again)[0].startswith("Not this.") and again.get_by_role("button", name="Forget").count() == 0 and violations(again) == []
    assert len(asked(on_day(review().as_html(), 2, page))) == 1


def test_no_lesson_before(lesson_file):
    for name in ("00_small", "01_next"): lesson_file(SOUND, name)
    for lesson, says in (("00_small", "no lesson before '00_small' has questions"), ("01_nex", "did you mean '01_next'")):
        with pytest.raises(ValueError, match=says): three_from_before(lesson)
    assert [key for key, _ in three_from_before("01_next")._asked] == ["00_small/rank", "00_small/half", "00_small/rank"]
