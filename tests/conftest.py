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
    from pixelsim.digits import mnist_sample_folder
    home = tmp_path_factory.mktemp("fastai")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FASTAI_HOME", str(home))
        mnist_sample_folder()
    return home


def pytest_terminal_summary(terminalreporter):
    "Say how many bad inputs were tried: files in test_images.py, arrays in test_arrays.py."
    tried = {}
    for name in ("test_images", "test_arrays"): tried |= getattr(sys.modules.get(name), "TRIED", {})
    told = ", ".join(f"{name}: {taken} taken, {refused} refused" for name, (taken, refused) in tried.items())
    if tried: terminalreporter.write_line(f"bad inputs tried: {sum(map(sum, tried.values())):,} ({told})")
