"""The bundled demo: a company in virtual time, packed beside this file. `python -m tui.demo` makes it anew.

The file is a run's ledger, compressed; it is unpacked into a folder of its own, never beside anybody's runs.
"""

from __future__ import annotations

import hashlib
import lzma
from pathlib import Path

PACKED = Path(__file__).with_name("data") / "demo.xz"
SHA256 = "b6668eb37abf21acbb9ae19bfcf7b339386cc8dc40fd75d9920ad23a60f9861a"  # of the packed file
CHART, PROJECT, EXPERIMENTS, SEED, SLOTS = "turnaround", "byte_lm", 40, 1, 2
FOUNDED = 1_760_000_000.0  # Unix seconds; company time goes on from there


def unpack(folder: Path) -> Path:
    """Write the demo's run directory into an empty folder and return it. Raises OSError, or LZMAError when altered."""
    run = folder / "demo"
    run.mkdir(parents=True)
    (run / "ledger.sqlite").write_bytes(lzma.decompress(PACKED.read_bytes()))
    return run


def make(folder: Path) -> bytes:
    """Run the demo's company with its ledger in `folder` and return it packed: the same history every time."""
    import sqlite3
    from contextlib import closing

    from company.batch.grid import Task
    from company.batch.replay import replay
    from company.batch.rows import Arm
    from company.chart_yaml import load_chart
    from company.directory import RunDirectory
    from company.virtual import Pace

    chart = load_chart(CHART)
    budget = chart.budget.model_copy(update={"experiments": EXPERIMENTS, "slot_seconds": None})
    chart = chart.model_copy(update={"company": "demo", "budget": budget})
    task = Task(0, Arm(CHART), chart.model_dump(mode="json"), PROJECT, SEED, SLOTS, "direct", Pace())
    replay(task, RunDirectory(folder))
    with closing(sqlite3.connect(folder / "ledger.sqlite", isolation_level=None)) as database:
        database.execute("UPDATE event SET wall = ? + at", (FOUNDED,))
        database.execute("UPDATE session SET opened = ?, closed = (SELECT max(wall) FROM event)", (FOUNDED,))
        database.execute("PRAGMA journal_mode = DELETE")
        database.execute("VACUUM")
    return lzma.compress((folder / "ledger.sqlite").read_bytes(), preset=9)


def main() -> None:
    """Make the demo anew and say what to write down as its hash."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        packed = make(Path(folder) / "run")
    PACKED.parent.mkdir(exist_ok=True)
    PACKED.write_bytes(packed)
    print(f'{PACKED}: {len(packed):,} bytes; SHA256 = "{hashlib.sha256(packed).hexdigest()}"')


if __name__ == "__main__":
    main()
