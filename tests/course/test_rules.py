"""Rules in every form that people write, every way to go wrong, and the verdict: its threshold is found here by trying all midpoints."""
import functools
import itertools
import re
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.naive_bayes import BernoulliNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Binarizer
from sklearn.tree import DecisionTreeClassifier

from pixelsim.classifier import PixelSimilarity
from pixelsim.course.arena_digits import arena_digits, class_counts
from pixelsim.course.rules import Placeholder, Refused, as_rule
from pixelsim.course.verdicts import verdict_on


def fitted(train_values, train_labels, values):
    """Labels by the best threshold, found by trying every midpoint between neighboring values.

    "Three" is what lies above the line for the negated numbers, and the first of equally good lines is taken: lesson 1."""
    train_values, values = -np.asarray(train_values, dtype=float), -np.asarray(values, dtype=float)
    levels = np.unique(train_values)
    lines = (levels[1:] + levels[:-1]) / 2
    threes, sevens = (np.sort(train_values[train_labels == d]) for d in (3, 7))
    right = len(threes) - np.searchsorted(threes, lines, side="right") + np.searchsorted(sevens, lines, side="right")
    return np.where(values > lines[right.argmax()], 3, 7)


@pytest.fixture(scope="module")
def sets():
    "Training and validation set in the arena's order, as NumPy arrays; no test may have changed them."
    sets = [SimpleNamespace(images=s.images.numpy(), flat=s.images.numpy().reshape(-1, 784), labels=s.labels.numpy()) for s in arena_digits()]
    before = [(s.images.sum(), s.labels.sum()) for s in sets]
    yield sets
    assert [(s.images.sum(), s.labels.sum()) for s in sets] == before


def test_the_digits_are_mnists_in_another_order(sets, digits):
    "Each image with its label is there once, as floats from 0 to 1, and hardly any at its old place."
    assert class_counts() == (1010, 1028)
    for part, stored in zip(sets, digits):
        own = np.c_[(part.flat * 255).round(), part.labels].astype(np.uint8)
        theirs = np.c_[stored.images.flatten(1), stored.labels].astype(np.uint8)
        assert sorted(map(bytes, own)) == sorted(map(bytes, theirs)) and part.images.dtype == np.float32 and (own == theirs).all(1).mean() < 0.01


# What may enter

def bar(images): return images[:, 9, 11]


class OneLayer(torch.nn.Module):
    "A network of one layer that looks at one pixel, with gradients."
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.nn.functional.one_hot(torch.tensor(9*28 + 11), 784).float())

    def forward(self, images): return images.flatten(1) @ self.weight


SAME = {  # one rule in many forms: of one image, and of a stack
    True: [lambda image: image[9, 11], lambda image: float(image[9, 11]), lambda image: image.numpy()[9, 11], lambda image: OneLayer()(image[None])[0]],
    False: [bar, lambda images: images.numpy()[:, 9, 11], lambda images: bar(images*255).round().half(), lambda images: bar(images*255).round().bfloat16(),
            lambda images: bar(images*255).round().int(), lambda images: bar(images).tolist(), lambda images: [*bar(images.requires_grad_())],
            lambda images: (*bar(images).tolist(),), functools.partial(lambda k, images: images[:, k, 11], 9), OneLayer(),
            lambda images, k=9: images[:, k, 11], lambda *images: bar(images[0])]}


@pytest.mark.parametrize("singly, form", [(singly, form) for singly, forms in SAME.items() for form in forms])
def test_kinds_of_rules(singly, form, sets):
    "One verdict, that of an independent search for its threshold on the training set; it tells, too, what it is right for there, either way round."
    train, valid = sets
    verdict, (on_train, on_valid) = verdict_on(form), (bar(s.images) for s in sets)
    assert np.array_equal(verdict.said, fitted(on_train, train.labels, on_valid)) and bool(verdict.rule.singly) == singly
    for found, values in ((verdict.train_right, on_train), (verdict.reverse_right, -on_train)):
        assert found == pytest.approx((fitted(values, train.labels, values) == train.labels).mean())


@pytest.mark.parametrize("answer", [
    lambda yes: torch.where(yes, 7, 3), lambda yes: torch.where(yes, 7., 3.), lambda yes: np.where(yes, 7, 3).tolist(),
    lambda yes: yes, lambda yes: yes.tolist(), lambda yes: yes.int(), lambda yes: yes*2.5 - 100])
def test_labels_and_yes_or_no(answer, sets):
    "Labels, True for a seven, and any two numbers of which the larger means 7: the same."
    verdict = verdict_on(lambda images: answer(images[:, 8, 9] > 0.3))
    assert np.array_equal(verdict.said, np.where(sets[1].images[:, 8, 9] > 0.3, 7, 3))
    assert verdict.yes_or_no == (np.asarray(answer(torch.tensor([True]))).dtype == bool)


@pytest.mark.parametrize("label", [3, 7])
def test_always_the_same_label(label): assert (verdict_on(lambda images: [label]*len(images)).said == label).all()


