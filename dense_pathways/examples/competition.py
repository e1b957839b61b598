"""Lateral inhibition and weights whose sums are kept: neurons compete for patterns and share them out.

    python competition.py
"""

from __future__ import annotations

import numpy as np
from brian2 import Network, NeuronGroup, SpikeMonitor, Synapses, TimedArray, defaultclock, ms, seed, set_device

import dense_pathways

set_device(dense_pathways.NAME, directory=None)  # a temporary folder
seed(2)
defaultclock.dt = 0.5 * ms

# ---------------------------------------------------------------------------------------------- parameters
PATTERNS, SHOWN = 4, 100 * ms
tau_m, tau_theta, tau_x = 20 * ms, 2000 * ms, 20 * ms
theta_plus, w_inh, w_sum, eta = 0.2, 3, 8.0, 0.02

# Pattern k consists of the inputs 25*k to 25*k + 24; one follows the other.
shown = TimedArray(np.random.default_rng(0).integers(PATTERNS, size=100), dt=SHOWN)

# ------------------------------------------------------------------------------------------------- neurons
inputs = NeuronGroup(
    100,
    """
    dx/dt = -x/tau_x : 1
    rate = 60*Hz*int(i // 25 == shown(t)) + 1*Hz : Hz
    """,
    threshold="rand() < rate*dt",
    reset="x = 1",
    method="exact",
    name="inputs",
)
neurons = NeuronGroup(
    12,
    """
    dv/dt = -v/tau_m : 1 (unless refractory)
    dtheta/dt = -theta/tau_theta : 1
    total : 1
    """,
    threshold="v > 1 + theta",
    reset="v = 0; theta += theta_plus",
    refractory=5 * ms,
    method="exact",
    name="neurons",
)

# ------------------------------------------------------------------------------------------------ synapses
plastic = Synapses(
    inputs,
    neurons,
    """
    w : 1
    total_post = w : 1 (summed)
    """,
    on_pre="v_post += w",
    on_post="w = clip(w + eta*(x_pre - 0.2), 0, 1)",
    name="plastic",
)
plastic.connect()
plastic.w = "0.16*rand()"
plastic.run_regularly("w *= w_sum/total_post", dt=SHOWN, when="after_groups")  # scaling, once the sum is known

lateral = Synapses(neurons, neurons, on_pre="v_post = clip(v_post - w_inh, -5, 10)", name="lateral")
lateral.connect("i != j")

spikes = SpikeMonitor(neurons)
network = Network(inputs, neurons, plastic, lateral, spikes)
network.run(10_000 * ms)

# ------------------------------------------------------------------------------------------- what came of it
w = np.asarray(plastic.w).reshape(len(inputs), len(neurons))
preferred = w.reshape(PATTERNS, -1, len(neurons)).sum(axis=1).argmax(axis=0)
print(f"{spikes.num_spikes} spikes; sums of weights {w.sum(axis=0).min():.2f} to {w.sum(axis=0).max():.2f}")
for pattern in range(PATTERNS):
    print(f"pattern {pattern}: preferred by neurons {np.flatnonzero(preferred == pattern).tolist()}")
