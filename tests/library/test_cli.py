"""The command `pixelsim`: what it says, what it exits with, and what it never overwrites.

Exit statuses and messages are those of the command in a process of its own; the rest calls `main`.
The figures of the digits are the published ones of `test_published.py`; other distances are worked out by hand.
"""
import json
import os
import re
import signal
import subprocess
import sys
import time
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import pixelsim
from pixelsim import cli
from pixelsim.classifier import PixelSimilarity

posix = pytest.mark.skipif(os.name == "nt", reason="NOT TESTED: named pipes, signals and names as POSIX has them")


def start(*args, **kwargs):
    "The command, started in a process of its own."
    kwargs = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") | kwargs
    env = dict(os.environ, PYTHONIOENCODING="utf-8", PYTHONUNBUFFERED="", PYTHONPATH=str(Path(pixelsim.__file__).parents[1]))
    return subprocess.Popen([sys.executable, "-m", "pixelsim", *map(str, args)], env=env, **kwargs)


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
    for line in re.findall(r"^  pixelsim (.*?)(?:   .*)?$", out.partition("examples:")[2], flags=re.M): assert cli.parser().parse_args(line.split()).run
    for command in commands:
        status, out, err = run(command, "--help")
        assert (status, err) == (0, "")
        example = re.search(rf"^example:\n  pixelsim ({command} .*)$", out, flags=re.M)[1]
        assert cli.parser().parse_args(example.split()).run
    code = ("import sys; from pixelsim.cli import main\ntry: main(['--help'])\n"
            "finally: assert not {'torch', 'numpy', 'PIL', 'matplotlib'} & {*sys.modules}")
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL).returncode == 0


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


def test_predict_with_the_bundled_digits(tmp_path, digits):
    "The distances of lesson 5's three, 0.1114 and 0.1586; a bad file is named, the others are predicted."
    train, valid = digits
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
    from pixelsim import load_mnist
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


@pytest.mark.parametrize("distance", ["l1", "l2"])
def test_one_rule_for_ties(shades, capsys, distance):
    "Prototypes of 0 and 102 and images of 51 and checkerboards are equally near: predict, score and the library say the first class."
    half = np.array([[0, 102, 0], [102, 0, 102]])
    for name, value in dict(z=0, b=102).items(): save(Path("train", name, "1.png"), np.full((2, 3), value))
    for i, pixels in enumerate([np.full((2, 3), 51), half, half[:, ::-1], 102 - half]): save(Path("ties", "b", f"{i}.png"), pixels)
    assert cli.main(["fit", "train", "--out", "m.npz", "--distance", distance]) == 0
    files = [f"ties/b/{i}.png" for i in range(4)]
    capsys.readouterr()
    assert cli.main(["predict", "--model", "m.npz", "--json", *files]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(f["label"], f["margin"]) for f in found] == [("b", pytest.approx(0, abs=1e-6))] * 4 and all(f["margin"] >= 0 for f in found)
    assert cli.main(["score", "m.npz", "ties"]) == 0 and "accuracy 1.0000: 4 of 4" in capsys.readouterr().out
    assert PixelSimilarity.load("m.npz").predict(files).tolist() == ["b"] * 4


def test_the_label_is_the_models(fitted, capsys, monkeypatch):
    "Whatever rounding does to the distances, label and margin follow `predict`: it is asked, and the margin is never below 0."
    monkeypatch.setattr(PixelSimilarity, "distances", lambda model, images: torch.tensor([[0.2000001, 0.2]]))
    monkeypatch.setattr(PixelSimilarity, "predict", lambda model, images: np.array(["black"]))
    assert cli.main(["predict", "shades/black/0.png", "--model", "model.npz", "--json"]) == 0
    assert [(f["label"], f["margin"]) for f in json.loads(capsys.readouterr().out)] == [("black", 0)]


def test_predict_json_of_nothing_good(fitted, capsys):
    "JSON is JSON even if no file could be read."
    assert cli.main(["predict", "none.png", "--model", "model.npz", "--json"]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out) == [] and said.err.startswith("pixelsim: ") and said.err.count("\n") == 1


def test_predict_reads_scans_and_other_sizes(tmp_path, capsys, digits):
    "Dark ink on paper gets a note; with --invert, and --resize for one twice the size, it is the three that it was."
    three = np.asarray(digits[0][3][1])
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


PAPER = np.full((10, 10), 250)
PAPER[3:7, 4:6] = 0


