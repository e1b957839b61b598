"""Networks in which no neuron fires, or hardly any: what is said of them, and what to look at."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from brian2 import have_same_dimensions, hertz
from numpy.typing import NDArray

from hebbarium.engine import anatomy
from hebbarium.models.contract import Model

_DRIVE = ("gain", "w_t", "beta", "white", "dt")
_THRESHOLDS = ("v_thresh", "theta")


def warnings(model: Model, counts: Mapping[str, NDArray[np.integer]], classes: int, stage: str) -> list[str]:
    """What to say of a stage whose spike counts ``(samples, neurons)`` are given, of each population that answers."""
    texts = []
    for population in spiking(model):
        silence = Silence(model, population, classes)
        silence.add(counts[population])
        texts.append(silence.warning(stage))
    return [text for text in texts if text]


def spiking(model: Model) -> list[str]:
    """Populations whose spikes readouts read: of the others, silence says nothing."""
    measures = [measure for readout in model.readouts for measure in readout.measures]
    return list(dict.fromkeys(measure.population for measure in measures if not measure.variable))


def advice(model: Model) -> str:
    """What to look at: the model's parameters that decide whether it fires, rates of inputs, strengths, thresholds."""
    table = model.parameters()
    numbers = {s: row for s, row in table.items() if row.kind != "choice" and not isinstance(row.default, str)}
    rates = [symbol for symbol, row in numbers.items() if have_same_dimensions(row.default, hertz)]
    strengths = [s for s in _DRIVE if s in table]
    thresholds = [s for s, row in table.items() if row.kind == "quantity" and s.startswith(_THRESHOLDS)]
    symbols = ", ".join(dict.fromkeys([*rates, *strengths, *thresholds]))
    return (
        "Look at how bright the images are, and at what drives the neurons and lets them fire"
        + (f": {symbols}" if symbols else "")
        + f" (`hebbarium describe {model.name}`)"
    )


class Silence:
    """Which neurons of a population have fired, and which samples made any of them fire.

    Parameters
    ----------
    model : Model
    population : str
    classes : int
        Of the samples: fewer neurons than half as many cannot tell them apart.
    """

    def __init__(self, model: Model, population: str, classes: int) -> None:
        self._population = population
        self._matters = population in spiking(model)
        self._fired = np.zeros(anatomy.shown_to(model, population), dtype=bool)
        self._needed = min(classes, len(self._fired)) / 2
        self._samples = self._answered = 0

    def add(self, counts: NDArray[np.integer]) -> None:
        """Take in spike counts ``(samples, neurons)``."""
        self._fired |= counts.any(axis=0)
        self._samples += len(counts)
        self._answered += int(np.count_nonzero(counts.any(axis=1)))

    @property
    def none(self) -> bool:
        """Whether no neuron has fired at all, though samples were shown."""
        return self._matters and self._samples > 0 and not self._fired.any()

    def warning(self, stage: str) -> str:
        """What to say of a stage, such as ``training``: empty if enough neurons fire."""
        unanswered, fired = self._samples - self._answered, int(self._fired.sum())
        if not self._matters or not self._samples or (2 * unanswered <= self._samples and fired >= self._needed):
            return ""
        if not fired:
            return f"{stage}: no neuron fired, of {len(self._fired):,} in '{self._population}'"
        return (
            f"{stage}: the network is nearly silent, {fired:,} of {len(self._fired):,} neurons of "
            f"'{self._population}' fired, and {unanswered:,} of {self._samples:,} images evoked no spike"
        )
