"""How trained networks bear noise, lesions and coarse weights: rows of the item ``robustness`` in all papers' ledgers.

The setting of such a row ends with what was disturbed: ``perturbation=noise level=0.1 draw=0``, the seed of the
disturbance being its draw.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hebbarium.ledger import networks, rows
from hebbarium.ledger.networks import TrainedNetwork
from hebbarium.ledger.rows import ACCURACY, PER_CENT, LedgerError, Row

ITEM = "robustness"
UNDISTURBED = "none"
_PERTURBATION, _LEVEL, _DRAW = ADDED = ("perturbation", "level", "draw")


@dataclass(frozen=True)
class DisturbedAnswer:
    """The accuracy of one network by one readout under one perturbation.

    Parameters
    ----------
    perturbation : str
        One of `hebbarium.studies.robustness.PERTURBATIONS`, or `UNDISTURBED`.
    level, draw : optional
        How strong it was, in the unit of the perturbation, and the seed of its draw; None where nothing was disturbed.
    accuracy : float
        Per cent.
    images : int
        Test images.
    """

    network: TrainedNetwork
    perturbation: str
    level: float | None
    draw: int | None
    readout: str
    accuracy: float
    images: int

    def as_row(self) -> Row:
        """Its row in the ledger."""
        added: tuple[str, ...] = ()
        if self.level is not None:
            added = (f"{_PERTURBATION}={self.perturbation}", f"{_LEVEL}={self.level:g}", f"{_DRAW}={self.draw}")
        return self.network.row(
            ITEM, *added, measure=ACCURACY, value=round(self.accuracy, 2), unit=PER_CENT, readout=self.readout,
            tested=self.images,
        )  # fmt: skip


def read(folder: str | os.PathLike[str]) -> list[DisturbedAnswer]:
    """What the ledgers of a folder have of disturbed networks, in their order.

    Raises
    ------
    LedgerError
        Naming the file, and the line that cannot be read.
    """
    answers = []
    for model, given in rows.papers(folder).items():
        for network, mine in networks.grouped(model, ITEM, given, *ADDED).items():
            for row in mine:
                try:
                    answers.append(_answer(network, row))
                except ValueError as error:
                    path = Path(folder) / f"{model}.csv"
                    raise LedgerError(f"{path}, {ITEM}, {row.setting}: {error}; expected level and draw") from error
    return answers


def append(folder: str | os.PathLike[str], answers: Iterable[DisturbedAnswer]) -> list[Path]:
    """Add to the ledgers of the networks' papers, or replace what is of the same run, perturbation and readout.

    Returns
    -------
    list of Path
        The ledgers.
    """
    by_network: dict[TrainedNetwork, list[Row]] = {}
    for answer in answers:
        by_network.setdefault(answer.network, []).append(answer.as_row())
    made = [(network, networks.with_sizes(network, ITEM, answers)) for network, answers in by_network.items()]
    return networks.append(folder, ITEM, made)


def _answer(network: TrainedNetwork, row: Row) -> DisturbedAnswer:
    symbols = row.symbols
    level, draw = symbols.get(_LEVEL), symbols.get(_DRAW)
    return DisturbedAnswer(
        network,
        symbols.get(_PERTURBATION, UNDISTURBED),
        None if level is None else float(level),
        None if draw is None else int(draw),
        row.readout,
        row.value,
        row.tested or 0,
    )