@pytest.mark.parametrize("command, spoilt, said", [
    (["predict", "one.png", "--model", "m.npz"], "paper", "for dark ink on light paper pass --invert"),
    (["predict", "one.png", "--model", "m.npz", "--invert"], "ink", "for light ink on a dark background leave out --invert"),
    (["score", "m.npz", "own"], "paper", "for dark ink on light paper pass --invert"),
    (["fit", "own", "--out", "n.npz", "--force"], "paper", "for dark ink on light paper pass --invert"),
    (["predict", "one.png", "--model", "m.npz"], "clear", "for dark ink on light paper pass --invert"),
    (["score", "m.npz", "own"], "sizes", "pass --resize"), (["fit", "own", "--out", "n.npz", "--force"], "sizes", "pass --size 10x10, or another"),
    (["predict", "one.png", "--model", "m.npz"], "large", "resize it, or pass --resize"), (["score", "m.npz", "own"], "large", "resize it, or pass --resize")])
def test_advice_names_an_option_that_this_command_has_and_that_helps(shades, capsys, command, spoilt, said):
    "Each way out is said once, in the words of the command at hand; followed, nothing is said any more."
    ink = 255 - PAPER
    for c, turned in (("a", ink), ("b", ink[:, ::-1])): save(Path("train", c, "1.png"), turned)
    assert cli.main(["fit", "train", "--out", "m.npz"]) == 0
    large = np.kron(ink, np.ones((2, 2)))
    images = {"paper": [PAPER, PAPER], "ink": [ink, ink], "sizes": [ink, large], "large": [large, large],
              "clear": [np.stack([0 * ink] * 3 + [ink], axis=2)] * 2}[spoilt]
    for c, pixels in zip("ab", images): save(Path("own", c, "1.png"), pixels)
    save(Path("one.png"), images[0])
    capsys.readouterr()
    cli.main(command)
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and said in told and "invert=" not in told and "resize=" not in told, told
    option = re.search(r"(leave out )?(--\w+(?: \d+x\d+)?)", said)
    followed = [word for word in command if word != option[2]] if option[1] else [*command, *option[2].split()]
    assert cli.main(followed) == 0 and capsys.readouterr().err == ""


def test_a_model_of_paper_judges_by_itself(shades, capsys):
    "Fitted on paper as it is, other paper is right as it is, and a note is for what is not."
    for c, turned in (("a", PAPER), ("b", PAPER[::-1])): save(Path("train", c, "1.png"), turned)
    cli.main(["fit", "train", "--out", "m.npz"])
    save(Path("ink/a/1.png"), 255 - PAPER)
    capsys.readouterr()
    assert cli.main(["predict", "train/a/1.png", "--model", "m.npz"]) == cli.main(["score", "m.npz", "train"]) == 0
    assert capsys.readouterr().err == ""
    assert cli.main(["predict", "ink/a/1.png", "--model", "m.npz"]) == cli.main(["score", "m.npz", "ink"]) == 0
    rest = "a dark border, and the model was fitted on a bright one: pass --invert if ink and paper are swapped\n"
    assert capsys.readouterr().err == f"pixelsim: note: ink/a/1.png has {rest}pixelsim: note: most of the images in ink have {rest}"
    assert cli.main(["predict", "ink/a/1.png", "--model", "m.npz", "--invert"]) == cli.main(["score", "m.npz", "ink", "--invert"]) == 0
    assert capsys.readouterr().err == ""


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


@posix
def test_paths_that_the_shell_leaves_alone(shades, monkeypatch, capsys):
    "--out=~/m.npz, --model=~/m.npz and the like; a link to a model stays one, and a folder that its goal lacks is noticed before reading."
    monkeypatch.setenv("HOME", str(shades / "home"))
    Path("home").mkdir()
    Path("home/current.npz").symlink_to("v1.npz")
    assert cli.main(["fit", "shades", "--out=~/m.npz"]) == cli.main(["fit", "shades", "--out=~/current.npz", "--force"]) == 0
    assert os.readlink("home/current.npz") == "v1.npz" and sorted(os.listdir("home")) == ["current.npz", "m.npz", "v1.npz"]
    save(Path("home/own/black/1.png"), np.zeros((2, 3)))
    assert cli.main(["score", "~/m.npz", "~/own"]) == cli.main(["predict", "~/own/black/1.png", "--model=~/v1.npz"]) == 0
    assert f"{shades}/home/own/black/1.png" in capsys.readouterr().out
    Path("home/lost.npz").symlink_to("gone/v1.npz")
    assert cli.main(["fit", "nowhere", "--out=~/lost.npz", "--force"]) == 1
    assert f"there is no folder {shades}/home/gone: make it first" in capsys.readouterr().err


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


