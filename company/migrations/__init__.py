"""Ledgers of older versions, brought up to date step by step: one Alembic revision a version, in `versions/`.

The version is SQLite's own `user_version`, looked at first: Alembic is imported only where there is something to do.
A revision changes tables; the projections are written anew from the events after the last of them, so that a release
may change what a fold of old events means. Events are never changed.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.script import Script
    from sqlalchemy import Connection

OLDEST = 1  # the ledger of the first release


def migrate(connection: Connection, version: int) -> None:
    """Change the tables of a ledger of an older version, in the transaction that is open on `connection`."""
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext

    with Operations.context(MigrationContext.configure(connection)):
        for revision in revisions(version):
            revision.module.upgrade()


def revisions(version: int) -> list[Script]:
    """The steps after a version, oldest first."""
    from alembic.script import ScriptDirectory

    found = ScriptDirectory(str(Path(__file__).parent)).walk_revisions()
    return [step for step in reversed(list(found)) if int(step.revision) > version]


def back_up(ledger: Path, version: int) -> Path:
    """A whole copy of a ledger beside it, named by its version. Raises OSError and sqlite3.Error."""
    target = ledger.with_name(f"{ledger.name}.v{version}")
    partial = target.with_name(f".{target.name}.partial")
    partial.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(ledger)) as source, contextlib.closing(sqlite3.connect(partial)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(target)
    return target
