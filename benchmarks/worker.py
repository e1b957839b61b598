"""A side of a comparison in a process of its own, asked for some images at a time.

So that the sides can take turns on a machine whose speed varies, each stays alive with its network warmed up
and trains on as many images as it is asked for. This file needs nothing but the standard library, since a
competitor may have an interpreter of its own.

The two ends talk in lines of JSON: the worker says what it is once it is ready, then answers each request
with a measurement. It ends when its standard input does.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


class WorkerFailed(RuntimeError):
    """A side ended, or said something that is no answer."""


@dataclass(frozen=True)
class Measurement:
    """What training on some images took.

    Parameters
    ----------
    images : int
    wall : float
        Seconds by the clock.
    cpu : float
        Processor seconds of the worker and of what it started: less than the clock's where others use the
        processor too, more where there are several threads.
    spikes : int
        Spikes of the excitatory layer: what tells whether two sides had as much to do.
    run : float
        Seconds in the compiled program's main loop; 0 where there is no such thing.
    memory : int
        Greatest resident memory of the compiled program in bytes; 0 where there is none.
    idle : int
        Images after which no weight was changed, where the rule can tell.
    profile : dict of float
        Seconds of each operation of the compiled program, if it was built to tell.
    """

    images: int
    wall: float
    cpu: float
    spikes: int
    run: float = 0.0
    memory: int = 0
    idle: int = 0
    profile: dict[str, float] = field(default_factory=dict)


def cpu_seconds() -> float:
    """Processor time of this process and of its ended children."""
    used = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        used += usage.ru_utime + usage.ru_stime
    return used


def measure(images: int, train: Callable[[], int]) -> Measurement:
    """Time one call that trains on ``images`` images and returns the excitatory layer's spikes."""
    cpu, wall = cpu_seconds(), time.perf_counter()
    spikes = train()
    return Measurement(images, time.perf_counter() - wall, cpu_seconds() - cpu, spikes)


def serve(description: dict[str, str], answer: Callable[[int], Measurement]) -> None:
    """Say what this side is, then answer requests until there are no more.

    What libraries print goes to standard error, so that it cannot be taken for an answer.
    """
    with os.fdopen(os.dup(1), "w") as out:
        os.dup2(2, 1)
        print(json.dumps(description), file=out, flush=True)
        for line in sys.stdin:
            print(json.dumps(asdict(answer(json.loads(line)["images"]))), file=out, flush=True)


class Worker:
    """The driver's end of a side.

    Parameters
    ----------
    command : sequence of str
        Interpreter and arguments; run in the project's folder.
    """

    def __init__(self, command: Sequence[str], environment: dict[str, str] | None = None) -> None:
        self.command = list(command)
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (lives as long as the process)
        try:
            self._process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=os.environ | (environment or {}),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                text=True,
            )
        except OSError as error:
            raise WorkerFailed(f"{self.command[0]}: cannot be started ({error})") from error
        self.description: dict[str, str] = self._hear()

    def ask(self, images: int) -> Measurement:
        """Have it train on so many images. Raises `WorkerFailed`."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended: reading says why
            print(json.dumps({"images": images}), file=self._process.stdin, flush=True)
        return Measurement(**self._hear())

    def _hear(self) -> dict[str, Any]:
        """The next answer; other lines are what libraries print before a side serves."""
        assert self._process.stdout is not None
        while line := self._process.stdout.readline():
            with contextlib.suppress(ValueError):
                if isinstance(said := json.loads(line), dict):
                    return said
        self._process.kill()
        self._process.wait()
        self._errors.seek(0)
        complaint = self._errors.read().strip()[-2000:]
        raise WorkerFailed(f"{' '.join(self.command)}: ended without an answer; it said:\n{complaint}")

    def close(self) -> None:
        """End it."""
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.wait()
        self._errors.close()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
