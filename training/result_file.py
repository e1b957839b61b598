"""The result file of a run under way or complete: what a run has kept, put together."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hebbarium.analysis.accuracy import evaluate
from hebbarium.engine import anatomy, run_folder
from hebbarium.engine.contract import Arrays
from hebbarium.engine.run_folder import KeptRun
from hebbarium.files.errors import FileNotWritten
from hebbarium.models.contract import Model
from hebbarium.record import results
from hebbarium.training import responses, silence
from hebbarium.training.responses import Responses
from hebbarium.training.run_settings import RunSettings
from hebbarium.training.samples import Division, Samples
from hebbarium.training.schedule import Schedule

__all__ = ["ResultFile", "shown", "versions"]


class ResultFile:
    """What a run writes into its folder for others to read.

    Parameters
    ----------
    folder : KeptRun
    settings : RunSettings
    model : Model
    division : Division
    schedule : Schedule
    """

    def __init__(
        self, folder: KeptRun, settings: RunSettings, model: Model, division: Division, schedule: Schedule
    ) -> None:
        self.folder, self.settings, self.model = folder, settings, model
        self.division, self.schedule = division, schedule

    def labelling(self, samples: Samples, counts: Responses) -> dict[str, xr.Dataset]:
        """The group of responses that label neurons."""
        population = self.model.readout
        return {
            population: results.responses(
                counts[population],
                label=samples.labels,
                image=samples.index,
                presentation_ms=self._ms("respond"),
                read=self._read(population, counts),
            )
        }

    def test(self, samples: Samples, counts: Responses) -> dict[str, xr.Dataset]:
        """The group of responses that accuracy is measured by."""
        return {
            population: results.responses(
                counts[population],
                label=samples.labels,
                image=samples.index,
                presentations=self._presentations(counts),
                presentation_ms=self._ms("test"),
                read=self._read(population, counts),
            )
            for population in dict.fromkeys(measure.population for measure in self.model.measures(False))
        }

    def tree(
        self,
        totals: Mapping[str, float],
        parts: Sequence[Responses],
        groups: Mapping[str, Any],
        warnings: Sequence[str] = (),
        complete: bool = False,
        latest: Mapping[int, Arrays] | None = None,
    ) -> xr.DataTree:
        """What the file holds, put together.

        Parameters
        ----------
        totals : mapping
            Seconds and synaptic events so far.
        parts : sequence of dict
            Responses of the blocks that are over.
        groups : mapping
            What came after training: `labelling`, `test`, and what was recorded.
        warnings : sequence of str
            Why accuracies mean little.
        latest : mapping, optional
            Snapshots by samples seen, besides those in the folder; see `shown`.
        """
        model, population, schedule = self.model, self.model.readout, self.schedule
        samples_seen = schedule.seen(len(parts))
        samples = self.division.at(schedule.order[:samples_seen])
        counts = responses.together(model, responses.keys(model, True), parts)
        snapshots = {**self.folder.snapshots(samples_seen), **(latest or {})}
        tree = results.build(
            self._attributes(totals, samples_seen, complete),
            activity={
                population: results.responses(
                    counts[population],
                    label=samples.labels,
                    image=samples.index,
                    presentations=self._presentations(counts),
                    block=schedule.block_of_image(len(parts)),
                    presentation_ms=self._ms("train"),
                    read=self._read(population, counts),
                )
            },
            weights={
                p.name: results.weight_snapshots(
                    np.stack([a[p.name].reshape(p.shape) for a in snapshots.values()]), samples_seen=list(snapshots),
                    fixed=all(p.variable in anatomy.given(model, phase) for phase, _ in self.settings.phases(model)),
                )
                for p in anatomy.projections(model)
            },
            state=dict(self._shown_state(snapshots)),
            **groups,
        )
        labels_from = self.settings.labels_from
        tree["evaluation"] = xr.DataTree(
            evaluate(
                tree,
                labels_from=labels_from if complete or labels_from != "labelling" else "all",
                readouts=model.readouts,
                earlier=self.folder.accuracies(samples_seen - 1),
            )
        )
        if warnings:
            tree["evaluation"].attrs["warning"] = f"{'; '.join(warnings)}. {silence.advice(model)}"
        return tree

    def write(
        self,
        totals: Mapping[str, float],
        parts: Sequence[Responses],
        groups: Mapping[str, Any],
        warnings: Sequence[str],
        complete: bool,
    ) -> None:
        """Write the file; see `tree`.

        Raises
        ------
        RunFolderError
            It cannot be written.
        """
        tree = self.tree(totals, parts, groups, warnings, complete)
        try:
            results.write(tree, self.folder.path)
        except FileNotWritten as error:
            raise run_folder.unwritten(results.file_of(self.folder.path), error, self.folder.path) from error

    def _read(self, population: str, responses: Responses) -> dict[str, tuple[NDArray[Any], str, str]]:
        """What was read of a population besides its spike counts: numbers, unit and meaning by name."""
        measures = {measure.key: measure for readout in self.model.readouts for measure in readout.measures}
        return {
            m.name: (m.in_unit(responses[key]), str(m.unit), m.meaning)
            for key, m in measures.items()
            if m.population == population and key != population and key in responses
        }

    def _presentations(self, counts: Responses) -> NDArray[np.uint16] | None:
        return counts[self.model.controller][:, 0] if self.model.controller else None

    def _ms(self, phase: str) -> float:
        return self.model.sample_steps(phase) * anatomy.time_step(self.model) * 1e3

    def _shown_state(self, snapshots: Mapping[int, Arrays]) -> Iterator[tuple[str, xr.Dataset]]:
        by_population: dict[str, dict[str, tuple[NDArray[Any], str, str]]] = {}
        for full in next(iter(snapshots.values()), {}):
            if self.model.shows(full) and all(full in arrays for arrays in snapshots.values()):
                population, _, name = full.partition(".")
                unit = self.model.shown_state[name]
                values = np.stack([arrays[full] for arrays in snapshots.values()]) / float(unit)
                text = "" if isinstance(unit, int) else str(unit)
                by_population.setdefault(population, {})[name] = (values, text, f"{name} of {population} neurons")
        for population, variables in by_population.items():
            yield population, results.state_snapshots(samples_seen=list(snapshots), **variables)

    def _attributes(self, totals: Mapping[str, float], samples_seen: int, complete: bool) -> dict[str, Any]:
        settings, images, table = self.settings, self.division.images, self.model.parameters()
        stored = self.folder.configuration
        return results.root_attributes(
            model=self.model.name,
            paper=self.model.paper,
            seed=settings.seed,
            samples_seen=samples_seen,
            device=settings.device,
            precision=settings.precision,
            parameters={symbol: row.show(getattr(self.model, symbol)) for symbol, row in table.items()},
            options=settings.record(),
            versions=versions(),
            git_commit=stored["code"]["commit"],
            git_dirty=stored["code"]["dirty"],
            dataset=images.name,
            dataset_sha256=images.sha256,
            class_names=images.class_names,
            image_shape=images.shape,
            wall_time_s=totals["run.seconds"],
            synaptic_events=int(totals["run.events"]),
            command=stored["command"],
            run=self.folder.begun,
            complete=complete,
        )


def shown(model: Model, state: Mapping[str, NDArray[Any]]) -> Arrays:
    """A snapshot: what results show of a network's state, weights by projection and variables by ``population.name``.

    Parameters
    ----------
    state : mapping
        Variables of the network by name, in SI units.
    """
    arrays = {p.name: state[p.variable].astype(np.float32) for p in anatomy.projections(model)}
    on_show = [name for name in state if model.shows(name)]
    return arrays | {name: state[name].astype(np.float64) for name in on_show}


def versions() -> dict[str, str]:
    """Versions of Python and of what numbers depend on."""
    names = ("brian2", "numpy", "xarray", "hebbarium")
    return {"python": platform.python_version(), **{n: metadata.version(n) for n in names if _installed(n)}}


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
