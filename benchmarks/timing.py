"""Timing-based backpropagation beside Algorithm 1 in PyTorch (`benchmarks.pytorch_timing`), 784-400-10, in training.

Both sides begin with the same weights and see the same digits; each has its start, when most neurons fire, and goes on
learning from turn to turn.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.comparison import Say, milliseconds, ratio, refuse_other_gradients, side, take_turns
from benchmarks.compiled import CompiledTraining
from benchmarks.desire import first_weights, torch_python
from benchmarks.rows import Benchmark
from benchmarks.worker import Measurement, Worker
from hebbarium.engine import anatomy
from hebbarium.models.timing_backprop import TimingBackprop

MODEL = TimingBackprop.name
HIDDEN = 400
SIZES = (784, HIDDEN, 10)
START = 200  # samples before the first turn, of both sides
CHECKED = 100  # samples of the batch whose gradient is to be the same on both sides
TOLERANCE = 1e-9
"""By how much gradients of the two sides may differ, in parts of the largest: near-tangent spikes magnify rounding."""


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


def compare(amounts: Amounts, images: Path, labels: Path, scratch: Path, say: Say) -> list[Benchmark]:
    """Both sides in turns.

    Parameters
    ----------
    images, labels : Path
        ``.npy`` files of what all sides see.

    Raises
    ------
    WorkerFailed
        A side failed; or the two do not have the same gradient, which would be no comparison.
    """
    python = torch_python(say)
    with ExitStack() as stack:
        workers: dict[str, Worker] = {}
        turns: dict[str, int] = {}
        other = ""
        model = TimingBackprop(layers=(HIDDEN,))
        if python:
            start = scratch / "timing.npz"
            np.savez(start, allow_pickle=False, **first_weights(model))
            check(python, model, start, images, labels, scratch)
            say(f"PyTorch and hebbarium have the same gradient of {CHECKED} samples")
        workers[MODEL] = stack.enter_context(
            side(sys.executable, "compiled", images, labels=labels, model=MODEL, precision="float32",
                 set=f"layers={HIDDEN}", warm_up=START)
        )  # fmt: skip
        turns[MODEL] = amounts.ours
        say(f"hebbarium, {MODEL}: ready")
        if python:
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


def check(python: str, model: TimingBackprop, start: Path, images: Path, labels: Path, scratch: Path) -> None:
    """Hold PyTorch's gradient of the first batch against ours: same weights, same samples, in double precision.

    In single precision a spike near a tangent has hardly a digit in common.

    Raises
    ------
    WorkerFailed
        Gradients differ.
    """
    saved = scratch / "checked.npz"
    with side(python, "pytorch_timing", images, labels=labels, start=start, precision="float64", threads=1,
              warm_up=CHECKED, save=saved):  # fmt: skip
        pass
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        ours = CompiledTraining(model, "float64", np.load(images), Path(folder), labels=np.load(labels))
        ours.train(CHECKED)
    of_weights = {}
    for p in anatomy.projections(model):
        mean = ours.state[p.variable.removesuffix(".w") + ".mean"]  # Adam's, of one gradient
        of_weights[p.name] = mean.reshape(p.shape) / (1 - model.beta_1)
    with np.load(saved) as theirs:
        same(of_weights, [theirs[f"gradient_{k}"] for k in range(len(of_weights))])


def same(ours: Mapping[str, NDArray[np.floating]], theirs: Sequence[NDArray[np.floating]]) -> None:
    """Refuse a comparison of two sides that do not compute the same. Raises `WorkerFailed`."""
    named = {f"of {name}": gradient for name, gradient in ours.items()}
    refuse_other_gradients(MODEL, named, theirs, TOLERANCE)
