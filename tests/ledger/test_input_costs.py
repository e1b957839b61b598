"""Accuracy against what the input costs, from the rows of a ledger."""

from __future__ import annotations

import dataclasses

import pytest

from hebbarium.ledger import ledger
from hebbarium.ledger.figures import input_costs, input_costs_of_encoders, spikes_for
from tests.ledger.test_ledger import row

PERCENT = {"": 80.0, "gain=4*ms": 70.0, "gain=16*ms": 50.0, "encoder=latency": 60.0}
SPIKES = {"": 2000.0, "gain=4*ms": 500.0, "gain=16*ms": 125.0, "encoder=latency": 100.0}


def rows(*seeds: int) -> list[ledger.Row]:
    one = dataclasses.replace(row(), item="encoders", readout="most_active", paper=None)
    made = []
    for seed in seeds:
        for setting, percent in PERCENT.items():
            accuracy = dataclasses.replace(one, setting=setting, seed=seed, value=percent + seed)
            made += [accuracy, dataclasses.replace(accuracy, readout="class_mean", value=1.0)]
            made.append(dataclasses.replace(
                one, setting=setting, seed=seed, readout="", measure="input_spikes", unit="", value=SPIKES[setting]
            ))
    return made


def test_settings_are_put_beside_their_spikes() -> None:
    costs = input_costs(rows(0, 2), "most_active")
    assert [(cost.encoder, cost.spikes, cost.accuracy, cost.seeds) for cost in costs] == [
        ("latency", 100, 61, 2), ("geometric", 125, 51, 2), ("geometric", 500, 71, 2), ("geometric", 2000, 81, 2)
    ]  # fmt: skip
    assert costs[0].error == pytest.approx(1)
    lower = [dataclasses.replace(one, setting=f"total_rate=9*Hz {one.setting}".strip()) for one in rows(0)]
    assert {cost.encoder for cost in input_costs(lower, "most_active")} == {
        "geometric, lower rates", "latency, lower rates"
    }  # fmt: skip
    axes = input_costs_of_encoders(costs).axes[0]
    assert sorted(axes.get_legend_handles_labels()[1]) == ["geometric", "latency"]
    assert "mean ± SE of 2 seeds" in axes.get_ylabel()


def test_how_many_spikes_reach_an_accuracy() -> None:
    by_rate = [cost for cost in input_costs(rows(0), "most_active") if cost.encoder == "geometric"]
    assert spikes_for(60.0, by_rate) == pytest.approx(250)
    assert spikes_for(80.0, by_rate) == pytest.approx(2000)
    for beyond in (49.0, 81.0):
        with pytest.raises(ledger.LedgerError, match="not between the accuracies of two settings"):
            spikes_for(beyond, by_rate)
