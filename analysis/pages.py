"""Pages of HTML that need nothing besides themselves: figures are in them, and whatever a run says is text in them.

A run may come from a stranger. What stands in its files is escaped, cut where it is very long, and freed of characters
that do something to a page; a page loads nothing and allows no script but those that it is served with.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from matplotlib.figure import Figure

from hebbarium.analysis import figures
from hebbarium.analysis.figures.style import MM
from hebbarium.files.errors import in_one_line

__all__ = ["LONGEST", "Picture", "picture", "render", "text_of"]

LONGEST = 4000
"""Characters of one text from a file."""
_PNG = "data:image/png;base64,"
_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Picture:
    """A figure as a page shows it.

    Parameters
    ----------
    name : str
    text : str
        What is seen in it, in a sentence.
    width_mm : int
        As it was drawn: its type then has the size that was meant.
    source : str
        The picture itself, as an address that loads nothing; empty if it could not be drawn.
    problem : str
        Why it could not.
    """

    name: str
    text: str
    width_mm: int = 0
    source: str = ""
    problem: str = ""


def picture(name: str, text: str, figure: Figure) -> Picture:
    """A figure as part of a page."""
    coded = base64.b64encode(figures.content(figure)).decode("ascii")
    return Picture(name, text, round(figure.get_figwidth() / MM), f"{_PNG}{coded}")


def render(template: str, **values: Any) -> str:
    """A page from one of the templates.

    Parameters
    ----------
    template : str
        Name of a file in ``analysis/templates``.
    **values
        What it names: texts, numbers, `Picture`, and whatever holds these.
    """
    return _environment().get_template(template).render(values)


def text_of(name: str) -> str:
    """A style or a script that a page is served with, from ``analysis/templates``."""
    return (_TEMPLATES / name).read_text(encoding="utf-8")


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, finalize=_as_text,
    )  # fmt: skip
    environment.globals["style"] = text_of("style.css")
    return environment


def _as_text(value: Any) -> Any:
    """A value as a page prints it, before it is escaped."""
    if not isinstance(value, str) or hasattr(value, "__html__") or value.startswith(_PNG):
        return value  # no text of a file, but what templates call safe, and pictures
    text = in_one_line(value[: LONGEST + 1])
    return f"{text[:LONGEST]}…" if len(value) > LONGEST else text
