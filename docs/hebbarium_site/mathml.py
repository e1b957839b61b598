"""Formulas as MathML, which browsers draw by themselves: the site needs no script from elsewhere."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

_LOGGER = logging.getLogger(__name__)


def visit_inline(translator: Any, node: nodes.math) -> None:
    """Write a formula within a line."""
    translator.body.append(mathml(node.astext(), node))
    raise nodes.SkipNode


def visit_block(translator: Any, node: nodes.math_block) -> None:
    """Write a formula in lines of its own."""
    text = re.sub(r"\\tag\*?\{([^}]*)\}", r"\\qquad \\text{\1}", node.astext())  # docutils has no tags
    if r"\\" not in text:
        text = text.replace("&", "")  # one line has nothing to be aligned with
    translator.body.append(f'<div class="math">{mathml(text, node, as_block=True)}</div>\n')
    raise nodes.SkipNode


def mathml(text: str, node: nodes.Element, *, as_block: bool = False) -> str:
    """A formula; what docutils cannot read is shown as it is, with a warning."""
    try:
        made: str = tex2mathml(text, as_block=as_block)
    except (MathError, AttributeError, SyntaxError) as error:
        _LOGGER.warning("formula %s: %s", text, error, location=node)
        return f"<code>{text}</code>"
    return made
