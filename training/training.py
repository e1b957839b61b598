"""Train a model on images, block by block, and go on after an interruption.

A run passes through stages: training, labelling (if labels come from a frozen pass), testing, recording; see
`hebbarium.training.loop`.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hebbarium.catalogue import own_models
from hebbarium.datasets import by_name as datasets
from hebbarium.engine.run_folder import RunFolder
from hebbarium.files import folder_names
from hebbarium.files.errors import RunFolderError
from hebbarium.record import results
from hebbarium.training import pins, preparation, provenance, warm_start, weights
from hebbarium.training.loop import RunUnderWay
from hebbarium.training.preparation import Prepared
from hebbarium.training.progress import QuietReporter, Reporter
from hebbarium.training.run import Run
from hebbarium.training.run_settings import RunSettings
from hebbarium.training.samples import Division

__all__ = ["begin", "resume", "train"]


def train(settings: RunSettings, out: Path, reporter: Reporter | None = None) -> Path:
    """Train, test and write the results of a new run.

    Returns
    -------
    Path
        The run folder.

    Raises
    ------
    RunFolderError
        ``out`` exists or cannot be written.
    EngineError, DatasetError, ValueError
        See the modules that raise them.
    """
    folder_names.refuse(Path(out))
    return begin(preparation.prepare(settings), out, reporter)


def begin(prepared: Prepared, out: Path, reporter: Reporter | None = None) -> Path:
    """Train, test and write the results of a run that is prepared; see `train`."""
    reporter = reporter or QuietReporter()
    model, images = prepared.model, prepared.images
    settings = pins.located(prepared.settings, model)
    begun = None
    if settings.warm_start:
        other = Run.open(settings.warm_start)
        begun = pins.of_state(other.state, other.pins)
        for text in warm_start.refuse_learned(prepared.division, settings.warm_start):
            reporter.message(text)
    given = None if settings.weights_from is None else weights.read(Path(settings.weights_from), model)
    configuration = {**settings.record(), "command": " ".join(sys.argv), "code": provenance.code_version()}
    kept = pins.take(configuration, model, images, begun, given)
    configuration["pins"] = pins.digest(kept[pins.FILE])
    with RunFolder.create(Path(out), configuration, kept) as folder:
        run = RunUnderWay(folder, settings, model, prepared.division, reporter)
        run.remark()
        run.go()
    return Path(out)


def resume(
    path: Path,
    reporter: Reporter | None = None,
    *,
    trust_model: bool = False,
    moved: Mapping[str, str] | None = None,
) -> Path:
    """Go on with a run from its last whole block; does nothing if it is complete.

    Results that were lost or damaged are written again; what they are made of is trained again as far as it is gone.

    Parameters
    ----------
    trust_model : bool
        Let the Python file run that the run's model is written in; see `hebbarium.training.run.Run.trust`.
    moved : mapping, optional
        Where ``model``, ``dataset`` or ``data`` are now, if they were moved since the run began; kept for later.

    Raises
    ------
    RunFolderError, ValueError
        Settings, images, model or engine are not what the run began with.
    """
    path, reporter = Path(path), reporter or QuietReporter()
    with RunFolder.open(path) as folder:
        if moved:
            _move(Run.open(path), moved)
        run = Run.open(path, trust_model=trust_model)
        file = results.file_of(path)
        if file.is_dir():
            raise RunFolderError(f"{file}: is a folder, where results are to be written; move it elsewhere")
        results.refuse_other(path, folder.begun)
        if (condition := run.condition) == "complete":
            folder.drop_intermediate()  # the power may have failed before it was
        else:
            if condition == "damaged":
                reporter.message(f"{file}: is damaged, and is written again")
            for text in pins.refuse_engine(path, run.pins):
                reporter.message(text)
            model = run.model
            RunUnderWay(folder, run.settings, model, Division.of(run.settings, run.images), reporter).go()
    return path


def _move(run: Run, moved: Mapping[str, str]) -> None:
    """Take note of where files of a run are now, if they are what they were."""
    places: dict[str, Any] = dict(moved)
    settings = pins.located(dataclasses.replace(run.settings, **places))
    if file := own_models.file_in(moved.get("model", "")):
        before = run.settings.model
        files = before.files if isinstance(before, own_models.Recorded) else None
        own_models.refuse_other(run.path, files, own_models.read(file))
        own_models.trust(file)
    if moved.keys() - {"model"}:
        pins.refuse_data(run.path, run.pins, datasets.load(settings.dataset, settings.data))
    pins.note_places(run.path, {name: getattr(settings, name) for name in moved})
