"""Commands that make many runs: sweeps, and papers' tables made again."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hebbarium.commands import options
from hebbarium.commands.reporting import reporting

if TYPE_CHECKING:
    from hebbarium.studies.reproduction import Reproduction
    from hebbarium.training.many_runs import Outcome, PlannedRun
    from hebbarium.training.progress import Reporter


@options.of_settings(
    "dataset", "data", "images", "epochs", "image_order", "schedule", "device", "precision", "block", "test_images",
    "validation", "evaluate_on", "labels_from", "labelling_images",
)  # fmt: skip
def sweep(
    model: options.ModelName,
    changes: Annotated[
        list[str],
        typer.Option("--set", help="values to combine; can be repeated", metavar="SYMBOL=VALUE,VALUE,..."),
    ],
    seeds: options.Seeds = "0",
    neurons: options.Neurons = None,
    layers: options.Layers = None,
    jobs: int = 1,
    part: options.Part = None,
    *,
    out: Annotated[Path, typer.Option(help="folder of the sweep; a sweep that is there goes on")],
    **given: Any,
) -> None:
    """Run all combinations of settings and seeds; goes on where it was stopped."""
    from hebbarium.training import sweeps

    values = sweeps.values_of(model, changes)
    options.sizes_of(values, neurons, layers)
    base = options.run_settings(model, options.changes_of(model, [], neurons, layers), snapshots=1, **given)
    planned = sweeps.plan(base, values, sweeps.seeds_of(seeds), out)
    if part is not None:
        _carry_out([swept.run for swept in planned], part)
        return
    with reporting() as reporter:
        announce([swept.run for swept in planned], out, jobs, reporter)
        outcomes = sweeps.go(planned, out, jobs, reporter)
    print(sweeps.table(outcomes, planned))
    print(f"summary: {out / sweeps.SUMMARY}")
    exit_if_failed(outcomes)


@options.of_settings("data", "device", "precision", "labels_from", "labelling_images")
def reproduce(
    model: options.ModelName,
    table: Annotated[list[str] | None, typer.Option(help="such as IV; can be repeated")] = None,
    neurons: Annotated[list[int] | None, typer.Option(help="only networks of this size; can be repeated")] = None,
    dataset: Annotated[list[str] | None, typer.Option(help="only cells of this data set; can be repeated")] = None,
    cells: Annotated[str, typer.Option(help="all, best (of each row), or conditions such as w_t=9")] = "all",
    seeds: Annotated[str | None, typer.Option(help="such as 0-2; the paper's number if not given")] = None,
    jobs: int = 1,
    images: Annotated[int | None, typer.Option(min=1, help="instead of the paper's number of training images")] = None,
    test_images: Annotated[int | None, typer.Option(min=1, help="instead of the paper's number")] = None,
    embedded: Annotated[
        bool, typer.Option("--embedded", help="the sets that come with the project instead of the whole ones")
    ] = False,
    changes: options.Sets = None,
    out: Annotated[Path | None, typer.Option(help="folder of the runs; runs/reproduce-MODEL if not given")] = None,
    results: Annotated[Path | None, typer.Option(help="folder of the ledger; the project's if not given")] = None,
    keep: Annotated[bool, typer.Option(help="keep the checkpoints")] = False,
    claims: Annotated[bool, typer.Option(help="hold the paper's claims against the ledger")] = False,
    measure: Annotated[bool, typer.Option(help="with --claims: measure training with images shown again")] = False,
    part: options.Part = None,
    **given: Any,
) -> None:
    """Make a paper's tables again; goes on where it was stopped."""
    from hebbarium.catalogue import papers
    from hebbarium.ledger import controls, ledger
    from hebbarium.studies import reproduction
    from hebbarium.training import clone, provenance, sweeps

    paper = reproduction.paper_of(model)
    if claims and paper.claims is None:
        having = [name for name in reproduction.REPRODUCIBLE if reproduction.paper_of(name).claims]
        raise ValueError(f"--claims: there are none for {model}; expected {' or '.join(having)}")
    if claims and measure and not (paper.claims and paper.claims.shown_again):
        raise ValueError(f"--measure: no claim on {model} asks what images that are shown again cost; leave it out")
    printed = paper.protocol
    usual = {name: getattr(printed, name) for name in (
        "dataset", "images", "epochs", "device", "precision", "block", "test_images", "labels_from", "snapshots"
    )}  # fmt: skip
    given |= {"images": images, "test_images": test_images}
    settings = options.run_settings(
        printed.model, {**printed.changes, **options.changes_of(model, changes)},
        **usual | {name: value for name, value in given.items() if value is not None},
    )  # fmt: skip
    # Whatever is not the paper's protocol stays out of the project's ledger.
    as_printed = settings == dataclasses.replace(printed, data=settings.data, jobs=settings.jobs) and not embedded
    out = out or reproduction.usual_folder(model)
    ledgers = results or ((papers.results_of(model) or clone.ledgers(out)) if as_printed else out)
    chosen = reproduction.choose(paper, table or [], cells, neurons or [], dataset or [])
    if embedded:
        chosen = [reproduction.embedded(cell) for cell in chosen]
    reproduced = reproduction.Reproduction(
        paper, chosen, sweeps.seeds_of(seeds) if seeds else paper.seeds, out, ledgers, settings, keep
    )
    if part is not None:
        _carry_out(reproduction.planned(reproduced), part)
        return
    outcomes: list[Outcome] = []
    if chosen and (table or not claims):
        started, version = time.monotonic(), provenance.code_version()
        lacking = reproduction.missing(reproduced)
        timed = as_printed and reproduction.is_whole_and_new(reproduced, lacking)
        with reporting() as reporter:
            announce(list(lacking), out, jobs, reporter)
            outcomes = reproduction.reproduce(reproduced, jobs, reporter, lacking)
        if timed:
            reproduction.note_wall_time(reproduced, outcomes, jobs, time.monotonic() - started, version)
        for name in dict.fromkeys(cell.table for cell in chosen):
            rows = reproduction.read_as_printed(reproduction.rows_of(reproduced), paper, name)
            print(f"\n{ledger.item_of(name)}")
            varied = any(ledger.value_of(row, paper.columns) for row in rows)  # some tables vary something else
            print(ledger.markdown_table(rows, paper.columns if varied else None, controls.of_folder(ledgers)))
            if rows:
                for path in reproduction.draw(reproduced, name):
                    print(f"figure: {path}")
    if paper.trials and (table or not claims):
        _trials(reproduced, table or paper.tables)
    if table or not claims:
        print(f"\nledger: {reproduced.ledger}")
    if claims or (paper.trials and paper.claims and not table):
        _claims(reproduced, measure)
    exit_if_failed(outcomes)


