"""The command that writes sweeps and tables as a workflow for clusters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hebbarium.commands import options


def workflow(
    context: typer.Context,
    model: options.ModelName,
    out: Annotated[Path, typer.Option(help="new folder of the workflow")],
    sweep: Annotated[
        bool, typer.Option("--sweep", help="what follows are options of `sweep` instead of `reproduce`")
    ] = False,
) -> None:
    """Write a table or a sweep as a Snakemake workflow, whose jobs a computer or a cluster runs.

    All other options are those of `hebbarium reproduce`, or of `hebbarium sweep`.
    """
    from hebbarium.studies import workflow as workflows

    number = workflows.write(["sweep" if sweep else "reproduce", model, *context.args], out)
    print(f"{number} runs, one job each: {out}")
    print(f"here:       cd {out} && snakemake --cores 2")
    print(f"on Slurm:   cd {out} && snakemake --executor slurm --jobs 100")
