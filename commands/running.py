"""Commands that make one run: train, resume, the demonstration."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from hebbarium.commands import options
from hebbarium.commands.reporting import reporting
from hebbarium.training.run_settings import RunSettings


@options.of_settings(
    "dataset", "data", "images", "epochs", "image_order", "schedule", "seed", "device", "precision", "block",
    "test_images", "validation", "evaluate_on", "evaluate_every", "evaluate_images", "labels_from", "labelling_images",
    "snapshots", "profile", "warm_start", "weights_from",
)  # fmt: skip
def train(
    model: options.ModelName,
    neurons: options.Neurons = None,
    layers: options.Layers = None,
    changes: options.Sets = None,
    recordings: Annotated[
        list[str] | None,
        typer.Option(
            "--record",
            help=RunSettings.table()["recordings"].meaning,
            metavar="GROUP.VARIABLE[NEURONS]@image=NUMBER",
        ),
    ] = None,
    jobs: int = 1,
    out: Annotated[Path | None, typer.Option(help="new run folder; runs/MODEL-SET-NUMBER if not given")] = None,
    trust_model: options.TrustModel = False,
    figures: options.Figures = True,
    **given: Any,
) -> None:
    """Train a network, test it, draw what it has learned."""
    settings = options.run_settings(
        model, options.changes_of(model, changes, neurons, layers), jobs=jobs, recordings="; ".join(recordings or []),
        **given,
    )  # fmt: skip
    if settings.warm_start is not None:
        before = Path(settings.warm_start)
        options.trust(trust_model, before)
        settings = _warm(settings, before)
    _train(settings, out, figures)


def _warm(settings: RunSettings, other: Path) -> RunSettings:
    """Settings of a run that begins with another one's state: what is not set anew is as it was there."""
    from hebbarium.engine import anatomy
    from hebbarium.training.run import Run

    before = Run.open(other).settings
    settings = dataclasses.replace(settings, changes={**before.changes, **settings.changes})
    old, new = before.make_model(), settings.make_model()
    if old.name != new.name or anatomy.populations(old) != anatomy.populations(new):
        raise ValueError(
            f"--from {other}: holds {old.name} with {options.sizes_in_words(old)} neurons, which cannot begin"
            f" {new.name} with {options.sizes_in_words(new)}; leave out --neurons, or train from the start"
        )
    return settings


def _train(settings: RunSettings, out: Path | None, figures: bool) -> None:
    from hebbarium.engine.run_folder import is_unbegun
    from hebbarium.files import folder_names
    from hebbarium.training import estimates, many_runs, preparation, training

    folder_names.refuse(out or Path("runs/new"))
    prepared = preparation.prepare(settings)
    model, images = prepared.model, prepared.images
    presentations = estimates.presentations(prepared)
    out = out or many_runs.unused_folder(Path("runs"), f"{model.name}-{Path(images.name).stem}")
    if out.exists() and not is_unbegun(out):
        raise ValueError(f"{out}: exists already; choose another --out, or go on with `hebbarium resume {out}`")
    room = estimates.disk_bytes(prepared, presentations)
    estimates.check_disk(out, room)
    with reporting() as reporter:
        for phase, passes in settings.phases(model):
            if passes != settings.epochs:
                reporter.message(f"{phase}: passes={passes}, whatever epochs is (here {settings.epochs})")
        if estimates.is_long(model, presentations):
            reporter.message("Compiling, and measuring the speed on 20 images of each phase")
            duration = estimates.in_time(estimates.seconds(prepared, presentations))
            reporter.message(f"This will take about {duration} and at most {estimates.in_bytes(room)} of disk")
        with _saying_how_to_go_on(out, settings.model):
            training.begin(prepared, out, reporter)
    conclude(out, figures)


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


