"""Samples that are series: the rate of an input neuron is, at every moment, what the sample says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import hertz, ms

from tests.models import input_spikes, small_networks
from tests.models.small_networks import PIXELS

SAMPLES, MOMENTS, LASTS = 6, 5, 7
SERIES = {"encoder": "series", "n_moments": MOMENTS, "t_moment": LASTS * ms}


@input_spikes.SHOWN_ON_DEVICES
def test_white_fires_at_every_step_of_its_moments_and_black_at_none(
    networks: Any, device: str, tmp_path: Path
) -> None:
    """White is so fast that chance has no say. After the last moment all are silent."""
    lit = np.random.default_rng(1).random((SAMPLES, MOMENTS, PIXELS)) < 0.3
    lit[-1] = False
    rows = (255 * lit).astype(np.uint8).reshape(SAMPLES, -1)
    if networks is small_networks:
        model = networks.small_model(**SERIES, rate_coding="peak", max_rate=1000 * hertz, dt=1 * ms)
    else:
        model = networks.small_model(**SERIES, mean_pixel=0, rate_step=1000 * hertz)
    each = round(LASTS * ms / model.dt)
    fired, shown = input_spikes.fired(networks, model, rows, device, tmp_path)
    assert np.array_equal(fired[:, : MOMENTS * each], np.repeat(lit, each, axis=1)[shown])
    assert not fired[:, MOMENTS * each :].any()
    if networks is small_networks:
        assert model.input_spikes("train", rows, np.ones(SAMPLES, int)) == pytest.approx(fired.sum())


def test_each_moment_is_encoded_as_an_image_is() -> None:
    model = small_networks.small_model(**SERIES)
    rows = np.random.default_rng(1).integers(0, 256, (3, MOMENTS * PIXELS), dtype=np.uint8)
    rates = model.encode(rows)["rates"].reshape(3, PIXELS, MOMENTS + 1)
    assert not rates[..., -1].any()
    for sample, moment in np.ndindex(3, MOMENTS):
        image = rows.reshape(3, MOMENTS, PIXELS)[sample : sample + 1, moment]
        assert np.array_equal(rates[sample, :, moment], model.rates(image)[0])
    with pytest.raises(ValueError, match="expected 5 moments of 64 channels"):
        model.encode(rows[:, :-1])
    assert not model.encode(np.zeros((2, PIXELS), np.uint8))["rates"].any()
