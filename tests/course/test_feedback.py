"""What a learner is told of answers that nobody wrote down: the kinds of mistake that one can make in any exercise, tried in all of them.

Each kind is a change of the right answer, made here; whether it is told under its own name, and whether what is said is so, is looked at."""
import functools
import inspect
import sys
import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from small_lesson import DOUBLE, SOUND

from pixelsim.course.clues import argument_clue, calls_clue
from pixelsim.course.compare import as_value
from pixelsim.course.exercise import exercise_named
from pixelsim.course.forms import in_one_step, in_two_steps
from pixelsim.course.lesson_files import exercises, lesson_files
from pixelsim.course.practice import check
from pixelsim.course.slips import slip

pytestmark = pytest.mark.usefixtures("own_folder")
ENTRIES = {entry["name"]: entry for lesson in lesson_files() for entry in exercises(lesson)}
FUNCTIONS = [name for name, entry in ENTRIES.items() if "inputs" in entry]


def known(name): return {mistake["name"] for mistake in ENTRIES[name]["mistake"]}


def right_answer(name): return exercise_named(name).answer(ENTRIES[name]["solution"], "solution")


def typed(name, code):
    "The answer of a learner who types this: a value, or the inside of the function."
    if name in FUNCTIONS: code = f"def answer{inspect.signature(right_answer(name))}:\n{textwrap.indent(code, '    ')}"
    return exercise_named(name).answer(code if "answer =" in code or name in FUNCTIONS else f"answer = {code}", "a learner's")


def told(name, code):
    "What is said to it: status, name of the mistake, and the text in one line."
    reply = check(name, typed(name, code))
    return f"{reply.status}, {reply.mistake}: {' '.join(reply.text.split())}"


def changed(name, change):
    "The right answer of an exercise, or what its function returns, after a change."
    right = right_answer(name)
    return (lambda *arguments: change(right(*arguments))) if name in FUNCTIONS else change(right)


def array(x): return np.asarray(as_value(x).data, dtype=float)


# By exercise: what someone types, and all that has to be said to it, of which the name of the mistake comes first and ends with a colon.
# `None: ` is where no cause may be named, since the answer may have come about by chance. The mistakes' own code is tried in test_practice.py.

