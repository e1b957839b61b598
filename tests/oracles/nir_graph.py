"""A graph of NIR, followed by forward Euler as NIR's equations say, in plain NumPy: one node behind the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nir
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def spikes(file: Path, shown: Floats) -> dict[str, NDArray[np.bool_]]:
    """Spikes of each neuron node, ``(samples, steps, *shape)``, for inputs that are the same at each step.

    Parameters
    ----------
    file : Path
        Its graph's metadata say the step and the number of steps.
    shown : (samples, *shape)
    """
    graph = nir.read(file)
    dt, steps = float(graph.metadata["dt"]), int(graph.metadata["steps"])
    after = dict(graph.edges)
    names = ["input"]
    while names[-1] in after:
        names.append(after[names[-1]])
    assert set(names) == set(graph.nodes)
    state: dict[str, list[Floats]] = {}
    fired: dict[str, list[NDArray[np.bool_]]] = {}
    for _ in range(steps):
        sent = shown
        for name in names:
            node = graph.nodes[name]
            if isinstance(node, nir.IF | nir.CubaLIF):
                spiked = _step(node, sent, dt, state.setdefault(name, [np.zeros_like(sent), np.zeros_like(sent)]))
                fired.setdefault(name, []).append(spiked)
                sent = spiked.astype(float)
            else:
                sent = _passed(node, sent)
    return {name: np.stack(steps, axis=1) for name, steps in fired.items()}


def _step(node: Any, given: Floats, dt: float, state: list[Floats]) -> NDArray[np.bool_]:
    """One step of neurons, whose current and potential are changed in place."""
    current, v = state
    if isinstance(node, nir.IF):
        v += dt * node.r * given
    else:
        current += dt / node.tau_syn * (node.w_in * given - current)
        v += dt / node.tau_mem * (node.v_leak - v + node.r * current)
    spiked: NDArray[np.bool_] = v > node.v_threshold
    v[...] = np.where(spiked, node.v_reset, v)
    return spiked


def _passed(node: Any, given: Floats) -> Floats:
    match node:
        case nir.Input() | nir.Output():
            return given
        case nir.Flatten():
            return given.reshape(len(given), -1)
        case nir.Affine():
            return given @ node.weight.T + node.bias
        case nir.AvgPool2d():
            n = int(node.kernel_size[0])
            assert tuple(node.stride) == (n, n)
            rows, columns = (size // n for size in given.shape[2:])
            return given.reshape(*given.shape[:2], rows, n, columns, n).mean(axis=(3, 5))
        case nir.Conv2d():
            pads = [(int(p), int(p)) for p in node.padding]
            windows = np.lib.stride_tricks.sliding_window_view(
                np.pad(given, [(0, 0), (0, 0), *pads]), node.weight.shape[2:], axis=(2, 3)
            )[:, :, :: int(node.stride[0]), :: int(node.stride[1])]
            return np.einsum("ncyxij,dcij->ndyx", windows, node.weight) + node.bias[:, None, None]
    raise AssertionError(f"a node that is not known: {node}")
