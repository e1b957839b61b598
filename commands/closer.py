"""Commands that look closer at trained runs: maps, layers, operations, robustness; and a control without spikes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hebbarium.commands import options
from hebbarium.commands.reporting import reporting


@options.of_settings()
def maps(
    run: options.RunFolder,
    images: Annotated[int | None, typer.Option(min=1, help="test images on the map; all if not given")] = None,
    perplexity: Annotated[float | None, typer.Option(help="neighbours that count, 30 if not given")] = None,
    seed: Annotated[int, typer.Option(min=0, help="seed of the layout")] = 0,
    data: str | None = None,
    results: options.LedgerFolder = None,
    formats: options.Formats = None,
) -> None:
    """Map a run's images, responses and weights (t-SNE), and measure how well classes are separated."""
    from hebbarium.studies import maps as run_maps

    table, *figures = run_maps.draw(
        run, images=images, data=data, seed=seed, perplexity=perplexity, formats=tuple(formats or ["png"]),
        ledgers=results,
    )  # fmt: skip
    print(table.read_text(encoding="utf-8"), end="")
    for path in figures:
        print(f"figure: {path}")
    print(f"table: {table}")


@options.of_settings()
def layers(
    run: options.RunFolder,
    images: Annotated[int, typer.Option(min=1, help="test images that are shown to each snapshot")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="seed of the choice of neurons that are drawn")] = 0,
    data: str | None = None,
    results: options.LedgerFolder = None,
    trust_model: options.TrustModel = False,
    formats: options.Formats = None,
) -> None:
    """Draw a layered network's local losses, activity and contributions, and count its operations."""
    from hebbarium.studies import layers as run_layers

    options.trust(trust_model, run)
    table, *figures = run_layers.draw(
        run, images=images, data=data, formats=tuple(formats or ["png"]), seed=seed, ledgers=results
    )
    print(table.read_text(encoding="utf-8"), end="")
    for path in figures:
        print(f"figure: {path}")
    print(f"table: {table}")


@options.of_settings()
def operations(
    runs: options.RunFolders,
    images: Annotated[int | None, typer.Option(min=1, help="images of each phase, 200 if not given")] = None,
    costs: Annotated[
        list[str] | None,
        typer.Option("--cost", help="picojoules, such as additions=0.4; can be repeated", metavar="KIND=PJ"),
    ] = None,
    data: str | None = None,
    results: options.LedgerFolder = None,
    trust_model: options.TrustModel = False,
) -> None:
    """Count a sample's operations, in training and testing, beside a conventional network of the same layers."""
    from hebbarium.analysis import figures
    from hebbarium.ledger import figures as table_figures
    from hebbarium.ledger import operations as counted
    from hebbarium.studies import operations as measured

    options.trust(trust_model, *runs)
    picojoules = counted.costs(costs or [])
    costs_of_runs = []
    with reporting() as reporter:
        for run in runs:
            reporter.message(f"{run}: showing images to the trained network, one at a time")
            costs_of_runs += measured.measure(
                run, images=images or measured.IMAGES, data=data, picojoules=picojoules
            )
    print(counted.markdown_table(costs_of_runs))
    if results is not None:
        ledgers = counted.append(results, costs_of_runs)
        folder = results / "figures"
        folder.mkdir(exist_ok=True)
        figure = table_figures.operation_costs(counted.read(results))
        print(f"figure: {figures.save(figure, folder / 'operations.svg')}")
        for path in ledgers:
            print(f"ledger: {path}")


@options.of_settings()
def robustness(
    runs: options.RunFolders,
    perturbations: Annotated[
        list[str],
        typer.Option(
            "--perturbation",
            help="noise, salt-and-pepper, lesion-synapses, lesion-neurons or quantise; can be repeated",
        ),
    ],
    levels: Annotated[str | None, typer.Option(help="such as 0.1,0.3; a usual range if not given")] = None,
    seeds: Annotated[str, typer.Option(help="of the perturbation, such as 0-2 or 0,3,7")] = "0",
    test_images: int | None = None,
    jobs: int = 1,
    data: str | None = None,
    out: Annotated[
        Path | None, typer.Option(help="folder to write to, for one run; the runs' figures/ if not given")
    ] = None,
    results: options.LedgerFolder = None,
    trust_model: options.TrustModel = False,
) -> None:
    """Disturb trained runs' images, synapses, neurons or weights, and test them."""
    from hebbarium.analysis import figures
    from hebbarium.ledger import robustness as ledger
    from hebbarium.studies import robustness as disturbed
    from hebbarium.training import sweeps
    from hebbarium.training.run import Run

    if out is not None and len(runs) > 1:
        raise ValueError(f"--out {out}: is for one run, and {len(runs)} are given; leave it out to write into each")
    options.trust(trust_model, *runs)
    wanted = {name: disturbed.levels_of(name, _numbers("--levels", levels)) for name in perturbations}
    if results is not None:
        (results / "figures").mkdir(parents=True, exist_ok=True)
    ledgers: dict[Path, None] = {}
    for run in runs:
        opened = Run.open(run, data=data)
        subject = disturbed.Subject(opened, test_images, jobs)
        for perturbation, strengths in wanted.items():
            with reporting() as reporter:
                measured = subject.measure(perturbation, strengths, sweeps.seeds_of(seeds), reporter)
            table, drawing = disturbed.save(measured, out or figures.folder_of(run))
            print(disturbed.as_csv(measured), end="")
            print(f"figure: {drawing}")
            print(f"table: {table}")
            if results is not None:
                ledgers |= dict.fromkeys(ledger.append(results, disturbed.answers_of(opened, measured)))
    if results is not None:
        figure = disturbed.side_by_side(ledger.read(results))
        print(f"figure of all runs: {figures.save(figure, results / 'figures' / 'robustness.svg')}")
        for path in ledgers:
            print(f"ledger: {path}")


@options.of_settings()
def hebbian_control(
    dataset: str = "mnist",
    seeds: options.Seeds = "0-4",
    neurons: options.Neurons = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="passes through the images; 5 if not given")] = None,
    images: int | None = None,
    test_images: int | None = None,
    data: str | None = None,
    results: options.LedgerFolder = None,
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
    known = datasets.load(dataset, data)
    with reporting() as reporter:
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


