"""How receptive fields form (Touda & Okuno, Fig. 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hebbarium.analysis import receptive_fields
from hebbarium.analysis.figures import style

MOST_COLUMNS = 8


@style.styled
def weight_time_lapse(
    trees: xr.DataTree | Mapping[str, xr.DataTree],
    neurons: Sequence[int] | None = None,
    *,
    each: int = 3,
    projection: str = "",
    shape: tuple[int, int] | None = None,
) -> Figure:
    """Receptive fields of some neurons (rows) after more and more training images (columns).

    All pictures share one scale, so that runs can be compared, as the paper does with its L1 and L2 runs.

    Parameters
    ----------
    trees
        A run, or several with what to call them; each with the same snapshots in ``weights/<projection>``,
        by default the projection from the input.
    neurons
        Which neurons of each; by default those of `hebbarium.analysis.receptive_fields.representatives`.
    each
        How many of these, at most three.
    shape
        Rows and columns of a picture; by default those of `hebbarium.analysis.receptive_fields.shape_of`.
    """
    runs = trees if isinstance(trees, Mapping) and not isinstance(trees, xr.DataTree) else {"": trees}
    rows: list[tuple[str, int, NDArray[np.floating]]] = []
    seen: NDArray[np.int64] | None = None
    units = "1"
    for name, tree in runs.items():
        w = receptive_fields.snapshots(tree, projection)
        w = w.isel(samples_seen=_spread(w.sizes["samples_seen"]))
        if seen is not None and not np.array_equal(seen, w["samples_seen"].values):
            raise ValueError(f"The snapshots of {name!r} were not taken after the same numbers of images.")
        seen, units = w["samples_seen"].values, w.attrs["units"]
        chosen = receptive_fields.representatives(tree)[:each] if neurons is None else np.asarray(neurons)
        for neuron in chosen:
            pictures = receptive_fields.fields(
                w.sel(post=neuron).values.T, shape or receptive_fields.shape_of(tree)
            )
            rows.append((name, int(neuron), pictures))
    if seen is None:
        raise ValueError("weight_time_lapse was given no run.")
    limits = {
        "vmin": min(0.0, *(float(row.min()) for *_, row in rows)),
        "vmax": max(float(row.max()) for *_, row in rows),
    }
    cell = min(20.0, (style.PAGE_MM - 34) / len(seen))
    figure = style.new_figure(max(cell * len(seen) + 34, style.COLUMN_MM), cell * len(rows) + 14)
    grid = figure.subplots(len(rows), len(seen), squeeze=False)
    for (name, neuron, row), line in zip(rows, grid, strict=True):
        for column, axes in enumerate(line):
            image = axes.imshow(row[column], cmap=style.WEIGHTS, **limits)
            style.as_picture(axes)
        label = f"neuron {neuron}"
        line[0].set_ylabel(f"{name}\n{label}" if name else label, rotation=0, ha="right", va="center")
    for axes, number in zip(grid[0], seen, strict=True):
        axes.set_title(f"{number:,}")
    figure.suptitle("Training images seen", fontsize=8)
    figure.colorbar(image, ax=grid, label=style.with_unit("Synaptic weight", units), shrink=0.9, pad=0.02)
    return figure


def _spread(count: int) -> NDArray[np.int64]:
    """At most `MOST_COLUMNS` snapshots: the first, the last, and denser where fields still change fast."""
    if count <= MOST_COLUMNS:
        return np.arange(count)
    return np.unique(np.geomspace(1, count, MOST_COLUMNS).round().astype(np.int64)) - 1
