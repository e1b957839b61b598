// Streams of random numbers as NumPy has them: `SeedSequence`, `PCG64` and the permutation of a `Generator`. With them
// the order of images and the seeds of blocks are those of the run that Python would make.
#ifndef HEBBARIUM_STREAMS_H
#define HEBBARIUM_STREAMS_H

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

class SeedSequence {
    static constexpr uint32_t shift = 16;
    static constexpr size_t pool_size = 4;
    uint32_t pool_[pool_size];

    static uint32_t stirred(uint32_t value, uint32_t& constant, uint32_t multiplier) {
        value ^= constant;
        constant *= multiplier;
        value *= constant;
        return value ^ (value >> shift);
    }
    static uint32_t mixed(uint32_t x, uint32_t y) {
        const uint32_t value = 0xca01f9ddu * x - 0x4973f715u * y;
        return value ^ (value >> shift);
    }

  public:
    // Numbers are taken in words of 32 bits, the lowest first; zero is one word.
    explicit SeedSequence(const std::vector<uint64_t>& numbers) {
        std::vector<uint32_t> words;
        for (uint64_t number : numbers) {
            words.push_back(static_cast<uint32_t>(number));
            if (number >> 32) words.push_back(static_cast<uint32_t>(number >> 32));
        }
        constexpr uint32_t multiplier = 0x931e8875u;
        uint32_t constant = 0x43b0d7e5u;
        for (size_t k = 0; k < pool_size; k++) pool_[k] = stirred(k < words.size() ? words[k] : 0u, constant, multiplier);
        for (size_t from = 0; from < pool_size; from++)
            for (size_t to = 0; to < pool_size; to++)
                if (from != to) pool_[to] = mixed(pool_[to], stirred(pool_[from], constant, multiplier));
        for (size_t from = pool_size; from < words.size(); from++)
            for (uint32_t& to : pool_) to = mixed(to, stirred(words[from], constant, multiplier));
    }

    std::vector<uint32_t> state(size_t words) const {
        std::vector<uint32_t> result(words);
        uint32_t constant = 0x8b51f9ddu;
        for (size_t k = 0; k < words; k++) result[k] = stirred(pool_[k % pool_size], constant, 0x58f38dedu);
        return result;
    }
};

// 32 bits that seed a compiled program for one block.
inline uint32_t block_seed(const std::vector<uint64_t>& numbers) { return SeedSequence(numbers).state(1)[0]; }

class Generator {
    __extension__ typedef unsigned __int128 Wide;
    Wide state_ = 0, increment_;
    bool has_half_ = false;
    uint32_t half_ = 0;

    static Wide wide(uint64_t high, uint64_t low) { return (static_cast<Wide>(high) << 64) | low; }
    void step() { state_ = state_ * wide(2549297995355413924ull, 4865540595714422341ull) + increment_; }
    uint64_t next64() {
        step();
        const uint64_t folded = static_cast<uint64_t>(state_ >> 64) ^ static_cast<uint64_t>(state_);
        const unsigned turn = static_cast<unsigned>(state_ >> 122);
        return (folded >> turn) | (folded << ((64 - turn) & 63));
    }
    uint32_t next32() {
        if (has_half_) {
            has_half_ = false;
            return half_;
        }
        const uint64_t both = next64();
        has_half_ = true;
        half_ = static_cast<uint32_t>(both >> 32);
        return static_cast<uint32_t>(both);
    }
    uint64_t up_to(uint64_t most) {
        uint64_t mask = most;
        for (unsigned k = 1; k < 64; k *= 2) mask |= mask >> k;
        uint64_t value;
        do value = (most <= 0xffffffffu ? next32() : next64()) & mask;
        while (value > most);
        return value;
    }

  public:
    explicit Generator(const std::vector<uint64_t>& numbers) {
        const std::vector<uint32_t> words = SeedSequence(numbers).state(8);
        const auto word = [&](size_t k) { return words[2 * k] | (static_cast<uint64_t>(words[2 * k + 1]) << 32); };
        increment_ = (wide(word(2), word(3)) << 1) | 1;
        step();
        state_ += wide(word(0), word(1));
        step();
    }
    std::vector<int64_t> permuted(std::vector<int64_t> values) {
        for (size_t k = values.size(); k-- > 1;) std::swap(values[k], values[up_to(k)]);
        return values;
    }
};

#endif