@pytest.mark.parametrize("make", [lambda: DecisionTreeClassifier(max_depth=2, random_state=0), BernoulliNB,
                                  lambda: make_pipeline(Binarizer(threshold=0.5), BernoulliNB())])
def test_classifiers_of_scikit_learn(make, sets):
    "An estimator is fitted on the training set, as a copy: the one passed stays as it was."
    train, valid = sets
    model = make()
    before = repr(vars(model))
    assert np.array_equal(verdict_on(model).said, make().fit(train.flat, train.labels).predict(valid.flat)) and repr(vars(model)) == before


def test_a_regression_gets_a_threshold(sets):
    train, valid = sets
    own = Ridge().fit(train.flat.astype(float), train.labels)
    expected = fitted(own.predict(train.flat), train.labels, own.predict(valid.flat))
    assert (verdict_on(Ridge()).said.numpy() != expected).sum() <= 3  # float32 against float64


def test_pixel_similarity_gets_images_and_not_rows(model):
    "What it says is what it says of the bytes, fitted on the bytes, also as the method of a fitted one."
    expected = model.predict((arena_digits()[1].images*255).round().byte())
    for entered in (PixelSimilarity(), model.predict): assert np.array_equal(verdict_on(entered).said, expected)


def test_what_a_rule_is_given(sets):
    "Floats from 0 to 1, nothing else, never more than 256 at a time, or a large rule needs a large memory; every image of both sets."
    given = []
    def rule(*args, **kwargs):
        given.append((args, kwargs))
        return bar(args[0])
    verdict_on(rule)
    assert all(len(args) == 1 and not kwargs for args, kwargs in given)
    batches = [args[0] for args, _ in given]
    assert {(b.dtype, *b.shape[1:]) for b in batches} == {(torch.float32, 28, 28)} and max(map(len, batches)) == 256
    assert {image.tobytes() for b in batches for image in b.numpy()} == {image.tobytes() for part in sets for image in part.images}


def test_nobody_can_spoil_the_images(sets):
    "An estimator that overwrites what it is given does no harm to the next; the fixture looks at that."
    class Vandal:
        def fit(self, x, y): x[:] = 0; y[:] = 3
        def predict(self, x): return (x[:, 406] > 0.5)*4 + 3
    assert np.array_equal(verdict_on(Vandal()).said, np.where(sets[1].flat[:, 406] > 0.5, 7, 3))


# What may not

def stuck(images):
    rows = images.sum(2)
    return rows[:, 28]


def stuck_one(image):
    if image.shape != (28, 28): raise TypeError("one image, please")
    return image[14][99]


def stuck_one_of_two(image):
    if image.ndim != 2: raise ValueError("one image")
    return image[9, 11]


def mutates(images):
    images[images > 0.5] = 1
    return images.mean((1, 2))


def mutates_through_numpy(images):
    images.numpy()[:] = 0
    return images[:, 9, 11]


def recursive(images): return recursive(images)


def ends_it_all(images): sys.exit("enough")


def estimator(fit=lambda x, y: None, predict=lambda x: x, **more): return SimpleNamespace(fit=fit, predict=predict, **more)


def raises(error):
    def fit(x, y): raise error
    return estimator(fit)


