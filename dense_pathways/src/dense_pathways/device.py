# SPDX-FileCopyrightText: 2026 The Hebbarium developers
# SPDX-License-Identifier: BSD-3-Clause
"""The device ``cpp_dense``: C++ standalone with loops in place of spike queues where connections can be counted."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from brian2 import Synapses, prefs

from dense_pathways import sources
from dense_pathways.brian2_parts import (
    ArrayVariable,
    CPPStandaloneDevice,
    DynamicArrayVariable,
    SynapticPathway,
    Variable,
    all_devices,
    check_version,
    connect,
    previous_devices,
)
from dense_pathways.codeobject import DenseCodeObject
from dense_pathways.connections import Connection, Runs, recognise

NAME = "cpp_dense"

MAKERS = ("dense_connect", "synapses_create_array", "synapses_create_generator")
"""Templates that make synapses."""

RUN_INFO = "dense_run_info.txt"
"""The file beside the results in which a program says what runs of synapses it found."""

OPTIONS = {"keep_indices": True, "fast_random": False}
"""Options of the device, and what they are unless they are given."""

BUILD_OPTIONS = {"profile", *inspect.signature(CPPStandaloneDevice.build).parameters} - {"self", "direct_call", "kwds"}
"""What ``set_device`` keeps for ``build``, and for runs."""


@dataclass(frozen=True)
class Decision:
    """How one operation was compiled.

    Parameters
    ----------
    name : str
        The operation: a pathway, a summed variable, an updater.
    dense : bool
        Whether it became a loop over counted pairs, or over elements at once.
    reason : str
        Where it did not, or not wholly: why.
    """

    name: str
    dense: bool
    reason: str = ""


class DenseDevice(CPPStandaloneDevice):
    """C++ standalone with dense pathways.

    Use it as any other device: ``import dense_pathways; set_device("cpp_dense")``. Whatever it has no loop for
    runs through Brian2's own templates.

    Attributes
    ----------
    keep_indices : bool
        Whether the lists of counted indices are written even where no operation reads them, as Brian2 does. If
        not, they take no memory, and ``synapses.i`` and ``.j`` are worked out when asked for. True by default.
    fast_random : bool
        Whether ``rand()`` and ``randn()`` come from eight vectorised streams of xoshiro256++ instead of Brian2's
        Mersenne twister: other numbers of the same distribution. False by default.

    Both are options of the device: ``set_device("cpp_dense", keep_indices=False, fast_random=True)``. They outlast
    ``device.reinit()`` and ``device.activate()``; the next ``set_device`` begins with what it is given.
    """

    def __init__(self) -> None:
        super().__init__()
        self.keep_indices, self.fast_random = OPTIONS["keep_indices"], OPTIONS["fast_random"]
        self._put_aside: Any = self  # what Brian2 noted last of a device that it put aside for this one
        self._connections: dict[str, Connection | Runs | str] = {}
        self._queues: dict[str, bool] = {}
        self._delays: dict[Variable, str] = {}
        self._generated: set[str] = set()
        self._included: set[str] = set()
        self._spared: dict[str, list[tuple[ArrayVariable, str]]] = {}
        self._unread: dict[ArrayVariable, tuple[Connection | Runs | str, str, Synapses]] = {}
        self._nothing_to_push: set[str] = set()
        self._decisions: dict[str, Decision] = {}
        #: variables that the template at hand writes besides the code in it, with their indices
        self.template_writes: list[tuple[ArrayVariable, str]] = []
        #: lists of sources and targets of the runs at hand, and those by which linked variables are reached
        self.run_lists: list[ArrayVariable] = []
        self.run_indices: dict[str, ArrayVariable] = {}
        #: variables that the operation at hand writes
        self.written: set[Variable] = set()
        self._written_in_runs: set[Variable] = set()

    def activate(self, build_on_run: bool = True, **options: Any) -> None:
        """Called by ``set_device``; see the class for the options.

        Parameters
        ----------
        build_on_run : bool
        **options
            Those of this device, and of ``build``.

        Raises
        ------
        TypeError
            An option is not known, or one of this device is neither true nor false.
        """
        check_version()
        unknown = sorted(options.keys() - OPTIONS.keys() - BUILD_OPTIONS)
        if unknown:
            raise TypeError(
                f"{NAME}: unknown option {', '.join(unknown)}; expected {', '.join(OPTIONS)}, or of build():"
                f" {', '.join(sorted(BUILD_OPTIONS))}"
            )
        for name in OPTIONS.keys() & options.keys():
            if not isinstance(options[name], bool):
                raise TypeError(f"{NAME}: {name} is {options[name]!r}; expected True or False")
        # Brian2 takes a note of the device that set_device() puts aside; a device activated anew puts none aside.
        put_aside = previous_devices[-1] if previous_devices else None
        again, self._put_aside = put_aside is self._put_aside, put_aside
        chosen = {"keep_indices": self.keep_indices, "fast_random": self.fast_random} if again else OPTIONS
        chosen = {name: options.get(name, value) for name, value in chosen.items()}
        super().activate(build_on_run, **{**options, **chosen})
        self.keep_indices, self.fast_random = chosen["keep_indices"], chosen["fast_random"]

    def reinit(self) -> None:
        """Forget all networks; options stay."""
        kept = self.keep_indices, self.fast_random, self._put_aside
        super().reinit()
        self.keep_indices, self.fast_random, self._put_aside = kept

    def build(self, *arguments: Any, direct_call: bool = True, **options: Any) -> None:
        """Brian2's; the options of the device itself were given before.

        Raises
        ------
        TypeError
            Called with an option that the code was generated without.
        """
        for name in OPTIONS.keys() & options.keys():
            if direct_call and options[name] != getattr(self, name):
                raise TypeError(
                    f"{name}={options[name]!r} comes too late, code is generated by now: give it to"
                    f" set_device({NAME!r}) or device.activate()"
                )
            del options[name]
        super().build(*arguments, direct_call=direct_call, **options)

    # -- decisions -------------------------------------------------------------------------------------
    def decisions(self) -> list[Decision]:
        """How each operation of the program was compiled, in the order of their making.

        After a run, those that go through runs of synapses tell how many there are.
        """
        found = self._runs_found() if self.has_been_run else {}
        return [
            replace(decision, reason=found[name]) if name in found and not decision.reason else decision
            for name, decision in self._decisions.items()
        ]

    def _runs_found(self) -> dict[str, str]:
        """What the program wrote of the runs that it found: operation to words."""
        file = Path(self.project_dir) / self.results_dir / RUN_INFO
        entries = [line.split() for line in file.read_text().splitlines()] if file.is_file() else []
        return {name: f"{synapses} synapses in {runs} runs" for name, synapses, runs in entries}

    def synapses_connect(self, synapses: Synapses, *args: Any, level: int = 0, **arguments: Any) -> None:
        """Brian2's ``Synapses.connect``, watched."""
        names = ("condition", "i", "j", "p", "n", "skip_if_invalid", "namespace")
        call = dict(zip(names, args, strict=False)) | arguments
        known = {name: call.get(name) for name in ("condition", "i", "j", "p", "n")}
        if any(self._queues.get(pathway.name) is False for pathway in synapses._pathways):
            raise RuntimeError(
                f"{synapses.name}: connected again after a run that was compiled for its first connections; connect"
                " it whole before the first run, or use the device 'cpp_standalone'"
            )
        made = "OpenMP is on" if prefs.devices.cpp_standalone.openmp_threads else recognise(synapses, known)
        before = self._connections.get(synapses.name)
        self._connections[synapses.name] = made if before is None else _together(before, made)
        connect(synapses, *args, level=level + 1, **arguments)

    def connection(self, synapses: Synapses) -> Connection | Runs | str:
        """The connection if it can be counted or has runs, otherwise why not."""
        known = self._connections.get(synapses.name, "it is not connected by connect()")
        return (known.why_not or known) if isinstance(known, Runs) else known

    def why_queue(self, pathway: SynapticPathway) -> str | None:
        """Why a pathway needs a queue, or None if it does not."""
        connection = self.connection(pathway.synapses)
        if isinstance(connection, str):
            return connection
        if self._may_delay(pathway.variables["delay"]):
            return "it has delays"
        return None

    def _may_delay(self, delay: ArrayVariable) -> bool:
        known = self.array_cache.get(delay)
        if known is not None:
            return bool(np.any(np.asarray(known) != 0))
        # Its values are set by the program: by what?
        names = {self.get_array_name(delay), self.get_array_name(delay, access_data=False)}
        for kind, args in self.main_queue:
            if kind == "run_code_object":
                code = args[0]
                if code.template_name.startswith("group_variable_set") and delay in code.variables.values():
                    return True
            elif kind == "set_by_constant":
                if args[0] in names and args[1] != 0:
                    return True
            elif kind in ("set_by_array", "set_array_by_array", "set_by_single_value") and args[0] in names:
                return True
        return False

    # -- code ------------------------------------------------------------------------------------------
    def code_object_class(self, codeobj_class: Any = None, fallback_pref: str | None = None) -> Any:
        """`DenseCodeObject`, unless another class is asked for."""
        return DenseCodeObject if codeobj_class is None else codeobj_class

    def code_object(self, owner: Any, name: str, **request: Any) -> Any:
        """Brian2's code object, with a template of ours where there is one that fits."""
        wanted, own_class = request["template_name"], request.get("codeobj_class")
        keywords = dict(request.get("template_kwds") or {})
        chosen, reason = wanted, None
        self.template_writes, self.written = [], set()
        if own_class is None or issubclass(own_class, DenseCodeObject):
            variables, indices = request["variables"], request["variable_indices"]
            chosen, reason = self._template(owner, wanted, variables, indices, keywords)
        measured = bool(self.enable_profiling)  # type: ignore[has-type]
        self.enable_profiling = measured and chosen != "dense_no_queue"
        made = super().code_object(owner, name, **{**request, "template_name": chosen, "template_kwds": keywords})
        self.enable_profiling = measured
        if chosen == "dense_no_queue":
            self._nothing_to_push.add(made.name)
        if wanted.startswith("group_variable_set"):
            for variable in made.variables.values():
                self._refuse_late_delay(variable)
        else:
            self._written_in_runs |= self.written
        if chosen not in ("dense_no_queue", "dense_connect") and (chosen != wanted or reason):
            self._decisions[made.name] = Decision(made.name, chosen != wanted, reason or made.remark or "")
        return made

    def _template(
        self,
        owner: Any,
        template: str,
        variables: Mapping[str, Any],
        indices: Mapping[str, str],
        keywords: dict[str, Any],
    ) -> tuple[str, str | None]:
        """The template to use for an operation, and if it stays Brian2's for want of something: why."""
        if prefs.devices.cpp_standalone.openmp_threads:
            return template, "OpenMP is on" if template == "synapses" else None
        if template == "synapses_push_spikes":
            pathway = owner
            needs = self.why_queue(pathway)
            self._queues[pathway.name] = needs is not None
            if not needs:
                self._delays[pathway.variables["delay"]] = pathway.name
            return (template, None) if needs else ("dense_no_queue", None)
        if template == "synapses":
            pathway = keywords["pathway"]
            if self._queues[pathway.name]:
                return template, self.why_queue(pathway)
            eventspace = pathway.source.variables[pathway.eventspace_name]
            first, last = int(pathway.spikes_start), int(pathway.spikes_stop)
            whole = first == 0 and last == eventspace.size - 1
            connection = self.connection(pathway.synapses)
            keywords |= {
                "connection": connection,
                "eventspace": self.get_array_name(eventspace),
                "eventspace_size": eventspace.size - 1,
                "part": None if whole else (first, last),
            }
            if isinstance(connection, Runs):
                keywords["n_pre"] = len(pathway.synapses.source)
                self._count_runs(pathway.synapses, variables, indices)
                return f"dense_run_{pathway.prepost}", None
            return f"dense_{pathway.prepost}", None
        if template in ("synapses_create_generator", "synapses_create_array"):
            connection = self.connection(owner)
            counted = isinstance(connection, Connection)
            spared = [(v, "delay") for p in owner._pathways if not (v := p.variables["delay"]).scalar]
            if counted:
                spared += [(owner.variables["_synaptic_pre"], "pre"), (owner.variables["_synaptic_post"], "post")]
            if not isinstance(connection, str):
                self._spared[owner.name] = spared
                keywords |= {
                    "connection": connection,
                    "spared": [self.get_array_name(v, access_data=False) for v, _ in spared],
                }
            return "dense_connect" if counted else template, None
        if template == "threshold":
            if keywords.get("_uses_refractory"):
                self.template_writes = [(variables[v], "_idx") for v in ("not_refractory", "lastspike")]
            return "dense_threshold", None
        if template == "reset":
            keywords["is_spike"] = keywords["eventspace_variable"].name == "_spikespace"
            return "dense_reset", None
        if template == "stateupdate":
            if not isinstance(owner, Synapses):
                return "dense_stateupdate", None
            connection = self.connection(owner)
            if isinstance(connection, str):
                return "dense_stateupdate", connection
            if isinstance(connection, Runs):
                if {indices[name] for name in variables} <= {"_idx", "0"}:
                    return "dense_stateupdate", None
                self._count_runs(owner, variables, indices)
                return "dense_run_rows", None
            keywords["connection"] = connection
            return "dense_rows", None
        if template == "summed_variable":
            connection = self.connection(owner)
            if isinstance(connection, str):
                return template, connection
            index = keywords["_index_var"].name
            if index not in ("_synaptic_pre", "_synaptic_post"):
                return template, f"it is summed over {index}"
            side = "pre" if index == "_synaptic_pre" else "post"
            self.template_writes = [(keywords["_target_var"], f"_{side}synaptic_idx")]
            keywords |= {"connection": connection, "_sum_index": f"_dense_{'source' if side == 'pre' else 'target'}"}
            if isinstance(connection, Runs):
                self._count_runs(owner, variables, indices)
                return "dense_run_summed", None
            return "dense_summed", None
        return template, None

    def _count_runs(self, synapses: Synapses, variables: Mapping[str, Any], indices: Mapping[str, str]) -> None:
        """Note which lists the runs of an operation count: sources, targets, and indices of linked variables."""
        self.run_lists = [synapses.variables["_synaptic_pre"], synapses.variables["_synaptic_post"]]
        self.run_indices = {
            name: variable
            for name in {indices[name] for name in variables}
            if isinstance(variable := synapses.variables.get(name), DynamicArrayVariable)
            and variable.owner.name == synapses.name
            and variable not in self.run_lists
            and synapses.variables.indices[name] == "_idx"
            and np.dtype(variable.dtype) == np.int32
        }

    # -- delays and lists of indices -------------------------------------------------------------------
    def _refuse_late_delay(self, variable: Variable) -> None:
        if variable in self._delays:
            raise RuntimeError(
                f"{self._delays[variable]}: its delay is set after a run that was compiled without delays; set it"
                " before the first run, or use the device 'cpp_standalone'"
            )

    def fill_with_array(self, var: ArrayVariable, arr: Any) -> None:
        """Brian2's; delays cannot come late."""
        if np.any(np.asarray(arr) != 0):
            self._refuse_late_delay(var)
        super().fill_with_array(var, arr)

    def variableview_set_with_index_array(self, variableview: Any, item: Any, value: Any, check_units: bool) -> None:
        """Brian2's; delays cannot come late."""
        if np.any(np.asarray(value) != 0):
            self._refuse_late_delay(variableview.variable)
        super().variableview_set_with_index_array(variableview, item, value, check_units)

    def run(
        self, directory: Any = None, results_directory: Any = None, with_output: bool = True, run_args: Any = None
    ) -> None:
        """Brian2's; delays cannot come late."""
        for key in run_args if isinstance(run_args, Mapping) else ():
            self._refuse_late_delay(getattr(key, "variable", None))
        super().run(directory, results_directory, with_output, run_args)

    def get_value(self, var: ArrayVariable, access_data: bool = True) -> Any:
        """Brian2's; lists of indices that were never written are worked out."""
        if self.has_been_run and var in self._unread:
            connection, what, synapses = self._unread[var]
            if what == "delay":
                return np.zeros(int(synapses.variables["N"].get_value().item()), dtype=var.dtype)
            assert isinstance(connection, Connection)
            return connection.indices(what).astype(var.dtype)
        return super().get_value(var, access_data)

    def _settle_changes(self) -> None:
        """Tell loops over runs which lists change while a network runs."""
        written = self._written_in_runs & self.dynamic_arrays.keys()
        changing = {self.get_array_name(variable, access_data=False) for variable in written}
        for made in self.code_objects.values():
            if isinstance(made, DenseCodeObject):
                made.code.cpp_file = sources.say_whether(made.code.cpp_file, changing)

    def _settle_lists(self) -> None:
        """Decide which lists of counted indices and of zero delays are written: those that something reads, or all."""
        written = "".join(repr(args) for kind, args in self.main_queue if not kind.endswith("run_code_object"))
        queued = {p.synapse_sources for s in self.synapses for p in s._pathways if self._queues.get(p.name, True)}
        parts = ("cpp_file", "before_run_cpp_file", "after_run_cpp_file")
        for name, spared in self._spared.items():
            every = self.code_objects.values()
            makers = [c for c in every if c.template_name in MAKERS and c.owner.name == name]
            texts = [getattr(c.code, part, "") for c in every if c not in makers for part in parts]
            unread = []
            connection = self._connections[name]
            for variable, what in spared:
                array = self.get_array_name(variable, access_data=False)
                is_zero = what == "delay" and variable in self._delays  # setting it to zero needs no list
                if (
                    self.keep_indices
                    or (what != "delay" and not isinstance(connection, Connection))
                    or variable in queued
                    or (what == "delay" and not is_zero)
                    or (array in written and not is_zero)
                    or any(sources.mentions(text, array) for text in texts)
                ):
                    continue
                unread.append(array)
                self._unread[variable] = (connection, what, makers[0].owner)
            for maker in makers:
                maker.code.cpp_file = sources.settle(maker.code.cpp_file, unread)

    # -- writing the project ---------------------------------------------------------------------------
    def seed(self, seed: int | None = None) -> None:
        """Brian2's, for both generators."""
        super().seed(seed)
        self.insert_code("main", f"_dense_random::generator.seed({'' if seed is None else f'{int(seed)}ull'});")

    def generate_main_source(self, writer: Any) -> None:
        """Brian2's, without the operations that would push spikes into queues that are not there."""
        idle = re.compile(rf"\b_run_({'|'.join(self._nothing_to_push) or '(?!)'})\)")
        for kind, args in self.main_queue:
            if kind == "run_network":
                args[1][:] = [line for line in args[1] if not idle.search(line)]
        super().generate_main_source(writer)

    def generate_codeobj_source(self, writer: Any) -> None:
        """Brian2's, once it is known what is read."""
        self._settle_changes()
        self._settle_lists()
        super().generate_codeobj_source(writer)

    def copy_source_files(self, writer: Any, directory: str) -> None:
        """Brian2's; what comes after are sources of the user's."""
        super().copy_source_files(writer, directory)
        self._generated = set(writer.source_files)

    def generate_makefile(
        self, writer: Any, compiler: str, compiler_flags: str, linker_flags: str, **how: Any
    ) -> None:
        """Brian2's, for a few files instead of one an operation; denormals are off where arithmetic is not strict."""
        for header in sources.HEADERS.iterdir():
            writer.write(header.name, header.read_text())
        linked: set[str] = set()
        if compiler != "msvc":
            if "-ffast-math" in compiler_flags.split() and "-ffast-math" not in linker_flags.split():
                linker_flags += " -ffast-math"
            writer.source_files, linked = self._units(writer)
            self._included = self._generated - writer.source_files
            writer.source_files |= linked
        super().generate_makefile(writer, compiler, compiler_flags, linker_flags, **how)
        writer.source_files -= linked  # what is listed there was written by the device, and goes when asked to

    def _units(self, writer: Any) -> tuple[set[str], set[str]]:
        """Write the files that include others; returns all that are left to compile, and what is linked as it is."""
        folder = Path(writer.project_dir)
        joined, apart = dict[str, int](), {sources.ARRAYS}
        for name, code in self.code_objects.items():
            blocks = ("", *(f"{block}_" for block in code.before_after_blocks))
            files = {f"code_objects/{block}{name}.cpp" for block in blocks}
            if not isinstance(code, DenseCodeObject) or code.apart:
                apart |= files
            else:
                joined |= {file: (folder / file).stat().st_size for file in files}
        if not sources.standard(self.headers + prefs.codegen.cpp.headers):
            # headers of a user that all operations include, and these two
            apart |= {*joined, "main.cpp", "run.cpp"}
            joined.clear()
        texts, linked = sources.foreign(folder, writer.source_files - self._generated)
        texts |= sources.join(joined, self._generated - {*joined, *apart})
        for file, text in texts.items():
            writer.write(file, text)
        return {*texts, *apart}, set(linked)

    def delete(self, code: bool = True, data: bool = True, *args: Any, **arguments: Any) -> None:
        """Brian2's; files that others include go with them, and sources of the user's stay."""
        if data and self.project_dir is not None and self.results_dir is not None:
            (Path(self.project_dir) / self.results_dir / RUN_INFO).unlink(missing_ok=True)
        if code and self.project_dir is not None and self.writer is not None:
            folder = Path(self.project_dir)
            for file in self._included:
                (folder / file).unlink(missing_ok=True)
            for file in self.writer.source_files:
                (folder / file).with_suffix(".d").unlink(missing_ok=True)
        super().delete(code, data, *args, **arguments)


def _together(before: Connection | Runs | str, more: Connection | Runs | str) -> Runs | str:
    """What several calls of ``connect`` make: lists with runs, unless one of them has none."""
    known = [Runs(made.n_synapses, made.n_rows) if isinstance(made, Connection) else made for made in (before, more)]
    first, second = known
    if isinstance(first, Runs) and isinstance(second, Runs):
        return first.and_more(second)
    return f"it is connected more than once, and {first if isinstance(first, str) else second}"


all_devices[NAME] = DenseDevice()
