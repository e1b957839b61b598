"""Desire backpropagation: ours beside the authors' method in PyTorch, and ours as fewer samples teach anything."""

from __future__ import annotations

import dataclasses
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.comparison import Say, milliseconds, ratio, side, take_turns
from benchmarks.compiled import CompiledTraining
from benchmarks.rows import Benchmark
from benchmarks.worker import Measurement, Worker, WorkerFailed
from hebbarium.engine import anatomy, streams
from hebbarium.models.contract import Model
from hebbarium.models.desire_backprop import DesireBackprop

TORCH_PYTHON = "HEBBARIUM_TORCH_PYTHON"
SIZES = ((200, 100), (1600, 800))
AT_MOST: dict[tuple[int, ...], float] = {(200, 100): 0.15, (1600, 800): 2.0}
"""Milliseconds a sample may take at the start of training, by hidden layers."""
AT_LEAST: dict[tuple[int, ...], float] = {(1600, 800): 70.0}
"""How many times as fast as the authors' method in PyTorch a sample is to be."""

START = 100  # samples before the first turn "at the start of training"
CHECKED = 8  # samples that both sides are to answer alike
TOLERANCE = 1e-10
"""By how much weights of the two sides may differ then, of changes of some 1e-4: sums are in other orders."""

UPDATES = {"steps": "PyTorch as the authors' code", "product": "PyTorch with a matrix product as update"}


@dataclass(frozen=True)
class Amounts:
    """How much is measured.

    Parameters
    ----------
    rounds : int
        Times that every side has its turn; what is reported is the median.
    ours, theirs : dict of int
        Samples of a turn, by hidden layers.
    trained : int
        Samples before the first turn "after training".
    """

    rounds: int
    ours: Mapping[tuple[int, ...], int]
    theirs: Mapping[tuple[int, ...], int]
    trained: int


FULL = Amounts(5, {(200, 100): 1000, (1600, 800): 500}, {(200, 100): 60, (1600, 800): 6}, 18_000)
QUICK = Amounts(2, {(200, 100): 500, (1600, 800): 100}, {(200, 100): 10, (1600, 800): 2}, 1000)


def named(layers: Sequence[int]) -> str:
    """A network by its hidden layers, as in 1600-800."""
    return "-".join(map(str, layers))


def first_weights(model: Model) -> dict[str, NDArray[np.float64]]:
    """What training begins with: ``(inputs, neurons)`` of each projection, from the input on."""
    drawn = model.initial_state(streams.generator(0, streams.INITIAL_WEIGHTS))
    return {p.name: np.asarray(drawn[p.variable], float).reshape(p.shape) for p in anatomy.projections(model)}


def torch_python(say: Say) -> str | None:
    """The interpreter that has PyTorch; None, and a line said, if there is none.

    Raises
    ------
    FileNotFoundError
        The environment variable names something else.
    """
    python = os.environ.get(TORCH_PYTHON)
    if not python:
        say(f"PyTorch IS LEFT OUT: to have its rows, set {TORCH_PYTHON} to a Python 3.11 or later "
            "in which 'pip install torch numpy' was done")
        return None
    if not shutil.which(python):
        raise FileNotFoundError(f"{TORCH_PYTHON}={python}: expected a Python that has PyTorch")
    return python


def compare(amounts: Amounts, images: Path, labels: Path, scratch: Path, say: Say) -> list[Benchmark]:
    """Both sides in turns.

    Parameters
    ----------
    images, labels : Path
        ``.npy`` files of what all sides see.

    Raises
    ------
    WorkerFailed
        A side failed; or the two do not answer the same to the same samples, which would be no comparison.
    """
    python = torch_python(say)
    names: dict[str, str] = {}
    with ExitStack() as stack:
        workers: dict[str, Worker] = {}
        turns: dict[str, int] = {}
        for layers in SIZES:
            start = scratch / f"desire-{named(layers)}.npz"
            model = DesireBackprop(layers=layers)
            np.savez(start, allow_pickle=False, **first_weights(model))
            if python and layers == SIZES[0]:
                check(python, model, start, images, labels, scratch)
                say(f"PyTorch and hebbarium answer {CHECKED} samples alike")
            for when, warm_up in (("start", START), ("trained", amounts.trained)):
                name = f"{named(layers)} {when}"
                worker = side(sys.executable, "compiled", images, labels=labels, model=model.name, precision="float32",
                              set=f"layers={','.join(map(str, layers))}", warm_up=warm_up)  # fmt: skip
                workers[name], turns[name] = stack.enter_context(worker), amounts.ours[layers]
                say(f"hebbarium, {named(layers)}, {warm_up} samples seen: ready")
            for update in UPDATES if python else ():
                assert python
                worker = side(python, "pytorch_desire", images, labels=labels, start=start, precision="float32",
                              dropout=model.p_hidden, update=update, threads=1, warm_up=2)  # fmt: skip
                name = f"{named(layers)} {update}"
                workers[name], turns[name] = stack.enter_context(worker), amounts.theirs[layers]
                names[update] = UPDATES[update].replace("PyTorch", f"PyTorch {worker.description['torch']}", 1)
                say(f"{names[update]}, {named(layers)}: ready")
        measured = take_turns(workers, turns, amounts.rounds, say)
    return [row for layers in SIZES for row in _rows(layers, measured, names, amounts.trained)]


