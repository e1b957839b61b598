"""Connections of convolution and pooling against sums over windows, and kernels that synapses share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from brian2 import Network, device, ms
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

import dense_pathways
from hebbarium.engine.runtime import runtime_device
from hebbarium.engine.standalone import standalone_device
from hebbarium.equations.convolution import Connections, Maps, convolution, pooling
from hebbarium.models.parts import At, Parts
from hebbarium.models.s4nn import S4NN

BELOW = Maps(6, 5, 3)
SIDE, CHANNELS = 3, 4


def correlated(values: NDArray[np.float64], kernel: NDArray[np.float64]) -> NDArray[np.float64]:
    """A valid convolution as networks mean it, ``(height, width, channels)``, kernel ``(side, side, below, above)``."""
    windows = sliding_window_view(values, kernel.shape[:2], axis=(0, 1))  # (height, width, below, dy, dx)
    return np.asarray(np.einsum("yxcab,abcd->yxd", windows, kernel))


def sent(pairs: Connections, values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """What arrives at the layer above, synapse by synapse."""
    arrived = np.zeros(pairs.above.size)
    np.add.at(arrived, pairs.target, values.ravel()[pairs.source] * weights.ravel()[pairs.weight])
    return arrived.reshape(pairs.above)


@pytest.mark.parametrize(("below", "side", "channels"), [
    (BELOW, SIDE, CHANNELS), (Maps(28, 28, 1), 5, 15), (Maps(4, 4, 2), 1, 3), (Maps(3, 3, 2), 3, 1),
])  # fmt: skip
def test_a_convolution_is_a_sum_over_windows(below: Maps, side: int, channels: int) -> None:
    generator = np.random.default_rng(1)
    pairs = convolution(below, side, channels)
    values, kernel = generator.random(below), generator.random((side, side, below.channels, channels))
    assert pairs.weights == kernel.size
    assert pairs.above == (below.height - side + 1, below.width - side + 1, channels)
    np.testing.assert_allclose(sent(pairs, values, kernel), correlated(values, kernel), rtol=1e-13)


def test_pooling_is_the_sum_of_squares_of_neurons() -> None:
    below = Maps(6, 4, 3)
    pairs = pooling(below, 2)
    values = np.random.default_rng(2).random(below)
    summed = sum(values[dy::2, dx::2] for dy in range(2) for dx in range(2))
    np.testing.assert_allclose(sent(pairs, values, np.array([1.1])), 1.1 * np.asarray(summed), rtol=1e-13)
    assert pairs.weights == 1
    assert sorted(pairs.source) == list(range(below.size)), "each neuron is in one pool"


def test_targets_and_weights_run_on_over_the_channels_above() -> None:
    """Of a source, parts of the kernel follow each other; each is a run of all maps above, in targets and weights."""
    pairs = convolution(BELOW, SIDE, CHANNELS)
    runs = [array.reshape(-1, CHANNELS) for array in (pairs.source, pairs.target, pairs.weight)]
    assert (np.diff(runs[0], axis=1) == 0).all()
    assert (np.diff(runs[1], axis=1) == 1).all()
    assert (np.diff(runs[2], axis=1) == 1).all()
    assert (runs[1][:, 0] % CHANNELS == 0).all()
    assert (np.diff(pairs.source) >= 0).all()
    same = np.diff(pairs.source) == 0
    assert (np.diff(pairs.weight)[same] > 0).all()


@pytest.mark.parametrize(("make", "words"), [
    (lambda: convolution(Maps(4, 3, 1), 4, 2), "4x4 on 4x3x1 neurons, expected a side from 1"),
    (lambda: convolution(Maps(4, 4, 1), 0, 2), "expected a side from 1"),
    (lambda: pooling(Maps(5, 4, 2), 2), "2x2 on 5x4x2 neurons, expected a side that divides"),
    (lambda: pooling(Maps(4, 4, 2), 0), "expected a side that divides"),
    (lambda: Maps.square(783), "783 pixels make no square image"),
])  # fmt: skip
def test_what_does_not_fit_is_refused(make: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()  # type: ignore[operator]


def network(pairs: Connections) -> Network:
    """Sources with values, which send them by a shared kernel; what lies above adds to its gradient."""
    parts = Parts(S4NN(), 1 * ms, 1, {}, {})
    below = parts.neurons("below", pairs.below.size, "x : 1", threshold="x > 0")
    above = parts.neurons("above", pairs.above.size, "y : 1\nd : 1")
    kernel = parts.neurons("kernel", pairs.weights, "w : 1\ngradient : 1")
    synapses = parts.synapses(
        "maps", below, above,
        on_pre={
            "send": At("synapses 0", "y_post += w*x_pre"),
            "gather": At("synapses 1", "gradient += d_post*x_pre"),
        },
        pairs=pairs, kernel=kernel, shares=("w", "gradient"),
    )  # fmt: skip
    return Network(below, above, kernel, synapses)


@pytest.mark.parametrize("target", ["numpy", pytest.param("dense", marks=pytest.mark.slow)])
def test_a_kernel_is_shared(target: str, tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    pairs = convolution(BELOW, SIDE, CHANNELS)
    x = generator.normal(size=BELOW)  # some do not spike
    kernel = generator.normal(size=(SIDE, SIDE, BELOW.channels, CHANNELS))
    d = generator.normal(size=pairs.above)

    def given(net: Network) -> Network:
        net["below"].x, net["kernel"].w, net["above"].d = x.ravel(), kernel.ravel(), d.ravel()
        return net

    if target == "dense":
        with standalone_device(dense_pathways.NAME, "float64"):
            net = given(network(pairs))
            net.run(1 * ms)
            device.build(directory=str(tmp_path), compile=True, run=True, with_output=False)
            y, gradient = np.array(net["above"].y[:]), np.array(net["kernel"].gradient[:])
    else:
        with runtime_device(target, "float64"):
            net = given(network(pairs))
            net.run(1 * ms)
            y, gradient = np.array(net["above"].y[:]), np.array(net["kernel"].gradient[:])
    spiking = np.maximum(x, 0)
    np.testing.assert_allclose(y.reshape(pairs.above), correlated(spiking, kernel), atol=1e-13)
    windows = sliding_window_view(spiking, (SIDE, SIDE), axis=(0, 1))
    expected = np.einsum("yxcab,yxd->abcd", windows, d)
    np.testing.assert_allclose(gradient.reshape(kernel.shape), expected, atol=1e-13)
