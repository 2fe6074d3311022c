"""The quizzes: each answer proved and explained, the same each time, and readable as text, as a form, and where no script may run."""
import json
import re
from html import unescape
from pathlib import Path

import pytest
from conftest import violations
from figure_pages import beside_a_kernel
from small_lesson import DOUBLE, SOUND

from pixelsim.course.exercise import lesson_names, run_code
from pixelsim.course.lesson_files import lesson_file as content_of, lesson_files, predictions, questions
from pixelsim.course.markdown import to_html
from pixelsim.course.progress_file import PROGRESS_FILE, known_answers, record_answers, reset_progress, session
from pixelsim.course.quizzes import predict, quiz

LESSONS = [lesson for lesson in lesson_files() if questions(lesson)]
every_lesson = pytest.mark.parametrize("stem", LESSONS)


@pytest.mark.parametrize("lesson, entry", [pytest.param(lesson, entry, id=entry["name"]) for lesson in lesson_files() for entry in predictions(lesson) + questions(lesson) if "check" in entry])
def test_the_right_answer_is_proved(lesson, entry):
    "The `check` code of a question runs, with the right answer at hand."
    assert "assert" in entry["check"]
    right = entry.get("answer", next((c["text"] for c in entry.get("choice", []) if c.get("right")), None))
    run_code(entry["check"], dict(lesson_names(lesson, content_of(lesson).get("given", "")), answer=right), f"{entry['name']}: check")


@every_lesson
def test_a_quiz_is_the_same_each_time_and_readable_as_text(stem):
    page, text = quiz(stem).as_html(), repr(quiz(stem))
    assert page == quiz(stem).as_html() and "http:" not in page and "https:" not in page
    for i, question in enumerate(questions(stem), 1):
        assert f"Question {i} of {len(questions(stem))}\n{question['asks']}" in text and ("choice" in question or question["says"] not in text)
        assert all(choice["text"] in text and choice["says"] not in text for choice in question.get("choice", []))


def test_html_is_escaped(lesson_file):
    says = "'''\nLook:\n\n```python\nif x<1: print(\"*\")\n```\n'''"
    lesson_file(SOUND.replace("What is the rank of an image?", "Is `<b>` & `a<b` **bold**, 2 * 3?").replace('"Halfway."', says))
    page = quiz("00_small").as_html()
    assert "<p>Is <code>&lt;b&gt;</code> &amp; <code>a&lt;b</code> <strong>bold</strong>, 2 * 3?</p>" in page
    assert '<pre><code>if x&lt;1: print("*")</code></pre>' in page


def test_a_lesson_without_questions(lesson_file):
    lesson_file(DOUBLE)
    with pytest.raises(ValueError, match="the lesson '00_small' has no questions"): quiz("00_small")


# The quiz in a browser

MEANS = questions("03_means")
CHOICE = next(i for i, question in enumerate(MEANS) if question["kind"] == "choice")
RIGHT = [bool(choice.get("right")) for choice in MEANS[CHOICE]["choice"]].index(True)


def plain(html): return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).replace(".", ". ").split())


@pytest.fixture
def open_quiz(open_page):
    "A function that opens a lesson's quiz in a page of its own; no error and no request may come of it."
    return lambda stem="03_means", **options: open_page(quiz(stem).as_html(), **options)


def form(page, at=0): return page.locator(".psq-question").nth(at)


def said(page, at=0): return form(page, at).locator(".psq-feedback").inner_text()


def score(page): return page.locator(".psq-score").inner_text()


def type_in(page, text, at=0):
    form(page, at).get_by_role("textbox").fill(text)
    form(page, at).get_by_role("textbox").press("Enter")


def choose(page, which, at=CHOICE):
    form(page, at).get_by_role("radio").nth(which).check()
    form(page, at).get_by_role("button", name="Check").click()


def kept(page): return json.loads(page.evaluate("localStorage.getItem('pixelsim-answers')"))


