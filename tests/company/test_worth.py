"""The hierarchical model of worth: closed forms, properties, and coverage of planted truth."""

from __future__ import annotations

import random

import numpy as np
import pytest
from core_kit import quiet
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from company.appraisal import INTERVAL, RATIO, difference, replacement_level, worths
from company.contribution import Score


def score(agent: str, value: float, block: int = 0, weight: float = 1.0) -> Score:
    return Score("e1", agent, block, value, weight, weight)


def planted(seed: int, people: int, n: int, spread: float, uneven: bool = False) -> tuple[list[float], list[Score]]:
    """Worths, and scores of blocks of eight whose field drifts."""
    rng = np.random.default_rng(seed)
    worth = rng.normal(0, spread, people)
    field = np.cumsum(rng.normal(-0.2, 0.5, n // 8 + 1))
    chance = np.arange(1, people + 1) ** (3.0 if uneven else 0.0)
    who = rng.choice(people, n, p=chance / chance.sum())
    values = field[np.arange(n) // 8] + worth[who] + rng.normal(0, 1, n)
    return worth.tolist(), [
        score(f"a{w}", v, i // 8) for i, (w, v) in enumerate(zip(who, values.tolist(), strict=True))
    ]


many = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.floats(-8, 8)), min_size=1, max_size=40)


def test_no_data_is_the_prior_for_everyone() -> None:
    found = worths([], ["a", "b"])
    assert found["a"] == found["b"]
    assert found["a"].evidence == 0 and found["a"].mean == 0 and found["a"].low == pytest.approx(-found["a"].high)
    assert found["a"].p_below == pytest.approx(0.5) and 0.3 < worths([], ["a"], -0.1)["a"].p_below < 0.5


def test_who_worked_alone_is_not_known_better_than_before() -> None:
    """With nobody beside them, a good agent in a hard field and a bad one in an easy field look the same."""
    alone = worths([score("a", -3.0 + n % 2, n // 8) for n in range(40)], ["a"])["a"]
    assert alone.mean == pytest.approx(0, abs=1e-9) and alone.high > 0.5


@quiet(60)
@given(many, st.randoms(use_true_random=False))
def test_the_order_within_a_block_does_not_matter(rows: list[tuple[str, int, float]], shuffle: random.Random) -> None:
    scores = [score(who, value, block) for who, block, value in rows]
    mixed = scores[:]
    shuffle.shuffle(mixed)
    one, other = worths(scores, "abc"), worths(mixed, "abc")
    for who in "abc":
        assert one[who].mean == pytest.approx(other[who].mean, abs=1e-8)
        assert one[who].p_below == pytest.approx(other[who].p_below, abs=1e-8)


@quiet(60)
@given(many, st.lists(st.floats(-50, 50), min_size=4, max_size=4))
def test_a_harder_field_is_held_against_nobody(rows: list[tuple[str, int, float]], harder: list[float]) -> None:
    scores = [score(who, value, block) for who, block, value in rows]
    moved = [score(who, value + harder[block], block) for who, block, value in rows]
    one, other = worths(scores, "abc"), worths(moved, "abc")
    for who in "abc":
        assert one[who].mean == pytest.approx(other[who].mean, abs=1e-6)
        assert one[who].high == pytest.approx(other[who].high, abs=1e-6)


@quiet(60)
@given(many)
def test_the_parts_add_up_and_the_interval_holds_the_mean(rows: list[tuple[str, int, float]]) -> None:
    for found in worths([score(who, value, block) for who, block, value in rows], "abc").values():
        parts = found.parts
        assert found.low < found.mean < found.high and 0 <= found.p_below <= 1
        assert found.mean == pytest.approx(parts["raw"] - parts["field"] + parts["shrinkage"], abs=1e-9)


def test_shrinkage_fades_as_results_come_in() -> None:
    kept = []
    for n in (1, 2, 4, 8, 16, 32):
        scores = [score(who, value, block) for block in range(n) for who, value in (("a", 0.5), ("b", -0.5))]
        found = worths([*scores, score("a", 0.9, n), score("b", -0.1, n)], ["a", "b"])["a"]
        kept.append(found.mean / 0.5)
    assert kept == sorted(kept) and 0 < kept[0] < kept[-1] < 1


def test_a_run_of_half_the_compute_is_half_the_evidence() -> None:
    full = [score(who, value, 0, 1.0) for who, value in (("a", 1.0), ("b", -1.0))]
    less = [score(who, value, 0, 0.25) for who, value in (("a", 1.0), ("b", -1.0))]
    assert 0 < worths(less, "ab")["a"].mean < worths(full, "ab")["a"].mean


def test_it_is_bayes_where_the_answer_is_known() -> None:
    """Two people, one block, by brute force over worths, noise and spread."""
    values = {"a": [0.2, 1.4, 0.9], "b": [-0.8, -0.1, -1.2]}
    scores = [score(who, value) for who, column in values.items() for value in column]
    found, rng = difference(scores, "a", "b"), np.random.default_rng(5)
    draws = 400_000
    variance = 4.0 / rng.chisquare(4.0, draws)  # scaled inverse chi-square with 4 runs at noise 1
    tau = np.exp(rng.normal(np.log(RATIO), 0.8, draws)) * np.sqrt(variance)
    a, b = rng.normal(0, 1, draws) * tau, rng.normal(0, 1, draws) * tau
    residual = np.array([*(v - a for v in values["a"]), *(v - b for v in values["b"])])
    squares = ((residual - residual.mean(axis=0)) ** 2).sum(axis=0)
    weight = np.exp(-0.5 * squares / variance - 2.5 * np.log(variance))  # five degrees of freedom: the field is free
    weight /= weight.sum()
    assert found.mean == pytest.approx(float(weight @ (a - b)), abs=0.03)
    assert found.p_below == pytest.approx(float(weight @ (a < b)), abs=0.01)
    assert float(weight @ ((a - b > found.low) & (a - b < found.high))) == pytest.approx(INTERVAL, abs=0.01)


@pytest.mark.parametrize("people, n, uneven", [(2, 24, False), (4, 48, True), (8, 100, False)])
def test_the_interval_covers_planted_worth(people: int, n: int, uneven: bool) -> None:
    hits = cases = 0
    for seed in range(120):
        worth, scores = planted(seed, people, n, RATIO, uneven)
        found = worths(scores, [f"a{i}" for i in range(people)])
        hits += sum(found[f"a{i}"].low <= w <= found[f"a{i}"].high for i, w in enumerate(worth))
        cases += people
    assert hits / cases == pytest.approx(0.9, abs=0.06)


def test_a_difference_is_antisymmetric_and_finds_the_better_one() -> None:
    _, scores = planted(3, 3, 60, 0.0)
    scores = [score(s.agent, s.value + (1.5 if s.agent == "a1" else 0.0), s.block) for s in scores]
    ahead, behind = difference(scores, "a1", "a0"), difference(scores, "a0", "a1")
    assert ahead.mean == pytest.approx(-behind.mean) and ahead.low == pytest.approx(-behind.high, abs=1e-6)
    assert ahead.p_below < 0.05


def test_the_prior_is_a_mixture_of_student_t() -> None:
    found = worths([], ["a"])["a"]
    grid = RATIO * np.geomspace(1 / 8, 8, 25)
    chance = np.exp(-0.5 * (np.log(grid / RATIO) / 0.8) ** 2)
    at = float(chance @ stats.t.cdf(found.high / grid, 4) / chance.sum())
    assert at == pytest.approx(0.95, abs=1e-5)


def test_near_the_end_no_change_pays() -> None:
    assert replacement_level(runs_left=20) == pytest.approx(-0.05)
    assert replacement_level(runs_left=1) == -1 and replacement_level(runs_left=0) < -1e6
    assert replacement_level(0.3, runs_left=10) == pytest.approx(0.2)
