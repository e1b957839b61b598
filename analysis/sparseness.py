"""How few neurons answer an image.

"No more than 10 neurons usually responded to an input pattern in the hidden layer" (Hao et al., Section 7): the
reason they give why a linear map from the hidden to the class layer is enough.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hebbarium.analysis.labels import responses_of
from hebbarium.record import results

FEW = 10
"""Neurons that the paper says usually respond at most."""
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


@dataclass(frozen=True)
class Sparseness:
    """The distribution of the number of neurons that respond to an image.

    Attributes
    ----------
    responding : (sample,)
        Neurons that fired.
    neurons : int
        Neurons there are.
    mean : float
        Neurons an image.
    quantiles : dict
        Number of neurons by share of the images, for `QUANTILES`; always a number that occurs.
    few : int
    share_few, share_silent : float
        Per cent of the images that at most `few` neurons, and no neuron, responded to. Silent images count
        among those with few.
    """

    responding: NDArray[np.int64]
    neurons: int
    mean: float
    quantiles: dict[float, int]
    few: int
    share_few: float
    share_silent: float


def responding(spike_count: ArrayLike, least: int = 1) -> NDArray[np.int64]:
    """Number of neurons that gave at least so many spikes to each image, ``(sample,)``.

    Examples
    --------
    >>> responding([[3, 0, 1], [0, 0, 0]]), responding([[3, 0, 1]], least=2)
    (array([2, 0]), array([1]))
    """
    counts = np.asarray(spike_count)
    if counts.ndim != 2 or least < 1:
        raise ValueError(
            f"spike_count has {counts.ndim} dimensions, least is {least}; expected (sample, neuron), and 1 or more."
        )
    return np.count_nonzero(counts >= least, axis=1).astype(np.int64)


def sparseness(
    tree: xr.DataTree,
    *,
    group: str = results.TEST,
    population: str = results.EXCITATORY,
    least: int = 1,
    few: int = FEW,
) -> Sparseness:
    """How many neurons of a population respond to an image.

    Parameters
    ----------
    tree
        A run's result tree.
    group
        ``test``, ``activity`` (while training) or ``labelling``.
    least
        Spikes from which a neuron counts as responding.
    few
        The number of neurons that `Sparseness.share_few` is about.

    Raises
    ------
    KeyError
        If the run does not have these responses.
    ValueError
        If it has them of no image.
    """
    counts = responses_of(tree, group, population)["spike_count"].values
    if not len(counts):
        raise ValueError(f"{group}/{population} holds no image; expected one at least.")
    numbers = responding(counts, least)
    quantiles = np.quantile(numbers, QUANTILES, method="inverted_cdf")
    return Sparseness(
        responding=numbers,
        neurons=counts.shape[1],
        mean=float(numbers.mean()),
        quantiles={share: int(value) for share, value in zip(QUANTILES, quantiles, strict=True)},
        few=few,
        share_few=float(100 * np.mean(numbers <= few)),
        share_silent=float(100 * np.mean(numbers == 0)),
    )
