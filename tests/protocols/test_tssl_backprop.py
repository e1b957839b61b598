"""The protocol of TSSL-BP: its cells, what is measured of a run, and the functions of Fig. 16."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hebbarium.equations.surrogates import SURROGATES
from hebbarium.models.tssl_backprop import TSSLBackprop
from hebbarium.protocols import tssl_backprop
from hebbarium.record import results
from hebbarium.training import training
from hebbarium.training.run import Run
from hebbarium.training.run_settings import RunSettings


def test_the_printed_numbers_have_the_published_settings() -> None:
    table, fashion = [cell for cell in tssl_backprop.PAPER.cells if cell.accuracy is not None]
    model = RunSettings(model="tssl_backprop", changes=table.changes).make_model()
    assert isinstance(model, TSSLBackprop)
    assert (model.layers, model.fall) == ("15C5-P2-40C5-P2-300", "none")
    assert (model.steps, model.batch, model.eta) == (5, 50, 5e-4)
    assert (model.tau_m, model.tau_s, model.theta, model.gain, model.weight_decay) == (5.0, 3.0, 1.0, 1.1, 0.01)
    assert (model.norm_most, model.w_most, model.target, model.surrogate) == (1.0, 4.0, "twice", "sigmoid")
    assert (tssl_backprop.PROTOCOL.epochs, table.accuracy, fashion.accuracy) == (100, 99.53, 89.75)
    assert tssl_backprop.PAPER.readout in {readout.name for readout in model.readouts}


def test_every_cell_can_be_made_and_its_rate_has_fallen_when_it_ends() -> None:
    for cell in tssl_backprop.PAPER.cells:
        model = RunSettings(model="tssl_backprop", changes=cell.changes).make_model()
        assert isinstance(model, TSSLBackprop)
        epochs = cell.run.get("epochs", tssl_backprop.PROTOCOL.epochs)
        if model.fall != "none":
            assert model.fall_over == epochs, cell.row


def test_what_is_searched_is_never_tested() -> None:
    searched = [cell for cell in tssl_backprop.PAPER.cells if cell.table == "search"]
    assert len(searched) > 5
    assert all(cell.run["evaluate_on"] == "validation" for cell in searched)


@pytest.mark.parametrize("name", SURROGATES)
def test_a_slope_is_the_derivative_of_its_function(name: str) -> None:
    """By central differences, away from corners; each rises by one, about the threshold."""
    x = np.linspace(-3.9713, 4.0213, 801)
    near = 1e-6
    slopes = tssl_backprop.functions(x)[1]
    above, below = (tssl_backprop.functions(x + by)[0][name] for by in (near, -near))
    np.testing.assert_allclose(slopes[name], (above - below) / (2 * near), rtol=0, atol=1e-6)
    assert slopes[name].max() == pytest.approx(slopes[name][np.abs(x).argmin()], rel=0.2)
    far = np.array([-1e9, 0.0, 1e9])
    np.testing.assert_allclose(tssl_backprop.functions(far / 1e6)[0][name], [0, 0.5, 1], rtol=0, atol=1e-3)


def test_a_figure_shows_all_of_them() -> None:
    figure = tssl_backprop.draw_surrogates({})
    left, right = figure.axes
    assert len(left.lines) == len(SURROGATES) + 1
    assert len(right.lines) == len(SURROGATES)


def test_a_run_is_measured(tmp_path: Path) -> None:
    settings = RunSettings(
        model="tssl_backprop", changes={"layers": "12", "batch": "4"}, images=16, epochs=2, block=8, test_images=12,
        device="numpy", evaluate_every=16, evaluate_images=10,
    )  # fmt: skip
    path = training.train(settings, tmp_path / "run")
    run = Run.open(path)
    with results.open_run(path) as tree:
        measured = tssl_backprop.measure(tree, settings)
        assert tree[results.EVALUATION].to_dataset()["readout"].values.tolist() == [
            "response", "response_ties_by_potential",
        ]  # fmt: skip
    observed = tssl_backprop.observe(run)
    active, fired = run.state["hidden_1.n_active"], run.state["hidden_1.n_fired"]
    assert measured["training_time"][0] > 0
    assert active.max() <= 16, "of the last pass alone"
    assert 0 < fired.sum() <= 16 * 12 * 5
    assert observed["dead"].value == pytest.approx(100 * (active == 0).mean(), abs=1e-3)
    assert observed["dead_hidden_1"] == observed["dead"]
    assert observed["spikes_a_neuron"].value == pytest.approx(fired.sum() / 12 / 16, abs=1e-4)