def _carry_out(runs: Sequence[PlannedRun], part: str) -> None:
    from hebbarium.training import parts

    with reporting() as reporter:
        parts.carry_out(runs, part, reporter)


def _trials(reproduced: Reproduction, items: Sequence[str]) -> None:
    from hebbarium.ledger import ledger
    from hebbarium.studies import reproduction

    with reporting() as reporter:
        entered = reproduction.reproduce_trials(reproduced, items, reporter)
    for item, rows in entered.items():
        print(f"\n{ledger.item_of(item)}")
        print(ledger.markdown_table(rows, "measure"))
    for path in reproduction.draw_trials(reproduced) if entered else ():
        print(f"figure: {path}")


def _claims(reproduced: Reproduction, measure: bool) -> None:
    from hebbarium.catalogue import papers
    from hebbarium.ledger import claims, ledger
    from hebbarium.studies import reproduction

    if measure:
        with reporting() as reporter:
            reproduction.measure_shown_again(reproduced, reporter)
    held = reproduced.paper.claims
    assert held is not None
    verdicts = held.judge(ledger.read(reproduced.ledger))
    for verdict in verdicts:
        print(f"{verdict.verdict:16} {verdict.claim} ({verdict.count})\n{'':16} {verdict.numbers}")
    claims.write(reproduced.claims, papers.name_of(reproduced.protocol.model), held, verdicts)
    print(f"claims: {reproduced.claims}")


def announce(runs: list[PlannedRun], out: Path, jobs: int, reporter: Reporter) -> None:
    """Refuse runs that the disk has no room for; say how long the others will take if that is long."""
    from hebbarium.catalogue import own_equations
    from hebbarium.datasets import by_name as datasets
    from hebbarium.engine import anatomy
    from hebbarium.training import estimates, limits, many_runs, preparation

    waiting = [run for run in runs if not many_runs.is_done(run)]
    if not waiting:
        return
    # The runs of one command are much alike; the largest network stands for all.
    models = {run.name: run.settings.make_model() for run in waiting}
    for run in waiting:
        limits.refuse_model(run.settings, models[run.name])
    own_equations.refuse(models[waiting[0].name])
    run = max(waiting, key=lambda run: sum(anatomy.populations(models[run.name]).values()))
    settings, model = run.settings, models[run.name]
    prepared = preparation.divided(settings, datasets.load(settings.dataset, settings.data), model)
    presentations = estimates.presentations(prepared)
    room = jobs * estimates.disk_bytes(prepared, presentations)
    room += len(waiting) * estimates.kept_bytes(prepared, presentations)
    estimates.check_disk(out, room)
    if estimates.is_long(prepared.model, presentations):
        reporter.message("Compiling, and measuring the speed on 20 images of each phase")
        duration = estimates.seconds(prepared, presentations) * len(waiting) / min(jobs, len(waiting))
        text = estimates.in_time(duration)
        reporter.message(f"{len(waiting)} runs: about {text} or less, and at most {estimates.in_bytes(room)} of disk")


def exit_if_failed(outcomes: Sequence[Outcome]) -> None:
    """Say which runs failed, and end with an exit code that says so."""
    failed = [outcome for outcome in outcomes if outcome.problem]
    for outcome in failed:
        print(f"hebbarium: {outcome.run.name}: {outcome.problem}", file=sys.stderr)
    if failed:
        raise typer.Exit(1)
