"""Which images are trained on, validated on and tested on, and in which order: seeded and class-balanced."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from hebbarium.datasets.labelled_images import Dataset, DatasetError

Indices = NDArray[np.int64]


class Purpose(IntEnum):
    """What a stream of random numbers is for.

    The numbers are part of every reproduced result: a purpose may be added, none renumbered. They start at
    101 to stay clear of the engine's own purposes (weights, spikes).
    """

    TRAINING_IMAGES = 101
    VALIDATION_IMAGES = 102
    TEST_IMAGES = 103
    ORDER = 104
    EMBEDDED_SUBSET = 105
    PERTURBATION = 106
    PIXEL_ORDER = 107
    ANGLES = 108


def stream(seed: int, purpose: Purpose, epoch: int = 0) -> np.random.Generator:
    """Random numbers for one purpose, independent of all other purposes, epochs and seeds.

    Parameters
    ----------
    seed : int
        Seed of the run, 0 or more.
    purpose : Purpose
        What the numbers are for.
    epoch : int
        Pass through the training images, from 0.
    """
    if seed < 0:
        raise DatasetError(f"seed: expected 0 or more, got {seed}")
    return np.random.default_rng(np.random.SeedSequence([seed, int(purpose), epoch]))


def balanced_draw(labels: NDArray[np.integer], per_class: int, rng: np.random.Generator) -> Indices:
    """As many images of each class, drawn without replacement.

    Parameters
    ----------
    labels : numpy.ndarray
        Class numbers, shape (images,).
    per_class : int
        Images to draw of each class that occurs.
    rng : numpy.random.Generator
        Where the draw comes from.

    Returns
    -------
    numpy.ndarray
        Indices into ``labels``, int64, shape (classes * per_class,), in random order.

    Raises
    ------
    DatasetError
        A class has fewer images, or images have no labels.
    """
    classes, available = _class_sizes(labels)
    if per_class < 0:
        raise DatasetError(f"images a class: expected 0 or more, got {per_class}")
    scarce = int(np.argmin(available))
    if per_class > available[scarce]:
        raise DatasetError(
            f"{per_class:,} images a class were asked for, but class {classes[scarce]} has only "
            f"{available[scarce]:,}: ask for {available[scarce]:,} a class or fewer"
        )
    return _draw(labels, classes, np.full(len(classes), per_class), rng)


def even_draw(labels: NDArray[np.integer], images: int, rng: np.random.Generator) -> Indices:
    """A number of images, as evenly from the classes as it can be, drawn without replacement.

    Where the number is no multiple of the number of classes, which classes give one image more is drawn too.
    A class that has fewer images than its share gives all it has; the others make up for it.

    Parameters
    ----------
    labels : numpy.ndarray
        Class numbers, shape (all images,).
    images : int
        Images to draw.
    rng : numpy.random.Generator
        Where the draw comes from.

    Returns
    -------
    numpy.ndarray
        Indices into ``labels``, int64, shape (images,), in random order.

    Raises
    ------
    DatasetError
        There are fewer images, or images have no labels.
    """
    if not 0 <= images <= len(labels):
        raise DatasetError(
            f"{images:,} images were asked for, but there are {len(labels):,} to draw from: "
            f"ask for 0 to {len(labels):,}"
        )
    if images == 0:
        return np.empty(0, dtype=np.int64)
    classes, available = _class_sizes(labels)
    counts = np.zeros_like(available)
    missing = images
    while missing:
        open_classes = np.flatnonzero(counts < available)
        share, extra = divmod(missing, len(open_classes))
        if share:
            counts[open_classes] = np.minimum(counts[open_classes] + share, available[open_classes])
        else:
            counts[rng.choice(open_classes, size=extra, replace=False)] += 1
        missing = images - int(counts.sum())
    return _draw(labels, classes, counts, rng)


def _class_sizes(labels: NDArray[np.integer]) -> tuple[NDArray[np.integer], NDArray[np.int64]]:
    if len(labels) == 0:
        raise DatasetError("there are no images to draw from")
    if labels.min() < 0:
        raise DatasetError(
            f"{np.count_nonzero(labels < 0):,} of {len(labels):,} images have no label; a draw that is even "
            f"over the classes needs a label for each: add an array 'labels' to the file of images"
        )
    classes, available = np.unique(labels, return_counts=True)
    return classes, available.astype(np.int64)


def _draw(
    labels: NDArray[np.integer],
    classes: NDArray[np.integer],
    counts: NDArray[np.int64],
    rng: np.random.Generator,
) -> Indices:
    drawn = [
        rng.choice(np.flatnonzero(labels == number), size=count, replace=False)
        for number, count in zip(classes, counts, strict=True)
    ]
    return rng.permutation(np.concatenate(drawn)).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Split:
    """Images of one run: trained on, validated on, tested on.

    Attributes
    ----------
    train, validation : numpy.ndarray
        Indices into the set's training images, int64; no image is in both.
    test : numpy.ndarray
        Indices into the set's test images, int64.
    seed : int
        Seed that the draws and the order come from.
    """

    train: Indices
    validation: Indices
    test: Indices
    seed: int

    def order(self, epoch: int = 0) -> Indices:
        """Training images in the order of one epoch: indices into the set's training images.

        Parameters
        ----------
        epoch : int
            Pass through the training images, from 0; each has its own order.
        """
        return stream(self.seed, Purpose.ORDER, epoch).permutation(self.train)

    def tested(self, dataset: Dataset, evaluate_on: str) -> tuple[NDArray[np.uint8], NDArray[np.int64], Indices]:
        """Images that accuracy is measured on, their labels, and their indices in the set's own part.

        Parameters
        ----------
        dataset : Dataset
            What was split.
        evaluate_on : {'test', 'validation'}
        """
        if evaluate_on == "validation":
            return dataset.train_images[self.validation], dataset.train_labels[self.validation], self.validation
        return dataset.test_images[self.test], dataset.test_labels[self.test], self.test


def split(
    dataset: Dataset,
    images: int | None = None,
    validation: int = 0,
    test: int | None = None,
    seed: int = 0,
) -> Split:
    """Draw the images of a run.

    Parameters
    ----------
    dataset : Dataset
        A set with labels.
    images : int, optional
        Images to train on, as evenly from the classes as can be; ``40_000`` of MNIST are 4,000 a class.
        Without it, all training images that validation leaves.
    validation : int
        Images to validate on, drawn evenly from the training images that are not trained on.
    test : int, optional
        Images to test on, drawn evenly from the test images. Without it all of them, in the set's own order.
    seed : int
        Seed of the draws, 0 or more. Training images do not depend on how many are validated on, if their
        number is given.

    Raises
    ------
    DatasetError
        More images are asked for than there are, or the set has no labels.
    """
    labels = dataset.train_labels
    everything = np.arange(len(labels), dtype=np.int64)
    rng_train = stream(seed, Purpose.TRAINING_IMAGES)
    rng_validation = stream(seed, Purpose.VALIDATION_IMAGES)
    try:
        if images is not None and images + validation > len(labels):
            raise DatasetError(
                f"{images:,} images to train on and {validation:,} to validate on were asked for, but there "
                f"are {len(labels):,} training images: ask for fewer"
            )
        if images is None:
            held_out = even_draw(labels, validation, rng_validation)
            train = rng_train.permutation(np.setdiff1d(everything, held_out))
        else:
            train = even_draw(labels, images, rng_train)
            rest = np.setdiff1d(everything, train)
            held_out = rest[even_draw(labels[rest], validation, rng_validation)]
        if test is None:
            tested = np.arange(len(dataset.test_labels), dtype=np.int64)
        else:
            tested = even_draw(dataset.test_labels, test, stream(seed, Purpose.TEST_IMAGES))
    except DatasetError as error:
        raise DatasetError(f"{dataset.name}: {error}") from error
    return Split(train, held_out, tested, seed)
