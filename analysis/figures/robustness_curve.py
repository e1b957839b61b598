"""Accuracy of a trained network that is disturbed."""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from hebbarium.analysis.figures import style
from hebbarium.analysis.intervals import CONFIDENCE, t_interval


@style.styled
def robustness_curve(measured: xr.Dataset) -> Figure:
    """Accuracy by the strength of a perturbation, a line for each readout.

    Parameters
    ----------
    measured
        ``accuracy(seed, level, readout)`` and ``unperturbed(readout)``, per cent; the level's ``long_name`` and
        ``units`` name its axis. Several seeds give the mean with its t-interval. The attribute ``chance``, per
        cent, is a dotted line.
    """
    figure = style.new_figure(style.COLUMN_MM, 66)
    axes = figure.add_subplot()
    level = measured["level"]
    seeds = measured.sizes["seed"]
    for index, name in enumerate(measured["readout"].values):
        colour, mark = style.LINES[index % len(style.LINES)]
        values = measured["accuracy"].sel(readout=name).transpose("level", "seed").values
        intervals = [t_interval(list(row)) for row in values]
        long_name = str(name).replace("_", " ")
        axes.plot(
            level, [f.mean for f in intervals], color=colour, marker=mark, markerfacecolor="none", label=long_name
        )
        if seeds > 1:
            axes.fill_between(
                level, [f.low for f in intervals], [f.high for f in intervals], color=colour, alpha=0.2, linewidth=0
            )
        axes.axhline(
            float(measured["unperturbed"].sel(readout=name)), color=colour, linewidth=0.8, linestyle="--",
            label=f"{long_name}, undisturbed",
        )  # fmt: skip
    axes.axhline(measured.attrs["chance"], color=style.GREY, linewidth=0.8, linestyle=":", label="chance")
    axes.set(
        xlabel=style.with_unit(level.attrs["long_name"], level.attrs["units"]), ylabel="Accuracy (%)", ylim=(0, 100)
    )
    counted = f", mean and {100 * CONFIDENCE:g} % interval of {seeds} draws" if seeds > 1 else ""
    figure.legend(
        loc="outside upper left", ncols=2, title=f"{measured.attrs['images']:,} images{counted}",
        alignment="left", title_fontsize=7,
    )  # fmt: skip
    return figure
