"""Facts as canonical text, and the digests that chain them: what a ledger stores and a batch's row is known by.

Canonical text is JSON with sorted keys and no spaces; one value has one text. orjson writes it, several times faster
than the standard library, which writes what orjson does not take (whole numbers over 64 bits) and refuses what is no
JSON: orjson would write NaN as null.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter

import orjson

from company.events import EVENTS, Event, Json, Measured
from projects.canonical import canonical_encoder

_STRICT = canonical_encoder(ensure_ascii=False, allow_nan=False)
_FIELDS = {event: tuple(f.name for f in dataclasses.fields(event)) for event in EVENTS.values()}
_TOLD = {event: tuple(sorted(name for name in names if name != "measured")) for event, names in _FIELDS.items()}


def _values(names: Sequence[str]) -> Callable[[Event], tuple[Json, ...]]:
    get = attrgetter(*names)
    return get if len(names) > 1 else lambda event: (get(event),)


_VALUES = {event: _values(names) for event, names in _TOLD.items()}


def payload(event: Event) -> dict[str, Json]:
    """The event's fields without `measured`, ready for canonical text."""
    kind = type(event)
    return dict(zip(_TOLD[kind], _VALUES[kind](event), strict=True))


def restore(kind: str, fields: Mapping[str, Json], measured: Measured | None = None) -> Event:
    """The event that `payload` came from. Raises KeyError for a kind that this version does not know."""
    event = EVENTS[kind]
    return event(**fields, **({"measured": measured or {}} if "measured" in _FIELDS[event] else {}))


def canonical(value: Json) -> str:
    """JSON with sorted keys and no spaces; NaN and infinity are refused with ValueError."""
    return _text(value, 0).decode()


def body_of(event: Event) -> bytes:
    """The canonical text of the event's payload: the hottest function of a batch."""
    kind = type(event)
    values = _VALUES[kind](event)
    return _text(dict(zip(_TOLD[kind], values, strict=True)), values.count(None))


def chain_body(previous: str, at: float, kind: str, body: bytes) -> str:
    """The running digest of a ledger: sha256 over the previous digest and an event whose canonical payload is at hand,
    as 64 hex digits."""
    return hashlib.sha256(f"{previous}\n{at!r}\n{kind}\n".encode() + body).hexdigest()


def chained(previous: str, events: Sequence[tuple[float, Event]]) -> str:
    """The running digest after the events of a step, in their order."""
    for at, event in events:
        previous = chain_body(previous, at, type(event).__name__, body_of(event))
    return previous


def _text(value: Json, empty: int) -> bytes:
    """Canonical text of a value that holds None in at least `empty` places.

    Only where it has more nulls than that may one of them have been NaN.
    """
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return _STRICT(value).encode()
    if text.count(b"null") > empty:
        _STRICT(value)
    return text
