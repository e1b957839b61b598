"""The command ``hebbarium``.

What takes time to import is imported by the command that needs it, so that ``--help`` answers at once.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from hebbarium.training import standard_streams

if TYPE_CHECKING:
    from hebbarium.models.contract import Model
    from hebbarium.training.many_runs import Outcome, PlannedRun
    from hebbarium.training.progress import Reporter
    from hebbarium.training.run_settings import RunSettings

DEBUG = "HEBBARIUM_DEBUG"
STOPPED, FAILED = 130, 1


class _Commands(TyperGroup):
    """Turns errors into one line on standard error."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (typer.Abort, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            print("hebbarium: stopped by a signal", file=sys.stderr)
            raise typer.Exit(STOPPED) from None
        except Exception as error:
            if hasattr(error, "exit_code") or os.environ.get(DEBUG, "0") not in ("", "0"):
                raise  # usage errors, which typer shows; or someone wants to see where it happened
            text, code = _in_words(error)
            print(f"hebbarium: {text}", file=sys.stderr)
            raise typer.Exit(code) from None


def _in_words(error: Exception) -> tuple[str, int]:
    """An error as one line, and the exit code."""
    from hebbarium.files.errors import EngineError, Stopped, in_one_line

    text = in_one_line(str(error))
    if isinstance(error, Stopped):
        return text, STOPPED
    if isinstance(error, EngineError | ValueError | OSError) and text:
        return text, FAILED
    if isinstance(error, KeyError) and " " in text:
        return text.strip("'\""), FAILED
    kind = type(error).__name__
    return f"{kind}: {text} (unexpected; {DEBUG}=1 shows where it happened)", FAILED


app = typer.Typer(
    cls=_Commands,
    help="Spike-based learning papers as Brian2 equations: train, test, compare with the printed numbers.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

def _say_if_unpinned(given: Any) -> Any:
    """Say of run folders that were begun before anything was pinned that they are taken as they are."""
    from hebbarium.engine import run_folder
    from hebbarium.training import pins

    for run in given if isinstance(given, list) else [given]:
        if run is not None and (run / run_folder.CONFIGURATION).is_file() and pins.read(run) is None:
            print(pins.UNPINNED.format(run=run), file=sys.stderr)
    return given


RunFolder = Annotated[Path, typer.Argument(help="run folder", metavar="RUN", callback=_say_if_unpinned)]
RunFolders = Annotated[
    list[Path], typer.Argument(help="run folders, of any models", metavar="RUN...", callback=_say_if_unpinned)
]
TrustModel = Annotated[
    bool, typer.Option("--trust-model", help="let the Python file run that the run's model is written in")
]
ModelName = Annotated[str, typer.Argument(help="a name from `hebbarium models`, or your own file.py", metavar="MODEL")]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", help="parameter of the model, such as tau_p=20*ms; can be repeated", metavar="SYMBOL=VALUE"),
]
DataFolder = Annotated[Path | None, typer.Option(help="folder that holds the files of the data sets", metavar="DIR")]
LedgerFolder = Annotated[Path | None, typer.Option(help="folder of the ledgers to add to; none if not given")]
Neurons = Annotated[int | None, typer.Option(min=1, help="size of the network")]
Layers = Annotated[
    str | None, typer.Option(help="sizes of the hidden layers, from the input on", metavar="SIZE,SIZE,...")
]
Jobs = Annotated[int, typer.Option(min=1, help="processes at a time")]
Device = Annotated[
    str | None, typer.Option(help="dense (default), cpp, cython, numpy or cuda; see `hebbarium devices`")
]
Precision = Annotated[str | None, typer.Option(help="float32 (default) or float64")]
Block = Annotated[int | None, typer.Option(min=1, help="images between two checkpoints")]
Images = Annotated[int | None, typer.Option(min=1, help="training images an epoch; all if not given")]
TestImages = Annotated[int | None, typer.Option(min=1, help="images to test on; all if not given")]
LabelsFrom = Annotated[
    str | None,
    typer.Option(help="responses that label the neurons: all, second_half, last_pass, or labelling (a frozen pass)"),
]
LabellingImages = Annotated[
    str | None, typer.Option(help="training images of the frozen pass, a number or all", metavar="NUMBER")
]
Validation = Annotated[int | None, typer.Option(min=0, help="training images to hold out")]
EvaluateOn = Annotated[str | None, typer.Option(help="test (default) or validation")]


# -- looking -------------------------------------------------------------------------------------------------


@app.command()
def models() -> None:
    """List the models."""
    from hebbarium.catalogue import registry

    for name, kind in registry.models().items():
        print(f"{name}\n    {kind.title}\n    {kind.paper}")


@app.command()
def describe(
    model: ModelName,
    form: Annotated[str, typer.Option("--format", help="text, markdown or latex")] = "text",
    phase: Annotated[str | None, typer.Option(help="train, respond or test: whose equations are shown")] = None,
    changes: Sets = None,
) -> None:
    """Show a model's parameters, sources and equations."""
    from hebbarium.catalogue import description, registry
    from hebbarium.training import parameters

    made = parameters.apply(registry.find(model), parameters.assignments(changes or []))
    print(description.describe(made, form, phase))


