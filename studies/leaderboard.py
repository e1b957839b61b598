"""The leaderboard of learning rules: which rows of the ledgers stand on it, and short runs of every rule on any set.

A protocol declares what its rule is told, which of its rows count and what is trained on sets that its paper does not
have (`hebbarium.studies.contenders.Contender`); a new one stands on the leaderboard without a line here. What is said
of each row is read off it: fewer images than the paper's, settings that are not the model's defaults.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from hebbarium.catalogue import papers, registry
from hebbarium.datasets import by_name as datasets
from hebbarium.datasets import made_sets
from hebbarium.datasets.labelled_images import Dataset, DatasetError
from hebbarium.ledger import controls as of_ledgers
from hebbarium.ledger import leaderboard, ledger, operations, robustness
from hebbarium.ledger.leaderboard import HALF, Standing
from hebbarium.ledger.networks import TrainedNetwork
from hebbarium.ledger.operations import SampleCost
from hebbarium.ledger.robustness import DisturbedAnswer
from hebbarium.ledger.tables import NONE_YET
from hebbarium.models.contract import Model
from hebbarium.studies import controls, reproduction
from hebbarium.studies.controls import ImageParts
from hebbarium.studies.reproduction import Cell, Paper, Reproduction
from hebbarium.training import fit, parameters
from hebbarium.training.progress import Reporter
from hebbarium.training.run_settings import RunSettings

__all__ = [
    "ITEM", "Contest", "add_controls", "contenders", "datasets_of", "of_rules", "refused", "standings", "text",
]  # fmt: skip

ITEM = "leaderboard"
"""Of rows that short runs have made."""
_OF_THE_PAPER = ("Table", "Fig.", "Section", "abstract")
_SIZES = ("neurons", "layers")
_OF_THE_SET = ("pixels", "classes", "encoder", "n_given")
"""Parameters that follow from the images."""


def contenders() -> dict[str, Paper]:
    """Papers whose rules are trained on images, by their models' names; those of one's own after the project's."""
    names = (*reproduction.REPRODUCIBLE, *papers.models())
    every = {name: reproduction.paper_of(name) for name in names if _has_protocol(name)}
    return {name: paper for name, paper in every.items() if paper.cells}


def _has_protocol(name: str) -> bool:
    return name in reproduction.REPRODUCIBLE or papers.protocol(name) is not None


# -- what the ledgers have ------------------------------------------------------------------------------------
def standings(folder: Path, rules: Iterable[str] = ()) -> list[Standing]:
    """Rows of a folder's ledgers that stand on the leaderboard, rule by rule, small networks first.

    Parameters
    ----------
    folder : Path
        Of the ledgers. A paper of one's own is looked for in the folder beside its protocol too.
    rules : iterable of str
        Models; all if none are given.

    Raises
    ------
    ValueError
        There is no such rule.
    """
    costs, answers = operations.read(folder), robustness.read(folder)
    found: list[Standing] = []
    for name, paper in of_rules(rules).items():
        rows = ledger.read(folder / f"{name}.csv")
        if not rows and (own := papers.results_of(name)) is not None:
            rows = ledger.read(own / f"{name}.csv")
        found += _Rule(name, paper).standings(rows, costs, answers)
    return found


def of_rules(rules: Iterable[str]) -> dict[str, Paper]:
    """The contenders of these names, all if none are given. Raises `ValueError` for a name that is none."""
    known, wanted = contenders(), tuple(rules)
    for name in wanted:
        if name not in known:
            raise ValueError(f"rule {name}: expected one of {', '.join(known)}")
    return {name: known[name] for name in wanted} if wanted else known


def datasets_of(found: Iterable[Standing], of_controls: of_ledgers.Controls) -> list[str]:
    """Sets with a row, published ones first, in the order in which these are listed."""
    names = {one.dataset for one in found} | {row.dataset for row in of_controls.rows}
    order = [*datasets.SETS, *made_sets.NAMES]
    return sorted(names, key=lambda name: (order.index(name) if name in order else len(order), name))


