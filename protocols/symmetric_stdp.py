"""Hao et al., Sections 3, 6 and 7: how the network is trained and tested, and the numbers the paper reports.

Run it (``python protocols/symmetric_stdp.py``): it trains a small network on the digits that come with the project,
tests it and draws what it has learned. Edit what stands under "What to run" and run it again. ``--paper`` runs the
paper's own protocol. ``hebbarium reproduce symmetric_stdp --table 1`` makes a whole table.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr

from hebbarium.analysis import figures
from hebbarium.ledger import ledger
from hebbarium.ledger.figures import Curve
from hebbarium.ledger.literature import Ours
from hebbarium.models.symmetric_stdp import MNIST
from hebbarium.record import results
from hebbarium.studies.contenders import Contender, Told
from hebbarium.studies.paper_figures import PaperFigure, of_result
from hebbarium.studies.reproduction import Cell, Paper, named
from hebbarium.training import script
from hebbarium.training.run_settings import RunSettings

# -- What to run ---------------------------------------------------------------------------------------------
# Any parameter of the model, with its unit; `hebbarium describe symmetric_stdp` lists them.
SETTINGS = {
    "neurons": 100,             # Table 1
    "plasticity": "symmetric",  # Eq. 6; or classic
    "increment": "decaying",    # Eq. 5; or constant
}  # fmt: skip
SEED = 0
SHORT = RunSettings(
    model="symmetric_stdp", dataset="mnist-embedded", images=2_000, test_images=500, labels_from="last_pass"
)

# -- Section 3: the protocol ---------------------------------------------------------------------------------
# A time step of 0.5 ms, 350 ms an image and 150 ms of rest, the image shown again if it evokes fewer than five
# spikes, and the constants of each size are the model's: see models/symmetric_stdp.py.
PROTOCOL = RunSettings(
    model="symmetric_stdp",
    changes={"rest": "jump"},  # what it does is within rounding, and it saves a quarter of the time
    dataset="mnist",
    images=None,              # "training set: 60000 samples"
    epochs=3,                 # by size, see below
    test_images=None,         # all 10,000 test images
    labels_from="last_pass",
)  # fmt: skip
SEEDS = (0, 1, 2)             # the paper averages over five trials

#: "3, 5, 7, 10, and 20 epochs for the excitatory neuron number of the hidden layer" of Table 1
EPOCHS = {100: 3, 400: 5, 1600: 7, 6400: 10, 10000: 20}
SIMULTANEOUS = "simultaneous"
#: two hidden layers with what did best on held-out images, of the search in results/symmetric_stdp.csv
STRONGER = {"hidden": "2", "w_max_class": "16"}
#: the network whose convergence Fig. 3 here shows: its accuracy on all test images after every 10,000 images
FOLLOWED = ("1", 400)
#: lateral inhibition in the authors' code, at all sizes. The model's own, which was chosen on held-out images size by
#: size, is tuned where the authors tuned nothing: Table 1 is made with both.
AUTHORS_INHIBITION = "17"
#: passes through the training images that one core makes in two hours, in place of the paper's ten and twenty
IN_TWO_HOURS = {6400: 6, 10000: 5}
#: thresholds that do not fall, as in the authors' code, and those that 17 spikes an image keep in balance
RECRUITING: tuple[dict[str, str], ...] = ({"theta_decay": "none"}, {"tau_theta": "7e8*ms"})
#: the paper's passes with 6400 neurons, on held-out images after each
HELD_OUT: dict[str, Any] = {
    "epochs": EPOCHS[6400], "schedule": SIMULTANEOUS, "validation": 5_000, "evaluate_on": "validation",
    "evaluate_every": 55_000, "evaluate_images": 5_000,
}  # fmt: skip
# The class layer does not act on the hidden layer: the hidden layer of the simultaneously trained network is what the
# first half of layer-by-layer training comes to. On top of it, a new class layer is trained.
CLASSES = "classes"

# -- Tables 1 and 3, accuracy in per cent: {neurons: (simultaneous, layer by layer, label statistics)} ---------
# Each with what stands behind ±, over five trials. Label statistics are read from the simultaneously trained network.
_TABLE_1 = {
    100: ((83.67, 0.30), (83.57, 0.33), (83.00, 0.50)),
    400: ((91.13, 0.05), (91.41, 0.15), (91.02, 0.23)),
    1600: ((91.22, 0.13), (91.82, 0.41), (91.19, 0.32)),
    6400: ((95.89, 0.14), (96.28, 0.10), (96.02, 0.08)),
    10000: ((96.35, 0.09), (96.73, 0.11), (96.52, 0.13)),
}
_TABLE_3 = {
    400: ((77.61, 0.40), (78.68, 0.27), (77.73, 0.50)),
    6400: ((84.23, 0.19), (84.71, 0.17), (84.65, 0.22)),
}


def _cells() -> Iterator[Cell]:
    for table, dataset, rows in (("1", "mnist", _TABLE_1), ("3", "fashion-mnist", _TABLE_3)):
        for neurons, (simultaneous, layer_by_layer, label_statistics) in rows.items():
            both = {results.CLASS_LAYER: simultaneous, results.CLASS_MEAN: label_statistics}
            alone = {results.CLASS_LAYER: layer_by_layer}
            for changes in _settings(dataset, neurons):
                followed = len(changes) == 1 and (table, neurons) == FOLLOWED
                run: dict[str, Any] = {"epochs": EPOCHS[neurons]}
                curve = {"evaluate_every": 10_000, "evaluate_images": 10_000} if followed else {}
                row = named(changes)
                yield Cell(
                    table, dataset, row, changes, run={**run, "schedule": SIMULTANEOUS, **curve}, **_printed(both)
                )
                yield Cell(
                    table, dataset, row, changes, run={**run, "schedule": CLASSES, **curve},
                    after={"schedule": SIMULTANEOUS}, **_printed(alone),
                )  # fmt: skip
    # Section 7: "Taking N_E = 100 as an example"; with stronger synapses among hidden layers, see the search
    for changes, accuracy in (({"hidden": "0"}, 57.74), ({"hidden": "2"}, 81.65), (STRONGER, 81.65)):
        run = {"epochs": 3, "schedule": SIMULTANEOUS}
        yield Cell("Section7", "mnist", "100", {"neurons": "100", **changes}, accuracy, {}, run)
    for neurons, epochs in IN_TWO_HOURS.items():
        simultaneous, _, label_statistics = _TABLE_1[neurons]
        run = {"epochs": epochs, "schedule": SIMULTANEOUS, "evaluate_every": 60_000, "evaluate_images": 2_000}
        both = {results.CLASS_LAYER: simultaneous, results.CLASS_MEAN: label_statistics}
        yield Cell("two_hours", "mnist", str(neurons), {"neurons": str(neurons)}, run=run, **_printed(both))
    for changes in RECRUITING:
        row = named(changes)
        recruited = {"neurons": "6400", "w_ie": AUTHORS_INHIBITION, **changes}
        yield Cell("recruitment", "mnist", row, recruited, run=HELD_OUT)
        yield Cell("recruitment", "mnist", row, recruited, run={**HELD_OUT, "schedule": CLASSES},
                   after={"schedule": SIMULTANEOUS})
    for neurons in (100, 400):  # Section 5: "a decay factor for alpha [...] could significantly improve performance"
        for ablation in ({}, {"increment": "constant"}, {"plasticity": "classic"}):
            changes, run = {"neurons": str(neurons), **ablation}, {"epochs": EPOCHS[neurons], "schedule": SIMULTANEOUS}
            yield Cell("ablations", "mnist", str(neurons), changes, None, {}, run)


def _printed(numbers: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
    """A cell's numbers and their spreads, of each readout."""
    accuracies = {readout: number for readout, (number, _) in numbers.items()}
    return {
        "accuracy": accuracies.pop(results.CLASS_LAYER),
        "others": accuracies,
        "spreads": {readout: spread for readout, (_, spread) in numbers.items()},
    }