@app.command()
def devices() -> None:
    """List what programs can run on, here."""
    from hebbarium.engine import devices as engine_devices

    for name, text in engine_devices.listing().items():
        print(f"{name:10}{text}")


# -- running -------------------------------------------------------------------------------------------------


@app.command()
def train(
    model: ModelName,
    neurons: Neurons = None,
    layers: Layers = None,
    dataset: Annotated[str | None, typer.Option(help="a set from `hebbarium data`, or your own .npz file")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="passes through the training images")] = None,
    schedule: Annotated[str | None, typer.Option(help="how to train, where a model has several ways")] = None,
    images: Images = None,
    seed: Annotated[int | None, typer.Option(min=0, help="seed of every random choice")] = None,
    device: Device = None,
    precision: Precision = None,
    jobs: Jobs = 1,
    out: Annotated[Path | None, typer.Option(help="new run folder; runs/MODEL-SET-NUMBER if not given")] = None,
    warm_start: Annotated[
        Path | None, typer.Option("--from", help="begin with a trained run", metavar="RUN", callback=_say_if_unpinned)
    ] = None,
    trust_model: TrustModel = False,
    data: DataFolder = None,
    changes: Sets = None,
    block: Block = None,
    test_images: TestImages = None,
    validation: Validation = None,
    evaluate_on: EvaluateOn = None,
    evaluate_every: Annotated[
        int | None, typer.Option(min=1, help="training images between two measurements, made when blocks end")
    ] = None,
    evaluate_images: Annotated[
        int | None, typer.Option(min=1, help="images of each measurement, 2,000 if not given; the last is on all")
    ] = None,
    labels_from: LabelsFrom = None,
    labelling_images: LabellingImages = None,
    snapshots: Annotated[int | None, typer.Option(min=1, help="how often the weights are kept")] = None,
    profile: Annotated[bool | None, typer.Option("--profile", help="say where the time of training went")] = None,
    figures: Annotated[bool, typer.Option(help="draw the figures")] = True,
) -> None:
    """Train a network, test it, draw what it has learned."""
    from hebbarium.training import parameters

    wanted = parameters.assignments(changes or [])
    if neurons is not None:
        wanted = _with_size(wanted, "neurons", str(neurons))
    if layers is not None:
        wanted = _with_size(wanted, "layers", layers)
    asked = _run_settings(
        model=model, changes=wanted, dataset=dataset, data=_text(data), images=images, epochs=epochs,
        schedule=schedule, seed=seed, device=device, precision=precision, block=block, test_images=test_images,
        validation=validation, evaluate_on=evaluate_on, labels_from=labels_from, snapshots=snapshots,
        jobs=jobs, warm_start=_text(warm_start), labelling_images=labelling_images, profile=profile,
        evaluate_every=evaluate_every, evaluate_images=evaluate_images,
    )  # fmt: skip
    if warm_start is not None:
        _trust(trust_model, warm_start)
        asked = _warm(asked, warm_start)
    _train(asked, out, figures)


def _train(asked: RunSettings, out: Path | None, figures: bool) -> None:
    from hebbarium.catalogue import own_equations, registry
    from hebbarium.datasets import by_name as datasets
    from hebbarium.engine.run_folder import is_unbegun
    from hebbarium.files import folder_names
    from hebbarium.training import estimates, fit, limits, many_runs, training

    kind = registry.find(asked.model)
    made = asked.make_model()
    limits.refuse_model(asked, made)
    folder_names.refuse(out or Path("runs/new"))
    own_equations.refuse(made)
    images = datasets.load(asked.dataset, asked.data)
    asked = fit.fitted(asked, images)
    made = asked.make_model()
    shown = estimates.presentations(asked, images)
    out = out or many_runs.unused_folder(Path("runs"), f"{kind.name}-{images.name.removesuffix('.npz')}")
    if out.exists() and not is_unbegun(out):
        raise ValueError(f"{out}: exists already; choose another --out, or go on with `hebbarium resume {out}`")
    room = estimates.disk_bytes(asked, made, shown)
    estimates.check_disk(out, room)
    with _reporting() as reporter:
        for phase, passes in asked.phases(made):
            if passes != asked.epochs:
                reporter.message(f"{phase}: passes={passes}, whatever epochs is (here {asked.epochs})")
        if estimates.is_long(made, shown):
            reporter.message("Compiling, and measuring the speed on 20 images of each phase")
            duration = estimates.in_time(estimates.seconds(asked, made, images, shown))
            reporter.message(f"This will take about {duration} and at most {estimates.in_bytes(room)} of disk")
        with _saying_how_to_go_on(out, asked.model):
            training.train(asked, out, reporter)
    _conclude(out, figures)


@contextmanager
def _saying_how_to_go_on(run: Path, model: str) -> Iterator[None]:
    import shlex

    from hebbarium.catalogue import own_models
    from hebbarium.files.errors import Stopped

    try:
        yield
    except Stopped as error:
        trusting = ["--trust-model"] if own_models.file_in(model) else []
        command = shlex.join(["hebbarium", "resume", str(run), *trusting])
        raise Stopped(f"stopped by a signal at the last whole block; `{command}` goes on from there") from error


