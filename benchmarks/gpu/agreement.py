"""A model's program on a GPU against the CPU's: the same short run on both.

Numbers are drawn from other streams on a GPU, and sums are taken in another order. So spikes and accuracies are held
against chance, weights against each other by their mean; how many arrays have the same bits is said as well, which all
may have where nothing is random.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.gpu.case import Case, Findings
from benchmarks.rows import Benchmark
from hebbarium.catalogue import registry
from hebbarium.engine import anatomy, devices, streams
from hebbarium.engine.contract import Arrays, Block, Structure
from hebbarium.models.contract import Model
from hebbarium.record import results
from hebbarium.training import parameters, training
from hebbarium.training.loop import structures
from hebbarium.training.run_settings import RunSettings

CPU = devices.DEFAULT
DEVIATIONS = 5.0
"""Standard deviations that two counts, or two shares, of chance may lie apart."""
APART = 0.1
"""Part by which two mean weights may differ."""
ROUNDING = 1e-6
"""Part of the largest value of an array by which rounding may part two devices where nothing is random."""
FEW = 200
"""Spikes from which on their number is compared."""


Given = Callable[[np.random.Generator, tuple[int, ...]], NDArray[np.float64]]


def rising(most: float) -> Given:
    """From one neuron to the next more, up to a level that is held: in SI units."""
    return lambda generator, shape: np.broadcast_to(np.linspace(0, most, shape[-1]), shape).copy()


def sparse(share: float) -> Given:
    """One in some steps, zero in the others."""
    return lambda generator, shape: (generator.random(shape) < share).astype(np.float64)


def within(low: float, high: float) -> Given:
    """Anything between two numbers."""
    return lambda generator, shape: generator.uniform(low, high, shape)


def counted(most: int) -> Given:
    """The number of the step, from zero again and again."""
    return lambda generator, shape: (np.arange(shape[0]) % most).astype(np.float64)


@dataclass(frozen=True)
class Trained(Case):
    """A network that is trained and tested on a few digits.

    Parameters
    ----------
    settings : RunSettings
    """

    settings: RunSettings = field(default_factory=RunSettings)

    def structures(self) -> Sequence[Structure]:
        """See `Case.structures`."""
        return self._programs(self.device)

    @property
    def learns(self) -> bool:
        """Whether anything is trained before it is tested."""
        return bool(self.settings.phases(registry.find(self.settings.model)()))

    def references(self) -> Sequence[Structure]:
        """See `Case.references`."""
        return self._programs(CPU)

    def _programs(self, device: str) -> Sequence[Structure]:
        model = parameters.apply(registry.find(self.settings.model), self.settings.changes)
        return structures(self._on(device), model)

    def _on(self, device: str) -> RunSettings:
        return replace(self.settings, device=device)

    def run(self, scratch: Path) -> Findings:
        """See `Case.run`."""
        here, there = (
            contents(training.train(self._on(device), scratch / device)) for device in (self.device, CPU)
        )
        return compare(f"{self.settings.model}, {self.called}", here, there)


@dataclass(frozen=True)
class Stimulated(Case):
    """A network that is given numbers step by step.

    Parameters
    ----------
    model : str
    given : mapping of str to callable
        What makes each of its inputs, of a generator and a shape ``(samples, ...)``.
    samples : int
    """

    model: str = ""
    given: Mapping[str, Given] = field(default_factory=dict)
    samples: int = 2000

    def _structure(self, device: str) -> Structure:
        network = registry.find(self.model)()
        phase = network.phases[0]
        return Structure(network, phase, "float64", device, self.samples, measures=network.measures(True))

    def structures(self) -> Sequence[Structure]:
        """See `Case.structures`."""
        return [self._structure(self.device)]

    def references(self) -> Sequence[Structure]:
        """See `Case.references`."""
        return [self._structure(CPU)]

    def run(self, scratch: Path) -> Findings:
        """See `Case.run`."""
        found = []
        for device in (self.device, CPU):
            structure = self._structure(device)
            result = devices.program(structure, scratch).run(self.block(structure))
            counts = {
                f"run/{population}/spike_count": np.array([len(spikes.step)])
                for population, spikes in result.spikes.items()
            }
            found.append(counts | result.state | {f"course of {key}": values for key, values in result.values.items()})
        here, there = found
        return compare(f"{self.model}, {self.called}", here, there, ROUNDING)

    def block(self, structure: Structure) -> Block:
        """What its program is given."""
        model = structure.model
        assert isinstance(model, Model)
        generator = np.random.default_rng(11)
        begins = anatomy.initial_state(model, structure.phase, model.initial_state(streams.generator(3, 0)))
        blank = model.blank(structure.phase, 1)
        inputs: Arrays = {
            name: self.given[name](generator, (self.samples, *array.shape[1:])) for name, array in blank.items()
        }
        return Block(begins, inputs, model.run_time_values(), 5)


def contents(folder: Path) -> dict[str, NDArray[Any]]:
    """Arrays of a run's results by their path: spike counts, the last weights, what was predicted, accuracies."""
    found: dict[str, NDArray[Any]] = {}
    with results.open_run(folder) as tree:
        for node in tree.subtree:
            for name, variable in node.data_vars.items():
                path = f"{node.path.strip('/')}/{name}"
                if variable.dtype.kind in "iufb" and not path.startswith(("raster/", "recording")):
                    array = np.asarray(variable.values)
                    found[path] = array[-1] if path.startswith("weights/") else array
        accuracy = tree[results.EVALUATION].to_dataset()["accuracy"].isel(seed=0, samples_seen=-1)
        for name in accuracy["readout"].values:
            found[f"accuracy/{name}"] = np.asarray(float(accuracy.sel(readout=name)))
    return found


