"""Time courses: what a trained network does with one image, step by step, and the figure of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hebbarium.analysis.figures.time_course import with_spikes
from hebbarium.files.errors import ModelRefused
from hebbarium.models.contract import Model
from hebbarium.models.timing_backprop import TimingBackprop
from hebbarium.protocols import timing_backprop
from hebbarium.record import results
from hebbarium.studies import time_courses
from hebbarium.training import training
from hebbarium.training.run import Run
from hebbarium.training.run_settings import RunSettings
from tests.oracles import timing_backprop as oracle


def the_model(model: Model) -> TimingBackprop:
    assert isinstance(model, TimingBackprop)
    return model


NAMES = ("hidden_1.v", "hidden_1.z", "hidden_1.i_syn", "output.v")


@pytest.fixture(scope="module", params=["leaky", "none"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    asked = RunSettings(
        model="timing_backprop", changes={"layers": "12", "batch": "10", "leak": request.param}, images=10,
        test_images=20, block=10, snapshots=1, device="numpy", precision="float64",
    )  # fmt: skip
    return training.train(asked, tmp_path_factory.mktemp("course") / "run")


@pytest.mark.long
def test_a_course_is_that_of_the_oracle(run: Path) -> None:
    opened = Run.open(run)
    course = time_courses.of_run(run, NAMES, number=3)
    shown = opened.samples("tested")
    model = the_model(opened.model)
    assert course.label == shown.labels[3]
    latencies = np.where(shown.pixels[[3]] > 0, 1 - shown.pixels[[3]] / 255, np.nan)
    weights = [opened.state["to_hidden_1.w"].reshape(784, 12), opened.state["to_output.w"].reshape(12, 10)]
    trace = oracle.forward(latencies[0], weights, oracle.Options(leak="none" if model.leak == "none" else "leaky"))
    times = timing_backprop.spike_times(course, model, "hidden_1")
    assert sum(map(len, times)) > 12
    for ours, theirs in zip(times, trace.layers[0].spikes, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)
    assert course.times[-1] == pytest.approx(1e-3)
    for population, layer in (("hidden_1", trace.layers[0]), ("output", trace.layers[1])):
        np.testing.assert_allclose(course.values[f"{population}.v"][:, -1], layer.v, rtol=0, atol=1e-9)
    given = course.spikes["input"]
    np.testing.assert_allclose(np.sort(given.step) / 255, np.sort(latencies[latencies < 1]))


def test_the_figure_is_of_the_neuron_that_fires_most(run: Path) -> None:
    figure = timing_backprop.draw_course({"": run})
    top, alone, several, outputs = figure.axes
    assert np.size(top.lines[0].get_xdata()) > 20
    assert len(several.lines) == 12 + 1
    assert len(outputs.lines) == 10
    marks = np.size(alone.lines[-1].get_xdata())
    most = max(len(at) for at in timing_backprop.spike_times(
        time_courses.of_run(run, NAMES), the_model(Run.open(run).model), "hidden_1"
    ))  # fmt: skip
    assert marks == most > 0


def test_decisions_are_followed(run: Path) -> None:
    opened = Run.open(run)
    observe = timing_backprop.PAPER.observe
    assert observe is not None
    measured = observe(opened)
    assert list(measured) == ["decision_latency", *(f"accuracy_at_{t}_ms" for t in ("0.2", "0.4", "0.6", "0.8", "1"))]
    with opened.results() as tree:
        accuracy = tree[results.EVALUATION].to_dataset()["accuracy"].isel(seed=0, samples_seen=-1)
        assert measured["accuracy_at_1_ms"].value == pytest.approx(float(accuracy.sel(readout="potential")))
    assert 0 < measured["decision_latency"].value < 1
    assert {one.unit for one in measured.values()} == {"ms", "%"}


def test_a_decision_is_made_when_nobody_overtakes_any_more() -> None:
    v = np.array([
        [[0, 1, 1, 3], [0, 5, 6, 7], [0, 0, 0, 0], [1, 1, 1, 1]],
        [[0, 2, 2, 2], [0, 1, 1, 1], [0, 1, -1, 0], [0, 0, 0, 0]],
    ], float)  # fmt: skip
    # overtakes in the last step; is ahead from the second on; nobody is ahead in the end; ahead from the first on
    assert timing_backprop.decided(v).tolist() == [4, 2, 4, 1]


def test_what_is_not_there_is_named(run: Path) -> None:
    with pytest.raises(ModelRefused, match=r"hidden_2\.v is no variable"):
        time_courses.of_run(run, ("hidden_2.v",))
    with pytest.raises(ModelRefused, match=r"output\.z is no variable"):
        time_courses.of_run(run, ("output.z",))
    with pytest.raises(ValueError, match="image 20: expected one of the 20"):
        time_courses.of_run(run, NAMES, number=20)


def test_a_line_rises_to_the_threshold_and_falls_at_a_spike() -> None:
    times, values = with_spikes([1.0, 2.0, 3.0], [0.5, 0.2, 0.4], [1.5, 2.0], threshold=1.0)
    assert times.tolist() == [0, 1, 1.5, 1.5, 2, 2, 2, 3]
    assert values.tolist() == [0, 0.5, 1, 0, 0.2, 1, 0, 0.4]
