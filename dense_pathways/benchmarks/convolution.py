# SPDX-FileCopyrightText: 2026 The Hebbarium developers
# SPDX-License-Identifier: BSD-3-Clause
"""Convolutions with shared kernels on `cpp_standalone` and on `cpp_dense`: the time that a synapse takes.

Two layers of 15 and of 40 kernels of 5 x 5 on images of 28 x 28 and the pooling between them, channels last, work on
signals that each neuron sends in each step, and on spikes. What a synapse takes is the time of an operation, by
Brian2's own profile, with the time of its queue, over the synapses that it visits: all, or those of neurons that
spiked. What is done once a run, to find the runs of synapses, is left out. The programs run in turns, and the least of
their times counts. Prints a table, and writes it where ``--write`` names a file.

    python benchmarks/convolution.py [--strict] [--by-rows] [--precision single] [--repeat 20] [--write FILE]
"""

from __future__ import annotations

import argparse
import csv
import gc
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from brian2 import Network, NeuronGroup, Synapses, device, linked_var, ms, prefs, seed, set_device
from numpy.typing import NDArray

import dense_pathways

KERNEL = 5
STEPS = 20
FIRE = 0.1
OPERATIONS = {
    "forward": "each neuron's signal forward",
    "spikes": "spikes of a tenth of the neurons forward",
    "back": "errors back to the layer below",
    "gradient": "the gradient of the weights",
}
PRECISIONS = {"double": np.float64, "single": np.float32}
DEVICES = ("cpp_standalone", dense_pathways.NAME)
COLUMNS = ("precision", "connection", "operation", "synapses", *DEVICES)


def convolution(side: int, inputs: int, outputs: int, by_rows: bool) -> tuple[NDArray[np.int32], ...]:
    """Sources, targets and weights of a convolution without padding, in the order of sources and targets.

    Weights lie offset by offset; or, by rows, those of a row of the kernel from right to left: the targets of a source
    go from left to right, so that a run goes on over the whole row.
    """
    valid = side - KERNEL + 1
    ty, tx, dy, dx, c, o = np.ogrid[:valid, :valid, :KERNEL, :KERNEL, :inputs, :outputs]
    place = (dy * inputs + c) * KERNEL + KERNEL - 1 - dx if by_rows else (dy * KERNEL + dx) * inputs + c
    lists = np.broadcast_arrays(
        ((ty + dy) * side + tx + dx) * inputs + c, (ty * valid + tx) * outputs + o, place * outputs + o
    )
    source, target, weight = (numbers.ravel() for numbers in lists)
    order = np.lexsort((target, source))
    return tuple(numbers[order].astype(np.int32) for numbers in (source, target, weight))