def text(folder: Path, sets: Sequence[str] = (), rules: Iterable[str] = ()) -> str:
    """The leaderboard in Markdown, a table a set that any rule was trained on.

    Parameters
    ----------
    folder : Path
        Of the ledgers.
    sets : sequence of str
        Which sets; all if none are given.
    rules : iterable of str
        Which models; all if none are given.
    """
    found, of_controls = standings(folder, rules), of_ledgers.of_folder(folder)
    shown = sets or [name for name in datasets_of(found, of_controls) if any(one.dataset == name for one in found)]
    tables = (f"**{name}**\n\n{leaderboard.markdown_table(found, of_controls, name)}" for name in shown)
    ours = {one.rule for one in found}
    sources = "; ".join(f"`{name}`: {registry.find(name).paper}" for name in of_rules(rules) if name in ours)
    return "\n\n".join([*tables, f"Published numbers are those of {sources}." if sources else NONE_YET])


@dataclass(frozen=True)
class _Rule:
    """One rule and its paper."""

    name: str
    paper: Paper

    @functools.cached_property
    def kind(self) -> type[Model]:
        return registry.find(self.name)

    def standings(
        self, rows: Sequence[ledger.Row], costs: Iterable[SampleCost], answers: Sequence[DisturbedAnswer]
    ) -> list[Standing]:
        last = ledger.select(rows, selection=ledger.LAST)
        accuracies = ledger.select(last, measure=ledger.ACCURACY, readout=self.paper.readout)
        own = [row for row in accuracies if row.item == ITEM or self._counts(row)]
        times = ledger.select(last, measure="training_time")
        found = []
        for mean in ledger.summarise(own):
            row = mean.row
            if row.item != ITEM and not self._is_its_own(row):
                continue
            found.append(
                Standing(
                    self.name,
                    self.paper.contender.neurons(self._model(row)),
                    self._size(row.symbols),
                    mean,
                    self.paper.contender.told.value,
                    self._source(row),
                    tuple(self._remarks(row)),
                    self._cut_short(row),
                    not self._departures(row),
                    self._seconds(row, times),
                    next((cost for cost in costs if not cost.learns and self._is_of(cost.network, row)), None),
                    self._lesioned(row, answers),
                )
            )
        return sorted(found, key=lambda one: (one.neurons or 0, one.mean.row.trained))

    def _counts(self, row: ledger.Row) -> bool:
        """Whether a row is of test images, of this paper's tables and conditions, on the protocol's device."""
        protocol, where = self.paper.protocol, self.paper.contender.where
        items = where.get("item", "|".join(ledger.item_of(table) for table in self.paper.tables))
        return (
            "evaluate_on" not in row.symbols
            and (row.device, row.precision) == (protocol.device, protocol.precision)
            and bool(ledger.select([row], **{**where, "item": items}))
        )

    def _changes(self, row: ledger.Row) -> dict[str, str]:
        """Parameters of a row, without those that follow from its set."""
        known = self.kind.parameters().keys() - set(_OF_THE_SET)
        return {symbol: value for symbol, value in row.symbols.items() if symbol in known}

    def _departures(self, row: ledger.Row) -> dict[str, str]:
        """Parameters in which a row differs from what the model has for its size."""
        changes = self._changes(row)
        sizes = {symbol: value for symbol, value in changes.items() if symbol in _SIZES}
        printed = self.paper.protocol.changes
        own, usual = (
            parameters.table(parameters.apply(self.kind, {**printed, **given})) for given in (changes, sizes)
        )
        return {symbol: value for symbol, value in own.items() if value != usual[symbol]}

    def _is_its_own(self, row: ledger.Row) -> bool:
        free = set(self.paper.contender.free)
        departures = self._departures(row).keys()
        return bool(departures <= free) or bool(free & departures and departures - free <= self._follow(row, free))

    def _follow(self, row: ledger.Row, free: set[str]) -> set[str]:
        """Constants that follow from the free ones."""
        given = {symbol: value for symbol, value in self._changes(row).items() if symbol in (*_SIZES, *free)}
        return set(parameters.following(self.kind, given))

    def _model(self, row: ledger.Row) -> Model:
        of_set: dict[str, str] = {symbol: row.symbols[symbol] for symbol in _OF_THE_SET if symbol in row.symbols}
        return parameters.apply(self.kind, {**self.paper.protocol.changes, **self._changes(row), **of_set})

    def _size(self, symbols: Mapping[str, str]) -> str:
        """The size as the ledgers write it, the model's usual one where a row has none."""
        table = self.kind.parameters()
        sizes = (symbols.get(symbol, table[symbol].show(table[symbol].default)) for symbol in _SIZES if symbol in table)
        return " ".join(sizes).replace(",", "-")

    def _remarks(self, row: ledger.Row) -> Iterator[str]:
        if said := self.paper.contender.remark(row):
            yield said
        if row.item == ITEM:
            yield "short run, not the paper's protocol"
        elif cut_short := self._cut_short(row):
            yield cut_short
        free = {symbol: row.symbols[symbol] for symbol in self.paper.contender.free if symbol in row.symbols}
        if free:
            yield "with " + ", ".join(f"{symbol} {value.replace('*', ' ')}" for symbol, value in free.items())

    def _source(self, row: ledger.Row) -> str:
        """Where the paper's number stands, which rows of our own items have beside them too."""
        items = [ledger.item_of(cell.table) for cell in self.paper.cells if self._prints(cell, row)]
        return next((item for item in (row.item, *items) if item.startswith(_OF_THE_PAPER)), "the paper")

    def _prints(self, cell: Cell, row: ledger.Row) -> bool:
        return cell.dataset == row.dataset and row.paper in (cell.accuracy, *cell.others.values())

    def _cut_short(self, row: ledger.Row) -> str:
        least = 0 if row.item == ITEM else self._images_of_the_paper(row)
        return f"{row.trained:,} of the paper's {least:,} images" if row.trained < least else ""

    def _images_of_the_paper(self, row: ledger.Row) -> int:
        """Images that the paper's network of this size, or its usual run, saw on this set; 0 if nothing is trained."""
        protocol, size = self.paper.protocol, self._size(row.symbols)
        printed = [
            cell for cell in self.paper.cells
            if cell.accuracy is not None and cell.dataset == row.dataset and "evaluate_on" not in cell.run
        ]  # fmt: skip
        same = [cell for cell in printed if self._size(cell.changes) == size] or printed
        epochs = max((cell.run.get("epochs", protocol.epochs) for cell in same), default=protocol.epochs)
        known = datasets.SETS.get(row.dataset)
        images = protocol.images or (known.train if known else 0)
        return images * epochs if self.kind().schedules and row.trained else 0

    def _seconds(self, row: ledger.Row, times: Iterable[ledger.Row]) -> float | None:
        """Of training a sample, the mean over seeds."""

        def alike(other: ledger.Row) -> tuple[object, ...]:
            return other.item, other.dataset, other.setting, other.trained, other.device, other.precision

        took = [time.value for time in times if alike(time) == alike(row)]
        return float(np.mean(took)) if took else None

    def _is_of(self, network: TrainedNetwork, row: ledger.Row) -> bool:
        """Whether a network that something was measured on has the size of a row, and its set."""
        size = self._size(ledger.symbols_of(network.setting))
        return (network.model, network.dataset, size) == (self.name, row.dataset, self._size(row.symbols))

    def _lesioned(self, row: ledger.Row, answers: Iterable[DisturbedAnswer]) -> dict[str, float]:
        """Accuracy after half of something was removed, the mean over draws."""
        percents: dict[str, list[float]] = {}
        for answer in answers:
            wanted = answer.perturbation.startswith("lesion") and answer.level == HALF
            if wanted and answer.readout == self.paper.readout and self._is_of(answer.network, row):
                percents.setdefault(answer.perturbation, []).append(answer.accuracy)
        return {name: float(np.mean(values)) for name, values in percents.items()}


