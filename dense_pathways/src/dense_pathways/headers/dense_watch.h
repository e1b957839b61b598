// SPDX-FileCopyrightText: 2026 The Hebbarium developers
// SPDX-License-Identifier: BSD-3-Clause
// The time between its making and its end is added to an operation's account, however the operation ends.
#pragma once

#include <chrono>

class _dense_stopwatch {
    std::chrono::nanoseconds& account_;
    const std::chrono::steady_clock::time_point start_;

public:
    explicit _dense_stopwatch(std::chrono::nanoseconds& account) : account_(account), start_(std::chrono::steady_clock::now()) {}
    ~_dense_stopwatch()
    {
        account_ += std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start_);
    }
};
