"""What the papers' protocol files do when they are run as scripts: one network, trained, tested and drawn."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hebbarium.analysis import figures
from hebbarium.files.errors import EngineError
from hebbarium.record import results
from hebbarium.training import standard_streams, training
from hebbarium.training.many_runs import ignore_casts, unused_folder
from hebbarium.training.progress import reporter
from hebbarium.training.run_settings import RunSettings

RUNS = Path("runs")


def main(doc: str | None, short: RunSettings, paper: RunSettings, changes: Mapping[str, Any], seed: int) -> int:
    """Run one network, short unless ``--paper`` is given, and print what came of it; returns the exit code.

    Parameters
    ----------
    doc : str
        The script's docstring, whose first line says what it is.
    short, paper : RunSettings
        A run of a minute or two, and the paper's own.
    changes : mapping
        Parameters of the model: symbol to value, or to its text as after ``--set``.
    """
    standard_streams.prepare()
    parser = argparse.ArgumentParser(description=(doc or "").split("\n")[0])
    parser.add_argument("--paper", action="store_true", help="the paper's protocol instead of the short one")
    protocol = paper if parser.parse_args().paper else short
    try:
        settings = dataclasses.replace(protocol, changes=changes, seed=seed)
        out = run(settings, unused_folder(RUNS, f"{settings.model}-{settings.dataset}"))
    except (EngineError, OSError, ValueError) as error:
        print(f"{protocol.model}.py: {error}", file=sys.stderr)
        return 1
    with results.open_run(out) as tree:
        accuracy = tree["evaluation"].to_dataset()["accuracy"].isel(seed=0, samples_seen=-1)
        for readout in accuracy["readout"].values:
            print(f"accuracy by {readout}: {float(accuracy.sel(readout=readout)):.1f} %")
    print(f"results: {out / results.FILE_NAME}")
    print(f"figures: {out / results.FIGURES}")
    return 0


def run(settings: RunSettings, out: Path) -> Path:
    """Train and test one network; the result file and the figures are in ``out``."""
    ignore_casts()
    progress = reporter()
    try:
        training.train(settings, out, progress)
    finally:
        progress.close()
    figures.save_all(out)
    return out
