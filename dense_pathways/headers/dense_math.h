// SPDX-FileCopyrightText: 2026 The Hebbarium developers
// SPDX-License-Identifier: BSD-3-Clause
// Vector versions of elementary functions. The C library has them, but declares them only under the whole of
// -ffast-math, which Brian2 leaves incomplete so that infinities work. Without -ffast-math they are not used.
#ifndef DENSE_MATH_H
#define DENSE_MATH_H

#include <cmath>
#include <cstdint>
#include <cstring>
#include <features.h>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__GLIBC__)
#define DENSE_SIMD(name)                                             \
    __attribute__((simd("notinbranch"))) double name(double) noexcept; \
    __attribute__((simd("notinbranch"))) float name##f(float) noexcept;
extern "C" {
#if __GLIBC_PREREQ(2, 22)
DENSE_SIMD(exp) DENSE_SIMD(log) DENSE_SIMD(sin) DENSE_SIMD(cos)
__attribute__((simd("notinbranch"))) double pow(double, double) noexcept;
__attribute__((simd("notinbranch"))) float powf(float, float) noexcept;
#endif
#if __GLIBC_PREREQ(2, 35)
DENSE_SIMD(expm1) DENSE_SIMD(log1p) DENSE_SIMD(log10) DENSE_SIMD(tanh) DENSE_SIMD(sinh) DENSE_SIMD(cosh)
DENSE_SIMD(tan) DENSE_SIMD(asin) DENSE_SIMD(acos) DENSE_SIMD(atan)
#endif
}
#undef DENSE_SIMD
#endif

namespace dense_math {

// A whole number as int64, by a way that vector units have: the low bits of a double of the right size.
inline int64_t whole(const double number)
{
    const double shifted = number + 6755399441055744.0;  // 1.5*2**52
    int64_t bits;
    std::memcpy(&bits, &shifted, sizeof(bits));
    return bits - 0x4338000000000000LL;
}

}  // namespace dense_math

// A function of numbers that hardly ever change, such as exp(-dt/tau): as long as its argument is what it was when the
// same place of the program was last reached, so is its value.
#define DENSE_AGAIN(function, ...)                 \
    ([&]() {                                       \
        const auto given = (__VA_ARGS__);          \
        static auto known = given;                 \
        static auto value = function(given);       \
        if (!(given == known))                     \
        {                                          \
            known = given;                         \
            value = function(given);               \
        }                                          \
        return value;                              \
    }())

#endif
