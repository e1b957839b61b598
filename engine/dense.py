"""C++ standalone with dense pathways: the default device.

The same program and block protocol as `hebbarium.engine.standalone`, from `dense_pathways`: all-to-all synapses become
nested loops, and random numbers come from its fast generator.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from brian2 import device

import dense_pathways
from hebbarium.engine import compiler, sources
from hebbarium.engine.contract import Structure
from hebbarium.engine.standalone import StandaloneProgram, run_make

DEVICE = "dense"
OPERATIONS = "operations.json"


class DenseProgram(StandaloneProgram):
    """A compiled program with dense pathways."""

    brian_device = dense_pathways.NAME
    device_options: Mapping[str, Any] = {"keep_indices": False, "fast_random": True}
    seed_function = "_dense_random::generator.seed"

    def toolchain(self) -> dict[str, Any]:
        """What the program depends on besides the C++ compiler: the device's own files."""
        return {"dense_pathways": sources.digest(sources.everything(Path(dense_pathways.__file__).parent))[:24]}

    def include_block_io(self, folder: Path) -> None:
        """As for C++; beside the program, what became of each operation is kept."""
        super().include_block_io(folder)
        made = [{"name": d.name, "dense": d.dense, "reason": d.reason} for d in device.decisions()]
        (folder / OPERATIONS).write_text(json.dumps(made, indent=1))

    def compile(self, folder: Path) -> None:
        """Run make: two files, two jobs."""
        run_make(folder, ["make", "-j2", compiler.chosen().assignment()])


def operations(program: DenseProgram) -> dict[str, tuple[bool, str]]:
    """What became of each operation: whether it is a dense or vectorised loop, and if not, or not wholly, why."""
    made = json.loads((program.path / OPERATIONS).read_text())
    return {entry["name"].replace("_codeobject", ""): (entry["dense"], entry["reason"]) for entry in made}


def generated(structure: Structure) -> dict[str, tuple[bool, str]]:
    """What would become of each operation of a structure, without compiling anything; see `operations`."""
    with tempfile.TemporaryDirectory() as folder:
        program = DenseProgram.__new__(DenseProgram)
        program.structure = structure
        program.path = Path(folder)
        program.generate(program.path)
        return operations(program)