@every_lesson
def test_every_answer_of_the_quiz_in_a_browser(stem, open_quiz):
    "Each choice and each known answer is given, wrong ones first, and each says its own; nothing is wider than the page, on a phone or not."
    page, found = open_quiz(stem, width=360, dark=True), questions(stem)
    def typed(answer): return str(tuple(answer)) if isinstance(answer, list) else str(answer)
    def is_said(at, says, right):
        assert plain(form(page, at).locator(".psq-feedback").inner_html()) == plain(("<p>Right. " if right else "<p>Not this. ") + to_html(says)[3:]), found[at]["name"]
    for at, question in enumerate(found):
        form(page, at).get_by_role("button", name="Check").click()
        assert re.match("Choose an answer first|Write a", said(page, at)) and score(page) == f"{at} of {len(found)} right"
        if question["kind"] == "choice":
            assert form(page, at).get_by_role("radio").count() == len(question["choice"])
            for which, choice in sorted(enumerate(question["choice"]), key=lambda pair: pair[1].get("right", False)):
                choose(page, which, at)
                is_said(at, choice["says"], choice.get("right", False))
        else:
            other = dict(answer="(9, 9, 9)" if question["kind"] == "shape" else "-98765", says=question["otherwise"])
            for known in [other, *question["mistake"], question]:
                type_in(page, typed(known["answer"]), at)
                is_said(at, known["says"], known is question)
        assert score(page) == f"{at + 1} of {len(found)} right"
    for width in (360, 800):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_what_may_be_typed(open_quiz):
    "Shapes and numbers in the ways that people write them; for anything else there is an explanation of how."
    page = open_quiz()
    for name, verdict, texts in [
            ("shape-of-the-mean", "Right.", ["(28, 28)", "28,28", "28 x 28", "28×28", "[28, 28]", "torch.Size([28, 28])", " ( 28 , 28 , ) "]),
            ("shape-of-the-mean", "Not this.", ["()", "[]", "28 28 28", "(28,)"]),
            ("shape-of-the-mean", "Write a shape", ["", "two", "(a, b)", "28.5", "(", "n, 28"]),
            ("three-times-as-good", "Right.", ["576", " 576.0 ", "5.76e2", "600", "1152/2"]),
            ("three-times-as-good", "Not this.", ["192", "-576", "0", "1,576", "576%", "625"]),
            ("three-times-as-good", "Write a number", ["", "many", "1/0", "--5", "5 or 6", "0x10"])]:
        at = [question["name"] for question in MEANS].index(name)
        for text in texts:
            type_in(page, text, at)
            assert said(page, at).startswith(verdict), text


def test_the_quiz_needs_no_mouse(open_quiz):
    "Tab, arrow keys, space and Enter are enough, and what they lead to is announced."
    page = open_quiz()
    section = form(page, CHOICE)
    assert page.locator("input:not([data-lm-suppress-shortcuts]), button:not([data-lm-suppress-shortcuts])").count() == 0  # or JupyterLab takes the keys
    section.get_by_role("radio").first.focus()
    for key in ("Space", "ArrowDown"): page.keyboard.press(key)
    assert section.get_by_role("radio").nth(1).is_checked()
    page.keyboard.press("Tab")
    assert page.evaluate("[document.activeElement.textContent, getComputedStyle(document.activeElement).outlineStyle]") == ["Check", "solid"]
    page.keyboard.press("Enter")
    assert re.match("Right|Not this", section.get_by_role("status").inner_text())
    label = page.get_by_role("group").nth(CHOICE).evaluate("f => f.getAttribute('aria-labelledby').split(' ').map(i => document.getElementById(i).innerHTML).join(' ')")
    assert plain(to_html(MEANS[CHOICE]["asks"])) in plain(label)


def test_two_quizzes_on_a_page_do_not_disturb_each_other(open_page):
    "What is answered in one shows in the other, since it is the same question; what is only chosen does not."
    page, other = open_page(quiz("03_means").as_html() * 2), CHOICE + len(MEANS)
    form(page, CHOICE).get_by_role("radio").first.check()
    assert not form(page, other).get_by_role("radio").first.is_checked()
    form(page, CHOICE).get_by_role("button", name="Check").click()
    assert form(page, other).get_by_role("radio").first.is_checked() and said(page, other) == said(page, CHOICE) != ""
    assert page.evaluate("(ids => new Set(ids).size === ids.length)([...document.querySelectorAll('[id]')].map(e => e.id))")


def test_the_quiz_without_a_script(open_quiz):
    "Where no script may run, every choice unfolds what it says, and the answers to the other questions unfold too."
    page = open_quiz(java_script_enabled=False)
    for at, question in enumerate(MEANS):
        folds = form(page, at).locator("details")
        assert folds.count() == (len(question["choice"]) if question["kind"] == "choice" else len(question["mistake"]) + 2)
        assert not folds.first.locator(".psq-says").is_visible()
        folds.first.locator("summary").click()
        assert folds.first.locator(".psq-says").is_visible()
    assert page.get_by_role("radio").count() == page.get_by_role("textbox").count() == 0


# What was answered, and what is predicted

PREDICTION = SOUND.replace('[[question]]\nname = "half"', '[[prediction]]\nname = "half"').replace("question.mistake", "prediction.mistake")


def test_a_page_remembers_answers_until_they_are_to_be_forgotten(open_quiz):
    "With every try, when it was; loaded again the last reply is there; a button forgets them, and they stay forgotten; what is damaged is no trouble."
    page, key, wrong = open_quiz(), f"03_means/{MEANS[CHOICE]['name']}", (RIGHT + 1) % 3
    def again(): return open_quiz(context=page.context)
    assert not page.get_by_role("button", name="Forget").is_visible()
    for which in (wrong, RIGHT): choose(page, which)
    assert [(x["given"], x["right"]) for x in kept(page)[key]] == [("ABCDEFGH"[wrong], False), ("ABCDEFGH"[RIGHT], True)]
    later = again()
    assert said(later, CHOICE).startswith("Right.") and score(later) == f"1 of {len(MEANS)} right"
    assert form(later, CHOICE).get_by_role("radio").nth(RIGHT).is_checked()
    later.get_by_role("button", name="Forget").click()
    assert said(later, CHOICE) == "" and score(later).startswith("0 of") and score(again()).startswith("0 of")
    for text in ("{", "7", "null", "[]", *(json.dumps({key: tries}) for tries in (7, [{}], [{"given": "Z"}]))):
        page.evaluate("text => localStorage.setItem('pixelsim-answers', text)", text)
        assert score(again()).startswith("0 of"), text


