"""The paper's protocol: its cells, and what is measured of a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hebbarium.models.desire_backprop import DesireBackprop
from hebbarium.protocols import desire_backprop
from hebbarium.record import results
from hebbarium.training import training
from hebbarium.training.run_settings import RunSettings
from tests.models.desire_networks import run_samples, samples, small_model


def test_the_printed_numbers_have_the_papers_settings() -> None:
    printed = {cell.accuracy: cell for cell in desire_backprop.PAPER.cells if cell.accuracy is not None}
    assert set(printed) == {98.41, 87.56}
    fashion = RunSettings(model="desire_backprop", changes=printed[87.56].changes).make_model()
    assert isinstance(fashion, DesireBackprop)
    assert (fashion.layers, fashion.p_hidden, fashion.p_input) == ((1000, 100), 0.4, 0.05)
    assert printed[87.56].run["epochs"] == 600
    mnist = RunSettings(model="desire_backprop", changes=printed[98.41].changes).make_model()
    assert isinstance(mnist, DesireBackprop)
    assert (mnist.layers, mnist.steps, mnist.p_hidden, mnist.p_input) == ((1600, 800), 20, 0.3, 0.0)
    assert desire_backprop.PROTOCOL.epochs == 150


@pytest.mark.parametrize("reading", ["code", "paper"])
@pytest.mark.long
def test_desires_of_outputs_from_their_spikes(reading: str, tmp_path: Path) -> None:
    changes = {"reading": reading, "layers": "24,16"}
    model = small_model(reading=reading)
    for count in (1, 2, 3):
        result = run_samples(model, "numpy", tmp_path, count)
        counts = result.spikes["output"].counts(count, model.steps, model.classes)
        asked = RunSettings(model="desire_backprop", changes=changes).make_model()
        assert isinstance(asked, DesireBackprop)
        found = desire_backprop.output_desires(counts, samples(count)[1], asked)
        np.testing.assert_array_equal(found[-1], result.state["output.desire"])


@pytest.mark.long
def test_a_run_is_measured(tmp_path: Path) -> None:
    asked = RunSettings(
        model="desire_backprop", changes={"layers": "12", "steps": "6", "margin": "1"}, images=20, epochs=2, block=8,
        test_images=20, device="numpy", evaluate_every=20, evaluate_images=10,
    )  # fmt: skip
    run = training.train(asked, tmp_path / "run")
    with results.open_run(run) as tree:
        found = desire_backprop.measure(tree, asked)
        evaluation = tree[results.EVALUATION].to_dataset()
        assert list(evaluation["readout"].values) == [results.CLASS_LAYER]
        assert evaluation["running_accuracy"].size == 5
        assert {f"/weights/{name}" for name in ("input_to_hidden_1", "hidden_1_to_output")} <= set(tree.groups)
    assert set(found) == {"undecided", "without_desire", "training_time"}
    assert found["training_time"][0] > 0
