"""Yamamoto et al., Section III: how the network is trained and tested, and the numbers the paper reports.

Run it (``python protocols/timing_backprop.py``): it trains a small network on the digits that come with the project,
tests it and draws what came of it. Edit what stands under "What to run" and run it again. ``--paper`` runs the paper's
own protocol: 100 epochs. ``hebbarium reproduce timing_backprop --table I`` makes a table.
"""

from __future__ import annotations

import dataclasses
import itertools
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from brian2 import Quantity, ms
from matplotlib.figure import Figure

from hebbarium.analysis import figures
from hebbarium.analysis.accuracy import of_last_pass
from hebbarium.catalogue import registry
from hebbarium.ledger import ledger
from hebbarium.ledger.claims import OPEN, Claims, Judgement, Point, Verdict, is_clear, judged, pairs
from hebbarium.ledger.figures import Curve
from hebbarium.ledger.literature import Ours
from hebbarium.models.timing_backprop import TimingBackprop
from hebbarium.record import results
from hebbarium.studies import time_courses
from hebbarium.studies.contenders import Contender, Told
from hebbarium.studies.paper_figures import PaperFigure, of_results
from hebbarium.studies.reproduction import Cell, Paper, named
from hebbarium.studies.time_courses import TimeCourse
from hebbarium.training import parameters, script
from hebbarium.training.experiments import Measured
from hebbarium.training.run import Run
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
CURVE: Mapping[str, Any] = {"epochs": CURVE_EPOCHS}
#: of what is tried on held-out images, and of what two precisions are compared by
FEW: Mapping[str, Any] = {"epochs": 10}
#: accuracy after every tenth epoch, on all test images: the best of them is told
TENTH: Mapping[str, Any] = {"evaluate_every": 600_000, "evaluate_images": 10_000}
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
        yield Cell("I", "mnist", f"{spikes}, {leak}", changes, accuracy, run=TENTH, spreads={READOUT: spread})
    for spikes, tau in itertools.product(("many", "one"), TAUS):
        changes = {"spikes": spikes, "tau_i": f"{tau}*ms"}
        row = "many spikes" if spikes == "many" else "one spike"
        yield Cell("Fig.5", "mnist", row, changes, run=CURVE)
    # the bound on the gradient that did best on held-out images after ten epochs, for as long as Table I
    yield Cell("chosen", "mnist", "one, leaky", {"spikes": "one", "slope_floor": "1*kHz"}, 97.99, run=TENTH)
    # what the paper did not try
    yield Cell("own", "fashion-mnist", "784-400-10", {"spikes": "many"}, run=CURVE)
    yield Cell("own", "mnist", "784-800-10", {"spikes": "many", "layers": "800"}, run=CURVE)
    # single precision, in which all other rows are, against double
    for table, precision in (("single precision", "float32"), ("double precision", "float64")):
        run = {**FEW, "precision": precision}
        yield Cell(table, "mnist", "tau_I 0.8", {"spikes": "many", "tau_i": "0.8*ms"}, run=run)
    # what the paper leaves open, on held-out images
    held_out: dict[str, Any] = {**FEW, "validation": 5000, "evaluate_on": "validation"}
    for spikes in ("many", "one"):
        for floor in ("0*kHz", "0.01*kHz", "0.1*kHz", "1*kHz", "10*kHz"):
            changes = {"spikes": spikes, "slope_floor": floor}
            yield Cell("search", "mnist", f"{spikes}, floor {floor}", changes, run=held_out)
        for sd in ("0.1", "0.548"):
            yield Cell("search", "mnist", f"{spikes}, sd {sd}", {"spikes": spikes, "w_sd": sd}, run=held_out)
    # After fifty epochs one spike a neuron is right on 99.99 % of training images, so that what it lacks is
    # generalisation: whether smaller first weights, smaller steps or smaller outputs have more of it.
    fifty = {**held_out, "epochs": 50}
    for changes in ({}, {"w_sd": "0.1"}, {"eta": "3e-4"}, {"sigma": "1e-2"}):
        yield Cell("generalisation", "mnist", named(changes), {"spikes": "one", **changes}, run=fifty)
    # How often neurons fire (Fig. 4) tells readings apart: of the weights' "variance", and of a batch's penalty, whose
    # sum is a hundred times the mean.
    for sd, penalty in (("0.3", "0.01"), ("0.3", "1"), ("0.548", "0.01"), ("0.548", "1")):
        changes = {"spikes": "many", "leak": "none", "w_sd": sd, "penalty": penalty}
        yield Cell("readings", "mnist", f"many, none, sd {sd}, lambda {penalty}", changes, run=held_out)
    both = {"spikes": "one", "slope_floor": "1*kHz", "w_sd": "0.1"}
    yield Cell("search", "mnist", "one, floor 1*kHz, sd 0.1", both, run=held_out)
    yield Cell("search", "mnist", "one, floor 1*kHz, sd 0.03", {**both, "w_sd": "0.03"}, run=held_out)


