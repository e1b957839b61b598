"""Which images serve a run for what: the one place where a set is divided, and where test or validation is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbarium.datasets import draws
from hebbarium.datasets.labelled_images import Dataset
from hebbarium.engine import streams
from hebbarium.training import fit
from hebbarium.training.run_settings import BY_CLASS, RunSettings

__all__ = ["PARTS", "Division", "Samples"]

PARTS = ("train", "labelling", "validation", "test", "tested")
"""What images can serve for; ``tested`` are those of ``validation`` or ``test`` that a run's settings name."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Some images of a set.

    Parameters
    ----------
    pixels : (samples, pixels)
    labels : (samples,)
    index : (samples,)
        Number of each in its part of the set, training or test images.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    index: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, chosen: slice | NDArray[np.integer]) -> Samples:
        return Samples(self.pixels[chosen], self.labels[chosen], self.index[chosen])

    @classmethod
    def of_test_set(cls, images: Dataset, number: int | None, seed: int) -> Samples:
        """Test images of any set: all of them, or as many, drawn evenly from the classes.

        Raises
        ------
        DatasetError
            There are no such images, no labels, or not as many.
        """
        fit.refuse_unlabelled(images, "test", "accuracy is measured on them; add them to the file")
        return cls(*draws.split(images, 0, test=number, seed=seed).tested(images, "test"))

    def drawn(self, number: int | None, generator: np.random.Generator) -> Samples:
        """As many of them, evenly from the classes; all, as they are, if no number is given.

        Raises
        ------
        DatasetError
            There are fewer.
        """
        return self if number is None else self[draws.even_draw(self.labels, number, generator)]


def _training(images: Dataset, index: NDArray[np.int64]) -> Samples:
    return Samples(images.train_images[index], images.train_labels[index], index)


@dataclass(frozen=True, eq=False)
class Division:
    """A set as a run divides it.

    Parameters
    ----------
    settings : RunSettings
    images : Dataset
    split : Split
        From `of`.
    """

    settings: RunSettings
    images: Dataset
    split: draws.Split

    @classmethod
    def of(cls, settings: RunSettings, images: Dataset) -> Division:
        """Divide a set.

        Raises
        ------
        DatasetError
            There are fewer images than asked for, or they have no labels.
        """
        a = settings
        return cls(a, images, draws.split(images, a.images, a.validation, a.test_images, a.seed))

    @property
    def trained(self) -> int:
        """Training images of a pass."""
        return len(self.split.train)

    @property
    def tested(self) -> Samples:
        """What accuracy is measured on."""
        return self.part(self.settings.evaluate_on)

    def part(self, name: str, epoch: int = 0) -> Samples:
        """The images that serve for something.

        Parameters
        ----------
        name : {'train', 'labelling', 'validation', 'test', 'tested'}
            One of `PARTS`.
        epoch : int
            Pass whose order training images come in.
        """
        match name:
            case "train":
                return _training(self.images, self.order([epoch]))
            case "labelling":
                return _training(self.images, self._labelling())
            case "validation" | "test":
                return Samples(*self.split.tested(self.images, name))
            case "tested":
                return self.tested
        raise ValueError(f"images for {name}: expected one of {', '.join(PARTS)}")

    def some(self, name: str, number: int | None, epoch: int = 0) -> Samples:
        """As many of a part: the first ones of training, of others drawn evenly from the classes; see `Samples.drawn`.

        The draw is that of a run which is tested on so few.
        """
        samples = self.part(name, epoch)
        if name == "train":
            return samples[:number]
        return samples.drawn(number, draws.stream(self.settings.seed, draws.Purpose.TEST_IMAGES))

    @property
    def on_the_way(self) -> Samples:
        """What accuracy is measured on while training goes on."""
        tested = self.tested
        number = min(self.settings.evaluate_images, len(tested))
        return tested.drawn(number, streams.generator(self.settings.seed, streams.DRAW, 1))

    def at(self, index: NDArray[np.int64]) -> Samples:
        """Training images by their numbers."""
        return _training(self.images, index)

    def order(self, epochs: Sequence[int]) -> NDArray[np.int64]:
        """Numbers of the training images of several passes, in the order in which they are shown."""
        return np.concatenate([self._order(epoch) for epoch in epochs])

    def _order(self, epoch: int) -> NDArray[np.int64]:
        """Of one pass. Within a class images keep the order that was drawn."""
        drawn = self.split.order(epoch)
        if self.settings.image_order == BY_CLASS:
            drawn = drawn[np.argsort(self.images.train_labels[drawn], kind="stable")]
        return drawn

    @property
    def number_tested(self) -> int:
        """How many images accuracy is measured on."""
        return len(self.split.validation if self.settings.evaluate_on == "validation" else self.split.test)

    @property
    def number_labelling(self) -> int:
        """How many images label neurons in a frozen pass, if there is one."""
        wanted = self.settings.labelling_images
        return self.trained if wanted is None else min(self.trained, wanted)

    def _labelling(self) -> NDArray[np.int64]:
        images = np.unique(self.split.train)
        if self.number_labelling == len(images):
            return images
        generator = streams.generator(self.settings.seed, streams.DRAW)
        return images[draws.even_draw(self.images.train_labels[images], self.number_labelling, generator)]
