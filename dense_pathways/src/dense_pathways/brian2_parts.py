# SPDX-FileCopyrightText: 2026 The Hebbarium developers
# SPDX-License-Identifier: BSD-3-Clause
"""Everything this package takes from Brian2's private parts, and the versions it was checked against.

Private here means: not promised by Brian2's documentation. Each name is used as it is, none is patched:

- ``CPPStandaloneDevice``: ``code_object``, ``code_object_class``, ``network_run``, ``main_queue``,
  ``array_cache``, ``get_array_name``, ``generate_codeobj_source``, ``copy_source_files``, ``generate_makefile``,
  ``headers``, ``writer``, ``build``, ``build_options``, ``run``, ``delete``, ``get_value``,
  ``run_function``, and the hook ``synapses_connect`` of ``device_override``;
- ``CPPStandaloneCodeObject``: ``templater`` (derived, with a loader of our own in ``env``), ``before_after_blocks``,
  ``compiler_kwds``; ``generate_rand_code``;
- the names of its templates and of the blocks, macros and variables in them; in three of them also the places that
  `edits` looks for;
- ``brian2.devices.device.previous_devices``, the devices that ``set_device`` put aside;
- ``CPPCodeGenerator``: ``translate_statement_sequence``, ``translate_statement``, ``translate_expression``,
  ``translate_to_read_arrays``, ``determine_keywords``, ``arrays_helper``;
- ``SynapticPathway``: ``_pushspikes_codeobj``, ``eventspace_name``, ``prepost``; ``Synapses``: ``_synaptic_pre``,
  ``_synaptic_post``, ``_registered_variables``, ``_source_offset``, ``_target_offset``.
"""

from __future__ import annotations

import warnings
from typing import Any

import brian2
from brian2.codegen.generators.cpp_generator import CPPCodeGenerator, c_data_type
from brian2.codegen.statements import Statement
from brian2.codegen.templates import Templater
from brian2.core.functions import DEFAULT_FUNCTIONS, Function
from brian2.core.variables import ArrayVariable, Constant, DynamicArrayVariable, Variable
from brian2.devices.cpp_standalone.codeobject import CPPStandaloneCodeObject, generate_rand_code
from brian2.devices.cpp_standalone.device import CPPStandaloneDevice
from brian2.devices.device import all_devices, get_device, previous_devices
from brian2.synapses.synapses import SummedVariableUpdater, SynapticPathway
from brian2.utils.stringtools import get_identifiers

__all__ = [
    "CHECKED", "DEFAULT_FUNCTIONS", "ArrayVariable", "CPPCodeGenerator", "CPPStandaloneCodeObject",
    "CPPStandaloneDevice", "Constant", "DynamicArrayVariable", "Function", "Statement", "SummedVariableUpdater",
    "SynapticPathway", "Templater", "Variable", "all_devices", "c_data_type", "check_version", "connect",
    "generate_rand_code", "get_device", "get_identifiers", "previous_devices",
]

CHECKED = ((2, 10), (2, 11))


def check_version(version: str = brian2.__version__) -> None:
    """Warn where Brian2 is of a version that nobody has tried this package with."""
    number = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if number not in CHECKED:
        known = " and ".join(".".join(map(str, v)) for v in CHECKED)
        warnings.warn(
            f"dense_pathways was checked with Brian2 {known}, this is {version}: compare a run with the device"
            " 'cpp_standalone' before you rely on it",
            stacklevel=2,
        )


def connect(synapses: brian2.Synapses, *args: Any, level: int, **arguments: Any) -> None:
    """Brian2's own ``Synapses.connect``, past the device's override."""
    brian2.Synapses.connect.original_function(synapses, *args, level=level + 1, **arguments)
