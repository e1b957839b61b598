"""Leaky integrate-and-fire: a membrane that leaks, and two ways to go on after a spike.

Section 2.6.2 of Sun's thesis, whose equation numbers stand behind the equations. Between spikes the potential is
integrated exactly, so that a step costs no accuracy but the time of a spike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from brian2 import Network, Quantity, ms, mV, nA, pF

from hebbarium.equations.strings import lines
from hebbarium.models.contract import Arrays, choice, quantity, structure
from hebbarium.models.ranges import NOT_NEGATIVE, POSITIVE, POTENTIAL, SIZE
from hebbarium.models.stimulated import Neuron

OPEN = "not stated; a usual value"


@dataclass(frozen=True, eq=False)
class IntegrateAndFire(Neuron):
    """The leaky integrate-and-fire neuron; without its leak, the one that adds up what it is given."""

    name: ClassVar[str] = "integrate_and_fire"
    title: ClassVar[str] = "Leaky integrate-and-fire neuron, reset to rest or by subtraction"
    paper: ClassVar[str] = (
        "D. Sun, Spiking neural networks: study of efficient training methods for classification problems, master's "
        "thesis, Universitat Oberta de Catalunya (2023), Section 2.6.2"
    )
    traces: ClassVar[Mapping[str, tuple[Any, str]]] = {"v": (mV, "membrane potential")}
    given: ClassVar[tuple[Any, str]] = (nA, "injected current")

    neurons: int = structure(16, 1, "neurons side by side, each with a stimulus of its own", "own", SIZE)
    dt: Quantity = structure(0.1 * ms, ms, "length of a time step", "own", POSITIVE)

    C_m: Quantity = quantity(100 * pF, pF, "capacitance of the membrane", f"Eq. 6; {OPEN}", POSITIVE)
    tau_m: Quantity = quantity(10 * ms, ms, "time constant of the leak", f"Eq. 7; {OPEN}", POSITIVE)
    v_rest: Quantity = quantity(0 * mV, mV, "resting potential (V_0)", f"Eq. 7; {OPEN}", POTENTIAL)
    v_thresh: Quantity = quantity(15 * mV, mV, "threshold", OPEN, POTENTIAL)
    t_ref: Quantity = quantity(0 * ms, ms, "time after a spike in which nothing is added up", "own", NOT_NEGATIVE)

    leak: bool = choice(True, (True, False), "whether the membrane leaks", "Eq. 6")
    reset: str = choice(
        "zero", ("zero", "linear"), "after a spike: to the resting potential, or lower by the threshold", "Fig. 12"
    )

    relations: ClassVar[tuple[str, ...]] = ("v_rest < v_thresh",)

    # -- the equations ---------------------------------------------------------------------------------
    current = "i_stim = stimulus(t, i) : amp (constant over dt)     # I_current of Eq. 6"
    membrane = """
        dv/dt = (i_leak + i_stim)/C_m : volt (unless refractory)    # Eq. 6
        i_leak = -C_m/tau_m*(v - v_rest) : amp                      # Eq. 7 with its sign, which makes it Eq. 8
    """
    membrane_without_leak = "dv/dt = i_stim/C_m : volt (unless refractory)"
    fires = "v >= v_thresh"
    # I_spike of Eq. 6, which lasts no time
    to_rest = "v = v_rest"
    by_subtraction = "v -= v_thresh - v_rest"

    @property
    def dynamics(self) -> str:
        """See `Neuron.dynamics`."""
        return self.membrane if self.leak else self.membrane_without_leak

    def build(self, phase: str, inputs: Arrays) -> Network:
        """See `Model.build`."""
        neurons = self.parts(inputs).neurons(
            self.population,
            self.neurons,
            lines(self.current, self.dynamics),
            threshold=self.fires,
            reset=self.to_rest if self.reset == "zero" else self.by_subtraction,
            refractory="t_ref",
            method="exact" if self.leak else "euler",  # without a leak a step of Euler's is exact
        )
        neurons.v = self.v_rest
        return Network(neurons)

    # -- what the paper leaves open --------------------------------------------------------------------
    slips: ClassVar[tuple[str, ...]] = (
        "Eq. 7 lacks a minus sign: as printed, the leak would drive the potential away from rest. With the sign it "
        "gives Eq. 8, which is right.",
    )
    open_choices: ClassVar[tuple[str, ...]] = (
        "The thesis gives no values: capacitance, time constant and threshold are usual ones, and a current of 0.15 nA "
        "is the least that makes the neuron spike.",
        "The constant S by which a spike lowers the potential (Eq. 6) is the distance from rest to threshold: that is "
        "the linear model of Fig. 12. Both resets differ by how far the potential was above threshold: little at these "
        "steps, much where one step brings a good part of the threshold. The thesis has no refractory time; "
        "whoever wants one sets `t_ref`.",
    )
