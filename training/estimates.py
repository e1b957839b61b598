"""How long a run will take and how much room it needs, before it is begun."""

from __future__ import annotations

import math
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hebbarium.datasets import draws
from hebbarium.datasets.labelled_images import Dataset
from hebbarium.engine import anatomy, devices, streams
from hebbarium.engine.anatomy import initial_state
from hebbarium.engine.contract import Block, Structure
from hebbarium.files.errors import RunFolderError
from hebbarium.models.contract import Model
from hebbarium.training import limits, training
from hebbarium.training.run_settings import CAPACITY, RunSettings

LONG = 150_000.0
"""Neurons times seconds of simulated time above which a run's duration is worth measuring beforehand."""
_CALIBRATION_IMAGES = 20
_SPARE = 20 * 2**20  # bytes for figures and what file systems round up


@dataclass(frozen=True)
class Presentations:
    """Images that a run shows, by phase."""

    train: int
    respond: int
    test: int


def presentations(asked: RunSettings, images: Dataset) -> Presentations:
    """How many images a run shows while training, labelling and testing."""
    split = draws.split(images, asked.images, asked.validation, asked.test_images, asked.seed)
    limits.refuse_length(asked, asked.make_model(), len(split.train))
    labelling = 0
    if asked.labels_from == "labelling":
        labelling = min(len(split.train), asked.labelling_images or len(split.train))
    tested = split.validation if asked.evaluate_on == "validation" else split.test
    return Presentations(len(split.train) * training.passes(asked), labelling, len(tested))


def is_long(model: Model, shown: Presentations) -> bool:
    """Whether a run takes so long that an estimate is worth its price."""
    steps = sum(getattr(shown, phase) * model.sample_steps(phase) for phase in ("train", "respond", "test"))
    return steps * anatomy.time_step(model) * anatomy.populations(model)[model.readout] > LONG


def disk_bytes(asked: RunSettings, model: Model, shown: Presentations) -> int:
    """Room that a run needs at most: checkpoints, snapshots, responses, the result file twice."""
    neurons = anatomy.populations(model)[model.readout]
    weights = sum(math.prod(p.shape) for p in anatomy.projections(model))
    checkpoints = 3 * 8 * weights  # two are kept while the next is written
    snapshots = 3 * 4 * weights * (asked.snapshots + 1)  # in files, in the result file and in its successor
    responses = 3 * 10 * min(neurons, 20) * (shown.train + shown.respond + shown.test)
    rates = 8 * anatomy.populations(model)["input"] * max(asked.block, training.EVALUATION_BLOCK)
    scratch = asked.jobs * (2 * 8 * weights + 2 * rates)
    return checkpoints + snapshots + responses + scratch + _SPARE


def kept_bytes(asked: RunSettings, model: Model, shown: Presentations) -> int:
    """Room that a complete run keeps at most: two checkpoints, the result file, the figures."""
    weights = sum(math.prod(p.shape) for p in anatomy.projections(model))
    neurons = anatomy.populations(model)[model.readout]
    responses = 10 * min(neurons, 20) * (shown.train + shown.respond + shown.test)
    return 2 * 8 * weights + 4 * weights * (asked.snapshots + 1) + responses + _SPARE // 10


def check_disk(folder: Path, needed: int) -> None:
    """Refuse a run that the disk has no room for.

    Raises
    ------
    RunFolderError
        Naming the room needed and the room there is.
    """
    there = folder.absolute()
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    if needed > free:
        raise RunFolderError(
            f"{folder}: needs about {in_bytes(needed)}, but only {in_bytes(free)} are free there; "
            f"free some room, choose another --out, or ask for fewer --snapshots"
        )


def seconds(asked: RunSettings, model: Model, images: Dataset, shown: Presentations) -> float:
    """Duration of a run after its programs are compiled, measured on a few images of each phase.

    A network that has learned fires differently from a fresh one, so this is right to a factor of about two.
    """
    sample, classes = images.train_images[:_CALIBRATION_IMAGES], images.train_labels[:_CALIBRATION_IMAGES]
    generator = streams.generator(asked.seed, streams.INITIAL_WEIGHTS)
    given = model.initial_state(generator)
    total, frozen, learning = 0.0, training.EVALUATION_BLOCK, dict(asked.phases(model))
    a_pass = shown.train / sum(learning.values())
    counts = [(phase, a_pass * passes, asked.block) for phase, passes in learning.items()]
    counts += [("respond", shown.respond, frozen), ("test", shown.test, frozen)]
    with tempfile.TemporaryDirectory(prefix="hebbarium-") as scratch:
        for phase, count, length in counts:
            if not count:
                continue
            if phase in learning:
                structure = Structure(model, phase, asked.precision, asked.device, CAPACITY)
            else:
                structure = training.frozen_structure(model, phase, asked.precision, asked.device)
            program = devices.program(structure, Path(scratch))
            block = Block(
                initial_state(model, phase, given),
                model.all_inputs(phase, sample, classes),
                model.run_time_values(),
                seed=asked.seed,
            )
            result = program.run(block)
            setup = result.wall_seconds - result.run_seconds
            duration = count * result.run_seconds / len(sample) + math.ceil(count / length) * setup
            total += duration / (asked.jobs if phase not in learning else 1)
    return total


def in_bytes(number: float) -> str:
    """A number of bytes to read.

    >>> in_bytes(2_500_000), in_bytes(900)
    ('2.5 MB', '900 B')
    """
    units = ["TB", "GB", "MB", "kB", "B"]
    while number >= 1000 and len(units) > 1:
        number /= 1000
        units.pop()
    return f"{number:.3g} {units[-1]}"


def in_time(duration: float) -> str:
    """A number of seconds to read.

    >>> in_time(42), in_time(600), in_time(9000)
    ('42 s', '10 min', '2 h 30 min')
    """
    if duration < 100:
        return f"{duration:.0f} s"
    minutes = round(duration / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
