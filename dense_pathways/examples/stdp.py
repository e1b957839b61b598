"""STDP between all inputs and all neurons: the neurons come to be driven by the inputs that are active.

    python stdp.py
"""

from __future__ import annotations

import numpy as np
from brian2 import Hz, Network, NeuronGroup, SpikeMonitor, Synapses, defaultclock, device, ms, mV, seed, set_device

import dense_pathways

set_device(dense_pathways.NAME, directory=None)  # a temporary folder
seed(1)
defaultclock.dt = 0.5 * ms

# ---------------------------------------------------------------------------------------------- parameters
tau_m, v_rest, v_thresh, v_reset = 20 * ms, -65 * mV, -52 * mV, -65 * mV
e_exc, tau_e = 0 * mV, 2 * ms
tau_plus, a_plus, a_minus, w_max = 20 * ms, 0.01, 0.002, 0.1

# ------------------------------------------------------------------------------------------------- neurons
inputs = NeuronGroup(
    400,
    """
    dx/dt = -x/tau_plus : 1
    rate : Hz
    """,
    threshold="rand() < rate*dt",
    reset="x = 1",
    method="exact",
    name="inputs",
)
inputs.rate = "30*Hz*int(i < 100) + 2*Hz"

neurons = NeuronGroup(
    100,
    """
    dv/dt = (v_rest - v + g_e*(e_exc - v))/tau_m : volt (unless refractory)
    dg_e/dt = -g_e/tau_e : 1
    """,
    threshold="v > v_thresh",
    reset="v = v_reset",
    refractory=5 * ms,
    method="euler",
    name="neurons",
)
neurons.v = v_rest

# ------------------------------------------------------------------------------------------------ synapses
plastic = Synapses(
    inputs,
    neurons,
    "w : 1",
    on_pre="g_e_post += w",
    # a postsynaptic spike strengthens what came before it, and weakens everything a little
    on_post="w = clip(w + w_max*(a_plus*x_pre - a_minus), 0, w_max)",
    name="plastic",
)
plastic.connect()  # all to all: nothing is listed, pairs are counted
plastic.w = "rand()*w_max"

spikes = SpikeMonitor(neurons, record=False)
network = Network(inputs, neurons, plastic, spikes)
network.run(5000 * ms)

# ------------------------------------------------------------------------------------------- what came of it
w = np.asarray(plastic.w).reshape(len(inputs), len(neurons))
rate = spikes.num_spikes / len(neurons) / (5000 * ms)
print(f"{float(rate / Hz):.1f} spikes a second and neuron")
print(f"mean weight of active inputs {w[:100].mean() / w_max:.2f}, of the others {w[100:].mean() / w_max:.2f}")
for decision in device.decisions():
    print(f"{decision.name:40} {'dense' if decision.dense else 'as in Brian2'} {decision.reason}")
