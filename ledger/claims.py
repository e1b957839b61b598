"""A paper's claims, held against our own ledger, comparison by comparison.

A claim *holds* if it does in every comparison, is *mixed* if in more than half of them, and does *not hold* otherwise;
beside the verdict stands in how many. Comparisons are of means over seeds. Those that go the paper's way by more than
two standard errors of the difference are counted as clear, which a single seed never is.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hebbarium.files import whole_files
from hebbarium.ledger.rows import Row

__all__ = [
    "FAILS", "HOLDS", "MIXED", "OPEN", "Claims", "Judgement", "Point", "Verdict", "is_clear", "judged", "of_numbers",
    "pairs", "table", "write",
]  # fmt: skip

HOLDS, MIXED, FAILS, OPEN = "holds", "mixed", "does not hold", "not enough runs"

_TITLE = "# What the paper claims, and whether it holds here"
_HEAD = (
    "Made by `hebbarium reproduce {model} --claims` from the ledgers beside this page. {said} A claim holds if it does "
    "in every comparison, is mixed if in more than half of them, and does not hold otherwise; those that go the "
    "paper's way by more than two standard errors of the difference are clear. {read}"
)


@dataclass(frozen=True)
class Verdict:
    """One claim: what the paper says, whether it holds here, in how many comparisons, and the numbers."""

    claim: str
    verdict: str
    count: str
    numbers: str


@dataclass(frozen=True)
class Claims:
    """What a paper claims.

    Parameters
    ----------
    judge : callable
        Rows of the paper's ledger to verdicts.
    said : str
        What has to be known before they are believed: what was fitted, what was stopped early.
    read : str
        How numbers are to be read.
    shown_again : bool
        Whether one of them asks how long training takes if images are shown again.
    """

    judge: Callable[[Sequence[Row]], Sequence[Verdict]]
    said: str = ""
    read: str = "Accuracies in per cent, mean ± standard error over seeds."
    shown_again: bool = False


@dataclass(frozen=True)
class Point:
    """A mean over seeds, its standard error, and how many there are; it shows itself as text."""

    value: float
    error: float
    seeds: int

    def __str__(self) -> str:
        return f"{self.value:.2f}" + (f" ± {self.error:.2f}" if self.seeds > 1 else "")


Judgement = tuple[str, str, str]
"""Verdict, in how many comparisons, numbers."""


def judged(borne_out: Sequence[bool], numbers: str, clear: Sequence[bool] = ()) -> Judgement:
    """A verdict by how many comparisons bear a claim out."""
    right, number = sum(borne_out), len(borne_out)
    verdict = HOLDS if right == number else MIXED if 2 * right > number else FAILS
    return verdict, f"{right} of {number}" + (f", {sum(clear)} clear" if clear else ""), numbers


def of_numbers(
    claim: str, needed: Mapping[str, float | None], holds: Callable[[Mapping[str, float]], Sequence[bool]]
) -> Verdict:
    """A claim about numbers, each of which is there or not.

    Parameters
    ----------
    needed : mapping
        What each number is called, and the number.
    holds : callable
        Numbers to whether each part of the claim is borne out; called only if all are there.
    """
    there = {name: value for name, value in needed.items() if value is not None}
    numbers = "; ".join(f"{name} {value:.5g}" for name, value in there.items())
    if len(there) < len(needed):
        return Verdict(claim, OPEN, f"{len(there)} of {len(needed)} numbers are there", numbers)
    return Verdict(claim, *judged([bool(one) for one in holds(there)], numbers))


def is_clear(more: Point, less: Point) -> bool:
    """Whether the first is more than the second by more than two standard errors of the difference."""
    return more.value - less.value > 2 * math.hypot(more.error, less.error)  # false where there is one seed: NaN


def pairs(named: Sequence[tuple[str, Point | None, Point | None]]) -> Judgement:
    """A claim that in every row the first is more than the second."""
    complete = [(name, more, less) for name, more, less in named if more and less]
    numbers = "; ".join(f"{name}: {more} against {less}" for name, more, less in complete)
    if len(complete) < len(named):
        return OPEN, f"{len(complete)} of {len(named)} can be made", numbers
    failed = [name for name, more, less in complete if more.value <= less.value]
    return judged(
        [more.value > less.value for _, more, less in complete],
        f"not for {', '.join(failed)}. {numbers}" if failed else numbers,
        [is_clear(more, less) for _, more, less in complete],
    )


def table(verdicts: Iterable[Verdict]) -> str:
    """Claims, verdicts and numbers as a Markdown table."""
    lines = ["| claim | here | comparisons | numbers |", "| --- | --- | --- | --- |"]
    lines += [f"| {v.claim} | {v.verdict} | {v.count} | {v.numbers} |" for v in verdicts]
    return "\n".join(lines)


def write(path: Path, model: str, claims: Claims, verdicts: Iterable[Verdict]) -> None:
    """A page of Markdown: claims, verdicts and numbers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = textwrap.fill(_HEAD.format(model=model, said=claims.said, read=claims.read), 120, break_long_words=False)
    whole_files.write(path, f"{_TITLE}\n\n{head}\n\n{table(verdicts)}\n")
