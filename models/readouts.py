"""Readouts: what is read of a population's neurons, of each sample, and how an answer comes of it.

A model lists its readouts; everything else asks them. A readout reads one measure: how often a neuron spiked, when it
spiked first, or a variable's value, each by the end of a presentation or by a time before it. To read at several
times, list several readouts, see `at_times`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from brian2 import Quantity, ms, second
from numpy.typing import NDArray

Decoding = Literal["largest", "earliest", "labelled_largest", "labelled_mean"]


_DECODED: dict[Decoding, str] = {
    "largest": "the class of the neuron with the largest",
    "earliest": "the class of the neuron with the earliest",
    "labelled_largest": "the label of the neuron with the largest",
    "labelled_mean": "the label whose neurons have the largest mean",
}


class SpikesOfBlock(Protocol):
    """Spikes of a population in a block: step counted from the block's start, and neuron, in the order of time."""

    @property
    def step(self) -> NDArray[np.int64]: ...
    @property
    def neuron(self) -> NDArray[np.int32]: ...


@dataclass(frozen=True)
class Measure:
    """What is read of each neuron.

    Parameters
    ----------
    population : str
    until : Quantity or float, optional
        From the beginning of a presentation, in seconds if it is a mere number; its end if not given.
    """

    population: str
    until: Any = None

    quantity: ClassVar[str]
    #: whether the model computes it from a program's inputs, and no program reads it
    is_computed: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if isinstance(self.until, Quantity):  # kept in seconds: a number can be compared and hashed
            object.__setattr__(self, "until", float(self.until / second))

    @property
    def variable(self) -> str:
        """The variable whose value is read; empty where spikes are."""
        return ""

    @property
    def name(self) -> str:
        """What results call it."""
        return self.quantity if self.until is None else f"{self.quantity}_at_{_in_ms(self.until)}_ms"

    @property
    def key(self) -> str:
        """What tells it from all other measures of a model; for all spikes of a sample, the population's name."""
        return self.population if self.name == SpikeCount.quantity else f"{self.population}.{self.name}"

    @property
    def unit(self) -> Any:
        """The unit in which results keep it; what is read is in SI."""
        return 1

    def in_unit(self, read: NDArray[Any]) -> NDArray[Any]:
        """What was read, in that unit."""
        return read if isinstance(self.unit, int) else read / float(self.unit)

    @property
    def meaning(self) -> str:
        """What it is, for whoever reads a result file."""
        raise NotImplementedError

    @property
    def _until(self) -> str:
        return "" if self.until is None else f", until {_in_ms(self.until)} ms"

    def steps(self, sample_steps: int, dt: float) -> int:
        """Steps of a presentation that it reads.

        Raises
        ------
        ValueError
            It reads before the first step, or after the last one.
        """
        if self.until is None:
            return sample_steps
        steps = round(self.until / dt)
        if not 0 < steps <= sample_steps:
            raise ValueError(
                f"{self.key}: is read at {_in_ms(self.until)} ms, expected a time within a presentation, of"
                f" {_in_ms(sample_steps * dt)} ms"
            )
        return steps

    def of_spikes(
        self, spikes: SpikesOfBlock, presentations: int, sample_steps: int, neurons: int, dt: float
    ) -> NDArray[Any]:
        """What is read, ``(presentations, neurons)``, of a population whose spikes are given."""
        raise NotImplementedError


def _in_ms(seconds: float) -> str:
    return f"{1e3 * seconds:.10g}"


