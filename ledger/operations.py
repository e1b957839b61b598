"""Operations: what a sample costs each network, and what one costs a conventional network of its layers.

They stand in the ledgers of all papers under the item ``operations``, a row a number; ``phase`` in the setting tells
training from testing. Operations of a spiking network were counted on recorded spikes (see ``models/operations.py`` for
what is counted); those of a conventional one follow from its sizes by the columns ANN of Table 3 of Gerlinghoff et al.
Energies are estimates of arithmetic alone, by `COSTS`: memory, which costs more than arithmetic on most hardware, is
left out on both sides.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hebbarium.ledger import networks, rows
from hebbarium.ledger.networks import TrainedNetwork
from hebbarium.ledger.rows import ACCURACY, PER_CENT, Row
from hebbarium.ledger.tables import NONE_YET, line

ITEM, PHASE = "operations", "phase"
PROCESSES = ("forward", "backward", "update")
KINDS = ("multiplications", "additions", "comparisons")
TEST = "test"


@dataclass(frozen=True)
class Cost:
    """Energy of one operation in picojoules, and where the number stands."""

    picojoules: float
    source: str


_HOROWITZ = (
    "M. Horowitz, Computing's energy problem (and what we can do about it), ISSCC 2014, Fig. 1.1.9 (45 nm, 0.9 V)"
)
COSTS: Mapping[str, Cost] = {
    "multiplications": Cost(3.7, f"{_HOROWITZ}: 32-bit floating-point multiplication"),
    "additions": Cost(0.9, f"{_HOROWITZ}: 32-bit floating-point addition"),
    "comparisons": Cost(0.1, f"not stated; taken as a 32-bit integer addition, {_HOROWITZ}"),
}
"""What the estimates assume; another value is given as ``hebbarium operations RUN --cost additions=0.4``."""

Counts = Mapping[str, Mapping[str, float]]


def costs(texts: Iterable[str] = ()) -> dict[str, float]:
    """Picojoules of each kind of operation, some of them given as ``kind=number``.

    Raises
    ------
    ValueError
        There is no such kind, or no such number.

    Examples
    --------
    >>> costs(["additions=0.4"])
    {'multiplications': 3.7, 'additions': 0.4, 'comparisons': 0.1}
    """
    picojoules = {kind: cost.picojoules for kind, cost in COSTS.items()}
    for text in texts:
        kind, _, number = text.partition("=")
        try:
            value = float(number)
        except ValueError:
            value = -1.0
        if kind not in COSTS or not 0 <= value < float("inf"):
            raise ValueError(f"--cost {text}: expected one of {', '.join(COSTS)} and picojoules, as in additions=0.9")
        picojoules[kind] = value
    return picojoules


def energy(counts: Mapping[str, float], picojoules: Mapping[str, float]) -> float:
    """Nanojoules of some operations.

    >>> energy({"multiplications": 1000, "additions": 1000}, costs())
    4.6
    """
    return sum(number * picojoules[kind] for kind, number in counts.items()) / 1000


def conventional(connections: Sequence[int], learns: bool) -> dict[str, dict[str, float]]:
    """Operations of a conventional network for one sample: Gerlinghoff et al., Table 3, columns ANN.

    Parameters
    ----------
    connections : sequence of int
        Onto each of its layers, from the input on: inputs times neurons, if all are connected.
    learns : bool
        Whether it is trained by backpropagation with the sample.

    Returns
    -------
    dict
        Process to kind to number. Forward: I multiplications and I additions for each neuron of I inputs. Backward: 2 O
        multiplications for each neuron that is not an input, with O outputs. Update: two multiplications a weight.

    Examples
    --------
    >>> conventional([4 * 3, 3 * 2], learns=True)["backward"]
    {'multiplications': 12, 'additions': 0, 'comparisons': 0}
    """
    weights, back = sum(connections), 2 * sum(connections[1:])
    multiplications = {"forward": weights, "backward": back * learns, "update": 2 * weights * learns}
    return {
        process: {"multiplications": number, "additions": number * (process == "forward"), "comparisons": 0}
        for process, number in multiplications.items()
    }


@dataclass(frozen=True)
class SampleCost:
    """What a sample costs one network in one phase; all numbers are means over samples.

    Parameters
    ----------
    network : TrainedNetwork
    accuracy : float
        Per cent, of its test, on `tested` samples.
    phase : str
        ``train``, ``test`` ...
    images : int
        Samples that were measured.
    presentations : float
        How often each was shown.
    synaptic_events : float
        Events at synapses of all processes.
    spikes : mapping
        Spikes a neuron, by population.
    counts, conventional : mapping
        Operations of the network, and of a conventional one of its layers: process to kind to number.
    skipped : float, optional
        Per cent of the weights that a sample leaves alone; None where a rule has no such case.
    idle : float, optional
        Per cent of the samples that change no weight at all.
    picojoules : mapping
        By kind: what energies assume.
    """

    network: TrainedNetwork
    accuracy: float
    tested: int
    phase: str
    images: int
    presentations: float
    synaptic_events: float
    spikes: Mapping[str, float]
    counts: Counts
    conventional: Counts
    skipped: float | None
    idle: float | None
    picojoules: Mapping[str, float]

    @property
    def learns(self) -> bool:
        """Whether it is a phase of training."""
        return self.phase != TEST

    def energy(self, process: str) -> float:
        """Nanojoules of a process of the network."""
        return energy(self.counts[process], self.picojoules)

    def conventional_energy(self, process: str) -> float:
        """Nanojoules of a process of the conventional network."""
        return energy(self.conventional[process], self.picojoules)


# -- as rows ---------------------------------------------------------------------------------------------------
_PLACES = [(part, process, kind) for part in ("counts", "conventional") for process in PROCESSES for kind in KINDS
           if part == "counts" or (kind != "comparisons" and (process, kind) not in
                                   (("backward", "additions"), ("update", "additions")))]  # fmt: skip
_SPIKES, _COST = "spikes_a_neuron", "cost_of_{}"


def _name(part: str, process: str, kind: str) -> str:
    return f"{'conventional_' if part == 'conventional' else ''}{process}_{kind}"


def rows_of(cost: SampleCost) -> list[Row]:
    """A cost as rows; six digits of each number, which is more than the samples tell."""
    network = cost.network
    measures: dict[str, tuple[float | None, str]] = {
        "presentations": (cost.presentations, ""),
        "synaptic_events": (cost.synaptic_events, ""),
        "skipped": (cost.skipped, PER_CENT),
        "idle": (cost.idle, PER_CENT),
        **{_name(*place): (getattr(cost, place[0])[place[1]][place[2]], "") for place in _PLACES},
        **{_COST.format(kind): (number, "pJ") for kind, number in cost.picojoules.items()},
        "energy": (sum(map(cost.energy, PROCESSES)), "nJ"),
        "conventional_energy": (sum(map(cost.conventional_energy, PROCESSES)), "nJ"),
    }
    numbers = [("", measure, value, unit) for measure, (value, unit) in measures.items() if value is not None]
    numbers += [(population, _SPIKES, number, "") for population, number in cost.spikes.items()]
    phase = f"{PHASE}={cost.phase}"
    made = [
        network.row(ITEM, measure=ACCURACY, value=cost.accuracy, unit=PER_CENT, tested=cost.tested),
        *(
            network.row(
                ITEM, phase, readout=readout, measure=measure, value=float(f"{value:.6g}"), unit=unit,
                tested=cost.images,
            )
            for readout, measure, value, unit in numbers
        ),
    ]  # fmt: skip
    return networks.with_sizes(network, ITEM, made)


def read(folder: str | os.PathLike[str]) -> list[SampleCost]:
    """What the ledgers of a folder have of operations, in their order.

    Raises
    ------
    LedgerError
        Naming the file, and the line that cannot be read; or a number that is missing.
    """
    papers = rows.papers(folder)
    return [cost for model, given in papers.items() for cost in _costs(Path(folder) / f"{model}.csv", given)]


def append(folder: str | os.PathLike[str], sample_costs: Iterable[SampleCost]) -> list[Path]:
    """Add costs to the ledgers of their papers, or replace those of the same run and phase; returns the ledgers."""
    return networks.append(folder, ITEM, [(cost.network, rows_of(cost)) for cost in sample_costs])


def _costs(path: Path, given: Iterable[Row]) -> Iterator[SampleCost]:
    for network, mine in networks.grouped(path.stem, ITEM, given, PHASE).items():
        of_run = [row for row in mine if PHASE not in row.symbols]
        for phase in dict.fromkeys(row.symbols[PHASE] for row in mine if PHASE in row.symbols):
            of_phase = [row for row in mine if row.symbols.get(PHASE) == phase]
            try:
                yield _cost(network, phase, of_run, of_phase)
            except rows.LedgerError as error:
                raise rows.LedgerError(f"{path}, {ITEM}, {of_phase[0].setting}: {error}") from error


def _cost(network: TrainedNetwork, phase: str, of_run: Sequence[Row], of_phase: Sequence[Row]) -> SampleCost:
    numbers = {row.measure: row.value for row in of_phase if row.measure != _SPIKES}
    accuracy = [row for row in of_run if row.measure == ACCURACY]
    needed = {"presentations", "synaptic_events", *(_name(*place) for place in _PLACES), *map(_COST.format, KINDS)}
    missing = sorted(needed - numbers.keys()) + ([] if accuracy else [ACCURACY])
    if missing:
        raise rows.LedgerError(f"lacks {', '.join(missing)}; count it anew with `hebbarium operations`")

    def counts(part: str) -> dict[str, dict[str, float]]:
        return {
            process: {kind: numbers.get(_name(part, process, kind), 0.0) for kind in KINDS} for process in PROCESSES
        }

    return SampleCost(
        network=network,
        accuracy=accuracy[-1].value,
        tested=accuracy[-1].tested or 0,
        phase=phase,
        images=of_phase[-1].tested or 0,
        presentations=numbers["presentations"],
        synaptic_events=numbers["synaptic_events"],
        spikes={row.readout: row.value for row in of_phase if row.measure == _SPIKES},
        counts=counts("counts"),
        conventional=counts("conventional"),
        skipped=numbers.get("skipped"),
        idle=numbers.get("idle"),
        picojoules={kind: numbers[_COST.format(kind)] for kind in KINDS},
    )


# -- as a table ------------------------------------------------------------------------------------------------
def markdown_table(sample_costs: Iterable[SampleCost]) -> str:
    """A line for each network and phase, and what it assumes below it, in Markdown."""
    ordered = sorted(sample_costs, key=lambda cost: cost.learns)
    if not ordered:
        return NONE_YET
    heads = [
        "phase", "model", "layers", "accuracy (%)", "spikes a neuron", "synaptic events", *KINDS, "nJ",
        "conventional nJ", "weights left alone (%)", "idle samples (%)",
    ]  # fmt: skip
    lines = [heads, ["---"] * 3 + ["---:"] + ["---"] + ["---:"] * (len(heads) - 5)]
    for cost in ordered:
        totals = [sum(cost.counts[process][kind] for process in PROCESSES) for kind in KINDS]
        spikes = ", ".join(f"{name.replace('_', ' ')} {number:.2g}" for name, number in cost.spikes.items())
        lines.append([
            cost.phase.replace("_", " "), cost.network.model, cost.network.layers, f"{cost.accuracy:.2f}", spikes,
            f"{cost.synaptic_events:,.0f}", *(f"{total:,.0f}" for total in totals),
            _by_process([cost.energy(process) for process in PROCESSES], cost.learns),
            _by_process([cost.conventional_energy(process) for process in PROCESSES], cost.learns),
            *("" if share is None else f"{share:.1f}" for share in (cost.skipped, cost.idle)),
        ])  # fmt: skip
    first = ordered[0]
    assumed = ", ".join(f"{kind} {number:g}" for kind, number in first.picojoules.items())
    caption = (
        f"Each number is a sample's mean over {_all(str(cost.images) for cost in ordered)} images, after training on "
        f"{_all(f'{cost.network.trained:,}' for cost in ordered)}. Estimated energy: in total, in training (forward / "
        f"backward / update), at {assumed} pJ, memory not counted."
    )
    return "\n".join([*map(line, lines), "", caption])


def _all(texts: Iterable[str]) -> str:
    return " or ".join(dict.fromkeys(texts))


def _by_process(energies: Sequence[float], learns: bool) -> str:
    parts = " / ".join(f"{part:,.0f}" for part in energies)
    return f"{sum(energies):,.0f} ({parts})" if learns else f"{sum(energies):,.0f}"
