"""Make the embedded subsets from the published sets: ``python -m hebbarium.datasets.embed DATA_FOLDER``.

Class-balanced draws with a fixed seed, training images from the training set and test images from the test
set, each kept in the order of its set and stored as xz-compressed IDX. It writes ``datasets/embedded`` and
prints the digests that `hebbarium.datasets.published_sets` states.
"""

from __future__ import annotations

import argparse
import hashlib
import lzma
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from hebbarium.datasets import idx
from hebbarium.datasets.draws import Purpose, balanced_draw, stream
from hebbarium.datasets.labelled_images import Dataset
from hebbarium.datasets.published_sets import (
    EMBEDDED,
    FASHION_MNIST,
    FASHION_MNIST_EMBEDDED,
    MNIST,
    MNIST_EMBEDDED,
    PARTS,
    PublishedSet,
    download,
    locate,
    read_set,
)

SEED = 0


def subset(dataset: Dataset, embedded: PublishedSet) -> Mapping[str, bytes]:
    """IDX content of each part of an embedded subset, drawn from its whole set."""
    contents = {}
    halves = (
        ("train", dataset.train_images, dataset.train_labels, embedded.train),
        ("t10k", dataset.test_images, dataset.test_labels, embedded.test),
    )
    for epoch, (half, images, labels, count) in enumerate(halves):
        rng = stream(SEED, Purpose.EMBEDDED_SUBSET, epoch)
        drawn = np.sort(balanced_draw(labels, count // dataset.classes, rng))
        contents[f"{half}-images"] = idx.encode(images[drawn].reshape(-1, *dataset.shape))
        contents[f"{half}-labels"] = idx.encode(labels[drawn].astype(np.uint8))
    return contents


def main() -> None:
    """Write the files of both subsets and print their digests."""
    parser = argparse.ArgumentParser(description="Make the embedded subsets of MNIST and Fashion-MNIST.")
    parser.add_argument("data", type=Path, nargs="?", help="folder that holds the published sets")
    data = parser.parse_args().data
    for whole, embedded in ((MNIST, MNIST_EMBEDDED), (FASHION_MNIST, FASHION_MNIST_EMBEDDED)):
        dataset = read_set(whole, locate(whole, data) or download(whole))
        folder = EMBEDDED / embedded.subfolders[0]
        folder.mkdir(parents=True, exist_ok=True)
        for part, content in subset(dataset, embedded).items():
            packed = lzma.compress(content, preset=9 | lzma.PRESET_EXTREME)
            (folder / f"{PARTS[part][0]}.xz").write_bytes(packed)
            print(f"{hashlib.sha256(content).hexdigest()}  {embedded.name} {part}  {len(packed):,} bytes")


if __name__ == "__main__":
    main()
