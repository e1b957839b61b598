# SPDX-FileCopyrightText: 2026 The Hebbarium developers
# SPDX-License-Identifier: BSD-3-Clause
"""A Brian2 device that compiles all-to-all synapses to dense loops.

Importing this package registers the device; a script then needs one line::

    import dense_pathways
    set_device("cpp_dense", directory="build")

Equations, connections and results are those of Brian2's C++ standalone device. What changes is the code between
them: a pathway over ``connect()``, ``connect('i!=j')`` or ``connect(j='i')`` without delays becomes a loop over
counted pairs instead of a spike queue and two lists of indices, and loops whose iterations cannot see one another
are vectorised. All else runs through Brian2's own templates; `decisions` says what became of each operation.

This package is under the BSD licence and holds no text of Brian2's. The projects that it writes do: their frame is that
of the Brian2 installed, which is under CeCILL 2.1. Whoever passes such a project on passes on Brian2's part too.
"""

from dense_pathways.brian2_parts import CHECKED, check_version
from dense_pathways.connections import ALL, NOT_SELF, ONE_TO_ONE, Connection
from dense_pathways.device import NAME, Decision, DenseDevice

__all__ = [
    "ALL",
    "CHECKED",
    "NAME",
    "NOT_SELF",
    "ONE_TO_ONE",
    "Connection",
    "Decision",
    "DenseDevice",
    "check_version",
]
