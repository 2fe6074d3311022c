"""What the task `lab` tells JupyterLab: open the start page, let an untouched notebook be untouched, and keep widgets.

Jupyter would write into the metadata of each notebook that is opened what it knows of the kernel, and then ask at closing time whether to
save it. So it is served with these metadata; the file gets them when someone saves it, and nbdev-clean takes them out again.
Widgets are saved with what they show, so that a sheet or a slider is there again when the notebook is reopened with no kernel; without the
setting an error stands in its place.
The root is that of the repository, so that links from the notebooks to its other files lead somewhere.
"""
import os
from importlib.resources import files
from pathlib import Path

from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from pixelsim.course.copy import START, complete

ROOT = Path(__file__).parents[1]


class Contents(AsyncLargeFileManager):
    "Files as they are, and notebooks with all that Jupyter knows of the kernel."
    async def get(self, *args, **kwargs):
        model = await super().get(*args, **kwargs)
        if model["type"] == "notebook" and model["content"]: complete(model["content"]["metadata"])
        return model


os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # or each kernel warns that Python's own modules cannot be debugged
c = get_config()  # noqa: F821 (Jupyter provides it)
c.ServerApp.contents_manager_class = Contents
c.ServerApp.root_dir = str(ROOT)
c.ServerApp.preferred_dir = str(ROOT / "nbs")
c.LabApp.app_settings_dir = str(files("pixelsim") / "data" / "lab")
c.LabApp.default_url = f"/lab/tree/nbs/{START}"
