"""The results of a batch in one SQLite file: what was asked, with which versions, and a row a company.

One transaction a chunk (WAL, synchronous=NORMAL: after a power cut the last chunks may have to be run again, and the
file is whole). A row holds its arm, project and seed; the arm its chart: with the scenario, all that it depends on.
Best-so-far curves are kept as float64 pairs (slot-seconds, regret).
"""

from __future__ import annotations

import json
import math
import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from sqlalchemy import Column, Connection, Float, Integer, LargeBinary, MetaData, Table, Text, create_engine, select
from sqlalchemy import Engine as Database
from sqlalchemy import event as hooks
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.expression import func

from company.batch.grid import Contender, Grid
from company.batch.looks import KEY, looks_of, seeds_of
from company.batch.rows import AGENTS, CHAMPION, FOUND, Arm, Row, Trail
from company.batch.scenario import Scenario
from company.opening import reader
from company.wording import count, plain

FORMAT = 1
TRAILS = (CHAMPION, FOUND, AGENTS)

_META = MetaData()  # its own: a ledger's tables are no part of a batch
ABOUT = Table("about", _META, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))
ARM = Table(
    "arm", _META, Column("arm", Integer, primary_key=True), Column("chart", Text, nullable=False),
    Column("settings", Text, nullable=False), Column("control", Integer, nullable=False),
    Column("definition", Text, nullable=False),
)  # fmt: skip
ROW = Table(
    "row", _META, Column("row", Integer, primary_key=True), Column("arm", Integer, nullable=False),
    Column("project", Text, nullable=False), Column("seed", Integer, nullable=False),
    Column("status", Text, nullable=False), Column("digest", Text, nullable=False),
    Column("stage", Text, nullable=False), Column("reason", Text, nullable=False), Column("regret", Float),
    Column("metrics", Text, nullable=False), *(Column(f"trail_{name}", LargeBinary) for name in TRAILS),
)  # fmt: skip


class StoreError(Exception):
    """The results cannot be read or written; one line."""


class OtherBatch(StoreError):
    """The file holds the results of something else than what was asked for."""


