"""The command `pixelsim`: what it says, what it exits with, and what it never overwrites; distances and shares are worked out by hand.

Most tests call `main`; what depends on the process itself, its streams and signals, gets one of its own. The lessons' figures: cli.ipynb."""
import json
import os
import re
import signal
import subprocess
import sys
import time
import unicodedata
from importlib.metadata import version
from pathlib import Path
from unittest.mock import Mock
from urllib.request import urlopen

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import binomtest

import pixelsim
from pixelsim import cli
from pixelsim.classifier import PixelSimilarity
from pixelsim.course.lessons import lessons_folder

posix = pytest.mark.skipif(os.name == "nt", reason="NOT TESTED: named pipes, signals and names as POSIX has them")
ENV = os.environ | {"PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "", "PYTHONPATH": str(Path(pixelsim.__file__).parents[1])}


def start(*args, env={}, **kwargs):
    "The command, started in a process of its own."
    kwargs = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", env=ENV | env) | kwargs
    return subprocess.Popen([sys.executable, "-m", "pixelsim", *map(str, args)], **kwargs)


def ended(process):
    "Exit status, stdout and stderr."
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


@pytest.fixture
def run(capsys):
    "A function that calls `main` with these words and returns exit status, stdout and stderr."
    def run(*args):
        capsys.readouterr()
        try: status = cli.main([*map(str, args)])
        except SystemExit as e: status = e.code
        return status, *capsys.readouterr()
    return run


def save(path, pixels):
    "An image file with these gray values, its folder made if need be; its path as text."
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels).astype(np.uint8)).save(path)
    return str(path)


def flat(value, h=2, w=3): return np.full((h, w), value)


@pytest.fixture
def shades(tmp_path, monkeypatch):
    "The working folder: two classes of 2×3 pixels in `shades`, black is 0 and gray is 51 (a fifth of full ink)."
    monkeypatch.chdir(tmp_path)
    for name in ("black/0", "black/1", "black/2", "gray/0", "gray/1"): save(f"shades/{name}.png", flat(51 * name.startswith("gray")))
    return tmp_path


@pytest.fixture
def fitted(shades, run):
    "The same folder, with `model.npz` fitted on it."
    assert run("fit", "shades", "--out", "model.npz")[::2] == (0, "")
    return shades


# Help and usage

def test_help_teaches_at_once(run):
    "Every command is listed, and each has an example that its parser takes."
    status, out, err = run("--help")
    commands = re.findall(r"^    (\w+)  ", out, flags=re.M)
    assert (status, err, commands) == (0, "", ["predict", "fit", "score", "lessons", "lab"])
    assert "exit status: 0 fine, 1 " in out
    examples = re.findall(r"^  pixelsim (.*?)(?:   .*)?$", out.partition("examples:")[2], flags=re.M)
    for command in commands:
        status, out, err = run(command, "--help")
        assert (status, err) == (0, "")
        examples.append(re.search(rf"^example:\n  pixelsim ({command} .*)$", out, flags=re.M)[1])
    assert len(examples) == 10 and all(cli.parser().parse_args(example.split()).run for example in examples)
    assert run("--version") == (0, f"pixelsim {pixelsim.__version__}\n", "")


@pytest.mark.parametrize("line, said", [
    ("", "required: COMMAND"), ("predict a.png --mod m.npz", "unrecognized arguments: --mod"), ("predict", "required: FILE"),
    ("predict a.png --digits 3", "name at least two digits, each once, for example 37, not '3'"),
    ("predict a.png --digits 33", "not '33'"), ("predict a.png --digits 3x", "not '3x'"),
    ("predict a.png --model m.npz --digits 37", "not allowed with argument"), ("score m.npz", "required: FOLDER"),
    ("fit folder", "required: --out"), ("fit folder --out m.npz --distance l3", "choice: 'l3'"),
    ("fit folder --out m.npz --size 0x9", "for example 28x28, not '0x9'")])
