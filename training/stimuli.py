"""Stimuli: what a neuron is given in the course of time, as it is typed or recorded, with units.

``step(10*uA/cm2, 100*ms, 400*ms)`` is a level from 100 to 400 ms, ``step(10*uA/cm2)`` one from beginning to end. Shapes
are added to each other: ``step(0.2*nA) + noise(0.05*nA, 5*ms)``. `SHAPES` lists them. Nothing of a text is run as code:
it is taken apart by Python's parser. A recorded trace comes from a file of a user's own (`recorded`).
"""

from __future__ import annotations

import ast
import csv
import difflib
import inspect
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from brian2 import Quantity, have_same_dimensions, second
from brian2.units import DimensionMismatchError
from numpy.typing import NDArray

from hebbarium.engine import streams
from hebbarium.models.contract import typed_unit
from hebbarium.training import parameters

__all__ = [
    "SHAPES", "Stimulus", "StimulusError", "Wanted", "all_of", "array", "parse", "recorded", "time", "wanted_by"
]  # fmt: skip

Floats = NDArray[np.float64]
Course = Callable[[Floats, np.random.Generator], Floats]
"""Times of steps in seconds to what is given then, in SI units."""

#: a number and the unit behind it: 20 ms, 20ms
_NUMBER_AND_UNIT = re.compile(r"(?<![\w.])((?:\d++\.?+\d*+|\.\d++)(?:[eE][-+]?\d++)?+)\s*(?=[A-Za-z_(])")
_HEADING = re.compile(r"\s*(?P<name>[^()\[\]]*?)\s*[(\[]\s*(?P<unit>[^()\[\]]+?)\s*[)\]]\s*")
_LONGEST = 400
MOST = 1_000
"""Stimuli side by side."""


class StimulusError(ValueError):
    """A stimulus that cannot be understood; the message says what was expected."""


@dataclass(frozen=True)
class Wanted:
    """What a model's neurons are given.

    Parameters
    ----------
    model : str
        Its name.
    unit : Unit
    meaning : str
    """

    model: str
    unit: Any
    meaning: str

    @property
    def example(self) -> str:
        """A stimulus as it may be typed."""
        return f"step(5{_typed(self.unit)})"


@dataclass(frozen=True)
class Stimulus:
    """One stimulus.

    Parameters
    ----------
    name : str
        As it is typed, without spaces.
    course : callable
    level : float
        In SI units, if all that is given is one level for some time; NaN otherwise.
    begin, end : float
        When that time begins and ends, in seconds; of other stimuli, all the time there is.
    """

    name: str
    course: Course
    level: float = np.nan
    begin: float = 0.0
    end: float = np.inf


# -- shapes ------------------------------------------------------------------------------------------------------
def _within(t: Floats, start: float, stop: float) -> NDArray[np.bool_]:
    half_a_step = 0.5 * (t[1] - t[0]) if len(t) > 1 else 0.0
    return (t > start - half_a_step) & (t < stop - half_a_step)


def step(level: float, start: float = 0.0, stop: float = np.inf) -> list[Stimulus]:
    """A level from a time to another."""
    return [Stimulus("", lambda t, _: np.where(_within(t, start, stop), level, 0.0), level, start, stop)]


def steps(first: float, last: float, number: float, start: float = 0.0, stop: float = np.inf) -> list[Stimulus]:
    """So many levels, equally far apart, each into a neuron of its own."""
    if number != round(number) or not 2 <= number <= MOST:
        raise StimulusError(f"number={number:g}: expected a whole number from 2 to {MOST}")
    return [one for level in np.linspace(first, last, round(number)) for one in step(float(level), start, stop)]


def ramp(first: float, last: float, start: float = 0.0, stop: float = np.inf) -> list[Stimulus]:
    """A level that rises or falls evenly from a time to another; to the end if none is given."""

    def course(t: Floats, _: np.random.Generator) -> Floats:
        end = min(stop, float(t[-1])) if len(t) else stop
        if end <= start:
            raise StimulusError(f"ramp: ends at {end:g} s and begins at {start:g} s; expected it to begin earlier")
        rising = first + (last - first) * (t - start) / (end - start)
        return np.where(_within(t, start, stop), rising, 0.0)

    return [Stimulus("", course)]


