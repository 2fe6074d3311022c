"""A bar where someone watches: in a real terminal, in a real notebook, and in neither a log nor a program without a console."""
import io
import os
import re
import sys
import time

import nbformat
import pytest

FOUR_SECONDS = """
import time
from pixelsim.course.waiting import waiting
with waiting("Counting", 4, " steps") as step:
    with waiting("Inside") as inner: inner()
    for _ in range(4): time.sleep(0.6); step()
with waiting("At once", 4) as step: step(4)
with waiting("One long step"): time.sleep(1.5)
print("end")
"""
LIBRARY = """
from pixelsim.messages import progress
for _ in progress(range(4), 'Reading images'): time.sleep(0.7)
for _ in progress(range(4), 'At once'): pass"""


class Terminal(io.StringIO):
    def isatty(self): return True


def check_bars(text):
    assert "Counting: " in text and "4/4" not in text.split("Counting")[1] and "One long step … 00:01" in text
    assert "At once" not in text and "Inside" not in text


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such terminals")
def test_in_a_terminal(monkeypatch):
    "It comes after a second, moves though no step is done, and leaves no trace."
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    from pexpect import EOF, spawn
    terminal = spawn(sys.executable, ["-c", FOUR_SECONDS], dimensions=(24, 80), encoding="utf-8", timeout=300)
    terminal.expect(EOF)
    check_bars(terminal.before)
    *_, last, end = [line.strip() for line in re.split("[\r\n]+", terminal.before) if line]
    assert (last, end) == ("", "end")


def test_in_a_notebook(monkeypatch):
    "tqdm's own setting is silent there, since a kernel's stderr is no terminal; the library's bar, as it reads or writes many files, is there too."
    from nbclient import NotebookClient
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(FOUR_SECONDS + LIBRARY)])
    NotebookClient(nb, kernel_name="python3", timeout=300).execute(env={**os.environ})
    assert {out.name for out in nb.cells[0].outputs} == {"stdout"}
    text = "".join(out.text for out in nb.cells[0].outputs)
    check_bars(text)
    assert "Reading images: " in text


def test_where_nobody_watches(run_python):
    "In a log, and where stderr is not there, or closed."
    code = """import sys, time
from pixelsim.course.waiting import waiting
for stream in (sys.stderr, None, sys.stderr):
    sys.stderr = stream
    with waiting("Counting", 2) as step: time.sleep(1.2); step(2)
    if stream is None: sys.__stderr__.close()
print("end")"""
    done = run_python(code)
    assert (done.stdout, done.stderr) == ("end\n", "")


def test_an_error_passes_through(monkeypatch):
    "And the next one who waits has a bar again."
    from pixelsim.course.waiting import waiting
    from pixelsim.messages import seen_at
    monkeypatch.setattr(sys, "stderr", watched := Terminal())
    for _ in range(2):
        with pytest.raises(KeyError), waiting("Counting"): raise KeyError
    assert seen_at() is watched and watched.getvalue().strip() == ""
    with waiting("Again"): time.sleep(1.2)
    assert "Again" in watched.getvalue()


def test_making_an_arena_says_so_within_a_second(run_python):
    "On a machine that is as slow as can be: the first look at the digits takes two seconds here."
    code = """
import io, sys, time
import pixelsim.course.opening as opening
from pixelsim.course.arena import Arena
class Terminal(io.StringIO):
    def isatty(self): return True
    def write(self, text): said.append((time.monotonic() - start, text)); return len(text)
def slow(*args): time.sleep(2); raise LookupError
said, opening.load_mnist, sys.stderr, start = [], slow, Terminal(), time.monotonic()
try: Arena()
except LookupError: print(min(when for when, text in said if "Scoring the ideas of the opening board" in text))
"""
    assert float(run_python(code, TQDM_DISABLE=None).stdout) < 1.5
