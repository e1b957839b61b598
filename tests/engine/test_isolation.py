"""What the engine does with Brian2 leaves no trace in it, and threads do not disturb one another."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import NeuronGroup, defaultclock, get_device, ms, prefs, seed

from hebbarium.engine import cache, dense, isolation
from hebbarium.engine.contract import Structure
from hebbarium.engine.isolation import devices
from hebbarium.models.contract import Model
from hebbarium.models.symmetric_stdp import SymmetricSTDP
from hebbarium.models.synaptic_scaling import SynapticScaling
from hebbarium.training.run_settings import RunSettings
from hebbarium.training.training import train
from tests.engine.equal_runs import assert_same_bits

ROOT = Path(__file__).parents[2]
# A user's script: its first half, something of ours, its second half.
SCRIPT = """
import sys
import dense_pathways
import numpy as np
from brian2 import *
from brian2.devices.device import reset_device
set_device("cpp_standalone")
set_device(sys.argv[1], build_on_run=False)
prefs.codegen.cpp.extra_compile_args_gcc = ["-w", "-O1", "-std=c++11"]
prefs.core.default_float_dtype = float32
defaultclock.dt = 0.2*ms
seed(11)
np.random.seed(5)
group = NeuronGroup(5, "dv/dt = -v/(10*ms) : 1", threshold="v > 1", reset="v = 0", name="excitatory")
group.v = "rand()"
network = Network(group)
network.run(2*ms)
device.insert_code("main", "// between two runs")
if sys.argv[3] != "nothing":
    import dataclasses
    from hebbarium.engine import dense
    from hebbarium.engine.contract import Structure
    from hebbarium.models.synaptic_scaling import SynapticScaling
    class Failing(SynapticScaling):
        def build(self, *arguments):
            self.left_over = super().build(*arguments)
            raise ValueError("in the middle")
    kind = Failing if sys.argv[3] == "failure" else SynapticScaling
    model = kind(neurons=3, pixels=16)
    try:
        for name in ("cpp", "dense"):
            made = dense.generated(Structure(model, "train", "float64", "dense", 2))
    except ValueError as error:
        assert "in the middle" in str(error)
    else:
        assert sys.argv[3] == "work"
        from hebbarium.catalogue import description
        description.describe(model, "text", "test")  # which runs in Brian2's runtime
