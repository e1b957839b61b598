"""What the input neurons of small networks do with samples of any kind, in networks that show them once or again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbarium.engine import devices
from hebbarium.engine.contract import Block, Structure
from tests.models import small_networks, small_symmetric_networks
from tests.models.small_networks import PIXELS

#: both ways of telling which sample is shown: one after the other, and by a controller, on each device
SHOWN_ON_DEVICES = pytest.mark.parametrize(
    ("networks", "device"),
    [
        (small_networks, "numpy"),
        (small_symmetric_networks, "numpy"),
        pytest.param(small_networks, "dense", marks=pytest.mark.long),
        pytest.param(small_symmetric_networks, "dense", marks=pytest.mark.long),
        pytest.param(small_networks, "cpp", marks=pytest.mark.long),
    ],
)


def fired(
    networks: Any, model: Any, rows: NDArray[np.uint8], device: str, folder: Path
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Spikes of the inputs ``(presentations, steps, neurons)`` in training, and the sample of each presentation."""
    if networks is small_networks:
        program = devices.program(Structure(model, "train", "float32", device, len(rows), ("input",)), folder)
        block = Block(networks.first_state(model, "train"), model.encode(rows), model.run_time_values(), 5)
        result, shown = program.run(block), np.arange(len(rows))
    else:
        result = networks.run_images(model, device, folder, precision="float32", pictures=rows)
        shown = np.searchsorted(result.ended, np.arange(len(rows)))  # some presentations are of one sample
    steps = model.sample_steps("train")
    raster = np.zeros((len(rows), steps, PIXELS), bool)
    spikes = result.spikes["input"]
    raster[spikes.step // steps, spikes.step % steps, spikes.neuron] = True
    return raster, shown
