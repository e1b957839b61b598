"""How often the network is right, in per cent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hebbarium.analysis.labels import ClassMeans, assign_from, number_of_classes, responses_of
from hebbarium.analysis.readouts import READOUTS, DeclaredReadout, UsualReadout, decoded
from hebbarium.record import results


def accuracy(predicted: ArrayLike, label: ArrayLike) -> float:
    """Per cent of samples whose prediction is their label; no answer (-1) is wrong, NaN if there are none.

    Examples
    --------
    >>> accuracy([7, 1, -1, 4], [7, 2, 1, 4])
    50.0
    """
    guesses, truth = _checked(predicted, label)
    if truth.size == 0:
        return float("nan")
    return float(100.0 * np.mean((guesses == truth) & (guesses != results.NO_CLASS)))


def confusion(predicted: ArrayLike, label: ArrayLike, n_classes: int | None = None) -> NDArray[np.int64]:
    """Count samples by true and predicted class; as many classes as the largest number says, unless it is given.

    Returns
    -------
    (true class, predicted class)
        With one column more than rows: the last is for samples without an answer, so that a row sums to the
        number of samples of its class.

    Examples
    --------
    >>> confusion([0, 1, -1], [0, 0, 1], n_classes=2)
    array([[1, 1, 0],
           [0, 0, 1]])
    """
    guesses, truth = _checked(predicted, label)
    n_classes = number_of_classes(guesses, truth) if n_classes is None else n_classes
    for name, values, lowest in (("predicted", guesses, results.NO_CLASS), ("label", truth, 0)):
        if values.size and (values.min() < lowest or values.max() >= n_classes):
            raise ValueError(
                f"{name} holds {values.min()} to {values.max()}; expected {lowest} to {n_classes - 1}."
            )
    columns = np.where(guesses == results.NO_CLASS, n_classes, guesses).astype(np.int64)
    cells = truth.astype(np.int64) * (n_classes + 1) + columns
    return np.bincount(cells, minlength=n_classes * (n_classes + 1)).reshape(n_classes, n_classes + 1)


def running_accuracy(
    spike_count: ArrayLike,
    label: ArrayLike,
    block: ArrayLike,
    *,
    readout: str = results.MOST_ACTIVE,
    n_classes: int | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Accuracy on each training block, with neurons' labels from earlier blocks only.

    Parameters
    ----------
    spike_count : (sample, neuron)
        Spikes in each presentation while training.
    label, block : (sample,)
        Class, and block of the run, of each sample; blocks do not decrease.
    n_classes
        Number of classes; by default, as many as the largest label says.

    Returns
    -------
    accuracy : (block,)
        Per cent; NaN for the first block, before which no neuron has a label.
    samples_seen : (block,)
        Samples seen by the end of each block.

    Examples
    --------
    >>> percent, seen = running_accuracy([[2, 0], [0, 1], [3, 1], [2, 1]], [0, 1, 0, 1], [0, 0, 1, 1])
    >>> percent, seen
    (array([nan, 50.]), array([2, 4]))
    """
    counts, truth, blocks = np.asarray(spike_count), np.asarray(label), np.asarray(block)
    if blocks.shape != truth.shape or np.any(np.diff(blocks) < 0):
        raise ValueError("block has to hold one entry a sample, none lower than the one before.")
    means = ClassMeans(counts.shape[1], number_of_classes(truth) if n_classes is None else n_classes)
    starts = np.flatnonzero(np.diff(blocks, prepend=blocks[:1] - 1)) if len(blocks) else np.array([], int)
    ends = np.append(starts[1:], len(blocks))[: len(starts)]
    percent = np.full(len(starts), np.nan)
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if number:
            predicted = READOUTS[readout](counts[start:end], means.labels())
            percent[number] = accuracy(predicted, truth[start:end])
        means.add(counts[start:end], truth[start:end])
    return percent, ends.astype(np.int64)


def of_last_pass(evaluation: xr.Dataset, epochs: int) -> float:
    """Accuracy on training images as they were shown, over the blocks that end in the last pass, in per cent.

    Parameters
    ----------
    evaluation
        The group of a run's results.
    epochs
        Passes of the run.
    """
    seen = evaluation["samples_seen_block"].values
    shown = np.diff(seen, prepend=0)
    last = epochs * seen > (epochs - 1) * seen[-1]
    return float(np.average(evaluation["running_accuracy"].values[last], weights=shown[last]))


