"""One small run, made by its command, that tests of commands and of studies look at."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hebbarium.commands import commandline

SMALL = ["--neurons", "20", "--images", "60", "--block", "20", "--test-images", "30", "--labels-from", "all"]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A run folder, and what the command that made it said."""
    out = tmp_path_factory.mktemp("trained") / "run"
    arguments = [
        "train",
        "synaptic_scaling",
        *SMALL,
        "--set",
        "tau_p=20*ms",
        "--set",
        "w_t=5",
        "--out",
        str(out),
    ]
    return out, CliRunner().invoke(commandline.app, arguments)
