"""Functions that stand for the step by which a neuron fires, and their slopes (Sun, Fig. 16)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hebbarium.analysis.figures import style

_COLOURS = (style.BLUE, style.VERMILION, style.GREEN, style.PURPLE, style.ORANGE, style.SKY)


@style.styled
def surrogates(
    x: NDArray[np.float64],
    functions: Mapping[str, NDArray[np.float64]],
    slopes: Mapping[str, NDArray[np.float64]],
    unit: str,
) -> Figure:
    """Each function over the step that it stands for, and beside them their slopes.

    Parameters
    ----------
    x : (points,)
        How far a potential is above its threshold.
    functions, slopes : mapping of str to (points,)
        By name, in the same order.
    unit : str
        What `x` is counted in.
    """
    figure = style.new_figure(style.PAGE_MM, 66)
    left, right = figure.subplots(1, 2)
    left.plot(x, x > 0, color=style.BLACK, linewidth=0.8, label="step")
    for colour, name in zip(_COLOURS, functions, strict=False):
        left.plot(x, functions[name], color=colour, label=name.replace("_", " "))
        right.plot(x, slopes[name], color=colour)
    left.set(xlabel=f"Potential above threshold ({unit})", ylabel="Function")
    right.set(xlabel=f"Potential above threshold ({unit})", ylabel="Slope")
    left.legend(loc="best")
    return figure
