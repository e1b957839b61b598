"""The devices by name, one adapter each."""

from __future__ import annotations

import shutil
from pathlib import Path

from engine import cuda, dense, runtime, standalone
from engine.contract import Program, Structure
from engine.errors import EngineError

DEFAULT = dense.DEVICE
COMPILED = (dense.DEVICE, standalone.DEVICE)
NAMES = (*COMPILED, *runtime.DEVICES, cuda.DEVICE)


def program(structure: Structure, scratch: Path) -> Program:
    """Compile (or find) the program of a structure.

    Raises
    ------
    EngineError
        Unknown device, refused model, or failed build.
    """
    if structure.device in runtime.DEVICES:
        return runtime.RuntimeProgram(structure, scratch)
    if structure.device == dense.DEVICE:
        return dense.DenseProgram(structure, scratch)
    if structure.device == standalone.DEVICE:
        return standalone.StandaloneProgram(structure, scratch)
    if structure.device == cuda.DEVICE:
        return cuda.CudaProgram(structure, scratch)
    raise EngineError(f"device '{structure.device}': expected one of {', '.join(NAMES)}")


def listing() -> dict[str, str]:
    """Each device and whether it can be used here, in words."""
    compiler = shutil.which("g++")
    cpp = "ready" if compiler and shutil.which("make") else "needs g++ and make"
    return {
        dense.DEVICE: f"C++ standalone with dense pathways (default): {cpp}",
        standalone.DEVICE: f"C++ standalone as Brian2 has it: {cpp}",
        "cython": "Brian2 runtime with Cython, for debugging: " + ("ready" if compiler else "needs g++"),
        "numpy": "Brian2 runtime with NumPy, for debugging: ready",
        cuda.DEVICE: f"CUDA standalone: {cuda.available()[1]}",
    }
