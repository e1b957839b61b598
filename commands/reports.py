"""Commands that show runs as pages: a report of runs, and a page of one that is under way."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hebbarium.commands import options
from hebbarium.commands.reporting import reporting


def report(
    runs: options.RunFolders,
    out: Annotated[
        Path | None, typer.Option(help="file to write; report.html in the run's folder, or here for several runs")
    ] = None,
    operations: Annotated[bool, typer.Option(help="count the operations of a sample, which runs the network")] = False,
    trust_model: options.TrustModel = False,
) -> None:
    """Write one page on runs: parameters with sources, accuracy beside the paper's, figures, what looks wrong."""
    from hebbarium.files import whole_files
    from hebbarium.record import results
    from hebbarium.studies import operations as counted
    from hebbarium.studies.reports import page

    file = out or (results.folder_of(runs[0]) if len(runs) == 1 else Path()) / "report.html"
    if file.is_symlink() or file.is_dir():
        raise ValueError(f"{file}: is a {'link' if file.is_symlink() else 'folder'}; choose another --out")
    options.trust(trust_model, *(run for run in runs if operations))
    costs = {}
    with reporting() as reporter:
        for run in runs if operations else ():
            reporter.message(f"{run}: showing images to the trained network, one at a time")
            costs[run] = counted.measure(run)
    text = page.report(runs, costs=costs, trust_model=trust_model)
    file.parent.mkdir(parents=True, exist_ok=True)
    whole_files.write(file, text)
    print(f"report: {file}")


def watch(
    run: options.RunFolder,
    every: Annotated[float, typer.Option(min=1, help="seconds at least between two looks at the run")] = 5.0,
    trust_model: options.TrustModel = False,
) -> None:
    """Show a run in the browser while it trains: accuracy and receptive fields, renewed every few seconds."""
    from hebbarium.studies.reports import watching
    from hebbarium.training.run import Run

    opened = Run.open(run, trust_model=trust_model)
    with watching.Watch(opened, every) as server:
        print(f"{run}: {server.address}  (Ctrl-C ends it)", flush=True)
        server.serve()
