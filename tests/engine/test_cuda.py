"""The CUDA device: its sources, and, where nvcc is, that they compile and link. No GPU is needed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from brian2 import Network, get_device, prefs
from numpy.typing import NDArray

from hebbarium.engine import anatomy, cuda
from hebbarium.engine.anatomy import initial_state
from hebbarium.engine.contract import Block, Structure
from hebbarium.engine.cuda import CudaProgram
from hebbarium.files.errors import BlockFailed, ModelRefused
from hebbarium.models.contract import Arrays
from hebbarium.models.synaptic_scaling import SynapticScaling
from tests.models.small_networks import CAPACITY, EVERYONE, images, run_images, small_model

SPECIAL_NAMES = {"rates": "rates_values", "plastic.w": "_dynamic_array_plastic_w"}
BUILDABLE, WHY = cuda.available()
needs_nvcc = pytest.mark.skipif(not BUILDABLE, reason=WHY)


class Uncompiled(CudaProgram):
    """Generates into a folder of its own and stops there."""

    def __init__(self, structure: Structure, folder: Path) -> None:
        self.structure, self.path, self.scratch = structure, folder, folder
        self.generate(folder)


def structure(model: SynapticScaling, phase: str = "train", precision: str = "float64") -> Structure:
    return Structure(model, phase, precision, "cuda", CAPACITY, EVERYONE)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cuda")
    Uncompiled(structure(small_model()), folder)
    return folder


@needs_nvcc
def test_every_array_of_a_block_reaches_the_gpu_and_comes_back(sources: Path) -> None:
    main = (sources / "main.cu").read_text()
    model = small_model()
    read = re.findall(r'block_inputs\.copy\("([^"]+)"', main)
    written = re.findall(r'block_results\.array\("([^"]+)"', main)
    state = [v.name for v in anatomy.state(model, "train")]
    assert set(state) <= set(read)
    assert set(state) | {f"{p}_spikes.{v}" for p in EVERYONE for v in "it"} <= set(written)
    to_device, _, from_device = main.partition("network.run(")
    for name in [*state, "rates"]:
        array = SPECIAL_NAMES.get(name, "_array_" + name.replace(".", "_"))
        copies = rf"(cudaMemcpy\(dev{array}, {array}, .*HostToDevice|dev{array} = {array};)"
        returns = rf"(cudaMemcpy\({array}, dev{array}, .*DeviceToHost|{array} = dev{array};)"
        assert re.search(copies, to_device), f"{name} is not copied to the GPU"
        assert name == "rates" or re.search(returns, from_device), f"{name} is not copied back"
    assert to_device.index("random_number_buffer.set_seed(block_inputs") > to_device.index("synapses_create")


@needs_nvcc
def test_a_run_ends_at_the_blocks_own_last_step(sources: Path) -> None:
    assert re.search(r"network\w*\.run\(block_steps\*0\.001,", (sources / "main.cu").read_text())


@needs_nvcc
def test_what_many_synapses_add_is_added_atomically(sources: Path) -> None:
    sums = {"plastic_transmit": "g_e", "plastic_add_to_norm": "norm_sum", "to_hub_pre": "n_spikes"}
    for pathway, variable in (sums | {"spare_pre": "g_i"}).items():
        code = (sources / "code_objects" / f"{pathway}_codeobject.cu").read_text()
        assert re.search(rf"_brian_atomicAdd\(&_ptr_array_\w+_{variable}\[", code), f"no atomics: {pathway}"


@needs_nvcc
def test_pathways_look_at_the_clock_of_the_network(sources: Path) -> None:
    for source in (sources / "code_objects").glob("*.cu"):
        assert "defaultclock.timestep" not in source.read_text(), source.name


@needs_nvcc
@pytest.mark.parametrize("phase", ["respond", "test"])
def test_other_phases_and_single_precision_generate(phase: str, tmp_path: Path) -> None:
    Uncompiled(structure(small_model(theta_in_test="frozen"), phase, "float32"), tmp_path)
    main = (tmp_path / "main.cu").read_text()
    assert re.search(r'block_inputs\.copy\("plastic\.w", "<f4"', main)
    assert re.search(r'block_inputs\.copy\("excitatory\.theta", "<f8"', main)


@needs_nvcc
def test_brian2_is_left_as_it_was_found(tmp_path: Path) -> None:
    before = {key: prefs[key] for key in prefs if not key.startswith("logging")}, type(get_device())
    Uncompiled(structure(small_model()), tmp_path)
    assert ({key: prefs[key] for key in prefs if not key.startswith("logging")}, type(get_device())) == before


class Racing(SynapticScaling):
    """Normalises by `run_regularly` on synapses: correct on one core, a race on a GPU."""

    def build(self, phase: str, inputs: Arrays) -> Network:
        network = super().build(phase, inputs)
        network["plastic"].run_regularly("norm_sum_post += w*w", name="racing")
        return network


@needs_nvcc
def test_races_are_refused(tmp_path: Path) -> None:
    model = Racing(pixels=64, neurons=8)
    with pytest.raises(ModelRefused, match=r"on a GPU these race(.|\n)*racing: 'norm_sum_post \+= w \* w'"):
        Uncompiled(structure(model), tmp_path)


@needs_nvcc
@pytest.mark.skipif(cuda.gpu_present(), reason="there is a GPU")
def test_without_a_gpu_a_block_fails_for_that_reason(tmp_path: Path) -> None:
    model = small_model()
    program = Uncompiled(structure(model), tmp_path)
    (tmp_path / "main").write_text("#!/bin/sh\necho cudaSetDevice failed >&2\nexit 255\n")
    (tmp_path / "main").chmod(0o755)
    state = initial_state(model, "train", model.initial_state(np.random.default_rng(3)))
    with pytest.raises(BlockFailed, match="there is no GPU to run it on"):
        program.run(Block(state, model.encode(images()), model.run_time_values(), 5))


@pytest.fixture(scope="module")
def joined(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("joined") / "program"
    shutil.copytree(sources, folder)
    cuda.join_operations(folder)
    return folder


@needs_nvcc
def test_what_other_files_use_of_an_operation_stands_outside_its_namespace(joined: Path) -> None:
    text = (joined / "operations.cu").read_text()
    kernels = 0
    for header in (joined / "code_objects").glob("*.h"):
        defined = header.with_suffix(".cu").read_text()
        for kernel, name in re.findall(r"^(__global__ )?void (\w+)\(", header.read_text(), re.MULTILINE):
            kernels += bool(kernel)
            started = rf"^\}}\n__global__ void\s{name}\("
            called = rf"^void {name}\(\) \{{ operation_\d+::{name}\(\); \}}$"
            outside = started if kernel else called
            assert bool(re.search(outside, text, re.MULTILINE)) == bool(re.search(rf"\b{name}\(", defined)), name
    assert kernels > 3
    makefile = (joined / "makefile").read_text()
    assert re.search(r"^SRCS = operations\.cu main\.cu ", makefile, re.MULTILINE)


@needs_nvcc
@pytest.mark.parametrize(
    "source", [pytest.param("main", marks=pytest.mark.slow), pytest.param("operations", marks=pytest.mark.long)]
)
def test_sources_compile(source: str, joined: Path) -> None:
    """The block protocol and all operations; the whole program takes minutes and is a test marked long."""
    made = subprocess.run(["make", f"{source}.o"], cwd=joined, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr[-3000:]


@pytest.mark.long
@needs_nvcc
def test_the_whole_program_compiles_links_and_runs_where_it_can(tmp_path: Path) -> None:
    model = small_model()
    program = CudaProgram(structure(model), tmp_path)
    assert (program.path / "main").stat().st_size > 10_000
    linked = subprocess.run(["ldd", str(program.path / "main")], capture_output=True, text=True, check=True)
    assert "not found" not in linked.stdout
    if not cuda.gpu_present():
        pytest.skip("compiled and linked; no GPU to run it on")
    state = initial_state(model, "train", model.initial_state(np.random.default_rng(3)))
    on_gpu = program.run(Block(state, model.encode(images()), model.run_time_values(), 5))
    on_cpu = run_images(model, "cpp", tmp_path)

    def norms(w: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.sqrt((w.reshape(model.pixels, model.neurons) ** 2).sum(axis=0)))

    # other random streams: what is summed over all agrees within chance
    for population in EVERYONE:
        here, there = len(on_gpu.spikes[population].step), len(on_cpu.spikes[population].step)
        assert abs(here - there) < 6 * np.sqrt(here + there), population
    np.testing.assert_allclose(norms(on_gpu.state["plastic.w"]), norms(on_cpu.state["plastic.w"]), rtol=0.1)
