"What tests of the project share: a copy of the repository to build, to change, or to break; and the built site."
import shutil
import subprocess
from pathlib import Path

import docs
import pytest
from conftest import REPOSITORY

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def copy_tree():
    """A function that makes a clean copy of the repository in a new folder, and returns the folder.

    These are the files that a clone would have once everything is committed. A clone itself has only what is committed
    already, so it would test something else than the code at hand."""
    def copy_tree(to):
        listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True, capture_output=True, encoding="utf-8")
        for name in listed.stdout.split("\0"):
            if not (ROOT / name).is_file(): continue  # deleted, and not yet committed
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)
        return to
    return copy_tree


@pytest.fixture(scope="session")
def site(shared_folder):
    "The folder of the built site."
    return shared_folder("site", lambda folder: docs.build(REPOSITORY, folder)) / "html"
