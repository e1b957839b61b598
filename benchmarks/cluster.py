"""What very many runs cost beside their training: a sweep as a workflow, each run a job, as on a cluster.

Networks are as small as they come, so that nearly all that is measured is what a job costs by itself: a process that
starts, files that are made, bytes that are moved, and Snakemake's own work. What 10,000 runs on 100 nodes come to is
reckoned from it.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.comparison import Say
from benchmarks.rows import Benchmark
from benchmarks.worker import WorkerFailed
from hebbarium.record import results

SWEEP = ("--set", "w_t=3", "--neurons", "20", "--images", "100", "--block", "50", "--test-images", "50")
MANY, NODES, MINUTES = 10_000, 100, 10
"""The sweep that is reckoned: runs, nodes with a run at a time each, minutes of training in a run."""


@dataclass(frozen=True)
class Amounts:
    """How many runs, and how many jobs at a time."""

    runs: int
    cores: int = 2


FULL, QUICK = Amounts(50), Amounts(4)


def measure(amounts: Amounts, scratch: Path, say: Say) -> list[Benchmark]:
    """Write the workflow of a sweep, run it, and count.

    Raises
    ------
    WorkerFailed
        Snakemake is not installed beside this Python, or a job has failed.
    """
    flow = scratch / "sweep"
    command = [sys.executable, "-m", "hebbarium.commands.commandline", "workflow", "synaptic_scaling", "--sweep",
               *SWEEP, "--seeds", f"0-{amounts.runs - 1}", "--out", str(flow)]  # fmt: skip
    _run(command, scratch)
    snakemake = [sys.executable, "-m", "snakemake", "--cores", str(amounts.cores)]
    planning = _run([*snakemake, "--dry-run", "--quiet", "all"], flow)
    say(f"{amounts.runs} jobs planned")
    whole = _run(snakemake, flow)
    say(f"{amounts.runs} jobs done")
    runs = sorted(path for path in (flow / "runs").iterdir() if path.is_dir())
    if len(runs) != amounts.runs:
        raise WorkerFailed(f"{flow}: {len(runs)} of {amounts.runs} runs are there")
    trained = sum(_training(run) for run in runs)
    files = [path for run in runs for path in run.rglob("*") if path.is_file()]
    count, label = amounts.runs, f"sweep of {amounts.runs} runs, each a job"
    job = (whole["processor"] - trained) / count  # not by the clock: jobs share a machine with one another
    return [
        Benchmark(f"{label}: processor time of a job", whole["processor"] / count, "s"),
        Benchmark(f"{label}: processor time of a job beside its training", job, "s"),
        Benchmark(f"{label}: Snakemake's plan", planning["processor"], "s"),
        Benchmark(f"{label}: files of a run", len(files) / count),
        Benchmark(f"{label}: size of a run", sum(path.stat().st_size for path in files) / count / 1e3, "kB"),
        *(Benchmark(f"{label}: {name} by a job", whole[key] / count / scale, unit)
          for name, key, scale, unit in (("read", "rchar", 1e6, "MB"), ("read calls", "syscr", 1, ""),
                                         ("written", "wchar", 1e6, "MB"), ("write calls", "syscw", 1, ""))),
        Benchmark(
            f"projected: sweep of {MANY} runs of {MINUTES} min on {NODES} nodes",
            MANY / NODES * (60 * MINUTES + job) / 3600, "h",
        ),
    ]  # fmt: skip


def _training(run: Path) -> float:
    """Seconds that a run says it took, compilation and tests left out."""
    with results.open_run(run) as tree:
        return float(tree.attrs["wall_time_s"])


def _run(command: list[str], folder: Path) -> Mapping[str, float]:
    """Run a command; what it and all its processes took, by the kernel's accounts.

    Raises
    ------
    WorkerFailed
        It failed; the message has the end of what it said.
    """
    before = _accounts()
    done = subprocess.run(command, cwd=folder, text=True, capture_output=True, check=False)
    if done.returncode:
        raise WorkerFailed(f"{' '.join(command[:4])}: {(done.stderr or done.stdout).strip()[-300:]}")
    return {name: value - before[name] for name, value in _accounts().items()}


def _accounts() -> dict[str, float]:
    """Processor time of all processes waited for, and what these and this one have read and written."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    lines = Path("/proc/self/io").read_text().split("\n")
    moved = {name: float(value) for name, _, value in (line.partition(": ") for line in lines) if value}
    return {"processor": used.ru_utime + used.ru_stime} | moved
