"""The benchmark of the converted network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import conversion
from hebbarium.datasets import by_name as datasets


@pytest.mark.slow
def test_an_image_in_testing_is_timed(tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", datasets.load("mnist-embedded").train_images[:20])
    said: list[str] = []
    (row,) = conversion.show(conversion.Amounts(2, 10), tmp_path / "images.npy", tmp_path, said.append)
    assert (row.unit, row.below) == ("ms", 2.0)
    assert row.value > 0
    assert "T = 100" in row.name
    assert len(said) == 2
