"""CUDA standalone by brian2cuda: generated, compiled and linked anywhere with nvcc; run where there is a GPU."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from brian2 import Network, device, prefs
from brian2.core.variables import ArrayVariable, DynamicArrayVariable

from engine import inspection
from engine.errors import BuildFailed, ModelRefused
from engine.standalone import StandaloneProgram, run_make

DEVICE = "cuda"


def available() -> tuple[bool, str]:
    """Whether a CUDA program could be built here, and whether it could run, in words."""
    try:
        import brian2cuda  # noqa: F401
    except ImportError as error:
        return False, f"brian2cuda is not installed (pip install 'hebbarium[cuda]'): {error}"
    if shutil.which("nvcc") is None:
        return False, "nvcc is not on the path: install the CUDA toolkit"
    return True, "ready to run" if gpu_present() else "builds, but there is no GPU to run on"


def gpu_present() -> bool:
    """Whether the driver lists a GPU."""
    if shutil.which("nvidia-smi") is None:
        return False
    listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    return listed.returncode == 0 and "GPU" in listed.stdout


class CudaProgram(StandaloneProgram):
    """The same block protocol on a GPU: arrays are read on the host and copied over."""

    brian_device = "cuda_standalone"
    main_source = "main.cu"

    def set_preferences(self) -> None:
        """Flags that let nvcc 13 compile without a GPU in sight."""
        buildable, why = available()
        if not buildable:
            raise BuildFailed(f"device cuda: {why}")
        backend = prefs.devices.cuda_standalone.cuda_backend
        if not gpu_present():
            backend.detect_gpus, backend.gpu_id, backend.compute_capability = False, 0, 9.0
        if "-std=c++17" not in backend.extra_compile_args_nvcc:
            backend.extra_compile_args_nvcc += ["-std=c++17"]
        prefs.codegen.cpp.extra_compile_args_gcc = [
            a.replace("c++11", "c++17") for a in prefs.codegen.cpp.extra_compile_args_gcc
        ]

    def check(self, network: Network) -> None:
        """Refuse races as well: they compile, link and run, and give wrong numbers."""
        super().check(network)
        found = inspection.races(network)
        if found:
            raise ModelRefused(
                f"model {self.structure.model.name}: on a GPU these race, so that results would be wrong:\n  "
                + "\n  ".join(found)
            )

    def reading(self, state: dict[str, ArrayVariable], values: dict[str, ArrayVariable], inputs: list[str]) -> str:
        """As for C++, then copied to the device; the generator's seed goes to cuRAND."""
        lines = super().reading(state, values, inputs).replace(
            "_random_generators[0].seed(", "random_number_buffer.set_seed("
        ).split("\n")
        for variable in [*state.values(), *values.values()]:
            name = device.get_array_name(variable, access_data=False)
            if isinstance(variable, DynamicArrayVariable):
                lines.append(f"dev{name} = {name};")
            else:
                lines.append(f"CUDA_SAFE_CALL(cudaMemcpy(dev{name}, {name}, _num_{name}*sizeof({name}[0]), cudaMemcpyHostToDevice));")
        for name in inputs:
            array = self.timed_array(name)
            lines.append(
                f"CUDA_SAFE_CALL(cudaMemcpy(d{array}, {array}, _num_{array}*sizeof(double), cudaMemcpyHostToDevice));"
            )
        return "\n".join(lines)

    def writing(self, network: Network, state: dict[str, ArrayVariable]) -> str:
        """As for C++, after copying back."""
        lines = []
        monitored = [
            network[f"{p}_spikes"].variables[short] for p in self.structure.populations for short in ("i", "t")
        ]
        for variable in [*state.values(), *monitored]:
            name = device.get_array_name(variable, access_data=False)
            if isinstance(variable, DynamicArrayVariable):
                lines.append(f"{name} = dev{name};")
            else:
                lines.append(f"CUDA_SAFE_CALL(cudaMemcpy({name}, dev{name}, _num_{name}*sizeof({name}[0]), cudaMemcpyDeviceToHost));")
        return "\n".join([*lines, super().writing(network, state)])

    @staticmethod
    def storage(variable: ArrayVariable) -> tuple[str, str]:
        """Host vectors are Thrust's, whose data() is an iterator-like pointer: take the first element's address."""
        name = device.get_array_name(variable, access_data=False)
        if isinstance(variable, DynamicArrayVariable):
            return f"thrust::raw_pointer_cast({name}.data())", f"{name}.size()*sizeof({name}[0])"
        return name, f"_num_{name}*sizeof({name}[0])"

    def compile(self, folder: Path) -> None:
        """Run make with one job a core: nvcc is slow."""
        run_make(folder, ["make", "-j2"])