def _place(spikes: SpikesOfBlock, sample_steps: int, neurons: int, steps: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Cell of each spike in ``(presentations, neurons)``, and its step in the presentation; no later ones."""
    within = spikes.step % sample_steps
    cell = (spikes.step // sample_steps) * neurons + spikes.neuron
    return cell[within < steps], within[within < steps]


@dataclass(frozen=True)
class SpikeCount(Measure):
    """How often a neuron spiked: whole numbers of 16 bits."""

    quantity: ClassVar[str] = "spike_count"

    @property
    def meaning(self) -> str:
        """See `Measure.meaning`."""
        return f"spikes in one presentation{self._until}"

    def of_spikes(
        self, spikes: SpikesOfBlock, presentations: int, sample_steps: int, neurons: int, dt: float
    ) -> NDArray[np.uint16]:
        """See `Measure.of_spikes`."""
        cell, _ = _place(spikes, sample_steps, neurons, self.steps(sample_steps, dt))
        counts = np.bincount(cell, minlength=presentations * neurons)
        return counts.reshape(presentations, neurons).astype(np.uint16)


@dataclass(frozen=True)
class FirstSpike(Measure):
    """When a neuron spiked first: seconds from the beginning of the presentation, NaN if it did not."""

    quantity: ClassVar[str] = "first_spike_time"

    @property
    def unit(self) -> Any:
        """See `Measure.unit`."""
        return ms

    @property
    def meaning(self) -> str:
        """See `Measure.meaning`."""
        return f"time of the first spike in the presentation{self._until}"

    def of_spikes(
        self, spikes: SpikesOfBlock, presentations: int, sample_steps: int, neurons: int, dt: float
    ) -> NDArray[np.float64]:
        """See `Measure.of_spikes`."""
        cell, within = _place(spikes, sample_steps, neurons, self.steps(sample_steps, dt))
        first = np.full(presentations * neurons, np.nan)
        first[cell[::-1]] = within[::-1] * dt  # of several spikes the first is written last
        return first.reshape(presentations, neurons)


@dataclass(frozen=True)
class Value(Measure):
    """A variable of a neuron at the end of a presentation, or of an earlier step, when all else is done.

    Parameters
    ----------
    symbol : str
        The variable.
    of_unit : Unit or 1
        The unit in which results keep it.
    """

    symbol: str = "v"
    of_unit: Any = dataclasses.field(default=1, compare=False)

    @property
    def variable(self) -> str:
        """See `Measure.variable`."""
        return self.symbol

    @property
    def quantity(self) -> str:  # type: ignore[override]
        """The variable's name."""
        return self.symbol

    @property
    def unit(self) -> Any:
        """See `Measure.unit`."""
        return self.of_unit

    @property
    def meaning(self) -> str:
        """See `Measure.meaning`."""
        return f"{self.symbol} at " + ("the end of the presentation" if self.until is None else self._until[8:])


@dataclass(frozen=True)
class Computed(Measure):
    """What something else than the network answers to the same samples, to be held beside it; see `Model.computed`.

    Parameters
    ----------
    symbol : str
        What results call it.
    said : str
        What it is, in words.
    """

    symbol: str = ""
    said: str = ""

    is_computed: ClassVar[bool] = True

    @property
    def quantity(self) -> str:  # type: ignore[override]
        """What results call it."""
        return self.symbol

    @property
    def meaning(self) -> str:
        """See `Measure.meaning`."""
        return self.said


@dataclass(frozen=True)
class Readout:
    """A measure and how an answer comes of it.

    Parameters
    ----------
    name : str
        What results call it.
    measure : Measure
    decoding : {'largest', 'earliest', 'labelled_largest', 'labelled_mean'}
        The neuron with the largest value, or the earliest, where neurons stand for classes; the class of the neuron
        with the largest value, or whose neurons have the largest mean, where neurons are labelled with classes.
    strict : bool
        Whether there is no answer if several neurons are first. Otherwise the lowest of them answers.
    ties : Measure, optional
        Whose largest value decides among several, and where none has spiked.
    taught : bool
        Whether a teacher makes the population fire while training: what it does then is no answer.
    lenient : bool
        Whether a tie counts as right if the class of the sample, where it is known, is among those that are first.
    """

    name: str
    measure: Measure
    decoding: Decoding
    strict: bool = False
    ties: Measure | None = None
    taught: bool = False
    lenient: bool = False

    def __post_init__(self) -> None:
        if self.lenient and (self.strict or self.labelled):
            raise ValueError(
                f"readout {self.name}: is lenient; expected neither strict nor neurons that are labelled with classes"
            )
        if self.labelled and self.measure.key != self.measure.population:
            raise ValueError(f"readout {self.name}: neurons are labelled by spike counts, not by {self.measure.name}")
        if self.ties is not None and self.ties.population != self.measure.population:
            raise ValueError(
                f"readout {self.name}: reads {self.measure.population}; ties cannot be broken by"
                f" {self.ties.population}"
            )

    @property
    def population(self) -> str:
        """The population that is read."""
        return self.measure.population

    @property
    def labelled(self) -> bool:
        """Whether the population's neurons have to be labelled with classes."""
        return self.decoding.startswith("labelled")

    @property
    def measures(self) -> tuple[Measure, ...]:
        """All that it reads."""
        return (self.measure,) if self.ties is None else (self.measure, self.ties)

    @property
    def meaning(self) -> str:
        """What it is, in words."""
        equals = "no answer if several are first" if self.strict else "the lowest of several"
        if self.ties is not None:
            equals = f"of several, the largest {self.ties.meaning}"
        taught = "; in training a teacher speaks" if self.taught else ""
        return f"{self.population}, {self.measure.meaning}: {_DECODED[self.decoding]}; {equals}{taught}"

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of what it reads; of a second one, if that breaks ties."""
        return tuple(measure.name for measure in self.measures)


def by_labels(population: str) -> tuple[Readout, ...]:
    """The readouts of a population whose neurons are labelled: the most active neuron, and the class mean."""
    counts = SpikeCount(population)
    return Readout("most_active", counts, "labelled_largest"), Readout("class_mean", counts, "labelled_mean")


def class_layer(population: str, *, strict: bool = False, taught: bool = False) -> Readout:
    """The readout of a population with one neuron a class: the one that spikes most."""
    return Readout("class_layer", SpikeCount(population), "largest", strict, taught=taught)


def first_to_spike(population: str, *, ties: Measure | None = None, strict: bool = False) -> Readout:
    """The readout of a population with one neuron a class: the one that spikes first."""
    return Readout("first_spike", FirstSpike(population), "earliest", strict, ties)


def at_times(readout: Readout, times: Iterable[Quantity]) -> tuple[Readout, ...]:
    """A readout at several times of a presentation, each with a name of its own; ties are broken at the same time."""
    return tuple(
        dataclasses.replace(
            readout,
            name=f"{readout.name}_at_{_in_ms(float(time / second))}_ms",
            measure=dataclasses.replace(readout.measure, until=time),
            ties=readout.ties and dataclasses.replace(readout.ties, until=time),
        )
        for time in times
    )
