"""A paper's tables, made again: runs, the ledger, ours beside theirs."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import importlib
import itertools
import re
import shlex
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xarray as xr
from matplotlib.figure import Figure

from hebbarium.analysis import figures
from hebbarium.catalogue import own_models, papers, registry
from hebbarium.datasets import by_name as datasets
from hebbarium.datasets.labelled_images import Dataset
from hebbarium.engine import machine, run_folder
from hebbarium.ledger import commits, controls, ledger, wall_times
from hebbarium.ledger import figures as table_figures
from hebbarium.ledger.claims import Claims
from hebbarium.ledger.literature import Ours
from hebbarium.models.contract import Model
from hebbarium.record import results
from hebbarium.studies import shown_again, trials
from hebbarium.studies.contenders import Contender
from hebbarium.studies.paper_figures import Draw, PaperFigure
from hebbarium.studies.trials import Trial
from hebbarium.training import experiments, many_runs, parameters, provenance, responses
from hebbarium.training.experiments import Experiment, Measured
from hebbarium.training.many_runs import Outcome, PlannedRun
from hebbarium.training.progress import QuietReporter, Reporter
from hebbarium.training.run import Run
from hebbarium.training.run_settings import Role, RunSettings, of_role
from hebbarium.training.samples import Division

__all__ = [
    "REPRODUCIBLE",
    "Cell",
    "Paper",
    "Reproduction",
    "cell_of",
    "choose",
    "command_of",
    "draw",
    "draw_trials",
    "drawn",
    "embedded",
    "is_whole_and_new",
    "literature",
    "measure_shown_again",
    "missing",
    "note_wall_time",
    "paper_of",
    "planned",
    "printed",
    "reproduce",
    "reproduce_trials",
    "rows_of",
    "sized_setting",
]

_PROTOCOLS = Path(__file__).resolve().parent.parent / "protocols"
REPRODUCIBLE = tuple(sorted(file.stem for file in _PROTOCOLS.glob("[a-z]*.py")))
"""Models with a paper's tables: those with a file in `hebbarium.protocols`, which holds ``PAPER``."""
CLAIMS = "claims"
"""Item of rows that were measured for a paper's claims alone."""


def named(changes: Mapping[str, str]) -> str:
    """The name of a row whose cell changes this."""
    return " ".join(f"{symbol}={text}" for symbol, text in changes.items()) or "as it is"


@dataclass(frozen=True)
class Cell:
    """One number of a paper's table, and what it was measured with.

    Parameters
    ----------
    table : str
        ``IV``, or ``Fig. 4c`` for what the paper shows without a number.
    dataset : str
    row : str
        Cells with the same text stand in one row.
    changes : mapping of str to str
        What the table varies, as typed after ``--set``; the model's defaults give the rest.
    accuracy : float, optional
        Per cent as printed, by the paper's readout.
    others : mapping of str to float
        What the paper prints for other readouts of the same run.
    run : mapping
        Where the cell's run differs from the paper's usual one, such as ``{"epochs": 3}``.
    after : mapping, optional
        The run that this one begins with differs so from this one: its trained state is where this one starts.
    spreads : mapping of str to float
        By readout: what the paper prints behind ±, over its trials.
    """

    table: str
    dataset: str
    row: str
    changes: Mapping[str, str]
    accuracy: float | None = None
    others: Mapping[str, float] = field(default_factory=dict)
    run: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] | None = None
    spreads: Mapping[str, float] = field(default_factory=dict)

    @property
    def before(self) -> Cell | None:
        """A cell whose run this one begins with, if there is one; what the paper prints for it is not this cell's."""
        if self.after is None:
            return None
        run = {**self.run, **self.after}
        return dataclasses.replace(self, run=run, after=None, accuracy=None, others={}, spreads={})

    @property
    def neurons(self) -> str:
        """Size of the network, as the ledger writes it."""
        return self.changes.get("neurons", "")

    @property
    def setting(self) -> str:
        """What varies besides the size, as the ledger writes it."""
        changes = {**self.changes, **({"schedule": self.run["schedule"]} if "schedule" in self.run else {})}
        return " ".join(f"{symbol}={text}" for symbol, text in changes.items() if symbol != "neurons")