def compare(
    name: str, here: Mapping[str, NDArray[Any]], there: Mapping[str, NDArray[Any]], rounding: float | None = None
) -> Findings:
    """Hold what one device came to against what another did.

    Parameters
    ----------
    name : str
        Begins each row.
    here, there : mapping of arrays
        By path: ``.../spike_count``, ``weights/...``, ``accuracy/...``; others are compared to the bit alone. Of those
        with ``evaluation/predicted`` it is known how many samples were tested.
    rounding : float, optional
        Part of the largest value by which each array may be another, where nothing is random.

    Returns
    -------
    Findings
        Rows of ``here``, of ``there`` where a number stands for itself, and what does not agree.
    """
    findings = Findings()
    if here.keys() != there.keys():
        odd = sorted(here.keys() ^ there.keys())
        return Findings(said=[f"{name}: {', '.join(odd)} came of one device alone"], agrees=False)
    same = [np.array_equal(here[path], there[path], equal_nan=True) for path in here]
    findings.rows.append(Benchmark(f"{name}: arrays with the bits of the CPU", 100 * float(np.mean(same)), "%"))
    differences = [*_spikes(name, here, there, findings), *_weights(name, here, there, findings)]
    differences += _accuracies(name, here, there, findings)
    differences += [
        f"{path} has {np.isnan(here[path]).sum()} values that are no numbers, on the CPU {np.isnan(there[path]).sum()}"
        for path in here
        if here[path].dtype.kind == "f" and np.isnan(here[path]).sum() != np.isnan(there[path]).sum()
    ]
    if rounding is not None:
        differences += _rounded(name, here, there, rounding, findings)
    findings.agrees = not differences
    findings.said = [f"{name}: {difference}" for difference in differences]
    return findings


def _spikes(name: str, here: Any, there: Any, findings: Findings) -> Iterator[str]:
    for path in here:
        stage, _, rest = path.partition("/")
        if not rest.endswith("/spike_count"):
            continue
        ours, theirs = int(here[path].sum(dtype=np.int64)), int(there[path].sum(dtype=np.int64))
        population = rest.removesuffix("/spike_count")
        if theirs:
            what = f"{name}: spikes of {population}, {stage}, in parts of the CPU's"
            findings.rows.append(Benchmark(what, ours / theirs))
        # spikes of a layer that competes come in groups: their number varies more than independent ones' would
        apart, chance = abs(ours - theirs), DEVIATIONS * np.sqrt(ours + theirs)
        if max(ours, theirs) > FEW and apart > max(chance, APART * theirs):
            yield f"{population} fired {ours} times ({stage}), on the CPU {theirs} times"


def _weights(name: str, here: Any, there: Any, findings: Findings) -> Iterator[str]:
    for path in here:
        if not path.startswith("weights/") or here[path].size < 2:
            continue
        ours, theirs = (np.abs(np.asarray(side[path], float)) for side in (here, there))
        if not theirs.any():
            continue
        what = f"{name}: mean size of {path.removeprefix('weights/')}, in parts of the CPU's"
        findings.rows.append(Benchmark(what, float(ours.mean() / theirs.mean())))
        if not abs(ours.mean() - theirs.mean()) <= APART * theirs.mean():
            yield f"{path} is {ours.mean():.4g} on average, on the CPU {theirs.mean():.4g}"


def _rounded(name: str, here: Any, there: Any, rounding: float, findings: Findings) -> Iterator[str]:
    largest = 0.0
    for path in here:
        ours, theirs = (np.asarray(side[path], float) for side in (here, there))
        apart, size = (float(np.nanmax(np.abs(values), initial=0)) for values in (ours - theirs, theirs))
        apart /= size or 1.0
        largest = max(largest, apart)
        if apart > rounding:
            yield f"{path} differs by {apart:.2g} of its largest value"
    findings.rows.append(Benchmark(f"{name}: largest difference, in parts of the largest value", largest))


def _accuracies(name: str, here: Any, there: Any, findings: Findings) -> Iterator[str]:
    tested = here["evaluation/predicted"].shape[-1] if "evaluation/predicted" in here else 0
    for path in here:
        if not path.startswith("accuracy/"):
            continue
        readout, ours, theirs = path.removeprefix("accuracy/"), float(here[path]), float(there[path])
        findings.rows.append(Benchmark(f"{name}: accuracy by {readout}, {tested} digits", ours, "%"))
        findings.rows.append(Benchmark(f"{name}: accuracy by {readout}, {tested} digits, on the CPU", theirs, "%"))
        share = (ours + theirs) / 200
        if abs(ours - theirs) > 100 * DEVIATIONS * np.sqrt(2 * max(share * (1 - share), 0.01) / tested):
            yield f"{ours:.1f} % are right by {readout}, on the CPU {theirs:.1f} %"
