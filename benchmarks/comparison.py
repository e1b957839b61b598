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

import numpy as np
from brian2 import ms, mV
from numpy.typing import NDArray

from benchmarks.handed_over import HandedOver
from benchmarks.rows import Benchmark, exponent
from benchmarks.worker import Measurement, Worker, WorkerFailed
from hebbarium.models.synaptic_scaling import SynapticScaling
from hebbarium.training.run_settings import RunSettings

BINDSNET_PYTHON = "HEBBARIUM_BINDSNET_PYTHON"
PEERS = {
    "annarchy": ("ANNarchy", "HEBBARIUM_ANNARCHY_PYTHON", "ANNarchy==5.0.4.1", "annarchy_winner_take_all"),
    "nest": ("NEST", "HEBBARIUM_NEST_PYTHON", "nest-simulator==3.10.0", "nest_winner_take_all"),
}
"""Simulators that get our network: name, variable that names its interpreter, what is installed there, module."""
NEURONS = 400
SIZES = (100, 400, 1600, 6400)
OURS = {"float32": "hebbarium, float32", "float64": "hebbarium, float64"}
USUAL = "usual Brian2 loop"
STOCK = "the same on Brian2's own C++ standalone, float32"
BY_HAND = "C++ by hand, float32"
BLOCK = RunSettings().block
"""Images of a turn on our side: the default of a run."""
MOST_BY_HAND = {100: 1.4, 400: 1.2, 1600: 1.1, 6400: 1.1}
"""How many times as long as by hand an image may take, by size."""

SPECIMENS = ("synaptic_scaling", "symmetric_stdp", "diehl_cook", "desire_backprop")
PRINTED_EPOCHS = {1600: 7, 6400: 10, 10000: 20}
"""Passes through the training images of the larger networks of Hao et al., Section 3."""
AT_MOST = {"symmetric_stdp": 0.9, "desire_backprop": 2.0}
"""Milliseconds an image may take; with rest=jump."""

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


FULL = Plan(5, BLOCK, 30, 64, 2000, 5, dict.fromkeys(SIZES, BLOCK), 500)
QUICK = Plan(2, BLOCK, 5, 32, 1000, 2, {100: BLOCK, 400: BLOCK, 1600: 100, 6400: 20}, 100)


@dataclass
class Outcome:
    """Rows in the order they are shown in, and what the figure needs."""

    rows: list[Benchmark] = field(default_factory=list)
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


