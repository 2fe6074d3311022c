"""The quizzes: each answer proved and explained, the same each time, and readable as text, as a form, and where no script may run."""
import json
import re
from html import unescape
from pathlib import Path

import pytest
from conftest import violations
from figure_pages import beside_a_kernel, open_page  # noqa: F401
from small_lesson import DOUBLE, SOUND, lesson_file, own_folder  # noqa: F401

from pixelsim.course.exercise import lesson_names, run_code
from pixelsim.course.lesson_files import lesson_file as content_of, lesson_files, predictions, questions
from pixelsim.course.markdown import to_html
from pixelsim.course.progress_file import PROGRESS_FILE, known_answers, record_answers, reset_progress, session
from pixelsim.course.quizzes import Quiz, predict, quiz

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
    page = quiz("00_small").as_html()
    assert "<p>Is <code>&lt;b&gt;</code> &amp; <code>a&lt;b</code> <strong>bold</strong>, 2 * 3?</p>" in page
    assert '<pre><code>if x&lt;1: print("*")</code></pre>' in page


def test_a_lesson_without_questions(lesson_file):  # noqa: F811
    lesson_file(DOUBLE)
    with pytest.raises(ValueError, match="the lesson '00_small' has no questions"): quiz("00_small")
    assert questions("00_small") == []


# The quiz in a browser


def plain(html): return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).replace(".", ". ").split())


@pytest.fixture
def open_quiz(open_page):  # noqa: F811
    "A function that opens a lesson's quiz in a page of its own; no error and no request may come of it."
    return lambda stem, *args, **options: open_page(quiz(stem).as_html(), *args, **options)


def typed(answer): return str(tuple(answer)) if isinstance(answer, list) else str(answer)


def is_told(section, question, answer, right):
    "Does the feedback of a question say what belongs to the answer, and whether it is right?"
    said = plain(section.locator(".psq-feedback").inner_html())
    assert said == plain(("<p>Right. " if right else "<p>Not this. ") + to_html(answer)[3:]), (question["name"], said)


@pytest.mark.parametrize("width, dark", [(800, False), (360, True)])
@every_lesson
def test_every_answer_of_the_quiz_in_a_browser(stem, width, dark, open_quiz):
    "Each choice and each known answer is given, wrong ones first, and each says its own; nothing is wider than the page."
    page, found = open_quiz(stem, width=width, dark=dark), questions(stem)
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


def test_two_quizzes_on_a_page_do_not_disturb_each_other(open_page):  # noqa: F811
    "What is answered in one shows in the other, since it is the same question; what is only chosen does not."
    page = open_page(quiz("03_means").as_html() * 2)
    at = next(i for i, q in enumerate(questions("03_means")) if q["kind"] == "choice")
    first, second = (page.locator(".pixelsim-quiz").nth(i).locator(".psq-question").nth(at) for i in (0, 1))
    first.get_by_role("radio").nth(0).check()
    assert not second.get_by_role("radio").nth(0).is_checked()
    first.get_by_role("button", name="Check").click()
    assert second.get_by_role("radio").nth(0).is_checked() and second.get_by_role("status").inner_text() == first.get_by_role("status").inner_text()
    assert page.evaluate("(ids => new Set(ids).size === ids.length)([...document.querySelectorAll('[id]')].map(e => e.id))")


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


# What was answered, and what is predicted

PREDICTION = SOUND.replace('[[question]]\nname = "half"', '[[prediction]]\nname = "half"').replace("question.mistake", "prediction.mistake")


def test_a_page_remembers_answers_until_they_are_to_be_forgotten(open_quiz):
    "With every try, when it was; loaded again the last reply is there; a button forgets them, and they stay forgotten."
    page = open_quiz("03_means")
    at, asked = next((i, q) for i, q in enumerate(questions("03_means")) if q["kind"] == "choice")
    right = next(i for i, c in enumerate(asked["choice"]) if c.get("right"))
    section = page.locator(".psq-question").nth(at)
    assert not page.get_by_role("button", name="Forget").is_visible()
    for choice in ((right + 1) % 3, right):
        section.get_by_role("radio").nth(choice).check()
        section.get_by_role("button").click()
    kept = json.loads(page.evaluate("localStorage.getItem('pixelsim-answers')"))
    assert [(x["given"], x["right"]) for x in kept[f"03_means/{asked['name']}"]] == [("ABCDEFGH"[(right + 1) % 3], False), ("ABCDEFGH"[right], True)]
    again = open_quiz("03_means", context=page.context)
    section = again.locator(".psq-question").nth(at)
    assert section.locator(".psq-feedback").inner_text().startswith("Right.") and section.get_by_role("radio").nth(right).is_checked()
    assert again.locator(".psq-score").inner_text() == f"1 of {len(questions('03_means'))} right"
    again.get_by_role("button", name="Forget").click()
    assert section.locator(".psq-feedback").inner_text() == "" and again.locator(".psq-score").inner_text().startswith("0 of")
    assert open_quiz("03_means", context=page.context).locator(".psq-score").inner_text().startswith("0 of")


def test_damaged_answers_in_the_browser_are_no_trouble(open_quiz):
    page = open_quiz("03_means")
    name = questions("03_means")[0]["name"]
    for text in ("{", "7", "null", "[]", json.dumps({f"03_means/{name}": 7}), json.dumps({f"03_means/{name}": [{}]}), json.dumps({f"03_means/{name}": [{"given": "Z"}]})):
        page.evaluate("text => localStorage.setItem('pixelsim-answers', text)", text)
        assert open_quiz("03_means", context=page.context).locator(".psq-score").inner_text().startswith("0 of")


