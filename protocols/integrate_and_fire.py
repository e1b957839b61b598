"""Leaky integrate-and-fire: the two ways to go on after a spike (Fig. 12 of Sun's thesis), and rates in closed form.

Run it (``python protocols/integrate_and_fire.py``): it does all of the experiments below and draws what came of them.
``hebbarium reproduce integrate_and_fire`` enters their numbers and holds the formulas against them.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence

from brian2 import ms, nA, second

from hebbarium.analysis import figures
from hebbarium.analysis.figures.neurons import Panel
from hebbarium.ledger.claims import Claims, Verdict, of_numbers
from hebbarium.ledger.rows import Row
from hebbarium.models.integrate_and_fire import IntegrateAndFire
from hebbarium.studies import trials
from hebbarium.studies.current_clamp import CurrentClamp, NeuronSecond
from hebbarium.studies.paper_figures import of_results
from hebbarium.studies.reproduction import Paper
from hebbarium.studies.trials import Trial
from hebbarium.training.run_settings import RunSettings

MODEL = "integrate_and_fire"
PROTOCOL = RunSettings(model=MODEL, precision="float64")
NEURON = IntegrateAndFire()

# -- Fig. 12: the current and the time are ours -------------------------------------------------------------------
LEVEL = "step(0.25*nA,20*ms,150*ms)"
RESETS = {
    reset: Trial("Fig. 12", reset, CurrentClamp((LEVEL,), 200 * ms, ("spikes", "rate", "interval")), {"reset": reset},
                 seeds=(0,))
    for reset in ("zero", "linear")
}  # fmt: skip

# -- intervals between spikes, in closed form ---------------------------------------------------------------------
LEVELS = (0.16, 0.2, 0.3, 0.5, 1.0)  # nA
INTERVALS = Trial(
    "intervals", "leak", CurrentClamp(tuple(f"step({x:g}*nA)" for x in LEVELS), 1 * second, ("interval", "spikes")),
    {"t_ref": "2*ms"}, seeds=(0,),
)  # fmt: skip
CURVE = Trial("f_I", "curve", CurrentClamp(("steps(0*nA,1*nA,41)",), 1 * second, ("rate", "rheobase")),
              {"neurons": "41"}, seeds=(0,))  # fmt: skip

# -- without a leak: the rate is what is given, or the next part of a whole below it --------------------------------
FIRST, LAST, NUMBER = 0.41, 14.63, 25  # nA: 0.03 to 0.98 thresholds a step, none of them one part of a whole
WITHOUT = {
    reset: Trial(
        "without_leak", reset,
        CurrentClamp((f"steps({FIRST}*nA,{LAST}*nA,{NUMBER})",), 1 * second, ("spikes", "rate")),
        {"leak": "false", "reset": reset, "neurons": "25"}, seeds=(0,),
    )
    for reset in ("zero", "linear")
}  # fmt: skip

#: what a second of one neuron takes here; the thesis calls Hodgkin & Huxley's "very expensive"
COST = Trial("cost", "", NeuronSecond("step(0.25*nA)", 1 * second), {"neurons": "256"}, seeds=(0, 1, 2), traces=False)


def interval(level: float) -> float:
    """Between two spikes at a level in nA with a refractory time of 2 ms, in milliseconds."""
    r_i, theta = level * nA * NEURON.tau_m / NEURON.C_m, NEURON.v_thresh - NEURON.v_rest
    return 2.0 + float(NEURON.tau_m / ms) * math.log(float(r_i / (r_i - theta)))


def _judge(rows: Sequence[Row]) -> Iterator[Verdict]:
    found = {x: trials.found(rows, INTERVALS, MODEL, "interval", f"step({x:g}*nA)") for x in LEVELS}
    yield of_numbers(
        "Intervals are t_ref + tau_m ln(RI/(RI - threshold)), to within a time step of 0.1 ms",
        {f"{x:g} nA": found[x] for x in LEVELS},
        lambda n: [abs(n[f"{x:g} nA"] - interval(x)) <= float(NEURON.dt / ms) for x in LEVELS],
    )
    steps = 1 * second / NEURON.dt
    for reset, words in (("zero", "1/ceil(1/x)"), ("linear", "x")):
        by_level = {
            float(row.symbols["stimulus"].partition("(")[2].partition("*")[0]): row.value
            for row in rows
            if (row.item, row.measure) == ("without_leak", "spikes") and row.symbols["reset"] == reset
        }
        worst = None
        if len(by_level) == NUMBER:
            per_step = float(nA * NEURON.dt / (NEURON.C_m * (NEURON.v_thresh - NEURON.v_rest)))
            rates = {x * per_step: spikes for x, spikes in by_level.items()}
            worst = max(
                abs(spikes - float(steps) * (1 / math.ceil(1 / x) if reset == "zero" else x))
                for x, spikes in rates.items()
            )
        yield of_numbers(
            f"Without a leak, reset {'to zero' if reset == 'zero' else 'by subtraction'}: of x thresholds a step come "
            f"{words} spikes a step, within one spike in 10,000 steps, at {NUMBER} levels",
            {"largest difference in spikes": worst},
            lambda n: [n["largest difference in spikes"] <= 1 + 1e-6],
        )
    yield of_numbers(
        "Reset by subtraction, the same current makes as many spikes or more (Fig. 12)",
        {reset: trials.found(rows, trial, MODEL, "spikes") for reset, trial in RESETS.items()},
        lambda n: [n["linear"] >= n["zero"]],
    )


PAPER = Paper(
    PROTOCOL, (), columns="measure", seeds=(0,),
    trials=(*RESETS.values(), INTERVALS, CURVE, *WITHOUT.values(), COST),
    drawings={
        "Fig12.svg": of_results(lambda trees: figures.panels(trees, {
            "Reset to zero": Panel("Fig. 12 zero"), "Linear": Panel("Fig. 12 linear"),
        })),
        "f_I.svg": of_results(lambda trees: figures.f_i_curve(trees["f_I curve"])),
        "without_leak.svg": of_results(lambda trees: figures.rate_curves({
            f"reset: {reset}": trees[f"without_leak {reset}"] for reset in WITHOUT
        })),
    },
    claims=Claims(
        lambda rows: list(_judge(rows)),
        "The thesis has no numbers, and gives the neuron none: what is held against the model are formulas.",
        read="Intervals in ms.",
    ),
)  # fmt: skip


if __name__ == "__main__":
    sys.exit(trials.script(__doc__, MODEL, PAPER.trials))
