"""Compares pixelsim with what one would use instead, side by side in one run, and draws the ratios.

    python benchmarks/compare.py              the whole comparison (a quarter of an hour, 16 GB of memory)
    python benchmarks/compare.py --busy       60,000 images, while one core has other work (some minutes)
    python benchmarks/compare.py --quick      12,396 images only, and nothing is written

What was measured stays in `results.json`, a run for each kind of processor, quiet and busy; a new run takes the place of its like.

Every contestant works in a process of its own, since the thread pools of several libraries in one process slow each other down. Each
gets the images in the form that it likes best, made beforehand, and all must give the same answers. They run in turns, round by round, and each round
gives one ratio; the table shows the median and the range. Ratios say how many times as long the other one takes: above 1, pixelsim is
faster. Nothing here is a test, and no test is timed.
"""
import argparse
import json
import multiprocessing
import os
import platform
import statistics
import time
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("TQDM_DISABLE", "1")
import numpy as np
import torch

from pixelsim.classifier import PixelSimilarity
from pixelsim.digits import load_mnist
from pixelsim.fastai_folder import mnist_sample_folder

HERE = Path(__file__).parent
ROUNDS = {12_396: 15, 60_000: 9, 1_000_000: 3}


# What the contestants work on


def images_and_labels(n, k):
    "`n` real digits of `k` classes in random order, repeated if there are not enough."
    train, _ = load_mnist([3, 7] if k == 2 else range(10))
    pick = torch.randint(len(train), (n,), generator=torch.Generator().manual_seed(0))
    return train.images[pick], train.labels[pick.numpy()]


def floats_and_means(n, k):
    "The same images as floats, shape (n, 784), and the mean images of all training digits, shape (k, 784)."
    return images_and_labels(n, k)[0].flatten(1).float().div_(255), means(k).flatten(1)


def means(k):
    "The mean images of the training digits, shape (k, 28, 28); what they are is not compared here."
    train, _ = load_mnist([3, 7] if k == 2 else range(10))
    return PixelSimilarity().fit(train).prototypes_


# The contestants: each gets a task and makes what it likes best; then it is called again and again, and returns its answer


def pixelsim_predict(n, k, distance, compiled=False):
    images, _ = images_and_labels(n, k)
    train, _ = load_mnist([3, 7] if k == 2 else range(10))
    model = PixelSimilarity(distance, compiled=compiled).fit(train)
    return lambda: model.predict(images)


def compiled_predict(n, k, distance): return pixelsim_predict(n, k, distance, compiled=True)


def cdist_predict(n, k, distance):
    images, centers = floats_and_means(n, k)
    return lambda: torch.cdist(images, centers, p=float(distance[1])).argmin(1).numpy()


def sklearn_predict(n, k, distance):
    from sklearn.metrics import pairwise_distances_argmin
    images, centers = (x.numpy() for x in floats_and_means(n, k))
    return lambda: pairwise_distances_argmin(images, centers, metric={"l1": "manhattan", "l2": "euclidean"}[distance])


def faiss_predict(n, k, distance):
    import faiss
    images, centers = (x.numpy() for x in floats_and_means(n, k))
    index = faiss.IndexFlat(784, faiss.METRIC_L1 if distance == "l1" else faiss.METRIC_L2)
    index.add(centers)
    return lambda: index.search(images, 1)[1][:, 0]


def book_predict(n, k, distance):
    images, _ = images_and_labels(n, k)
    floats, prototypes = images.float().div_(255), means(k)
    return lambda: torch.stack([(floats - m).abs().mean((-1, -2)) for m in prototypes]).argmin(0).numpy()


def pixelsim_fit(n, k):
    images, labels = images_and_labels(n, k)
    return lambda: PixelSimilarity().fit(images, labels).prototypes_.flatten(1).numpy()


def sklearn_fit(n, k):
    from sklearn.neighbors import NearestCentroid
    images, labels = floats_and_means(n, k)[0].numpy(), images_and_labels(n, k)[1]
    return lambda: NearestCentroid().fit(images, labels).centroids_


def book_fit(n, k):
    images, labels = images_and_labels(n, k)
    floats, masks = images.float().div_(255), [torch.from_numpy(labels == c) for c in np.unique(labels)]
    return lambda: torch.stack([floats[m].mean(0) for m in masks]).flatten(1).numpy()


def pixelsim_load(): return lambda: np.concatenate([part.images.numpy() for part in load_mnist([3, 7])])


def png_load():
    from PIL import Image
    folder = mnist_sample_folder()
    files = [f for split in ("train", "valid") for digit in "37" for f in sorted((folder / split / digit).iterdir())]
    return lambda: torch.stack([torch.tensor(np.array(Image.open(f))) for f in files]).numpy()


