"""Shares of compute by Thompson sampling over a manager's reports."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

TOP = 0.1  # a result in the top tenth of the record is a success: measured better than credit by rank
FLOOR = 0.3  # of an equal share, that everybody keeps: who starves can never show better
DRAWS = 256
STRENGTH = 4.0  # results that the common success rate counts for
MEMORY = 0.97  # weight of a result against the next one: what paid early may have dried up


def shares(outcomes: Sequence[Sequence[float]], rng: np.random.Generator, top: float = TOP) -> list[float]:
    """A share for each report, summing to 1.

    `outcomes[i]` are report i's finished proposals in order, as the share of the record that each one beat. Success is
    to be in the `top` of the record; its rate has a Beta posterior around the common rate; a report's share is its
    probability to have the highest rate, above a floor.
    """
    count = len(outcomes)
    if count == 0:
        return []
    wins, losses = np.array([_tally(line, top) for line in outcomes]).T
    common = (wins.sum() + 1.0) / (wins.sum() + losses.sum() + 1.0 / max(top, 1e-6))
    rates = rng.beta(wins + STRENGTH * common, losses + STRENGTH * (1.0 - common), size=(DRAWS, count))
    best = np.bincount(rates.argmax(axis=1), minlength=count) / DRAWS
    return (FLOOR / count + (1.0 - FLOOR) * best).tolist()


def _tally(outcomes: Sequence[float], top: float) -> tuple[float, float]:
    """Successes and failures, the older ones weighing less."""
    won = lost = 0.0
    for outcome in outcomes:
        success = outcome >= 1.0 - top
        won, lost = MEMORY * won + success, MEMORY * lost + (not success)
    return won, lost
