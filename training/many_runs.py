"""Many runs, some at a time, in processes of their own: what is done is skipped, what was begun goes on."""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import signal
import tempfile
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from hebbarium.analysis import figures
from hebbarium.catalogue import own_models
from hebbarium.catalogue.own_models import Recorded
from hebbarium.datasets import by_name as datasets
from hebbarium.datasets import own_files
from hebbarium.datasets.labelled_images import Dataset
from hebbarium.engine import devices, interruption, run_folder, runtime
from hebbarium.engine.contract import Structure
from hebbarium.files.errors import EngineError, RunFolderError, Stopped
from hebbarium.training import loop, pins, training
from hebbarium.training.progress import QuietReporter, Reporter
from hebbarium.training.run import Run
from hebbarium.training.run_settings import Role, RunSettings, of_role
from hebbarium.training.samples import Division

__all__ = [
    "Outcome",
    "PlannedRun",
    "carry_out",
    "compile_programs",
    "complete",
    "ignore_casts",
    "is_done",
    "run_all",
    "unused_folder",
]

_TRAINING = "Training"  # the stage whose images are counted
_SECONDS_TO_STOP = 60.0
_TELLING = of_role(Role.COMPUTED, Role.MEASURED, Role.KEPT)  # settings that tell one run from another


@dataclass(frozen=True, eq=False)
class PlannedRun:
    """One run among many; equal only to itself.

    Parameters
    ----------
    name : str
        What it is called in messages.
    settings : RunSettings
    folder : Path
        Its run folder.
    figures : bool
        Whether its figures are drawn.
    """

    name: str
    settings: RunSettings
    folder: Path
    figures: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a run ended; ``problem`` is empty if it is complete."""

    run: PlannedRun
    problem: str = ""


def ignore_casts() -> None:
    """Silence a remark of Brian2 on single precision, in which its own bounds overflow."""
    warnings.filterwarnings("ignore", "overflow encountered in cast", RuntimeWarning)


def is_done(run: PlannedRun) -> bool:
    """Whether a run is complete.

    Raises
    ------
    RunFolderError
        Its folder holds a run of other settings, images or files of a model.
    """
    if not (run.folder / run_folder.CONFIGURATION).is_file():
        return False
    begun = Run.open(run.folder)
    settings, wanted = pins.located(begun.settings), pins.located(run.settings)
    record, record_wanted = settings.record(), wanted.record()
    differing = [
        f"{name}={value}"
        for name, value in record.items()
        if name in _TELLING and not _is_same(name, value, record_wanted[name])
    ]
    if differing:
        raise RunFolderError(
            f"{run.folder}: holds a run with other settings ({', '.join(differing)}); choose another --out"
        )
    if not begun.is_complete:
        return False
    # a run that is not complete looks after itself when it goes on
    pins.refuse_data(run.folder, begun.pins, _loaded(settings.dataset, run.settings.data, _changed(settings.dataset)))
    if isinstance(settings.model, Recorded):
        own = own_models.read(Path(wanted.model.partition(":")[0]))
        own_models.refuse_other(run.folder, settings.model.files, own)
    return True


def _is_same(name: str, value: Any, other: Any) -> bool:
    """Whether a setting is the same; a run to begin with, which may have been moved with its folder, by its name."""
    if name == "warm_start" and value and other:
        return Path(value).name == Path(other).name
    return bool(value == other)


def _changed(dataset: str) -> int:
    where = own_files.place(dataset)
    if where is None or not where.exists():
        return 0
    files = [where, *where.rglob("*")] if where.is_dir() else [where]
    return max(file.stat().st_mtime_ns for file in files)


@functools.lru_cache(4)
def _loaded(dataset: str, data: str | None, changed: int) -> Dataset:
    return datasets.load(dataset, data)


def compile_programs(runs: Iterable[PlannedRun], reporter: Reporter) -> int:
    """Compile what the runs need, once for each structure; returns the number of structures."""
    structures: dict[str, Structure] = {}
    for run in runs:
        settings = run.settings
        if settings.device in runtime.DEVICES:
            continue
        model = settings.make_model()
        for structure in loop.structures(settings, model):
            compiled_in = sorted(model.structure_key().items())
            key = [settings.model, structure.phase, settings.precision, settings.device, *compiled_in]
            structures.setdefault(repr(key), structure)
    if structures:
        reporter.message(f"Compiling {len(structures)} programs, or finding them in the cache")
    with tempfile.TemporaryDirectory(prefix="hebbarium-") as scratch:
        for structure in structures.values():
            interruption.stop_if_asked()
            devices.program(structure, Path(scratch))
    return len(structures)


def run_all(
    runs: Sequence[PlannedRun],
    jobs: int = 1,
    reporter: Reporter | None = None,
    on_complete: Callable[[PlannedRun], None] = lambda run: None,
) -> list[Outcome]:
    """Carry out runs, skipping the complete ones and resuming those that were begun.

    Parameters
    ----------
    runs : sequence of PlannedRun
    jobs : int
        Processes at a time.
    reporter : Reporter, optional
        Counts training images of all runs together.
    on_complete : callable
        Called in this process for each run as soon as it is complete, also for those that were so before.

    Returns
    -------
    list of Outcome
        One a run, in the order given. A run that fails does not stop the others.

    Raises
    ------
    RunFolderError
        A folder holds a run of other settings; nothing is begun.
    Stopped
        A signal asked for it; every run can be resumed.
    """
    if jobs < 1:
        raise ValueError(f"jobs={jobs}: expected 1 or more")
    reporter = reporter or QuietReporter()
    done = [run for run in runs if is_done(run)]
    open_runs = [run for run in runs if run not in done]
    for run in done:
        on_complete(run)
    problems: dict[PlannedRun, str] = {}
    if open_runs:
        with interruption.stopping_on_signals():
            compile_programs(open_runs, reporter)
            counts = _Counts(reporter, len(runs), len(done))
            reporter.stage(_TRAINING, sum(map(_training_images, runs)), sum(map(_training_images, done)))
            problems = _Pool(open_runs, jobs, counts, on_complete).go()
    return [Outcome(run, problems.get(run, "")) for run in runs]


def unused_folder(folder: Path, name: str) -> Path:
    """A path in a folder that is not there yet: the name and a running number."""
    number = 1
    while (path := folder / f"{name}-{number:03d}").exists():
        number += 1
    return path


def _training_images(run: PlannedRun) -> int:
    settings = run.settings
    passes = sum(number for _, number in settings.phases(settings.make_model()))
    if settings.images is not None:
        return settings.images * passes
    return Division.of(settings, datasets.load(settings.dataset, settings.data)).trained * passes


class _Counts:
    """Adds up the progress of all processes."""

    def __init__(self, reporter: Reporter, runs: int, complete: int) -> None:
        self.reporter, self.runs, self.complete = reporter, runs, complete

    def advance(self, images: int) -> None:
        self.reporter.advance(images, f"{self.complete} of {self.runs} runs complete")

    def finished(self, text: str) -> None:
        self.complete += 1
        self.reporter.message(text)
        self.advance(0)


class _Worker:
    """A process that carries out one run after the other."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        self.process: BaseProcess = context.Process(target=_work, args=(other,), daemon=False)
        self.process.start()
        other.close()
        self.run: PlannedRun | None = None
        self.stage = ""

    def give(self, run: PlannedRun) -> None:
        self.run, self.stage = run, ""
        self.connection.send(run)

    def end(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.send(None)
        self.process.join()
        self.connection.close()


class _Pool:
    def __init__(
        self,
        runs: Sequence[PlannedRun],
        jobs: int,
        counts: _Counts,
        on_complete: Callable[[PlannedRun], None],
    ) -> None:
        self.waiting = list(runs)
        self.counts, self.on_complete = counts, on_complete
        self.workers = [_Worker() for _ in range(min(jobs, len(runs)))]
        self.problems: dict[PlannedRun, str] = {}

    def go(self) -> dict[PlannedRun, str]:
        """Run everything; returns the problems by run."""
        try:
            for worker in self.workers:
                worker.give(self.waiting.pop(0))
            while busy := [worker for worker in self.workers if worker.run]:
                for ready in connection.wait([worker.connection for worker in busy], timeout=0.5):
                    self._listen(next(worker for worker in busy if worker.connection is ready))
                interruption.stop_if_asked()
        except BaseException:
            self._stop()
            raise
        for worker in self.workers:
            worker.end()
        return self.problems

    def _listen(self, worker: _Worker) -> None:
        try:
            what, *details = worker.connection.recv()
        except (EOFError, OSError):
            worker.process.join()
            self._next(worker, f"its process ended with exit code {worker.process.exitcode}; it can be resumed")
            return
        match what, details:
            case "stage", [title, done]:
                worker.stage = title
                if title == _TRAINING and done:
                    self.counts.advance(done)
            case "advance", [images] if worker.stage == _TRAINING:
                self.counts.advance(images)
            case "message", [text]:
                self.counts.reporter.message(f"{worker.run.name if worker.run else ''}: {text}")
            case "stopped", [problem]:
                raise Stopped(problem)
            case "ended", [problem]:
                self._next(worker, problem)

    def _next(self, worker: _Worker, problem: str) -> None:
        run = worker.run
        if run is None:
            return
        worker.run = None
        if problem:
            self.problems[run] = problem
            self.counts.reporter.message(f"{run.name}: {problem}")
        else:
            self.on_complete(run)
            self.counts.finished(f"{run.name}: complete")
        if not self.waiting:
            return
        if not worker.process.is_alive():
            worker.connection.close()
            self.workers.remove(worker)
            worker = _Worker()
            self.workers.append(worker)
        worker.give(self.waiting.pop(0))

    def _stop(self) -> None:
        """Ask every process to stop at its last whole block, and see to it."""
        for worker in self.workers:
            if worker.process.is_alive():
                worker.process.terminate()
        for worker in self.workers:
            worker.process.join(_SECONDS_TO_STOP)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()


class _Sender(QuietReporter):
    """Tells the parent what happens in a run."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def stage(self, title: str, total: int, done: int = 0) -> None:
        self._pipe.send(("stage", title, done))

    def advance(self, samples: int, note: str = "") -> None:
        self._pipe.send(("advance", samples))

    def message(self, text: str) -> None:
        self._pipe.send(("message", text))


def _work(pipe: Any) -> None:
    """What a process does: one run after the other until it is given None."""
    interruption.die_with_parent()
    # A terminal sends Ctrl-C to all processes; while a run is under way it listens for itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ignore_casts()
    with contextlib.suppress(EOFError, BrokenPipeError):
        while (run := pipe.recv()) is not None:
            try:
                carry_out(run, _Sender(pipe))
            except Stopped as error:
                pipe.send(("stopped", str(error)))
                return
            except (EngineError, OSError, ValueError) as error:
                pipe.send(("ended", str(error)))
            else:
                pipe.send(("ended", ""))


def complete(settings: RunSettings, folder: Path | str, reporter: Reporter | None = None) -> Run:
    """One run, opened: it is trained in this process, goes on where it was stopped, or is complete already.

    Raises
    ------
    RunFolderError
        The folder holds a run of other settings.
    EngineError, DatasetError, ValueError
        See `hebbarium.training.training.train`.
    """
    ignore_casts()
    run = PlannedRun(Path(folder).name, settings, Path(folder))
    if not is_done(run):
        carry_out(run, reporter or QuietReporter())
    return Run.open(run.folder)


def carry_out(run: PlannedRun, reporter: Reporter) -> None:
    """Carry out one run in this process: it is begun, or goes on."""
    if (run.folder / run_folder.CONFIGURATION).is_file():
        trust_model = Run.open(run.folder).settings.model == pins.located(run.settings).model
        training.resume(run.folder, reporter, trust_model=trust_model)
    else:
        training.train(run.settings, run.folder, reporter)
    if run.figures:
        figures.save_all(run.folder)
