"""How long a run will take and how much room it needs, before it is begun."""

from __future__ import annotations

import math
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hebbarium.engine import anatomy, devices, streams
from hebbarium.engine.anatomy import initial_state
from hebbarium.engine.contract import Block
from hebbarium.files.errors import RunFolderError
from hebbarium.models.contract import Model
from hebbarium.training import responses
from hebbarium.training.preparation import Prepared

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


def presentations(prepared: Prepared) -> Presentations:
    """How many images a run shows while training, labelling and testing."""
    settings, division = prepared.settings, prepared.division
    passes = sum(number for _, number in settings.phases(prepared.model))
    labelling = division.number_labelling if settings.labels_from == "labelling" else 0
    return Presentations(division.trained * passes, labelling, division.number_tested)


def is_long(model: Model, presentations: Presentations) -> bool:
    """Whether a run takes so long that an estimate is worth its price."""
    shows = ((phase, getattr(presentations, phase)) for phase in ("train", "respond", "test"))
    steps = sum(model.slots(phase).presentations(n) * model.sample_steps(phase) for phase, n in shows if n)
    return steps * anatomy.time_step(model) * anatomy.shown_to(model, model.readout) > LONG


def disk_bytes(prepared: Prepared, presentations: Presentations) -> int:
    """Room that a run needs at most: checkpoints, snapshots, responses, the result file twice."""
    settings, model = prepared.settings, prepared.model
    neurons = anatomy.shown_to(model, model.readout)
    weights = sum(math.prod(p.shape) for p in anatomy.projections(model))
    checkpoints = 3 * 8 * weights  # two are kept while the next is written
    snapshots = 3 * 4 * weights * (settings.snapshots + 1)  # in files, in the result file and in its successor
    answers = 3 * 10 * min(neurons, 20) * (presentations.train + presentations.respond + presentations.test)
    rates = 8 * anatomy.shown_to(model, "input") * max(settings.block, responses.EVALUATION_BLOCK)
    scratch = settings.jobs * (2 * 8 * weights + 2 * rates)
    return checkpoints + snapshots + answers + scratch + _SPARE


def kept_bytes(prepared: Prepared, presentations: Presentations) -> int:
    """Room that a complete run keeps at most: two checkpoints, the result file, the figures."""
    settings, model = prepared.settings, prepared.model
    weights = sum(math.prod(p.shape) for p in anatomy.projections(model))
    neurons = anatomy.shown_to(model, model.readout)
    answers = 10 * min(neurons, 20) * (presentations.train + presentations.respond + presentations.test)
    return 2 * 8 * weights + 4 * weights * (settings.snapshots + 1) + answers + _SPARE // 10


def check_disk(folder: Path, needed: int) -> None:
    """Refuse a run that the disk has no room for.

    Raises
    ------
    RunFolderError
        Naming the room needed and the room there is.
    """
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if needed > free:
        raise RunFolderError(
            f"{folder}: needs about {in_bytes(needed)}, but only {in_bytes(free)} are free there; "
            f"free some room, choose another --out, or ask for fewer --snapshots"
        )


def seconds(prepared: Prepared, presentations: Presentations) -> float:
    """Duration of a run after its programs are compiled, measured on a few images of each phase.

    A network that has learned fires differently from a fresh one, so this is right to a factor of about two.
    """
    settings, model, images = prepared.settings, prepared.model, prepared.images
    sample, classes = images.train_images[:_CALIBRATION_IMAGES], images.train_labels[:_CALIBRATION_IMAGES]
    generator = streams.generator(settings.seed, streams.INITIAL_WEIGHTS)
    state = model.calibrated(model.initial_state(generator), sample)
    total, frozen, learning = 0.0, responses.EVALUATION_BLOCK, dict(settings.phases(model))
    a_pass = presentations.train / max(sum(learning.values()), 1)
    counts = [(phase, a_pass * passes, settings.block) for phase, passes in learning.items()]
    counts += [("respond", presentations.respond, frozen), ("test", presentations.test, frozen)]
    with tempfile.TemporaryDirectory(prefix="hebbarium-") as scratch:
        for phase, count, length in counts:
            if not count:
                continue
            if phase in learning:
                structure = responses.learning_structure(model, phase, settings.precision, settings.device)
            else:
                structure = responses.frozen_structure(model, phase, settings.precision, settings.device)
            program = devices.program(structure, Path(scratch))
            block = Block(
                initial_state(model, phase, state),
                model.all_inputs(phase, sample, classes),
                model.run_time_values(),
                seed=settings.seed,
            )
            result = program.run(block)
            setup = result.wall_seconds - result.run_seconds
            duration = count * result.run_seconds / len(sample) + math.ceil(count / length) * setup
            total += duration / (settings.jobs if phase not in learning else 1)
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
