"""Sets that are made of a published one by a rule when they are loaded, such as ``mnist-rotated``.

A name is that of a published set with a rule behind it. Labels, and which images are tested on, stay as they are. What
a rule draws, it draws from a stream of its own with one seed, so that a set is the same wherever it is made; its digest
(`Dataset.sha256`) is that of the images made.

- ``inverted``: white is black and black is white;
- ``permuted``: pixels change places, all images alike. What knows nothing of neighbours is as right as before;
- ``rotated``: each image by an angle of its own, from all the way round, between pixels by bilinear interpolation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hebbarium.datasets.draws import Purpose, stream
from hebbarium.datasets.labelled_images import Dataset
from hebbarium.datasets.published_sets import SETS, PublishedSet

__all__ = ["NAMES", "RULES", "SEED", "made", "origin", "parts_of"]

SEED = 0
Images = NDArray[np.uint8]
Rule = Callable[[Images, tuple[int, int], int], Images]
"""Makes images ``(images, pixels)`` of others; told rows and columns, and 0 for training and 1 for test images."""


def _inverted(images: Images, shape: tuple[int, int], part: int) -> Images:
    return np.asarray(255 - images, np.uint8)


def _permuted(images: Images, shape: tuple[int, int], part: int) -> Images:
    return images[:, stream(SEED, Purpose.PIXEL_ORDER).permutation(images.shape[1])]


def _rotated(images: Images, shape: tuple[int, int], part: int) -> Images:
    angles = stream(SEED, Purpose.ANGLES, part).uniform(0, 360, len(images))
    turned = [
        np.asarray(Image.fromarray(image).rotate(angle, Image.Resampling.BILINEAR)).ravel()
        for image, angle in zip(images.reshape(-1, *shape), angles, strict=True)
    ]
    return np.array(turned, np.uint8).reshape(images.shape)


RULES: Mapping[str, Rule] = MappingProxyType({"inverted": _inverted, "permuted": _permuted, "rotated": _rotated})
NAMES = tuple(f"{known}-{rule}" for known in SETS for rule in RULES)
"""Every set that can be made."""


def parts_of(name: str) -> tuple[PublishedSet, str]:
    """The set that one of `NAMES` is made of, and the rule."""
    known, _, rule = name.rpartition("-")
    return SETS[known], rule


def origin(name: str) -> PublishedSet | None:
    """The published set that images of a name come from, as they are or changed; None for a user's own."""
    if name in NAMES:
        return parts_of(name)[0]
    return SETS.get(name)


def made(images: Dataset, rule: str) -> Dataset:
    """Other images of the same classes.

    Parameters
    ----------
    images : Dataset
    rule : str
        One of `RULES`.
    """
    train, test = (
        RULES[rule](part, images.shape, number) for number, part in enumerate((images.train_images, images.test_images))
    )
    return Dataset(
        f"{images.name}-{rule}", train, images.train_labels, test, images.test_labels, images.class_names, images.shape
    )
