"""How much longer training takes if images that evoke too few spikes are shown again (Diehl & Cook 2015).

Touda & Okuno show every image once and say that this makes training faster. Here one and the same network is
trained in both ways, and the time is taken. Images that evoked fewer than five spikes in their block are
shown again after it, at rising rates, until they do.
"""

from __future__ import annotations

import dataclasses
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hebbarium.datasets import by_name as datasets
from hebbarium.engine import anatomy, devices, streams
from hebbarium.engine.anatomy import initial_state
from hebbarium.engine.contract import Block, Program, Structure
from hebbarium.training.progress import QuietReporter, Reporter
from hebbarium.training.run_settings import CAPACITY, RunSettings
from hebbarium.training.samples import Division

LEAST_SPIKES = 5
RISE = 32 / 63.75  # each time the highest rate, 63.75 Hz at first, rises by 32 Hz
MOST_REPEATS = 20


@dataclass(frozen=True)
class TrainingTime:
    """Time of one way of training.

    Attributes
    ----------
    seconds : float
        Of the compiled program, an image.
    presentations : float
        An image.
    """

    seconds: float
    presentations: float


def compare(settings: RunSettings, reporter: Reporter | None = None) -> tuple[TrainingTime, TrainingTime]:
    """Train once without and once with showing images again; returns both times in this order."""
    reporter = reporter or QuietReporter()
    model = settings.make_model()
    with tempfile.TemporaryDirectory(prefix="hebbarium-") as scratch:
        structure = Structure(model, "train", settings.precision, settings.device, CAPACITY)
        program = devices.program(structure, Path(scratch))
        short = dataclasses.replace(settings, images=min(settings.block, settings.images or settings.block))
        _train(program, short, 0, QuietReporter())  # the first runs of a program are slower than later ones
        once = _train(program, settings, 0, reporter)
        again = _train(program, settings, MOST_REPEATS, reporter)
    return once, again


def _train(program: Program, settings: RunSettings, most_repeats: int, reporter: Reporter) -> TrainingTime:
    model = settings.make_model()
    trained = Division.of(settings, datasets.load(settings.dataset, settings.data)).part("train")
    generator = streams.generator(settings.seed, streams.INITIAL_WEIGHTS)
    state = initial_state(model, "train", model.initial_state(generator))
    neurons, steps = anatomy.populations(model)[model.readout], program.structure.sample_steps
    seconds, presentations, number = 0.0, 0, 0
    reporter.stage("With images shown again" if most_repeats else "Each image once", len(trained))
    for start in range(0, len(trained), settings.block):
        waiting = block = trained[start : start + settings.block]
        for repeat in range(most_repeats + 1):
            inputs = {name: array * (1 + repeat * RISE) for name, array in model.encode(waiting.pixels).items()}
            seed = streams.block_seed(settings.seed, streams.TRAINING_SPIKES, number)
            result = program.run(Block(state, inputs, model.run_time_values(), seed))
            state, number = result.state, number + 1
            seconds, presentations = seconds + result.run_seconds, presentations + len(waiting)
            spikes = result.spikes[model.readout].counts(len(waiting), steps, neurons).sum(axis=1)
            waiting = waiting[np.flatnonzero(spikes < LEAST_SPIKES)]
            if not len(waiting):
                break
        reporter.advance(len(block))
    return TrainingTime(seconds / len(trained), presentations / len(trained))
