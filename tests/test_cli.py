"""The command `pixelsim`: what it says, what it exits with, and what it never overwrites.

Exit statuses and messages are those of the installed command in a process of its own; the rest calls `main`.
The figures of the digits are the published ones of `test_published.py`; other distances are worked out by hand.
"""
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pixelsim
from pixelsim import cli, files
from pixelsim.classifier import PixelSimilarity
from pixelsim.digits import load_mnist

COMMAND = shutil.which("pixelsim", path=Path(sys.executable).parent)
posix = pytest.mark.skipif(os.name == "nt", reason="needs named pipes and signals as POSIX has them")


def start(*args, **kwargs):
    "The installed command, started."
    assert COMMAND, "the command pixelsim is not installed beside this Python: make test installs it"
    kwargs = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") | kwargs
    env = dict(os.environ, PYTHONIOENCODING="utf-8", PYTHONUNBUFFERED="")
    return subprocess.Popen([COMMAND, *map(str, args)], env=env, **kwargs)


def run(*args, **kwargs):
    "Exit status, stdout and stderr of the installed command."
    process = start(*args, **kwargs)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def save(path, pixels):
    "An image file with these gray values, its folder made if need be; `path`."
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels).astype(np.uint8)).save(path)
    return path


@pytest.fixture
def shades(tmp_path, monkeypatch):
    "The working folder: two classes of 2×3 pixels in `shades`, black is 0 and gray is 51 (a fifth of full ink)."
    monkeypatch.chdir(tmp_path)
    for name, values in dict(black=[0, 0, 0], gray=[51, 51]).items():
        for i, value in enumerate(values): save(tmp_path / "shades" / name / f"{i}.png", np.full((2, 3), value))
    return tmp_path


@pytest.fixture
def fitted(shades, capsys):
    "The same folder, with `model.npz` fitted on it."
    assert cli.main(["fit", "shades", "--out", "model.npz"]) == 0
    capsys.readouterr()
    return shades


@pytest.fixture(scope="session")
def sample(fastai_home):
    "The folder of threes and sevens as files."
    return fastai_home / "data" / "mnist_sample"


# Help and usage


def test_help_teaches_at_once():
    "Every command is listed, each has an example that its parser takes, and nothing heavy is imported for it."
    status, out, err = run("--help")
    assert (status, err) == (0, "")
    commands = re.findall(r"^    (\w+)  ", out, flags=re.M)
    assert commands == ["predict", "fit", "score", "lessons"] and "exit status: 0 fine, 1 " in out
    for command in commands:
        status, out, err = run(command, "--help")
        assert (status, err) == (0, "")
        example = re.search(rf"^example:\n  pixelsim ({command} .*)$", out, flags=re.M)[1]
        assert cli._parser().parse_args(example.split()).run
    code = ("import sys; from pixelsim.cli import main\ntry: main(['--help'])\n"
            "finally: assert not {'torch', 'numpy', 'PIL', 'matplotlib'} & {*sys.modules}")
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL).returncode == 0


def test_examples_of_the_front_help_are_right():
    for line in re.findall(r"^  pixelsim (.*?)(?:   .*)?$", cli._EPILOG, flags=re.M):
        assert cli._parser().parse_args(line.split()).run


def test_version(): assert run("--version") == (0, f"pixelsim {pixelsim.__version__}\n", "")


@pytest.mark.parametrize("args, said", [
    ([], "required: COMMAND"), (["guess"], "invalid choice: 'guess'"), (["predict"], "required: FILE"),
    (["predict", "a.png", "--digits", "3"], "name at least two digits, each once, for example 37, not '3'"),
    (["predict", "a.png", "--digits", "33"], "not '33'"), (["predict", "a.png", "--digits", "3x"], "not '3x'"),
    (["predict", "a.png", "--model", "m.npz", "--digits", "37"], "not allowed with argument"),
    (["fit", "folder"], "required: --out"), (["fit", "folder", "--out", "m.npz", "--distance", "l3"], "choice: 'l3'"),
    (["fit", "folder", "--out", "m.npz", "--size", "0x9"], "for example 28x28, not '0x9'"),
    (["score", "m.npz"], "required: FOLDER"),
    (["predict", "a.png", "--mod", "m.npz"], "unrecognized arguments: --mod")])
