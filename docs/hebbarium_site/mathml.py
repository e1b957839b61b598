"""Formulas as MathML, which browsers draw by themselves: the site needs no script from elsewhere."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml


def visit_inline(translator: Any, node: nodes.math) -> None:
    """Write a formula within a line."""
    translator.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def visit_block(translator: Any, node: nodes.math_block) -> None:
    """Write a formula in lines of its own."""
    text = node.astext()
    if r"\\" not in text:
        text = text.replace("&", "")  # nothing to align with
    translator.body.append(f'<div class="math">{tex2mathml(text, as_block=True)}</div>\n')
    raise nodes.SkipNode
