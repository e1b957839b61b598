"""How inputs of a network come of images and labels, found so that they can be computed without Python.

A model says its inputs in Python (`hebbarium.models.contract.Model.all_inputs`). Most are of a few forms, which the
programs of an exported project compute as well. Which one it is is found by asking the model, and held against what
the model says of images of the run, bit by bit: what is of none of these forms is refused by its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbarium.files.errors import ModelRefused
from hebbarium.models.contract import Model
from hebbarium.models.symmetric_stdp import SymmetricSTDP
from hebbarium.training.samples import Samples

__all__ = ["InputForm", "forms"]

LEVELS = 256
"""Intensities of a pixel."""
MOST_PROBED = 2000
"""Images of the run that every form is held against."""
_PER_BLOCK = 37  # no multiple of a usual batch: the last one of a block is not whole

Table = NDArray[np.float64]


@dataclass(frozen=True)
class ProbedSamples:
    """What a model may be asked for the inputs of.

    Parameters
    ----------
    pixels : (samples, pixels)
    labels : (samples,)
    epochs : (samples,)
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    epochs: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class InputForm:
    """One input, and how it is computed.

    Parameters
    ----------
    name : str
    width : int
        Numbers of a sample.
    form : str
        ``level``: a pixel's number by a table of its levels. ``share``, ``lit_share``: a number divided among pixels by
        their levels, or equally among those that are not black. ``evened``: levels brought to one mean, then as by a
        table. ``brightest``: the largest number of another input. ``label``, ``class``: the label, or a row of a table
        by it. ``pass``: a number of a table by the pass through the images. ``opens``, ``closes``: 1 for the first or
        the last sample of each so many, or of a block.
    number : float
    table : array or str, optional
        A table; of ``brightest``, the other input's name.
    """

    name: str
    width: int
    form: str
    number: float = 0.0
    table: Table | str | None = None

    def of(self, probe: ProbedSamples, others: dict[str, Table]) -> Table:
        """The input ``(samples, width)`` of a block, as the exported program computes it.

        Parameters
        ----------
        probe : ProbedSamples
        others : dict of arrays
            The inputs before it.
        """
        levels, number = probe.pixels, np.arange(len(probe))
        table = self.table
        if self.form == "brightest":
            return others[str(table)].max(axis=1, keepdims=True, initial=0)
        if isinstance(table, np.ndarray):
            mean = levels.mean(axis=1, keepdims=True, dtype=np.float64)
            evened = np.minimum(np.floor(levels * (self.number / np.where(mean > 0, mean, 1))), LEVELS - 1)
            rows: dict[str, NDArray[np.integer]] = {
                "level": levels, "class": probe.labels, "pass": probe.epochs, "evened": evened.astype(np.int64),
            }  # fmt: skip
            by = rows[self.form]
            return np.asarray(table[by]).reshape(len(probe), -1)
        if self.form in ("share", "lit_share"):
            share = levels > 0 if self.form == "lit_share" else levels
            total = share.sum(axis=1, keepdims=True, dtype=np.float64)
            return np.asarray(share * (self.number / np.where(total > 0, total, 1)))
        every = int(self.number)
        if self.form == "label":
            chosen: NDArray[np.generic] = probe.labels
        elif self.form == "opens":
            chosen = number % every == 0 if every else number == 0
        else:
            chosen = ((number + 1) % every == 0 if every else number < 0) | (number + 1 == len(probe))
        return chosen.astype(np.float64)[:, np.newaxis]


def forms(model: Model, phase: str, shown: Samples, passes: int, read: Sequence[str]) -> list[InputForm]:
    """The form of each input that a program of a phase reads.

    Parameters
    ----------
    model : Model
    phase : str
    shown : Samples
        Images of the run, some of which every form is held against.
    passes : int
        Through the training images.
    read : sequence of str
        Names of inputs.

    Raises
    ------
    ModelRefused
        Naming an input that is of none of the forms.
    """
    classes = int(shown.labels.max()) + 1
    asked = _Asked(model, phase, shown.pixels.shape[1], classes, passes)
    probes = list(_probes(shown, classes, passes))
    said = [asked(probe) for probe in probes]
    found: list[InputForm] = []
    known: list[dict[str, Table]] = [{} for _ in probes]
    for name in [name for name in said[0] if name in read]:
        width = said[0][name].shape[1]
        form = next((
            candidate for candidate in asked.candidates(name, width, [form.name for form in found])
            if all(
                np.array_equal(candidate.of(probe, before), one[name])
                for probe, before, one in zip(probes, known, said, strict=True)
            )
        ), None)  # fmt: skip
        if form is None:
            raise ModelRefused(
                f"model {model.name}: its input '{name}' in phase {phase} cannot be computed without Python. It is"
                " neither a pixel's level by a table, nor a share of a sum over pixels, nor the label or a row of a"
                " table by it, nor a number by the pass, nor one that says where a batch or a block begins or ends"
            )
        found.append(form)
        for before, one in zip(known, said, strict=True):
            before[name] = one[name]
    return found


