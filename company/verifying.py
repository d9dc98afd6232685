"""Is a run's record whole and unaltered? Every digest is computed anew, every table and file held against the events.

Proved: no event was altered, removed, put in or moved; tables say what the events say; results, configs, code and data
that are still there are the recorded ones; nothing is missing after the anchor. Not proved: that facts of the machine
(`wall`, `measured`, attempts, learning curves) are true, that nobody wrote the whole record anew (against that, keep
the digest elsewhere), that what was recorded had happened.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import JSON
from sqlmodel import SQLModel

from company import events as ev
from company.anchor import Anchor, AnchorError, path_of, read_anchor
from company.chaining import chain_body, restore
from company.directory import is_held
from company.ledger import Ledger, actor_of
from company.projections import answered, expected, values
from company.state import State

MOST_FAULTS = 1000

Row = Mapping[str, Any]  # as SQLite gives it
Tables = Mapping[str, Sequence[Row]]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it was recorded: `place` is a table's row or a file, `seq` the event where it is one."""

    place: str
    what: str
    seq: int | None = None
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found. `checked` counts what was looked at, `notes` says what could not be."""

    directory: Path
    live: bool
    events: int
    digest: str
    anchor: Anchor | None
    checked: Mapping[str, int]
    notes: Sequence[str]
    faults: Sequence[Fault]

    @property
    def whole(self) -> bool:
        return not self.faults


@dataclass(slots=True)
class Findings:
    """What is found on the way."""

    faults: list[Fault] = field(default_factory=list)
    checked: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def wrong(self, place: str, what: str, seq: int | None = None, kind: str = "") -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(place, what, seq, kind))

    def count(self, what: str, n: int = 1) -> None:
        self.checked[what] = self.checked.get(what, 0) + n


def verify(directory: Path, expect: str | None = None) -> Verified:
    """Hold a run directory against itself and, where a person kept it, against a digest; nothing in it is changed.

    Raises LedgerError where there is no ledger of a version that can be read.
    """
    from company.verifying_files import check_files

    path, found = directory / "ledger.sqlite", Findings()
    live, anchored = is_held(directory), _anchor(path, found)  # first: a run at work may record more meanwhile
    with contextlib.closing(Ledger(path)) as ledger:
        if damage := ledger.damage():
            found.wrong("ledger.sqlite", damage)
        if ledger.migrated_from is not None:
            old = f"the ledger is of version {ledger.migrated_from}"
            found.notes.append(f"{old}: its projections were written anew to be read, and could not be looked at")
        tables = ledger.tables()
    rows = tables["event"]
    digests = _chain(rows, found)
    found.count("events", len(rows))
    _anchored(anchored, tables["session"], digests, found)
    if expect is not None:
        _expected(expect, digests, found)
    if not any(fault.seq for fault in found.faults):
        events, state = _folded(rows, found)
        if state is not None:
            _project(events, state, tables, found)
            check_files(directory, [event for _, event in events], state, found)
    digest = digests[-1] if digests else ""
    return Verified(directory, live, len(rows), digest, anchored, found.checked, found.notes, found.faults)


def _anchor(path: Path, found: Findings) -> Anchor | None:
    try:
        return read_anchor(path)
    except AnchorError:
        found.wrong(path_of(path).name, "cannot be read as an anchor")
        return None


def _chain(rows: Sequence[Row], found: Findings) -> list[str]:
    """The digest after each event, recomputed, up to the first that was altered."""
    digests: list[str] = []
    for n, row in enumerate(rows, start=1):
        previous, kind = digests[-1] if digests else "", str(row["kind"])
        if row["seq"] != n:
            missing = f"event {n} is missing" if row["seq"] == n + 1 else f"events {n} to {row['seq'] - 1} are missing"
            found.wrong(f"event {row['seq']}", missing, n, kind)
            return digests
        digest = chain_body(previous, row["at"], row["kind"], row["payload"].encode())
        if digest != row["chain"]:
            following = rows[n] if n < len(rows) else None
            altered = following is not None and _follows(digest, following) and not _follows(row["chain"], following)
            what = "its stored digest was altered" if altered else "was altered after it was recorded"
            found.wrong(f"event {n}", what, n, kind)
            return digests
        digests.append(digest)
    return digests


def _follows(digest: str, row: Row) -> bool:
    return chain_body(digest, row["at"], row["kind"], row["payload"].encode()) == row["chain"]


def _anchored(anchor: Anchor | None, sessions: Sequence[Row], digests: Sequence[str], found: Findings) -> None:
    """The ledger is as long as it was said to be when it was anchored, and when each session ended."""
    if anchor is None:
        found.notes.append("there is no anchor: that events at the end are missing could not be seen")
    else:
        _reaches("the anchor", anchor.events, anchor.digest, digests, found)
    for row in sessions:
        if row["events"]:
            _reaches(f"session {row['id']}", row["events"], row["digest"], digests, found)


def _reaches(who: str, events: int, digest: str, digests: Sequence[str], found: Findings) -> None:
    found.count("anchors")
    if found.faults and len(digests) < events:
        return  # the chain broke before, and was named
    if len(digests) < events:
        found.wrong(
            "ledger.sqlite", f"holds {len(digests)} events, and {who} says that it held {events}: the end is gone"
        )
    elif events and digests[events - 1] != digest:
        found.wrong(
            "ledger.sqlite", f"is not the one that {who} was written for: it differs at or before event {events}"
        )


def _expected(expect: str, digests: Sequence[str], found: Findings) -> None:
    if expect not in digests:
        found.wrong("ledger.sqlite", f"no event has the digest {expect[:12]}… that was kept: this is another history")
        return
    later = len(digests) - 1 - list(digests).index(expect)
    words = "is the digest of the whole ledger" if not later else f"is met; {later} events were recorded since"
    found.notes.append(f"the digest that was kept {words}")


def _folded(rows: Sequence[Row], found: Findings) -> tuple[list[tuple[int, ev.Event]], State | None]:
    """The events and the state that they lead to, None where they lead to none."""
    state, events = State(), []
    for row in rows:
        try:
            event = restore(row["kind"], json.loads(row["payload"]), json.loads(row["measured"]))
            state.apply(event, row["at"])
        except (LookupError, ValueError, TypeError, AttributeError, RuntimeError) as error:
            what = f"does not follow from those before it ({type(error).__name__})"
            found.wrong(f"event {row['seq']}", what, row["seq"], str(row["kind"]))
            return events, None
        if row["actor"] != (actor := actor_of(event)):
            found.wrong(
                f"event {row['seq']}", f"its actor is {row['actor']!r} and was {actor!r}", row["seq"], event.kind
            )
        events.append((row["seq"], event))
    return events, state


def _project(events: Sequence[tuple[int, ev.Event]], state: State, tables: Tables, found: Findings) -> None:
    """Every row of every projection is what the events make of it, no more and no fewer."""
    for table, wanted in expected(events, state).items():
        name = str(table.__tablename__)
        key = str(next(iter(table.__table__.primary_key.columns)).name)  # type: ignore[attr-defined]
        stored = {row[key]: row for row in tables[name]}
        found.count("rows of projections", len(stored))
        for missing in wanted.keys() - stored.keys():
            found.wrong(f"{name} {missing}", "is missing, and the events tell of it")
        for more in stored.keys() - wanted.keys():
            found.wrong(f"{name} {more}", "is told of by no event")
        for each in wanted.keys() & stored.keys():
            _compare(f"{name} {each}", table, values(wanted[each]), stored[each], found)
    _commands(events, tables["command"], found)


def _compare(place: str, table: type[SQLModel], wanted: Row, stored: Row, found: Findings) -> None:
    for column in table.__table__.columns:  # type: ignore[attr-defined]
        name, value = column.name, stored[column.name]
        if isinstance(column.type, JSON):
            value = _parsed(value)
        if value != wanted[name]:
            found.wrong(place, f"its {name} is {_short(value)}, and the events say {_short(wanted[name])}")


def _commands(events: Sequence[tuple[int, ev.Event]], rows: Sequence[Row], found: Findings) -> None:
    told = {event.command: answered(event) for _, event in events if isinstance(event, ev.CommandAnswered)}
    for row in rows:
        was = (row["status"], row["answer"])
        if was != told.get(row["id"], ("new", "")):
            found.wrong(f"command {row['id']}", f"is marked {_short(row['status'])}, and the events say otherwise")


def _parsed(text: object) -> object:
    try:
        return json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        return text


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
