"""CUDA standalone by brian2cuda: generated, compiled and linked anywhere with nvcc; never run on a GPU so far.

What is taken from brian2cuda's private parts is here: ``dev`` before an array's name is its copy on the GPU,
`random_number_buffer` holds the seed of every cuRAND stream, and pathways look at `defaultclock` whatever
clock they run on.
"""

from __future__ import annotations

import functools
import importlib.util
import logging
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from brian2 import Network, device, prefs
from brian2.core.variables import ArrayVariable, DynamicArrayVariable

from hebbarium.engine import faithfulness, monitors
from hebbarium.engine.contract import Block, BlockResult
from hebbarium.engine.standalone import StandaloneProgram, run_make
from hebbarium.files.errors import BlockFailed, BuildFailed, ModelRefused

DEVICE = "cuda"
# What is compiled for where no GPU says otherwise: present-day data-centre cards.
ASSUMED_CAPABILITY = 9.0
_OPERATIONS, _OPERATION = "operations.cu", "operation_"
_INCLUDE, _CALLED = re.compile(r"^[ \t]*#include.*$", re.MULTILINE), re.compile(r"^void (\w+)\(\)", re.MULTILINE)
_STARTED = re.compile(r"^__global__ void\s+_reset_\w+\(.*?^\}$", re.MULTILINE | re.DOTALL)


def available() -> tuple[bool, str]:
    """Whether a CUDA program could be built here, and whether it could run, in words."""
    try:
        import brian2cuda  # noqa: F401  (importing it registers the device)
    except ImportError as error:
        return False, f"brian2cuda is not installed (pip install 'hebbarium[cuda]', Python 3.12): {error}"
    if shutil.which("nvcc") is None:
        return False, "nvcc is not on the path: install the CUDA toolkit"
    if not _curand_in_toolkit() and _curand_package() is None:
        return False, "the CUDA toolkit lacks cuRAND (pip install 'hebbarium[cuda]' brings it)"
    return True, "ready to run" if gpu_present() else "builds, but there is no GPU to run on"


def gpu_present() -> bool:
    """Whether the driver lists a GPU."""
    return compute_capability() is not None


def compute_capability() -> float | None:
    """Compute capability of the first GPU, as ``9.0``; None without a GPU."""
    if shutil.which("nvidia-smi") is None:
        return None
    query = ["nvidia-smi", "--query-gpu=compute_cap", "--format=csv,noheader"]
    listed = subprocess.run(query, capture_output=True, text=True, check=False)
    try:
        return float(listed.stdout.split()[0]) if listed.returncode == 0 else None
    except (IndexError, ValueError):
        return None


@functools.cache
def toolkit() -> Path:
    """Folder of the CUDA toolkit: where nvcc itself says it is, a wrapper on the path notwithstanding."""
    question = ["nvcc", "--dryrun", "-x", "cu", os.devnull]
    dry = subprocess.run(question, capture_output=True, text=True, check=False)
    for line in dry.stderr.split("\n"):
        _, found, top = line.partition("#$ TOP=")
        if found:
            return Path(top.strip()).resolve()
    raise BuildFailed(f"nvcc does not say where its toolkit is; 'nvcc --dryrun' printed: {dry.stderr[-500:]}")


def _curand_in_toolkit() -> bool:
    return (
        any((folder / "curand.h").is_file() for folder in toolkit().glob("targets/*/include"))
        or (toolkit() / "include" / "curand.h").is_file()
    )


def _curand_package() -> Path | None:
    """Folder of the package nvidia-curand with ``include`` and ``lib``."""
    found = importlib.util.find_spec("nvidia")
    for place in found.submodule_search_locations or () if found else ():
        for header in sorted(Path(place).glob("*/include/curand.h")):
            return header.parent.parent
    return None