def test_wrong_usage(run, line, said):
    "Exit status 2, the usage, and what was wrong; nothing on stdout."
    status, out, err = run(*line.split())
    assert (status, out) == (2, "") and err.startswith("usage: pixelsim") and said in err.splitlines()[-1]


# What goes wrong

@pytest.mark.parametrize("line, said", [
    ("fit empty --out m.npz", "empty has no subfolders"), ("fit odd --out m.npz", "pass --size 2x3, or another"),
    # said before anything is read:
    ("fit nowhere --out nowhere/m.npz --force", "there is no folder nowhere: make it first"),
    ("fit nowhere --out shades --force", "shades is a folder: name a file in it"),
    ("fit nowhere --out model.npz", "model.npz is there already: name another file, or replace it with --force"),
    ("score model.npz more", "the folder has the class 'white', but the model knows black, gray"),
    ("score model.npz large", "each image in large is 5×4 pixels (height × width), but the model was fitted on 2×3"),
    ("score model.npz nowhere", "nowhere is not a folder"), ("predict shades/black/0.png --model none.npz", "none.npz")])
def test_each_failure_is_one_line(fitted, run, line, said):
    "Status 1, one line that says what was wrong, and every file is as it was."
    Path("empty").mkdir()
    for path, size in {"odd/a": (2, 3), "odd/b": (3, 2), "more/white": (2, 3), "large/gray": (5, 4)}.items(): save(f"{path}/1.png", flat(0, *size))
    def contents(): return {path: path.is_file() and path.read_bytes() for path in fitted.rglob("*")}
    before = contents()
    status, out, err = run(*line.split())
    assert (status, out) == (1, "") and err.startswith("pixelsim: ") and said in err and err.count("\n") == 1
    assert contents() == before


@pytest.mark.parametrize("error, said", [
    (RuntimeError("two\nlines"), "RuntimeError: two lines"),
    (FileNotFoundError(2, "No such file or directory", "m.npz"), "m.npz: No such file or directory")])
def test_surprises_are_one_line_too(run, monkeypatch, error, said):
    "An error that nobody expected is named with its kind; one of the operating system's comes after the name of the file."
    monkeypatch.setattr(PixelSimilarity, "load", Mock(side_effect=error))
    assert run("predict", "a.png", "--model", "m.npz") == (1, "", f"pixelsim: {said}\n")


@pytest.mark.parametrize("line, said, followed", [
    ("fit shades --out shades", "name a file in it, such as model.npz", "fit shades --out shades/model.npz"),
    ("fit shades --out model.npz", "name another file, or replace it with --force", "fit shades --out model.npz --force"),
    ("fit shades --out model.npz", "name another file, or replace it with --force", "fit shades --out other.npz"),
    ("lessons LESSONS", "name another folder", "lessons mine"),
    ("fit shades --out m.npz --size 28", "for example 28x28", "fit shades --out m.npz --size 28x28"),
    ("predict digit.png --digits 33", "for example 37", "predict digit.png --digits 37")])
def test_advice_that_is_followed_helps(fitted, run, line, said, followed):
    save("digit.png", flat(0, 28, 28))
    status, _, err = run(*(lessons_folder() if word == "LESSONS" else word for word in line.split()))
    assert status and said in err and run(*followed.split())[0] == 0


# predict

