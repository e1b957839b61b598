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
from hebbarium.training import parameters
from hebbarium.training.progress import QuietReporter
from hebbarium.training.run_settings import RunSettings
from hebbarium.training.training import train

ROOT = Path(__file__).parents[2]


#: by example: the model that it is derived from, what makes it small, the weights that its rule changes
SHORT = {"t_shown": "20*ms", "t_rest": "10*ms"}
EXAMPLES: dict[str, tuple[str, dict[str, str], str]] = {
    "soft_bounds": ("synaptic_scaling", {"neurons": "5", "t_train": "40*ms", "t_test": "20*ms"}, "plastic.w"),
    "soft_ceiling": ("symmetric_stdp", {"neurons": "5", "v_thresh": "-84*mV", **SHORT}, "plastic.w"),
    "power_law": ("diehl_cook", {"neurons": "5", "v_thresh": "-84*mV", **SHORT}, "plastic.w"),
    "short_memory": ("desire_backprop", {"layers": "12,8", "p_hidden": "0", "theta_hid": "0"}, "to_hidden_1.w"),
    "taught": ("synaptic_scaling", {"neurons": "5", "t_train": "40*ms", "t_test": "20*ms"}, "plastic.w"),
}


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files of the page, by their names."""
    page = (ROOT / "docs" / "own_rule.md").read_text(encoding="utf-8")
    folder, files = tmp_path_factory.mktemp("own"), {}
    for name, code in re.findall(r"`(\w+)\.py`\)?:\n\n```python\n(.*?)```", page, re.DOTALL):
        files[name] = folder / f"{name}.py"
        files[name].write_text(code)
    assert page.count("```python") == len(files)
    return files


@pytest.fixture(scope="module")
def own_file(examples: dict[str, Path]) -> Path:
    return examples["soft_bounds"]


class Said(QuietReporter):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def message(self, text: str) -> None:
        self.said.append(text)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_changes_weights_by_its_own_rule(name: str, examples: dict[str, Path], tmp_path: Path) -> None:
    base, changes, weights = EXAMPLES[name]
    images, labels = np.random.default_rng(0).integers(0, 255, (3, 784), dtype=np.uint8), np.array([3, 1, 4])
    learned = []
    for source in (str(examples[name]), base):
        model: Any = parameters.apply(registry.find(source), changes)
        phase = model.schedules[next(iter(model.schedules))][0]
        state = initial_state(model, phase, model.initial_state(np.random.default_rng(1)))
        program = RuntimeProgram(Structure(model, phase, "float64", "numpy", 3), tmp_path)
        after = program.run(Block(state, model.all_inputs(phase, images, labels), model.run_time_values(), 3)).state
        learned.append(after[weights])
        assert not np.array_equal(after[weights], state[weights])
    assert set(examples) == set(EXAMPLES)
    assert np.isfinite(learned[0]).all()
    assert not np.array_equal(learned[0], learned[1])


@pytest.mark.long
def test_a_rule_with_a_third_factor_trains_to_the_end_without_a_window(
    examples: dict[str, Path], tmp_path: Path
) -> None:
    said = Said()
    changes = EXAMPLES["taught"][1]
    asked = RunSettings(str(examples["taught"]), changes, images=10, test_images=4, device="numpy")
    with results.open_run(train(asked, tmp_path / "run", said)) as tree:
        assert tree.attrs["complete"]
        assert "/stdp_window" not in tree.groups
    assert any("no STDP window" in text for text in said.said)


def test_a_third_factor_is_set_for_every_neuron_and_sample(examples: dict[str, Path], tmp_path: Path) -> None:
    """One at the neurons of the image's class, minus the constant at the others."""
    model = parameters.apply(registry.find(str(examples["taught"])), {"neurons": 12, "unlearning": 0.25})
    state = initial_state(model, "train", model.initial_state(np.random.default_rng(1)))
    program = RuntimeProgram(Structure(model, "train", "float64", "numpy", 1), tmp_path)
    for label in (1, 7):
        images, labels = np.zeros((1, 784), np.uint8), np.array([label])
        after = program.run(Block(state, model.all_inputs("train", images, labels), model.run_time_values(), 3)).state
        assert after["excitatory.m"].tolist() == [1.0 if i % 10 == label else -0.25 for i in range(12)]


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
        pytest.param(
            "w = clip(w + a_plus*x_pre*(1 + tanh(v/mV)), w_min, w_max)", False, marks=pytest.mark.long
        ),
        ("w = clip(w + a_plus*x_pre*rand()*exp(-(t % ms)/ms)*(i + j)/(i + j + 1)*tau_p/ms, w_min, w_max)", True),
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

    said = Said()
    changes = {"neurons": "5", "t_train": "20*ms", "t_test": "20*ms"}
    asked = RunSettings(str(path), changes, images=10, test_images=10, device="numpy")
    with results.open_run(train(asked, tmp_path / "run", said)) as tree:
        assert tree.attrs["complete"]
        assert ("/stdp_window" in tree.groups) is has_window
    assert any("no STDP window" in text for text in said.said) is not has_window


def test_a_network_that_would_lose_spikes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "late.py"
    path.write_text(
        "from dataclasses import dataclass\n"
        "from hebbarium.models.synaptic_scaling import SynapticScaling\n"
        "@dataclass(frozen=True, eq=False)\n"
        "class Late(SynapticScaling):\n"
        "    name = 'late'\n"
        "    def build(self, phase, inputs):\n"
        "        network = super().build(phase, inputs)\n"
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
