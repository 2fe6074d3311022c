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
from sklearn.neighbors import KNeighborsClassifier
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
    "Training and validation set in the arena's order, as NumPy arrays."
    return [SimpleNamespace(images=s.images.numpy(), flat=s.images.numpy().reshape(-1, 784), labels=s.labels.numpy()) for s in arena_digits()]


def test_the_digits_are_mnists_in_another_order(sets, digits):
    "Each image with its label is there once, as floats from 0 to 1, and hardly any at its old place."
    assert class_counts() == (1010, 1028)
    for part, stored in zip(sets, digits):
        own = np.c_[(part.flat * 255).round().astype(np.uint8), part.labels]
        theirs = np.c_[stored.images.flatten(1), stored.labels]
        assert np.array_equal(np.sort(own.view(f"V{785*own.itemsize}"), axis=0), np.sort(theirs.astype(own.dtype).view(f"V{785*own.itemsize}"), axis=0))
        assert part.images.dtype == np.float32 and (own == theirs).all(1).mean() < 0.01


# What may enter

def bar(images): return images[:, 9, 11]


class Bar:
    "An object that can be called."
    def __call__(self, images): return bar(images)


class OneLayer(torch.nn.Module):
    "A network of one layer that looks at one pixel, with gradients."
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(784, 1)
        with torch.no_grad():
            self.layer.weight.zero_()[0, 9*28 + 11] = 1
            self.layer.bias.zero_()

    def forward(self, images): return self.layer(images.flatten(1))[:, 0]


ONE_BY_ONE = {"one image": lambda image: image[9, 11], "a Python number": lambda image: float(image[9, 11]),
              "one image, NumPy": lambda image: image.numpy()[9, 11], "one image, with a slope": lambda image: OneLayer()(image.reshape(1, 28, 28))[0]}
SAME = ONE_BY_ONE | {
    "a function": bar,
    "NumPy": lambda images: images.numpy()[:, 9, 11],
    "float16": lambda images: (images[:, 9, 11]*255).round().half(),
    "bfloat16": lambda images: (images[:, 9, 11]*255).round().bfloat16(),
    "whole numbers": lambda images: (255*images[:, 9, 11]).round().int(),
    "a list": lambda images: images[:, 9, 11].tolist(),
    "a list of tensors": lambda images: [image[9, 11] for image in images.requires_grad_()],
    "a tuple": lambda images: tuple(images[:, 9, 11].tolist()),
    "partial": functools.partial(lambda k, images: images[:, k, 11], 9),
    "an object": Bar(),
    "a network": OneLayer(),
    "another argument": lambda images, k=9: images[:, k, 11],
    "any arguments": lambda *images: images[0][:, 9, 11],
}


@pytest.mark.parametrize("kind", SAME)
def test_kinds_of_rules(kind, sets):
    "One rule written in many ways gets one verdict, that of an independent search for its threshold."
    train, valid = sets
    verdict = verdict_on(SAME[kind])
    expected = fitted(train.images[:, 9, 11], train.labels, valid.images[:, 9, 11])
    assert np.array_equal(verdict.said, expected) and bool(verdict.rule.singly) == (kind in ONE_BY_ONE)


@pytest.mark.parametrize("answer", [
    lambda yes: torch.where(yes, 7, 3), lambda yes: torch.where(yes, 7., 3.), lambda yes: np.where(yes, 7, 3).tolist(),
    lambda yes: yes, lambda yes: yes.tolist(), lambda yes: yes.int(), lambda yes: yes*2.5 - 100])
def test_labels_and_yes_or_no(answer, sets):
    "Labels, True for a seven, and any two numbers of which the larger means 7: the same."
    verdict = verdict_on(lambda images: answer(images[:, 8, 9] > 0.3))
    assert np.array_equal(verdict.said, np.where(sets[1].images[:, 8, 9] > 0.3, 7, 3))
    first = answer(torch.tensor([True]))
    assert verdict.yes_or_no == (first[0] is True or getattr(first, "dtype", None) == torch.bool)


@pytest.mark.parametrize("label", [3, 7])
def test_always_the_same_label(label):
    "A dull rule, but a rule."
    assert set(verdict_on(lambda images: [label]*len(images)).said.tolist()) == {label}


@pytest.mark.parametrize("make", [lambda: DecisionTreeClassifier(max_depth=2, random_state=0), BernoulliNB,
                                  lambda: make_pipeline(Binarizer(threshold=0.5), BernoulliNB())])
def test_classifiers_of_scikit_learn(make, sets):
    "An estimator is fitted on the training set, as a copy: the one passed stays as it was."
    train, valid = sets
    model = make()
    before = repr(vars(model))
    said = verdict_on(model).said
    assert repr(vars(model)) == before and np.array_equal(said, make().fit(train.flat, train.labels).predict(valid.flat))


def test_a_regression_gets_a_threshold(sets):
    "An estimator that predicts numbers is a rule like any other."
    train, valid = sets
    own = Ridge().fit(train.flat.astype(float), train.labels)
    expected = fitted(own.predict(train.flat), train.labels, own.predict(valid.flat))
    assert (verdict_on(Ridge()).said.numpy() != expected).sum() <= 3  # float32 against float64