def evaluate(
    tree: xr.DataTree,
    *,
    labels_from: str = "all",
    readouts: Sequence[DeclaredReadout] = (),
    n_classes: int | None = None,
    earlier: Mapping[int, Mapping[str, float]] | None = None,
) -> xr.Dataset:
    """Everything that the ``evaluation`` group holds, from the responses in a tree.

    What the tree has no responses for is left out: without ``test`` there is no accuracy, but there are
    labels and the running accuracy.

    Parameters
    ----------
    tree
        A run's result tree.
    labels_from
        One of `hebbarium.analysis.labels.SOURCES`.
    readouts
        Those of the run's model. Without any, labelled neurons of ``excitatory`` answer, and the layer ``classes`` if
        the tree has one.
    n_classes
        Number of classes; the run's by default.
    earlier
        Accuracies that were measured while training went on: samples seen to readout to per cent.

    Returns
    -------
    xarray.Dataset
        For `hebbarium.record.results.build` or ``tree["evaluation"] = xarray.DataTree(...)``.
    """
    n_classes = results.class_count(tree) if n_classes is None else n_classes
    readouts = readouts or usual(tree)
    by_label = next((readout for readout in readouts if readout.labelled), None)
    neuron_label = None
    if by_label and (_is_there(tree, results.ACTIVITY, by_label) or labels_from == "labelling"):
        neuron_label = assign_from(tree, labels_from, population=by_label.population, n_classes=n_classes)
    running, seen = _running(tree, readouts[0], n_classes)
    found: dict[str, NDArray[np.int16]] = {}
    truth = np.zeros(0, int)
    for readout in readouts:
        if _is_there(tree, results.TEST, readout) and (neuron_label is not None or not readout.labelled):
            test = responses_of(tree, results.TEST, readout.population)
            truth = test["label"].values
            found[readout.name] = decoded(readout, _read(test, readout), neuron_label, truth)
    predicted, percent, table = None, None, None
    if found:
        predicted = np.array(list(found.values()))
        percent = [[accuracy(row, truth) for row in predicted]]
        table = [confusion(row, truth, n_classes) for row in predicted]
    names = list(found) or sorted({name for measured in (earlier or {}).values() for name in measured})
    before = [[measured[name] for name in names] for measured in (earlier or {}).values()]
    samples = [*(earlier or {}), *([int(tree.attrs["samples_seen"])] if percent is not None else [])]
    return results.evaluation(
        readout=names or [readout.name for readout in readouts],
        seed=int(tree.attrs["seed"]),
        samples_seen=samples or None,
        accuracy=[*before, *(percent or [])] or None,
        confusion=table,
        predicted=predicted,
        neuron_label=neuron_label,
        running_accuracy=running,
        samples_seen_block=seen,
        labels_from=labels_from,
    )


def usual(tree: xr.DataTree) -> tuple[DeclaredReadout, ...]:
    """The readouts of a tree whose model is not known."""
    layer = UsualReadout(results.CLASS_LAYER, results.CLASSES, "largest")
    labelled = tuple(
        UsualReadout(name, results.EXCITATORY, decoding, labelled=True)
        for name, decoding in ((results.MOST_ACTIVE, "labelled_largest"), (results.CLASS_MEAN, "labelled_mean"))
    )
    return (*labelled, *([layer] if _is_there(tree, results.TEST, layer) else []))


def _is_there(tree: xr.DataTree, group: str, readout: DeclaredReadout) -> bool:
    return f"/{group}/{readout.population}" in tree.groups


def _read(responses: xr.Dataset, readout: DeclaredReadout) -> dict[str, NDArray[Any]]:
    return {name: responses[name].values for name in readout.reads}


def _running(
    tree: xr.DataTree, readout: DeclaredReadout, n_classes: int
) -> tuple[NDArray[np.float64] | None, NDArray[np.int64] | None]:
    """Accuracy on each training block, and the samples seen by its end, if the readout answers while training."""
    if not _is_there(tree, results.ACTIVITY, readout) or readout.taught:
        return None, None
    training = responses_of(tree, results.ACTIVITY, readout.population)
    truth, block = training["label"].values, training["block"].values
    if not len(truth):  # nothing was trained
        return None, None
    if readout.labelled:
        return running_accuracy(training["spike_count"].values, truth, block, n_classes=n_classes)
    return _by_block(decoded(readout, _read(training, readout), truth=truth), truth, block)


def _by_block(
    predicted: NDArray[np.int16], label: NDArray[np.int_], block: NDArray[np.int_]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Accuracy of each block of training, and the samples seen by its end."""
    ends = np.append(np.flatnonzero(np.diff(block)) + 1, len(block))
    parts = zip(np.split(predicted, ends[:-1]), np.split(label, ends[:-1]), strict=True)
    return np.array([accuracy(guesses, truth) for guesses, truth in parts]), ends.astype(np.int64)


def _checked(predicted: ArrayLike, label: ArrayLike) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    guesses, truth = np.asarray(predicted), np.asarray(label)
    if guesses.shape != truth.shape or truth.ndim != 1:
        raise ValueError(
            f"predicted has shape {guesses.shape} and label {truth.shape}; expected (sample,) twice."
        )
    return guesses, truth
