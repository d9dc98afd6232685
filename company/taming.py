"""Text and JSON from agents and runs made safe to store, to digest and to show: they may hold anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

MOST_ITEMS = 256  # in a list or an object of an agent's answer
MOST_NAME = 100  # characters of an object's key
MOST_DEPTH = 32  # of lists and objects within each other
SANE = 1e300  # no number that anything is measured by is as large
TOO_DEEP = "nested too deeply"


def tame(value: Any, limit: int = 2000, depth: int = MOST_DEPTH) -> Any:
    """Untrusted JSON made safe to store and to digest: text cleaned, containers and numbers of a sane size, no NaN."""
    kind = type(value)
    if kind is str:
        return value if len(value) <= limit and value.isprintable() else clean(value, limit)
    if kind is float and -SANE < value < SANE:
        return value
    if value is None or kind is bool or (kind is int and -(2**63) < value < 2**63):
        return value
    if isinstance(value, (int, float)):
        sane = abs(value) < SANE and (isinstance(value, float) or abs(value) < 2**63)
        return (float(value) if isinstance(value, float) else int(value)) if sane else "not a sane number"
    if kind is dict or isinstance(value, Mapping):
        return _tame_fields(value, limit, depth - 1) if depth else TOO_DEEP
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [tame(item, limit, depth - 1) for item in value[:MOST_ITEMS]] if depth else TOO_DEEP
    return clean(str(value), limit)


def _tame_fields(value: Mapping[Any, Any], limit: int, depth: int) -> dict[str, Any]:
    found = {}
    for name, part in islice(value.items(), MOST_ITEMS):
        if type(name) is not str or len(name) > MOST_NAME or not name.isprintable():
            name = clean(str(name), MOST_NAME)
        found[name] = part if type(part) is float and -SANE < part < SANE else tame(part, limit, depth)
    return found


def clean(text: str, limit: int = 500) -> str:
    """Untrusted text made safe to store: no control characters but newlines, no lone surrogates, at most `limit`."""
    if len(text) <= limit and text.isprintable():
        return text
    kept = "".join(c for c in text[: 4 * limit] if c == "\n" or (c.isprintable() and not "\ud800" <= c <= "\udfff"))
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"
