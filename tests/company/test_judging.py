"""Judging against planted truths and against the textbook's own implementation."""

from __future__ import annotations

import numpy as np
import pytest
from core_kit import chart_of
from scipy import stats

from company.compute.backend import Outcome
from company.judging import FINALS, HALF_SPENT, RESEARCH, judge, level, mean, sample_sd, welch_interval
from company.state import State
from company.testing import Run, drive, planted_project
from roles.intents import Intent, Propose, Verdict
from roles.observation import Observation
from roles.streams import stream


def test_the_p_value_is_that_of_the_pooled_t_test() -> None:
    rng = np.random.default_rng(1)
    for n, m in ((2, 5), (3, 5), (8, 2)):
        fresh, champion = rng.normal(0, 1, n).tolist(), rng.normal(0.5, 1, m).tolist()
        spread = [(m - 1, sample_sd(champion) ** 2)]
        expected = stats.ttest_ind(champion, fresh, alternative="greater")[1]
        found = judge(fresh, champion, spread, 0.05)
        assert found.p == pytest.approx(expected, rel=1e-9)
        assert found.gain == pytest.approx(mean(champion) - mean(fresh))


def test_noise_measured_elsewhere_in_the_run_counts() -> None:
    champion = [1.0, 1.1, 0.9, 1.05, 0.95]
    own = [(4, sample_sd(champion) ** 2)]
    assert not judge([0.8], champion, [*own, (20, 0.5)], 0.05).accepted
    assert judge([0.8], champion, [*own, (20, 0.001)], 0.05).accepted


def test_without_noise_every_gain_is_real_and_no_loss_is() -> None:
    assert judge([0.9], [1.0, 1.0], [(1, 0.0)], 0.05).accepted
    assert not judge([1.0], [1.0, 1.0], [(1, 0.0)], 0.05).accepted
    assert not judge([1.1], [1.0, 1.0], [(1, 0.0)], 0.05).accepted
    nothing = judge([], [1.0], [(1, 0.1)], 0.05)
    assert not nothing.accepted and nothing.p is None


def test_the_interval_is_that_of_welch_and_covers_the_truth() -> None:
    rng = np.random.default_rng(2)
    covered = 0
    worlds = 1500
    for world in range(worlds):
        before, after = rng.normal(1.0, 0.3, 5), rng.normal(0.7, 0.1, 5)
        low, high = welch_interval(before.tolist(), after.tolist())
        covered += low <= 0.3 <= high
        if world < 5:
            expected = stats.ttest_ind(before, after, equal_var=False).confidence_interval(0.95)
            assert (low, high) == (pytest.approx(expected.low), pytest.approx(expected.high))
    assert covered / worlds == pytest.approx(0.95, abs=0.018)
    assert welch_interval([1.0, 1.0], [0.5, 0.5]) == (0.5, 0.5)


def verdicts(gain: float, runs: int, first_seed: int) -> tuple[int, int]:
    """(accepted, judged) candidates of companies in which every proposal has the same true gain, in noise of sd 1.

    Every proposal is called promising, so that each is judged by the gate alone.
    """
    accepted = judged = 0
    chart = chart_of(
        "startup",
        60,
        watch={"rule": "never"},
        appraise={"every": 0},
        accept={"p": 0.05, "fresh_seeds": 3, "finals": 0.0},
    )
    baseline = dict(planted_project().baseline)

    def train(run: Run) -> Outcome:
        better = gain if dict(run.config) != baseline else 0.0
        return Outcome("ok", metric=-better + float(stream(run.seed, "a/a", "noise").standard_normal()))

    def decide(state: State, observation: Observation) -> list[Intent]:
        if observation.task == "propose":
            return [Propose(config=observation.space.sample(observation.rng("x")))]
        return [Verdict(outcome="promising", p_real=1.0)] if observation.task == "verdict" else []

    for seed in range(first_seed, first_seed + runs):
        state = drive(planted_project(), chart, train, seed=seed, decide=decide).state
        looked = [e for e in state.experiments.values() if e.standing in ("champion", "rejected") and e.replications]
        first = next((i for i, e in enumerate(looked) if e.standing == "champion"), None)
        judged += len(looked) if first is None else first + 1  # later ones meet another champion
        accepted += first is not None
    return accepted, judged


def test_pure_noise_dethrones_the_baseline_in_no_more_companies_than_p_says() -> None:
    accepted, judged = verdicts(0.0, 40, 100)
    assert judged > 400
    assert stats.binomtest(accepted, 40, 0.05, alternative="greater").pvalue > 0.05


def test_a_real_gain_is_found() -> None:
    accepted, judged = verdicts(5.0, 8, 300)
    assert accepted == 8
    assert accepted / judged > 0.6


@pytest.mark.parametrize("looks", [1, 3, 7])
def test_the_levels_of_all_candidates_and_looks_add_up_to_what_may_be_spent(looks: int) -> None:
    spent = [sum(level(0.05, n, look, looks) for look in range(1, looks + 1)) for n in range(1, 5001)]
    assert spent == sorted(spent, reverse=True)
    assert sum(spent) == pytest.approx(RESEARCH * 0.05, rel=2 * HALF_SPENT / 5000)
    assert sum(spent) < RESEARCH * 0.05
    assert sum(spent[:HALF_SPENT]) == pytest.approx(RESEARCH * 0.05 / 2)
    assert RESEARCH + FINALS <= 1


def test_a_look_late_in_a_long_reign_needs_more_than_an_early_one() -> None:
    assert level(0.05, 1, 3, 3) > level(0.05, 1, 1, 3) > level(0.05, 20, 1, 3) > 0
