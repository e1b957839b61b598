"""A network that is shown eight images at once and answers a presentation later, and what it does, in plain NumPy.

All its numbers are multiples of a power of two, so that sums are the same in any order and in either precision.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from brian2 import Clock, Network, NeuronGroup, Quantity, Synapses, TimedArray, ms, volt
from numpy.typing import NDArray

from hebbarium.models.contract import Arrays, Model, quantity, structure
from hebbarium.models.readouts import Readout, SpikeCount, Value, at_times, first_to_spike
from hebbarium.models.slots import Slots

STEPS = 8
PIXELS, CLASSES, BATCH = 6, 3, 8


@dataclass(frozen=True, eq=False)
class Pipeline(Model):
    """Inputs add to a sum; the sum drives the output in the next presentation, times a gain that is learned."""

    name: ClassVar[str] = "pipeline"
    title: ClassVar[str] = "A pipeline"
    paper: ClassVar[str] = "none"
    phases: ClassVar[tuple[str, ...]] = ("train", "test")
    readouts = (
        first_to_spike("output", ties=Value("output", symbol="v", of_unit=volt)),
        *at_times(first_to_spike("output"), [4 * ms]),
        *at_times(Readout("potential", Value("output", symbol="v", of_unit=volt), "largest"), [1 * ms, 5 * ms]),
        Readout("count", SpikeCount("output"), "largest"),
    )
    controller: str = ""  # type: ignore[misc]

    dt: Quantity = structure(1 * ms, ms, "time step", "own")
    v_thresh: Quantity = quantity(4 * volt, volt, "threshold", "own")
    eta: float = quantity(0.0625, 1, "step of the optimiser", "own")

    def slots(self, phase: str) -> Slots:
        return Slots(batch=BATCH, idle=1 if phase == "train" else 0, lag=1)

    def build(self, phase: str, inputs: Arrays) -> Network:
        common: dict[str, Any] = {"n_steps": STEPS, "n_pixels": PIXELS, "n_classes": CLASSES}
        arrays = {name: TimedArray(array, dt=STEPS * self.dt, name=name) for name, array in inputs.items()}
        group = {"clock": Clock(self.dt, name="step_clock"), "namespace": common | arrays}
        first, answered = ("t_in_timesteps % n_steps == 0", "t_in_timesteps % n_steps == n_steps - 1")
        if phase == "train":  # the images that are answered are those of the presentation before; nothing is shown now
            answered += " and occupied(t, 0) == 0"
        source = NeuronGroup(
            BATCH * PIXELS, "", threshold="t_in_timesteps % n_steps < spikes(t, i)", name="input", **group
        )
        equations = "v : volt\nsum : volt\ndrive : volt\ngain : 1\ncount : 1\nerr : 1\n"
        output = NeuronGroup(
            BATCH * CLASSES, equations + self.declare("v_thresh"), threshold="v >= v_thresh",
            reset="v -= v_thresh\ncount += 1", events={"begin": first, "settle": answered}, name="output", **group,
        )  # fmt: skip
        output.gain = 1
        output.set_event_schedule("begin", when="start", order=0)
        output.run_on_event("begin", "v = 0*volt\ndrive = gain*sum\nsum = 0*volt\ncount = 0", when="start", order=1)
        output.run_regularly("v += drive", when="groups", order=1)
        plan = Synapses(source, output, on_pre="sum_post += strength*(1 + (i + 2*j) % 3)*0.125", name="plan",
                        clock=group["clock"], namespace={**common, "strength": 1 * volt})  # fmt: skip
        plan.connect("i // n_pixels == j // n_classes")
        if phase == "test":
            return Network(source, output, plan)
        output.set_event_schedule("settle", when="end", order=0)
        place = "(t - n_steps*dt, i // n_classes)"
        target = f"int(labels{place} == i % n_classes)"
        output.run_on_event("settle", f"err = occupied{place}*({target} - count)", when="end", order=1)
        optimiser = NeuronGroup(
            CLASSES, "gain : 1\ng : 1\nsteps_taken : 1\n" + self.declare("eta"),
            events={"step": answered}, name="optimiser", **group,
        )  # fmt: skip
        optimiser.gain = 1
        collect = Synapses(output, optimiser, on_pre="g_post += err_pre", on_event="settle", name="collect", **group)
        collect.connect("i % n_classes == j")
        optimiser.set_event_schedule("step", when="end", order=3)
        optimiser.run_on_event("step", "gain += eta*g\ng = 0\nsteps_taken += 1", when="end", order=4)
        hand_out = Synapses(optimiser, output, on_pre="gain_post = gain_pre", on_event="step", name="hand_out", **group)
        hand_out.connect("i == j % n_classes")
        (collect.pre.when, collect.pre.order), (hand_out.pre.when, hand_out.pre.order) = ("end", 2), ("end", 5)
        return Network(source, output, plan, optimiser, collect, hand_out)

    def inputs(self, phase: str, images: NDArray[np.uint8], labels: NDArray[np.integer]) -> Arrays:
        teacher = {"labels": labels.astype(float)} if phase == "train" else {}
        return {"spikes": images.astype(float), **teacher}

    def sample_steps(self, phase: str) -> int:
        return STEPS


def images(samples: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Numbers of spikes of the pixels, and classes."""
    generator = np.random.default_rng(4)
    return generator.integers(0, 4, (samples, PIXELS), np.uint8), generator.integers(0, CLASSES, samples)


def expected(
    pixels: NDArray[np.uint8], labels: NDArray[np.integer], learns: bool, v_thresh: float = 4.0, eta: float = 0.0625
) -> tuple[dict[str, NDArray[Any]], NDArray[np.float64]]:
    """What is read of each image, by key, and the gains at the end."""
    gain = np.ones(CLASSES)
    sums = np.array([
        [sum(int(row[i]) * (1 + (i + 2 * j) % 3) * 0.125 for i in range(PIXELS)) for j in range(CLASSES)]
        for row in pixels
    ])  # fmt: skip
    counts, first = np.zeros(sums.shape, np.uint16), np.full(sums.shape, np.nan)
    v = np.zeros((STEPS, *sums.shape))
    for begin in range(0, len(pixels), BATCH):
        batch = slice(begin, begin + BATCH)
        potential = np.zeros_like(sums[batch])
        for step in range(STEPS):
            potential += gain * sums[batch]
            fires = potential >= v_thresh
            potential[fires] -= v_thresh
            counts[batch] += fires
            first[batch][fires & np.isnan(first[batch])] = step * 1e-3
            v[step, batch] = potential
        if learns:
            target = labels[batch, np.newaxis] == np.arange(CLASSES)
            gain = gain + eta * (target - counts[batch].astype(float)).sum(axis=0)
    read = {
        "output": counts, "output.first_spike_time": first,
        "output.first_spike_time_at_4_ms": np.where(first < 3.5e-3, first, np.nan),
        "output.v": v[-1], "output.v_at_1_ms": v[0], "output.v_at_5_ms": v[4],
    }  # fmt: skip
    return read, gain