@app.command()
def resume(
    run: Annotated[Path, typer.Argument(help="run folder", metavar="RUN")],
    trust_model: TrustModel = False,
    model: Annotated[Path | None, typer.Option(help="where the file of its model is now", metavar="FILE.py")] = None,
    dataset: Annotated[Path | None, typer.Option(help="where its .npz file is now", metavar="FILE.npz")] = None,
    data: DataFolder = None,
    figures: Annotated[bool, typer.Option(help="draw the figures")] = True,
) -> None:
    """Go on with a run from its last whole block."""
    from hebbarium.training import training

    places = {"model": _text(model), "dataset": _text(dataset), "data": _text(data)}
    moved = {name: place for name, place in places.items() if place is not None}
    with _reporting() as reporter:
        if training.is_complete(run):
            reporter.message(f"{run}: is complete already")
        with _saying_how_to_go_on(run, training.settings_of(run).model):
            training.resume(run, reporter, trust_model=trust_model, moved=moved)
    _conclude(run, figures)


@app.command()
def demo(
    out: Annotated[Path | None, typer.Option(help="new run folder; runs/demo-NUMBER if not given")] = None,
    images: Annotated[int, typer.Option(min=1, help="digits to train on")] = 6000,
    neurons: Annotated[int, typer.Option(min=1, help="size of the network")] = 100,
) -> None:
    """Train a small network on the digits that come along."""
    from hebbarium.analysis import figures
    from hebbarium.datasets import by_name as datasets
    from hebbarium.training import many_runs, training
    from hebbarium.training.run_settings import RunSettings

    out = out or many_runs.unused_folder(Path("runs"), "demo")
    asked = RunSettings(
        changes={"neurons": str(neurons)}, dataset=datasets.DEFAULT, images=images, labels_from="second_half"
    )
    print(f"{neurons} neurons learn {images:,} handwritten digits without being told which is which.")
    with _reporting() as reporter:
        reporter.message("Compiling (the first time only)")
        training.train(asked, out, reporter)
    _print_accuracies(out)
    drawn = figures.save_all(out)
    fields = [path for path in drawn if path.stem == "receptive_fields"] or drawn
    print(f"receptive fields: {fields[0]}")
    print(f"everything else:  {out}")


def _conclude(run: Path, draw: bool) -> None:
    """Print what a complete run has come to, and draw its figures."""
    from hebbarium.record import results

    _print_accuracies(run)
    print(f"results: {results.file_of(run)}")
    if draw:
        _draw(run, ("png",))


def _print_accuracies(run: Path) -> None:
    from hebbarium.analysis import chance
    from hebbarium.record import results
    from hebbarium.studies import reproduction
    from hebbarium.training import training

    asked = training.settings_of(run)
    with results.open_run(run) as tree:
        evaluation = tree["evaluation"].to_dataset()
        accuracy = evaluation["accuracy"].isel(seed=0, samples_seen=-1).load()
        labels = next(iter(tree["test"].children.values())).to_dataset()["label"].values
        warning = str(evaluation.attrs.get("warning", ""))
        dataset = str(tree.attrs["dataset"])
    cell = reproduction.cell_of_run(asked, dataset)
    where = "test" if asked.evaluate_on == "test" else "validation"
    print(f"accuracy on {len(labels):,} {where} images of {dataset}, chance is {chance.in_words(labels)}:")
    for name in accuracy["readout"].values:
        line = f"  {str(name).replace('_', ' '):12}{float(accuracy.sel(readout=name)):6.2f} %"
        if cell and (printed := reproduction.printed(cell, asked.model).get(str(name))):
            line += f"   (Table {cell.table}: {printed:.2f} %)"
        print(line)
    if warning:
        print(f"these accuracies mean little: {warning}")


@app.command()
def evaluate(
    run: RunFolder,
    dataset: Annotated[str | None, typer.Option(help="another set than the run's")] = None,
    data: DataFolder = None,
    test_images: TestImages = None,
    jobs: Jobs = 1,
    trust_model: TrustModel = False,
) -> None:
    """Test a trained run again, on its own or other images."""
    from hebbarium.training import training

    with _reporting() as reporter:
        found = training.evaluate(run, reporter, dataset, _text(data), jobs, test_images, trust_model)
    accuracy = found["accuracy"].isel(seed=0, samples_seen=-1)
    of = f"{found.sizes['sample']:,} images of {dataset or training.settings_of(run).dataset}"
    print(f"accuracy on {of}, chance is {found.attrs['chance']}:")
    for name in accuracy["readout"].values:
        print(f"  {str(name).replace('_', ' '):12}{float(accuracy.sel(readout=name)):6.2f} %")


