"""From what is read of neurons to a predicted class.

`most_active` is the class of the labelled neuron with the most spikes. `class_mean` is the older readout (Diehl &
Cook): the class whose neurons fire most on average. Where neurons stand for classes, `largest` and `earliest` answer.
All say -1, which is never right, to an image that evokes no spike. `decoded` does what a model's readout says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbarium.record import results


class DeclaredReadout(Protocol):
    """What a model says of a readout; see `hebbarium.models.readouts.Readout`."""

    @property
    def name(self) -> str: ...
    @property
    def population(self) -> str: ...
    @property
    def reads(self) -> tuple[str, ...]: ...
    @property
    def decoding(self) -> str: ...
    @property
    def labelled(self) -> bool: ...
    @property
    def strict(self) -> bool: ...
    @property
    def taught(self) -> bool: ...
    @property
    def lenient(self) -> bool: ...


@dataclass(frozen=True)
class UsualReadout:
    """A readout of spike counts, of a result file whose model is not known."""

    name: str
    population: str
    decoding: str
    labelled: bool = False
    reads: tuple[str, ...] = ("spike_count",)
    strict: bool = False
    taught: bool = False
    lenient: bool = False


def decoded(
    readout: DeclaredReadout,
    read: Mapping[str, ArrayLike],
    neuron_label: ArrayLike | None = None,
    truth: ArrayLike | None = None,
) -> NDArray[np.int16]:
    """Predicted classes by a readout.

    Parameters
    ----------
    readout : DeclaredReadout
    read : mapping of (sample, neuron)
        What was read of its population, by name, such as ``spike_count``.
    neuron_label : (neuron,), optional
        Class of each neuron, for readouts that need them.
    truth : (sample,), optional
        Class of each sample: lenient readouts take a tie for right, others do not look at it.

    Returns
    -------
    (sample,)
        -1 for no answer.
    """
    first, *second = (np.asarray(read[name]) for name in readout.reads)
    if readout.labelled:
        if neuron_label is None:
            raise ValueError(f"readout {readout.name}: needs classes of the neurons of {readout.population}")
        return (most_active if readout.decoding == "labelled_largest" else class_mean)(first, neuron_label)
    decode = earliest if readout.decoding == "earliest" else largest
    return decode(first, *second, strict=readout.strict, truth=truth if readout.lenient else None)


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


def largest(
    values: ArrayLike, second: ArrayLike | None = None, *, strict: bool = False, truth: ArrayLike | None = None
) -> NDArray[np.int16]:
    """Class whose own neuron has the largest value, in a layer that has one neuron a class.

    Parameters
    ----------
    values : (sample, class)
        Spike counts, or anything else that is larger for the answer; NaN where there is none.
    second : (sample, class), optional
        Its largest value decides among neurons that are equal, also where none has spiked.
    strict
        Whether there is no answer if several are first. Otherwise the lowest class among them is the answer.
    truth : (sample,), optional
        Class of each sample, which is the answer if it is among the first: a tie counts as right.

    Returns
    -------
    (sample,)
        Predicted class, -1 for no answer.

    Examples
    --------
    >>> largest([[0, 4, 1], [0, 0, 0], [2, 0, 2]])
    array([ 1, -1,  0], dtype=int16)
    >>> largest([[0, 4, 1], [0, 0, 0], [2, 0, 2]], strict=True)
    array([ 1, -1, -1], dtype=int16)
    >>> largest([[0, 0], [2, 2]], second=[[-60.0, -50.0], [-40.0, -45.0]])
    array([1, 0], dtype=int16)
    >>> largest([[0, 4, 1], [2, 0, 2], [0, 0, 0]], truth=[0, 2, 1])
    array([ 1,  2, -1], dtype=int16)
    """
    array = _two_dimensional(values)
    counted = array.dtype.kind in "iu"
    answered = array.any(axis=1) if counted else ~np.isnan(array).all(axis=1)
    ranked = array if counted else np.where(np.isnan(array), -np.inf, array)
    return _first(ranked == ranked.max(axis=1, keepdims=True), answered, second, strict, truth)


def earliest(
    first_spike_time: ArrayLike,
    second: ArrayLike | None = None,
    *,
    strict: bool = False,
    truth: ArrayLike | None = None,
) -> NDArray[np.int16]:
    """Class whose own neuron spikes first, in a layer that has one neuron a class.

    Parameters
    ----------
    first_spike_time : (sample, class)
        NaN for a neuron that does not spike.
    second, strict, truth
        See `largest`.

    Returns
    -------
    (sample,)
        Predicted class, -1 for no answer.

    Examples
    --------
    Where no neuron spikes, the one with the highest potential answers, if potentials are given:

    >>> times = [[0.02, 0.01], [np.nan, 0.03], [np.nan, np.nan]]
    >>> earliest(times)
    array([ 1,  1, -1], dtype=int16)
    >>> earliest(times, second=[[0.0, 0.0], [0.0, 0.0], [-0.051, -0.055]])
    array([1, 1, 0], dtype=int16)
    """
    times = _two_dimensional(first_spike_time)
    silent = np.isnan(times)
    ranked = np.where(silent, np.inf, times)
    return _first(ranked == ranked.min(axis=1, keepdims=True), ~silent.all(axis=1), second, strict, truth)


def _first(
    candidates: NDArray[np.bool_],
    answered: NDArray[np.bool_],
    second: ArrayLike | None,
    strict: bool,
    truth: ArrayLike | None,
) -> NDArray[np.int16]:
    """The lowest candidate of each sample, or its class if that is a candidate.

    A second measure first takes out those that are not largest by it.
    """
    if truth is not None:
        is_true = np.arange(candidates.shape[1]) == np.asarray(truth)[:, np.newaxis]
        is_right = answered & (candidates & is_true).any(axis=1)
        candidates = np.where(is_right[:, np.newaxis], is_true, candidates)
    if second is not None:
        ranked = np.where(candidates, np.asarray(second, np.float64), -np.inf)
        candidates, answered = ranked == ranked.max(axis=1, keepdims=True), np.ones_like(answered)
    if strict:
        answered = answered & (candidates.sum(axis=1) == 1)
    return np.where(answered, candidates.argmax(axis=1), results.NO_CLASS).astype(np.int16)


def _two_dimensional(values: ArrayLike) -> NDArray[Any]:
    array = np.asarray(values)
    if array.ndim != 2:
        raise ValueError(f"what is read has shape {array.shape}; expected (sample, class).")
    return array


READOUTS: Mapping[str, Callable[[ArrayLike, ArrayLike], NDArray[np.int16]]] = {
    results.MOST_ACTIVE: most_active,
    results.CLASS_MEAN: class_mean,
}
"""Readouts of neurons that are labelled, by name."""


def _checked(spike_count: ArrayLike, neuron_label: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    counts, labels = np.asarray(spike_count), np.asarray(neuron_label)
    if counts.ndim != 2 or labels.shape != counts.shape[1:]:
        raise ValueError(
            f"spike_count has shape {counts.shape} and neuron_label {labels.shape}; expected "
            "(sample, neuron) and (neuron,)."
        )
    return counts, labels
