"""The ledger of operations: what a sample costs each network, and what one costs a conventional network of its layers.

``results/operations.csv`` has a row for each run and phase. Operations of a spiking network were counted on recorded
spikes (see ``models/operations.py`` for what is counted); those of a conventional one follow from its sizes by the
columns ANN of Table 3 of Gerlinghoff et al. Energies are estimates of arithmetic alone, by `COSTS`: memory, which costs
more than arithmetic on most hardware, is left out on both sides.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hebbarium.ledger import ledger

LEDGER = "operations.csv"
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
    found = {kind: cost.picojoules for kind, cost in COSTS.items()}
    for text in texts:
        kind, _, number = text.partition("=")
        try:
            value = float(number)
        except ValueError:
            value = -1.0
        if kind not in COSTS or not 0 <= value < float("inf"):
            raise ValueError(f"--cost {text}: expected one of {', '.join(COSTS)} and picojoules, as in additions=0.9")
        found[kind] = value
    return found


def energy(counts: Mapping[str, float], picojoules: Mapping[str, float]) -> float:
    """Nanojoules of some operations.

    >>> energy({"multiplications": 1000, "additions": 1000}, costs())
    4.6
    """
    return sum(number * picojoules[kind] for kind, number in counts.items()) / 1000


def conventional(shapes: Sequence[tuple[int, int]], learns: bool) -> dict[str, dict[str, float]]:
    """Operations of a conventional network for one sample: Gerlinghoff et al., Table 3, columns ANN.

    Parameters
    ----------
    shapes : sequence of (inputs, neurons)
        Of its layers, from the input on.
    learns : bool
        Whether it is trained by backpropagation with the sample.

    Returns
    -------
    dict
        Process to kind to number. Forward: I multiplications and I additions for each neuron of I inputs. Backward: 2 O
        multiplications for each neuron that is not an input, with O outputs. Update: two multiplications a weight.

    Examples
    --------
    >>> conventional([(4, 3), (3, 2)], learns=True)["backward"]
    {'multiplications': 12, 'additions': 0, 'comparisons': 0}
    """
    weights = sum(i * n for i, n in shapes)
    back = sum(2 * i * n for i, n in shapes[1:])
    multiplications = {"forward": weights, "backward": back * learns, "update": 2 * weights * learns}
    return {
        process: {"multiplications": number, "additions": number * (process == "forward"), "comparisons": 0}
        for process, number in multiplications.items()
    }


@dataclass(frozen=True)
class Row:
    """One run in one phase; all numbers are means over its samples.

    Parameters
    ----------
    layers : str
        Sizes, from the input on, such as ``784-200-100-10``.
    accuracy : float
        Per cent, of the test.
    images : int
        Samples that were measured.
    presentations : float
        How often each was shown.
    synaptic_events : float
        Events at synapses of all processes.
    spikes : dict
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

    model: str
    layers: str
    dataset: str
    setting: str
    seed: int
    images_trained: int
    accuracy: float
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
    command: str
    commit: str

    @property
    def cell(self) -> tuple[str, ...]:
        """What is measured but for when: a newer row replaces one of the same."""
        return (self.model, self.layers, self.dataset, self.setting, str(self.seed), str(self.images_trained),
                self.phase)  # fmt: skip

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


_PLACES = [(part, process, kind) for part in ("counts", "conventional") for process in PROCESSES for kind in KINDS
           if part == "counts" or (kind != "comparisons" and (process, kind) not in
                                   (("backward", "additions"), ("update", "additions")))]  # fmt: skip
_SINGLE = tuple(
    field.name for field in dataclasses.fields(Row) if field.name not in ("counts", "conventional", "command", "commit")
)


def _heading(part: str, process: str, kind: str) -> str:
    return f"{'conventional_' if part == 'conventional' else ''}{process}_{kind}"


COLUMNS = (
    *_SINGLE, *(_heading(*place) for place in _PLACES), "energy_nj", "conventional_energy_nj", "command", "commit"
)  # fmt: skip


