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
from engine import devices, presentations, streams
from engine.contract import Arrays, Block, Structure, initial_state
from engine.standalone import StandaloneProgram
from models.contract import Model
from models.synaptic_scaling import SynapticScaling
from protocols import registry, settings

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


class CompiledTraining:
    """A network in training. ``images`` are presented in their order, again and again.

    Parameters
    ----------
    watch_memory : bool
        Note the program's peak memory; looking for it costs some processor time.
    """

    def __init__(
        self,
        model: Model,
        precision: str,
        images: NDArray[np.uint8],
        scratch: Path,
        device: str = devices.DEFAULT,
        watch_memory: bool = False,
    ) -> None:
        self.model, self.images, self.watch_memory = model, images, watch_memory
        program = devices.program(Structure(self.model, "train", precision, device, CAPACITY), scratch)
        assert isinstance(program, StandaloneProgram)
        self.program = program
        drawn = self.model.initial_state(streams.generator(0, streams.INITIAL_WEIGHTS))
        self.state: Arrays = initial_state(self.model, "train", drawn)
        self.blocks = self.seen = 0

    def train(self, count: int) -> Measurement:
        """One block of ``count`` images."""
        run_seconds = 0.0

        def block() -> int:
            nonlocal run_seconds
            chosen = np.arange(self.seen, self.seen + count) % len(self.images)
            seed = streams.block_seed(0, streams.TRAINING_SPIKES, self.blocks)
            # any labels will do: a teacher costs the same whatever it says
            inputs = self.model.all_inputs("train", self.images[chosen], chosen % 10)
            answers = presentations.show(self.program, Block(self.state, inputs, self.model.run_time_values(), seed))
            self.state, run_seconds = answers.state, answers.run_seconds
            return int(answers.counts[self.model.readout].sum())

        watch = MemoryWatch(self.program.path / "main") if self.watch_memory else None
        with watch or contextlib.nullcontext():
            measured = measure(count, block)
        self.blocks += 1
        self.seen += count
        return dataclasses.replace(measured, run=run_seconds, memory=watch.peak if watch else 0)


def main() -> None:
    """Worker: build the program, train on some images, then answer requests."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=Path, required=True, help=".npy file, uint8 (images, pixels)")
    parser.add_argument("--model", default=SynapticScaling.name)
    parser.add_argument("--neurons", type=int)
    parser.add_argument("--set", action="append", default=[], help="a parameter of the model, as symbol=value")
    parser.add_argument("--precision", required=True)
    parser.add_argument("--device", choices=devices.COMPILED, default=devices.DEFAULT)
    parser.add_argument("--warm-up", type=int, required=True, help="images before the first measurement")
    parser.add_argument("--save", type=Path, help="keep the state after the warm-up in this .npz file")
    parser.add_argument("--watch-memory", action="store_true", help="note the program's peak memory")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        started = time.perf_counter()
        images = np.load(asked.images)
        changes = settings.assignments(asked.set)
        if asked.neurons is not None:
            changes["neurons"] = str(asked.neurons)
        model = settings.apply(registry.find(asked.model), changes)
        training = CompiledTraining(
            model, asked.precision, images, Path(scratch), asked.device, asked.watch_memory
        )
        building = time.perf_counter() - started
        for first in range(0, asked.warm_up, CAPACITY):
            training.train(min(CAPACITY, asked.warm_up - first))
        if asked.save:
            np.savez(asked.save, allow_pickle=False, **training.state)
        serve({"precision": asked.precision, "building_s": f"{building:.1f}"}, training.train)


if __name__ == "__main__":
    main()