def test_wrong_usage(args, said):
    "Exit status 2, the usage, and what was wrong; nothing on stdout."
    status, out, err = run(*args)
    assert (status, out) == (2, "") and err.startswith("usage: pixelsim") and said in err.splitlines()[-1]


# predict


def test_predict_with_the_bundled_digits(tmp_path):
    "The distances of lesson 5's three, 0.1114 and 0.1586; a bad file is named, the others are predicted."
    train, valid = load_mnist([3, 7])
    three, seven = save(tmp_path / "three.png", train[3][1]), save(tmp_path / "seven.png", valid[7][0])
    large, text = save(tmp_path / "large.png", np.zeros((32, 30))), tmp_path / "text.png"
    text.write_text("not an image")
    status, out, err = run("predict", three, large, text, tmp_path / "none.png", tmp_path, seven)
    assert status == 1
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["file", "label", "margin", "to", "3", "to", "7"] and len(lines) == 3
    assert lines[1] == [str(three), "3", "0.0472", "0.1114", "0.1586"] and lines[2][:2] == [str(seven), "7"]
    said = err.splitlines()
    assert said[0] == (f"pixelsim: {large} is 32×30 pixels (height × width), but the model was fitted on 28×28: "
                       "resize it, or pass --resize")
    assert len(said) == 4 and "Traceback" not in err
    for line, path in zip(said[1:], (text, tmp_path / "none.png", tmp_path)):
        assert line.startswith("pixelsim: ") and str(path) in line


def test_predict_ten_digits(tmp_path, capsys):
    "With all digits there is a distance to each, and the labels are the library's."
    train, valid = load_mnist()
    files = [str(save(tmp_path / f"{i}.png", valid.images[i])) for i in range(0, 10000, 1000)]
    assert cli.main(["predict", "--digits", "0123456789", "--json", *files]) == 0
    found = json.loads(capsys.readouterr().out)
    model = PixelSimilarity().fit(train.images, train.labels)
    assert [int(f["label"]) for f in found] == model.predict(valid.images[::1000]).tolist()
    assert [f["file"] for f in found] == files
    assert all([*f["distances"]] == [*"0123456789"] for f in found)


def test_predict_json_by_hand(fitted, capsys):
    "15 is 15/255 from black and 36/255 from gray, which is 51: the margin is 21/255; a tie has a margin of 0."
    a, tie = save(Path("a.png"), np.full((2, 3), 15)), save(Path("tie.png"), [[0, 0, 0], [51, 51, 51]])
    assert cli.main(["predict", str(a), str(tie), "--model", "model.npz", "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert first == dict(file="a.png", label="black", margin=pytest.approx(21 / 255),
                         distances=dict(black=pytest.approx(15 / 255), gray=pytest.approx(36 / 255)))
    assert second["label"] == "black" and second["margin"] == pytest.approx(0, abs=1e-6)


def test_predict_json_of_nothing_good(fitted, capsys):
    "JSON is JSON even if no file could be read."
    assert cli.main(["predict", "none.png", "--model", "model.npz", "--json"]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out) == [] and said.err.startswith("pixelsim: ") and said.err.count("\n") == 1


def test_predict_reads_scans_and_other_sizes(tmp_path, capsys):
    "Dark ink on paper gets a note; with --invert, and --resize for one twice the size, it is the three that it was."
    three = np.asarray(load_mnist([3, 7])[0][3][1])
    scan = str(save(tmp_path / "scan.png", 255 - np.kron(three, np.ones((2, 2)))))
    assert cli.main(["predict", scan, "--invert"]) == 1
    assert "scan.png is 56×56 pixels" in capsys.readouterr().err
    assert cli.main(["predict", scan, "--invert", "--resize", "--json"]) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)[0]
    assert [f"{d:.4f}" for d in found["distances"].values()] == ["0.1114", "0.1586"] and said.err == ""
    status, out, err = run("predict", scan, scan, "--resize")
    assert status == 0 and len(err.splitlines()) == 2
    assert all(re.fullmatch(r"pixelsim: note: \S*scan\.png has a bright border, .* pass --invert", line)
               for line in err.splitlines())


