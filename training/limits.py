"""Settings of a run that do not go together, or that its model has no use for, are refused.

All of it is known before images are read or anything is compiled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hebbarium.analysis.labels import SOURCES
from hebbarium.engine import devices
from hebbarium.models.contract import Model
from hebbarium.training.run_settings import BY_CLASS, MOST_PRESENTATIONS, RunSettings, brief


def refuse_settings(settings: RunSettings) -> None:
    """Raise `ValueError` for a setting of the wrong type or beyond its limits, naming it."""
    for name, row in settings.table().items():
        row.refuse(getattr(settings, name))
    if settings.profile and settings.device not in devices.COMPILED:
        raise ValueError(f"profile: device {settings.device} has none; expected one of {', '.join(devices.COMPILED)}")
    if settings.weights_from is not None and settings.warm_start is not None:
        raise ValueError(
            f"--weights-from {settings.weights_from}: the run begins with {settings.warm_start} as well; keep one"
        )
    if settings.evaluate_on == "validation" and not settings.validation:
        raise ValueError("evaluate_on=validation: expected images that are held out, as with --validation 5000")


def refuse_record(stored: Mapping[str, Any]) -> None:
    """Raise `ValueError` if what a run's folder keeps besides its settings is missing or is not what results take."""
    if not isinstance(stored.get("command"), str):
        raise ValueError(f"command={brief(stored.get('command'))}: expected the command that began the run")
    code = stored.get("code")
    fits = isinstance(code, Mapping) and isinstance(code.get("commit"), str) and isinstance(code.get("dirty"), bool)
    if not fits:
        raise ValueError(f"code={brief(code)}: expected the commit of the code, and whether files differed from it")


def refuse_model(settings: RunSettings, model: Model) -> None:
    """Raise `ValueError` for what a run's model cannot do, naming the setting."""
    if not model.schedules:
        raise ValueError(
            f"{model.name}: learns nothing from images, so that there is nothing to train; `hebbarium neuron"
            f" {model.name}` or `hebbarium reproduce {model.name}` runs it"
        )
    settings.phases(model)
    if not any(readout.labelled for readout in model.readouts) and settings.labels_from != model.labels_from:
        raise ValueError(
            f"labels_from={settings.labels_from}: the neurons that {model.name} answers with stand for the classes"
            " themselves, and none are labelled; leave it out"
        )
    one_half = settings.labels_from == "second_half" and sum(passes for _, passes in settings.phases(model)) == 1
    if one_half and settings.image_order == BY_CLASS and any(readout.labelled for readout in model.readouts):
        raise ValueError(
            "image_order=by_class: neurons would be labelled by the second half of the images, which are of the last"
            " classes alone; expected labels_from=all or last_pass, or several passes"
        )
    if settings.labels_from == "labelling" and "respond" not in model.phases:
        raise ValueError(
            f"labels_from=labelling: {model.name} has no phase 'respond', in which it would be shown images that label"
            f" its neurons; expected one of {', '.join(SOURCES[:-1])}"
        )


def refuse_length(settings: RunSettings, model: Model, images: int) -> None:
    """Raise `ValueError` for more presentations of so many training images than a run can keep."""
    presentations = images * sum(number for _, number in settings.phases(model))
    if presentations > MOST_PRESENTATIONS:
        raise ValueError(
            f"epochs={settings.epochs}: with {images:,} training images these are {presentations:,} presentations,"
            f" expected {MOST_PRESENTATIONS:,} at most; ask for fewer epochs or images"
        )
    if settings.evaluate_every is not None and settings.evaluate_every > presentations:
        raise ValueError(
            f"evaluate_every={settings.evaluate_every}: the run trains on {presentations:,} images, after which it is"
            " measured in any case; ask for fewer between two measurements, or leave it out"
        )