TOLD = {
    "labels-from-folders": [("[7]*26", "through these more than once?"), ("[0]*7+[1]*6", "numbered-classes: ")],
    "lower-arc": [("9216", "all-in-one: ", "one single number"), ('"an arc"', "None: ", "numbers, not text"), ("pixels[18:25, 4:]", "behind a colon"),
        ("pixels[:25, 4:21]", "before a colon"), ("other[18:25, 4:21]", "`other` in the place of `pixels`"),
        ("[pixels[r, 4:21] for r in range(18, 25)]", "`np.stack`"), ("[pixels[r] for r in range(18, 25)]", "`np.stack`")],
    "twice-the-ink": [("return (2*image/255).clip(0.6, 1)", "None: ", "are not"),
        ("return (2*to_float(pixels)).clip(0, 1)", "never uses `image`, which it is given. It reads `pixels` instead")],
    "bottom-ink": [('"0.8238"', "Yours is *text* with numbers in it"), ("-3", "below-zero: ", "-3 is less"),
        ("1010/2038", "all-called-the-same: ", "the same side of your threshold"), ("0.5", "None: "), ("1", "one-digit: "), ("0.819", "None: "),
        ("'82.38'", "Yours is *text*", "And there is a second thing. This is the accuracy in percent."), ("(720, 959)", "*how many*, of 2,038")],
    "telling-window": [("[(4, 8), (12, 16)]", "without inner brackets"), ("(slice(4, 8), slice(12, 16))", "without `slice` or `range`"),
        ("(4.0, 8.0, 12.0, 16.0)", "Give whole numbers"), ("(4, 8, 12, 16, 0.8955)", "four whole numbers"),
        ("[(11, 13, 9, 12+i) for i in range(9)]", "several windows"), ("(19, -1, 0, 28)", "move or shrink it"),
        ("(12, 15, 8, 15, 11, 14, 9, 16)", "A window is four whole numbers"), ("(10, 40, 30, 50)", "beyond the image"),
        ("(16, 4, 4, 8)", "no-pixels-in-it: "), ("(4, 8, 12, 30)", "beyond-the-edge: ")],
    "six-in-a-row": [("[1, 2, 3, 4, 5, 6]", "an axis is missing")],
    "two-slopes": [('"8, 2"', "Yours is *text*"), ('{"a": 8, "b": 2}', "only its values")],
    "refused-view": [('"torch.rand(5, 4).T"', "None: ", "`answer.view(20)` is an error")],
    "mean-axis": [("torch.rand(28, 28)", "one-for-each-pixel: ", "the axis of the images is gone"),
        ("torch.rand(6131, 28, 28)", "whole-images: ", "rows and columns are still there"), ("threes.std((1, 2))", "`std`", "comes out with `std`"),
        ("sevens.mean((1, 2))", "`sevens` in the place of `threes`"), ("threes.mean((0, 2))", "the axes (0, 2)"),
        ("torch.full((6131,), math.inf)", "6,131 of 6,131 values are infinite")],
    "share-not-gray": [('"78.7%"', "Yours is *text*"), ("(threes[:, 12, 12]>0.5).float().mean()", "one too small", "comes out, for example, with"),
        ("(to_float(valid[3])[:, 13, 13]>0.5).float().mean()", "`valid` in the place of `train`"),
        ("(threes[:, 13]>0.5).float().mean()", "the last thing in a pair of square brackets"), ("1.0", "one-digit: "),
        ("math.inf", "It is infinite"), ("78.7", "percent: "), ("79", "percent: "), ("0.7672", "gray-instead-of-share: ")],
    "two-prototypes": [("{3: threes.mean(0), 7: sevens.mean(0)}", "After that, yours is a list of 2")],
    "useless-pixel": [('"row 17, column 11"', "in another order"), ("(-18, -14)", "A minus in Python counts from the end"),
        ("torch.tensor([[10, 14]])", "an axis of size 1"), ("'(19, 11)'", "Yours is *text*", "And there is a second thing. "),
        ("(-8, 13)", "outside-the-image: "), ("(3, 28)", "outside-the-image: "), ("torch.tensor([27, 27])", "no-ink-there: "),
        ("(0.4, 0.38)", "values-instead-of-place: "), ("9", "counted-in-one-line: ")],
    "mean-by-hand": [("return mean3", "never uses `images`"),
        ("total = torch.zeros(28, 28)\nfor image in images: ...\nreturn total/len(images)", "Your loop does nothing yet"),
        ("return to_float(images[:10]).mean(0)",
         "right when it is given a tensor of shape (2, 28, 28), but it is not when it is given a tensor of shape (50, 28, 28)"),
        ("return to_float(images).sum(0)/(len(images)-1)", "did you divide by n − 1"),
        ("return to_float(images).sum(0)/784", "divided by 784, in every call"),
        ("total = torch.zeros(28, 28)\nfor image in images: total = (total+image/255)/2\nreturn total", "None: ")],
    "under-the-images": [("images.mean((1, 2))\nreturn images", "is the same as `images`"),
        ("for image in images: return image-image.mean()*2", "over after its first round"),
        ("return images-images.amin((1, 2))[:, None, None]", "makes no difference here")],
    "every-pair": [("return torch.zeros(len(a), len(b))", "all-zero: "), ("return a[:, None]-a", "never uses `b`")],
    "percent-of-the-row": [("return 100*A/A.sum(1)[:, None]", "It reads `A` instead"),
        ("out = []\nfor row in table:\n    out.append(row/row.sum()*50)\n    return out", "over after its first round")],
    "labels-in-a-column": [
        ("return ((predictions-labels.flatten()).abs() <= 1).float().mean()", "right-in-some-calls: ", "right in 2 of 3 calls", "by chance",
         "It is not right when it is given a tensor of shape (8,)"),
        ("return (predictions.sort().values == labels.flatten().sort().values).float().mean()", "None: "),
        ("return (predictions == labels.flatten()).any().float()", "zero-or-one: ")],
    "two-shapes": [('"(5, 1, 3), (4, 1)"', "Yours is *text*"), ("((6, 4, 3), (1, 1, 1))", "None: ", "broadcast to another shape"),
        ("((5, 4, 3), (5, 4, 3))", "or both are")],
    "l2-from-bytes": [("return l2_distance(to_float(a), to_float(b))", "uses `l2_distance`, and the task is to do without it"),
        ("return ((to_float(a)-to_float(b))**2).mean((-1, -2))**1/2", "half the square")],
    "few-pixels": [("torch.zeros(784)", "not in 28 rows and 28 columns"), ("torch.eye(28)*0", "yours has none")],
    "nearest-number": [("(129, 21.48)", "number 1 of them is what was asked for"),
        ("torch.tensor([2.0, 9.0, 4.0]).sort()", "values-and-places: ", "values *and* places"),
        ("638_000", "beyond-all-of-them: ", "No seven has so many pixels"), ("126", "None: "), ("130", "near by chance")],
    "moved-three": [('["5"]', "Yours is *text*"), ('"k is 5"', "Yours is *text*"), ("[[5]]", "take the one number out"),
        ("torch.tensor(True)", "None: ", "numbers, not True and False"), ("torch.arange(28) > 4", "a-list-for-each-k: ", "for each k"),
        ("-4", "None: "), ("95", "None: "), ("250", "None: "), ("-1", "below 0, and it should not be")],
    "nearest-of-many": [("return is_3(images).int()", "never uses `prototypes`"),
        ("return (mnist_distance(images, prototypes[1])<mnist_distance(images, prototypes[0])).int()", "In call 2, there is no 2 among your numbers")],
    "unequal-box": [("(800*926/1010, 200*1013/1028)", "how-many: ", "2 numbers that add up to *how many*, of 1,000"),
        ("930.547/2038", "other-total: ", "divides by 2,038 where 1,000 belongs"), ("0.95", "None: "), ("0.9", "one-digit: "),
        ("1.1631838", "by other numbers in that proportion"), ("0.93", "So far the number is right"),
        ("accuracy_3s", "This is `accuracy_3s`, just as it was."), ("round(accuracy_3s, 4)", "This is `accuracy_3s`, just as it was.")],
    "when-it-says": [("7.5", "all-in-one: ", "one single number"), ("hits*confusion10.sum(0)", "`*` in the place of `/`"),
        ("torch.full((10,), math.nan)", "10 of 10 values are NaN"), ("torch.ones(10, 10)", "below it one number for each digit")],
    "hardest-pair": [('("4", "9", "0.8800")', "Yours is *text*"), ("(0.88, 4, 9)", "in another order"),
        ("object()", "gives-an-object: ", "type `object`"), ("(4, 9, 0.3)", "not-its-score: ", "not the score of these two"),
        ("(4, 9, 0.9)", "rounded-score: ")],
    "how-many-images": [("1805", "all of them are asked for"), ("1900.5", "no-count: "), ("math.inf", "no-count: "), ("-100", "no-count: "),
        ("(0.89, 0.98)", "an-interval: "), ("456", "not-in-steps: "), ("2300", "more-than-needed: ")],
    "mean-or-median": [("53", "above-one: ", "from 0 to 1, and 53 is more"), ("0.4", "None: ", "too large"), ("2**-54", "None: "),
        ("0.0038", "total-kept: "), ("0.00005", "the-same-pair-again: ")],
    "most-confused": [("(0, 1, 0)", "another-pair: ", "another pair is confused more often")],
    "bytes-to-keep": [("1010*784*4", "another-number-of-images: ", "whole number of images")],
    "step-by-hand": [("1.0", "if it was one of these"), ("0.9", "a slope of 0.5")],
    "loss-of-four": [("math.nan", "logarithm of a negative number"), ("0.4", "Four numbers on paper")],
    "start-from-nothing": [("0.6931", "loss-before-the-step: ", "loss")],
    "labels-from-names": [('"three seven seven"', "joined: ", "one* text")],
    "every-fifth": [("[0, 1, 2, 3],[4],[5, 6, 7, 8, 9, 10, 11]", "not-two-lists: ", "two* lists")],
    "score-to-report": [("0.99", "of-no-rate: ", "no accuracy of any of the six")],
    "squares-on-a-page": [('answer = page("25")\nanswer.children[0].observe(None, "value")', "called-at-once: ", "without brackets"),
        ('answer = page("25", lambda change: change**2)', "stops-when-moved: ", "stops with an error")],
    "hard-to-say": [("return ' '.join('3' for _ in distances)", "in-one-text: ", "one* text"),
        ("return 'hard to say' if (distances[:, 0]-distances[:, 1]).abs().min() < 0.01 else '3'", "in-one-text: ")]}

