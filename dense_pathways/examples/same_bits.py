"""One network on this device and on Brian2's own C++ standalone: the same spikes and weights, bit for bit.

    python same_bits.py
"""

from __future__ import annotations

import time

import numpy as np
from brian2 import Network, NeuronGroup, SpikeMonitor, Synapses, defaultclock, device, ms, prefs, seed, set_device

import dense_pathways

# With -ffast-math, which Brian2 has by default, a compiler may reorder sums: then the last bits differ.
prefs.codegen.cpp.extra_compile_args_gcc = ["-w", "-O3", "-march=native", "-ffp-contract=off", "-std=c++11"]
RUN = 1000 * ms


def network() -> Network:
    """Two groups, all to all, with weights that change at every spike."""
    tau = 10 * ms
    groups = [
        NeuronGroup(
            size,
            "dv/dt = (1.1 - v)/tau : 1\ndx/dt = -x/tau : 1",
            threshold="v > 1",
            reset="v = 0; x += 1",
            method="exact",
            name=name,
            namespace={"tau": tau},
        )
        for name, size in (("source", 300), ("target", 200))
    ]
    for group in groups:
        group.v = "rand()"
    synapses = Synapses(
        *groups,
        "w : 1",
        on_pre="v_post += 0.002*w; w = clip(w - 0.01*x_post, 0, 1)",
        on_post="w = clip(w + 0.01*x_pre, 0, 1)",
        name="synapses",
    )
    synapses.connect()
    synapses.w = "rand()"
    return Network(*groups, synapses, SpikeMonitor(groups[1], name="spikes"))


results = {}
for name in ("cpp_standalone", dense_pathways.NAME):
    set_device(name, directory=None)
    defaultclock.dt = 0.5 * ms
    seed(3)
    made = network()
    begin = time.perf_counter()
    made.run(RUN)
    print(f"{name}: generated, compiled and run in {time.perf_counter() - begin:.1f} s")
    results[name] = [np.array(made["spikes"].i), np.array(made["spikes"].t), np.array(made["synapses"].w)]
    device.reinit()

same = all(np.array_equal(one, other) for one, other in zip(*results.values(), strict=True))
print(f"{len(results[dense_pathways.NAME][0])} spikes, {results[dense_pathways.NAME][2].size} weights:", end=" ")
print("the same bits" if same else "they differ")
