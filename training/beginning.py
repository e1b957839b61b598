"""The state that a run begins with."""

from __future__ import annotations

import difflib
from collections.abc import Callable

import numpy as np

from hebbarium.engine import anatomy, streams
from hebbarium.engine.contract import Arrays
from hebbarium.files.errors import ModelRefused
from hebbarium.models.contract import Model
from hebbarium.training.run_settings import RunSettings
from hebbarium.training.samples import Division

__all__ = ["initial_state"]


def initial_state(
    settings: RunSettings,
    model: Model,
    division: Division,
    first: str,
    carried_over: Callable[[Arrays], Arrays] = dict,
) -> Arrays:
    """Every state variable of the first phase: drawn, fitted to the images, or as its network begins.

    Parameters
    ----------
    settings : RunSettings
        Their seed draws it.
    model : Model
    division : Division
    first : str
        The phase.
    carried_over : callable
        What another run has learned, in place of what was drawn.

    Raises
    ------
    ModelRefused
        The model draws what no network of it has, or what nothing can change: it would be dropped.
    """
    given = model.initial_state(streams.generator(settings.seed, streams.INITIAL_WEIGHTS))
    _refuse_unknown(model, first, given)
    if type(model).calibrated is not Model.calibrated:
        in_order = division.at(np.unique(division.split.train))
        given = model.calibrated(dict(given), in_order.pixels)
    given = carried_over(given)
    if first in model.anew:
        given = model.handed_on(dict(given))  # the layers below are as they are in testing
    return dict(given) | anatomy.initial_state(model, first, given)


def _refuse_unknown(model: Model, first: str, given: Arrays) -> None:
    known: set[str] = set()
    for phase in (first, *model.phases):  # the first mostly has it all, and the others need not be read
        known |= {variable.name for variable in anatomy.state(model, phase)}
        if given.keys() <= known:
            return
    name = min(given.keys() - known)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise ModelRefused(
        f"model {model.name}: initial_state draws {name}, which no network of it carries from sample to sample;"
        f" {hint}expected group.variable, and a variable without the flag (constant)"
    )
