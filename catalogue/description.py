"""A model in words: its parameters with their sources, its equations, and what happens in a step, in order.

The equations are those of the network that runs: it is built, and read, without being run.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import sympy
from brian2 import BrianLogger, Network, NeuronGroup, Synapses
from brian2.equations.equations import (
    DIFFERENTIAL_EQUATION,
    PARAMETER,
    SUBEXPRESSION,
    Equations,
    SingleEquation,
)
from brian2.groups.group import CodeRunner
from brian2.groups.neurongroup import Resetter, StateUpdater, Thresholder
from brian2.parsing.sympytools import str_to_sympy
from brian2.synapses.synapses import SynapticPathway
from brian2.units.fundamentalunits import get_unit, have_same_dimensions

from hebbarium.engine import anatomy, runtime
from hebbarium.models.contract import Model, Parameter

# The network is read and dropped: that it never ran is meant.
BrianLogger.suppress_name("unused_brian_object")

__all__ = ["FORMATS", "Description", "Operation", "Population", "describe", "meaning", "readable"]

_WIDTH = 110
_GREEK = {
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu"),
    *("nu", "xi", "pi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega"),
}


@dataclass(frozen=True)
class Population:
    """A group of neurons or synapses: what it is and its variables."""

    name: str
    what: str
    equations: tuple[SingleEquation, ...]
    comments: tuple[str, ...]  # of each equation: its number in the paper, say
    facts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Operation:
    """One thing that happens in a step."""

    slot: str
    order: int
    what: str
    code: tuple[str, ...] = ()


@dataclass(frozen=True)
class Description:
    """Everything that is said of a model."""

    model: Model
    phase: str
    parameters: tuple[tuple[str, str, str, str], ...]  # symbol, value, meaning, source
    populations: tuple[Population, ...]
    operations: tuple[Operation, ...]

    @property
    def lists(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What is said in sentences: a title and entries, as far as there are some."""
        m = self.model
        readouts = tuple(f"{readout.name}: {readout.meaning}" for readout in m.readouts)
        again = f", shown again until '{m.controller}' says that it is over" if m.controller else ""
        phases: dict[str, list[str]] = {}
        for phase in m.phases:
            phases.setdefault(m.slots(phase).meaning, []).append(phase)
        slots = [f"{', '.join(names)}: {meaning}{again}" for meaning, names in phases.items()]
        lists = {
            "Readouts": readouts,
            "Samples in presentations": tuple(slots),
            "Printed slips, corrected": m.slips,
            "What the paper leaves open": m.open_choices,
        }
        return tuple((title, entries) for title, entries in lists.items() if entries)


def describe(model: Model, form: str = "text", phase: str | None = None) -> str:
    """A model's description.

    Parameters
    ----------
    model : Model
    form : {'text', 'markdown', 'latex'}
        LaTeX comes as a fragment for a document that uses ``amsmath`` and ``longtable``.
    phase : str, optional
        Phase whose network is shown; the model's first one unless stated.

    Raises
    ------
    ValueError
        Unknown form or phase.

    Examples
    --------
    >>> from hebbarium.models.synaptic_scaling import SynapticScaling
    >>> print(describe(SynapticScaling()).splitlines()[0])
    synaptic_scaling: Winner-take-all network with STDP and synaptic scaling
    """
    if form not in FORMATS:
        raise ValueError(f"format {form}: expected one of {', '.join(FORMATS)}")
    return FORMATS[form](gather(model, phase or model.phases[0]))


def gather(model: Model, phase: str) -> Description:
    """Build a model's network and read it. Raises `ValueError` for an unknown phase."""
    if phase not in model.phases:
        raise ValueError(f"phase {phase}: expected one of {', '.join(model.phases)}")
    with runtime.runtime_device("numpy", "float64"):
        network = model.build(phase, anatomy.one_sample(model, phase))
        comments = _comments(model)
        populations = tuple(_populations(network, list(anatomy.populations(model)), comments))
        operations = tuple(_operations(network, comments))
    return Description(model, phase, tuple(_parameters(model)), populations, operations)