def test_predict_with_the_bundled_digits(tmp_path, run, digits):
    """The distances of lesson 5's three, 0.1114 and 0.1586, also from dark ink on paper, twice as large; a note for each file.

    What cannot be predicted is named, and the others are predicted; of other digits, there is a distance to each that is named."""
    train, valid = digits
    three, seven = save(tmp_path / "three.png", train[3][1]), save(tmp_path / "seven.png", valid[7][0])
    large, text = save(tmp_path / "large.png", np.zeros((32, 30))), tmp_path / "text.png"
    text.write_text("not an image")
    status, out, err = run("predict", three, large, text, tmp_path / "none.png", tmp_path, seven)
    lines = [line.split() for line in out.splitlines()]
    assert status == 1 and lines[:2] == [["file", "label", "margin", "to", "3", "to", "7"], [three, "3", "0.0472", "0.1114", "0.1586"]]
    assert [line[:2] for line in lines[2:]] == [[seven, "7"]]
    size = "is 32×30 pixels (height × width), but the model was fitted on 28×28: resize it, or pass --resize"
    for line, part in zip(err.splitlines(), (f"{large} {size}", text, tmp_path / "none.png", tmp_path), strict=True):
        assert line.startswith("pixelsim: ") and str(part) in line
    scan = save(tmp_path / "scan.png", 255 - np.kron(np.asarray(train[3][1]), np.ones((2, 2))))
    status, out, err = run("predict", scan, "--invert", "--resize", "--json")
    assert (status, err) == (0, "") and [f"{d:.4f}" for d in json.loads(out)[0]["distances"].values()] == ["0.1114", "0.1586"]
    assert len(re.findall(r"pixelsim: note: \S*scan\.png has a bright border, .* pass --invert\n", run("predict", scan, scan, "--resize")[2])) == 2
    found, = json.loads(run("predict", seven, "--digits", "720", "--json")[1])
    assert found["label"] == "7" and [*found["distances"]] == ["0", "2", "7"]


def test_predict_json_by_hand(fitted, run, monkeypatch):
    "15 is 15/255 from black and 36/255 from gray, which is 51: the margin is 21/255; a tie has a margin of 0. Nothing good is JSON too."
    files = save("a.png", flat(15)), save("tie.png", [[0, 0, 0], [51, 51, 51]])
    first, second = json.loads(run("predict", *files, "--model", "model.npz", "--json")[1])
    assert first == dict(file="a.png", label="black", margin=pytest.approx(21 / 255),
                         distances=dict(black=pytest.approx(15 / 255), gray=pytest.approx(36 / 255)))
    assert second["label"] == "black" and second["margin"] == pytest.approx(0, abs=1e-6)
    assert run("predict", "none.png", "--model", "model.npz", "--json")[:2] == (1, "[]\n")
    # whatever rounding does to the distances, label and margin follow `predict`
    monkeypatch.setattr(PixelSimilarity, "distances", lambda model, images: torch.tensor([[0.2000001, 0.2]]))
    monkeypatch.setattr(PixelSimilarity, "predict", lambda model, images: np.array(["black"]))
    found, = json.loads(run("predict", "a.png", "--model", "model.npz", "--json")[1])
    assert (found["label"], found["margin"]) == ("black", 0)


PAPER = flat(250, 10, 10)
PAPER[3:7, 4:6] = 0
INK = 255 - PAPER
LARGE = np.kron(INK, np.ones((2, 2)))
PREDICT, SCORE, FIT = "predict own/a/1.png --model m.npz", "score m.npz own", "fit own --out n.npz --force"


@pytest.mark.parametrize("line, a, b, said", [
    *[(line, PAPER, PAPER, "for dark ink on light paper pass --invert") for line in (PREDICT, SCORE, FIT)],
    (f"{PREDICT} --invert", INK, INK, "for light ink on a dark background leave out --invert"),
    # drawn in its transparency:
    (PREDICT, np.stack([0 * INK] * 3 + [INK], axis=2), INK, "for dark ink on light paper pass --invert"),
    (SCORE, INK, LARGE, "pass --resize"), (FIT, INK, LARGE, "pass --size 10x10, or another"),
    *[(line, LARGE, LARGE, "resize it, or pass --resize") for line in (PREDICT, SCORE)]])