ERRORS = {  # what someone types that stops, and the advice
    "twice-the-ink": [("return to_float(image)[0.5]", "`//` and `int(…)` give whole numbers"), ("return (2*image/255).sqrt()", "`np.sqrt(x)`"),
        ("return to_float(2*to_float(image))", "Convert once, and only once"),
        ("return [[image[r, c] for c in range(28)] for r in range(28)]", "It stopped when it was given an array of shape (2, 4).")],
    "mirror-the-stack": [("return torch.flip(images, 2)", "wants its axes in brackets, `(2,)`"), ("return images.flip()", "too few or too many"),
        ("return images.flip(3)", "axes are counted from 0"), ("return images.reshape(28, 28)", "Write sizes with `x.shape`"),
        ("return images[:, :, images.shape[2]/2:]", "`//` and `int(…)` give whole numbers")],
    "mean-by-hand": [("return images.astype(float)", "a word of NumPy's arrays"), ("return images.mean(0)", "convert with `to_float` first"),
        ("for i in len(images): total = images[i]\nreturn total", "`for i in range(n)`"),
        ("for i in images[0, 0, 0]: total = i\nreturn total", "`for i in range(n)`"),
        ("images += torch.zeros(28, 28)\nreturn images", "what stands on their left")],
    "under-the-images": [("return images-images.mean((1, 2)).item()", "This one holds several"),
        ("return images-imgaes.mean()", "Did you mean `images`?"), ("return images.maen()", "Did you mean `mean`?"),
        ("return images.mean[1]", "without its round brackets")],
    "every-pair": [("return [x for x in a]-b", "A list does not calculate"), ("return a.max(0).abs()", "several things at once"),
        ("return a-b if a>b else b-a", "one single yes or no"), ("return a[0].item()[0]", "one plain number already"), ("return a-'b'", "is *text*"),
        ("return a.view(3, 1).T.view(3)[9]", "the last of n has number n − 1"), ("x = print(a)\nreturn x[0]", "Something is None there"),
        ("return torch.stack(a[0])", "*list* of tensors"), ("return a/(1/0)", "divided by 0"),
        ("total = total+a\nreturn total", "first value inside the function"), ("return a(0)", "square brackets: `x[0]`"),
        ("return a[::-1]", "`flip` turns an axis round"), ("return a[:, 0]-b", "more things than there are axes")],
    "percent-of-the-row": [("return 100*table/table.sum(dim=1, keepdim=True)", "NumPy says `axis=` and `keepdims=`"),
        ("return table.clone()", "An array has `.copy()`")],
    "labels-in-a-column": [("return (predictions==labels.flatten).float().mean()", "a method without its round brackets")],
    "l2-from-bytes": [("return torch.stack([a, b])", "Only tensors of one shape")],
    "nearest-of-many": [("return [3, 7][torch.tensor([0, 1])]", "A tensor takes several at once"),
        ("x, y = images\nreturn x-y", "the same number of things"), ("return images[images[0]>0]", "Print both shapes"),
        ("return (images.flatten(1)-prototypes).abs().mean(-1).argmin(1)", "Two shapes do not fit together")],
    "kindly": [("try: like_mnist(image)\nexcept ValueError as error: return 'Sorry: '+error\nreturn 'ready'", "An error is no text")]}

