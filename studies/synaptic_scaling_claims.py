"""What Touda & Okuno claim, held against the ledger of their network, comparison by comparison."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from hebbarium.ledger import tables
from hebbarium.ledger.claims import OPEN, Judgement, Point, Verdict, is_clear, judged, pairs
from hebbarium.ledger.rows import ACCURACY, LAST, Row
from hebbarium.ledger.tables import Mean
from hebbarium.record import results

__all__ = ["CLAIMS", "Evidence", "judge"]

SLOWER = 1.02
"""How many times as long training has to take to count as slower: less is within what one measurement tells."""

_TABLES = ("Table III", "Table IV", "Table V", "Table VI")
_DATASETS = ("mnist", "fashion-mnist")
_SIZES = ("100", "400")
_TIME_CONSTANTS = ("20*ms", "60*ms")


@dataclass(frozen=True)
class _Entry(Point):
    """Mean over seeds of one cell."""

    dataset: str
    neurons: str
    norm: str
    w_t: str
    tau_p: str

    @property
    def place(self) -> dict[str, str]:
        """What tells the cell from others."""
        return {name: getattr(self, name) for name in ("dataset", "neurons", "norm", "w_t", "tau_p")}


class Evidence:
    """The ledger, averaged over seeds.

    Parameters
    ----------
    rows : iterable of Row
        Where a cell was run in several ways, the one with most training images counts.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        best: dict[tuple[str, ...], Mean] = {}
        for cell in tables.summarise(row for row in rows if row.selection == LAST):
            row = cell.row
            if row.measure == ACCURACY and row.item not in _TABLES:
                continue
            place = ("" if row.measure != ACCURACY else row.item, row.dataset, row.neurons, *_cell(row.symbols))
            key = (row.measure, row.readout, *place)
            if key not in best or row.trained > best[key].row.trained:
                best[key] = cell
        self._entries: dict[tuple[str, str], list[_Entry]] = {}
        for cell in best.values():
            row = cell.row
            entry = _Entry(cell.mean, cell.error, cell.seeds, row.dataset, row.neurons, *_cell(row.symbols))
            self._entries.setdefault((row.measure, row.readout), []).append(entry)

    def accuracy(self, readout: str = results.MOST_ACTIVE, **where: str) -> list[_Entry]:
        """Accuracies of the tables' cells that are as said."""
        return list(_where(self._entries.get((ACCURACY, readout), []), **where))

    def best(self, **where: str) -> _Entry | None:
        """The cell of highest accuracy among those that are as said."""
        return max(self.accuracy(**where), key=lambda entry: entry.value, default=None)

    def quantity(self, name: str, **where: str) -> list[_Entry]:
        """Another measured quantity, by cell."""
        return list(_where(self._entries.get((name, ""), []), **where))

    def quantity_at(self, name: str, entry: _Entry) -> _Entry | None:
        """A quantity in the cell of another entry."""
        means = self.quantity(name, **entry.place)
        return means[0] if means else None


def _cell(symbols: dict[str, str]) -> tuple[str, str, str]:
    return symbols.get("norm", ""), symbols.get("w_t", ""), symbols.get("tau_p", "")


def _where(entries: Iterable[_Entry], **conditions: str) -> Iterator[_Entry]:
    for entry in entries:
        if all(getattr(entry, name) == value for name, value in conditions.items()):
            yield entry


def judge(evidence: Evidence) -> list[Verdict]:
    """Every claim of the paper in turn."""
    return [Verdict(claim, *test(evidence)) for claim, test in CLAIMS.items()]


def _l2_beats_l1(e: Evidence) -> Judgement:
    return pairs(
        [
            (
                f"{dataset} N={neurons} tau_p={_plain(tau_p)}",
                e.best(dataset=dataset, neurons=neurons, tau_p=tau_p, norm="L2"),
                e.best(dataset=dataset, neurons=neurons, tau_p=tau_p, norm="L1"),
            )
            for dataset in _DATASETS
            for neurons in _SIZES
            for tau_p in _TIME_CONSTANTS
        ]
    )


def _more_neurons_are_better(e: Evidence) -> Judgement:
    return pairs(
        [
            (
                f"{dataset} tau_p={_plain(tau_p)}",
                e.best(dataset=dataset, neurons="400", tau_p=tau_p, norm="L2"),
                e.best(dataset=dataset, neurons="100", tau_p=tau_p, norm="L2"),
            )
            for dataset in _DATASETS
            for tau_p in _TIME_CONSTANTS
        ]
    )


def _time_constant(e: Evidence) -> Judgement:
    winners = {"mnist": ("60*ms", "20*ms"), "fashion-mnist": ("20*ms", "60*ms")}
    return pairs(
        [
            (
                f"{dataset} N={neurons}, {_plain(more)} over {_plain(less)}",
                e.best(dataset=dataset, neurons=neurons, tau_p=more, norm="L2"),
                e.best(dataset=dataset, neurons=neurons, tau_p=less, norm="L2"),
            )
            for dataset, (more, less) in winners.items()
            for neurons in _SIZES
        ]
    )


