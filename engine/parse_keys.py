"""The keys under which Brian2 remembers what it has parsed, made in a fraction of the time.

Brian2 looks up each string of code by all variables and functions around it, and turns these into a key object by
object: a third of the time in which it generates the code of a network, or runs a small one with NumPy. The keys that
are made here are equal to its own; `_hashable` and `_state_tuple` of `brian2.utils.caching` are private parts of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from brian2.units.fundamentalunits import Dimension
from brian2.utils import caching

_brian2s = caching._hashable
_themselves = frozenset({bool, str, int, float, type, type(None), Dimension})
_NAMED, _MAPPING, _SET, _SEQUENCE, _OTHER = range(5)
_kinds: dict[type, int] = {}


@contextmanager
def quick() -> Iterator[None]:
    """Let Brian2 use these keys."""
    before, caching._hashable = caching._hashable, key
    try:
        yield
    finally:
        caching._hashable = before


def key(thing: Any) -> Any:
    """What Brian2's own function makes of a thing.

    Raises
    ------
    TypeError
        It cannot be part of a key.
    """
    kind = type(thing)
    if kind in _themselves:
        return thing
    number = _kinds.get(kind)
    if number is None:
        number = _kinds[kind] = _kind(kind)
    if number == _SEQUENCE:
        return tuple([key(part) for part in thing])
    if number == _NAMED:
        irrelevant, attributes = thing._cache_irrelevant_attributes, thing.__dict__
        return tuple([key(attributes[name]) for name in sorted(attributes) if name not in irrelevant])
    if number == _MAPPING:
        return frozenset([(key(name), key(value)) for name, value in thing.items()])
    if number == _SET:
        return frozenset([key(part) for part in thing])
    return _brian2s(thing)


def _kind(kind: type) -> int:
    """Which of these a type is, in the order in which Brian2 asks."""
    if getattr(kind, "_state_tuple", None) is caching.CacheKey._state_tuple:
        return _NAMED
    if hasattr(kind, "_state_tuple"):
        return _OTHER
    if issubclass(kind, Mapping):
        return _MAPPING
    if issubclass(kind, set):
        return _SET
    return _SEQUENCE if issubclass(kind, tuple | list) else _OTHER
