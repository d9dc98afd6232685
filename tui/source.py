"""A run directory as the dashboard reads it: plain sqlite3, read-only, in short transactions. No Textual here.

Covered: a run that another process writes, one that was killed, one on a read-only disk, a ledger of a newer version.
Nothing is ever written, and no transaction outlives a call: one held open would make the WAL grow without end.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from company.directory import is_held

Row = tuple[int, float, float, str, str, str]  # seq, at, wall, kind, payload, measured of an event
EngineStatus = Literal["live", "finished", "stopped", "dead"]

BATCH = 1_000  # records a read
PATIENCE_S = 0.05  # a read stops after this, whatever is left
KNOWN_VERSION = 2  # company.tables.SCHEMA_VERSION, repeated here to keep SQLAlchemy out of the dashboard's start
SQLITE_MAGIC = b"SQLite format 3\x00"


class SourceError(Exception):
    """The run cannot be read; the message is one line that says what to do."""


def find_run(parent: Path) -> Path | None:
    """The run under `parent` that was written last, None when there is none."""
    ledgers = [path for path in parent.glob("*/ledger.sqlite") if path.is_file()] if parent.is_dir() else []
    return max(ledgers, key=_written).parent if ledgers else None


def _written(ledger: Path) -> float:
    found = [ledger, ledger.with_name("ledger.sqlite-wal")]
    return max(path.stat().st_mtime for path in found if path.exists())


class Source:
    """One run directory. Use it from one thread at a time."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.ledger = directory / "ledger.sqlite"
        self._connection: sqlite3.Connection | None = None
        self._immutable = False
        self._version = -1

    def check(self) -> None:
        """Raises SourceError unless there is a ledger here that this version can read."""
        try:
            with self.ledger.open("rb") as file:
                magic = file.read(len(SQLITE_MAGIC))
        except (OSError, ValueError):
            raise SourceError(
                f"{self.directory}: no run here: name the directory of one (they hold a ledger.sqlite)"
            ) from None
        if magic != SQLITE_MAGIC:
            raise SourceError(f"{self.ledger}: not a Loopworks ledger")
        version = self._one("PRAGMA user_version")
        if version > KNOWN_VERSION:
            raise SourceError(f"{self.ledger}: written by a newer Loopworks: upgrade with pip install -U loopworks")
        self._one("SELECT count(*) FROM (SELECT seq FROM event LIMIT 1)")

    def changed(self) -> bool:
        """Whether another process has committed since the last call."""
        if self._immutable and (self._wal_bytes() or is_held(self.directory)):
            self.close()  # a finished run goes on: an immutable connection would never see it
        version = self._one("PRAGMA data_version")
        was, self._version = self._version, version
        return version != was

    def read(self, after: int, most: int = BATCH) -> list[Row]:
        """The events after a sequence number, bounded in number and in time."""
        started, rows = time.monotonic(), []
        cursor = self._execute(
            "SELECT seq, at, wall, kind, payload, measured FROM event WHERE seq > ? ORDER BY seq LIMIT ?", (after, most)
        )
        try:
            for row in cursor:
                rows.append(row)
                if time.monotonic() - started > PATIENCE_S:
                    break
        except sqlite3.Error as error:
            raise self._explained(error) from error
        finally:
            cursor.close()
        return rows

    @contextmanager
    def moment(self) -> Iterator[None]:
        """Reads that see one state of the ledger; keep it short."""
        self._execute("BEGIN")
        try:
            yield
        finally:
            if self._connection is not None:
                self._connection.execute("COMMIT")

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Any]:
        """What a query answers. Raises SourceError."""
        try:
            return self._execute(sql, tuple(values)).fetchall()
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def last(self) -> int:
        """The sequence number of the last event, 0 where there is none."""
        return self._one("SELECT coalesce(max(seq), 0) FROM event")

    def seq_at(self, at: float) -> int:
        """The last event up to a company time."""
        return self._one("SELECT coalesce(max(seq), 0) FROM event WHERE at <= ?", (at,))

    def curve(self, experiment: str, most: int = 512) -> list[tuple[int, float]]:
        """A finished experiment's learning curve: (step, self-reported training loss)."""
        cursor = self._execute(
            "SELECT step, loss FROM metric WHERE experiment = ? ORDER BY step LIMIT ?", (experiment, most)
        )
        return cursor.fetchall()

    def running(self) -> Mapping[str, float]:
        """When the attempts that have not ended were started: experiment -> Unix seconds."""
        return dict(self._execute("SELECT experiment, started FROM attempt WHERE ended IS NULL LIMIT 4096").fetchall())

    def outcomes(self, experiment: str) -> list[tuple[int, float, float | None, str]]:
        """Every launch of an experiment: (slot, started, ended, outcome)."""
        cursor = self._execute(
            "SELECT slot, started, ended, outcome FROM attempt WHERE experiment = ? ORDER BY id LIMIT 64", (experiment,)
        )
        return cursor.fetchall()

    def founding(self) -> dict[str, object]:
        """The founding event's measured facts (engine, project_source, version, ...)."""
        row = self._execute("SELECT measured FROM event WHERE kind = 'RunFounded' LIMIT 1").fetchone()
        return json.loads(row[0]) if row else {}

    def engine(self, closed: bool) -> EngineStatus:
        """Whether an engine works on the run; `closed` says that its last event was the closing one."""
        if is_held(self.directory):
            return "live"
        if closed:
            return "finished"
        row = self._execute("SELECT closed FROM session ORDER BY id DESC LIMIT 1").fetchone()
        return "dead" if row is not None and row[0] is None else "stopped"

    def close(self) -> None:
        """Let go of the database; the next call opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection, self._version, self._immutable = None, -1, False

    def _one(self, sql: str, values: tuple[object, ...] = ()) -> int:
        row = self._execute(sql, values).fetchone()
        return row[0] if row else 0

    def _execute(self, sql: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        try:
            if self._connection is None:
                self._connection = self._open()
            return self._connection.execute(sql, values)
        except sqlite3.Error as error:
            self.close()
            raise self._explained(error) from error

    def _open(self) -> sqlite3.Connection:
        """Immutable where nothing can be written any more, so that reading leaves no files beside the ledger."""
        self._immutable = not self._wal_bytes() and not is_held(self.directory)
        uri = f"file:{quote(str(self.ledger.resolve()))}?"
        if not self._immutable:
            with suppress(sqlite3.Error):
                return self._settled(uri + "mode=ro")
        return self._settled(uri + "mode=ro&immutable=1")

    def _settled(self, uri: str) -> sqlite3.Connection:
        connection = sqlite3.connect(uri, uri=True, timeout=2.0, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA query_only = ON")
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        return connection

    def _wal_bytes(self) -> int:
        with suppress(OSError):
            return self.ledger.with_name("ledger.sqlite-wal").stat().st_size
        return 0

    def _explained(self, error: sqlite3.Error) -> SourceError:
        said = str(error).split("\n")[0]
        if "no such table" in said or "not a database" in said:
            return SourceError(f"{self.ledger}: not a Loopworks ledger")
        if "malformed" in said:
            return SourceError(f"{self.ledger}: the file is damaged: restore it from a copy")
        if "unable to open" in said:
            return SourceError(f"{self.ledger}: cannot be opened: is the run still there?")
        return SourceError(f"{self.ledger}: {said}")
