"""Credit along the chain: who is pivotal for a result, in planted cases and on real companies."""

from __future__ import annotations

from functools import cache

import pytest
from core_kit import chart_of, moody, rough_project, rough_trainer

from company.credits import credits_of, pivotal
from company.engine import Engine
from company.entities import Experiment
from company.record import Work
from company.state import State
from company.testing import drive, offline, planted_project, planted_trainer
from roles.intents import Intent, Verdict
from roles.observation import Observation


def eager(state: State, seen: Observation) -> list[Intent]:
    """Every reviewer calls everything promising, and proposals are drawn by lot."""
    if seen.task == "verdict":
        return [Verdict(outcome="promising", p_real=0.5)]
    return moody(state, seen) if seen.task == "propose" else offline(state, seen)


@cache
def world() -> Engine:
    return drive(rough_project(), chart_of("committee", 60), rough_trainer(), seed=4, decide=eager)


@cache
def planted() -> State:
    return drive(planted_project(), chart_of("startup", 20), planted_trainer()).state


def winner(state: State) -> tuple[Experiment, Work]:
    name = next(name for name in state.record.confirmed)
    return state.experiments[name], state.record.work[name]


@pytest.mark.parametrize("company", [lambda: world().state, planted])
def test_shares_sum_to_one_and_all_that_was_confirmed_is_credited_once(company) -> None:
    state = company()
    found = credits_of(state)
    assert set(found.results) >= {score.experiment for score in state.record.scores} | set(state.record.confirmed)
    for name, credit in found.results.items():
        assert sum(credit.shares.values()) == pytest.approx(1)
        assert state.experiments[name].proposer in credit.shares and set(credit.shares) <= set(state.agents)
    confirmed = sum(state.record.confirmed.values())
    assert confirmed > 0 and found.total == pytest.approx(confirmed)
    assert sum(found.gained.values()) == pytest.approx(confirmed)


def test_a_repair_is_credited_where_the_run_ended_well() -> None:
    state = world().state
    found = credits_of(state)
    repaired = [n for n, w in state.record.work.items() if w.repaired_by and state.experiments[n].status == "ok"]
    assert repaired and all("dan" in found.results[name].shares for name in repaired)
    assert all(set(credit.shares.values()) == {1 / len(credit.shares)} for credit in found.results.values())
    failed = [n for n, w in state.record.work.items() if w.repaired_by and state.experiments[n].status != "ok"]
    assert all("dan" not in found.results[name].shares for name in failed if name in found.results)


@pytest.mark.parametrize("sigmas, due", [(0.5, True), (8.0, False)])
def test_a_reviewer_is_pivotal_only_where_the_screen_would_have_let_it_lie(sigmas: float, due: bool) -> None:
    try:
        state = planted()
        e, work = winner(state)
        before = [metric for at, metric in state.trail if at <= (e.finished_at or 0.0)][-1]
        e.metric = before - sigmas * state.sigma
        work.judge, work.verdict, work.repaired_by, work.directive = "eve", "promising", None, "free"
        assert ("eve" in pivotal(state, e, work)) == due
        del state.record.confirmed[e.id]
        assert "eve" not in pivotal(state, e, work)
    finally:
        planted.cache_clear()


def test_a_manager_is_pivotal_only_for_what_followed_a_directive_that_asked_for_something() -> None:
    try:
        state = planted()
        e, work = winner(state)
        baseline = next(each for each in state.experiments.values() if each.purpose == "baseline")
        work.manager, work.champion, work.judge = "ada", baseline.id, None
        for directive, unit, due in (
            ("free", baseline.unit, False),
            ("refine", baseline.unit, True),
            ("explore", baseline.unit, False),
            ("explore", tuple(1 - u for u in baseline.unit), True),
        ):
            work.directive, e.unit = directive, unit
            assert pivotal(state, e, work) == (frozenset({"ada"}) if due else frozenset()), directive
    finally:
        planted.cache_clear()


def test_a_company_without_results_credits_nobody() -> None:
    engine = Engine(planted_project())
    engine.found(chart_of("startup"), 0, 1)
    found = credits_of(engine.state)
    assert not found.results and set(found.gained.values()) == {0.0}