# -- short runs on any set ------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Contest:
    """Every rule on one set, each with its settings as they are.

    Parameters
    ----------
    dataset : str
        A name, or a file or folder of a user's own.
    seeds : tuple of int
    out : Path
        Folder of the run folders.
    results : Path
        Folder of the ledgers that rows are added to.
    neurons : int, optional
        Hidden neurons of every network; as its short run has it if not given.
    given : mapping
        Settings of all runs that differ from those of their short ones.
    """

    dataset: str
    seeds: tuple[int, ...]
    out: Path
    results: Path
    neurons: int | None = None
    given: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def name(self) -> str:
        """What rows call the set."""
        return Path(self.dataset).name

    @functools.cached_property
    def images(self) -> Dataset:
        """The set. Raises `DatasetError`."""
        return datasets.load(self.dataset, self.given.get("data"))

    def of(self, name: str, paper: Paper) -> Reproduction:
        """The runs of one rule.

        Raises
        ------
        DatasetError, ValueError
            It has no short run, or cannot be trained on the set.
        """
        short = paper.contender.short
        if short is None:
            raise ValueError("its protocol declares no short run on any set")
        kind = registry.find(short.model)
        changes = {**short.changes, **self._sized(kind)}
        settings = dataclasses.replace(short, dataset=self.dataset, changes=changes, **self._parts(short))
        fitted = fit.fitted(settings, self.images)
        cell = Cell(ITEM, self.dataset, name, parameters.texts(kind, fitted.changes))
        measured = dataclasses.replace(paper, measure=_training_time, observe=None, experiments=(), best=False)
        return Reproduction(measured, [cell], self.seeds, self.out, self.results, fitted)

    def _sized(self, kind: type[Model]) -> dict[str, Any]:
        if self.neurons is None:
            return {}
        return {next(symbol for symbol in _SIZES if symbol in kind.parameters()): str(self.neurons)}

    def _parts(self, short: RunSettings) -> dict[str, Any]:
        """Settings that were asked for; numbers of images are at most what the set has."""
        held_out = int(self.given.get("validation", 0))
        there = {"images": len(self.images.train_labels) - held_out, "test_images": len(self.images.test_labels)}
        numbers = {
            name: min(number, there[name])
            for name in there if name not in self.given and (number := getattr(short, name)) is not None
        }  # fmt: skip
        if self.given.get("evaluate_on") == "validation":
            numbers["test_images"] = None
        return {**numbers, **self.given}

    @property
    def controls(self) -> ImageParts:
        """Images of the controls: all training images unless fewer were asked for, tested on all."""
        names = {field.name for field in dataclasses.fields(ImageParts)}
        return ImageParts(**{name: value for name, value in self.given.items() if name in names})


