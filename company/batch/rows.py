"""What a batch hands to its statistics: one row a company, arms to compare, worlds to pair them by."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from company.wording import plain

World = tuple[str, int]  # (project, seed): the same for every arm
Trail = tuple[tuple[float, float], ...]  # (slot-seconds, regret) from each change on

CHAMPION, FOUND, AGENTS = "champion", "best_found", "mean_of_agents"


class RowsError(ValueError):
    """Rows that cannot be compared; one line."""


@dataclass(frozen=True, slots=True, order=True)
class Arm:
    """What is compared: a chart with some settings, "k=v k=v" in canonical order, "" for the chart as it is."""

    chart: str
    settings: str = ""

    def __str__(self) -> str:
        return plain(f"{self.chart} {self.settings}".strip(), 120)


@dataclass(frozen=True, slots=True)
class Row:
    """One company: an arm in a world.

    `metrics`: `regret` (of the champion's true loss: 0 is the best there is, 1 a random draw), `best_found` and
    `mean_of_agents` in the same unit (of the best config tried, and the mean over researchers of their own best),
    `replacements`, `experiments`, `slot_seconds`; those that were not measured are missing or NaN. `trail` is the
    champion's regret as a step function; `trails` may hold those of `best_found` and `mean_of_agents`. A failed row
    has a stage and a reason.
    """

    chart: str
    project: str
    settings: str
    seed: int
    digest: str
    status: Literal["ok", "failed"]
    metrics: Mapping[str, float]
    trail: Trail = ()
    trails: Mapping[str, Trail] = field(default_factory=dict)
    stage: str = ""
    reason: str = ""

    @property
    def arm(self) -> Arm:
        return Arm(self.chart, self.settings)

    @property
    def world(self) -> World:
        return self.project, self.seed

    @property
    def regret(self) -> float | None:
        """The champion's regret; None where the company failed or left no finite one."""
        value = self.metrics.get("regret", math.nan)
        return float(value) if self.status == "ok" and math.isfinite(value) else None

    def path(self, of: str) -> Trail:
        """The finite steps of `champion`, `best_found` or `mean_of_agents`; empty where none was kept."""
        steps = self.trail if of == CHAMPION else self.trails.get(of, ())
        return tuple((at, value) for at, value in steps if math.isfinite(at) and math.isfinite(value))


@dataclass(frozen=True, slots=True)
class Failure:
    """Companies of an arm that gave no regret for the same reason."""

    arm: Arm
    stage: str
    reason: str
    count: int


def by_arm(rows: Iterable[Row]) -> dict[Arm, dict[World, Row]]:
    """Rows by arm and world, both sorted. Raises RowsError where a world was run twice by an arm."""
    found: dict[Arm, dict[World, Row]] = {}
    for row in sorted(rows, key=lambda row: (row.arm, row.world)):
        mine = found.setdefault(row.arm, {})
        if row.world in mine:
            where = f"seed {row.seed} of {plain(row.project, 60)}"
            raise RowsError(f"{row.arm} has two rows for {where}: keep one row for each arm, project and seed")
        mine[row.world] = row
    return found


def regrets(rows: Mapping[World, Row]) -> dict[World, float]:
    """The finite regrets of an arm's companies by world."""
    return {world: value for world, row in rows.items() if (value := row.regret) is not None}


def failures(rows: Iterable[Row]) -> tuple[Failure, ...]:
    """Failures by arm, stage and reason. A company that closed without a finite regret failed too, at `outcome`."""
    counted = Counter((row.arm, *_cause(row)) for row in rows if row.regret is None)
    return tuple(Failure(*cause, n) for cause, n in sorted(counted.items()))


def strata(worlds: Sequence[World]) -> list[int]:
    """How many of the sorted worlds each project has, in order: the strata of the bootstrap."""
    return list(Counter(project for project, _ in worlds).values())


def _cause(row: Row) -> tuple[str, str]:
    if row.status == "failed":
        return plain(row.stage, 60) or "unknown", plain(row.reason, 200) or "no reason given"
    return "outcome", f"the regret is {row.metrics['regret']}" if "regret" in row.metrics else "no regret was measured"
