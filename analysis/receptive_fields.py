"""Weights from the input as pictures."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hebbarium.record import results

SHOW_ALL_UP_TO = 400
SHOWN_OF_MORE = 100


def fields(w: ArrayLike, shape: tuple[int, int] | None = None) -> NDArray[Any]:
    """Weights of a projection as one image a neuron.

    Parameters
    ----------
    w : (pre, post)
        Weights; the presynaptic neurons are the pixels of an image, row by row.
    shape
        Rows and columns of the image; by default it is square.

    Returns
    -------
    (post, rows, columns)

    Raises
    ------
    ValueError
        If the presynaptic neurons do not fill an image of that shape.
    """
    weights = np.asarray(w)
    if weights.ndim != 2:
        raise ValueError(f"w has shape {weights.shape}; expected (pre, post).")
    rows, columns = shape or (math.isqrt(len(weights)),) * 2
    if len(weights) != rows * columns:
        expected = f"an image of {rows} × {columns} pixels" if shape else "a square image; say its shape"
        raise ValueError(f"w has {len(weights)} presynaptic neurons; these do not fill {expected}.")
    return weights.T.reshape(-1, rows, columns)


def grid(images: ArrayLike, columns: int | None = None, gap: int = 1) -> NDArray[np.float64]:
    """Many images as one, in rows from the top left.

    Parameters
    ----------
    images : (image, rows, columns)
        The images, all of one size.
    columns
        Images in a row; by default the grid is as square as it can be.
    gap
        Pixels between images.

    Returns
    -------
    (rows, columns)
        NaN in gaps and in cells left over.

    Examples
    --------
    >>> grid([[[1.0]], [[2.0]], [[3.0]]], columns=2)
    array([[ 1., nan,  2.],
           [nan, nan, nan],
           [ 3., nan, nan]])
    """
    tiles = np.asarray(images, dtype=float)
    if tiles.ndim != 3 or not len(tiles):
        raise ValueError(
            f"images has shape {tiles.shape}; expected (image, rows, columns), one image at least."
        )
    count, height, width = tiles.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    canvas = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap), np.nan)
    for number, tile in enumerate(tiles):
        top, left = (number // columns) * (height + gap), (number % columns) * (width + gap)
        canvas[top : top + height, left : left + width] = tile
    return canvas


def shape_of(tree: xr.DataTree) -> tuple[int, int] | None:
    """Rows and columns of the pictures of a run: as its images have, or square; None if neither fits."""
    pixels = snapshots(tree).sizes["pre"]
    side = math.isqrt(pixels)
    for rows, columns in filter(None, (results.image_shape(tree), (side, side))):
        if rows * columns == pixels:
            return rows, columns
    return None


def from_input(tree: xr.DataTree) -> str:
    """The projection that begins at the input, whatever the lowest layer of the network is called."""
    projections = tree[results.WEIGHTS].children if f"/{results.WEIGHTS}" in tree.groups else ()
    begin = f"{results.INPUT}_to_"
    return next((str(name) for name in projections if str(name).startswith(begin)), results.INPUT_TO_EXCITATORY)


def _lowest(tree: xr.DataTree) -> str:
    return from_input(tree).removeprefix(f"{results.INPUT}_to_")


def shown_neurons(tree: xr.DataTree, population: str = "") -> NDArray[np.int64]:
    """Neurons worth a place in a grid, of the population that the input projects to unless another is named.

    All of them up to 400, in their own order; of a larger network the 100 that fired most while training, the
    most active first and the lower index first among equals. Without training responses the first 100.
    """
    w = snapshots(tree)
    n_neurons = w.sizes["post"]
    if n_neurons <= SHOW_ALL_UP_TO:
        return np.arange(n_neurons)
    return _by_activity(tree, n_neurons, population or _lowest(tree))[:SHOWN_OF_MORE]


def representatives(tree: xr.DataTree, count: int = 3, population: str = "") -> NDArray[np.int64]:
    """A few neurons that stand for the rest: the most active one of each of the first `count` classes.

    Where neurons have no labels, or fewer classes than that, the most active of the others follow. The population
    is the one that the input projects to, unless another is named.
    """
    population = population or _lowest(tree)
    order = _by_activity(tree, snapshots(tree).sizes["post"], population)
    chosen: list[int] = []
    labelled = population == results.EXCITATORY and f"/{results.EVALUATION}" in tree.groups
    if labelled and (labels := results.neuron_label(tree)) is not None:
        for c in np.unique(labels[labels >= 0])[:count]:
            chosen.append(int(order[labels[order] == c][0]))
    chosen += [int(neuron) for neuron in order if neuron not in chosen][: count - len(chosen)]
    return np.array(chosen)


def _by_activity(tree: xr.DataTree, n_neurons: int, population: str) -> NDArray[np.int64]:
    """Neurons from the most active to the least, by all their spikes while training if these were kept."""
    path = f"{results.ACTIVITY}/{population}"
    if f"/{path}" not in tree.groups:
        return np.arange(n_neurons)
    spikes = tree[path].to_dataset()["spike_count"].values.sum(axis=0, dtype=np.int64)
    return np.argsort(-spikes, kind="stable")


def snapshots(tree: xr.DataTree, projection: str = "") -> xr.DataArray:
    """``w(samples_seen, pre, post)`` of a projection, of the one from the input unless named; not read yet.

    Raises
    ------
    KeyError
        If the run kept no snapshot of it.
    """
    path = f"{results.WEIGHTS}/{projection or from_input(tree)}"
    if f"/{path}" not in tree.groups:
        raise KeyError(f"The run has no {path}: no snapshot of these weights was kept.")
    return tree[path].to_dataset()["w"]
