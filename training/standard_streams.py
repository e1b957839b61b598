"""Standard output and error that can write everything, whatever their encoding, and that are always there."""

from __future__ import annotations

import codecs
import io
import os
import sys
import unicodedata

_PLAINLY = "hebbarium.plainly"
_SIGNS = {
    "±": "+-", "×": "x", "·": "*", "÷": "/", "–": "-", "—": "-", "−": "-", "…": "...", "→": "->", "←": "<-", "≤": "<=",
    "≥": ">=", "≠": "!=", "≈": "~", "√": "sqrt", "∞": "inf", "∈": "in", "∑": "sum", "∂": "d", "“": '"', "”": '"',
    "„": '"', "‘": "'", "’": "'", "•": "*", "°": " degrees", "ß": "ss",
}  # fmt: skip


def prepare() -> None:
    """Let what a stream's encoding lacks be written in ASCII, and what is written to a closed stream be dropped."""
    codecs.register_error(_PLAINLY, _plainly)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - as long as the process
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_PLAINLY)


def in_ascii(text: str) -> str:
    """A text in ASCII: signs by those that stand for them, Greek letters by their names, others without accents.

    Examples
    --------
    >>> in_ascii("τ_m = 100 ± 5 µs – Gütig")
    'tau_m = 100 +- 5 us - Gutig'
    """
    return "".join(character if character.isascii() else _in_ascii(character) for character in text)


def _in_ascii(character: str) -> str:
    if character in _SIGNS:
        return _SIGNS[character]
    simple = unicodedata.normalize("NFKD", character)
    if plain := "".join(filter(str.isascii, simple)):
        return plain
    match unicodedata.name(simple[:1], "").split():
        case ["GREEK", "SMALL", "LETTER", *_, name]:
            return "u" if character == "µ" else name.lower()
        case ["GREEK", "CAPITAL", "LETTER", *_, name]:
            return name.capitalize()
    return "?"


def _plainly(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return in_ascii(error.object[error.start : error.end]), error.end