@app.command()
def predict(
    run: RunFolder,
    images: Annotated[Path, typer.Argument(help="your images, an .npz file with the array `images`")],
    out: Annotated[Path | None, typer.Option(help="CSV file; standard output if not given")] = None,
    readout: Annotated[str, typer.Option(help="most_active, class_mean or class_layer; the run's first one")] = "",
    jobs: Jobs = 1,
    trust_model: TrustModel = False,
) -> None:
    """Label images of your own with a trained run."""
    from hebbarium.files import whole_files
    from hebbarium.studies import prediction

    _trust(trust_model, run)
    with _reporting() as reporter:
        found = prediction.predict(run, images, readout, jobs, reporter)
    text = prediction.as_csv(found)
    if out is None:
        print(text, end="")
    else:
        out.parent.mkdir(parents=True, exist_ok=True)
        whole_files.write(out, text)
        print(f"{len(found.predicted):,} labels: {out}")
    if found.accuracy is not None:
        print(f"right for {found.accuracy:.2f} % of the images that have a label", file=sys.stderr)


@app.command()
def figures(
    run: RunFolder,
    formats: Annotated[list[str] | None, typer.Option("--format", help="png (default), svg or pdf")] = None,
) -> None:
    """Draw every figure that a run has the numbers for."""
    _draw(run, tuple(formats or ["png"]))


def _draw(run: Path, formats: tuple[str, ...]) -> None:
    from hebbarium.analysis import figures
    from hebbarium.record import results

    results.open_run(run).close()  # says what is wrong before a folder is made
    for path in figures.save_all(run, formats):
        print(f"figure: {path}")


@app.command()
def convergence(
    runs: Annotated[list[Path], typer.Argument(help="run folders that differ in their seeds", metavar="RUN...")],
    out: Annotated[Path, typer.Option(help="file to draw into: .png, .svg or .pdf")] = Path("convergence.svg"),
) -> None:
    """Draw how fast the accuracy on test images is reached, over runs made with --evaluate-every."""
    from hebbarium.analysis import figures
    from hebbarium.record import results
    from hebbarium.studies import reproduction
    from hebbarium.training import training

    asked = training.settings_of(runs[0])
    with results.open_run(runs[0]) as tree:
        shown = results.decoded(tree)["parameters"]
    for run in runs:
        there = training.settings_of(run)
        with results.open_run(run) as tree:
            differ = results.decoded(tree)["parameters"] != shown
        if differ or _for_any_seed(there) != _for_any_seed(asked):
            raise ValueError(f"{run}: has other settings than {runs[0]}; expected runs that differ in their seeds")
        if there.evaluate_on != "test" or there.evaluate_every is None:
            raise ValueError(f"{run}: expected a run made with --evaluate-every and measured on test images")
    with ExitStack() as stack:
        trees = [stack.enter_context(results.open_run(run)) for run in runs]
        cell = reproduction.cell_of_run(asked, str(trees[0].attrs["dataset"]))
        drawn = figures.convergence(trees, paper=reproduction.printed(cell, asked.model) if cell else None)
    out.parent.mkdir(parents=True, exist_ok=True)
    print(f"figure: {figures.save(drawn, out)}")


def _for_any_seed(asked: RunSettings) -> RunSettings:
    """Settings without what makes no other network: seeds, processes, what is kept, where data are found."""
    usual = dataclasses.replace(asked, changes={}, seed=0, jobs=1, snapshots=1, profile=False)
    return dataclasses.replace(usual, data=None, warm_start=None)


# -- looking closer ------------------------------------------------------------------------------------------


@app.command()
def maps(
    run: RunFolder,
    images: Annotated[int | None, typer.Option(min=1, help="test images on the map; all if not given")] = None,
    perplexity: Annotated[float | None, typer.Option(help="neighbours that count, 30 if not given")] = None,
    seed: Annotated[int, typer.Option(min=0, help="seed of the layout")] = 0,
    data: DataFolder = None,
    results: LedgerFolder = None,
    formats: Annotated[list[str] | None, typer.Option("--format", help="png (default), svg or pdf")] = None,
) -> None:
    """Map a run's images, responses and weights (t-SNE), and measure how well classes are separated."""
    from hebbarium.studies import maps as run_maps

    table, *drawn = run_maps.draw(
        run, images=images, data=_text(data), seed=seed, perplexity=perplexity, formats=tuple(formats or ["png"]),
        ledgers=results,
    )  # fmt: skip
    print(table.read_text(encoding="utf-8"), end="")
    for path in drawn:
        print(f"figure: {path}")
    print(f"table: {table}")


@app.command()
def layers(
    run: RunFolder,
    images: Annotated[int, typer.Option(min=1, help="test images that are shown to each snapshot")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="seed of the choice of neurons that are drawn")] = 0,
    data: DataFolder = None,
    results: LedgerFolder = None,
    trust_model: TrustModel = False,
    formats: Annotated[list[str] | None, typer.Option("--format", help="png (default), svg or pdf")] = None,
) -> None:
    """Draw a layered network's local losses, activity and contributions, and count its operations."""
    from hebbarium.studies import layers as run_layers

    _trust(trust_model, run)
    table, *drawn = run_layers.draw(
        run, images=images, data=_text(data), formats=tuple(formats or ["png"]), seed=seed, ledgers=results
    )
    print(table.read_text(encoding="utf-8"), end="")
    for path in drawn:
        print(f"figure: {path}")
    print(f"table: {table}")


