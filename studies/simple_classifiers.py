"""Three classifiers without spikes and without a hidden layer that learns by errors: what a learning rule has to beat.

- `softmax`: class units ``p = softmax(V x + b)``, which the delta rule teaches, ``V += eta (t - p) x``, with the label
  as ``t``, summed over a few images at a time, while ``eta`` falls to zero, so that the last images do not count most;
- `class_means`: the class whose mean image is nearest;
- `prototypes`: images that move to the mean of those that are nearest to them, without a label (Lloyd's algorithm:
  S. P. Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information Theory 28:129, 1982). Then each is
  called what most of its images are, and the nearest one answers.

None of them knows which pixels are neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hebbarium.record import results

__all__ = ["BATCH", "Classifier", "Nearest", "Softmax", "class_means", "prototypes", "softmax"]

Floats = NDArray[np.float64]
Images = NDArray[np.uint8]
Labels = NDArray[np.integer]
Advance = Callable[[int], None]

_TOGETHER = 5000
"""Images whose distances are computed at once: they fit into memory."""
BATCH = 10
"""Images between two steps of the delta rule."""


class Classifier(Protocol):
    """What has learned."""

    def predicted(self, images: Images) -> NDArray[np.int64]:
        """Class of each image ``(image, pixel)``; -1 for no answer."""
        ...


@dataclass(frozen=True, eq=False)
class Softmax:
    """Class units on pixels.

    Parameters
    ----------
    weights : (class, pixel)
    biases : (class,)
    """

    weights: Floats
    biases: Floats

    def predicted(self, images: Images) -> NDArray[np.int64]:
        """The class with the largest drive."""
        return (_intensities(images) @ self.weights.T + self.biases).argmax(axis=1)


@dataclass(frozen=True, eq=False)
class Nearest:
    """Images with a class each.

    Parameters
    ----------
    images : (prototype, pixel)
        From 0 to 1.
    classes : (prototype,)
        -1 for one that is nearest to no image and answers none.
    """

    images: Floats
    classes: NDArray[np.int64]

    def predicted(self, images: Images) -> NDArray[np.int64]:
        """The class of the nearest one."""
        known = self.classes != results.NO_CLASS
        return self.classes[known][nearest(images, self.images[known])]


def softmax(
    images: Images, labels: Labels, orders: Sequence[NDArray[np.int64]], classes: int, eta: float,
    advance: Advance = lambda number: None,
) -> Softmax:  # fmt: skip
    """Class units that the delta rule has taught, from zero.

    Parameters
    ----------
    images : (image, pixel)
    labels : (image,)
    orders : sequence of (image,)
        Indices of the images in the order of each pass.
    classes : int
    eta : float
        Learning rate of the first images; it falls evenly to zero.
    advance : callable
        Called with a number of images when they have been shown.
    """
    weights, biases, targets = np.zeros((classes, images.shape[1])), np.zeros(classes), np.eye(classes)
    shown, every = 0, sum(map(len, orders))
    for order in orders:
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            step = eta * (1 - shown / every)
            x = _intensities(images[batch])
            drive = x @ weights.T + biases
            p = np.exp(drive - drive.max(axis=1, keepdims=True))
            error = targets[labels[batch]] - p / p.sum(axis=1, keepdims=True)
            weights += step * (error.T @ x)
            biases += step * error.sum(axis=0)
            shown += len(batch)
        advance(len(order))
    return Softmax(weights, biases)


def class_means(images: Images, labels: Labels, classes: int) -> Nearest:
    """The mean image of each class.

    Parameters
    ----------
    images : (image, pixel)
    labels : (image,)
    classes : int
    """
    return _named(_means(images, labels, np.zeros((classes, images.shape[1]))), labels, labels, classes)


def prototypes(
    images: Images, labels: Labels, number: int, passes: int, classes: int, generator: np.random.Generator,
    advance: Advance = lambda number: None,
) -> Nearest:  # fmt: skip
    """Images that have moved to the mean of those that are nearest to them, and what most of these are called.

    Parameters
    ----------
    images : (image, pixel)
    labels : (image,)
    number : int
        Of prototypes; they begin as so many of the images.
    passes : int
    classes : int
    generator : numpy.random.Generator
        Where the first prototypes are drawn from.
    advance : callable
        Called with a number of images when they have been shown.

    Raises
    ------
    ValueError
        There are fewer images than prototypes.
    """
    if not 1 <= number <= len(images):
        raise ValueError(f"prototypes={number}: expected 1 to {len(images):,}, the images that they are drawn from")
    places = _intensities(images[generator.choice(len(images), number, replace=False)])
    for _ in range(passes):
        places = _means(images, nearest(images, places), places)
        advance(len(images))
    return _named(places, nearest(images, places), labels, classes)


def nearest(images: Images, places: Floats) -> NDArray[np.int64]:
    """Number of the place ``(place, pixel)`` that is nearest to each image, in single precision."""
    found = np.empty(len(images), np.int64)
    squares, directions = ((255 * places) ** 2).sum(axis=1), np.asarray(510 * places.T, np.float32)
    for start in range(0, len(images), _TOGETHER):
        part = slice(start, start + _TOGETHER)
        found[part] = (squares - images[part].astype(np.float32) @ directions).argmin(axis=1)
    return found


def _means(images: Images, groups: Labels, otherwise: Floats) -> Floats:
    """Mean image of each group; of one without images, what it was."""
    means = otherwise.copy()
    for group in np.unique(groups):
        means[group] = images[groups == group].mean(axis=0) / 255
    return means


def _named(places: Floats, groups: Labels, labels: Labels, classes: int) -> Nearest:
    """Places called what most images of their group are."""
    counts = np.zeros((len(places), classes), np.int64)
    np.add.at(counts, (groups, labels), 1)
    return Nearest(places, np.where(counts.any(axis=1), counts.argmax(axis=1), results.NO_CLASS))


def _intensities(images: Images) -> Floats:
    """Pixels from 0 to 1."""
    return images / np.float64(255)
