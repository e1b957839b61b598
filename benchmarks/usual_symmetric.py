"""The network of Hao et al. in the usual Brian2 way: runtime with Cython, one ``run()`` an image, NumPy in between.

Written as Brian2's own examples of such networks are; see `benchmarks.usual_brian2`. Parameters are those of
`hebbarium.models.symmetric_stdp`. Each image is shown once, and input spikes are drawn at each step.
"""

from __future__ import annotations

import numpy as np
from brian2 import Hz, Network, NeuronGroup, PoissonGroup, SpikeMonitor, Synapses, defaultclock, prefs, seed
from numpy.typing import NDArray

from benchmarks.usual_brian2 import PLASTIC, main
from benchmarks.worker import Measurement, measure
from hebbarium.models.symmetric_stdp import SymmetricSTDP
from hebbarium.training import parameters

EXCITATORY = """
dv/dt = (e_l - v + g_e*(e_exc - v) + g_i*(e_inh - v))/tau_m : volt (unless refractory)
dg_e/dt = -g_e/tau_ge : 1
dg_i/dt = -g_i/tau_gi : 1
dtheta/dt = -theta/tau_theta : volt
"""
INHIBITORY = """
dv/dt = (e_l_fast - v + g_e*(e_exc - v))/tau_m_fast : volt (unless refractory)
dg_e/dt = -g_e/tau_ge : 1
"""


class UsualTraining:
    """The network in training. ``images`` are presented in their order, again and again.

    Parameters
    ----------
    start : dict of arrays
        Weights and thresholds as our side has them after its warm-up.
    """

    def __init__(
        self, neurons: int, images: NDArray[np.uint8], start: dict[str, NDArray[np.floating]]
    ) -> None:
        model = parameters.apply(SymmetricSTDP, {"neurons": str(neurons)})
        assert isinstance(model, SymmetricSTDP)
        self.model, self.images, self.seen = model, images, 0
        prefs.codegen.target = "cython"
        seed(0)
        defaultclock.dt = model.dt
        values = {s: getattr(model, s) for s, row in model.parameters().items() if row.kind == "quantity"}
        method = {"method": "exponential_euler", "namespace": values}
        self.input, self.classes = PoissonGroup(model.pixels, 0 * Hz), PoissonGroup(model.classes, 0 * Hz)
        self.excitatory = NeuronGroup(
            neurons,
            EXCITATORY,
            threshold="v > v_thresh + theta",
            reset="v = v_reset; theta += theta_plus*theta_init/abs(2*theta - theta_init)",
            refractory="t_ref",
            **method,
        )
        self.inhibitory = NeuronGroup(
            neurons, INHIBITORY, threshold="v > v_thresh_fast", reset="v = v_reset_fast", refractory="t_ref", **method
        )
        self.plastic = self._plastic(self.input, self.excitatory, values, "g_e_post += w\n", "a_plus", "w_max")
        self.to_classes = self._plastic(self.excitatory, self.classes, values, "", "a_plus_class", "w_max_class")
        to_inhibitory = Synapses(self.excitatory, self.inhibitory, on_pre="g_e_post += w_ei", namespace=values)
        to_inhibitory.connect(j="i")
        lateral = Synapses(self.inhibitory, self.excitatory, on_pre="g_i_post += w_ie", namespace=values)
        lateral.connect("i != j")
        self.monitor = SpikeMonitor(self.excitatory)
        self.network = Network(
            self.input, self.classes, self.excitatory, self.inhibitory, self.plastic, self.to_classes, to_inhibitory,
            lateral, self.monitor,
        )  # fmt: skip
        self.plastic.w, self.to_classes.w = start["plastic.w"], start["to_classes.w"]
        self.excitatory.theta_ = start["excitatory.theta"]
        self.excitatory.v, self.inhibitory.v = model.e_l, model.e_l_fast

    def _plastic(
        self, source: object, target: object, values: dict[str, object], transmits: str, a_plus: str, w_max: str
    ) -> Synapses:
        pathway = Synapses(
            source,
            target,
            PLASTIC,
            on_pre=f"{transmits}x += 1\nw = clip(w + {a_plus}*y, w_min, {w_max})",
            on_post=f"y += 1\nw = clip(w + {a_plus}*x, w_min, {w_max})",
            namespace=values,
        )
        pathway.connect()
        return pathway

    def present(self, image: NDArray[np.uint8]) -> int:
        """One image and its rest: scale, run, run without input, count."""
        m = self.model
        for pathway, size, target in (
            (self.plastic, m.pixels, m.beta * m.w_max * m.pixels),
            (self.to_classes, m.neurons, m.beta_class * m.w_max_class * m.neurons),
        ):
            weights = np.reshape(pathway.w, (size, -1))
            pathway.w = (weights * (target / weights.sum(axis=0))).ravel()
        self.input.rates = m.encode(image[np.newaxis])["rates"][0] * m.intensity_first * Hz
        self.classes.rates = np.eye(m.classes)[self.seen % m.classes] * m.teacher_rate
        before = np.array(self.monitor.count)
        self.network.run(m.t_shown)
        self.input.rates, self.classes.rates = 0 * Hz, 0 * Hz
        self.network.run(m.t_rest)
        self.seen += 1
        return int((np.array(self.monitor.count) - before).sum())

    def train(self, count: int) -> Measurement:
        """``count`` images, one after another."""
        chosen = np.arange(self.seen, self.seen + count) % len(self.images)
        return measure(count, lambda: sum(self.present(image) for image in self.images[chosen]))


if __name__ == "__main__":
    main(UsualTraining)
