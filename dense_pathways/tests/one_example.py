"""One example of Brian2 on a device, shortened: ``python tests/one_example.py DEVICE SCRIPT FOLDER``.

The script runs as it is, but for what would hide results from a comparison: its own choice of a device and of flags is
passed over, its runs last `LONGEST` steps at most and are compiled together, and once it asks for what a program has to
compute first it is over. Seeds are given beforehand. The project is left in FOLDER, its results in FOLDER/results.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path
from typing import Any

import brian2
import numpy as np
from brian2.devices.cpp_standalone.device import CPPStandaloneDevice

import side_by_side

LONGEST = 2000
FLAGS = side_by_side.STRICT
NOTHING = 3
"""Exit code of a script that runs no network on a standalone device."""

class Over(BaseException):
    """All that can be compared has been said."""


_build, _run = CPPStandaloneDevice.build, CPPStandaloneDevice.network_run
_ran: list[brian2.Network] = []


def _shortened(device: Any, network: Any, duration: Any, *arguments: Any, level: int = 0, **keywords: Any) -> None:
    """A run of few steps, that reports to nobody."""
    duration = min(duration, LONGEST * brian2.defaultclock.dt)
    namespace = arguments[2] if len(arguments) > 2 else keywords.get("namespace")
    _run(device, network, duration, namespace=namespace, profile=False, level=level + 1)
    _ran.append(network)


def _over(*_: Any, **__: Any) -> None:
    if _ran:
        raise Over


def _passed_over(*_: Any, **__: Any) -> None:
    """What the script asks of a device that is chosen already."""


def run(device: str, script: Path, folder: Path) -> int:
    """Run a script up to where it needs results; build and run what it has said by then."""
    brian2.set_device(device, build_on_run=False)
    CPPStandaloneDevice.network_run, CPPStandaloneDevice.build = _shortened, _over
    CPPStandaloneDevice.reinit = CPPStandaloneDevice.activate = _over
    modules: list[Any] = [brian2, brian2.devices, sys.modules["brian2.devices.device"]]
    for module in modules:
        module.set_device = module.reset_device = _passed_over
    brian2.seed(4711)
    np.random.seed(4711)  # noqa: NPY002  the scripts draw from it
    random.seed(4711)
    os.chdir(script.parent)
    sys.argv, sys.path[0] = [str(script)], str(script.parent)
    said = ""
    kept: BaseException | None = None
    names = {"__name__": "__main__", "__file__": str(script)}
    try:
        exec(compile(script.read_text(encoding="utf-8"), script, "exec"), names)
    except Over as over:
        kept = over  # and with it the frames in which the script has its objects
    except (Exception, SystemExit) as error:
        kept, said = error, f"{type(error).__name__}: {error}".partition("\n")[0]
    if not _ran:
        print(said or "it runs no network by itself")
        return NOTHING
    brian2.prefs.codegen.cpp.extra_compile_args_gcc = [*FLAGS, side_by_side.read_once(tuple(FLAGS))]
    brian2.prefs.devices.cpp_standalone.extra_make_args_unix = side_by_side.quick_make(folder)
    _build(brian2.get_device(), directory=str(folder), with_output=False)
    del kept
    return 0


if __name__ == "__main__":
    name, script, folder = sys.argv[1:]
    sys.exit(run(name, Path(script).resolve(), Path(folder).resolve()))
