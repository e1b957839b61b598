// SPDX-FileCopyrightText: 2026 The Hebbarium developers
// SPDX-License-Identifier: BSD-3-Clause
// Every array begins where a vector of 64 bytes does: one that does not lies on two lines of the cache, which costs as
// much as two. Whoever replaces these operators as well is let have theirs.
#pragma once

#if defined(__unix__) || defined(__APPLE__)
#include <cstddef>
#include <new>
#include <stdlib.h>

__attribute__((weak)) void* operator new(std::size_t size)
{
    void* memory = NULL;
    if (posix_memalign(&memory, 64, size > 0 ? size : 1) != 0) throw std::bad_alloc();
    return memory;
}
__attribute__((weak)) void* operator new[](std::size_t size) { return operator new(size); }
__attribute__((weak)) void operator delete(void* memory) noexcept { free(memory); }
__attribute__((weak)) void operator delete[](void* memory) noexcept { free(memory); }
#endif
