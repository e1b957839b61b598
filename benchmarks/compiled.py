"""Our side: the network as one compiled program, a block of images at a time.

What is timed is what a training run does for a block: pixels to rates, inputs written, the program started
and run, its results read, spikes counted.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.worker import Measurement, measure, serve
from hebbarium.catalogue import registry
from hebbarium.engine import devices, presentations, streams
from hebbarium.engine.anatomy import initial_state
from hebbarium.engine.contract import Arrays, Block, Structure
from hebbarium.engine.standalone import StandaloneProgram
from hebbarium.models.contract import Model
from hebbarium.models.desire_backprop import DesireBackprop
from hebbarium.models.synaptic_scaling import SynapticScaling
from hebbarium.protocols.desire_backprop import output_desires
from hebbarium.training import parameters

CAPACITY = 1000
_POLL = 0.05  # s: the mark only rises, so that nothing is missed but what happens in the last moment


class MemoryWatch:
    """The greatest resident memory of this process's children that run one program: Linux's high-water mark.

    The accounting of ended children would not do: it keeps what a child took over from its parent before it
    became another program.
    """

    def __init__(self, program: Path) -> None:
        self.program = program.resolve()
        self.peak = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_POLL):
            for children in Path("/proc/self/task").glob("*/children"):
                for child in _read(children).split():
                    self._look(Path("/proc") / child)

    def _look(self, process: Path) -> None:
        try:
            if (process / "exe").resolve() != self.program:
                return
        except OSError:
            return
        for line in _read(process / "status").splitlines():
            if line.startswith("VmHWM:"):
                self.peak = max(self.peak, 1024 * int(line.split()[1]))


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:  # the process has ended meanwhile
        return ""


def without_desires(model: Model, counts: NDArray[np.integer], labels: NDArray[np.integer]) -> int:
    """Samples of desire backpropagation after which no output neuron wants anything, so that nothing is changed.

    Parameters
    ----------
    model : Model
        0 for any other model.
    counts : (samples, classes)
        Spikes of the output neurons.
    """
    if not isinstance(model, DesireBackprop):
        return 0
    return int((output_desires(counts, labels, model) == 0).all(axis=1).sum())


def trained(model: Model, precision: str, device: str, profile: bool = False) -> Structure:
    """The program of a network in training, of which the first readout alone is read."""
    read = tuple(measure for measure in model.measures(True) if measure.population == model.readout)
    return Structure(model, "train", precision, device, CAPACITY, profile=profile, measures=read)


class CompiledTraining:
    """A network in training. ``images`` are presented in their order, again and again.

    Parameters
    ----------
    watch_memory : bool
        Note the program's peak memory; looking for it costs some processor time.
    labels : (images,), optional
        Classes of the images. Where it does not matter how much is learned, any will do: a teacher costs the same
        whatever it says.
    profile : bool
        Measure each operation, which lengthens short ones.
    """

    def __init__(
        self,
        model: Model,
        precision: str,
        images: NDArray[np.uint8],
        scratch: Path,
        device: str = devices.DEFAULT,
        watch_memory: bool = False,
        labels: NDArray[np.integer] | None = None,
        profile: bool = False,
    ) -> None:
        self.model, self.images, self.watch_memory = model, images, watch_memory
        self.labels = np.arange(len(images)) % 10 if labels is None else labels
        program = devices.program(trained(model, precision, device, profile), scratch)
        assert isinstance(program, StandaloneProgram)
        self.program = program
        drawn = self.model.initial_state(streams.generator(0, streams.INITIAL_WEIGHTS))
        self.state: Arrays = initial_state(self.model, "train", drawn)
        self.blocks = self.seen = 0
        #: spikes ``(images, neurons)`` of the readout in the last block; of one that is read otherwise, none
        self.counts: NDArray[np.uint16] = np.zeros((0, 0), np.uint16)

    def train(self, count: int) -> Measurement:
        """One block of ``count`` images."""
        run_seconds, profile = 0.0, dict[str, float]()
        labels = self.labels[np.arange(self.seen, self.seen + count) % len(self.images)]

        def block() -> int:
            nonlocal run_seconds, profile
            chosen = np.arange(self.seen, self.seen + count) % len(self.images)
            seed = streams.block_seed(0, streams.TRAINING_SPIKES, self.blocks)
            inputs = self.model.all_inputs("train", self.images[chosen], labels)
            answers = presentations.show(self.program, Block(self.state, inputs, self.model.run_time_values(), seed))
            self.state, run_seconds, profile = answers.state, answers.run_seconds, dict(answers.profile)
            self.counts = answers.counts[self.model.readout]
            return int(self.counts.sum())

        watch = MemoryWatch(self.program.path / "main") if self.watch_memory else None
        with watch or contextlib.nullcontext():
            measured = measure(count, block)
        self.blocks += 1
        self.seen += count
        idle, memory = without_desires(self.model, self.counts, labels), watch.peak if watch else 0
        return dataclasses.replace(measured, run=run_seconds, memory=memory, idle=idle, profile=profile)


def main() -> None:
    """Worker: build the program, train on some images, then answer requests."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=Path, required=True, help=".npy file, uint8 (images, pixels)")
    parser.add_argument("--labels", type=Path, help=".npy file (images,); any will do if not given")
    parser.add_argument("--model", default=SynapticScaling.name)
    parser.add_argument("--neurons", type=int)
    parser.add_argument("--set", action="append", default=[], help="a parameter of the model, as symbol=value")
    parser.add_argument("--precision", required=True)
    parser.add_argument("--device", choices=devices.COMPILED, default=devices.DEFAULT)
    parser.add_argument("--warm-up", type=int, required=True, help="images before the first measurement")
    parser.add_argument("--save", type=Path, help="keep the state after the warm-up in this .npz file")
    parser.add_argument("--watch-memory", action="store_true", help="note the program's peak memory")
    parser.add_argument("--profile", action="store_true", help="measure each operation")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        started = time.perf_counter()
        images = np.load(options.images)
        changes = parameters.assignments(options.set)
        if options.neurons is not None:
            changes["neurons"] = str(options.neurons)
        model = parameters.apply(registry.find(options.model), changes)
        training = CompiledTraining(
            model, options.precision, images, Path(scratch), options.device, options.watch_memory,
            np.load(options.labels) if options.labels else None, options.profile,
        )  # fmt: skip
        building = time.perf_counter() - started
        for first in range(0, options.warm_up, CAPACITY):
            training.train(min(CAPACITY, options.warm_up - first))
        if options.save:
            np.savez(options.save, allow_pickle=False, **training.state)
        serve({"precision": options.precision, "building_s": f"{building:.1f}"}, training.train)


if __name__ == "__main__":
    main()
