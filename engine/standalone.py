"""C++ standalone: one compiled program a structure, fed block by block.

What is taken from Brian2's private parts is here and in `hebbarium.engine.cuda`: the main queue of the device (to read
a block's inputs before the run, write its results after it, and end at the block's own last step) and the names of
the arrays in the generated code.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from brian2 import Network, device, get_device, prefs, second
from brian2.core.variables import ArrayVariable, DynamicArrayVariable
from numpy.typing import NDArray

from hebbarium.engine import (
    anatomy,
    block_file,
    cache,
    compiler,
    faithfulness,
    inspection,
    interruption,
    isolation,
    monitors,
    readers,
    recorders,
)
from hebbarium.engine.anatomy import relative
from hebbarium.engine.contract import Arrays, Block, BlockResult, Spikes, Structure
from hebbarium.files import whole_files
from hebbarium.files.errors import BlockFailed, BuildFailed

DEVICE = "cpp"
_HERE = Path(__file__).parent
_PROFILE = "profile."  # before the names of operations among a block's results


@contextmanager
def standalone_device(name: str, precision: str, **options: Any) -> Iterator[None]:
    """Generate code with a fresh standalone device and leave Brian2, its preferences included, as it was found."""
    with isolation.active(name, build_on_run=False, **options):
        prefs.core.default_float_dtype = np.dtype(precision).type
        yield


def array_type(variable: ArrayVariable) -> str:
    """NumPy's notation of a variable's type, as block files hold it."""
    return str(np.dtype(variable.dtype).newbyteorder("<").str)


def blank_inputs(structure: Structure, pixels: int) -> Arrays:
    """Inputs of the right shape for code generation: their values come at run time."""
    one = structure.model.blank(structure.phase, pixels)
    blank = {k: np.zeros((structure.capacity, *v.shape[1:])) for k, v in one.items()}
    return structure.slots.arranged(blank, structure.capacity)


class StandaloneProgram:
    """A compiled program and how to run a block with it.

    Parameters
    ----------
    structure : Structure
    scratch : Path
        Folder for the private files of blocks.
    """

    brian_device = "cpp_standalone"
    device_options: Mapping[str, Any] = {}
    seed_function = "_random_generators[0].seed"
    #: what the program is started by: nothing, or a program that watches it
    launcher: tuple[str, ...] = ()

    def __init__(self, structure: Structure, scratch: Path) -> None:
        self.structure = structure
        self.scratch = scratch
        self.path = self._fetch()

    # -- building --------------------------------------------------------------------------------------
    def _fetch(self) -> Path:
        s = self.structure
        description = {
            "model": s.model.name,
            "phase": s.phase,
            "precision": s.precision,
            "device": s.device,
            "capacity": s.capacity,
            "record": list(s.record),
            "structure": s.model.structure_key(),
            **({"profile": True} if s.profile else {}),
            **({"readers": [m.key for m in readers.of(s)]} if readers.of(s) else {}),
            **({"recorded": [[r.variable, *r.elements] for r in s.recorded]} if s.recorded else {}),
            **self.toolchain(),
        }
        recipe = cache.recipe_key(s.model.written_as, _HERE, description)
        return cache.fetch(recipe, description, self.generate, self.compile)

    def toolchain(self) -> dict[str, Any]:
        """What the program depends on besides the C++ compiler: part of the cache's key."""
        return {}

    def generate(self, folder: Path) -> None:
        """Write the program's sources into a folder."""
        s, known = self.structure, anatomy.shape(self.structure.model, self.structure.phase)
        blank = blank_inputs(s, known.populations.get("input", 0) // s.slots.beside)
        with standalone_device(self.brian_device, s.precision, **self.device_options), compiler.for_brian2():
            self.set_preferences()
            network = s.model.build(s.phase, blank)
            monitors.add(network, s)
            self.check(network)
            readers.add(network, s, known.time_step)
            recorders.add(network, s)
            variables = dict(inspection.arrays(network))
            state = {v.name: variables[v.name] for v in known.state}
            self.leave_to_blocks(state)
            own = {*s.model.run_time_values(), *((recorders.FROM, recorders.UNTIL) if s.recorded else ())}
            values = inspection.run_time_variables(network, own)
            device.insert_code("before_start", "block_io::die_with_parent();")
            place = len(device.main_queue)
            network.run(s.steps(s.capacity) * known.time_step * second, profile=s.profile)
            # arrays that no code reads, such as which places are occupied, are in no program
            inputs = [name for name in blank if any(name in code.variables for code in device.code_objects.values())]
            before = self.reading(state, {full: variables[full] for full in values}, inputs)
            device.main_queue.insert(place, ("insert_code", before))
            self.end_at_last_step(network)
            device.insert_code("main", self.writing(network, state))
            device.build(directory=str(folder), compile=False, run=False, with_output=False)
            self.include_block_io(folder)
        self.leave_out(folder, inputs)

    def set_preferences(self) -> None:
        """Flags of this device, as far as the compiler knows them.

        Brian2 would ask the compiler that Python was built with, and leave out what that one refuses.
        """
        cpp = prefs.codegen.cpp
        wanted = cpp.extra_compile_args_gcc if cpp.extra_compile_args is None else cpp.extra_compile_args
        get_device().extra_compile_args = compiler.chosen().accepted(list(wanted))
        cpp.extra_compile_args = []
        # At link time this sets flush-to-zero: denormal conductances and traces cost a third of a float32 run.
        prefs.codegen.cpp.extra_link_args = [*prefs.codegen.cpp.extra_link_args, "-ffast-math"]

    def check(self, network: Network) -> None:
        """Refuse what this device cannot run faithfully."""
        faithfulness.refuse_unfaithful(network, self.structure)

    @staticmethod
    def leave_to_blocks(state: dict[str, ArrayVariable]) -> None:
        """Leave out what `build` sets state to: a block brings its own, and programs do not depend on such values."""
        # that there are delays is compiled in
        brought = [variable for name, variable in state.items() if not name.endswith(".delay")]
        names = {device.get_array_name(v, access_data=access) for v in brought for access in (False, True)}
        kinds = ("set_by_constant", "set_by_single_value")
        device.main_queue[:] = [
            (kind, args) for kind, args in device.main_queue if kind not in kinds or args[0] not in names
        ]

    def reading(
        self, state: dict[str, ArrayVariable], values: dict[str, ArrayVariable], inputs: list[str]
    ) -> str:
        """C++ that reads a block: state, run-time values, inputs, seed and number of steps."""
        lines = [
            "block_io::Inputs block_inputs(block_io::folder());",
            f'{self.seed_function}(block_inputs.scalar<uint32_t>("seed", "<u4"));',
            'const int64_t block_steps = block_inputs.scalar<int64_t>("steps", "<i8");',
        ]
        for name, variable in {**state, **values}.items():
            data, size = self.storage(variable)
            lines.append(f'block_inputs.copy("{name}", "{array_type(variable)}", {data}, {size}, false);')
        for name in inputs:
            array = self.timed_array(name)
            lines.append(f'block_inputs.copy_numbers("{name}", "{self.input_type}", {array}, _num_{array});')
        return "\n".join([*lines, "block_inputs.expect_all_used();"])

    @property
    def input_type(self) -> str:
        """How numbers of a block's inputs travel."""
        return "<f4" if self.structure.precision == "float32" else "<f8"

    @staticmethod
    def timed_array(name: str) -> str:
        """The C++ name of a TimedArray's values."""
        return f"{name}_values"

    @staticmethod
    def storage(variable: ArrayVariable) -> tuple[str, str]:
        """C++ expressions for a variable's data and its size in bytes."""
        name = device.get_array_name(variable, access_data=False)
        if isinstance(variable, DynamicArrayVariable):
            return f"{name}.data()", f"{name}.size()*sizeof({name}[0])"
        return name, f"_num_{name}*sizeof({name}[0])"

    def end_at_last_step(self, network: Network) -> None:
        """Let the run last as long as the block, not as long as the capacity that was compiled in."""
        dt = anatomy.time_step(self.structure.model)
        changed = 0
        for kind, args in device.main_queue:
            if kind == "run_network" and args[0] is network:
                for k, line in enumerate(args[1]):
                    new, n = re.subn(
                        rf"^{network.name}\.run\([^,]+,", f"{network.name}.run(block_steps*{dt!r},", line
                    )
                    args[1][k] = new
                    changed += n
        if changed != 1:
            raise BuildFailed(
                "Brian2's generated main program has an unexpected form; is its version supported (2.10, 2.11)?"
            )

    def writing(self, network: Network, state: dict[str, ArrayVariable]) -> str:
        """C++ that writes a block's results and ends the program, before Brian2 writes all its arrays."""
        entries = []
        for name, variable in state.items():
            entries.append((name, array_type(variable), *self.storage(variable)))
        for population in self.structure.populations:
            monitor = network[monitors.name(population)]
            for short in ("i", "t"):
                variable = monitor.variables[short]
                entries.append((f"{monitor.name}.{short}", array_type(variable), *self.storage(variable)))
        for name, variable in self.read_variables(network).items():
            entries.append((name, array_type(variable), *self.storage(variable)))
        for name, kind, expression, size in (
            ("completed", "<f8", "&Network::_last_run_completed_fraction", 8),
            ("run_seconds", "<f8", "&Network::_last_run_time", 8),
            ("inputs_crc", "<u4", "&block_inputs.crc", 4),
        ):
            entries.append((name, kind, expression, str(size)))
        for name in device.profiled_codeobjects if self.structure.profile else ():
            entries.append((f"{_PROFILE}{name}", "<i8", f"&{name}_profiling_info", "8"))
        lines = [f"block_io::Results block_results(block_io::folder(), {len(entries)});"]
        lines += [f'block_results.array("{n}", "{k}", {data}, {size});' for n, k, data, size in entries]
        return "\n".join([*lines, "block_results.finish();", "return 0;"])

    def read_variables(self, network: Network) -> dict[str, ArrayVariable]:
        """Variables of the monitors of readers and recorders, by the names that results hold them under."""
        s = self.structure
        names = [*map(readers.name_of, readers.of(s)), *(recorders.name_of(s, recorded) for recorded in s.recorded)]
        return {f"{name}.{short}": network[name].variables[short] for name in names for short in readers.KEPT}

    main_source = "main.cpp"

    def include_block_io(self, folder: Path) -> None:
        """Put the block header beside the main program."""
        shutil.copy(_HERE / "block_io.h", folder / "block_io.h")
        main = folder / self.main_source
        main.write_text('#include "block_io.h"\n' + main.read_text())

    def leave_out(self, folder: Path, inputs: list[str]) -> None:
        """Do not load the blank inputs that code was generated with: a block brings its own."""
        objects = folder / "objects.cpp"
        text = objects.read_text()
        for name in inputs:
            array = self.timed_array(name)
            text, found = re.subn(
                rf"ifstream f{array};.*?\}} else\s*\{{.*?\}}", "", text, count=1, flags=re.DOTALL
            )
            if found != 1:
                raise BuildFailed(
                    f"the generated program does not load '{array}' as expected; is Brian2's version 2.10 or 2.11?"
                )
            (folder / "static_arrays" / array).unlink()
        objects.write_text(text)

    def compile(self, folder: Path) -> None:
        """Run make; two jobs, since Brian2 writes one file an operation.

        Most of a compilation is reading the same headers some sixty times: they are compiled once. Nor are the
        dependencies of files worked out that will never be edited.
        """
        makefile = folder / "makefile"
        text = makefile.read_text().replace("CXXFLAGS = -c", "CXXFLAGS = -include objects.h -c", 1)
        makefile.write_text(
            text
            + "\n\n$(OBJS): objects.h.gch\nobjects.h.gch: objects.h\n"
            + "\t$(CXX) -Wno-write-strings $(OPTIMISATIONS) -I. -x c++-header objects.h -o $@\n"
        )
        (folder / "make.deps").touch()
        run_make(folder, ["make", "-j2", compiler.chosen().assignment()])
        (folder / "objects.h.gch").unlink()

    # -- running ---------------------------------------------------------------------------------------
    def run(self, block: Block) -> BlockResult:
        """Run one block in a process of its own. Raises `BlockFailed`, `Stopped`."""
        started = time.perf_counter()
        s = self.structure
        if not 0 < block.samples <= s.capacity:
            raise ValueError(f"a block of {block.samples} samples, expected 1 to {s.capacity}")
        faithfulness.refuse_delays(s, block.state)
        self.scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            dir=self.scratch, prefix="block-", ignore_cleanup_errors=True
        ) as name:
            folder = Path(name)
            sent = block_file.pack(self._inputs(block))
            whole_files.write(folder / "inputs", sent, durable=False)
            self._launch(folder)
            results = block_file.read(folder / "results") if (folder / "results").exists() else None
            if results is None:
                raise BlockFailed(f"{self.path / 'main'}: ended without results{_tail(folder)}")
        if results["inputs_crc"].tobytes() != sent[-1]:
            raise BlockFailed("the compiled program read other inputs than it was given")
        if abs(results["completed"][0] - 1) > 1e-9:
            raise BlockFailed(
                f"the compiled program stopped after {results['completed'][0]:.1%} of its block"
            )
        return self._result(block, results, started)

    def _inputs(self, block: Block) -> Arrays:
        s = self.structure
        arrays: Arrays = {
            "seed": np.array([block.seed], "<u4"),
            "steps": np.array([s.steps(block.samples)], "<i8"),
        }
        inputs = s.slots.arranged(dict(block.inputs), block.samples)
        known, values = self.types(), {**block.values, **recorders.values(s, block)}
        elements = anatomy.shape(s.model, s.phase).elements
        for name, kind in known.items():
            if name in block.state:
                arrays[name] = block.state[name].astype(kind)
            elif name in inputs:
                arrays[name] = np.ascontiguousarray(inputs[name], kind)
            else:
                group, _, symbol = name.partition(".")
                value = values[symbol]
                each = inspection.spread(value, elements[group]) if np.ndim(value) else np.array([value])
                arrays[name] = each.astype(kind)
        return arrays

    def types(self) -> dict[str, str]:
        """Type of every array that the program reads, from its own source."""
        if not hasattr(self, "_types"):
            text = (self.path / self.main_source).read_text()
            self._types = dict(re.findall(r'block_inputs\.copy(?:_numbers)?\("([^"]+)", "([^"]+)"', text))
        return self._types

    def _launch(self, folder: Path) -> None:
        environment = os.environ | {
            "HEBBARIUM_BLOCK": str(folder.resolve()),
            "HEBBARIUM_PARENT": str(os.getpid()),
            "OMP_NUM_THREADS": "1",
            # large pages, where the system has them: columns of a large weight matrix lie on hundreds of small ones
            "GLIBC_TUNABLES": os.environ.get("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1"),
        }
        with open(folder / "stdout", "wb") as out, open(folder / "stderr", "wb") as err:
            try:
                child = subprocess.Popen(
                    [*self.launcher, str(self.path / "main")],
                    cwd=self.path,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    start_new_session=True,
                )
            except PermissionError as error:
                raise BlockFailed(
                    f"{self.path / 'main'}: may not be executed ({error.strerror}); if its disk is mounted with noexec,"
                    f" set {cache.VARIABLE} to a folder on another one"
                ) from error
            except OSError as error:
                raise BlockFailed(f"{self.path / 'main'}: cannot be started ({error})") from error
            code = interruption.wait(child)
        if code != 0:
            how = (
                f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
            )
            raise BlockFailed(f"the compiled program {how}{_tail(folder)}")

    def _result(self, block: Block, results: dict[str, NDArray[Any]], started: float) -> BlockResult:
        s = self.structure
        dt = anatomy.time_step(s.model)
        length = s.steps(block.samples) * dt
        spikes = {}
        for population in s.populations:
            steps = np.rint(results[f"{monitors.name(population)}.t"] / dt).astype(np.int64)
            spikes[population] = Spikes(steps, results[f"{monitors.name(population)}.i"])
        ended = s.ended(spikes, block.samples)
        values = {}
        for measure in readers.of(s):
            kept = _kept(results, readers.name_of(measure))
            values[measure.key] = readers.read(measure.key, kept, s.slots.presentations(block.samples))
        courses = {
            recorded: recorders.read(recorded, _kept(results, recorders.name_of(s, recorded)), block)
            for recorded in s.recorded
        }
        state: Arrays = {}
        for variable in anatomy.state(s.model, s.phase):
            array = results[variable.name]
            if array.size != block.state[variable.name].size:
                raise BlockFailed(
                    f"{variable.name}: {array.size} values came back, expected {block.state[variable.name].size}"
                )
            state[variable.name] = relative(variable, array, length, len(ended))
        profile = {
            name.removeprefix(_PROFILE).replace("_codeobject", ""): 1e-9 * float(nanoseconds[0])
            for name, nanoseconds in results.items()
            if name.startswith(_PROFILE)
        }
        wall = time.perf_counter() - started
        return BlockResult(state, spikes, ended, float(results["run_seconds"][0]), wall, profile, values, courses)


