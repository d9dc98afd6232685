"""The append-only record of a run, in SQLite through SQLModel: one transaction a step, one writer.

Covered: a kill at any instant loses nothing that was appended (WAL, synchronous=FULL), a step is recorded whole or not
at all, a second writer is refused by the run directory's lock, a ledger of an older version is brought up to date. Not
covered: a disk that lies about fsync. docs/durability.md says what survives what.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text, update
from sqlalchemy.exc import DatabaseError, SQLAlchemyError
from sqlmodel import Session, SQLModel, select

from company import anchor
from company import events as ev
from company.chaining import body_of, canonical, chain_body, restore
from company.directory import is_held
from company.opening import copy_in_memory, is_settled, reader, writer
from company.projections import expected, rebuild, write_step
from company.state import State
from company.tables import (
    SCHEMA_VERSION,
    AttemptRow,
    CommandRow,
    EventRow,
    MetricRow,
    SessionRow,
)
from company.taming import clean, tame

COMMAND_BYTES = 4 * 1024 * 1024  # of a command's arguments: a chart of two thousand positions takes a tenth of it


class LedgerError(Exception):
    """The ledger cannot be read or written; the message is one line that says what and what to do."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it stands in the ledger."""

    seq: int
    at: float
    wall: float
    event: ev.Event