@dataclass(frozen=True)
class Paper:
    """What a paper did and what it found.

    Parameters
    ----------
    protocol : RunSettings
        The run that every cell makes, but for what the cell says.
    cells : sequence of Cell
        All tables.
    columns : str
        The symbol that the tables spread over their columns.
    seeds : tuple of int
        As many as the paper averages over.
    measure : callable
        What the claims need to know of a complete run besides its accuracy: quantity to (value, unit).
    readout : str
        The one by which the paper's numbers are read.
    experiments : sequence of Experiment
        What else is done with each trained network, before its checkpoints go: their measures become rows as well.
    observe : callable, optional
        What is measured of each complete run with its trained network besides, before its checkpoints go.
    curves : mapping, optional
        Figures that are a curve over one number, by their name: the table's own, or one that is drawn of its rows.
    best : bool
        Whether the best epoch's accuracy, chosen on the very test images, stands in rows of its own.
    claims : Claims, optional
        What is held against the ledger.
    literature : mapping, optional
        Lists of networks that the paper has, by the name of a list's file in ``results/`` (see
        `hebbarium.ledger.literature`): what of ours stands beside it.
    figures : mapping, optional
        Figures that short runs are enough for, by the file's name behind the model's: ``Fig3.svg``.
    short_runs : mapping, optional
        These runs, by name.
    contender : Contender
        How the rule stands on the leaderboard (see `hebbarium.studies.contenders`).
    trials : sequence of Trial
        Experiments with the network as it is built, which take no training on images.
    drawings : mapping, optional
        Figures of the trials' result files, by the file's name behind the model's: ``Fig11.svg``. A trial is called by
        its item and its name, ``Fig. 11 RS``, which is that of its first seed, and with a seed ``Fig. 11 RS seed=3``.
    """

    protocol: RunSettings
    cells: Sequence[Cell]
    columns: str
    seeds: tuple[int, ...]
    measure: Callable[[xr.DataTree, RunSettings], Mapping[str, tuple[float, str]]] = lambda tree, settings: {}
    readout: str = results.MOST_ACTIVE
    experiments: Sequence[Experiment] = ()
    observe: Callable[[Run], Mapping[str, Measured]] | None = None
    curves: Mapping[str, table_figures.Curve] = field(default_factory=dict)
    best: bool = False
    claims: Claims | None = None
    literature: Mapping[str, Ours] = field(default_factory=dict)
    figures: Mapping[str, PaperFigure] = field(default_factory=dict)
    short_runs: Mapping[str, RunSettings] = field(default_factory=dict)
    contender: Contender = field(default_factory=Contender)
    trials: Sequence[Trial] = ()
    drawings: Mapping[str, Draw] = field(default_factory=dict)

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables, in order, and of what else trials belong to."""
        return tuple(dict.fromkeys([*(cell.table for cell in self.cells), *(trial.item for trial in self.trials)]))


def paper_of(model: str) -> Paper:
    """The paper behind a model.

    Raises
    ------
    ValueError
        There is none to reproduce.
    """
    paper: Paper
    if model in REPRODUCIBLE:
        paper = importlib.import_module(f"hebbarium.protocols.{model}").PAPER
    elif (module := papers.protocol(model)) is not None:
        paper = module.PAPER
    else:
        registry.find(model)  # says which models there are
        raise ValueError(f"{model}: has no table to reproduce; expected one of {', '.join(REPRODUCIBLE)}")
    return paper


def literature() -> dict[str, Ours]:
    """What of ours stands beside the lists of networks of all papers, by the name of a list's file."""
    return {name: ours for model in REPRODUCIBLE for name, ours in paper_of(model).literature.items()}


