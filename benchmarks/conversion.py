"""The converted LeNet in testing: what an image takes, from its pixels to all that is read of it.

Nothing learns, so that there is no side to compare it with; what is recorded for figures is recorded here as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.comparison import Say, milliseconds
from benchmarks.rows import Benchmark
from benchmarks.worker import measure
from hebbarium.engine import devices, presentations, streams
from hebbarium.engine.contract import Block
from hebbarium.models.lenet_conversion import LeNetConversion
from hebbarium.training import responses

AT_MOST = 2.0  # ms


@dataclass(frozen=True)
class Amounts:
    """How much is measured.

    Parameters
    ----------
    rounds : int
        Times that images are shown; what is reported is the median.
    images : int
        Images of a round; as many are shown before the first.
    """

    rounds: int
    images: int


FULL = Amounts(5, 1000)
QUICK = Amounts(2, 50)


def show(amounts: Amounts, images: Path, scratch: Path, say: Say) -> list[Benchmark]:
    """Show images to the network.

    Parameters
    ----------
    images : Path
        ``.npy`` file, uint8 ``(images, pixels)``; the first ones also normalise the weights.
    """
    model, pixels = LeNetConversion(), np.load(images)[: amounts.images]
    structure = responses.frozen_structure(model, "test", "float32", devices.DEFAULT)
    program = devices.program(structure, scratch)
    drawn = model.initial_state(streams.generator(0, streams.INITIAL_WEIGHTS))
    state = responses.frozen_state(model, "test", model.calibrated(dict(drawn), pixels))

    def block() -> int:
        inputs = model.all_inputs("test", pixels, np.zeros(len(pixels), np.int64))
        seed = streams.block_seed(0, streams.TEST_SPIKES, 0)
        answers = presentations.show(program, Block(state, inputs, model.run_time_values(), seed))
        return int(answers.counts[model.readout].sum())

    block()
    measured = []
    for number in range(amounts.rounds):
        measured.append(measure(len(pixels), block))
        say(f"{model.name}: round {number + 1} of {amounts.rounds}")
    spikes = {turn.spikes for turn in measured}
    if len(spikes) != 1 or not spikes.pop():
        raise AssertionError(f"{model.name}: spikes of the output differ from round to round, or there are none")
    shown = f"{model.name}, T = {model.t_max}, float32: an image in testing"
    return [Benchmark(shown, milliseconds(measured), "ms", below=AT_MOST)]
