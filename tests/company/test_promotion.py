"""Promotion pays only where skill carries over, and how far it does is learned from who was promoted."""

from __future__ import annotations

import math

import numpy as np
import pytest
from structure_kit import shrunk

from company.company_view import Worth, Z
from company.promotion import (
    COMMON_SENSE,
    MANAGERS,
    RESEARCHERS,
    Candidate,
    Observed,
    Rule,
    Seat,
    Transfer,
    prior,
    promote,
    should_step_down,
    update,
    value_of,
)


def people(rho: float, n: int, rng: np.random.Generator) -> list[tuple[float, float]]:
    """True worth as researcher and as manager."""
    r = rng.standard_normal(n)
    m = rho * r + math.sqrt(1 - rho**2) * rng.standard_normal(n)
    return list(zip((RESEARCHERS * r).tolist(), (MANAGERS * m).tolist(), strict=True))


def measured(truth: float, spread: float, n: int, rng: np.random.Generator) -> Worth:
    """The posterior from n results whose noise is twice the spread."""
    scores = (truth / spread * 0.5 + rng.standard_normal(n)).tolist()
    found = shrunk(scores, 0.5)
    scale = spread / 0.5
    return Worth(found.mean * scale, found.low * scale, found.high * scale, n)


def seen(rho: float, n: int, seed: int) -> list[Observed]:
    rng = np.random.default_rng(seed)
    return [Observed(measured(r, RESEARCHERS, 30, rng), measured(m, MANAGERS, 30, rng)) for r, m in people(rho, n, rng)]


def exactly(rho: float) -> Transfer:
    from company.promotion import RHOS

    weights = np.zeros(len(RHOS))
    weights[int(np.argmin(abs(RHOS - rho)))] = 1.0
    return Transfer(tuple(weights.tolist()))


def known(mean: float, sd: float = 0.05, n: int = 40) -> Worth:
    return Worth(mean, mean - Z * sd, mean + Z * sd, n)


def test_the_prior_is_undecided_between_peter_and_common_sense() -> None:
    assert prior().mean == pytest.approx(COMMON_SENSE / 2)
    low, high = prior().interval
    assert low < 0.06 and high > 0.9


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_transfer_is_estimated_without_bias_and_its_interval_holds(rho: float) -> None:
    found = [update(prior(), seen(rho, 40, seed)) for seed in range(60)]
    covered = sum(t.interval[0] - 0.021 <= rho <= t.interval[1] + 0.021 for t in found)
    assert covered >= 0.82 * len(found)
    assert abs(np.mean([t.mean for t in found]) - rho) < (0.16 if rho == 0.0 else 0.1)


def test_promotions_that_were_not_measured_teach_nothing() -> None:
    blank = Observed(known(0.3), Worth(0.0, -1.0, 1.0, 0))
    assert update(prior(), [blank]) == prior()
    one_by_one = prior()
    for one in seen(0.5, 5, 1):
        one_by_one = update(one_by_one, [one])
    assert one_by_one.mean == pytest.approx(update(prior(), seen(0.5, 5, 1)).mean)


def test_under_peter_the_best_stays_in_research_and_under_common_sense_it_may_lead() -> None:
    star, plain = Candidate("bob", known(0.8), 0.1), Candidate("cleo", known(0.0), 0.1)
    seat, rng = Seat("ada", 1.0, vacant=True), np.random.default_rng(0)
    led = promote("merit", seat, [star, plain], exactly(COMMON_SENSE), rng)
    assert led and led.edit.position == "bob" and led.value.net > 0 and "P(pays)" in led.because
    kept = promote("merit", seat, [star], exactly(0.0), rng)
    assert kept is None and value_of(star, seat, exactly(0.0)).net == pytest.approx(-0.08)


def test_a_promotion_into_a_small_team_does_not_pay_for_a_good_researcher() -> None:
    star, rng = Candidate("bob", known(0.8), 0.3), np.random.default_rng(0)
    assert promote("merit", Seat("ada", 0.3, vacant=True), [star], exactly(COMMON_SENSE), rng) is None


def test_a_good_manager_is_not_displaced_and_a_bad_one_steps_down() -> None:
    good, bad = Seat("ada", 1.0, known(0.2, 0.02)), Seat("ada", 1.0, known(-0.2, 0.05))
    candidate, rng = Candidate("bob", known(0.5), 0.05), np.random.default_rng(0)
    assert promote("merit", good, [candidate], exactly(0.5), rng) is None
    assert promote("merit", bad, [candidate], exactly(0.5), rng) is not None
    assert not should_step_down(good, "merit") and should_step_down(bad, "merit")
    assert not any(should_step_down(bad, rule) for rule in ("never", "random", "best-worst"))
    assert not should_step_down(Seat("ada", 1.0), "merit")


def test_controls_fill_vacancies_whatever_it_is_worth() -> None:
    able = [Candidate("bob", known(0.8), 0.1), Candidate("cleo", known(0.0), 0.1), Candidate("dan", known(-0.6), 0.1)]
    vacant, held = Seat("ada", 0.2, vacant=True), Seat("ada", 0.2, known(0.0))

    def chosen(rule: Rule) -> set[str]:
        found = [promote(rule, vacant, able, exactly(0.0), np.random.default_rng(seed)) for seed in range(60)]
        return {one.edit.position for one in found if one}

    assert chosen("random") == {"bob", "cleo", "dan"}
    assert chosen("best-worst") == {"bob", "dan"}
    assert chosen("never") == set()
    assert promote("random", held, able, exactly(0.0), np.random.default_rng(0)) is None
    assert promote("merit", vacant, [], prior(), np.random.default_rng(0)) is None


def company_value(rule: Rule, rho: float, transfer: Transfer, seed: int) -> float:
    """True worth per proposal of a company of eight researchers with a vacant lead, after the rule has chosen."""
    rng = np.random.default_rng(seed)
    staff = people(rho, 8, rng)
    able = [Candidate(f"r{i}", measured(r, RESEARCHERS, 20, rng), 1 / 8) for i, (r, _) in enumerate(staff)]
    found = promote(rule, Seat("ada", 1.0, vacant=True), able, transfer, rng)
    total = sum(r for r, _ in staff) / 8
    if found is None:
        return total
    r, m = staff[int(found.edit.position[1:])]
    return total + m - r / 8


@pytest.mark.parametrize("rho", [0.0, COMMON_SENSE])
def test_merit_is_never_worse_than_the_controls_once_transfer_is_known(rho: float) -> None:
    """T4's two hypotheses: the best rule follows from the transfer, and merit finds it by itself."""
    transfer = update(prior(), seen(rho, 60, 3))
    mean = {
        rule: np.mean([company_value(rule, rho, transfer, seed) for seed in range(400)])
        for rule in ("merit", "never", "random")
    }
    assert mean["merit"] >= max(mean["never"], mean["random"]) - 0.005
