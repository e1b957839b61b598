"""The same network in the usual Brian2 way: runtime with Cython, one ``run()`` an image, NumPy in between.

It is written as Brian2's own examples of such networks are: Poisson inputs whose rates are set between
images, traces as event-driven variables of the synapses, one inhibitory synapse for each pair of different
neurons, and weights that are normalised by reshaping them in NumPy. Parameters are those of
`hebbarium.models.synaptic_scaling`. It differs from that model in two details that hardly cost anything: input spikes
are drawn at each step, and spikes of one step pair as the order of Brian2's pathways has it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
from brian2 import Hz, Network, NeuronGroup, PoissonGroup, SpikeMonitor, Synapses, defaultclock, prefs, seed
from numpy.typing import NDArray

from benchmarks.worker import Measurement, measure, serve
from hebbarium.models.synaptic_scaling import SynapticScaling

EXCITATORY = """
dv/dt = (e_l - v + g_e*(e_exc - v) + g_i*(e_inh - v))/tau_m_exc : volt (unless refractory)
dg_e/dt = -g_e/tau_s : 1
dg_i/dt = -g_i/tau_s : 1
dtheta/dt = -theta/tau_theta : volt
"""
INHIBITORY = """
dv/dt = (e_l - v + g_e*(e_exc - v))/tau_m_inh : volt (unless refractory)
dg_e/dt = -g_e/tau_s : 1
"""
PLASTIC = """
w : 1
dx/dt = -x/tau_p : 1 (event-driven)
dy/dt = -y/tau_p : 1 (event-driven)
"""
ON_PRE = """
g_e_post += gain*w/tau_s
x += 1
w = clip(w - a_minus*y, w_min, w_max)
"""
ON_POST = """
y += 1
w = clip(w + a_plus*x, w_min, w_max)
"""


class UsualTraining:
    """The network in training. ``images`` are presented in their order, again and again.

    Parameters
    ----------
    start : dict of arrays
        ``plastic.w`` and ``excitatory.theta`` as our side has them after its warm-up, so that both have as
        many spikes to deal with.
    """

    def __init__(
        self, neurons: int, images: NDArray[np.uint8], start: dict[str, NDArray[np.floating]]
    ) -> None:
        model = SynapticScaling(neurons=neurons)
        self.model, self.images, self.seen = model, images, 0
        prefs.codegen.target = "cython"
        seed(0)
        defaultclock.dt = model.dt
        values = {s: getattr(model, s) for s, row in model.parameters().items() if row.kind == "quantity"}
        values["n_rivals"] = max(model.neurons - 1, 1) if model.inhibition == "shared" else 1

        self.input = PoissonGroup(model.pixels, 0 * Hz)
        self.excitatory = NeuronGroup(
            neurons,
            EXCITATORY,
            threshold="v > v_thresh + theta",
            reset="v = v_reset; theta += theta_plus",
            refractory="t_ref_exc",
            method="exponential_euler",
            namespace=values,
        )
        self.inhibitory = NeuronGroup(
            neurons,
            INHIBITORY,
            threshold="v > v_thresh",
            reset="v = v_reset",
            refractory="t_ref_inh",
            method="exponential_euler",
            namespace=values,
        )
        self.plastic = Synapses(
            self.input, self.excitatory, PLASTIC, on_pre=ON_PRE, on_post=ON_POST, namespace=values
        )
        self.plastic.connect()
        to_inhibitory = Synapses(
            self.excitatory, self.inhibitory, on_pre="g_e_post += w_ei/tau_s", namespace=values
        )
        to_inhibitory.connect(j="i")
        lateral = Synapses(
            self.inhibitory, self.excitatory, on_pre="g_i_post += w_ie/n_rivals/tau_s", namespace=values
        )
        lateral.connect("i != j")
        self.lateral = to_inhibitory, lateral
        self.monitor = SpikeMonitor(self.excitatory)
        self.network = Network(
            self.input, self.excitatory, self.inhibitory, self.plastic, to_inhibitory, lateral, self.monitor
        )
        self.plastic.w = start["plastic.w"]
        self.excitatory.theta_ = start["excitatory.theta"]

    def present(self, image: NDArray[np.uint8]) -> int:
        """One image: normalise, clear what does not outlive an image, run, count."""
        weights = np.reshape(self.plastic.w, (self.model.pixels, self.model.neurons))
        self.plastic.w = (weights * (self.model.w_t / np.sqrt((weights**2).sum(axis=0)))).ravel()
        for group in (self.excitatory, self.inhibitory):
            group.v = self.model.e_l
            group.g_e = 0
        self.excitatory.g_i = 0
        self.plastic.x = 0
        self.plastic.y = 0
        self.input.rates = self.model.encode(image[np.newaxis])["rates"][0] * Hz
        before = np.array(self.monitor.count)
        self.network.run(self.model.t_train)
        return int((np.array(self.monitor.count) - before).sum())

    def train(self, count: int) -> Measurement:
        """``count`` images, one after another."""
        chosen = np.arange(self.seen, self.seen + count) % len(self.images)
        self.seen += count
        return measure(count, lambda: sum(self.present(image) for image in self.images[chosen]))


class Training(Protocol):
    """A network in training."""

    def train(self, count: int) -> Measurement: ...


def main(
    make: Callable[[int, NDArray[np.uint8], dict[str, NDArray[np.floating]]], Training] = UsualTraining,
) -> None:
    """Worker: build the network, train on some images, then answer requests."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=Path, required=True, help=".npy file, uint8 (images, pixels)")
    parser.add_argument("--neurons", type=int, required=True)
    parser.add_argument("--start", type=Path, required=True, help=".npz file of our side after its warm-up")
    parser.add_argument("--warm-up", type=int, required=True, help="images before the first measurement")
    options = parser.parse_args()
    with np.load(options.start) as start:
        training = make(options.neurons, np.load(options.images), dict(start))
    training.train(options.warm_up)
    serve({"target": prefs.codegen.target}, training.train)


if __name__ == "__main__":
    main()
