"""A batch's results as the dashboard reads them: plain sqlite3, read-only, no transaction longer than a call.

Covered: results that another process writes, that nobody writes any more (nothing is left beside them), of another
format. No Textual here.
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from company.directory import is_held
from company.wording import plain
from tui.source import SourceError

if TYPE_CHECKING:
    from company.batch.profiles import Curve
    from company.batch.rows import Arm, Row, World
    from company.batch.statistics import Analysis

RESULTS = "results.sqlite"
WITH_TRAILS = 2_000  # rows whose curves are read for those of the arms; of more, those of the first seeds
DRAWN = 4  # arms whose curves are drawn
RESAMPLES = 100  # behind a band
FORMAT = "1"  # company.batch.store.FORMAT, repeated here to keep SQLAlchemy out of the dashboard


@dataclass(frozen=True, slots=True)
class Results:
    """What there is of a batch: all arms, controls among them; rows by number; how many there will be at most."""

    arms: tuple[Arm, ...] = ()
    controls: frozenset[Arm] = frozenset()
    rows: Mapping[int, Row] | None = None
    total: int = 0
    running: bool = False
    analysis: Analysis | None = None
    curves: tuple[Curve, ...] = ()  # best so far of the best arms, the best first


def batch_of(run: Path) -> Path | None:
    """The batch that a run directory is a replay of, or that a directory is itself; None where there is none."""
    found = run.resolve()
    return next((each for each in (found, *found.parents[:2]) if (each / RESULTS).is_file()), None)


class BatchSource:
    """One batch directory. Use it from one thread at a time."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._file = directory / RESULTS
        self._connection: sqlite3.Connection | None = None
        self._immutable = False
        self._version = -1
        self._was_running = False

    def changed(self) -> bool:
        """Whether something was written, or the writer came or went, since the last call. Raises SourceError."""
        running = is_held(self.directory)
        if self._immutable and (running or self._wal_bytes()):
            self.close()
        version = self._all("PRAGMA data_version")[0][0]
        same = (version, running) == (self._version, self._was_running)
        self._version, self._was_running = version, running
        return not same

    def read(self) -> Results:
        """Everything but single companies' curves, and what follows from it. Raises SourceError."""
        from company.batch.looks import looks_of, note_on
        from company.batch.rows import Arm, RowsError
        from company.batch.statistics import analyse

        about = self._about()
        kept = self._all("SELECT arm, chart, settings, control FROM arm ORDER BY arm")
        arms = {number: Arm(chart, settings) for number, chart, settings, _ in kept}
        controls = frozenset(arms[number] for number, _, _, control in kept if control)
        rows = self._rows(arms)
        seeds = int(json.loads(about.get("scenario", "{}")).get("seeds", 0))
        total = seeds * len(json.loads(about.get("projects", "[]"))) * len(arms)
        try:
            known = {row.arm for row in rows.values()}
            base = None if controls or arms.get(0) not in known else arms[0]
            analysis = analyse(rows.values(), controls, base, curves=False) if rows else None
            curves = _curves(analysis, rows) if analysis is not None else ()
        except RowsError as error:
            raise SourceError(f"{self._file}: {error}") from None
        if analysis is not None:
            analysis = replace(analysis, notes=(*note_on(looks_of(about, self.directory)), *analysis.notes))
        return Results(tuple(arms.values()), controls, rows, total, is_held(self.directory), analysis, curves)

    def trail(self, number: int) -> list[tuple[float, float]]:
        """A row's best-so-far curve: (slot-seconds, regret of the champion)."""
        found = self._all("SELECT trail_champion FROM row WHERE row = ?", (number,))
        return list(_steps(found[0][0] if found else None))

    def close(self) -> None:
        """Let go of the file; the next call opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection, self._version, self._immutable = None, -1, False

    def _about(self) -> dict[str, str]:
        about = {str(key): str(value) for key, value in self._all("SELECT key, value FROM about")}
        if about and about.get("format") != FORMAT:
            raise SourceError(f"{self._file}: written by another Loopworks (format {plain(about.get('format'), 20)})")
        return about

    def _rows(self, arms: Mapping[int, Arm]) -> dict[int, Row]:
        from company.batch.rows import Row

        trail = f"CASE WHEN row < {WITH_TRAILS} THEN trail_champion END"
        kept = self._all(
            f"SELECT row, arm, project, seed, digest, status, metrics, {trail}, stage, reason FROM row ORDER BY row"
        )
        return {
            number: Row(
                arms[arm].chart, project, arms[arm].settings, seed, digest, status, json.loads(metrics),
                _steps(trail), stage=stage, reason=reason,
            )
            for number, arm, project, seed, digest, status, metrics, trail, stage, reason in kept
            if arm in arms
        }  # fmt: skip

    def _all(self, sql: str, values: tuple[object, ...] = ()) -> list[tuple]:
        try:
            if self._connection is None:
                self._connection = self._open()
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            self.close()
            said = str(error).split("\n")[0]
            known = "no such table" in said or "not a database" in said
            raise SourceError(f"{self._file}: {'no results of a batch' if known else said}") from error

    def _open(self) -> sqlite3.Connection:
        """Immutable where nobody writes, so that looking leaves no files beside the results."""
        self._immutable = not self._wal_bytes() and not is_held(self.directory)
        mode = "mode=ro&immutable=1" if self._immutable else "mode=ro"
        uri = f"file:{quote(str(self._file.resolve()))}?{mode}"
        connection = sqlite3.connect(uri, uri=True, timeout=5.0, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _wal_bytes(self) -> int:
        with suppress(OSError):
            return self._file.with_name(RESULTS + "-wal").stat().st_size
        return 0


def _steps(packed: bytes | None) -> tuple[tuple[float, float], ...]:
    values = array("d", packed or b"").tolist()
    return tuple(zip(values[::2], values[1::2], strict=True))


def _curves(analysis: Analysis, rows: Mapping[int, Row]) -> tuple[Curve, ...]:
    """The best arms' regret so far over slot-seconds, with bands; controls come last, and what is the same once."""
    from company.batch.profiles import progress, progress_grid

    arms = sorted((each.arm for each in analysis.summaries), key=lambda arm: arm in analysis.controls)
    mine: dict[Arm, dict[World, Row]] = {arm: {} for arm in arms}
    for row in rows.values():
        if row.arm in mine:
            mine[row.arm][row.world] = row
    grid, known = progress_grid(mine), {}
    for arm, found in mine.items():
        paths = tuple(sorted((world, row.trail) for world, row in found.items() if row.regret is not None))
        if paths in known or len(known) >= DRAWN:
            continue
        curve = progress(arm, found, grid, statistic=analysis.statistic, n=RESAMPLES)
        known |= {paths: curve} if curve is not None else {}
    return tuple(known.values())
