"""What a sample of desire backpropagation costs by the size of its hidden layer: Fig. 9 of Gerlinghoff et al.

Time comes from the program's own measurement of its operations; the paper took it on a GPU, with operations that cost
the same whatever desires there are. Ours pass over neurons without one. How many have one depends on the size: pulls on
hidden neurons, at first, are as large as the output weights, whose spread falls with the root of the size, while
`theta_hid` stays: from some 10,000 neurons on none has a desire. Hence two conditions: as it comes, and with as much to
do for each neuron whatever their number.
"""

from __future__ import annotations

import re
import statistics
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.comparison import Say, side, take_turns
from benchmarks.rows import Benchmark, exponent
from benchmarks.worker import Measurement, Worker

COMES, ALL = "as it comes", "all that fire have desires"
CONDITIONS: dict[str, list[str]] = {COMES: [], ALL: ["theta_hid=0", "eta=1e-12"]}
"""What is set: any pull is a desire, and changes are computed, but too small to change how samples are answered."""

PROCESSES = ("forward pass", "backward pass", "weight update")
FORWARD, BACKWARD, UPDATE = PROCESSES
UPPER = 3000
"""Sizes from here on are fitted separately as well: what a step costs whatever the size is little beside them."""

MEMORY_IMAGES = 500
"""Samples of the turn in which memory is noted: as many for all sizes, since a program holds its block's images, and
enough that the fastest is there for long enough to be looked at."""

# Traces that the update needs are read from spike trains where trains are read: of hidden neurons in the operation that
# finds their desires, of inputs in one of their own. Which neurons can change a weight is asked for the update's sake.
_OPERATIONS = (
    (UPDATE, r".+_update|.+_eligible_(thresholder|resetter)"),
    (BACKWARD, r".+_(settle|desires|asks)_(thresholder|resetter)|.+_backward|tally_.+|count_.+"),
    (FORWARD, r".+_(begin|spike)_(thresholder|resetter)|.+_run_regularly|.+_transmit|.+_spikes"),
)


@dataclass(frozen=True)
class Amounts:
    """How much is measured: rounds, samples of a turn by number of hidden neurons, samples before the first turn."""

    rounds: int
    sizes: Mapping[int, int]
    warm_up: int


# the more neurons the fewer samples
FULL = Amounts(5, {100: 1000, 300: 1000, 1000: 500, 3000: 200, 10_000: 60, 30_000: 20}, 20)
QUICK = Amounts(2, {100: 1000, 1000: 200, 10_000: 20}, 5)


@dataclass
class Growth:
    """What was measured, by number of hidden neurons: what the figure needs.

    Parameters
    ----------
    seconds : dict
        Process to seconds of a sample by size.
    loop : dict
        Seconds of a sample in the program's main loop by size: all processes and what is between operations.
    memory : dict
        Peak memory of the program in bytes by size.
    """

    seconds: dict[str, dict[int, float]] = field(default_factory=dict)
    loop: dict[int, float] = field(default_factory=dict)
    memory: dict[int, float] = field(default_factory=dict)


def process_of(operation: str) -> str:
    """Which of `PROCESSES` an operation of the compiled program belongs to.

    Raises
    ------
    ValueError
        It has an unknown name: the model has changed.
    """
    for process, names in _OPERATIONS:
        if re.fullmatch(names, operation):
            return process
    raise ValueError(f"operation {operation}: expected one of desire_backprop; say in {__name__} what it belongs to")


def seconds_by_process(measured: Measurement) -> dict[str, float]:
    """Seconds of a sample by process."""
    seconds_by_process = dict.fromkeys(PROCESSES, 0.0)
    for operation, seconds in measured.profile.items():
        seconds_by_process[process_of(operation)] += seconds / measured.images
    return seconds_by_process


