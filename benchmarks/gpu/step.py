"""What a process of its own does: build one program of a case, write its sources, or run a case.

    python -m benchmarks.gpu.step sources|build|run DEVICE CASE [NUMBER]

The last line that it prints is the findings of a run. Its exit code says whether it went well.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.gpu import cases
from benchmarks.gpu.case import Case
from hebbarium.engine import devices
from hebbarium.training.many_runs import ignore_casts


def named(name: str, device: str) -> Case:
    """The case of a name. Raises `KeyError`."""
    return {case.name: case for _, case in cases.every(device)}[name]


def main() -> int:
    """Carry it out; what goes wrong is the last line of standard error."""
    what, device, name, *number = sys.argv[1:]
    for library in ("brian2", "brian2cuda"):
        logging.getLogger(library).setLevel(logging.ERROR)
    ignore_casts()
    case = named(name, device)
    out, answer = os.fdopen(os.dup(1), "w"), ""
    os.dup2(2, 1)  # libraries print
    try:
        with tempfile.TemporaryDirectory() as folder:
            if what == "sources":
                devices.write_sources(case.programs()[int(number[0])], Path(folder) / "program")
            elif what == "build":
                devices.program(case.programs()[int(number[0])], Path(folder))
            else:
                answer = case.run(Path(folder)).as_text()
    except Exception as error:  # whatever it is, the other cases go on
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print(answer, file=out, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
