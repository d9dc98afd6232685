"""The race: looking after every seed costs nothing, and a clearly worse arm goes soon."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from batch_kit import batch, row

from company.batch.race import ALPHA, FEWEST, doubtless, hopeless, log_capital, lower_bound, worse_share
from company.batch.rows import Arm

SOLO, STARTUP = Arm("solo"), Arm("startup")
SEEDS = 200


@pytest.mark.parametrize("projects", [1, 4])
def test_equal_arms_are_dropped_in_at_most_one_race_in_twenty_however_often_one_looks(projects: int) -> None:
    """600 races of two arms; a naive paired test, looked at as often, would drop an arm in over a third of them."""
    rng = np.random.default_rng(0)
    x, y = rng.lognormal(-2, 0.8, (2, 600, SEEDS, projects))
    worse = worse_share(x - y)
    dropped = doubtless(worse, ALPHA / 2, FEWEST) | doubtless(1 - worse, ALPHA / 2, FEWEST)
    assert dropped.mean() <= 0.05
    gaps, n = (x - y).mean(axis=2), np.arange(1, SEEDS + 1)
    means = np.cumsum(gaps, axis=1) / n
    error = np.sqrt(np.maximum(np.cumsum(gaps**2, axis=1) / n - means**2, 1e-12) / n)
    assert (np.abs(means / error)[:, FEWEST - 1 :] > 1.96).any(axis=1).mean() > 0.3


def test_the_bound_covers_the_mean_at_all_looks_together() -> None:
    rng = np.random.default_rng(1)
    outcomes = rng.beta(2, 3, (400, SEEDS))
    missed = (log_capital(outcomes, 0.4, ALPHA) >= -math.log(ALPHA)).any(axis=1)
    assert missed.mean() <= 0.05


def test_a_stake_knows_nothing_of_the_outcome_that_it_is_on() -> None:
    past = np.random.default_rng(3).random(30)
    stakes = []
    for last in (0.0, 0.7, 1.0):
        capital = log_capital(np.array([[*past, last]]), 0.5, ALPHA)[0]
        stakes.append(math.expm1(capital[-1] - capital[-2]) / (last - 0.5))
    assert stakes == pytest.approx([stakes[0]] * 3)
    assert 0 < stakes[0] <= 1.5


def test_a_lower_bound_closes_in_on_the_mean() -> None:
    rng = np.random.default_rng(2)
    outcomes = (rng.random(2000) < 0.8).astype(float)
    bounds = [lower_bound(outcomes[:n], ALPHA) for n in (1, 20, 200, 2000)]
    assert bounds == sorted(bounds)
    assert bounds[0] < 0.3 and 0.74 < bounds[-1] < 0.82


def test_a_clearly_worse_arm_is_dropped_as_soon_as_it_may_be() -> None:
    rows = batch(30, 3, {("startup", ""): 0.5, ("lab", ""): 0.52, ("solo", ""): 1.0})
    assert not hopeless([each for each in rows if each.seed < FEWEST - 1])
    (dropped,) = hopeless([each for each in rows if each.seed < FEWEST])
    assert dropped.arm == SOLO and dropped.seeds == FEWEST
    assert 0.5 < dropped.at_least < dropped.worse


def test_controls_stay_in_the_race() -> None:
    rows = batch(30, 3, {("startup", ""): 0.5, ("solo", ""): 1.0})
    assert hopeless(rows) and not hopeless(rows, keep={SOLO})


def test_an_arm_with_the_better_mean_is_kept_whatever_its_ranks() -> None:
    """It ends a little worse nine times in ten, and far better otherwise."""
    often = [row("lab", "p", seed, 0.5 if seed % 10 else 0.0) for seed in range(60)]
    steady = [row("solo", "p", seed, 0.49) for seed in range(60)]
    assert not hopeless([*often, *steady])


def test_seeds_wait_for_those_before_them_and_failures_are_left_out() -> None:
    rows = batch(30, 2, {("startup", ""): 0.5, ("solo", ""): 1.0})
    waiting = [each for each in rows if (each.arm, each.world) != (SOLO, ("p0", 3))]
    assert not hopeless(waiting)
    failed = [row("solo", "p0", 3, None) if (each.arm, each.world) == (SOLO, ("p0", 3)) else each for each in rows]
    assert hopeless(failed)[0].seeds == 29


def test_ties_decide_nothing() -> None:
    rows = batch(40, 1, {("startup", ""): 0.5})
    assert not hopeless([*rows, *(replace(each, chart="solo") for each in rows)])
    assert not hopeless([])
