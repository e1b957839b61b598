"""Tables of what rules forget."""

from __future__ import annotations

import itertools

from hebbarium.studies import forgetting, reproduction


def test_each_network_is_shown_the_same_images_in_both_orders() -> None:
    with_one = []
    for name in reproduction.REPRODUCIBLE:
        cells = [cell for cell in reproduction.paper_of(name).cells if cell.table == forgetting.TABLE]
        with_one += [name] * bool(cells)
        for drawn, by_class in itertools.batched(cells, 2):
            assert drawn.changes == by_class.changes
            assert dict(drawn.run) | {"image_order": "by_class"} == by_class.run
            assert drawn.run["image_order"] == "drawn"
    assert {"contrastive_race", "synaptic_scaling", "desire_backprop", "column_feedback"} == set(with_one)
