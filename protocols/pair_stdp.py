"""Spike-timing-dependent plasticity: Eqs. 9 and 10 and Fig. 13 of Sun's thesis, from a running synapse.

Run it (``python protocols/pair_stdp.py``): one synapse a pair of spikes, and triplets, measured and drawn.
``hebbarium reproduce pair_stdp`` enters the numbers and holds the formula, as printed and corrected, against them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import ms, second
from numpy.typing import NDArray

from hebbarium.analysis import figures
from hebbarium.engine.contract import Arrays
from hebbarium.ledger.claims import Claims, Verdict, of_numbers
from hebbarium.ledger.literature import Ours
from hebbarium.ledger.rows import Row
from hebbarium.models.contract import Model
from hebbarium.models.pair_stdp import POST, PRE, PairSTDP
from hebbarium.record import results
from hebbarium.studies import trials
from hebbarium.studies.paper_figures import of_results
from hebbarium.studies.reproduction import Paper
from hebbarium.studies.trials import Trial
from hebbarium.training.experiments import Measured, Observation
from hebbarium.training.run_settings import RunSettings

MODEL = "pair_stdp"
PROTOCOL = RunSettings(model=MODEL, precision="float64")
RULE = PairSTDP()

REACH = 100
"""Milliseconds between the spikes of a pair, at most, in whole milliseconds: one synapse each."""
SHOWN = (-50, -20, -5, 5, 20, 50)
"""Intervals that have rows of their own."""


@dataclass(frozen=True)
class Pairs:
    """One pair of spikes a synapse, intervals from -100 to 100 ms: Fig. 13."""

    def intervals(self, model: Model) -> NDArray[np.float64]:
        """t_pre - t_post of each synapse in milliseconds (Eq. 9)."""
        assert isinstance(model, PairSTDP)
        return np.arange(model.neurons, dtype=np.float64) - model.neurons // 2

    def inputs(self, model: Model, seed: int) -> Arrays:
        """See `Experiment.inputs`."""
        assert isinstance(model, PairSTDP)
        per_ms, intervals = round(float(1 * ms / model.dt)), self.intervals(model)
        number = (int(np.abs(intervals).max()) + 2) * per_ms
        spikes = {name: np.zeros((number, model.neurons)) for name in (PRE, POST)}
        steps = (np.abs(intervals) * per_ms).astype(int)
        each = np.arange(model.neurons)
        spikes[PRE][np.where(intervals > 0, steps, 0), each] = 1
        spikes[POST][np.where(intervals < 0, steps, 0), each] = 1
        return spikes

    def changes(self, observed: Observation) -> NDArray[np.float64]:
        """Change of each weight, which was 0."""
        return np.asarray(observed.state["synapses.w"], np.float64)

    def measures(self, model: Model, observed: Observation) -> Mapping[str, Measured]:
        """See `Experiment.measures`: changes at some intervals, and how far all are from Eq. 10 with its sign."""
        assert isinstance(model, PairSTDP)
        intervals, changed = self.intervals(model), self.changes(observed)
        error = np.abs(changed - model.window(intervals * ms)).max() / max(abs(model.a_plus), abs(model.a_minus))
        shown = {
            f"{interval} ms": Measured(
                float(changed[intervals == interval][0]), "", "synapses", "delta_w", f"delta_t={interval}*ms"
            )
            for interval in SHOWN
        }
        return {**shown, "error": Measured(float(error), "", "synapses", "relative_error")}

    def groups(self, model: Model, observed: Observation) -> dict[str, Any]:
        """What a result file keeps: the window, by postsynaptic less presynaptic time, as results have it."""
        assert isinstance(model, PairSTDP)
        return {
            "stdp_window": results.stdp_window(
                delta_t=-self.intervals(model)[::-1], delta_w=self.changes(observed)[::-1], a_plus=model.a_plus,
                a_minus=-model.a_minus, tau_p_ms=float(model.tau_plus / ms),
            )
        }  # fmt: skip


@dataclass(frozen=True)
class Trains:
    """Poisson trains at both sides: every pair of spikes counts, and their changes add up."""

    rate: float = 20.0
    seconds: float = 2.0

    def inputs(self, model: Model, seed: int) -> Arrays:
        """See `Experiment.inputs`."""
        assert isinstance(model, PairSTDP)
        dt, generator = float(model.dt / second), np.random.default_rng(seed)
        shape = (round(self.seconds / dt), model.neurons)
        return {name: (generator.random(shape) < self.rate * dt).astype(np.float64) for name in (PRE, POST)}

    def measures(self, model: Model, observed: Observation) -> Mapping[str, Measured]:
        """See `Experiment.measures`: how far weights are from the sum of Eq. 10 over all pairs."""
        assert isinstance(model, PairSTDP)
        found = np.asarray(observed.state["synapses.w"], np.float64)
        expected = np.empty_like(found)
        for k in range(model.neurons):
            pre, post = (np.flatnonzero(observed.inputs[name][:, k]) for name in (PRE, POST))
            expected[k] = model.window((pre[:, np.newaxis] - post) * model.dt).sum()
        error = np.abs(found - expected).max() / np.abs(expected).max()
        return {
            "error": Measured(float(error), "", "synapses", "relative_error"),
            "mean": Measured(float(found.mean()), "", "synapses", "mean_change"),
        }

    def groups(self, model: Model, observed: Observation) -> dict[str, Any]:
        """Nothing besides the numbers."""
        return {}


WINDOW = Trial("Fig. 13", "window", Pairs(), seeds=(0,))
TRAINS = Trial("trains", "poisson", Trains(), {"neurons": "16"}, seeds=(0, 1, 2))


def _judge(rows: Sequence[Row]) -> Iterator[Verdict]:
    changes = {
        interval: next(
            (row.value for row in rows if row.measure == "delta_w" and row.symbols.get("delta_t") == f"{interval}*ms"),
            None,
        )
        for interval in SHOWN
    }
    yield of_numbers(
        "The synapse changes by Eq. 10 with its sign, at 201 intervals, to 1e-9 of the largest change",
        {"relative error": trials.found(rows, WINDOW, MODEL, "relative_error")},
        lambda n: [n["relative error"] < 1e-9],
    )
    yield of_numbers(
        "The nearer in time, the larger the change: pre before post strengthens, post before pre weakens",
        {f"{interval} ms": changes[interval] for interval in SHOWN},
        lambda n: [
            n["-5 ms"] > n["-20 ms"] > n["-50 ms"] > 0,
            n["5 ms"] < n["20 ms"] < n["50 ms"] < 0,
        ],
    )
    yield of_numbers(
        "As printed, the second line of Eq. 10 would fall further with the interval",
        {"20 ms": changes[20], "5 ms": changes[5]},
        lambda n: [n["20 ms"] < n["5 ms"]],
    )
    yield of_numbers(
        "Of trains, the changes of all pairs add up",
        {"relative error": trials.found(rows, TRAINS, MODEL, "relative_error")},
        lambda n: [n["relative error"] < 1e-9],
    )


#: what stands beside the thesis' list of networks (Table 2) of those that were run here with the same words
OURS = Ours(
    "s4nn", "mnist", "first_spike_ties_right", ("abstract",),
    {"architecture": "SNN", "learning_method": "Temporal Backprop", "data": "MNIST", "here": "s4nn"}, by="layers",
)  # fmt: skip
PAPER = Paper(
    PROTOCOL, (), columns="measure", seeds=(0,),
    trials=(WINDOW, TRAINS),
    drawings={"Fig13.svg": of_results(lambda trees: figures.stdp_window(trees["Fig. 13 window"]))},
    literature={"literature_sun_2": OURS},
    claims=Claims(
        lambda rows: list(_judge(rows)),
        "The thesis gives no values: constants are usual ones.",
        read="Changes of a weight that begins at 0. Intervals are t_pre - t_post (Eq. 9); the figure has them the other"
        " way round.",
    ),
)  # fmt: skip


if __name__ == "__main__":
    sys.exit(trials.script(__doc__, MODEL, PAPER.trials))