def cell_of(model: Model, settings: RunSettings, dataset: str) -> Cell | None:
    """The cell of a paper that a run's settings stand in, if there is one."""
    if model.name not in REPRODUCIBLE:
        return None
    paper = paper_of(model.name)
    have = parameters.table(model)
    schedule = settings.schedule or next(iter(model.schedules))
    for cell in paper.cells:
        if cell.accuracy is None or cell.dataset != dataset:
            continue
        if cell.run.get("schedule", schedule) != schedule:
            continue
        if have == parameters.table(parameters.apply(type(model), {**paper.protocol.changes, **cell.changes})):
            return cell
    return None


def cell_of_run(settings: RunSettings, dataset: str) -> Cell | None:
    """The cell that a run's settings stand in; there is none for a model of one's own, which is not loaded."""
    return cell_of(settings.make_model(), settings, dataset) if own_models.file_in(settings.model) is None else None


def choose(
    paper: Paper, tables: Iterable[str], which: str = "all", neurons: Iterable[int] = (), datasets: Iterable[str] = ()
) -> list[Cell]:
    """Cells of some tables.

    Parameters
    ----------
    paper : Paper
    tables : iterable of str
        Names such as ``IV``; all tables if there is none.
    which : str
        ``all``, ``best`` (the paper's best of each row), or conditions such as ``w_t=9,tau_p=60*ms``.
    neurons : iterable of int
        Sizes of the network; all if there is none.
    datasets : iterable of str
        Names such as ``mnist``; all if there is none.

    Raises
    ------
    ValueError
        A table, a size, a data set or a condition is met by no cell.
    """
    wanted = list(tables) or list(paper.tables)
    for name in wanted:
        if name not in paper.tables:
            raise ValueError(f"table {name}: expected one of {', '.join(paper.tables)}")
    cells = [cell for cell in paper.cells if cell.table in wanted]
    if not cells and any(trial.item in wanted for trial in paper.trials):
        return []
    if sizes := {str(number) for number in neurons}:
        cells = [cell for cell in cells if cell.neurons in sizes]
    if sets := set(datasets):
        cells = [cell for cell in cells if cell.dataset in sets]
    if which == "best":
        cells = _best(cells)
    elif which != "all":
        # a value may be a list: layers=200,100
        kind = registry.find(paper.protocol.model)
        conditions = parameters.values(kind, parameters.assignments(re.split(r"\s*[,\s]\s*(?=\w+\s*=)", which)))
        cells = [cell for cell in cells if conditions.items() <= parameters.values(kind, cell.changes).items()]
    if not cells:
        raise ValueError(
            f"no cell of table {', '.join(wanted)} is {which}"
            + (f" with {' or '.join(sorted(sizes))} neurons" if sizes else "")
            + (f" on {' or '.join(sorted(sets))}" if sets else "")
            + "; expected all, best, or conditions such as w_t=9,tau_p=60*ms"
        )
    return cells


def _best(cells: Iterable[Cell]) -> list[Cell]:
    rows: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        rows.setdefault((cell.table, cell.row), []).append(cell)
    return [max(row, key=lambda cell: cell.accuracy or 0.0) for row in rows.values()]


def usual_folder(model: str) -> Path:
    """Where the runs of a reproduction lie unless another folder is asked for."""
    return Path("runs") / f"reproduce-{papers.name_of(model)}"


def command_of(settings: RunSettings) -> str:
    """The command that makes one run, for whoever wants to make it again.

    It names no folder of one computer: files by their names, the run that it begins with by where it usually lies.
    """
    model, dataset = (Path(place).name for place in (settings.model, settings.dataset))
    words = ["hebbarium", "train", model, "--dataset", dataset, "--seed", str(settings.seed)]
    before = settings.warm_start and str(usual_folder(model) / Path(settings.warm_start).name)
    usual = RunSettings(settings.model, dataset=settings.dataset, seed=settings.seed)  # these two stand there already
    for name in of_role(Role.COMPUTED):
        row, value = settings.table()[name], before if name == "warm_start" else getattr(settings, name)
        if row.option and value != getattr(usual, name):
            words += [row.option, row.none if value is None else str(value)]
    for symbol, text in parameters.texts(registry.find(settings.model), settings.changes).items():
        text = Path(text).name if registry.find(settings.model).parameters()[symbol].kind == "file" else text
        words += ["--neurons", text] if symbol == "neurons" else ["--set", f"{symbol}={text}"]
    return shlex.join(words)


