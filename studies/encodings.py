"""Numbers as spikes and back: what each encoding costs, how fast it is, and what a spike more or less does to it.

A network of input neurons alone is run, those of `hebbarium.models.encoded_inputs`; nothing learns. The numbers are
levels, from 0, black, to 1, white.
"""

from __future__ import annotations

import dataclasses
import io
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from brian2 import BrianLogger, Network, Quantity, hertz, ms
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hebbarium.analysis import decoders, figures
from hebbarium.datasets import by_name as datasets
from hebbarium.datasets import draws, own_spikes
from hebbarium.datasets.draws import Purpose
from hebbarium.engine import devices
from hebbarium.engine.anatomy import initial_state
from hebbarium.engine.contract import Arrays, Block, Structure
from hebbarium.ledger import commits, ledger
from hebbarium.models import encoded_inputs
from hebbarium.models.contract import encoding, structure
from hebbarium.models.encoded_inputs import EncodedInputs
from hebbarium.models.parts import Parts
from hebbarium.models.ranges import POSITIVE, SIZE
from hebbarium.models.readouts import Readout
from hebbarium.training import parameters, provenance
from hebbarium.training.experiments import Measured

# A step's length is a variable of every group, whatever a caller calls it.
BrianLogger.suppress_name("resolution_conflict")

LEDGER = "encodings.csv"
USUAL = tuple(name for name in encoded_inputs.ENCODINGS if name != "bernoulli")
"""Encoders that are measured unless others are named: the other one is the process of `geometric`."""
BINS = 8
"""Equal ranges of levels that `decoders.information` tells apart."""

BIN = 5e-3
"""Seconds of a histogram's bin."""

