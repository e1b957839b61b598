"""The network of Touda & Okuno in ANNarchy 5, with its own default settings: sparse matrices, one thread.

Runs under an interpreter that has ANNarchy, which compiles the equations. Parameters, weights and rates are handed over
by `benchmarks.handed_over`. Traces are event-driven, as in ANNarchy's own examples of STDP; weights are scaled in NumPy
between images, for which ANNarchy has nothing of its own.
"""

from __future__ import annotations

import os
import sys
import tempfile
from importlib.metadata import version

# CMake looks for Python, and for nanobind, where an activated environment is
os.environ["VIRTUAL_ENV"] = sys.prefix
os.environ["PATH"] = os.path.join(sys.prefix, "bin") + os.pathsep + os.environ.get("PATH", "")

import ANNarchy as ann
import numpy as np
from numpy.typing import NDArray

from benchmarks.handed_over import HandedOver, Side, answer, scaled

EXCITATORY = """
dv/dt = (e_l - v + g_exc*(e_exc - v) + g_inh*(e_inh - v))/tau_m : exponential
tau_s*dg_exc/dt = -g_exc : exponential
tau_s*dg_inh/dt = -g_inh : exponential
tau_theta*dtheta/dt = -theta : exponential
"""
INHIBITORY = """
dv/dt = (e_l - v + g_exc*(e_exc - v))/tau_m : exponential
tau_s*dg_exc/dt = -g_exc : exponential
"""
TRACES = """
tau_p*dx/dt = -x : event-driven
tau_p*dy/dt = -y : event-driven
"""
PRE_SPIKE = """
g_target += to_exc*w
x += 1.0
w = clip(w - a_minus*y, w_min, w_max)
"""
POST_SPIKE = """
y += 1.0
w = clip(w + a_plus*x, w_min, w_max)
"""


class AnnarchyTraining(Side):
    """The network in ANNarchy, compiled in a folder."""

    def __init__(self, given: HandedOver, folder: str) -> None:
        super().__init__(given)
        values = self.values
        pixels, neurons = given.w.shape

        def some(*symbols: str, **others: str) -> dict[str, float]:
            return {symbol: values[symbol] for symbol in symbols} | {name: values[of] for name, of in others.items()}

        excitatory = ann.Neuron(
            parameters=some(
                "e_l", "e_exc", "e_inh", "tau_s", "tau_theta", "v_thresh", "v_reset", "theta_plus", tau_m="tau_m_exc"
            ),
            equations=EXCITATORY, spike="v > v_thresh + theta", reset="v = v_reset\ntheta += theta_plus",
            refractory=values["t_ref_exc"],
        )  # fmt: skip
        inhibitory = ann.Neuron(
            parameters=some("e_l", "e_exc", "tau_s", "v_thresh", "v_reset", tau_m="tau_m_inh"),
            equations=INHIBITORY, spike="v > v_thresh", reset="v = v_reset", refractory=values["t_ref_inh"],
        )  # fmt: skip
        plastic = ann.Synapse(
            parameters=some("tau_p", "a_plus", "a_minus", "w_min", "w_max", "to_exc"),
            equations=TRACES, pre_spike=PRE_SPIKE, post_spike=POST_SPIKE,
        )  # fmt: skip
        self.network = network = ann.Network(dt=values["dt"], seed=0)
        self.input = network.create(ann.PoissonPopulation(geometry=pixels, rates=0.0))
        self.excitatory = network.create(geometry=neurons, neuron=excitatory)
        self.inhibitory = network.create(geometry=neurons, neuron=inhibitory)
        self.plastic = network.connect(self.input, self.excitatory, target="exc", synapse=plastic)
        self.plastic.all_to_all(weights=0.0)
        network.connect(self.excitatory, self.inhibitory, target="exc").one_to_one(weights=values["to_inh"])
        lateral = network.connect(self.inhibitory, self.excitatory, target="inh")
        lateral.all_to_all(weights=values["from_inh"], allow_self_connections=False)
        self.monitor = network.monitor(self.excitatory, "spike")
        network.compile(directory=folder)
        self.plastic.w = given.w.T
        self.excitatory.theta = given.theta

    def begin(self, rates: NDArray[np.float64]) -> None:
        """See `Side`."""
        self.plastic.w = scaled(np.array(self.plastic.w), self.values["w_t"])
        for population in (self.excitatory, self.inhibitory):
            population.v = self.values["e_l"]
            population.g_exc = 0.0
        self.excitatory.g_inh = 0.0
        self.plastic.x = 0.0
        self.plastic.y = 0.0
        self.input.rates = rates

    def simulate(self) -> None:
        """See `Side`."""
        self.network.simulate(self.values["t_train"])

    def spikes(self) -> int:
        """See `Side`."""
        return sum(map(len, self.monitor.get("spike").values()))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        answer(lambda given: AnnarchyTraining(given, scratch), {"annarchy": version("ANNarchy"), "threads": "1"})
