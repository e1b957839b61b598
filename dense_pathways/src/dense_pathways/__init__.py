# SPDX-FileCopyrightText: 2026 The Hebbarium developers
# SPDX-License-Identifier: BSD-3-Clause
"""A Brian2 device that compiles all-to-all and convolutional synapses to dense loops.

Importing this package registers the device; a script then needs one line::

    import dense_pathways
    set_device("cpp_dense", directory="build")

Equations, connections and results are those of Brian2's C++ standalone device. What changes is the code between
them: a pathway over ``connect()``, ``connect('i!=j')`` or ``connect(j='i')`` without delays becomes a loop over
counted pairs instead of a spike queue and two lists of indices; one over a listed connection becomes a loop over runs
of synapses that follow one another, where there are such; and loops whose iterations cannot see one another are
vectorised. All else runs through Brian2's own templates; `decisions` says what became of each operation.

Every result file has the bytes that ``cpp_standalone`` leaves, if both programs

- compute in double precision (``prefs.core.default_float_dtype``, and no variable declared ``float32``);
- are compiled by the same compiler with the same flags, ``-ffp-contract=off`` among them and nothing of
  ``-ffast-math``, which Brian2's default flags contain: set ``prefs.codegen.cpp.extra_compile_args_gcc``;
- run with the same C library on the same kind of processor.

Not promised: under ``-ffast-math`` elementary functions come from the C library's vector functions and sums are
reordered; in single precision constants are narrowed, where Brian2 computes in double precision; ``fast_random`` draws
other numbers; a compiler chooses the sign of what is no number (NaN); files of lists that ``keep_indices=False`` leaves
out are empty. Spike queues (``*_queue``) exist only where a pathway needs one, and what is told by the clock
(``last_run_info.txt``, profiles) differs from run to run. What runs a program found is in ``dense_run_info.txt``.

This package is under the BSD licence and holds no text of Brian2's. The projects that it writes do: their frame is that
of the Brian2 installed, which is under CeCILL 2.1. Whoever passes such a project on passes on Brian2's part too.
"""

from dense_pathways.brian2_parts import CHECKED, check_version
from dense_pathways.connections import ALL, NOT_SELF, ONE_TO_ONE, Connection, Runs
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
    "Runs",
    "check_version",
]
