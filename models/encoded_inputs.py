"""Input neurons that turn images into spikes (`hebbarium.equations.encoders`), and what they need of a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from brian2 import NeuronGroup, Quantity, hertz, ms
from numpy.typing import NDArray

from hebbarium.equations import encoders, presentation
from hebbarium.equations.encoders import Encoder
from hebbarium.models import given_spikes
from hebbarium.models.contract import Arrays, Model, choice, quantity, structure
from hebbarium.models.parts import BEGINS, RESTS, At, Parts, follow
from hebbarium.models.ranges import POSITIVE, Range

WHOLE_IN_SINGLE = 2**24  # single precision holds all whole numbers up to here, `due` among them

MOST_STEPS = 16_000
"""Steps of a presentation, at most: so many that a block of a thousand images stays below that number."""

CONSTANTS: Mapping[str, float] = {
    "p_least": 1e-12,  # an interval far beyond any block
    "p_most": 1 - 1e-12,
    "longest": 1e9,  # steps: beyond any block, within 32 bits
}
UNITS = {"rates": hertz, "whites": hertz}
"""Of what the neurons are given."""

ENCODINGS: Mapping[str, str] = {
    "geometric": "spike-count rate, one random number a spike",
    "bernoulli": "spike-count rate, one random number a step",
    "modulated": "time-dependent rate",
    "latency": "time to the first spike",
    "phase": "phase of firing",
    "population": "neurons that are tuned to different levels",
    "synchrony": "copies of one spike train",
}
"""What the option `encoder` may be, in words."""
_BY_WHITE = ("latency", "phase", "population", "synchrony")
GIVEN = "given"
"""The option `encoder` for samples that are spikes already; see `hebbarium.models.given_spikes`."""
SERIES = "series"
"""The option `encoder` for samples that are series of numbers: (moments, pixels) levels, moment by moment."""
IN_TIME = "encoder in ('modulated', 'latency', 'phase')"
"""Condition of relations of ``t_code``."""
IN_CYCLES = "encoder in ('modulated', 'phase')"
"""The same where less than ``t_code`` would be no code; of first spikes only those of dark pixels would be missing."""


@dataclass(frozen=True, eq=False)
class EncodedInputs(Model):
    """A model whose images are rates of its input neurons, which a choice turns into spikes in another way.

    A subclass has the parameters ``dt`` and ``pixels``, says `rates`, `shown_time` and, where images are shown again,
    `total_intensity`, and makes its input by `neurons`.
    """

    if TYPE_CHECKING:
        dt: Quantity
        pixels: int

    #: the encoder that is called geometric
    poisson: ClassVar[Encoder] = encoders.GEOMETRIC

    encoder: str = choice(
        "geometric", (*ENCODINGS, GIVEN, SERIES), "what a rate becomes: "
        + "; ".join(f"{k}, {v}" for k, v in ENCODINGS.items())
        + f"; {GIVEN} and {SERIES}, the set holds spikes, or numbers that change in time, and says so itself",
        "Sun's thesis, 2.6.1",
    )
    t_code: Quantity = quantity(
        50 * ms, ms, "time in which a value is coded: by which a black neuron would fire (encoder=latency, t_max of "
        "Sun's Eq. 11), or a cycle (phase, modulated)", "not stated", POSITIVE,
    )
    n_tuned: int = structure(
        5, 1, "levels that neighbouring neurons are tuned to, encoder=population", "not stated", Range(2, 256)
    )
    width: float = quantity(
        0.2, 1, "standard deviation of their tuning, black to white being 1", "not stated", Range(1e-3, 1e3)
    )
    copied: float = quantity(
        0.5, 1, "part of the mother train's spikes that a white neuron copies, encoder=synchrony", "not stated",
        Range(0, 1, open_below=True),
    )

    n_given: int = structure(
        16, 1, "spikes of an input neuron in a sample, at most, encoder=given; follows the data", "not stated",
        Range(1, 4096),
    )

    n_moments: int = structure(
        1, 1, "moments of a sample, encoder=series; follows the data", "not stated", Range(1, MOST_STEPS)
    )
    t_moment: Quantity = quantity(
        10 * ms, ms, "how long a moment lasts, encoder=series; follows the data", "not stated", POSITIVE
    )

    relations: ClassVar[tuple[str, ...]] = (f"whole(t_code/dt) if {IN_TIME}",)

    def rates(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Rates of the input neurons in hertz at intensity 1, ``(samples, pixels)``."""
        raise NotImplementedError

    def shown_time(self, phase: str) -> float:
        """Seconds of a presentation in which the inputs fire."""
        raise NotImplementedError

    def total_intensity(self, presentations: NDArray[np.integer]) -> NDArray[np.float64]:
        """Sum of the intensities of all presentations of a sample, ``(samples,)``; 1 for each unless it rises."""
        return presentations.astype(np.float64)

    def encode(self, images: NDArray[np.uint8]) -> Arrays:
        """Images as rates in hertz at intensity 1, ``(samples, pixels)``, and that of each image's brightest pixel.

        Raises
        ------
        ValueError
            A neuron would have to fire more than once a step; or spikes that are given do not fit, see
            `hebbarium.models.given_spikes.due`.
        """
        if self.encoder == GIVEN:
            steps = min(round(self.shown_time(phase) / float(self.dt)) for phase in self.phases)
            return {GIVEN: given_spikes.due(images, self.pixels, self.n_given, float(self.dt), steps)}
        if self.encoder == SERIES:
            silence = np.zeros((len(images), 1, self.pixels))
            rates = np.concatenate([self.rates_in_time(images), silence], axis=1)  # a neuron's moments side by side
            return {"rates": rates.swapaxes(1, 2).reshape(len(images), -1)}
        rates = self.rates(images)
        return self.with_whites(rates, _whites(rates))

    def rates_in_time(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Rates at intensity 1 of samples that are series, in hertz, ``(samples, moments, pixels)``.

        Each moment is to `rates` what an image is: codings in which all pixels share one rate share it at every moment.

        Raises
        ------
        ValueError
            Samples have other moments or channels than the model.
        """
        if images.shape[1] != self.n_moments * self.pixels:
            if images.any():  # of a blank sample, the row is as long as there are neurons
                raise ValueError(
                    f"samples of {images.shape[1]:,} numbers; expected {self.n_moments} moments of {self.pixels}"
                    " channels"
                )
            return np.zeros((len(images), self.n_moments, self.pixels))
        return self.rates(images.reshape(-1, self.pixels)).reshape(len(images), self.n_moments, self.pixels)

    def with_whites(self, rates: NDArray[np.float64], whites: NDArray[np.float64]) -> Arrays:
        """Rates at intensity 1, ``(samples, pixels)``, and what is white, ``(samples, 1)``, as `neurons` read them."""
        self._refuse(rates)
        return {"rates": rates} | ({"whites": whites} if self.encoder in _BY_WHITE else {})

    def input_spikes(self, phase: str, images: NDArray[np.uint8], presentations: NDArray[np.integer]) -> float:
        """See `Model.input_spikes`.

        Where images are shown again, each presentation is more intense than the one before: higher rates, but not more
        spikes of an encoder that goes by how bright neurons are.
        """
        if self.encoder == GIVEN:
            sample, _, _ = given_spikes.events(images)
            return float((np.bincount(sample, minlength=len(images)) * presentations).sum())
        if self.encoder == SERIES:
            expected = self.rates_in_time(images).sum(axis=(1, 2)) * float(self.t_moment)
            return float((expected * self.total_intensity(presentations)).sum())
        rates, seconds = self.rates(images), self.shown_time(phase)
        if self.encoder not in ("latency", "phase", "population"):
            return float((rates.sum(axis=1) * self.total_intensity(presentations)).sum() * seconds)
        whites = _whites(rates)
        levels = np.divide(rates, whites, out=np.zeros_like(rates), where=whites > 0)
        if self.encoder == "population":
            preferred = np.arange(rates.shape[1]) % self.n_tuned / (self.n_tuned - 1)
            tuned = np.exp(-((levels - preferred) ** 2) / (2 * self.width**2))
            spikes = tuned * whites * (self._first_intensity * seconds)
        else:
            cycle, steps = round(float(self.t_code / self.dt)), round(seconds / float(self.dt))
            wait = np.floor((1 - levels) * cycle)
            each = np.ceil((steps - wait) / cycle) if self.encoder == "phase" else 1
            spikes = np.where(wait < min(cycle, steps), each, 0)
        return float((spikes.sum(axis=1) * presentations).sum())

    @property
    def _first_intensity(self) -> float:
        return float(self.total_intensity(np.ones(1, int))[0])

    def _refuse(self, rates: NDArray[np.float64]) -> None:
        """Other encoders' rates are in the models' own relations."""
        most = float(rates.max(initial=0)) * self._first_intensity * float(self.dt)
        if self.encoder == "modulated" and 2 * most > 1 + 1e-9:
            raise ValueError(
                f"encoder=modulated: a white neuron would fire {2 * most:.3g} times a step at its fastest; expected 1 "
                "at most: lower the rates, or shorten dt"
            )
        if self.encoder == "synchrony" and most / self.copied > 1 + 1e-9:
            raise ValueError(
                f"copied={self.copied:g}: the mother train would fire {most / self.copied:.3g} times a step; expected "
                f"1 at most, as with copied={most:.3g} or more"
            )


def summed_rates(pixels: NDArray[Any], total_rate: Quantity) -> NDArray[np.float64]:
    """Rates in hertz in proportion to pixels ``(samples, pixels)``, of one sum for all images; of a black one, zero."""
    total = pixels.sum(axis=1, keepdims=True, dtype=np.float64)
    return np.asarray(pixels * (float(total_rate) / np.where(total > 0, total, 1)))


def _whites(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """What counts as white in each image, its brightest pixel, ``(samples, 1)``."""
    return rates.max(axis=1, keepdims=True, initial=0)


def refuse_long_block(model: Model, phase: str, inputs: Arrays) -> None:
    """Raise `ValueError` for a block whose steps single precision cannot count, or without inputs."""
    if not inputs:
        raise ValueError("encode gives no inputs; expected an array by the name of each that equations read, as rates")
    images = len(next(iter(inputs.values())))
    if images * model.sample_steps(phase) >= WHOLE_IN_SINGLE:
        raise ValueError(f"blocks of {images} images: a step's number has to stay below 2**24")


def image_neurons(
    parts: Parts,
    model: EncodedInputs,
    controller: NeuronGroup | None = None,
    *,
    equations: str | bool = False,
    spike: str | bool = False,
    begins: str | bool = False,
    events: Mapping[str, At | Literal[False]] | None = None,
    runs: Sequence[At | bool] = (),
) -> NeuronGroup:
    """The neurons of an image, ``input``, one a pixel, by the model's encoder; see `neurons`."""
    by_name = {
        "geometric": model.poisson, "bernoulli": encoders.BERNOULLI, "modulated": encoders.MODULATED,
        "latency": encoders.LATENCY, "phase": encoders.PHASE, "population": encoders.POPULATION,
        "synchrony": encoders.SYNCHRONY, SERIES: encoders.SERIES,
    }
    # + dt: at its very beginning, rounding could put t into the sample before
    at = "t, {}" if controller is None else "sample*t_sample + dt, {}"
    rate = f"rates({at.format('i')})" + ("" if controller is None else "*intensity")
    encoder = by_name.get(model.encoder, encoders.GIVEN)
    if model.encoder == GIVEN:  # a neuron reads its next spike, behind those of the neurons before it
        rate = f"given({at.format('i*(n_given + 1) + n_fired')})"
        encoder = encoder._replace(spike=encoder.spike.format(next=rate))
    if model.encoder == SERIES:
        rate = f"rates({at.format('i*(n_moments + 1) + moment')})" + ("" if controller is None else "*intensity")
        encoder = encoder._replace(step=encoder.step.format(rate=rate))
    return neurons(
        parts,
        "input",
        model.pixels,
        rate,
        white=f"whites({at.format('0')})" + ("" if controller is None else "*intensity_first"),
        encoder=encoder,
        controller=controller,
        equations=equations,
        spike=spike,
        begins=begins,
        events=events,
        runs=runs,
        constants={"n_tuned": model.n_tuned, "n_given": model.n_given, "n_moments": model.n_moments},
    )


def neurons(
    parts: Parts,
    name: str,
    size: int,
    rate: str,
    *,
    white: str = "",
    encoder: Encoder = encoders.GEOMETRIC,
    controller: NeuronGroup | None = None,
    equations: str | bool = False,
    spike: str | bool = False,
    begins: str | bool = False,
    begins_at: str = "start 4",
    events: Mapping[str, At | Literal[False]] | None = None,
    runs: Sequence[At | bool] = (),
    constants: Mapping[str, float] | None = None,
) -> NeuronGroup:
    """Neurons that rates drive, silent while a sample rests.

    Parameters
    ----------
    parts : Parts
    name, size
        As Brian2's.
    rate, white : str
        Rate of neuron ``i`` while a sample is shown, and that of a white one, which some encoders need.
    encoder : Encoder
    controller : NeuronGroup, optional
        Whose ``sample`` and ``intensity`` the rate reads; without one, samples follow one another without a rest.
    equations, spike, begins : str
        What the neurons have besides: variables, what a spike does, what a sample's beginning does.
    begins_at : str
        The place in a step of the latter.
    events, runs, constants
        More of them; see `Parts.neurons`.
    """
    follows = controller is not None
    group = parts.neurons(
        name,
        size,
        (encoder.equations, follows and presentation.FOLLOWS, equations),
        threshold=encoder.fires,
        reset=(encoder.spike, spike),
        events={"switch": BEGINS, "rest": follows and RESTS, **(events or {})},
        runs=[
            At(begins_at, (encoder.begins.format(rate=rate, white=white), begins), "switch"),
            follows and At("start 4", encoder.rests, "rest"),
            bool(encoder.step) and At("start 5", encoder.step),
            *runs,
        ],
        constants={**CONSTANTS, **(constants or {})},
        method="exponential_euler",
    )
    if controller is not None:
        follow(group, controller)
    return group
