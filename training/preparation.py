"""A run before it is begun: its model built once, its images loaded and divided once, and refused if they do not fit.

What cannot be is refused here, before a folder is made or anything is compiled.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hebbarium.catalogue import own_equations
from hebbarium.datasets import by_name as datasets
from hebbarium.datasets.labelled_images import Dataset
from hebbarium.engine import devices
from hebbarium.models.contract import Model
from hebbarium.training import fit, limits, probes, weights
from hebbarium.training.run_settings import RunSettings
from hebbarium.training.samples import Division
from hebbarium.training.schedule import Schedule

__all__ = ["Prepared", "divided", "prepare"]


@dataclass(frozen=True, eq=False)
class Prepared:
    """A run that could begin.

    Parameters
    ----------
    settings : RunSettings
        With a network of the size of the images.
    model : Model
        What they say.
    division : Division
    """

    settings: RunSettings
    model: Model
    division: Division

    @property
    def images(self) -> Dataset:
        """The set that was divided."""
        return self.division.images


def prepare(settings: RunSettings) -> Prepared:
    """Load what a run is asked to do, fit network and images to each other.

    Raises
    ------
    EngineError, DatasetError, ValueError
        A setting is wrong; network and images do not fit; nothing can be compiled here.
    """
    model = settings.make_model()  # a wrong setting is an error before images are read
    limits.refuse_model(settings, model)
    devices.require(settings.device)
    own_equations.refuse(model)
    return divided(settings, datasets.load(settings.dataset, settings.data), model)


def divided(settings: RunSettings, images: Dataset, model: Model | None = None) -> Prepared:
    """The same of images that are loaded already, of a run whose network compiles.

    Raises
    ------
    DatasetError, ValueError
        Network and images do not fit.
    """
    fitted = fit.fitted(settings, images)
    if model is None or fitted is not settings:
        model = fitted.make_model()
    division = Division.of(fitted, images)
    limits.refuse_length(fitted, model, division.trained)
    if fitted.weights_from is not None:
        weights.read(Path(fitted.weights_from).expanduser(), model)  # refuses what does not fit
    probes.of(fitted.recordings, model, division, Schedule.of(fitted, model, division))  # refuses what is not there
    return Prepared(fitted, model, division)