def printed(cell: Cell, model: str) -> dict[str, float]:
    """Accuracies that a paper prints for a cell, in per cent, by readout."""
    own = {paper_of(model).readout: cell.accuracy, **cell.others}
    return {readout: accuracy for readout, accuracy in own.items() if accuracy is not None}


@dataclass(frozen=True)
class Reproduction:
    """Some cells of a paper, to be made again.

    Parameters
    ----------
    paper : Paper
    cells : sequence of Cell
    seeds : tuple of int
    out : Path
        Folder of the run folders.
    results : Path
        Folder of the ledgers and figures.
    protocol : RunSettings
        The paper's, or what was asked for instead.
    keep : bool
        Whether checkpoints are kept; without them a run can neither be tested again nor go on.
    """

    paper: Paper
    cells: Sequence[Cell]
    seeds: tuple[int, ...]
    out: Path
    results: Path
    protocol: RunSettings
    keep: bool = False

    @property
    def ledger(self) -> Path:
        """The paper's ledger."""
        return self.results / f"{papers.name_of(self.protocol.model)}.csv"

    @property
    def claims(self) -> Path:
        """Which claims of the paper hold."""
        return self.results / f"{papers.name_of(self.protocol.model)}_claims.md"

    def run_of(self, cell: Cell, seed: int) -> PlannedRun:
        """The run that makes one seed of a cell."""
        changes = {**self.protocol.changes, **cell.changes}
        # Weights over time are wanted of one seed, the paper's first; of the others, the first and the last.
        snapshots = self.protocol.snapshots if seed == self.paper.seeds[0] else 1
        varied = {"dataset": cell.dataset, "changes": changes, "seed": seed, "snapshots": snapshots}
        if cell.before:
            varied["warm_start"] = str(self.run_of(cell.before, seed).folder)
        settings = dataclasses.replace(self.protocol, **{**varied, **cell.run})
        setting = " ".join(filter(None, [cell.setting, *_told_apart(cell, self.paper.cells)]))
        setting = setting.replace("*", "").replace(" ", "_")
        name = f"{cell.table.replace(' ', '')}_{Path(cell.dataset).name}_{cell.neurons}_{setting}_seed={seed}"
        return PlannedRun(name, settings, self.out / name, figures=seed == self.seeds[0])


def _told_apart(cell: Cell, cells: Iterable[Cell]) -> list[str]:
    """Settings of a cell's run without which another cell of its table, of the same network, would have its name."""
    alike = [one for one in cells if (one.table, one.neurons, one.setting) == (cell.table, cell.neurons, cell.setting)]
    return [
        f"{name}={value}"
        for name, value in cell.run.items()
        if any(one.dataset == other.dataset and one.run.get(name) != other.run.get(name)
               for one, other in itertools.combinations(alike, 2))
    ]  # fmt: skip


def missing(reproduction: Reproduction) -> dict[PlannedRun, Cell]:
    """Runs whose rows are not in the ledger, whatever commit made those that are, and their cells."""
    keys = {(row.cell, row.seed) for row in ledger.read(reproduction.ledger)}
    runs = {reproduction.run_of(cell, seed): cell for cell in reproduction.cells for seed in reproduction.seeds}
    return {
        run: cell
        for run, cell in runs.items()
        if not all((row.cell, row.seed) in keys for row in _expected_rows(cell, run.settings))
    }


