"""The quizzes: each answer proved and explained, the same each time, and readable as text, as a form, and where no script may run."""
import re
from html import unescape

import pytest
from small_lesson import DOUBLE, SOUND, lesson_file  # noqa: F401

from pixelsim.course.exercise import lesson_names, run_code
from pixelsim.course.lesson_files import lesson_file as content_of, lesson_files, questions
from pixelsim.course.markdown import to_html
from pixelsim.course.quizzes import quiz

LESSONS = [lesson for lesson in lesson_files() if questions(lesson)]
every_lesson = pytest.mark.parametrize("stem", LESSONS)


@pytest.mark.parametrize("lesson, entry", [pytest.param(lesson, entry, id=entry["name"]) for lesson in LESSONS for entry in questions(lesson) if "check" in entry])
def test_the_right_answer_is_proved(lesson, entry):
    "The `check` code of a question runs, with the right answer at hand."
    assert "assert" in entry["check"]
    right = entry.get("answer", next((c["text"] for c in entry.get("choice", []) if c.get("right")), None))
    run_code(entry["check"], dict(lesson_names(lesson, content_of(lesson).get("given", "")), answer=right), f"{entry['name']}: check")


@every_lesson
def test_a_quiz_is_the_same_each_time_and_readable_as_text(stem):
    page, text = quiz(stem)._repr_html_(), repr(quiz(stem))
    assert page == quiz(stem)._repr_html_() and "http:" not in page and "https:" not in page
    for i, question in enumerate(questions(stem), 1):
        assert f"Question {i} of {len(questions(stem))}\n{question['asks']}" in text
        assert all(choice["text"] in text and choice["says"] not in text for choice in question.get("choice", []))
        assert "choice" in question or question["says"] not in text


def test_html_is_escaped(lesson_file):  # noqa: F811
    lesson_file(SOUND.replace("What is the rank of an image?", "Is `<b>` & `a<b` **bold**, 2 * 3?").replace('says = "Halfway."', """says = '''
Look:

```python
if x<1: print("*")
```
'''"""))
    page = quiz("00_small")._repr_html_()
    assert "<p>Is <code>&lt;b&gt;</code> &amp; <code>a&lt;b</code> <strong>bold</strong>, 2 * 3?</p>" in page
    assert '<pre><code>if x&lt;1: print("*")</code></pre>' in page


def test_a_lesson_without_questions(lesson_file):  # noqa: F811
    lesson_file(DOUBLE)
    with pytest.raises(ValueError, match="the lesson '00_small' has no questions"): quiz("00_small")
    assert questions("00_small") == []


# The quiz in a browser


def plain(html): return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).replace(".", ". ").split())


