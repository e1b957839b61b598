"""One network in plain Brian2 that every device knows: Poisson inputs, STDP onto neurons that inhibit each other.

Brian2GeNN knows no events but spikes and no images that change, which the project's models need. So this network, with
nothing else, is what devices are compared by: ``python -m benchmarks.gpu.plain_brian2 genn 400 1000``.
"""

from __future__ import annotations

import importlib
import json
import shutil
import sys
import tempfile
import time

from brian2 import (
    Network,
    NeuronGroup,
    PoissonGroup,
    SpikeMonitor,
    Synapses,
    defaultclock,
    device,
    get_device,
    ms,
    second,
    seed,
    set_device,
)

from hebbarium.engine import cuda

MODULES = {"genn": "brian2genn", "cuda_standalone": "brian2cuda"}
"""What has to be imported for a device to be known."""
PIXELS, RATE = 784, 6.0  # inputs and their spikes a second: as many as a digit has
NAMESPACE = {
    "tau_m": 30 * ms, "tau_s": 20 * ms, "tau_p": 20 * ms, "tau_fast": 5 * ms, "v_thresh": 1.0, "gain": 0.05,
    "inhibition": 0.5, "a_plus": 0.005, "a_minus": 0.0025,
}  # fmt: skip
NEURONS = """
    dv/dt = (g_e - g_i - v)/tau_m : 1 (unless refractory)
    dg_e/dt = -g_e/tau_s : 1
    dg_i/dt = -g_i/tau_fast : 1
"""
WEIGHTS = """
    w : 1
    dx/dt = -x/tau_p : 1 (event-driven)
    dy/dt = -y/tau_p : 1 (event-driven)
"""
BEFORE = """
    g_e_post += gain*w
    x += 1
    w = clip(w - a_minus*y, 0, 1)
"""
AFTER = """
    y += 1
    w = clip(w + a_plus*x, 0, 1)
"""


def unavailable(name: str) -> str:
    """Why a device cannot be used here; empty if it can."""
    if name in MODULES:
        try:
            importlib.import_module(MODULES[name])
        except Exception as error:  # whatever a package that is half there raises
            return f"{MODULES[name]} cannot be imported ({type(error).__name__}: {error})"
    if name == "genn" and shutil.which("genn-buildmodel.sh") is None:
        return (
            "genn-buildmodel.sh is not on the path: Brian2GeNN 1.7 needs the sources of GeNN 4, whose folder"
            " GENN_PATH names and whose folder bin is on the path"
        )
    if name == "cuda_standalone" and not cuda.available()[0]:
        return cuda.available()[1]
    return ""


def run(name: str, neurons: int, milliseconds: int) -> dict[str, float]:
    """Build the network, run it, and say what it took and how often its neurons fired."""
    folder = tempfile.mkdtemp()
    options = {} if name == "genn" else {"build_on_run": False}
    if name in MODULES:
        importlib.import_module(MODULES[name])
    if name == "cuda_standalone":
        cuda.CudaProgram.set_preferences(cuda.CudaProgram.__new__(cuda.CudaProgram))
    set_device(name, directory=folder, **options)
    seed(5)
    defaultclock.dt = 1 * ms
    inputs = PoissonGroup(PIXELS, RATE / second)
    excitatory = NeuronGroup(
        neurons, NEURONS, threshold="v > v_thresh", reset="v = 0", refractory=2 * ms, method="exact",
        namespace=NAMESPACE,
    )  # fmt: skip
    plastic = Synapses(inputs, excitatory, WEIGHTS, on_pre=BEFORE, on_post=AFTER, namespace=NAMESPACE)
    plastic.connect()
    plastic.w = "rand()"
    lateral = Synapses(excitatory, excitatory, on_pre="g_i_post += inhibition", namespace=NAMESPACE)
    lateral.connect("i != j")
    monitor = SpikeMonitor(excitatory)
    started = time.perf_counter()
    network = Network(inputs, excitatory, plastic, lateral, monitor)
    network.run(milliseconds * ms)
    if name != "genn":
        device.build(directory=folder, compile=True, run=True, with_output=False)
    whole = time.perf_counter() - started
    loop = getattr(get_device(), "_last_run_time", None)
    spikes = int(monitor.num_spikes)
    shutil.rmtree(folder, ignore_errors=True)
    return {"seconds": float(loop if loop is not None else whole), "whole": whole, "spikes": spikes}


if __name__ == "__main__":
    asked, size, length = sys.argv[1:]
    print(json.dumps(run(asked, int(size), int(length))))
