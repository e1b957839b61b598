"""Which class each neuron stands for (Touda & Okuno, Eq. 8).

A neuron is assigned the class for which its average firing rate is highest. All samples of one pass are shown
for the same time, so average spike counts order the classes as average rates do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hebbarium.record import results

SOURCES = ("all", "second_half", "last_pass", "labelling")
"""Responses that can give the labels: all while training, their second half, the last one to each image, or a
frozen pass afterwards.

The paper says "for all training images", which may mean the first or the last.
"""


class ClassMeans:
    """Average spike count of each neuron for each class, gathered block by block.

    Parameters
    ----------
    n_neurons, n_classes
        Numbers of neurons and classes.

    Examples
    --------
    >>> means = ClassMeans(n_neurons=2, n_classes=2)
    >>> means.add([[4, 0], [0, 0]], [0, 1])
    >>> means.add([[2, 0]], [1])
    >>> means.values()
    array([[4., 1.],
           [0., 0.]])
    >>> means.labels()
    array([ 0, -1], dtype=int16)
    """

    def __init__(self, n_neurons: int, n_classes: int) -> None:
        self._total = np.zeros((n_classes, n_neurons), dtype=np.int64)
        self._samples = np.zeros(n_classes, dtype=np.int64)

    def add(self, spike_count: ArrayLike, label: ArrayLike) -> None:
        """Take in responses; samples without a class (label -1) are left out.

        Parameters
        ----------
        spike_count : (sample, neuron)
            Spikes in each presentation.
        label : (sample,)
            Class of each image.

        Raises
        ------
        ValueError
            If shapes do not fit, or a label is above the number of classes.
        """
        counts, classes = _checked(spike_count, label, len(self._samples))
        if counts.shape[1] != self._total.shape[1]:
            raise ValueError(f"spike_count has {counts.shape[1]} neurons; expected {self._total.shape[1]}.")
        for c in np.unique(classes[classes >= 0]):
            chosen = classes == c
            self._total[c] += counts[chosen].sum(axis=0, dtype=np.int64)
            self._samples[c] += np.count_nonzero(chosen)

    def values(self) -> NDArray[np.float64]:
        """Average spike count, (neuron, class); 0 for a class that has not been shown."""
        return (self._total / np.maximum(self._samples, 1)[:, None]).T

    def labels(self) -> NDArray[np.int16]:
        """Class of each neuron: the highest average, the lowest class among equals, -1 if it never fired."""
        means = self.values()
        assigned = means.argmax(axis=1).astype(np.int16)
        assigned[~means.any(axis=1)] = results.NO_CLASS
        return assigned


def assign(spike_count: ArrayLike, label: ArrayLike, n_classes: int | None = None) -> NDArray[np.int16]:
    """Class of each neuron after Eq. 8.

    Parameters
    ----------
    spike_count : (sample, neuron)
        Spikes in each presentation.
    label : (sample,)
        Class of each image.
    n_classes
        Number of classes; by default, as many as the largest label says.

    Returns
    -------
    (neuron,)
        The class with the highest average spike count; the lowest class among equals; -1 for a silent neuron.

    Examples
    --------
    Class 1 is shown twice: neuron 0 gives more spikes to it in all, but fewer an image.

    >>> assign([[3, 0], [2, 0], [2, 0]], [0, 1, 1])
    array([ 0, -1], dtype=int16)
    """
    counts = np.asarray(spike_count)
    if counts.ndim != 2:
        raise ValueError(f"spike_count has {counts.ndim} dimensions; expected two: sample, neuron.")
    means = ClassMeans(counts.shape[1], number_of_classes(label) if n_classes is None else n_classes)
    means.add(counts, label)
    return means.labels()


def assign_from(
    tree: xr.DataTree,
    source: str = "all",
    *,
    population: str = results.EXCITATORY,
    n_classes: int | None = None,
) -> NDArray[np.int16]:
    """Class of each neuron of a run.

    Parameters
    ----------
    tree
        A run's result tree.
    source
        One of `SOURCES`. The second half of 2n + 1 samples is its last n + 1.
    n_classes
        Number of classes; the run's by default.

    Raises
    ------
    ValueError
        If `source` is none of these.
    KeyError
        If the run does not have these responses.
    """
    if source not in SOURCES:
        raise ValueError(f"Labels from {source!r} is not known; expected one of {', '.join(SOURCES)}.")
    group = results.LABELLING if source == "labelling" else results.ACTIVITY
    responses = responses_of(tree, group, population)
    if source == "second_half":
        responses = responses.isel(sample=slice(responses.sizes["sample"] // 2, None))
    if source == "last_pass":
        responses = responses.isel(sample=_last_of_each(responses["image"].values))
    classes = results.class_count(tree) if n_classes is None else n_classes
    return assign(responses["spike_count"].values, responses["label"].values, classes)


def number_of_classes(*labels: ArrayLike) -> int:
    """As many classes as the largest label says, and one at least."""
    return max(1, 1 + max(int(np.asarray(label).max(initial=results.NO_CLASS)) for label in labels))


def _last_of_each(image: NDArray[np.int_]) -> NDArray[np.int64]:
    """Samples in which an image was shown for the last time."""
    _, from_the_end = np.unique(image[::-1], return_index=True)
    return np.sort(len(image) - 1 - from_the_end)


def responses_of(tree: xr.DataTree, group: str, population: str = results.EXCITATORY) -> xr.Dataset:
    """Responses in ``<group>/<population>``, with an error that says what the file does have."""
    path = f"{group}/{population}"
    try:
        node = tree[path]
    except KeyError:
        groups = [node.path.strip("/") for node in tree.subtree if node.has_data and node.path != "/"]
        raise KeyError(f"The run has no {path}; it has {', '.join(groups) or 'nothing'}.") from None
    return node.to_dataset()


def _checked(spike_count: ArrayLike, label: ArrayLike, n_classes: int) -> tuple[NDArray[Any], NDArray[Any]]:
    counts, classes = np.asarray(spike_count), np.asarray(label)
    if counts.ndim != 2 or classes.shape != counts.shape[:1]:
        raise ValueError(
            f"spike_count has shape {counts.shape} and label {classes.shape}; expected (sample, neuron) and "
            "(sample,)."
        )
    if classes.size and classes.max() >= n_classes:
        raise ValueError(f"A label is {classes.max()}; expected 0 to {n_classes - 1}.")
    return counts, classes
