"""A user's own file: what is wrong with it is told by file, line and string, before anything is compiled."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hebbarium.catalogue import own_equations, registry
from hebbarium.catalogue.own_files import OwnFileError
from hebbarium.commands import commandline
from hebbarium.engine import devices
from hebbarium.files.errors import ModelRefused
from hebbarium.training import parameters

DECORATOR = "@dataclass(frozen=True, eq=False)"
HEAD = """
    from dataclasses import dataclass
    from hebbarium.models.contract import Model, quantity
    from hebbarium.models.synaptic_scaling import SynapticScaling
    from brian2 import ms

    @dataclass(frozen=True, eq=False)
    class Own(SynapticScaling):
        name = "own"
        mu: float = quantity(0.2, 1, "own", "own")
"""


def written(folder: Path, body: str, head: str = HEAD) -> str:
    """A model's file: what is said once in ``head``, and the lines of its class."""
    path = folder / "rule.py"
    path.write_text(textwrap.dedent(head).lstrip() + textwrap.indent(textwrap.dedent(body), " " * 4))
    return str(path)


def read(file: str) -> None:
    """Read the model of a file, in a small network."""
    own_equations.refuse(parameters.apply(registry.find(file), {"neurons": "3", "pixels": "9"}))


def refusal(file: str) -> str:
    """What is said of a file whose model cannot be trained."""
    with pytest.raises(ValueError, match=r"rule\.py") as refused:
        read(file)
    text = str(refused.value)
    assert "\n" not in text
    return text.removeprefix(file)


NOT_KNOWN = ":10: potentiation: '{}' is not known; did you mean {}?"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('potentiation = "w = clip(w + a_pluss*x_pre, w_min, w_max)"', NOT_KNOWN.format("a_pluss", "a_plus")),
        ('potentiation = "w = clip(w - mu*yy_post, w_min, w_max)"', NOT_KNOWN.format("yy_post", "y_post")),
        ('potentiation = "w = clipp(w, w_min, w_max)"', NOT_KNOWN.format("clipp", "clip")),
        ('depression = "w -= muu*y_post"', ":10: depression: 'muu' is not known; did you mean mu?"),
        (
            'potentiation = """\nw += mu\nw = clip(w, w_mn, w_max)\n"""',
            ":12: potentiation: 'w_mn' is not known; did you mean w_min?",
        ),
        ('step = "w += nu"\npotentiation = step', ":10: step: 'nu' is not known"),
        ('potentiation = "w = w + a_plus*x_pre + tau_p"', ":10: potentiation: DimensionMismatchError: "),
        ('potentiation = "w = w + a_plus*x_pre*tau_p"', ":10: potentiation: DimensionMismatchError: "),
        ('potentiation = "w = clip(w + a_plus*x_pre,, w_min)"', ":10: potentiation: SyntaxError: "),
        ('potentiation = "w = clip(w"', ":10: potentiation: "),
        ('potentiation = "w"', ":10: potentiation: "),
        ('potentiation = "mu = 3"', ":10: potentiation: SyntaxError: "),
        (
            'potentiation = "ww = clip(w, w_min, w_max)"',
            ":10: potentiation: 'ww' is set, but no variable of that name is there; did you mean w?",
        ),
        ("potentiation = 5", "TypeError"),
        ("def build(self, *given):\n    return missing", ":11: NameError: name 'missing' is not defined"),
        (
            "def build(self, *given):\n    network = super().build(*given)\n"
            "    network['to_inhibitory'].pre.delay = '1*ms'\n    return network",
            "'to_inhibitory_pre' has delays",
        ),
        ("def encode(self, images):\n    return {}", "ValueError: encode gives no inputs"),
    ],
)
def test_an_error_in_a_string_is_told_by_file_line_and_attribute(tmp_path: Path, body: str, words: str) -> None:
    file = written(tmp_path, body)
    if "has delays" in words:
        with pytest.raises(ModelRefused, match=words):
            read(file)
    else:
        assert words in refusal(file)