def read(path: str | os.PathLike[str]) -> list[Row]:
    """Rows of a ledger; none if there is no such file.

    Raises
    ------
    LedgerError
        Naming the file, and the line that cannot be read.
    """
    return ledger.records(path, COLUMNS, _row)


def append(path: str | os.PathLike[str], rows: Iterable[Row]) -> None:
    """Add rows to a ledger, or replace those of the same run and phase; processes may add at the same time."""
    ledger.merge(path, COLUMNS, rows, read=read, key=lambda row: row.cell, written=_values)


def _values(row: Row) -> list[str]:
    record = {name: _written(getattr(row, name)) for name in (*_SINGLE, "command", "commit")}
    record |= {_heading(*place): _written(getattr(row, place[0])[place[1]][place[2]]) for place in _PLACES}
    record["energy_nj"] = _written(float(sum(map(row.energy, PROCESSES))))
    record["conventional_energy_nj"] = _written(float(sum(map(row.conventional_energy, PROCESSES))))
    return [record[column] for column in COLUMNS]


def _written(value: object) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{name}={_written(part)}" for name, part in value.items())
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def _row(record: Mapping[str, str]) -> Row:
    values: dict[str, object] = {name: record[name] for name in (*_SINGLE, "command", "commit")}
    values |= {name: int(record[name]) for name in ("seed", "images_trained", "images")}
    values |= {name: float(record[name]) for name in ("accuracy", "presentations", "synaptic_events")}
    values |= {name: float(record[name]) if record[name] else None for name in ("skipped", "idle")}
    for name in ("spikes", "picojoules"):
        pairs = (item.partition("=")[::2] for item in record[name].split())
        values[name] = {key: float(number) for key, number in pairs}
    for part in ("counts", "conventional"):
        values[part] = {
            process: {
                kind: float(record[_heading(part, process, kind)]) if (part, process, kind) in _PLACES else 0.0
                for kind in KINDS
            }
            for process in PROCESSES
        }
    return Row(**values)  # type: ignore[arg-type]


def markdown_table(rows: Iterable[Row]) -> str:
    """A line for each network and phase, and what it assumes below it, in Markdown."""
    ordered = sorted(rows, key=lambda row: row.learns)
    if not ordered:
        return "*No numbers in the ledger yet.*"
    heads = [
        "phase", "model", "layers", "accuracy (%)", "spikes a neuron", "synaptic events", *KINDS, "nJ",
        "conventional nJ", "weights left alone (%)", "idle samples (%)",
    ]  # fmt: skip
    lines = [heads, ["---"] * 3 + ["---:"] + ["---"] + ["---:"] * (len(heads) - 5)]
    for row in ordered:
        totals = [sum(row.counts[process][kind] for process in PROCESSES) for kind in KINDS]
        spikes = ", ".join(f"{name.replace('_', ' ')} {number:.2g}" for name, number in row.spikes.items())
        lines.append([
            row.phase.replace("_", " "), row.model, row.layers, f"{row.accuracy:.2f}", spikes,
            f"{row.synaptic_events:,.0f}", *(f"{total:,.0f}" for total in totals),
            _by_process([row.energy(process) for process in PROCESSES], row.learns),
            _by_process([row.conventional_energy(process) for process in PROCESSES], row.learns),
            *("" if share is None else f"{share:.1f}" for share in (row.skipped, row.idle)),
        ])  # fmt: skip
    first = ordered[0]
    assumed = ", ".join(f"{kind} {number:g}" for kind, number in first.picojoules.items())
    caption = (
        f"Each number is a sample's mean over {_all(str(row.images) for row in ordered)} images, after training on "
        f"{_all(f'{row.images_trained:,}' for row in ordered)}. Estimated energy: in total, in training (forward / "
        f"backward / update), at {assumed} pJ, memory not counted."
    )
    return "\n".join([*("| " + " | ".join(line) + " |" for line in lines), "", caption])


def _all(texts: Iterable[str]) -> str:
    return " or ".join(dict.fromkeys(texts))


def _by_process(energies: Sequence[float], learns: bool) -> str:
    parts = " / ".join(f"{part:,.0f}" for part in energies)
    return f"{sum(energies):,.0f} ({parts})" if learns else f"{sum(energies):,.0f}"
