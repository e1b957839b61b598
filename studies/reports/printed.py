"""What a paper prints for the setting of a run, and in what the run was made otherwise than the paper's."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hebbarium.ledger import ledger
from hebbarium.studies import reproduction
from hebbarium.studies.reproduction import Cell
from hebbarium.training.run_settings import Role, RunSettings, of_role

__all__ = ["PrintedNumbers", "of_settings"]

_EMBEDDED = "-embedded"
_NOT_THE_PAPERS = {"model", "changes", "dataset", "seed", "device", "precision", "block", "warm_start"}
"""Settings that no paper prescribes, and those that are compared in another way."""


@dataclass(frozen=True)
class PrintedNumbers:
    """What a paper prints for the parameters of a run.

    Parameters
    ----------
    item : str
        Of the paper, such as ``Table IV``.
    percent, spread : mapping of str to float
        Accuracy by readout, and what is printed behind ±.
    departures : tuple of str
        How the run was made otherwise than the paper's, a sentence each. If there is one, the difference between both
        numbers tells nothing of the paper.
    """

    item: str
    percent: Mapping[str, float]
    spread: Mapping[str, float]
    departures: tuple[str, ...]


def of_settings(settings: RunSettings, dataset: str) -> PrintedNumbers | None:
    """The number that a paper prints for these parameters, on these images or on the set that they are a part of.

    Parameters
    ----------
    settings : RunSettings
    dataset : str
        Name of the images.

    Returns
    -------
    PrintedNumbers or None
        None where the paper has no such number, and for models without a paper.
    """
    whole = dataset.removesuffix(_EMBEDDED)
    cell = reproduction.cell_of_run(settings, whole)
    if cell is None:
        return None
    return PrintedNumbers(
        item=ledger.item_of(cell.table),
        percent=reproduction.printed(cell, settings.model),
        spread=cell.spreads,
        departures=tuple(_departures(settings, dataset, cell)),
    )


def _departures(settings: RunSettings, dataset: str, cell: Cell) -> Iterator[str]:
    protocol = reproduction.paper_of(settings.model).protocol
    papers = dataclasses.replace(protocol, dataset=cell.dataset, **cell.run)
    if dataset != cell.dataset:
        yield f"Its images are {dataset}, the paper's {cell.dataset}."
    table = settings.table()
    for name in of_role(Role.COMPUTED):
        ours, theirs = getattr(settings, name), getattr(papers, name)
        if name in _NOT_THE_PAPERS or ours == theirs or (name == "labelling_images" and not _labels(settings, papers)):
            continue
        meaning, _, _ = table[name].meaning.partition(";")
        yield f"{meaning[0].upper()}{meaning[1:]}: {_said(ours)} here, {_said(theirs)} in the paper's run."
    if bool(settings.warm_start) != bool(cell.before):
        yield "One of both begins with a trained network, the other does not."


def _labels(*settings: RunSettings) -> bool:
    return any(one.labels_from == "labelling" for one in settings)


def _said(value: object) -> str:
    if value is None:
        return "all"
    return f"{value:,}" if isinstance(value, int) else str(value) or "as usual"
