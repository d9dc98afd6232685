"""A race: arms that are worse than another beyond doubt are dropped early, however often one looks.

Every seed gives one outcome in [0, 1] for a pair of arms: the share of projects in which the first ended worse than the
second in the same world (a tie counts half). Under "no worse", its mean is at most 1/2. A bet against that, with stakes
that depend on earlier seeds only, is a nonnegative martingale at best, so its capital ever reaches 1 / alpha with
probability alpha at most (Ville 1939): looking after every seed costs nothing. Waudby-Smith & Ramdas (2024).

Covered: the chance that any arm is ever dropped without being worse than the one it was dropped for is at most alpha,
over all arms and all looks. Not covered: an arm that mostly ends a little worse and rarely far better is kept only
while its mean is no worse; how much worse a dropped arm is, is not estimated.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from company.batch.resampling import TIE, Array
from company.batch.rows import Arm, Row, World, by_arm, regrets

ALPHA = 0.05
FEWEST = 20  # seeds before anything is dropped: valid with fewer, but a report on fewer convinces nobody
BOLDEST = 0.75  # of the capital that may be lost in one bet (Waudby-Smith & Ramdas 2024)
GRID = np.linspace(0.0, 1.0, 1001)


@dataclass(frozen=True, slots=True)
class Dropped:
    """`arm` ended worse than `against` in a share `worse` of worlds, at least `at_least` of them beyond doubt."""

    arm: Arm
    against: Arm
    seeds: int
    worse: float
    at_least: float


def hopeless(
    rows: Iterable[Row], keep: Collection[Arm] = (), alpha: float = ALPHA, fewest: int = FEWEST
) -> tuple[Dropped, ...]:
    """The arms to drop now, from all rows so far; those in `keep` (the controls) are never dropped.

    Call it as often as you like. Seeds count in ascending order, up to the first that a pair has not run in every
    project; seeds at which either failed are left out. `alpha` is shared by every pair that could drop an arm, so the
    rows of arms that were dropped already belong here too.
    """
    arms = by_arm(rows)
    pairs = [(a, b) for a, b in permutations(arms, 2) if a not in keep]
    found: dict[Arm, Dropped] = {}
    for a, b in pairs:
        outcomes, gaps = _outcomes(arms[a], arms[b])
        if len(outcomes) >= fewest and gaps.mean() > 0 and doubtless(outcomes[None], alpha / len(pairs))[0]:
            one = Dropped(a, b, len(outcomes), float(outcomes.mean()), lower_bound(outcomes, alpha / len(pairs)))
            found[a] = max(found.get(a, one), one, key=lambda dropped: dropped.at_least)
    return tuple(found.values())


def doubtless(outcomes: Array, alpha: float, fewest: int = 1) -> NDArray[np.bool_]:
    """Which (races, seeds) sequences of outcomes in [0, 1] have a mean above 1/2, by any look from `fewest` on."""
    return np.any(log_capital(outcomes, 0.5, alpha)[:, fewest - 1 :] >= -math.log(alpha), axis=1)


def lower_bound(outcomes: Array, alpha: float) -> float:
    """The lower end of the one-sided confidence sequence of the mean after the last of the (seeds,) outcomes.

    It holds at all looks together with probability 1 - alpha: the highest of the lower bounds so far.
    """
    ruled_out = (log_capital(outcomes[None], GRID[1:-1, None], alpha) >= -math.log(alpha)).any(axis=1)
    return float(GRID[ruled_out.sum()])


def log_capital(outcomes: Array, mean: float | Array, alpha: float) -> Array:
    """Logarithm of the capital after each outcome, (races, seeds), of betting that the true mean is above `mean`.

    The stake is the predictable plug-in of Waudby-Smith & Ramdas (2024), from the mean and variance of earlier
    outcomes, and never above what could lose BOLDEST of the capital.
    """
    n = np.arange(1, outcomes.shape[1] + 1)
    centre = (0.5 + np.cumsum(outcomes, axis=1)) / (n + 1)
    variance = (0.25 + np.cumsum((outcomes - centre) ** 2, axis=1)) / (n + 1)
    before = np.hstack([np.full((len(outcomes), 1), 0.25), variance[:, :-1]])
    stake = np.minimum(np.sqrt(2 * math.log(2 / alpha) / (before * n * np.log(n + 1))), BOLDEST / mean)
    return np.cumsum(np.log1p(stake * (outcomes - mean)), axis=1)


def _outcomes(a: Mapping[World, Row], b: Mapping[World, Row]) -> tuple[Array, Array]:
    """For each seed without a failure: the share of projects in which a was worse, and by how much on average."""
    mine, theirs = regrets(a), regrets(b)
    projects = sorted({project for project, _ in a.keys() | b.keys()})
    gaps: list[list[float]] = []
    for seed in sorted({seed for _, seed in a.keys() | b.keys()}):
        worlds = [(project, seed) for project in projects]
        if not all(world in a and world in b for world in worlds):
            break  # not run yet: later seeds wait, so that every look sees the same order
        if all(world in mine and world in theirs for world in worlds):
            gaps.append([mine[world] - theirs[world] for world in worlds])
    table = np.array(gaps).reshape(len(gaps), len(projects))
    return worse_share(table), table.mean(axis=1)


def worse_share(gaps: Array) -> Array:
    """Of differences (..., projects): the share that is positive, ties counting half."""
    return np.where(np.abs(gaps) <= TIE, 0.5, gaps > 0).mean(axis=-1)
