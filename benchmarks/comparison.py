"""The measurements: sides taking turns, our set-up, memory and growth."""

from __future__ import annotations

import os
import shutil
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.rows import Row, exponent
from benchmarks.worker import Measurement, Worker

BINDSNET_PYTHON = "HEBBARIUM_BINDSNET_PYTHON"
NEURONS = 400
SIZES = (100, 400, 1600, 6400)
OURS = {"float32": "hebbarium, float32", "float64": "hebbarium, float64"}
USUAL = "usual Brian2 loop"
BY_HAND = "C++ by hand, float32"
SET_UP_BLOCK = 1000  # images

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Parameters
    ----------
    rounds : int
        Times that every side has its turn; what is reported is the median.
    ours, usual, bindsnet : int
        Images of a turn.
    warm_up, other_warm_up : int
        Images before the first turn, of our side and of the others. The usual Brian2 loop goes on from where
        our side's warm-up ends.
    sizes : dict of int
        Images of a turn by number of neurons, for the growth of cost.
    grow_after : int
        Images before the first of those turns.
    """

    rounds: int
    ours: int
    usual: int
    bindsnet: int
    warm_up: int
    other_warm_up: int
    sizes: Mapping[int, int]
    grow_after: int


FULL = Plan(5, SET_UP_BLOCK, 30, 64, 2000, 5, {100: 500, 400: 500, 1600: 200, 6400: 60}, 200)
QUICK = Plan(2, SET_UP_BLOCK, 5, 32, 1000, 2, {100: 100, 400: 100, 1600: 40, 6400: 10}, 20)


@dataclass
class Outcome:
    """Rows in the order they are shown in, and what the figure needs."""

    rows: list[Row] = field(default_factory=list)
    sides: dict[str, float] = field(default_factory=dict)
    sizes: dict[int, float] = field(default_factory=dict)
    power: float | None = None


def take_turns(
    workers: Mapping[str, Worker], images: Mapping[str, int], rounds: int, say: Say
) -> dict[str, list[Measurement]]:
    """Every side once in each round, so that a slow minute of the machine hits all of them."""
    measured: dict[str, list[Measurement]] = {name: [] for name in workers}
    for k in range(rounds):
        for name, worker in workers.items():
            measured[name].append(worker.ask(images[name]))
        say(f"round {k + 1} of {rounds}")
    return measured


def milliseconds(measured: Sequence[Measurement]) -> float:
    """Median time of an image by the clock."""
    return 1e3 * statistics.median(m.wall / m.images for m in measured)


def ratio(slow: Sequence[Measurement], fast: Sequence[Measurement], clock: str = "wall") -> float:
    """Median over rounds of how many times as fast one side is as another in the same round."""
    pairs = zip(slow, fast, strict=True)
    return statistics.median(
        (getattr(s, clock) / s.images) / (getattr(f, clock) / f.images) for s, f in pairs
    )


def set_up_share(measured: Sequence[Measurement]) -> float:
    """Median share of a block that is not spent in the program's main loop, in per cent."""
    return 100 * statistics.median(1 - m.run / m.wall for m in measured)


def side(python: str, module: str, images: Path, **options: object) -> Worker:
    """Start a side: a module of this package under an interpreter; options as the module has them.

    Those that are None are left out; those that are True have no value.
    """
    command = [python, "-m", f"benchmarks.{module}", "--images", str(images)]
    for name, value in options.items():
        if value is not None and value is not False:
            command += [f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])]
    return Worker(command)


