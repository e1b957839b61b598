"""SpikeProp learns XOR in spike times; random feedback and perturbation learn the same (Sun's thesis, Section 2.6.3).

Run it (``python protocols/spikeprop.py``): one network a rule, measured and drawn. ``hebbarium reproduce spikeprop``
does it with ten first weights, enters the numbers and says whether XOR was learned within Bohte et al.'s 250 cycles.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from hebbarium.analysis import figures
from hebbarium.ledger.claims import Claims, Verdict, of_numbers
from hebbarium.ledger.rows import Row
from hebbarium.models.spikeprop import GRADIENT, OUTPUT_ONLY, PERTURBATION, RANDOM_FEEDBACK
from hebbarium.studies import trials
from hebbarium.studies.paper_figures import of_results
from hebbarium.studies.reproduction import Paper
from hebbarium.studies.trials import Trial
from hebbarium.studies.xor_in_times import PATTERNS, XORInTimes
from hebbarium.training.run_settings import RunSettings

MODEL, ITEM = "spikeprop", "XOR"
CYCLES = 1000
#: within which the network of Bohte et al. learned
THEIRS = 250
#: constants were tried with seeds 0 to 3
SEEDS = tuple(range(10, 20))

RULES = {
    GRADIENT: "gradient",
    RANDOM_FEEDBACK: "random feedback",
    PERTURBATION: "perturbation",
    OUTPUT_ONLY: "output weights alone",
}
TRIALS = {
    rule: Trial(ITEM, rule, XORInTimes(CYCLES), {} if rule == GRADIENT else {"rule": rule}) for rule in RULES
}


def _of(rows: Sequence[Row], rule: str, measure: str) -> list[float]:
    return [
        row.value for row in rows
        if (row.item, row.measure) == (ITEM, measure) and row.symbols.get("rule", GRADIENT) == rule
    ]  # fmt: skip


def median_cycles(needed: Sequence[float]) -> float:
    """Cycles that the networks of a rule needed; one that did not learn counts as all that it had.

    Parameters
    ----------
    needed : sequence of float
        By those that learned.
    """
    return float(np.median([*needed, *[CYCLES] * (len(SEEDS) - len(needed))]))


def _judge(rows: Sequence[Row]) -> Iterator[Verdict]:
    whole = {rule: len(_of(rows, rule, "squared_error")) == len(SEEDS) for rule in RULES}
    needed = {rule: _of(rows, rule, "cycles_needed") for rule in RULES}
    learned = {rule: float(len(needed[rule])) if whole[rule] else None for rule in RULES}
    median = {rule: median_cycles(needed[rule]) if whole[rule] else None for rule in RULES}
    yield of_numbers(
        f"SpikeProp learns XOR within {THEIRS} cycles, with each of {len(SEEDS)} first weights",
        {
            "learned": learned[GRADIENT],
            "cycles at most": max(needed[GRADIENT], default=None),
            "median": median[GRADIENT],
        },
        lambda n: [n["learned"] == len(SEEDS) and n["cycles at most"] <= THEIRS],
    )
    yield of_numbers(
        "It needs its hidden weights: with the output's alone, fewer networks learn",
        {"all weights": learned[GRADIENT], "the output's alone": learned[OUTPUT_ONLY]},
        lambda n: [n["the output's alone"] < n["all weights"]],
    )
    yield of_numbers(
        "Random feedback teaches hidden weights too: more networks learn than with the output's alone",
        {"random feedback": learned[RANDOM_FEEDBACK], "the output's alone": learned[OUTPUT_ONLY]},
        lambda n: [n["random feedback"] > n["the output's alone"]],
    )
    yield of_numbers(
        "Random feedback does as well as the gradient: as many networks learn",
        {"random feedback": learned[RANDOM_FEEDBACK], "gradient": learned[GRADIENT]},
        lambda n: [n["random feedback"] >= n["gradient"]],
    )
    yield of_numbers(
        "Perturbation takes a large number of steps: more than twice the gradient's",
        {
            "median of cycles": median[PERTURBATION], "the gradient's": median[GRADIENT],
            "learned": learned[PERTURBATION],
        },
        lambda n: [n["median of cycles"] > 2 * n["the gradient's"]],
    )  # fmt: skip


def _times(trees: Mapping[str, Any]) -> Figure:
    names = {", ".join("late" if late else "early" for late in pattern): wanted for pattern, wanted in PATTERNS}
    return figures.taught_times({words: trees[f"{ITEM} {rule}"] for rule, words in RULES.items()}, names)


def _learned(trees: Mapping[str, Any]) -> Figure:
    groups = {words: [trees[f"{ITEM} {rule} seed={seed}"] for seed in SEEDS] for rule, words in RULES.items()}
    return figures.learned_by(groups, "cycles_needed", CYCLES, "Cycle of four patterns")


PAPER = Paper(
    RunSettings(model=MODEL, precision="float64"), (), columns="measure", seeds=SEEDS,
    trials=tuple(TRIALS.values()),
    drawings={"XOR.svg": of_results(_times), "learned.svg": of_results(_learned)},
    claims=Claims(
        lambda rows: list(_judge(rows)),
        "The thesis prints no number. The learning rate, first weights and the size of perturbations are ours, tried "
        "with other seeds than these, perturbations at two sizes; those of the gradient also serve random feedback and "
        "the output's weights alone, for which nothing was tuned.",
        read=f"XOR counts as learned with the first cycle of four patterns whose squared errors add up to less than "
        f"1 ms². Networks had {CYCLES} cycles; in medians, one that did not learn counts as that many.",
    ),
)  # fmt: skip


if __name__ == "__main__":
    sys.exit(trials.script(__doc__, MODEL, PAPER.trials))
