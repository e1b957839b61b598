"""Hodgkin & Huxley: how the squid's axon answers steps, ramps and releases (Section 2.6.2 of Sun's thesis).

Run it (``python protocols/hodgkin_huxley.py``): it does all of the experiments below and draws what came of them.
``hebbarium reproduce hodgkin_huxley`` enters their numbers and holds what is said of the neuron against them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from brian2 import ms

from hebbarium.analysis import figures
from hebbarium.analysis.figures.neurons import Panel
from hebbarium.ledger.claims import Claims, Verdict, of_numbers
from hebbarium.ledger.rows import Row
from hebbarium.studies import trials
from hebbarium.studies.current_clamp import CurrentClamp, NeuronSecond
from hebbarium.studies.paper_figures import of_results
from hebbarium.studies.reproduction import Paper
from hebbarium.studies.trials import Trial
from hebbarium.training.run_settings import RunSettings

MODEL = "hodgkin_huxley"
PROTOCOL = RunSettings(model=MODEL, precision="float64")

#: steps of half a second, in uA/cm2, and how many spikes another program counted at each
SPIKES = {0: 0, 2: 0, 5: 1, 7: 29, 10: 34}
STEP = {level: f"step({level}*uA/cm2)" for level in SPIKES}
STEPS = Trial("Section 2.6.2", "steps", CurrentClamp(tuple(STEP.values()), 500 * ms), seeds=(0,))

#: to the same level, at once and slowly: the axon gets used to what rises slowly
FAST, SLOW = "step(20*uA/cm2,50*ms)", "ramp(0*uA/cm2,20*uA/cm2,50*ms,550*ms)"
RAMP = Trial("accommodation", "ramp", CurrentClamp((FAST, SLOW), 550 * ms, ("spikes", "latency", "peak")), seeds=(0,))

#: held below rest, and let go (their Fig. 22)
RELEASED = "step(-5*uA/cm2,50*ms,100*ms)"
RELEASE = Trial("Fig. 22", "release", CurrentClamp((RELEASED,), 150 * ms, ("rebound", "peak")), seeds=(0,))

CURVE = Trial(
    "f_I", "curve", CurrentClamp(("steps(0*uA/cm2,20*uA/cm2,41)",), 500 * ms, ("rate", "spikes", "rheobase")),
    {"neurons": "41"}, seeds=(0,),
)  # fmt: skip


#: what a second of one neuron takes here; the thesis calls Hodgkin & Huxley's "very expensive"
COST = Trial("cost", "", NeuronSecond("step(10*uA/cm2)", 100 * ms), {"neurons": "256"}, seeds=(0, 1, 2), traces=False)


# -- what is said of the neuron -----------------------------------------------------------------------------------
def _judge(rows: Sequence[Row]) -> Iterator[Verdict]:
    def of(trial: Trial, measure: str, stimulus: str | None = None) -> float | None:
        return trials.found(rows, trial, MODEL, measure, stimulus)

    yield of_numbers(
        "0, 0, 1, 29 and 34 spikes in half a second at 0, 2, 5, 7 and 10 uA/cm2",
        {str(level): of(STEPS, "spikes", STEP[level]) for level in SPIKES},
        lambda n: [n[str(level)] == spikes for level, spikes in SPIKES.items()],
    )
    yield of_numbers(
        "Rest at -65 mV, and spikes up to +40 mV",
        {"rest": of(STEPS, "final_v", STEP[0]), "peak": of(STEPS, "peak", STEP[10])},
        lambda n: [abs(n["rest"] + 65) < 0.05, abs(n["peak"] - 40) < 0.5],
    )
    rates = sorted(
        (float(row.symbols["stimulus"].partition("(")[2].partition("*")[0]), row.value)
        for row in rows if (row.item, row.measure) == (CURVE.item, "rate")
    )  # fmt: skip
    lowest = min((rate for _, rate in rates if rate > 10), default=None)  # more than a few spikes at the beginning
    yield of_numbers(
        "It does not go on spiking slowly: from a level on, at 50 Hz or more at once",
        {"slowest rate": lowest},
        lambda n: [n["slowest rate"] >= 50],
    )
    yield of_numbers(
        "What rises slowly does not make it spike, though the same level at once does",
        {"at once": of(RAMP, "spikes", FAST), "slowly": of(RAMP, "spikes", SLOW)},
        lambda n: [n["at once"] > 0, n["slowly"] == 0],
    )
    yield of_numbers(
        "It spikes when it is let go (Fig. 22)",
        {"spikes": of(RELEASE, "rebound", RELEASED)},
        lambda n: [n["spikes"] >= 1],
    )


PAPER = Paper(
    PROTOCOL, (), columns="measure", seeds=(0,),
    trials=(STEPS, RAMP, RELEASE, CURVE, COST),
    drawings={
        "steps.svg": of_results(lambda trees: figures.panels(trees, {
            **{f"{level} uA/cm2": Panel("Section 2.6.2 steps", k) for k, level in enumerate(SPIKES) if level},
            "Slowly to 20 uA/cm2": Panel("accommodation ramp", 1),
            "Let go": Panel("Fig. 22 release"),
        })),
        "f_I.svg": of_results(lambda trees: figures.f_i_curve(trees["f_I curve"])),
    },
    claims=Claims(
        lambda rows: list(_judge(rows)),
        "The thesis prints no numbers for this neuron; the counts are those of another program, written for them.",
        read="Rates in hertz, potentials in mV.",
    ),
)  # fmt: skip


if __name__ == "__main__":
    sys.exit(trials.script(__doc__, MODEL, PAPER.trials))
