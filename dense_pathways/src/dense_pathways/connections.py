# SPDX-FileCopyrightText: 2026 The Hebbarium developers
# SPDX-License-Identifier: BSD-3-Clause
"""Which connections need no index arrays: their pairs can be counted instead of listed, or are listed in runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import NeuronGroup, SpikeSource, Synapses
from brian2.groups.subgroup import Subgroup
from numpy.typing import NDArray

ALL = "all to all"
NOT_SELF = "all to all but oneself"
ONE_TO_ONE = "one to one"

SHORT = 3
"""Listed synapses that follow one another less often than this, on average, are no runs."""

_DRAWS = re.compile(r"\b(rand|randn|poisson|binomial|sample)\s*\(")


@dataclass(frozen=True)
class Connection:
    """A connection whose synapses are known from the sizes of both sides.

    Synapses are numbered as Brian2 does: by source, then by target.

    Parameters
    ----------
    kind : str
        `ALL`, `NOT_SELF` or `ONE_TO_ONE`.
    n_pre, n_post : int
        Neurons on both sides.
    pre_offset, post_offset : int
        Where the sides begin in their groups (subgroups).
    """

    kind: str
    n_pre: int
    n_post: int
    pre_offset: int
    post_offset: int

    @property
    def n_synapses(self) -> int:
        """Number of synapses."""
        if self.kind == ONE_TO_ONE:
            return min(self.n_pre, self.n_post)
        pairs = self.n_pre * self.n_post
        return pairs - min(self.n_pre, self.n_post) if self.kind == NOT_SELF else pairs

    @property
    def n_rows(self) -> int:
        """Sources with synapses."""
        return min(self.n_pre, self.n_post) if self.kind == ONE_TO_ONE else self.n_pre

    @property
    def n_columns(self) -> int:
        """Targets with synapses."""
        return min(self.n_pre, self.n_post) if self.kind == ONE_TO_ONE else self.n_post

    def indices(self, side: str) -> NDArray[np.int32]:
        """Number of the neuron before (``pre``) or after (``post``) each synapse, in its group."""
        if self.kind == ONE_TO_ONE:
            pre = post = np.arange(self.n_synapses)
        else:
            pre, post = np.divmod(np.arange(self.n_pre * self.n_post), self.n_post)
            if self.kind == NOT_SELF:
                pre, post = pre[pre != post], post[pre != post]
        numbers = pre + self.pre_offset if side == "pre" else post + self.post_offset
        return numbers.astype(np.int32)


@dataclass(frozen=True)
class Runs:
    """Listed synapses, of which some follow one another: in a run the targets, or sources and targets, grow by one.

    Parameters
    ----------
    synapses, runs : int, optional
        How many there are, where arrays say so. What conditions and generators make is known to the program alone,
        which finds the runs when it runs.
    """

    synapses: int | None = None
    runs: int | None = None

    def and_more(self, more: Runs) -> Runs:
        """What two calls of ``connect`` make together."""
        if self.synapses is None or self.runs is None or more.synapses is None or more.runs is None:
            return Runs()
        return Runs(self.synapses + more.synapses, self.runs + more.runs)

    @property
    def why_not(self) -> str | None:
        """Why loops over them are not worth their while, or None if they are."""
        if self.synapses is None or self.runs is None or self.synapses >= SHORT * self.runs:
            return None
        return f"its connections are listed, {self.synapses / self.runs:.1f} synapses a run on average"


def recognise(synapses: Synapses, arguments: dict[str, Any]) -> Connection | Runs | str:
    """The connection that ``connect(**arguments)`` makes, or in words why neither counts nor runs describe it.

    Parameters
    ----------
    synapses : Synapses
    arguments : dict
        Arguments of ``connect``, without those that say where names are looked up.
    """
    for side, group in (("source", synapses.source), ("target", synapses.target)):
        if isinstance(group, Synapses):
            return f"its {side} is Synapses"
        if not isinstance(group, (SpikeSource, NeuronGroup, Subgroup)):
            return f"its {side} is a {type(group).__name__}"
    if synapses.multisynaptic_index is not None:
        return "several synapses a pair are allowed (multisynaptic_index)"
    condition, i, j, p, n = (arguments.get(name) for name in ("condition", "i", "j", "p", "n"))
    if n is not None and (isinstance(n, str) or n != 1):
        return f"n={n}: several synapses a pair"
    if p is not None and (isinstance(p, str) or p != 1):
        return f"p={p}: random connections"
    n_pre, n_post = len(synapses.source), len(synapses.target)
    kind = None
    if i is None and j is None:
        written = "True" if condition is None else re.sub(r"\s", "", str(condition))
        kind = {
            "True": ALL,
            "i!=j": NOT_SELF,
            "j!=i": NOT_SELF,
            "i==j": ONE_TO_ONE,
            "j==i": ONE_TO_ONE,
        }.get(written)
    elif i is None and condition is None and isinstance(j, str) and j.strip() == "i" and n_pre <= n_post:
        kind = ONE_TO_ONE
    if kind is None:
        return _listed(condition, i, j) or f"its connections are random ({_words(arguments)})"
    return Connection(
        kind,
        n_pre,
        n_post,
        int(getattr(synapses.source, "start", 0)),
        int(getattr(synapses.target, "start", 0)),
    )


def _listed(condition: Any, i: Any, j: Any) -> Runs | None:
    """The runs of a list, as far as they are known; None where chance makes it."""
    written = [text for text in (condition, i, j) if isinstance(text, str)]
    if any(map(_DRAWS.search, written)):
        return None
    if written or condition is not None or i is None or j is None:
        return Runs()
    pre, post = (np.atleast_1d(side._indices() if hasattr(side, "_indices") else side) for side in (i, j))
    try:
        pre, post = np.broadcast_arrays(pre, post)
        step_pre, step_post = np.diff(pre), np.diff(post)
    except (TypeError, ValueError):  # Brian2 says what is wrong with them
        return Runs()
    ends = [int(np.count_nonzero((step_post != 1) | (step_pre != step))) for step in (0, 1)]
    return Runs(pre.size, min(ends) + 1 if pre.size else 0)


def _words(arguments: dict[str, Any]) -> str:
    said = ", ".join(
        f"{name}={value!r}" if isinstance(value, (str, int, float, bool)) else f"{name}=..."
        for name, value in arguments.items()
        if value is not None
    )
    return f"connect({said})"
