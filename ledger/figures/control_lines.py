"""Controls in figures of accuracies: grey lines at what they reach."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from hebbarium.analysis.figures import style
from hebbarium.ledger.controls import name_of
from hebbarium.ledger.tables import Mean

_DASHES = ((0, (5, 2)), (0, (1, 1.5)), (0, (4, 1.5, 1, 1.5)))


def draw_controls(axes: Axes, controls: Sequence[Mean], *, across: bool) -> None:
    """Draw lines at controls, named for the legend.

    Parameters
    ----------
    axes : Axes
    controls : sequence of Mean
        Of one set.
    across : bool
        Whether accuracy goes up, so that lines lie across.
    """
    for index, control in enumerate(controls):
        line = axes.axhline if across else axes.axvline
        label = f"control: {name_of(control)}, {control.mean:.1f}"
        line(control.mean, color=style.GREY, linewidth=0.9, linestyle=_DASHES[index % len(_DASHES)], label=label)