@posix
def test_strange_names(fitted):
    "A name with a line break, an escape sequence or a byte that is no text: still one line for each file."
    names = ["new\nline.png", "red\x1b[31m.png", os.fsdecode(b"byte\xff.png"), "ünïcode 三.png"]
    for name in names:
        try: save(Path(name), np.zeros((2, 3)))
        except OSError: pytest.skip(f"this file system does not take {name!r}")
    status, out, err = run("predict", "--model", "model.npz", *names)
    assert (status, err) == (0, "") and len(out.splitlines()) == 5 and "\x1b" not in out
    assert all(shown in out for shown in ("new\\nline.png", "red\\x1b[31m.png", "ünïcode 三.png"))
    status, out, err = run("predict", "--model", "model.npz", "--json", *names)
    assert [p["file"] for p in json.loads(out)] == names
    status, out, err = run("predict", "--model", "model.npz", "no\nfile.png")
    assert (status, out) == (1, "") and err.count("\n") == 1


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 cut off", b"Dear model, how are you?"])
def test_a_bad_model(fitted, content):
    "No model, or a file that is none: one line that names it, and status 1, for each command that reads one."
    if content is not None: Path("bad.npz").write_bytes(content)
    for args in (["predict", "shades/black/0.png", "--model", "bad.npz"], ["score", "bad.npz", "shades"]):
        status, out, err = run(*args)
        assert (status, out) == (1, "") and re.fullmatch(r"pixelsim: .*bad\.npz.*\n", err)


# fit


def test_fit_says_what_it_learned(shades):
    "Classes and counts; the model is the one that the library makes, and nothing else is written."
    status, out, err = run("fit", "shades", "--out", "model.npz", "--distance", "l2")
    assert (status, err) == (0, "")
    assert [line.split() for line in out.splitlines()[:3]] == [["class", "images"], ["black", "3"], ["gray", "2"]]
    assert out.splitlines()[3] == "saved model.npz: 2 classes, 2×3 pixels, distance l2"
    model = PixelSimilarity.load("model.npz")
    assert model.distance == "l2" and model.classes_.tolist() == ["black", "gray"]
    assert np.allclose(model.prototypes_, np.array([0, 0.2]).reshape(2, 1, 1) * np.ones((2, 2, 3)))
    assert sorted(p.name for p in shades.iterdir()) == ["model.npz", "shades"]


def test_fit_overwrites_only_with_force(shades):
    "What is there stays as it is, whether it is a model or not, until --force says otherwise."
    for name in ("model.npz", "notes.txt"):
        Path(name).write_text("mine")
        status, out, err = run("fit", "shades", "--out", name)
        assert (status, out) == (1, "") and Path(name).read_text() == "mine"
        assert err == f"pixelsim: {name} is there already: name another file, or replace it with --force\n"
    assert cli.main(["fit", "shades", "--out", "model.npz", "--force"]) == 0
    assert PixelSimilarity.load("model.npz").classes_.tolist() == ["black", "gray"]


@posix
def test_fit_respects_a_link_to_nowhere(shades):
    Path("model.npz").symlink_to("elsewhere.npz")
    assert cli.main(["fit", "shades", "--out", "model.npz"]) == 1
    assert Path("model.npz").is_symlink() and not Path("elsewhere.npz").exists()


