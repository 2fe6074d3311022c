"What all tests share: the digits and a model, a browser, a home for fastai's data, processes of their own, Hypothesis' settings."
import functools
import http.server
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import matplotlib
import pytest
from filelock import FileLock
from hypothesis import settings

ROOT = Path(__file__).parents[1]
REPOSITORY = "group/pixelsim"  # from which the site is built
matplotlib.use("Agg")
if "PYTEST_XDIST_WORKER" in os.environ: os.environ.setdefault("OMP_NUM_THREADS", "1")  # the cores are taken by the workers


def pytest_configure(config):
    "The same examples in every run; and a Ctrl-C that reaches child processes, though a job in the background ignores it."
    settings.register_profile("pixelsim", max_examples=60, deadline=None, derandomize=True, database=None)
    settings.load_profile("pixelsim")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN: signal.signal(signal.SIGINT, signal.default_int_handler)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_): pass


@contextmanager
def served(folder):
    "The address at which a server on this machine shows `folder`."
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try: yield f"http://127.0.0.1:{server.server_port}"
        finally: server.shutdown()


@pytest.fixture(autouse=True)
def close_figures():
    "No picture stays open."
    yield
    if plt := sys.modules.get("matplotlib.pyplot"): plt.close("all")


@pytest.fixture(scope="session")
def digits():
    "Threes and sevens: those to learn from, and those to test with."
    from pixelsim.digits import load_mnist
    return load_mnist([3, 7])


@pytest.fixture(scope="session")
def model(digits):
    "The classifier fitted on all threes and sevens to learn from; tests leave it as it is."
    from pixelsim.classifier import PixelSimilarity
    return PixelSimilarity().fit(digits[0])


def state(model):
    "All that a classifier is and knows, to compare to the last bit."
    import numpy as np
    learned = {name: np.asarray(x) for name, x in vars(model).items() if name.endswith("_")}
    return type(model), model.get_params(), {name: (x.dtype.kind, x.shape, x.tolist()) for name, x in learned.items()}


@pytest.fixture
def set_threads():
    "Torch's own function that says how many threads it may use; afterwards it is as before."
    import torch
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def run_python():
    "A function that runs code in a Python of its own, which knows the library and nothing of this process's settings for Python."
    import pixelsim
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "MPL"))}
    clean |= {"PYTHONPATH": str(Path(pixelsim.__file__).parents[1]), "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    def run_python(code, *args, cwd=None, check=True, timeout=300, **env):
        env = {name: str(value) for name, value in (clean | env).items() if value is not None}  # None takes a variable away
        done = subprocess.run([sys.executable, "-c", code, *map(str, args)], env=env, cwd=cwd, timeout=timeout,
                              stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace")
        assert not (check and done.returncode), f"ended with {done.returncode}: {done.stderr[-3000:]}"
        return done
    return run_python


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory):
    "A function that fills a folder once, `fill(folder)`, for all processes that run tests."
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ: base = base.parent
    def shared_folder(name, fill):
        folder, done = base / name, base / f"{name}.done"
        with FileLock(base / f"{name}.lock"):
            if not done.exists():
                folder.mkdir(exist_ok=True)
                fill(folder)
                done.touch()
        return folder
    return shared_folder


@pytest.fixture(scope="session")
def fastai_home(shared_folder):
    "A folder for FASTAI_HOME in which the files of MNIST_SAMPLE have been made."
    from pixelsim.fastai_folder import mnist_sample_folder
    def fill(home):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FASTAI_HOME", str(home))
            mnist_sample_folder()
    return shared_folder("fastai", fill)


@pytest.fixture(scope="session")
def browser():
    "Chromium, driven by Playwright."
    from browser import FLAGS, MISSING, chromium
    from playwright.sync_api import sync_playwright
    if not (path := chromium()): pytest.skip(MISSING)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


def violations(page, rules=None):
    "What axe-core, at the levels A and AA of WCAG (or by these rules), finds wrong with a page as it stands in the browser."
    from axe_playwright_python.sync_playwright import Axe
    wanted = rules or ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    found = Axe().run(page, options={"preload": False, "runOnly": wanted, "resultTypes": ["violations"]}).response["violations"]
    return [(rule["id"], node["html"][:200], node["failureSummary"]) for rule in found for node in rule["nodes"]]