def test_advice_names_an_option_that_this_command_has_and_that_helps(shades, run, line, a, b, said):
    "Each way out is said once, in the words of the command at hand; followed, nothing is said any more."
    for c, pixels, ink in (("a", a, INK), ("b", b, INK[:, ::-1])):
        save(f"own/{c}/1.png", pixels), save(f"train/{c}/1.png", ink)
    run("fit", "train", "--out", "m.npz")
    told = run(*line.split())[2]
    assert told.count("\n") == 1 and said in told and "invert=" not in told and "resize=" not in told, told
    leave_out, option = re.search(r"(leave out )?(--\w+(?: \d+x\d+)?)", said).groups()
    status, _, told = run(*(line.replace(option, "") if leave_out else f"{line} {option}").split())
    assert (status, told) == (0, "")


def test_a_model_of_paper_judges_by_itself(shades, run):
    "Fitted on paper as it is, other paper is right as it is, and a note is for what is not."
    save("train/a/1.png", PAPER), save("train/b/1.png", PAPER[::-1]), save("ink/a/1.png", INK)
    run("fit", "train", "--out", "m.npz")
    rest = "a dark border, and the model was fitted on a bright one: pass --invert if ink and paper are swapped\n"
    for line, note in {"predict train/a/1.png --model m.npz": "", "score m.npz train": "",
                       "predict ink/a/1.png --model m.npz": f"pixelsim: note: ink/a/1.png has {rest}",
                       "score m.npz ink": f"pixelsim: note: most of the images in ink have {rest}",
                       "predict ink/a/1.png --model m.npz --invert": "", "score m.npz ink --invert": ""}.items():
        assert run(*line.split())[::2] == (0, note), line


@posix
def test_strange_names(fitted, run):
    "A name with a line break, an escape sequence or a byte that is no text: still one line for each file."
    names = ["new\nline.png", "red\x1b[31m.png", os.fsdecode(b"byte\xff.png"), "ünïcode 三.png"]
    for name in names:
        try: save(name, flat(0))
        except OSError: pytest.skip(f"this file system does not take {name!r}")
    status, out, err = run("predict", "--model", "model.npz", *names)
    assert (status, err) == (0, "") and len(out.splitlines()) == 5 and "\x1b" not in out
    assert all(shown in out for shown in ("new\\nline.png", "red\\x1b[31m.png", "ünïcode 三.png"))
    assert [p["file"] for p in json.loads(run("predict", "--model", "model.npz", "--json", *names)[1])] == names
    assert run("predict", "--model", "model.npz", "no\nfile.png")[2].count("\n") == 1


# fit

def test_fit_says_what_it_learned(fitted, run):
    "Classes and counts; the model is the one that the library makes, replaces another only with --force, and nothing else is written."
    save("shades/gray/large.png", flat(51, 4, 6))
    lines = run("fit", "shades", "--out", "model.npz", "--distance", "l2", "--size", "2x3", "--force")[1].splitlines()
    model = PixelSimilarity.load("model.npz")
    assert [line.split() for line in lines[:3]] == [["class", "images"], ["black", "3"], ["gray", "3"]]
    assert lines[3] == "saved model.npz: 2 classes, 2×3 pixels, distance l2"
    assert model.distance == "l2" and model.classes_.tolist() == ["black", "gray"]
    np.testing.assert_allclose(model.prototypes_, [flat(0), flat(0.2)])
    assert sorted(os.listdir()) == ["model.npz", "shades"]


@posix
def test_paths_that_the_shell_leaves_alone(shades, monkeypatch, run):
    "--out=~/m.npz, --model=~/m.npz and the like; a link to a model stays one, is not replaced unasked, and needs the folder of its goal."
    monkeypatch.setenv("HOME", str(shades / "home"))
    file = save("home/own/black/1.png", flat(0))
    Path("home/current.npz").symlink_to("v1.npz"), Path("home/lost.npz").symlink_to("gone/v1.npz")
    assert "home/current.npz is there already" in run("fit", "shades", "--out=~/current.npz")[2] and not Path("home/v1.npz").exists()
    assert run("fit", "shades", "--out=~/current.npz", "--force")[0] == 0 and os.readlink("home/current.npz") == "v1.npz"
    assert "accuracy 1.0000" in run("score", "~/v1.npz", "~/own")[1]
    assert f"{shades}/{file}" in run("predict", "~/own/black/1.png", "--model=~/v1.npz")[1]
    assert f"there is no folder {shades}/home/gone: make it first" in run("fit", "nowhere", "--out=~/lost.npz", "--force")[2]


