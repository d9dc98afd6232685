"""What an early loss says of the end is learned from finished runs, and no more is believed than they show."""

from __future__ import annotations

import math

import numpy as np
import pytest

from roles.forecast import agreement, chance


def field(n: int, rho: float, seed: int) -> tuple[list[float], list[float]]:
    """Losses on the way and at the end, correlated as stated, on scales that have nothing in common."""
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((2, n))
    return np.exp(a).tolist(), (5 * (rho * a + math.sqrt(1 - rho**2) * b) ** 3).tolist()


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("n", [8, 40])
def test_the_agreement_is_a_lower_bound(rho: float, n: int) -> None:
    found = [agreement(*field(n, rho, seed)) for seed in range(400)]
    assert np.mean([bound > rho for bound in found]) < 0.09
    assert all(0 <= bound < 1 for bound in found)


def test_it_comes_near_the_truth_with_evidence() -> None:
    assert agreement(*field(2000, 0.9, 0)) == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize("rho", [0.5, 0.9])
def test_what_is_given_no_chance_seldom_ends_among_the_best(rho: float) -> None:
    """Of the runs under 5 %, no more than 5 % end in the best fifth."""
    hits = []
    for seed in range(300):
        seen, ended = field(31, rho, seed)
        if chance(seen[-1], seen[:-1], ended[:-1], 0.2) < 0.05:
            hits.append(ended[-1] <= sorted(ended[:-1])[5])
    assert len(hits) > 5 and np.mean(hits) <= 0.05


def test_only_the_order_counts() -> None:
    seen, ended = field(20, 0.9, 1)
    other = [math.log(x) for x in seen], [x * 1e6 - 3 for x in ended]
    for loss in (0.1, 1.0, 10.0):
        assert chance(loss, seen, ended, 0.2) == chance(math.log(loss), *other, 0.2)


def test_a_worse_start_never_raises_the_chance() -> None:
    seen, ended = field(20, 0.95, 2)
    chances = [chance(loss, seen, ended, 0.2) for loss in sorted(seen)]
    assert chances == sorted(chances, reverse=True) and chances[0] > 0.3 and chances[-1] < 0.05


@pytest.mark.parametrize(("seen", "ended"), [
    ([1.0] * 9, [1.0] * 9),
    ([1.0] * 9, list(range(9))),
    (list(range(9)), list(range(9))[::-1]),
    ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]),
    ([], []),
])  # fmt: skip
def test_without_agreement_the_chance_is_anyones(seen: list[float], ended: list[float]) -> None:
    assert agreement(seen, ended) == 0.0
    assert chance(99.0, seen, ended, 0.2) == pytest.approx(0.2)


def test_a_diverged_start_is_the_last() -> None:
    seen, ended = field(20, 0.95, 3)
    assert chance(math.inf, [*seen, math.inf], [*ended, max(ended) + 1], 0.2) < 0.05


def test_equals_share_their_place_whatever_their_order() -> None:
    seen, ended = [1.0, 1.0, 2.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0, 2.0, 3.0, 4.0, 4.0, 5.0, 6.0, 7.0]
    turned = [1, 0, 3, 2, 4, 5, 6, 7]
    assert agreement(seen, ended) == pytest.approx(agreement([seen[i] for i in turned], [ended[i] for i in turned]))
