"""Curves of an arm with bands: the performance profile, and best so far against slot-seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from company.batch.resampling import Array, Statistic
from company.batch.rows import CHAMPION, Arm, Row, Trail, World, regrets, strata
from company.batch.summaries import pointwise

POINTS = 41
RESAMPLES = 500  # for each of the points


@dataclass(frozen=True, slots=True)
class Curve:
    """`y` of an arm at each `x`, with the ends of a pointwise 95 % band; no band with one seed a project.

    `of` is `profile` (share of worlds with regret <= x), or, against slot-seconds, `champion`, `best_found` or
    `mean_of_agents` (the statistic of the regret so far). `n` worlds are behind it.
    """

    arm: Arm
    of: str
    x: Array
    y: Array
    low: Array | None
    high: Array | None
    n: int


def profile(arm: Arm, rows: Mapping[World, Row], grid: Array, seed: int = 0, n: int = RESAMPLES) -> Curve:
    """Share of worlds with regret <= x for x of the grid (Dolan & Moré 2002, Agarwal et al. 2021)."""
    found = regrets(rows)
    reached = (np.array(list(found.values()))[:, None] <= grid).astype(float)
    band = pointwise(reached, strata(list(found)), seed, "mean", n)
    return Curve(arm, "profile", grid, *band, len(found))


def profile_grid(arms: Mapping[Arm, Mapping[World, Row]]) -> Array:
    """From the best there is, 0, to the worst regret of all arms."""
    worst = max((max(regrets(rows).values(), default=0.0) for rows in arms.values()), default=0.0)
    return np.linspace(0.0, worst if worst > 0 else 1.0, POINTS)


def progress(
    arm: Arm, rows: Mapping[World, Row], grid: Array, of: str = CHAMPION, seed: int = 0,
    statistic: Statistic = "iqm", n: int = RESAMPLES,
) -> Curve | None:  # fmt: skip
    """Regret so far at each slot-second of the grid; None where no company kept the trail.

    A company that closed keeps its last value. Before the first, the champion is the baseline that the company was
    founded with; the other curves begin where every company has tried something.
    """
    kept = {world: trail for world, row in rows.items() if row.regret is not None and (trail := row.path(of))}
    if not kept:
        return None
    if of != CHAMPION:
        grid = grid[grid >= max(trail[0][0] for trail in kept.values())]
    if not len(grid):
        return None
    table = np.array([_held(trail, grid) for trail in kept.values()])
    return Curve(arm, of, grid, *pointwise(table, strata(list(kept)), seed, statistic, n), len(kept))


def progress_grid(arms: Mapping[Arm, Mapping[World, Row]]) -> Array:
    """From 0 to the last slot-second of any company: the same for every arm."""
    rows = [row for mine in arms.values() for row in mine.values() if row.regret is not None]
    ends = [at for row in rows for at, _ in row.path(CHAMPION)[-1:]]
    ends += [row.metrics.get("slot_seconds", 0.0) for row in rows]
    return np.linspace(0.0, max((end for end in ends if np.isfinite(end)), default=1.0) or 1.0, POINTS)


def _held(trail: Trail, grid: Array) -> Array:
    """A step function on the grid: the value of the last step at or before each point."""
    steps = np.array(trail, dtype=float)
    at = np.searchsorted(steps[:, 0], grid, side="right") - 1
    return steps[np.maximum(at, 0), 1]
