"""Text and JSON from agents and runs made safe to store, to digest and to show: they may hold anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MOST_ITEMS = 256  # in a list or an object of an agent's answer
MOST_DEPTH = 32  # of lists and objects within each other
TOO_DEEP = "nested too deeply"


def tame(value: Any, limit: int = 2000, depth: int = MOST_DEPTH) -> Any:
    """Untrusted JSON made safe to store and to digest: text cleaned, containers and numbers of a sane size, no NaN."""
    kind = type(value)
    if kind is str:
        return value if len(value) <= limit and value.isprintable() else clean(value, limit)
    if kind is float and -1e300 < value < 1e300:
        return value
    if value is None or kind is bool or (kind is int and -(2**63) < value < 2**63):
        return value
    if isinstance(value, (int, float)):
        sane = abs(value) < 1e300 and (isinstance(value, float) or abs(value) < 2**63)
        return (float(value) if isinstance(value, float) else int(value)) if sane else "not a sane number"
    if kind is dict or isinstance(value, Mapping):
        items = list(value.items())[:MOST_ITEMS]
        return {clean(str(k), 100): tame(v, limit, depth - 1) for k, v in items} if depth else TOO_DEEP
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [tame(item, limit, depth - 1) for item in value[:MOST_ITEMS]] if depth else TOO_DEEP
    return clean(str(value), limit)


def clean(text: str, limit: int = 500) -> str:
    """Untrusted text made safe to store: no control characters but newlines, no lone surrogates, at most `limit`."""
    if len(text) <= limit and text.isprintable():
        return text
    kept = "".join(c for c in text[: 4 * limit] if c == "\n" or (c.isprintable() and not "\ud800" <= c <= "\udfff"))
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"
