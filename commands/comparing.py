"""Commands that compare learning rules: with controls, and with one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

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


@options.of_settings(
    "data", "images", "epochs", "test_images", "validation", "evaluate_on", "device", "precision",
)  # fmt: skip
def leaderboard(
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", help="train every rule on this set: a name, or your own file or folder"),
    ] = None,
    rules: Annotated[
        list[str] | None, typer.Option("--rule", help="a model; can be repeated; all if not given", metavar="MODEL")
    ] = None,
    seeds: Annotated[str, typer.Option(help="with --dataset: such as 0-2")] = "0",
    neurons: Annotated[int | None, typer.Option(min=1, help="with --dataset: hidden neurons of each network")] = None,
    jobs: int = 1,
    out: Annotated[
        Path | None, typer.Option(help="with --dataset: folder of the runs; runs/leaderboard-SET if not given")
    ] = None,
    results: Annotated[
        Path | None, typer.Option(help="folder of the ledgers; the project's, or with --dataset that of the runs")
    ] = None,
    **given: Any,
) -> None:
    """Compare all rules with one another, with controls and with published numbers; on any set with --dataset.

    Without a set, the table is made of the ledgers. With one, each rule is trained as its protocol's short run has it;
    what was stopped goes on.
    """
    from hebbarium.studies import leaderboard as board
    from hebbarium.training import clone

    if dataset is None:
        asked = [f"--{name.replace('_', '-')}" for name, value in given.items() if value is not None]
        asked += ["--neurons"] * (neurons is not None) + ["--out"] * (out is not None)
        if asked:
            raise ValueError(f"{asked[0]}: is for runs on a set; name it with --dataset, or leave it out")
        print(board.text(results or clone.ledgers(Path("results")), rules=rules or ()))
        return
    settings = {name: value for name, value in given.items() if value is not None}
    _contest(dataset, rules or (), seeds, neurons, jobs, out, results, settings)


def _contest(
    dataset: str, rules: Sequence[str], seeds: str, neurons: int | None, jobs: int, out: Path | None,
    results: Path | None, given: Mapping[str, Any],
) -> None:  # fmt: skip
    """Train rules and controls on a set, and print how they stand."""
    from hebbarium.analysis import figures
    from hebbarium.commands import many
    from hebbarium.ledger import controls as of_ledgers
    from hebbarium.ledger import figures as table_figures
    from hebbarium.studies import leaderboard as board
    from hebbarium.studies import reproduction
    from hebbarium.training import sweeps

    out = out or Path("runs") / f"leaderboard-{Path(dataset).stem}"
    contest = board.Contest(dataset, sweeps.seeds_of(seeds), out, results or out, neurons, given)
    runs, refused = board.refused(contest, board.of_rules(rules))
    if not runs:
        reasons = "; ".join(f"{name}: {why}" for name, why in refused.items())
        raise ValueError(f"{dataset}: no rule can be trained on it: {reasons}")
    contest.results.mkdir(parents=True, exist_ok=True)
    outcomes = []
    with reporting() as reporter:
        board.add_controls(contest, reporter)
        for name, reproduced in runs.items():
            reporter.message(f"{name}: {len(reproduced.seeds)} runs")
            lacking = reproduction.missing(reproduced)
            many.announce(list(lacking), out, jobs, reporter)
            outcomes += reproduction.reproduce(reproduced, jobs, reporter, lacking)
    print(board.text(contest.results, [contest.name], runs))
    for name, why in refused.items():
        print(f"not trained: {name}: {why}")
    found = [one for one in board.standings(contest.results, runs) if one.dataset == contest.name and one.neurons]
    if found:
        figure = table_figures.accuracy_by_size(found, of_ledgers.of_folder(contest.results))
        print(f"figure: {figures.save(figure, out / 'leaderboard.png')}")
    print(f"ledgers: {contest.results}")
    many.exit_if_failed(outcomes)
