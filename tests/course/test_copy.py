"`pixelsim lessons` copies the notebooks, and never writes over what you changed."
import asyncio
import hashlib
import json
import os
import re
import runpy
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import ROOT
from jupyter_client.kernelspec import get_kernel_spec
from traitlets.config import Config

import pixelsim
from pixelsim import cli
from pixelsim.course import copy as copy_module
from pixelsim.course import lessons as lessons_module
from pixelsim.course.copy import complete

NBS = ROOT / "nbs"
NOTEBOOKS = {path.relative_to(NBS).as_posix(): path for path in NBS.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts and path != NBS / "index.ipynb"}


def tree(folder):
    "Every file in `folder`, by name, with its content."
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def source(tmp_path, monkeypatch):
    "A small stand-in for the lessons of one version, which a test can change into the next; the README is not copied."
    for name in ("start.ipynb", "01_a.ipynb", "library/b.ipynb", "group/d.ipynb", "images/c.png", "index.ipynb", "images/index-1.png", ".ipynb_checkpoints/01_a-checkpoint.ipynb"):
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"{name}, first version\n".encode())
    monkeypatch.setattr(lessons_module, "lessons_folder", lambda: tmp_path / "source")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "source"


@pytest.fixture
def here(source):
    "The folder that is copied to."
    return source.parent / "here"


@pytest.fixture
def lessons(capsys):
    "A function: stdout of `pixelsim lessons`, which succeeds and has nothing on stderr."
    def lessons(folder="here"):
        assert cli.main(["lessons", *([folder] if folder else [])]) == 0
        said = capsys.readouterr()
        assert said.err == ""
        return said.out
    return lessons


def test_the_lessons_themselves(tmp_path, monkeypatch, lessons):
    "Every notebook of this version but the README, cell by cell, without what answers a prediction; a second time changes nothing; the way in is told."
    monkeypatch.chdir(tmp_path)
    out, there = lessons(None), tree(tmp_path / "pixelsim-lessons")
    assert json.loads(there.pop(".pixelsim-lessons.json")) == dict(version=pixelsim.__version__, files={name: hashlib.sha256(content).hexdigest() for name, content in there.items()})
    stored = {name: json.loads(path.read_text(encoding="utf-8")) for name, path in NOTEBOOKS.items()}
    for nb in stored.values(): complete(nb["metadata"])
    hidden = [cell for nb in stored.values() for cell in nb["cells"] if cell["metadata"].get("jupyter", {}).get("outputs_hidden")]
    assert len(hidden) > 30 and all(cell["outputs"] for cell in hidden)  # they are in the repository, and for the learner of a copy to find
    for cell in hidden: cell.update(outputs=[], execution_count=None)
    assert {name: json.loads(content) for name, content in there.items()} == stored and len(stored) > 60
    assert f"{len(there)} new, 0 updated, 0 up to date" in out and out.splitlines()[-1] == "to open them: pixelsim lab pixelsim-lessons"
    times = {p: p.stat().st_mtime_ns for p in (tmp_path / "pixelsim-lessons").rglob("*.ipynb")}
    assert f"0 new, 0 updated, {len(there)} up to date" in lessons(None) and times == {p: p.stat().st_mtime_ns for p in times}


def test_links_stay_in_the_copy():
    "No notebook but the README links to a file outside of the folder, where a copy has none."
    for path in NOTEBOOKS.values():
        text = "\n".join("".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "markdown")
        targets = re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", text)
        assert [target for target in targets if NBS not in (path.parent / target).resolve().parents] == [], path.name


def test_a_copy_says_what_jupyter_would_write(run_python):
    "The metadata are those that a kernel of this Python gives of itself, so a notebook that is only opened stays as it is."
    metadata = {"ours": 40, "kernelspec": {"name": "python3"}}
    complete(metadata)
    spec = get_kernel_spec("python3")
    language = json.loads(run_python("import json; from ipykernel.ipkernel import IPythonKernel; print(json.dumps(IPythonKernel.language_info))").stdout)
    assert metadata == {"ours": 40, "kernelspec": {"display_name": spec.display_name, "language": spec.language, "name": "python3"}, "language_info": language}


def test_the_task_lab_serves_notebooks_as_if_they_were_copies():
    "The configuration of the task `lab`: a notebook comes with these metadata, its file stays as it is; the start page opens, from the repository's root."
    config = Config()
    runpy.run_path(str(ROOT / "tools" / "lab.py"), init_globals={"get_config": lambda: config})
    contents = config.ServerApp.contents_manager_class(root_dir=config.ServerApp.root_dir)
    page = config.LabApp.default_url.removeprefix("/lab/tree/")
    before = (NBS / "start.ipynb").read_bytes()
    def get(path):  # on a thread of its own, since a browser of another test may have its loop on this one
        with ThreadPoolExecutor(1) as thread: return thread.submit(asyncio.run, contents.get(path)).result()
    complete(expected := json.loads(before)["metadata"])
    assert get(page)["content"]["metadata"] == expected and (NBS / "start.ipynb").read_bytes() == before
    assert "content" in get("LICENSE") and (ROOT / page).samefile(NBS / "start.ipynb")