# score

def test_score_by_hand(fitted, run):
    "Two of three black images and both gray ones are nearer to their own; as text, aligned, and as JSON, also where one class is all there is."
    def scores(): return json.loads(run("score", "model.npz", "test", "--json")[1])
    for i, value in enumerate((0, 20, 40)): save(f"test/black/{i}.png", flat(value))
    assert (one := scores())["confusion"] == [[2, 1], [0, 0]] and [*one["per_class"]] == ["black"]
    for i, value in enumerate((51, 30)): save(f"test/gray/{i}.png", flat(value))
    out, wilson = run("score", "model.npz", "test")[1].splitlines(), binomtest(4, 5).proportion_ci(method="wilson")
    assert scores() == dict(accuracy=4 / 5, right=4, total=5, interval=pytest.approx([*wilson]), classes=["black", "gray"], confusion=[[2, 1], [0, 2]],
                            per_class={"black": dict(images=3, accuracy=2 / 3), "gray": dict(images=2, accuracy=1)})
    assert out[:2] == ["accuracy 0.8000: 4 of 5 images right", "95% interval {:.4f} to {:.4f}".format(*wilson)]
    assert [line.split() for line in out[3:6]] == [["class", "images", "accuracy"], ["black", "3", "0.6667"], ["gray", "2", "1.0000"]]
    assert [line.split() for line in out[8:]] == [["black", "gray"], ["black", "2", "1"], ["gray", "0", "2"]]
    assert len({*map(len, out[8:])}) == len({*map(len, out[3:6])}) == 1


@pytest.mark.parametrize("theirs, ours", [("NFC", "NFD"), ("NFD", "NFC")])
def test_score_of_names_that_look_alike(shades, run, theirs, ours):
    "A model that knows café in either spelling, and a folder named in the other."
    images = np.stack([flat(0), flat(51)]).astype(np.uint8)
    PixelSimilarity().fit(images, [unicodedata.normalize(theirs, "café"), "tea"]).save("m.npz")
    for name, image in zip((unicodedata.normalize(ours, "café"), "tea"), images): save(f"test/{name}/1.png", image)
    scores = json.loads(run("score", "m.npz", "test", "--json")[1])
    assert scores["confusion"] == [[1, 0], [0, 1]] and scores["classes"] == ["caf\u00e9", "tea"]


# The lessons in JupyterLab

@pytest.mark.skipif(int(version("ipywidgets").split(".")[0]) < 8, reason="NOT TESTED: these ipywidgets are too old for JupyterLab 4, which has its own extra")
def test_lab_opens_the_start_page(tmp_path):
    "It brings the lessons and says where JupyterLab shows the first page, with our settings: widgets are kept."
    (tmp_path / "jupyter_server_config.json").write_text('{"ServerApp": {"allow_root": true, "port": 0}, "IdentityProvider": {"token": ""}}')
    process = start("lab", tmp_path / "my lessons", "--no-browser", env={f"JUPYTER_{kind}_DIR": str(tmp_path) for kind in ("CONFIG", "DATA", "RUNTIME")})
    try:
        while not (found := re.search(r"(http://localhost:\d+)(/lab\S*)", line := process.stderr.readline())): assert line
        assert found[2] == "/lab/tree/start.ipynb"
        def answer(address):
            while process.poll() is None:  # the address is told a moment before anyone answers there
                try: return json.loads(urlopen(found[1] + address).read())
                except OSError: time.sleep(0.1)
        assert answer("/api/contents/start.ipynb")["content"]["cells"][0]["source"].startswith("# Start here")
        assert answer("/lab/api/settings/@jupyter-widgets/jupyterlab-manager:plugin")["schema"]["properties"]["saveState"]["default"] is True
    finally:
        process.kill()
        process.communicate()
    assert (tmp_path / "my lessons" / "01_pixels.ipynb").exists()