READOUT, OUTPUT = "potential", "output"


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
    ``fitted``
        accuracy on the training images of the last pass, as they were shown.
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
    states = [tree[f"state/{name}"].to_dataset().isel(samples_seen=-1) for name in model.hidden]
    tangent, late = (sum(float(state[name].sum()) for state in states) for name in ("n_tangent", "n_late"))
    return {
        "spikes_a_neuron": (round(float(counts.mean()), 4), ""),
        "active": (round(float(100 * (counts > 0).mean()), 2), "%"),
        "dead": (round(float(100 * (counts == 0).all(axis=0).mean()), 2), "%"),
        **{f"with_{k}_spikes": (round(float(100 * part), 3), "%") for k, part in enumerate(told)},
        "fitted": (round(of_last_pass(tree[results.EVALUATION].to_dataset(), asked.epochs), 3), "%"),
        "tangent": (round(tangent / trained * 1e6, 3), "1/1e6"),
        "late": (round(late / trained * 1e6, 3), "1/1e6"),
        "training_time": (round(float(tree.attrs["wall_time_s"]) / trained, 6), "s"),
    }


DECISIONS = 500
"""Test images, drawn evenly from the classes, whose decisions are followed."""
READ_AT = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Parts of a sample after which it is read."""


def observe(run: Run) -> Mapping[str, Measured]:
    """What the output neurons say in the course of test images.

    ``decision_latency``
        mean time in ms from which on the neuron leads that has the largest potential at the end, see `decided`.
    ``accuracy_at_0.2_ms`` ...
        in per cent, if the largest potential at that time is the answer.
    """
    model: Any = run.model
    shown = run.samples("tested", min(DECISIONS, run.division.number_tested))
    values, _ = time_courses.of_samples(run, shown, (f"{OUTPUT}.v",))
    steps, dt = model.sample_steps("test"), float(model.dt / ms)
    v = values[f"{OUTPUT}.v"].reshape(model.classes, len(shown), steps)
    ends = {round(part * steps) for part in READ_AT}
    right = {end: v[:, :, end - 1].argmax(axis=0) == shown.labels for end in sorted(ends)}
    return {
        "decision_latency": Measured(round(float(decided(v).mean()) * dt, 4), "ms", READOUT),
        **{
            f"accuracy_at_{end * dt:.2g}_ms": Measured(round(float(100 * of.mean()), 2), "%", READOUT)
            for end, of in right.items()
        },
    }


def decided(v: np.ndarray) -> np.ndarray:
    """Steps of each sample ``(samples,)`` after which the neuron that is ahead at the end is ahead for good.

    Parameters
    ----------
    v : (neurons, samples, steps)
        Potentials at the end of each step. Where several are largest at the end, that is never before the end.
    """
    steps = v.shape[2]
    best = v[:, :, -1].argmax(axis=0)
    own = np.take_along_axis(v, best[np.newaxis, :, np.newaxis], axis=0)[0]
    others = np.where(np.arange(len(v))[:, np.newaxis, np.newaxis] == best[:, np.newaxis], -np.inf, v).max(axis=0)
    behind = own <= others
    last = steps - 1 - behind[:, ::-1].argmax(axis=1)
    result: np.ndarray = np.where(behind.any(axis=1), np.minimum(last + 2, steps), 1)
    return result


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


# -- What the paper claims ---------------------------------------------------------------------------------------
class _Figures:
    """Points of Figs. 4 and 5, and of Table I."""

    def __init__(self, rows: Sequence[ledger.Row]) -> None:
        self._cells = [cell for cell in ledger.summarise(rows) if cell.row.selection == ledger.LAST]

    def point(self, spikes: str, tau: float, measure: str = ledger.ACCURACY) -> Point | None:
        """A measure at a time constant."""
        return self._first(measure, "Fig.5", lambda row: row.symbols.get("spikes") == spikes and _tau_i(row) == tau)

    def row(self, spikes: str, leak: str) -> Point | None:
        """Accuracy in a row of Table I."""
        return self._first(
            ledger.ACCURACY, "I", lambda row: (row.symbols.get("spikes"), row.symbols.get("leak")) == (spikes, leak)
        )

    def _first(self, measure: str, table: str, wanted: Callable[[ledger.Row], bool]) -> Point | None:
        for cell in self._cells:
            if cell.row.measure == measure and cell.row.item == ledger.item_of(table) and wanted(cell.row):
                return Point(cell.mean, cell.error, cell.seeds)
        return None


def _many_beat_one(f: _Figures) -> Judgement:
    return pairs([(f"tau_I = {tau:g}", f.point("many", tau), f.point("one", tau)) for tau in TAUS])


def _optimum(f: _Figures) -> Judgement:
    points = {spikes: [f.point(spikes, tau) for tau in TAUS] for spikes in ("many", "one")}
    known = {spikes: [point for point in of if point] for spikes, of in points.items()}
    if any(len(of) < len(TAUS) for of in known.values()):
        return OPEN, "none", "needs all of Fig. 5"
    best = {spikes: int(np.argmax([point.value for point in of])) for spikes, of in known.items()}
    numbers = "; ".join(f"{spikes}: best at tau_I = {TAUS[best[spikes]]:g} with {known[spikes][best[spikes]]}, "
                        f"{known[spikes][-1]} at {TAUS[-1]:g}" for spikes in known)
    ahead = {spikes: is_clear(of[best[spikes]], of[-1]) for spikes, of in known.items()}
    inner = 0 < best["many"] < len(TAUS) - 1
    return judged([inner, not ahead["one"]], numbers, [inner and ahead["many"]])


def _rapid_fall(f: _Figures) -> Judgement:
    return pairs([
        (f"{spikes}, tau_I = {more:g} against {less:g}", f.point(spikes, more), f.point(spikes, less))
        for spikes, (less, more) in itertools.product(("many", "one"), itertools.pairwise(TAUS[:3]))
    ])  # fmt: skip


def _almost_all_fire(f: _Figures) -> Judgement:
    firing = f.point("one", TAUS[0], "active")
    if firing is None:
        return OPEN, "none", "needs Fig. 5"
    return judged([firing.value > 100 - ALMOST], f"{firing} % at tau_I = {TAUS[0]:g}")


def _more_spikes_with_more_leak(f: _Figures) -> Judgement:
    return pairs([
        (f"tau_I = {less:g} against {more:g}", f.point("many", less, "spikes_a_neuron"),
         f.point("many", more, "spikes_a_neuron"))
        for less, more in itertools.pairwise(TAUS)
    ])  # fmt: skip


def _limits(f: _Figures) -> Judgement:
    printed = {"many": 1.5, "one": 0.6}  # Section III
    points = {spikes: f.point(spikes, TAUS[-1], "spikes_a_neuron") for spikes in printed}
    known = {spikes: point for spikes, point in points.items() if point}
    numbers = "; ".join(f"{spikes}: {point} where the paper has {printed[spikes]}" for spikes, point in known.items())
    if len(known) < len(printed):
        return OPEN, f"{len(known)} of {len(printed)} can be made", numbers
    return judged([abs(point.value - printed[spikes]) <= NEAR * printed[spikes] for spikes, point in known.items()],
                  numbers)


def _table(f: _Figures) -> Judgement:
    order = (("many", "leaky"), ("many", "none"), ("one", "leaky"), ("one", "none"))
    return pairs([
        (f"{' '.join(more)} against {' '.join(less)}", f.row(*more), f.row(*less))
        for more, less in itertools.pairwise(order)
    ])  # fmt: skip


CLAIMS: Mapping[str, Callable[[_Figures], Judgement]] = {
    "Many spikes beat one at every tau_I (Fig. 5)": _many_beat_one,
    "Accuracy has an optimum at an inner tau_I with many spikes only (Fig. 5)": _optimum,
    "Accuracy falls fast where tau_I comes near zero, with many spikes and with one (Fig. 5)": _rapid_fall,
    "With many spikes, neurons fire more the smaller tau_I is (Fig. 4)": _more_spikes_with_more_leak,
    "For large tau_I a neuron fires some 1.5 times, or 0.6 if it may fire once (Fig. 4; within a fifth)": _limits,
    "With one spike, almost all neurons fire where tau_I comes near zero (Fig. 4; all but a tenth)": _almost_all_fire,
    "Many beat one, and a leak is better than none (Table I)": _table,
}
NEAR = 0.2
"""Part of a printed number that ours may differ by to be called about that."""
ALMOST = 10
"""Neurons in per cent that may be silent where almost all fire."""


# -- Figure 2 -----------------------------------------------------------------------------------------------------
SHOWN = 20  # "20 neurons in the hidden layer"


def spike_times(course: TimeCourse, model: TimingBackprop, population: str) -> list[np.ndarray]:
    """Times of each neuron's spikes in ms, as Eq. 19 has them inside their steps."""
    spikes, place = course.spikes[population], course.values[f"{population}.z"]
    z = place[spikes.neuron, spikes.step]
    inside = float(model.tau_i) * np.log(z) if model.leak == "leaky" else z
    at = 1e3 * (spikes.step * course.time_step + inside)
    return [at[spikes.neuron == neuron] for neuron in range(len(place))]


