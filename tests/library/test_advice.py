"Advice that is followed helps: that of the command, and of the digits. Files and folders: test_image_files.py."
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelsim import cli
from pixelsim.course.lessons import lessons_folder
from pixelsim.digits import load_mnist


def test_advice_about_digits():
    "The example in the message is an example."
    with pytest.raises(ValueError) as caught: load_mnist([])
    assert eval(re.search(r"for example (.*)$", str(caught.value))[1])[0].classes == (3, 7)


@pytest.mark.parametrize("command, said, follow", [
    ("fit own --out none/m.npz", "make it first", lambda words: Path("none").mkdir() or words),
    ("fit own --out own", "name a file in it, such as model.npz", lambda words: [*words[:-1], "own/model.npz"]),
    ("fit own --out there.npz", "name another file, or replace it with --force", lambda words: [*words, "--force"]),
    ("lessons LESSONS", "name another folder", lambda words: ["lessons", "mine"]),
    ("fit own --out m.npz --size 28", "for example 28x28", lambda words: [*words[:-1], "28x28"]),
    ("predict digit.png --digits 33", "for example 37", lambda words: [*words[:-1], "37"])])
def test_advice_of_the_command(tmp_path, monkeypatch, capsys, command, said, follow):
    monkeypatch.chdir(tmp_path)
    Path("there.npz").write_text("mine")
    for name in ("own/a/1.png", "own/b/1.png", "digit.png"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((28, 28), np.uint8)).save(name)
    words = [str(lessons_folder()) if word == "LESSONS" else word for word in command.split(" ")]
    try: assert cli.main(words) == 1
    except SystemExit as e: assert e.code == 2
    assert said in capsys.readouterr().err
    assert cli.main(follow(words)) == 0