class CudaProgram(StandaloneProgram):
    """The same block protocol on a GPU: arrays are read on the host and copied over."""

    brian_device = "cuda_standalone"
    seed_function = "random_number_buffer.set_seed"
    main_source = "main.cu"

    def toolchain(self) -> dict[str, Any]:
        """What the program depends on besides the C++ compiler: part of the cache's key."""
        buildable, why = available()
        if not buildable:
            raise BuildFailed(f"device cuda: {why}")
        import brian2cuda

        version = subprocess.run(["nvcc", "--version"], capture_output=True, text=True, check=False).stdout
        return {
            "nvcc": version.strip().split("\n")[-1],
            "brian2cuda": brian2cuda.__version__,
            "compute_capability": compute_capability() or ASSUMED_CAPABILITY,
        }

    def generate(self, folder: Path) -> None:
        """As for C++; then pathways look at the network's own clock, since the default one does not exist."""
        logging.getLogger("brian2cuda").setLevel(logging.WARNING)  # it would list its preferences
        super().generate(folder)
        clocks = re.findall(r"^extern Clock (\w+);", (folder / "objects.h").read_text(), re.MULTILINE)
        if len(clocks) != 1:
            raise ModelRefused(
                f"model {self.structure.model.name}: has {len(clocks)} clocks ({', '.join(clocks)}); with"
                " several, brian2cuda delivers spikes at wrong times: give all objects one clock"
            )
        for source in sorted((folder / "code_objects").glob("*.cu")):
            text = re.sub(r"\bdefaultclock\.timestep\b", f"{clocks[0]}.timestep", source.read_text())
            source.write_text(text)

    def set_preferences(self) -> None:
        """Flags that let a present-day nvcc compile, with or without a GPU in sight."""
        backend = prefs.devices.cuda_standalone.cuda_backend
        backend.cuda_path = str(toolkit())
        # brian2cuda's own detection needs a sample program that toolkits no longer hold
        backend.detect_gpus, backend.gpu_id = False, 0
        backend.compute_capability = compute_capability() or ASSUMED_CAPABILITY
        # Thrust needs C++17; the generated makefile says C++11 first. The -use_fast_math that brian2cuda
        # proposes would replace float32 exponentials and logarithms by approximations.
        backend.extra_compile_args_nvcc = ["-w", "-std=c++17", "-ftz=true"]
        cpp = prefs.codegen.cpp
        cpp.extra_compile_args_gcc = [a.replace("c++11", "c++17") for a in cpp.extra_compile_args_gcc]
        if not _curand_in_toolkit():
            package = _curand_package()
            cpp.include_dirs = [*cpp.include_dirs, str(package / "include")]  # type: ignore[operator]
            cpp.library_dirs = [*cpp.library_dirs, "."]  # the link that `compile` makes
            cpp.runtime_library_dirs = [*cpp.runtime_library_dirs, str(package / "lib")]  # type: ignore[operator]

    def check(self, network: Network) -> None:
        """Refuse races as well: they compile, link and run, and give wrong numbers."""
        super().check(network)
        if delays := self.structure.model.longest_delays():
            raise ModelRefused(
                f"model {self.structure.model.name}: device cuda knows no delays that are given at run time"
                f" ({', '.join(delays)}); choose another device, or the model without delays"
            )
        found = faithfulness.races(network)
        if found:
            raise ModelRefused(
                f"model {self.structure.model.name}: on a GPU these race, so that results would be wrong:\n  "
                + "\n  ".join(found)
            )

    def reading(
        self, state: dict[str, ArrayVariable], values: dict[str, ArrayVariable], inputs: list[str]
    ) -> str:
        """As for C++, then copied to the device; the generator's seed goes to cuRAND."""
        lines = [super().reading(state, values, inputs)]
        for variable in [*state.values(), *values.values()]:
            name = device.get_array_name(variable, access_data=False)
            dynamic = isinstance(variable, DynamicArrayVariable)
            lines.append(f"dev{name} = {name};" if dynamic else _to_device(name))
        lines += [_to_device(self.timed_array(name)) for name in inputs]
        return "\n".join(lines)

    def writing(self, network: Network, state: dict[str, ArrayVariable]) -> str:
        """As for C++, after copying back."""
        lines = []
        recorded = [network[monitors.name(population)] for population in self.structure.populations]
        monitored = [monitor.variables[short] for monitor in recorded for short in ("i", "t")]
        for variable in [*state.values(), *monitored, *self.read_variables(network).values()]:
            name = device.get_array_name(variable, access_data=False)
            dynamic = isinstance(variable, DynamicArrayVariable)
            lines.append(f"{name} = dev{name};" if dynamic else _to_host(name))
        return "\n".join([*lines, super().writing(network, state)])

    @staticmethod
    def storage(variable: ArrayVariable) -> tuple[str, str]:
        """As for C++; a dynamic array is a vector of Thrust's on the host."""
        name = device.get_array_name(variable, access_data=False)
        if isinstance(variable, DynamicArrayVariable):
            return f"thrust::raw_pointer_cast({name}.data())", f"{name}.size()*sizeof({name}[0])"
        return name, f"_num_{name}*sizeof({name}[0])"

    def run(self, block: Block) -> BlockResult:
        """As for C++; without a GPU the reason is said rather than the driver's words for it."""
        try:
            return super().run(block)
        except BlockFailed as error:
            if gpu_present():
                raise
            raise BlockFailed(
                f"device cuda: the program in {self.path} was built, but there is no GPU to run it on; take it to a"
                " machine that has one, or choose another device"
            ) from error

    def leave_out(self, folder: Path, inputs: list[str]) -> None:
        """Blank inputs stay: brian2cuda loads them by code of its own, and a block's inputs replace them."""

    def compile(self, folder: Path) -> None:
        """Run make; two jobs, since nvcc is slow.

        Nearly all of a compilation is reading the same headers for each of some fifty operations: these are put into
        one file, in which each has a namespace of its own.
        """
        join_operations(folder)
        package = _curand_package()
        if not _curand_in_toolkit() and package is not None:
            library = next(iter(sorted((package / "lib").glob("libcurand.so*"))))
            (folder / "libcurand.so").symlink_to(library)
        run_make(folder, ["make", "-j2"])


