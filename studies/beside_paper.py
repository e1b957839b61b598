"""A paper's numbers and ours, side by side, as a notebook shows them: tables with their verdicts, figures, claims.

>>> from hebbarium.studies.beside_paper import BesidePaper
>>> paper = BesidePaper("synaptic_scaling")
>>> paper.table("IV columns=w_t")  # doctest: +SKIP
>>> paper.figure("IV")  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from matplotlib.figure import Figure

from hebbarium.ledger import claims, ledger
from hebbarium.studies import reproduction, trials
from hebbarium.studies.reproduction import Paper
from hebbarium.training import clone
from hebbarium.training.run import Run

__all__ = ["BesidePaper", "Markdown"]


class Markdown(str):
    """Text that a notebook shows as it is meant."""

    def _repr_markdown_(self) -> str:
        return str(self)


class BesidePaper:
    """What a paper prints and what came out here.

    Parameters
    ----------
    model : str
        The paper's model.
    ledgers : Path, optional
        Folder of the ledgers; the project's own, or ``results``, unless stated.

    Raises
    ------
    ValueError
        The model has no paper to reproduce.
    """

    def __init__(self, model: str, ledgers: Path | None = None) -> None:
        self.model = model
        self.paper: Paper = reproduction.paper_of(model)
        self.ledgers = clone.ledgers(Path("results")) if ledgers is None else ledgers

    @property
    def rows(self) -> list[ledger.Row]:
        """Our numbers, of all tables."""
        return ledger.read(self.ledgers / f"{self.model}.csv")

    def table(self, what: str) -> Markdown:
        """A table, with how near ours is below it; ``IV columns=w_t``, as pages of the site ask for it.

        Raises
        ------
        LedgerError
            See `hebbarium.ledger.ledger.table_of`.
        """
        return Markdown(ledger.table_of(f"{self.model} {what}", self.ledgers))

    def literature(self, name: str) -> Markdown:
        """A list of networks that the paper has, ours among them, by the name of the list's file.

        Raises
        ------
        LedgerError
            See `hebbarium.ledger.ledger.table_of`.
        """
        return Markdown(ledger.table_of(name, self.ledgers, self.paper.literature))

    def claims(self) -> Markdown:
        """What the paper claims, and whether it holds here.

        Raises
        ------
        ValueError
            No claims of it are held against the ledger.
        """
        if self.paper.claims is None:
            raise ValueError(f"{self.model}: no claims of its paper are held against the ledger")
        return Markdown(claims.table(self.paper.claims.judge(self.rows)))

    def figure(self, table: str, name: str = "") -> Figure:
        """Ours beside the paper's: a table's numbers, or a curve that is drawn of its rows.

        Parameters
        ----------
        table : str
            As the protocol calls it.
        name : str
            Of the curve, where it is not called by the table.

        Raises
        ------
        ValueError
            There is no such figure.
        LedgerError
            There are no rows of the table.
        """
        made = reproduction.drawn(self.paper, table, self.ledgers)
        if (name or table) not in made:
            known = ", ".join(self.paper.tables)
            raise ValueError(f"{self.model}: no figure {name or table} of table {table}; its tables are {known}")
        return made[name or table]

    def of_run(self, name: str, run: Run | None = None) -> Figure:
        """A figure of the paper, such as ``Fig2.svg``, drawn of a run of ours; of none if it needs none.

        Raises
        ------
        ValueError
            There is no such figure, or it needs another number of runs.
        """
        given = [] if run is None else [run.path]
        fit = {known: figure for known, figure in self.paper.figures.items() if len(figure.runs) == len(given)}
        _refuse_unknown(self.model, name, fit)
        return fit[name].draw(dict(zip(fit[name].runs, given, strict=True)))

    def of_trials(self, item: str, name: str, out: Path) -> Figure:
        """A figure of experiments without training, such as ``Fig11.svg`` of ``Fig. 11``; what is there is not redone.

        Parameters
        ----------
        item : str
            Whose experiments are done, as the protocol calls it.
        name : str
            The figure.
        out : Path
            Folder of their result files.

        Raises
        ------
        ValueError
            There is no such figure.
        EngineError
            See `hebbarium.studies.trials.carry_out`.
        """
        _refuse_unknown(self.model, name, self.paper.drawings)
        wanted = [trial for trial in self.paper.trials if trial.item == item]
        return self.paper.drawings[name](trials.carry_out_all(wanted, self.model, out / self.model))


def _refuse_unknown(model: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise ValueError(f"{model}: no such figure as {name} here; expected one of {', '.join(known) or 'none'}")
