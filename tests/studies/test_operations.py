"""Operations of runs: rows, the table, and the ledger that keeps them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hebbarium.commands import commandline
from hebbarium.ledger import figures as table_figures
from hebbarium.ledger import ledger
from hebbarium.ledger import operations as counted
from hebbarium.studies import operations
from hebbarium.training import training
from hebbarium.training.run_settings import RunSettings


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    asked = RunSettings(
        model="desire_backprop", changes={"layers": "6", "steps": "5", "margin": "1", "eta": "1e-3"}, images=20,
        block=10, test_images=20, snapshots=1, device="numpy",
    )  # fmt: skip
    return training.train(asked, tmp_path_factory.mktemp("operations") / "run")


@pytest.fixture(scope="module")
def rows(run: Path) -> list[counted.SampleCost]:
    return operations.measure(run, images=4)


@pytest.mark.long
def test_rows_of_a_run(rows: list[counted.SampleCost]) -> None:
    train, test = rows
    assert (train.phase, test.phase) == ("train", "test")
    assert train.network.layers == "784-6-10"
    assert train.network.setting == "layers=6 steps=5 margin=1 eta=0.001"
    assert (train.images, train.presentations, train.network.trained, train.tested) == (4, 1.0, 20, 20)
    assert set(train.spikes) == {"input", "hidden_1", "output"}
    assert train.network.command.startswith("hebbarium train desire_backprop")
    assert test.skipped is None
    assert train.skipped is not None
    assert 0 < train.skipped <= 100
    # every input spike reaches six neurons, and so on: what forward adds, but for membranes and resets
    spikes = {name: number * size for (name, number), size in zip(test.spikes.items(), (784, 6, 10), strict=True)}
    events = spikes["input"] * 6 + spikes["hidden_1"] * 10
    assert test.synaptic_events == pytest.approx(events)
    assert test.counts["forward"]["multiplications"] == 5 * 16
    assert test.counts["forward"]["additions"] == pytest.approx(
        events + 5 * 16 + spikes["hidden_1"] + spikes["output"]
    )
    assert test.conventional["forward"] == {"multiplications": 4764, "additions": 4764, "comparisons": 0}
    assert train.conventional["update"]["multiplications"] == 2 * 4764
    assert train.conventional["backward"]["multiplications"] == 2 * 6 * 10
    assert test.conventional_energy("forward") == pytest.approx(4764 * 4.6 / 1000)


@pytest.mark.long
def test_samples_that_learn_in_batches(tmp_path: Path) -> None:
    settings = RunSettings(
        model="timing_backprop", changes={"layers": "6", "batch": "10", "most": "8"}, images=20, block=20,
        test_images=20, snapshots=1, device="numpy",
    )  # fmt: skip
    run = training.train(settings, tmp_path / "run")
    train, test = operations.measure(run, images=20)
    assert (train.images, train.presentations, test.presentations) == (20, 1, 1)
    assert train.network.layers == "784-6-10"
    spikes = {name: number * size for (name, number), size in zip(test.spikes.items(), (784, 6, 10), strict=True)}
    assert spikes["hidden_1"] > 0
    assert spikes["output"] == 0
    assert test.synaptic_events == pytest.approx(spikes["input"] * 6 + spikes["hidden_1"] * 10)
    # each step, hidden neurons look for a crossing and integrate; outputs integrate
    assert test.counts["forward"]["multiplications"] == pytest.approx(
        255 * (6 * 14 + 10 * 4) + spikes["hidden_1"] * (12 + 10 * 4)
    )
    # of ten samples, eleven presentations, and one step of Adam
    shown = {name: number * size for (name, number), size in zip(train.spikes.items(), (784, 6, 10), strict=True)}
    assert train.counts["forward"]["multiplications"] == pytest.approx(
        1.1 * 255 * (6 * 14 + 10 * 4) + shown["hidden_1"] * (12 + 10 * 4)
    )
    always = 1.1 * (255 * (6 * 8 + 10 * 4) + 100 * 5 + 10 * 3) + (784 * 6 * 18 + 6 * 10 * 16 + 6 * 12 + 10 * 10) / 10
    assert train.counts["update"]["multiplications"] == pytest.approx(always + shown["hidden_1"] * (7 + 10 * 9 + 20))
    with pytest.raises(ValueError, match="--images 15: expected whole batches of timing_backprop, of 10 samples each"):
        operations.measure(run, images=15)


def test_a_ledger_keeps_rows(rows: list[counted.SampleCost], tmp_path: Path) -> None:
    path = tmp_path / "desire_backprop.csv"
    assert counted.append(tmp_path, rows) == [path]
    other = dataclasses.replace(rows[0], network=dataclasses.replace(rows[0].network, seed=1))
    counted.append(tmp_path, [dataclasses.replace(rows[0], images=7), other])
    kept = counted.read(tmp_path)
    assert [(row.phase, row.network.seed, row.images) for row in kept] == [
        ("train", 0, 7), ("test", 0, 4), ("train", 1, 4)
    ]  # fmt: skip
    assert kept[1].network == rows[1].network
    assert kept[1].spikes == pytest.approx(rows[1].spikes, rel=1e-5)
    assert kept[1].counts["forward"]["additions"] == pytest.approx(rows[1].counts["forward"]["additions"], rel=1e-5)
    assert kept[1].conventional == rows[1].conventional
    assert kept[1].skipped is None
    table = ledger.table_of("operations", tmp_path)
    assert table.count("| desire_backprop |") == 3
    assert "additions 0.9" in table
    assert counted.markdown_table([]) == "*No numbers in the ledger yet.*"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(one for one in lines if "synaptic_events" not in one))
    with pytest.raises(ledger.LedgerError, match=r"desire_backprop\.csv.* phase=train: lacks synaptic_events; count"):
        counted.read(tmp_path)
    path.write_text("".join(lines).replace(",7,last", ",seven,last"))
    with pytest.raises(ledger.LedgerError, match=r"desire_backprop\.csv, line \d+: .*seven"):
        counted.read(tmp_path)


@pytest.mark.long
def test_the_command(run: Path, rows: list[counted.SampleCost], tmp_path: Path) -> None:
    given = ["operations", str(run), "--images", "4", "--cost", "additions=1.8", "--results", str(tmp_path)]
    done = CliRunner().invoke(commandline.app, given)
    assert done.exit_code == 0, done.output
    assert "additions 1.8" in done.output
    assert (tmp_path / "figures" / "operations.svg").is_file()
    again = counted.read(tmp_path)
    for one, other in zip(again, rows, strict=True):
        assert one.counts["forward"] == pytest.approx(other.counts["forward"], rel=1e-5), "the same images cost more"
        assert one.energy("forward") > other.energy("forward")


@pytest.mark.parametrize("wrong", ["additions", "additions=much", "divisions=1", "additions=-1"])
def test_wrong_costs_are_named(wrong: str) -> None:
    with pytest.raises(ValueError, match=f"--cost {wrong}: expected one of multiplications, additions"):
        counted.costs([wrong])


def test_no_rows_no_figure() -> None:
    with pytest.raises(ValueError, match="there are no rows"):
        table_figures.operation_costs([])
