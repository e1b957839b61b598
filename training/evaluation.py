"""A trained run, tested again: on its own images or on another set's."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from hebbarium.analysis import chance
from hebbarium.analysis.accuracy import accuracy
from hebbarium.datasets import by_name as datasets
from hebbarium.datasets.labelled_images import Dataset
from hebbarium.record import results
from hebbarium.training import fit, responses, silence
from hebbarium.training.progress import QuietReporter, Reporter
from hebbarium.training.run import Run
from hebbarium.training.samples import Samples

__all__ = ["evaluate"]


def evaluate(
    path: Path,
    reporter: Reporter | None = None,
    dataset: str | None = None,
    data: str | None = None,
    jobs: int = 1,
    test_images: int | None = None,
    trust_model: bool = False,
) -> xr.Dataset:
    """Test a trained run again, on its own images or on another set's test images; nothing is written.

    Parameters
    ----------
    path : Path
        The run folder.
    test_images : int, optional
        As many, drawn evenly from the classes; all of the set's if not given, or those that the run held out.
    trust_model : bool
        See `hebbarium.training.run.Run.trust`.

    Returns
    -------
    xarray.Dataset
        As the ``evaluation`` group, with the accuracy by readout, and chance in words as an attribute.

    Raises
    ------
    DatasetError
        The images have another size than those trained on, labels beyond the classes learned, or no labels.
    """
    run, reporter = Run.open(path, data=data, trust_model=trust_model), reporter or QuietReporter()
    model, state = run.model, run.state
    images = datasets.load(dataset, data or run.settings.data) if dataset else run.images
    with run.results() as tree:
        labels = results.neuron_label(tree)
        samples_seen = int(tree.attrs["samples_seen"])
        shape = results.image_shape(tree)
    learned = run.class_names
    fit.refuse_other_set(model, learned, shape, images)
    if learned and images.class_names != learned[: images.classes]:
        reporter.message(f"{images.name}: has classes of other names than those learned, {', '.join(learned)}")
    samples = _samples(run, images, dataset is None, test_images)
    counts = run.respond(samples.pixels, state=state, jobs=jobs, reporter=reporter)
    for warning in silence.warnings(model, counts, images.classes, "testing"):
        reporter.message(f"{warning}. {silence.advice(model)}")
    predicted = responses.predictions(model, counts, labels, samples.labels)
    evaluation = results.evaluation(
        readout=list(predicted),
        seed=run.settings.seed,
        samples_seen=[samples_seen],
        neuron_label=labels,
        predicted=list(predicted.values()),
        accuracy=[[accuracy(row, samples.labels) for row in predicted.values()]],
    )
    return evaluation.assign_attrs(chance=chance.in_words(samples.labels))


def _samples(run: Run, images: Dataset, is_own: bool, number: int | None) -> Samples:
    """What is tested on: images that the run held out, if it was tested on these, or test images of a set."""
    if is_own and run.settings.evaluate_on == "validation":
        held_out = run.division.number_tested
        return run.samples("tested", None if number is None or number >= held_out else number)
    return Samples.of_test_set(images, number, run.settings.seed)
