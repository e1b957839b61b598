"""Trained networks of any paper, on which a study measured something: what tells one from another in the ledgers."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hebbarium.ledger import rows
from hebbarium.ledger.rows import LAST, Row

_NEURONS = "neurons"


@dataclass(frozen=True)
class TrainedNetwork:
    """A run, as the ledger of its paper knows it.

    Parameters
    ----------
    model : str
        Its name, which is that of the ledger.
    setting : str
        What is not the model's default.
    sizes : tuple of (population, neurons)
        From the input on.
    trained : int
        Samples, over all epochs.
    """

    model: str
    dataset: str
    setting: str
    seed: int
    sizes: tuple[tuple[str, int], ...]
    trained: int
    device: str
    precision: str
    command: str
    commit: str

    @property
    def layers(self) -> str:
        """Sizes, from the input on, such as ``784-200-100-10``."""
        return "-".join(str(size) for _, size in self.sizes)

    def row(
        self, item: str, *more: str, measure: str, value: float, unit: str = "", readout: str = "",
        tested: int | None = None,
    ) -> Row:  # fmt: skip
        """A row of the network's ledger; `more` is what the study adds to the setting."""
        return Row(
            item=item,
            dataset=self.dataset,
            setting=" ".join(filter(None, (self.setting, *more))),
            readout=readout,
            seed=self.seed,
            measure=measure,
            value=value,
            unit=unit,
            paper=None,
            paper_spread=None,
            trained=self.trained,
            tested=tested,
            selection=LAST,
            device=self.device,
            precision=self.precision,
            command=self.command,
            commit=self.commit,
        )


def append(folder: str | os.PathLike[str], item: str, pairs: Iterable[tuple[TrainedNetwork, list[Row]]]) -> list[Path]:
    """Add a study's rows to the ledgers of the networks' papers.

    They replace those of the same run, setting and measure, on however many samples they were measured.

    Returns
    -------
    list of Path
        The ledgers, one a paper.
    """

    def key(row: Row) -> object:
        return dataclasses.replace(row, tested=None).key if row.item == item else row.key

    by_model: dict[str, list[Row]] = {}
    for network, made in pairs:
        by_model.setdefault(network.model, []).extend(made)
    paths = {model: Path(folder) / f"{model}.csv" for model in by_model}
    for model, made in by_model.items():
        rows.append(paths[model], made, key)
    return list(paths.values())


def with_sizes(network: TrainedNetwork, item: str, made: Iterable[Row]) -> list[Row]:
    """A row for the size of each population, from the input on, and rows of the network after them."""
    sizes = (
        network.row(item, measure=_NEURONS, value=float(size), readout=population)
        for population, size in network.sizes
    )
    return [*sizes, *made]


def grouped(model: str, item: str, given: Iterable[Row], *added: str) -> dict[TrainedNetwork, list[Row]]:
    """Rows of a study by the network that they are of, sizes left out.

    Parameters
    ----------
    model : str
        Name of the ledger.
    added : str
        Symbols that the study adds to the setting.
    """
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in given:
        if row.item == item:
            alike = (row.dataset, rows.without(row.setting, *added), row.seed, row.trained, row.device, row.precision)
            groups.setdefault(alike, []).append(row)
    return {
        _network(model, mine, added): [row for row in mine if row.measure != _NEURONS] for mine in groups.values()
    }


def _network(model: str, mine: Iterable[Row], added: Iterable[str]) -> TrainedNetwork:
    first, *_ = own = list(mine)
    sizes: Mapping[str, int] = {row.readout: int(row.value) for row in own if row.measure == _NEURONS}
    return TrainedNetwork(
        model, first.dataset, rows.without(first.setting, *added), first.seed, tuple(sizes.items()), first.trained,
        first.device, first.precision, first.command, first.commit,
    )  # fmt: skip