def test_fit_reads_scans_and_other_sizes(shades, capsys):
    "Two sizes: the message names the option that helps, and it does; so does --invert, which turns 51 into 204."
    save(Path("shades/gray/large.png"), np.full((4, 6), 51))
    assert cli.main(["fit", "shades", "--out", "m.npz"]) == 1
    assert "pass --size 2x3, or another" in capsys.readouterr().err
    assert cli.main(["fit", "shades", "--out", "m.npz", "--size", "2x3", "--invert"]) == 0
    assert "note: 6 of the 6 images in shades have a bright border" in capsys.readouterr().err
    means = np.asarray(PixelSimilarity.load("m.npz").prototypes_)
    assert means.shape == (2, 2, 3) and np.allclose(means[0], 1) and np.allclose(means[1], 0.8)
    save(Path("test/gray/1.png"), np.full((1, 1), 51))
    assert cli.main(["score", "m.npz", "test", "--invert", "--resize"]) == 0
    assert "accuracy 1.0000: 1 of 1 images right" in capsys.readouterr().out


def test_fit_complains(shades, capsys):
    "Each cause gets one line, a place that cannot be written before anything is read, and no file is left."
    Path("file.txt").write_text("no folder")
    save(Path("odd/a/1.png"), np.zeros((2, 3))), save(Path("odd/b/1.png"), np.zeros((3, 2)))
    save(Path("one/only/1.png"), np.zeros((2, 3)))
    Path("empty").mkdir()
    cases = {"nowhere": "nowhere is not a folder", "file.txt": "file.txt is not a folder", "empty": "no subfolders",
             "odd": "one size", "one": "at least two classes"}
    for folder, said in cases.items():
        assert cli.main(["fit", folder, "--out", "m.npz"]) == 1
        err = capsys.readouterr().err
        assert said in err and err.startswith("pixelsim: ") and err.count("\n") == 1, err
    for out, said in {"nowhere/m.npz": "there is no folder nowhere", "shades": "shades is a folder"}.items():
        assert cli.main(["fit", "shades", "--out", out, "--force"]) == 1
        assert said in capsys.readouterr().err
    assert not Path("m.npz").exists() and not [*Path().rglob("*.partial")]


# score


def test_score_has_the_published_figures(sample, tmp_path):
    "Fit on the training files of threes and sevens, score on the others: accuracy, interval, classes, matrix."
    model = tmp_path / "model.npz"
    status, out, err = run("fit", sample / "train", "--out", model)
    assert status == 0 and re.search(r"^3 +6131$", out, flags=re.M) and re.search(r"^7 +6265$", out, flags=re.M)
    status, out, err = run("score", model, sample / "valid")
    assert status == 0
    assert out.splitlines()[:2] == ["accuracy 0.9514: 1939 of 2038 images right", "95% interval 0.9412 to 0.9599"]
    lines = [line.split() for line in out.splitlines()[3:]]
    assert lines[:3] == [["class", "images", "accuracy"], ["3", "1010", "0.9168"], ["7", "1028", "0.9854"]]
    assert lines[5:] == [["3", "7"], ["3", "926", "84"], ["7", "15", "1013"]]
    assert len({len(line) for line in out.splitlines()[-3:]}) == 1  # aligned


