"""Commands that compare learning rules: with controls, and with one another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hebbarium.commands import options
from hebbarium.commands.reporting import reporting


@options.of_settings()
def controls(
    dataset: str = "mnist",
    seeds: options.Seeds = "0-2",
    prototypes: Annotated[int | None, typer.Option(min=1, help="number of prototypes; 400 if not given")] = None,
    images: int | None = None,
    test_images: int | None = None,
    validation: int = 0,
    evaluate_on: str = "test",
    data: str | None = None,
    results: options.LedgerFolder = None,
    search: Annotated[
        Path | None, typer.Option(help="instead, try learning rates on held-out training images", metavar="LEDGER.csv")
    ] = None,
) -> None:
    """Train classifiers without spikes on a set: what a learning rule has to beat there."""
    import dataclasses

    from hebbarium.datasets import by_name as datasets
    from hebbarium.ledger import controls as of_ledgers
    from hebbarium.ledger import ledger
    from hebbarium.studies import controls as studied
    from hebbarium.training import sweeps

    usual = studied.CONSTANTS
    constants = usual if prototypes is None else dataclasses.replace(usual, prototypes=prototypes)
    wanted = sweeps.seeds_of(seeds)
    shown = studied.ImageParts(images, test_images, validation, evaluate_on)
    known = datasets.load(dataset, data)
    with reporting() as reporter:
        if search is not None:
            print(f"best learning rate: {studied.search(known, search, reporter=reporter):g}")
            return
        made = list(studied.rows(known, wanted, constants, shown, reporter=reporter))
    if results is not None:
        ledger.append(results / of_ledgers.FILE, made)
    print(ledger.markdown_table(made))
