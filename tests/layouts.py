"""The project's packages as they lie elsewhere: installed from wheels, or in another clone."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.test_project import DENSE, ROOMS, ROOT

_SPARED = shutil.ignore_patterns("__pycache__", "embedded", "*.egg-info")


def installed(site: Path) -> Path:
    """Lay the packages out as wheels do; returns the folder that Python has to search."""
    (site / "hebbarium").mkdir(parents=True)
    shutil.copy(ROOT / "hebbarium" / "__init__.py", site / "hebbarium")
    for room in ROOMS:
        shutil.copytree(ROOT / room, site / "hebbarium" / room, ignore=_SPARED)
    shutil.copytree(DENSE / "src" / "dense_pathways", site / "dense_pathways", ignore=_SPARED)
    return site


def clone(folder: Path) -> Path:
    """Lay the packages out as a clone has them, with links to the rooms; returns the folder."""
    folder.mkdir(parents=True)
    shutil.copytree(ROOT / "hebbarium", folder / "hebbarium", symlinks=True, ignore=_SPARED)
    for room in ROOMS:
        shutil.copytree(ROOT / room, folder / room, ignore=_SPARED)
    shutil.copytree(DENSE / "src", folder / "dense_pathways" / "src", ignore=_SPARED)
    return folder
