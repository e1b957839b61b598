"""From spike counts to a predicted class.

`most_active` is the paper's readout: the class of the neuron with the most spikes. `class_mean` is the older
one it is compared with (Diehl & Cook): the class whose neurons fire most on average. Both answer -1, which is
never right, to an image that evokes no spike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbarium.record import results


def most_active(spike_count: ArrayLike, neuron_label: ArrayLike) -> NDArray[np.int16]:
    """Class of the neuron with the most spikes.

    Among neurons with equally many spikes the one with the lowest index speaks: the answer depends on nothing
    but the arguments, and neurons' indices have nothing to do with classes. A neuron without a class (-1)
    answers -1.

    Parameters
    ----------
    spike_count : (sample, neuron)
        Spikes in each presentation.
    neuron_label : (neuron,)
        Class of each neuron, -1 for none.

    Returns
    -------
    (sample,)
        Predicted class, -1 for no answer.

    Examples
    --------
    >>> most_active([[1, 5, 0], [2, 1, 2], [0, 0, 0]], neuron_label=[3, 7, 8])
    array([ 7,  3, -1], dtype=int16)
    """
    counts, labels = _checked(spike_count, neuron_label)
    predicted = labels[counts.argmax(axis=1)].astype(np.int16)
    predicted[~counts.any(axis=1)] = results.NO_CLASS
    return predicted


def class_rates(spike_count: ArrayLike, neuron_label: ArrayLike, n_classes: int) -> NDArray[np.float64]:
    """Average spike count of the neurons assigned to each class.

    Returns
    -------
    (sample, class)
        NaN for a class that no neuron is assigned to.

    Examples
    --------
    >>> class_rates([[4, 2, 9]], neuron_label=[0, 0, -1], n_classes=2)
    array([[ 3., nan]])
    """
    counts, labels = _checked(spike_count, neuron_label)
    rates = np.full((len(counts), n_classes), np.nan)
    for c in np.unique(labels[labels >= 0]):
        rates[:, c] = counts[:, labels == c].mean(axis=1)
    return rates


def class_mean(
    spike_count: ArrayLike, neuron_label: ArrayLike, n_classes: int | None = None
) -> NDArray[np.int16]:
    """Class whose neurons have the highest average spike count.

    The lowest class speaks among equals. A class without neurons is never the answer; if no neuron that has a
    class fires, there is no answer.

    Parameters
    ----------
    spike_count : (sample, neuron)
        Spikes in each presentation.
    neuron_label : (neuron,)
        Class of each neuron, -1 for none.
    n_classes
        Number of classes; by default, up to the highest that a neuron has.

    Returns
    -------
    (sample,)
        Predicted class, -1 for no answer.

    Examples
    --------
    One loud neuron of class 0 among silent ones loses to class 1:

    >>> class_mean([[6, 0, 0, 4]], neuron_label=[0, 0, 0, 1])
    array([1], dtype=int16)
    """
    labels = np.asarray(neuron_label)
    if n_classes is None:
        n_classes = max(int(labels.max(initial=0)) + 1, 1)
    rates = np.nan_to_num(class_rates(spike_count, labels, n_classes), nan=0.0)
    predicted = rates.argmax(axis=1).astype(np.int16)
    predicted[~rates.any(axis=1)] = results.NO_CLASS
    return predicted


def class_layer(spike_count: ArrayLike, *, strict: bool = False) -> NDArray[np.int16]:
    """Class whose own neuron fires most, in a layer that has one neuron a class.

    Parameters
    ----------
    spike_count : (sample, class)
        Spikes of the class neurons.
    strict
        Whether there is no answer if several fire most. Otherwise the lowest class among them is the answer.

    Returns
    -------
    (sample,)
        Predicted class, -1 for no answer.

    Examples
    --------
    >>> class_layer([[0, 4, 1], [0, 0, 0], [2, 0, 2]])
    array([ 1, -1,  0], dtype=int16)
    >>> class_layer([[0, 4, 1], [0, 0, 0], [2, 0, 2]], strict=True)
    array([ 1, -1, -1], dtype=int16)
    """
    counts = np.asarray(spike_count)
    if counts.ndim != 2:
        raise ValueError(f"spike_count has shape {counts.shape}; expected (sample, class).")
    predicted = counts.argmax(axis=1).astype(np.int16)
    answered = counts.any(axis=1)
    if strict:
        answered &= (counts == counts.max(axis=1, keepdims=True)).sum(axis=1) == 1
    predicted[~answered] = results.NO_CLASS
    return predicted


READOUTS: Mapping[str, Callable[[ArrayLike, ArrayLike], NDArray[np.int16]]] = {
    results.MOST_ACTIVE: most_active,
    results.CLASS_MEAN: class_mean,
}


def _checked(spike_count: ArrayLike, neuron_label: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    counts, labels = np.asarray(spike_count), np.asarray(neuron_label)
    if counts.ndim != 2 or labels.shape != counts.shape[1:]:
        raise ValueError(
            f"spike_count has shape {counts.shape} and neuron_label {labels.shape}; expected "
            "(sample, neuron) and (neuron,)."
        )
    return counts, labels
