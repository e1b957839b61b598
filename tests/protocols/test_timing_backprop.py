"""What Yamamoto et al. claim, judged on made-up rows that bear it out, and on ones that do not."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import pytest

from hebbarium.ledger import ledger
from hebbarium.ledger.claims import FAILS, HOLDS, OPEN, Verdict
from hebbarium.protocols import timing_backprop as timing

ACCURACIES = {"many": (60.0, 95.0, 98.4, 98.3, 98.2), "one": (50.0, 90.0, 97.0, 97.9, 97.9)}
FIRING = {"many": (10.0, 5.0, 2.0, 1.7, 1.5), "one": (0.95, 0.9, 0.8, 0.7, 0.6)}
TABLE = {("many", "leaky"): 98.4, ("many", "none"): 98.2, ("one", "leaky"): 97.99, ("one", "none"): 97.96}


def row(item: str, setting: str, measure: str, value: float, seed: int) -> ledger.Row:
    readout = timing.READOUT if measure == ledger.ACCURACY else ""
    noise = 0.001 * (seed - 1)
    return ledger.Row(
        item, "mnist", setting, readout, seed, measure, value + noise, "%", None, None, 100, 10, ledger.LAST, "dense",
        "float32", "", "",
    )  # fmt: skip


def rows(
    accuracies: Mapping[str, tuple[float, ...]] = ACCURACIES, firing: Mapping[str, tuple[float, ...]] = FIRING
) -> list[ledger.Row]:
    found = []
    for seed, spikes in itertools.product(range(3), ("many", "one")):
        for tau, accuracy, spikes_a_neuron in zip(timing.TAUS, accuracies[spikes], firing[spikes], strict=True):
            setting = f"spikes={spikes} tau_i={tau}*ms epochs=30"
            of_cell = {
                ledger.ACCURACY: accuracy, "spikes_a_neuron": spikes_a_neuron, "active": 100 * min(spikes_a_neuron, 1),
            }  # fmt: skip
            found += [row("Fig. 5", setting, measure, value, seed) for measure, value in of_cell.items()]
        for leak in ("leaky", "none"):
            found.append(
                row("Table I", f"spikes={spikes} leak={leak}", ledger.ACCURACY, TABLE[spikes, leak] - 0.1 * seed, seed)
            )
    return found


def verdicts(of: list[ledger.Row]) -> dict[str, Verdict]:
    claims = timing.PAPER.claims
    assert claims is not None
    return {verdict.claim: verdict for verdict in claims.judge(of)}


def test_numbers_like_the_papers_bear_all_claims_out() -> None:
    found = verdicts(rows())
    assert {verdict.verdict for verdict in found.values()} == {HOLDS}
    assert found.keys() == timing.CLAIMS.keys()


@pytest.mark.parametrize(
    ("accuracies", "firing", "claim"),
    [
        ({"many": (60, 95, 97, 98, 98.4)}, {}, "optimum at an inner"),  # the largest is best
        ({"one": (50, 90, 98, 97, 96)}, {}, "optimum at an inner"),  # with one spike too
        ({"many": (98, 97, 96, 98.3, 97)}, {}, "falls fast"),
        ({}, {"many": (1.5, 1.7, 2, 5, 1.5)}, "fire more the smaller"),
        ({}, {"many": (10, 5, 2.2, 2.1, 2)}, "For large tau_I"),
        ({}, {"one": (0.3, 0.9, 0.8, 0.7, 0.6)}, "almost all neurons fire"),
    ],
)
def test_other_numbers_do_not(
    accuracies: Mapping[str, tuple[float, ...]], firing: Mapping[str, tuple[float, ...]], claim: str
) -> None:
    found = verdicts(rows({**ACCURACIES, **accuracies}, {**FIRING, **firing}))
    (judged,) = (verdict for name, verdict in found.items() if claim in name)
    assert judged.verdict != HOLDS


def test_many_that_do_not_beat_one_are_named() -> None:
    worse = {"many": (1.0, 1.0, 98.4, 1.0, 1.0)}
    beats = verdicts(rows({**ACCURACIES, **worse}))["Many spikes beat one at every tau_I (Fig. 5)"]
    assert (beats.verdict, beats.count) == (FAILS, "1 of 5, 1 clear")
    assert beats.numbers.startswith("not for tau_I = 0.2, tau_I = 0.4, tau_I = 1.6, tau_I = 6.4.")


def test_without_rows_nothing_is_claimed() -> None:
    assert {verdict.verdict for verdict in verdicts([]).values()} == {OPEN}