@app.command()
def operations(
    runs: RunFolders,
    images: Annotated[int | None, typer.Option(min=1, help="images of each phase, 200 if not given")] = None,
    costs: Annotated[
        list[str] | None,
        typer.Option("--cost", help="picojoules, such as additions=0.4; can be repeated", metavar="KIND=PJ"),
    ] = None,
    data: DataFolder = None,
    results: LedgerFolder = None,
    trust_model: TrustModel = False,
) -> None:
    """Count a sample's operations, in training and testing, beside a conventional network of the same layers."""
    from hebbarium.analysis import figures
    from hebbarium.ledger import figures as table_figures
    from hebbarium.ledger import operations as counted
    from hebbarium.studies import operations as measured

    _trust(trust_model, *runs)
    picojoules = counted.costs(costs or [])
    costs_of_runs = []
    with _reporting() as reporter:
        for run in runs:
            reporter.message(f"{run}: showing images to the trained network, one at a time")
            costs_of_runs += measured.measure(
                run, images=images or measured.IMAGES, data=_text(data), picojoules=picojoules
            )
    print(counted.markdown_table(costs_of_runs))
    if results is not None:
        ledgers = counted.append(results, costs_of_runs)
        folder = results / "figures"
        folder.mkdir(exist_ok=True)
        drawn = table_figures.operation_costs(counted.read(results))
        print(f"figure: {figures.save(drawn, folder / 'operations.svg')}")
        for path in ledgers:
            print(f"ledger: {path}")


@app.command()
def robustness(
    runs: RunFolders,
    perturbations: Annotated[
        list[str],
        typer.Option(
            "--perturbation",
            help="noise, salt-and-pepper, lesion-synapses, lesion-neurons or quantise; can be repeated",
        ),
    ],
    levels: Annotated[str | None, typer.Option(help="such as 0.1,0.3; a usual range if not given")] = None,
    seeds: Annotated[str, typer.Option(help="of the perturbation, such as 0-2 or 0,3,7")] = "0",
    test_images: TestImages = None,
    jobs: Jobs = 1,
    data: DataFolder = None,
    out: Annotated[
        Path | None, typer.Option(help="folder to write to, for one run; the runs' figures/ if not given")
    ] = None,
    results: LedgerFolder = None,
    trust_model: TrustModel = False,
) -> None:
    """Disturb trained runs' images, synapses, neurons or weights, and test them."""
    from hebbarium.analysis import figures
    from hebbarium.ledger import robustness as ledger
    from hebbarium.studies import robustness as disturbed
    from hebbarium.training import sweeps

    if out is not None and len(runs) > 1:
        raise ValueError(f"--out {out}: is for one run, and {len(runs)} are given; leave it out to write into each")
    _trust(trust_model, *runs)
    wanted = {name: disturbed.levels_of(name, _numbers("--levels", levels)) for name in perturbations}
    if results is not None:
        (results / "figures").mkdir(parents=True, exist_ok=True)
    ledgers: dict[Path, None] = {}
    for run in runs:
        for perturbation, asked in wanted.items():
            with _reporting() as reporter:
                measured = disturbed.measure(
                    run, perturbation, asked, seeds=sweeps.seeds_of(seeds), test_images=test_images, data=_text(data),
                    jobs=jobs, reporter=reporter,
                )  # fmt: skip
            table, figure = disturbed.save(measured, out or figures.folder_of(run))
            print(disturbed.as_csv(measured), end="")
            print(f"figure: {figure}")
            print(f"table: {table}")
            if results is not None:
                ledgers |= dict.fromkeys(ledger.append(results, disturbed.answers_of(run, measured)))
    if results is not None:
        drawn = disturbed.side_by_side(ledger.read(results))
        print(f"figure of all runs: {figures.save(drawn, results / 'figures' / 'robustness.svg')}")
        for path in ledgers:
            print(f"ledger: {path}")


@app.command("hebbian-control")
def hebbian_control(
    dataset: Annotated[str, typer.Option(help="a set from `hebbarium data`, or your own .npz file")] = "mnist",
    seeds: Annotated[str, typer.Option(help="such as 0-2 or 0,3,7")] = "0-4",
    neurons: Neurons = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="passes through the images; 5 if not given")] = None,
    images: Images = None,
    test_images: TestImages = None,
    data: DataFolder = None,
    results: LedgerFolder = None,
    search: Annotated[
        Path | None, typer.Option(help="instead, try constants on held-out training images", metavar="LEDGER.csv")
    ] = None,
) -> None:
    """Train a rate-based Hebbian network, the control for the spiking ones."""
    import dataclasses

    from hebbarium.datasets import by_name as datasets
    from hebbarium.ledger import ledger
    from hebbarium.studies import hebbian_control as rate_based
    from hebbarium.training import clone, sweeps

    constants = rate_based.CONSTANTS if neurons is None else dataclasses.replace(rate_based.CONSTANTS, neurons=neurons)
    wanted = sweeps.seeds_of(seeds)
    known = datasets.load(dataset, _text(data))
    with _reporting() as reporter:
        if search is not None:
            print(rate_based.search(known, search, trained=images, reporter=reporter))
            return
        made = list(
            rate_based.rows(
                known, wanted, constants, epochs or rate_based.EPOCHS, trained=images, tested=test_images,
                reporter=reporter,
            )
        )  # fmt: skip
    if results is not None:
        ledger.append(results / rate_based.LEDGER, made)
    print(rate_based.beside(made, clone.ledgers(results or Path("results")) / rate_based.LEDGER))


