"""What a run may be asked to do: the type of each of its settings, its limits, and what its model cannot do.

All of it is known before images are read or anything is compiled.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hebbarium.analysis.labels import SOURCES
from hebbarium.engine import devices
from hebbarium.models.contract import Model

if TYPE_CHECKING:
    from hebbarium.training.run_settings import RunSettings

MOST_PRESENTATIONS = 50_000_000
"""Training images of a run, over all passes: which image comes when is kept in memory, and in the results."""

_NUMBERS: Mapping[str, tuple[int, int]] = {
    "images": (1, MOST_PRESENTATIONS),
    "epochs": (1, MOST_PRESENTATIONS),
    "seed": (0, 2**63 - 1),  # as netCDF keeps it
    "test_images": (1, MOST_PRESENTATIONS),
    "evaluate_every": (1, MOST_PRESENTATIONS),
    "evaluate_images": (1, MOST_PRESENTATIONS),
    "validation": (0, MOST_PRESENTATIONS),
    "labelling_images": (1, MOST_PRESENTATIONS),
    "snapshots": (1, 10_000),
    "jobs": (1, 4096),
}
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "precision": ("float32", "float64"),
    "evaluate_on": ("test", "validation"),
    "labels_from": SOURCES,
    "device": devices.NAMES,
}


def refuse_settings(asked: RunSettings, most_in_a_block: int) -> None:
    """Raise `ValueError` for a setting of the wrong type or beyond its limits, naming it."""
    kinds = typing.get_type_hints(type(asked))
    for field in dataclasses.fields(asked):
        value = getattr(asked, field.name)
        if fault := _fault(kinds[field.name], value):
            raise ValueError(f"{field.name}={_shown(value)}: expected {fault}")
    for name, (least, most) in {**_NUMBERS, "block": (1, most_in_a_block)}.items():
        value = getattr(asked, name)
        if value is not None and not least <= value <= most:
            raise ValueError(f"{name}={value}: expected {least} to {most}")
    for name, known in _CHOICES.items():
        if getattr(asked, name) not in known:
            raise ValueError(f"{name}={getattr(asked, name)[:60]}: expected one of {', '.join(known)}")
    if asked.profile and asked.device not in devices.COMPILED:
        raise ValueError(f"profile: device {asked.device} has none; expected one of {', '.join(devices.COMPILED)}")
    if asked.evaluate_on == "validation" and not asked.validation:
        raise ValueError("evaluate_on=validation: expected images that are held out, as with --validation 5000")


def refuse_record(stored: Mapping[str, Any]) -> None:
    """Raise `ValueError` if what a run's folder keeps besides its settings is missing or is not what results take."""
    if not isinstance(stored.get("command"), str):
        raise ValueError(f"command={_shown(stored.get('command'))}: expected the command that began the run")
    code = stored.get("code")
    fits = isinstance(code, Mapping) and isinstance(code.get("commit"), str) and isinstance(code.get("dirty"), bool)
    if not fits:
        raise ValueError(f"code={_shown(code)}: expected the commit of the code, and whether files differed from it")


def refuse_model(asked: RunSettings, model: Model) -> None:
    """Raise `ValueError` for what a run's model cannot do, naming the setting."""
    asked.phases(model)
    usual = (model.labels_from, type(asked).labels_from)
    if model.readout == model.class_layer and asked.labels_from not in usual:
        raise ValueError(
            f"labels_from={asked.labels_from}: the neurons that {model.name} answers with stand for the classes"
            " themselves, and none are labelled; leave it out"
        )
    if asked.labels_from == "labelling" and "respond" not in model.phases:
        raise ValueError(
            f"labels_from=labelling: {model.name} has no phase 'respond', in which it would be shown images that label"
            f" its neurons; expected one of {', '.join(SOURCES[:-1])}"
        )


def refuse_length(asked: RunSettings, model: Model, images: int) -> None:
    """Raise `ValueError` for more presentations of so many training images than a run can keep."""
    presentations = images * sum(number for _, number in asked.phases(model))
    if presentations > MOST_PRESENTATIONS:
        raise ValueError(
            f"epochs={asked.epochs}: with {images:,} training images these are {presentations:,} presentations,"
            f" expected {MOST_PRESENTATIONS:,} at most; ask for fewer epochs or images"
        )
    if asked.evaluate_every is not None and asked.evaluate_every > presentations:
        raise ValueError(
            f"evaluate_every={asked.evaluate_every}: the run trains on {presentations:,} images, after which it is"
            " measured in any case; ask for fewer between two measurements, or leave it out"
        )


def _shown(value: Any) -> str:
    return repr(value) if len(repr(value)) < 60 else f"{repr(value)[:60]}..."


def _fault(kind: Any, value: Any) -> str:
    """What was expected of a value of a setting; empty if it is that."""
    options = typing.get_args(kind) if typing.get_origin(kind) in (types.UnionType, typing.Union) else (kind,)
    if value is None and type(None) in options:
        return ""
    if int in options:
        return "" if isinstance(value, int) and not isinstance(value, bool) else "a whole number"
    if str in options:
        return "" if isinstance(value, str) and value.isprintable() else "printable text"
    if bool in options:
        return "" if isinstance(value, bool) else "true or false"
    fits = isinstance(value, Mapping) and all(isinstance(symbol, str) for symbol in value)
    return "" if fits else "parameters of the model with their values"
