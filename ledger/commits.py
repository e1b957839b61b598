"""The commit that made a row of a ledger, by its name."""

from __future__ import annotations

DIRTY = "-dirty"
"""What stands after a commit if the code differed from it: such a row cannot be made again."""

DIGITS = 12


def named(commit: str, dirty: bool) -> str:
    """The commit's first digits, with a mark if the code differed from it; empty where there is no commit.

    >>> named("0123456789abcdef", False), named("0123456789abcdef", True), named("", False)
    ('0123456789ab', '0123456789ab-dirty', '')
    """
    return f"{commit[:DIGITS]}{DIRTY}" if dirty else commit[:DIGITS]
