"""What this computer is, to stand beside what was timed on it."""

from __future__ import annotations

import os
from pathlib import Path


def in_words() -> str:
    """Processor, number of cores that may be used, memory."""
    processor = "unknown processor"
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("model name", "Model")):
                processor = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{processor}, {cores} core{'s' if cores > 1 else ''}, {memory:.0f} GiB"
