"""The network of Touda & Okuno in NEST 3, of the models that come with it, with one thread.

Runs under an interpreter that has NEST. Parameters, weights and rates are handed over by `benchmarks.handed_over`. What
NEST has ready-made differs in this from that network:

- excitatory neurons are ``gif_cond_exp``, whose threshold rises with each spike; it is stochastic, here hardly: the
  rate of spikes grows from nothing to certainty within a few tenths of a millivolt;
- a spike arrives a step later, so that more neurons fire before they are inhibited, and devices reach plastic synapses
  through ``parrot_neuron``, as NEST recommends;
- ``stdp_synapse`` strengthens a weight when the next input spike comes, and its traces outlive an image;
- weights are scaled in NumPy between images: NEST has nothing of its own for it. To read and to write them takes
  most of the time.
"""

from __future__ import annotations

from importlib.metadata import version

import nest
import numpy as np
from numpy.typing import NDArray

from benchmarks.handed_over import HandedOver, Side, answer, scaled

CAPACITANCE = 100.0  # pF; only ratios to it matter
WIDTH = 0.1  # mV in which the rate of spikes grows by a factor of e
RATE = 1000.0  # Hz at the threshold: about one spike in a step


class NestTraining(Side):
    """The network in NEST."""

    def __init__(self, given: HandedOver) -> None:
        super().__init__(given)
        values, self.counted = self.values, 0
        self.pixels, self.neurons = given.w.shape
        leak_exc, leak_inh = CAPACITANCE / values["tau_m_exc"], CAPACITANCE / values["tau_m_inh"]  # nS
        self.unit = values["to_exc"] * leak_exc  # nS of a weight of 1
        nest.ResetKernel()
        nest.verbosity = nest.VerbosityLevel.ERROR
        nest.set(resolution=values["dt"], rng_seed=1)

        membrane = {"C_m": CAPACITANCE, "E_L": values["e_l"], "E_ex": values["e_exc"], "V_reset": values["v_reset"],
                    "V_m": values["e_l"], "tau_syn_ex": values["tau_s"]}  # fmt: skip
        self.excitatory = nest.Create("gif_cond_exp", self.neurons, params=membrane | {
            "g_L": leak_exc, "E_in": values["e_inh"], "tau_syn_in": values["tau_s"], "t_ref": values["t_ref_exc"],
            "q_sfa": [values["theta_plus"]], "tau_sfa": [values["tau_theta"]], "q_stc": [], "tau_stc": [],
            "Delta_V": WIDTH, "lambda_0": RATE, "tau_minus": values["tau_p"],
        })  # fmt: skip
        self.excitatory.V_T_star = (values["v_thresh"] + given.theta).tolist()  # as it was risen before
        self.inhibitory = nest.Create("iaf_cond_exp", self.neurons, params=membrane | {
            "g_L": leak_inh, "t_ref": values["t_ref_inh"], "V_th": values["v_thresh"],
        })  # fmt: skip
        self.generators = nest.Create("poisson_generator", self.pixels)
        inputs = nest.Create("parrot_neuron", self.pixels)
        nest.Connect(self.generators, inputs, "one_to_one", {"delay": values["dt"]})
        nest.Connect(inputs, self.excitatory, "all_to_all", {
            "synapse_model": "stdp_synapse", "weight": given.w.T * self.unit, "delay": values["dt"],
            "lambda": values["a_plus"] / values["w_max"], "alpha": values["a_minus"] / values["a_plus"],
            "mu_plus": 0.0, "mu_minus": 0.0, "tau_plus": values["tau_p"], "Wmax": values["w_max"] * self.unit,
        })  # fmt: skip
        to_inhibitory = {"weight": values["to_inh"] * leak_inh, "delay": values["dt"]}
        nest.Connect(self.excitatory, self.inhibitory, "one_to_one", to_inhibitory)
        source, target = np.nonzero(~np.eye(self.neurons, dtype=bool))
        inhibition, delay = np.full((2, len(source)), [[-values["from_inh"] * leak_exc], [values["dt"]]])
        nest.Connect(
            np.array(self.inhibitory.tolist())[source], np.array(self.excitatory.tolist())[target], "one_to_one",
            {"weight": inhibition, "delay": delay},
        )  # fmt: skip
        self.recorder = nest.Create("spike_recorder")
        nest.Connect(self.excitatory, self.recorder)
        self.plastic = nest.GetConnections(inputs, self.excitatory)
        self.source = np.array(self.plastic.source) - inputs[0].global_id
        self.target = np.array(self.plastic.target) - self.excitatory[0].global_id

    def begin(self, rates: NDArray[np.float64]) -> None:
        """See `Side`."""
        w = np.empty((self.neurons, self.pixels))
        w[self.target, self.source] = self.plastic.weight
        self.plastic.weight = scaled(w, self.values["w_t"] * self.unit)[self.target, self.source]
        self.excitatory.set(V_m=self.values["e_l"], g_ex=0.0, g_in=0.0)
        self.inhibitory.set(V_m=self.values["e_l"], g_ex=0.0)
        self.generators.rate = rates

    def simulate(self) -> None:
        """See `Side`."""
        nest.Simulate(self.values["t_train"])

    def spikes(self) -> int:
        """See `Side`."""
        before, self.counted = self.counted, self.recorder.n_events
        return int(self.counted - before)


if __name__ == "__main__":
    answer(NestTraining, {"nest": version("nest-simulator"), "threads": "1"})
