"""Measures how long imports take, beside those that one would have anyway, and how long each notebook takes in a fresh kernel.

    python benchmarks/startup.py              imports and all notebooks (some minutes)
    python benchmarks/startup.py --imports    imports only

Each import runs in a fresh process, in turns, five times; what is shown is the median, less that of an empty process, as a share of
`import torch`. Nothing here is a test, and no test is timed.
"""
import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
IMPORTS = ["", "import pixelsim", "import torch", "from pixelsim.all import *", "import sklearn.neighbors", "from fastai.vision.all import *"]


def seconds(statement):
    "How long a fresh process takes for `statement`."
    start = time.perf_counter()
    subprocess.run([sys.executable, "-W", "ignore", "-c", statement], check=True)
    return time.perf_counter() - start


def imports(turns=5):
    "The median seconds of each import beyond an empty process; the first turn only warms the disk's cache."
    taken = {statement: [] for statement in IMPORTS}
    for turn in range(turns + 1):
        for statement in IMPORTS:
            found = seconds(statement)
            if turn: taken[statement].append(found)
    middle = {statement: statistics.median(found) for statement, found in taken.items()}
    return {statement: middle[statement] - middle[""] for statement in IMPORTS[1:]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--imports", action="store_true", help="only the imports")
    only_imports = parser.parse_args().imports
    found = imports()
    print(f"{'import':32} {'seconds':>8}  times `import torch`")
    for statement, taken in found.items(): print(f"{statement:32} {taken:8.2f}  {taken / found['import torch']:.2f}")
    if only_imports: return
    sys.path.insert(0, str(ROOT / "tools"))
    import lessons
    from pixelsim.course.lessons import notebook_paths
    print(f"\n{'notebook':32} {'seconds':>8}")
    for name, path in notebook_paths().items():
        start = time.perf_counter()
        lessons.run(path)
        print(f"{name:32} {time.perf_counter() - start:8.1f}", flush=True)


if __name__ == "__main__": main()