@pytest.mark.parametrize("given, says, foreseen", [("0.5", "Right. Halfway.", 1), ("1", "Not this. That is the sum.", 0), ("7", "Not this. Add and divide by 2.", 0), (None, "Not predicted. Read on and see.", 0)])
def test_a_prediction_is_made_once_and_unfolds_what_answers_it(open_page, lesson_file, given, says, foreseen):  # noqa: F811
    "As far as the next prediction; it can be skipped; the quiz at the end says how many were right; and so it is when one comes back."
    lesson_file(PREDICTION)
    after = '<details class="after"><summary style="padding: 8px">What happens</summary>0.5</details>'
    html = predict("half").as_html() + after + '<div class="cell tag_hide-output"><details class="hide"><summary style="padding: 8px">Output</summary>0.5</details></div><details><summary style="padding: 8px">Other</summary></details>'
    html += predict("half").as_html().replace("00_small/half", "00_small/next") + after + quiz("00_small").as_html()
    page = open_page(html)
    opened = "[...document.querySelectorAll('main > details, .cell details')].map((each) => each.open)"
    assert page.evaluate(opened) == [False] * 4 and page.locator(".psq-score").inner_text() == "0 of 1 right" and violations(page) == []
    form = page.locator(".psq-question").first
    form.get_by_role("button", name="Predict").click()
    assert form.get_by_role("status").inner_text() == "Write a number, such as 0.25 or 1/4."
    if given is None: form.get_by_role("button", name="just show me").click()
    else:
        form.get_by_role("textbox").fill(given)
        page.keyboard.press("Enter")
    for each in (page, open_page(html, context=page.context)):
        form = each.locator(".psq-question").first
        assert form.get_by_role("status").inner_text() == says and form.get_by_role("textbox").is_disabled()
        assert each.evaluate(opened) == [True, True, False, False]
        assert each.locator(".psq-score").inner_text() == f"0 of 1 right; of the lesson's 1 predictions, you made {foreseen} right" and violations(each) == []
    assert page.evaluate("document.activeElement.getAttribute('role')") == "status"  # or the keyboard would be at the top of the page


def test_a_prediction_is_forgotten_with_the_answers(open_page, lesson_file):  # noqa: F811
    "By the button of the quiz, also if nothing else was answered; then it can be made again."
    lesson_file(PREDICTION)
    page = open_page(predict("half").as_html() + quiz("00_small").as_html())
    page.get_by_role("button", name="just show me").click()
    assert page.get_by_role("textbox").is_disabled()
    page.get_by_role("button", name="Forget these answers and the predictions").click()
    assert page.get_by_role("textbox").is_enabled() and page.evaluate("localStorage.getItem('pixelsim-answers')") == "{}"
    assert open_page(predict("half").as_html(), context=page.context).get_by_role("textbox").is_enabled()


def test_what_is_answered_beside_a_kernel_is_in_the_progress_file(open_page, lesson_file, own_folder):  # noqa: F811
    "Every try; shown again in this kernel and in the next; and forgotten there, too, without touching another question."
    lesson_file(SOUND)
    asked, page = quiz("00_small"), open_page()
    asked._repr_mimebundle_()
    beside_a_kernel(page, asked)
    page.get_by_role("textbox").fill("1")
    page.keyboard.press("Enter")
    page.get_by_role("textbox").fill("0.5")
    page.keyboard.press("Enter")
    for saved in page.evaluate("model.saved"): asked.set_state({"tries": saved["tries"]})
    tries = json.loads(Path(PROGRESS_FILE).read_text())["answers"]["00_small/half"]
    assert [(x["given"], x["right"]) for x in tries] == [("1", False), ("0.5", True)]
    other = quiz("00_small")
    other._repr_mimebundle_()
    assert other.tries == {"00_small/half": tries} and page.locator(".psq-feedback").last.inner_text() == "Right. Halfway."
    record_answers({"01_pixels/else": tries[:1]})
    other.set_state({"tries": {}})
    assert asked.tries == {} and known_answers() == {"01_pixels/else": tries[:1]}


def test_answers_where_nothing_can_be_written(lesson_file, own_folder, monkeypatch):  # noqa: F811
    "They are kept in the kernel, and the next exercise says so."
    lesson_file(SOUND)
    monkeypatch.setattr("pixelsim.course.progress_file.write_whole", lambda *_: (_ for _ in ()).throw(OSError(30, "Read-only file system")))
    one = dict(given="A", right=True, when="2026-01-01T10:00:00+00:00")
    record_answers({"00_small/rank": [one]})
    assert known_answers() == {"00_small/rank": [one]} and "cannot be saved here (Read-only file system)" in session.untold
    assert reset_progress().text.startswith("Forgotten: 0 exercises, 1 question.") and known_answers() == {}


def test_which_predictions_there_are(lesson_file):  # noqa: F811
    lesson_file(PREDICTION)
    assert repr(predict("half")) == "Predict\nWhat is the mean of 0 and 1?" and predict("half").once and quiz("00_small").predictions == ["00_small/half"]
    for names, says in (((), "name what to predict"), (("hafl",), "did you mean 'half'")):
        with pytest.raises(ValueError, match=says): predict(*names)
    lesson_file(PREDICTION.replace('name = "half"', 'name = "rank"'))
    with pytest.raises(ValueError, match="name 'rank' stands there twice"): predict("rank")