NOT_TOLD = [("nearest-number", "'129 pixels'", "brackets"), ("nearest-of-many", "return [2]*len(images)", "near by chance"),
            ("twice-the-ink", "return no_such_name", "It stopped when"),
            *(("mirror-the-stack", f"return {code}", "Did you mean") for code in ("mirror(images)", "images.mirror()", "images.len()", "[images].sorted()"))]


@pytest.mark.parametrize("status, name, code, parts", [
    (status, name, code, parts) for status, table in (("wrong", TOLD), ("error", ERRORS)) for name in table for code, *parts in table[name]])
def test_what_is_said(status, name, code, parts):
    says = told(name, code)
    for part in (f"{status}, ", *parts): assert part in says


@pytest.mark.parametrize("name, code, what", NOT_TOLD)
def test_what_is_not_said(name, code, what): assert what not in told(name, code)


def test_a_drawing_is_no_answer():
    figure, axes = plt.subplots(1, 2)
    for answer in (axes, axes[0], list(axes)): assert check("six-in-a-row", answer).mistake == "gives-a-drawing"


def test_a_page_that_stops_is_left_as_it_was():
    "The slider stands where it stood, also if the function behind it stops."
    page = typed("squares-on-a-page", 'answer = page("25", lambda change: change**2)')
    check("squares-on-a-page", page)
    assert [child.value for child in page.children] == [5, "25"]


def test_calls_that_look_alike_are_told_by_their_number():
    "And a name behind a dot is not the argument of that name."
    images = torch.zeros(2, 2)
    assert "right in call 1, but it is not in call 2" in calls_clue(lambda x: x, [(images,), (images,)], [True, False], None)[1]
    assert argument_clue(lambda images: images.images) is None and "never uses `images`" in argument_clue(lambda images: torch.images)[1]


# Forms: text, dictionaries, brackets, lists and axes

FORMS = {
    "a dictionary": lambda x: dict(enumerate(x)), "an axis more": lambda x: array(x)[None], "a column": lambda x: array(x)[..., None],
    "transposed": lambda x: array(x).T, "a long row": lambda x: array(x).reshape(-1), "a list of parts": lambda x: [torch.as_tensor(part) for part in array(x)],
    "brackets within": lambda x: [[x]], "before something else": lambda x: (x, "and more"), "after something else": lambda x: (0, x)}


