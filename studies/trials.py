"""Experiments with networks as they are built, which are not trained on images first: made, recorded, entered.

A trial is an item of a paper that takes no training on images: a step of current into a neuron, a synapse between two.
Its numbers become rows of the paper's ledger as those of trained networks do, and what came of it is kept in a result
file of its own.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from hebbarium.analysis import figures
from hebbarium.catalogue import own_equations, papers, registry
from hebbarium.engine import devices
from hebbarium.files.errors import EngineError
from hebbarium.ledger import commits, ledger
from hebbarium.models.contract import Model
from hebbarium.record import results
from hebbarium.training import experiments, parameters, provenance, standard_streams
from hebbarium.training.experiments import Experiment, Measured, Observation
from hebbarium.training.many_runs import ignore_casts, unused_folder
from hebbarium.training.progress import QuietReporter, Reporter, reporter
from hebbarium.training.result_file import versions
from hebbarium.training.run_settings import RunSettings

__all__ = [
    "RecordedExperiment", "Trial", "carry_out", "carry_out_all", "command_of", "folder_of", "found", "rows_of",
    "script",
]  # fmt: skip


class RecordedExperiment(Experiment, Protocol):
    """An experiment that says what a result file keeps of it."""

    def groups(self, model: Model, observed: Observation) -> Mapping[str, Any]:
        """Arguments of `hebbarium.record.results.build`."""
        ...


@dataclass(frozen=True)
class Trial:
    """One experiment of a paper.

    Parameters
    ----------
    item : str
        The paper's item, ``Fig. 11`` or a name of our own.
    name : str
        What tells it from the item's other trials.
    experiment : RecordedExperiment
    changes : mapping of str to str
        Parameters of the model, as typed after ``--set``.
    phase : str, optional
        The model's first one unless stated.
    seeds : tuple of int, optional
        The paper's unless stated; one is enough where nothing is drawn.
    traces : bool
        Whether variables are read besides spikes.
    """

    item: str
    name: str
    experiment: RecordedExperiment
    changes: Mapping[str, str] = field(default_factory=dict)
    phase: str | None = None
    seeds: tuple[int, ...] | None = None
    traces: bool = True

    @property
    def called(self) -> str:
        """What figures call it: its item and its name."""
        return f"{self.item} {self.name}".strip()


def folder_of(trial: Trial, out: Path, seed: int) -> Path:
    """Where the result file of a trial lies."""
    name = f"{trial.item}_{trial.name}_seed={seed}"
    return out / name.replace(" ", "").replace("/", "-")


def carry_out(
    trial: Trial,
    model: Model,
    folder: Path,
    *,
    seed: int = 0,
    device: str = devices.DEFAULT,
    precision: str = "float64",
    command: str = "",
    reporter: Reporter | None = None,
) -> list[Measured]:
    """Do an experiment, and write what came of it into a folder's result file; returns what was measured.

    Raises
    ------
    EngineError, ValueError
        It is given what it cannot be given, cannot be compiled, or does not run to its end.
    """
    inputs = trial.experiment.inputs(model, seed)  # refused before anything is compiled
    devices.require(device)
    own_equations.refuse(model)
    (reporter or QuietReporter()).message(f"{trial.called} seed {seed}")
    observed = experiments.observe(
        model, inputs, scratch=folder / "scratch", phase=trial.phase, seed=seed, device=device, precision=precision,
        traces=trial.traces,
    )  # fmt: skip
    measured = list(trial.experiment.measures(model, observed).items())
    code = provenance.code_version()
    attributes = results.root_attributes(
        model=model.name, paper=model.paper, seed=seed, samples_seen=len(next(iter(inputs.values()))),
        parameters=parameters.table(model), device=device, precision=precision, versions=versions(),
        git_commit=code["commit"], git_dirty=code["dirty"], wall_time_s=observed.seconds, command=command,
        complete=True,
    )  # fmt: skip
    rows = [(one.measure or name, one.value, one.unit, one.setting) for name, one in measured]
    groups = {"measures": results.measures(rows), **trial.experiment.groups(model, observed)}
    folder.mkdir(parents=True, exist_ok=True)
    results.write(results.build(attributes, **groups), folder)
    (folder / "scratch").rmdir() if (folder / "scratch").is_dir() else None
    return [one if one.measure else Measured(**{**vars(one), "measure": name}) for name, one in measured]


def carry_out_all(trials: Iterable[Trial], model: str, out: Path, reporter: Reporter | None = None) -> dict[str, Path]:
    """Folders of trials of a model, by what figures call each; those whose result file is there are not done again.

    Each is done once, with its first seed.

    Raises
    ------
    EngineError, ValueError
        See `carry_out`.
    """
    folders = {}
    for trial in trials:
        seed = trial.seeds[0] if trial.seeds else 0
        folders[trial.called] = folder = folder_of(trial, out, seed)
        if not results.file_of(folder).is_file():
            made = parameters.apply(registry.find(model), trial.changes)
            carry_out(trial, made, folder, seed=seed, reporter=reporter)
    return folders


def command_of(trial: Trial, model: str) -> str:
    """The command that does a trial again."""
    return f"hebbarium reproduce {papers.name_of(model)} --table {shlex.quote(trial.item)}"


def rows_of(
    trial: Trial, settings: RunSettings, changes: Mapping[str, Any], measured: Sequence[Measured], seed: int
) -> list[ledger.Row]:
    """What a trial measured, as rows of its paper's ledger.

    Parameters
    ----------
    settings : RunSettings
        Device, precision, and whose paper it is.
    changes : mapping
        What was set of the model.
    """
    texts = parameters.texts(registry.find(settings.model), changes)
    setting = [f"{symbol}={text}" for symbol, text in texts.items()]
    commit = commits.named(**provenance.code_version())
    return [
        ledger.Row(
            item=ledger.item_of(trial.item), dataset="", setting=" ".join(filter(None, [*setting, one.setting])),
            readout=one.readout, seed=seed, measure=one.measure, value=float(f"{one.value:.6g}"), unit=one.unit,
            paper=one.paper, paper_spread=None, trained=0, tested=None, selection="", device=settings.device,
            precision=settings.precision, command=command_of(trial, settings.model), commit=commit,
        )
        for one in measured
    ]  # fmt: skip


def found(
    rows: Iterable[ledger.Row], trial: Trial, model: str, measure: str, stimulus: str | None = None
) -> float | None:
    """What a ledger has of a trial's measure, on average over seeds; None if it has nothing.

    Parameters
    ----------
    stimulus : str, optional
        Where there are several: as the ledger names it.
    """
    texts = parameters.texts(registry.find(model), trial.changes)
    values = [
        row.value for row in rows
        if (row.item, row.measure) == (ledger.item_of(trial.item), measure)
        and {k: v for k, v in row.symbols.items() if k in registry.find(model).parameters()} == texts
        and (stimulus is None or row.symbols.get("stimulus") == stimulus)
    ]  # fmt: skip
    return sum(values) / len(values) if values else None


def script(doc: str | None, model: str, trials: Sequence[Trial]) -> int:
    """What a protocol of trials does when it is run as a script: all of them, with numbers and figures."""
    standard_streams.prepare()
    argparse.ArgumentParser(description=(doc or "").split("\n")[0]).parse_args()
    ignore_casts()
    progress = reporter()
    out = unused_folder(Path("runs"), model)
    try:
        for trial in trials:
            made = parameters.apply(registry.find(model), trial.changes)
            folder = folder_of(trial, out, 0)
            measured = carry_out(trial, made, folder, reporter=progress)
            print(trial.called)
            for one in measured:
                print(f"  {one.measure:16} {one.value:12.6g} {one.unit:8} {one.setting}")
            for path in figures.save_all(folder):
                print(f"  {path}")
    except (EngineError, OSError, ValueError) as error:
        print(f"{model}.py: {error}", file=sys.stderr)
        return 1
    finally:
        progress.close()
    return 0
