"""Izhikevich: the kinds of neurons of his Fig. 2, which Sun's thesis shows as Fig. 11, and what tells one from another.

Run it (``python protocols/izhikevich.py``): it does all of the experiments below and draws what came of them.
``hebbarium reproduce izhikevich`` enters their numbers and holds what is said of the neurons against them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from brian2 import ms, second

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

MODEL = "izhikevich"
PROTOCOL = RunSettings(model=MODEL, precision="float64")

# -- Fig. 11: parameters of the paper's Fig. 2; levels of currents are not printed --------------------------------
LEVEL = "step(10*mV/ms,100*ms)"
DEPOLARISED, RELEASED = "step(2*mV/ms,200*ms)", "step(-12*mV/ms,200*ms,400*ms)"
BELOW = "step(0.2*mV/ms,200*ms)"
PUSHED = f"{BELOW}+pulses(3*mV/ms,5*ms,1000*ms,350*ms)"


def _kind(name: str, *stimuli: str, **changes: str) -> Trial:
    return Trial("Fig. 11", name, CurrentClamp(stimuli or (LEVEL,), 600 * ms), changes, seeds=(0,))


RS = _kind("RS", a="0.02/ms", b="0.2/ms", c="-65*mV", d="8*mV/ms")
IB = _kind("IB", a="0.02/ms", b="0.2/ms", c="-55*mV", d="4*mV/ms")
CH = _kind("CH", a="0.02/ms", b="0.2/ms", c="-50*mV", d="2*mV/ms")
FS = _kind("FS", a="0.1/ms", b="0.2/ms", c="-65*mV", d="2*mV/ms")
TC = _kind("TC", DEPOLARISED, RELEASED, a="0.02/ms", b="0.25/ms", c="-65*mV", d="0.05*mV/ms")
RZ = _kind("RZ", BELOW, PUSHED, a="0.1/ms", b="0.26/ms", c="-65*mV", d="2*mV/ms")
LTS = _kind("LTS", a="0.02/ms", b="0.25/ms", c="-65*mV", d="2*mV/ms")

PANELS = {
    "Regular spiking (RS)": Panel("Fig. 11 RS"),
    "Intrinsically bursting (IB)": Panel("Fig. 11 IB"),
    "Chattering (CH)": Panel("Fig. 11 CH"),
    "Fast spiking (FS)": Panel("Fig. 11 FS"),
    "Thalamo-cortical (TC), depolarised": Panel("Fig. 11 TC"),
    "Thalamo-cortical (TC), released": Panel("Fig. 11 TC", 1),
    "Resonator (RZ), pushed": Panel("Fig. 11 RZ", 1),
    "Low-threshold spiking (LTS)": Panel("Fig. 11 LTS"),
}

# -- Section 2.6.2: the thesis' typical values, which are the model's ---------------------------------------------
REST, TONIC = "step(0*mV/ms)", "step(5*mV/ms)"
TYPICAL = Trial("Section 2.6.2", "typical", CurrentClamp((REST, TONIC), 1 * second), seeds=(0,))

# -- of our own: curves over the level, and what the time step does -----------------------------------------------
LEVELS = ("steps(0*mV/ms,20*mV/ms,41,100*ms)",)
CURVES = {
    kind.name: Trial("f_I", kind.name, CurrentClamp(LEVELS, 600 * ms, ("rate", "rheobase")),
                     {**kind.changes, "neurons": "41"}, seeds=(0,))
    for kind in (RS, FS, LTS)
}  # fmt: skip
STEPS = {
    dt: Trial("time_step", dt, CurrentClamp((LEVEL,), 600 * ms, ("spikes", "rate")), {**RS.changes, "dt": dt},
              seeds=(0,))
    for dt in ("0.5*ms", "0.1*ms", "0.02*ms")
}  # fmt: skip


#: what a second of one neuron takes here; the thesis calls Hodgkin & Huxley's "very expensive"
COST = Trial("cost", "", NeuronSecond("step(10*mV/ms)", 1 * second), {"neurons": "256"}, seeds=(0, 1, 2), traces=False)


# -- what is said of the neurons ----------------------------------------------------------------------------------
def _judge(rows: Sequence[Row]) -> Iterator[Verdict]:
    def of(trial: Trial, measure: str, stimulus: str | None = None) -> float | None:
        return trials.found(rows, trial, MODEL, measure, stimulus)

    yield of_numbers(
        "RS: single spikes, whose intervals grow",
        {"adaptation": of(RS, "adaptation"), "bursts": of(RS, "bursts")},
        lambda n: [n["adaptation"] > 1.5, n["bursts"] == 0],
    )
    yield of_numbers(
        "IB: a burst, and then single spikes",
        {"first burst": of(IB, "first_burst"), "bursts": of(IB, "bursts"), "spikes": of(IB, "spikes")},
        lambda n: [n["first burst"] > 1, n["bursts"] == 1, n["spikes"] > n["first burst"] + 2],
    )
    yield of_numbers(
        "CH: burst after burst, hardly a spike alone",
        {"bursts": of(CH, "bursts"), "spikes": of(CH, "spikes")},
        lambda n: [n["bursts"] >= 5, n["spikes"] > 3 * n["bursts"]],
    )
    yield of_numbers(
        "FS: much faster than RS, practically without adaptation",
        {"rate": of(FS, "rate"), "rate of RS": of(RS, "rate"), "variation": of(FS, "variation"),
         "variation of RS": of(RS, "variation")},
        lambda n: [n["rate"] > 3 * n["rate of RS"], n["variation"] < 0.5 * n["variation of RS"]],
    )  # fmt: skip
    yield of_numbers(
        "TC: tonic if depolarised, a rebound burst once hyperpolarisation ends",
        {"spikes": of(TC, "spikes", DEPOLARISED), "rebound": of(TC, "rebound", RELEASED)},
        lambda n: [n["spikes"] > 10, n["rebound"] > 1],
    )
    yield of_numbers(
        "RZ: bistable: a short push switches from silence to going on",
        {"spikes": of(RZ, "spikes", BELOW), "pushed": of(RZ, "spikes", PUSHED)},
        lambda n: [n["spikes"] == 0, n["pushed"] > 3],
    )
    yield of_numbers(
        "LTS: a lower threshold than RS, with adaptation",
        {"rheobase": of(CURVES["LTS"], "rheobase"), "of RS": of(CURVES["RS"], "rheobase"),
         "adaptation": of(LTS, "adaptation")},
        lambda n: [n["rheobase"] < n["of RS"], n["adaptation"] > 1.5],
    )  # fmt: skip
    yield of_numbers(
        "Typical values: at rest v = -70 mV and u = -14 mV/ms; tonic at I = 5 mV/ms",
        {"v": of(TYPICAL, "final_v", REST), "u": of(TYPICAL, "final_u", REST), "spikes": of(TYPICAL, "spikes", TONIC),
         "bursts": of(TYPICAL, "bursts", TONIC)},
        lambda n: [abs(n["v"] + 70) < 1e-6, abs(n["u"] + 14) < 1e-6, n["spikes"] > 10, n["bursts"] == 0],
    )  # fmt: skip
    yield of_numbers(
        "As many spikes of RS at steps of 0.5, 0.1 and 0.02 ms",
        {dt: of(trial, "spikes") for dt, trial in STEPS.items()},
        lambda n: [count == n["0.02*ms"] for dt, count in n.items() if dt != "0.02*ms"],
    )


PAPER = Paper(
    PROTOCOL, (), columns="measure", seeds=(0,),
    trials=(RS, IB, CH, FS, TC, RZ, LTS, TYPICAL, *CURVES.values(), *STEPS.values(), COST),
    drawings={
        "Fig11.svg": of_results(lambda trees: figures.panels(trees, PANELS, columns=2)),
        "f_I.svg": of_results(lambda trees: figures.rate_curves({k: trees[f"f_I {k}"] for k in CURVES})),
        "phase_plane.svg": of_results(lambda trees: figures.phase_plane(trees["Section 2.6.2 typical"])),
    },
    claims=Claims(
        lambda rows: list(_judge(rows)),
        "The thesis and the paper print no numbers for these: what is asked for is what the figure shows. Levels of "
        "currents are ours.",
        read="Rates in hertz, levels in mV/ms.",
    ),
)  # fmt: skip


if __name__ == "__main__":
    sys.exit(trials.script(__doc__, MODEL, PAPER.trials))