def noise(deviation: float, tau: float) -> list[Stimulus]:
    """Noise about zero with this standard deviation, which forgets itself within tau (Ornstein & Uhlenbeck)."""
    if not (deviation >= 0 and tau > 0):
        raise StimulusError(f"noise: deviation={deviation:g}, tau={tau:g} s: expected 0 or more, and more than 0")

    def course(t: Floats, generator: np.random.Generator) -> Floats:
        kept = np.exp(-(t[1] - t[0]) / tau) if len(t) > 1 else 0.0
        new = deviation * np.sqrt(1 - kept**2) * generator.standard_normal(len(t))
        value, values = deviation * generator.standard_normal(), np.empty(len(t))
        for k, one in enumerate(new):
            value = kept * value + one
            values[k] = value
        return values

    return [Stimulus("", course)]


def sine(amplitude: float, frequency: float) -> list[Stimulus]:
    """A sine about zero."""
    return [Stimulus("", lambda t, _: amplitude * np.sin(2 * np.pi * frequency * t))]


def pulses(level: float, width: float, every: float, start: float = 0.0, stop: float = np.inf) -> list[Stimulus]:
    """A level that comes again and again for a short time."""
    if not 0 < width <= every:
        raise StimulusError(f"pulses: width={width:g} s, every={every:g} s: expected 0 < width <= every")

    def course(t: Floats, _: np.random.Generator) -> Floats:
        half_a_step = 0.5 * (t[1] - t[0]) if len(t) > 1 else 0.0
        on = (t - start + half_a_step) % every < width
        return np.where(_within(t, start, stop) & on, level, 0.0)

    return [Stimulus("", course)]


_GIVEN, _TIME, _RATE, _NUMBER = "what is given", "a time", "a frequency", "a number"
SHAPES: dict[str, tuple[Callable[..., list[Stimulus]], dict[str, str]]] = {
    "step": (step, {"level": _GIVEN, "start": _TIME, "stop": _TIME}),
    "steps": (steps, {"first": _GIVEN, "last": _GIVEN, "number": _NUMBER, "start": _TIME, "stop": _TIME}),
    "ramp": (ramp, {"first": _GIVEN, "last": _GIVEN, "start": _TIME, "stop": _TIME}),
    "noise": (noise, {"deviation": _GIVEN, "tau": _TIME}),
    "sine": (sine, {"amplitude": _GIVEN, "frequency": _RATE}),
    "pulses": (pulses, {"level": _GIVEN, "width": _TIME, "every": _TIME, "start": _TIME, "stop": _TIME}),
}
"""Shapes of stimuli by name, and what each of their numbers is."""