def planned(reproduction: Reproduction) -> list[PlannedRun]:
    """Runs whose rows are missing, done or not, and before them the runs that they begin with."""
    lacking = missing(reproduction)
    first = [reproduction.run_of(c.before, run.settings.seed) for run, c in lacking.items() if c.before]
    by_folder = {run.folder: run for run in [*first, *sorted(lacking, key=lambda run: lacking[run].before is not None)]}
    return list(by_folder.values())


def reproduce(
    reproduction: Reproduction,
    jobs: int = 1,
    reporter: Reporter | None = None,
    lacking: Mapping[PlannedRun, Cell] | None = None,
) -> list[Outcome]:
    """Make cells again, one row of the ledger a seed and readout, added as soon as a run is complete.

    Rows that are in the ledger already, whatever commit made them, are not made again.

    Parameters
    ----------
    lacking : mapping, optional
        What `missing` has found, where that is known.

    Raises
    ------
    EngineError, DatasetError, ValueError
        See `hebbarium.training.many_runs.run_all`.
    """
    cells = dict(missing(reproduction) if lacking is None else lacking)
    later = [run for run, cell in cells.items() if cell.before]
    for run, cell in list(cells.items()):
        if cell.before:
            first = reproduction.run_of(cell.before, run.settings.seed)
            if first.folder.exists() and run_folder.last_checkpoint(first.folder) is None:
                raise ValueError(
                    f"{first.folder}: {run.name} begins with its trained state, but it holds no checkpoint; "
                    "delete the folder to have it made again, or keep checkpoints with --keep"
                )
            if not many_runs.is_done(first) and all(first.folder != other.folder for other in cells):
                seed, theirs = run.settings.seed, reproduction.paper.cells
                cells[first] = next((c for c in theirs if reproduction.run_of(c, seed).name == first.name), cell.before)
    reporter = reporter or QuietReporter()
    if number := len(reproduction.cells) * len(reproduction.seeds) - len(cells):
        reporter.message(f"{number} runs are in the ledger already")

    def enter(run: PlannedRun) -> None:
        with results.open_run(run.folder) as tree:
            accuracies = list(_rows(cells[run], run.settings, tree, reproduction.paper.best))
            others = [*_measured(accuracies[0], reproduction.paper.measure(tree, run.settings))]
        if reproduction.paper.experiments or reproduction.paper.observe:
            others += _of_network(accuracies[0], reproduction.paper, run, reporter)
        ledger.append(reproduction.ledger, [*accuracies, *others])
        wanted = {other.settings.warm_start for other in later if not many_runs.is_done(other)}
        for folder in filter(None, (str(run.folder), run.settings.warm_start)):
            if not reproduction.keep and folder not in wanted:
                shutil.rmtree(Path(folder) / "checkpoints", ignore_errors=True)

    outcomes = many_runs.run_all([run for run in cells if run not in later], jobs, reporter, enter)
    failed = {str(outcome.run.folder) for outcome in outcomes if outcome.problem}
    ready = [run for run in later if run.settings.warm_start not in failed]
    return outcomes + (many_runs.run_all(ready, jobs, reporter, enter) if ready else [])


def reproduce_trials(
    reproduction: Reproduction, items: Iterable[str], reporter: Reporter | None = None
) -> dict[str, list[ledger.Row]]:
    """Do the trials of some items anew, and draw the figures that they are enough for; returns their rows by item.

    Raises
    ------
    EngineError, ValueError
        See `hebbarium.studies.trials.carry_out`.
    """
    paper, settings, wanted = reproduction.paper, reproduction.protocol, set(items)
    entered: dict[str, list[ledger.Row]] = {}
    for trial in (trial for trial in paper.trials if trial.item in wanted):
        changes = {**settings.changes, **trial.changes}
        model = parameters.apply(registry.find(settings.model), changes)
        for seed in reproduction.seeds if trial.seeds is None else trial.seeds:
            measured = trials.carry_out(
                trial, model, trials.folder_of(trial, reproduction.out, seed), seed=seed, device=settings.device,
                precision=settings.precision, command=trials.command_of(trial, settings.model), reporter=reporter,
            )  # fmt: skip
            made = trials.rows_of(trial, settings, changes, measured, seed)
            ledger.append(reproduction.ledger, made)
            entered.setdefault(trial.item, []).extend(made)
    return entered


