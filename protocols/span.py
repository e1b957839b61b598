"""SPAN: one neuron learns to spike five times in a pattern (Sections 2.6.3.2 and 2.6.4.3 of Sun's thesis).

Run it (``python protocols/span.py``): ten neurons, each with inputs and first weights of its own, and one that does
not learn. ``hebbarium reproduce span`` enters the numbers and says whether all came within 2 ms.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from hebbarium.analysis import figures
from hebbarium.ledger.claims import Claims
from hebbarium.studies import spike_train_target, trials
from hebbarium.studies.paper_figures import of_results
from hebbarium.studies.reproduction import Paper
from hebbarium.studies.spike_train_target import SpikeTrainTarget
from hebbarium.studies.trials import Trial
from hebbarium.training.run_settings import RunSettings

MODEL = "span"
PROTOCOL = RunSettings(model=MODEL, precision="float64")

#: milliseconds into a pattern of 200 ms, as in Mohemmed et al.
WANTED = (33.0, 66.0, 99.0, 132.0, 165.0)
PATTERNS = 300
#: constants were tried with seeds 0 to 3
SEEDS = tuple(range(10, 20))

TRAIN = Trial("spike_train", "learned", SpikeTrainTarget(WANTED, PATTERNS))
CONTROL = Trial("control", "no_learning", SpikeTrainTarget(WANTED, 2), {"eta": "0*mV"})


def _drawn(trees: Mapping[str, Any]) -> Any:
    return figures.learned_train(trees["spike_train learned"], WANTED)


PAPER = Paper(
    PROTOCOL, (), columns="measure", seeds=SEEDS,
    trials=(TRAIN, CONTROL),
    drawings={"spike_train.svg": of_results(_drawn)},
    claims=Claims(
        lambda rows: spike_train_target.judge(rows, MODEL, TRAIN, CONTROL, len(WANTED), len(SEEDS)),
        "The thesis names the rule and prints no number; constants are ours, tried with other seeds than these.",
        read="Each seed has inputs, first weights and so a task of its own.",
    ),
)  # fmt: skip


if __name__ == "__main__":
    sys.exit(trials.script(__doc__, MODEL, PAPER.trials))