def refuse_other_gradients(
    model: str, ours: Mapping[str, NDArray[np.floating]], theirs: Sequence[NDArray[np.floating]], tolerance: float
) -> None:
    """Refuse a comparison of two sides that do not compute the same.

    Parameters
    ----------
    ours : dict
        Gradients by the weights that they belong to, as a message says it: ``of to_output``.
    theirs : sequence
        The same, in the same order.
    tolerance : float
        By how much they may differ, in parts of the largest.

    Raises
    ------
    WorkerFailed
        They differ by more, or are no numbers.
    """
    for (weights, gradient), other in zip(ours.items(), theirs, strict=True):
        apart, largest = np.abs(gradient - other).max(), np.abs(gradient).max()
        if not apart <= tolerance * largest:
            raise WorkerFailed(
                f"{model} in PyTorch does not have the same gradient: of weights {weights} it differs by up to"
                f" {apart:.2g}; expected at most {tolerance:g} of the largest, which is {largest:.2g}"
            )


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

    Those that are None are left out; those that are True have no value; lists are given once an item.
    """
    command = [python, "-m", f"benchmarks.{module}", "--images", str(images)]
    for name, values in options.items():
        for value in values if isinstance(values, list) else [values]:
            if value is not None and value is not False:
                command += [f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])]
    return Worker(command)


def compare(plan: Plan, images: Path, scratch: Path, only: set[str], say: Say) -> Outcome:
    """Our side and others in turns, at N = 400.

    Parameters
    ----------
    images : Path
        ``.npy`` file of the images all sides see.
    only : set of str
        Others than ours to measure: ``brian2``, ``bindsnet``, ``stock`` and those of `PEERS`; ``set-up`` needs only
        ours.
    """
    outcome = Outcome()
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
        if "stock" in only:
            worker = side(python, "compiled", images, neurons=NEURONS, precision="float32", device="cpp",
                          warm_up=plan.other_warm_up)
            add(STOCK, plan.ours // 2, worker)
        if "brian2" in only:
            worker = side(python, "usual_brian2", images, neurons=NEURONS, start=start,
                          warm_up=plan.other_warm_up)
            add(USUAL, plan.usual, worker)
        rivals = _bindsnet(plan, images, add, say) if "bindsnet" in only else []
        peers = [_peer(PEERS[part], plan, images, start, add, say) for part in PEERS if part in only]
        measured = take_turns(workers, turns, plan.rounds, say)

    for name, turns_taken in measured.items():
        outcome.sides[name] = milliseconds(turns_taken)
        outcome.rows.append(Benchmark(f"{name}, N=400: an image", outcome.sides[name], "ms"))
        spikes = sum(m.spikes for m in turns_taken) / sum(m.images for m in turns_taken)
        outcome.rows.append(Benchmark(f"{name}, N=400: excitatory spikes an image", spikes))
    others: list[tuple[str, float | None]] = [(USUAL, 300.0)] * (USUAL in measured)
    others += [(STOCK, None)] * (STOCK in measured)
    others += [(r, 120.0 if "batch 1," in r else 20.0) for r in rivals]
    others += [(peer, None) for peer in peers if peer]
    for other, least in others:
        for name in OURS.values():
            outcome.rows.append(
                Benchmark(f"{name}: times as fast as {other}", ratio(measured[other], measured[name]), "", least)
            )
            processor = ratio(measured[other], measured[name], "cpu")
            outcome.rows.append(Benchmark(f"{name}: times as fast as {other}, by processor time", processor))
    for peer in filter(None, peers):
        alone = 1e3 * statistics.median(m.run / m.images for m in measured[peer])
        outcome.rows.append(Benchmark(f"{peer}, N={NEURONS}: an image in simulation alone", alone, "ms"))
    double = ratio(measured[OURS["float64"]], measured[OURS["float32"]])
    name = f"{OURS['float64']}: times as long as {OURS['float32']}, N={NEURONS}"
    outcome.rows.append(Benchmark(name, double, below=2.2))
    for name in OURS.values():
        share = set_up_share(measured[name])
        outcome.rows.append(
            Benchmark(f"{name}, N=400: set-up of a block of {BLOCK} images", share, "%", below=10)
        )
    return outcome


def handed_over(images: NDArray[np.uint8], start: Mapping[str, NDArray[np.floating]], neurons: int) -> HandedOver:
    """Our network, as our side has it after its warm-up, for a simulator in another interpreter.

    Parameters
    ----------
    images : (images, pixels)
    start : mapping
        ``plastic.w`` and ``excitatory.theta``.
    """
    model = SynapticScaling(neurons=neurons)
    rivals = max(neurons - 1, 1)
    values = {symbol: float(getattr(model, symbol)) for symbol in ("a_plus", "a_minus", "w_min", "w_max", "w_t")}
    values |= {symbol: float(getattr(model, symbol) / ms) for symbol in _TIMES}
    values |= {symbol: float(getattr(model, symbol) / mV) for symbol in _POTENTIALS}
    values |= {
        "to_exc": float(model.gain / model.tau_s),
        "to_inh": float(model.w_ei / model.tau_s),
        "from_inh": float(model.w_ie / model.tau_s) / rivals,
    }
    w = np.reshape(start["plastic.w"], (model.pixels, neurons)).astype(float)
    return HandedOver(model.encode(images)["rates"], w, 1e3 * start["excitatory.theta"].astype(float), values)


_TIMES = ("dt", "t_train", "t_ref_exc", "t_ref_inh", "tau_m_exc", "tau_m_inh", "tau_theta", "tau_s", "tau_p")
_POTENTIALS = ("v_thresh", "e_l", "v_reset", "theta_plus", "e_exc", "e_inh")


def _peer(
    peer: tuple[str, str, str, str], plan: Plan, images: Path, start: Path, add: Callable[[str, int, Worker], None],
    say: Say,
) -> str | None:
    """Start another simulator's side; returns its name, or None if nobody says which interpreter has it."""
    called, variable, package, module = peer
    if (python := _python(called, variable, package, say)) is None:
        return None
    network = start.with_name(f"{module}.npz")
    with np.load(start) as state:
        handed_over(np.load(images), dict(state), NEURONS).write(network)
    worker = side(python, module, network, warm_up=plan.other_warm_up)
    name = f"{called} {next(iter(worker.description.values()))}, 1 thread"
    add(name, plan.usual, worker)
    return name


def _python(called: str, variable: str, package: str, say: Say) -> str | None:
    """The interpreter that a variable of the environment names; None, and a word about it, if there is none.

    Raises
    ------
    FileNotFoundError
        It names none that is there.
    """
    python = os.environ.get(variable)
    if not python:
        say(f"{called} IS LEFT OUT: to have its rows, set {variable} to a Python 3.11 to 3.13 in which "
            f"'pip install {package}' was done")
        return None
    if not shutil.which(python):
        raise FileNotFoundError(f"{variable}={python}: expected a Python that has {package}")
    return python


