"""When loops may run at once or change places."""

from __future__ import annotations

import pytest

from dense_pathways.safety import Access

SYNAPSE, PRE, POST = "_idx", "_presynaptic_idx", "_postsynaptic_idx"


def access(*touched: tuple[str, str, bool], stateful: str = "") -> Access:
    made = Access(stateful={stateful} if stateful else set())
    for array, index, written in touched:
        made.add(array, index, written)
    return made


@pytest.mark.parametrize(
    ("touched", "row", "interchanged"),
    [
        # w = clip(w - a*y_post), g_post += w: along a row each synapse and each target comes once
        ([("w", SYNAPSE, True), ("g", POST, True), ("y", POST, False)], True, True),
        # x_pre += w: all synapses of a row add to one neuron
        ([("w", SYNAPSE, False), ("x", PRE, True)], False, True),
        # v_post += v_pre within one group: what one synapse writes another may read
        ([("v", POST, True), ("v", PRE, False)], False, False),
        # total += w: one number for all
        ([("w", SYNAPSE, False), ("total", "0", True)], False, False),
        # a linked variable leads anywhere
        ([("z", "_z_indices", True)], False, False),
        ([("z", "_z_indices", False), ("w", SYNAPSE, True)], True, True),
        # two names of one array
        ([("w", SYNAPSE, True), ("w", "_other_idx", False)], False, False),
        # nothing is written
        ([("v", PRE, False), ("v", POST, False)], True, True),
    ],
)
def test_order(touched: list[tuple[str, str, bool]], row: bool, interchanged: bool) -> None:
    assert (access(*touched).why_not_at_once((SYNAPSE, POST)) is None) == row
    assert (access(*touched).why_not_interchanged() is None) == interchanged


def test_a_function_with_a_state_keeps_its_order() -> None:
    drawing = access(("w", SYNAPSE, True), stateful="rand")
    assert drawing.why_not_at_once((SYNAPSE,)) == "rand() may have a state or effects"
    assert drawing.why_not_interchanged() == "rand() may have a state or effects"


def test_the_reason_names_array_and_indices() -> None:
    reason = access(("v", POST, True), ("v", PRE, False)).why_not_at_once((SYNAPSE, POST))
    assert reason == f"v is written, and reached by {POST}, {PRE}"