@pytest.mark.parametrize("how", [("l2",), ("l1", "median")])
def test_pixel_similarity_gets_images_and_not_rows(how, digits):
    "What it says is what it says of the bytes, fitted on the bytes, also as the method of a fitted one."
    model = PixelSimilarity(*how).fit(digits[0])
    expected = model.predict((arena_digits()[1].images*255).round().byte())
    assert np.array_equal(verdict_on(PixelSimilarity(*how)).said, expected) and np.array_equal(verdict_on(model.predict).said, expected)


def test_nobody_can_spoil_the_images():
    "An estimator or a rule that overwrites what it is given does no harm to the next."
    class Vandal:
        def fit(self, x, y): x[:] = 0; y[:] = 3
        def predict(self, x): return (x[:, 406] > 0.5)*4 + 3
    before = [s.images.sum().item() for s in arena_digits()]
    verdict_on(Vandal())
    with pytest.raises(Refused): verdict_on(mutates)
    assert [s.images.sum().item() for s in arena_digits()] == before


def test_what_a_rule_is_given(sets):
    "Floats from 0 to 1, nothing else, never more than 256 at a time; every image of both sets."
    given = []
    def rule(*args, **kwargs):
        given.append((args, kwargs))
        return args[0][:, 9, 11]
    verdict_on(rule)
    assert all(len(args) == 1 and not kwargs for args, kwargs in given)
    batches = [args[0] for args, _ in given]
    assert {(b.dtype, tuple(b.shape[1:])) for b in batches} == {(torch.float32, (28, 28))} and max(map(len, batches)) == 256
    seen = {image.tobytes() for b in batches for image in b.numpy()}
    assert seen == {image.tobytes() for part in sets for image in part.images}


