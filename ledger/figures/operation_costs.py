"""What a sample costs each network, beside a conventional network of the same layers."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from hebbarium.analysis.figures import style
from hebbarium.ledger.operations import PROCESSES, SampleCost

_COLOURS = dict(zip(PROCESSES, (style.BLUE, style.ORANGE, style.VERMILION), strict=True))
_HEIGHT = 0.38


@style.styled
def operation_costs(rows: Sequence[SampleCost]) -> Figure:
    """Estimated energy of a sample by process, in testing and in training, each network above its conventional one.

    Parameters
    ----------
    rows
        Of `hebbarium.ledger.operations.read`.

    Raises
    ------
    ValueError
        There are no rows.
    """
    if not rows:
        raise ValueError("operation_costs: there are no rows; expected those of `hebbarium operations`")
    phases = [(title, part) for title, part in (("Testing", [row for row in rows if not row.learns]),
                                                ("Training", [row for row in rows if row.learns])) if part]  # fmt: skip
    figure = style.new_figure(style.PAGE_MM, 26 + 12 * max(len(part) for _, part in phases))
    panels = figure.subplots(1, len(phases), squeeze=False)[0]
    for axes, (title, part) in zip(panels, phases, strict=True):
        _draw(axes, part)
        axes.set_title(title)
        axes.set_xlabel("Estimated energy of a sample (µJ)")
    handles = [Patch(facecolor=colour, label=process) for process, colour in _COLOURS.items()]
    handles.append(Patch(facecolor="white", edgecolor=style.GREY, hatch="/////", label="conventional network"))
    figure.legend(handles=handles, loc="outside upper left", ncols=4)
    return figure


def _draw(axes: Axes, rows: Sequence[SampleCost]) -> None:
    highest = 0.0
    for number, row in enumerate(rows):
        for place, energies, hatch in (
            (number - _HEIGHT / 2, [row.energy(process) / 1000 for process in PROCESSES], None),
            (number + _HEIGHT / 2, [row.conventional_energy(process) / 1000 for process in PROCESSES], "/////"),
        ):
            left = 0.0
            for energy, colour in zip(energies, _COLOURS.values(), strict=True):
                if not energy:
                    continue  # of a bar without width the edge would be seen
                axes.barh(
                    place, energy, _HEIGHT, left=left, color="white" if hatch else colour, edgecolor=colour,
                    hatch=hatch, linewidth=0.7,
                )  # fmt: skip
                left += energy
            axes.annotate(f"{left:.2g}", (left, place), (3, 0), textcoords="offset points", va="center", fontsize=7)
            highest = max(highest, left)
    names = [f"{row.network.model.replace('_', ' ')}\n{row.network.layers}" + (f"\n{row.phase.replace('_', ' ')}"
             if row.phase not in ("test", "train") else "") for row in rows]  # fmt: skip
    axes.set_yticks(range(len(rows)), names)
    axes.set_xlim(0, 1.15 * highest)
    axes.invert_yaxis()