def _parameters(model: Model) -> Iterator[tuple[str, str, str, str]]:
    for symbol, row in model.parameters().items():
        yield symbol, readable(row.show(getattr(model, symbol))), meaning(row), row.source


def readable(value: str) -> str:
    """A value of a parameter as it is printed, from what can be typed.

    >>> readable("20*ms"), readable("0.1*(1/ms)"), readable("1*(uF/cm2)")
    ('20 ms', '0.1/ms', '1 uF/cm2')
    """
    value = re.sub(r"\*\((1?)(.*)\)", lambda m: m[2] if m[1] else f" {m[2]}", value)
    return value.replace("**", "^").replace("*", " ")


def meaning(row: Parameter) -> str:
    """What a parameter means, and which values it may have."""
    if row.among and set(row.among) != {True, False}:
        return f"{row.meaning} (one of {', '.join(map(str, row.among))})"
    return f"{row.meaning} ({row.within.short})" if row.within.short else row.meaning


def _comments(model: Model) -> dict[str, str]:
    """What stands behind the lines of a model's own strings, by the line: Brian2 drops it from equations."""
    comments = {}
    for kind in reversed(type(model).__mro__):
        for value in vars(kind).values():
            for string in value.values() if isinstance(value, Mapping) else (value,):
                for line in string.splitlines() if isinstance(string, str) else ():
                    code, _, comment = line.partition("#")
                    comments[_key(re.sub(r" : .*", "", code))] = comment.strip()
    return {code: comment for code, comment in comments.items() if code and comment}


def _key(code: str) -> str:
    return "".join(code.split())


def _commented(code: str, comments: Mapping[str, str]) -> str:
    comment = comments.get(_key(code.partition(" : ")[0]))
    return f"{code}  # {comment}" if comment else code


def _populations(network: Network, named: list[str], comments: Mapping[str, str]) -> Iterator[Population]:
    """The model's populations in its order, then other groups, then synapses in the order of a step."""
    parts = network.sorted_objects
    groups = {part.name: part for part in parts if isinstance(part, NeuronGroup)}
    synapses = {part.name: part for part in parts if isinstance(part, Synapses)}
    pathways = [part.synapses.name for part in parts if isinstance(part, SynapticPathway)]
    order = dict.fromkeys([*named, *groups, *pathways, *synapses])
    for group in [(groups | synapses)[name] for name in order if name in groups or name in synapses]:
        if isinstance(group, NeuronGroup):
            facts = [
                f"event {event} where {_commented(condition, comments)}"
                for event, condition in sorted(group.events.items())
            ]
            if isinstance(group._refractory, str):
                facts.append(f"refractory for {group._refractory}")
            what = f"{len(group):,} neuron{'s' if len(group) > 1 else ''}"
            equations = _shown(group.user_equations)
        else:
            what = f"{len(group):,} synapses, {group.source.name} to {group.target.name}"
            equations, facts = _shown(group.equations), []
        numbers = tuple(comments.get(_key(_equation(equation).partition(" : ")[0]), "") for equation in equations)
        yield Population(group.name, what, equations, numbers, tuple(facts))


def _shown(equations: Equations) -> tuple[SingleEquation, ...]:
    """Equations and variables; constants shared by a group are in the parameter table."""
    order = {DIFFERENTIAL_EQUATION: 0, SUBEXPRESSION: 1, PARAMETER: 2}
    kept = [eq for eq in equations.values() if not (eq.type == PARAMETER and "constant" in eq.flags)]
    return tuple(sorted(kept, key=lambda eq: order[eq.type]))