def draw_trials(reproduction: Reproduction) -> list[Path]:
    """Figures of the trials of a paper whose result files are there, in the folder of the ledger."""
    folders: dict[str, Path] = {}
    for trial in reproduction.paper.trials:
        seeds = trial.seeds or reproduction.seeds
        of_seeds = {seed: trials.folder_of(trial, reproduction.out, seed) for seed in seeds}
        folders[trial.called] = of_seeds[seeds[0]]
        folders |= {f"{trial.called} seed={seed}": folder for seed, folder in of_seeds.items()}
    there = {called: folder for called, folder in folders.items() if results.file_of(folder).is_file()}
    folder = reproduction.results / results.FIGURES
    drawn = []
    for name, draw in reproduction.paper.drawings.items():
        with contextlib.suppress(KeyError):  # one that it needs is not there
            figure = draw(there)
            folder.mkdir(parents=True, exist_ok=True)
            drawn.append(figures.save(figure, folder / f"{papers.name_of(reproduction.protocol.model)}_{name}"))
    return drawn


def _of_network(row: ledger.Row, paper: Paper, run: PlannedRun, reporter: Reporter) -> list[ledger.Row]:
    """What a paper measures on the trained network of a row, if it is still there."""
    if run_folder.last_checkpoint(run.folder) is None:
        reporter.message(f"{run.name}: its checkpoints are gone; what is measured on its network is not measured again")
        return []
    opened = Run.open(run.folder, data=run.settings.data, trust_model=True)  # as it was named to be run
    measured = paper.observe(opened) if paper.observe else {}
    for experiment in paper.experiments:
        measured = {**measured, **experiments.perform(experiment, opened, reporter=reporter)}
    return list(_experimented(row, measured))


def is_whole_and_new(reproduction: Reproduction, lacking: Mapping[PlannedRun, Cell]) -> bool:
    """Whether all cells and seeds of some tables are to be made, and nothing of them is there; see `missing`."""
    tables = {cell.table for cell in reproduction.cells}
    whole = [cell for cell in reproduction.paper.cells if cell.table in tables]
    if len(reproduction.cells) < len(whole) or not set(reproduction.paper.seeds) <= set(reproduction.seeds):
        return False
    return len(lacking) == len(whole) * len(reproduction.seeds) and not any(run.folder.exists() for run in lacking)


def note_wall_time(
    reproduction: Reproduction, outcomes: Sequence[Outcome], jobs: int, seconds: float, version: Mapping[str, Any]
) -> None:
    """Note how long whole tables took, see `is_whole_and_new`, unless a run failed.

    Parameters
    ----------
    version : mapping
        The `provenance.code_version` that they were begun with.
    """
    if any(outcome.problem for outcome in outcomes):
        return
    tables = ", ".join(dict.fromkeys(cell.table for cell in reproduction.cells))
    item = f"{papers.name_of(reproduction.protocol.model)}: {tables}"
    path = reproduction.results / wall_times.FILE
    wall_times.note(path, item, len(outcomes), jobs, seconds, machine.in_words(), commits.named(**version))


def rows_of(reproduction: Reproduction) -> list[ledger.Row]:
    """Accuracies of the last epoch that a reproduction has made, or has found in the ledger."""
    wanted = {
        (row.cell, row.seed)
        for cell in reproduction.cells
        for seed in reproduction.seeds
        for row in _expected_rows(cell, reproduction.run_of(cell, seed).settings)
    }
    return [row for row in ledger.read(reproduction.ledger) if (row.cell, row.seed) in wanted]