def _bindsnet(plan: Plan, images: Path, add: Callable[[str, int, Worker], None], say: Say) -> list[str]:
    """Start BindsNET's sides; returns their names."""
    if (python := _python("BindsNET", BINDSNET_PYTHON, "bindsnet==0.3.4", say)) is None:
        return []
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
    """Cost of an image by the size of the network, ours beside the same by hand; memory at the largest size."""
    outcome = Outcome()
    sizes = SIZES if only & {"scaling", "by-hand"} else SIZES[-1:]
    with ExitStack() as stack:
        workers: dict[str, Worker] = {}
        turns: dict[str, int] = {}
        for n in sizes:
            watch = n == sizes[-1] and "memory" in only
            ours = side(sys.executable, "compiled", images, neurons=n, precision="float32",
                        warm_up=plan.grow_after, watch_memory=watch)
            workers[str(n)], turns[str(n)] = stack.enter_context(ours), plan.sizes[n]
            if "by-hand" in only:
                hand = side(sys.executable, "by_hand", images, neurons=n, warm_up=plan.grow_after)
                workers[f"{n} by hand"], turns[f"{n} by hand"] = stack.enter_context(hand), plan.sizes[n]
                rows = side(sys.executable, "by_hand", images, neurons=n, warm_up=plan.grow_after, all_rows=True)
                workers[f"{n} all rows"], turns[f"{n} all rows"] = stack.enter_context(rows), plan.sizes[n]
            say(f"N = {n}: ready")
        measured = take_turns(workers, turns, plan.rounds, say)
    for n in sizes if "by-hand" in only else ():
        ours_there, by_hand = measured[str(n)], measured[f"{n} by hand"]
        outcome.rows.append(Benchmark(f"{BY_HAND}, N={n}: an image", milliseconds(by_hand), "ms"))
        name = f"{OURS['float32']}, N={n}: an image, blocks of {turns[str(n)]}"
        outcome.rows.append(Benchmark(name, milliseconds(ours_there), "ms"))
        slower = ratio(ours_there, by_hand)
        name = f"{OURS['float32']}, N={n}: times as long as {BY_HAND}"
        outcome.rows.append(Benchmark(name, slower, below=MOST_BY_HAND[n]))
        pairs = zip(ours_there, by_hand, strict=True)
        loop = statistics.median((o.run / o.images) / (h.wall / h.images) for o, h in pairs)
        outcome.rows.append(Benchmark(f"{name}, the main loop alone", loop))
        like = ratio(ours_there, measured[f"{n} all rows"])
        outcome.rows.append(Benchmark(f"{name} that visits silent pixels as well", like))
        if n == NEURONS:
            outcome.sides[BY_HAND] = milliseconds(by_hand)
    if "set-up" in only and "100" in measured:
        share = set_up_share(measured["100"])
        name = f"{OURS['float32']}, N=100: set-up of a block of {turns['100']} images"
        outcome.rows.append(Benchmark(name, share, "%", below=20))
    if "scaling" in only:
        for n in sizes:
            # the main loop alone: set-up does not depend on how many images a short block has
            outcome.sizes[n] = 1e3 * statistics.median(m.run / m.images for m in measured[str(n)])
            outcome.rows.append(
                Benchmark(f"{OURS['float32']}, N={n}: an image in the main loop", outcome.sizes[n], "ms")
            )
        outcome.power = exponent(list(outcome.sizes), list(outcome.sizes.values()))
        name = f"{OURS['float32']}: exponent of the cost of an image, N={sizes[0]} to {sizes[-1]}"
        outcome.rows.append(Benchmark(name, outcome.power))
    if "memory" in only:
        largest = max(m.memory for m in measured[str(sizes[-1])])
        name = f"{OURS['float32']}, N={sizes[-1]}: peak memory of the program"
        outcome.rows.append(Benchmark(name, largest / 1e9, "GB", below=0.5))
    return outcome


