"""Hodgkin & Huxley: the squid's axon, whose gates let sodium and potassium through.

A. L. Hodgkin and A. F. Huxley, "A quantitative description of membrane current and its application to conduction and
excitation in nerve", Journal of Physiology (1952). Equation numbers are the paper's. Its potentials count from rest and
have the opposite sign; here they are what is measured inside, with rest at -65 mV.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from brian2 import Network, Quantity, ms, msiemens, mV, uA, ufarad
from brian2.units.stdunits import cm2

from hebbarium.equations.strings import lines
from hebbarium.models.contract import Arrays, quantity, structure
from hebbarium.models.ranges import POSITIVE, POTENTIAL, SIZE
from hebbarium.models.stimulated import Neuron

PER_MS, AREA_CURRENT, CONDUCTANCE, CAPACITANCE = 1 / ms, uA / cm2, msiemens / cm2, ufarad / cm2
TABLE = "Table 3"


@dataclass(frozen=True, eq=False)
class HodgkinHuxley(Neuron):
    """A patch of membrane at 6.3 degrees; currents are of a square centimetre."""

    name: ClassVar[str] = "hodgkin_huxley"
    title: ClassVar[str] = "The squid's axon: gates of sodium and potassium"
    paper: ClassVar[str] = (
        "A. L. Hodgkin and A. F. Huxley, A quantitative description of membrane current and its application to "
        "conduction and excitation in nerve, Journal of Physiology 117, 500-544 (1952)"
    )
    traces: ClassVar[Mapping[str, tuple[Any, str]]] = {
        "v": (mV, "membrane potential"),
        "m": (1, "activation of sodium"),
        "h": (1, "part of sodium that is not inactivated"),
        "n": (1, "activation of potassium"),
    }
    given: ClassVar[tuple[Any, str]] = (AREA_CURRENT, "injected current")

    neurons: int = structure(16, 1, "neurons side by side, each with a stimulus of its own", "own", SIZE)
    dt: Quantity = structure(0.01 * ms, ms, "length of a time step", "own", POSITIVE)

    C_m: Quantity = quantity(1 * CAPACITANCE, CAPACITANCE, "capacitance of the membrane", TABLE, POSITIVE)
    g_na: Quantity = quantity(120 * CONDUCTANCE, CONDUCTANCE, "conductance of sodium, gates open", TABLE, POSITIVE)
    g_k: Quantity = quantity(36 * CONDUCTANCE, CONDUCTANCE, "conductance of potassium, gates open", TABLE, POSITIVE)
    g_l: Quantity = quantity(0.3 * CONDUCTANCE, CONDUCTANCE, "conductance of the leak", TABLE, POSITIVE)
    e_na: Quantity = quantity(50 * mV, mV, "reversal potential of sodium: 115 mV above rest", TABLE, POTENTIAL)
    e_k: Quantity = quantity(-77 * mV, mV, "reversal potential of potassium: 12 mV below rest", TABLE, POTENTIAL)
    e_l: Quantity = quantity(-54.387 * mV, mV, "reversal potential of the leak: 10.613 mV above rest", TABLE, POTENTIAL)
    v_rest: Quantity = quantity(-65 * mV, mV, "resting potential, from which the paper counts", "usual", POTENTIAL)
    v_thresh: Quantity = quantity(0 * mV, mV, "a spike is counted where the potential rises above it", "own", POTENTIAL)

    r_an: Quantity = quantity(0.1 * PER_MS, PER_MS, "rate of opening, n, at v_an", "Eq. 12", POSITIVE)
    v_an: Quantity = quantity(-55 * mV, mV, "middle of opening, n: 10 mV above rest", "Eq. 12", POTENTIAL)
    k_an: Quantity = quantity(10 * mV, mV, "slope of opening, n", "Eq. 12", POSITIVE)
    r_bn: Quantity = quantity(0.125 * PER_MS, PER_MS, "rate of closing, n, at rest", "Eq. 13", POSITIVE)
    k_bn: Quantity = quantity(80 * mV, mV, "slope of closing, n", "Eq. 13", POSITIVE)
    r_am: Quantity = quantity(1 * PER_MS, PER_MS, "rate of opening, m, at v_am", "Eq. 20", POSITIVE)
    v_am: Quantity = quantity(-40 * mV, mV, "middle of opening, m: 25 mV above rest", "Eq. 20", POTENTIAL)
    k_am: Quantity = quantity(10 * mV, mV, "slope of opening, m", "Eq. 20", POSITIVE)
    r_bm: Quantity = quantity(4 * PER_MS, PER_MS, "rate of closing, m, at rest", "Eq. 21", POSITIVE)
    k_bm: Quantity = quantity(18 * mV, mV, "slope of closing, m", "Eq. 21", POSITIVE)
    r_ah: Quantity = quantity(0.07 * PER_MS, PER_MS, "rate of recovery, h, at rest", "Eq. 23", POSITIVE)
    k_ah: Quantity = quantity(20 * mV, mV, "slope of recovery, h", "Eq. 23", POSITIVE)
    r_bh: Quantity = quantity(1 * PER_MS, PER_MS, "largest rate of inactivation, h", "Eq. 24", POSITIVE)
    v_bh: Quantity = quantity(-35 * mV, mV, "middle of inactivation, h: 30 mV above rest", "Eq. 24", POTENTIAL)
    k_bh: Quantity = quantity(10 * mV, mV, "slope of inactivation, h", "Eq. 24", POSITIVE)

    # -- the equations ---------------------------------------------------------------------------------
    current = "i_stim = stimulus(t, i) : amp/metre**2 (constant over dt)    # I of Eq. 26"
    membrane = """
        dv/dt = (i_stim - g_k*n**4*(v - e_k) - g_na*m**3*h*(v - e_na) - g_l*(v - e_l))/C_m : volt   # Eq. 26
        dn/dt = alpha_n*(1 - n) - beta_n*n : 1                              # Eq. 7
        dm/dt = alpha_m*(1 - m) - beta_m*m : 1                              # Eq. 15
        dh/dt = alpha_h*(1 - h) - beta_h*h : 1                              # Eq. 16
        alpha_n = r_an/exprel((v_an - v)/k_an) : hertz                      # Eq. 12
        beta_n = r_bn*exp((v_rest - v)/k_bn) : hertz                        # Eq. 13
        alpha_m = r_am/exprel((v_am - v)/k_am) : hertz                      # Eq. 20
        beta_m = r_bm*exp((v_rest - v)/k_bm) : hertz                        # Eq. 21
        alpha_h = r_ah*exp((v_rest - v)/k_ah) : hertz                       # Eq. 23
        beta_h = r_bh/(1 + exp((v_bh - v)/k_bh)) : hertz                    # Eq. 24
    """
    fires = "v > v_thresh"

    @property
    def dynamics(self) -> str:
        """See `Neuron.dynamics`."""
        return self.membrane

    def build(self, phase: str, inputs: Arrays) -> Network:
        """See `Model.build`."""
        neurons = self.parts(inputs).neurons(
            self.population, self.neurons, lines(self.current, self.dynamics), threshold=self.fires,
            refractory=self.fires,  # one spike as long as the potential is up
            method="exponential_euler",
        )  # fmt: skip
        neurons.v = self.v_rest
        for gate, part in self.gates(self.v_rest).items():
            setattr(neurons, gate, part)
        return Network(neurons)

    def gates(self, v: Quantity) -> dict[str, float]:
        """Where the gates come to rest at a potential."""
        symbols = [f"{rate}_{gate}" for gate in "nmh" for rate in ("alpha", "beta")]
        rates = {symbol: self.right_hand_side(symbol, {"v": v}) for symbol in symbols}
        return {g: float(rates[f"alpha_{g}"] / (rates[f"alpha_{g}"] + rates[f"beta_{g}"])) for g in "nmh"}

    # -- what the paper leaves open --------------------------------------------------------------------
    open_choices: ClassVar[tuple[str, ...]] = (
        "The leak's reversal potential of 10.613 mV is where no current flows at rest (Table 3). With rest "
        "at -65 mV the others are 50 and -77 mV.",
        "The paper computes by hand. Here each equation is integrated exactly in its own variable while the others are "
        "held (exponential Euler), in steps of 0.01 ms: at 10 uA/cm2 intervals between spikes are half a per cent "
        "longer than by the classical method of Runge and Kutta.",
    )