def draw(reproduction: Reproduction, table: str) -> list[Path]:
    """Figures of all that the ledger has of a table, ours beside the paper's, in the folder of the ledger."""
    made = drawn(reproduction.paper, table, reproduction.results)
    (reproduction.results / results.FIGURES).mkdir(parents=True, exist_ok=True)
    return [figures.save(figure, figure_of(reproduction, name)) for name, figure in made.items()]


def drawn(paper: Paper, table: str, ledgers: Path) -> dict[str, Figure]:
    """Figures of a table, ours beside the paper's, by what each is of: the table, or a curve of its rows.

    Parameters
    ----------
    ledgers : Path
        Folder of the ledgers.

    Raises
    ------
    LedgerError
        There are no rows of the table.
    """
    if all(cell.table != table for cell in paper.cells):
        return {}  # of trials; see `draw_trials`
    rows = ledger.read(ledgers / f"{papers.name_of(paper.protocol.model)}.csv")
    every = ledger.select(rows, item=ledger.item_of(table), selection=ledger.LAST)
    made, beside = {}, controls.of_folder(ledgers)
    if table not in paper.curves:
        made[table] = table_figures.paper_comparison(read_as_printed(every, paper, table), controls=beside)
    for name, curve in paper.curves.items():
        if (curve.table or name) == table and (name == table or curve.of(every, paper.readout)):  # others wait for rows
            made[name] = table_figures.curve(every, curve, paper.readout, beside)
    return made


def figure_of(reproduction: Reproduction, table: str) -> Path:
    """Where the figure of a table lies."""
    name = ledger.item_of(table).replace("Table ", "table_").replace(".", "").replace(" ", "")
    return reproduction.results / results.FIGURES / f"{papers.name_of(reproduction.protocol.model)}_{name}.svg"


def read_as_printed(rows: Iterable[ledger.Row], paper: Paper, table: str) -> list[ledger.Row]:
    """Accuracies of a table by the paper's readout, and by others where the paper prints a number for them."""
    accuracies = ledger.select(
        rows, item=ledger.item_of(table), measure=ledger.ACCURACY, selection=ledger.LAST
    )
    return [row for row in accuracies if row.readout == paper.readout or row.paper is not None]


TENTHS = ("images", "validation", "evaluate_every")
"""Numbers of images that a cell has a tenth of where the set is a tenth of the whole one."""


