"""The protocol of column feedback: its cells, and what is measured of a run."""

from __future__ import annotations

from pathlib import Path

from hebbarium.models.column_feedback import ColumnFeedback
from hebbarium.protocols import column_feedback
from hebbarium.record import results
from hebbarium.training import training
from hebbarium.training.run_settings import RunSettings


def test_the_rate_falls_to_zero_by_the_last_pass_of_each_cell() -> None:
    for cell in column_feedback.PAPER.cells:
        model = RunSettings(model="column_feedback", changes=cell.changes).make_model()
        assert isinstance(model, ColumnFeedback)
        assert model.fall_over == cell.run.get("epochs", column_feedback.PROTOCOL.epochs), cell


def test_nothing_was_searched_on_test_images() -> None:
    searched = [cell for cell in column_feedback.PAPER.cells if cell.table == "search"]
    assert searched
    assert all(cell.run["evaluate_on"] == "validation" for cell in searched)


def test_a_run_is_measured(tmp_path: Path) -> None:
    settings = RunSettings(
        model="column_feedback", changes={"neurons": "20", "t_train": "20*ms", "t_test": "30*ms"}, images=16,
        epochs=2, test_images=8, block=8, device="numpy",
    )  # fmt: skip
    run = training.train(settings, tmp_path / "run")
    with results.open_run(run) as tree:
        measured = column_feedback.measure(tree, settings)
        wall_time = tree.attrs["wall_time_s"]
        shown = tree["activity/output"].to_dataset().isel(sample=slice(16, 32))
        fitted = 100 * float((shown["v"].argmax("neuron") == shown["label"]).mean())
    assert measured == {"fitted": (fitted, "%"), "training_time": (round(wall_time / 32, 6), "s")}
    assert wall_time > 0