def test_lessons_and_lab_without_jupyterlab(shades, run, monkeypatch):
    "It says what to install, and copies nothing; lessons come without it, into a folder that the help names."
    monkeypatch.setitem(sys.modules, "jupyterlab.labapp", None)
    status, out, err = run("lab")
    assert (status, out) == (1, "") and err.endswith('-m pip install "pixelsim[lab]"\n') and "JupyterLab is missing" in err and os.listdir() == ["shades"]
    assert run("lessons")[::2] == (0, "") and Path("pixelsim-lessons/start.ipynb").exists()


# How it ends

@posix
def test_ctrl_c(tmp_path):
    "While it waits for a file (a pipe that nobody writes to): status 130, one line, no traceback."
    pipe = tmp_path / ".pixelsim-lessons.json"
    os.mkfifo(pipe)
    process = start("lessons", tmp_path)
    with pipe.open("wb"): process.send_signal(signal.SIGINT)  # as soon as the command has opened it too; should it not read yet, the end of the pipe wakes it
    assert ended(process) == (130, "", "pixelsim: stopped\n")


@posix
@pytest.mark.parametrize("command, unbuffered", [("--help", ""), ("lessons", ""), ("lessons", "1")])
def test_a_reader_that_leaves(tmp_path, command, unbuffered):
    "If nobody reads the output any more, nothing is said about it, at the end or on the way."
    reader, writer = os.pipe()
    os.close(reader)
    try: assert ended(start(command, stdout=writer, cwd=tmp_path, env={"PYTHONUNBUFFERED": unbuffered})) == (1, None, "")
    finally: os.close(writer)


ENDS = """
import os, sys
from pixelsim.cli import main
statuses = main(["fit", "shades", "--out", "new.npz"]), main(["predict", "none.png", "--model", "model.npz", "--json"])
sys.exit(100*statuses[0] + 10*statuses[1] + min(9, os.open("other", os.O_CREAT | os.O_WRONLY)))
"""


@posix
@pytest.mark.parametrize("redirected", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(fitted, redirected):
    """`pixelsim fit … >&-`: the model is saved, whole; an error stays one, and never lands in stdout.

    And no file gets the number of a closed stream: what a library prints by that number would be written into it."""
    done = subprocess.run(f"exec '{sys.executable}' -c '{ENDS}' {redirected}", shell=True, capture_output=True, encoding="utf-8", env=ENV)
    assert 13 <= done.returncode < 20
    assert PixelSimilarity.load("new.npz").classes_.tolist() == ["black", "gray"]
    assert (done.stdout.endswith("\n[]\n") if redirected == "2>&-" else done.stdout == "")
    assert re.fullmatch("" if "2" in redirected else r"pixelsim: there is no file at none\.png.*\n", done.stderr)


@posix
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="NOT TESTED: this system has no device that is always full")
def test_a_full_disk_behind_stdout(tmp_path):
    "It is said once, and the status is 1."
    with open("/dev/full", "w") as full: status, _, err = ended(start("lessons", tmp_path, stdout=full))
    assert status == 1 and "No space left on device" in err and err.count("\n") == 1


def test_streams_that_are_not_there(fitted, monkeypatch):
    "A windowed program has neither stdout nor stderr: the command works, and fails, in silence."
    monkeypatch.setattr(sys, "stdout", None), monkeypatch.setattr(sys, "stderr", None)
    for file, status in {"shades/black/0.png": 0, "none.png": 1}.items():
        assert cli.main(["predict", file, "--model", "model.npz"]) == status
