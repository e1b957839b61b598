# SPDX-FileCopyrightText: 2026 The Hebbarium developers
# SPDX-License-Identifier: BSD-3-Clause
"""Which connections need no index arrays: their pairs can be counted instead of listed."""

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


def recognise(synapses: Synapses, arguments: dict[str, Any]) -> Connection | str:
    """The connection that ``connect(**arguments)`` makes, or in words why it has to be listed.

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
        return f"its connections are listed ({_words(arguments)})"
    return Connection(
        kind,
        n_pre,
        n_post,
        int(getattr(synapses.source, "start", 0)),
        int(getattr(synapses.target, "start", 0)),
    )


def _words(arguments: dict[str, Any]) -> str:
    said = ", ".join(
        f"{name}={value!r}" if isinstance(value, (str, int, float, bool)) else f"{name}=..."
        for name, value in arguments.items()
        if value is not None
    )
    return f"connect({said})"