Levels = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Encoding(EncodedInputs):
    """Input neurons and nothing else."""

    name: ClassVar[str] = "encoding"
    title: ClassVar[str] = "Numbers as spikes"
    paper: ClassVar[str] = "none"
    phases: ClassVar[tuple[str, ...]] = ("test",)
    readouts: ClassVar[tuple[Readout, ...]] = ()
    readout: ClassVar[str] = "input"

    pixels: int = structure(784, 1, "input neurons", "one a number, n_tuned a number with encoder=population", SIZE)
    dt: Quantity = structure(1 * ms, ms, "time step", "not stated", POSITIVE)
    t_shown: Quantity = structure(350 * ms, ms, "presentation time", "Diehl & Cook 2015", POSITIVE)
    max_rate: Quantity = encoding(63.75 * hertz, hertz, "rate of a white neuron", "Diehl & Cook 2015", POSITIVE)

    relations: ClassVar[tuple[str, ...]] = (
        "whole(t_shown/dt)",
        f"t_shown/dt <= {encoded_inputs.MOST_STEPS}",
        "max_rate*dt <= 1",
        f"t_code <= t_shown if {encoded_inputs.IN_CYCLES}",
    )

    def build(self, phase: str, inputs: Arrays) -> Network:
        """See `Model.build`."""
        encoded_inputs.refuse_long_block(self, phase, inputs)
        parts = Parts(self, self.dt, self.sample_steps(phase), inputs, encoded_inputs.UNITS)
        return Network(encoded_inputs.image_neurons(parts, self))

    def sample_steps(self, phase: str) -> int:
        """See `Model.sample_steps`."""
        return round(float(self.t_shown / self.dt))

    def shown_time(self, phase: str) -> float:
        """See `EncodedInputs.shown_time`."""
        return float(self.t_shown)

    def rates(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """See `EncodedInputs.rates`."""
        return images / 255 * float(self.max_rate)

    def given(self, levels: Levels) -> Arrays:
        """Levels as inputs: white is 1 whatever the brightest is."""
        return self.with_whites(levels * float(self.max_rate), np.full((len(levels), 1), float(self.max_rate)))

    @property
    def neurons_a_level(self) -> int:
        """Neurons that one number is given to."""
        return self.n_tuned if self.encoder == "population" else 1

    @property
    def code_steps(self) -> int:
        """Steps of the time in which a value is coded."""
        return round(float(self.t_code / self.dt))

    @property
    def p_white(self) -> float:
        """Probability that a white neuron fires at a step."""
        return float(self.max_rate * self.dt)


def test_images(name: str, data: str | None, number: int) -> Levels:
    """The first test images of a set as levels, ``(samples, pixels)``.

    Raises
    ------
    DatasetError, ValueError
        The set is not there, or has fewer.
    """
    loaded = datasets.load(name, data)
    own_spikes.refuse(loaded, "an encoder")
    images = loaded.test_images
    if number > len(images):
        raise ValueError(f"--images {number}: {name} has {len(images)} test images; expected at most as many")
    return images[:number] / 255


def numbers(text: str, most: float | None = None) -> Levels:
    """A user's numbers as levels, ``(samples, values)``.

    Parameters
    ----------
    text : str
        Numbers with commas between, or a ``.csv`` file with a sample a line.
    most : float, optional
        What is white; the largest number if not given.

    Raises
    ------
    ValueError
        Something is no number, or negative, or more than what is white; or all are zero, so that nothing says what is.
    """
    try:
        if text.endswith(".csv"):
            values = np.loadtxt(text, delimiter=",", ndmin=2)
        else:
            values = np.array([[float(part) for part in text.split(",")]])
    except ValueError as error:
        raise ValueError(f"--numbers {text}: expected numbers with commas between, such as 0,0.5,2: {error}") from error
    if not values.size or not np.isfinite(values).all():
        raise ValueError(f"--numbers {text}: expected one finite number or more")
    if (values < 0).any():
        raise ValueError(f"--numbers {values[values < 0][0]:g}: is negative; expected 0 or more, as a rate is")
    white = float(values.max()) if most is None else most
    if not white > 0:
        raise ValueError(f"--most {white:g}: expected more than 0, the number that is white")
    if (values > white).any():
        raise ValueError(f"--numbers {values.max():g}: is more than what is white, --most {white:g}")
    return np.asarray(values / white)


def model_of(encoder: str, changes: Mapping[str, str] | None = None) -> Encoding:
    """The input neurons of an encoder.

    Raises
    ------
    SettingError, ValueError
        There is no such encoder or parameter, or a value is none of it.
    """
    if encoder == encoded_inputs.GIVEN:
        raise ValueError(f"--encoder {encoder}: encodes nothing; expected one of {', '.join(encoded_inputs.ENCODINGS)}")
    model = parameters.apply(Encoding, {**(changes or {}), "encoder": encoder})
    assert isinstance(model, Encoding)
    return model


def refuse_levels(levels: Levels) -> None:
    """Raise `ValueError` for what is no array ``(samples, values)`` of numbers from 0 to 1."""
    if levels.ndim != 2 or not levels.size:
        raise ValueError(f"levels of shape {levels.shape}: expected samples in rows, with one level or more each")
    wrong = np.argwhere(~((levels >= 0) & (levels <= 1)))  # not what is no number either
    if len(wrong):
        sample, value = wrong[0]
        raise ValueError(
            f"level {value + 1} of sample {sample + 1} is {levels[sample, value]:g}; expected 0, black, to 1, white"
        )


def spikes_of(model: Encoding, levels: Levels, seed: int, device: str = "numpy") -> decoders.Raster:
    """Levels as spikes.

    Parameters
    ----------
    model : Encoding
    levels : (samples, values)
    seed : int
    device : str

    Returns
    -------
    (samples, steps, neurons) array of bool
        A neuron a value; with encoder=population ``n_tuned`` of them.

    Raises
    ------
    ValueError
        A level is not in 0 to 1, or its rate cannot be had.
    """
    refuse_levels(levels)
    shown = np.repeat(levels, model.neurons_a_level, axis=1)
    samples, neurons = shown.shape
    sized = model.replace(pixels=neurons)
    with tempfile.TemporaryDirectory(prefix="hebbarium-") as scratch:
        program = devices.program(Structure(sized, "test", "float64", device, samples), Path(scratch))
        state = initial_state(sized, "test", {})
        spikes = program.run(Block(state, sized.given(shown), sized.run_time_values(), seed)).spikes["input"]
    steps = sized.sample_steps("test")
    raster = np.zeros((samples, steps, neurons), bool)
    raster[spikes.step // steps, spikes.step % steps, spikes.neuron] = True
    return raster


def levels_of(model: Encoding, raster: decoders.Raster) -> Levels:
    """What an encoder's decoder makes of spikes, ``(samples, values)``; of the beginning of a presentation as well."""
    if model.encoder == "latency":
        return decoders.from_latency(raster, model.code_steps)
    if model.encoder == "phase":
        return decoders.from_phase(raster, model.code_steps)
    if model.encoder == "population":
        return decoders.from_population(raster, model.n_tuned, model.width, model.p_white)
    if model.encoder == "synchrony":
        return decoders.from_synchrony(raster, model.copied)
    return decoders.from_rate(raster, model.p_white)


@dataclass(frozen=True)
class Result:
    """What became of some levels.

    Parameters
    ----------
    model : Encoding
    levels : (samples, values)
    raster : (samples, steps, neurons)
    times : (times,)
        Seconds of a presentation after which was decoded.
    errors : (times,)
        Root of the mean square error of the levels.
    bits : (times,)
        That the decoded levels say, a value.
    lost, added : float
        Error if each neuron that fires has one spike less, or each one spike more.
    """

    model: Encoding
    levels: Levels
    raster: decoders.Raster
    times: Levels
    errors: Levels
    bits: Levels
    lost: float
    added: float

    @property
    def decoded(self) -> Levels:
        """The levels as decoded in the end."""
        return levels_of(self.model, self.raster)

    @property
    def spikes(self) -> float:
        """Spikes a sample."""
        return float(self.raster.sum() / len(self.raster))

    @property
    def time(self) -> float:
        """Seconds by which the error is within a tenth of what it is in the end, and stays there."""
        late = np.flatnonzero(np.abs(self.errors - self.errors[-1]) > 0.1 * self.errors[-1])
        return float(self.times[late[-1] + 1] if len(late) else self.times[0])

    def measures(self) -> Mapping[str, Measured]:
        """Everything as numbers with units."""
        return {
            "spikes_a_sample": Measured(self.spikes, ""),
            "error": Measured(float(self.errors[-1]), ""),
            "bits_a_value": Measured(float(self.bits[-1]), "bit"),
            "time_to_decode": Measured(1e3 * self.time, "ms"),
            "error_with_one_lost": Measured(self.lost, ""),
            "error_with_one_added": Measured(self.added, ""),
            **{
                f"error_at_{1e3 * time:.0f}_ms": Measured(float(error), "")
                for time, error in zip(self.times, self.errors, strict=True)
            },
        }


def measure(model: Encoding, levels: Levels, seed: int, device: str = "numpy") -> Result:
    """Encode levels, decode them after several times, and with a spike less or more."""
    raster = spikes_of(model, levels, seed, device)
    steps = _steps_decoded(raster.shape[1])
    decoded = [levels_of(model, raster[:, :k]) for k in steps]
    generator = draws.stream(seed, Purpose.PERTURBATION)
    disturbed = [f(raster, generator) for f in (decoders.with_one_lost, decoders.with_one_added)]
    lost, added = (decoders.error(levels, levels_of(model, one)) for one in disturbed)
    return Result(
        model, levels, raster, np.array(steps) * float(model.dt),
        np.array([decoders.error(levels, found) for found in decoded]),
        np.array([decoders.information(levels, found, BINS) for found in decoded]),
        lost, added,
    )


def _steps_decoded(steps: int) -> list[int]:
    """Thirty-five times, evenly until the end of a presentation; each step of a short one."""
    return sorted({max(round(steps * k / 35), 1) for k in range(1, 36)})


def command_of(
    encoders: Sequence[str], dataset: str, images: int, changes: Mapping[str, str], seeds: str
) -> str:
    """How images are encoded again."""
    named = [] if tuple(encoders) == USUAL else [f"--encoder {name}" for name in encoders]
    given = [f"--set '{symbol}={text}'" for symbol, text in changes.items()]
    parts = ["hebbarium encode", *named, f"--dataset {dataset} --images {images} --seeds {seeds}", *given]
    return " ".join(parts)


def draw_spikes(models: Sequence[Encoding], levels: Levels, trials: int, seed: int) -> Figure:
    """Spikes of one sample, ``(values,)``, and its histogram over several presentations."""
    repeated = np.repeat(levels[np.newaxis], trials, axis=0)
    rasters = {model.encoder: spikes_of(model, repeated, seed) for model in models}
    given = {model.encoder: np.repeat(levels, model.neurons_a_level) for model in models}
    dt = float(models[0].dt)
    return figures.encoded_spikes(rasters, given, dt, max(round(BIN / dt), 1))


def draw_costs(results: Sequence[Result]) -> Figure:
    """Error against time, and what a spike less or more does."""
    return figures.encoding_costs(
        [one.model.encoder for one in results], [one.spikes for one in results], [one.times for one in results],
        [one.errors for one in results], [(one.lost, one.added) for one in results],
    )


def packed(results: Sequence[Result]) -> bytes:
    """Spikes as an ``.npz`` file: by the name of an encoder, ``(spikes, 3)``: sample, step and neuron of each."""
    content = io.BytesIO()
    spikes: dict[str, Any] = {one.model.encoder: np.argwhere(one.raster) for one in results}
    np.savez_compressed(content, **spikes)
    return content.getvalue()


def rows(result: Result, dataset: str, seed: int, command: str) -> list[ledger.Row]:
    """What was measured, as rows of the ledger."""
    changes = {symbol: text for symbol, text in parameters.table(result.model).items() if symbol != "pixels"}
    usual = parameters.table(Encoding())
    setting = {"encoder": result.model.encoder} | {s: text for s, text in changes.items() if usual[s] != text}
    row = ledger.Row(
        item="encoders", dataset=dataset, setting=" ".join(f"{s}={text}" for s, text in setting.items()), readout="",
        seed=seed, measure="error", value=0.0, unit="", paper=None, paper_spread=None, trained=0,
        tested=len(result.levels), selection="", device="numpy", precision="float64", command=command,
        commit=commits.named(**provenance.code_version()),
    )
    return [
        dataclasses.replace(row, measure=name, value=round(one.value, 4), unit=one.unit)
        for name, one in result.measures().items()
    ]


def table(results: Sequence[Result]) -> str:
    """What was measured, an encoder a line."""
    lines = [
        "| encoder | spikes a sample | error | bits a value | decoded after (ms) | one spike lost | one added |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for one in results:
        lines.append(
            f"| {one.model.encoder} | {one.spikes:,.1f} | {one.errors[-1]:.3f} | {one.bits[-1]:.2f} |"
            f" {1e3 * one.time:.0f} | {one.lost:.3f} | {one.added:.3f} |"
        )
    return "\n".join(lines)
