"""The protocol of S4NN: its cells, and what is measured of a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from hebbarium.models.s4nn import S4NN
from hebbarium.protocols import s4nn
from hebbarium.record import results
from hebbarium.training import training
from hebbarium.training.run_settings import RunSettings


def test_the_printed_number_has_the_published_settings() -> None:
    (cell,) = [cell for cell in s4nn.PAPER.cells if cell.accuracy is not None]
    model = RunSettings(model="s4nn", changes=cell.changes).make_model()
    assert isinstance(model, S4NN)
    assert (model.layers, model.t_max, model.theta, model.eta, model.decay) == ((400,), 256, 100.0, 0.2, 1e-6)
    assert (model.b_input, model.b_hidden, model.gamma, model.least_active) == (5.0, 48.0, 3.0, 0.001)
    assert (s4nn.PROTOCOL.epochs, cell.accuracy) == (100, 97.4)
    assert s4nn.PAPER.readout in {readout.name for readout in model.readouts}


def measured_of(times: list[list[float]]) -> dict[str, float]:
    """What is measured of a run with these first spikes, in ms."""
    tree = xr.DataTree.from_dict({
        "test/output": xr.Dataset({"first_spike_time": (("sample", "neuron"), np.array(times))}),
        f"{results.ACTIVITY}/output": xr.Dataset({"label": ("sample", np.zeros(8))}),
    })  # fmt: skip
    tree.attrs["wall_time_s"] = 2.0
    return {name: value for name, (value, _) in s4nn.measure(tree, RunSettings(model="s4nn")).items()}


def test_ties_and_silence_are_measured() -> None:
    never = [np.nan] * 3
    # a spike in the first step is at time 1
    assert measured_of([[3.0, 3.0, np.nan], never, [9.0, 4.0, 9.0], [1.0, 2.0, 2.0]]) == {
        "ties": 25.0, "silent": 25.0, "answer_time": 3.67, "training_time": 0.25,
    }  # fmt: skip
    assert measured_of([never, never]) == {"ties": 0.0, "silent": 100.0, "training_time": 0.25}


def test_a_run_is_measured(tmp_path: Path) -> None:
    settings = RunSettings(
        model="s4nn", changes={"layers": "30", "t_max": "32", "b_input": "8"}, images=20, epochs=2, block=8,
        test_images=20, device="numpy", evaluate_every=20, evaluate_images=10,
    )  # fmt: skip
    run = training.train(settings, tmp_path / "run")
    with results.open_run(run) as tree:
        measured = s4nn.measure(tree, settings)
        evaluation = tree[results.EVALUATION].to_dataset()
        assert list(evaluation["readout"].values) == ["first_spike", "first_spike_ties_right"]
        strict, lenient = evaluation["accuracy"].isel(seed=0, samples_seen=-1).values
        units = tree["test/output"]["first_spike_time"].attrs["units"]
    assert units == "ms"
    assert measured["training_time"][0] > 0
    assert lenient >= strict
    assert lenient - strict <= measured["ties"][0] + measured["silent"][0] + 1e-9
