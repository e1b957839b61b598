"""SPAN: one neuron learns to spike five times in a pattern (Sections 2.6.3.2 and 2.6.4.3 of Sun's thesis).

Run it (``python protocols/span.py``): ten neurons, each with inputs and first weights of its own, and one that does
not learn. ``hebbarium reproduce span`` enters the numbers and says whether all came within 2 ms.
"""

from __future__ import annotations

import sys

from hebbarium.studies import spike_train_target, trials

MODEL = "span"

#: milliseconds into a pattern of 200 ms, as in Mohemmed et al.
WANTED = (33.0, 66.0, 99.0, 132.0, 165.0)
PATTERNS = 300
#: constants were tried with seeds 0 to 3
SEEDS = tuple(range(10, 20))

PAPER = spike_train_target.paper(MODEL, WANTED, PATTERNS, SEEDS)


if __name__ == "__main__":
    sys.exit(trials.script(__doc__, MODEL, PAPER.trials))
