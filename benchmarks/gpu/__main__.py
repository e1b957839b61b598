"""``python -m benchmarks.gpu``: on a machine with a GPU, all that was never run there, in under ten minutes.

Without a GPU everything up to the run is done, as far as the tools that are here go.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path

from benchmarks import rows
from benchmarks.gpu import cases, growth, plain_brian2, races
from benchmarks.gpu.case import CALLED, Case, Findings
from benchmarks.gpu.growth import Sized
from benchmarks.gpu.steps import NO_TIME, TOO_LONG, Clock, Done, Step, carry_out, carry_out_all
from benchmarks.rows import Benchmark
from hebbarium.engine import cuda, machine
from hebbarium.engine.contract import Structure
from hebbarium.ledger import commits
from hebbarium.training import provenance

SOURCES, LINK, RUN = STAGES = ("sources", "link", "run")
MINUTES = 9.5
BUILDING = 0.5
"""Share of the time after which nothing is built any more."""
JOBS_OF_A_BUILD = 2
"""Of make, in `hebbarium.engine.cuda`."""

Say = Callable[[str], None]


def main() -> int:
    """Build, run, print, write."""
    options = _parser().parse_args()
    clock, started = Clock(60 * options.minutes), time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - started:5.0f} s] {text}", file=sys.stderr, flush=True)

    computer = ", ".join(filter(None, [machine.in_words(), gpu()]))
    commit = commits.named(**provenance.code_version())
    print(f"{computer}; commit {commit or 'unknown'}")
    for line in tools(options.device):
        print(line)
    until = furthest(options.device, options.until, print)
    chosen = [
        (part, case) for part, case in cases.every(options.device)
        if part in (options.only or cases.PARTS) and (not options.case or case.name in options.case)
    ]  # fmt: skip
    if not chosen:
        known = ", ".join(case.name for _, case in cases.every(options.device))
        print(f"benchmarks.gpu: no such case; there are {known}", file=sys.stderr)
        return 2
    problems: dict[str, str] = {}
    if until:
        problems = build([case for _, case in chosen], options.device, until, options.jobs, clock, say)
    measured: list[Benchmark] = []
    if until == RUN:
        measured, failed = run(chosen, options.device, problems, clock, say)
        problems |= failed
    print(rows.table(measured))
    for name, problem in problems.items():
        print(f"{'LEFT OUT' if problem == NO_TIME else 'FAILED'}  {name}: {problem}")
    if until != RUN:
        print(f"nothing was run: what {CALLED[options.device]} programs compute is not known from this")
    print(f"{len(problems)} of {len(chosen)} cases failed or were left out, after {time.monotonic() - started:.0f} s")
    if options.out and measured:
        rows.write_csv(options.out / "benchmarks.csv", measured, computer, commit, keep=True)
        print(options.out / "benchmarks.csv")
        if commit.endswith(commits.DIRTY):
            print("the code differs from its commit: these rows do not belong into results/")
    return 1 if any(problem != NO_TIME for problem in problems.values()) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description="CUDA programs on a GPU.")
    parser.add_argument("--until", choices=STAGES, default=RUN, help="how far to go; sources: nothing is compiled")
    parser.add_argument("--dry-run", dest="until", action="store_const", const=LINK, help="the same as --until link")
    parser.add_argument("--only", action="append", choices=cases.PARTS, help="this part alone; may be repeated")
    parser.add_argument("--case", action="append", help="this case alone, by its name; may be repeated")
    parser.add_argument("--out", type=Path, help="folder of benchmarks.csv; rows of the same names are replaced")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="time for all of it")
    jobs = max(len(os.sched_getaffinity(0)) // JOBS_OF_A_BUILD, 1)
    parser.add_argument("--jobs", type=int, default=jobs, help="programs that are built at a time")
    parser.add_argument("--device", choices=CALLED, default=cuda.DEVICE, help="cpp tries all of it without a GPU")
    return parser


# -- what is here --------------------------------------------------------------------------------------------
def gpu() -> str:
    """The GPU by its name; empty where there is none."""
    if shutil.which("nvidia-smi") is None:
        return ""
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    listed = subprocess.run(query, capture_output=True, text=True, check=False)
    if listed.returncode or not listed.stdout.strip():
        return ""
    return f"{listed.stdout.splitlines()[0].replace(', ', ' (driver ')})"


def tools(device: str) -> list[str]:
    """What can be done here, a line each."""
    sanitizer = shutil.which(races.PROGRAM)
    return [
        f"CUDA: {cuda.available()[1]}",
        f"{races.PROGRAM}: {'ready' if sanitizer else 'not on the path: races are not looked for'}",
        f"Brian2GeNN: {plain_brian2.unavailable('genn') or 'ready'}",
    ]


def furthest(device: str, asked: str, say: Say) -> str:
    """How far it goes here; empty if not even sources can be written."""
    if device != cuda.DEVICE:
        return asked
    buildable, why = cuda.available()
    if not buildable:
        say(f"nothing can be built: {why}")
        return ""
    if asked == RUN and not cuda.gpu_present():
        say("there is no GPU: programs are built up to the link, and nothing is run")
        return LINK
    return asked


# -- building and running ------------------------------------------------------------------------------------
def build(chosen: Sequence[Case], device: str, until: str, jobs: int, clock: Clock, say: Say) -> dict[str, str]:
    """Build the programs of cases; by case, why one of its programs is missing."""
    what = "sources" if until == SOURCES else "build"
    steps: list[Step] = []
    owners: list[tuple[str, int]] = []
    known: dict[Hashable, int] = {}
    for case in chosen:
        for number, structure in enumerate(case.structures() if until == SOURCES else case.programs()):
            key = _same(structure)
            owners.append((case.name, known.setdefault(key, len(steps))))
            if known[key] == len(steps):
                arguments = (what, device, case.name, str(number))
                steps.append(Step(arguments, f"{case.name}, program {number + 1}", 600))
    say(f"{len(steps)} programs, {jobs} at a time")
    share = 1.0 if until != RUN else BUILDING
    done = carry_out_all(steps, jobs, Clock(clock.left * share), say)
    problems: dict[str, str] = {}
    for name, number in owners:
        if done[number].problem:
            problems.setdefault(name, _of_a_build(done[number]))
    return problems


def _same(structure: Structure) -> Hashable:
    """What programs have in common that are one, whatever case asks for them."""
    model = structure.model
    measures = tuple(measure.key for measure in structure.measures)
    compiled_in = (model.name, *sorted(model.structure_key().items()))
    return dataclasses.replace(structure, model=compiled_in, measures=measures)  # type: ignore[arg-type]


def _of_a_build(done: Done) -> str:
    return NO_TIME if done.problem == NO_TIME or done.problem.startswith(TOO_LONG) else f"not built: {done.problem}"


def run(
    chosen: Sequence[tuple[str, Case]], device: str, unbuilt: dict[str, str], clock: Clock, say: Say
) -> tuple[list[Benchmark], dict[str, str]]:
    """Run cases one after the other; their rows, and by case what failed or does not agree."""
    measured: list[Benchmark] = []
    problems: dict[str, str] = {}
    faster: dict[int, float] = {}
    for _, case in chosen:
        if case.name in unbuilt:
            continue
        done = carry_out(Step(("run", device, case.name), case.name, 1.5 * case.seconds), clock)
        if done.problem:
            problems[case.name] = done.problem
            say(f"{case.name}: {done.problem}")
            continue
        findings = Findings.of_text(done.answer)
        measured += findings.rows
        if isinstance(case, Sized):
            faster[case.neurons] = findings.rows[-1].value
        said = "; ".join(findings.said)
        say(f"{case.name}: {said or 'done'} ({done.seconds:.0f} s)")
        if not findings.agrees:
            problems[case.name] = said
    if faster:
        found = growth.wins(CALLED[device], faster)
        measured += found.rows
        say("; ".join(found.said))
    return measured, problems


if __name__ == "__main__":
    sys.exit(main())
