"""Desire backpropagation on the dense device: every pathway a loop over counted pairs, with the bits of stock."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from brian2 import Network

import side_by_side
from hebbarium.engine import anatomy, dense, inspection, monitors
from hebbarium.engine.contract import Structure
from hebbarium.models.desire_backprop import DesireBackprop
from tests.models.desire_networks import first_state, samples, small_model

SAMPLES = 5


@pytest.mark.parametrize("precision", ["float32", pytest.param("float64", marks=pytest.mark.long)])
@pytest.mark.parametrize("reading", ["code", "paper"])
@pytest.mark.parametrize("phase", ["train", "test"])
def test_every_operation_is_dense_and_at_once(phase: str, reading: str, precision: str) -> None:
    model = small_model(layers=(8, 7, 6), reading=reading)
    made = dense.generated(Structure(model, phase, precision, "dense", 2))
    pathways = {f"to_{name}_transmit" for name in ("hidden_1", "hidden_2", "hidden_3", "output")}
    if phase == "train":
        pathways |= {name.replace("transmit", "update") for name in pathways}
        pathways |= {"to_hidden_2_backward", "to_hidden_3_backward", "to_output_backward", "count_output_pre"}
    assert pathways <= made.keys()
    assert {name: how for name, how in made.items() if how != (True, "")} == {}


def network(model: DesireBackprop) -> Network:
    """The learning network with inputs, weights and parameters, as the engine would set them."""
    images, labels = samples(SAMPLES)
    made = model.build("train", model.all_inputs("train", images, labels))
    monitors.add(made, Structure(model, "train", "float64", dense.DEVICE, SAMPLES, ("input", *model.hidden)))
    variables = dict(inspection.arrays(made))
    for full, symbol in inspection.run_time_variables(made, set(model.run_time_values())).items():
        variables[full].set_value(model.run_time_values()[symbol])
    for projection in anatomy.projections(model):
        variables[projection.variable].set_value(first_state(model)[projection.variable])
    return made


@pytest.mark.long
@pytest.mark.parametrize("reading", ["code", "paper"])
def test_a_learning_network_keeps_its_bits(reading: str, tmp_path: Path) -> None:
    model = small_model(reading=reading, p_hidden=0.3, steps=12)
    files = side_by_side.assert_same(lambda: network(model), tmp_path, milliseconds=12 * SAMPLES)
    for name in ("output_desire", "hidden_2_desire", "hidden_1_desire"):
        (found,) = [content for file, content in files.items() if file.startswith(f"_array_{name}_")]
        assert np.frombuffer(found).any(), name
