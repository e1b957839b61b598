"""The leaderboard: rules beside one another and beside controls, a table a set of images, in Markdown.

Which rows stand on it is found by `hebbarium.studies.leaderboard`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hebbarium.ledger.controls import Controls, name_of
from hebbarium.ledger.operations import PROCESSES, SampleCost
from hebbarium.ledger.tables import NONE_YET, Mean, line

__all__ = ["HALF", "Standing", "markdown_table", "of_dataset"]

HALF = 0.5
"""Share of synapses or neurons that are lesioned."""


@dataclass(frozen=True)
class Standing:
    """One rule on one set with one size of network.

    Parameters
    ----------
    rule : str
        Its model.
    neurons : int, optional
        Hidden ones; None where that is no number to compare by.
    layers : str
        The network's size, as its ledger writes it.
    mean : Mean
        Accuracy over its seeds.
    told : str
        What it is told of the right answer.
    source : str
        Where the paper's number stands, if there is one.
    remarks : tuple of str
        What hurts, first.
    cut_short : str
        That it saw fewer images than the paper's, if it did; one of the remarks.
    usual : bool
        Whether all its parameters are the model's own for its size.
    seconds : float, optional
        Of training a sample, on the computer it was run on.
    cost : SampleCost, optional
        Of a sample in testing, of a network of the same size.
    lesioned : mapping of str to float
        Accuracy after half of something was removed, of a network of the same size: ``lesion-synapses``,
        ``lesion-neurons``.
    """

    rule: str
    neurons: int | None
    layers: str
    mean: Mean
    told: str
    source: str = ""
    remarks: tuple[str, ...] = ()
    cut_short: str = ""
    usual: bool = True
    seconds: float | None = None
    cost: SampleCost | None = None
    lesioned: Mapping[str, float] = field(default_factory=dict)

    @property
    def dataset(self) -> str:
        """Images that it was trained and tested on."""
        return self.mean.row.dataset


def of_dataset(standings: Iterable[Standing], dataset: str) -> list[Standing]:
    """Those on a set, the most accurate first."""
    return sorted((one for one in standings if one.dataset == dataset), key=lambda one: -one.mean.mean)


def markdown_table(standings: Sequence[Standing], controls: Controls, dataset: str) -> str:
    """The leaderboard of one set: rules and controls, the most accurate first; columns without a number are left out.

    Parameters
    ----------
    standings
        Of any sets.
    controls
        Of any sets.
    dataset
        Which set.
    """
    rules = of_dataset(standings, dataset)
    lines = [(one.mean.mean, _of_rule(one, controls)) for one in rules]
    beside = controls.beside(rules[0].mean.row) if rules else controls.of(dataset)
    lines += [(control.mean, _of_control(control)) for control in beside]
    if not lines:
        return NONE_YET
    ordered = [entries for _, entries in sorted(lines, key=lambda pair: -pair[0])]
    heads = [head for head in _HEADS if any(entries.get(head) for entries in ordered)]
    table = [
        line(heads), line("---" if head in _WORDS else "---:" for head in heads),
        *(line(entries.get(head, "") for head in heads) for entries in ordered),
    ]  # fmt: skip
    return "\n".join([*table, "", " ".join(_said(rules, controls, dataset))])


_RULE, _NEURONS, _ACCURACY, _PAPER = "rule", "hidden neurons", "accuracy (%)", "published (%)"
_REMARKS, _TOLD, _TRAINED, _TIME = "said of it", "told", "images seen", "training (min)"
_SPIKES, _EVENTS, _ENERGY, _LESIONED = "spikes", "synaptic events", "nJ", "half lesioned: synapses, neurons (%)"
_HEADS = (
    _RULE, _NEURONS, _ACCURACY, _PAPER, _REMARKS, _TOLD, _TRAINED, _TIME, _SPIKES, _EVENTS, _ENERGY, _LESIONED
)  # fmt: skip
_WORDS = (_RULE, _ACCURACY, _PAPER, _REMARKS, _TOLD)
_LESIONS = ("lesion-synapses", "lesion-neurons")


def _of_rule(one: Standing, controls: Controls) -> dict[str, str]:
    mean, cost = one.mean, one.cost
    words = controls.words(mean.row, mean.mean)
    spikes = cost and sum(number * dict(cost.network.sizes).get(name, 0) for name, number in cost.spikes.items())
    return {
        _RULE: f"`{one.rule}`",
        _NEURONS: one.layers,
        _ACCURACY: f"{accuracy_in_words(mean)}{f', **{words}**' if words else ''}",
        _PAPER: "" if mean.paper is None else f"{mean.paper:g} ({one.source})",
        _REMARKS: "; ".join(one.remarks),
        _TOLD: one.told,
        _TRAINED: f"{mean.row.trained:,}",
        _TIME: "" if one.seconds is None else f"{one.seconds * mean.row.trained / 60:,.3g}",
        _SPIKES: "" if spikes is None else f"{spikes:,.0f}",
        _EVENTS: "" if cost is None else f"{cost.synaptic_events:,.0f}",
        _ENERGY: "" if cost is None else f"{sum(map(cost.energy, PROCESSES)):,.0f}",
        _LESIONED: ", ".join(f"{one.lesioned[name]:.2f}" if name in one.lesioned else "not measured"
                             for name in _LESIONS) if one.lesioned else "",
    }  # fmt: skip


def _of_control(control: Mean) -> dict[str, str]:
    return {
        _RULE: f"*control: {name_of(control)}*",
        _ACCURACY: accuracy_in_words(control, drawn=bool(control.row.setting)),
        _TOLD: "labels",
        _TRAINED: f"{control.row.trained:,}",
    }


def accuracy_in_words(mean: Mean, *, drawn: bool = True) -> str:
    """A mean with its error and seeds; a single seed is called so, unless nothing is drawn."""
    if mean.seeds > 1:
        return f"{mean.mean:.2f} ± {mean.error:.2f} ({mean.seeds} seeds)"
    return f"{mean.mean:.2f} ({'single seed' if drawn else 'nothing is drawn'})"


def _said(rules: Sequence[Standing], controls: Controls, dataset: str) -> Iterator[str]:
    yield f"Test images of {dataset}, after the last pass, mean ± standard error over seeds."
    yield from controls.sentences([one.mean for one in rules])
    if any(one.seconds is not None for one in rules):
        yield "Training was timed on whatever computer a row was made on."
    if any(one.cost for one in rules):
        trained = sorted({one.cost.network.trained for one in rules if one.cost})
        after = " or ".join(f"{number:,}" for number in trained)
        yield (
            f"Spikes, synaptic events and energy are of a test image, of a network of the same size after {after} "
            "training images; energies are estimates of arithmetic alone."
        )
    if any(one.lesioned for one in rules):
        yield "Lesions are of one network of the same size."
