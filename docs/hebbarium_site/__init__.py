"""What the site takes from models, ledgers, scripts and the command line when it is built.

A paper has a page because it has a model: nothing here or in the other pages names one.
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

from hebbarium_site import mathml, pages, tables


def setup(app: Sphinx) -> dict[str, Any]:
    """What Sphinx calls."""
    app.connect("builder-inited", lambda app: pages.write(app.srcdir))
    app.connect("autodoc-process-signature", pages.without_parameters_of_models)
    app.add_directive("drawing", tables.Drawing)
    app.add_directive("leaderboard", tables.Leaderboard)
    app.add_directive("ledger", tables.LedgerTable)
    app.add_directive("switch-costs", tables.SwitchCosts)
    app.add_html_math_renderer("mathml", (mathml.visit_inline, None), (mathml.visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
