"What all tests share: the repository's root, its tools as modules, and a home for fastai's data that is not the user's."
import sys
from pathlib import Path

import matplotlib
import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))
matplotlib.use("Agg")


@pytest.fixture(scope="session")
def fastai_home(tmp_path_factory):
    "A folder for FASTAI_HOME in which the files of MNIST_SAMPLE have been made."
    from pixelsim.fastai_folder import mnist_sample_folder
    home = tmp_path_factory.mktemp("fastai")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FASTAI_HOME", str(home))
        mnist_sample_folder()
    return home


@pytest.fixture(scope="session")
def browser():
    "Chromium, driven by Playwright."
    from browser import MISSING, chromium
    from playwright.sync_api import sync_playwright
    if not (path := chromium()): pytest.skip(MISSING)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        yield started
        started.close()


def violations(page):
    "What axe-core, at the levels A and AA of WCAG, finds wrong with a page as it stands in the browser."
    from axe_playwright_python.sync_playwright import Axe
    levels = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    found = Axe().run(page, options={"preload": False, "runOnly": levels, "resultTypes": ["violations"]}).response["violations"]
    return [(rule["id"], node["html"][:200], node["failureSummary"]) for rule in found for node in rule["nodes"]]


def pytest_terminal_summary(terminalreporter):
    "Say how many bad inputs were tried: files in test_images.py, arrays in test_arrays.py."
    tried = {}
    for name in ("test_images", "test_arrays"): tried |= getattr(sys.modules.get(name), "TRIED", {})
    told = ", ".join(f"{name}: {taken} taken, {refused} refused" for name, (taken, refused) in tried.items())
    if tried: terminalreporter.write_line(f"bad inputs tried: {sum(map(sum, tried.values())):,} ({told})")
