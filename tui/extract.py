"""What of a long ledger is read first: the rare events, the latest, and what the projections say. No Textual here."""

from __future__ import annotations

import json
from collections.abc import Iterable
from sys import intern

from company.chaining import restore
from company.entities import UNDER_WAY, Experiment
from company.glimpse import RARE, Extract, Standing
from company.snapshot import Recorded
from tui.source import Row, Source

LATEST = 500  # events that are told
NEWEST, SAMPLE = 500, 1_500  # experiments
MOST = 20_000  # rare events: where there are more, all of them are read in their turn

# Fields that say the same few words again and again.
NAMES = frozenset((
    "agent", "by", "engineer", "manager", "position", "proposer", "reviewer", "task", "outcome", "status", "purpose",
    "split", "directive", "leaving", "hired",
))  # fmt: skip

EVENT = "seq, at, wall, kind, payload, measured"
EXPERIMENT = (
    "id, purpose, config, hash, seed, steps, cost, proposer, position, parent, predicted, created_at, status, attempt,"
    " started_at, finished_at, metric, failure, detail, verdict, standing"
)


def extract(source: Source) -> Extract | None:
    """An extract of a long ledger at this moment, in one short transaction; None where there are too many rare events.

    Raises SourceError where it cannot be read.
    """
    with source.moment():
        rare = source.rows(f"SELECT {EVENT} FROM event WHERE kind IN ({_marks(RARE)}) LIMIT {MOST}", RARE)
        if len(rare) >= MOST:
            return None
        last = source.last()
        latest = source.rows(f"SELECT {EVENT} FROM event WHERE seq > ? ORDER BY seq", (last - LATEST,))
        appraised = source.rows(
            f"SELECT {EVENT} FROM event WHERE seq IN (SELECT max(seq) FROM appraisal GROUP BY agent)"
        )
        directed = source.rows(f"SELECT {EVENT} FROM event WHERE kind = 'DirectiveGiven' ORDER BY seq DESC LIMIT 2000")
        experiments = _experiments(source, _champions(rare))
        agents = source.rows("SELECT id, status, experiments FROM agent")
        tally = source.rows("SELECT status, count(*) FROM experiment GROUP BY status")
        started = source.rows(f"SELECT {EVENT} FROM event WHERE kind = 'ExperimentStarted' ORDER BY seq DESC LIMIT 512")
    few = sorted({row[0]: row for row in (*rare, *appraised, *_last_of_each(directed))}.values())
    return Extract(
        [restored(row) for row in few], [restored(row) for row in latest], experiments,
        [Standing(*row) for row in agents], dict(tally), _slots(experiments, started),
    )  # fmt: skip


def restored(row: Row) -> Recorded:
    """A row as the event that it records. Raises KeyError for a kind that is not known, ValueError for what is none."""
    seq, at, wall, kind, body, measured = row
    fields = json.loads(body)
    for name in NAMES.intersection(fields):
        value = fields[name]
        if type(value) is str:
            fields[name] = intern(value)
    return Recorded(seq, at, wall, restore(kind, fields, json.loads(measured)))


def _champions(rare: Iterable[Row]) -> list[str]:
    return [json.loads(body)["experiment"] for _, _, _, kind, body, _ in rare if kind == "ChampionChosen"]


def _last_of_each(directed: Iterable[Row]) -> list[Row]:
    """The last directive of everybody; the rows come with the newest first."""
    found: dict[str, Row] = {}
    for row in directed:
        found.setdefault(json.loads(row[4])["agent"], row)
    return list(found.values())


def _slots(experiments: Iterable[Experiment], started: Iterable[Row]) -> dict[int, str]:
    """What runs where; the rows come with the newest first."""
    running = {experiment.id for experiment in experiments if experiment.status == "running"}
    found = [json.loads(row[4]) for row in started]
    return {start["slot"]: start["experiment"] for start in reversed(found) if start["experiment"] in running}


def _experiments(source: Source, champions: list[str]) -> list[Experiment]:
    """Champions, what is under way, the newest, every so many of the others, and as the oldest the first baseline."""
    every = max(1, source.rows("SELECT count(*) FROM experiment")[0][0] // SAMPLE)
    where = (
        f"id IN ({_marks(champions)}) OR status IN ({_marks(UNDER_WAY)}) OR rowid % {every} = 0"
        f" OR id IN (SELECT id FROM experiment ORDER BY created_at DESC LIMIT {NEWEST})"
        " OR id IN (SELECT id FROM experiment WHERE purpose = 'baseline' ORDER BY created_at LIMIT 1)"
    )
    rows = source.rows(
        f"SELECT {EXPERIMENT} FROM experiment WHERE {where} ORDER BY created_at, id", (*champions, *UNDER_WAY)
    )
    return [_experiment(row) for row in rows]


def _experiment(row: tuple) -> Experiment:
    (id, purpose, config, hash, seed, steps, cost, proposer, position, parent, predicted, created, status, attempt,
     started, finished, metric, failure, detail, verdict, standing) = row  # fmt: skip
    return Experiment(
        id, purpose, json.loads(config), hash, (), seed, steps, cost, "", proposer, position, parent, predicted, "",
        None, created, status, attempt, started_at=started, finished_at=finished, metric=metric, failure=failure,
        detail=detail, verdict=verdict, standing=standing,
    )  # fmt: skip


def _marks(values: Iterable[object]) -> str:
    return ",".join("?" for _ in values)
