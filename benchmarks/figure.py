"""The figure of the benchmarks: who takes how long for an image, and how the cost grows with the network."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from benchmarks.rows import show

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
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        figure.savefig(temporary, format="svg", metadata={"Date": None})
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