@pytest.mark.parametrize("name", [name for name in ENTRIES if name not in ("squares-on-a-page", "kindly")])  # a widget, and one text, have no other form
def test_the_right_answer_in_another_form_is_told_so(name):
    "In every exercise, values and functions: it is a matter of form, and what was found is not called wrong."
    answer, seen = right_answer(name)(*exercise_named(name).inputs[-1]) if name in FUNCTIONS else right_answer(name), 0
    for form, change in FORMS.items():
        try: change(answer)
        except (TypeError, ValueError): continue  # it has no such form
        if name in ("few-pixels", "refused-view") and form in ("a dictionary", "a list of parts"): continue  # an array of NumPy is no answer there
        reply = check(name, changed(name, change))
        seen += reply.mistake == "another-form"
        assert reply.status == "right" or reply.mistake in {"another-form", *known(name)}, (form, reply)
    assert seen >= 2


def test_forms_are_not_seen_where_there_are_none():
    for answer in (0.5, torch.rand(2), "a text", [1, 2], None, object(), "", "%", [], (), "9" * 5000):
        assert [*in_one_step([answer]), *in_two_steps([answer])] == [], answer


# Slips: the right numbers, and something done to them

def shares(x): return x.size and ((x > 0) & (x < 1)).all()


def many(x): return x.size > 2 and np.ptp(x) > 0


def broken(x): return (x % 1 != 0).any()


SLIPS = {  # what is done to the right numbers, and for which numbers it is told
    "rounded": (lambda x: x.round(1), lambda x: broken(x) and (abs(x) > 0.1).any()), "percent": (lambda x: 100 * x, shares), "complement": (lambda x: 1 - x, shares),
    "sign": (lambda x: -x, np.any), "squared": (np.square, shares), "root": (np.sqrt, shares), "upside-down": (lambda x: 1 / x, shares),
    "half-the-square": (lambda x: x ** 2 / 2, shares), "factor": (lambda x: 255 * x, broken), "off-by-one": (lambda x: x + 1, lambda x: not broken(x)),
    "all-zero": (lambda x: 0 * x, shares), "cut-at-zero": (lambda x: x.clip(0), lambda x: (x < 0).any()), "sign-dropped": (np.abs, lambda x: (x < 0).any()),
    "all-alike": (lambda x: 0 * x + 0.123, many), "shifted-by": (lambda x: x + 0.375, lambda x: many(x) and x.ndim), "reversed": (lambda x: np.flip(x, 0), many),
    "shifted": (lambda x: np.roll(x, 1, -1), many), "sorted": (np.sort, lambda x: many(x) and x.ndim == 1), "added-up": (lambda x: x.cumsum().reshape(x.shape), many),
    "without-decimals": (np.trunc, lambda x: broken(x) and (x > 1).any()), "places-not-values": (np.argsort, lambda x: x.ndim == 1 and x.size > 3)}


@pytest.mark.parametrize("kind", SLIPS)
def test_a_slip_is_told_in_every_exercise(kind):
    "Whatever the exercise, under its own name or as a mistake that was known, and not as nothing; under its own name in several, where there are several."
    change, suits = SLIPS[kind]
    own = foreseen = seen = 0
    for name in [name for name, entry in ENTRIES.items() if "accepts" not in entry]:
        rights = [array(answer) for answer in exercise_named(name).right.answers if as_value(answer).kind == "number"]
        if not rights or not all(suits(r) for r in rights): continue
        reply = check(name, changed(name, lambda x: change(array(x))))
        if reply.status == "right": continue  # it changes nothing here, or less than may be
        assert reply.status == "wrong" and reply.mistake, (name, reply)
        seen, own, foreseen = seen + 1, own + (reply.mistake == kind), foreseen + (reply.mistake in known(name))
    assert seen and own >= min(seen - foreseen, 2), (own, foreseen, seen)


