"""One network on two devices, every result file compared byte for byte."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path

from brian2 import Network, device, get_device, prefs, seed, set_device

import dense_pathways

# No flag that lets a compiler reorder arithmetic: what differs then is the order of the program's own operations.
STRICT = ["-w", "-O3", "-march=native", "-ffp-contract=off", "-std=c++11"]

Build = Callable[[], Network]
Files = dict[str, bytes]


def results(
    name: str, build: Build, folder: Path, runs: int = 1, milliseconds: float = 30, **options: bool
) -> Files:
    """All result files of a network, which ``build`` makes.

    Left out are the run's time by the clock, and spike queues, which only stock pathways have.
    """
    from brian2 import defaultclock, ms

    flags, jobs = prefs.codegen.cpp.extra_compile_args_gcc, prefs.devices.cpp_standalone.extra_make_args_unix
    gc.collect()  # Brian2 numbers the names of objects by those still alive
    set_device(name, build_on_run=False)
    device.reinit()
    device.activate(build_on_run=False, **options)
    # without contractions and reordering the level of optimisation changes no bit, and none is built much faster
    prefs.codegen.cpp.extra_compile_args_gcc = STRICT if name == dense_pathways.NAME else [*STRICT, "-O0"]
    prefs.devices.cpp_standalone.extra_make_args_unix = ["-j2"]
    try:
        defaultclock.dt = 0.5 * ms
        seed(4711)
        network = build()
        for _ in range(runs):
            network.run(milliseconds * ms)
        device.build(directory=str(folder), with_output=False)
        files = [f for f in (folder / "results").iterdir() if not f.name.endswith(("_queue", "_run_info.txt"))]
        return {f.name: f.read_bytes() for f in files}
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


def assert_same(build: Build, folder: Path, runs: int = 1, milliseconds: float = 30) -> Files:
    """Both devices leave the same bytes in every file; returns them."""
    stock = results("cpp_standalone", build, folder / "stock", runs, milliseconds)
    dense = results(dense_pathways.NAME, build, folder / "dense", runs, milliseconds)
    assert stock.keys() == dense.keys()
    assert [name for name in stock if stock[name] != dense[name]] == []
    return stock
