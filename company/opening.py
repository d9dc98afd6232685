"""Opening a ledger's file: for the one writer, and for readers, who leave nothing behind beside it.

A reader of a WAL database makes two files beside it that it must not take away. Where nobody writes and the WAL is
empty it reads the file as immutable instead, and makes none. On a read-only disk with a WAL it reads a copy in memory.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine as Database
from sqlalchemy import create_engine
from sqlalchemy import event as hooks
from sqlalchemy.pool import NullPool, StaticPool

from company.directory import is_held


def writer(path: Path) -> Database:
    """A database to read and write; the file is made if there is none."""
    database = create_engine(f"{_uri(path, 'sqlite:///')}mode=rwc&uri=true", connect_args={"check_same_thread": False})

    @hooks.listens_for(database, "connect")
    def _settings(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    return _with_own_transactions(database, "BEGIN IMMEDIATE")


def reader(path: Path) -> Database:
    """A database to read; each connection decides anew how, for a run that stopped may go on."""
    return _with_own_transactions(create_engine("sqlite://", creator=lambda: look(path), poolclass=NullPool), "BEGIN")


def copy_in_memory(path: Path) -> Database:
    """A database in memory with all that a ledger holds now; what is written there is lost."""
    memory = sqlite3.connect(":memory:", check_same_thread=False)
    with contextlib.closing(look(path)) as source:
        source.backup(memory)
    return _with_own_transactions(create_engine("sqlite://", creator=lambda: memory, poolclass=StaticPool), "BEGIN")


def is_settled(path: Path) -> bool:
    """Whether all that a ledger holds is in its main file, and nobody works on it."""
    return not _wal_bytes(path) and not is_held(path.parent)


def look(path: Path) -> sqlite3.Connection:
    """A connection to read; raises sqlite3.Error."""
    if is_settled(path):
        return _connected(path, "mode=ro&immutable=1")
    try:
        connection = _connected(path, "mode=ro")
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    except sqlite3.OperationalError:
        if not path.is_file():
            raise
        return _from_copies(path)
    return connection


def _from_copies(path: Path) -> sqlite3.Connection:
    """The ledger with its WAL where SQLite cannot make the file beside it that it needs to read a WAL."""
    memory = sqlite3.connect(":memory:", check_same_thread=False)
    with tempfile.TemporaryDirectory() as folder:
        for found in (path, _wal(path)):
            if found.exists():
                shutil.copyfile(found, Path(folder, found.name))
        with contextlib.closing(sqlite3.connect(Path(folder, path.name))) as copy:
            copy.backup(memory)
    return memory


def _connected(path: Path, how: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{_uri(path)}{how}", uri=True, check_same_thread=False)


def _with_own_transactions(database: Database, begin: str) -> Database:
    """Transactions begin as we say: the driver would begin them late, and deferred."""

    @hooks.listens_for(database, "connect")
    def _settings(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA busy_timeout = 5000")

    @hooks.listens_for(database, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return database


def _uri(path: Path, scheme: str = "") -> str:
    return f"{scheme}file:{quote(str(path.resolve()))}?"


def _wal(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _wal_bytes(path: Path) -> int:
    try:
        return _wal(path).stat().st_size
    except OSError:
        return 0
