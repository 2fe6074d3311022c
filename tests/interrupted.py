"""Interrupts the learning of a classifier at every line of the library's, one after the other; prints how many there were.

A process of its own, since it traces: after a browser has been at work in a process, a trace that raises can hang Python 3.11 for good."""
import copy
import itertools
import sys

import numpy as np
from conftest import state

from pixelsim.classifier import PixelSimilarity


def stopped(call, line):
    "Is a call interrupted at this line, counted as they are run, or is it done before?"
    lines = itertools.count(1)
    def trace(frame, event, arg):
        if "pixelsim" not in frame.f_globals.get("__name__", ""): return None
        if event == "line" and next(lines) == line: raise KeyboardInterrupt
        return trace
    sys.settrace(trace)
    try: call()
    except KeyboardInterrupt: return True
    finally: sys.settrace(None)
    return False


for prototype, method in itertools.product(["mean", "median"], ["fit", "partial_fit"]):
    model = PixelSimilarity(prototype=prototype).fit(np.arange(8, dtype=np.uint8).reshape(2, 2, 2), [3, 7])
    def learn(who): return getattr(who, method)(np.ones((3, 2, 2), np.uint8), [3, 5, 7])
    before, after = state(model), state(learn(copy.deepcopy(model)))
    for line in itertools.count(1):
        tried = copy.deepcopy(model)
        was_stopped = stopped(lambda: learn(tried), line)
        assert state(tried) in (before, after), (prototype, method, line)
        if not was_stopped: break
    assert before != after == state(tried)
    print(line)
