"""Recordings that a run is asked for: a variable of chosen neurons or synapses, while some images are shown.

A recording is written as ``excitatory.v[0:10]@image=3``: the variable, which neurons of its group, and the images.

==========================  ===================================================================================
``excitatory.v``            group and variable; `hebbarium describe` shows both
``[0:10]``                  neurons 0 to 9; ``[7]``, ``[0:100:10]``; all if left out
``plastic.w[300:310, 7]``   synapses that connect all to all: which sources, which targets
``@image=3``                training images in the order in which they are shown, from 0 on; ``@image=3:6`` are three
``@test=0``                 images that the run is tested on, from 0 on, while nothing learns
``@ms=20:80``               a part of each presentation, in milliseconds; all of it if left out
==========================  ===================================================================================

Training is not touched: the block in which an image is shown runs a second time, from the same state and with the same
random numbers, in a program that records. What it comes to has to be the same, to the bit.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from brian2 import hertz, ms, mV, nS, pA
from brian2.units.fundamentalunits import DIMENSIONLESS, get_unit
from numpy.typing import NDArray

from hebbarium.engine import anatomy
from hebbarium.engine.contract import Watched
from hebbarium.models.contract import Model
from hebbarium.record import results
from hebbarium.training.responses import EVALUATION_BLOCK
from hebbarium.training.samples import Division, Samples
from hebbarium.training.schedule import Schedule

__all__ = ["EXAMPLE", "SEPARATOR", "Probe", "names", "of", "recording"]

SEPARATOR = ";"
EXAMPLE = "excitatory.v[0:10]@image=3"
MOST_VALUES = 20_000_000
"""Of a recording: in double precision 160 megabytes."""
_FORM = re.compile(
    r"(?P<group>\w+)\.(?P<variable>\w+)\s*(?:\[(?P<elements>[^\]]*)\])?\s*"
    r"@\s*(?P<stage>image|test)\s*=\s*(?P<first>\d{1,9})(?::(?P<end>\d{1,9}))?\s*"
    r"(?:@\s*ms\s*=\s*(?P<begin>\d{1,9}(?:\.\d+)?)?\s*:\s*(?P<until>\d{1,9}(?:\.\d+)?)?)?"
)
_UNITS = (mV, ms, nS, pA, hertz)


@dataclass(frozen=True)
class Probe:
    """One recording.

    Parameters
    ----------
    text : str
        As it was asked for.
    recorded : Watched
    shape : tuple of int
        Neurons; or sources and targets, of synapses that connect all to all.
    phase : str
        In which the images are shown.
    is_test : bool
    block : int
        Block of training, or of testing.
    first, end : int
        Images of this block: the first, and the one after the last.
    offset : int
        Images before the block.
    begin, until : int
        Steps of a presentation.
    unit : Unit
        That values are shown in.
    """

    text: str
    recorded: Watched
    shape: tuple[int, ...]
    phase: str
    is_test: bool
    block: int
    first: int
    end: int
    offset: int
    begin: int
    until: int
    unit: Any

    def presentations(self, model: Model, samples: int, presented: NDArray[np.integer] | None) -> tuple[int, int]:
        """Presentations of the block that hold its images, the first and the one after the last.

        Parameters
        ----------
        samples : int
            Of the block.
        presented : (samples,), optional
            How often each was shown, where a controller decides.
        """
        if presented is not None:
            ends = np.cumsum(presented)
            return int(ends[self.first] - presented[self.first]), int(ends[self.end - 1])
        held = model.slots(self.phase).holding(samples)
        rows = np.flatnonzero(((held >= self.first) & (held < self.end)).any(axis=1))
        return int(rows[0]), int(rows[-1]) + 1

    def cut(self, course: NDArray[np.floating]) -> NDArray[np.float64]:
        """The part of presentations ``(presentations, steps, elements)`` that was asked for."""
        return course[:, self.begin : self.until].astype(np.float64)


# -- what is asked for -----------------------------------------------------------------------------------------
def of(texts: str, model: Model, division: Division, schedule: Schedule) -> tuple[Probe, ...]:
    """The recordings of a run, in the order in which they were asked for.

    Parameters
    ----------
    texts : str
        One or several, with semicolons between them.

    Raises
    ------
    ValueError
        One cannot be read; or there is no such group, variable, neuron, synapse or image; or it is too large.
    """
    asked = [text.strip() for text in texts.split(SEPARATOR) if text.strip()]
    return tuple(_probe(text, model, division, schedule) for text in asked)


def _probe(text: str, model: Model, division: Division, schedule: Schedule) -> Probe:
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(
            f"--record {text}: expected group.variable[neurons]@image=number, such as {EXAMPLE}, or @test=number; and"
            " @ms=20:80 behind it for a part of each presentation"
        )
    first, is_test = int(match["first"]), match["stage"] == "test"
    end = int(match["end"]) if match["end"] else first + 1
    there = division.number_tested if is_test else len(schedule.order)
    if not first < end <= there:
        what = "tested" if is_test else "shown in training"
        raise ValueError(f"--record {text}: {there:,} images are {what}; expected 0 to {there - 1}, or 0:{there}")
    if is_test:
        phase, block = "test", first // EVALUATION_BLOCK
        offset, length = block * EVALUATION_BLOCK, EVALUATION_BLOCK
    else:
        block = int(np.searchsorted(schedule.ends, first, side="right"))
        offset, length, phase = schedule.seen(block), len(schedule.blocks[block]), schedule.phases[block]
    if end > offset + length:
        raise ValueError(
            f"--record {text}: image {offset + length} is in another block than image {first}; ask for two recordings,"
            f" up to {offset + length} and from there"
        )
    variable = _variable(text, match["group"], match["variable"], model, phase)
    elements, shape = _elements(text, match["elements"], match["group"], variable, model, phase)
    steps = model.sample_steps(phase)
    begin, until = _steps(text, match["begin"], match["until"], steps, anatomy.time_step(model))
    values = (end - first) * steps * len(elements)
    if values > MOST_VALUES:
        raise ValueError(
            f"--record {text}: {values:,} values, {len(elements):,} a step; expected {MOST_VALUES:,} at most: choose"
            " fewer neurons, synapses or images"
        )
    return Probe(
        text, Watched(variable.name, elements), shape, phase, is_test, block, first - offset, end - offset, offset,
        begin, until, _unit(model, variable),
    )  # fmt: skip


def _variable(text: str, group: str, name: str, model: Model, phase: str) -> anatomy.StateVariable:
    there = {variable.name: variable for variable in anatomy.state(model, phase)}
    groups: dict[str, list[str]] = {}
    for full in there:
        owner, _, short = full.partition(".")
        groups.setdefault(owner, []).append(short)
    if group not in groups:
        raise ValueError(
            f"--record {text}: {model.name} has no group '{group}' with variables that change in phase '{phase}';"
            f" expected one of {', '.join(groups)}"
        )
    if name not in groups[group]:
        raise ValueError(
            f"--record {text}: '{group}' has no variable '{name}' that changes in phase '{phase}'; expected one of"
            f" {', '.join(groups[group])}"
        )
    return there[f"{group}.{name}"]


def _elements(
    text: str, chosen: str | None, group: str, variable: anatomy.StateVariable, model: Model, phase: str
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Numbers of the elements, and how many there are along each axis."""
    shapes = {p.variable.partition(".")[0]: p.shape for p in anatomy.shape(model, phase).projections}
    parts = [part.strip() for part in chosen.split(",")] if chosen is not None else []
    shape = shapes.get(group, (variable.size,))
    if variable.size != math.prod(shape) or len(parts) < 2:
        shape = (variable.size,)
    if len(parts) > len(shape):
        raise ValueError(
            f"--record {text}: [{chosen}] has {len(parts)} parts; expected "
            + ("[sources, targets]" if len(shape) == 2 else "one, since these are no synapses that connect all to all")
        )
    parts = parts or [":"]
    axes = [_numbers(text, part, size, group) for part, size in zip(parts, shape, strict=True)]
    numbers = np.ravel_multi_index(np.meshgrid(*axes, indexing="ij"), shape).ravel()
    return tuple(map(int, numbers)), tuple(map(len, axes))