class _Asked:
    """A model, asked for the inputs of a phase."""

    def __init__(self, model: Model, phase: str, pixels: int, classes: int, passes: int) -> None:
        self.model, self.phase, self.pixels, self.classes, self.passes = model, phase, pixels, classes, passes

    def __call__(self, probe: ProbedSamples) -> dict[str, Table]:
        given = self.model.all_inputs(self.phase, probe.pixels, probe.labels, probe.epochs)
        return {name: np.asarray(array, np.float64).reshape(len(probe), -1) for name, array in given.items()}

    def candidates(self, name: str, width: int, before: Sequence[str]) -> Iterator[InputForm]:
        """Forms that an input may be of; their constants are what the model says of the plainest samples."""

        def said(probe: ProbedSamples) -> Table:
            return self(probe)[name]

        if width == self.pixels:
            yield InputForm(name, width, "level", table=said(self._of_pixels(_of_one_level(self.pixels)))[:, 0].copy())
            one_pixel = np.zeros((1, self.pixels), np.uint8)
            one_pixel[0, 0] = 1
            most = float(said(self._of_pixels(one_pixel))[0, 0])
            yield InputForm(name, width, "share", most)
            yield InputForm(name, width, "lit_share", most)
            model = self.model
            if isinstance(model, SymmetricSTDP) and type(model).rates is SymmetricSTDP.rates:
                plain = model.replace(mean_pixel=0.0).rates(_of_one_level(self.pixels))
                yield InputForm(name, width, "evened", float(model.mean_pixel), plain[:, 0].copy())
        if width == 1:
            for other in before:
                yield InputForm(name, width, "brightest", table=other)
            yield InputForm(name, width, "label")
            for every in dict.fromkeys((0, self.model.slots(self.phase).batch)):
                yield InputForm(name, width, "opens", every)
                yield InputForm(name, width, "closes", every)
            yield InputForm(name, width, "pass", table=said(self._black(self.passes, "epochs"))[:, 0].copy())
        yield InputForm(name, width, "class", table=said(self._black(self.classes, "labels")))

    def _of_pixels(self, pixels: NDArray[np.uint8]) -> ProbedSamples:
        zeros = np.zeros(len(pixels), np.int64)
        return ProbedSamples(pixels, zeros, zeros)

    def _black(self, samples: int, counted: str) -> ProbedSamples:
        """Black images, whose labels or passes are 0, 1, and so on."""
        zeros, number = np.zeros(samples, np.int64), np.arange(samples)
        return ProbedSamples(
            np.zeros((samples, self.pixels), np.uint8),
            number if counted == "labels" else zeros,
            number if counted == "epochs" else zeros,
        )


def _of_one_level(pixels: int) -> NDArray[np.uint8]:
    return np.repeat(np.arange(LEVELS, dtype=np.uint8)[:, np.newaxis], pixels, axis=1)


def _probes(shown: Samples, classes: int, passes: int) -> Iterator[ProbedSamples]:
    """Images of the run, random ones, and black ones, in blocks of several lengths, with every label and pass."""
    generator = np.random.default_rng(0)
    pixels = shown.pixels.shape[1]

    def drawn(images: NDArray[np.uint8]) -> ProbedSamples:
        count = len(images)
        return ProbedSamples(images, generator.integers(0, classes, count), generator.integers(0, passes, count))

    some = shown.pixels[:MOST_PROBED]
    yield drawn(some)
    for first in range(0, min(len(some), 4 * _PER_BLOCK), _PER_BLOCK):
        yield drawn(some[first : first + _PER_BLOCK])
    yield drawn(generator.integers(0, LEVELS, (_PER_BLOCK, pixels), dtype=np.uint8))
    yield drawn((generator.random((_PER_BLOCK, pixels)) < 0.1).astype(np.uint8) * np.uint8(LEVELS - 1))
    yield drawn(np.zeros((1, pixels), np.uint8))


