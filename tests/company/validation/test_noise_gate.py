"""The noise gate under test: companies in a world where nothing helps, and where something does."""

from __future__ import annotations

import pytest
from scipy import stats

from company.chart_yaml import load_chart, shipped_charts
from company.validation.noise_gate import chart, is_good, project, validate, work


@pytest.mark.parametrize("name", shipped_charts())
def test_a_company_whose_proposals_do_nothing_keeps_its_champion(name: str) -> None:
    changed = [work(chart(name), 1000 + seed, 0.0).changed for seed in range(20)]
    assert stats.binomtest(sum(changed), 20, 0.05, alternative="greater").pvalue > 0.01


def test_the_greedy_control_does_not() -> None:
    greedy = chart("solo", 20, rule="greedy")
    assert sum(work(greedy, seed, 0.0).changed for seed in range(10)) >= 8


def test_a_large_gain_is_found_and_it_is_the_planted_one() -> None:
    ended = [work(chart("startup", 40), seed, 5.0) for seed in range(10)]
    assert sum(e.right for e in ended) >= 9


def test_the_gate_is_that_of_the_shipped_chart() -> None:
    for name in shipped_charts():
        shipped, used = load_chart(name), chart(name)
        assert (used.policies.accept, used.budget, used.positions) == (
            shipped.policies.accept, shipped.budget, shipped.positions,
        )  # fmt: skip


def test_the_baseline_is_none_of_the_planted_good() -> None:
    assert not is_good(project().baseline["x"]) and is_good(0.95)


@pytest.mark.slow
def test_every_chart_passes_whatever_the_seed() -> None:
    for seed in (0, 10_000):
        assert not [found.check for found in validate(seed, full=False) if found.passed is False], seed