def test_score_json_and_a_model_of_numbers(sample, tmp_path, capsys):
    "A model fitted on the numbers 3 and 7 scores the folders named so; the figures are those of the text."
    train = load_mnist([3, 7])[0]
    model = PixelSimilarity().fit(train.images, train.labels).save(tmp_path / "model.npz")
    assert cli.main(["score", str(model), str(sample / "valid"), "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["confusion"] == [[926, 84], [15, 1013]] and scores["classes"] == ["3", "7"]
    assert (scores["right"], scores["total"], scores["accuracy"]) == (1939, 2038, 1939 / 2038)
    assert scores["interval"] == [pytest.approx(0.9412, abs=5e-5), pytest.approx(0.9599, abs=5e-5)]
    assert scores["per_class"] == {"3": dict(images=1010, accuracy=926 / 1010),
                                   "7": dict(images=1028, accuracy=1013 / 1028)}


def test_score_by_hand(fitted, capsys):
    "A folder with one of the two classes: two of its three images are nearer to black."
    for i, value in enumerate([0, 20, 40]): save(Path(f"test/black/{i}.png"), np.full((2, 3), value))
    assert cli.main(["score", "model.npz", "test", "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["confusion"] == [[2, 1], [0, 0]] and scores["accuracy"] == pytest.approx(2 / 3)
    assert [*scores["per_class"]] == ["black"]


def test_score_complains(fitted, capsys):
    "A class that the model does not know, and images of another size: one line, with both sides named."
    save(Path("more/white/1.png"), np.zeros((2, 3))), save(Path("large/gray/1.png"), np.zeros((5, 4)))
    cases = {"more": "class 'white', but the model knows black, gray", "nowhere": "nowhere is not a folder",
             "large": "each image in large is 5×4 pixels (height × width), but the model was fitted on 2×3"}
    for folder, said in cases.items():
        assert cli.main(["score", "model.npz", folder]) == 1
        err = capsys.readouterr().err
        assert said in err and err.startswith("pixelsim: ") and err.count("\n") == 1, err


# lessons

NBS = Path(__file__).parents[1] / "nbs"


def tree(folder):
    "Every file in `folder`, by name, with its content."
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def source(tmp_path, monkeypatch):
    "A small stand-in for the lessons of one version, which a test can change into the next."
    for name in ("index.ipynb", "01_a.ipynb", "library/b.ipynb", "group/d.ipynb", "images/c.png"):
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"{name}, first version\n".encode())
    (tmp_path / "source" / ".ipynb_checkpoints").mkdir()
    (tmp_path / "source" / ".ipynb_checkpoints" / "01_a-checkpoint.ipynb").write_text("not a lesson")
    monkeypatch.setattr(cli, "lessons_folder", lambda: tmp_path / "source")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "source"


def lessons(capsys, *args):
    "stdout of `pixelsim lessons`, which succeeds and has nothing on stderr."
    assert cli.main(["lessons", *args]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    return said.out


def test_the_lessons_themselves(tmp_path):
    "Every notebook and picture of this version, in the default folder; a second time changes nothing."
    status, out, err = run("lessons", cwd=tmp_path)
    assert (status, err) == (0, "")
    there = tree(tmp_path / "pixelsim-lessons")
    manifest = json.loads(there.pop(".pixelsim-lessons.json"))
    expected = {p.relative_to(NBS).as_posix(): p.read_bytes() for p in NBS.rglob("*")
                if p.is_file() and ".ipynb_checkpoints" not in p.parts}
    assert there == expected and {"01_pixels.ipynb", "library/digits.ipynb", "group/answers.ipynb", "images/index-1.png"} <= there.keys()
    assert manifest == dict(version=pixelsim.__version__,
                            files={name: hashlib.sha256(content).hexdigest() for name, content in expected.items()})
    assert f"{len(there)} new, 0 updated, 0 up to date" in out
    assert out.splitlines()[-1] == 'to open them: install pixelsim with its course extra, then jupyter lab pixelsim-lessons'
    times = {p: p.stat().st_mtime_ns for p in (tmp_path / "pixelsim-lessons").rglob("*.ipynb")}
    assert f"0 new, 0 updated, {len(there)} up to date" in run("lessons", cwd=tmp_path)[1]
    assert times == {p: p.stat().st_mtime_ns for p in times}


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
    assert all(after[n].endswith(b"second version\n") for n in ("index.ipynb", "01_a.ipynb", "group/d.ipynb", "images/c.png"))
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
    (here / "index.ipynb").write_bytes((source / "index.ipynb").read_bytes())
    out = lessons(capsys, "here")
    assert "3 new, 0 updated, 1 up to date" in out and "changed them: 01_a.ipynb\n" in out
    assert (here / "01_a.ipynb").read_text() == "something else"
    (source / "index.ipynb").write_text("second version")
    assert "0 new, 1 updated, 3 up to date" in lessons(capsys, "here")


@posix
def test_folders_and_links_in_the_way_are_the_users(source, capsys):
    "A folder under a lesson's name, and a link to nowhere, are left and named."
    here = source.parent / "here"
    (here / "01_a.ipynb").mkdir(parents=True)
    (here / "index.ipynb").symlink_to("nowhere")
    assert "changed them: 01_a.ipynb, index.ipynb\n" in lessons(capsys, "here")
    assert (here / "01_a.ipynb").is_dir() and os.readlink(here / "index.ipynb") == "nowhere"


def test_an_interrupted_copy_knows_what_it_copied(source, monkeypatch, capsys):
    "If it stops halfway, the manifest has what is there, so that the next version can still update it."
    write = cli.write_whole

    def stops(path, content):
        if path.name == "index.ipynb": raise KeyboardInterrupt
        write(path, content)
    monkeypatch.setattr(cli, "write_whole", stops)
    assert cli.main(["lessons", "here"]) == 130
    assert capsys.readouterr().err == "pixelsim: stopped\n"
    monkeypatch.undo()
    monkeypatch.setattr(cli, "lessons_folder", lambda: source)
    monkeypatch.chdir(source.parent)
    (source / "01_a.ipynb").write_text("second version")
    assert "2 new, 1 updated, 2 up to date" in lessons(capsys, "here")


def test_lessons_complain(source, capsys):
    "A file where the folder should be, and the folder of the lessons itself."
    Path("file").write_text("mine")
    for where, said in {"file": "file", "source": "source is where the lessons come from"}.items():
        assert cli.main(["lessons", where]) == 1
        err = capsys.readouterr().err
        assert said in err and err.startswith("pixelsim: ") and err.count("\n") == 1, err
    assert Path("file").read_text() == "mine" and not Path("source/.pixelsim-lessons.json").exists()


def test_a_folder_with_a_space_is_quoted(source, capsys):
    assert lessons(capsys, "my lessons").endswith("then jupyter lab 'my lessons'\n")


def test_where_the_lessons_are(tmp_path, monkeypatch):
    "In the package if it was installed, beside it in the repository, and an error that helps where neither is."
    package = tmp_path / "pixelsim"
    package.mkdir()
    monkeypatch.setattr(files, "files", lambda name: package)
    with pytest.raises(FileNotFoundError, match="reinstall pixelsim"): files.lessons_folder()
    for folder in (tmp_path / "nbs", package / "lessons"):
        folder.mkdir()
        (folder / "index.ipynb").touch()
        assert files.lessons_folder() == folder


# How it ends


@posix
def test_ctrl_c(tmp_path):
    "While it waits for a file (a pipe that nobody writes to): status 130, one line, no traceback."
    pipe = tmp_path / ".pixelsim-lessons.json"
    os.mkfifo(pipe)
    process, end = start("lessons", tmp_path), time.monotonic() + 60
    while True:
        try: writer = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)  # works as soon as the command has opened it too
        except OSError:
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.01)
        else: break
    process.send_signal(signal.SIGINT)
    os.close(writer)  # a signal just before it began to read would not wake it, the end of the pipe does
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "pixelsim: stopped\n")


@posix
@pytest.mark.parametrize("args", [["--help"], ["score", "model.npz", "shades"]])
def test_a_reader_that_leaves(fitted, args):
    "If nobody reads the output any more, nothing is said about it."
    reader, writer = os.pipe()
    os.close(reader)
    try: status, _, err = run(*args, stdout=writer)
    finally: os.close(writer)
    assert (status, err) == (1, "")


def test_a_surprise_is_one_line_too(fitted, monkeypatch, capsys):
    "An error that nobody expected is named with its kind."
    def breaks(path, digits): raise RuntimeError("two\nlines")
    monkeypatch.setattr(cli, "_model", breaks)
    assert cli.main(["predict", "a.png"]) == 1
    assert capsys.readouterr().err == "pixelsim: RuntimeError: two lines\n"


def test_errors_that_name_a_file():
    "The message of the operating system comes after the name of the file, without its number."
    with pytest.MonkeyPatch.context() as patch:
        heard = []
        patch.setattr(cli, "_say", heard.append)
        cli._complain(FileNotFoundError(2, "No such file or directory", "nowhere.npz"))
    assert heard == ["nowhere.npz: No such file or directory"]
