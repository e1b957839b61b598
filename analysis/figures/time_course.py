"""Input, potentials and a current of one sample against time (Yamamoto et al., Fig. 2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from hebbarium.analysis.figures import style

Floats = NDArray[np.float64]


@style.styled
def time_course(
    inputs: tuple[ArrayLike, ArrayLike],
    times: ArrayLike,
    potentials: ArrayLike,
    current: ArrayLike,
    spikes: Sequence[ArrayLike],
    outputs: ArrayLike,
    threshold: float,
    label: int,
) -> Figure:
    """Spikes of the input; one hidden neuron, and several; the output neurons.

    Parameters
    ----------
    inputs : (spikes,), (spikes,)
        Times of the input's spikes in ms, and their neurons.
    times : (steps,)
        In ms: when all that follows was read.
    potentials : (neurons, steps)
        Of hidden neurons; the first is shown alone as well.
    current : (steps,)
        Of the first hidden neuron.
    spikes : sequence of (spikes,)
        Times of each hidden neuron's spikes, in ms.
    outputs : (classes, steps)
        Potentials of output neurons.
    threshold : float
        From which a potential falls to zero.
    label : int
        Class of the image, whose output neuron is drawn thick.
    """
    t, hidden = np.asarray(times, float), np.asarray(potentials, float)
    figure = style.new_figure(style.COLUMN_MM, 150)
    first, second, third, last = panels = figure.subplots(4, 1, sharex=True, height_ratios=[1.2, 1.2, 1, 1])
    first.plot(*inputs, linestyle="", marker="o", markersize=1.5, color=style.BLACK)
    first.set_ylabel("Input neuron\n(index)")
    first.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    second.axhline(threshold, color=style.GREY, linestyle="--", linewidth=0.8)
    second.plot(*with_spikes(t, hidden[0], spikes[0], threshold), color=style.BLUE, label="potential")
    second.plot(np.append(0.0, t), np.append(0.0, current), color=style.VERMILION, linestyle=":", label="current")
    _marks(second, spikes[0], threshold)
    second.set_ylabel("One hidden\nneuron")
    second.legend(loc="upper left", bbox_to_anchor=(0, 1.25), ncols=2)
    for potential, at in zip(hidden, spikes, strict=True):
        third.plot(*with_spikes(t, potential, at, threshold), linewidth=0.7)
    third.axhline(threshold, color=style.GREY, linestyle="--", linewidth=0.8)
    third.set_ylabel(f"Potentials of {len(hidden)}\nhidden neurons")
    colours = dict(enumerate(style.CLASSES))
    for neuron, potential in enumerate(np.asarray(outputs, float)):
        last.plot(
            np.append(0.0, t), np.append(0.0, potential), color=colours.get(neuron, style.GREY),
            linewidth=2.2 if neuron == label else 0.9,
        )  # fmt: skip
        last.text(1.01, potential[-1], str(neuron), transform=last.get_yaxis_transform(), va="center", fontsize=6)
    last.set_ylabel("Potentials of\noutput neurons")
    last.set_xlim(0, t[-1])
    last.set_xlabel("Time (ms)")
    figure.align_ylabels(panels)
    return figure


def with_spikes(times: ArrayLike, potential: ArrayLike, spikes: ArrayLike, threshold: float) -> tuple[Floats, Floats]:
    """Times and values of a line that begins at zero, and rises to the threshold and falls to zero at each spike."""
    t, v, s = (np.asarray(given, float) for given in (times, potential, spikes))
    at = np.concatenate([[0.0], t, s, s])
    values = np.concatenate([[0.0], v, np.full(len(s), threshold), np.zeros(len(s))])
    # at a spike's time: what was read before it, the threshold, zero
    order = np.lexsort((np.repeat([0, 1, 2], [1 + len(t), len(s), len(s)]), at))
    return at[order], values[order]


def _marks(axes: Axes, spikes: ArrayLike, threshold: float) -> None:
    at = np.asarray(spikes, float)
    axes.plot(at, np.full(len(at), threshold), linestyle="", marker="v", markersize=4, color=style.BLUE)
