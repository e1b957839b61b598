"""The clone of the project that this program runs from; installed from a wheel, it runs from none."""

from __future__ import annotations

from pathlib import Path


def folder() -> Path | None:
    """The clone's top folder."""
    above = Path(__file__).resolve().parent.parent
    return above if (above / "pyproject.toml").is_file() else None


def ledgers(otherwise: Path) -> Path:
    """The folder of the project's own ledgers, or another where there is no clone to hold them."""
    clone = folder()
    return otherwise if clone is None else clone / "results"
