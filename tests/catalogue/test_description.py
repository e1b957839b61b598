"""What `describe` says: every parameter, every equation, the order of a step."""

from __future__ import annotations

import re

import pytest

from hebbarium.catalogue.description import FORMATS, describe, gather
from hebbarium.models.contract import Model
from hebbarium.models.desire_backprop import DesireBackprop
from hebbarium.models.symmetric_stdp import SymmetricSTDP
from hebbarium.models.synaptic_scaling import SynapticScaling
from tests.models.small_pipelines import Pipeline


@pytest.fixture(scope="module")
def text() -> str:
    return describe(SynapticScaling(neurons=7))


def test_every_parameter_with_its_source(text: str) -> None:
    for symbol, row in SynapticScaling.parameters().items():
        line = next(line for line in text.splitlines() if line.startswith(f"  {symbol} "))
        assert row.meaning.split()[0] in line
    assert "[Table I, Eq. 7]" in text


def test_every_equation(text: str) -> None:
    for part in (
        "dv/dt = (e_l - v + g_e*(e_exc - v) + g_i*(e_inh - v))/tau_m_exc : V (unless refractory)",
        "dy/dt = -y/tau_p : 1",
        "event spike where v > v_thresh + theta",
        "refractory for t_ref_exc",
        "plastic: 5,488 synapses, input to excitatory",
        "w = clip(w + a_plus*x_pre, w_min, w_max)  # Eq. 5",
    ):
        assert part in text


def test_the_order_of_a_step(text: str) -> None:
    step = text[text.index("A step, in order") :]
    order = (
        *("norm_sum_post += w*w", "scale = w_t", "w *= scale_post", "integrate excitatory"),
        *("theta*expm1", "find spike events"),
        *("g_e_post += gain*w/tau_s", "w - a_minus*y_post", "w + a_plus*x_pre", "theta_plus"),
    )
    places = [step.index(part) for part in order]
    assert places == sorted(places)


def test_slips_are_listed(text: str) -> None:
    for slip in SynapticScaling.slips:
        assert slip[:40] in text


@pytest.mark.parametrize("form", FORMATS)
def test_readouts_and_what_a_presentation_holds(form: str) -> None:
    def said(model: Model) -> str:
        return " ".join(describe(model, form).replace("\\_", "_").split())

    text = said(Pipeline())
    for line in (
        "first_spike: output, time of the first spike in the presentation: the class of the neuron with the earliest;"
        " of several, the largest v at the end of the presentation",
        "first_spike_at_4_ms: output, time of the first spike in the presentation, until 4 ms: the class",
        "potential_at_5_ms: output, v at 5 ms: the class of the neuron with the largest; the lowest of several",
        "train: 8 samples a presentation, 1 presentation without a sample after each, answers 1 presentation later",
        "test: 8 samples a presentation, answers 1 presentation later",
    ):
        assert line in text
    text = said(SymmetricSTDP())
    phases = "train, train_hidden, train_classes, respond, test"
    assert f"{phases}: one sample a presentation, shown again until 'controller' says that it is over" in text
    assert "most_active: excitatory, spikes in one presentation: the label of the neuron with the largest;" in text
    assert "; in training a teacher speaks" in text


@pytest.mark.parametrize("form", FORMATS)
def test_a_choice_changes_the_equations(form: str) -> None:
    fixed = describe(SynapticScaling(adaptive_threshold=False, norm="none"), form)
    usual = describe(SynapticScaling(), form)
    assert "norm_sum" in usual.replace("\\_", "_")
    assert "norm_sum_post" not in fixed


@pytest.mark.parametrize(
    ("model", "lines"),
    [
        (SynapticScaling(), (
            "dv/dt = (e_l - v + g_e*(e_exc - v) + g_i*(e_inh - v))/tau_m_exc : V (unless refractory)  # Eqs. 2, 3",
            "event spike where v > v_thresh + theta  # Section IV.C",
            "w *= scale_post  # Eq. 6",
        )),
        (SymmetricSTDP(), (
            "dv/dt = (e_l - v + g_e*(e_exc - v) + g_i*(e_inh - v))/tau_m : V (unless refractory)  # Eq. 1",
            "event spike where v > v_thresh + theta  # Eq. 4",
            "theta += theta_plus*theta_init/abs(2*theta - theta_init)  # Eq. 5",
            "w = clip(w + minus*a_plus_class*y_post, w_min, w_max_class)  # Eq. 6, post before pre",
            "w *= scale_post  # Eq. 7",
        )),
        (DesireBackprop(), (
            "v = beta_p*v + drive/(1 - p_hidden)  # Eqs. 1, 16",
            "pull_pre += w*error_post  # Eq. 13",
            "desire = -sign(pull)*int(abs(pull) >= theta_hid)*kept  # Eq. 15",
        )),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_equations_have_the_papers_numbers(model: Model, lines: tuple[str, ...]) -> None:
    for form in ("text", "markdown", "latex"):
        description = describe(model, form)
        for line in lines:
            if form == "latex" and line.startswith("dv/dt"):
                line = "\\tag*{" + line.partition("# ")[2] + "}"
            assert line in description
        if model.name == "symmetric_stdp":
            assert ("$\\theta$ (Eq. 5)" if form == "latex" else "theta : V  # Eq. 5") in description


def test_nothing_is_learned_in_a_test() -> None:
    assert not any("a_plus" in line for op in gather(SynapticScaling(), "test").operations for line in op.code)


def test_markdown_tables_are_whole() -> None:
    lines = [line for line in describe(SynapticScaling(), "markdown").splitlines() if line.startswith("|")]
    assert len(lines) == len(SynapticScaling.parameters()) + 2
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {5}


def test_latex_is_balanced() -> None:
    text = describe(SynapticScaling(), "latex")
    verbatim = re.sub(r"\\begin\{verbatim\}.*?\\end\{verbatim\}", "", text, flags=re.DOTALL)
    begun, ended = (sorted(re.findall(rf"\\{word}\{{(\w+\*?)\}}", text)) for word in ("begin", "end"))
    assert begun == ended
    plain = re.sub(r"\\[{}]", "", verbatim)
    assert plain.count("{") == plain.count("}")
    assert r"\frac{\mathrm{d}y}{\mathrm{d}t} &= - \frac{y}{\tau_{\mathrm{p}}}" in text


def test_another_phase_or_form_is_refused() -> None:
    with pytest.raises(ValueError, match="expected one of train, respond, test"):
        describe(SynapticScaling(), phase="sleep")
    with pytest.raises(ValueError, match="expected one of text, markdown, latex"):
        describe(SynapticScaling(), "rtf")
