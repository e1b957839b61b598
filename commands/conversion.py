"""The command that writes a run in the formats of other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hebbarium.commands import options


def convert(
    run: options.RunFolder,
    to: Annotated[str, typer.Option("--to", help="neo, nwb, nir, sonata, csv or npz", metavar="FORMAT")],
    out: Annotated[
        Path | None, typer.Option(help="new file or folder; RUN/exchange/... if not given")
    ] = None,
    trust_model: options.TrustModel = False,
) -> None:
    """Write a run's recordings, tables or network in the formats of other tools."""
    from hebbarium.studies import conversion

    options.trust(trust_model, run)
    written = conversion.convert(run, to, out)
    print(f"{conversion.FORMATS[to].holds}: {written}")
