"""Compares pixelsim with what one would use instead, side by side in one run, and draws the ratios.

    python benchmarks/compare.py              the whole comparison (some minutes, 10 GB of memory)
    python benchmarks/compare.py --quick      12,396 images only

Every contestant gets the images in the form that it likes best, made beforehand, and all must give the same answers.
They run in turns, round by round, and each round gives one ratio; the table shows the median and the range. Ratios say
how many times as long the other one takes: above 1, pixelsim is faster. Nothing here is a test, and no test is timed.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("TQDM_DISABLE", "1")
import faiss
import matplotlib
import numpy as np
import torch
from PIL import Image
from sklearn.metrics import pairwise_distances_argmin
from sklearn.neighbors import NearestCentroid

from pixelsim.classifier import PixelSimilarity
from pixelsim.digits import load_mnist, mnist_sample_folder

matplotlib.use("Agg")
import matplotlib.pyplot as plt

HERE = Path(__file__).parent
ROUNDS = {12_396: 15, 60_000: 9, 1_000_000: 3}


def images_and_labels(n, k):
    "`n` real digits of `k` classes in random order, repeated if there are not enough."
    train, _ = load_mnist([3, 7] if k == 2 else range(10))
    pick = torch.randint(len(train), (n,), generator=torch.Generator().manual_seed(0))
    return train.images[pick], train.labels[pick.numpy()]


def book_l1(floats, means):
    "The book's expression: one large difference for each class."
    return torch.stack([(floats - m).abs().mean((-1, -2)) for m in means]).argmin(0)


def predictors(images, model, distance):
    "For each contestant a function without arguments that gives the number of the nearest mean of each image."
    floats, means = images.float().div_(255), model.prototypes_
    flat, centers = floats.flatten(1), means.flatten(1)
    array, center_array = flat.numpy(), centers.numpy()
    index = faiss.IndexFlat(784, faiss.METRIC_L1 if distance == "l1" else faiss.METRIC_L2)
    index.add(center_array)
    metric = {"l1": "manhattan", "l2": "euclidean"}[distance]
    found = {
        "pixelsim": lambda: np.searchsorted(model.classes_, model.predict(images)),
        "torch.cdist": lambda: torch.cdist(flat, centers, p=float(distance[1])).argmin(1).numpy(),
        "scikit-learn": lambda: pairwise_distances_argmin(array, center_array, metric=metric),
        "faiss": lambda: index.search(array, 1)[1][:, 0],
    }
    if distance == "l1":
        compiled = PixelSimilarity(distance, compiled=True)
        vars(compiled).update({**vars(model), "compiled": True})
        found["pixelsim, compiled"] = lambda: np.searchsorted(model.classes_, compiled.predict(images))
        if len(images) <= 60_000: found["the book"] = lambda: book_l1(floats, means).numpy()
    return found


def fitters(images, labels):
    "The same for fitting: each gives the mean images."
    floats = images.float().div_(255)
    array = floats.flatten(1).numpy()
    masks = [torch.from_numpy(labels == c) for c in np.unique(labels)]
    return {
        "pixelsim": lambda: PixelSimilarity().fit(images, labels).prototypes_.flatten(1).numpy(),
        "scikit-learn": lambda: NearestCentroid().fit(array, labels).centroids_,
        "the book": lambda: torch.stack([floats[m].mean(0) for m in masks]).flatten(1).numpy(),
    }


def rounds(contestants, n):
    "Seconds of each contestant in each round, after one that is not counted, and the answers of that one."
    answers = {name: run() for name, run in contestants.items()}
    seconds = {name: [] for name in contestants}
    for _ in range(n):
        for name, run in contestants.items():
            time.sleep(0.3)  # the threads of the last one wait busily for a while: let them go to sleep
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return seconds, answers


def ratios(seconds, ours):
    "How many times as long as `ours` each other contestant takes: median, lowest and highest of the rounds."
    out = {}
    for name, theirs in seconds.items():
        if name.startswith("pixelsim"): continue
        each = [t / o for t, o in zip(theirs, seconds[ours])]
        out[name] = [round(x, 2) for x in (statistics.median(each), min(each), max(each))]
    return out


def same(answers, close=False):
    """Stop unless all contestants agree: on all classes but one in ten thousand (rounding at a tie), or on all means.

    The means of a million images may differ by up to 0.001: others add them up in float32."""
    reference = answers["pixelsim"]
    for name, answer in answers.items():
        agree = np.abs(answer - reference).max() < 1e-3 if close else (answer != reference).mean() <= 1e-4
        if not agree: raise SystemExit(f"{name} gives other answers than pixelsim: this comparison means nothing")


def peak_megabytes(how):
    "How many MB predicting a million images adds to what holds them, in a process of its own; Linux says so."
    code = f"""
