"""A bar where someone watches: in a real terminal, in a real notebook, and in neither a log nor a program without a console."""
import io
import os
import sys

import nbformat
import pytest

TWO_SECONDS = """
import sys, time
from pixelsim.course.waiting import waiting
with waiting("Counting", 4, " steps") as step:
    with waiting("Inside") as inner: inner()
    for _ in range(4): time.sleep(0.6); step()
with waiting("At once", 4) as step: step(4)
with waiting("One long step"): time.sleep(1.5)
print("end")
"""


def terminal_output(code):
    "What a terminal of 80 columns gets to see of `code`."
    import pty
    import struct
    import termios
    from fcntl import ioctl
    pid, terminal = pty.fork()
    if pid == 0:
        ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        os.execv(sys.executable, [sys.executable, "-c", code])
    text = b""
    while True:
        try: part = os.read(terminal, 1024)
        except OSError: break  # the other end is closed
        if not part: break
        text += part
    os.waitpid(pid, 0)
    os.close(terminal)
    return text.decode()


def check_bars(text):
    assert "Counting: " in text and "4/4" not in text.split("Counting")[1] and "One long step … 00:01" in text
    assert "At once" not in text and "Inside" not in text


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such terminals")
def test_in_a_terminal(monkeypatch):
    "It comes after a second, moves though no step is done, and leaves no trace."
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    text = terminal_output(TWO_SECONDS)
    check_bars(text)
    *_, last, end = [line.strip() for line in text.replace("\r\n", "\n").replace("\n", "\r").split("\r") if line]
    assert (last, end) == ("", "end")


def test_in_a_notebook(monkeypatch):
    "tqdm's own setting is silent there, since a kernel's stderr is no terminal."
    from nbclient import NotebookClient
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(TWO_SECONDS)])
    NotebookClient(nb, kernel_name="python3", timeout=300).execute(env={**os.environ})
    assert {out.name for out in nb.cells[0].outputs} == {"stdout"}
    check_bars("".join(out.text for out in nb.cells[0].outputs))


def test_the_library_has_a_bar_in_a_notebook_too(monkeypatch):
    "As it writes or reads many files."
    from nbclient import NotebookClient
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(
        "import time\nfrom pixelsim.messages import progress\nfor _ in progress(range(4), 'Reading images'): time.sleep(0.7)\nfor _ in progress(range(4), 'At once'): pass")])
    NotebookClient(nb, kernel_name="python3", timeout=300).execute(env={**os.environ})
    text = "".join(out.text for out in nb.cells[0].outputs)
    assert {out.name for out in nb.cells[0].outputs} == {"stdout"} and "Reading images: " in text and "At once" not in text


@pytest.mark.parametrize("before", ["", "sys.stderr = None; ", "sys.stderr.close(); "])
def test_where_nobody_watches(run_python, before):
    done = run_python("import sys\n" + before + TWO_SECONDS)
    assert (done.stdout, done.stderr) == ("end\n", "")


def test_an_error_passes_through():
    "And the next one who waits has a bar again."
    from pixelsim.course.waiting import waiting
    from pixelsim.messages import seen_at
    with pytest.raises(KeyError), waiting("Counting"): raise KeyError
    class Terminal(io.StringIO):
        def isatty(self): return True
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", watched := Terminal())
        for _ in range(2):
            with pytest.raises(KeyError), waiting("Counting"): raise KeyError
        assert seen_at() is watched and watched.getvalue().strip() == ""


def test_making_an_arena_says_so_within_a_second(run_python):
    "On a machine that is as slow as can be: the first look at the digits takes two seconds here."
    code = """
import io, sys, time
import pixelsim.course.opening as opening
from pixelsim.course.arena import Arena
class Terminal(io.StringIO):
    def isatty(self): return True
    def write(self, text): said.append((time.monotonic() - start, text)); return len(text)
said, load = [], opening.load_mnist
def slow(*args): time.sleep(2); return load(*args)
opening.load_mnist, sys.stderr, start = slow, Terminal(), time.monotonic()
arena = Arena()
sys.stderr = sys.__stderr__
print(min(when for when, text in said if "Scoring the ideas of the opening board" in text), len(arena.entries))
"""
    when, n = run_python(code, TQDM_DISABLE=None).stdout.split()
    assert float(when) < 1.5 and n == "17"