@dataclass(frozen=True, slots=True)
class Command:
    """What a person asked for, as it stands in the `command` table."""

    id: int
    action: str
    args: Mapping[str, Any]
    by: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One launch of an experiment on a slot; wall times in seconds since the epoch, None while it runs."""

    experiment: str
    attempt: int
    session: int
    slot: int
    started: float
    ended: float | None
    outcome: str
    measured: Mapping[str, Any]


class Ledger:
    """The record of one run. Open it for writing once (`write=True`), for reading as often as you like.

    `locked` says that the caller holds the directory's lock. A ledger of an older version is migrated when it is opened
    for writing, after a copy of it was made; to a reader a migrated copy in memory is shown.
    """

    def __init__(self, path: Path, *, write: bool = False, locked: bool = False) -> None:
        if not write and not path.is_file():
            raise LedgerError(f"{path}: no ledger here; name the directory of a run")
        self.path, self._writes = path, write
        self._database = writer(path) if write else reader(path)
        with self._talk() as session:
            version = self._check_version(session, write)
        self.migrated_from = version if version < SCHEMA_VERSION else None
        if version < SCHEMA_VERSION:
            self._migrate(version, write, locked)
        with self._talk() as session:
            last = session.exec(select(EventRow.seq, EventRow.chain).order_by(EventRow.seq.desc())).first()  # type: ignore[union-attr]
        self.seq, self.digest = last or (0, "")
        self._session_id = 0

    def events(self, after: int = 0) -> Iterator[Recorded]:
        """Every event after a sequence number, in order."""
        with self._talk() as session:
            rows = _event_rows(session, after)
        for row in rows:
            yield Recorded(row.seq, row.at, row.wall, _restore(row, self.path))

    def fold(self) -> State:
        """The state that the recorded events lead to."""
        return self._folded(self.events())

    def _folded(self, events: Iterable[Recorded]) -> State:
        state = State()
        for recorded in events:
            try:
                state.apply(recorded.event, recorded.at)
            except (LookupError, ValueError, TypeError, AttributeError, RuntimeError) as error:
                raise LedgerError(
                    f"{self.path}: event {recorded.seq} ({recorded.event.kind}) does not follow from those before it:"
                    " the ledger was altered; restore it from a copy"
                ) from error
        return state

    def append(self, events: Sequence[tuple[float, ev.Event]], state: State) -> None:
        """Record one step and its projections in one transaction; `state` is the state after it."""
        wall, seq, digest = time.time(), self.seq, self.digest
        rows: list[dict[str, Any]] = []
        for at, event in events:
            body = body_of(event)
            digest, seq = chain_body(digest, at, event.kind, body), seq + 1
            measured = canonical(tame(getattr(event, "measured", {})))
            rows.append(
                {"seq": seq, "at": at, "wall": wall, "kind": event.kind, "actor": actor_of(event),
                 "payload": body.decode(), "measured": measured, "chain": digest}
            )  # fmt: skip
        with self._talk() as session:
            session.execute(insert(EventRow), rows)
            write_step(session, events, self.seq, state)
            session.commit()
        due = seq // anchor.EVERY > self.seq // anchor.EVERY
        self.seq, self.digest = seq, digest
        if due:
            anchor.write_anchor(self.path, seq, digest)

    def add_metrics(self, experiment: str, curve: Iterable[tuple[int, float]]) -> None:
        """Keep an experiment's learning curve; a repeated experiment overwrites its own."""
        rows = [{"experiment": experiment, "step": step, "loss": loss} for step, loss in dict(curve).items()]
        if rows:
            with self._talk() as session:
                session.execute(text("DELETE FROM metric WHERE experiment = :e"), {"e": experiment})
                session.execute(insert(MetricRow), rows)
                session.commit()

    def open_session(self, how: str, version: str) -> None:
        """Note that an engine works on this run from now on. Raises LedgerError where the end of the ledger is gone."""
        self._refuse_cut()
        with self._talk() as session:
            row = SessionRow(opened=time.time(), how=how, version=version)
            session.add(row)
            session.commit()
            self._session_id = row.id or 0

    def close_session(self) -> None:
        """Note that this engine has stopped in good order."""
        closing = {"closed": time.time(), "events": self.seq, "digest": self.digest}
        with self._talk() as session:
            session.execute(update(SessionRow).where(_is(SessionRow.id, self._session_id)).values(closing))
            session.commit()
        anchor.write_anchor(self.path, self.seq, self.digest)

    def start_attempt(self, experiment: str, attempt: int, slot: int) -> int:
        """Note a launch before it happens; returns the attempt's id."""
        with self._talk() as session:
            row = AttemptRow(
                session=self._session_id, experiment=experiment, attempt=attempt, slot=slot, started=time.time()
            )
            session.add(row)
            session.commit()
            return row.id or 0

    def end_attempt(self, attempt: int, outcome: str, detail: str, measured: Mapping[str, Any]) -> None:
        """Note how a launch ended."""
        with self._talk() as session:
            session.execute(
                update(AttemptRow).where(_is(AttemptRow.id, attempt)).values(
                    ended=time.time(), outcome=outcome, detail=clean(detail),
                    measured=canonical(tame(measured)),
                )
            )  # fmt: skip
            session.commit()

    def attempts(self) -> list[Attempt]:
        """Every launch, in order."""
        with self._talk() as session:
            rows = session.exec(select(AttemptRow).order_by(AttemptRow.id)).all()  # type: ignore[arg-type]
        return [
            Attempt(r.experiment, r.attempt, r.session, r.slot, r.started, r.ended, r.outcome, json.loads(r.measured))
            for r in rows
        ]

    def sessions(self) -> list[tuple[float, float | None]]:
        """When engines worked on this run: (opened, closed), None where one was killed or still works."""
        with self._talk() as session:
            rows = session.exec(select(SessionRow).order_by(SessionRow.id)).all()  # type: ignore[arg-type]
        return [(row.opened, row.closed) for row in rows]

    def curve(self, experiment: str) -> list[tuple[int, float]]:
        """The learning curve of an experiment: (step, self-reported training loss)."""
        with self._talk() as session:
            mine = select(MetricRow).where(MetricRow.experiment == experiment)
            rows = session.exec(mine.order_by(MetricRow.step)).all()  # type: ignore[arg-type]
        return [(row.step, row.loss) for row in rows]

    def commands(self) -> list[Command]:
        """The commands of people that have not been answered, in order."""
        with self._talk() as session:
            rows = session.exec(select(CommandRow).where(_is(CommandRow.status, "new")).order_by(CommandRow.id)).all()  # type: ignore[arg-type]
        return [Command(r.id or 0, clean(r.kind, 100), _arguments(r.args), clean(r.by, 100)) for r in rows]

    def send(self, action: str, args: Mapping[str, Any], by: str) -> int:
        """Ask whoever runs this company to do something; returns the command's number. Needs `write=True`."""
        with self._talk() as session:
            row = CommandRow(wall=time.time(), kind=action, args=canonical(dict(args)), by=by)
            session.add(row)
            session.commit()
            return row.id or 0

    def answer(self, command: int) -> tuple[str, str] | None:
        """(status, answer) of a command, None while nobody has answered it. Status is done or refused."""
        with self._talk() as session:
            row = session.get(CommandRow, command)
        return None if row is None or row.status == "new" else (row.status, row.answer)

    def verify(self) -> int:
        """Recompute the digest over all events; returns how many. Raises LedgerError at the first that was altered."""
        digest, count = "", 0
        with self._talk() as session:
            for row in session.exec(select(EventRow).order_by(EventRow.seq)):  # type: ignore[arg-type]
                digest, count = chain_body(digest, row.at, row.kind, row.payload.encode()), count + 1
                if digest != row.chain or row.seq != count:
                    raise LedgerError(f"{self.path}: event {row.seq} was altered after it was recorded")
        return count

    def tables(self) -> dict[str, list[Mapping[str, Any]]]:
        """Every row of every table as SQLite holds it, all of one moment; learning curves left out."""
        with self._talk() as session:
            return {
                name: [dict(row) for row in session.execute(text(f"SELECT * FROM {name} ORDER BY 1")).mappings()]
                for name in SQLModel.metadata.tables
                if name != MetricRow.__tablename__
            }

    def damage(self) -> str:
        """What SQLite finds wrong with its own file, "" where it is sound."""
        with self._talk() as session:
            said = session.execute(text("PRAGMA integrity_check(1)")).scalar_one()
        return "" if said == "ok" else clean(said.replace("\n", " "), 200)

    def close(self) -> None:
        """Let go of the database."""
        self._database.dispose()

    @contextmanager
    def _talk(self) -> Iterator[Session]:
        try:
            with Session(self._database, expire_on_commit=False) as session:
                yield session
        except (SQLAlchemyError, sqlite3.Error) as error:  # the driver's own where a connection cannot be set up
            raise LedgerError(_explain(self.path, error, self._writes)) from error

    def _check_version(self, session: Session, write: bool) -> int:
        version = session.execute(text("PRAGMA user_version")).scalar_one()
        if version > SCHEMA_VERSION:
            raise LedgerError(
                f"{self.path}: written by a newer Loopworks (ledger version {version}, this one reads up to"
                f" {SCHEMA_VERSION}): upgrade with pip install -U loopworks"
            )
        tables = set(session.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars())
        needed = SQLModel.metadata.tables.keys() if version == SCHEMA_VERSION else {"event", "attempt", "session"}
        is_new = version == 0 and write and not tables
        if not is_new and (version == 0 or not tables >= needed):
            raise LedgerError(f"{self.path}: not a Loopworks ledger")
        if is_new:
            SQLModel.metadata.create_all(session.connection())
            session.execute(text(f"PRAGMA user_version = {SCHEMA_VERSION}"))
            session.commit()
        return version or SCHEMA_VERSION

    def _migrate(self, version: int, write: bool, locked: bool) -> None:
        """Bring an older ledger up to date in one transaction, or a copy of it in memory where it is only read."""
        from company.migrations import back_up, migrate

        if write and not locked and is_held(self.path.parent):
            raise LedgerError(
                f"{self.path}: an older Loopworks works on this run: wait for it, or stop it with Ctrl-C, and ask again"
            )
        try:
            if write:
                back_up(self.path, version)
            else:
                self.close()
                self._database = copy_in_memory(self.path)
        except (OSError, sqlite3.Error) as error:
            raise LedgerError(_explain(self.path, error, self._writes)) from error
        with self._talk() as session:
            migrate(session.connection(), version)
            recorded = [Recorded(r.seq, r.at, r.wall, _restore(r, self.path)) for r in _event_rows(session)]
            rebuild(session, expected([(r.seq, r.event) for r in recorded], self._folded(recorded)))
            session.execute(text(f"PRAGMA user_version = {SCHEMA_VERSION}"))
            session.commit()

    def _refuse_cut(self) -> None:
        """Nobody works on from a ledger whose end was lost: that would make the loss good."""
        try:
            kept = anchor.read_anchor(self.path)
        except anchor.AnchorError as error:
            raise LedgerError(f"{error}: delete it to go on") from error
        if kept is None or kept.events == 0:
            return
        with self._talk() as session:
            row = session.get(EventRow, kept.events)
        if row is None or row.chain != kept.digest:
            raise LedgerError(
                f"{self.path}: holds {self.seq} events, and {anchor.path_of(self.path).name} says that it held"
                f" {kept.events} others: restore it from a copy, or delete that file to go on from what is left"
            )