def pooling(side: int, channels: int) -> tuple[NDArray[np.int32], ...]:
    """Sources and targets of sums over squares of two by two."""
    y, x, c = np.ogrid[:side, :side, :channels]
    source = (y * side + x) * channels + c
    target = ((y // 2) * (side // 2) + x // 2) * channels + c
    return source.ravel().astype(np.int32), target.ravel().astype(np.int32)


def layer(neurons: int, name: str) -> NeuronGroup:
    """Signals a and errors b, all of which are sent in each step, and spikes of some."""
    group = NeuronGroup(
        neurons, "a : 1\nb : 1", threshold=f"rand() < {FIRE}", reset="", events={"step": "t >= 0*ms"}, name=name
    )
    group.a, group.b = "rand() - 0.5", "rand() - 0.5"
    return group


def network(by_rows: bool) -> tuple[Network, dict[str, int]]:
    """The network, and how many synapses each of its Synapses has."""
    sides = {"image": 28 * 28, "first": 24 * 24 * 15, "pooled": 12 * 12 * 15, "second": 8 * 8 * 40}
    layers = [layer(neurons, name) for name, neurons in sides.items()]
    made: list[Synapses | NeuronGroup] = []
    sizes = {}
    for name, k, side, inputs, outputs in (("15C5", 0, 28, 1, 15), ("40C5", 2, 12, 15, 40)):
        kernel = NeuronGroup(KERNEL**2 * inputs * outputs, "w : 1\ndw : 1", name=f"kernel_{name}")
        kernel.w = "0.01*(rand() - 0.5)"
        synapses = Synapses(
            layers[k], layers[k + 1], "w : 1 (linked)\ndw : 1 (linked)\nkernel_index : integer (constant)",
            on_pre={"aside": "a_post += 1e-9*w", "forward": "a_post += w*a_pre", "spikes": "a_post += w",
                    "back": "b_pre += w*b_post", "gradient": "dw += b_post*a_pre"},
            on_event={"aside": "step", "forward": "step", "spikes": "spike", "back": "step", "gradient": "step"},
            name=f"of_{name}",
        )  # fmt: skip
        pre, post, weight = convolution(side, inputs, outputs, by_rows)
        synapses.connect(i=pre, j=post)
        synapses.kernel_index = weight
        synapses.w = linked_var(kernel, "w", index="kernel_index")
        synapses.dw = linked_var(kernel, "dw", index="kernel_index")
        made += [kernel, synapses]
        synapses.aside.order = -1  # what comes first finds the runs, and is not measured
        sizes[name] = len(pre)
    pool = Synapses(
        layers[1], layers[2], name="of_P2",
        on_pre={"aside": "a_post += 1e-9", "forward": "a_post += 0.01*a_pre", "spikes": "a_post += 0.01",
                "back": "b_pre += 0.01*b_post"},
        on_event={"aside": "step", "forward": "step", "spikes": "spike", "back": "step"},
    )  # fmt: skip
    pre, post = pooling(24, 15)
    pool.connect(i=pre, j=post)
    pool.aside.order = -1
    sizes["P2"] = len(pre)
    return Network(layers, made, pool), sizes


def build(name: str, folder: Path, flags: list[str], precision: str, by_rows: bool) -> dict[str, int]:
    """Compile the network for one of two devices; returns how many synapses each connection has."""
    gc.collect()  # Brian2 numbers the names of objects by those still alive
    set_device(name, build_on_run=False)
    device.reinit()
    device.activate(build_on_run=False)
    prefs.codegen.cpp.extra_compile_args_gcc = flags
    prefs.core.default_float_dtype = PRECISIONS[precision]
    seed(1)
    made, sizes = network(by_rows)
    made.run(STEPS * 0.1 * ms, profile=True)
    device.build(directory=str(folder), with_output=False, run=False)
    return sizes


def profile(folder: Path) -> dict[str, float]:
    """Seconds of each operation in one run of a program."""
    subprocess.run(["./main"], cwd=folder, check=True)
    lines = (folder / "results" / "profiling_info.txt").read_text().splitlines()
    return {name.partition("_codeobject")[0]: float(time) for name, time in map(str.split, lines)}


def measure(place: Path, flags: list[str], precision: str, by_rows: bool, repeat: int) -> list[dict[str, str]]:
    """Rows of the table for one precision."""
    folders = [place / f"{name}_{precision}" for name in DEVICES]
    sizes = [build(name, folder, flags, precision, by_rows) for name, folder in zip(DEVICES, folders, strict=True)]
    times: list[list[dict[str, float]]] = [[] for _ in folders]
    for _ in range(repeat):
        for folder, runs in zip(folders, times, strict=True):
            runs.append(profile(folder))
    rows = []
    for connection, size in sizes[0].items():
        for operation, words in OPERATIONS.items():
            pathway = f"of_{connection}_{operation}"
            if pathway not in times[0][0]:
                continue
            visited = size * STEPS * (FIRE if operation == "spikes" else 1)
            parts = (pathway, f"{pathway}_push_spikes")
            least = [min(sum(run.get(part, 0) for part in parts) for run in runs) for runs in times]
            values = [precision, connection, words, str(size), *(f"{1e9 * time / visited:.2f}" for time in least)]
            rows.append(dict(zip(COLUMNS, values, strict=True)))
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strict", action="store_true", help="without -ffast-math")
    parser.add_argument("--by-rows", action="store_true", help="weights of a row of a kernel in one run")
    parser.add_argument("--precision", choices=PRECISIONS, help="single or double; both by default")
    parser.add_argument("--repeat", type=int, default=20, help="runs of each program")
    parser.add_argument("--write", type=Path, help="file for the table")
    chosen = parser.parse_args()
    flags = ["-w", "-O3", "-march=native", "-std=c++11", "-ffp-contract=off" if chosen.strict else "-ffast-math"]
    with tempfile.TemporaryDirectory() as folder:
        wanted = [chosen.precision] if chosen.precision else [*PRECISIONS]
        tables = [measure(Path(folder), flags, name, chosen.by_rows, chosen.repeat) for name in wanted]
    rows = [row for table in tables for row in table]
    print(f"nanoseconds a synapse visited: {', '.join(COLUMNS)}")
    for row in rows:
        print(", ".join(row.values()))
    if chosen.write:
        with chosen.write.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