def _operations(network: Network, comments: Mapping[str, str]) -> Iterator[Operation]:
    for part in network.sorted_objects:
        place = (part.when, part.order)
        match part:
            case StateUpdater() if any(
                eq.type == DIFFERENTIAL_EQUATION for eq in part.group.equations.values()
            ):
                yield Operation(*place, f"integrate {part.group.name} ({part.method_choice})")
            case Thresholder():
                condition = _commented(part.group.events[part.event], comments)
                yield Operation(*place, f"find {part.event} events of {part.group.name}", (condition,))
            case Resetter() if code := _lines(part.group.event_codes[part.event]):
                yield Operation(*place, f"at each {part.event} of {part.group.name}", code)
            case CodeRunner() if type(part) is CodeRunner:
                yield Operation(*place, f"at each step in {part.group.name}", _lines(part.abstract_code))
            case SynapticPathway():
                synapses = part.synapses
                side = synapses.source if part.prepost == "pre" else synapses.target
                yield Operation(
                    *place, f"{synapses.name}: at each {part.event} of {side.name}", _lines(part.code)
                )


def _lines(code: str) -> tuple[str, ...]:
    lines = (re.sub(r"\s+#", "  #", line.strip()) for line in code.splitlines())
    return tuple(line for line in lines if line)


def _unit(equation: SingleEquation) -> str:
    return "1" if have_same_dimensions(equation.dim, 1) else str(get_unit(equation.dim))


def _equation(equation: SingleEquation) -> str:
    flags = f" ({', '.join(equation.flags)})" if equation.flags else ""
    if equation.type == DIFFERENTIAL_EQUATION:
        return f"d{equation.varname}/dt = {equation.expr} : {_unit(equation)}{flags}"
    if equation.type == SUBEXPRESSION:
        return f"{equation.varname} = {equation.expr} : {_unit(equation)}{flags}"
    return f"{equation.varname} : {_unit(equation)}{flags}"


def _equations(population: Population) -> Iterator[str]:
    for equation, comment in zip(population.equations, population.comments, strict=True):
        yield f"{_equation(equation)}  # {comment}" if comment else _equation(equation)


# -- text ----------------------------------------------------------------------------------------------------


def _text(d: Description) -> str:
    m = d.model
    out = [f"{m.name}: {m.title}", m.paper, "", "Parameters", *_aligned(d.parameters)]
    out += ["", f"Equations (phase {d.phase})"]
    for population in d.populations:
        out += [f"  {population.name}: {population.what}"]
        out += [f"      {line}" for line in _equations(population)]
        out += [f"      {fact}" for fact in population.facts]
    out += ["", "A step, in order"]
    for op in d.operations:
        out += [f"  {op.slot + ' ' + str(op.order):13} {op.what}", *(f"{'':20}{line}" for line in op.code)]
    for title, entries in d.lists:
        out += ["", title]
        out += [textwrap.fill(e, _WIDTH, initial_indent="  - ", subsequent_indent="    ") for e in entries]
    return "\n".join(out)


def _aligned(rows: tuple[tuple[str, str, str, str], ...]) -> list[str]:
    symbols = max(len(row[0]) for row in rows)
    values = max(len(row[1]) for row in rows)
    lines = []
    for symbol, value, meaning, source in rows:
        head = f"  {symbol:{symbols}}  {value:>{values}}  "
        lines += textwrap.wrap(
            f"{meaning}  [{source}]", _WIDTH, initial_indent=head, subsequent_indent=" " * (len(head) + 2)
        )
    return lines


# -- Markdown ------------------------------------------------------------------------------------------------


