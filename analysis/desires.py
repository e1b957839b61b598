"""What a layered network would learn from its responses: desires, local errors, and the operations they cost.

Source: Gerlinghoff et al., Eqs. 5, 6, 11, 14 and 15, applied to spike counts and weights that are there already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rule:
    """How desires follow from spikes.

    Parameters
    ----------
    full : float
        Spikes of a full train.
    theta_out, theta_hid : float
        Least error of an output neuron, and least pull on a hidden one, with a desire.
    as_code : bool
        Whether output neurons are pushed in one direction each, errors have the sign of the desire, and a pull at the
        threshold is enough, as in the published code.
    """

    full: float
    theta_out: float
    theta_hid: float
    as_code: bool


@dataclass(frozen=True)
class Wishes:
    """Desires -1, 0 or +1 and errors of one layer, both ``(samples, neurons)``."""

    desire: Floats
    error: Floats

    @property
    def loss(self) -> Floats:
        """Local loss of each neuron (Eq. 6), the mean over samples: ``(neurons,)``."""
        return np.asarray((self.error**2).mean(axis=0) / 2)


def wishes(counts: Sequence[ArrayLike], weights: Sequence[ArrayLike], label: ArrayLike, rule: Rule) -> list[Wishes]:
    """Desires and errors of every layer after the input, from the outputs down.

    Parameters
    ----------
    counts : sequence of (samples, neurons)
        Spikes of the hidden layers, the lowest first, and of the outputs.
    weights : sequence of (neurons before, neurons)
        Between these layers: one fewer than there are layers.
    label : (samples,)
        Classes.

    Returns
    -------
    list of Wishes
        In the order of ``counts``.

    Raises
    ------
    ValueError
        The number of weight matrices does not fit.

    Examples
    --------
    >>> rule = Rule(full=20, theta_out=0.3, theta_hid=0.05, as_code=False)
    >>> low, high = wishes([[[4, 0]], [[2, 10]]], [[[0.5, 0.1], [0.0, 0.2]]], [0], rule)
    >>> high.desire, high.error
    (array([[ 1., -1.]]), array([[-0.9,  0.5]]))
    >>> low.desire, low.error
    (array([[ 1., -1.]]), array([[-0.8,  0. ]]))
    """
    if len(weights) != len(counts) - 1:
        raise ValueError(f"{len(weights)} weight matrices between {len(counts)} layers; expected {len(counts) - 1}.")
    n = np.asarray(counts[-1], np.float64)
    layers = [_wishes(_output_desire(n, np.asarray(label), rule), n, rule)]
    for count, w in zip(reversed(counts[:-1]), reversed(weights), strict=True):
        n = np.asarray(count, np.float64)
        pull = layers[0].error @ np.asarray(w, np.float64).T
        large = np.abs(pull) >= rule.theta_hid if rule.as_code else np.abs(pull) > rule.theta_hid
        layers.insert(0, _wishes(np.where(large, -np.sign(pull), 0.0), n, rule))
    return layers


def _output_desire(n: Floats, label: NDArray[np.int_], rule: Rule) -> Floats:
    of_class = np.arange(n.shape[1]) == label[:, np.newaxis]
    if rule.as_code:
        up, down = rule.full - n > rule.theta_out * rule.full, n > rule.theta_out * rule.full
        return np.where(of_class, up.astype(float), -down.astype(float))
    excess = n - of_class * rule.full
    return np.where(np.abs(excess) > rule.theta_out * rule.full, -np.sign(excess), 0.0)


def _wishes(desire: Floats, n: Floats, rule: Rule) -> Wishes:
    target, rate = (desire + 1) / 2, n / rule.full
    error = -desire * np.abs(target - rate) if rule.as_code else (rate - target) * np.abs(desire)
    return Wishes(desire + 0.0, error + 0.0)


@dataclass(frozen=True)
class LayerOperations:
    """Operations a sample, by layer: what Table 3 counts, as often as they are needed.

    Parameters
    ----------
    forward : float
        Additions of a weight to a potential: spikes of the layer before times the layer's neurons.
    backward : float
        Additions of a weight times an error to a pull on the layer before.
    updated : float
        Weights that change: of neurons with a desire that fired, from neurons that fired.
    """

    forward: float
    backward: float
    updated: float


def operations(before: ArrayLike, after: ArrayLike, wished: Wishes, *, passes_back: bool = True) -> LayerOperations:
    """Operations of one layer.

    Parameters
    ----------
    before, after : (samples, neurons)
        Spikes of the layer before, and of the layer.
    wished : Wishes
        Of the layer.
    passes_back : bool
        Whether the layer before has desires, which the input has not.

    Examples
    --------
    >>> wished = Wishes(np.array([[1.0, -1.0, 0.0]]), np.array([[-0.5, 0.0, 0.0]]))
    >>> operations([[3, 0]], [[2, 1, 4]], wished)
    LayerOperations(forward=9.0, backward=2.0, updated=2.0)
    """
    n_before, n_after = np.asarray(before), np.asarray(after)
    active = (n_before > 0).sum(axis=1)
    changing = ((wished.desire != 0) & (n_after > 0)).sum(axis=1)
    return LayerOperations(
        float(n_before.sum(axis=1).mean() * n_after.shape[1]),
        float((wished.error != 0).sum(axis=1).mean() * n_before.shape[1]) if passes_back else 0.0,
        float((active * changing).mean()),
    )
