"""The figures of the benchmarks: who takes how long for an image, and how the cost grows with the network."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.hidden_size import ALL, COMES, PROCESSES, UPDATE, UPPER, Growth
from benchmarks.rows import exponent, show
from hebbarium.analysis.figures import style

OURS, OTHERS = "#0072b2", "#999999"  # told apart in grey as well


def draw(
    path: Path,
    sides: Mapping[str, float],
    ours: Sequence[str],
    sizes: Mapping[int, float],
    power: float | None,
) -> None:
    """Write an SVG.

    Parameters
    ----------
    sides : dict of float
        ms an image by name of the side, at N = 400.
    ours : sequence of str
        Which of them are ours.
    sizes : dict of float
        ms an image by number of neurons; no second panel if empty.
    power : float, optional
        Exponent of the fit to them.
    """
    figure = Figure(figsize=(9 if sizes else 5.5, 3.2), layout="constrained")
    panels = figure.subplots(1, 2 if sizes else 1, squeeze=False, width_ratios=[3, 2] if sizes else [1])[0]
    bars = panels[0]
    names = sorted(sides, key=lambda name: sides[name])
    drawn = bars.barh(names, [sides[n] for n in names], color=[OURS if n in ours else OTHERS for n in names])
    bars.bar_label(drawn, [show(sides[n]) for n in names], padding=3, fontsize=8)
    bars.set(xscale="log", xlabel="ms an image of 150 ms", title="Training, N = 400")
    bars.set_xlim(min(sides.values()) / 2, max(sides.values()) * 4)
    bars.invert_yaxis()
    if sizes:
        growth = panels[1]
        x, y = np.array(list(sizes)), np.array(list(sizes.values()))
        growth.loglog(x, y, "o", color=OURS, label="measured")
        if power is not None:
            middle = np.exp(np.log(y).mean() - power * np.log(x).mean())
            growth.loglog(x, middle * x**power, "-", color=OURS, lw=1, label=f"power {power:.2f}")
        growth.loglog(x, y[0] * x / x[0], ":", color="black", lw=1, label="linear")
        growth.set(xlabel="excitatory neurons N", ylabel="ms an image", title="Growth, float32")
        growth.set_xticks(x, [str(n) for n in x], minor=False)
        growth.minorticks_off()
        growth.legend(frameon=False, fontsize=8)
    for panel in panels:
        panel.spines[["top", "right"]].set_visible(False)
    _write(figure, path)


@style.styled
def _growth_with_hidden_layer(full: Growth, comes: Growth) -> Figure:
    figure = style.new_figure(style.PAGE_MM, 76)
    times, memory = figure.subplots(1, 2)
    looks = zip(PROCESSES, ("o", "s", "^"), (style.BLUE, style.VERMILION, style.GREEN), strict=True)
    for process, mark, colour in looks:
        _line(times, {n: 1e3 * s for n, s in full.seconds[process].items()}, mark, colour, process)
    fewer = {n: 1e3 * s for n, s in comes.seconds[UPDATE].items()}
    times.plot(list(fewer), list(fewer.values()), "x:", color=style.GREEN, linewidth=0.8, label=f"{UPDATE}, {COMES}")
    _line(memory, {n: m / 1e6 for n, m in full.memory.items()}, "D", style.BLACK, "peak memory")
    times.set(ylabel=style.with_unit("Time of an image", "ms"))
    memory.set(ylabel=style.with_unit("Memory", "MB"))
    for panel in (times, memory):
        panel.set(xscale="log", yscale="log", xlabel="Hidden neurons H")
        panel.set_ylim(top=10 * panel.get_ylim()[1])  # room for the legend
        panel.legend(title=f"{ALL}; power for H ≥ {UPPER:,}", title_fontsize=7, alignment="left", loc="upper left")
    return figure


def _line(axes: Axes, costs: Mapping[int, float], mark: str, colour: str, name: str) -> None:
    """Costs as marks; the power law of the upper sizes as a line over these."""
    axes.plot(list(costs), list(costs.values()), mark, color=colour, markerfacecolor="none")
    upper = {size: cost for size, cost in costs.items() if size >= UPPER}
    if len(upper) < 2:
        axes.plot([], [], mark, color=colour, markerfacecolor="none", label=name)
        return
    x, y = np.array(list(upper), float), np.array(list(upper.values()))
    power = exponent(list(x), list(y))
    middle = np.exp(np.log(y).mean() - power * np.log(x).mean())
    axes.plot(x, middle * x**power, color=colour, linewidth=1)
    axes.plot([], [], mark, color=colour, linestyle="-", markerfacecolor="none", label=f"{name}: {power:.2f}")


def draw_hidden_size(path: Path, growth: Mapping[str, Growth]) -> None:
    """Write an SVG of what a sample of desire backpropagation costs by the size of its hidden layer.

    Parameters
    ----------
    growth : dict of Growth
        By condition. Of `COMES` only the update is drawn: nothing else differs.
    """
    _write(_growth_with_hidden_layer(growth[ALL], growth[COMES]), path)


def _write(figure: Figure, path: Path) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        figure.savefig(temporary, format="svg", metadata={"Date": None})
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
