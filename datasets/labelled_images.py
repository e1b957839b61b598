"""A set of labelled images, all of one size, as every protocol takes it, wherever the images came from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hebbarium.datasets import idx

MNIST_SHAPE = (28, 28)
"""Rows and columns of the images of the published sets."""
UNLABELLED = -1


class DatasetError(ValueError):
    """Images or labels that are missing, damaged, or not what they should be.

    The message names the file or array, what was expected of it, and what to do.
    """


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training and test images with their labels. All arrays are read-only.

    Attributes
    ----------
    name : str
        Name of the set, for example ``mnist``, or the file name of a user's own images.
    train_images, test_images : numpy.ndarray
        Pixel intensities 0..255, uint8, shape (images, pixels), each image row by row.
    train_labels, test_labels : numpy.ndarray
        Class numbers from 0, int64, shape (images,); -1 where an image has no label.
    class_names : tuple of str
        Name of each class, by number.
    shape : tuple of int
        Rows and columns of an image.
    remarks : tuple of str
        What was done to the images when they were read, or looks odd about them; to be said before they are used.
    sha256 : str
        Digest of the whole set, computed from the arrays: the SHA-256 of the SHA-256 digests of its four
        parts in IDX form. The same images give the same digest, whatever file they were read from.

    Raises
    ------
    DatasetError
        The arrays do not fit each other or the class names.
    """

    #: what samples are: images, spikes or series
    holds: ClassVar[str] = "images"

    name: str
    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    shape: tuple[int, int] = MNIST_SHAPE
    remarks: tuple[str, ...] = ()
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        parts = (
            ("training", self.train_images, self.train_labels),
            ("test", self.test_images, self.test_labels),
        )
        for part, images, labels in parts:
            width = self.row_shape[0] * self.row_shape[1]
            if images.dtype != np.uint8 or images.ndim != 2 or images.shape[1] != width:
                raise DatasetError(
                    f"{self.name}: the {part} images have shape {images.shape} and type {images.dtype}; "
                    f"expected (images, {width}) of uint8"
                )
            if labels.shape != (len(images),):
                raise DatasetError(
                    f"{self.name}: {len(images):,} {part} images but labels of shape {labels.shape}; "
                    f"expected one label an image"
                )
            if len(labels) and not UNLABELLED <= labels.min() <= labels.max() < len(self.class_names):
                raise DatasetError(
                    f"{self.name}: {part} labels from {labels.min()} to {labels.max()}; "
                    f"expected 0 to {len(self.class_names) - 1}, or {UNLABELLED} for an image without a label"
                )
            images.flags.writeable = False
            labels.flags.writeable = False
        object.__setattr__(self, "sha256", self._digest())

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def pixels(self) -> int:
        """Pixels of an image."""
        return self.shape[0] * self.shape[1]

    @property
    def row_shape(self) -> tuple[int, int]:
        """Rows and columns of the bytes of a sample; of images, those of its pixels."""
        return self.shape

    def _digest(self) -> str:
        whole = hashlib.sha256()
        for images, labels in ((self.train_images, self.train_labels), (self.test_images, self.test_labels)):
            cubes = images.reshape(-1, *self.row_shape)
            # Labels beyond one byte (and the -1 of unlabelled images) have no IDX form of unsigned bytes.
            narrow = labels.size == 0 or (labels.min() >= 0 and labels.max() <= 255)
            content = idx.encode(labels.astype(np.uint8)) if narrow else labels.astype("<i8").tobytes()
            whole.update(hashlib.sha256(idx.encode(cubes)).digest())
            whole.update(hashlib.sha256(content).digest())
        return whole.hexdigest()


def digit_names(classes: int) -> tuple[str, ...]:
    """Names of classes that have none but their number: ``("0", "1", ...)``."""
    return tuple(str(number) for number in range(classes))


def listed(names: Sequence[str]) -> str:
    """Names in an error message: ``a, b, c``, or ``none``."""
    return ", ".join(names) if names else "none"
