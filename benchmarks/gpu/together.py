"""Networks side by side as one program (`hebbarium.models.side_by_side`): how a GPU may pay for small ones.

The cells and seeds of a table are one network, whose groups hold them all. What is held against it is one such network
on one core of the CPU, dense, and as many of these at a time as there are cores.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from brian2 import ms
from numpy.typing import NDArray

from benchmarks.compiled import CompiledTraining, trained
from benchmarks.gpu.case import Case, Findings, digits
from benchmarks.rows import Benchmark
from hebbarium.engine import anatomy, devices, presentations, streams
from hebbarium.engine.contract import Arrays, Block, Structure
from hebbarium.models.side_by_side import SideBySide
from hebbarium.models.synaptic_scaling import SynapticScaling

TARGETS, WINDOWS = (3.0, 5.0, 7.0, 9.0, 11.0), (20 * ms, 60 * ms)
"""The cells of Tables III to VI with the L2 norm."""
PRECISION = "float32"
MOST_GIVEN = 32


def cells(number: int, **changes: object) -> tuple[SynapticScaling, ...]:
    """Networks with the parameters of one cell after the other, from the first again for another seed."""
    every = [{"w_t": target, "tau_p": window} for window in WINDOWS for target in TARGETS]
    return tuple(SynapticScaling(**(every[k % len(every)] | changes)) for k in range(number))


def begun(networks: Sequence[SynapticScaling]) -> list[Arrays]:
    """Each network before its first image, by a seed of its own."""
    drawn = [n.initial_state(streams.generator(k, streams.INITIAL_WEIGHTS)) for k, n in enumerate(networks)]
    return [anatomy.initial_state(n, "train", state) for n, state in zip(networks, drawn, strict=True)]


def _structure(networks: Sequence[SynapticScaling], precision: str, device: str, images: int) -> Structure:
    together = SideBySide(tuple(networks))
    measures = together.one.measures(True)
    return Structure(together, "train", precision, device, images * len(networks), measures=measures)


@dataclass(frozen=True)
class Timed(Case):
    """So many networks in training as one, in blocks of some images of each.

    Parameters
    ----------
    number : int
    neurons : int
        Of each.
    images : int
    rounds : int
    """

    number: int = 8
    neurons: int = 100
    images: int = 40
    rounds: int = 3

    def structures(self) -> Sequence[Structure]:
        """See `Case.structures`."""
        return [_structure(cells(self.number, neurons=self.neurons), PRECISION, self.device, self.images)]

    def references(self) -> Sequence[Structure]:
        """See `Case.references`."""
        return [trained(SynapticScaling(neurons=self.neurons), PRECISION, devices.DEFAULT)]

    def run(self, scratch: Path) -> Findings:
        """See `Case.run`."""
        (structure,) = self.structures()
        together = structure.model
        assert isinstance(together, SideBySide)
        images, _ = digits()
        program = devices.program(structure, scratch)
        alone = CompiledTraining(SynapticScaling(neurons=self.neurons), PRECISION, images, scratch / "alone")
        state = together.joined(begun(cells(self.number, neurons=self.neurons)))
        loops, cpu = [], []
        for turn in range(self.rounds + 1):  # the first is not counted
            inputs = together.interleaved([
                network.encode(np.roll(images, -turn * self.images - 97 * k, axis=0)[: self.images])
                for k, network in enumerate(together.networks)
            ])  # fmt: skip
            answers = presentations.show(program, Block(state, inputs, together.values(), turn))
            state = answers.state
            loops.append(answers.run_seconds / (self.images * self.number))
            measured = alone.train(self.images)
            cpu.append(measured.run / measured.images)
        each, one = statistics.median(loops[1:]), statistics.median(cpu[1:])
        cores = len(os.sched_getaffinity(0))
        name = f"synaptic_scaling, N={self.neurons}, {PRECISION}, {self.number} side by side, {self.called}"
        return Findings([
            Benchmark(f"{name}: an image of a network in the main loop", 1e3 * each, "ms"),
            Benchmark(f"{name}: times as fast as one network on the CPU", one / each),
            Benchmark(f"{name}: times as fast as {cores} networks on {cores} cores, if none hinders another",
                      one / each / cores),
        ])  # fmt: skip


@dataclass(frozen=True)
class Same(Case):
    """Networks side by side, which are given the same spikes as each alone on the CPU.

    Parameters
    ----------
    number : int
    neurons : int
    images : int
    """

    number: int = 8
    neurons: int = 30
    images: int = 6

    @property
    def networks(self) -> tuple[SynapticScaling, ...]:
        """Those side by side; none draws a random number."""
        return cells(self.number, neurons=self.neurons, encoder="given", n_given=MOST_GIVEN)

    def structures(self) -> Sequence[Structure]:
        """See `Case.structures`."""
        return [_structure(self.networks, "float64", self.device, self.images)]

    def references(self) -> Sequence[Structure]:
        """See `Case.references`: all of them are one program, since their quantities alone differ."""
        return [self._alone(self.networks[0])]

    def _alone(self, network: SynapticScaling) -> Structure:
        measures = network.measures(True)
        return Structure(network, "train", "float64", devices.DEFAULT, self.images, measures=measures)

    def run(self, scratch: Path) -> Findings:
        """See `Case.run`."""
        (structure,) = self.structures()
        together = structure.model
        assert isinstance(together, SideBySide)
        networks, (images, _) = self.networks, digits()
        spikes = [given(network, images[k : k + self.images], k) for k, network in enumerate(networks)]
        states, inputs = begun(networks), [n.encode(rows) for n, rows in zip(networks, spikes, strict=True)]
        block = Block(together.joined(states), together.interleaved(inputs), together.values(), 1)
        answers = presentations.show(devices.program(structure, scratch), block)
        counts = together.answered(answers.counts["excitatory"])
        same, apart = [], []
        for k, network in enumerate(networks):
            own = Block(states[k], inputs[k], network.run_time_values(), 1)
            alone = presentations.show(devices.program(self._alone(network), scratch), own)
            same.append(np.array_equal(counts[k], alone.counts["excitatory"]))
            weights = together.parted(answers.state)[k]["plastic.w"]
            apart.append(float(np.abs(weights - alone.state["plastic.w"]).max()))
        name = f"synaptic_scaling, {self.number} side by side, {self.called}, given spikes"
        findings = Findings([
            Benchmark(f"{name}: networks that fire as they do alone on the CPU", 100 * float(np.mean(same)), "%"),
            Benchmark(f"{name}: largest difference of a weight", max(apart)),
        ], agrees=all(same))  # fmt: skip
        if not findings.agrees:
            findings.said.append(f"{name}: {same.count(False)} networks fire otherwise than alone on the CPU")
        return findings


def given(network: SynapticScaling, images: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """Spikes at the rates of images, as rows of bytes; see `hebbarium.models.given_spikes`."""
    generator = np.random.default_rng([seed, 31])
    steps, dt = network.sample_steps("train"), float(network.dt)
    trains = [generator.random((steps, network.pixels)) < rates * dt for rates in network.rates(images)]
    pairs = np.zeros((len(images), max(int(train.sum()) for train in trains), 2), "<u4")
    for row, train in zip(pairs, trains, strict=True):
        step, pixel = np.nonzero(train)
        row[: len(step), 0], row[: len(step), 1] = np.round((step + 0.5) * dt * 1e6), pixel + 1
    return pairs.reshape(len(images), -1).view(np.uint8)
