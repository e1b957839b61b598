"""One image as a trained network sees it, step by step: variables of its neurons, and all spikes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hebbarium.engine import anatomy, runtime, streams
from hebbarium.engine.contract import Block, Spikes
from hebbarium.training.responses import frozen_state, frozen_structure
from hebbarium.training.run import Run
from hebbarium.training.samples import Samples

__all__ = ["TimeCourse", "of_run", "of_samples"]


@dataclass(frozen=True, eq=False)
class TimeCourse:
    """What happened in one presentation.

    Parameters
    ----------
    time_step : float
        In seconds.
    label : int
        Class of the image.
    values : mapping
        By ``population.variable``: ``(neurons, steps)``, at the end of each step, in SI units.
    spikes : mapping
        By population: steps and neurons. A spike is at the beginning of its step, unless a model says otherwise.
    """

    time_step: float
    label: int
    values: Mapping[str, NDArray[np.float64]]
    spikes: Mapping[str, Spikes]

    @property
    def times(self) -> NDArray[np.float64]:
        """Ends of the steps, in seconds."""
        steps = next(iter(self.values.values())).shape[1]
        return np.arange(1, steps + 1, dtype=np.float64) * np.float64(self.time_step)


def of_run(path: Path, names: Iterable[str], number: int = 0, data: str | None = None) -> TimeCourse:
    """One of the images that a run was tested on, shown to its trained network while nothing learns.

    Parameters
    ----------
    path : Path
    names : iterable of str
        Variables of neurons, as ``population.variable``.
    number : int
        Which of the images.
    data : str, optional
        Folder of the data sets; the run's if not given.

    Raises
    ------
    ModelRefused
        A population has no such variable.
    ValueError
        There is no such image.
    """
    run = Run.open(path, data=data)
    shown = run.samples("tested")
    if not 0 <= number < len(shown):
        raise ValueError(f"image {number}: expected one of the {len(shown)} that {path} was tested on, from 0")
    one = shown[number : number + 1]
    values, spikes = of_samples(run, one, names)
    return TimeCourse(anatomy.time_step(run.model), int(one.labels[0]), values, spikes)


def of_samples(
    run: Run, samples: Samples, names: Iterable[str]
) -> tuple[dict[str, NDArray[np.float64]], dict[str, Spikes]]:
    """Variables of neurons and all spikes while samples are shown to a run's trained network, one after the other.

    NumPy runs it, at some thousand steps a second.

    Returns
    -------
    dict of arrays
        By ``population.variable``: ``(neurons, samples*steps)``, at the end of each step, in SI units.
    dict of Spikes
        By population.

    Raises
    ------
    ModelRefused
        A population has no such variable.
    """
    model = run.model
    block = Block(
        frozen_state(model, "test", run.state),
        model.all_inputs("test", samples.pixels, samples.labels),
        model.run_time_values(),
        streams.block_seed(run.settings.seed, streams.RECORDED_SPIKES, 0),
    )
    return runtime.traces(frozen_structure(model, "test", run.settings.precision, "numpy"), block, names)
