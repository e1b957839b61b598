"""TSSL-BP beside PyTorch (`benchmarks.pytorch_tssl`) in training: 784-400-10, and the network of Table 1.

Both sides begin with the same weights and see the same digits; each has its start and goes on learning from turn to
turn.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.comparison import Say, milliseconds, ratio, refuse_other_gradients, side, take_turns
from benchmarks.compiled import CompiledTraining
from benchmarks.desire import torch_python
from benchmarks.rows import Benchmark
from benchmarks.worker import Measurement, Worker
from hebbarium.engine import streams
from hebbarium.models.tssl_backprop import TSSLBackprop

MODEL = TSSLBackprop.name
DENSE, MAPS = "400", "15C5-P2-40C5-P2-300"
NETWORKS = {DENSE: "784-400-10", MAPS: MAPS}
CHECKED = 50  # samples of the batch whose gradient is to be the same on both sides
TOLERANCE = 1e-10
"""By how much gradients of the two sides may differ, in parts of the largest."""


@dataclass(frozen=True)
class Amounts:
    """How much is measured, by layers.

    Parameters
    ----------
    rounds : int
        Times that every side has its turn; what is reported is the median.
    start : dict of int
        Samples before the first turn, of both sides.
    turns : dict of int
        Samples of a turn: whole batches of 50.
    """

    rounds: int
    start: Mapping[str, int]
    turns: Mapping[str, int]


FULL = Amounts(5, {DENSE: 2000, MAPS: 500}, {DENSE: 1000, MAPS: 200})
QUICK = Amounts(2, {DENSE: 200, MAPS: 50}, {DENSE: 500, MAPS: 50})


def first_weights(model: TSSLBackprop) -> dict[str, NDArray[np.float64]]:
    """What training begins with, from below."""
    return dict(model.initial_state(streams.generator(0, streams.INITIAL_WEIGHTS)))


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
    result: list[Benchmark] = []
    for layers in NETWORKS:
        with ExitStack() as stack:
            workers: dict[str, Worker] = {}
            other, model = "", TSSLBackprop(layers=layers)
            start = scratch / f"tssl-{layers}.npz"
            np.savez(start, allow_pickle=False, **first_weights(model))
            if python and layers == DENSE:
                check(python, model, start, images, labels, scratch)
                say(f"PyTorch and hebbarium have the same gradient of {CHECKED} samples")
            workers[MODEL] = stack.enter_context(
                side(sys.executable, "compiled", images, labels=labels, model=MODEL, precision="float32",
                     set=f"layers={layers}", warm_up=amounts.start[layers])
            )  # fmt: skip
            say(f"hebbarium, {MODEL}, {NETWORKS[layers]}: ready")
            if python:
                worker = side(python, "pytorch_tssl", images, labels=labels, start=start, layers=layers,
                              precision="float32", threads=1, warm_up=amounts.start[layers])  # fmt: skip
                other = f"the same in PyTorch {worker.description['torch']}"
                workers[other] = stack.enter_context(worker)
                say(f"{other}: ready")
            turns = dict.fromkeys(workers, amounts.turns[layers])
            result += rows(take_turns(workers, turns, amounts.rounds, say), other, NETWORKS[layers])
    return result


def rows(measured: Mapping[str, list[Measurement]], other: str, network: str) -> list[Benchmark]:
    """What was measured of ours and of ``other``, as far as they are there."""
    result = []
    for name, turns in measured.items():
        how = f"{name}, {network}, float32, batch 50" + (", 1 thread" if name == other else "")
        result.append(Benchmark(f"{how}: an image", milliseconds(turns), "ms"))
    if MODEL in measured and other in measured:
        for clock, how in (("wall", ""), ("cpu", ", by processor time")):
            result.append(Benchmark(f"{MODEL}, {network}, float32: times as fast as {other}{how}",
                                    ratio(measured[other], measured[MODEL], clock)))  # fmt: skip
    return result


def check(python: str, model: TSSLBackprop, start: Path, images: Path, labels: Path, scratch: Path) -> None:
    """Hold PyTorch's gradient of the first batch against ours: same weights, same samples, in double precision.

    Raises
    ------
    WorkerFailed
        Gradients differ.
    """
    saved = scratch / "checked.npz"
    with side(python, "pytorch_tssl", images, labels=labels, start=start, layers=model.layers, precision="float64",
              threads=1, warm_up=CHECKED, save=saved):  # fmt: skip
        pass
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        ours = CompiledTraining(model, "float64", np.load(images), Path(folder), labels=np.load(labels))
        ours.train(CHECKED)
    means = [ours.state[name.removesuffix(".w") + ".mean"] for name in first_weights(model)]  # AdamW's, of one gradient
    with np.load(saved) as theirs:
        same([mean / (1 - model.beta_1) for mean in means], [theirs[f"gradient_{k}"] for k in range(len(means))])


def same(ours: list[NDArray[np.floating]], theirs: list[NDArray[np.floating]]) -> None:
    """Refuse a comparison of two sides that do not compute the same. Raises `WorkerFailed`."""
    named = {f"onto layer {depth}": gradient for depth, gradient in enumerate(ours, start=1)}
    refuse_other_gradients(MODEL, named, theirs, TOLERANCE)