def growth(measured: Mapping[int, Sequence[Measurement]], memory: Mapping[int, int]) -> Growth:
    """Medians over rounds, by size, beside the peak memory in bytes."""
    growth = Growth({process: {} for process in PROCESSES})
    for size, turns in measured.items():
        shares = [seconds_by_process(turn) for turn in turns]
        for process in PROCESSES:
            growth.seconds[process][size] = statistics.median(share[process] for share in shares)
        growth.loop[size] = statistics.median(turn.run / turn.images for turn in turns)
        growth.memory[size] = float(memory[size])
    return growth


def rows_of(full: Growth, comes: Growth) -> list[Benchmark]:
    """Costs by size, the powers with which they grow, and how the processes compare.

    Parameters
    ----------
    full, comes : Growth
        Under the conditions `ALL` and `COMES`; of the second only what differs: the update, and so the whole.
    """
    rows: list[Benchmark] = []
    sizes = list(full.loop)
    for size in sizes:
        name = f"desire_backprop, 784-{size}-10, float32, {ALL}"
        for process in PROCESSES:
            rows.append(Benchmark(f"{name}: {process} of an image", 1e3 * full.seconds[process][size], "ms"))
        rows.append(Benchmark(f"{name}: an image in the main loop, measured", 1e3 * full.loop[size], "ms"))
        rows.append(Benchmark(f"{name}: peak memory of the program", full.memory[size] / 1e6, "MB"))
        name = f"desire_backprop, 784-{size}-10, float32, {COMES}"
        rows.append(Benchmark(f"{name}: {UPDATE} of an image", 1e3 * comes.seconds[UPDATE][size], "ms"))
        rows.append(Benchmark(f"{name}: an image in the main loop, measured", 1e3 * comes.loop[size], "ms"))
    name = f"desire_backprop, 784-H-10, float32, {ALL}"
    upper = [size for size in sizes if size >= UPPER]
    beyond = f"peak memory beyond that of H={sizes[0]}"
    for what, costs, fitted in (
        *((process, full.seconds[process], (sizes, upper)) for process in PROCESSES),
        ("main loop", full.loop, (sizes, upper)),
        ("peak memory", full.memory, (sizes, upper)),
        # what every program needs hides the growth
        (beyond, {size: full.memory[size] - full.memory[sizes[0]] for size in sizes}, (upper,)),
    ):
        for chosen in fitted:
            if len(chosen) > 1:
                power = exponent(chosen, [costs[size] for size in chosen])
                rows.append(Benchmark(f"{name}: exponent of {what}, H={chosen[0]} to {chosen[-1]}", power))
    for other in (BACKWARD, UPDATE):
        times = {size: full.seconds[FORWARD][size] / full.seconds[other][size] for size in sizes}
        rows.append(Benchmark(f"{name}: {FORWARD} takes times as long as {other}, median of sizes",
                        statistics.median(times.values())))  # fmt: skip
        rows.append(Benchmark(f"{name}: {FORWARD} takes times as long as {other}, H={sizes[-1]}", times[sizes[-1]]))
    return rows


def measure_growth(amounts: Amounts, images: Path, labels: Path, say: Say) -> dict[str, Growth]:
    """Programs of all sizes in turns, under each condition; ``images`` and ``labels`` are ``.npy`` files."""
    with ExitStack() as stack:
        workers: dict[str, Worker] = {}
        turns: dict[str, int] = {}
        for size, count in amounts.sizes.items():
            for condition, changes in CONDITIONS.items():
                worker = side(sys.executable, "compiled", images, labels=labels, model="desire_backprop",
                              set=[f"layers={size}", *changes], precision="float32", warm_up=amounts.warm_up,
                              profile=True, watch_memory=True)  # fmt: skip
                name = f"{size} {condition}"
                workers[name], turns[name] = stack.enter_context(worker), count
            say(f"784-{size}-10: ready")
        measured = take_turns(workers, turns, amounts.rounds, say)
        memory = {name: worker.ask(MEMORY_IMAGES).memory for name, worker in workers.items()}
    return {
        condition: growth(
            {size: measured[f"{size} {condition}"] for size in amounts.sizes},
            {size: memory[f"{size} {condition}"] for size in amounts.sizes},
        )
        for condition in CONDITIONS
    }