def draw_course(runs: Mapping[str, Path]) -> Figure:
    """Fig. 2: the first test image. The hidden neuron that fires most often is shown alone."""
    (run,) = runs.values()
    model: Any = Run.open(run).model
    first = model.hidden[0]
    course = time_courses.of_run(run, (f"{first}.v", f"{first}.i_syn", f"{first}.z", f"{OUTPUT}.v"))
    spikes, potentials = spike_times(course, model, first), course.values[f"{first}.v"]
    alone = int(np.argmax([len(at) for at in spikes]))
    shown = [alone, *(neuron for neuron in range(len(spikes)) if neuron != alone)][:SHOWN]
    given = course.spikes["input"]
    return figures.time_course(
        (1e3 * course.time_step * given.step, given.neuron), 1e3 * course.times, potentials[shown],
        course.values[f"{first}.i_syn"][alone], [spikes[neuron] for neuron in shown],
        course.values[f"{OUTPUT}.v"], model.v_thresh, course.label,
    )  # fmt: skip


def draw_dead(trees: Mapping[str, xr.DataTree]) -> Figure:
    """Neurons of the hidden layer that Eq. 21 flags as dead, over training."""
    return figures.dead_neurons(trees, "hidden_1", TimingBackprop().least_active)


def _followed(**changes: str) -> RunSettings:
    return dataclasses.replace(PROTOCOL, **FEW, snapshots=24, changes=changes)