def _numbers(option: str, text: str | None) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(",")) if text else ()
    except ValueError:
        raise ValueError(f"{option} {text}: expected numbers, such as 0.1,0.3") from None


# -- many runs -----------------------------------------------------------------------------------------------


@app.command()
def sweep(
    model: ModelName,
    changes: Annotated[
        list[str],
        typer.Option("--set", help="values to combine; can be repeated", metavar="SYMBOL=VALUE,VALUE,..."),
    ],
    out: Annotated[Path, typer.Option(help="folder of the sweep; a sweep that is there goes on")],
    seeds: Annotated[str, typer.Option(help="such as 0-2 or 0,3,7")] = "0",
    neurons: Neurons = None,
    layers: Layers = None,
    dataset: Annotated[str | None, typer.Option(help="a set from `hebbarium data`, or your own .npz file")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="passes through the training images")] = None,
    images: Images = None,
    device: Device = None,
    precision: Precision = None,
    jobs: Jobs = 1,
    data: DataFolder = None,
    block: Block = None,
    test_images: TestImages = None,
    validation: Validation = None,
    evaluate_on: EvaluateOn = None,
    labels_from: LabelsFrom = None,
    labelling_images: LabellingImages = None,
) -> None:
    """Run all combinations of settings and seeds; goes on where it was stopped."""
    from hebbarium.training import sweeps

    values = sweeps.values_of(model, changes)
    fixed = {}
    for symbol, size in (("neurons", neurons), ("layers", layers)):
        if size is not None:
            _with_size(dict.fromkeys(values, ""), symbol, str(size))
            fixed[symbol] = str(size)
    base = _run_settings(
        model=model, changes=fixed, dataset=dataset, data=_text(data), images=images, epochs=epochs,
        device=device, precision=precision, block=block, test_images=test_images, validation=validation,
        evaluate_on=evaluate_on, labels_from=labels_from, snapshots=1, labelling_images=labelling_images,
    )  # fmt: skip
    planned = sweeps.plan(base, values, sweeps.seeds_of(seeds), out)
    with _reporting() as reporter:
        _announce([swept.run for swept in planned], out, jobs, reporter)
        outcomes = sweeps.go(planned, out, jobs, reporter)
    print(sweeps.table(outcomes, planned))
    print(f"summary: {out / sweeps.SUMMARY}")
    _exit_if_failed(outcomes)


@app.command()
def reproduce(
    model: ModelName,
    table: Annotated[list[str] | None, typer.Option(help="such as IV; can be repeated")] = None,
    neurons: Annotated[list[int] | None, typer.Option(help="only networks of this size; can be repeated")] = None,
    cells: Annotated[str, typer.Option(help="all, best (of each row), or conditions such as w_t=9")] = "all",
    seeds: Annotated[str | None, typer.Option(help="such as 0-2; the paper's number if not given")] = None,
    jobs: Jobs = 1,
    out: Annotated[Path | None, typer.Option(help="folder of the runs; runs/reproduce-MODEL if not given")] = None,
    results: Annotated[Path | None, typer.Option(help="folder of the ledger; the project's if not given")] = None,
    images: Annotated[int | None, typer.Option(min=1, help="instead of the paper's number of training images")] = None,
    test_images: Annotated[int | None, typer.Option(min=1, help="instead of the paper's number")] = None,
    embedded: Annotated[
        bool, typer.Option("--embedded", help="the sets that come with the project instead of the whole ones")
    ] = False,
    device: Device = None,
    precision: Precision = None,
    data: DataFolder = None,
    labels_from: LabelsFrom = None,
    labelling_images: LabellingImages = None,
    changes: Sets = None,
    keep: Annotated[bool, typer.Option(help="keep the checkpoints")] = False,
    claims: Annotated[bool, typer.Option(help="hold the paper's claims against the ledger")] = False,
    measure: Annotated[bool, typer.Option(help="with --claims: measure training with images shown again")] = False,
) -> None:
    """Make a paper's tables again; goes on where it was stopped."""
    from hebbarium.ledger import ledger
    from hebbarium.studies import reproduction
    from hebbarium.training import clone, parameters, provenance, sweeps

    if claims and model != "synaptic_scaling":
        raise ValueError(f"--claims: there are none for {model}; expected synaptic_scaling")
    paper = reproduction.paper_of(model)
    printed = paper.protocol
    given = _run_settings(
        model=printed.model, changes={**printed.changes, **parameters.assignments(changes or [])},
        dataset=printed.dataset, data=_text(data), images=images or printed.images, epochs=printed.epochs,
        device=device or printed.device, precision=precision or printed.precision, block=printed.block,
        test_images=test_images or printed.test_images, labels_from=labels_from or printed.labels_from,
        snapshots=printed.snapshots, labelling_images=labelling_images,
    )  # fmt: skip
    # Whatever is not the paper's protocol stays out of the project's ledger.
    as_printed = given == _with_data(printed, given) and not embedded
    out = out or reproduction.usual_folder(model)
    ledgers = results or (clone.ledgers(out) if as_printed else out)
    chosen = reproduction.choose(paper, table or [], cells, neurons or [])
    if embedded:
        chosen = [reproduction.embedded(cell) for cell in chosen]
    asked = reproduction.Reproduction(
        paper, chosen, sweeps.seeds_of(seeds) if seeds else paper.seeds, out, ledgers, given, keep
    )
    outcomes: list[Outcome] = []
    if table or not claims:
        started, version = time.monotonic(), provenance.code_version()
        timed = as_printed and reproduction.is_whole_and_new(asked)
        with _reporting() as reporter:
            _announce(list(reproduction.missing(asked)), out, jobs, reporter)
            outcomes = reproduction.reproduce(asked, jobs, reporter)
        if timed:
            reproduction.note_wall_time(asked, outcomes, jobs, time.monotonic() - started, version)
        for name in dict.fromkeys(cell.table for cell in chosen):
            rows = reproduction.read_as_printed(reproduction.rows_of(asked), paper, name)
            print(f"\n{ledger.item_of(name)}")
            print(ledger.markdown_table(rows, paper.columns if rows else None))
            if rows:
                print(f"figure: {reproduction.draw(asked, name)}")
        print(f"\nledger: {asked.ledger}")
    if claims:
        _claims(asked, measure)
    _exit_if_failed(outcomes)