def _settings(dataset: str, neurons: int) -> Iterator[dict[str, str]]:
    """What a row of Tables 1 and 3 is made with: the model's constants, and the authors' inhibition beside them."""
    if dataset == "fashion-mnist":
        yield {"neurons": str(neurons), "tuned_for": dataset}
        return
    yield {"neurons": str(neurons)}
    if MNIST[neurons]["w_ie"] != float(AUTHORS_INHIBITION):
        yield {"neurons": str(neurons), "w_ie": AUTHORS_INHIBITION}


def measure(tree: xr.DataTree, asked: RunSettings) -> Mapping[str, tuple[float, str]]:
    """Numbers of a complete run besides its accuracy.

    ``neurons_answering``
        hidden neurons that answer a test image, on average ("no more than 10 neurons usually responded").
    ``answered_by_ten``
        test images that at most ten hidden neurons answer, in per cent.
    ``presentations``
        how often a training image was shown, on average over the last pass.
    ``after_1_pass``, ``after_2_passes`` ...
        accuracy of the class layer then, in per cent, if it was measured after every pass.
    ``training_time``
        seconds a training image, on the computer it was run on.
    """
    found: dict[str, tuple[float, str]] = {}
    trained = tree["activity"].children[next(iter(tree["activity"].children))].to_dataset()
    if f"/test/{results.EXCITATORY}" in tree.groups:
        answering = (tree[f"test/{results.EXCITATORY}"].to_dataset()["spike_count"].values > 0).sum(axis=1)
        found["neurons_answering"] = (round(float(answering.mean()), 3), "")
        found["answered_by_ten"] = (round(float(100 * np.mean(answering <= 10)), 2), "%")
    last = trained["presentations"].values[-len(np.unique(trained["image"].values)) :]
    found["presentations"] = (round(float(last.mean()), 4), "")
    over_time = tree[results.EVALUATION].to_dataset()["accuracy"].isel(seed=0)
    if over_time.sizes["samples_seen"] == asked.epochs > 1:
        accuracies = over_time.sel(readout=results.CLASS_LAYER).values
        for number, accuracy in enumerate(accuracies, start=1):
            found[f"after_{number}_pass{'es' * (number > 1)}"] = (round(float(accuracy), 2), "%")
    found["training_time"] = (round(float(tree.attrs["wall_time_s"]) / trained.sizes["sample"], 6), "s")
    return found


