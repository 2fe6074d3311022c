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
from jupyter_client.kernelspec import get_kernel_spec
from traitlets.config import Config

import pixelsim
from pixelsim import cli
from pixelsim.course import copy as copy_module
from pixelsim.course import lessons as lessons_module
from pixelsim.course.copy import complete

posix = pytest.mark.skipif(os.name == "nt", reason="NOT TESTED: links as POSIX has them")
NBS = Path(__file__).parents[2] / "nbs"


def tree(folder):
    "Every file in `folder`, by name, with its content."
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def source(tmp_path, monkeypatch):
    "A small stand-in for the lessons of one version, which a test can change into the next; the README is not copied."
    for name in ("start.ipynb", "01_a.ipynb", "library/b.ipynb", "group/d.ipynb", "images/c.png", "index.ipynb", "images/index-1.png"):
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"{name}, first version\n".encode())
    (tmp_path / "source" / ".ipynb_checkpoints").mkdir()
    (tmp_path / "source" / ".ipynb_checkpoints" / "01_a-checkpoint.ipynb").write_text("not a lesson")
    monkeypatch.setattr(lessons_module, "lessons_folder", lambda: tmp_path / "source")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "source"


def lessons(capsys, *args):
    "stdout of `pixelsim lessons`, which succeeds and has nothing on stderr."
    assert cli.main(["lessons", *args]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    return said.out


def copied(run_python, folder):
    "stdout of the command in a process of its own, in this working folder."
    done = run_python("import sys; from pixelsim.cli import main; sys.exit(main(['lessons']))", cwd=folder)
    assert done.stderr == ""
    return done.stdout


def test_the_lessons_themselves(tmp_path, run_python):
    "Every notebook of this version but the README, cell by cell, without what answers a prediction; a second time changes nothing; the way in is told."
    out = copied(run_python, tmp_path)
    there = tree(tmp_path / "pixelsim-lessons")
    manifest = json.loads(there.pop(".pixelsim-lessons.json"))
    assert manifest == dict(version=pixelsim.__version__, files={name: hashlib.sha256(content).hexdigest() for name, content in there.items()})
    stored = {p.relative_to(NBS).as_posix(): json.loads(p.read_text(encoding="utf-8")) for p in NBS.rglob("*.ipynb")
              if ".ipynb_checkpoints" not in p.parts and p != NBS / "index.ipynb"}
    answers = 0
    for nb in stored.values():
        complete(nb["metadata"])
        for cell in nb["cells"]:
            if not cell["metadata"].get("jupyter", {}).get("outputs_hidden"): continue
            assert cell["outputs"]  # they are in the repository, and for the learner of a copy to find
            cell.update(outputs=[], execution_count=None)
            answers += 1
    assert answers > 30
    assert {name: json.loads(content) for name, content in there.items()} == stored and len(stored) > 60
    assert f"{len(there)} new, 0 updated, 0 up to date" in out
    assert out.splitlines()[-1] == "to open them: pixelsim lab pixelsim-lessons"
    times = {p: p.stat().st_mtime_ns for p in (tmp_path / "pixelsim-lessons").rglob("*.ipynb")}
    assert f"0 new, 0 updated, {len(there)} up to date" in copied(run_python, tmp_path)
    assert times == {p: p.stat().st_mtime_ns for p in times}


def test_links_stay_in_the_copy():
    "No notebook but the README links to a file outside of the folder, where a copy has none."
    for path in NBS.rglob("*.ipynb"):
        if path == NBS / "index.ipynb" or ".ipynb_checkpoints" in path.parts: continue
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] != "markdown": continue
            for target in re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", "".join(cell["source"])):
                assert NBS in (path.parent / target).resolve().parents, f"{path.name} links to {target}"


def test_a_copy_says_what_jupyter_would_write(run_python):
    "The metadata are those that a kernel of this Python gives of itself, so a notebook that is only opened stays as it is."
    metadata = {"ours": 40, "kernelspec": {"name": "python3"}}
    complete(metadata)
    spec = get_kernel_spec("python3")
    assert metadata["kernelspec"] == {"display_name": spec.display_name, "language": spec.language, "name": "python3"}
    said = run_python("import json; from ipykernel.ipkernel import IPythonKernel; print(json.dumps(IPythonKernel.language_info))").stdout
    assert metadata["language_info"] == json.loads(said) and metadata["ours"] == 40


def test_the_task_lab_serves_notebooks_as_if_they_were_copies():
    "The configuration of the task `lab`: a notebook comes with these metadata, its file stays as it is; the start page opens, from the repository's root."
    config = Config()
    runpy.run_path(str(NBS.parent / "tools" / "lab.py"), init_globals={"get_config": lambda: config})
    contents = config.ServerApp.contents_manager_class(root_dir=config.ServerApp.root_dir)
    page = config.LabApp.default_url.removeprefix("/lab/tree/")
    before = (NBS / "start.ipynb").read_bytes()
    def get(path):  # on a thread of its own, since a browser of another test may have its loop on this one
        with ThreadPoolExecutor(1) as thread: return thread.submit(asyncio.run, contents.get(path)).result()
    served = get(page)["content"]["metadata"]
    assert served == dict(json.loads(before)["metadata"], **{key: served[key] for key in ("kernelspec", "language_info")})
    complete(expected := {})
    assert expected.items() <= served.items() and (NBS / "start.ipynb").read_bytes() == before
    assert "content" in get("LICENSE") and (NBS.parent / page).samefile(NBS / "start.ipynb")


