"The four questions of a plan: every choice of answers as a real DataBlock, as the screen has it, and as Python has it."
import itertools
import os
import shutil

import pytest
from figure_pages import says, show, texts

from pixelsim.course.figure_plan import FILES, OPTIONS, Plan, plan_outcome

ALL = [*itertools.product(*(dict(OPTIONS[question]) for question in ("blocks", "items", "splitter", "labels")))]


@pytest.fixture(scope="module")
def twelve(fastai_home, tmp_path_factory):
    "The twelve files in a folder of their own."
    folder = tmp_path_factory.mktemp("twelve")
    for file in FILES:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(fastai_home / "data" / "mnist_sample" / file, folder / file)
    return folder


def test_they_are_the_first_files_of_each_folder(fastai_home):
    found = [file.relative_to(fastai_home / "data" / "mnist_sample").as_posix() for part, n in (("train", 4), ("valid", 2)) for digit in "37"
             for file in sorted((fastai_home / "data" / "mnist_sample" / part / digit).iterdir())[:n]]
    assert found == [*FILES]


@pytest.mark.filterwarnings("ignore:.*torch.jit.script")
def test_every_plan_is_what_fastai_makes_of_it(twelve):
    "All 120 plans, each code as the screen shows it: files, labels and numbers, the vocab, a batch, or the error word by word."
    import fastai.vision.all as fastai

    def sorted_images(folder): return sorted(fastai.get_image_files(folder))
    def every_third(items): return [i for i in range(len(items)) if i % 3 != 2], [i for i in range(len(items)) if i % 3 == 2]
    names = dict(vars(fastai), sorted_images=sorted_images, every_third=every_third)
    answers = {question: {key: eval(code, dict(names)) for key, code in OPTIONS[question]} for question in OPTIONS}

    def said(error): return f"{type(error).__name__}: {error}".replace(f"{twelve}{os.sep}", "").replace(os.sep, "/")

    assert len(ALL) == 120
    for blocks, items, splitter, labels in ALL:
        told = plan_outcome(FILES, blocks, items, splitter, labels)
        block = fastai.DataBlock(blocks=answers["blocks"][blocks], get_items=answers["items"][items], splitter=answers["splitter"][splitter], get_y=answers["labels"][labels])
        try: loaders = block.dataloaders(twelve, bs=4, num_workers=0)
        except Exception as error:
            assert (told["vocab"], told["shape"]) == ([], []) and told["error"].replace(r"\\d", r"\d") == said(error).replace(r"\\d", r"\d"), (blocks, items, splitter, labels)
            continue
        assert (told["vocab"], told["shape"]) == ([*loaders.vocab], [*loaders.train.one_batch()[0].shape])
        for part, held in (("train", loaders.train_ds), ("valid", loaders.valid_ds)):
            mine = [i for i, place in enumerate(told["places"]) if place == part]
            assert [FILES[i] for i in mine] == [item.relative_to(twelve).as_posix() for item in held.items]
            assert [told["labels"][i] for i in mine] == [answers["labels"][labels](item) for item in held.items]
            if part == "train" or not told["error"]: assert [told["numbers"][i] for i in mine] == [int(label) for _, label in held]
        if not len(loaders.valid_ds): assert told["error"] == ""
        else:
            try: loaders.valid.one_batch()
            except Exception as error: assert told["error"] == said(error)
            else: assert told["error"] == ""


def test_the_screen_reckons_as_python_does(arithmetic):
    found = arithmetic("plan", "return data[1].map((answers) => m.outcomeOf(data[0], ...answers))", [FILES, ALL])
    assert found == [plan_outcome(FILES, *answers) for answers in ALL]


def test_the_screen_shows_it(play):
    "Each answer of each question, the other three as in the lesson: the cells, vocab and batch, the error, and where to look."
    plan = Plan(labels="parent")
    page = play(plan)
    for question in OPTIONS:
        for key in dict(OPTIONS[question]):
            plan.answers = [*(dict(blocks="gray", items="all", splitter="grandparent", labels="parent") | {question: key}).values()]
            show(page, answers=plan.answers)
            now, cells = plan.outcome, texts(page, ".psf-files td")
            assert cells[::3] == [{"train": "learn", "valid": "held", "": "–"}[place] for place in now["places"]] and cells[1::3] == [label or "–" for label in now["labels"]]
            assert cells[2::3] == ["unknown" if place == "valid" and label and number is None else "–" if number is None else str(number) for place, label, number in zip(now["places"], now["labels"], now["numbers"])]
            assert page.locator(".psf-clash").text_content() == now["error"] and now["where"] in says(page) and ("stops" in says(page)) == bool(now["error"])
            assert texts(page, ".psf-facts") == [f"vocab {', '.join(now['vocab'])}; a batch of training images {tuple(now['shape'])}" if now["vocab"] else "no vocab, no batch"]
            assert ("none held back, and nothing says so" in says(page)) == (not now["error"] and "valid" not in now["places"])


def test_before_the_guess_nothing_is_given_away(play): assert {*texts(play(Plan(), opened=False), ".psf-files td")} == {""}
