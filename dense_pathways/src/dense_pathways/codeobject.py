# SPDX-FileCopyrightText: 2026 The Hebbarium developers
# SPDX-License-Identifier: BSD-3-Clause
"""The code object of the device, with its templates and its functions."""

from __future__ import annotations

import re
from typing import Any

from dense_pathways import edits, sources
from dense_pathways.brian2_parts import DEFAULT_FUNCTIONS, CPPStandaloneCodeObject, generate_rand_code, get_device
from dense_pathways.generator import DenseGenerator


class DenseCodeObject(CPPStandaloneCodeObject):
    """A code object of C++ standalone whose templates may be those of this package."""

    templater = edits.templates(CPPStandaloneCodeObject.templater, "dense_pathways")
    generator_class = DenseGenerator

    @property
    def remark(self) -> str | None:
        """Why this operation does not run many iterations of its loop at once, or None where it does."""
        remark = re.search(r"// DENSE-REMARK: (.*)", self.code.cpp_file)
        return remark[1].strip() if remark else None

    @property
    def apart(self) -> bool:
        """Whether it is compiled as a file of its own: it has C++ of a user that may reach into other operations."""
        own = self.code.cpp_file.partition(f"namespace {self.name}_support {{")[2]
        functions, _, loop = own.partition(f"void _run_{self.name}()")
        functions, _, macros = functions.rpartition("}")
        headers = self.compiler_kwds.get("headers", [])
        return not sources.standard(headers) or sources.reaches_out(functions, macros + loop)


# Brian2's bounds are double whatever the value is: in single precision every comparison would be widened.
_CLIP = """
template <typename T> struct _dense_bound { typedef double type; };
template <> struct _dense_bound<float> { typedef float type; };
template <typename T>
static inline T _clip(
    const T value, const typename _dense_bound<T>::type a_min, const typename _dense_bound<T>::type a_max)
{
    return value < a_min ? T(a_min) : value > a_max ? T(a_max) : value;
}
"""
DEFAULT_FUNCTIONS["clip"].implementations.add_implementation(DenseCodeObject, code=_CLIP, name="_clip")

# Brian2 converts by a cast to int64, which vector units of today do not have. The same whole number:
_TIMESTEP = """
static inline double _dense_steps(const double t, const double dt) { return (t + 1e-3*dt)/dt; }
static inline int64_t _timestep(const double t, const double dt)
{
    return _dense_math::whole(std::trunc(_dense_steps(t, dt)));
}
// The times in which so many steps pass by _timestep, and no others: neither a time that is no number nor one of more
// steps than an int64 holds, which _timestep turns into the least of all whole numbers.
class _dense_wait {
    double shortest_, longest_;
    bool always_;

public:
    _dense_wait(const int64_t steps, const double dt)
    {
        static int64_t known_steps = 0;
        static double known_dt = 0, shortest = 0, longest = 0;
        if (steps != known_steps || dt != known_dt)
        {
            const double least = -9223372036854775808.0, beyond = 9223372036854775808.0;
            const auto passed = [=](const double time) {
                const double whole = _dense_steps(time, dt);
                return whole >= beyond || (whole >= least && (int64_t)whole >= steps);
            };
            shortest = (steps - 1e-3 - (steps <= 0))*dt;  // below zero, steps are rounded up
            while (passed(shortest))
                shortest = std::nextafter(shortest, -INFINITY);
            while (!passed(shortest))
                shortest = std::nextafter(shortest, INFINITY);
            longest = beyond*dt;
            while (_dense_steps(longest, dt) >= beyond)
                longest = std::nextafter(longest, -INFINITY);
            while (_dense_steps(std::nextafter(longest, INFINITY), dt) < beyond)
                longest = std::nextafter(longest, INFINITY);
            const volatile double endless = INFINITY;  // a processor need not convert it as a compiler does
            if (_timestep(endless, dt) >= steps)
                longest = INFINITY;
            known_steps = steps, known_dt = dt;
        }
        shortest_ = shortest, longest_ = longest;
        always_ = steps == std::numeric_limits<int64_t>::min();
    }
    bool is_over(const double time) const { return ((time >= shortest_) & (time <= longest_)) | always_; }
};
"""
DEFAULT_FUNCTIONS["timestep"].implementations.add_implementation(
    DenseCodeObject, code=_TIMESTEP, name="_timestep"
)


def _random(function: str) -> Any:
    def code(owner: Any) -> dict[str, str]:
        if not get_device().fast_random:
            return generate_rand_code(function, owner)
        return {
            "support_code": f"inline double _{function}(const int _vectorisation_idx)"
            f" {{ return _dense_random::generator.{function}(); }}"
        }

    return code


for _function in ("rand", "randn"):
    DEFAULT_FUNCTIONS[_function].implementations.add_dynamic_implementation(
        DenseCodeObject, code=_random(_function), namespace=lambda owner: {}, name=f"_{_function}"
    )