# -- texts -------------------------------------------------------------------------------------------------------
def parse(text: str, wanted: Wanted) -> list[Stimulus]:
    """The stimuli that a text says: one, or several side by side if there are ``steps`` in it.

    Raises
    ------
    StimulusError
        Naming the stimulus, what was expected and what to type.
    """
    if len(text) > _LONGEST:
        raise StimulusError(f"stimulus {text[:20]}...: expected at most {_LONGEST} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's remarks on the spelling of what is typed
            tree = ast.parse(_NUMBER_AND_UNIT.sub(r"\1*", text.strip()), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise StimulusError(f"stimulus {text}: cannot be read; expected shapes, as in {wanted.example}") from None
    try:
        with np.errstate(all="ignore"):
            return _sum(tree, wanted)
    except (StimulusError, parameters.SettingError) as error:
        raise StimulusError(f"stimulus {text}: {error}") from None
    except DimensionMismatchError:
        raise StimulusError(f"stimulus {text}: the units of its parts do not fit together") from None
    except (ArithmeticError, TypeError):
        raise StimulusError(f"stimulus {text}: this cannot be computed") from None


def time(text: str, name: str) -> float:
    """A time that is typed for an option, in seconds."""
    try:
        value = parameters.computed(ast.parse(_NUMBER_AND_UNIT.sub(r"\1*", text.strip()), mode="eval").body)
        fits = have_same_dimensions(value, second) and 0 < float(value) < np.inf
    except (SyntaxError, ValueError, ArithmeticError, TypeError) as error:
        raise StimulusError(f"{name} {text}: cannot be read ({error}); expected a time, as in 500*ms") from None
    if not fits:
        raise StimulusError(f"{name} {text}: expected a time of more than 0 with its unit, as in 500*ms")
    return float(value)


def _sum(node: ast.expr, wanted: Wanted) -> list[Stimulus]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _sum(node.left, wanted), _sum(node.right, wanted)
        if len(left) > 1 and len(right) > 1:
            raise StimulusError("steps are added to steps; expected them once in a sum")
        return [_added(one, other) for one in left for other in right]
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        raise StimulusError(f"expected shapes ({', '.join(SHAPES)}), as in {wanted.example}")
    name = node.func.id
    if name not in SHAPES:
        near = difflib.get_close_matches(name, SHAPES, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise StimulusError(f"there is no shape '{name}'{hint} There are {', '.join(SHAPES)}")
    make, kinds = SHAPES[name]
    given = dict(zip(kinds, node.args, strict=False)) | {str(word.arg): word.value for word in node.keywords}
    needed = [k for k, p in inspect.signature(make).parameters.items() if p.default is inspect.Parameter.empty]
    missing = [k for k in needed if k not in given]
    if missing or len(node.args) > len(kinds) or given.keys() - kinds.keys():
        raise StimulusError(f"expected {name}({', '.join(kinds)}), of which {' and '.join(needed)} are needed")
    numbers = {symbol: _number(symbol, part, kinds[symbol], wanted) for symbol, part in given.items()}
    made = make(**numbers)
    if len(made) == 1:
        return [_named(made[0], ast.unparse(node))]
    unit, others = _typed(wanted.unit), [f",{s}={ast.unparse(given[s])}" for s in ("start", "stop") if s in given]
    levels = [f"{one.level / float(wanted.unit):.10g}{unit}" for one in made]
    return [_named(one, f"step({level}{''.join(others)})") for one, level in zip(made, levels, strict=True)]


def _named(stimulus: Stimulus, name: str) -> Stimulus:
    return Stimulus(name.replace(" ", ""), stimulus.course, stimulus.level, stimulus.begin, stimulus.end)


def _added(one: Stimulus, other: Stimulus) -> Stimulus:
    def course(t: Floats, generator: np.random.Generator) -> Floats:
        return one.course(t, generator) + other.course(t, generator)

    return Stimulus(f"{one.name}+{other.name}", course)


def _number(symbol: str, node: ast.expr, kind: str, wanted: Wanted) -> float:
    value = parameters.computed(node)
    expected, example = {
        _GIVEN: (wanted.unit, wanted.example), _TIME: (second, "100*ms"), _RATE: (1 / second, "10*Hz"),
        _NUMBER: (1, "20"),
    }[kind]  # fmt: skip
    said = f"{symbol}={ast.unparse(node)}".replace(" ", "")
    if not have_same_dimensions(value, expected):
        has = "has no unit" if have_same_dimensions(value, 1) else f"is in {Quantity(value).get_best_unit()}"
        meaning = f"{wanted.model} is given {wanted.meaning} in {wanted.unit}" if kind == _GIVEN else f"it is {kind}"
        raise StimulusError(f"{said} {has}; {meaning}, as in {example}")
    number = float(value)
    if not np.isfinite(number):
        raise StimulusError(f"{said}: expected a finite number")
    if kind == _TIME and number < 0:
        raise StimulusError(f"{said}: expected a time of 0 or more")
    return number


def _typed(unit: Any) -> str:
    return typed_unit(unit).replace("(", "").replace(")", "")


# -- recorded traces ---------------------------------------------------------------------------------------------
def recorded(path: Path, wanted: Wanted) -> tuple[list[Stimulus], float]:
    """Stimuli recorded in a file, and how long it lasts, in seconds.

    A CSV file has a heading with units, ``time (ms),current (nA)``, and may have several columns of what is given. An
    NPZ file has the arrays ``time`` ``(samples,)`` and ``current`` ``(samples,)`` or ``(samples, stimuli)``, and their
    units as texts, ``time_unit`` and ``current_unit``. A neuron is given what was recorded last.

    Raises
    ------
    StimulusError
        Naming the file, what was expected, and what was found.
    """
    try:
        time, values, names = _npz(path) if path.suffix == ".npz" else _csv(path)
    except OSError as error:
        raise StimulusError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (ValueError, KeyError, csv.Error) as error:
        if isinstance(error, StimulusError):
            raise
        raise StimulusError(f"{path}: is damaged, or no table of numbers: {error}") from error
    (number, unit), *columns = zip([time, *values.T], names, strict=True)
    t = _in_si(path, "time", number, unit, second)
    if len(t) < 2 or not np.isfinite(t).all() or (np.diff(t) <= 0).any():
        raise StimulusError(f"{path}: its times do not increase; expected two or more, each later than the one before")
    stimuli = []
    for k, (column, unit) in enumerate(columns):
        given = _in_si(path, "what is given", column, unit, wanted.unit)
        if not np.isfinite(given).all():
            first = int(np.argmax(~np.isfinite(given)))
            raise StimulusError(f"{path}: column {k + 2}, line {first + 2}: {given[first]}; expected finite numbers")
        name = f"{path.name}:{k + 1}" if len(columns) > 1 else path.name
        stimuli.append(Stimulus(name.replace(" ", "_"), _held(t - t[0], given)))
    return stimuli, float(t[-1] - t[0] + (t[-1] - t[-2]))


def _held(t: Floats, values: Floats) -> Course:
    def course(at: Floats, _: np.random.Generator) -> Floats:
        half_a_step = 0.5 * (at[1] - at[0]) if len(at) > 1 else 0.0
        last = np.searchsorted(t, at + half_a_step, side="right") - 1
        return np.where(at > 2 * t[-1] - t[-2] - half_a_step, 0.0, values[np.clip(last, 0, None)])

    return course


def _csv(path: Path) -> tuple[Floats, Floats, list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        heading, *lines = [line for line in csv.reader(file) if line]
    units = [_HEADING.fullmatch(word) for word in heading]
    if len(heading) < 2 or not all(units):
        raise StimulusError(f"{path}: begins with {','.join(heading)}; expected units, as in time (ms),current (nA)")
    table = np.array(lines, dtype=np.float64)
    return table[:, 0], table[:, 1:], [match["unit"] for match in units if match]


def _npz(path: Path) -> tuple[Floats, Floats, list[str]]:
    with np.load(path, allow_pickle=False) as file:
        needed = ("time", "current", "time_unit", "current_unit")
        if missing := [name for name in needed if name not in file]:
            raise StimulusError(f"{path}: lacks {', '.join(missing)}; expected the arrays {', '.join(needed)}")
        time, values = np.asarray(file["time"], np.float64), np.asarray(file["current"], np.float64)
        units = [str(file[name]) for name in needed[2:]]
    values = values[:, np.newaxis] if values.ndim == 1 else values
    if time.ndim != 1 or values.ndim != 2 or len(values) != len(time):
        raise StimulusError(f"{path}: time has the shape {time.shape}, current {values.shape}; expected equal lengths")
    return time, values, [units[0], *[units[1]] * values.shape[1]]


def _in_si(path: Path, what: str, numbers: Floats, unit: str, expected: Any) -> Floats:
    try:
        factor = parameters.computed(ast.parse(unit, mode="eval").body)
    except (SyntaxError, parameters.SettingError) as error:
        raise StimulusError(f"{path}: {what} is in '{unit}', which is no unit ({error})") from None
    if not have_same_dimensions(factor, expected):
        raise StimulusError(f"{path}: {what} is in {unit}; expected {expected}")
    return numbers * float(factor)


# -- arrays ------------------------------------------------------------------------------------------------------
def array(stimuli: Sequence[Stimulus], duration: float, dt: float, neurons: int, seed: int) -> Floats:
    """What neurons are given, ``(steps, neurons)``, in SI units; those without a stimulus are given nothing.

    Parameters
    ----------
    stimuli : sequence of Stimulus
    duration, dt : float
        In seconds.
    neurons : int
    seed : int
        Of noise, which each stimulus has of its own.

    Raises
    ------
    StimulusError
        There are more stimuli than neurons, or they last no step.
    """
    number = round(duration / dt)
    if number < 1:
        raise StimulusError(f"duration={duration:g} s: expected a step of {dt:g} s or more")
    if len(stimuli) > neurons:
        raise StimulusError(f"{len(stimuli)} stimuli for {neurons} neurons; expected --set neurons={len(stimuli)}")
    t, given = np.arange(number, dtype=np.float64) * dt, np.zeros((number, neurons))
    for k, stimulus in enumerate(stimuli):
        given[:, k] = stimulus.course(t, streams.generator(seed, streams.STIMULI, k))
    return given


def all_of(texts: Sequence[str], wanted: Wanted) -> Iterator[Stimulus]:
    """The stimuli of several texts, in order."""
    for text in texts:
        yield from parse(text, wanted)


def wanted_by(model: Any) -> Wanted:
    """What the neurons of a model are given (`hebbarium.models.stimulated.Neuron`)."""
    unit, meaning = model.given
    return Wanted(model.name, unit, meaning)

