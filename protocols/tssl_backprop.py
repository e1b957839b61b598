"""Zhang & Li, as in Sun's thesis, Section 3.2: how the networks are trained and tested, and the published numbers.

Run it (``python protocols/tssl_backprop.py``): it trains a dense network on digits that come with the project, tests it
and draws what came of it. Edit what stands under "What to run" and run it again. ``--paper`` runs the thesis's own
protocol, 100 epochs; its network is that of Table 1. ``hebbarium reproduce tssl_backprop --table own`` makes a table.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hebbarium.analysis import figures
from hebbarium.equations.surrogates import SURROGATES
from hebbarium.ledger.rows import Row
from hebbarium.models import layer_notation
from hebbarium.models.contract import Model
from hebbarium.record import results
from hebbarium.studies.contenders import Contender, Told
from hebbarium.studies.paper_figures import PaperFigure
from hebbarium.studies.reproduction import Cell, Paper
from hebbarium.training import script
from hebbarium.training.experiments import Measured
from hebbarium.training.run import Run
from hebbarium.training.run_settings import RunSettings

# -- What to run ---------------------------------------------------------------------------------------------
# Any parameter of the model; `hebbarium describe tssl_backprop` lists them.
SETTINGS = {
    "layers": "100",         # hidden layers, as in 400-400; Table 1: 15C5-P2-40C5-P2-300
    "surrogate": "sigmoid",  # fast_sigmoid, arctan, piecewise_linear or triangle
}  # fmt: skip
SEED = 0
SHORT = RunSettings(model="tssl_backprop", dataset="mnist-embedded", epochs=5, test_images=500)

# -- Table 1: the protocol -------------------------------------------------------------------------------------
# Five steps a sample, batches of 50, AdamW at 5e-4 and all constants are the model's: see models/tssl_backprop.py.
TABLE_1 = "15C5-P2-40C5-P2-300"
PROTOCOL = RunSettings(
    model="tssl_backprop",
    dataset="mnist",
    images=None,       # all 60,000
    epochs=100,        # Table 1
    test_images=None,  # all 10,000
)  # fmt: skip
SEEDS = (0, 1, 2)

#: what the authors report: of MNIST the best of their runs, as the thesis quotes it; of Fashion-MNIST their mean
PUBLISHED, PUBLISHED_FASHION, SPREAD_FASHION = 99.53, 89.75, 0.03
READOUT = "response"
DENSE, DENSE_EPOCHS, SHORT_EPOCHS, SEARCH_EPOCHS = "400", 100, 20, 10
SEARCHED = 5000
"""Training images that a search holds out."""


def falling(epochs: int) -> dict[str, str]:
    """A learning rate that has fallen to zero when the run is over."""
    return {"fall": "cosine", "fall_over": str(epochs)}


def _cells() -> Iterator[Cell]:
    # after every tenth of the passes: the best of them is told as well, which is what the thesis and the paper report
    tenth: dict[str, Any] = {"evaluate_every": 600_000, "evaluate_images": 10_000}
    yield Cell("1", "mnist", TABLE_1, {"layers": TABLE_1}, PUBLISHED, run=tenth)
    yield Cell("short", "mnist", TABLE_1, {"layers": TABLE_1, **falling(SHORT_EPOCHS)}, run={"epochs": SHORT_EPOCHS})
    # dense networks: the paper has one of them, on Fashion-MNIST, in batches of 100
    two = {"layers": "400-400", "batch": "100"}
    yield Cell("Fashion-MNIST", "fashion-mnist", "784-400-400-10", two, PUBLISHED_FASHION, run=tenth,
               spreads={READOUT: SPREAD_FASHION})
    for dataset in ("mnist", "fashion-mnist"):
        for target in ("twice", "once"):  # as the authors' code has it, and what is better on held-out images
            changes = {"layers": DENSE, "target": target, **falling(DENSE_EPOCHS)}
            yield Cell("own", dataset, "784-400-10", changes, run={"epochs": DENSE_EPOCHS})
        yield Cell("short", dataset, "784-400-10", {"layers": DENSE, **falling(SHORT_EPOCHS)},
                   run={"epochs": SHORT_EPOCHS})
    # what the paper leaves open, and the functions of Fig. 16, on held-out images
    held_out: dict[str, Any] = {"epochs": SEARCH_EPOCHS, "validation": SEARCHED, "evaluate_on": "validation"}
    searched: dict[str, dict[str, str]] = {
        "rate as it is": {},
        "rate falls, cosine": falling(SEARCH_EPOCHS),
        "rate falls, linear": {**falling(SEARCH_EPOCHS), "fall": "linear"},
        "rate 1e-3, falls, cosine": {**falling(SEARCH_EPOCHS), "eta": "0.001"},
        "rate 2e-3, falls, cosine": {**falling(SEARCH_EPOCHS), "eta": "0.002"},
        "target filtered once": {**falling(SEARCH_EPOCHS), "target": "once"},
        "target filtered once, linear": {**falling(SEARCH_EPOCHS), "fall": "linear", "target": "once"},
        "target filtered once, rate 2.5e-4": {**falling(SEARCH_EPOCHS), "target": "once", "eta": "0.00025"},
        **{
            f"surrogate {name}": {**falling(SEARCH_EPOCHS), "surrogate": name}
            for name in SURROGATES if name != "sigmoid"
        },
    }  # fmt: skip
    for row, changes in searched.items():
        yield Cell("search", "mnist", row, {"layers": DENSE, **changes}, run=held_out)


def measure(tree: xr.DataTree, settings: RunSettings) -> Mapping[str, tuple[float, str]]:
    """``training_time``: seconds a training image, on the computer the run was made on."""
    trained = tree[f"{results.ACTIVITY}/output"].sizes["sample"]
    return {"training_time": (round(float(tree.attrs["wall_time_s"]) / trained, 6), "s")}


def observe(run: Run) -> Mapping[str, Measured]:
    """What hidden neurons did in the last pass through the training images, while they learned.

    ``dead``
        those that never fired, in per cent; ``dead_hidden_1`` ... of each layer.
    ``spikes_a_neuron``
        mean number of spikes in a sample.
    """
    model: Any = run.model
    state, samples = run.state, run.division.trained
    active = {name: state[f"{name}.n_active"] for name in model.hidden}
    fired = np.concatenate([state[f"{name}.n_fired"] for name in model.hidden])
    return {
        "dead": Measured(_silent(np.concatenate(list(active.values()))), "%"),
        **{f"dead_{name}": Measured(_silent(counts), "%") for name, counts in active.items()},
        "spikes_a_neuron": Measured(round(float(fired.mean()) / samples, 4), ""),
    }


def _silent(active: NDArray[Any]) -> float:
    return round(float(100 * (active == 0).mean()), 3)


# -- Figure 16 -----------------------------------------------------------------------------------------------------
WIDTHS = 4
"""Widths of a function that are drawn on either side of the threshold."""


def functions(x: NDArray[np.float64]) -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.float64]]]:
    """The functions that stand for the threshold, and their slopes, computed from the model's own strings."""
    known = {name: getattr(np, name) for name in ("exp", "abs", "arctan", "clip", "sign", "pi")}
    values, slopes = {}, {}
    for name, surrogate in SURROGATES.items():
        names = {**known, "int": lambda truth: np.asarray(truth, float), "half": 0.5, "x": x}
        values[name] = eval(surrogate.function, names) + 0 * x
        exec("\n".join(line.strip() for line in surrogate.slope.splitlines()), names)
        slopes[name] = names["slope"] + 0 * x
    return values, slopes


