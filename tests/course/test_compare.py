"""What counts as the same answer, how two answers differ in words, and a function that prints, raises, or never comes back.

The expected words and numbers are worked out by hand."""
import re
import sys
import threading
import time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import torch
from fastcore.foundation import L
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from pixelsim.course.compare import Rules, as_value, difference
from pixelsim.course.running import TimeIsUp, limited, outcome_of


def differs(right, answer, **rules):
    "What is said of an answer; empty if it is the same."
    return difference(as_value(right), as_value(answer), Rules(**rules))


zeros, nan, inf, SHAPE = torch.zeros, float("nan"), float("inf"), torch.zeros(2, 3).shape


@pytest.mark.parametrize("right, answer", [
    (SHAPE, (2, 3)), ((2, 3), SHAPE), (SHAPE, np.zeros((2, 3)).shape), ([], ()), ([], zeros(0)), (range(3), [0, 1, 2]), ([torch.tensor(1), 2], (1, 2)),
    (0.5, torch.tensor(0.5)), (torch.tensor(0.5), 0.5), (3, np.int64(3)), (3, 3.0), (0.5, Fraction(1, 2)), (0.5, Decimal("0.5")),
    ([0.5, 1], [Fraction(1, 2), Decimal(1)]), (3, np.array(3, dtype=object)), (1 / 3, torch.tensor(1.0) / 3), (torch.ones(2, dtype=torch.bfloat16), torch.ones(2)),
    (torch.tensor([1.0, 2.0]), [1, 2]), (zeros(2, 2), [[0, 0], [0, 0]]), (torch.ones(2, requires_grad=True), np.array([1, 1])), ([8.0, 2.0], (torch.tensor([8.0, 2.0]),)),
    ([3, 7], L(3, 7)), ([3, 7], pd.Series([3, 7], index=[5, 9])), ([[1, 2], [3, 4]], L([1, 2], [3, 4])), (["a", "b"], pd.Series(["a", "b"])),
    ([[1, 2], [3, 4]], pd.DataFrame([[1, 2], [3, 4]])), (np.eye(2), Image.fromarray(np.eye(2, dtype=np.uint8))),
    (True, np.True_), (torch.tensor([True, False]), [True, False]), ("three", "three"), (np.array(["a", "b"]), ["a", "b"]),
    ([1.0, nan], torch.tensor([1, nan])), (inf, np.inf), ((zeros(2), 1.5), [np.zeros(2), torch.tensor(1.5)]), ({"a": 1}, {"a": torch.tensor(1)}),
    (torch.uint8, "uint8"), ("float32", torch.float32), (np.uint8, torch.uint8), (np.dtype("int64"), "int64")])
def test_the_same_in_another_form(right, answer): assert differs(right, answer) == ""


@pytest.mark.parametrize("right, answer, word", [
    (0.5, 0.6, "Your number is too large."), (0.5, 0.4, "Your number is too small."), (0.5, 50, "more than ten times"), (0.5, -0.5, "is below 0, and it should not be"),
    (-0.5, 2, "is above 0"), (10_000, 10_001.0, "too large"), (True, False, "Not this one"), (torch.uint8, "int8", "Not this one"),
    (0.5, inf, "It is infinite"), (torch.ones(2), torch.tensor([1, inf]), "1 of 2 values are infinite"),
    (0.5, nan, "It is NaN"), (torch.ones(4), torch.tensor([1, 1, nan, 1]), "1 of 4 values are NaN"), ([nan, 1], [nan, nan], "1 of 2 values are NaN"),
    (0.5, "0.5", "It should hold numbers, not text"), (torch.tensor([1, 0]), torch.tensor([True, False]), "numbers, not True and False"), (True, 1, "True and False, not numbers"),
    (True, "yes", "a text, and that is not the kind of thing"), (0.5, list, "Yours is a function"), (object(), object(), "cannot compare something of type object"), ([1, 2], [1, 2**70], "1 of 2 values"),
    (0.5, object(), "type object"), (0.5, 1j, "type complex"), ([1, 2], torch.tensor([1j, 2]), "complex numbers"), (1, 10 ** 400, "a number that is too large"),
    ([1, 2], {1, 2}, "a set has no order"), ([0.0, 2], torch.tensor([0.0, 2]).to_sparse(), "make it an ordinary one, with `.to_dense()`"),
    (SHAPE, (3, 2), "2 of 2 values are not; they are off by 1 at most (the first is 3, at [0])"), (SHAPE, (2, 3, 1), "3 is too many along axis 0"),
    (zeros(5), zeros(5, 1), "shape (5, 1), and that is not the right shape: an axis is too many"), (zeros(5, 2), zeros(2), "an axis is missing"), (zeros(5, 2, 1), zeros(2), "2 axes are missing"),
    (zeros(5, 2), zeros(2, 5), "the sizes are right, but in another order"), (zeros(5, 2), zeros(5, 3), "3 is too many along axis 1"), (zeros(5, 2), zeros(6, 3), "the right shape."),
    (zeros(5, 2), 0, "more than one number was asked for"), (0, zeros(5, 2), "one number was asked for, and these are 10"), (0.5, torch.tensor([0.5]), ".item()"),
    (zeros(3), zeros(()).expand(10 ** 6, 28, 28), "shape (1000000, 28, 28), and that is not the right shape"), (["a", "b"], "ab", "one single text, and several were asked for"),
    (torch.arange(4.0), torch.tensor([0.0, 1, 2, 5]), "1 of 4 values are not; they are off by 2 at most (the first is 5, at [3])"),
    (torch.arange(4.0), torch.tensor([0.0, 1, 3, 5]), "2 of 4 values are not, all too large; they are off by 2 at most (the first is 3, at [2])"),
    (torch.arange(4.0), torch.tensor([0.0, 1, 1, 1]), "2 of 4 values are not, all too small"),
    (np.array(["a", "b"]), ["a", "c"], "1 of 2 entries are not (the first is c, at [1])"),
    (zeros(2, 2), [zeros(2), zeros(2)], "a list of 2"), ({"a": 1}, {"b": 1}, "Its keys are ['b']"), ({"a": 1}, {"a": 2}, "Under 'a': Your number is too large"),
    ((1, "a"), (1, "b"), "Part 2 of 2"), ((zeros(2), 1), (zeros(2), 1, 1), "3 parts")])