@pytest.fixture
def open_quiz(browser):
    "A function that opens a lesson's quiz in a page of its own; no error and no request may come of it."
    contexts, trouble = [], []

    def open_it(stem, width=800, dark=False, **options):
        context = browser.new_context(viewport=dict(width=width, height=900), color_scheme="dark" if dark else "light", **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("request", lambda request: trouble.append(request.url))
        colors = "#111;color:#eee" if dark else "#fff;color:#222"
        page.set_content(f'<!doctype html><html lang="en"><title>Quiz</title><meta name="viewport" content="width=device-width">'
                         f'<body style="font-family:sans-serif;background:{colors}"><main><h1>Quiz</h1>{quiz(stem)._repr_html_()}</main>')
        return page
    yield open_it
    for context in contexts: context.close()
    assert trouble == []


def typed(answer): return str(tuple(answer)) if isinstance(answer, list) else str(answer)


def is_told(section, question, answer, right):
    "Does the feedback of a question say what belongs to the answer, and whether it is right?"
    said = plain(section.locator(".psq-feedback").inner_html())
    assert said == plain(("<p>Right. " if right else "<p>Not this. ") + to_html(answer)[3:]), (question["name"], said)


@pytest.mark.parametrize("width, dark", [(800, False), (360, True)])
@every_lesson
def test_every_answer_of_the_quiz_in_a_browser(stem, width, dark, open_quiz):
    "Each choice and each known answer is given, wrong ones first, and each says its own; nothing is wider than the page."
    page, found = open_quiz(stem, width, dark), questions(stem)
    for at, question in enumerate(found):
        section = page.locator(".psq-question").nth(at)
        check_it = section.get_by_role("button", name="Check")
        check_it.click()
        assert re.match("Choose an answer first|Write a", section.locator(".psq-feedback").inner_text())
        assert page.locator(".psq-score").inner_text() == f"{at} of {len(found)} right"
        if question["kind"] == "choice":
            assert section.get_by_role("radio").count() == len(question["choice"])
            for choice in sorted(question["choice"], key=lambda c: c.get("right", False)):
                section.get_by_role("radio").nth(question["choice"].index(choice)).check()
                check_it.click()
                is_told(section, question, choice["says"], choice.get("right", False))
        else:
            field = section.get_by_role("textbox")
            for answer, says in [("(9, 9, 9)" if question["kind"] == "shape" else "-98765", question["otherwise"]),
                                 *((typed(m["answer"]), m["says"]) for m in question["mistake"]), (typed(question["answer"]), question["says"])]:
                field.fill(answer)
                field.press("Enter")
                is_told(section, question, says, says == question["says"])
        assert page.locator(".psq-score").inner_text() == f"{at + 1} of {len(found)} right"
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("kind, texts, verdict", [
    ("shape", ["(28, 28)", "28,28", "28 x 28", "28×28", "[28, 28]", "torch.Size([28, 28])", " ( 28 , 28 , ) "], "Right."),
    ("shape", ["()", "[]", "28 28 28", "(28,)"], "Not this."), ("shape", ["", "two", "(a, b)", "28.5", "(", "n, 28"], "Write a shape"),
    ("number", ["576", " 576.0 ", "5.76e2", "600", "1152/2"], "Right."), ("number", ["192", "-576", "0", "1,576", "576%", "625"], "Not this."),
    ("number", ["", "many", "1/0", "--5", "5 or 6", "0x10"], "Write a number")])
def test_what_may_be_typed(open_quiz, kind, texts, verdict):
    "Shapes and numbers in the ways that people write them; for anything else there is an explanation of how."
    page, found = open_quiz("03_means"), questions("03_means")
    section = page.locator(".psq-question").nth(next(i for i, q in enumerate(found) if q["name"] == {"shape": "shape-of-the-mean", "number": "three-times-as-good"}[kind]))
    for text in texts:
        section.get_by_role("textbox").fill(text)
        section.get_by_role("button").click()
        assert section.locator(".psq-feedback").inner_text().startswith(verdict), text


def test_the_quiz_needs_no_mouse(open_quiz):
    "Tab, arrow keys, space and Enter are enough, and what they lead to is announced."
    page = open_quiz("03_means")
    at = next(i for i, q in enumerate(questions("03_means")) if q["kind"] == "choice")
    section = page.locator(".psq-question").nth(at)
    assert page.locator("input:not([data-lm-suppress-shortcuts]), button:not([data-lm-suppress-shortcuts])").count() == 0  # or JupyterLab takes the keys
    section.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    assert section.get_by_role("radio").nth(1).is_checked()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Check"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    status = section.get_by_role("status")
    assert re.match("Right|Not this", status.inner_text())
    question = questions("03_means")[at]
    assert plain(to_html(question["asks"])) in plain(page.get_by_role("group").nth(at).evaluate("f => f.getAttribute('aria-labelledby').split(' ').map(i => document.getElementById(i).innerHTML).join(' ')"))


def test_two_quizzes_on_a_page_do_not_disturb_each_other(open_quiz):
    page = open_quiz("03_means")
    page.evaluate("html => { const r = document.createRange(); document.body.append(r.createContextualFragment(html)); }", quiz("03_means")._repr_html_())
    at = next(i for i, q in enumerate(questions("03_means")) if q["kind"] == "choice")
    first, second = (page.locator(".pixelsim-quiz").nth(i).locator(".psq-question").nth(at) for i in (0, 1))
    first.get_by_role("radio").nth(0).check()
    second.get_by_role("radio").nth(1).check()
    assert first.get_by_role("radio").nth(0).is_checked()
    assert page.evaluate("(ids => new Set(ids).size === ids.length)([...document.querySelectorAll('[id]')].map(e => e.id))")
    assert page.locator(".psq-score").count() == 2


def test_the_quiz_without_a_script(open_quiz):
    "Where no script may run, every choice unfolds what it says, and the answers to the other questions unfold too."
    page, found = open_quiz("03_means", java_script_enabled=False), questions("03_means")
    for at, question in enumerate(found):
        section = page.locator(".psq-question").nth(at)
        folds = section.locator("details")
        assert folds.count() == (len(question["choice"]) if question["kind"] == "choice" else len(question["mistake"]) + 2)
        assert not folds.first.locator(".psq-says").is_visible()
        folds.first.locator("summary").click()
        assert folds.first.locator(".psq-says").is_visible()
    assert page.get_by_role("radio").count() == page.get_by_role("textbox").count() == 0
