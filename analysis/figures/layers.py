"""Layers while they learn: local losses, activity by class, and what each input contributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator
from numpy.typing import ArrayLike, NDArray

from hebbarium.analysis.figures import style

COLOURS = (style.BLUE, style.GREEN, style.VERMILION, style.PURPLE, style.ORANGE)
WIDE = 200
"""How many times as far as the first snapshot the last may be for an axis that is not logarithmic."""
_MOST_CLASSES = 30


@style.styled
def local_losses(samples_seen: ArrayLike, losses: Mapping[str, ArrayLike], accuracy: ArrayLike) -> Figure:
    """Local loss a neuron in each layer, and accuracy, after more and more training images.

    Parameters
    ----------
    samples_seen : (snapshots,)
    losses : mapping of str to (snapshots,)
        By layer: the mean over neurons and images.
    accuracy : (snapshots,)
        Per cent.
    """
    figure = style.new_figure(style.COLUMN_MM, 66)
    axes = figure.add_subplot()
    right = axes.twinx()
    right.plot(samples_seen, accuracy, color=style.GREY, linestyle="--", label="accuracy (right)")
    for (name, loss), colour in zip(losses.items(), COLOURS, strict=False):
        axes.plot(samples_seen, loss, color=colour, marker=".", label=name.replace("_", " "))
    axes.set(xlabel="Training images seen", ylabel="Local loss a neuron", ylim=(0, None))
    right.set(ylabel="Accuracy (%)", ylim=(0, 100))
    right.spines["right"].set_visible(True)
    seen = np.asarray(samples_seen)
    first = min(seen[seen > 0], default=1)
    if seen.max() > WIDE * first:  # snapshots come ever further apart: what happens early would be one line
        axes.set_xscale("symlog", linthresh=first, linscale=0.5)
        decades = np.floor(np.log10(seen.max()) - np.arange(0, np.log10(seen.max() / first), 2))
        axes.xaxis.set_major_locator(FixedLocator([0, *(10.0**decades)]))
        axes.xaxis.set_minor_locator(FixedLocator([]))
        axes.set_xlim(-0.1 * first, 1.5 * seen.max())
    else:
        axes.locator_params(axis="x", nbins=4)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    figure.legend(loc="outside upper left", ncols=2)
    return figure


@style.styled
def activity_by_class(
    samples_seen: Sequence[int], activity: Mapping[str, NDArray[np.floating]], class_names: Sequence[str] | None = None
) -> Figure:
    """Spikes of some neurons of each layer (rows of panels) for each class (columns), over the snapshots.

    Of many classes, only the first have room.

    Parameters
    ----------
    samples_seen : (snapshots,)
    activity : mapping of str to (snapshots, classes, neurons)
        By layer: spikes as a share of the steps of a sample.
    """
    layers = list(activity)
    all_classes = next(iter(activity.values())).shape[1]
    classes = min(all_classes, _MOST_CLASSES)
    heights = [activity[name].shape[2] for name in layers]
    figure = style.new_figure(style.PAGE_MM, 22 + 1.9 * sum(heights))
    panels = figure.subplots(len(layers), classes, squeeze=False, height_ratios=heights, sharex=True)
    image = None
    for row, name in zip(panels, layers, strict=True):
        for number, axes in enumerate(row):
            image = axes.imshow(
                activity[name][:, number].T, aspect="auto", interpolation="nearest", cmap=style.WEIGHTS, vmin=0, vmax=1
            )
            axes.set_yticks([])
            axes.set_xticks([0, len(samples_seen) - 1], [f"{samples_seen[0]:,}", f"{samples_seen[-1]:,}"])
            axes.tick_params(axis="x", rotation=90)
        row[0].set_ylabel(f"{name.replace('_', ' ')}\n{activity[name].shape[2]} neurons")
    for number, axes in enumerate(panels[0]):
        axes.set_title(class_names[number] if class_names else f"class {number}")
    first = f" (first {classes} of {all_classes} classes)" if all_classes > classes else ""
    figure.supxlabel(f"Training images seen{first}")
    assert image is not None
    figure.colorbar(image, ax=panels, label="Spikes a step", shrink=0.6)
    return figure


@style.styled
def contributions(contribution: NDArray[np.floating], bin_size: int) -> Figure:
    """How each input neuron serves the desires of the next layer, over the first training images.

    Parameters
    ----------
    contribution : (bins, inputs)
        Mean over the images of a bin; positive where the input's spikes do what is desired.
    bin_size : int
        Images a bin.
    """
    figure = style.new_figure(style.COLUMN_MM, 80)
    axes = figure.add_subplot()
    largest = float(np.abs(contribution).max()) or 1.0
    image = axes.imshow(
        contribution.T, aspect="auto", interpolation="nearest", cmap="RdBu", vmin=-largest, vmax=largest,
        extent=(0, len(contribution) * bin_size, contribution.shape[1], 0),
    )  # fmt: skip
    axes.set(xlabel="Training images seen", ylabel="Input neuron (index)")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    figure.colorbar(image, ax=axes, label="Contribution to desires")
    return figure
