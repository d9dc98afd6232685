"""Forecasts and splits: the Brier score's parts, predictions, regret, and directives followed or not."""

from __future__ import annotations

import pytest
from core_kit import quiet
from hypothesis import given
from hypothesis import strategies as st

from company.allocation import compliance, followed, judge_split
from company.appraisal import Posterior
from company.calibration import brier, correlation, mean_interval, predictions

cases = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


@quiet(200)
@given(cases)
def test_the_brier_score_is_its_parts(rows: list[tuple[float, bool]]) -> None:
    found = brier([p for p, _ in rows], [hit for _, hit in rows])
    assert found.score == pytest.approx(found.reliability - found.resolution + found.uncertainty + found.within)
    assert found.reliability >= 0 and found.uncertainty >= found.resolution - 1e-12 and found.n == len(rows)


@quiet(200)
@given(st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0]), st.booleans()), min_size=1, max_size=60))
def test_murphys_identity_is_exact_where_forecasts_repeat(rows: list[tuple[float, bool]]) -> None:
    assert brier([p for p, _ in rows], [hit for _, hit in rows]).within == pytest.approx(0, abs=1e-12)


def test_prophets_and_those_who_know_the_base_rate() -> None:
    assert brier([1.0, 0.0, 1.0], [True, False, True]).skill == 1
    assert brier([0.5] * 4, [True, False] * 2).skill == 0
    assert brier([0.0], [True]).skill == 0
    with pytest.raises(ValueError):
        brier([], [])


def test_predictions_are_measured_in_sigmas() -> None:
    found = predictions([1.0, 2.0, 3.0], [1.2, 2.2, 3.2], 0.1)
    assert (found.bias, found.rmse, found.correlation) == pytest.approx((2.0, 2.0, 1.0))
    assert predictions([], [], 1.0).n == 0 and correlation([1, 1, 1], [1, 2, 3]) == 0


def test_a_mean_without_values_is_the_guess_and_wide() -> None:
    nothing, some = mean_interval([], 0.0, 0.1), mean_interval([0.1] * 30, 0.0, 0.1)
    assert nothing[0] == 0 and nothing[1] == -nothing[2]
    assert some[0] == pytest.approx(0.1 * 30 / 31) and some[2] - some[1] < nothing[2] - nothing[1]


splits = st.lists(st.tuples(st.floats(-3, 3), st.floats(0.01, 2), st.floats(0, 50)), min_size=1, max_size=8)


def people(rows: list[tuple[float, float, float]]) -> list[Posterior]:
    return [Posterior(mean, mean - half, mean + half, 1, 0.5) for mean, half, _ in rows]


@quiet(200)
@given(splits)
def test_regret_is_never_negative_and_gain_is_regret_saved(rows: list[tuple[float, float, float]]) -> None:
    found = judge_split(people(rows), [used for _, _, used in rows])
    assert found.regret >= 0 and found.equal_regret >= -1e-12 and found.low <= found.gain <= found.high
    if sum(used for _, _, used in rows) > 0:
        assert found.gain == pytest.approx(found.equal_regret - found.regret, abs=1e-9)


def test_an_equal_split_neither_gains_nor_doubts() -> None:
    found = judge_split(people([(1.0, 0.5, 0), (-1.0, 0.5, 0)]), [7.0, 7.0])
    assert (found.gain, found.low, found.high, found.regret) == (0, 0, 0, 1)


def test_following_and_improving_are_two_facts() -> None:
    table = compliance([True, True, False, False, False], [True, False, True, True, False])
    assert (table.followed_improved, table.followed_not, table.other_improved, table.other_not) == (1, 1, 2, 1)
    assert table.rate == 0.4 and table.n == 5
    value, low, high = table.difference()
    assert value == pytest.approx(2 / 4 - 3 / 5) and low < value < high


def test_what_it_means_to_follow_a_directive() -> None:
    here, far = {"lr": 1, "width": 2}, {"lr": 9, "width": 2}
    assert followed("free", (), far, here, (0.9, 0.1), (0.1, 0.1)) is None
    assert followed("refine", (), here, here, (0.1, 0.1), (0.1, 0.1)) is True
    assert followed("explore", (), far, here, (0.9, 0.1), (0.1, 0.1)) is True
    assert followed("free", ("lr",), far, here, (0.9, 0.1), (0.1, 0.1)) is True
    assert followed("free", ("width",), far, here, (0.9, 0.1), (0.1, 0.1)) is False
