"""One neuron's potential, and one synapse's trace, over the steps of a sample (Gerlinghoff et al., Figs. 1 and 2)."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from hebbarium.analysis.figures import style

_COLOURS = {1: style.BLUE, -1: style.VERMILION}


@style.styled
def membrane_example(
    potential: ArrayLike, threshold: float, fired: ArrayLike, inputs: ArrayLike, weights: ArrayLike
) -> Figure:
    """Spikes of some inputs, the potential that all inputs move, and the spikes it causes.

    Parameters
    ----------
    potential, fired : (steps,)
        The potential after each step's inputs, before a spike lowers it; 0 or 1.
    threshold : float
    inputs : (inputs, steps)
        0 or 1.
    weights : (inputs,)
        Of these inputs.
    """
    p, s, w = np.asarray(potential), np.asarray(fired), np.asarray(weights)
    trains = np.asarray(inputs)
    figure = style.new_figure(style.COLUMN_MM, 82)
    top, middle, bottom = figure.subplots(3, 1, sharex=True, height_ratios=[1.5, 2.6, 0.5])
    for row, (train, weight) in enumerate(zip(trains, w, strict=True)):
        colour = _COLOURS[1] if weight > 0 else _COLOURS[-1]
        top.vlines(np.flatnonzero(train), row - 0.38, row + 0.38, color=colour, linewidth=1.4)
    top.set_yticks(range(len(w)), [f"{weight:+.2f}".replace("-", "−") for weight in w])
    top.set_ylabel("Inputs\n(weight)")
    top.set_ylim(len(w) - 0.4, -0.6)
    steps = np.arange(len(p))
    # a spike takes the threshold off: drawn as the fall that it is
    middle.axhline(threshold, color=style.GREY, linestyle="--", linewidth=0.8)
    middle.text(1.01, threshold, "threshold", transform=middle.get_yaxis_transform(), va="center", color=style.GREY,
                fontsize=7)  # fmt: skip
    middle.axhline(0, color=style.GREY, linewidth=0.5)
    middle.plot(np.repeat(steps, 2), np.stack([p, p - threshold * s], axis=1).ravel(), color=style.BLACK, linewidth=0.8)
    middle.plot(steps, p, linestyle="", marker="o", markersize=3, color=style.BLACK)
    middle.plot(steps[s > 0], p[s > 0], linestyle="", marker="o", markersize=4.5, color=style.BLUE)
    middle.set_ylabel("Potential")
    _spikes(bottom, s, style.BLUE)
    bottom.set_ylabel("Spikes", rotation=0, ha="right", va="center")
    _steps(bottom, len(p))
    figure.align_ylabels([top, middle])
    return figure


@style.styled
def stdp_example(
    before: ArrayLike, trace: ArrayLike, after: Mapping[int, ArrayLike], change: Mapping[int, ArrayLike]
) -> Figure:
    """Spikes and trace of an input, spikes of two neurons with opposite desires, and what becomes of their weights.

    Parameters
    ----------
    before, trace : (steps,)
        0 or 1; the trace.
    after, change : mapping of int to (steps,)
        By desire, +1 and -1: spikes of the neuron, and the change of its weight by the end of each step.
    """
    r = np.asarray(trace)
    figure = style.new_figure(style.COLUMN_MM, 96)
    panels = figure.subplots(3 + len(after), 1, sharex=True, height_ratios=[0.45, 1.3, *[0.45] * len(after), 1.8])
    _spikes(panels[0], np.asarray(before), style.BLACK)
    panels[0].set_ylabel("Input", rotation=0, ha="right", va="center")
    panels[1].step(np.arange(len(r) + 1), np.append(r, r[-1]), where="post", color=style.BLACK)
    panels[1].set_ylabel("Trace")
    panels[1].set_ylim(0, None)
    for axes, (sign, train) in zip(panels[2:-1], after.items(), strict=True):
        _spikes(axes, np.asarray(train), _COLOURS[sign])
        axes.set_ylabel(f"Desire {_signed(sign)}", rotation=0, ha="right", va="center")
    last = panels[-1]
    largest = max(float(np.abs(np.asarray(total)).max()) for total in change.values())
    exponent = math.floor(math.log10(largest)) if largest else 0
    last.axhline(0, color=style.GREY, linewidth=0.5)
    for sign, total in change.items():
        values = np.asarray(total) / 10.0**exponent
        last.step(np.arange(len(values) + 1), np.append(values, values[-1]), where="post", color=_COLOURS[sign])
    last.set_ylabel(f"Change of\nweight ($10^{{{exponent}}}$)")
    _steps(last, len(r))
    figure.align_ylabels([panels[1], last])
    return figure


def _signed(number: int) -> str:
    return f"{number:+d}".replace("-", "−")


def _spikes(axes: Axes, train: np.ndarray, colour: str) -> None:
    axes.vlines(np.flatnonzero(train), 0, 1, color=colour, linewidth=1.6)
    axes.set_yticks([])
    axes.set_ylim(0, 1.1)
    axes.spines["left"].set_visible(False)


def _steps(axes: Axes, steps: int) -> None:
    axes.set_xlim(-0.6, steps - 0.2)
    axes.set_xlabel("Time step")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
