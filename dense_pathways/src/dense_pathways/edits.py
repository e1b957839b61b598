# SPDX-FileCopyrightText: 2026 The Hebbarium developers
# SPDX-License-Identifier: BSD-3-Clause
"""Brian2's templates of which a few words are to be others: read from the Brian2 that is installed, and edited.

Nothing of their text stands here but the places that are looked for. Each has to be there as often as expected, or
nothing is generated.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import brian2
from jinja2 import BaseLoader, ChoiceLoader, Environment, TemplateNotFound

from dense_pathways.brian2_parts import Templater
from dense_pathways.sources import ROW

_REMEDY = "Install Brian2 2.10 or 2.11, or use the device 'cpp_standalone'"


def whole(size: int) -> int:
    """An array's size, rounded up to whole vectors."""
    return -(-size // ROW) * ROW


@dataclass(frozen=True)
class Edit:
    """What takes the place of something.

    Parameters
    ----------
    place : str
        Regular expression, whose groups ``put`` may name.
    put : str
        As in `re.sub`.
    times : int, optional
        How often the place occurs; by default it has to, no matter how often.
    """

    place: str
    put: str
    times: int | None = 1

    def apply(self, text: str, template: str) -> str:
        """The edited text. Raises `RuntimeError` where the place is not found as expected."""
        edited, count = re.subn(self.place, self.put, text, flags=re.MULTILINE | re.DOTALL)
        if count != self.times and not (self.times is None and count):
            raise RuntimeError(
                f"Brian2 {brian2.__version__} has another template '{template}' than dense_pathways can edit:"
                f" '{self.place}' occurs {count} times, expected {self.times or 'at least 1'}. {_REMEDY}"
            )
        return edited


def _frame(text: str) -> str:
    """What surrounds an operation: what its file defines gets a namespace of its own, so that files can be joined."""
    name = "common_group.cpp"
    macros = re.split(r"(?=\{% macro )", text)
    parts = [re.match(r"\{% macro (before_run_|after_run_|)cpp_file\(", macro) for macro in macros]
    if sum(part is not None for part in parts) != 3:
        raise RuntimeError(
            f"Brian2 {brian2.__version__} has another template '{name}' than dense_pathways can edit: its macros have"
            f" other names. {_REMEDY}"
        )
    for k, part in enumerate(parts):
        if part is None:
            continue
        own = part[1] + "{{codeobj_name}}_support"
        edits = [
            Edit(
                '(?<=#include )"objects.h"',
                '"dense_math.h"\n#include "objects.h"\n'
                + "\n".join(f'#include "dense_{name}.h"' for name in ("random", "runs", "watch")),
            ),
            Edit(r"^namespace \{", f"namespace {own} {{"),
            Edit(r"(using namespace )brian;", rf"\g<0>\n    \g<1>{own};"),
        ]
        if not part[1]:
            edits += [
                # an operation may end early: its time is taken by what goes out of scope then
                Edit(r"^ *\{% if profiled %\}(?:(?!endif).)*_start_time =.*?\{% endif %\}\n", _WATCHED),
                Edit(r"^ *\{% if profiled %\}(?:(?!endif).)*_end_time =.*?\{% endif %\}\n", ""),
                Edit(r"^ *\{% block maincode %\}", rf"{_REMARK}\g<0>"),
            ]
        for edit in edits:
            macros[k] = edit.apply(macros[k], name)
    return "".join(macros)


_WATCHED = """\
    {% if profiled %}
    const _dense_stopwatch _dense_watch({{codeobj_name}}_profiling_info);
    {% endif %}
"""
_REMARK = """\
    {% if remark is defined and remark %}
    // DENSE-REMARK: {{remark}}
    {% endif %}
"""


def _steps(text: str) -> str:
    """The loop over steps: where there is one clock, which is the common case, no operation's clock is looked up."""
    for edit in (
        Edit(r"curclocks\.find\(\w+\) != ", r"clocks.size() == 1 || \g<0>"),
        Edit(r"^( *)(?=clock = next_clocks\(\);)", r"\1if (clocks.size() > 1)\n\1    "),
        Edit(r'^#include "network\.h"', r'\g<0>\n#include "dense_runs.h"'),
        Edit(r"^ *compute_clocks\(\);", r"    ++_dense_runs::begun();\n\g<0>"),
        Edit(r"\bhigh_resolution_clock\b", "steady_clock", times=None),  # the time of day may be set meanwhile
    ):
        text = edit.apply(text, "network.cpp")
    return text


def _arrays(text: str) -> str:
    """Arrays are longer, to whole vectors, so that a loop over elements need not go on one by one at its end.

    What lies beyond an array's own size begins as zero, is computed along and read by nothing.
    """
    return Edit(r"= new (\S+)\[\{\{([\w.]+)\}\}\];", r"= new \1[{{\2 | whole}}]();", 3).apply(text, "objects.cpp")


def _lists(name: str, text: str) -> str:
    """Where listed synapses are made: a list that nothing reads may stay empty, which is known at the end."""
    unread = "{% if spared is defined and varname in spared %}%UNREAD:{{varname}}% {% endif %}"
    return Edit(r"(\{\{varname\}\}\.resize\()(newsize\);)", rf"\g<1>{unread}\g<2>").apply(text, name)


EDITED: dict[str, Callable[[str], str]] = {
    "common_group.cpp": _frame,
    "network.cpp": _steps,
    "objects.cpp": _arrays,
    **{name: partial(_lists, name) for name in ("synapses_create_array.cpp", "synapses_create_generator.cpp")},
}
"""How templates of Brian2 are edited, by their names."""


class EditingLoader(BaseLoader):
    """Loads the templates of `EDITED` through another loader.

    Parameters
    ----------
    original : jinja2.BaseLoader
        Finds Brian2's own.
    """

    def __init__(self, original: BaseLoader) -> None:
        self.original = original

    def get_source(self, environment: Environment, template: str) -> tuple[str, str | None, Callable[[], bool] | None]:
        """See `jinja2.BaseLoader.get_source`."""
        if template not in EDITED:
            raise TemplateNotFound(template)
        text, file, fresh = self.original.get_source(environment, template)
        return EDITED[template](text), file, fresh


def templates(original: Templater, package: str) -> Templater:
    """Brian2's templates, behind those of a package and those that are edited."""
    derived = original.derive(package)
    theirs = original.env.loader
    ours, *_ = derived.env.loader.loaders
    derived.env.loader = ChoiceLoader([ours, EditingLoader(theirs), theirs])
    derived.env.filters["whole"] = whole
    return derived