def _event_rows(session: Session, after: int = 0) -> Sequence[EventRow]:
    return session.exec(select(EventRow).where(EventRow.seq > after).order_by(EventRow.seq)).all()  # type: ignore[arg-type]


def _restore(row: EventRow, path: Path) -> ev.Event:
    try:
        return restore(row.kind, json.loads(row.payload), json.loads(row.measured))
    except KeyError as error:
        raise LedgerError(
            f"{path}: event {row.seq} is of a kind that this version does not know ({clean(row.kind, 60)}):"
            " upgrade with pip install -U loopworks"
        ) from error
    except (TypeError, ValueError) as error:
        raise LedgerError(
            f"{path}: event {row.seq} ({row.kind}) cannot be read ({clean(str(error), 200)}):"
            " the ledger was altered; restore it from a copy"
        ) from error


def _explain(path: Path, error: Exception, writes: bool) -> str:
    cause = clean(str(error.orig if isinstance(error, DatabaseError) else error).split("\n")[0], 200)
    if "full" in cause or "disk I/O" in cause:
        return f"{path}: the disk is full: free some space and resume the run"
    if "readonly" in cause or "unable to open" in cause:
        return f"{path}: cannot be written: choose another directory with --out or mend its permissions"
    if "malformed" in cause and not writes and not is_settled(path):
        return f"{path}: was written to while it was read: try again"
    if "malformed" in cause or "not a database" in cause:
        return f"{path}: the file is damaged or is no ledger: restore it from a copy"
    return f"{path}: {cause}"


def _arguments(text: str) -> dict[str, Any]:
    """What anyone may have written into the table, as a mapping; {} when it is none, or could not be recorded."""
    try:
        found = json.loads(text if len(text) <= COMMAND_BYTES else "")
        canonical(found).encode()
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _is(column: Any, value: Any) -> Any:
    return column == value


def actor_of(event: ev.Event) -> str:
    """Whose doing an event is, as the `actor` column has it."""
    for name in ("by", "reviewer", "manager", "agent", "proposer", "engineer"):
        actor = getattr(event, name, None)
        if actor:
            return actor
    return "company"
