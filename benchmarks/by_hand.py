"""The same network written by hand in C++ (`benchmarks/handwritten`), as a yardstick for generated code."""

from __future__ import annotations

import argparse
import re
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from brian2 import hertz, ms
from numpy.typing import NDArray

from benchmarks.worker import ROOT, Measurement, cpu_seconds, serve
from hebbarium.models.synaptic_scaling import SynapticScaling

SOURCE = ROOT / "benchmarks" / "handwritten" / "winner_take_all.cpp"
FLAGS = ("-O3", "-march=native", "-ffast-math", "-std=c++17")


def options(model: SynapticScaling) -> dict[str, str]:
    """The model's parameters as the program's options."""
    numbers = {
        "n": model.neurons,
        "norm": int(model.norm.removeprefix("L")),
        "w_t": model.w_t,
        "w_max": model.w_max,
        "a_plus": model.a_plus,
        "a_minus": model.a_minus,
        "tau_p": model.tau_p / ms,
        "train_ms": model.t_train / ms,
        "rate": model.total_rate / hertz,
        "gain": model.gain / ms,
        "e_to_i": model.w_ei / model.tau_s,
        "i_to_e": model.w_ie / model.tau_s / (model.neurons - 1),
    }
    return {name: f"{float(value):g}" for name, value in numbers.items()}


class TrainingByHand:
    """The compiled program. It cannot go on from a state, so each turn begins anew.

    What is measured is the difference between a run of ``warm_up`` + count images and one of ``warm_up``.
    """

    def __init__(
        self, neurons: int, images: NDArray[np.uint8], warm_up: int, folder: Path, all_rows: bool = False
    ) -> None:
        self.warm_up, self.folder, self.available = warm_up, folder, len(images)
        self.options = options(SynapticScaling(neurons=neurons)) | {"all_rows": str(int(all_rows))}
        subprocess.run(["g++", *FLAGS, str(SOURCE), "-o", str(folder / "main")], check=True)
        images.tofile(folder / "images")
        np.array([], dtype="<i4").tofile(folder / "nothing")

    def _run(self, count: int) -> tuple[float, float, int]:
        """Seconds by the clock, processor seconds and excitatory spikes of a run from the beginning."""
        (np.arange(count, dtype="<i4") % self.available).tofile(self.folder / "order")
        files = {"images": "images", "train": "order", "test": "nothing", "out": "run"}
        command = ["./main", *(f"{name}={value}" for name, value in (files | self.options).items())]
        before = cpu_seconds()
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=True)
        said = re.search(r"([\d.]+) ms an image in training", done.stdout)
        if not said:
            raise RuntimeError(f"{SOURCE.name} said {done.stdout!r}, expected 'ms an image in training'")
        spikes = np.fromfile(self.folder / "run.train", dtype="<u2").sum(dtype=np.int64)
        return 1e-3 * float(said[1]) * count, cpu_seconds() - before, int(spikes)

    def train(self, count: int) -> Measurement:
        """``count`` images after the warm-up."""
        before, after = self._run(self.warm_up), self._run(self.warm_up + count)
        wall, cpu, spikes = (b - a for a, b in zip(before, after, strict=True))
        return Measurement(count, float(wall), float(cpu), int(spikes))


def main() -> None:
    """Worker: compile, then answer requests."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=Path, required=True, help=".npy file, uint8 (images, pixels)")
    parser.add_argument("--neurons", type=int, required=True)
    parser.add_argument("--warm-up", type=int, required=True, help="images before the measured ones")
    parser.add_argument("--all-rows", action="store_true", help="visit the weights of silent pixels too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        images, rows = np.load(arguments.images), arguments.all_rows
        training = TrainingByHand(arguments.neurons, images, arguments.warm_up, Path(folder), rows)
        serve({"flags": " ".join(FLAGS)}, training.train)


if __name__ == "__main__":
    main()
