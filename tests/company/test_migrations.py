"""Ledgers of older releases open, and lose nothing: a golden one of each version is kept in tests/data.

A release keeps the old files and adds its own, a small, eventful run: python tests/company/pack_ledger.py
"""

from __future__ import annotations

import fcntl
import lzma
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlmodel import SQLModel

from company.ledger import Ledger, LedgerError
from company.migrations import OLDEST, revisions
from company.tables import SCHEMA_VERSION
from company.verifying import verify

DATA = Path(__file__).parents[1] / "data"
GOLDEN = {  # version -> events, digest
    1: (313, "6864a41bfd85d6459d7ae9ece4e31ab18a911156cc7fd4c8d9cb219fd623a70f"),
}
OLD = sorted(GOLDEN.keys() - {SCHEMA_VERSION})


@pytest.fixture(params=OLD)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(lzma.decompress((DATA / f"ledger-{request.param}.xz").read_bytes()))
    return path


def version(path: Path) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
        return database.execute("PRAGMA user_version").fetchone()[0]


def schema(path: Path) -> dict[str, set[tuple[object, ...]]]:
    """Columns by table, and indices."""
    with closing(sqlite3.connect(path)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: {row[1:4] for row in database.execute(f"PRAGMA table_info({name})")}
            | {row[1:3] for row in database.execute(f"PRAGMA index_list({name})")}
            for name in tables
        }


def test_every_version_since_the_first_has_a_step() -> None:
    assert [int(step.revision) for step in revisions(OLDEST)] == list(range(OLDEST + 1, SCHEMA_VERSION + 1))
    assert set(OLD) == set(range(OLDEST, SCHEMA_VERSION))


def test_an_older_ledger_is_migrated_when_it_is_opened_for_writing_and_a_copy_is_kept(old: Path) -> None:
    before, was = old.read_bytes(), version(old)
    events, digest = GOLDEN[was]
    with closing(Ledger(old, write=True)) as ledger:
        assert (ledger.verify(), ledger.seq, ledger.digest) == (events, events, digest)
        assert ledger.fold().phase == "closed"
        assert ledger.curve("e0001") and ledger.attempts() and ledger.sessions()[0][1] is not None
        ledger.open_session("resume", "now")
        ledger.close_session()
    assert version(old) == SCHEMA_VERSION
    copy = old.with_name(f"ledger.sqlite.v{was}")
    assert version(copy) == was
    old.write_bytes(before)
    with closing(sqlite3.connect(old)) as one, closing(sqlite3.connect(copy)) as other:
        assert list(one.iterdump()) == list(other.iterdump())


def test_a_migrated_ledger_has_the_tables_of_a_new_one(old: Path, tmp_path: Path) -> None:
    Ledger(old, write=True).close()
    fresh = create_engine(f"sqlite:///{tmp_path}/new.sqlite")
    SQLModel.metadata.create_all(fresh)
    fresh.dispose()
    assert schema(old) == schema(tmp_path / "new.sqlite")


def test_an_older_ledger_is_read_without_being_changed(old: Path) -> None:
    before, was = old.read_bytes(), version(old)
    with closing(Ledger(old)) as ledger:
        assert (ledger.verify(), ledger.digest) == GOLDEN[was]
        assert ledger.fold().phase == "closed"
    assert old.read_bytes() == before
    assert [path.name for path in old.parent.iterdir()] == ["ledger.sqlite"]


def test_an_older_ledger_is_verified_as_far_as_it_can_be(old: Path) -> None:
    found = verify(old.parent)
    assert found.whole and (found.events, found.digest) == GOLDEN[version(old)]
    assert any("its projections were written anew to be read" in note for note in found.notes)
    with closing(sqlite3.connect(old)) as database, database:
        database.execute("UPDATE event SET at = at + 1 WHERE seq = 200")
    assert verify(old.parent).faults[0].seq == 200


def test_a_migration_that_fails_leaves_the_ledger_as_it_was(old: Path) -> None:
    with closing(sqlite3.connect(old)) as database, database:
        database.execute("UPDATE event SET payload = '{' WHERE seq = 9")
    before = old.read_bytes()
    with pytest.raises(LedgerError, match="event 9"):
        Ledger(old, write=True)
    assert version(old) != SCHEMA_VERSION
    with closing(sqlite3.connect(old)) as database:
        columns = {row[1] for row in database.execute("PRAGMA table_info(session)")}
    assert "digest" not in columns
    assert old.with_name(f"ledger.sqlite.v{version(old)}").stat().st_size == len(before)


def test_nobody_migrates_a_ledger_under_an_engine_at_work(old: Path) -> None:
    with (old.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(LedgerError, match="older Loopworks works on this run"):
            Ledger(old, write=True)
        with closing(Ledger(old)) as reading:
            assert reading.fold().phase == "closed"
        Ledger(old, write=True, locked=True).close()
    assert version(old) == SCHEMA_VERSION


def test_a_ledger_of_this_version_is_opened_without_alembic(old: Path) -> None:
    Ledger(old, write=True).close()
    told = (
        "import sys; from pathlib import Path; from company.ledger import Ledger; Ledger(Path(sys.argv[1]), write=True)"
    )
    told += "; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", told, str(old)], check=False).returncode == 0
