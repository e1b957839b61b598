"""Progress of a command on standard error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hebbarium.training.progress import Reporter


@contextmanager
def reporting() -> Iterator[Reporter]:
    """The reporter of a command, closed when it ends."""
    from hebbarium.training import progress
    from hebbarium.training.many_runs import ignore_casts

    ignore_casts()
    reporter = progress.reporter()
    try:
        yield reporter
    finally:
        reporter.close()
