"""Tables of the ledgers, made when a page is read: nothing has to be written into a page by hand, or again."""

from __future__ import annotations

from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from hebbarium.ledger import ledger

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "results"


class LedgerTable(SphinxDirective):
    """``{ledger} synaptic_scaling IV columns=w_t``: a table, as `hebbarium.ledger.ledger` says what is asked for."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """The table, and what is said below it."""
        what = " ".join(self.arguments[0].split())
        self.env.note_dependency(str(RESULTS / f"{what.split()[0]}.csv"))
        try:
            table = ledger.table_of(what, RESULTS)
        except ledger.LedgerError as error:
            raise self.error(str(error)) from error
        return self.parse_text_to_nodes(table)