OURS = Ours(
    "symmetric_stdp", "mnist", results.CLASS_LAYER, ("Table 1",),
    {"learning_method": "symmetric STDP", "training_type": "Spike-based", "supervised": "yes"},
)  # fmt: skip


def _tuned(row: ledger.Row) -> str:
    """What was tuned where the authors tuned nothing."""
    if "tuned_for" in row.symbols:
        return "constants were tuned for this set on held-out images"
    tuned = row.item.startswith("Table") and row.symbols["w_ie"] != AUTHORS_INHIBITION
    return "inhibition was tuned on held-out images where the authors tuned nothing" * tuned


def _short(neurons: int, images: int | None, **changes: str) -> RunSettings:
    given = {**PROTOCOL.changes, "neurons": str(neurons), "w_ie": AUTHORS_INHIBITION, **changes}
    return dataclasses.replace(PROTOCOL, images=images, epochs=1, changes=given, schedule=SIMULTANEOUS)


def _passes(row: ledger.Row) -> float:
    return float(row.measure.split("_")[1])


def _thresholds(row: ledger.Row) -> str:
    """The line of the recruitment's curve that a row belongs to."""
    return "thresholds never fall" if row.symbols.get("theta_decay") == "none" else "thresholds fall slowly"


PAPER = Paper(
    PROTOCOL, tuple(_cells()), columns="schedule", seeds=SEEDS, measure=measure, readout=results.CLASS_LAYER,
    curves={
        "recruitment": Curve(
            "Passes", _passes, measure=r"after_\d+_pass(es)?", label="Class layer, held out (%)", line=_thresholds
        ),
    },
    literature={"literature_mnist": OURS},  # Table 2
    contender=Contender(
        Told.TEACHER, {"item": "Table 1|Table 3|two_hours", "schedule": SIMULTANEOUS}, ("w_ie", "tuned_for"), _tuned,
        short=dataclasses.replace(SHORT, changes=SETTINGS),
    ),
    short_runs={"symmetric": _short(400, None), "classic": _short(100, 1_000, plasticity="classic")},
    figures={
        "Fig1_classic.svg": PaperFigure({"": "classic"}, of_result(figures.stdp_window)),
        "Fig1_symmetric.svg": PaperFigure({"": "symmetric"}, of_result(figures.stdp_window)),
        "Fig4.svg": PaperFigure(
            {"": "symmetric"}, of_result(lambda tree: figures.confusion_matrix(tree, results.CLASS_LAYER))
        ),
    },
)  # fmt: skip


if __name__ == "__main__":
    sys.exit(script.main(__doc__, SHORT, PROTOCOL, SETTINGS, SEED))
