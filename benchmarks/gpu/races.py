"""Faults of a CUDA program that results may hide: memory that is not its own, and races, by compute-sanitizer."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from benchmarks.gpu.case import Case, Findings, digits
from benchmarks.rows import Benchmark
from hebbarium.engine import anatomy, devices, streams
from hebbarium.engine.contract import Block, Structure
from hebbarium.engine.standalone import StandaloneProgram
from hebbarium.files.errors import BlockFailed, EngineError
from hebbarium.models.contract import Model

PROGRAM = "compute-sanitizer"
_SUMMARY = re.compile(r"(?:ERROR|RACECHECK) SUMMARY: (\d+) (?:errors?|hazards?)")


@dataclass(frozen=True)
class Checked(Case):
    """The first program of another case, under each tool, for a sample or some.

    Parameters
    ----------
    of : Case
    samples : int
    """

    TOOLS: ClassVar[tuple[str, ...]] = ("memcheck", "racecheck")

    of: Case | None = None
    samples: int = 1

    def structures(self) -> Sequence[Structure]:
        """See `Case.structures`: those that something learns in, which have the most operations."""
        assert self.of is not None
        return self.of.structures()[:1]

    def run(self, scratch: Path) -> Findings:
        """See `Case.run`. Raises `EngineError` where the tool is not on the path."""
        if shutil.which(PROGRAM) is None:
            raise EngineError(f"{PROGRAM} is not on the path: it comes with the CUDA toolkit")
        findings = Findings()
        for structure in self.structures():
            program = devices.program(structure, scratch)
            assert isinstance(program, StandaloneProgram)
            for tool in self.TOOLS:
                log = scratch / f"{tool}.log"
                seconds = self.seconds / len(self.TOOLS)
                program.launcher = under(tool, log, seconds)
                failed = ""
                try:
                    program.run(block(structure, self.samples))
                except BlockFailed as error:
                    failed = str(error)
                _read(f"{structure.model.name}, {self.called}", tool, log, failed, findings)
        return findings


def under(tool: str, log: Path, seconds: float) -> tuple[str, ...]:
    """What a program is started by, to be watched by a tool and ended in time."""
    # a program ends with the process that it was told of, which would not be its parent
    return (
        "env", "-u", "HEBBARIUM_PARENT", "timeout", "-s", "KILL", f"{seconds:.0f}",
        PROGRAM, "--tool", tool, "--error-exitcode", "0", "--log-file", str(log),
    )  # fmt: skip


def _read(name: str, tool: str, log: Path, failed: str, findings: Findings) -> None:
    text = log.read_text(errors="replace") if log.exists() else ""
    count = faults(text)
    if count is not None:
        findings.rows.append(Benchmark(f"{name}: faults found by {tool}", count))
    if count:
        findings.said.append(f"{name}: {tool} found {count} faults, the first of which is\n{_first(text)}")
    if count is None or failed:
        findings.said.append(f"{name}: {tool} came to no end: {failed or 'it wrote no summary'}")
    findings.agrees = findings.agrees and count == 0 and not failed


def faults(text: str) -> int | None:
    """How many faults a tool has found, from what it wrote; None if it came to no summary."""
    found = _SUMMARY.findall(text)
    return int(found[-1]) if found else None


def _first(text: str) -> str:
    lines = [line.removeprefix("=========").strip() for line in text.splitlines()]
    return "\n".join(lines[1:7])


def block(structure: Structure, samples: int) -> Block:
    """The first digits, for a network as it begins."""
    model = structure.model
    assert isinstance(model, Model)
    images, labels = digits()
    drawn = model.initial_state(streams.generator(3, streams.INITIAL_WEIGHTS))
    begins = anatomy.initial_state(model, structure.phase, drawn)
    inputs = model.all_inputs(structure.phase, images[:samples], labels[:samples])
    return Block(begins, inputs, model.run_time_values(), 5)


def checked(case: Case, seconds: float) -> Checked:
    """A case that looks for the faults of another's programs."""
    return Checked(f"races of {case.name}", case.device, of=case, seconds=seconds)
