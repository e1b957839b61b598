"""Yamamoto et al., Section III: how the network is trained and tested, and the numbers the paper reports.

Run it (``python protocols/timing_backprop.py``): it trains a small network on the digits that come with the project,
tests it and draws what came of it. Edit what stands under "What to run" and run it again. ``--paper`` runs the paper's
own protocol: 100 epochs. ``hebbarium reproduce timing_backprop --table I`` makes a table.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr
from brian2 import Quantity, ms

from hebbarium.catalogue import registry
from hebbarium.ledger import ledger
from hebbarium.ledger.figures import Curve
from hebbarium.record import results
from hebbarium.studies.reproduction import Cell, Paper
from hebbarium.training import parameters, script
from hebbarium.training.run_settings import RunSettings

# -- What to run ---------------------------------------------------------------------------------------------
# Any parameter of the model, with its unit; `hebbarium describe timing_backprop` lists them.
SETTINGS = {
    "layers": (100,),   # hidden layers, from below; the paper has 400
    "tau_i": 0.8*ms,    # Figs. 3-5: 0.2 to 6.4
    "spikes": "many",   # or one
}  # fmt: skip
SEED = 0
SHORT = RunSettings(model="timing_backprop", dataset="mnist-embedded", epochs=3, test_images=500)

# -- Section III: the protocol ---------------------------------------------------------------------------------
# Latencies, batches of 100, Adam at 1e-3 and both penalties are the model's: see models/timing_backprop.py.
PROTOCOL = RunSettings(
    model="timing_backprop",
    dataset="mnist",
    images=None,       # "60000 were used for training"
    epochs=100,        # "trained 100 epochs"
    test_images=None,  # "the remaining 10000 for testing"
)  # fmt: skip
SEEDS = (0, 1, 2)      # the paper: "10 experiments performed with different initial weights"

#: Fig. 5's axis in part, in epochs that are fewer than the paper's: one number for all of the curve
TAUS, CURVE_EPOCHS = (0.2, 0.4, 0.8, 1.6, 6.4), 30
HISTOGRAMS = (0.2, 0.4, 6.4)
MOST_TOLD = 12
"""Numbers of spikes that a histogram tells apart; the last one holds all larger ones."""


def _cells() -> Iterator[Cell]:
    for spikes, leak, accuracy, spread in (
        ("one", "none", 97.96, 0.08),
        ("one", "leaky", 97.99, 0.06),
        ("many", "none", 98.23, 0.07),
        ("many", "leaky", 98.43, 0.05),
    ):
        changes = {"spikes": spikes, "leak": leak}
        yield Cell("I", "mnist", f"{spikes}, {leak}", changes, accuracy, spreads={READOUT: spread})
    for spikes in ("many", "one"):
        for tau in TAUS:
            changes = {"spikes": spikes, "tau_i": f"{tau}*ms"}
            yield Cell("Fig.5", "mnist", f"{spikes} spikes" if spikes == "many" else "one spike", changes,
                       run={"epochs": CURVE_EPOCHS})
    # what the paper did not try
    yield Cell("own", "fashion-mnist", "784-400-10", {"spikes": "many"}, run={"epochs": CURVE_EPOCHS})
    yield Cell("own", "mnist", "784-800-10", {"spikes": "many", "layers": "800"})
    # what the paper leaves open, on held-out images
    held_out: dict[str, Any] = {"epochs": 10, "validation": 5000, "evaluate_on": "validation"}
    for floor in ("0*kHz", "0.01*kHz", "0.1*kHz", "1*kHz"):
        yield Cell("search", "mnist", f"floor {floor}", {"spikes": "many", "slope_floor": floor}, run=held_out)
    yield Cell("search", "mnist", "sd 0.548", {"spikes": "many", "w_sd": "0.548"}, run=held_out)
    yield Cell("search", "mnist", "sd 0.1", {"spikes": "many", "w_sd": "0.1"}, run=held_out)


READOUT = "potential"


def measure(tree: xr.DataTree, asked: RunSettings) -> Mapping[str, tuple[float, str]]:
    """Numbers of a complete run besides its accuracy, of the hidden neurons on the images that it is tested on.

    ``spikes_a_neuron``
        mean (Fig. 4).
    ``active``
        neurons that fire on an image, in per cent: with one spike a neuron, the same.
    ``dead``
        neurons that fire on no image, in per cent.
    ``with_0_spikes``, ``with_1_spikes`` ...
        neurons that fire so often on an image, in per cent (Fig. 3); of the last, so often or more.
    ``tangent``, ``late``
        spikes in training with hardly any slope, and those whose step was missed, in a million samples.
    ``training_time``
        seconds a training image, on the computer it was run on.
    """
    model: Any = asked.make_model()
    counts = np.concatenate(
        [tree[f"test/{name}"].to_dataset()["spike_count"].values for name in model.hidden], axis=1
    )
    told = np.bincount(np.minimum(counts, MOST_TOLD).ravel(), minlength=MOST_TOLD + 1) / counts.size
    trained = tree[f"{results.ACTIVITY}/output"].sizes["sample"]
    state = tree["state/hidden_1"].to_dataset().isel(samples_seen=-1)
    return {
        "spikes_a_neuron": (round(float(counts.mean()), 4), ""),
        "active": (round(float(100 * (counts > 0).mean()), 2), "%"),
        "dead": (round(float(100 * (counts == 0).all(axis=0).mean()), 2), "%"),
        **{f"with_{k}_spikes": (round(float(100 * part), 3), "%") for k, part in enumerate(told)},
        "tangent": (round(float(state["n_tangent"].sum()) / trained * 1e6, 3), "1/1e6"),
        "late": (round(float(state["n_late"].sum()) / trained * 1e6, 3), "1/1e6"),
        "training_time": (round(float(tree.attrs["wall_time_s"]) / trained, 6), "s"),
    }


def _tau_i(row: ledger.Row) -> float:
    values = parameters.apply(registry.find("timing_backprop"), {"tau_i": row.symbols["tau_i"]})
    tau: Quantity = values.tau_i  # type: ignore[attr-defined]
    return float(tau / ms)


def _spikes(row: ledger.Row) -> str:
    return {"many": "many spikes", "one": "one spike"}[row.symbols["spikes"]]


def _number(row: ledger.Row) -> float:
    return float(row.measure.split("_")[1])


def _histogram(row: ledger.Row) -> str:
    """The line of Fig. 3 that a row belongs to: of networks with many spikes, at three time constants."""
    shown = row.symbols["spikes"] == "many" and _tau_i(row) in HISTOGRAMS
    return f"tau_I = {_tau_i(row):g} ms" if shown else ""


PAPER = Paper(
    PROTOCOL, tuple(_cells()), columns="spikes", seeds=SEEDS, measure=measure, readout=READOUT,
    curves={
        "Fig.5": Curve("tau_I (ms)", _tau_i, line=_spikes, logarithmic=True),
        "Fig.4": Curve(
            "tau_I (ms)", _tau_i, "Fig.5", "spikes_a_neuron", "Spikes of a hidden neuron", _spikes, True, level=1.0
        ),
        "Fig.3": Curve("Spikes in an image", _number, "Fig.5", r"with_\d+_spikes", "Hidden neurons (%)", _histogram),
    },
)  # fmt: skip


if __name__ == "__main__":
    sys.exit(script.main(__doc__, SHORT, PROTOCOL, SETTINGS, SEED))
