"""Spikes that come with the samples: the form in which a sample holds them, and when each neuron fires.

A sample of spikes is a row of bytes: eight for each spike, in any order. Four say when, in microseconds from the
beginning of the sample, and four which neuron, counted from 1, both little-endian; a spike of neuron 0 is none, and
fills rows up.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NEVER = 1e9
"""Steps after which neurons fire that do not: beyond any block."""


def events(rows: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Sample, neuron (from 0) and time in microseconds of each spike of rows ``(samples, bytes)``."""
    if rows.shape[1] % 8 or not rows.any():  # of a blank sample, whose row is as long as there are neurons
        return (np.zeros(0, np.int64),) * 3
    pairs = np.ascontiguousarray(rows).view("<u4").reshape(len(rows), -1, 2)
    sample, place = np.nonzero(pairs[..., 1])
    return sample, pairs[sample, place, 1].astype(np.int64) - 1, pairs[sample, place, 0].astype(np.int64)


def due(rows: NDArray[np.uint8], neurons: int, most: int, dt: float, steps: int) -> NDArray[np.float64]:
    """Steps, from the beginning of a sample, at which its neurons fire, one after the other; `NEVER` behind the last.

    Several spikes of a neuron in a step are one.

    Parameters
    ----------
    rows : (samples, bytes)
    neurons : int
    most : int
        Spikes of a neuron in a sample, at most.
    dt : float
        A step in seconds.
    steps : int
        Of a sample in which its spikes are shown.

    Returns
    -------
    (samples, neurons * (most + 1))

    Raises
    ------
    ValueError
        A neuron is none of these; it fires more often, or later.
    """
    sample, neuron, time = events(rows)
    step = np.floor(time * 1e-6 / dt + 1e-9).astype(np.int64)
    if len(step) and (neuron.max() >= neurons or step.max() >= steps):
        raise ValueError(
            f"spikes of {neuron.max() + 1:,} neurons within {(step.max() + 1) * dt * 1e3:g} ms; expected {neurons:,}"
            f" neurons and {steps * dt * 1e3:g} ms, as long as inputs are shown"
        )
    spike = np.unique((sample * neurons + neuron) * steps + step)
    of, at = np.divmod(spike, steps)
    first = np.searchsorted(of, of)  # of the spikes of the same neuron in the same sample
    number = np.arange(len(of)) - first
    if len(number) and number.max() >= most:
        raise ValueError(f"n_given={most}: a neuron fires {number.max() + 1} times in a sample; set n_given to as many")
    table = np.full((len(rows) * neurons, most + 1), NEVER)
    table[of, number] = at
    return table.reshape(len(rows), -1)
