"""Listed connections whose synapses follow one another are compiled to loops over runs, with the bits of stock."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, SpikeMonitor, Synapses, linked_var, ms

from side_by_side import DECISIONS, assert_same

SIDE, KERNEL, INPUTS, OUTPUTS = 7, 3, 5, 6
VALID = SIDE - KERNEL + 1

SIGNAL = "a : 1\nb : 1\nspiking : 1\nz : 1"


def convolution() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sources, targets and weights of a valid convolution, channels last."""
    found = []
    for y, x, c in np.ndindex(SIDE, SIDE, INPUTS):
        for ty, tx in np.ndindex(VALID, VALID):
            dy, dx = y - ty, x - tx
            if 0 <= dy < KERNEL and 0 <= dx < KERNEL:
                for o in range(OUTPUTS):
                    weight = ((dy * KERNEL + dx) * INPUTS + c) * OUTPUTS + o
                    found.append(((y * SIDE + x) * INPUTS + c, (ty * VALID + tx) * OUTPUTS + o, weight))
    return tuple(np.array(found, dtype=np.int32).T)


def layer(n: int, name: str) -> NeuronGroup:
    group = NeuronGroup(
        n, SIGNAL, threshold="rand() < 0.3", reset="z += 1", events={"step": "t >= 0*ms", "some": "b > 0.5"}, name=name
    )
    group.a, group.b = "rand() - 0.5", "rand()"
    group.run_on_event("some", "b *= 0.95")
    return group


def shared() -> Network:
    """A convolution whose synapses share kernels, forward and backward, by every kind of operation."""
    pre, post, weight = convolution()
    inputs, outputs = layer(SIDE * SIDE * INPUTS, "inputs"), layer(VALID * VALID * OUTPUTS, "outputs")
    kernel = NeuronGroup(KERNEL * KERNEL * INPUTS * OUTPUTS, "w : 1\ndw : 1\nu : 1", name="kernel")
    kernel.w, kernel.u = "rand() - 0.5", "rand()"
    conv = Synapses(
        inputs, outputs, "w : 1 (linked)\ndw : 1 (linked)\nu : 1 (linked)\nkernel_index : integer (constant)\nown : 1",
        on_pre={"spike": "a_post += w", "all": "b_post += 0.001*w*a_pre", "grad": "dw += a_post*b_pre",
                "back": "b_pre += 0.001*w*a_post", "tangled": "u += 0.001*w*u; own = u + kernel_index"},
        on_post={"post": "own += w*z_pre; b_post *= 0.999"},
        on_event={"spike": "spike", "all": "step", "grad": "step", "back": "some", "tangled": "spike", "post": "spike"},
        name="conv",
    )  # fmt: skip
    conv.connect(i=pre, j=post)
    conv.kernel_index = weight
    for name in ("w", "dw", "u"):
        setattr(conv, name, linked_var(kernel, name, index="kernel_index"))
    conv.run_regularly("dw += 0.01*a_post*a_pre; b_pre += 0.001*w*a_post", name="backward", when="end")
    order = {"spike": 0, "all": 1, "grad": 2, "back": 3, "tangled": 4, "post": 5}
    for name, place in order.items():
        getattr(conv, name).order = place
    return Network(inputs, outputs, kernel, conv, SpikeMonitor(outputs, name="spikes"))


@pytest.mark.slow
def test_convolutions_with_shared_kernels(tmp_path: Path) -> None:
    assert_same(shared, tmp_path, 2, 10)
    for name in ("conv_spike", "conv_all", "conv_grad", "conv_back", "conv_tangled", "conv_post", "backward"):
        print(DECISIONS[name])
