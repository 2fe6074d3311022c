"""Every exercise of every lesson: its solution is right, its mistakes are told, its cell as it comes is not attempted; hints and solutions."""
import re
from pathlib import Path

import pytest
import torch
from small_lesson import SOUND

from pixelsim.course.exercise import exercise_named
from pixelsim.course.lesson_files import exercises, lesson_files
from pixelsim.course.practice import check, hint, solution
from pixelsim.course.progress_file import PROGRESS_FILE

pytestmark = pytest.mark.usefixtures("own_folder")
every_exercise = pytest.mark.parametrize("entry", [pytest.param(entry, id=entry["name"]) for lesson in lesson_files() for entry in exercises(lesson)])


@every_exercise
def test_the_solution_is_right_and_so_is_every_other_way(entry):
    for code in [entry["solution"], *entry.get("also", [])]:
        reply = check(entry["name"], exercise_named(entry["name"]).answer(code, "solution"))
        assert (reply.status, reply.mistake) == ("right", None) and reply.text.lower().startswith(f"✔ **right.** {entry['learned'].lower()}"), reply


@every_exercise
def test_every_mistake_is_told_its_own_message(entry):
    "And no earlier one, nor the message for a right answer."
    assert len(entry["mistake"]) >= 3
    for mistake in entry["mistake"]:
        reply = check(entry["name"], exercise_named(entry["name"]).answer(mistake["code"], mistake["name"]))
        assert (reply.status, reply.mistake, reply.text) == ("wrong", mistake["name"], f"✘ **Not yet.** {mistake['says']}")


@every_exercise
def test_the_untouched_cell_is_not_attempted(entry):
    "The cell as the notebook has it runs, says 'not attempted' in the same words each time, and writes no file."
    replies = []
    assert re.fullmatch(rf'check\("{re.escape(entry["name"])}", \w+\)', entry["starter"].splitlines()[-1])
    for _ in range(2): exec(entry["starter"], dict(exercise_named(entry["name"]).names, check=lambda *a: replies.append(check(*a))))
    assert [reply.status for reply in replies] == ["not attempted"] * 2 and replies[0].text == replies[1].text
    assert "Not attempted yet" in replies[0].text and not any(Path.cwd().iterdir())


@every_exercise
def test_an_answer_that_nobody_foresaw_gets_the_general_message(entry):
    "It is called wrong, honestly, with no mistake's name and with the way to a hint."
    def noise(*a): return torch.rand(3, 5, generator=torch.Generator().manual_seed(int(abs(float(a[0].sum())))))
    answer = noise if "inputs" in entry else (0, 1, 0, 1) if entry["name"] == "telling-window" else torch.full((3, 5, 7), -987.654)
    reply = check(entry["name"], answer)
    assert (reply.status, reply.mistake) == ("wrong", None) and f'`hint("{entry["name"]}")`' in reply.text, reply
    assert "none of the mistakes that are known here" in reply.text or entry["otherwise"] in reply.text


@every_exercise
def test_hints_name_their_exercise_and_stay(entry):
    "One more each time, with all before it; then the way to the solution, and they are still there."
    hints = [f"**Hint {i} of {len(entry['hints'])} for `{entry['name']}`.** {text}" for i, text in enumerate(entry["hints"], 1)]
    for i in range(1, len(hints) + 1): assert hint(entry["name"]).text == "\n\n".join(hints[:i])
    for _ in range(2): assert hint(entry["name"]).text == "\n\n".join([*hints, f'There are no more hints. `solution("{entry["name"]}")` shows the solution.'])


def test_hint_and_solution_of_the_exercise_that_was_checked_last():
    for function in (hint, solution):
        with pytest.raises(ValueError, match="no exercise has been checked yet"): function()
    check("mean-by-hand", ...)
    check("mean-axis", 5)
    assert hint().text.startswith("**Hint 1 of 3 for `mean-axis`.**") and hint().text.endswith("(Of the exercise that was checked last. For another one, give its name.)")
    assert hint("two-prototypes").text.startswith("**Hint 1 of 2 for `two-prototypes`.**") and "Hint 3 of 3 for `mean-axis`" in hint().text
    assert solution().text.startswith("**Solution of mean-axis**")
    text = solution("mean-by-hand").text
    assert text.startswith("**Solution of mean-by-hand**\n\n```python\ndef mean_image(images):\n") and "answer = mean_image" not in text
    assert text.endswith(exercise_named("mean-by-hand").entry["explanation"])


def test_names_that_are_none():
    for wrong, says in (("mean-axes", "there is no exercise 'mean-axes': did you mean 'mean-axis'"), (torch.ones(2), "name the exercise first")):
        for function in (lambda name: check(name, 1), hint):
            with pytest.raises(ValueError, match=says): function(wrong)


def test_a_file_that_changes_or_is_not_sound(lesson_file):
    "It is read anew; whoever is at work on one lesson's file does not take the others' exercises away."
    lesson_file(SOUND)
    assert [check("six", answer).mistake for answer in (6, 5, 10)] == [None, "added", "around"]
    lesson_file(SOUND.replace('"added"', '"summed"') + "# longer")
    lesson_file("[[exercise", "01_broken")
    assert check("six", 5).mistake == "summed" and check("six", 6).status == "right"
    with pytest.raises(ValueError, match="01_broken.toml: this is not TOML"): check("seven", 7)
    lesson_file(SOUND.replace('"answer = 2*3"', '"six = 2*3"'))
    with pytest.raises(ValueError, match="exercise 'six': its solution does not set answer"): check("six", 6)


def slopes():
    v = torch.tensor([2., 5.]).requires_grad_()
    return torch.autograd.grad(3 * v[0] + v[0] * v[1], v)


@pytest.mark.parametrize("name, answer", [("share-not-gray", 0.787), ("hardest-pair", (3, 8, 0.8942)), ("two-slopes", [8.0013, 1.9991]), ("two-slopes", slopes())])
def test_right_answers_of_newcomers(name, answer): assert check(name, answer).status == "right"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_total_of_28_by_28_is_right(dtype):
    "As lesson 3 writes it; and with the last gap still open it is not an error."
    def mean_of(last):
        def mean_image(images):
            total = torch.zeros(28, 28, dtype=dtype)
            for image in images: total += image / 255
            return last(total, images)
        return check("mean-by-hand", mean_image)
    assert mean_of(lambda total, images: total / len(images)).status == "right"
    unfinished = mean_of(lambda total, images: ...)
    assert unfinished.status == "not attempted" and "Not finished yet" in unfinished.text


def test_what_was_tried_is_kept_and_what_became_of_the_file_is_told(own_folder):
    (own_folder / PROGRESS_FILE).write_text("{")
    assert "set-aside-1" in check("mean-axis", 1).text and "mean-axis" in (own_folder / PROGRESS_FILE).read_text()