COUNTER = itertools.count()
COMMA = r"Is a comma missing\? `images\[:14\]` takes the first 14 \*images\*; .* are `images\[:, :14\]`$"
BAD = [  # a rule, and why not
    (lambda images: images.mean(2), r"^for 11 images it returned shape \(11, 28\), not \(11,\): one number for each$"),
    (lambda images: images.mean((1, 2))[:, None], r"returned shape \(11, 1\)"), (lambda images: [0.]*(len(images) + 1), r"returned shape \(12,\)"),
    (lambda image: [image[r].sum() for r in range(28)], r"^for one image it returned shape \(28,\), not a single number$"),
    (lambda images: images.numpy()[1:, 14, 14], r"returned shape \(10,\), not \(11,\): one number for each$"),
    (lambda images: images[images.sum((1, 2)) > 100].sum((1, 2)), r"not \(11,\): one number for each$"),
    (lambda images: images[:, :9].mean((0, 2)), r"shape \(9,\), not \(11,\): one number for each$"),
    (lambda images: images.mean((1, 2))[1:], r"shape \(10,\), not \(11,\): one number for each$"),
    (lambda images: images[:14].mean((1, 2)), COMMA), (lambda images: images[:9].mean((1, 2)), COMMA),
    (lambda images: images[14:].mean((1, 2)), COMMA), (lambda images: [i.sum() for i in images[2:4]], COMMA),
    (lambda images: None, "it returned None: does it end with `return …`"), (lambda images: [None for _ in images], "it returned None"),
    (lambda images: ["7"]*len(images), "it returned text: it should give one number for each image, where larger means 7, or the label 3 or 7"),
    (lambda images: bar(images)*1j, "it returned complex numbers, of which none is the larger: it should give one number"),
    (lambda images: bar(images).numpy()*1j, "it returned complex numbers"), (lambda images: {7: images}, "something of type dict"),
    (lambda images: (i.mean() for i in images), "something of type generator"), (lambda images: [[1], [1, 2]], "something of type list"),
    (lambda images: images[:, 9].mean(1).to_sparse(), "something of type Tensor"),
    (lambda images: torch.where(bar(images) > 0.5, float("nan"), bar(images)), "of 2038 validation images it gives nan"),
    (lambda images: 1/bar(images), "gives inf: is there a division by zero"), (lambda images: [5]*len(images), "the same number, 5"),
    (lambda images: images.mean((1, 2))*0, "the same number, 0: that tells nothing apart"),
    (stuck, r"stopped with IndexError in line \d+, `return rows\[:, 28\]`: `index 28"),
    (stuck_one, r"stopped with TypeError in line \d+, `if image.*one image, please`. Given one image at a time, "
                r"it stopped with IndexError in line \d+, `return image\[14\]\[99\]`"),
    (lambda images: imgs.mean((1, 2)), "NameError in line .*`name 'imgs' is not defined`$"), (recursive, "RecursionError"),  # noqa: F821
    (ends_it_all, r"^it stopped with SystemExit in line \d+, `def ends_it_all[^`]*`: leave out `exit` and `quit`, which would end the whole session$"),
    (raises(SystemExit()), "SystemExit: leave out `exit`"),
    (mutates, r"changed the images .* `images = images.clone\(\)`$"), (mutates_through_numpy, "changed the images"),
    (lambda images, labels: labels, r"its arguments are \(images, labels\), and a rule is given the images and nothing else, no labels"),
    (lambda: 7, r"its arguments are \(\)"), (lambda images, *, labels: labels, r"its arguments are \(images, labels\)"),
    *((rule, "in another order, or fewer at a time") for rule in (
        lambda images: torch.rand(len(images)), lambda images: torch.randint(2, (len(images),))*4 + 3, lambda images: [next(COUNTER) for _ in images],
        lambda images: images.mean((1, 2)).argsort().argsort(), lambda images: bar(images) - images.mean(), lambda images: np.arange(len(images)) % 2 * 4 + 3)),
    (torch.zeros(2038), "of type Tensor, and should be a function: pass the function itself"), (None, "of type NoneType"),
    (BernoulliNB, r"BernoulliNB is a class: pass one that was made from it, BernoulliNB\(\)"),
    (BernoulliNB().predict, "It is a method of BernoulliNB, which wants other input: pass the estimator itself"),
    (raises(RuntimeError("no fit today")), "stopped with RuntimeError: `no fit today`"),
    (estimator(predict=lambda x: [7]), r"returned shape \(1,\), not \(11,\): one number for each\. Given"),
    (estimator(predict=lambda x: np.array(["seven"]*len(x))), "returned text"), (estimator(lock=threading.Lock()), "stopped with TypeError: `cannot pickle")]


@pytest.mark.parametrize("rule, message", BAD, ids=[message[:40] for _, message in BAD])
def test_bad_rules_are_refused_in_a_sentence(rule, message, sets):
    with pytest.raises(Refused, match=message) as caught: verdict_on(rule)
    assert "\n" not in str(caught.value)


def test_a_learner_is_told_to_pass_a_function(sets):
    "The advice works for fastai's own class, with a model such as the refusal names."
    pytest.importorskip("fastai")
    from fastai.basics import DataLoaders, Learner
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 2))
    learner = Learner(DataLoaders([], []), model, loss_func=torch.nn.CrossEntropyLoss())
    with pytest.raises(Refused, match="it is a Learner of fastai") as caught: as_rule(learner)
    rule = eval(re.search(r"`(lambda.*?)`", str(caught.value))[1], {"learner": learner})
    with torch.no_grad(): expected = model(torch.from_numpy(sets[1].images))[:, 1]
    np.testing.assert_allclose(as_rule(rule)(arena_digits()[1].images), expected, atol=1e-5)


@pytest.mark.parametrize("rule", [lambda images: ..., estimator(predict=lambda x: ...), lambda image: ... if image.ndim == 2 else image[:, 99]])
def test_three_dots_are_nobodys_mistake(rule):
    with pytest.raises(Placeholder): verdict_on(rule)


def test_why_one_image_at_a_time():
    "A rule that names no axis is taken for one about a single image, where `[:, 14]` is a column: it is told, and it is so."
    assert as_rule(bar).singly == "" and "returned shape (28,), so it was given" in as_rule(lambda image: image.sum(1)[9]).singly
    assert as_rule(stuck_one_of_two).singly == "It was given one image at a time: given several, it stopped."
    for rule in (lambda images: images[:, 14].sum(), lambda images: images[:, :14].sum()/images.sum()):
        says = as_rule(rule).singly
        assert says.startswith("For 11 images it returned a single number, so it was given one image at a time, shape (28, 28)")
        assert "`image[:, 14]` is *column* 14" in says and "name the axes, as in `.mean((1, 2))`" in says
    some = arena_digits()[1].images[:40]
    np.testing.assert_allclose(as_rule(lambda images: images[:, 14].sum())(some), some[:, :, 14].sum(1), rtol=1e-5)
