"""Weights from the input as pictures."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from engine import results

IMAGE_SHAPE = (28, 28)
SHOW_ALL_UP_TO = 400
SHOWN_OF_MORE = 100


def fields(w: ArrayLike, shape: tuple[int, int] = IMAGE_SHAPE) -> NDArray[Any]:
    """Weights of a projection as one image a neuron.

    Parameters
    ----------
    w : (pre, post)
        Weights; the presynaptic neurons are the pixels of an image, row by row.
    shape
        Rows and columns of the image.

    Returns
    -------
    (post, rows, columns)
    """
    weights = np.asarray(w)
    if weights.ndim != 2 or weights.shape[0] != shape[0] * shape[1]:
        raise ValueError(
            f"w has shape {weights.shape}; expected ({shape[0] * shape[1]}, neurons) for images of "
            f"{shape[0]} × {shape[1]} pixels."
        )
    return weights.T.reshape(-1, *shape)


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


def shown_neurons(tree: xr.DataTree, population: str = results.EXCITATORY) -> NDArray[np.int64]:
    """Neurons worth a place in a grid.

    All of them up to 400, in their own order; of a larger network the 100 that fired most while training, the
    most active first and the lower index first among equals. Without training responses the first 100.
    """
    w = snapshots(tree)
    n_neurons = w.sizes["post"]
    if n_neurons <= SHOW_ALL_UP_TO:
        return np.arange(n_neurons)
    path = f"{results.ACTIVITY}/{population}"
    if path not in {group.strip("/") for group in tree.groups}:
        return np.arange(SHOWN_OF_MORE)
    spikes = tree[path].to_dataset()["spike_count"].values.sum(axis=0, dtype=np.int64)
    return np.argsort(-spikes, kind="stable")[:SHOWN_OF_MORE]


def snapshots(tree: xr.DataTree, projection: str = results.INPUT_TO_EXCITATORY) -> xr.DataArray:
    """``w(samples_seen, pre, post)`` of a projection, not read yet.

    Raises
    ------
    KeyError
        If the run kept no snapshot of it.
    """
    path = f"{results.WEIGHTS}/{projection}"
    if path not in {group.strip("/") for group in tree.groups}:
        raise KeyError(f"The run has no {path}: no snapshot of these weights was kept.")
    return tree[path].to_dataset()["w"]