def join_operations(folder: Path) -> None:
    """Put the operations of a program into one source file, and that into its makefile."""
    includes: dict[str, None] = {}
    parts = []
    sources = sorted((folder / "code_objects").glob("*.cu"))
    for number, source in enumerate(sources):
        text = source.read_text()
        includes |= dict.fromkeys(line.strip() for line in _INCLUDE.findall(text))
        # what other operations call or start stands outside
        called = "".join(f"void {name}() {{ {_OPERATION}{number}::{name}(); }}\n" for name in _CALLED.findall(text))
        own = _STARTED.sub(rf"}}\n\g<0>\nnamespace {_OPERATION}{number} {{", _INCLUDE.sub("", text))
        parts.append(f"namespace {_OPERATION}{number} {{\n{own}\n}}\n{called}")
    (folder / _OPERATIONS).write_text("\n".join([*includes, *parts]))
    makefile = folder / "makefile"
    text, found = re.subn(r"code_objects/\S+\.cu( code_objects/\S+\.cu)*", _OPERATIONS, makefile.read_text())
    if found != 1:
        raise BuildFailed("brian2cuda's makefile has an unexpected form; is its version 1.0b1?")
    makefile.write_text(text)


def _to_device(name: str) -> str:
    size = f"_num_{name}*sizeof({name}[0])"
    return f"CUDA_SAFE_CALL(cudaMemcpy(dev{name}, {name}, {size}, cudaMemcpyHostToDevice));"


def _to_host(name: str) -> str:
    size = f"_num_{name}*sizeof({name}[0])"
    return f"CUDA_SAFE_CALL(cudaMemcpy({name}, dev{name}, {size}, cudaMemcpyDeviceToHost));"
