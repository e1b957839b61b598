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

// One bit of 32 each, from which a loop over elements gathers its answers.
static const int32_t bit[32] = {
    1 << 0,  1 << 1,  1 << 2,  1 << 3,  1 << 4,  1 << 5,  1 << 6,  1 << 7,  1 << 8,  1 << 9,  1 << 10,
    1 << 11, 1 << 12, 1 << 13, 1 << 14, 1 << 15, 1 << 16, 1 << 17, 1 << 18, 1 << 19, 1 << 20, 1 << 21,
    1 << 22, 1 << 23, 1 << 24, 1 << 25, 1 << 26, 1 << 27, 1 << 28, 1 << 29, 1 << 30, INT32_MIN};

}  // namespace dense_math

#endif
