# SPDX-FileCopyrightText: 2026 The Hebbarium developers
# SPDX-License-Identifier: BSD-3-Clause
"""When may the order of a loop change, or its iterations run at once, without changing a bit.

An operation runs its statements once an element of a loop. Each variable it touches lives in an array and is
reached by an index: the element's own (``_idx``), the neuron before or after the synapse, zero for what is shared,
or a list of indices (a linked variable). Two names may reach one array.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

OWNERS = ("_idx", "_presynaptic_idx", "_postsynaptic_idx")
"""Indices of the synapse, of its source and of its target."""


@dataclass
class Access:
    """How an operation reaches arrays.

    Attributes
    ----------
    reached : dict
        Array → names of the indices by which it is reached.
    written : set of str
        Arrays that are written.
    stateful : set of str
        Functions in use of which it matters when they are called: they have a state, as ``rand``, or may have effects,
        as a user's.
    """

    reached: dict[str, set[str]] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    stateful: set[str] = field(default_factory=set)

    def add(self, array: str, index: str, written: bool) -> None:
        """Note one access."""
        self.reached.setdefault(array, set()).add(index)
        if written:
            self.written.add(array)

    def without(self, arrays: Iterable[str]) -> Access:
        """The same, but for some arrays."""
        left = set(self.reached) - set(arrays)
        reached = {array: indices for array, indices in self.reached.items() if array in left}
        return Access(reached, self.written & left, self.stateful)

    def why_not_at_once(self, distinct: Iterable[str]) -> str | None:
        """Why the iterations of a loop may not run at once, or None if they may.

        Parameters
        ----------
        distinct : iterable of str
            Indices that differ between any two iterations. They may if whatever is written is reached by one
            such index alone: then no iteration sees what another writes.
        """
        distinct = set(distinct)
        if self.stateful:
            return f"{', '.join(sorted(self.stateful))}() may have a state or effects"
        for array in sorted(self.written):
            indices = self.reached[array]
            if len(indices) > 1 or not indices <= distinct:
                return f"{array} is written, and reached by {', '.join(sorted(indices))}"
        return None

    def why_not_interchanged(self, owners: Iterable[str] = OWNERS) -> str | None:
        """Why two nested loops, over sources and over targets, may not change places, or None if they may.

        They may if whatever is written is reached by one index alone, be it the synapse's, the source's or the
        target's: every element then sees the same sequence of operations in both orders.

        Parameters
        ----------
        owners : iterable of str
            Such indices.
        """
        owners = set(owners)
        if self.stateful:
            return f"{', '.join(sorted(self.stateful))}() may have a state or effects"
        for array in sorted(self.written):
            indices = self.reached[array]
            if len(indices) > 1 or not indices <= owners:
                return f"{array} is written, and reached by {', '.join(sorted(indices))}"
        return None
