"""What spikes say of the numbers that they were made of, one decoder an encoding; and the statistics of spike trains.

A raster is an array of bool, ``(samples, steps, neurons)``: the spikes of each presentation, from its beginning.
A number is a level, from 0, black, to 1, white. The encodings are those of `hebbarium.equations.encoders`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Raster = NDArray[np.bool_]
Floats = NDArray[np.float64]

GRID = 101
"""Levels among which the most likely one is looked for: every hundredth."""


# ------------------------------------------------------------------------------------------------- rates


def rates(raster: Raster, dt: float) -> Floats:
    """Spike-count rate: spikes of a presentation by its length, ``(samples, neurons)`` in hertz.

    Parameters
    ----------
    raster : (samples, steps, neurons)
    dt : float
        Length of a step in seconds.
    """
    return raster.sum(axis=1) / (raster.shape[1] * dt)


def histogram(raster: Raster, dt: float, steps: int) -> Floats:
    """Peri-stimulus-time histogram: the rate in the course of a presentation, ``(bins, neurons)`` in hertz.

    Parameters
    ----------
    raster : (trials, steps, neurons)
        Presentations of the same numbers.
    dt : float
    steps : int
        Of a bin; steps after the last whole one are left out.
    """
    bins = raster.shape[1] // steps
    if not bins:
        raise ValueError(f"bins of {steps} steps: a presentation has {raster.shape[1]}; expected at most as many")
    counted = raster[:, : bins * steps].reshape(len(raster), bins, steps, -1).sum(axis=2)
    return np.asarray(counted.mean(axis=0) / (steps * dt))


def from_rate(raster: Raster, white: float) -> Floats:
    """Levels by how often neurons fired.

    Parameters
    ----------
    raster : (samples, steps, neurons)
    white : float
        Probability that a white neuron fires at a step.
    """
    return np.clip(raster.sum(axis=1) / (raster.shape[1] * white), 0, 1)


# ------------------------------------------------------------------------------------------------- times


def first_spikes(raster: Raster) -> NDArray[np.int64]:
    """Step of each neuron's first spike, ``(samples, neurons)``; the number of steps where there is none."""
    return np.where(raster.any(axis=1), raster.argmax(axis=1), raster.shape[1])


def from_latency(raster: Raster, code_steps: int) -> Floats:
    """Levels by when neurons fired first; who did not in time is black.

    Parameters
    ----------
    raster : (samples, steps, neurons)
    code_steps : int
        Steps by which a black neuron would fire.
    """
    late = np.where(raster.any(axis=1), raster.argmax(axis=1), code_steps)
    return np.clip(1 - late / code_steps, 0, 1)


def from_phase(raster: Raster, cycle: int) -> Floats:
    """Levels by the phase in which neurons fired most often; black where that is in half of the cycles or fewer.

    Parameters
    ----------
    raster : (samples, steps, neurons)
    cycle : int
        Steps of the oscillation, which begins with the sample.
    """
    phase = np.arange(raster.shape[1]) % cycle
    of_phase = (phase == np.arange(min(cycle, len(phase)))[:, np.newaxis]).astype(np.float64)
    counts = np.stack([of_phase @ spikes for spikes in raster])
    agree = counts.max(axis=1) > len(phase) // cycle / 2
    return np.where(agree, 1 - counts.argmax(axis=1) / cycle, 0.0)


def vector_strength(raster: Raster, cycle: int) -> Floats:
    """How well a neuron's spikes agree in their phase, ``(samples, neurons)``: 1 if all have one; NaN without any."""
    turns = np.exp(2j * np.pi * (np.arange(raster.shape[1]) % cycle) / cycle)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.abs(np.stack([turns @ spikes for spikes in raster]) / raster.sum(axis=1))


# ------------------------------------------------------------------------------------- several neurons together


def tuning(levels: Floats, n_tuned: int, width: float) -> Floats:
    """How strongly each of a population's neurons answers, ``(..., n_tuned)``: 1 at its own level."""
    preferred = np.arange(n_tuned) / (n_tuned - 1)
    return np.asarray(np.exp(-((levels[..., np.newaxis] - preferred) ** 2) / (2 * width**2)))