def _claims(asked: Any, measure: bool) -> None:
    from hebbarium.ledger import claims, ledger
    from hebbarium.studies import reproduction

    if measure:
        with _reporting() as reporter:
            reproduction.measure_shown_again(asked, reporter)
    evidence = claims.Evidence(ledger.read(asked.ledger))
    verdicts = claims.judge(evidence)
    for verdict in verdicts:
        print(f"{verdict.verdict:16} {verdict.claim} ({verdict.count})\n{'':16} {verdict.numbers}")
    claims.write(asked.claims, verdicts)
    print(f"claims: {asked.claims}")


# -- data and cache ------------------------------------------------------------------------------------------

data_app = typer.Typer(help="Find, check or download the image sets.", rich_markup_mode=None)
cache_app = typer.Typer(help="Show or empty the cache of compiled programs.", rich_markup_mode=None)
app.add_typer(data_app, name="data")
app.add_typer(cache_app, name="cache")


@data_app.callback(invoke_without_command=True)
def data(context: typer.Context) -> None:
    """Find, check or download the image sets."""
    if context.invoked_subcommand is None:
        data_list()


@data_app.command("list")
def data_list(
    folder: Annotated[Path | None, typer.Option("--data", help="folder to look in")] = None,
) -> None:
    """List the sets, and where they were found."""
    from hebbarium.datasets import by_name as datasets

    for one in datasets.describe(folder):
        where = f"{one.source}: {one.folder}" if one.folder else one.problem
        print(f"{one.name:24}{one.train:6,} + {one.test:6,} images  {one.state:10} {where}")
        print(f"{'':24}{one.licence}")


@data_app.command("fetch")
def data_fetch(name: Annotated[str, typer.Argument(help="mnist or fashion-mnist")]) -> None:
    """Download a set into your cache folder."""
    from hebbarium.datasets import by_name as datasets

    print(datasets.fetch(name))


@data_app.command("check")
def data_check(
    folder: Annotated[Path | None, typer.Option("--data", help="folder to look in")] = None,
) -> None:
    """Check every file found against its digest; fails if one is damaged."""
    from hebbarium.datasets import by_name as datasets

    found = datasets.describe(folder)
    for one in found:
        print(f"{one.name:24}{one.state:10} {one.sha256 or one.problem}")
    if any(one.state == "damaged" for one in found):
        raise typer.Exit(FAILED)


@cache_app.callback(invoke_without_command=True)
def cache(context: typer.Context) -> None:
    """Show or empty the cache of compiled programs."""
    if context.invoked_subcommand is None:
        cache_list()


@cache_app.command("list")
def cache_list() -> None:
    """List the compiled programs."""
    from hebbarium.engine import cache as programs
    from hebbarium.training import estimates

    entries = programs.entries()
    for entry in entries:
        d = entry.description
        what = f"{d.get('model')} {d.get('phase')} {d.get('precision')} {d.get('device')}"
        size = estimates.in_bytes(entry.size)
        print(f"{entry.key}  {what:40} N={d.get('structure', {}).get('neurons', '?'):6} {size:>8}")
    total = estimates.in_bytes(sum(entry.size for entry in entries))
    print(f"{len(entries)} programs, {total}, in {programs.folder()}")


