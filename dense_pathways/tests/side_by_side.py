"""One network on two devices, every result file compared byte for byte."""

from __future__ import annotations

import atexit
import functools
import gc
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from brian2 import Network, device, get_device, prefs, seed, set_device

import dense_pathways

# No flag that lets a compiler reorder arithmetic: what differs then is the order of the program's own operations.
STRICT = ["-w", "-O3", "-march=native", "-ffp-contract=off", "-std=c++11"]

# without contractions and reordering the level of optimisation changes no bit, and none is built much faster
PLAIN = [*STRICT, "-O0"]
HEADERS = (
    "algorithm", "chrono", "climits", "cmath", "cstdint", "cstdlib", "cstring", "ctime", "fstream", "iostream",
    "iterator", "limits", "map", "random", "string", "tuple", "utility", "vector",
)  # fmt: skip

INCLUDE = re.compile(r"^[ \t]*#[ \t]*include.*\n", re.MULTILINE)
TOGETHER = "together.cpp"

Build = Callable[[], Network]
Files = dict[str, bytes]


@functools.cache
def read_once(flags: tuple[str, ...] = tuple(PLAIN)) -> str:
    """The flag by which the standard headers are read once for the sixty files or more of a stock project."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "standard.h").write_text("".join(f"#include <{name}>\n" for name in HEADERS))
    subprocess.run(["g++", *flags, "-x", "c++-header", "standard.h", "-o", "standard.h.gch"], cwd=folder, check=True)
    return f"-include{folder / 'standard.h'}"


def quick_make(folder: Path) -> list[str]:
    """Arguments of ``make`` in a project to come: dependencies of files that nobody will edit are not worked out."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "make.deps").touch()
    return ["-j2", "-o", "make.deps"]


def join(folder: Path) -> list[str]:
    """Write the operations of a stock project into one file, whose headers are read once, each as Brian2 wrote it.

    An operation gets a namespace of its own, since all define the same functions in one without a name.

    Returns
    -------
    list of str
        Arguments of ``make`` that compile this file in place of theirs.
    """
    includes: dict[str, None] = {}
    parts: list[str] = []
    for number, file in enumerate(sorted((folder / "code_objects").glob("*.cpp"))):
        text, header = file.read_text(), file.with_suffix(".h").read_text()
        includes |= dict.fromkeys(INCLUDE.findall(text))
        parts.append(f"namespace operation_{number} {{\n{INCLUDE.sub('', text)}\n}}\n")
        parts += [f"void {name}() {{ operation_{number}::{name}(); }}\n" for name in re.findall(r"(\w+)\(\);", header)]
    (folder / TOGETHER).write_text("".join([*includes, *parts]))
    others = [*folder.glob("*.cpp"), *(folder / "brianlib").glob("*.cpp")]
    return [f"SRCS={' '.join(str(file.relative_to(folder)) for file in others)}"]


def read(folder: Path) -> Files:
    """All result files of a project that has run.

    Left out are the run's time by the clock, and spike queues, which only stock pathways have.
    """
    files = [f for f in (folder / "results").iterdir() if not f.name.endswith(("_queue", "_run_info.txt"))]
    return {f.name: f.read_bytes() for f in files}


def results(
    name: str, build: Build, folder: Path, runs: int = 1, milliseconds: float = 30, joined: bool = False,
    **options: bool,
) -> Files:
    """All result files of a network, which ``build`` makes; see `read`, and for ``joined`` see `join`."""
    from brian2 import defaultclock, ms

    flags, jobs = prefs.codegen.cpp.extra_compile_args_gcc, prefs.devices.cpp_standalone.extra_make_args_unix
    gc.collect()  # Brian2 numbers the names of objects by those still alive
    set_device(name, build_on_run=False)
    device.reinit()
    device.activate(build_on_run=False, **options)
    prefs.codegen.cpp.extra_compile_args_gcc = STRICT if name == dense_pathways.NAME else [*PLAIN, read_once()]
    prefs.devices.cpp_standalone.extra_make_args_unix = arguments = quick_make(folder)
    try:
        defaultclock.dt = 0.5 * ms
        seed(4711)
        network = build()
        for _ in range(runs):
            network.run(milliseconds * ms)
        device.build(directory=str(folder), with_output=False, compile=not joined, run=not joined)
        if joined:
            subprocess.run(["make", *arguments, *join(folder)], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            device.run(str(folder), with_output=False)
        return read(folder)
    finally:
        prefs.codegen.cpp.extra_compile_args_gcc = flags
        prefs.devices.cpp_standalone.extra_make_args_unix = jobs
        defaultclock.dt = 0.1 * ms
        if name == dense_pathways.NAME:
            DECISIONS.clear()
            DECISIONS.update({d.name.replace("_codeobject", ""): d for d in get_device().decisions()})
        device.reinit()
        set_device("runtime")


#: how the operations of the last network on the dense device were compiled
DECISIONS: dict[str, dense_pathways.Decision] = {}


def assert_same(
    build: Build, folder: Path, runs: int = 1, milliseconds: float = 30, joined: bool = True
) -> Files:
    """Both devices leave the same bytes in every file; returns them.

    The stock project is compiled file by file where it is not ``joined``, as it has to be where users wrote headers.
    """
    stock = results("cpp_standalone", build, folder / "stock", runs, milliseconds, joined)
    dense = results(dense_pathways.NAME, build, folder / "dense", runs, milliseconds)
    assert stock.keys() == dense.keys()
    assert [name for name in stock if stock[name] != dense[name]] == []
    return stock
