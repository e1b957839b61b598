"""How networks side by side bear noise, lesions and coarse weights."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from hebbarium.analysis.figures import style
from hebbarium.ledger.robustness import UNDISTURBED, DisturbedAnswer

_COLUMNS = 3
_ROW_MM = 52
_LABEL = 36
"""Letters that have room below a panel."""


@style.styled
def robustness_of_networks(
    rows: Sequence[DisturbedAnswer], axes: Mapping[str, tuple[str, str]], chance: float | None = None
) -> Figure:
    """Accuracy by the strength of each perturbation, a panel a perturbation and a line a network.

    Parameters
    ----------
    rows
        Of `hebbarium.ledger.robustness.read`, of one readout a network. Of several draws the mean is shown.
    axes
        Perturbation to the meaning of its levels and their units, in the order of the panels. Those that were not
        measured are left out.
    chance
        Per cent, a dotted line; none if the sets differ in it.

    Raises
    ------
    ValueError
        There are no rows of any of these perturbations.
    """
    measured = [name for name in axes if any(row.perturbation == name for row in rows)]
    if not measured:
        raise ValueError(f"robustness_of_networks: no row is of {', '.join(axes)}; see `hebbarium robustness`")
    columns = min(_COLUMNS, len(measured))
    lines = -(-len(measured) // columns)
    figure = style.new_figure(style.PAGE_MM if columns > 1 else style.COLUMN_MM, 14 + _ROW_MM * lines)
    panels = figure.subplots(lines, columns, squeeze=False, sharey=True).ravel()
    networks = list(dict.fromkeys(row.network for row in rows))
    for panel in panels[len(measured) :]:
        panel.set_axis_off()
    for panel, name in zip(panels, measured, strict=False):
        for index, network in enumerate(networks):
            colour, mark = style.LINES[index % len(style.LINES)]
            own = [row for row in rows if row.network == network]
            levels = sorted({row.level for row in own if row.perturbation == name and row.level is not None})
            means = [
                float(np.mean([row.accuracy for row in own if (row.perturbation, row.level) == (name, level)]))
                for level in levels
            ]
            label = f"{network.model.replace('_', ' ')}, {network.layers}"
            panel.plot(levels, means, color=colour, marker=mark, markerfacecolor="none", label=label)
            for row in own:
                if row.perturbation == UNDISTURBED:
                    panel.axhline(row.accuracy, color=colour, linewidth=0.6, linestyle="--")
        if chance is not None:
            panel.axhline(chance, color=style.GREY, linewidth=0.8, linestyle=":", label="chance")
        meaning, units = axes[name]
        panel.set(xlabel=textwrap.fill(style.with_unit(meaning, units), _LABEL), ylim=(0, 100))
        if panel.get_subplotspec().is_first_col():
            panel.set_ylabel("Accuracy (%)")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=3)
    return figure