def test_a_threshold_from_the_training_set_only(sets):
    "A rule tuned to the validation set would score more than its verdict; what it is right for, either way round, is counted on the training set."
    train, valid = sets
    def row(images): return images[:, 9].sum(1)
    verdict, values = verdict_on(row), [row(torch.from_numpy(s.images)).numpy() for s in sets]
    tuned = fitted(values[1], valid.labels, values[1])
    assert (tuned == valid.labels).sum() > (verdict.said.numpy() == valid.labels).sum()
    assert verdict.train_right == pytest.approx((fitted(values[0], train.labels, values[0]) == train.labels).mean())
    reverse = fitted(-values[0], train.labels, -values[0])
    assert verdict.reverse_right == pytest.approx((reverse == train.labels).mean())


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
BAD = {
    "row for each": (lambda images: images.mean(2), r"^for 11 images it returned shape \(11, 28\), not \(11,\): one number for each$"),
    "column": (lambda images: images.mean((1, 2))[:, None], r"returned shape \(11, 1\)"),
    "one image, a row": (lambda image: [image[r].sum() for r in range(28)], r"^for one image it returned shape \(28,\), not a single number$"),
    "too many": (lambda images: [0.]*(len(images) + 1), r"returned shape \(12,\)"),
    "too few, NumPy": (lambda images: images.numpy()[1:, 14, 14], r"returned shape \(10,\), not \(11,\): one number for each$"),
    "too few, chosen": (lambda images: images[images.sum((1, 2)) > 100].sum((1, 2)), r"not \(11,\): one number for each$"),
    "too few, means of rows": (lambda images: images[:, :9].mean((0, 2)), r"shape \(9,\), not \(11,\): one number for each$"),
    "nothing": (lambda images: None, "it returned None: does it end with `return …`"),
    "nothing for some": (lambda images: [None for _ in images], "it returned None"),
    "text": (lambda images: ["7"]*len(images), "it returned text: it should give one number for each image, where larger means 7, or the label 3 or 7"),
    "complex": (lambda images: images[:, 9, 11]*1j, "it returned complex numbers, of which none is the larger: it should give one number"),
    "complex, NumPy": (lambda images: images[:, 9, 11].numpy()*1j, "it returned complex numbers"),
    "a dict": (lambda images: {7: images}, "something of type dict"),
    "a generator": (lambda images: (i.mean() for i in images), "something of type generator"),
    "sparse": (lambda images: images[:, 9].mean(1).to_sparse(), "something of type Tensor"),
    "ragged": (lambda images: [[1], [1, 2]], "something of type list"),
    "NaN": (lambda images: torch.where(images[:, 9, 11] > 0.5, float("nan"), images[:, 9, 11]), "of 2038 validation images it gives nan"),
    "infinite": (lambda images: 1/images[:, 9, 11], "gives inf: is there a division by zero"),
    "all equal": (lambda images: images.mean((1, 2))*0, "the same number, 0: that tells nothing apart"),
    "five": (lambda images: [5]*len(images), "the same number, 5"),
    "raises": (stuck, r"stopped with IndexError in line \d+, `return rows\[:, 28\]`: `index 28"),
    "raises on one": (stuck_one, r"stopped with TypeError in line \d+, `if image.*one image, please`. Given one image at a time, it stopped with IndexError in line \d+, `return image\[14\]\[99\]`"),
    "name": (lambda images: imgs.mean((1, 2)), "NameError in line .*`name 'imgs' is not defined`$"),  # noqa: F821
    "recursion": (recursive, "RecursionError"),
    "exit": (ends_it_all, r"SystemExit in line \d+, `def ends_it_all.*: leave out `exit` and `quit`, which would end the whole session$"),
    "exit when fitted": (raises(SystemExit()), "SystemExit: leave out `exit`"),
    "mutates": (mutates, r"changed the images .* `images = images.clone\(\)`$"),
    "mutates by NumPy": (mutates_through_numpy, "changed the images"),
    "labels asked": (lambda images, labels: labels, r"its arguments are \(images, labels\), and a rule is given the images and nothing else, no labels"),
    "no argument": (lambda: 7, r"its arguments are \(\)"),
    "keyword": (lambda images, *, labels: labels, r"its arguments are \(images, labels\)"),
    "random": (lambda images: torch.rand(len(images)), "in another order, or fewer at a time"),
    "random labels": (lambda images: torch.randint(2, (len(images),))*4 + 3, "in another order"),
    "counter": (lambda images: [next(COUNTER) for _ in images], "in another order"),
    "rank in the batch": (lambda images: images.mean((1, 2)).argsort().argsort(), "in another order"),
    "batch mean": (lambda images: images[:, 9, 11] - images.mean(), "in another order"),
    "labels by place": (lambda images: np.arange(len(images)) % 2 * 4 + 3, "in another order"),
    "a result": (torch.zeros(2038), "of type Tensor, and should be a function: pass the function itself"),
    "none": (None, "of type NoneType"),
    "a class": (BernoulliNB, r"BernoulliNB is a class: pass one that was made from it, BernoulliNB\(\)"),
    "fit raises": (raises(RuntimeError("no fit today")), "stopped with RuntimeError: `no fit today`"),
    "fit, short": (estimator(predict=lambda x: [7]), r"returned shape \(1,\), not \(11,\): one number for each\. Given"),
    "fit, words": (estimator(predict=lambda x: np.array(["seven"]*len(x))), "returned text"),
    "no copy": (estimator(lock=threading.Lock()), "stopped with TypeError: `cannot pickle"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_rules_are_refused_in_a_sentence(kind):
    rule, message = BAD[kind]
    with pytest.raises(Refused, match=message) as caught: verdict_on(rule)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("rule", [lambda images: images[:14].mean((1, 2)), lambda images: images[:9].mean((1, 2)), lambda images: images[14:].mean((1, 2)),
                                  lambda images: [i.sum() for i in images[2:4]]])
def test_a_forgotten_comma_is_told(rule):
    "A slice of the stack chose images where rows were meant."
    with pytest.raises(Refused, match=r"Is a comma missing\? `images\[:14\]` takes the first 14 \*images\*; .* are `images\[:, :14\]`$"): verdict_on(rule)


def test_a_fitted_predict_is_told_to_pass_the_estimator(sets):
    "And that then works."
    model = KNeighborsClassifier(1).fit(sets[0].flat[:50], sets[0].labels[:50])
    with pytest.raises(Refused, match="It is a method of KNeighborsClassifier, which wants other input: pass the estimator itself"): verdict_on(model.predict)
    assert (verdict_on(model).said.numpy() == sets[1].labels).mean() > 0.99


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


@pytest.mark.parametrize("rule", [lambda images: ..., estimator(predict=lambda x: ...),
                                  lambda image: ... if image.ndim == 2 else image[:, 99]])
def test_three_dots_are_nobodys_mistake(rule):
    with pytest.raises(Placeholder): verdict_on(rule)


def test_why_one_image_at_a_time():
    "A rule that names no axis is taken for one about a single image, where `[:, 14]` is a column: it is told, and it is so."
    assert as_rule(bar).singly == ""
    for rule in (lambda images: images[:, 14].max(), lambda images: images[:, :14].sum()/images.sum()):
        says = as_rule(rule).singly
        assert says.startswith("For 11 images it returned a single number, so it was given one image at a time, shape (28, 28)")
        assert "`image[:, 14]` is *column* 14" in says and "name the axes, as in `.mean((1, 2))`" in says
    assert "returned shape (28,), so it was given" in as_rule(lambda image: image.sum(1)[9]).singly
    assert as_rule(stuck_one_of_two).singly == "It was given one image at a time: given several, it stopped."
    some = arena_digits()[1].images[:40]
    np.testing.assert_allclose(as_rule(lambda images: images[:, 14].sum())(some), some[:, :, 14].sum(1), rtol=1e-5)


def test_a_large_rule_needs_no_large_memory():
    "Whatever a rule makes of each image, it makes it of 256 at most: counted by what lives at a time."
    largest = []
    def wide(images):
        large = images.flatten(1)[:, None].expand(-1, 9, -1).contiguous()
        largest.append(large.nbytes)
        return large[:, 0, 9*28 + 11]
    verdict_on(wide)
    assert max(largest) == 256*9*784*4