PREDICT = {"pixelsim": pixelsim_predict, "torch.cdist": cdist_predict, "scikit-learn": sklearn_predict, "faiss": faiss_predict}
L1_TOO = {"pixelsim, compiled": compiled_predict, "the book": book_predict}
FIT = {"pixelsim": pixelsim_fit, "scikit-learn": sklearn_fit, "the book": book_fit}
LOAD = {"pixelsim": pixelsim_load, "PNG files": png_load}


# Side by side


def serve(pipe, make, task):
    "In a process of its own: make ready, send the answer and how long the first call took, then run whenever told to, and send the seconds."
    run, start = make(*task), time.perf_counter()
    answer = run()
    pipe.send((time.perf_counter() - start, answer))
    while pipe.recv():
        start = time.perf_counter()
        run()
        pipe.send(time.perf_counter() - start)


@contextmanager
def processes(contestants, task):
    "A pipe to a process for each contestant, by name."
    context = multiprocessing.get_context("spawn")
    pipes, running = {}, []
    for name, make in contestants.items():
        pipes[name], theirs = context.Pipe()
        running.append(context.Process(target=serve, args=(theirs, make, task), daemon=True))
        running[-1].start()
        theirs.close()
    try: yield pipes
    finally:
        for pipe in pipes.values():
            with suppress(OSError): pipe.send(False)  # one that has failed no longer listens
        for process in running: process.join()


def rounds(contestants, task, n):
    "Seconds of each contestant in each of `n` rounds, the seconds of its first call, and its answer."
    with processes(contestants, task) as pipes:
        first = {name: pipe.recv() for name, pipe in pipes.items()}
        seconds = {name: [] for name in pipes}
        for _ in range(n):
            for name, pipe in pipes.items():
                time.sleep(0.1)
                pipe.send(True)
                seconds[name].append(pipe.recv())
    return seconds, {name: s for name, (s, _) in first.items()}, {name: answer for name, (_, answer) in first.items()}


def same(answers, task):
    """Stop unless all contestants agree: on all classes but one in ten thousand (rounding at a tie), or on all means.

    The means of a million images may differ by up to 0.001: others add them up in float32."""
    answers = {name: np.unique(a, return_inverse=True)[1] if name.startswith("pixelsim") and task.startswith("predict") else a
               for name, a in answers.items()}  # the number of the class, for its label
    reference = answers["pixelsim"]
    for name, answer in answers.items():
        agree = (np.abs(answer - reference).max() < 1e-3 if task == "fit" else (answer != reference).mean() <= 1e-4)
        if not agree: raise SystemExit(f"{name} gives other answers than pixelsim: this comparison means nothing")


def ratios(seconds, ours):
    "How many times as long as `ours` each other contestant takes: median, lowest and highest of the rounds."
    out = {}
    for name, theirs in seconds.items():
        if name.startswith("pixelsim"): continue
        each = [t / o for t, o in zip(theirs, seconds[ours])]
        out[name] = [round(x, 2) for x in (statistics.median(each), min(each), max(each))]
    return out


# Memory, machine, picture


def peak_megabytes():
    "The most memory that this process has had so far; Linux says so."
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024


def measure_memory(pipe, how):
    "In a process of its own: how many MB predicting a million images adds to what holds them."
    train, _ = load_mnist([3, 7])
    model = PixelSimilarity(compiled=how == "pixelsim, compiled").fit(train)
    model.predict(train.images[:5000])
    images, _ = images_and_labels(1_000_000, 2)
    before = peak_megabytes()
    if how == "the book":
        floats = images.float() / 255
        torch.stack([(floats - m).abs().mean((-1, -2)) for m in model.prototypes_]).argmin(0)
    else: model.predict(images)
    pipe.send(round(peak_megabytes() - before))


def memory(how):
    "What `measure_memory` finds."
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=measure_memory, args=(theirs, how))
    process.start()
    theirs.close()
    found = ours.recv()
    process.join()
    return found


def processor():
    "The kind of processor, as Linux has it, with the widest of the instructions that matter here."
    with suppress(OSError):
        said = Path("/proc/cpuinfo").read_text()
        name = next((line.split(":")[1].strip() for line in said.splitlines() if line.startswith("model name")), platform.machine())
        return name + next((f", {label}" for flag, label in (("avx512", "AVX-512"), ("avx2", "AVX2")) if flag in said), "")
    return platform.processor() or platform.machine()


@contextmanager
def one_core_busy(wanted):
    "While it lasts, a process does nothing but count, if that is wanted."
    context = multiprocessing.get_context("spawn")
    work = context.Process(target=_count, daemon=True)
    if wanted: work.start()
    try: yield
    finally:
        if wanted: work.kill()


def _count():
    while True: pass


def machine():
    "What this ran on."
    return {"processor": processor(), "cores": os.cpu_count(), "system": platform.system(),
            "python": platform.python_version(), "threads": torch.get_num_threads(),
            **{name: version(name) for name in ("torch", "numpy", "scikit-learn", "faiss-cpu", "pixelsim")}}


