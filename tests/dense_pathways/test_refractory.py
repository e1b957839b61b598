"""Whether a refractory period has passed is asked without a division, and answered as Brian2 answers it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from brian2 import Network, NeuronGroup, device, ms
from brian2.core.functions import DEFAULT_FUNCTIONS
from brian2.devices.cpp_standalone.codeobject import CPPStandaloneCodeObject

import dense_pathways
from dense_pathways.codeobject import DenseCodeObject

# Times a few units in the last place around each border, and the middle between borders.
PROGRAM = """
#include "dense_math.h"
#include <cstdint>
#include <cstdio>
#include <initializer_list>
namespace stock { %s }
namespace ours { %s }
int main()
{
    long asked = 0;
    for (const double dt : {1e-3, 5e-4, 1e-4, 7e-5, 1.0/3, 1e-9, 2.5})
        for (int64_t steps = -3; steps < 400; ++steps)
        {
            const double shortest = ours::_shortest(steps, dt);
            double below = shortest, above = shortest;
            for (int k = 0; k < 50; ++k)
            {
                below = std::nextafter(below, -INFINITY), above = std::nextafter(above, INFINITY);
                for (const double passed : {below, above, shortest + (k - 25)*dt*0.5, (steps + k - 25)*dt})
                {
                    ++asked;
                    if ((stock::_timestep(passed, dt) >= steps) != (passed >= shortest))
                        return std::printf("%%.17g of %%.17g: %%ld steps\\n", passed, dt, (long)steps), 1;
                }
            }
        }
    std::printf("%%ld\\n", asked);
}
"""


def test_the_shortest_time_of_so_many_steps(tmp_path: Path) -> None:
    implementations = DEFAULT_FUNCTIONS["timestep"].implementations
    codes = [implementations[kind].get_code(None) for kind in (CPPStandaloneCodeObject, DenseCodeObject)]
    texts = [code if isinstance(code, str) else code["support_code"] for code in codes]
    (tmp_path / "main.cpp").write_text(PROGRAM % tuple(texts))
    headers = Path(dense_pathways.__file__).parent / "headers"
    subprocess.run(["g++", "-O1", f"-I{headers}", "main.cpp", "-o", "main"], cwd=tmp_path, check=True)
    done = subprocess.run(["./main"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert int(done.stdout) > 500_000


def source(refractory: object, folder: Path) -> str:
    """The integration of a neuron with such a refractory period."""
    equations = "dv/dt = -v/(5*ms) : 1 (unless refractory)\nown : second (constant)"
    group = NeuronGroup(5, equations, threshold="v > 1", refractory=refractory, method="exact", name="group")
    network = Network(group)
    network.run(1 * ms)
    device.build(directory=str(folder), compile=False, run=False, with_output=False)
    (file,) = (folder / "code_objects").glob("group_stateupdater_codeobject*.cpp")
    text = file.read_text()
    return text[text.index("void _run_group_stateupdater") :]


@pytest.mark.usefixtures("dense")
def test_one_period_for_all_neurons_needs_no_division(tmp_path: Path) -> None:
    text = source(2 * ms, tmp_path)
    assert "t - lastspike >= _wait_lio_" in text
    assert "_timestep(t - lastspike" not in text


@pytest.mark.usefixtures("dense")
def test_periods_of_their_own_are_asked_as_before(tmp_path: Path) -> None:
    assert "_timestep(t - lastspike, dt) >= " in source("own", tmp_path)


@pytest.mark.usefixtures("dense")
def test_what_is_set_before_it_is_used_is_not_read(tmp_path: Path) -> None:
    text = source(2 * ms, tmp_path)
    assert "_wide_not_refractory[_offset] = not_refractory" in text
    assert "_wide_not_refractory[_offset] = _ptr_array_group_not_refractory" not in text
    assert "int32_t not_refractory;" in text


@pytest.mark.usefixtures("dense")
def test_what_a_guarded_assignment_asks_for_is_read(tmp_path: Path) -> None:
    equations = "dv/dt = -v/(5*ms) : 1 (unless refractory)"
    group = NeuronGroup(5, equations, threshold="v > 1", refractory=2 * ms, method="exact", name="group")
    group.run_regularly("v = 0.5\nnot_refractory = True", name="operation")
    Network(group).run(1 * ms)
    device.build(directory=str(tmp_path), compile=False, run=False, with_output=False)
    text = (tmp_path / "code_objects" / "operation_codeobject.cpp").read_text()
    assert "_wide_not_refractory[_offset] = _ptr_array_group_not_refractory" in text