def draw_surrogates(runs: Mapping[str, Path]) -> Figure:
    """Fig. 16 with all functions that the model can have; no run is needed."""
    x = np.linspace(-WIDTHS, WIDTHS, 801)
    return figures.surrogates(x, *functions(x), "widths")


# -- The leaderboard -----------------------------------------------------------------------------------------------
def _hidden(model: Model) -> int:
    """Neurons of all layers between input and output that spike."""
    made: Any = model
    placed = layer_notation.placed(layer_notation.read(made.layers), made.pixels)
    return sum(part.maps.size for part in placed if part.layer.kind != "pool")


def _said(row: Row) -> str:
    """What is not the paper's."""
    falls = "the rate of learning falls, which held-out images chose" * ("fall" in row.symbols)
    best = "published is the best pass of the best run" * (row.paper is not None and row.dataset == "mnist")
    return "; ".join(filter(None, (falls, best)))


PAPER = Paper(
    PROTOCOL, tuple(_cells()), columns="layers", seeds=SEEDS, measure=measure, readout=READOUT, best=True,
    contender=Contender(
        Told.ERRORS, {"item": "Table 1|Fashion-MNIST|short|own"}, ("fall", "fall_over", "target"), _said, _hidden,
        dataclasses.replace(SHORT, changes=SETTINGS),
    ),
    observe=observe, figures={"Fig16.svg": PaperFigure({}, draw_surrogates)},
)  # fmt: skip


if __name__ == "__main__":
    sys.exit(script.main(__doc__, SHORT, PROTOCOL, SETTINGS, SEED))
