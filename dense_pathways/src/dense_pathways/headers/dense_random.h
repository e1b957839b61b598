// SPDX-FileCopyrightText: 2026 The Hebbarium developers
// SPDX-License-Identifier: BSD-3-Clause
// Eight streams of xoshiro256++ (Blackman and Vigna 2019) side by side, which a compiler turns into vector code.
// The numbers are the same on every machine: integer arithmetic, then 52 bits to a double in [0, 1).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>

namespace _dense_random {

class Generator {
    static const int lanes = 8, buffered = 1024;
    uint64_t state_[4][lanes];
    double buffer_[buffered];
    int next_;
    double stored_;
    bool has_stored_;

    static uint64_t left(const uint64_t word, const int bits) { return (word << bits) | (word >> (64 - bits)); }

    void refill()
    {
        for (int first = 0; first < buffered; first += lanes)
            for (int lane = 0; lane < lanes; ++lane) {
                const uint64_t result = left(state_[0][lane] + state_[3][lane], 23) + state_[0][lane];
                const uint64_t shifted = state_[1][lane] << 17;
                state_[2][lane] ^= state_[0][lane];
                state_[3][lane] ^= state_[1][lane];
                state_[1][lane] ^= state_[2][lane];
                state_[0][lane] ^= state_[3][lane];
                state_[2][lane] ^= shifted;
                state_[3][lane] = left(state_[3][lane], 45);
                const uint64_t bits = (result >> 12) | 0x3FF0000000000000ull;
                double number;
                std::memcpy(&number, &bits, sizeof(number));
                buffer_[first + lane] = number - 1.0;
            }
        next_ = 0;
    }

public:
    Generator() { seed(); }
    void seed()
    {
        std::random_device device;
        seed((uint64_t(device()) << 32) | device());
    }
    // Seeds of any pattern give unrelated streams: splitmix64 spreads them, as the authors of xoshiro advise.
    void seed(uint64_t seed)
    {
        for (int lane = 0; lane < lanes; ++lane)
            for (int word = 0; word < 4; ++word) {
                seed += 0x9E3779B97F4A7C15ull;
                uint64_t mixed = seed;
                mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ull;
                mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBull;
                state_[word][lane] = mixed ^ (mixed >> 31);
            }
        next_ = buffered;
        has_stored_ = false;
    }
    double rand()
    {
        if (next_ == buffered)
            refill();
        return buffer_[next_++];
    }
    void fill(double* numbers, int count)
    {
        while (count > 0) {
            if (next_ == buffered)
                refill();
            const int some = std::min(count, buffered - next_);
            std::memcpy(numbers, buffer_ + next_, some*sizeof(double));
            numbers += some;
            next_ += some;
            count -= some;
        }
    }
    // Marsaglia's polar method
    double randn()
    {
        if (has_stored_) {
            has_stored_ = false;
            return stored_;
        }
        double x, y, square;
        do {
            x = 2*rand() - 1;
            y = 2*rand() - 1;
            square = x*x + y*y;
        } while (square >= 1 || square == 0);
        const double factor = std::sqrt(-2*std::log(square)/square);
        stored_ = factor*x;
        has_stored_ = true;
        return factor*y;
    }
};

extern Generator generator;

}  // namespace _dense_random
