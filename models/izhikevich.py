"""Izhikevich: a membrane and its recovery, whose four parameters make eight kinds of neurons.

E. M. Izhikevich, "Simple model of spiking neurons", IEEE Transactions on Neural Networks (2003). Equation numbers are
those of Section 2.6.2 of Sun's thesis; the parameters of each kind of neuron are those of the paper's Fig. 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from brian2 import Network, Quantity, ms, mV, sqrt

from hebbarium.equations.strings import lines
from hebbarium.models.contract import Arrays, quantity, structure
from hebbarium.models.ranges import POSITIVE, POTENTIAL, SIZE, Range
from hebbarium.models.stimulated import Neuron

COUPLING = Range(-1000, 1000)
SUN = "Sun, Section 2.6.2"
PER_MS, RATE = 1 / ms, mV / ms


@dataclass(frozen=True, eq=False)
class Izhikevich(Neuron):
    """The neuron of Izhikevich, with units: what is given is a change of the potential in time."""

    name: ClassVar[str] = "izhikevich"
    title: ClassVar[str] = "A membrane and its recovery: eight kinds of neurons by four parameters"
    paper: ClassVar[str] = (
        "E. M. Izhikevich, Simple model of spiking neurons, IEEE Transactions on Neural Networks 14, 1569-1572 (2003)"
    )
    traces: ClassVar[Mapping[str, tuple[Any, str]]] = {
        "v": (mV, "membrane potential"),
        "u": (RATE, "recovery variable"),
    }
    given: ClassVar[tuple[Any, str]] = (RATE, "injected current, as a change of the potential in time")

    neurons: int = structure(16, 1, "neurons side by side, each with a stimulus of its own", "own", SIZE)
    dt: Quantity = structure(0.1 * ms, ms, "length of a time step", "not stated; a tenth of the paper's", POSITIVE)

    a: Quantity = quantity(0.02 * PER_MS, PER_MS, "rate of the recovery", f"Eq. 4; {SUN}: typical", POSITIVE)
    b: Quantity = quantity(0.2 * PER_MS, PER_MS, "what the recovery takes from the potential",
                           f"Eq. 4; {SUN}: typical", COUPLING)  # fmt: skip
    c: Quantity = quantity(-65 * mV, mV, "potential after a spike", f"Eq. 5; {SUN}: typical", POTENTIAL)
    d: Quantity = quantity(2 * RATE, RATE, "rise of the recovery at a spike", f"Eq. 5; {SUN}: typical", COUPLING)
    v_peak: Quantity = quantity(30 * mV, mV, "top of a spike", "Eq. 5", POTENTIAL)

    k_2: Quantity = quantity(0.04 * (PER_MS / mV), PER_MS / mV, "factor of the squared potential", "Eq. 3", POSITIVE)
    k_1: Quantity = quantity(5 * PER_MS, PER_MS, "factor of the potential", "Eq. 3", COUPLING)
    k_0: Quantity = quantity(140 * RATE, RATE, "what is added without any potential", "Eq. 3", COUPLING)

    relations: ClassVar[tuple[str, ...]] = ("c < v_peak",)

    # -- the equations ---------------------------------------------------------------------------------
    current = "i_stim = stimulus(t, i) : volt/second (constant over dt)     # I of Eq. 3"
    membrane = """
        dv/dt = k_2*v**2 + k_1*v + k_0 - u + i_stim : volt                  # Eq. 3
        du/dt = a*(b*v - u) : volt/second                                   # Eq. 4
    """
    fires = "v >= v_peak                                                    # Eq. 5"
    spike = """
        v = c                                                               # Eq. 5
        u += d                                                              # Eq. 5
    """

    @property
    def rest(self) -> Quantity:
        """The potential at which nothing changes if nothing is given; where it would always change, the slowest."""
        slope = self.k_1 - self.b
        return (-slope - sqrt(max(slope**2 - 4 * self.k_2 * self.k_0, 0 * slope**2))) / (2 * self.k_2)

    @property
    def dynamics(self) -> str:
        """See `Neuron.dynamics`."""
        return self.membrane

    def build(self, phase: str, inputs: Arrays) -> Network:
        """See `Model.build`."""
        neurons = self.parts(inputs).neurons(
            self.population, self.neurons, lines(self.current, self.dynamics), threshold=self.fires, reset=self.spike,
            method="euler",
        )  # fmt: skip
        neurons.v, neurons.u = self.rest, self.b * self.rest
        return Network(neurons)

    # -- what the paper leaves open --------------------------------------------------------------------
    open_choices: ClassVar[tuple[str, ...]] = (
        "Where a neuron begins is not said: here at rest, which is at -70 mV with the typical a and b.",
        "The paper's numbers have no units but millivolts and milliseconds. Here all have: a and b are rates, u, d and "
        "the current are potentials a time.",
        "Equations are integrated by Euler's method as in the paper's code, which has steps of 1 ms and halves those "
        "of the potential; here they are ten times as short. A spike is cut off at the first step at which the "
        "potential is past its top, so that the recorded top depends on the step.",
        "The thesis says that u pulls v back to 0: it pulls it back to rest.",
    )
