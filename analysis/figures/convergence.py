"""How fast the accuracy on the test images is reached (Hao et al., Fig. 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from hebbarium.analysis.figures import style
from hebbarium.analysis.intervals import CONFIDENCE, t_interval
from hebbarium.record import results

_COLOURS = (style.BLUE, style.VERMILION, style.GREEN, style.PURPLE, style.ORANGE, style.BLACK)
_MARKS = "os^Dvx"


@style.styled
def convergence(
    runs: xr.DataTree | Sequence[xr.DataTree],
    *,
    readouts: Sequence[str] | None = None,
    paper: Mapping[str, float] | None = None,
    confidence: float = CONFIDENCE,
) -> Figure:
    """Test accuracy by training images seen: a line for each readout, the mean over seeds with its t-interval.

    Parameters
    ----------
    runs
        Result trees with ``evaluation/accuracy``, of runs that differ in their seeds. At each number of images
        the mean is over the seeds that were tested there.
    readouts
        Which ones, and in which order; by default all that the first run has.
    paper
        Per cent that the paper reports at the end, by readout: dashed lines.

    Raises
    ------
    ValueError
        Without a run, or if a seed occurs twice.
    KeyError
        If a run has no accuracy, or not by one of the readouts.
    """
    trees = [runs] if isinstance(runs, xr.DataTree) else list(runs)
    tables = [_accuracy(tree) for tree in trees]
    if not tables:
        raise ValueError("There is no run to draw the convergence of.")
    seeds = [int(seed) for table in tables for seed in table["seed"].values]
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds {sorted(seeds)}: a seed occurs twice; expected runs that differ in their seeds.")
    names = [str(name) for name in (tables[0]["readout"].values if readouts is None else readouts)]
    figure = style.new_figure(style.COLUMN_MM, 66)
    axes = figure.add_subplot()
    banded = False
    for index, name in enumerate(names):
        colour = _COLOURS[index % len(_COLOURS)]
        values: dict[int, list[float]] = {}
        for table in tables:
            if name not in table["readout"].values:
                has = ", ".join(map(str, table["readout"].values))
                raise KeyError(f"A run has no accuracy by {name}; it has {has}.")
            for seen, column in zip(table["samples_seen"].values, table.sel(readout=name).values.T, strict=True):
                values.setdefault(int(seen), []).extend(column[np.isfinite(column)])
        seen_at = [seen for seen in sorted(values) if values[seen]]
        intervals = [t_interval(values[seen], confidence) for seen in seen_at]
        axes.plot(
            seen_at, [f.mean for f in intervals], color=colour, marker=_MARKS[index % len(_MARKS)],
            markerfacecolor="none", label=name.replace("_", " "),
        )  # fmt: skip
        if any(f.trials > 1 for f in intervals):
            banded = True
            axes.fill_between(
                seen_at, [f.low for f in intervals], [f.high for f in intervals], color=colour, alpha=0.2, linewidth=0
            )
        if paper and name in paper:
            axes.axhline(
                paper[name], color=colour, linewidth=0.8, linestyle="--", label=f"{name.replace('_', ' ')}, paper"
            )
    counted = f", mean and {100 * confidence:g} % interval of {len(seeds)} seeds" if banded else ""
    axes.set(xlabel="Training images seen", ylabel="Accuracy (%)")
    axes.set_xlim(left=0)
    axes.margins(y=0.1)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    figure.legend(loc="outside upper left", title=f"Test images{counted}", alignment="left", title_fontsize=7)
    return figure


def _accuracy(tree: xr.DataTree) -> xr.DataArray:
    evaluation = tree[results.EVALUATION].to_dataset()
    if "accuracy" not in evaluation:
        raise KeyError("The run's evaluation has no accuracy: it was not tested yet.")
    return evaluation["accuracy"].transpose("seed", "samples_seen", "readout")
