"""Numbers of one neuron's spikes: how many, how regular, how they slow down."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["adaptation", "bursts", "intervals", "rate", "variation"]


def intervals(times: ArrayLike) -> NDArray[np.float64]:
    """Times between spikes that follow each other."""
    return np.diff(np.asarray(times, dtype=float))


def rate(times: ArrayLike, begin: float, end: float) -> float:
    """Spikes a second from a time to another, in hertz where times are in seconds."""
    t = np.asarray(times, dtype=float)
    return float(np.count_nonzero((t >= begin) & (t < end)) / (end - begin))


def adaptation(times: ArrayLike) -> float:
    """The last interval in parts of the first; NaN for fewer than three spikes.

    >>> adaptation([0, 10, 30, 70]), adaptation([0, 10, 20])
    (4.0, 1.0)
    """
    between = intervals(times)
    return float(between[-1] / between[0]) if len(between) > 1 else float("nan")


def variation(times: ArrayLike) -> float:
    """Standard deviation of the intervals in parts of their mean; NaN for fewer than three spikes."""
    between = intervals(times)
    return float(between.std() / between.mean()) if len(between) > 1 else float("nan")


def bursts(times: ArrayLike, gap: float) -> list[int]:
    """Spikes of each burst: spikes closer together than a gap belong to one.

    >>> bursts([0, 2, 4, 50, 52, 100], 10)
    [3, 2, 1]
    """
    t = np.asarray(times, dtype=float)
    starts = np.flatnonzero(np.diff(t, prepend=-np.inf) > gap)
    return np.diff(starts, append=len(t)).tolist() if len(t) else []
