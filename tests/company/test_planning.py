"""Shares of compute, budgets, and whom to turn to."""

from __future__ import annotations

from collections import Counter

import pytest
from core_kit import chart_of, moody, rough_project, rough_trainer

from company import events as ev
from company.chart import OrgChart
from company.engine import Engine
from company.planning import affords, budget_left, budget_spent, next_proposer
from company.state import State
from company.testing import drive, planted_project, planted_trainer


def founded(chart: OrgChart) -> State:
    engine = Engine(planted_project())
    engine.found(chart, 0, 1)
    return engine.state


def give(state: State, manager: str, shares: dict[str, float]) -> None:
    for agent, share in shares.items():
        state.apply(ev.DirectiveGiven(manager, agent, share, "free", [], ""), 0.0)


def ask(state: State, count: int) -> Counter[str]:
    asked: Counter[str] = Counter()
    for _ in range(count):
        position = next_proposer(state)
        assert position is not None
        agent = state.holder[position]
        state.apply(ev.DecisionRequested(f"d{state.asked + 1}", agent, "propose", None, 0), 0.0)
        asked[position] += 1
    return asked


def test_without_a_plan_everyone_takes_turns_in_the_charts_order() -> None:
    state = founded(chart_of("flat"))
    researchers = [p.id for p in state.chart.positions if p.role == "researcher"]
    turns = [next(iter(ask(state, 1))) for _ in range(2 * len(researchers))]
    assert turns == researchers * 2


def test_compute_goes_in_proportion_to_shares_down_the_chain() -> None:
    state = founded(chart_of("lab"))
    give(state, "vera", {"ada": 0.6, "nora": 0.3, "omar": 0.1})
    give(state, "ada", {"bob": 0.5, "cleo": 0.25, "hugo": 0.25})
    shares = {p.id: state.share_of(p.id) for p in state.chart.positions if p.role == "researcher"}
    assert sum(shares.values()) == pytest.approx(1.0)
    assert shares["bob"] == pytest.approx(0.3) and shares["finn"] == pytest.approx(0.15)
    asked = ask(state, 1000)
    for position, share in shares.items():
        assert asked[position] == pytest.approx(1000 * share, abs=12)


def test_a_changed_share_counts_from_now_on() -> None:
    """Neither is what was missed made up for, nor does an old small share hold anyone back."""
    state = founded(chart_of("startup"))
    give(state, "ada", {"bob": 1.0, "cleo": 0.0})
    assert ask(state, 100)["cleo"] <= 1
    give(state, "ada", {"bob": 0.5, "cleo": 0.5})
    assert ask(state, 100)["cleo"] == pytest.approx(50, abs=2)
    give(state, "ada", {"bob": 0.2, "cleo": 0.8})
    assert ask(state, 100)["bob"] == pytest.approx(20, abs=2)


def test_a_manager_who_gives_nobody_anything_gives_everybody_the_same() -> None:
    state = founded(chart_of("startup"))
    give(state, "ada", {"bob": 0.0, "cleo": 0.0})
    assert ask(state, 10) == {"bob": 5, "cleo": 5}


def test_the_nearest_serve_first() -> None:
    state = founded(chart_of("lab"))
    assert state.nearest("bob", "engineer") == ("dan",)  # of the director's team: ada's has none
    assert state.nearest("bob", "researcher") == ("bob", "cleo", "hugo")
    assert state.nearest("vera", "engineer") == ()
    data = chart_of("lab").to_dict()
    data["positions"].append({"id": "own", "role": "engineer", "reports_to": "ada"})
    state = founded(OrgChart.from_dict(data))
    assert state.nearest("bob", "engineer") == ("own",)
    assert state.nearest("finn", "engineer") == ("dan",)


def test_who_comes_is_nearest_from_then_on_and_who_is_back_again() -> None:
    state = founded(chart_of("startup"))
    assert state.nearest("cleo", "researcher") == ("bob", "cleo")
    state.apply(ev.AgentHired("bob_2", "random", "bob", "researcher", {"kind": "random"}, "replaces bob"), 1.0)
    assert state.nearest("cleo", "researcher") == ("bob_2", "cleo")
    state.apply(ev.AgentReplaced("bob", "bob", "bob_2", "ada", "", {}, trial=2), 1.0)
    assert state.nearest("cleo", "researcher") == ("bob_2", "cleo")
    state.apply(ev.TrialEnded("bob", "bob_2", "bob", False, "ada", "", {}), 2.0)
    assert state.nearest("cleo", "researcher") == ("bob", "cleo")


@pytest.mark.parametrize("slots", [1, 4])
def test_a_budget_of_experiments_is_spent_to_within_one(slots: int) -> None:
    state = drive(rough_project(), chart_of("startup", 13), rough_trainer(), slots=slots).state
    assert 12 < state.admitted <= 13
    assert budget_left(state) == 0 and budget_spent(state) == pytest.approx(state.admitted / 13)


@pytest.mark.parametrize("slots", [1, 4])
def test_a_budget_of_slot_seconds_is_spent_to_within_one_run(slots: int) -> None:
    chart = chart_of("startup").to_dict()
    chart["budget"] = {"slot_seconds": 21.0}
    state = drive(rough_project(), OrgChart.from_dict(chart), rough_trainer(), slots=slots, decide=moody).state
    costs = [e.cost for e in state.experiments.values() if e.purpose in ("proposal", "replication") and e.admitted]
    assert sum(costs) == pytest.approx(state.admitted_cost)
    assert 21 - 2 < state.admitted_cost <= 21


def test_whichever_budget_ends_first_ends_the_research() -> None:
    chart = chart_of("startup").to_dict()
    for budget, few in (({"slot_seconds": 6.0, "experiments": 100}, 3), ({"slot_seconds": 99.0, "experiments": 3}, 3)):
        state = drive(planted_project(), OrgChart.from_dict({**chart, "budget": budget}), planted_trainer()).state
        assert 0 < state.admitted <= few + 0.5
        assert not affords(state, 2.0)
        assert state.ended_because == "the research budget is spent"