@pytest.mark.parametrize("given, says, foreseen", [("0.5", "Right. Halfway.", 1), ("1", "Not this. That is the sum.", 0),
                                                   ("7", "Not this. Add and divide by 2.", 0), (None, "Not predicted. Read on and see.", 0)])
def test_a_prediction_is_made_once_and_unfolds_what_answers_it(open_page, lesson_file, given, says, foreseen):
    "As far as the next prediction, also when one comes back; the quiz at the end says how many were right, and its button forgets them, even alone."
    lesson_file(PREDICTION)
    after = '<details class="after"><summary style="padding: 8px">What happens</summary>0.5</details>'
    html = predict("half").as_html() + after + '<div class="cell tag_hide-output"><details class="hide"><summary style="padding: 8px">Output</summary>0.5</details></div>'
    html += '<details><summary style="padding: 8px">Other</summary></details>' + predict("half").as_html().replace("00_small/half", "00_small/next") + after + quiz("00_small").as_html()
    page = open_page(html)
    def opened(page): return page.evaluate("[...document.querySelectorAll('main > details, .cell details')].map((each) => each.open)")
    assert opened(page) == [False] * 4 and score(page) == "0 of 1 right" and violations(page) == []
    form(page).get_by_role("button", name="Predict").click()
    assert said(page) == "Write a number, such as 0.25 or 1/4."
    if given is None: form(page).get_by_role("button", name="just show me").click()
    else: type_in(page, given)
    later = open_page(html, context=page.context)
    for each in (page, later):
        assert said(each) == says and form(each).get_by_role("textbox").is_disabled() and opened(each) == [True, True, False, False]
        assert score(each) == f"0 of 1 right; of the lesson's 1 predictions, you made {foreseen} right" and violations(each) == []
    assert page.evaluate("document.activeElement.getAttribute('role')") == "status"  # or the keyboard would be at the top of the page
    page.get_by_role("button", name="Forget these answers and the predictions").click()
    assert kept(page) == {}
    for each in (page, open_page(html, context=page.context)): assert form(each).get_by_role("textbox").is_enabled()


def test_what_is_answered_beside_a_kernel_is_in_the_progress_file(open_page, lesson_file, own_folder):
    "Every try; shown again in this kernel and in the next; and forgotten there, too, without touching another question."
    lesson_file(SOUND)
    asked, page = quiz("00_small"), open_page()
    asked._repr_mimebundle_()
    beside_a_kernel(page, asked)
    for text in ("1", "0.5"): type_in(page, text, 1)
    for saved in page.evaluate("model.saved"): asked.set_state({"tries": saved["tries"]})
    tries = json.loads(Path(PROGRESS_FILE).read_text())["answers"]["00_small/half"]
    assert [(x["given"], x["right"]) for x in tries] == [("1", False), ("0.5", True)]
    other = quiz("00_small")
    other._repr_mimebundle_()
    assert other.tries == {"00_small/half": tries} and said(page, 1) == "Right. Halfway."
    record_answers({"01_pixels/else": tries[:1]})
    other.set_state({"tries": {}})
    assert asked.tries == {} and known_answers() == {"01_pixels/else": tries[:1]}


def test_answers_where_nothing_can_be_written(own_folder, monkeypatch):
    "They are kept in the kernel, and the next exercise says so."
    def full(*_): raise OSError(30, "Read-only file system")
    monkeypatch.setattr("pixelsim.course.progress_file.write_whole", full)
    answers = {"00_small/rank": [dict(given="A", right=True, when="2026-01-01T10:00:00+00:00")]}
    record_answers(answers)
    assert known_answers() == answers and "cannot be saved here (Read-only file system)" in session.untold
    assert reset_progress().text.startswith("Forgotten: 0 exercises, 1 question.") and known_answers() == {}


def test_which_predictions_there_are(lesson_file):
    lesson_file(PREDICTION)
    assert repr(predict("half")) == "Predict\nWhat is the mean of 0 and 1?" and predict("half").once and quiz("00_small").predictions == ["00_small/half"]
    for names, says in (((), "name what to predict"), (("hafl",), "did you mean 'half'")):
        with pytest.raises(ValueError, match=says): predict(*names)
    lesson_file(PREDICTION.replace('name = "half"', 'name = "rank"'))
    with pytest.raises(ValueError, match="name 'rank' stands there twice"): predict("rank")
