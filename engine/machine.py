"""What this computer is, to stand beside what was timed on it."""

from __future__ import annotations

import os
import re
from pathlib import Path

_IDENTIFIED_BY = ("cpu family", "model", "CPU implementer", "CPU part")


def in_words() -> str:
    """Processor, number of cores that may be used, memory."""
    try:
        processor = processor_of(Path("/proc/cpuinfo").read_text())
    except OSError:
        processor = processor_of("")
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{processor}, {cores} core{'s' if cores > 1 else ''}, {memory:.0f} GiB"


def processor_of(cpuinfo: str) -> str:
    """The first processor of a ``/proc/cpuinfo``; where its name has no number, as on virtual machines, its model's.

    >>> processor_of("cpu family : 25\\nmodel : 17\\nmodel name : AMD EPYC\\n")
    'AMD EPYC (cpu family 25, model 17)'
    """
    first: dict[str, str] = {}
    for line in cpuinfo.splitlines():
        name, _, value = (part.strip() for part in line.partition(":"))
        first.setdefault(name, value)
    name = first.get("model name") or first.get("Model") or "unknown processor"
    numbers = ", ".join(f"{key} {first[key]}" for key in _IDENTIFIED_BY if first.get(key))
    return f"{name} ({numbers})" if numbers and not re.search(r"\d", name) else name