def _rows(
    layers: tuple[int, ...], measured: Mapping[str, list[Measurement]], others: Mapping[str, str], trained: int
) -> list[Benchmark]:
    size = named(layers)
    rows: list[Benchmark] = []
    start, after = measured[f"{size} start"], measured[f"{size} trained"]
    for when, turns, most in (
        ("at the start of training", start, AT_MOST[layers]), (f"after {trained} images", after, None)
    ):  # fmt: skip
        name = f"desire_backprop, {size}, float32, {when}"
        rows.append(Benchmark(f"{name}: an image", milliseconds(turns), "ms", below=most))
        rows.append(Benchmark(f"{name}: images after which nothing is changed", idle_share(turns), "%"))
    name = f"desire_backprop, {size}, float32"
    rows.append(Benchmark(f"{name}: times as fast after {trained} images as at the start", ratio(start, after)))
    for update, other in others.items():
        theirs = measured[f"{size} {update}"]
        rows.append(Benchmark(f"{other}, batch 1, 1 thread, {size}: an image", milliseconds(theirs), "ms"))
        for clock, how, least in (("wall", "", AT_LEAST.get(layers)), ("cpu", ", by processor time", None)):
            at_least = least if update == "steps" else None
            rows.append(Benchmark(f"{name}, at the start of training: times as fast as {other}{how}",
                             ratio(theirs, start, clock), at_least=at_least))  # fmt: skip
    return rows


def idle_share(measured: Sequence[Measurement]) -> float:
    """Images after which no weight was changed, in per cent of all."""
    return 100 * sum(m.idle for m in measured) / sum(m.images for m in measured)


def check(python: str, model: DesireBackprop, start: Path, images: Path, labels: Path, scratch: Path) -> None:
    """Hold PyTorch's side against ours: same weights, same samples, nobody left out, in double precision.

    In single precision the two add up in other orders, and a potential that is all but at its threshold may fall
    on either side of it.

    Raises
    ------
    WorkerFailed
        Spikes or weights differ.
    """
    saved = scratch / "checked.npz"
    with side(python, "pytorch_desire", images, labels=labels, start=start, precision="float64", dropout=0.0,
              update="steps", threads=1, warm_up=CHECKED, save=saved):  # fmt: skip
        pass
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        everyone = dataclasses.replace(model, p_hidden=0.0)
        ours = CompiledTraining(everyone, "float64", np.load(images), Path(folder), labels=np.load(labels))
        ours.train(CHECKED)
    with np.load(saved) as theirs:
        weights = {p.name: ours.state[p.variable].reshape(p.shape) for p in anatomy.projections(model)}
        same(ours.counts, theirs["counts"], weights, [theirs[f"w_{k}"] for k in range(len(weights))])


def same(
    our_counts: NDArray[np.integer],
    their_counts: NDArray[np.floating],
    our_weights: Mapping[str, NDArray[np.floating]],
    their_weights: Sequence[NDArray[np.floating]],
) -> None:
    """Refuse a comparison of two sides that do not compute the same. Raises `WorkerFailed`."""
    if our_counts.shape != their_counts.shape or (our_counts != their_counts).any():
        raise WorkerFailed(
            "desire_backprop in PyTorch is not the same network: expected the output neurons' spikes\n"
            f"{our_counts}\nand it has\n{their_counts.astype(int)}"
        )
    for (name, ours), theirs in zip(our_weights.items(), their_weights, strict=True):
        apart = np.abs(ours - theirs).max()
        if apart > TOLERANCE:
            raise WorkerFailed(
                f"desire_backprop in PyTorch does not learn the same: after {len(our_counts)} samples weights of"
                f" {name} differ by up to {apart:.2g}; expected at most {TOLERANCE:g}"
            )
