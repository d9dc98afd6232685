"""What the companies of one arm came to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from company.batch.resampling import RESAMPLES, Array, Interval, Statistic, estimator, interval, once, resamples
from company.batch.rows import Arm, Row, World, regrets, strata

COLUMNS = ("best_found", "mean_of_agents", "replacements", "experiments", "slot_seconds")


@dataclass(frozen=True, slots=True)
class Summary:
    """An arm over the `n` worlds in which it left a regret; `failed` are the others that it was run in.

    `estimate` is the interquartile mean of the regrets (or their mean, where asked for) with a 95 % interval of the
    stratified bootstrap, None with one seed a project. `means` has the plain mean of `regret` and of each further
    metric over the companies that have it; where none has it, it is missing.
    """

    arm: Arm
    n: int
    failed: int
    estimate: float | None
    interval: Interval
    means: Mapping[str, float]


def summarise(
    arm: Arm, rows: Mapping[World, Row], seed: int = 0, statistic: Statistic = "iqm", n: int = RESAMPLES
) -> Summary:
    """The summary of one arm's rows, by sorted world."""
    found = regrets(rows)
    ended = [rows[world] for world in found]
    columns = {name: [row.metrics.get(name, math.nan) for row in ended] for name in ("regret", *COLUMNS)}
    finite = {name: [v for v in values if math.isfinite(v)] for name, values in columns.items()}
    means = {name: sum(values) / len(values) for name, values in finite.items() if values}
    if not found:
        return Summary(arm, 0, len(rows), None, (None, None), means)
    values, sizes, estimate = np.array(list(found.values())), strata(list(found)), estimator(statistic)
    drawn = np.concatenate([estimate(values, counts) for counts in resamples(sizes, n, seed)])
    return Summary(
        arm, len(found), len(rows) - len(found), float(estimate(values, once(values))[0]), interval(drawn, sizes), means
    )


def pointwise(
    table: Array, sizes: list[int], seed: int, statistic: Statistic, n: int
) -> tuple[Array, Array | None, Array | None]:
    """Estimates of each column of a (worlds, points) table, and the ends of their pointwise 95 % intervals."""
    estimate = estimator(statistic)
    centre = np.array([estimate(column, once(column))[0] for column in table.T])
    blocks = [np.array([estimate(column, counts) for column in table.T]) for counts in resamples(sizes, n, seed)]
    ends = [interval(column, sizes) for column in np.hstack(blocks)]
    if any(None in end for end in ends):
        return centre, None, None
    low, high = np.array(ends, dtype=float).T
    return centre, low, high