@cache_app.command("clear")
def cache_clear() -> None:
    """Delete the compiled programs; they are made again when they are needed."""
    from hebbarium.engine import cache as programs

    gone, kept = programs.clear()
    left = f"; {kept} left, which are in use" if kept else ""
    print(f"{gone} programs deleted{left}")


# -- shared --------------------------------------------------------------------------------------------------


@contextmanager
def _reporting() -> Iterator[Reporter]:
    from hebbarium.training.many_runs import ignore_casts
    from hebbarium.training.progress import reporter

    ignore_casts()
    progress = reporter()
    try:
        yield progress
    finally:
        progress.close()


def _run_settings(**given: Any) -> RunSettings:
    """Settings of a run from options; None keeps the default."""
    from hebbarium.catalogue import registry
    from hebbarium.training.run_settings import RunSettings

    wanted: dict[str, Any] = {"labels_from": registry.find(given["model"]).labels_from} if "model" in given else {}
    wanted |= {name: value for name, value in given.items() if value is not None}
    text = str(wanted.get("labelling_images", 1))
    if text == "all":
        wanted["labelling_images"] = None
    elif text.isdecimal() and int(text) > 0:
        wanted |= {"labelling_images": int(text)} if "labelling_images" in wanted else {}
    else:
        raise ValueError(f"--labelling-images {text}: expected a number of images, or all")
    if given.get("labelling_images") is not None and wanted.get("labels_from") != "labelling":
        raise ValueError(f"--labelling-images {text}: is for --labels-from labelling; give both, or leave it out")
    return RunSettings(**wanted)


def _trust(asked: bool, *runs: Path) -> None:
    from hebbarium.training import training

    for run in runs if asked else ():
        training.trust(run)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _with_size(changes: dict[str, str], symbol: str, size: str) -> dict[str, str]:
    if symbol in changes:
        raise ValueError(f"--{symbol} {size}: {symbol} is set by --set as well; keep one of them")
    return {symbol: size, **changes}


def _warm(asked: RunSettings, other: Path) -> RunSettings:
    """Settings of a run that begins with another one's state: what is not set anew is as it was there."""
    import dataclasses

    from hebbarium.engine import anatomy
    from hebbarium.training import training

    before = training.settings_of(other)
    asked = dataclasses.replace(asked, changes={**before.changes, **asked.changes})
    old, new = before.make_model(), asked.make_model()
    if old.name != new.name or anatomy.populations(old) != anatomy.populations(new):
        raise ValueError(
            f"--from {other}: holds {old.name} with {_sizes(old)} neurons, which cannot begin {new.name} "
            f"with {_sizes(new)}; leave out --neurons, or train from the start"
        )
    return asked


def _sizes(model: Model) -> str:
    from hebbarium.engine import anatomy

    return " + ".join(map(str, anatomy.populations(model).values()))


def _with_data(protocol: RunSettings, given: RunSettings) -> RunSettings:
    import dataclasses

    return dataclasses.replace(protocol, data=given.data, jobs=given.jobs)


def _announce(runs: list[PlannedRun], out: Path, jobs: int, reporter: Reporter) -> None:
    """Refuse runs that the disk has no room for; say how long the others will take if that is long."""
    from hebbarium.catalogue import own_equations
    from hebbarium.datasets import by_name as datasets
    from hebbarium.engine import anatomy
    from hebbarium.training import estimates, limits, many_runs

    waiting = [run for run in runs if not many_runs.is_done(run)]
    if not waiting:
        return
    # The runs of one command are much alike; the largest network stands for all.
    models = {run.name: run.settings.make_model() for run in waiting}
    for run in waiting:
        limits.refuse_model(run.settings, models[run.name])
    own_equations.refuse(models[waiting[0].name])
    run = max(waiting, key=lambda run: sum(anatomy.populations(models[run.name]).values()))
    asked, model = run.settings, models[run.name]
    images = datasets.load(asked.dataset, asked.data)
    shown = estimates.presentations(asked, images)
    room = jobs * estimates.disk_bytes(asked, model, shown)
    room += len(waiting) * estimates.kept_bytes(asked, model, shown)
    estimates.check_disk(out, room)
    if estimates.is_long(model, shown):
        reporter.message("Compiling, and measuring the speed on 20 images of each phase")
        duration = estimates.seconds(asked, model, images, shown) * len(waiting) / min(jobs, len(waiting))
        text = estimates.in_time(duration)
        reporter.message(f"{len(waiting)} runs: about {text} or less, and at most {estimates.in_bytes(room)} of disk")


def _exit_if_failed(outcomes: list[Outcome]) -> None:
    failed = [outcome for outcome in outcomes if outcome.problem]
    for outcome in failed:
        print(f"hebbarium: {outcome.run.name}: {outcome.problem}", file=sys.stderr)
    if failed:
        raise typer.Exit(FAILED)


def main() -> None:
    """Entry point of the command ``hebbarium``."""
    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        # compilers end, and temporary files go, as for Ctrl-C
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    standard_streams.prepare()
    app()


if __name__ == "__main__":
    main()
