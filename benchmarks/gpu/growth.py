"""Cost of an image by the size of the network, dense on the CPU beside a GPU, and from which size the GPU wins."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.compiled import CompiledTraining, trained
from benchmarks.gpu.case import Case, Findings, digits
from benchmarks.rows import Benchmark, show
from hebbarium.engine import devices
from hebbarium.engine.contract import Structure
from hebbarium.models.synaptic_scaling import SynapticScaling

SIZES = (100, 400, 1600, 6400, 10_000)
PRECISION = "float32"
LOOP = "an image in the main loop"
_LONGEST = 200


@dataclass(frozen=True)
class Sized(Case):
    """A network of Touda & Okuno in training, both sides taking turns.

    Parameters
    ----------
    neurons : int
    rounds : int
    """

    neurons: int = 100
    rounds: int = 3

    @property
    def model(self) -> SynapticScaling:
        """The network."""
        return SynapticScaling(neurons=self.neurons)

    def structures(self) -> Sequence[Structure]:
        """See `Case.structures`."""
        return [trained(self.model, PRECISION, self.device)]

    def references(self) -> Sequence[Structure]:
        """See `Case.references`."""
        return [trained(self.model, PRECISION, devices.DEFAULT)]

    def run(self, scratch: Path) -> Findings:
        """See `Case.run`."""
        images, _ = digits()
        sides = {
            device: CompiledTraining(self.model, PRECISION, images, scratch / device, device)
            for device in (self.device, devices.DEFAULT)
        }
        turns = {}
        for device, side in sides.items():
            first = side.train(10)  # how long a turn may be
            turns[device] = int(np.clip(self.seconds / (4 * self.rounds) / max(first.run / 10, 1e-6), 10, _LONGEST))
        measured = {
            device: [sides[device].train(turns[device]) for _ in range(self.rounds)] for device in sides
        }
        findings = Findings()
        for device, called in ((self.device, self.called), (devices.DEFAULT, "dense on the CPU beside it")):
            loop = 1e3 * statistics.median(m.run / m.images for m in measured[device])
            whole = 1e3 * statistics.median(m.wall / m.images for m in measured[device])
            name = f"synaptic_scaling, N={self.neurons}, {PRECISION}, {called}"
            findings.rows.append(Benchmark(f"{name}: {LOOP}", loop, "ms"))
            findings.rows.append(Benchmark(f"{name}: an image, blocks of {turns[device]}", whole, "ms"))
        ours, theirs = (findings.rows[k].value for k in (0, 2))
        name = f"synaptic_scaling, N={self.neurons}, {PRECISION}, {self.called}"
        findings.rows.append(Benchmark(f"{name}: times as fast as dense on the CPU", theirs / ours))
        return findings


def wins(called: str, faster: Mapping[int, float]) -> Findings:
    """From how many neurons on a device is faster, from how many times as fast it is at each size."""
    if len(faster) < 2:
        return Findings(said=[f"{called}: {len(faster)} sizes measured, too few to say from which on it is faster"])
    neurons = crossing(faster)
    if neurons is None:
        first, last = min(faster), max(faster)
        if faster[first] >= 1:
            return Findings(said=[f"{called} is faster at every size, from N={first} on"])
        slower = show(1 / faster[last])
        said = f"{called} is slower than the CPU up to N={last}, where it takes {slower} times as long"
        return Findings(said=[said])
    name = f"synaptic_scaling, {PRECISION}: neurons from which {called} is faster than dense on the CPU"
    said = f"{called} is faster than the CPU from about {neurons:.0f} neurons on"
    return Findings([Benchmark(name, neurons)], [said])


def crossing(faster: Mapping[int, float]) -> float | None:
    """The size at which a ratio rises to one for good: a straight line between logarithms; None if it does not."""
    sizes = sorted(faster)
    for below, above in itertools.pairwise(sizes):
        if faster[below] < 1 <= faster[above] and all(faster[n] >= 1 for n in sizes if n > below):
            low, high = np.log(faster[below]), np.log(faster[above])
            return float(np.exp(np.log(below) + np.log(above / below) * -low / (high - low)))
    return None
