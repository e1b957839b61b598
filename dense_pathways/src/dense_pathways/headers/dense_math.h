// SPDX-FileCopyrightText: 2026 The Hebbarium developers
// SPDX-License-Identifier: BSD-3-Clause
// Elementary functions for many elements at once, where the compiler may approximate: the C library has them, but
// declares them only under the whole of -ffast-math, which Brian2 leaves incomplete so that infinities work. Their last
// bit may differ from that of the functions for one number, so without -ffast-math they are not used.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <features.h>
#include <limits>

// GCC says since version 12 which parts of -ffast-math it was given.
#if defined(__GNUC__) && !defined(__clang__) && defined(__NO_MATH_ERRNO__) && __GCC_IEC_559 == 0 && \
    (__GNUC__ < 12 || (defined(__ASSOCIATIVE_MATH__) && defined(__RECIPROCAL_MATH__)))
#define _DENSE_APPROXIMATE
#endif

#if defined(_DENSE_APPROXIMATE) && defined(__x86_64__) && defined(__GLIBC__)
#define _DENSE_SIMD(name)                                            \
    __attribute__((simd("notinbranch"))) double name(double) noexcept; \
    __attribute__((simd("notinbranch"))) float name##f(float) noexcept;
extern "C" {
#if __GLIBC_PREREQ(2, 22)
_DENSE_SIMD(exp) _DENSE_SIMD(log) _DENSE_SIMD(sin) _DENSE_SIMD(cos)
__attribute__((simd("notinbranch"))) double pow(double, double) noexcept;
__attribute__((simd("notinbranch"))) float powf(float, float) noexcept;
#endif
#if __GLIBC_PREREQ(2, 35)
_DENSE_SIMD(expm1) _DENSE_SIMD(log1p) _DENSE_SIMD(log10) _DENSE_SIMD(tanh) _DENSE_SIMD(sinh) _DENSE_SIMD(cosh)
_DENSE_SIMD(tan) _DENSE_SIMD(asin) _DENSE_SIMD(acos) _DENSE_SIMD(atan)
#endif
}
#undef _DENSE_SIMD
#endif

namespace _dense_math {

// A whole number below 2**51 as an integer of 64 bits, by a way that vector units have: the low bits of a double of the right size.
inline uint64_t few(const double number)
{
    const double shifted = number + 6755399441055744.0;  // 1.5*2**52
    uint64_t bits;
    std::memcpy(&bits, &shifted, sizeof(bits));
    return bits - 0x4338000000000000ULL;
}

// Any double without a fraction as int64. What has no such number becomes what the processor makes of it.
inline int64_t whole(const double number)
{
#if defined(__x86_64__)
    const double high = std::trunc(number/4294967296.0);
    const int64_t found = few(high)*4294967296ULL + few(number - high*4294967296.0);
    return std::fabs(number) < 9223372036854775808.0 ? found : std::numeric_limits<int64_t>::min();
#else
    return static_cast<int64_t>(number);
#endif
}

}  // namespace _dense_math

// A function of numbers that hardly ever change, such as exp(-dt/tau). Where the compiler may approximate, and the sign
// of a zero means nothing: as long as its argument is what it was when the same place of the program was last reached,
// so is its value.
#ifdef _DENSE_APPROXIMATE
#define _dense_again(function, ...)                              \
    ([&]() {                                                     \
        const auto _dense_given = (__VA_ARGS__);                 \
        static auto _dense_known = _dense_given;                 \
        static auto _dense_value = function(_dense_given);       \
        if (!(_dense_given == _dense_known))                     \
        {                                                        \
            _dense_known = _dense_given;                         \
            _dense_value = function(_dense_given);               \
        }                                                        \
        return _dense_value;                                     \
    }())
#else
#define _dense_again(function, ...) function(__VA_ARGS__)
#endif
