"Several processes, each with its share. One pair of them does it all, since each takes seconds to start."
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import torch.distributed as dist

from pixelsim.classifier import PixelSimilarity

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.integers(0, 256, (600, 5, 6), dtype=np.uint8), RANDOM.choice([3, 7], 600)
NAN = np.full((2, 5, 6), np.nan, np.float32)


def broken(pairs):
    "Batches that end in an error of their own."
    yield from pairs
    raise KeyError("the disk is gone")


def shares():
    "By name: the parameters, and what each of the two ranks fits; made anew, as some can be used only once."
    words, floats, few = np.where(Y == 3, "drei", "sieben é"), X.astype(np.float32) / 300, (X[:50], Y[:50])
    return {
        "uneven": ({}, (X[:100], Y[:100]), (X[100:], Y[100:])),
        "median": ({"distance": "l2", "prototype": "median"}, (X[::9], Y[::9]), (X[1::9], Y[1::9])),
        "no images": ({}, (X, Y), (X[:0], Y[:0])),
        "no batches": ({"prototype": "median"}, (iter([]),), (X, Y)),
        "a class in the middle": ({}, (X[:99], [9, 1, 1] * 33), (X[:50], [5] * 50)),
        "words": ({"distance": "l2"}, (X[Y == 3], words[Y == 3]), (X, words)),
        "floats": ({}, (floats[:200], Y[:200]), (floats[200:], Y[200:])),
        "sizes": ({}, few, (X[:50, :4], Y[:50])), "kinds of labels": ({}, few, (X[:50], words[:50])),
        "nothing": ({}, (X[:0], []), (iter([]),)), "one class": ({}, (X[:9], [3] * 9), (X[:9], [3] * 9)),
        "wrong on 1": ({}, few, (NAN, [3, 7])), "wrong on 0": ({}, (broken([few, few]),), few),
        "wrong on both": ({}, (X, Y[:5]), (X[:1], [None])), "after all that": ({}, few, few)}


def learned(model): return model.get_params(), model.classes_.tolist(), model.totals_.tolist(), model.counts_.tolist(), model.prototypes_.tolist()


def work(rank, folder):
    "What each of the two processes does: every case in turn, and what came of it in a file."
    dist.init_process_group("gloo", init_method=(folder / "meeting").as_uri(), rank=rank, world_size=2, timeout=timedelta(seconds=60))
    told = {}
    def tell(name, do):
        try: told[name] = do()
        except Exception as e: told[name] = f"{type(e).__name__}: {e}"
    for name, (parameters, *mine) in shares().items(): tell(name, lambda: learned(PixelSimilarity(**parameters).fit(*mine[rank])))
    tell("prototypes", lambda: repr(PixelSimilarity(prototype=["mean", "median"][rank]).fit(X, Y)))
    known = PixelSimilarity().fit(X, Y)
    before = learned(known)
    tell("again", lambda: known.fit(*shares()["wrong on 1"][1 + rank]))
    told["unchanged"] = learned(known) == before
    told["alone"] = PixelSimilarity().partial_fit(X[:rank + 1], Y[:rank + 1]).counts_.sum().item()
    told["score"] = known.score(X[rank:], Y[rank:])
    (folder / f"{rank}.json").write_text(json.dumps(told), encoding="utf-8")
    dist.barrier()
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def told(run_python, tmp_path_factory):
    "What each of two processes has told."
    if not (dist.is_available() and dist.is_gloo_available()): pytest.skip("NOT TESTED: torch has no gloo here")
    folder = tmp_path_factory.mktemp("ranks")
    code = Path(__file__).read_text(encoding="utf-8")
    with ThreadPoolExecutor(2) as pool: [*pool.map(lambda rank: run_python(code, rank, folder, OMP_NUM_THREADS=1), (0, 1))]
    return [json.loads((folder / f"{rank}.json").read_text(encoding="utf-8")) for rank in (0, 1)]


def together(name):
    "What one process learns from the images of both ranks."
    parameters, *mine = shares()[name]
    batches = [batch for share in mine for batch in (share[0] if len(share) == 1 else [share])]
    return [*learned(PixelSimilarity(**parameters).fit(batches))]


@pytest.mark.parametrize("name", ["uneven", "median", "no images", "no batches", "a class in the middle", "words", "after all that"])
def test_two_processes_learn_what_one_learns(told, name):
    "Both end with the model that one process learns from all images, bit by bit, whatever the shares."
    assert told[0][name] == told[1][name] == together(name)


def test_sums_of_floats_are_the_same_on_both(told):
    "Floats that were never whole numbers have no exact sum: both ranks hold one model, and one process nearly the same."
    assert told[0]["floats"] == told[1]["floats"]
    np.testing.assert_allclose(told[0]["floats"][-1], together("floats")[-1], atol=1e-6)


@pytest.mark.parametrize("name, parts", [
    ("sizes", ["ValueError", "different sizes", "4", "5"]), ("kinds of labels", ["ValueError", "different kinds of labels", "int", "str"]),
    ("nothing", ["ValueError", "no images to fit"]), ("one class", ["ValueError", "at least two classes, got [3]"]),
    ("prototypes", ["ValueError", "different distances or prototypes", "'mean'", "'median'"])])
def test_shares_that_do_not_go_together(told, name, parts):
    "The same error on both, and neither waits for the other."
    assert told[0][name] == told[1][name] and all(part in told[0][name] for part in parts), told[0][name]


@pytest.mark.parametrize("name, wrong, own", [
    ("wrong on 0", 0, "KeyError: 'the disk is gone'"), ("wrong on 1", 1, "ValueError: images should be finite numbers"),
    ("again", 1, "ValueError: images should be finite numbers")])
def test_one_rank_fails(told, name, wrong, own):
    "It raises its own error; the other a RuntimeError that says where and what; what they knew stays, and they go on."
    said = told[1 - wrong][name]
    assert told[wrong][name].startswith(own) and said.startswith(f"RuntimeError: rank {wrong} could not fit") and own in said
    assert [report["unchanged"] for report in told] == [True, True]


def test_what_each_rank_does_alone(told):
    "If both fail, each raises its own error; and only `fit` waits for the others: partial_fit and score are each rank's own."
    assert "labels should have shape (600,)" in told[0]["wrong on both"] and "ValueError: 1 labels are missing" in told[1]["wrong on both"]
    assert [report["alone"] for report in told] == [1, 2]
    assert [report["score"] for report in told] == [PixelSimilarity().fit(X, Y).score(X[rank:], Y[rank:]) for rank in (0, 1)]


if __name__ == "__main__": work(int(sys.argv[1]), Path(sys.argv[2]))
