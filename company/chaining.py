"""Facts as canonical text, and the digests that chain them: what a ledger stores and a batch's row is known by.

Canonical text is JSON with sorted keys and no spaces; one value has one text. orjson writes it, several times faster
than the standard library, which writes what orjson does not take (whole numbers over 64 bits) and refuses what is no
JSON: orjson would write NaN as null.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence

import orjson

from company.events import EVENTS, Event, Json, Measured
from projects.canonical import canonical_encoder

_STRICT = canonical_encoder(ensure_ascii=False, allow_nan=False)
_MEASURED = frozenset(event for event in EVENTS.values() if "measured" in {f.name for f in dataclasses.fields(event)})


def payload(event: Event) -> Mapping[str, Json]:
    """The event's fields without `measured`, ready for canonical text; to be read only."""
    fields = event.__dict__
    if type(event) in _MEASURED:
        fields = fields.copy()
        del fields["measured"]
    return fields


def restore(kind: str, fields: Mapping[str, Json], measured: Measured | None = None) -> Event:
    """The event that `payload` came from. Raises KeyError for a kind that this version does not know."""
    event = EVENTS[kind]
    return event(**fields, **({"measured": measured or {}} if event in _MEASURED else {}))


def canonical(value: Json) -> str:
    """JSON with sorted keys and no spaces; NaN and infinity are refused with ValueError."""
    return _text(value).decode()


def body_of(event: Event) -> bytes:
    """The canonical text of the event's payload."""
    return _text(payload(event))


def chain_body(previous: str, at: float, kind: str, body: bytes) -> str:
    """The running digest of a ledger: sha256 over the previous digest and an event whose canonical payload is at hand,
    as 64 hex digits."""
    return _link(previous, repr(at), kind, body)


def chained(previous: str, events: Sequence[tuple[float, Event]]) -> str:
    """The running digest after some events, in their order."""
    last, stamp = None, ""
    for at, event in events:
        if at is not last:  # the events of a step share their time
            last, stamp = at, repr(at)
        previous = _link(previous, stamp, type(event).__name__, _text(payload(event)))
    return previous


def _link(previous: str, stamp: str, kind: str, body: bytes) -> str:
    return hashlib.sha256(f"{previous}\n{stamp}\n{kind}\n".encode() + body).hexdigest()


def _text(value: Json) -> bytes:
    """Canonical text. Only where it has more nulls than the value has None may one of them have been NaN."""
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return _STRICT(value).encode()
    nulls = text.count(b"null")
    if nulls and nulls > _empty(value, nulls):
        _STRICT(value)
    return text


def _empty(value: Json, most: int) -> int:
    """In how many places a JSON value holds None; it is not looked into further once `most` are found."""
    if value.__class__ is dict:
        value = [*value.values()]
    elif value.__class__ not in _CONTAINERS:
        return value is None
    found = value.count(None)
    for part in value:
        if found >= most:
            break
        if part.__class__ in _CONTAINERS:
            found += _empty(part, most - found)
    return found


_CONTAINERS = frozenset((dict, list, tuple))
