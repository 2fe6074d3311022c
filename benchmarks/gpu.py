"""Measures the classifier on a GPU: images per second, and the share of the memory's bandwidth that it reaches.

    python benchmarks/gpu.py              on the GPU that PyTorch finds
    python benchmarks/gpu.py --device cpu --images 60000    to see that it works, without one

The images lie on the device as uint8. Each way of predicting gives the same classes as the processor, or the run stops. The bandwidth
is that of copying a large array on the same device, in the same run: reading every image once is the least that any way has to do, so a share of 1 would be a
copy's speed. Without a GPU there is nothing to measure, and the script says so and ends with 2.
"""
import argparse
import statistics
import sys
import time

import torch

from pixelsim.classifier import PixelSimilarity
from pixelsim.digits import load_mnist


def seconds(run, device, turns=5):
    "The median seconds of `run`, after two calls that are not counted."
    taken = []
    for turn in range(turns + 2):
        if device.type == "cuda": torch.cuda.synchronize()
        start = time.perf_counter()
        run()
        if device.type == "cuda": torch.cuda.synchronize()
        if turn > 1: taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def copy_bandwidth(device):
    "Bytes per second that are read and written when a large array is copied."
    size = 2**30 if device.type == "cuda" else 2**27
    source = torch.zeros(size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * size / seconds(lambda: target.copy_(source), device)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", help="where to measure (default: cuda)")
    parser.add_argument("--images", type=int, default=1_000_000, help="how many images (default: a million)")
    args = parser.parse_args()
    if args.device == "cuda" and not torch.cuda.is_available():
        print("NOT MEASURED: PyTorch finds no GPU here", file=sys.stderr)
        return 2
    device = torch.device(args.device)
    bandwidth = copy_bandwidth(device)
    print(f"{torch.cuda.get_device_name() if device.type == 'cuda' else 'the processor'}, copying at {bandwidth / 1e9:.0f} GB/s")
    print(f"{'task':24} {'classes':>7} {'images per second':>18}  share of the bandwidth")
    for k, digits in ((2, [3, 7]), (10, range(10))):
        train, _ = load_mnist(digits)
        pick = torch.randint(len(train), (args.images,), generator=torch.Generator().manual_seed(0))
        images, labels = train.images[pick].to(device), train.labels[pick.numpy()]
        report = lambda task, taken: print(f"{task:24} {k:>7} {args.images / taken:>18,.0f}  {images.numel() / taken / bandwidth:.2f}", flush=True)
        report("fit", seconds(lambda: PixelSimilarity().fit(images, labels), device))
        for distance, compiled in (("l1", False), ("l1", True), ("l2", False)):
            model = PixelSimilarity(distance, compiled=compiled).fit(train)
            expected = PixelSimilarity(distance).fit(train).predict(images[:20_000].cpu())
            differ = (model.predict(images)[:20_000] != expected).mean()
            if differ > 1e-4: sys.exit(f"{distance} on {device}: {differ:.1%} of the classes are not those of the processor")
            report(f"predict {distance}{', compiled' * compiled}", seconds(lambda: model.predict(images), device))
    return 0


if __name__ == "__main__": sys.exit(main())
