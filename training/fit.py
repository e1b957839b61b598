"""Whether images, labels, network and settings of a run fit each other, asked before anything is compiled.

The number of input neurons and of classes follows the data: a model's parameters ``pixels`` and ``classes``, where it
has them, are set to what the images and labels say.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from brian2 import second
from numpy.typing import NDArray

from hebbarium.analysis.chance import share_of_most_common
from hebbarium.catalogue import registry
from hebbarium.datasets import draws, made_sets
from hebbarium.datasets.labelled_images import UNLABELLED, Dataset, DatasetError, listed
from hebbarium.datasets.own_images import in_pixels
from hebbarium.datasets.own_series import SeriesSet
from hebbarium.datasets.own_spikes import SpikeSet
from hebbarium.engine import anatomy
from hebbarium.models.contract import Model, Parameter
from hebbarium.models.encoded_inputs import GIVEN, SERIES, EncodedInputs
from hebbarium.training import parameters

if TYPE_CHECKING:
    from hebbarium.training.run_settings import RunSettings

_BLACK = 1.0  # mean intensity of 255 below which a set has hardly anything to see; MNIST has 33
_BRIGHT = 160.0  # above which it is most likely dark on white
_NOTHING = 1e-9  # seconds, by which sums of times may differ
_SHOWN = 8  # classes that are named in a sentence


def fitted(settings: RunSettings, images: Dataset) -> RunSettings:
    """Settings whose network has the size of the images and as many classes as they have.

    Raises
    ------
    DatasetError
        The images cannot be trained or tested on as asked; or the network has another size than they have.
    """
    _refuse_what_is_missing(settings, images)
    table, changes = registry.find(settings.model).parameters(), dict(settings.changes)
    for symbol, number, what in (
        ("pixels", images.pixels, f"images of {in_pixels(images.shape)}"),
        ("classes", images.classes, f"labels of {images.classes} classes"),
        *_in_time(settings, table, images),
    ):
        if symbol not in table:
            continue
        if symbol not in changes and table[symbol].default != number:
            changes[symbol] = number
        if symbol in changes and parameters.values(registry.find(settings.model), changes)[symbol] != number:
            like = f"; what begins with {settings.warm_start} needs images like those it was trained on"
            raise DatasetError(
                f"{symbol}={changes[symbol]}: {images.name} has {what}; leave {symbol} out, it follows the data"
                + like * bool(settings.warm_start)
            )
    fit = settings if changes == dict(settings.changes) else dataclasses.replace(settings, changes=changes)
    made = fit.make_model()
    _refuse_other_sizes(made, images)
    _refuse_short(made, images)
    return fit


_ENCODERS = {SpikeSet.holds: GIVEN, SeriesSet.holds: SERIES}
"""Of what samples that are no images are."""


def _in_time(
    settings: RunSettings, table: Mapping[str, Parameter], images: Dataset
) -> list[tuple[str, Any, str]]:
    """Parameters of input neurons that follow a set of spikes or series, with why."""
    if not isinstance(images, SpikeSet | SeriesSet):
        for what, encoder in _ENCODERS.items():
            if "encoder" in table and settings.changes.get("encoder") == encoder:
                raise DatasetError(f"encoder={encoder}: {images.name} has no {what}; leave it out")
        return []
    if "encoder" not in table or "n_given" not in table:
        raise DatasetError(
            f"{images.name}: holds {images.holds}, and {settings.model} turns images into its inputs itself"
        )
    if isinstance(images, SpikeSet):
        followed: tuple[Any, ...] = (
            ("n_given", images.most, f"up to {images.most} spikes of a neuron in a sample"),
        )
    else:
        followed = (
            ("n_moments", images.moments, f"{images.moments} moments a sample"),
            ("t_moment", images.moment * second, f"moments of {1e3 * images.moment:g} ms"),
        )
    return [("encoder", _ENCODERS[images.holds], images.holds), *followed]


def _refuse_short(model: Model, images: Dataset) -> None:
    """Refuse spikes and series that would go on when a presentation is over."""
    if isinstance(model, EncodedInputs) and isinstance(images, SpikeSet | SeriesSet):
        shown, least = {phase: model.shown_time(phase) for phase in model.phases}, images.lasts - _NOTHING
        if short := [f"{1e3 * time:g} ms in phase '{phase}'" for phase, time in shown.items() if time < least]:
            raise DatasetError(
                f"{images.name}: its {images.holds} last for {1e3 * images.lasts:.6g} ms, and inputs are shown for"
                f" {short[0]}; lengthen the presentation (`hebbarium describe {model.name}`), or cut the {images.holds}"
            )


def refuse_other_set(model: Model, learned: tuple[str, ...], shape: tuple[int, int] | None, images: Dataset) -> None:
    """Refuse images that a trained network was not made for.

    Parameters
    ----------
    model : Model
        As it was trained.
    learned : tuple of str
        Names of the classes it has learned; empty if they are not known.
    shape : tuple of int, optional
        Rows and columns of the images it has learned.
    images : Dataset
        Another set, with labels or without.

    Raises
    ------
    DatasetError
        They have another size, or labels beyond the classes of the network.
    """
    encoder = getattr(model, "encoder", "")
    learned_from = next((what for what, its in _ENCODERS.items() if encoder == its), Dataset.holds)
    if images.holds != learned_from:
        raise DatasetError(f"{images.name}: has {images.holds}, unlike what the network was trained on: {learned_from}")
    pixels = anatomy.shown_to(model, "input")
    if images.pixels != pixels or (shape is not None and images.shape != shape):
        wanted = f"images of {in_pixels(shape)}" if shape is not None else f"images of {pixels:,} pixels"
        raise DatasetError(
            f"{images.name}: has images of {in_pixels(images.shape)}, but the network was trained on {wanted}; "
            f"bring them to that size"
        )
    _refuse_short(model, images)
    layers = [anatomy.shown_to(model, layer) for layer in class_layers(model)]
    known = len(learned) if learned else min(layers, default=images.classes)
    if images.classes > known:
        named = f" ({_some(learned)})" if learned else ""
        raise DatasetError(
            f"{images.name}: has labels of {images.classes} classes, but the network has learned {known}{named}; "
            f"expected labels from 0 to {known - 1}"
        )


def class_layers(model: Model) -> list[str]:
    """Populations whose neurons stand for the classes themselves."""
    return list(dict.fromkeys(readout.population for readout in model.readouts if not readout.labelled))


def refuse_unlabelled(images: Dataset, part: str, remedy: str) -> None:
    """Refuse a set whose ``training`` or ``test`` images are missing or have no labels.

    Raises
    ------
    DatasetError
        With the remedy as its last words.
    """
    labels = images.train_labels if part == "training" else images.test_labels
    prefix = "" if part == "training" else "test_"
    if len(labels) == 0:
        raise DatasetError(f"{images.name}: has no {part} images (array '{prefix}images'): {remedy}")
    if (labels == UNLABELLED).any():
        raise DatasetError(f"{images.name}: its {part} images have no labels (array '{prefix}labels'): {remedy}")


def remarks(images: Dataset, split: draws.Split, tested: NDArray[np.int64]) -> list[str]:
    """What is odd about the images of a run, though it can be trained: sentences for the user.

    Parameters
    ----------
    images : Dataset
    split : Split
    tested : (samples,)
        Labels of the images that accuracy is measured on.
    """
    texts = list(images.remarks)
    trained = images.train_labels[split.train]
    numbers = np.arange(images.classes)
    names = images.class_names
    everywhere = np.concatenate([images.train_labels, images.test_labels])
    nowhere = np.setdiff1d(numbers, everywhere)
    if len(nowhere):
        hint = "; if your classes are counted from 1, subtract 1 from the labels" if nowhere[0] == 0 else ""
        texts.append(f"no image has the label {_numbered(nowhere)}: these count as classes all the same{hint}")
    unlearned = np.setdiff1d(tested, trained)
    if len(unlearned):
        texts.append(f"no image trained on is of class {_of(unlearned, names)}, which is tested: it cannot be learned")
    untested = np.setdiff1d(trained, tested)
    if len(untested) and len(tested) >= images.classes:
        texts.append(f"no image tested on is of class {_of(untested, names)}, which is learned")
    if len(np.unique(tested)) == 1:
        texts.append(f"all images tested on are of class {_of(np.unique(tested), names)}: accuracy says nothing")
    elif share_of_most_common(tested) > 75:
        texts.append(
            f"{share_of_most_common(tested):.0f} % of the images tested on are of one class: to name it always is as "
            "right"
        )
    if images.holds == Dataset.holds:
        texts += _looks(images.train_images[split.train])
    texts += _twice(images)
    return [f"{images.name}: {text.removeprefix(f'{images.name}: ')}" for text in texts]


def _refuse_what_is_missing(settings: RunSettings, images: Dataset) -> None:
    refuse_unlabelled(
        images, "training", "they are needed to teach the network or to label its neurons; add them to the file"
    )
    some = max(1, min(1000, len(images.train_labels) // 5))
    held_out = f"hold out training images instead, with --validation {some} --evaluate-on validation"
    if settings.evaluate_on == "test":
        refuse_unlabelled(images, "test", f"accuracy is measured on them; add them to the file, or {held_out}")
    for part, pixels in (("training", images.train_images), ("test", images.test_images)):
        if len(pixels) and not pixels.any():
            raise DatasetError(
                f"{images.name}: its {part} images are all black; expected intensities from 0 to 255, or from 0 to 1 "
                "in floating point"
            )


def _refuse_other_sizes(model: Model, images: Dataset) -> None:
    """For models that do not say by a parameter how many inputs or classes they have."""
    if (pixels := anatomy.shown_to(model, "input")) != images.pixels:
        raise DatasetError(
            f"{images.name}: has images of {in_pixels(images.shape)}, but {model.name} has {pixels:,} input "
            f"neurons; expected one a pixel"
        )
    for layer in class_layers(model):
        if (neurons := anatomy.shown_to(model, layer)) != images.classes:
            raise DatasetError(
                f"{images.name}: has labels of {images.classes} classes, but {model.name} has {neurons} "
                f"class neurons ('{layer}'); expected one a class"
            )


def _looks(pixels: NDArray[np.uint8]) -> list[str]:
    """Sentences about images that are black, or dark on white."""
    black, mean = int(np.count_nonzero(~pixels.any(axis=1))), float(pixels.mean())
    if mean < _BLACK:
        return [f"the training images are nearly black: their mean is {mean:.2g} of 255, and {black:,} are all black"]
    if mean > _BRIGHT:
        return [
            f"the training images are bright, their mean is {mean:.0f} of 255: pixels drive the network by how bright "
            "they are; if yours are dark on white, give 255 - images"
        ]
    return [f"{black:,} of {len(pixels):,} training images are black"] if black > len(pixels) // 100 else []


def _twice(images: Dataset) -> list[str]:
    """A sentence about test images that are among the training images, of a user's own set."""
    if made_sets.origin(images.name):
        return []
    known = {hash(row.tobytes()) for row in images.train_images}
    shared = sum(hash(row.tobytes()) in known for row in images.test_images)
    return [f"{shared:,} of {len(images.test_images):,} test images are among the training images"] if shared else []


def _of(classes: NDArray[np.integer], names: tuple[str, ...]) -> str:
    return _some(tuple(names[c] for c in classes))


def _numbered(classes: NDArray[np.integer]) -> str:
    return _some(tuple(map(str, classes)))


def _some(names: tuple[str, ...]) -> str:
    more = len(names) - _SHOWN
    return listed(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