def test_a_new_version_updates_what_was_not_changed(source, here, lessons):
    "Changed by the user: left and named. Deleted: there again. Untouched: updated. The user's own: untouched."
    assert "5 new, 0 updated, 0 up to date" in lessons()
    (here / "library" / "b.ipynb").write_text("my notes")
    (here / "my own.ipynb").write_text("mine too")
    (here / "images" / "c.png").unlink()
    for name, content in tree(source).items(): (source / name).write_bytes(content + b"second version\n")
    out = lessons()
    assert "1 new, 3 updated, 0 up to date" in out and "left as they are, because you changed them: library/b.ipynb\n" in out
    after = tree(here)
    del after[".pixelsim-lessons.json"]
    new = {name: (source / name).read_bytes() for name in ("start.ipynb", "01_a.ipynb", "group/d.ipynb", "images/c.png")}
    assert after == {"library/b.ipynb": b"my notes", "my own.ipynb": b"mine too"} | new
    (here / "library" / "b.ipynb").write_bytes(b"library/b.ipynb, first version\n")  # changed back
    assert "0 new, 1 updated, 4 up to date" in lessons() and tree(here)["library/b.ipynb"].endswith(b"second version\n")


@pytest.mark.parametrize("manifest", [None, "", "[]", '{"files": ["01_a.ipynb"]}', '{"files": {"01_a.ipynb": 1}}', "{}"])
def test_without_a_manifest_what_differs_is_the_users(source, here, lessons, manifest):
    "Whatever the state of the manifest, a file that is not known to be ours is left; one that is the same is adopted."
    here.mkdir()
    if manifest is not None: (here / ".pixelsim-lessons.json").write_text(manifest)
    (here / "01_a.ipynb").write_text("something else")
    (here / "start.ipynb").write_bytes((source / "start.ipynb").read_bytes())
    out = lessons()
    assert "3 new, 0 updated, 1 up to date" in out and "changed them: 01_a.ipynb\n" in out
    assert (here / "01_a.ipynb").read_text() == "something else"
    (source / "start.ipynb").write_text("second version")
    assert "0 new, 1 updated, 3 up to date" in lessons()


@pytest.mark.skipif(os.name == "nt", reason="NOT TESTED: links as POSIX has them")
def test_folders_and_links_in_the_way_are_the_users(here, lessons):
    "A folder under a lesson's name, and a link to nowhere, are left and named."
    (here / "01_a.ipynb").mkdir(parents=True)
    (here / "start.ipynb").symlink_to("nowhere")
    assert "changed them: 01_a.ipynb, start.ipynb\n" in lessons()
    assert (here / "01_a.ipynb").is_dir() and os.readlink(here / "start.ipynb") == "nowhere"


def test_an_interrupted_copy_knows_what_it_copied(source, monkeypatch, capsys, lessons):
    "If it stops halfway, the manifest has what is there, so that the next version can still update it."
    write = copy_module.write_whole
    def stops(path, content):
        if path.name == "c.png": raise KeyboardInterrupt
        write(path, content)
    with monkeypatch.context() as patch:
        patch.setattr(copy_module, "write_whole", stops)
        assert cli.main(["lessons", "here"]) == 130 and capsys.readouterr().err == "pixelsim: stopped\n"
    (source / "01_a.ipynb").write_text("second version")
    assert "3 new, 1 updated, 1 up to date" in lessons()


def test_lessons_complain(source, capsys):
    "A file where the folder should be, and the folder of the lessons itself."
    Path("file").write_text("mine")
    for where, said in {"file": "file", "source": "source is where the lessons come from"}.items():
        assert cli.main(["lessons", where]) == 1
        err = capsys.readouterr().err
        assert said in err and err.startswith("pixelsim: ") and err.count("\n") == 1, err
    assert Path("file").read_text() == "mine" and not Path("source/.pixelsim-lessons.json").exists()


def test_a_folder_with_a_space_is_quoted(source, lessons):
    assert lessons("my lessons").endswith("to open them: pixelsim lab 'my lessons'\n")


def test_where_the_lessons_are(tmp_path, monkeypatch):
    "In the package if it was installed, beside it in the repository, and an error that helps where neither is."
    package = tmp_path / "pixelsim"
    monkeypatch.setattr(lessons_module, "files", lambda name: package)
    with pytest.raises(FileNotFoundError, match="reinstall pixelsim"): lessons_module.lessons_folder()
    for folder in (tmp_path / "nbs", package / "lessons"):
        folder.mkdir(parents=True)
        (folder / "start.ipynb").touch()
        assert lessons_module.lessons_folder() == folder
