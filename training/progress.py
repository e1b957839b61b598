"""What a user sees of a long run: a bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text


class Reporter(Protocol):
    """Takes note of stages, samples and messages."""

    def stage(self, title: str, total: int, done: int = 0) -> None: ...
    def advance(self, samples: int, note: str = "") -> None: ...
    def message(self, text: str) -> None: ...
    def close(self) -> None: ...


class QuietReporter:
    """Says nothing."""

    def stage(self, title: str, total: int, done: int = 0) -> None:
        """See `Reporter`."""

    def advance(self, samples: int, note: str = "") -> None:
        """See `Reporter`."""

    def message(self, text: str) -> None:
        """See `Reporter`."""

    def close(self) -> None:
        """See `Reporter`."""


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f} images/s")


class BarReporter(QuietReporter):
    """A progress bar with rate, time left and a note such as the running accuracy."""

    def __init__(self, console: Console | None = None) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=console or Console(stderr=True),
            speed_estimate_period=60,
        )
        self._task: object = None
        self._progress.start()

    def stage(self, title: str, total: int, done: int = 0) -> None:
        """Begin a bar."""
        self._task = self._progress.add_task(title, total=total, completed=done, note="")

    def advance(self, samples: int, note: str = "") -> None:
        """Move the bar; an empty note leaves the one before."""
        fields = {"note": note} if note else {}
        self._progress.update(self._task, advance=samples, **fields)  # type: ignore[arg-type]

    def message(self, text: str) -> None:
        """Print above the bar."""
        self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Leave the bars as they stand."""
        self._progress.stop()


class LogReporter(QuietReporter):
    """A line at the start and the end of a stage and every few seconds between."""

    def __init__(self, stream: TextIO | None = None, seconds: float = 10) -> None:
        self._stream, self._seconds = stream or sys.stderr, seconds
        self._title, self._total, self._done, self._begun, self._said = "", 0, 0, 0.0, 0.0
        self._first = 0

    def stage(self, title: str, total: int, done: int = 0) -> None:
        """Begin a stage."""
        self._title, self._total, self._done, self._first = title, total, done, done
        self._begun = self._said = time.monotonic()
        self.message(f"{title}: {done:,} of {total:,} images")

    def advance(self, samples: int, note: str = "") -> None:
        """Print a line if it is time for one."""
        self._done += samples
        now = time.monotonic()
        if self._done < self._total and now - self._said < self._seconds:
            return
        self._said = now
        rate = (self._done - self._first) / max(now - self._begun, 1e-9)
        left = (self._total - self._done) / max(rate, 1e-9)
        tail = f", {note}" if note else ""
        self.message(
            f"{self._title}: {self._done:,} of {self._total:,}, {rate:,.0f} images/s, {left:.0f} s left{tail}"
        )

    def message(self, text: str) -> None:
        """Print a line."""
        print(text, file=self._stream, flush=True)


def reporter() -> Reporter:
    """A bar where standard error is a terminal, plain lines elsewhere."""
    return BarReporter() if sys.stderr.isatty() else LogReporter()