import torch
from pathlib import Path
from pixelsim.classifier import PixelSimilarity
from pixelsim.digits import load_mnist
train, _ = load_mnist([3, 7])
model = PixelSimilarity(compiled={how == "pixelsim, compiled"}).fit(train.images, train.labels)
model.predict(train.images[:5000])
images = train.images[torch.randint(len(train), (1_000_000,), generator=torch.Generator().manual_seed(0))]
peak = lambda: int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
before = peak()
if {how == "the book"}:
    floats = images.float() / 255
    torch.stack([(floats - m).abs().mean((-1, -2)) for m in model.prototypes_]).argmin(0)
else: model.predict(images)
print(peak() - before)
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, capture_output=True, text=True)
    return round(float(done.stdout.split()[-1]))


def open_files():
    "The lesson's images the slow way: every PNG file opened by itself."
    folder = mnist_sample_folder()
    return sum(len([np.array(Image.open(f)) for f in sorted((folder / split / digit).iterdir())])
               for split in ("train", "valid") for digit in "37")


def machine():
    "What this ran on."
    return {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count(), "system": platform.system(),
            "python": platform.python_version(), "threads": torch.get_num_threads(),
            **{name: version(name) for name in ("torch", "numpy", "scikit-learn", "faiss-cpu", "pixelsim")}}


def draw(results, path):
    "The ratios of the predictions as bars, with their range."
    rows = [(f"{r['task']}, {r['images']:,} images, {r['classes']} classes\n{r['ours']} against {name}", *values)
            for r in results for name, values in r["ratios"].items()]
    fig, ax = plt.subplots(figsize=(9, 0.42 * len(rows) + 1))
    middle = [r[1] for r in rows]
    spread = [[m - r[2] for m, r in zip(middle, rows)], [r[3] - m for m, r in zip(middle, rows)]]
    ax.barh(range(len(rows)), middle, xerr=spread, color="tab:blue", ecolor="gray")
    ax.axvline(1, color="black", lw=0.8)
    ax.set_yticks(range(len(rows)), [r[0] for r in rows], fontsize=7)
    ax.set_xscale("log")
    ax.set_xlabel("times as long as pixelsim")
    ax.invert_yaxis()
    fig.savefig(path, dpi=120, bbox_inches="tight")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="only 12,396 images, and nothing is written")
    quick = parser.parse_args().quick
    results = []

    def add(task, n, k, ours, seconds):
        results.append({"task": task, "images": n, "classes": k, "ours": ours, "ratios": ratios(seconds, ours)})
        for name, (middle, low, high) in results[-1]["ratios"].items():
            print(f"{task:10} {n:>9,} {k:>3}  {ours:18} {name:13} {middle:8.2f}   {low:.2f} to {high:.2f}", flush=True)

    print(f"{'task':10} {'images':>9} {'k':>3}  {'pixelsim':18} {'against':13} {'times':>8}   range")
    for n in [12_396] if quick else ROUNDS:
        for k in (2, 10):
            images, labels = images_and_labels(n, k)
            seconds, answers = rounds(fitters(images, labels), ROUNDS[n])
            same(answers, close=True)
            add("fit", n, k, "pixelsim", seconds)
            for distance in ("l1", "l2"):
                model = PixelSimilarity(distance).fit(images, labels)
                seconds, answers = rounds(predictors(images, model, distance), ROUNDS[n])
                same(answers)
                for ours in [name for name in seconds if name.startswith("pixelsim")]: add(f"predict {distance}", n, k, ours, seconds)
    seconds, answers = rounds({"pixelsim": lambda: sum(map(len, load_mnist([3, 7]))), "PNG files": open_files}, 3)
    assert len(set(answers.values())) == 1
    add("load", answers["pixelsim"], 2, "pixelsim", seconds)
    memory = {} if quick or platform.system() != "Linux" else {how: peak_megabytes(how) for how in ("pixelsim", "pixelsim, compiled", "the book")}
    for how, megabytes in memory.items(): print(f"memory added by predicting 1,000,000 images, {how}: {megabytes:,} MB")
    print(", ".join(f"{k} {v}" for k, v in machine().items()))
    if not quick:
        (HERE / "results.json").write_text(json.dumps({"machine": machine(), "memory_mb": memory, "results": results}, indent=1) + "\n")
        draw(results, HERE / "results.png")


if __name__ == "__main__": main()
