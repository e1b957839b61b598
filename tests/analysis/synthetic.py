"""Small result trees whose every number is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from hebbarium.record import results

TRAINING_COUNTS = np.array([[4, 0, 0], [0, 3, 0], [2, 0, 0], [0, 3, 0], [0, 3, 0], [1, 0, 0]])
TRAINING_LABELS = np.array([0, 1, 0, 1, 0, 1])
TEST_COUNTS = np.array([[5, 1, 0], [2, 7, 0], [0, 0, 0], [3, 3, 0]])
TEST_LABELS = np.array([0, 1, 1, 1])


def attributes(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"model": "small", "seed": 5, "samples_seen": 6}
    return results.root_attributes(**(values | changes))


def small_tree(**groups: Any) -> xr.DataTree:
    """Three neurons, two classes, three blocks of two samples; neuron 2 is silent."""
    contents: dict[str, Any] = {
        "activity": {"excitatory": training(TRAINING_COUNTS, TRAINING_LABELS, [0, 0, 1, 1, 2, 2])},
        "test": {
            "excitatory": results.responses(
                TEST_COUNTS, label=TEST_LABELS, image=np.arange(4), presentation_ms=500.0
            )
        },
    }
    return results.build(attributes(), **(contents | groups))


def training(counts: ArrayLike, label: ArrayLike, block: ArrayLike) -> xr.Dataset:
    return results.responses(
        counts, label=label, image=np.arange(len(np.asarray(label))), block=block, presentation_ms=150.0
    )


def weights(n_neurons: int, samples_seen: ArrayLike = (0, 6)) -> dict[str, xr.Dataset]:
    """Every weight of neuron n is n + s/10 at snapshot s, except pixel (0, 1), which is -1."""
    snapshots = np.asarray(samples_seen)
    w = np.arange(n_neurons)[None, None, :] + np.arange(snapshots.size)[:, None, None] / 10
    w = np.broadcast_to(w, (snapshots.size, 784, n_neurons)).copy()
    w[:, 1, :] = -1
    return {"input_to_excitatory": results.weight_snapshots(w, samples_seen=snapshots)}
