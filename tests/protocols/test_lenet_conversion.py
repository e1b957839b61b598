"""The protocol of conversion: its cells, what is measured of a run, and what its figures are drawn from."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest

from hebbarium.ledger import ledger
from hebbarium.ledger.figures import curve
from hebbarium.models.lenet_conversion import LeNetConversion
from hebbarium.models.operations import Shown
from hebbarium.protocols import lenet_conversion as protocol
from hebbarium.studies import operations, reproduction
from hebbarium.studies.reproduction import Reproduction
from hebbarium.training import training
from hebbarium.training.run import Run
from hebbarium.training.run_settings import RunSettings

SMALL = dataclasses.replace(
    protocol.PROTOCOL, dataset="mnist-embedded", images=60, test_images=12, device="numpy", changes={"t_max": 32}
)


def test_the_printed_numbers_stand_beside_both_networks() -> None:
    (cell,) = [cell for cell in protocol.PAPER.cells if cell.accuracy is not None]
    assert reproduction.printed(cell, "lenet_conversion") == {"most_spikes": 97.92, "network": 98.38}
    model = RunSettings("lenet_conversion", changes=cell.changes).make_model()
    assert isinstance(model, LeNetConversion)
    assert (model.network, model.reset, model.drive, model.t_max) == ("lenet", "subtraction", "current", 100)
    names = {readout.name for readout in model.readouts}
    assert {protocol.READOUT, protocol.UNTIED, protocol.OWN, "most_spikes_at_30_ms"} <= names


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[ledger.Row], Run]:
    """Rows of a small reproduction, and its run."""
    folder = tmp_path_factory.mktemp("made")
    cells = [reproduction.embedded(cell) for cell in protocol.PAPER.cells[:1]]
    small = Reproduction(protocol.PAPER, cells, (0,), folder / "runs", folder / "results", SMALL, keep=True)
    (outcome,) = reproduction.reproduce(small)
    assert outcome.problem is None or outcome.problem == ""
    return ledger.read(small.ledger), Run.open(outcome.run.folder)


@pytest.mark.long
def test_rows_say_accuracies_gaps_and_costs(made: tuple[list[ledger.Row], Run]) -> None:
    rows, run = made
    measured = {(row.readout, row.measure): row for row in rows}
    with run.results() as tree:
        evaluation = tree["evaluation"].to_dataset().load()
        counts = tree["test/output"].to_dataset()["spike_count_at_20_ms"].values
    scores = evaluation["accuracy"].isel(seed=0, samples_seen=-1)
    own = float(scores.sel(readout="network"))
    assert measured["network", "accuracy"].value == pytest.approx(own, abs=0.01)
    assert {row.trained for row in rows} == {0}  # nothing learned
    assert {row.tested for row in rows if row.measure == "accuracy"} == {12}
    for name, gap in (("most_spikes", "gap"), ("most_spikes_at_20_ms", "gap_at_20_ms"),
                      ("most_spikes_then_v_at_10_ms", "gap_then_v_at_10_ms")):  # fmt: skip
        assert measured["", gap].value == pytest.approx(own - float(scores.sel(readout=name)), abs=0.01)
        assert measured["", gap].unit == "points"
    ties = 100 * np.mean([np.sum(row == row.max()) > 1 for row in counts])
    assert measured["", "ties_at_20_ms"].value == pytest.approx(ties, abs=0.01)
    differ = evaluation["predicted"].sel(readout="most_spikes") != evaluation["predicted"].sel(readout="network")
    assert measured["", "others"].value == pytest.approx(100 * float(differ.mean()), abs=0.01)
    assert measured["", "conventional_operations"].value == 2 * 281.64
    assert measured["", "conventional_energy"].value == pytest.approx(281.64e3 * 4.6 / 1000, rel=1e-3)
    until = [measured["", f"operations{at}"].value for at in ("_at_10_ms", "_at_15_ms", "_at_20_ms", "_at_30_ms", "")]
    assert all(less < more for less, more in itertools.pairwise(until))
    assert measured["", "test_time"].value > 0
    if float(scores.max()) >= 98 and ("", "time_to_98") in measured:
        steps = int(measured["", "time_to_98"].value)
        at = f"_at_{steps}_ms" if steps < 32 else ""
        assert measured["", "operations_to_98"].value == measured["", f"operations{at}"].value


def test_operations_are_those_that_the_spikes_say(made: tuple[list[ledger.Row], Run]) -> None:
    _, run = made
    model = run.model
    assert isinstance(model, LeNetConversion)
    (one,) = operations.in_testing(run, 1)[0]
    assert isinstance(one, Shown)
    for steps in (10, 32):
        part = operations.until(one, steps)
        counted = operations.tally(model, "test", False, iter([[part]]))
        weighted = {name: layer.weighted for name, layer, _ in model.layers}
        sizes = {name: neurons for name, _, neurons in model.layers}
        # a level that is sent, at each of its synapses; a spike at each of those of its neuron, and its own reset
        reach = {}
        names = ["input", *weighted]
        pairs = zip(model.conventional.layers, model.conventional.shapes, strict=False)
        for name, (layer, shape) in zip(names, pairs, strict=False):
            reach[name] = len(layer.weights(shape)) / np.prod(shape)
        events = {name: part.count(name) * reach.get(name, 0) for name in names}
        additions = sum(events.values()) + sum(part.count(name) for name in weighted)
        additions += steps * sum(n for name, n in sizes.items() if weighted[name])
        done = counted.counts["forward"]
        assert counted.synaptic_events == pytest.approx(sum(events.values()))
        assert done.additions == pytest.approx(additions)
        assert done.multiplications == pytest.approx(events["input"])
        assert done.comparisons == pytest.approx(steps * sum(sizes.values()))


def test_both_figures_are_drawn_of_the_rows(made: tuple[list[ledger.Row], Run]) -> None:
    rows, _ = made
    for name, lines in (("Fig.18", {"most spikes", "ties broken by potentials"}), ("Fig.14", {"spiking network"})):
        drawn = protocol.PAPER.curves[name]
        shown = drawn.of(rows, protocol.READOUT)
        assert {drawn.line(row).partition(";")[0] for row in shown} == lines
        assert {drawn.number(row) for row in shown} == {10, 15, 20, 30, 32}
        axes = curve(rows, drawn, protocol.READOUT).axes[0]
        level = next(line for line in axes.lines if line.get_linestyle() == "--")
        assert level.get_ydata()[0] == (  # type: ignore[index]
            281.64 * 2 if name == "Fig.14" else next(row.value for row in rows if row.readout == "network")
        )


def test_the_script_converts(tmp_path: Path) -> None:
    run = training.train(dataclasses.replace(SMALL, test_images=4, changes={**protocol.SETTINGS, "t_max": 4}),
                         tmp_path / "run")  # fmt: skip
    assert Run.open(run).is_complete