def test_not_the_same_and_how(right, answer, word): assert word.lower() in differs(right, answer).lower()


def test_rules_change_what_is_the_same():
    assert differs(0.7061, 0.706) != "" == differs(0.7061, 0.706, tolerance=0.0005)
    assert differs(5, 6, tolerance=1) == "" != differs(5, 6.1, tolerance=1)
    ones = torch.ones(2, dtype=torch.uint8)
    assert differs(ones, torch.ones(2)) == "" == differs(ones, np.ones(2, dtype=np.uint8), same_dtype=True) and "yours is float32" in differs(ones, torch.ones(2), same_dtype=True)
    assert "(2, 3)" not in differs(zeros(2, 3), zeros(3)) and "(2, 3) was asked for" in differs(zeros(2, 3), zeros(3), tell_shape=True)


@given(arrays(np.float64, array_shapes(max_dims=3, max_side=4), elements=st.floats(-9, 9)), st.randoms())
def test_any_array_is_the_same_as_itself_and_another_is_not(x, random):
    "In each form that it can have; and with one value moved, the place of it is told."
    for form in (x, torch.from_numpy(x), x.tolist(), tuple(x.tolist()), x.astype(object)): assert differs(x, form) == ""
    place = tuple(random.randrange(n) for n in x.shape)
    other = x.copy()
    other[place] += 1
    assert f"(the first is {other[place]:.4g}, at {list(place)})" in differs(x, other)


def test_a_wrong_number_is_not_told_the_right_one():
    for right, wrong in ((0.7061, 0.3), ((28, 28), (28, 29)), ("three", "seven")): assert not re.search(r"0\.7061|28|three", differs(right, wrong))


# Running what may not come back


LOOPS = {
    "plain": "while True: pass", "in C with Python": "sum(1 for n in itertools.repeat(1))", "catches all": "while True:\n        try: n = 1\n        except: pass",
    "prints": "while True: print('again')", "sleeps": "time.sleep(2.5)", "cleans up": "try:\n        while True: pass\n    finally: time.sleep(0.3)"}


@pytest.mark.parametrize("code", LOOPS.values(), ids=LOOPS)
def test_what_never_ends_is_stopped_without_a_traceback(code, capfd, monkeypatch):
    "Also where every error is caught, where it prints on and on, or where it sleeps: and neither Python nor the thread says a word of it."
    said, space = [], {}
    monkeypatch.setattr(threading, "excepthook", said.append)
    monkeypatch.setattr(sys, "unraisablehook", said.append)
    exec(f"import itertools, time\ndef f():\n    {code}", space)
    start = time.monotonic()
    value, error, printed = limited(space["f"], 0.2)
    assert value is None and isinstance(error, TimeIsUp) and len(printed) <= 2000 and time.monotonic() - start < 30
    for thread in threading.enumerate():
        if type(thread).__name__ == "_Work":
            thread.join(20)
            assert not thread.is_alive()
    assert said == [] and capfd.readouterr() == ("", "")


def test_what_ends_just_as_it_is_stopped_ends_in_peace(monkeypatch):
    "Many functions that are done within a millisecond of their time: each gives its value or runs out of time, and nothing else."
    said = []
    monkeypatch.setattr(threading, "excepthook", said.append)
    for i in range(60):
        value, error, _ = limited(lambda: time.sleep(0.02) or 42, 0.0185 + i * 0.00005)
        assert (value, error) == (42, None) or value is None and isinstance(error, TimeIsUp)
    assert said == []


def test_what_is_printed_is_kept_apart(capsys):
    assert limited(lambda: print("aside") or print("and here", file=sys.stderr) or 42, 5) == (42, None, "aside\nand here\n") and capsys.readouterr() == ("", "")


def test_what_a_function_changes_is_noticed_and_the_first_error_ends_it():
    "Though it works on copies, and has changed something in the first call only."
    def empties(images): images.zero_()
    x = torch.ones(2)
    for function, inputs, changed in ((empties, [(x,)], True), (empties, [(zeros(2),)], False), (len, [([object()],)], False), (empties, [(x,), (zeros(2),)], True)):
        assert outcome_of(function, inputs).changed is changed
    assert x.sum() == 2
    outcome = outcome_of(lambda x: 1 / x, [(1,), (0,), (2,)])
    assert [v.data.item() for v in outcome.values] == [1] and isinstance(outcome.error, ZeroDivisionError)