BY_HAND = {  # the names of slips that are told too seldom by change alone, with an answer worked out by hand
    "cut-off": ([0.126, 0.839], [0.12, 0.83]), "a-hundredth": ([12.5, 50.0], [0.125, 0.5]), "cut-to-0-and-1": ([-0.5, 0.5, 1.5], [0, 0.5, 1]),
    "each-multiplied": ([[0.1, 0.2], [0.3, 0.4]], [[1, 2], [6, 8]]), "transposed": ([[1, 2], [3, 4]], [[1, 3], [2, 4]]),
    "other-places": ([1, 2, 4, 8], [2, 1, 8, 4]), "never-occurs": ([3, 7, 5, 3], [3, 7, 3, 7]), "partly-right": ([1.5, 2.5, 4.5], [1.5, 3.5, 4.5]),
    "only-the-mean": ([1, 2, 6], 3), "only-the-max": ([1, 2, 6], 6), "only-the-first": ([4, 2, 6, 9], 4), "only-the-sum": ([1, 2, 7], 10),
    "only-the-count": ([5, 2, 9, 9], 4),
    "also-the-mean": ([[1, 2], [5, 8]], [3, 5]), "first-only": ([1, 2, 4], [1, 2]), "last-only": ([1, 2, 4], [2, 4]), "its-shape": ([[1, 2, 4], [5, 6, 7]], [2, 3]),
    "not-yet-the-mean": (0.75, [True, False, True, True]), "not-yet-the-sum": ([3, 7], [[1, 2], [3, 4]]), "not-yet-the-max": (6, [1, 2, 6]),
    "not-yet-the-argmax": (2, [1.5, 0, 6.5]), "on-the-diagonal": ([1, 4], [[1, 0], [9, 4]]), "repeated": ([1, 2], [[1, 2], [1, 2], [1, 2]]),
    "one-along-an-axis": ([5, 2, 8], [[1, 5], [9, 2], [3, 8]]), "came-again": ([[1, 2, 8, 9], [3, 5, 7, 4]], [[1, 2, 1, 2], [3, 5, 3, 5]]),
    "multiple": ([0.1, 0.2], [0.3, 0.6]), "from-255": ([0, 93, 255], [255, 162, 0]), "from-100": ([56.4, 12.5], [43.6, 87.5]),
    "each-once": ([7, 7, 3, 3], [3, 7]), "other-names": ([0, 1, 1, 0, 2, 2], [3, 7, 7, 3, 8, 8]), "first-of-them": ([5, 2], [[5, 2], [1, 7]]),
    "goes-on": ([1, 2], [1, 2, 9]), "among-them": (3, [1, 5, 3, 2]), "one-digit": (0.787, 1), "zero-or-one": ([0.2, 0.7, 0.9], [0, 1, 1]),
    "yes-or-no": ([3, 7, 3], [True, False, True]), "opposite": ([True, False], [False, True])}
CUT = [("all-alike", [7, 3, 7], [1, 1, 1]), ("without-decimals", [2.7, 1.2], [2, 1]), ("without-decimals", [2.7, 1.2], [3, 1]),  # cut off, and rounded
       ("percent", 0.787, 78), ("percent", 0.787, 79), ("percent", [0.787, 0.1234], [78.7, 12.3]), ("cut-off", [2.75, 1.28], [2.7, 1.2]), ("rounded", 0.9305, 0.93),
       ("one-digit", 0.21, 0.2), ("one-digit", 0.78, 0.7), ("one-digit", 3.7, 3), ("without-decimals", 12.7, 12), ("off-by-one", [3, 7], [2, 6])]


@pytest.mark.parametrize("kind, right, answer", [*((kind, *pair) for kind, pair in BY_HAND.items()), *CUT])
def test_slips_by_hand(kind, right, answer):
    found = slip([as_value(right)], [as_value(answer)])
    assert found and found[0] == kind and found[1].endswith((".", "?", ")")), found


@pytest.mark.parametrize("right, answer", [
    (0.8238, 0.61), (0.17, 0.8), ([0.1, 0.5], [0.3, 0.2]), (5, 9), ([1.0, 2.0, 3.0], [1.5, 0.2, 9.0]), ("a", "b"), (0.5, 0.53), (0.011, 1), (5, True),
    (5, 10), (5, 25), (2.5, 250), (0.25, 99.75), (0.21, 4.5e-13), ([0, 1, 0, 1], 1), ([0, 1, 1, 2], [0.5, 3.5, 3.5, 9]), ([[1, 2]], [[5, 9]])])
def test_nothing_is_said_where_there_is_nothing_in_common(right, answer): assert slip([as_value(right)], [as_value(answer)]) is None


def test_the_background_at_the_end_is_no_sign_of_where_it_goes_wrong():
    found = slip([as_value(np.arange(22.).reshape(11, 2))], [as_value(np.vstack([np.arange(12.).reshape(6, 2), np.full((5, 2), 0.3)]))])
    assert found[1] == "Along axis 0, the first 6 are right, and then it goes wrong."


# Functions: what they return, what they do with their arguments, what their code shows

