"""What each neuron has learnt to see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from hebbarium.analysis import receptive_fields
from hebbarium.analysis.figures import style


@style.styled
def receptive_field_grid(
    tree: xr.DataTree,
    neurons: Sequence[int] | None = None,
    *,
    projection: str = "",
    shape: tuple[int, int] | None = None,
) -> Figure:
    """Weights from the input to each neuron at the last snapshot, one picture a neuron.

    Parameters
    ----------
    tree
        With ``weights/<projection>``; by default the projection from the input.
    neurons
        Which neurons; by default those of `hebbarium.analysis.receptive_fields.shown_neurons`.
    shape
        Rows and columns of a picture; by default those of `hebbarium.analysis.receptive_fields.shape_of`.
    """
    w = receptive_fields.snapshots(tree, projection).isel(samples_seen=-1)
    total = w.sizes["post"]
    chosen = receptive_fields.shown_neurons(tree) if neurons is None else np.asarray(neurons)
    pictures = receptive_fields.fields(w.isel(post=chosen).values, shape or receptive_fields.shape_of(tree))
    canvas = receptive_fields.grid(pictures)
    columns = round((canvas.shape[1] + 1) / (pictures.shape[2] + 1))
    width = style.COLUMN_MM if columns <= 10 else style.PAGE_MM
    figure = style.new_figure(width, (width - 18) * canvas.shape[0] / canvas.shape[1] + 10)
    axes = figure.add_subplot()
    image = axes.imshow(canvas, cmap=style.WEIGHTS, vmin=min(0.0, float(np.nanmin(canvas))))
    style.as_picture(axes)
    if len(chosen) == total:
        extent = f"{total} neurons"
    elif neurons is None:
        extent = f"the {len(chosen)} most active of {total:,} neurons"
    else:
        extent = f"{len(chosen)} of {total:,} neurons"
    axes.set_xlabel(f"{extent}, {int(w['samples_seen']):,} training images seen")
    figure.colorbar(image, ax=axes, label=style.with_unit("Synaptic weight", w.attrs["units"]), shrink=0.7)
    return figure