class Store:
    """The results file of a batch."""

    def __init__(self, path: Path, *, write: bool = False) -> None:
        if not write and not (path.is_file() and path.stat().st_size):
            raise StoreError(f"{path}: no batch here; name the directory of a batch")
        self.path = path
        self._database = _writer(path) if write else reader(path)
        if write:
            with self._talk() as talk:
                _META.create_all(talk)
        self.about = self._about()

    def begin(self, grid: Grid, versions: Mapping[str, str]) -> None:
        """Note what will be run. Goes on where the file holds the same, or the same for fewer seeds.

        Raises OtherBatch where it holds another, more seeds, or a race over another number of them.
        """
        wanted = {
            "format": str(FORMAT), "scenario": grid.scenario.canonical(), "projects": _json(grid.projects),
        }  # fmt: skip
        arms = [
            {"arm": i, "chart": a.arm.chart, "settings": a.arm.settings, "control": int(a.control),
             "definition": _json(a.chart)}
            for i, a in enumerate(grid.arms)
        ]  # fmt: skip
        if self.about:
            self._refuse_other(wanted, arms, versions)
            self._refuse_seeds(grid.scenario)
            self._note({**wanted, KEY: _json(self.looks())})
            return
        self._note({**wanted, "versions": _json(versions), KEY: _json([])}, arms)

    def looks(self) -> tuple[int, ...]:
        """The numbers of seeds after which the batch was reported, ascending."""
        return looks_of(self.about, self.path.parent)

    def look(self) -> None:
        """Note that the batch is reported with the seeds that it has now."""
        self._note({KEY: _json(sorted({*self.looks(), seeds_of(self.about)}))})

    def _note(self, about: Mapping[str, str], arms: Sequence[Mapping[str, Any]] = ()) -> None:
        with self._talk() as talk:
            if arms:
                talk.execute(ARM.insert(), arms)
            talk.execute(ABOUT.delete().where(ABOUT.c.key.in_(about)))
            talk.execute(ABOUT.insert(), [{"key": key, "value": value} for key, value in about.items()])
        self.about = self._about()

    def _refuse_other(
        self, wanted: Mapping[str, str], arms: Sequence[Mapping[str, Any]], versions: Mapping[str, str]
    ) -> None:
        folder = self.path.parent
        if _but_seeds(self.about) != _but_seeds(wanted) or self.arms() != arms:
            raise OtherBatch(
                f"{folder}: holds another batch, {self._difference(wanted)}: choose another --out, or ask for the same"
            )
        then = self.versions()
        if changed := sorted(key for key in {**then, **versions} if then.get(key) != versions.get(key)):
            raise OtherBatch(
                f"{folder}: was begun with {changed[0]} {then.get(changed[0], 'of none')}, now it is"
                f" {versions.get(changed[0], 'none')}: choose another --out"
            )

    def _refuse_seeds(self, asked: Scenario) -> None:
        folder, there = self.path.parent, seeds_of(self.about)
        if asked.race and asked.seeds != there:
            raise OtherBatch(
                f"{folder}: holds a race over {count(there, 'seed')}, for which its looks were planned: ask for --seeds"
                f" {there}, or choose another --out"
            )
        if asked.seeds < there:
            raise OtherBatch(
                f"{folder}: holds a batch of {count(there, 'seed')}, not {asked.seeds}: ask for --seeds {there} or"
                " more, or choose another --out"
            )

    def _difference(self, wanted: Mapping[str, str]) -> str:
        then, now = json.loads(self.about["scenario"]), json.loads(wanted["scenario"])
        for key in Scenario.model_fields:
            if key in now and key != "seeds" and then.get(key) != now[key]:
                had, has = ("none" if v is None else plain(_json(v), 60) for v in (then.get(key), now[key]))
                return f"of {key} {had}, not {has}"
        if (had := self.about["projects"]) != (has := wanted["projects"]):
            return f"of the worlds {plain(had, 200)}, not {plain(has, 200)}"
        return "of charts that have changed since"

    def versions(self) -> dict[str, str]:
        """What the batch was begun with: of Loopworks, libraries and recordings."""
        return json.loads(self.about["versions"])

    def arms(self) -> list[dict[str, Any]]:
        """Every arm with its chart, by number."""
        with self._talk() as talk:
            return [dict(row) for row in talk.execute(select(ARM).order_by(ARM.c.arm)).mappings()]

    def grid(self) -> Grid:
        """The grid as it was begun: charts from here, not from files that may have changed. Raises StoreError."""
        if not self.about:
            raise StoreError(f"{self.path}: no batch was begun here")
        arms = (
            Contender(Arm(a["chart"], a["settings"]), json.loads(a["definition"]), bool(a["control"]))
            for a in self.arms()
        )
        wanted = Scenario.model_validate_json(self.about["scenario"])
        return Grid(wanted, tuple(arms), tuple(json.loads(self.about["projects"])))

    def done(self) -> set[int]:
        """The numbers of the rows that are there."""
        with self._talk() as talk:
            return set(talk.execute(select(ROW.c.row)).scalars())

    def counts(self) -> dict[str, int]:
        """How many rows there are by status."""
        with self._talk() as talk:
            found = talk.execute(select(ROW.c.status, func.count()).group_by(ROW.c.status)).all()
        return {str(status): int(count) for status, count in found}

    def add(self, rows: Iterable[tuple[int, int, Row]]) -> None:
        """Record rows, each with its number and its arm's, in one transaction."""
        values = [_values(number, arm, row) for number, arm, row in rows]
        with self._talk() as talk:
            talk.execute(ROW.insert(), values)

    def rows(self, trails: bool = False, below: int | None = None) -> Iterator[tuple[int, Row]]:
        """Every row with its number, in order and one after another; those `below` a number. Trails where asked for."""
        columns = [c for c in ROW.c if trails or not c.name.startswith("trail_")]
        wanted = select(*columns).order_by(ROW.c.row)
        if below is not None:
            wanted = wanted.where(ROW.c.row < below)
        arms = [(str(a["chart"]), str(a["settings"])) for a in self.arms()]
        with self._talk() as talk:
            for found in talk.execute(wanted.execution_options(yield_per=500)).mappings():
                yield found["row"], _row(found, arms)

    def row(self, number: int) -> Row | None:
        """One row, None where it has not been run."""
        arms = [(str(a["chart"]), str(a["settings"])) for a in self.arms()]
        with self._talk() as talk:
            found = talk.execute(select(ROW).where(ROW.c.row == number)).mappings().first()
        return None if found is None else _row(found, arms)

    def close(self) -> None:
        """Let go of the file."""
        self._database.dispose()

    def _about(self) -> dict[str, str]:
        with self._talk() as talk:
            found = {str(row.key): str(row.value) for row in talk.execute(select(ABOUT))}
        if found and found.get("format") != str(FORMAT):
            raise StoreError(f"{self.path}: written by another Loopworks (format {plain(found.get('format'), 20)})")
        return found

    @contextmanager
    def _talk(self) -> Iterator[Connection]:
        try:
            with self._database.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            found = getattr(error, "orig", None) or error
            hint = "; take a copy that is whole, or another directory" if type(found) is sqlite3.DatabaseError else ""
            raise StoreError(f"{self.path}: cannot be used: {plain(found, 200)}{hint}") from None


def _but_seeds(about: Mapping[str, str]) -> tuple[str | None, ...]:
    scenario = _json({**json.loads(about["scenario"]), "seeds": None})
    return scenario, about.get("format"), about.get("projects")


def _values(number: int, arm: int, row: Row) -> dict[str, Any]:
    metrics = {name: value for name, value in row.metrics.items() if math.isfinite(value)}
    regret = row.regret
    return {
        "row": number, "arm": arm, "project": row.project, "seed": row.seed, "status": row.status,
        "digest": row.digest, "stage": row.stage, "reason": row.reason, "regret": regret, "metrics": _json(metrics),
        **{f"trail_{name}": _packed(row.path(name)) for name in TRAILS},
    }  # fmt: skip


def _row(found: Mapping[Any, Any], arms: Sequence[tuple[str, str]]) -> Row:
    chart, settings = arms[found["arm"]]
    kept = {name: _unpacked(found.get(f"trail_{name}")) for name in TRAILS}
    return Row(
        chart, found["project"], settings, found["seed"], found["digest"], found["status"],
        json.loads(found["metrics"]), kept.pop(CHAMPION), {name: trail for name, trail in kept.items() if trail},
        found["stage"], found["reason"],
    )  # fmt: skip


def _packed(trail: Trail) -> bytes | None:
    return array("d", [number for step in trail for number in step]).tobytes() if trail else None


def _unpacked(raw: bytes | None) -> Trail:
    numbers = array("d", raw or b"").tolist()
    return cast(Trail, tuple(zip(numbers[::2], numbers[1::2], strict=True)))


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)


def _writer(path: Path) -> Database:
    database = create_engine(f"sqlite:///file:{quote(str(path.resolve()))}?mode=rwc&uri=true")
    hooks.listen(database, "connect", _settings)
    return database


def _settings(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