def embedded(cell: Cell) -> Cell:
    """The same cell on the tenth of the set that comes with the project: quick, and not the paper's number."""
    tenths = {name: cell.run[name] // 10 for name in TENTHS if cell.run.get(name)}
    return dataclasses.replace(
        cell, dataset=f"{cell.dataset}-embedded", accuracy=None, others={}, spreads={}, run={**cell.run, **tenths}
    )


def measure_shown_again(reproduction: Reproduction, reporter: Reporter, images: int = 2000) -> None:
    """Measure how much longer training takes if images that evoke few spikes are shown again."""
    sizes: dict[str, Cell] = {}
    for cell in _best([cell for cell in reproduction.cells if cell.accuracy is not None] or reproduction.cells):
        sizes.setdefault(f"{cell.dataset} {cell.neurons}", cell)
    for cell in sizes.values():
        run = dataclasses.replace(reproduction.run_of(cell, reproduction.seeds[0]).settings, images=images, block=100)
        once, again = shown_again.compare(run, reporter)
        row = _row(cell, run, "", 0.0, images, 0, commits.named(**provenance.code_version()))
        command = f"hebbarium reproduce {run.model} --claims --measure"
        of_claims = dataclasses.replace(row, item=CLAIMS, setting=sized_setting(cell), tested=None, command=command)
        times = {
            "time_once": (once.seconds, "s"),
            "time_repeated": (again.seconds, "s"),
            "presentations_repeated": (again.presentations, ""),
        }
        ledger.append(reproduction.ledger, _measured(of_claims, times))


def _expected_rows(cell: Cell, settings: RunSettings) -> Iterable[ledger.Row]:
    """The rows that a run will make, without what only the run can tell."""
    trained, tested = _image_numbers(settings)
    for readout in responses.readouts(settings.make_model()):
        yield _row(cell, settings, readout, 0.0, trained, tested, "")


def _rows(cell: Cell, settings: RunSettings, tree: xr.DataTree, best: bool = False) -> Iterable[ledger.Row]:
    """Accuracies of a complete run, of the last epoch and, by the paper's readout, of the best one."""
    accuracy = tree["evaluation"].to_dataset()["accuracy"].isel(seed=0)
    commit = commits.named(str(tree.attrs["git_commit"]), bool(tree.attrs["git_dirty"]))
    tested = tree["test"].children[next(iter(tree["test"].children))].sizes["sample"]
    trained = int(tree.attrs["samples_seen"])
    for readout in accuracy["readout"].values:
        over_time = accuracy.sel(readout=readout)
        value = round(float(over_time.isel(samples_seen=-1)), 2)
        row = _row(cell, settings, str(readout), value, trained, tested, commit)
        yield row
        if best and readout == paper_of(settings.model).readout:
            yield dataclasses.replace(row, value=round(float(over_time.max()), 2), selection=ledger.BEST)


def _measured(row: ledger.Row, measures: Mapping[str, tuple[float, str]]) -> Iterable[ledger.Row]:
    """Other numbers of the run of a row."""
    for measure, (value, unit) in measures.items():
        yield dataclasses.replace(
            row, readout="", measure=measure, value=value, unit=unit, paper=None, paper_spread=None
        )


def _experimented(row: ledger.Row, measures: Mapping[str, Measured]) -> Iterable[ledger.Row]:
    """What an experiment measured on the network of a row."""
    for measure, one in measures.items():
        yield dataclasses.replace(
            row, readout=one.readout, measure=measure, value=one.value, unit=one.unit, paper=None, tested=None
        )


def sized_setting(cell: Cell) -> str:
    """What a cell varies, as the ledger writes it, its size first."""
    return " ".join(filter(None, [f"neurons={cell.neurons}" if cell.neurons else "", cell.setting]))


def _row(
    cell: Cell, settings: RunSettings, readout: str, accuracy: float, trained: int, tested: int, commit: str
) -> ledger.Row:
    model_class = registry.find(settings.model)
    texts = parameters.texts(model_class, settings.changes)
    extra = {symbol: text for symbol, text in texts.items() if symbol not in cell.changes}
    default = RunSettings(settings.model)
    for name in ("labels_from", "labelling_images", "epochs", "image_order", "block", "evaluate_on"):
        matters = name != "labelling_images" or settings.labels_from == "labelling"
        if matters and getattr(settings, name) != getattr(default, name):
            extra[name] = str(getattr(settings, name))
    extra |= parameters.texts(model_class, parameters.following(model_class, settings.changes))
    return ledger.Row(
        item=ledger.item_of(cell.table),
        dataset=Path(cell.dataset).name,  # of a user's own, which is called by its path
        setting=" ".join(filter(None, [sized_setting(cell), *(f"{name}={text}" for name, text in extra.items())])),
        readout=readout,
        seed=settings.seed,
        measure=ledger.ACCURACY,
        value=accuracy,
        unit=ledger.PER_CENT,
        paper=printed(cell, settings.model).get(readout),
        paper_spread=cell.spreads.get(readout),
        trained=trained,
        tested=tested,
        selection=ledger.LAST,
        device=settings.device,
        precision=settings.precision,
        command=command_of(dataclasses.replace(settings, snapshots=RunSettings().snapshots)),
        commit=commit,
    )


def _image_numbers(settings: RunSettings) -> tuple[int, int]:
    """Images trained on, over all epochs, and images tested on."""
    division = Division.of(settings, _loaded(settings.dataset, settings.data))
    passes = sum(number for _, number in settings.phases(settings.make_model()))
    return division.trained * passes, division.number_tested


@functools.cache
def _loaded(name: str, data: str | None) -> Dataset:
    return datasets.load(name, data)