def _numbers(text: str, part: str, size: int, group: str) -> NDArray[np.int64]:
    match = re.fullmatch(r"(\d{1,9})|(\d{1,9})?\s*:\s*(\d{1,9})?(?:\s*:\s*([1-9]\d{0,8}))?", part)
    if match is None:
        raise ValueError(f"--record {text}: [{part}] cannot be read; expected a number, 0:10 or 0:100:10")
    if match[1] is not None:
        first, end, step = int(match[1]), int(match[1]) + 1, 1
    else:
        first, end, step = int(match[2] or 0), int(match[3] or size), int(match[4] or 1)
    if not first < end <= size:
        raise ValueError(f"--record {text}: [{part}] is not within '{group}', which has {size:,}; expected 0:{size}")
    if -(-(end - first) // step) > MOST_VALUES:
        raise ValueError(f"--record {text}: [{part}] are too many; expected {MOST_VALUES:,} values at most")
    return np.arange(first, end, step)


def _steps(text: str, begin: str | None, until: str | None, steps: int, time_step: float) -> tuple[int, int]:
    in_ms = time_step * 1e3
    first = round(float(begin) / in_ms) if begin else 0
    end = round(float(until) / in_ms) if until else steps
    if not 0 <= first < end <= steps:
        raise ValueError(
            f"--record {text}: a presentation takes {steps * in_ms:g} ms in steps of {in_ms:g} ms; expected a part of"
            f" it, such as @ms=0:{steps * in_ms:g}"
        )
    return first, end


def _unit(model: Model, variable: anatomy.StateVariable) -> Any:
    """That of the results where they show the variable, or one that suits neurons."""
    shown = model.shown_state.get(variable.name.partition(".")[2])
    if shown is not None:
        return shown
    if variable.dimensions is DIMENSIONLESS:
        return 1
    return next((unit for unit in _UNITS if unit.dim is variable.dimensions), get_unit(variable.dimensions))


# -- results --------------------------------------------------------------------------------------
def recording(
    probe: Probe, model: Model, course: NDArray[np.floating], samples: Samples,
    presented: NDArray[np.integer] | None,
) -> xr.Dataset:  # fmt: skip
    """The group of one recording.

    Parameters
    ----------
    course : (presentations, steps, elements)
        What `Probe.cut` left.
    samples : Samples
        The images that were asked for.
    presented : (samples,), optional
        How often each of them was shown, where a controller decides.
    """
    per_sample = np.ones(len(samples), int) if presented is None else np.asarray(presented)
    if model.slots(probe.phase).beside > 1:
        per_sample = np.zeros(0, int)  # samples side by side, each with neurons of its own
    which = np.repeat(np.arange(len(per_sample)), per_sample)
    of_sample = (which, samples) if len(which) == len(course) else None
    axes = ("element",) if len(probe.shape) == 1 else ("pre", "post")
    numbers = np.array(probe.recorded.elements)
    named: Mapping[str, NDArray[np.int64]] = {"element": numbers}
    if len(probe.shape) == 2:
        targets = {p.variable.partition(".")[0]: p.shape[1] for p in anatomy.shape(model, probe.phase).projections}
        pre, post = np.divmod(numbers.reshape(probe.shape), targets[probe.recorded.variable.partition(".")[0]])
        named = {"pre": pre[:, 0], "post": post[0]}
    number = probe.offset + probe.first
    unit = "1" if isinstance(probe.unit, int) else str(probe.unit)
    step_ms = anatomy.time_step(model) * 1e3
    return results.recording(
        course.reshape(*course.shape[:2], *probe.shape) / float(probe.unit),
        variable=probe.recorded.variable,
        unit=unit,
        axes={name: named[name] for name in axes},
        time_ms=np.arange(probe.begin, probe.until) * step_ms,
        sample=None if of_sample is None else number + which,
        image=None if of_sample is None else samples.index[which],
        label=None if of_sample is None else samples.labels[which],
        asked=probe.text,
        phase=probe.phase,
    )


def names(probes: Sequence[Probe]) -> list[str]:
    """What the groups of recordings are called: the variable, with a number behind it where there are several."""
    taken: dict[str, int] = {}
    called = []
    for probe in probes:
        variable = probe.recorded.variable
        taken[variable] = taken.get(variable, 0) + 1
        called.append(variable if taken[variable] == 1 else f"{variable}.{taken[variable]}")
    return called
