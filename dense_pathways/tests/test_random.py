"""The fast generator: the same numbers everywhere, uniform, and independent between neurons and steps."""

from __future__ import annotations

import math
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import dense_pathways

HEADERS = Path(dense_pathways.__file__).parent / "headers"
PROGRAM = """
#include "dense_random.h"
#include <cstdio>
#include <cstdlib>
#include <vector>
namespace _dense_random { Generator generator; }
int main(int argc, char** argv) {
    _dense_random::generator.seed(std::strtoull(argv[1], NULL, 10));
    const int count = std::atoi(argv[3]);
    std::vector<double> numbers(count);
    switch (argv[2][0]) {
        case 'o': for (double& n : numbers) n = _dense_random::generator.rand(); break;
        case 'm': for (int k = 0, some; k < count; k += some) {  // pieces of many lengths
                      some = std::min(count - k, 1 + k % 97);
                      _dense_random::generator.fill(&numbers[k], some);
                  } break;
        case 'n': for (double& n : numbers) n = _dense_random::generator.randn(); break;
    }
    std::fwrite(numbers.data(), sizeof(double), count, stdout);
}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generator")
    (folder / "draw.cpp").write_text(PROGRAM)
    flags = ["-O3", "-march=native", "-ffast-math", "-std=c++11", f"-I{HEADERS}"]
    subprocess.run(["g++", *flags, str(folder / "draw.cpp"), "-o", str(folder / "draw")], check=True)
    return folder / "draw"


def draw(program: Path, seed: int, count: int, how: str = "one") -> NDArray[np.float64]:
    done = subprocess.run([str(program), str(seed), how, str(count)], capture_output=True, check=True)
    return np.frombuffer(done.stdout)


def by_the_papers(seed: int, count: int) -> NDArray[np.float64]:
    """xoshiro256++ in eight streams, seeded by splitmix64, in whole numbers of Python."""
    mask = (1 << 64) - 1

    def left(word: int, bits: int) -> int:
        return ((word << bits) | (word >> (64 - bits))) & mask

    words = []
    for _ in range(8):
        stream = []
        for _ in range(4):
            seed = (seed + 0x9E3779B97F4A7C15) & mask
            z = seed
            z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
            z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
            stream.append(z ^ (z >> 31))
        words.append(stream)
    numbers: list[float] = []
    while len(numbers) < count:
        for s in words:
            result = (left((s[0] + s[3]) & mask, 23) + s[0]) & mask
            shifted = (s[1] << 17) & mask
            s[2] ^= s[0]
            s[3] ^= s[1]
            s[1] ^= s[2]
            s[0] ^= s[3]
            s[2] ^= shifted
            s[3] = left(s[3], 45)
            numbers.append((result >> 12) / 2**52)
    return np.array(numbers[:count])


def deviation(observed: NDArray[np.int64], expected: NDArray[np.float64] | float) -> float:
    """Chi-square in units of its standard deviation: a normal deviate for as many classes as here."""
    freedom = len(observed) - 1
    return float((((observed - expected) ** 2 / expected).sum() - freedom) / math.sqrt(2 * freedom))


def kolmogorov(numbers: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    """Kolmogorov's statistic times the root of the count; above 2.2 with a probability of 1e-4.

    ``expected`` is the distribution function at the sorted numbers.
    """
    n = len(numbers)
    steps = np.arange(n + 1) / n
    return float(max(abs(expected - steps[1:]).max(), abs(expected - steps[:-1]).max()) * math.sqrt(n))


@pytest.mark.parametrize("seed", [0, 1, 4_294_967_295, 2**63 + 5])
def test_numbers_are_those_of_the_definition(program: Path, seed: int) -> None:
    expected = by_the_papers(seed, 3000)
    np.testing.assert_array_equal(draw(program, seed, 3000), expected)
    np.testing.assert_array_equal(draw(program, seed, 3000, "many"), expected)


def test_uniform(program: Path) -> None:
    numbers = draw(program, 7, 1_000_000)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    counts = np.bincount((numbers * 1000).astype(int), minlength=1000)
    assert abs(deviation(counts, 1000.0)) < 5
    pairs = np.bincount((numbers[0::2] * 30).astype(int) * 30 + (numbers[1::2] * 30).astype(int), minlength=900)
    assert abs(deviation(pairs, 500_000 / 900)) < 5
    assert kolmogorov(numbers, np.sort(numbers)) < 2.2


def test_neurons_steps_and_neighbouring_seeds_are_independent(program: Path) -> None:
    steps, neurons = 4000, 64
    drawn = draw(program, 11, steps * neurons).reshape(steps, neurons) - 0.5
    between_neurons = np.asarray(np.corrcoef(drawn.T))[np.triu_indices(neurons, 1)]
    assert abs(between_neurons * np.sqrt(steps)).max() < 5  # of some 2,000 normal deviates
    for lag in (1, 2, 3, 8, 16, 64):
        within = (drawn[lag:] * drawn[:-lag]).mean(axis=0) * 12 * np.sqrt(steps - lag)
        assert abs(within).max() < 5
    first = draw(program, 100, 100_000) - 0.5
    for other in (101, 102, 356):
        assert abs((first * (draw(program, other, 100_000) - 0.5)).mean() * 12 * np.sqrt(100_000)) < 5


def test_normal(program: Path) -> None:
    numbers = np.sort(draw(program, 3, 200_000, "normal"))
    assert kolmogorov(numbers, np.array([0.5 * math.erfc(-x / math.sqrt(2)) for x in numbers])) < 2.2


def test_poisson_counts(program: Path) -> None:
    """Spikes of Bernoulli trials with p = 0.02 over 100 steps: binomial, which is Poisson but for its last digits."""
    spikes = (draw(program, 5, 100 * 50_000).reshape(50_000, 100) < 0.02).sum(axis=1)
    most = 9
    observed = np.bincount(np.minimum(spikes, most), minlength=most + 1)
    expected = np.array([math.comb(100, k) * 0.02**k * 0.98 ** (100 - k) for k in range(most)])
    expected = np.append(expected, 1 - expected.sum()) * len(spikes)
    assert abs(deviation(observed, expected)) < 5
    assert abs(spikes.mean() - 2) < 0.03
