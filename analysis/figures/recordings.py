"""The courses of variables that a run was asked to record."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hebbarium.analysis.figures import style
from hebbarium.record import results

MOST_LINES = 12
"""Neurons or synapses drawn as lines; of more, the course of each is a row of a picture."""
MOST_PANELS = 12


@style.styled
def recordings(tree: xr.DataTree) -> Figure:
    """A panel for each recording, against time; presentations follow one another, with a line between them.

    Raises
    ------
    KeyError
        The run recorded nothing.
    """
    if f"/{results.RECORDED}" not in tree.groups or not tree[results.RECORDED].children:
        raise KeyError("The run has no recordings; expected one made with --record.")
    groups = [node.to_dataset() for node in tree[results.RECORDED].children.values()][:MOST_PANELS]
    figure = style.new_figure(style.PAGE_MM, 45.0 * len(groups) + 8)
    for axes, group in zip(figure.subplots(len(groups), 1, squeeze=False)[:, 0], groups, strict=True):
        _panel(axes, group)
    return figure


def _panel(axes: Axes, group: xr.Dataset) -> None:
    value, time = group["value"], group["time"].values
    presentations, steps = value.shape[:2]
    course = value.values.reshape(presentations * steps, -1)
    step = float(time[1] - time[0]) if steps > 1 else 1.0
    along = time[0] + step * np.arange(len(course))
    label = style.with_unit(value.attrs["long_name"], value.attrs["units"])
    if course.shape[1] <= MOST_LINES:
        axes.plot(along, course, linewidth=0.8)
        axes.set_ylabel(label)
    else:
        image = axes.imshow(
            course.T, aspect="auto", cmap=style.WEIGHTS, origin="lower",
            extent=(along[0], along[-1] + step, -0.5, course.shape[1] - 0.5),
        )  # fmt: skip
        axes.set_ylabel("Neuron or synapse\n(of those recorded)")
        axes.figure.colorbar(image, ax=axes, label=label)
    for border in range(1, presentations):
        axes.axvline(time[0] + border * steps * step, color=style.GREY, linestyle=":", linewidth=0.8)
    axes.set(xlabel="Time (ms)", title=group.attrs["asked"])
