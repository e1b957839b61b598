"""The worked page docs/own_rule.md: its file is trained by the same commands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbarium.catalogue import registry
from hebbarium.engine.anatomy import initial_state
from hebbarium.engine.contract import Block, Structure
from hebbarium.engine.runtime import RuntimeProgram
from hebbarium.record import results
from hebbarium.training.progress import QuietReporter
from hebbarium.training.run_settings import RunSettings
from hebbarium.training.training import train

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def own_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    page = (ROOT / "docs" / "own_rule.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    path = tmp_path_factory.mktemp("own") / "soft_bounds.py"
    path.write_text(code)
    return path


def test_own_rule_trains(own_file: Path, tmp_path: Path) -> None:
    run = train(
        RunSettings(
            model=str(own_file), changes={"neurons": "10", "mu": "0.5"}, images=40, block=20, test_images=10
        ),
        tmp_path / "run",
    )
    with results.open_run(run) as tree:
        assert tree.attrs["model"] == "soft_bounds"
        assert '"mu": "0.5"' in tree.attrs["parameters"]


def test_own_rule_is_the_rule_that_runs(own_file: Path, tmp_path: Path) -> None:
    """With mu = 0 the rule is the paper's; with mu = 1 it is not."""
    own: Any = registry.find(str(own_file))
    paper: Any = registry.find("synaptic_scaling")
    images = np.random.default_rng(0).integers(0, 255, (2, 784), dtype=np.uint8)

    def weights(model: Any) -> NDArray[Any]:
        state = initial_state(model, "train", model.initial_state(np.random.default_rng(1)))
        block = Block(state, model.encode(images), model.run_time_values(), 3)
        return (
            RuntimeProgram(Structure(model, "train", "float64", "numpy", 2), tmp_path)
            .run(block)
            .state["plastic.w"]
        )

    begin = paper(neurons=6)
    np.testing.assert_allclose(weights(own(neurons=6, mu=0.0)), weights(begin), rtol=0, atol=1e-12)
    assert np.abs(weights(own(neurons=6, mu=1.0)) - weights(begin)).max() > 1e-4


@pytest.mark.parametrize(
    ("rule", "has_window"),
    [
        ("w = clip(w + a_plus*x_pre*int(theta_post >= 0*mV), w_min, w_max)", False),
        ("w = clip(w + a_plus*x_pre*(1 + tanh(v/mV)), w_min, w_max)", False),
        ("w = clip(w + a_plus*x_pre*rand()*exp(-t/second)*(i + j)/(i + j + 1)*tau_p/ms, w_min, w_max)", True),
    ],
)
def test_a_rule_with_a_third_factor_trains_to_the_end(tmp_path: Path, rule: str, has_window: bool) -> None:
    """A neuron's variable has no value in a pair of spikes: the window is left out, and said to be."""
    path = tmp_path / "third.py"
    path.write_text(
        "from dataclasses import dataclass\n"
        "from hebbarium.models.synaptic_scaling import SynapticScaling\n"
        "@dataclass(frozen=True, eq=False)\n"
        "class Third(SynapticScaling):\n"
        "    name = 'third'\n"
        f"    potentiation = {rule!r}\n"
    )

    class Said(QuietReporter):
        def message(self, text: str) -> None:
            said.append(text)

    said: list[str] = []
    changes = {"neurons": "5", "t_train": "20*ms", "t_test": "20*ms"}
    asked = RunSettings(str(path), changes, images=10, test_images=10, device="numpy")
    with results.open_run(train(asked, tmp_path / "run", Said())) as tree:
        assert tree.attrs["complete"]
        assert ("/stdp_window" in tree.groups) is has_window
    assert any("no STDP window" in text for text in said) is not has_window


def test_a_network_that_would_lose_spikes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "late.py"
    path.write_text(
        "from dataclasses import dataclass\n"
        "from hebbarium.models.synaptic_scaling import SynapticScaling\n"
        "@dataclass(frozen=True, eq=False)\n"
        "class Late(SynapticScaling):\n"
        "    name = 'late'\n"
        "    def build(self, phase, precision, inputs, record=()):\n"
        "        network = super().build(phase, precision, inputs, record)\n"
        "        network['to_inhibitory'].pre.delay = 'dt'\n"
        "        return network\n"
    )
    with pytest.raises(Exception, match="'to_inhibitory_pre' has delays; spikes under way at the end of a block"):
        train(
            RunSettings(model=str(path), changes={"neurons": "5"}, images=10, test_images=10),
            tmp_path / "run",
        )


def test_unknown_models_suggest_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(registry.RegistryError, match="did you mean synaptic_scaling"):
        registry.find("synaptic_scalin")
    with pytest.raises(registry.RegistryError, match="no such file"):
        registry.find(str(tmp_path / "nothing.py"))
    (tmp_path / "broken.py").write_text("1/0")
    with pytest.raises(registry.RegistryError, match="ZeroDivisionError"):
        registry.find(str(tmp_path / "broken.py"))