def from_population(raster: Raster, n_tuned: int, width: float, white: float) -> Floats:
    """The likeliest levels, one for each ``n_tuned`` neurons, which fire independently.

    Parameters
    ----------
    raster : (samples, steps, neurons)
    n_tuned : int
    width : float
        Standard deviation of the Gaussian by which a neuron answers to levels beside its own.
    white : float
        Probability that a neuron fires at a step while it is shown its own level.
    """
    samples, steps, neurons = raster.shape
    counts = raster.sum(axis=1).reshape(samples, neurons // n_tuned, n_tuned)
    grid = np.linspace(0, 1, GRID)
    p = np.clip(white * tuning(grid, n_tuned, width), 1e-12, 1 - 1e-12)
    silent = np.log1p(-p)
    found = np.empty(counts.shape[:2])
    for number, count in enumerate(counts):  # one sample at a time: the likelihoods of all take much memory
        found[number] = grid[(count @ (np.log(p) - silent).T + steps * silent.sum(axis=1)).argmax(axis=-1)]
    return found


def from_synchrony(raster: Raster, copied: float) -> Floats:
    """Levels by how often neurons took part where many fired together.

    The mother train is not seen. It is told by its copies: at least half as many neurons fire as at the fullest step.
    That needs tens of neurons; spikes besides are passed over.

    Parameters
    ----------
    raster : (samples, steps, neurons)
    copied : float
        Part of the mother's spikes that a white neuron copies.
    """
    together = raster.sum(axis=2)
    fullest = together.max(axis=1, keepdims=True, initial=0)
    mother = (together >= fullest / 2) & (together > 0)
    took_part = np.stack([steps.astype(np.int64) @ spikes for steps, spikes in zip(mother, raster, strict=True)])
    return np.clip(took_part / (copied * np.maximum(mother.sum(axis=1), 1)[:, np.newaxis]), 0, 1)


def correlation(raster: Raster) -> Floats:
    """Of the neurons' spikes at the same step, ``(neurons, neurons)``, over all steps of all samples."""
    return np.asarray(np.corrcoef(raster.reshape(-1, raster.shape[2]).T.astype(np.float64)))


def fano_factor(raster: Raster) -> Floats:
    """Variance of spike counts by their mean, over samples, ``(neurons,)``; NaN for neurons that never fire."""
    counts = raster.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(counts.var(axis=0, ddof=1) / counts.mean(axis=0))


# --------------------------------------------------------------------------------- how good what was decoded is


def error(levels: Floats, decoded: Floats) -> float:
    """Root of the mean square difference, in levels."""
    return float(np.sqrt(np.mean((levels - decoded) ** 2)))


def information(levels: Floats, decoded: Floats, bins: int) -> float:
    """Bits that a decoded level says of the level, both in equal bins from 0 to 1; by their joint frequencies.

    With few values chance looks like information: about ``(bins - 1)**2/(2*n*log(2))`` bits of ``n`` values.
    """
    within = [np.minimum((np.clip(x.ravel(), 0, 1) * bins).astype(int), bins - 1) for x in (levels, decoded)]
    joint = np.bincount(within[0] * bins + within[1], minlength=bins * bins).reshape(bins, bins) / levels.size
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    some = joint > 0
    return float((joint[some] * np.log2(joint[some] / independent[some])).sum())


def with_one_lost(raster: Raster, generator: np.random.Generator) -> Raster:
    """The raster without one spike, by chance, of each neuron that fired in a presentation."""
    return raster & ~_one_of(raster, generator)


def with_one_added(raster: Raster, generator: np.random.Generator) -> Raster:
    """The raster with one spike more, by chance, of each neuron in each presentation, where it has a silent step."""
    return raster | _one_of(~raster, generator)


def _one_of(where: Raster, generator: np.random.Generator) -> Raster:
    """One step of those that are true, by chance, of each neuron in each presentation."""
    chosen = np.zeros(where.shape, bool)
    for possible, one in zip(where, chosen, strict=True):  # all presentations at once would take much memory
        drawn = np.where(possible, generator.random(possible.shape, dtype=np.float32), np.float32(-1)).argmax(axis=0)
        np.put_along_axis(one, drawn[np.newaxis], values=True, axis=0)
    return chosen & where