def _described(row: ledger.Row) -> dict[str, str]:
    """What the columns of Table I say of a row; the asterisk is the paper's."""
    return {
        "spike_type": {"one": "single", "many": "multi"}[row.symbols["spikes"]],
        "leakage": {"none": "non-leaky*", "leaky": "leaky"}[row.symbols.get("leak", "leaky")],
    }


OURS = Ours(
    "timing_backprop", "mnist", READOUT, ("Table I", "own"),
    {"coding": "SNN (temporal coding)", "bp_scheme": "timing-based", "tau_v": "τ", "tau_i": "2τ"}, _described, "spikes",
)  # fmt: skip
PAPER = Paper(
    PROTOCOL, tuple(_cells()), columns="spikes", seeds=SEEDS, measure=measure, readout=READOUT, best=True,
    observe=observe,
    claims=Claims(
        lambda rows: [Verdict(claim, *test(_Figures(rows))) for claim, test in CLAIMS.items()],
        f"Networks of Figs. 3 to 5 were trained for {CURVE_EPOCHS} epochs where the paper has {PROTOCOL.epochs}; at "
        f"tau_I = {TAUS[0]:g} ms those with one spike a neuron answer by chance then.",
        "Accuracies in per cent and spikes a hidden neuron, mean ± standard error over seeds; tau_I in ms.",
    ),
    curves={
        "Fig.5": Curve("tau_I (ms)", _tau_i, line=_spikes, logarithmic=True),
        "Fig.4": Curve(
            "tau_I (ms)", _tau_i, "Fig.5", "spikes_a_neuron", "Spikes of a hidden neuron", _spikes, True, level=1.0
        ),
        "Fig.3": Curve(
            f"Spikes in an image ({MOST_TOLD}: or more)", _number, "Fig.5", r"with_\d+_spikes", "Hidden neurons (%)",
            _histogram,
        ),
    },
    literature={"literature_yamamoto_1": OURS},  # Table I
    contender=Contender(
        Told.ERRORS, {"item": "Table I|own"}, ("spikes", "leak"), short=dataclasses.replace(SHORT, changes=SETTINGS)
    ),
    short_runs={
        "run": dataclasses.replace(PROTOCOL, epochs=1, changes={"tau_i": "1*ms"}),
        "many": _followed(spikes="many"),
        "one": _followed(spikes="one"),
        "small_tau": _followed(spikes="many", tau_i="0.2*ms"),
    },
    figures={
        "Fig2.svg": PaperFigure({"": "run"}, draw_course),
        "dead.svg": PaperFigure(
            {"many": "many", "one spike": "one", "many, tau_I 0.2 ms": "small_tau"}, of_results(draw_dead)
        ),
    },
)  # fmt: skip


if __name__ == "__main__":
    sys.exit(script.main(__doc__, SHORT, PROTOCOL, SETTINGS, SEED))