def draw(results, path):
    "The ratios as points with their range, a row for each other contestant and a panel for each task."
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    panels = {}
    for r in results:
        for name, values in r["ratios"].items(): panels.setdefault((r["task"], r["ours"]), {}).setdefault(name, []).append((r, values))
    heights = [len(rows) for rows in panels.values()]
    fig, axs = plt.subplots(len(panels), figsize=(8, 0.75 * sum(heights) + 1), sharex=True, height_ratios=heights, layout="constrained")
    shade = {12_396: "#9ecae1", 60_000: "#4292c6", 1_000_000: "#08306b", 14_434: "#4292c6"}
    for ax, ((task, ours), rows) in zip(axs, panels.items()):
        for i, (name, found) in enumerate(rows.items()):
            for j, (r, (middle, low, high)) in enumerate(found):
                y = i + (j - (len(found) - 1) / 2) * 0.12
                marker = "o" if r["classes"] == 2 else "s"
                ax.plot([low, high], [y, y], color=shade[r["images"]], lw=1.5)
                ax.plot(middle, y, marker, color=shade[r["images"]], ms=5)
        ax.axvline(1, color="black", lw=0.8)
        ax.set_yticks(range(len(rows)), rows)
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.set_title(f"{task}: others against {ours}", fontsize=10, loc="left")
        ax.grid(axis="x", alpha=0.3)
    axs[-1].set_xscale("log")
    axs[-1].set_xticks([0.5, 1, 2, 5, 10, 20, 50, 100], ["0.5", "1", "2", "5", "10", "20", "50", "100"])
    axs[-1].set_xlabel("times as long as pixelsim")
    points = [plt.Line2D([], [], color=color, marker="D", ls="", label=f"{n:,} images") for n, color in list(shade.items())[:3]]
    points += [plt.Line2D([], [], color="gray", marker=m, ls="", label=f"{k} classes") for m, k in (("o", 2), ("s", 10))]
    fig.legend(handles=points, loc="outside upper center", ncols=5, fontsize=8)
    fig.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="only 12,396 images, and nothing is written")
    parser.add_argument("--busy", action="store_true", help="60,000 images, while one core has other work")
    args = parser.parse_args()
    mnist_sample_folder()
    with one_core_busy(args.busy): measure(args.quick, args.busy)


def measure(quick, busy):
    "The whole comparison, printed as it goes, and kept unless it is a quick one."
    results, first_compiled = [], []

    def compare(task, contestants, n, k, arguments, turns):
        seconds, first, answers = rounds(contestants, arguments, turns)
        same(answers, task)
        if "pixelsim, compiled" in first: first_compiled.append(first["pixelsim, compiled"])
        for ours in [name for name in seconds if name.startswith("pixelsim")]:
            results.append({"task": task, "images": n, "classes": k, "ours": ours, "ratios": ratios(seconds, ours)})
            for name, (middle, low, high) in results[-1]["ratios"].items():
                print(f"{task:10} {n:>9,} {k:>3}  {ours:18} {name:13} {middle:8.2f}   {low:.2f} to {high:.2f}", flush=True)

    print(f"{'task':10} {'images':>9} {'k':>3}  {'pixelsim':18} {'against':13} {'times':>8}   range")
    for n in [12_396] if quick else [60_000] if busy else ROUNDS:
        small = n <= 60_000
        for k in (2, 10):
            compare("fit", FIT if small else {name: FIT[name] for name in ("pixelsim", "scikit-learn")}, n, k, (n, k), ROUNDS[n])
            l1 = PREDICT | (L1_TOO if small else {"pixelsim, compiled": compiled_predict})
            compare("predict L1", l1, n, k, (n, k, "l1"), ROUNDS[n])
            compare("predict L2", PREDICT, n, k, (n, k, "l2"), ROUNDS[n])
    if not busy: compare("load", LOAD, 14_434, 2, (), 3)
    used = {} if quick or busy or platform.system() != "Linux" else {how: memory(how) for how in ("pixelsim", "pixelsim, compiled", "the book")}
    for how, megabytes in used.items(): print(f"memory added by predicting 1,000,000 images, {how}: {megabytes:,} MB")
    print(f"the first compiled call took {max(first_compiled):.0f} s, with a compiler's cache {min(first_compiled):.0f} s; no ratio above includes it")
    print(", ".join(f"{k} {v}" for k, v in machine().items()))
    if not quick: keep({"machine": machine(), "busy": busy, "memory_mb": used, "results": results})


def keep(run):
    "Put a run among those that were measured, in the place of one on the same kind of processor."
    path = HERE / "results.json"
    def kind(run): return run["machine"]["processor"], run["busy"]
    runs = [old for old in json.loads(path.read_text()) if kind(old) != kind(run)] + [run]
    path.write_text(json.dumps(runs, indent=1) + "\n")
    if not run["busy"]: draw(run["results"], HERE / "results.png")


if __name__ == "__main__": main()