weights = np.random.rand(25)
others = NeuronGroup(2, "x : 1")
synapses = Synapses(group, group, "w : 1", on_pre="v_post += w")
synapses.connect()
synapses.w = weights
spikes = SpikeMonitor(group)
network.add(synapses, spikes, others)
network.run(3*ms)
device.build(directory=sys.argv[2], compile=False, run=False)
reset_device()
assert get_device().__class__.__name__ == "CPPStandaloneDevice", get_device()
"""


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a project, without the folder's own name."""
    return {
        str(file.relative_to(folder)): file.read_bytes().replace(str(folder).encode(), b".")
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def drawn() -> Any:
    """Where NumPy's global generator, which Brian2 draws from, stands."""
    return devices.all_devices["runtime"].get_random_state()["numpy_state"][1]


@pytest.mark.long
@pytest.mark.parametrize("device", ["cpp_standalone", "cpp_dense"])
def test_a_users_script_is_built_as_if_nothing_had_been_in_its_middle(device: str, tmp_path: Path) -> None:
    built = {}
    for middle in ("nothing", "work", "failure"):
        command = [sys.executable, "-c", SCRIPT, device, str(tmp_path / middle), middle]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        built[middle] = contents(tmp_path / middle)
    assert "between two runs" in built["nothing"]["main.cpp"].decode()
    assert built["work"] == built["nothing"]
    assert built["failure"] == built["nothing"]


def test_training_leaves_brian2_as_it_was(small: RunSettings, uninterrupted: Path, tmp_path: Path) -> None:
    with isolation.active("cpp_standalone", build_on_run=False):  # so that other tests see none of this
        defaultclock.dt = 0.3 * ms
        prefs.codegen.runtime.cython.multiprocess_safe = False  # of no consequence to compiled programs
        group = NeuronGroup(3, "v : 1", name="excitatory")
        standalone = get_device()
        queue, preferences = list(standalone.main_queue), isolation.preferences()
        numbers, stack = drawn(), list(devices.previous_devices)
        train(dataclasses.replace(small, images=50), tmp_path / "run")
        assert get_device() is standalone
        assert standalone.main_queue == queue
        assert standalone.build_on_run is False
        assert isolation.preferences() == preferences
        assert float(defaultclock.dt / ms) == pytest.approx(0.3)
        assert devices.previous_devices == stack
        np.testing.assert_array_equal(drawn(), numbers)
        assert NeuronGroup(1, "v : 1").name == "neurongroup"
        assert group.name == "excitatory"


def test_random_numbers_drawn_ahead_stay_the_users() -> None:
    runtime = devices.all_devices["runtime"]
    with isolation.active("runtime"):
        seed(3)
        runtime.rand_buffer_index[:] = 7
        pointer = int(runtime.rand_buffer[0])
        expected = drawn()
        with isolation.active("runtime"):
            seed(4)
            runtime.rand_buffer_index[:] = 0
        assert int(runtime.rand_buffer_index[0]) == 7
        assert int(runtime.rand_buffer[0]) == pointer
        np.testing.assert_array_equal(drawn(), expected)
        runtime.rand_buffer_index[:] = 0


def test_a_program_depends_on_no_other_object_of_the_process(tmp_path: Path) -> None:
    structure = Structure(SynapticScaling(neurons=3, pixels=16), "test", "float32", "dense", 2)
    written = []
    for others in ([], ["excitatory", "input", "network", "excitatory_stateupdater"]):
        kept = [NeuronGroup(1, "v : 1", name=name) for name in others]
        made = dense.DenseProgram.__new__(dense.DenseProgram)
        made.structure = structure
        folder = tmp_path / str(len(kept))
        folder.mkdir()
        made.generate(folder)
        written.append(contents(folder))
    assert written[0] == written[1]


def test_other_preferences_are_another_recipe() -> None:
    with isolation.active("runtime"):
        before = cache.recipe_key(SynapticScaling, ROOT / "engine", {})
        prefs.codegen.cpp.extra_compile_args_gcc = ["-O0"]
        assert cache.recipe_key(SynapticScaling, ROOT / "engine", {}) != before


@pytest.mark.long
def test_threads_take_turns_at_building() -> None:
    models: list[Model] = [SynapticScaling(neurons=3, pixels=16), SymmetricSTDP(neurons=3, pixels=16)]
    structures = [Structure(model, "train", kind, "dense", 2) for model in models for kind in ("float32", "float64")]
    alone = [dense.generated(structure) for structure in structures]
    before = dict(os.environ)
    with ThreadPoolExecutor(len(structures)) as pool:
        assert list(pool.map(dense.generated, structures)) == alone
    assert get_device() is devices.all_devices["runtime"]
    assert dict(os.environ) == before


@pytest.mark.long
@pytest.mark.parametrize("device", ["dense", "numpy"])
def test_two_trainings_in_two_threads(small: RunSettings, uninterrupted: Path, tmp_path: Path, device: str) -> None:
    sizes: dict[str, Any] = {"images": 100} if device == "dense" else {"images": 4, "block": 2, "test_images": 2}
    asked = [dataclasses.replace(small, device=device, seed=k, labels_from="all", **sizes) for k in (3, 4)]
    alone = [train(one, tmp_path / f"alone{k}") for k, one in enumerate(asked)]
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(train, asked, [tmp_path / f"thread{k}" for k in range(2)]))
    for one, other in zip(alone, both, strict=True):
        assert_same_bits(one, other)
