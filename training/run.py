"""A run on disk: what it was asked to do, its model, trained state, images and results.

>>> from hebbarium.training.run import Run
>>> run = Run.open("runs/demo-001")  # doctest: +SKIP
>>> run.model.neurons, run.samples("tested").pixels.shape  # doctest: +SKIP
>>> responses = run.respond(run.samples("tested", 100).pixels)  # doctest: +SKIP
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hebbarium.catalogue import own_models
from hebbarium.datasets import by_name as datasets
from hebbarium.datasets import made_sets
from hebbarium.datasets.labelled_images import Dataset
from hebbarium.engine import anatomy, run_folder, state_checks, streams
from hebbarium.engine.contract import Arrays
from hebbarium.files.errors import RunFolderError
from hebbarium.models.contract import Model
from hebbarium.record import results
from hebbarium.training import limits, pins, responses
from hebbarium.training.progress import Reporter
from hebbarium.training.run_settings import RunSettings
from hebbarium.training.samples import Division, Samples

__all__ = ["UNSOUND", "Condition", "Run"]

UNSOUND = "it is not as training left it: train again into another folder"

Condition = Literal["complete", "incomplete", "damaged", "missing"]


class Run:
    """A run folder, opened to be read; what it holds is looked up when it is first asked for.

    Use `open`. Whoever changes the folder opens it anew.

    Parameters
    ----------
    path : Path
    data : str, optional
        Another folder of data sets than the run's.
    """

    def __init__(self, path: Path, data: str | None = None) -> None:
        self.path = path
        self._data = data

    @classmethod
    def open(cls, path: Path | str, *, data: str | None = None, trust_model: bool = False) -> Run:
        """A run, once its settings are found to be those that it began with.

        Parameters
        ----------
        trust_model : bool
            Let the Python file run that the run's model is written in; see `trust`.

        Raises
        ------
        RunFolderError
            There is no run, or its settings were edited since it began.
        """
        run = cls(Path(path), data)
        if run.settings is not None and trust_model:
            run.trust()
        return run

    # -- what it was asked to do -----------------------------------------------------------------------
    @cached_property
    def pins(self) -> pins.Pins | None:
        """What it began with; None if it was begun when nothing was kept."""
        return pins.read(self.path)

    @cached_property
    def settings(self) -> RunSettings:
        """What it was asked to do, with the places that its files were moved to since."""
        pinned = self.pins
        stored = run_folder.configuration(self.path) | pins.places(self.path)
        if isinstance(name := stored.get("model"), str):  # of another type it is refused below, as any setting is
            stored["model"] = pins.recorded(self.path, name, pinned)
        try:
            limits.refuse_record(stored)
            return RunSettings.recorded(stored)
        except ValueError as error:
            raise RunFolderError(
                f"{self.path}: its {run_folder.CONFIGURATION} cannot be a run's: {error}"
            ) from error

    def trust(self) -> None:
        """Let the Python file that its model is written in be run, from now on in this process.

        Only if it is still what the run began with; without this, a file that a run folder names is never run.
        """
        if file := own_models.file_in(self.settings.model):
            own_models.trust(file)

    # -- what it has learned ---------------------------------------------------------------------------
    @cached_property
    def model(self) -> Model:
        """Its model.

        Raises
        ------
        RunFolderError, ValueError
            It is not what the run began with; or it is a Python file that nobody trusts.
        """
        model = self.settings.make_model()
        pins.refuse_model(self.path, self.pins, model)
        return model

    @cached_property
    def state(self) -> Arrays:
        """Its state after the last block of training.

        Raises
        ------
        RunFolderError
            Nothing was trained, or what was is not as training left it.
        """
        model = self.model
        last = run_folder.last_checkpoint(self.path)
        if last is None:
            raise RunFolderError(f"{self.path}: holds no whole checkpoint; nothing was trained yet, or it was dropped")
        blocks, arrays = last
        needed = [p.variable for p in anatomy.projections(model)]
        where = f"{self.path}: the checkpoint of block {blocks}"
        state_checks.refuse(model, model.phases, arrays, needed, where, UNSOUND)
        return {name: array for name, array in arrays.items() if not name.startswith("run.")}

    # -- what it was shown -----------------------------------------------------------------------------
    @cached_property
    def images(self) -> Dataset:
        """The images that it was begun with.

        Raises
        ------
        DatasetError
            They are not there.
        RunFolderError
            They are others.
        """
        images = datasets.load(self.settings.dataset, self._data or self.settings.data)
        pins.refuse_data(self.path, self.pins, images)
        return images

    @cached_property
    def division(self) -> Division:
        """Its images, divided among what they serve for."""
        return Division.of(self.settings, self.images)

    def samples(self, part: str = "tested", number: int | None = None, epoch: int = 0) -> Samples:
        """Images that serve the run for something.

        Parameters
        ----------
        part : {'train', 'labelling', 'validation', 'test', 'tested'}
            ``tested`` are those that its accuracy was measured on.
        number : int, optional
            As many of them: the first that are trained on, or drawn evenly from the classes.
        epoch : int
            Pass whose order training images come in.

        Raises
        ------
        DatasetError
            There are fewer.
        """
        return self.division.some(part, number, epoch)

    # -- what it answers -------------------------------------------------------------------------------
    def respond(
        self,
        pixels: NDArray[np.uint8],
        *,
        model: Model | None = None,
        state: Mapping[str, NDArray[Any]] | None = None,
        jobs: int = 1,
        title: str = "Testing",
        reporter: Reporter | None = None,
    ) -> responses.Responses:
        """What the trained network answers to images, with the spikes of the run's own test.

        Parameters
        ----------
        pixels : (samples, pixels)
        model, state : optional
            The run's own, changed.
        """
        settings = self.settings
        model, state = model or self.model, self.state if state is None else state
        with self.scratch() as scratch:
            return responses.respond(
                model, state, pixels, phase="test", seed=settings.seed, purpose=streams.TEST_SPIKES, scratch=scratch,
                device=settings.device, precision=settings.precision, jobs=jobs, title=title, reporter=reporter,
            )  # fmt: skip

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """Keep others from working in it while it is read; a folder for private files of blocks."""
        with run_folder.reading(self.path) as folder:
            yield folder

    # -- what came of it -------------------------------------------------------------------------------
    def results(self) -> xr.DataTree:
        """Its result file, opened; for a ``with`` statement."""
        return results.open_run(self.path)

    @property
    def condition(self) -> Condition:
        """How it stands with its results."""
        if not results.file_of(self.path).is_file():
            return "missing"
        try:
            with self.results() as tree:
                if not tree.attrs["complete"]:
                    return "incomplete"
                always = {results.ACTIVITY, results.WEIGHTS, results.TEST, results.EVALUATION}
                return "complete" if always <= set(tree.children) else "damaged"
        except (OSError, ValueError):
            return "damaged"

    @property
    def is_complete(self) -> bool:
        """Whether it has written its final results, and they are whole."""
        return self.condition == "complete"

    # -- what a notebook shows of it -------------------------------------------------------------------
    def __repr__(self) -> str:
        from hebbarium.analysis import summary  # and all figures with it

        try:
            with self.results() as tree:
                said = summary.of(tree).sentence
        except (OSError, ValueError, KeyError):
            said = "no results yet"
        return f"<Run {self.path}: {said}>"

    def _repr_html_(self) -> str | None:
        """A summary with a figure; None, and with it the plain text, where there are no results that can be read."""
        from hebbarium.analysis import summary

        try:
            with self.results() as tree:
                return summary.as_html(tree, str(self.path))
        except (OSError, ValueError, KeyError):
            return None

    @cached_property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes that it has learned, by number; empty if they are not known."""
        with self.results() as tree:
            dataset = str(tree.attrs["dataset"])
            known = made_sets.origin(dataset)
            return results.class_names(tree) or (known.class_names if known else ())

    @cached_property
    def neuron_label(self) -> NDArray[np.integer] | None:
        """Classes that its neurons are labelled with; None if they have none."""
        with self.results() as tree:
            return results.neuron_label(tree)
