"""A small run that the tests of the engine interrupt in every way."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.training import RunSettings, train


@pytest.fixture(scope="session")
def small() -> RunSettings:
    """Forty blocks of training on a network of twenty neurons."""
    return RunSettings(
        changes={"neurons": "20"},
        images=240,
        block=20,
        test_images=30,
        labelling_images=40,
        snapshots=3,
        seed=3,
    )


@pytest.fixture(scope="session")
def uninterrupted(small: RunSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that nothing happened to."""
    return train(small, tmp_path_factory.mktemp("uninterrupted") / "run")