def test_score_json_and_a_model_of_numbers(sample, tmp_path, capsys, digits):
    "A model fitted on the numbers 3 and 7 scores the folders named so; the figures are those of the text."
    train = digits[0]
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


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_score_of_names_that_look_alike(shades, capsys, form):
    "A model that knows café in either spelling, and a folder named in the other."
    theirs, ours = unicodedata.normalize(form, "café"), unicodedata.normalize({"NFC": "NFD", "NFD": "NFC"}[form], "café")
    images = np.zeros((2, 2, 3), np.uint8)
    images[1] = 51
    PixelSimilarity().fit(images, [theirs, "tea"]).save("m.npz")
    save(Path("test", ours, "1.png"), images[0]), save(Path("test", "tea", "1.png"), images[1])
    assert cli.main(["score", "m.npz", "test", "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["accuracy"] == 1 and scores["confusion"] == [[1, 0], [0, 1]] and scores["classes"] == ["caf\u00e9", "tea"]


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


@posix
@pytest.mark.parametrize("closed", [(1,), (2,), (1, 2), (0, 1, 2)], ids=str)
def test_closed_streams(fitted, closed):
    "`pixelsim fit … >&-`: the model is saved, whole, and the status is 0; an error stays one, and never lands in stdout."
    redirected = " ".join(f"{number}>&-" if number else "<&-" for number in closed)
    def shell(*args):
        line = " ".join([sys.executable, "-m", "pixelsim", *args, redirected])
        done = subprocess.run(line, shell=True, capture_output=True, encoding="utf-8", env=dict(os.environ, PYTHONPATH=str(Path(pixelsim.__file__).parents[1])))
        return done.returncode, done.stdout, done.stderr
    status, out, err = shell("fit", "shades", "--out", f"new{len(closed)}.npz")
    assert (status, err) == (0, "") and PixelSimilarity.load(f"new{len(closed)}.npz").classes_.tolist() == ["black", "gray"]
    status, out, err = shell("predict", "none.png", "--model", "model.npz", "--json")
    assert status == 1 and out == ("" if 1 in closed else "[]\n") and err.startswith("pixelsim: there is no file" * (2 not in closed))


@posix
def test_no_file_gets_the_number_of_a_closed_stream(fitted):
    "Else what some library prints to stdout, by its number, would be written into the model."
    code = ("import os, sys; from pixelsim.cli import main; status = main(['predict', 'none.png', '--model', 'model.npz']); "
            "sys.exit(10*status + os.open('other', os.O_CREAT | os.O_WRONLY))")
    done = subprocess.run(f'{sys.executable} -c "{code}" <&- >&- 2>&-', shell=True, env=dict(os.environ, PYTHONPATH=str(Path(pixelsim.__file__).parents[1])))
    assert done.returncode >= 13


@posix
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="NOT TESTED: this system has no device that is always full")
def test_a_full_disk_behind_stdout(fitted):
    "It is said once, and the status is 1."
    with open("/dev/full", "w") as full: status, _, err = run("score", "model.npz", "shades", stdout=full)
    assert status == 1 and "No space left on device" in err and err.count("\n") == 1


def test_streams_that_are_not_there(fitted, monkeypatch):
    "A windowed program has neither stdout nor stderr: the command works, and fails, in silence."
    monkeypatch.setattr(sys, "stdout", None), monkeypatch.setattr(sys, "stderr", None)
    assert cli.main(["predict", "shades/black/0.png", "--model", "model.npz"]) == 0
    assert cli.main(["predict", "none.png", "--model", "model.npz"]) == 1


def test_surprises_are_one_line_too(fitted, monkeypatch, capsys):
    "An error that nobody expected is named with its kind; one of the operating system's comes after the name of the file."
    def breaks(path): raise error
    monkeypatch.setattr(PixelSimilarity, "load", breaks)
    missing = FileNotFoundError(2, "No such file or directory", "m.npz")
    for error, said in ((RuntimeError("two\nlines"), "RuntimeError: two lines"), (missing, "m.npz: No such file or directory")):
        assert cli.main(["predict", "a.png", "--model", "m.npz"]) == 1
        assert capsys.readouterr().err == f"pixelsim: {said}\n"


def test_predicting_one_file_loads_little_more_than_torch(fitted, run_python):
    "What takes long to import, and is not needed for it, is not imported: SymPy alone takes a third of a second."
    heavy = {"sympy", "matplotlib", "pandas", "scipy", "sklearn", "fastai", "IPython", "torch._dynamo", "pixelsim.show", "pixelsim.course"}
    code = "import sys, torch; before = {*sys.modules}\nfrom pixelsim.cli import main\nmain(['predict', 'shades/black/0.png', '--model', 'model.npz'])\n"
    assert run_python(code + f"print(sorted({heavy} & ({{*sys.modules}} - before)))").stdout.splitlines()[-1] == "[]"
