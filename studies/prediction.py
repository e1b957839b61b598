"""Labels for a user's own images, from a trained run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hebbarium.analysis.accuracy import accuracy
from hebbarium.datasets import by_name as datasets
from hebbarium.datasets.labelled_images import UNLABELLED
from hebbarium.files import whole_files
from hebbarium.record import results
from hebbarium.training import fit, responses, silence
from hebbarium.training.progress import QuietReporter, Reporter
from hebbarium.training.run import Run

__all__ = ["Prediction", "as_csv", "predict"]


@dataclass(frozen=True)
class Prediction:
    """Classes of images.

    Attributes
    ----------
    predicted : numpy.ndarray
        Class of each image, shape (images,); -1 where no neuron fired.
    spikes : numpy.ndarray
        Spikes of all neurons together, shape (images,).
    names : tuple of str
        Name of each class, empty if they are not known.
    accuracy : float, optional
        Per cent right, if the images came with labels.
    """

    predicted: NDArray[np.int16]
    spikes: NDArray[np.int64]
    names: tuple[str, ...] = ()
    accuracy: float | None = None


def predict(
    run: Path,
    images: Path,
    readout: str = "",
    jobs: int = 1,
    reporter: Reporter | None = None,
) -> Prediction:
    """Show images to a trained network, in which nothing learns any more.

    Parameters
    ----------
    run : Path
        A complete run; nothing is written into it.
    images : Path
        A file with images; see `hebbarium.datasets.own_files`.
    readout : str
        One that the run has: ``most_active`` and ``class_mean`` by the labels of neurons, ``class_layer`` where a
        layer of the network stands for the classes. The run's first one if empty.
    jobs : int
        Processes at a time.

    Raises
    ------
    ValueError
        Unknown readout.
    DatasetError, RunFolderError, ResultFileError
        Images or run cannot be read; or the images have another size than those that the run was trained on, or labels
        beyond its classes.
    """
    own, reporter, opened = datasets.load(str(images)), reporter or QuietReporter(), Run.open(run)
    with opened.results() as tree:
        readouts = list(tree["evaluation"].to_dataset()["readout"].values)
        neuron_label = results.neuron_label(tree)
        shape = results.image_shape(tree)
    readout = readout or readouts[0]
    if readout not in readouts:
        raise ValueError(f"readout {readout}: {run} has {', '.join(readouts)}")
    model, state, names = opened.model, opened.state, opened.class_names
    fit.refuse_other_set(model, names, shape, own)
    for text in own.remarks:
        reporter.message(text)
    counts = opened.respond(own.train_images, state=state, jobs=jobs, title="Labelling images", reporter=reporter)
    predicted = responses.predictions(model, counts, neuron_label)[readout]
    for warning in silence.warnings(model, counts, 1, "labelling"):
        reporter.message(f"{warning}. {silence.advice(model)}")
    labelled = own.train_labels != UNLABELLED
    right = accuracy(predicted[labelled], own.train_labels[labelled]) if labelled.any() else None
    return Prediction(predicted, counts[model.readout].sum(axis=1, dtype=np.int64), names, right)


def as_csv(prediction: Prediction) -> str:
    """``image,class,name,spikes``, a line an image; class and name are empty where no neuron fired."""
    rows = []
    for image, (number, spikes) in enumerate(zip(prediction.predicted, prediction.spikes, strict=True)):
        answered = number != results.NO_CLASS
        name = prediction.names[number] if answered and number < len(prediction.names) else ""
        rows.append((image, number if answered else None, name, spikes))
    return whole_files.table_text(("image", "class", "name", "spikes"), rows)