def _markdown(d: Description) -> str:
    m = d.model
    out = [f"# `{m.name}`: {m.title}", "", m.paper, "", "## Parameters", ""]
    out += ["| symbol | value | meaning | source |", "| --- | ---: | --- | --- |"]
    for symbol, value, meaning, source in d.parameters:
        out.append(f"| `{symbol}` | {value} | {_cell(meaning)} | {_cell(source)} |")
    out += ["", f"## Equations (phase `{d.phase}`)"]
    for population in d.populations:
        body = [*_equations(population), *population.facts]
        out += ["", f"`{population.name}`: {population.what}"]
        out += ["", "```text", *body, "```"] if body else []
    out += ["", "## A step, in order", ""]
    for number, op in enumerate(d.operations, start=1):
        out.append(f"{number}. `{op.slot} {op.order}` {op.what}")
        out += ["", "    ```text", *(f"    {line}" for line in op.code), "    ```", ""] if op.code else []
    for title, entries in d.lists:
        out += ["", f"## {title}", "", *(f"- {entry}" for entry in entries)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


# -- LaTeX ---------------------------------------------------------------------------------------------------


def _latex(d: Description) -> str:
    m = d.model
    out = [
        "% needs \\usepackage{amsmath,longtable}",
        f"\\section*{{{_escaped(m.title)}}}",
        _escaped(m.paper),
        "",
    ]
    out += ["\\begin{longtable}{llp{0.4\\textwidth}p{0.25\\textwidth}}"]
    out += ["symbol & value & meaning & source \\\\ \\hline \\endhead"]
    for symbol, value, meaning, source in d.parameters:
        cells = (f"${_symbol(symbol)}$", _escaped(value), _escaped(meaning), _escaped(source))
        out.append(" & ".join(cells) + " \\\\")
    out += ["\\end{longtable}", "", f"\\subsection*{{Equations (phase {_escaped(d.phase)})}}"]
    for population in d.populations:
        out += ["", f"\\paragraph{{{_escaped(population.name)}}} {_escaped(population.what)}."]
        numbered = list(zip(population.equations, population.comments, strict=True))
        dynamic = [_align_line(eq, comment) for eq, comment in numbered if eq.type != PARAMETER]
        if dynamic:
            out += ["\\begin{align*}", " \\\\\n".join(dynamic), "\\end{align*}"]
        plain = [
            f"${_symbol(eq.varname)}$" + f" ({_escaped(comment)})" * bool(comment)
            for eq, comment in numbered if eq.type == PARAMETER
        ]
        if plain:
            out.append(f"Variables: {', '.join(plain)}.")
        if population.facts:
            out += ["\\begin{verbatim}", *population.facts, "\\end{verbatim}"]
    out += ["", "\\subsection*{A step, in order}", "\\begin{enumerate}"]
    for op in d.operations:
        out.append(f"\\item \\texttt{{{op.slot} {op.order}}} {_escaped(op.what)}")
        out += ["\\begin{verbatim}", *op.code, "\\end{verbatim}"] if op.code else []
    out += ["\\end{enumerate}"]
    for title, entries in d.lists:
        out += ["", f"\\subsection*{{{title}}}", "\\begin{itemize}"]
        out += [*(f"\\item {_escaped(entry)}" for entry in entries), "\\end{itemize}"]
    return "\n".join(out)


def _align_line(equation: SingleEquation, comment: str) -> str:
    expression = str_to_sympy(str(equation.expr))
    names = {symbol: _symbol(symbol.name) for symbol in expression.free_symbols}
    right = sympy.latex(expression, symbol_names=names)
    name = _symbol(equation.varname)
    left = (
        f"\\frac{{\\mathrm{{d}}{name}}}{{\\mathrm{{d}}t}}" if equation.type == DIFFERENTIAL_EQUATION else name
    )
    return f"{left} &= {right}" + (f" \\tag*{{{_escaped(comment)}}}" if comment else "")


def _symbol(name: str) -> str:
    """A variable's name in mathematics.

    >>> _symbol("tau_m_exc"), _symbol("w"), _symbol("gain")
    ('\\\\tau_{\\\\mathrm{m,exc}}', 'w', '\\\\mathrm{gain}')
    """
    base, *rest = (f"\\{part}" if part in _GREEK else part for part in name.split("_"))
    if len(base) > 1 and not base.startswith("\\"):
        base = f"\\mathrm{{{base}}}"
    return base + (f"_{{\\mathrm{{{','.join(rest)}}}}}" if rest else "")


_SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"} | {
    sign: f"\\{sign}" for sign in "&%$#_{}"
}


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(sign, sign) for sign in text)


FORMATS: dict[str, Callable[[Description], str]] = {"text": _text, "markdown": _markdown, "latex": _latex}
