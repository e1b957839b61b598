"""Spike times of Bohte et al.'s network in closed form, and their gradients by finite differences.

Nothing here steps through time but to find which interval a crossing lies in.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
TAU, DELAYS = 7.0, np.arange(1.0, 17.0)


def psp(s: Array) -> Array:
    """Postsynaptic potential, ``s`` milliseconds after its spike arrived."""
    return np.where(s > 0, s / TAU * np.exp(1 - s / TAU), 0.0)


def rise(s: Array) -> Array:
    """Its derivative."""
    return np.where(s > 0, (1 - s / TAU) / TAU * np.exp(1 - s / TAU), 0.0)


def crossing(arrivals: Array, weights: Array) -> float:
    """When the potential first crosses 1, by bisection to rounding."""
    grid = np.arange(0.0, 60.0, 0.05)
    over = psp(grid[:, np.newaxis] - arrivals) @ weights > 1
    assert over.any()
    high = float(grid[over.argmax()])
    low = high - 0.05
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if psp(middle - arrivals) @ weights > 1 else (middle, high)
    # bisection stops at rounding of the potential: one step of Newton takes that of the time
    return high - float((psp(high - arrivals) @ weights - 1) / (rise(high - arrivals) @ weights))


def hidden_times(inputs: Array, w: Array) -> Array:
    """Spikes of hidden neurons, from weights ``(input, hidden, terminal)``."""
    arrivals = (inputs[:, np.newaxis] + DELAYS).ravel()
    return np.array([crossing(arrivals, w[:, j].ravel()) for j in range(w.shape[1])])


def output_time(hidden: Array, w: Array) -> float:
    """The output's spike, from weights ``(hidden, terminal)``."""
    return crossing((hidden[:, np.newaxis] + DELAYS).ravel(), w.ravel())


def difference(function: Callable[[Array], Array], w: Array, place: tuple[int, ...], h: float = 5e-4) -> Array:
    """Derivative of a function with regard to one weight: central, to the fourth order."""
    def at(step: float) -> Array:
        moved = w.copy()
        moved[place] += step * h
        return np.asarray(function(moved))

    return np.asarray((8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * h))