@options.of_settings()
def resume(
    run: Annotated[Path, typer.Argument(help="run folder", metavar="RUN")],
    model: Annotated[str | None, typer.Option(help="where the file of its model is now", metavar="FILE.py")] = None,
    dataset: Annotated[str | None, typer.Option(help="where its file or folder is now", metavar="FILE")] = None,
    data: str | None = None,
    trust_model: options.TrustModel = False,
    figures: options.Figures = True,
) -> None:
    """Go on with a run from its last whole block."""
    from hebbarium.training import training
    from hebbarium.training.run import Run

    places = {"model": model, "dataset": dataset, "data": data}
    moved = {name: place for name, place in places.items() if place is not None}
    with reporting() as reporter:
        opened = Run.open(run)
        if opened.is_complete:
            reporter.message(f"{run}: is complete already")
        with _saying_how_to_go_on(run, opened.settings.model):
            training.resume(run, reporter, trust_model=trust_model, moved=moved)
    conclude(run, figures)


def demo(
    out: Annotated[Path | None, typer.Option(help="new run folder; runs/demo-NUMBER if not given")] = None,
    images: Annotated[int, typer.Option(min=1, help="digits to train on")] = 6000,
    neurons: Annotated[int, typer.Option(min=1, help="size of the network")] = 100,
) -> None:
    """Train a small network on the digits that come along."""
    from hebbarium.analysis import figures
    from hebbarium.training import many_runs, training

    out = out or many_runs.unused_folder(Path("runs"), "demo")
    settings = RunSettings(changes={"neurons": neurons}, images=images)
    print(f"{neurons} neurons learn {images:,} handwritten digits without being told which is which.")
    with reporting() as reporter:
        reporter.message("Compiling (the first time only)")
        training.train(settings, out, reporter)
    _print_accuracies(out)
    paths = figures.save_all(out)
    fields = [path for path in paths if path.stem == "receptive_fields"] or paths
    print(f"receptive fields: {fields[0]}")
    print(f"everything else:  {out}")


def conclude(run: Path, figures: bool) -> None:
    """Print what a complete run has come to, and draw its figures."""
    from hebbarium.commands import trained
    from hebbarium.record import results

    _print_accuracies(run)
    print(f"results: {results.file_of(run)}")
    if figures:
        trained.figures(run)


def _print_accuracies(run: Path) -> None:
    from hebbarium.analysis import chance
    from hebbarium.ledger import controls, rows
    from hebbarium.studies import reproduction
    from hebbarium.training import clone
    from hebbarium.training.run import Run

    opened = Run.open(run)
    settings = opened.settings
    with opened.results() as tree:
        evaluation = tree["evaluation"].to_dataset()
        accuracy = evaluation["accuracy"].isel(seed=0, samples_seen=-1).load()
        labels = next(iter(tree["test"].children.values())).to_dataset()["label"].values
        warning = str(evaluation.attrs.get("warning", ""))
        dataset = str(tree.attrs["dataset"])
    cell = reproduction.cell_of_run(settings, dataset)
    beside = controls.of_folder(clone.ledgers(Path("results"))).of(dataset, settings.evaluate_on)
    where = "test" if settings.evaluate_on == "test" else "validation"
    print(f"accuracy on {len(labels):,} {where} images of {dataset}, chance is {chance.in_words(labels)}:")
    width = max(12, *(len(str(name)) for name in accuracy["readout"].values))
    for name in accuracy["readout"].values:
        line = f"  {str(name).replace('_', ' '):{width}}{float(accuracy.sel(readout=name)):6.2f} %"
        if cell and (printed := reproduction.printed(cell, settings.model).get(str(name))):
            line += f"   ({rows.item_of(cell.table)}: {printed:.2f} %)"
        print(line)
    if beside:
        reached = ", ".join(f"{controls.name_of(one)} {one.mean:.2f} %" for one in beside)
        print(f"controls without spikes, on all training images: {reached}")
    if warning:
        print(f"these accuracies mean little: {warning}")
