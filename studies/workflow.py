"""Sweeps and tables as a Snakemake workflow: one job compiles, each run is a job, and one collects the results.

Jobs are the commands themselves, ``hebbarium reproduce`` or ``hebbarium sweep``, each with the part that it carries out
(see `hebbarium.training.parts`). A run keeps its checkpoints in its own folder, which is no output of a rule: a job
that is killed and tried again goes on from the last whole block.

Snakemake and what submits its jobs to Slurm come with ``pip install "hebbarium[workflow]"``; to write a workflow
neither is needed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from hebbarium.files import new_outputs
from hebbarium.files.errors import EngineError
from hebbarium.training import parts

__all__ = ["WorkflowRefused", "write"]

_FILES = Path(__file__).parent / "workflow_files"
_PLACES = {
    "Snakefile": "Snakefile", "default.yaml": "profiles/default/config.yaml", "slurm.yaml": "profiles/slurm/config.yaml"
}  # fmt: skip
_COMMAND = (sys.executable, "-m", "hebbarium.commands.commandline")
_VARIABLES = "HEBBARIUM_"


class WorkflowRefused(EngineError, ValueError):
    """The command cannot be carried out, or has nothing to do; the message is its own."""


def write(arguments: Sequence[str], out: Path) -> int:
    """Write a workflow into a new folder.

    Parameters
    ----------
    arguments : sequence of str
        Those of a command that makes many runs, such as ``reproduce synaptic_scaling --table IV``, without ``--out``.
    out : Path
        Snakefile, configuration and profiles; runs, results, logs and the table come beside them.

    Returns
    -------
    int
        Number of runs.

    Raises
    ------
    WorkflowRefused
        The command refuses its arguments, or nothing is left to run.
    FileNotWritten
        Something is there already, or the place cannot be written.
    """
    whole = out.absolute()
    places = ["--out", str(whole / "runs")]
    if arguments[0] == "reproduce" and not any(word.partition("=")[0] == "--results" for word in arguments):
        places += ["--results", str(whole / "results")]
    command = [*_COMMAND, *arguments, *places]
    runs = _runs(command)
    if not runs:
        raise WorkflowRefused(f"{' '.join(arguments)}: nothing is left to run; its rows are in the ledger")
    with new_outputs.writing(out) as place:
        place.mkdir()
        for name, to in _PLACES.items():
            (place / to).parent.mkdir(parents=True, exist_ok=True)
            (place / to).write_bytes((_FILES / name).read_bytes())
        (place / "config.yaml").write_text(_configuration(command, runs), encoding="utf-8")
    return len(runs)


def _runs(command: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """The runs that a command would make, and those that each begins with."""
    listed = subprocess.run([*command, "--only", parts.LIST], text=True, capture_output=True, check=False)
    if listed.returncode:
        said = listed.stderr.strip().removeprefix("hebbarium: ")
        raise WorkflowRefused(said or f"the command ended with exit code {listed.returncode}")
    runs: Mapping[str, Sequence[str]] = json.loads(listed.stdout)
    return runs


def _configuration(command: Sequence[str], runs: Mapping[str, Sequence[str]]) -> str:
    """The configuration as YAML, of which JSON is a part."""
    numbers = {name: f"run_{number:04d}" for number, name in enumerate(runs, 1)}
    configuration = {
        "command": list(command),
        "folder": os.getcwd(),
        "environment": {name: value for name, value in sorted(os.environ.items()) if name.startswith(_VARIABLES)},
        "runs": {
            number: {"name": name, "after": [numbers[before] for before in runs[name]]}
            for name, number in numbers.items()
        },
    }
    return json.dumps(configuration, indent=2, ensure_ascii=False) + "\n"
