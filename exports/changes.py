"""What a model does to its state between phases and passes, as the programs of an exported project do it.

A model says it in Python (`Model.handed_on`, `Model.between_passes`). Known are those of the models of this project;
a model that inherits one of them has it too. What else is written there is refused by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbarium.engine import anatomy
from hebbarium.engine.contract import Arrays
from hebbarium.files.errors import ModelRefused
from hebbarium.models.contract import Model
from hebbarium.models.contrastive_race import ContrastiveRace
from hebbarium.models.symmetric_stdp import SymmetricSTDP
from hebbarium.models.synaptic_scaling import SynapticScaling
from hebbarium.models.tssl_backprop import TSSLBackprop

__all__ = ["Change", "between_passes", "handed_on"]

_POWERS = {"L1": 1, "L2": 2}


@dataclass(frozen=True)
class Change:
    """One variable that is changed.

    Parameters
    ----------
    kind : {'scale', 'zero'}
        The weights onto a neuron are brought to one norm, or all values become zero.
    name : str
    shape : tuple of int
        Rows, one a source, and columns, one a target.
    power : int
        Of the norm: 1 or 2.
    target : tuple of str or int
        What the norm becomes: the product of these parameters and numbers.
    """

    kind: str
    name: str
    shape: tuple[int, int] = (0, 0)
    power: int = 0
    target: tuple[str | int, ...] = ()

    def of(self, array: NDArray[Any], parameters: Mapping[str, float]) -> NDArray[Any]:
        """The variable after the change, as the exported program computes it."""
        if self.kind == "zero":
            return np.zeros_like(array)
        target = 1.0
        for factor in self.target:
            target *= parameters[factor] if isinstance(factor, str) else factor
        w = array.reshape(self.shape)
        wide = np.abs(w.astype(np.float64))
        norms = wide.sum(axis=0) if self.power == 1 else np.sqrt((wide * wide).sum(axis=0))
        return (w * (target / np.where(norms > 0, norms, 1))).astype(w.dtype).ravel()

    @property
    def line(self) -> str:
        """As `project.txt` has it."""
        if self.kind == "zero":
            return f"zero {self.name}"
        product = "*".join(map(str, self.target))
        return f"scale {self.name} {self.shape[0]} {self.shape[1]} {self.power} {product}"


def handed_on(model: Model) -> list[Change]:
    """What training hands to phases in which nothing learns, and a phase to the next.

    Raises
    ------
    ModelRefused
        It is the model's own.
    """
    changes: list[Change] = []
    own = type(model).handed_on
    scaled = own in (SynapticScaling.handed_on, ContrastiveRace.handed_on)
    if scaled and isinstance(model, SynapticScaling | ContrastiveRace):
        if model.norm in _POWERS:
            shape = (model.pixels, model.neurons)
            changes = [Change("scale", "plastic.w", shape, _POWERS[model.norm], ("w_t",))]
        elif model.norm != "none":
            raise ModelRefused(
                f"model {model.name}: norm={model.norm}: weights are scaled once more after training, by powers whose"
                f" last digits depend on the library; expected {', '.join(_POWERS)} or none"
            )
    elif own is SymmetricSTDP.handed_on and isinstance(model, SymmetricSTDP):
        for layer, variable, shape in model._weights():
            instead = model._constants(layer)
            total = (instead.get("beta", "beta"), instead.get("w_max", "w_max"), shape[0])
            if layer != "classes":
                changes.append(Change("scale", variable, shape, 1, total))
    elif own is not Model.handed_on:
        raise ModelRefused(_refusal(model, "handed_on"))
    _hold(model, changes, model.handed_on, "handed_on")
    return changes


def between_passes(model: Model) -> list[Change]:
    """What happens between two passes through the images.

    Raises
    ------
    ModelRefused
        It is the model's own.
    """
    own = type(model).between_passes
    if own is Model.between_passes:
        return []
    if own is not TSSLBackprop.between_passes or not isinstance(model, TSSLBackprop):
        raise ModelRefused(_refusal(model, "between_passes"))
    changes = [Change("zero", f"{name}.{counter}") for name in model.hidden for counter in ("n_active", "n_fired")]
    _hold(model, changes, lambda state: model.between_passes(state, np.random.default_rng(0)), "between_passes")
    return changes


def _refusal(model: Model, method: str) -> str:
    return (
        f"model {model.name}: what it does in `{method}` is Python of its own, which an exported project cannot do;"
        " leave the method out, or train in one pass and one phase if that is enough"
    )


def _hold(model: Model, changes: Sequence[Change], own: Callable[[Arrays], Arrays], method: str) -> None:
    """Raise `ModelRefused` unless the changes do to some state what the model does, to the last bit."""
    generator, parameters = np.random.default_rng(0), model.run_time_values()
    for kind in (np.float32, np.float64):
        state = {
            v.name: generator.random(v.size).astype(kind) for phase in model.phases for v in anatomy.state(model, phase)
        }
        for change in changes:
            if change.kind == "scale":  # also a neuron without any input
                state[change.name].reshape(change.shape)[:, 0] = 0
        wanted = own({name: array.copy() for name, array in state.items()})
        changed = state | {c.name: c.of(state[c.name], parameters) for c in changes if c.name in state}
        if wanted.keys() != changed.keys() or any(not np.array_equal(wanted[n], changed[n]) for n in changed):
            raise ModelRefused(_refusal(model, method))