def specimens(plan: Plan, images: Path, scratch: Path, say: Say) -> list[Benchmark]:
    """Every model, dense and on Brian2's own standalone; the usual Brian2 loop of the network of Hao et al."""
    sides: dict[tuple[str, str], dict[str, str]] = {
        (name, device): {"model": name, "device": device} for name in SPECIMENS for device in ("dense", "cpp")
    }
    for device in ("dense", "cpp"):
        sides["symmetric_stdp", device]["set"] = "rest=jump"
        sides["desire_backprop", device]["set"] = "layers=1600,800"
    sides["symmetric_stdp", "full"] = {"model": "symmetric_stdp", "set": "rest=full"}
    sides["desire_backprop", "small"] = {"model": "desire_backprop", "set": "layers=200,100"}
    rows: list[Benchmark] = []
    with ExitStack() as stack:
        workers: dict[str, Worker] = {}
        turns: dict[str, int] = {}
        for (name, device), options in sides.items():
            start = scratch / "symmetric.npz" if (name, device) == ("symmetric_stdp", "full") else None
            neurons = None if name == "desire_backprop" else NEURONS
            worker = side(sys.executable, "compiled", images, neurons=neurons, precision="float32",
                          warm_up=plan.grow_after, save=start, **options)
            workers[f"{name} {device}"], turns[f"{name} {device}"] = stack.enter_context(worker), plan.sizes[NEURONS]
        loop = side(sys.executable, "usual_symmetric", images, neurons=NEURONS, start=scratch / "symmetric.npz",
                    warm_up=plan.other_warm_up)
        workers["loop"], turns["loop"] = stack.enter_context(loop), plan.usual
        say("every model: ready")
        measured = take_turns(workers, turns, plan.rounds, say)
    for name in SPECIMENS:
        dense, stock = measured[f"{name} dense"], measured[f"{name} cpp"]
        size = "1600-800" if name == "desire_backprop" else f"N={NEURONS}"
        most = AT_MOST.get(name)
        rows.append(Benchmark(f"{name}, {size}, float32: an image", milliseconds(dense), "ms", below=most))
        rows.append(Benchmark(f"{name}, {size}, float32, stock C++ standalone: an image", milliseconds(stock), "ms"))
        rows.append(Benchmark(f"{name}, {size}: times as fast as on stock C++ standalone", ratio(stock, dense)))
    small = measured["desire_backprop small"]
    rows.append(Benchmark("desire_backprop, 200-100, float32: an image", milliseconds(small), "ms", below=0.15))
    full = measured["symmetric_stdp full"]
    name = f"symmetric_stdp, N={NEURONS}, float32, rest=full"
    rows.append(Benchmark(f"{name}: an image, 1,000 steps simulated", milliseconds(full), "ms", below=1.8))
    name = f"usual Brian2 loop of symmetric_stdp, N={NEURONS}: an image"
    rows.append(Benchmark(name, milliseconds(measured["loop"]), "ms"))
    for what, times in (("rest=jump", measured["symmetric_stdp dense"]), ("rest=full", full)):
        name = f"symmetric_stdp, {what}: times as fast as the usual Brian2 loop"
        rows.append(Benchmark(name, ratio(measured["loop"], times), "", 100.0))
    return rows


def projected(plan: Plan, images: Path, say: Say) -> list[Benchmark]:
    """What the paper's runs of the network of Hao et al. would take at its larger sizes, from a few images each."""
    rows: list[Benchmark] = []
    for n, epochs in PRINTED_EPOCHS.items():
        options = {"model": "symmetric_stdp", "neurons": n, "precision": "float32", "set": "rest=jump"}
        with side(sys.executable, "compiled", images, warm_up=plan.usual, watch_memory=True, **options) as worker:
            measured = worker.ask(plan.usual)
        name = f"symmetric_stdp, N={n}, float32, rest=jump"
        milliseconds_each = 1e3 * measured.run / measured.images
        rows.append(Benchmark(f"{name}: an image in the main loop", milliseconds_each, "ms"))
        rows.append(Benchmark(f"{name}: peak memory of the program", measured.memory / 1e9, "GB"))
        hours = milliseconds_each * 60_000 * epochs / 3.6e6
        rows.append(Benchmark(f"{name}: projected for {epochs} passes through 60,000 images", hours, "h"))
        say(f"symmetric_stdp, N = {n}: measured")
    return rows


def build_time(images: Path, scratch: Path, say: Say) -> list[Benchmark]:
    """How long it takes to make a program with an empty cache."""
    worker = side(sys.executable, "compiled", images, neurons=NEURONS, precision="float32", warm_up=0)
    with worker:  # once, so that compiler and headers are in memory
        pass
    seconds = []
    for k in range(3):
        cache = {"HEBBARIUM_CACHE": str(scratch / f"cache-{k}")}
        command = [*worker.command]
        with Worker(command, cache) as again:
            seconds.append(float(again.description["building_s"]))
    say(f"built in {', '.join(f'{s:.1f} s' for s in seconds)}")
    name = f"{OURS['float32']}, N={NEURONS}: generating and compiling"
    return [Benchmark(name, statistics.median(seconds), "s", below=6)]