def test_a_new_version_updates_what_was_not_changed(source, capsys):
    "Changed by the user: left and named. Deleted: there again. Untouched: updated. The user's own: untouched."
    assert "5 new, 0 updated, 0 up to date" in lessons(capsys, "here")
    here = source.parent / "here"
    (here / "library" / "b.ipynb").write_text("my notes")
    (here / "my own.ipynb").write_text("mine too")
    (here / "images" / "c.png").unlink()
    for name, content in tree(source).items(): (source / name).write_bytes(content + b"second version\n")
    out = lessons(capsys, "here")
    assert "1 new, 3 updated, 0 up to date" in out
    assert "left as they are, because you changed them: library/b.ipynb\n" in out
    after = tree(here)
    assert after["library/b.ipynb"] == b"my notes" and after["my own.ipynb"] == b"mine too"
    assert all(after[n].endswith(b"second version\n") for n in ("start.ipynb", "01_a.ipynb", "group/d.ipynb", "images/c.png"))
    assert not [name for name in after if "checkpoint" in name or name.endswith(".partial")]
    (here / "library" / "b.ipynb").write_bytes(b"library/b.ipynb, first version\n")  # changed back
    assert "0 new, 1 updated, 4 up to date" in lessons(capsys, "here")
    assert tree(here)["library/b.ipynb"].endswith(b"second version\n")


@pytest.mark.parametrize("manifest", [None, "", "{", "[]", '{"files": ["01_a.ipynb"]}', '{"files": {"01_a.ipynb": 1}}'])
def test_without_a_manifest_what_differs_is_the_users(source, capsys, manifest):
    "Whatever the state of the manifest, a file that is not known to be ours is left; one that is the same is adopted."
    here = source.parent / "here"
    here.mkdir()
    if manifest is not None: (here / ".pixelsim-lessons.json").write_text(manifest)
    (here / "01_a.ipynb").write_text("something else")
    (here / "start.ipynb").write_bytes((source / "start.ipynb").read_bytes())
    out = lessons(capsys, "here")
    assert "3 new, 0 updated, 1 up to date" in out and "changed them: 01_a.ipynb\n" in out
    assert (here / "01_a.ipynb").read_text() == "something else"
    (source / "start.ipynb").write_text("second version")
    assert "0 new, 1 updated, 3 up to date" in lessons(capsys, "here")


@posix
def test_folders_and_links_in_the_way_are_the_users(source, capsys):
    "A folder under a lesson's name, and a link to nowhere, are left and named."
    here = source.parent / "here"
    (here / "01_a.ipynb").mkdir(parents=True)
    (here / "start.ipynb").symlink_to("nowhere")
    assert "changed them: 01_a.ipynb, start.ipynb\n" in lessons(capsys, "here")
    assert (here / "01_a.ipynb").is_dir() and os.readlink(here / "start.ipynb") == "nowhere"


def test_an_interrupted_copy_knows_what_it_copied(source, monkeypatch, capsys):
    "If it stops halfway, the manifest has what is there, so that the next version can still update it."
    write = copy_module.write_whole

    def stops(path, content):
        if path.name == "c.png": raise KeyboardInterrupt
        write(path, content)
    monkeypatch.setattr(copy_module, "write_whole", stops)
    assert cli.main(["lessons", "here"]) == 130
    assert capsys.readouterr().err == "pixelsim: stopped\n"
    monkeypatch.setattr(copy_module, "write_whole", write)
    (source / "01_a.ipynb").write_text("second version")
    assert "3 new, 1 updated, 1 up to date" in lessons(capsys, "here")


def test_lessons_complain(source, capsys):
    "A file where the folder should be, and the folder of the lessons itself."
    Path("file").write_text("mine")
    for where, said in {"file": "file", "source": "source is where the lessons come from"}.items():
        assert cli.main(["lessons", where]) == 1
        err = capsys.readouterr().err
        assert said in err and err.startswith("pixelsim: ") and err.count("\n") == 1, err
    assert Path("file").read_text() == "mine" and not Path("source/.pixelsim-lessons.json").exists()


def test_a_folder_with_a_space_is_quoted(source, capsys):
    assert lessons(capsys, "my lessons").endswith("to open them: pixelsim lab 'my lessons'\n")


def test_where_the_lessons_are(tmp_path, monkeypatch):
    "In the package if it was installed, beside it in the repository, and an error that helps where neither is."
    package = tmp_path / "pixelsim"
    package.mkdir()
    monkeypatch.setattr(lessons_module, "files", lambda name: package)
    with pytest.raises(FileNotFoundError, match="reinstall pixelsim"): lessons_module.lessons_folder()
    for folder in (tmp_path / "nbs", package / "lessons"):
        folder.mkdir()
        (folder / "start.ipynb").touch()
        assert lessons_module.lessons_folder() == folder
