"""What is said of a set that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from hebbarium.datasets import by_name as datasets
from hebbarium.datasets.labelled_images import DatasetError


def refused(name: Path | str) -> str:
    with pytest.raises(DatasetError) as error:
        datasets.load(name)
    return str(error.value)
