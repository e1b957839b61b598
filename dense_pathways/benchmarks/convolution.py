# SPDX-FileCopyrightText: 2026 The Hebbarium developers
# SPDX-License-Identifier: BSD-3-Clause
"""Convolutions with shared kernels on `cpp_standalone` and on `cpp_dense`: the time that a synapse takes.

Two layers of 15 and of 40 kernels of 5 x 5 and the pooling between them, channels last, work on signals that each
neuron sends in each step, and on spikes. What a synapse takes is the time of an operation, by Brian2's own profile,
with the time of its queue, over the synapses that it visits: all, or those of neurons that spiked. The two programs
run in turns, and the least of their times counts.

    python benchmarks/convolution.py [--strict] [--single] [--by-rows] [--repeat 5]
"""

from __future__ import annotations

import argparse
import gc
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from brian2 import Network, NeuronGroup, Synapses, device, linked_var, ms, prefs, seed, set_device
from numpy.typing import NDArray

import dense_pathways

KERNEL = 5
STEPS = 10
FIRE = 0.1
OPERATIONS = {
    "forward": "every signal forward: a_post += w*a_pre",
    "spikes": "spikes forward: a_post += w",
    "back": "every signal back: b_pre += w*b_post",
    "gradient": "gradient: dw += b_post*a_pre",
}


def convolution(side: int, inputs: int, outputs: int, by_rows: bool) -> tuple[NDArray[np.int32], ...]:
    """Sources, targets and weights of a convolution without padding, in the order of sources and targets.

    Weights lie offset by offset; or, by rows, those of a row of the kernel from right to left: the targets of a source
    go from left to right, so that a run goes on over the whole row.
    """
    valid = side - KERNEL + 1
    ty, tx, dy, dx, c, o = np.ogrid[:valid, :valid, :KERNEL, :KERNEL, :inputs, :outputs]
    source = ((ty + dy) * side + tx + dx) * inputs + c + 0 * o
    target = (ty * valid + tx) * outputs + o + 0 * source
    place = (dy * inputs + c) * KERNEL + KERNEL - 1 - dx if by_rows else (dy * KERNEL + dx) * inputs + c
    weight = place * outputs + o + 0 * source
    order = np.lexsort((target.ravel(), (source + 0 * target).ravel()))
    return tuple(numbers.ravel()[order].astype(np.int32) for numbers in (source + 0 * target, target, weight))


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
    for name, k, side, inputs, outputs in (("conv1", 0, 28, 1, 15), ("conv2", 2, 12, 15, 40)):
        kernel = NeuronGroup(KERNEL**2 * inputs * outputs, "w : 1\ndw : 1", name=f"{name}_kernel")
        kernel.w = "0.01*(rand() - 0.5)"
        synapses = Synapses(
            layers[k], layers[k + 1], "w : 1 (linked)\ndw : 1 (linked)\nkernel_index : integer (constant)",
            on_pre={"aside": "a_post += 1e-9*w", "forward": "a_post += w*a_pre", "spikes": "a_post += w",
                    "back": "b_pre += w*b_post", "gradient": "dw += b_post*a_pre"},
            on_event={"aside": "step", "forward": "step", "spikes": "spike", "back": "step", "gradient": "step"},
            name=name,
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
        layers[1], layers[2], name="pool",
        on_pre={"aside": "a_post += 1e-9", "forward": "a_post += 0.01*a_pre", "spikes": "a_post += 0.01",
                "back": "b_pre += 0.01*b_post"},
        on_event={"aside": "step", "forward": "step", "spikes": "spike", "back": "step"},
    )  # fmt: skip
    pre, post = pooling(24, 15)
    pool.connect(i=pre, j=post)
    pool.aside.order = -1
    sizes["pool"] = len(pre)
    return Network(layers, made, pool), sizes


def build(name: str, folder: Path, flags: list[str], by_rows: bool) -> tuple[Network, dict[str, int]]:
    """Compile the network for one of two devices."""
    gc.collect()  # Brian2 numbers the names of objects by those still alive
    set_device(name, build_on_run=False)
    device.reinit()
    device.activate(build_on_run=False)
    prefs.codegen.cpp.extra_compile_args_gcc = flags
    seed(1)
    net, sizes = network(by_rows)
    net.run(STEPS * 0.1 * ms, profile=True)
    device.build(directory=str(folder), with_output=False, run=False)
    return net, sizes


def profile(folder: Path, results: Path) -> dict[str, float]:
    """Seconds of each operation in one run of a program."""
    results.mkdir(exist_ok=True)
    subprocess.run(["./main", "--results_dir", f"{results}/"], cwd=folder, check=True)
    lines = (results / "profiling_info.txt").read_text().split("\n")
    return {name.partition("_codeobject")[0]: float(time) for name, time in (line.split() for line in lines if line)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strict", action="store_true", help="without -ffast-math")
    parser.add_argument("--single", action="store_true", help="single precision")
    parser.add_argument("--by-rows", action="store_true", help="weights of a row of a kernel in one run")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each program")
    chosen = parser.parse_args()
    flags = ["-w", "-O3", "-march=native", "-std=c++11", *(["-ffp-contract=off"] if chosen.strict else ["-ffast-math"])]
    if chosen.single:
        prefs.core.default_float_dtype = np.float32
    devices = ("cpp_standalone", dense_pathways.NAME)
    with tempfile.TemporaryDirectory() as place:
        folders = {name: Path(place) / name for name in devices}
        for name, folder in folders.items():
            _, sizes = build(name, folder, flags, chosen.by_rows)
        times: dict[str, list[dict[str, float]]] = {name: [] for name in devices}
        for _ in range(chosen.repeat):
            for name, folder in folders.items():
                times[name].append(profile(folder, folder / "measured"))
    print("synapses, operation: ns a synapse visited on cpp_standalone, on cpp_dense, and their ratio")
    for synapses, size in sizes.items():
        for operation, words in OPERATIONS.items():
            pathway = f"{synapses}_{operation}"
            if pathway not in times[dense_pathways.NAME][0]:
                continue
            visited = size * STEPS * (FIRE if operation == "spikes" else 1)
            parts = (pathway, f"{pathway}_push_spikes")
            least = [
                1e9 * min(sum(run.get(part, 0) for part in parts) for run in runs) / visited for runs in times.values()
            ]
            print(f"{synapses:6} {words:42} {least[0]:8.3f} {least[1]:8.3f} {least[0] / least[1]:6.1f}")


if __name__ == "__main__":
    main()
