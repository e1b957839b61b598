"""Brian2GeNN beside Brian2CUDA and C++ standalone, by one network in plain Brian2; each device that is here."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from benchmarks.gpu import plain_brian2
from benchmarks.gpu.case import Case, Findings
from benchmarks.rows import Benchmark
from benchmarks.worker import ROOT
from hebbarium.engine import cuda
from hebbarium.engine.contract import Structure

CALLED = {"genn": "Brian2GeNN", "cuda_standalone": "Brian2CUDA", "cpp_standalone": "Brian2's C++ standalone"}


@dataclass(frozen=True)
class Beside(Case):
    """A network in plain Brian2 on each device.

    Parameters
    ----------
    neurons, milliseconds : int
    """

    BESIDE_A_GPU: ClassVar[tuple[str, ...]] = ("genn", "cuda_standalone", "cpp_standalone")

    neurons: int = 1600
    milliseconds: int = 2000

    def structures(self) -> Sequence[Structure]:
        """See `Case.structures`: each device makes a program of its own."""
        return []

    @property
    def devices(self) -> tuple[str, ...]:
        """Brian2's names of the devices that are compared."""
        return self.BESIDE_A_GPU if self.device == cuda.DEVICE else self.BESIDE_A_GPU[-1:]

    def run(self, scratch: Path) -> Findings:
        """See `Case.run`."""
        findings = Findings()
        for name in self.devices:
            if why := plain_brian2.unavailable(name):
                findings.said.append(f"{CALLED[name]} is left out: {why}")
                continue
            arguments = ["-m", "benchmarks.gpu.plain_brian2", name, str(self.neurons), str(self.milliseconds)]
            try:
                done = subprocess.run(
                    [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False,
                    timeout=self.seconds / len(self.devices),
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                findings.said.append(f"{CALLED[name]}: took longer than {self.seconds / len(self.devices):.0f} s")
                continue
            if done.returncode:
                findings.said.append(f"{CALLED[name]} failed: {done.stderr.strip()[-1000:]}")
                continue
            told = json.loads(done.stdout.strip().splitlines()[-1])
            network = f"plain STDP network, N={self.neurons}, {CALLED[name]}"
            findings.rows.append(
                Benchmark(f"{network}: a second of the network", 1e6 * told["seconds"] / self.milliseconds, "ms")
            )
            findings.rows.append(Benchmark(f"{network}: spikes", told["spikes"]))
        findings.agrees = len(findings.rows) == 2 * len(self.devices)
        return findings
