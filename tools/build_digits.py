"""Builds `pixelsim/data/mnist.npz` from the four original MNIST files.

    python tools/build_digits.py FOLDER [--out FILE]

FOLDER holds the files as their authors published them, gzipped. Each is checked against the SHA-256 of its
unzipped content before it is used, and the result is the same to the last byte every time (with the same zlib and
Python, on the same kind of system).
"""
import argparse
import gzip
import hashlib
import os
from pathlib import Path

import numpy as np

SOURCES = {
    "train": (
        ("train-images-idx3-ubyte", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        ("train-labels-idx1-ubyte", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    ),
    "valid": (
        ("t10k-images-idx3-ubyte", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        ("t10k-labels-idx1-ubyte", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    ),
}
BUNDLE = Path(__file__).parents[1] / "pixelsim" / "data" / "mnist.npz"


def read_idx(folder, name, sha256):
    "The array in one gzipped IDX file: a magic number whose last byte is the rank, the shape, then uint8 data."
    path = folder / f"{name}.gz"
    content = gzip.decompress(path.read_bytes())
    found = hashlib.sha256(content).hexdigest()
    if found != sha256: raise SystemExit(f"{path}: unzipped it has SHA-256 {found}, expected {sha256}: this is not the original file")
    rank = content[3]
    shape = np.frombuffer(content, dtype=">u4", count=rank, offset=4)
    return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * rank).reshape(shape)


def bundle_arrays(folder):
    "The arrays of the bundle: for each split and digit the images and their positions, in text order of the file names."
    arrays = {}
    for split, ((images_name, images_sha), (labels_name, labels_sha)) in SOURCES.items():
        images, labels = read_idx(folder, images_name, images_sha), read_idx(folder, labels_name, labels_sha)
        for digit in range(10):
            index = np.array(sorted(np.flatnonzero(labels == digit), key=lambda i: f"{i}.png"), dtype=np.uint16)
            arrays[f"{split}_{digit}"], arrays[f"{split}_{digit}_index"] = images[index], index
    return arrays


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the four original .gz files are")
    parser.add_argument("--out", type=Path, default=BUNDLE, help="the file to write (default: the package's)")
    args = parser.parse_args()
    arrays = bundle_arrays(args.folder)
    partial = args.out.with_name(f".{args.out.name}.partial")
    with partial.open("wb") as file: np.savez_compressed(file, **arrays)
    os.replace(partial, args.out)
    print(f"{args.out}\n{args.out.stat().st_size:,} bytes, SHA-256 {hashlib.sha256(args.out.read_bytes()).hexdigest()}")


if __name__ == "__main__": main()