def _kept(results: Mapping[str, NDArray[Any]], monitor: str) -> Arrays:
    """What a reader's or recorder's monitor has kept."""
    return {short: results[f"{monitor}.{short}"] for short in readers.KEPT}


def run_make(folder: Path, command: list[str]) -> None:
    """Compile; the whole output goes into build.log, its end into the error."""
    log = folder / "build.log"
    with open(log, "wb") as out:
        try:
            child = interruption.start_family(
                command, cwd=folder, env=compiler.for_make(), stdout=out, stderr=subprocess.STDOUT
            )
        except OSError as error:
            raise BuildFailed(
                f"'{command[0]}' cannot be started ({error}); install it (Debian: apt install {command[0]})"
            ) from error
        code = interruption.wait(child)
    if code != 0:
        tail = "\n".join(log.read_text(errors="replace").split("\n")[-30:])
        raise BuildFailed(f"'{' '.join(command)}' failed with exit code {code}:\n{tail}")
    for unneeded in (*folder.rglob("*.o"), *folder.rglob("*.d")):
        unneeded.unlink()
    log.unlink()


def _tail(folder: Path) -> str:
    text = (folder / "stderr").read_text(errors="replace").strip() if (folder / "stderr").exists() else ""
    return f"; it said:\n{text[-2000:]}" if text else ""
