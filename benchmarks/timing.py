"""Timing-based backpropagation beside Algorithm 1 in PyTorch (`benchmarks.pytorch_timing`), 784-400-10, in training.

Both sides begin with weights drawn alike and see the same digits; each has its start, when most neurons fire, and goes
on learning from turn to turn.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.comparison import Say, milliseconds, ratio, side, take_turns
from benchmarks.desire import torch_python
from benchmarks.rows import Benchmark
from benchmarks.worker import Measurement, Worker
from hebbarium.catalogue import registry

MODEL = "timing_backprop"
HIDDEN = 400
SIZES = (784, HIDDEN, 10)
START = 200  # samples before the first turn, of both sides


@dataclass(frozen=True)
class Amounts:
    """How much is measured.

    Parameters
    ----------
    rounds : int
        Times that every side has its turn; what is reported is the median.
    ours, theirs : int
        Samples of a turn: whole batches of 100.
    """

    rounds: int
    ours: int
    theirs: int


FULL = Amounts(5, 1000, 500)
QUICK = Amounts(2, 500, 100)


def first_weights(sizes: Sequence[int], seed: int = 0) -> dict[str, NDArray[np.float64]]:
    """What the other side begins with: mean 0.03, standard deviation 0.3, ``(inputs, neurons)`` from the input on."""
    draw = np.random.default_rng(seed)
    return {f"w_{k}": draw.normal(0.03, 0.3, shape) for k, shape in enumerate(itertools.pairwise(sizes))}


def compare(amounts: Amounts, images: Path, labels: Path, scratch: Path, say: Say) -> list[Benchmark]:
    """Both sides in turns.

    Parameters
    ----------
    images, labels : Path
        ``.npy`` files of what all sides see.

    Raises
    ------
    WorkerFailed
        A side failed.
    """
    python = torch_python(say)
    with ExitStack() as stack:
        workers: dict[str, Worker] = {}
        turns: dict[str, int] = {}
        other = ""
        if MODEL in registry.models():
            workers[MODEL] = stack.enter_context(
                side(sys.executable, "compiled", images, labels=labels, model=MODEL, precision="float32",
                     set=f"layers={HIDDEN}", warm_up=START)
            )  # fmt: skip
            turns[MODEL] = amounts.ours
            say(f"hebbarium, {MODEL}: ready")
        else:
            say(f"{MODEL} IS LEFT OUT: there is no such model")
        if python:
            start = scratch / "timing.npz"
            np.savez(start, allow_pickle=False, **first_weights(SIZES))
            worker = side(python, "pytorch_timing", images, labels=labels, start=start, precision="float32",
                          threads=1, warm_up=START)  # fmt: skip
            other = f"Algorithm 1 in PyTorch {worker.description['torch']}"
            workers[other] = stack.enter_context(worker)
            turns[other] = amounts.theirs
            say(f"{other}: ready")
        return rows(take_turns(workers, turns, amounts.rounds, say), other)


def rows(measured: Mapping[str, list[Measurement]], other: str) -> list[Benchmark]:
    """What was measured of ours and of ``other``, as far as they are there."""
    size = "-".join(map(str, SIZES))
    result: list[Benchmark] = []
    for name, turns in measured.items():
        how = f"{name}, {size}, float32, batch 100"
        if name == other:
            how += ", 1 thread"
            spikes = sum(m.spikes for m in turns) / sum(m.images for m in turns) / HIDDEN
            result.append(Benchmark(f"{how}: spikes of a hidden neuron in a sample", spikes))
        result.append(Benchmark(f"{how}: an image", milliseconds(turns), "ms"))
    if MODEL in measured and other in measured:
        for clock, how in (("wall", ""), ("cpu", ", by processor time")):
            result.append(Benchmark(f"{MODEL}, {size}, float32: times as fast as {other}{how}",
                                    ratio(measured[other], measured[MODEL], clock)))  # fmt: skip
    return result
