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

# Times a few units in the last place around each border, and the middle between borders; then times and steps beyond
# what a whole number of 64 bits holds, and what is no number.
PROGRAM = """
#include "dense_math.h"
#include <cstdint>
#include <cstdio>
#include <limits>
#include <vector>
namespace stock { %s }
namespace ours { %s }
long asked = 0;
bool differs(const double passed, const double dt, const int64_t steps)
{
    ++asked;
    const ours::_dense_wait wait(steps, dt);
    const int64_t expected = stock::_timestep(passed, dt), found = ours::_timestep(passed, dt);
    if (expected == found && (expected >= steps) == wait.is_over(passed))
        return false;
    std::printf("%%.17g of %%.17g: %%ld and %%ld, %%ld steps\\n", passed, dt, (long)expected, (long)found, (long)steps);
    return true;
}
int main()
{
    const volatile double endless = INFINITY, none = NAN;  // not known to the compiler, which converts as it likes
    const std::vector<int64_t> far = {INT64_MIN, INT64_MIN + 1, -(1LL << 53), 1LL << 31, (1LL << 51) + 1, 1LL << 53,
                                      1LL << 62, INT64_MAX - 512, INT64_MAX};
    for (const double dt : {1e-3, 5e-4, 1e-4, 7e-5, 1.0/3, 1e-9, 2.5})
    {
        std::vector<int64_t> all = far;
        for (int64_t steps = -3; steps < 400; ++steps)
        {
            all.push_back(steps);
            double below = (steps - 1e-3)*dt, above = below;
            for (int k = 0; k < 50; ++k)
            {
                below = std::nextafter(below, -INFINITY), above = std::nextafter(above, INFINITY);
                for (const double passed : {below, above, (steps + 0.5*(k - 25))*dt, (steps + k - 25)*dt})
                    if (differs(passed, dt, steps))
                        return 1;
            }
        }
        for (const int64_t steps : all)
        {
            for (const double passed : {(double)endless, -endless, (double)none, 0.0, -0.0, 1e4})
                if (differs(passed, dt, steps))
                    return 1;
            for (const int64_t other : far)
                for (const double part : {-2.0, -1.0, 1.0 - 1e-15, 1.0, 1.0 + 1e-15, 2.0})
                    if (differs(other*part*dt, dt, steps))
                        return 1;
        }
    }
    std::printf("%%ld\\n", asked);
}
"""


@pytest.mark.parametrize("level", ["-O1", "-O3"])
def test_the_times_in_which_so_many_steps_pass(level: str, tmp_path: Path) -> None:
    implementations = DEFAULT_FUNCTIONS["timestep"].implementations
    codes = [implementations[kind].get_code(None) for kind in (CPPStandaloneCodeObject, DenseCodeObject)]
    texts = [code if isinstance(code, str) else code["support_code"] for code in codes]
    (tmp_path / "main.cpp").write_text(PROGRAM % tuple(texts))
    headers = Path(dense_pathways.__file__).parent / "headers"
    flags = [level, "-march=native", "-ffp-contract=off", f"-I{headers}"]
    subprocess.run(["g++", *flags, "main.cpp", "-o", "main"], cwd=tmp_path, check=True)
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
    assert "is_over(t - lastspike)" in text
    assert "_timestep(t - lastspike" not in text


@pytest.mark.usefixtures("dense")
def test_periods_of_their_own_are_asked_as_before(tmp_path: Path) -> None:
    assert "_timestep(t - lastspike, dt) >= " in source("own", tmp_path)


@pytest.mark.usefixtures("dense")
def test_what_is_set_before_it_is_used_is_not_read(tmp_path: Path) -> None:
    text = source(2 * ms, tmp_path)
    assert "_dense_wide_not_refractory[_dense_offset] = not_refractory" in text
    assert "_dense_wide_not_refractory[_dense_offset] = _ptr_array_group_not_refractory" not in text
    assert "int32_t not_refractory;" in text


@pytest.mark.usefixtures("dense")
def test_what_a_guarded_assignment_asks_for_is_read(tmp_path: Path) -> None:
    equations = "dv/dt = -v/(5*ms) : 1 (unless refractory)"
    group = NeuronGroup(5, equations, threshold="v > 1", refractory=2 * ms, method="exact", name="group")
    group.run_regularly("v = 0.5\nnot_refractory = True", name="operation")
    Network(group).run(1 * ms)
    device.build(directory=str(tmp_path), compile=False, run=False, with_output=False)
    text = (tmp_path / "code_objects" / "operation_codeobject.cpp").read_text()
    assert "_dense_wide_not_refractory[_dense_offset] = _ptr_array_group_not_refractory" in text
