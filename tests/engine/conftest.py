"""A small run that the tests of the engine interrupt in every way."""

from __future__ import annotations

from pathlib import Path

import pytest

from hebbarium.training.run_settings import RunSettings
from hebbarium.training.training import train


@pytest.fixture(scope="session")
def small() -> RunSettings:
    """Twelve blocks of training on a network of a hundred neurons: each lasts long enough to be interrupted."""
    return RunSettings(
        changes={"neurons": "100"},
        images=600,
        block=50,
        test_images=30,
        labelling_images=40,
        snapshots=3,
        seed=3,
    )


@pytest.fixture(scope="session")
def uninterrupted(small: RunSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that nothing happened to."""
    return train(small, tmp_path_factory.mktemp("uninterrupted") / "run")