def _most_active_beats_class_mean(e: Evidence) -> Judgement:
    by_size: dict[str, list[tuple[_Entry, _Entry]]] = {}
    for entry in e.accuracy():
        for other in e.accuracy(results.CLASS_MEAN, dataset=entry.dataset, neurons=entry.neurons):
            if (other.norm, other.w_t, other.tau_p) == (entry.norm, entry.w_t, entry.tau_p):
                by_size.setdefault(entry.neurons, []).append((entry, other))
    numbers = "; ".join(
        f"N={neurons}: {statistics.fmean(active.value - mean.value for active, mean in cells):+.2f} points on average, "
        f"better in {sum(active.value > mean.value for active, mean in cells)} of {len(cells)} cells"
        for neurons, cells in sorted(by_size.items())
    )
    if not (cells := by_size.get("400")):
        return OPEN, "no cell", numbers
    borne_out = [active.value > mean.value for active, mean in cells]
    return judged(borne_out, numbers, [is_clear(active, mean) for active, mean in cells])


def _l1_leaves_higher_weights(e: Evidence) -> Judgement:
    both_norms = []
    for dataset in _DATASETS:
        for neurons in _SIZES:
            for tau_p in _TIME_CONSTANTS:
                where = {"dataset": dataset, "neurons": neurons, "tau_p": tau_p}
                both = [
                    e.quantity_at("mean_weight", best) if (best := e.best(norm=norm, **where)) else None
                    for norm in ("L1", "L2")
                ]
                both_norms.append((f"{dataset} N={neurons} tau_p={_plain(tau_p)}", both[0], both[1]))
    return pairs(both_norms)


def _small_target_forms_no_fields(e: Evidence) -> Judgement:
    name = "class_specific_fields"
    small = [*e.quantity(name, dataset="mnist", norm="L2", w_t="2")]
    small += e.quantity(name, dataset="fashion-mnist", norm="L1", w_t="60")
    formed = [mean for cell in _bests(e) if (mean := e.quantity_at(name, cell))]
    if not small or not formed:
        return OPEN, "none", "needs Fig.4c or Table V at w_t=60, and the best cell of a row"
    lowest = min(entry.value for entry in formed)
    numbers = "neurons with a field of their class: " + "; ".join(
        f"{cell.dataset} N={cell.neurons} {cell.norm} w_t={cell.w_t} tau_p={_plain(cell.tau_p)} {cell} %"
        for cell in (*small, *formed)
    )
    return judged([entry.value < lowest for entry in small], numbers)


def _bests(e: Evidence) -> Iterator[_Entry]:
    for dataset in _DATASETS:
        for neurons in _SIZES:
            if mean := e.best(dataset=dataset, neurons=neurons):
                yield mean


def _time_constant_hardly_matters_for_fields(e: Evidence) -> Judgement:
    """Fields differ less between the two time constants than between target norms."""
    name = "class_specific_fields"
    by_tau: list[float] = []
    by_norm: dict[tuple[str, ...], list[float]] = {}
    for entry in e.quantity(name):
        by_norm.setdefault((entry.dataset, entry.neurons, entry.norm, entry.tau_p), []).append(entry.value)
        if entry.tau_p == "20*ms":
            twins = e.quantity(name, **entry.place | {"tau_p": "60*ms"})
            by_tau += [abs(entry.value - twin.value) for twin in twins]
    spreads = [max(values) - min(values) for values in by_norm.values() if len(values) > 1]
    if not by_tau or not spreads:
        needed = "needs both time constants at one target norm, and several target norms at one time constant"
        return OPEN, "none", needed
    between_tau, between_norm = statistics.fmean(by_tau), statistics.fmean(spreads)
    numbers = (
        f"neurons with a field of their class differ by {between_tau:.1f} points between 20 and 60 ms "
        f"({len(by_tau)} pairs), by {between_norm:.1f} points over target norms ({len(spreads)} rows)"
    )
    return judged([between_tau < between_norm / 2], numbers)


def _once_is_faster(e: Evidence) -> Judgement:
    numbers, slower = [], []
    for once in e.quantity("time_once"):
        repeated = e.quantity_at("time_repeated", once)
        presentations = e.quantity_at("presentations_repeated", once)
        if repeated and presentations:
            slower.append(repeated.value > SLOWER * once.value and presentations.value > 1)
            numbers.append(
                f"{once.dataset} N={once.neurons}: {1e3 * once.value:.2f} ms an image, "
                f"{1e3 * repeated.value:.2f} ms if shown again ({presentations.value:.2f} times each)"
            )
    if not slower:
        return OPEN, "none", "measure it with `hebbarium reproduce synaptic_scaling --claims --measure`"
    return judged(slower, "; ".join(numbers))


def _plain(text: str) -> str:
    return text.replace("*", " ")


CLAIMS: dict[str, Callable[[Evidence], Judgement]] = {
    "L2 scaling at its best W_t beats L1 scaling at its best, in every row": _l2_beats_l1,
    "With L2 scaling and W_t well set, 400 neurons beat 100": _more_neurons_are_better,
    "With L2 scaling, tau_p 60 ms wins on MNIST and 20 ms on Fashion-MNIST": _time_constant,
    "The most active neuron reads better than class means at 400 neurons": _most_active_beats_class_mean,
    "L1 scaling leaves higher weights than L2 scaling": _l1_leaves_higher_weights,
    "W_t set too small forms no class-specific fields": _small_target_forms_no_fields,
    "tau_p hardly matters for whether fields form": _time_constant_hardly_matters_for_fields,
    "Training is faster if no image is shown again": _once_is_faster,
}