@pytest.mark.parametrize(
    "body",
    [
        'potentiation = "w = clip(w + a_plus*x_pre*int(theta_post >= 0*mV), w_min, w_max)"',
        'potentiation = "w = clip(w + a_plus*x_pre*rand()*exp(-(t % ms)/ms)*(i + j)/(i + j + 1), w_min, w_max)"',
        'potentiation = "change = a_plus*x_pre*tau_p/ms\\nw = clip(w + change, w_min, w_max)"',
    ],
)
def test_a_rule_may_read_what_its_neurons_have(tmp_path: Path, body: str) -> None:
    read(written(tmp_path, body))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import sys\nsys.exit(0)\n", ":2: ends Python when it is imported (exit code 0)"),
        ("raise SystemExit\n", ":1: ends Python"),
        ("x = 1\n1/0\n", ":2: cannot be imported: ZeroDivisionError: division by zero"),
        ("def f():\n    raise ValueError('a\\nb')\nf()\n", ":2: cannot be imported: ValueError: a b"),
        ("x = 1\nclass (:\n", ":2: cannot be imported: SyntaxError: invalid syntax"),
        ("import no_such_module\n", ":1: cannot be imported: ModuleNotFoundError: No module named 'no_such_module'"),
        ("raise GeneratorExit\n", ":1: cannot be imported: GeneratorExit"),
        ("\xff", "cannot be imported: SyntaxError"),
        ("x = 1\n", ": defines no model; expected a class"),
        ("", ": defines no model"),
    ],
)
def test_a_file_that_cannot_be_imported_is_told_by_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "rule.py"
    path.write_text(text, encoding="latin-1")
    file = str(path)
    for command in (["train", file], ["describe", file], ["sweep", file, "--set", "w_t=3", "--out", "s"]):
        found = CliRunner().invoke(commandline.app, command)
        assert found.exit_code == 1
        assert f"rule.py{words}" in found.output or words in found.output
        assert "unexpected" not in found.output
        assert len(found.output.splitlines()) == 1


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (HEAD.replace(DECORATOR, ""), "class Own: mu did not become a parameter; expected the decorator"),
        (HEAD.replace(DECORATOR, "@dataclass"), "cannot be imported: TypeError: cannot inherit non-frozen"),
        (HEAD.replace('name = "own"', ""), "class Own: has the name of another model, synaptic_scaling"),
        (HEAD.replace('"own"\n', '"diehl_cook"\n', 1), "class Own: has the name of another model, diehl_cook"),
        (HEAD.replace("mu: float =", "mu ="), "'mu' is a field but has no type annotation"),
        (HEAD.replace("(SynapticScaling)", "(Model)"), "class Own: says no title, paper, phases"),
        (HEAD.replace("(SynapticScaling)", ""), "defines no model"),
        (HEAD + "    class Two(Own):\n        name = 'two'\n", "defines 2 models (Own, Two); name one as"),
        (
            HEAD.replace("(SynapticScaling)", "(Model)") + "        title = paper = 'x'\n        phases = ('train',)\n",
            "class Own: does not say build()",
        ),
        (HEAD.replace('name = "own"', "name = 5"), "class Own: name = 5: expected text in quotes"),
        (HEAD.replace('name = "own"', 'name = "../own"'), "class Own: name = '../own': expected letters"),
        (HEAD + "        potentation = 'w = w'\n", "potentation is nothing that its model reads; did you mean"),
        (HEAD + "        def initial_stat(self, generator): return {}\n", "did you mean initial_state? Rename it"),
    ],
)  # fmt: skip
def test_a_class_that_is_no_whole_model_is_told(tmp_path: Path, head: str, words: str) -> None:
    with pytest.raises(ValueError, match=r"rule\.py") as refused:
        registry.find(written(tmp_path, "", head))
    assert words in str(refused.value)


def test_training_is_refused_before_anything_is_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a program was compiled")

    monkeypatch.setattr(devices, "program", refuse)
    file = written(tmp_path, 'potentiation = "w = clip(w + a_pluss*x_pre, w_min, w_max)"')
    found = CliRunner().invoke(commandline.app, ["train", file, "--out", str(tmp_path / "run")])
    assert found.exit_code == 1
    assert "rule.py:10: potentiation: 'a_pluss' is not known" in found.output
    assert not (tmp_path / "run").exists()


def test_models_of_the_project_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in registry.models().values():
        monkeypatch.setattr(kind, "build", None)
        own_equations.refuse(kind())


def test_errors_of_files_are_errors_in_words() -> None:
    assert issubclass(OwnFileError, ValueError)