@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_that_are_no_answer(name):
    "In every exercise that asks for a function."
    right, inputs = right_answer(name), exercise_named(name).inputs
    def prints(*a): print(right(*a))
    def forgets(*a): result = right(*a)  # noqa: F841
    def changes(*a):
        result = right(*a)
        for x in a: x[...] = 0
        return result
    for answer, mistake in [
            (prints, "prints-its-result"), (forgets, "returns-nothing"), (lambda *a: lambda: right(*a), "returns-a-function"), (right(*inputs[0]), "not-a-function"),
            (lambda *a: (x for x in [1]), "gives-a-generator"), (lambda *a: (right(*a), 0), "another-form"), (changes, "changes-its-input"),
            (lambda *a: right(*inputs[0]), "always-the-same")]:
        reply = check(name, answer)
        better = known(name) if mistake == "always-the-same" else ()  # a lesson may know it by a better name
        assert reply.status == "wrong" and reply.mistake in {mistake, *better}, reply
    assert {"numpy": ".copy()", "torch": ".clone()"}[type(inputs[0][0]).__module__.split(".")[0]] in check(name, changes).text


def coded(code):
    "A function whose inside is this code."
    exec(f"import time\ndef f(x):\n{textwrap.indent(code, '    ')}", space := {})
    return space["f"]


