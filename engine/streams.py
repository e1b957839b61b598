"""Random streams: each purpose and each block has its own, from one seed.

A stream comes from ``SeedSequence([seed, purpose, block])``, so that no two of them overlap in practice and
a resumed run draws what the uninterrupted one would have drawn.
"""

from __future__ import annotations

import numpy as np

(
    INITIAL_WEIGHTS, SAMPLE_ORDER, TRAINING_SPIKES, TEST_SPIKES, LABELLING_SPIKES, DRAW, RECORDED_SPIKES,
    COUNTED_SPIKES, BETWEEN_PASSES, STIMULI,
) = range(10)  # fmt: skip


def generator(seed: int, purpose: int, index: int = 0) -> np.random.Generator:
    """A NumPy generator for one purpose."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, purpose, index])))


def block_seed(seed: int, purpose: int, index: int) -> int:
    """32 bits that seed a compiled program for one block."""
    return int(np.random.SeedSequence([seed, purpose, index]).generate_state(1, np.uint32)[0])
