"""Packs the golden ledger of a release: a small run in which nearly everything happens. See test_migrations.py.

python tests/company/pack_ledger.py
"""

from __future__ import annotations

import lzma
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from test_ledger import work

from company.ledger import Ledger
from company.tables import SCHEMA_VERSION

WALL = 1_760_000_000.0  # Unix seconds: the same file every time
TIMES = (
    f"UPDATE event SET wall = {WALL} + at",
    f"UPDATE session SET opened = {WALL}, closed = (SELECT max(wall) FROM event)",
    f"UPDATE attempt SET started = {WALL}, ended = {WALL} + 1",
)


def main() -> None:
    """Write tests/data/ledger-N.xz and print the line for GOLDEN."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "ledger.sqlite")
        _, state = work(path, seed=5)
        with closing(Ledger(path, write=True)) as ledger:
            ledger.open_session("run", "golden")
            for name in list(state.experiments)[:4]:
                ledger.end_attempt(ledger.start_attempt(name, 1, 0), "ok", "", {"seconds": 1.0})
                ledger.add_metrics(name, [(1, 2.0), (2, 1.5)])
            ledger.close_session()
            print(f'    {SCHEMA_VERSION}: ({ledger.seq}, "{ledger.digest}"),')
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            for statement in (*TIMES, "PRAGMA journal_mode = DELETE", "VACUUM"):
                database.execute(statement)
        data = Path(__file__).parents[1] / "data" / f"ledger-{SCHEMA_VERSION}.xz"
        data.write_bytes(lzma.compress(path.read_bytes(), preset=9))


if __name__ == "__main__":
    main()
