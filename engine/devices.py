"""The devices by name, one adapter each."""

from __future__ import annotations

import shutil
from pathlib import Path

import dense_pathways
from hebbarium.engine import compiler, cuda, dense, runtime, sources, standalone
from hebbarium.engine.contract import Program, Structure
from hebbarium.files.errors import BuildFailed, EngineError

DEFAULT = dense.DEVICE
COMPILED = (dense.DEVICE, standalone.DEVICE)
NAMES = (*COMPILED, *runtime.DEVICES, cuda.DEVICE)

_GENERATED: dict[str, type[standalone.StandaloneProgram]] = {
    dense.DEVICE: dense.DenseProgram, standalone.DEVICE: standalone.StandaloneProgram, cuda.DEVICE: cuda.CudaProgram,
}  # fmt: skip
_SHAPING = (
    "anatomy.py", "block_io.h", "contract.py", "cuda.py", "dense.py", "inspection.py", "monitors.py",
    "presentations.py", "readers.py", "recorders.py", "runtime.py", "sketch.py", "standalone.py", "statements.py",
    "streams.py",
)  # fmt: skip


def program(structure: Structure, scratch: Path) -> Program:
    """Compile (or find) the program of a structure.

    Raises
    ------
    EngineError
        Unknown device, refused model, or failed build.
    """
    if structure.device in runtime.DEVICES:
        return runtime.RuntimeProgram(structure, scratch)
    if structure.device in _GENERATED:
        return _GENERATED[structure.device](structure, scratch)
    raise EngineError(f"device '{structure.device}': expected one of {', '.join(NAMES)}")


def write_sources(structure: Structure, folder: Path) -> dict[str, str]:
    """Write the sources of a structure's program, to be compiled elsewhere.

    Returns
    -------
    dict of str
        Type of every array that the program reads of a block, in the order in which it does.

    Raises
    ------
    EngineError
        The device generates no sources, or the model is refused.
    """
    if structure.device not in _GENERATED:
        raise EngineError(
            f"device '{structure.device}': generates no program of its own; expected one of {', '.join(_GENERATED)}"
        )
    kind = _GENERATED[structure.device]
    generated = kind.__new__(kind)  # as it is before anything is compiled
    generated.structure, generated.path = structure, folder
    generated.toolchain()  # says what is missing
    generated.generate(folder)
    return generated.types()


def require(name: str) -> None:
    """Raise `BuildFailed` if what a device's programs are compiled with is missing."""
    if name == "numpy":
        return
    compiler.chosen()
    if name != "cython" and shutil.which("make") is None:
        raise BuildFailed(f"device {name}: there is no make on the path; install it (Debian: apt install make)")


def shaping() -> dict[str, bytes]:
    """The files that have a part in what a run computes, by name: what makes programs and what feeds them."""
    here, device = Path(__file__).parent, Path(dense_pathways.__file__).parent
    return {
        **{f"engine/{name}": (here / name).read_bytes() for name in _SHAPING},
        **{f"dense_pathways/{name}": content for name, content in sources.everything(device).items()},
    }


def listing() -> dict[str, str]:
    """Each device and whether it can be used here, in words; then what programs are compiled by."""
    try:
        found, missing = str(compiler.chosen()), []
    except BuildFailed as error:
        found, missing = str(error), ["a C++ compiler"]
    make = [] if shutil.which("make") else ["make"]
    headers = [] if compiler.python_headers() else ["Python's headers"]
    return {
        dense.DEVICE: f"C++ standalone with dense pathways (default): {_ready(missing + make)}",
        standalone.DEVICE: f"C++ standalone as Brian2 has it: {_ready(missing + make)}",
        "cython": f"Brian2 runtime with Cython, for debugging: {_ready(missing + headers)}",
        "numpy": "Brian2 runtime with NumPy, for debugging: ready",
        cuda.DEVICE: f"CUDA standalone, never run on a GPU so far: {cuda.available()[1]}",
        "compiler": found,
    }


def _ready(missing: list[str]) -> str:
    return f"needs {' and '.join(missing)}" if missing else "ready"
