"""What a run is asked to do; kept in its folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hebbarium.catalogue import own_models, registry
from hebbarium.datasets import by_name as datasets
from hebbarium.engine import devices
from hebbarium.models.contract import Model
from hebbarium.training import limits, parameters

CAPACITY = 1000
"""Samples that a compiled program has room for. Blocks of any smaller size run on the same program."""


@dataclass(frozen=True)
class RunSettings:
    """What a run is asked to do; kept in its folder.

    Parameters
    ----------
    model : str
        A name, or a user's file; see `hebbarium.catalogue.registry.find`.
    changes : dict
        Parameters of the model that are not its defaults: symbol to value. A text, as after ``--set``, is read at once;
        of a user's model when its file runs.
    dataset, data : str
        See `hebbarium.datasets.by_name.load`.
    images : int, optional
        Training images an epoch, drawn evenly from the classes; all if not given.
    validation : int
        Training images held out; they are tested on if ``evaluate_on`` is ``validation``.
    schedule : str
        One of the model's; its first if empty.
    evaluate_every : int, optional
        Training images after which accuracy is measured while training goes on, on ``evaluate_images`` images.
    labels_from : {'all', 'second_half', 'last_pass', 'labelling'}
        Responses that neurons are labelled by; ``labelling`` is a frozen pass over ``labelling_images``.
    warm_start : str, optional
        A run folder whose trained state this run begins with.
    profile : bool
        Say at the end of training where its time went.
    """

    model: str = "synaptic_scaling"
    changes: Mapping[str, Any] = field(default_factory=dict)
    dataset: str = datasets.DEFAULT
    data: str | None = None
    images: int | None = None
    epochs: int = 1
    schedule: str = ""
    seed: int = 0
    device: str = devices.DEFAULT
    precision: str = "float32"
    block: int = CAPACITY
    test_images: int | None = None
    evaluate_on: str = "test"
    evaluate_every: int | None = None
    evaluate_images: int = 2000
    validation: int = 0
    labels_from: str = "second_half"
    labelling_images: int | None = 10000
    snapshots: int = 8
    jobs: int = 1
    warm_start: str | None = None
    profile: bool = False

    def __post_init__(self) -> None:
        limits.refuse_settings(self, CAPACITY)
        if not own_models.file_in(self.model):
            object.__setattr__(self, "changes", parameters.values(registry.find(self.model), self.changes))

    def make_model(self) -> Model:
        """The model with its changes applied."""
        return parameters.apply(registry.find(self.model), self.changes)

    def record(self) -> dict[str, Any]:
        """What a run's folder and its results keep: as the fields, in types that JSON knows, values as their texts."""
        changes: Mapping[str, Any] = self.changes
        if not all(isinstance(value, str) for value in changes.values()):
            changes = parameters.texts(registry.find(self.model), changes)
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)} | {"changes": dict(changes)}

    def phases(self, model: Model) -> list[tuple[str, int]]:
        """The phases that training goes through, and the passes of each through the images.

        Raises
        ------
        ValueError
            The model has no such schedule.
        """
        schedule = self.schedule or next(iter(model.schedules))
        if schedule not in model.schedules:
            raise ValueError(f"schedule={schedule}: {model.name} has {', '.join(model.schedules)}")
        return [(phase, model.passes.get(phase, self.epochs)) for phase in model.schedules[schedule]]
