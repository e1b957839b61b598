"""Tables and figures of the ledgers, made when a page is read: nothing has to be written into it by hand, or again."""

from __future__ import annotations

from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from hebbarium.ledger import ledger
from hebbarium.studies import leaderboard, reproduction

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "results"


class LedgerTable(SphinxDirective):
    """``{ledger} synaptic_scaling IV columns=w_t``: a table, as `hebbarium.ledger.ledger` says what is asked for."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """The table, and what is said below it."""
        what = " ".join(self.arguments[0].split())
        for path in sorted(RESULTS.glob("*.csv")):  # some tables are of several ledgers
            self.env.note_dependency(str(path))
        try:
            table = ledger.table_of(what, RESULTS, reproduction.literature())
        except ledger.LedgerError as error:
            raise self.error(str(error)) from error
        return self.parse_text_to_nodes(table)


class Leaderboard(SphinxDirective):
    """``{leaderboard}``: every rule that the ledgers have, a table a set; see `hebbarium.studies.leaderboard`."""

    def run(self) -> list[nodes.Node]:
        """The tables, and what is said below them."""
        for path in sorted(RESULTS.glob("*.csv")):
            self.env.note_dependency(str(path))
        return self.parse_text_to_nodes(leaderboard.text(RESULTS))


class Drawing(SphinxDirective):
    """``{drawing} timing_backprop_Fig5.svg``: a figure of ``results/figures`` with the text of the block.

    Until its runs were made, the text says that it was not drawn.
    """

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """The figure, or the words that stand for it."""
        (name,), said = self.arguments, " ".join(self.content)
        self.env.note_dependency(str(RESULTS / "figures" / name))
        return self.parse_text_to_nodes(drawing(name, said))


def drawing(name: str, said: str) -> str:
    """The text of `Drawing`."""
    if not (RESULTS / "figures" / name).is_file():
        return f"*{said}: not drawn yet.*"
    return f"![{said}](../../results/figures/{name})"


class SwitchCosts(SphinxDirective):
    """``{switch-costs} diehl_cook switches class_mean``: what each setting of a table costs."""

    required_arguments = 3

    def run(self) -> list[nodes.Node]:
        """A row a setting, the dearest first."""
        model, table, readout = self.arguments
        self.env.note_dependency(str(RESULTS / f"{model}.csv"))
        return self.parse_text_to_nodes(costs(model, table, readout))


def costs(model: str, table: str, readout: str) -> str:
    """The text of `SwitchCosts`."""
    rows = ledger.select(
        ledger.read(RESULTS / f"{model}.csv"), item=ledger.item_of(table), readout=readout, measure=ledger.ACCURACY,
        selection=ledger.LAST,
    )  # fmt: skip
    cells = ledger.summarise(rows)
    differing, _ = ledger.split_names(cells)
    symbols = [name for name in differing if name not in ledger.COLUMNS]
    (usual,) = [cell for cell in cells if not any(name in cell.row.symbols for name in symbols)]
    lines = ["| switched | accuracy (%) | cost in points | seeds |", "| --- | ---: | ---: | ---: |"]
    for cell in sorted(cells, key=lambda cell: cell.mean):
        switched = ", ".join(
            f"`{name}={value}`" for name, value in cell.row.symbols.items() if name in symbols
        )  # fmt: skip
        error = f" ± {cell.error:.2f}" if cell.seeds > 1 else ""
        points = "" if cell is usual else f"{usual.mean - cell.mean:+.1f}".replace("-", "\N{MINUS SIGN}")
        lines.append(f"| {switched or 'nothing'} | {cell.mean:.2f}{error} | {points} | {cell.seeds} |")
    return "\n".join(lines)