def add_controls(contest: Contest, reporter: Reporter | None = None) -> None:
    """Add the controls of a set to its ledger, unless they are there; they are trained in seconds to a minute.

    Raises
    ------
    DatasetError
        The set has no labels, or fewer images than asked for.
    """
    path = contest.results / of_ledgers.FILE
    there = {row.seed for row in ledger.read(path) if row.dataset == contest.name}
    if lacking := [seed for seed in contest.seeds if seed not in there]:
        made = controls.rows(contest.images, lacking, controls.CONSTANTS, contest.controls, reporter=reporter)
        ledger.append(path, (dataclasses.replace(row, dataset=contest.name) for row in made))


def _training_time(tree: xr.DataTree, settings: RunSettings) -> Mapping[str, tuple[float, str]]:
    """Seconds a training sample, on the computer the run was made on."""
    seen = int(tree.attrs["samples_seen"])
    return {"training_time": (round(float(tree.attrs["wall_time_s"]) / seen, 6), "s")} if seen else {}


def refused(contest: Contest, rules: Mapping[str, Paper]) -> tuple[dict[str, Reproduction], dict[str, str]]:
    """Runs of each rule that can be trained on a set, and why each other one cannot."""
    runs, why = {}, {}
    for name, paper in rules.items():
        try:
            runs[name] = contest.of(name, paper)
        except (DatasetError, ValueError) as error:
            why[name] = str(error)
    return runs, why
