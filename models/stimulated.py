"""Neurons side by side that are given stimuli in the course of time, not images: each its own, step by step.

A sample of such a network is one step of its clock. So a stimulus may last as long as it likes, a block goes on where
the one before it ended, and what a readout reads of a sample is the course of a variable.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from brian2 import Equations, Quantity, exp, exprel, get_dimensions
from numpy.typing import NDArray

from hebbarium.models.contract import Arrays, Model
from hebbarium.models.parts import Parts
from hebbarium.models.readouts import Measure, Readout, SpikeCount, Value

STIMULUS = "stimulus"
"""Name of the input, ``stimulus(t, i)``."""
RUN = "run"


class Stimulated(Model):
    """A model with the parameters ``neurons`` and ``dt`` that learns nothing from images."""

    phases: ClassVar[tuple[str, ...]] = (RUN,)
    beyond_layers: ClassVar[str] = "it is no network of layers"
    #: the population whose neurons are given stimuli
    population: ClassVar[str] = "neuron"
    #: variables whose course is kept: their unit, and what they are
    traces: ClassVar[Mapping[str, tuple[Any, str]]] = {}
    #: stimuli: the unit and what is given
    given: ClassVar[tuple[Any, str]]

    neurons: int
    dt: Quantity

    @property
    def schedules(self) -> Mapping[str, tuple[str, ...]]:
        """See `Model.schedules`: there are none."""
        return {}

    @property
    def readouts(self) -> tuple[Readout, ...]:
        """See `Model.readouts`: no classes are read."""
        return ()

    @property
    def readout(self) -> str:
        """See `Model.readout`."""
        return self.population

    def measures(self, learns: bool) -> tuple[Measure, ...]:
        """See `Model.measures`: spikes and the variables of `traces`, at each step."""
        values = [Value(self.population, symbol=symbol, of_unit=unit) for symbol, (unit, _) in self.traces.items()]
        return (SpikeCount(self.population), *values)

    @abstractmethod
    def quiet(self) -> Arrays:
        """What a step is given in which nothing happens, ``(1, ...)`` by name."""

    def blank(self, phase: str, pixels: int) -> Arrays:
        """See `Model.blank`."""
        return self.quiet()

    def encode(self, images: NDArray[np.uint8]) -> Arrays:
        """Raises `ValueError`: there are no images."""
        raise ValueError(f"{self.name}: is given stimuli, not images; `hebbarium neuron {self.name}` runs it")

    def sample_steps(self, phase: str) -> int:
        """See `Model.sample_steps`."""
        return 1


class Neuron(Stimulated):
    """Neurons with the same equations and parameters, each with a stimulus of its own.

    Equations read it as ``stimulus(t, i)``, held during a step (``constant over dt``): then what is measured does not
    depend on how a method would look for it within the step.
    """

    def quiet(self) -> Arrays:
        """See `Stimulated.quiet`."""
        return {STIMULUS: np.zeros((1, self.neurons))}

    @property
    @abstractmethod
    def dynamics(self) -> str:
        """The equations that say how variables change."""

    def slopes(self, variables: Mapping[str, Any], given: Any = None) -> dict[str, Any]:
        """How fast the variables change, computed from the strings that run.

        Parameters
        ----------
        variables : mapping of str to Quantity
        given : Quantity
            What the neuron is given; nothing unless stated.
        """
        changing = Equations(self.dynamics).diff_eq_names
        return {symbol: self.right_hand_side(symbol, variables, given) for symbol in changing}

    def right_hand_side(self, symbol: str, variables: Mapping[str, Any], given: Any = None) -> Any:
        """The right-hand side of one of the equations."""
        equations, given = Equations(self.dynamics), 0 * self._in_base_units if given is None else given
        names = {"exp": exp, "exprel": exprel, **vars(self), **variables, "i_stim": given}
        code = equations[symbol].expr.code
        for needed in equations[symbol].expr.identifiers & set(equations.subexpr_names):
            names[needed] = self.right_hand_side(needed, variables, given)
        return eval(code, names)  # a string of the model's own file, which is Python as well

    @property
    def _in_base_units(self) -> Quantity:
        return Quantity.with_dimensions(1.0, get_dimensions(self.given[0]))

    def parts(self, inputs: Arrays) -> Parts:
        """What makes the network of a block."""
        return Parts(self, self.dt, self.sample_steps(RUN), inputs, {STIMULUS: self._in_base_units})