def compare(plan: Plan, images: Path, scratch: Path, only: set[str], say: Say) -> Outcome:
    """Our side, the usual Brian2 loop and BindsNET in turns, at N = 400.

    Parameters
    ----------
    images : Path
        ``.npy`` file of the images all sides see.
    only : set of str
        Others than ours to measure: ``brian2``, ``bindsnet``, ``by-hand``; ``set-up`` needs only ours.
    """
    found = Outcome()
    with ExitStack() as stack:
        workers: dict[str, Worker] = {}
        turns: dict[str, int] = {}

        def add(name: str, images_a_turn: int, worker: Worker) -> None:
            workers[name] = stack.enter_context(worker)
            turns[name] = images_a_turn
            say(f"{name}: ready ({', '.join(f'{k} {v}' for k, v in worker.description.items())})")

        start, python = scratch / "start.npz", sys.executable
        for precision, name in OURS.items():
            worker = side(python, "compiled", images, neurons=NEURONS, precision=precision,
                          warm_up=plan.warm_up, save=start)
            add(name, plan.ours, worker)
        if "brian2" in only:
            worker = side(python, "usual_brian2", images, neurons=NEURONS, start=start,
                          warm_up=plan.other_warm_up)
            add(USUAL, plan.usual, worker)
        if "by-hand" in only:
            worker = side(python, "by_hand", images, neurons=NEURONS, warm_up=plan.warm_up)
            add(BY_HAND, 3 * plan.ours, worker)
        rivals = _bindsnet(plan, images, add, say) if "bindsnet" in only else []
        measured = take_turns(workers, turns, plan.rounds, say)

    for name, turns_taken in measured.items():
        found.sides[name] = milliseconds(turns_taken)
        found.rows.append(Row(f"{name}, N=400: an image", found.sides[name], "ms"))
        spikes = sum(m.spikes for m in turns_taken) / sum(m.images for m in turns_taken)
        found.rows.append(Row(f"{name}, N=400: excitatory spikes an image", spikes))
    others = [(USUAL, 50.0)] * (USUAL in measured) + [(r, 20.0 if "batch 1," in r else None) for r in rivals]
    for other, least in others:
        for name in OURS.values():
            found.rows.append(
                Row(f"{name}: times as fast as {other}", ratio(measured[other], measured[name]), "", least)
            )
            processor = ratio(measured[other], measured[name], "cpu")
            found.rows.append(Row(f"{name}: times as fast as {other}, by processor time", processor))
    if BY_HAND in measured:
        ours = OURS["float32"]
        slower = ratio(measured[ours], measured[BY_HAND])
        found.rows.append(Row(f"{BY_HAND}: times as fast as {ours}", slower))
    for name in OURS.values():
        share = set_up_share(measured[name])
        found.rows.append(
            Row(f"{name}, N=400: set-up of a block of {SET_UP_BLOCK} images", share, "%", below=10)
        )
    return found


def _bindsnet(plan: Plan, images: Path, add: Callable[[str, int, Worker], None], say: Say) -> list[str]:
    """Start BindsNET's sides; returns their names."""
    python = os.environ.get(BINDSNET_PYTHON)
    if not python:
        say(f"BindsNET IS LEFT OUT: to have its rows, set {BINDSNET_PYTHON} to a Python 3.11 to 3.13 "
            "in which 'pip install bindsnet==0.3.4' was done")
        return []
    if not shutil.which(python):
        raise FileNotFoundError(f"{BINDSNET_PYTHON}={python}: expected a Python that has bindsnet")
    names = []
    for batch in (1, 32):
        for threads in (1, None):
            worker = side(python, "bindsnet_diehl_cook", images, neurons=NEURONS, batch=batch,
                          threads=threads, warm_up=batch * plan.other_warm_up)
            name = f"BindsNET {worker.description['bindsnet']}, batch {batch}, "
            name += "1 thread" if threads else f"default threads ({worker.description['threads']})"
            add(name, max(plan.bindsnet, batch), worker)
            names.append(name)
    return names


def grow(plan: Plan, images: Path, only: set[str], say: Say) -> Outcome:
    """Cost of an image by the size of the network, and memory at the largest size."""
    found = Outcome()
    sizes = SIZES if "scaling" in only else SIZES[-1:]
    with ExitStack() as stack:
        workers: dict[str, Worker] = {}
        for n in sizes:
            watch = n == sizes[-1] and "memory" in only
            worker = side(sys.executable, "compiled", images, neurons=n, precision="float32",
                          warm_up=plan.grow_after, watch_memory=watch)
            workers[str(n)] = stack.enter_context(worker)
            say(f"N = {n}: ready")
        turns = {str(n): plan.sizes[n] for n in sizes}
        measured = take_turns(workers, turns, plan.rounds, say)
    if "scaling" in only:
        for n in sizes:
            # the main loop alone: set-up does not depend on how many images a short block has
            found.sizes[n] = 1e3 * statistics.median(m.run / m.images for m in measured[str(n)])
            found.rows.append(
                Row(f"{OURS['float32']}, N={n}: an image in the main loop", found.sizes[n], "ms")
            )
        found.power = exponent(list(found.sizes), list(found.sizes.values()))
        name = f"{OURS['float32']}: exponent of the cost of an image, N={sizes[0]} to {sizes[-1]}"
        found.rows.append(Row(name, found.power))
    if "memory" in only:
        largest = max(m.memory for m in measured[str(sizes[-1])])
        name = f"{OURS['float32']}, N={sizes[-1]}: peak memory of the program"
        found.rows.append(Row(name, largest / 1e9, "GB", below=1.5))
    return found
