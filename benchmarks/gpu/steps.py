"""Processes of their own, several at a time, within the time that is left."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmarks.worker import ROOT

NO_TIME = "there was no time left for it"
TOO_LONG = "it took longer than"


@dataclass(frozen=True)
class Step:
    """What a process is asked to do.

    Parameters
    ----------
    arguments : tuple of str
        Of `benchmarks.gpu.step`.
    called : str
    seconds : float
        It may take at most.
    """

    arguments: tuple[str, ...]
    called: str
    seconds: float


@dataclass(frozen=True)
class Done:
    """What came of it: its last line, why it failed, and how long it took."""

    step: Step
    answer: str
    problem: str
    seconds: float


class Clock:
    """How much time is left of a whole."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds; 0 when they are over."""
        return max(self._ends - time.monotonic(), 0.0)


def carry_out(step: Step, clock: Clock) -> Done:
    """Run a step, ended when its time or all time is over."""
    allowed, started = min(step.seconds, clock.left), time.monotonic()
    if allowed < 1:
        return Done(step, "", NO_TIME, 0.0)
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.gpu.step", *step.arguments],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True,
            start_new_session=True,
        )  # fmt: skip
        try:
            answer, _ = process.communicate(timeout=allowed)
            problem = "" if process.returncode == 0 else _last(errors)
        except subprocess.TimeoutExpired:
            answer, problem = "", f"{TOO_LONG} {allowed:.0f} s"
        finally:
            _end(process)
    return Done(step, answer.strip().split("\n")[-1], problem, time.monotonic() - started)


def _end(process: subprocess.Popen[str]) -> None:
    """End a process with all that it has started."""
    if process.poll() is None:
        for pid in [*_descendants(process.pid), process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    process.communicate()


def _descendants(pid: int) -> list[int]:
    found = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            own = [int(child) for child in children.read_text().split()]
        except OSError:  # it has ended meanwhile
            continue
        found += [*own, *(other for child in own for other in _descendants(child))]
    return found


def _last(errors: IO[str]) -> str:
    errors.seek(0)
    return errors.read().strip()[-2000:] or "it said nothing"


def carry_out_all(steps: Sequence[Step], jobs: int, clock: Clock, say: Callable[[str], None]) -> list[Done]:
    """Run steps in their order, so many at a time."""
    turn = threading.Lock()
    done: list[Done] = []

    def one(step: Step) -> Done:
        result = carry_out(step, clock)
        with turn:
            done.append(result)
            if result.problem != NO_TIME:
                how = "ended" if result.problem.startswith(TOO_LONG) else "failed" if result.problem else "ready"
                say(f"{len(done)} of {len(steps)}, {step.called}: {how} after {result.seconds:.0f} s")
        return result

    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(one, steps))
