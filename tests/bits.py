"""Digests of everything that small runs of all models compute: did a change move a bit?

    python -m tests.bits BEFORE.csv                 # long: trains every model in each of its forms
    python -m tests.bits AFTER.csv --only diehl_cook
    python -m tests.bits --compare BEFORE.csv AFTER.csv

Runs go through the command line alone, so that the same file serves another version of the project: copy it there.
Digests of one processor and compiler are comparable, no others.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

SMALL = ("--images", "60", "--test-images", "40", "--block", "30", "--no-figures", "--seed", "3")
SIZES = {"desire_backprop": ("--layers", "20,15"), "s4nn": ("--layers", "20,15")}
OTHER_SIZE = ("--neurons", "20")

FORMS: dict[str, dict[str, tuple[str, ...]]] = {
    "synaptic_scaling": {
        "default": (),
        "L1": ("--set", "norm=L1", "--set", "w_t=80", "--labels-from", "labelling", "--labelling-images", "50"),
        "Lp": ("--set", "norm=Lp", "--set", "p_norm=3", "--set", "rate_coding=peak"),
        "unscaled": ("--set", "norm=none", "--set", "pairing=nearest", "--set", "reset_traces=False"),
        "at spikes": ("--set", "scaling_at=spike", "--set", "theta_in_test=frozen", "--set", "encoder=bernoulli"),
        "inhibited by each": ("--set", "inhibition=each", "--set", "theta_in_test=adapting"),
        "fixed threshold": ("--set", "adaptive_threshold=False", "--set", "reset_conductances=False"),
    },
    "symmetric_stdp": {
        "default": ("--epochs", "2"),
        "simultaneous": ("--schedule", "simultaneous", "--set", "rest=jump", "--evaluate-every", "30"),
        "no hidden layer": ("--set", "hidden=0", "--schedule", "simultaneous"),
        "two hidden layers": ("--set", "hidden=2", "--schedule", "simultaneous", "--set", "rest=jump"),
        "classic": ("--set", "plasticity=classic", "--set", "increment=constant", "--schedule", "simultaneous"),
        "exact": ("--set", "integration=exponential_euler", "--set", "theta_decay=none", "--schedule", "simultaneous"),
        "garments": ("--set", "tuned_for=fashion-mnist", "--dataset", "fashion-mnist", "--schedule", "simultaneous"),
    },
    "desire_backprop": {
        "default": ("--epochs", "2"),
        "as printed": ("--set", "reading=paper", "--set", "p_hidden=0.05", "--epochs", "2"),
    },
    "s4nn": {
        "default": ("--epochs", "2"),
        "one hidden layer": ("--layers", "20", "--set", "t_max=64", "--set", "decay=1e-3"),
    },
    "diehl_cook": {
        "default": ("--epochs", "2"),
        "delays": ("--set", "delays=uniform"),
        "pairs": ("--set", "rule=pair", "--set", "integration=euler"),
        "port": ("--set", "pre_spike=potentiates", "--set", "t_dead=50*ms", "--set", "integration=exponential_euler"),
    },
}
PLACES = [("dense", "float32"), ("dense", "float64"), ("cpp", "float64"), ("numpy", "float64")]
Row = tuple[str, str, str, str, str, str]


def runs(only: set[str]) -> Iterator[tuple[str, str, str, str, tuple[str, ...]]]:
    """Model, form, device, precision and options of each run: all forms in the default place, the first in all."""
    for model, forms in FORMS.items():
        for number, (form, options) in enumerate(forms.items()):
            for place, (device, precision) in enumerate(PLACES):
                if (not only or model in only) and (number == 0 or place == 0):
                    yield model, form, device, precision, options


def block_arrays(path: Path) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of the arrays of a checkpoint; see `hebbarium.engine.block_file` for its layout."""
    data = path.read_bytes()
    assert zlib.crc32(data[:-4]) == int.from_bytes(data[-4:], "little"), path
    at = 12
    for _ in range(int.from_bytes(data[8:12], "little")):
        parts = []
        for width in (4, 4, 8):
            size = int.from_bytes(data[at : at + width], "little")
            parts.append(data[at + width : at + width + size])
            at += width + size
        yield parts[0].decode(), parts[1] + parts[2]


def digests(folder: Path) -> Iterator[tuple[str, str]]:
    """Name and digest of each array of a run's last checkpoint and results; times that were measured are left out."""
    last = max((folder / "checkpoints").glob("[0-9]*"))
    for name, content in block_arrays(last):
        if "seconds" not in name:
            yield f"checkpoint/{name}", hashlib.sha256(content).hexdigest()
    found: dict[str, str] = {}

    def visit(name: str, item: h5py.Dataset | h5py.Group) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "iufb":
            array = np.ascontiguousarray(item[()])
            found[f"results/{name}"] = hashlib.sha256(str(array.shape).encode() + array.tobytes()).hexdigest()

    with h5py.File(folder / "results.nc", "r") as file:
        file.visititems(visit)
    yield from sorted(found.items())


def rows_of(model: str, form: str, device: str, precision: str, options: tuple[str, ...], folder: Path) -> list[Row]:
    """Train one small network and digest what it leaves."""
    command = [str(Path(sys.executable).with_name("hebbarium")), "train", model, *SIZES.get(model, OTHER_SIZE), *SMALL]
    command += [*options, "--device", device, "--precision", precision, "--out", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "200"})
    if done.returncode:
        return [(model, form, device, precision, "failed", done.stderr.strip().splitlines()[-1])]
    return [(model, form, device, precision, name, digest) for name, digest in digests(folder)]


def compare(before: Path, after: Path) -> int:
    """Print every row that is in one file alone or differs; return how many."""
    tables = []
    for path in (before, after):
        with open(path, newline="", encoding="utf-8") as file:
            tables.append({tuple(row[:5]): row[5] for row in csv.reader(file)})
    keys = sorted(set(tables[0]) | set(tables[1]))
    different = [key for key in keys if tables[0].get(key) != tables[1].get(key)]
    for key in different:
        print(*key, *("missing" if table.get(key) is None else table[key][:12] for table in tables), sep="  ")
    print(f"{len(keys) - len(different)} of {len(keys)} the same")
    return len(different)


def main() -> int:
    """Write digests, or compare two files of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--only", nargs="+", default=[], metavar="MODEL")
    parser.add_argument("--compare", nargs=2, type=Path, metavar="FILE")
    asked = parser.parse_args()
    if asked.compare:
        return 1 if compare(*asked.compare) else 0
    if asked.file is None:
        parser.error("name the file to write, or --compare two")
    with open(asked.file, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        for number, run in enumerate(runs(set(asked.only))):
            with tempfile.TemporaryDirectory() as folder:
                writer.writerows(rows := rows_of(*run, Path(folder) / f"run{number}"))
            file.flush()
            print(*run[:4], f"{len(rows)} digests" if rows[0][4] != "failed" else rows[0], flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