class TestASmallLesson:
    @pytest.fixture(autouse=True)
    def small(self, lesson_file):
        "Three exercises of one line, `double`, `six` and `any-even`; texts in the lesson's file may be replaced by others."
        def small(*pairs): lesson_file(functools.reduce(lambda text, pair: text.replace(*pair, 1), pairs, SOUND + DOUBLE))
        small()
        return small

    def test_right_wrong_and_known_errors(self):
        assert check("double", lambda x: x + x).status == "right"
        assert check("double", lambda x: x ** 2).mistake == "squared" and check("double", lambda x: x.sum(7)).mistake == "no-such-axis"
        assert "but it is not in call" in check("double", lambda x: 2 * x if x[0, 0] == 0 else x + 3).text

    def test_placeholders(self, own_folder):
        half_done = coded("factor = ...\nreturn factor * x")
        for placeholder in (..., *map(coded, ("...", "pass", "'Doubles `x`.'", "return ...")), half_done, lambda x: None):
            reply = check("double", placeholder)
            assert reply.status == "not attempted" and ("Not finished yet" in reply.text) is (placeholder is half_done)
        assert not any(own_folder.iterdir())

    def test_printing_does_no_harm_and_is_shown(self, capsys):
        def chatty(x):
            print("here I am ```")
            print("and here", file=sys.stderr)
            return 2 * x
        reply = check("double", chatty)
        assert reply.status == "right" and "here I am" in reply.text and "and here" in reply.text and reply.text.count("```") == 2
        assert capsys.readouterr() == ("", "")

    def test_an_error_is_shown_with_the_learners_line(self):
        def broken(x):
            y = 2 * x
            return y + twice  # noqa: F821
        reply = check("double", broken)
        assert (reply.status, reply.mistake) == ("error", None) and "running.py" not in reply.text
        for part in ("return y + twice", "NameError: name 'twice' is not defined", "Is the name spelled"): assert part in reply.text
        deep = check("double", lambda x: np.linalg.inv(x[:, :2] * 0)).text
        assert "np.linalg.inv(x[:, :2] * 0)" in deep and "LinAlgError" in deep

    def test_a_wrong_number_of_arguments(self):
        assert "Your function takes 0 arguments, and it is given 1. Does your function take as many arguments as the task says?" in check("double", lambda: 1).text
        assert "takes 2 arguments, and it is given 1" in check("double", lambda x, y: 1).text

    @pytest.mark.parametrize("code", ["raise SystemExit", "exit()", "quit()", "raise KeyboardInterrupt", "return f(x)", "raise Exception"])
    def test_whatever_it_raises(self, code): assert check("double", coded(code)).status == "error"

    @pytest.mark.parametrize("code", ["while True: pass", "while True:\n    try: n = 1\n    except: pass", "while True: print('again')", "time.sleep(4)"])
    def test_it_never_ends(self, code):
        reply = check("double", coded(code))
        assert (reply.status, reply.mistake) == ("error", "never-ends") and len(reply.text) < 1000 and "Traceback" not in reply.text
        assert check("double", lambda x: 2 * x).status == "right"

    def test_it_never_breaks_on_what_is_returned_or_given(self):
        class Evil:
            def __getattr__(self, name): raise RuntimeError(name)
            def __eq__(self, other): raise RuntimeError
            def __repr__(self): raise RuntimeError
        knot = []
        knot.append(knot)
        for odd in ["text", {1, 2}, object(), Evil(), knot, float("nan"), 1j, b"", type, np.array([None]), [[1], [1, 2]], 10 ** 400, print, torch.zeros(0),
                    torch.eye(3).to_sparse(), torch.zeros(()).expand(10 ** 6, 28, 28), [torch.zeros(2), torch.zeros(3)], {"a": Evil()}, (Evil(), 1),
                    range(10 ** 6), "9" * 10 ** 4]:
            returned, given = check("double", lambda x: odd), check("six", odd)  # noqa: B023
            assert returned.status in ("wrong", "error") and repr(returned) and returned._repr_markdown_()
            assert given.status == "wrong" and repr(given), given

    @pytest.mark.parametrize("answer", [5, torch.ones(2), "double", None, [1]])
    def test_a_value_where_a_function_was_asked_for(self, answer): assert check("double", answer).mistake == "not-a-function"

    def test_a_changed_argument(self):
        for wrong in (lambda x: x.add_(7).sqrt(), lambda x: x.mul_(-2)): assert "Work on a copy, with `.clone()`." in check("double", wrong).text
        assert check("double", lambda x: 2 * x).status == "right"  # the next one finds the arguments as they were

    def test_an_open_exercise_accepts_whatever_has_the_property(self):
        assert {check("any-even", n).status for n in (4, 10, torch.tensor(6), -2)} == {"right"}
        assert check("any-even", 2.5).mistake == "a-half" and check("any-even", 7).text.startswith("✘ **Not yet.** That is not even.\n")
        assert {check("any-even", odd).status for odd in ("text", [1], {}, object())} == {"wrong"}

    @pytest.mark.parametrize("answer, mistake, says", [
        (len, "gives-a-function", "Your answer is the function `len`"), (torch.ones(3).sum, "gives-a-function", "the function `sum`"),
        (None, "gives-none", "what `print(…)` gives back"), ((n for n in [1]), "gives-a-generator", "has not computed anything yet"),
        (-6, "sign", "sign is turned round"), (7, "off-by-one", "one more than it should be"), (True, None, "numbers, not True and False"),
        ({6}, None, "a set has no order"), (torch.tensor([6.0]).to_sparse(), None, "`.to_dense()`"), (6j, "gives-an-object", "type `complex`")])
    def test_general_mistakes(self, answer, mistake, says):
        reply = check("six", answer)
        assert (reply.status, reply.mistake) == ("wrong", mistake) and says in reply.text

    @pytest.mark.parametrize("blank", [..., (..., 2), [1, ...], [[1, ...]]])
    def test_blanks_inside(self, blank):
        reply = check("six", blank)
        assert reply.status == "not attempted" and ("Not finished yet" in reply.text) is (blank is not ...)

    def test_an_answer_that_never_stops_being_read(self, small):
        small(("hints = [", "seconds = 0.5\nhints = ["))
        class Endless(list):
            def __iter__(self):
                while True: yield 1
        assert check("six", Endless([1])).mistake == "never-ends"

    @pytest.mark.parametrize("times", [2, 20, 41])
    @pytest.mark.parametrize("then", ["it fails", "it never ends"])
    def test_an_answer_that_can_be_read_so_many_times(self, times, then, small):
        "What breaks, or does not end, while someone looks for what is wrong with an answer does no harm to the verdict on it."
        small(("hints = [", "seconds = 0.2\nhints = ["))
        class Fickle(list):
            left = times
            def read(self, how, *args):
                self.left -= 1
                if self.left < 0 and then == "it fails": raise RuntimeError("no more")
                while self.left < 0: pass
                return how(self, *args)
            def __iter__(self): return self.read(list.__iter__)
            def __len__(self): return self.read(list.__len__)
            def __getitem__(self, i): return self.read(list.__getitem__, i)
        reply = check("six", answer := Fickle([3.0, 8.0]))
        assert reply.status == "wrong" and "not the right shape" in reply.text and answer.left < 0

    def test_a_mistakes_number_is_not_taken_for_another(self, small):
        "The tolerance of the right answer is too wide for a small wrong one; and a mistake may have its own."
        wide, little = ("hints = [", "tolerance = 1\nhints = ["), 'code = "answer = 0.01"'
        small(wide, ('code = "answer = 2+3"', little))
        assert check("six", 0.01).mistake == "added" != check("six", 0.011).mistake
        small(wide, ('code = "answer = 2+3"', f"{little}\ntolerance = 0.5"))
        assert check("six", 0.4).mistake == check("six", 0.011).mistake == "added"

    def test_a_late_condition_is_asked_last(self, small):
        "After what is the same in every exercise, such as a rounded number, and before a guess at the code."
        small(('code = "answer = 2+3"', 'code = "answer = 5.0"\nwhen = "answer<6"\nlate = true'))
        assert check("six", 5.0).mistake == "added" == check("six", 1.25).mistake
        assert check("six", -6).mistake == "sign" and check("six", 60).mistake is None
