"""Column feedback: how it is trained and tested, what its parts are worth, and how it grows.

Run it (``python protocols/column_feedback.py``): it trains a small network on the digits that come with the project,
tests it and draws what came of it. Edit what stands under "What to run" and run it again. ``--paper`` trains on all of
MNIST as the rows are made. ``hebbarium reproduce column_feedback --table sizes`` makes a whole table. No paper prints a
number for this rule; everything was chosen on held-out training images (table ``search``).
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import xarray as xr

from hebbarium.analysis.accuracy import of_last_pass
from hebbarium.ledger import ledger
from hebbarium.ledger.figures import Curve
from hebbarium.record import results
from hebbarium.studies import forgetting
from hebbarium.studies.contenders import Contender, Told
from hebbarium.studies.reproduction import Cell, Paper, named
from hebbarium.training import script
from hebbarium.training.run_settings import RunSettings

# -- What to run ---------------------------------------------------------------------------------------------
# Any parameter of the model, with its unit; `hebbarium describe column_feedback` lists them.
SETTINGS = {
    "neurons": 100,
    "feedback": "column",    # or mixed, learned, none
    "fall_over": 2,          # passes until the rate of learning is zero: as many as there are
}  # fmt: skip
SEED = 0
SHORT = RunSettings(model="column_feedback", dataset="mnist-embedded", epochs=2, test_images=500)

# -- The protocol ----------------------------------------------------------------------------------------------
PASSES, FEW = 8, 3
PROTOCOL = RunSettings(
    model="column_feedback",
    dataset="mnist",
    images=None,       # all 60,000
    epochs=PASSES,
    test_images=None,  # all 10,000
)  # fmt: skip
SEEDS = (0, 1, 2)

SIZES = (100, 400)
DATASETS = ("mnist", "fashion-mnist")
WITHOUT: tuple[Mapping[str, str], ...] = (
    {},
    {"feedback": "mixed"},
    {"feedback": "none"},
    {"against": "0"},
    {"eta_class": "0"},
)
"""The rule, and the rule with one of its parts left away or another in its place."""
SEARCHED: tuple[Mapping[str, str], ...] = (
    {},
    {"eta": "0.001"},
    {"eta": "0.006"},
    {"eta": "0.001", "v_first": "0.2"},
    {"eta": "0.003", "h": "0.2", "w_sd": "0.1"},
    {"eta": "0.003", "eta_class": "2", "w_sd": "0.1"},
    {"eligibility": "count"},
    {"eligibility": "near", "eta": "0.003"},
    {"eligibility": "pairs", "eta": "0.0005"},
)
"""What was tried on held-out images of MNIST; the rule is the first."""
RATE: Mapping[str, str] = {"total_rate": "19600*Hz", "gain": "7.5*ms"}
"""Four times as many spikes of the inputs, each a fourth as strong."""
MORE_SPIKES: Mapping[str, str] = {**RATE, "eta": "0.001"}
LEARNED: Mapping[str, str] = {**RATE, "feedback": "learned", "eta": "0.003"}
GARMENTS: tuple[Mapping[str, str], ...] = (
    {},
    {"total_rate": "9800*Hz", "gain": "15*ms"},
    RATE,
    {**RATE, "eta": "0.0005"},
    MORE_SPIKES,
    {**MORE_SPIKES, "w_sd": "0.1"},
    {**MORE_SPIKES, "h": "0.2"},
    {"t_train": "450*ms", "h": "0.033"},
    {"w_sd": "0.1"},
    {"eta": "0.0007"},
    {"feedback": "mixed"},
    {**LEARNED, "eta": "0.001", "b_first": "1"},
    LEARNED,
    {**LEARNED, "eta": "0.006", "b_first": "0.1"},
)
"""What was tried on held-out garments with 100 neurons, which the rule does not even fit."""


def _cells() -> Iterator[Cell]:
    for dataset in DATASETS:
        for neurons in SIZES:
            yield Cell("sizes", dataset, "", {"neurons": f"{neurons}"})
            yield Cell("more spikes", dataset, "", {"neurons": f"{neurons}", **MORE_SPIKES})
            yield Cell("learned", dataset, "", {"neurons": f"{neurons}", **LEARNED})
    short: dict[str, Any] = {"epochs": FEW}
    fall: Mapping[str, str] = {"fall_over": f"{FEW}"}
    for changes in WITHOUT:
        yield Cell("parts", "mnist", named(changes), {**fall, **changes}, run=short)
    yield from forgetting.cells({"fall_over": "1"}, "the rule")
    held_out: dict[str, Any] = {"validation": 10_000, "evaluate_on": "validation"}
    for changes in SEARCHED:
        yield Cell("search", "mnist", named(changes), {**fall, **changes}, run=short | held_out)
    for changes in GARMENTS:
        few = {"neurons": "100", **fall, **changes}
        yield Cell("search", "fashion-mnist", named(changes), few, run=short | held_out)


def measure(tree: xr.DataTree, asked: RunSettings) -> Mapping[str, tuple[float, str]]:
    """Numbers of a complete run besides its accuracy.

    ``fitted``
        accuracy on the training images of the last pass, as they were shown.
    ``training_time``
        seconds a training image, on the computer it was run on.
    """
    trained = tree[f"{results.ACTIVITY}/output"].sizes["sample"]
    return {
        "fitted": (round(of_last_pass(tree[results.EVALUATION].to_dataset(), asked.epochs), 3), "%"),
        "training_time": (round(float(tree.attrs["wall_time_s"]) / trained, 6), "s"),
    }


def _neurons(row: ledger.Row) -> float:
    return float(row.neurons)


def _remark(row: ledger.Row) -> str:
    return "constants were chosen on held-out garments" if "total_rate" in row.symbols else ""


PAPER = Paper(
    PROTOCOL, tuple(_cells()), columns="neurons", seeds=SEEDS, measure=measure, readout="potential",
    curves={"sizes": Curve("Hidden neurons", _neurons, line=lambda row: row.dataset, logarithmic=True)},
    contender=Contender(
        Told.ERRORS, {"item": "sizes|more spikes|learned"}, tuple({**MORE_SPIKES, **LEARNED}), _remark,
        short=dataclasses.replace(SHORT, changes=SETTINGS),
    ),
)  # fmt: skip


if __name__ == "__main__":
    sys.exit(script.main(__doc__, SHORT, PROTOCOL, SETTINGS, SEED))
