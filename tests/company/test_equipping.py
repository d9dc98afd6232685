"""What the company does for agents with models: harness versions, pauses while a server is out, the end of a budget."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from company import events as ev
from company.chaining import payload, restore
from company.chart import OrgChart
from company.engine import Decided, Engine
from company.equipping import PAUSE
from company.state import State
from company.testing import offline, planted_project, planted_trainer
from company.virtual import VirtualCompany, run_virtually
from roles.intents import Coach
from roles.observation import Observation
from tests.company.core_kit import chart_of

MODEL = {"provider": "openai", "model": "small", "base_url": "http://localhost:8000/v1"}
PROJECT, TRAIN = planted_project(), planted_trainer()
Ask = Callable[[State, Observation], Decided]


def chart(*models: str, experiments: int = 20, **policies: Any) -> OrgChart:
    """The startup in which `models` are language models."""
    data = chart_of("startup", experiments, **policies).to_dict()
    for seat in data["positions"]:
        if seat["id"] in models:
            seat["brain"] = {**MODEL, "offline": "random"} if seat["role"] == "researcher" else MODEL
    return OrgChart.from_dict(data)


def run(found: OrgChart, ask: Ask, program: str = "") -> tuple[Engine, list[ev.Event]]:
    """The company's whole life with somebody else answering."""
    engine = Engine(PROJECT, program=program)
    company = VirtualCompany(engine, TRAIN, ask)
    step, told = company.follow(engine.found(found, 3, 2)), []
    while step is not None:
        told += [event for _, event in step.events]
        step = company.advance()
    return engine, told


def well(state: State, seen: Observation) -> Decided:
    return Decided(seen.decision, offline(state, seen))


def proposals(told: list[ev.Event], agent: str) -> int:
    return sum(isinstance(e, ev.DecisionRequested) and e.task == "propose" and e.agent == agent for e in told)


def test_who_is_hired_with_a_model_has_a_harness_with_mission_and_brief() -> None:
    _, told = run(chart("bob", "eve"), well, program="Look at schedules first.")
    versions = [event for event in told if isinstance(event, ev.HarnessVersioned)]
    assert [(event.agent, event.version) for event in versions] == [("bob", 1), ("eve", 1)]
    assert "You are a researcher" in versions[0].prompt and "Look at schedules first." in versions[0].prompt
    assert "Lowest validation metric" in versions[0].prompt and versions[0].hash != versions[1].hash


def test_a_company_without_models_has_no_harnesses() -> None:
    _, told = run(chart(), well)
    assert not any(isinstance(event, ev.HarnessVersioned) for event in told)


def test_coaching_writes_a_new_version_with_the_advice_and_its_temperature() -> None:
    def coached(state: State, seen: Observation) -> Decided:
        if seen.task != "appraise":
            return well(state, seen)
        help_ = {"advice": f"round {seen.turn}: smaller steps", "params": {"temperature": 0.1, "max_tokens": 9}}
        return Decided(seen.decision, [Coach(agent="bob", **help_)])

    engine, told = run(chart("bob", appraise={"every": 4, "after": 1}), coached)
    versions = [event for event in told if isinstance(event, ev.HarnessVersioned)]
    assert [event.version for event in versions] == list(range(1, len(versions) + 1)) and len(versions) > 2
    assert "round 0: smaller steps" in versions[1].prompt and versions[1].because == "coached by ada"
    assert engine.state.agents["bob"].brain.params["temperature"] == 0.1
    assert "max_tokens" not in engine.state.agents["bob"].brain.params  # what it may cost is the chart's


def test_while_a_server_is_out_its_researcher_pauses_and_the_optimiser_goes_on() -> None:
    def broken(state: State, seen: Observation) -> Decided:
        decided = well(state, seen)
        out = seen.agent == "bob" and state.proposals_finished >= 4
        return dataclasses.replace(decided, problem="down", outage="down") if out else decided

    engine, told = run(chart("bob", experiments=30), broken)
    pauses = [event for event in told if isinstance(event, ev.AgentPaused)]
    assert engine.state.closed is not None and not engine.state.closed.failed
    assert [event.agent for event in pauses] == ["bob"] * len(pauses) and pauses
    assert pauses[0].until - PAUSE >= 4
    waits = [pause.until for pause in pauses]
    assert all(later - earlier >= PAUSE for earlier, later in pairwise(waits))
    after = told[told.index(pauses[0]) :]
    assert proposals(after, "cleo") > 3 * proposals(after, "bob")


def test_who_answers_again_is_back() -> None:
    def shaky(state: State, seen: Observation) -> Decided:
        decided = well(state, seen)
        out = seen.agent == "bob" and 2 <= state.proposals_finished < 5
        return dataclasses.replace(decided, problem="down", outage="down") if out else decided

    engine, told = run(chart("bob", experiments=30), shaky)
    kinds = [event.kind for event in told if isinstance(event, (ev.AgentPaused, ev.AgentReturned))]
    assert kinds[0] == "AgentPaused" and kinds[-1] == "AgentReturned"
    assert engine.state.agents["bob"].away is None and not engine.state.away


def test_where_nobody_else_can_propose_the_question_says_so() -> None:
    told: list[bool] = []

    def broken(state: State, seen: Observation) -> Decided:
        if seen.task == "propose":
            told.append(bool(seen.policy.get("wait")))
        return dataclasses.replace(well(state, seen), problem="down", outage="down")

    run(chart("bob", "cleo", experiments=8), broken)
    assert not told[0] and told[-1]


def test_research_ends_with_the_budget_for_models_and_the_champion_is_still_measured() -> None:
    def spent(state: State, seen: Observation) -> Decided:
        decided = well(state, seen)
        gone = seen.agent == "bob" and state.proposals_finished >= 5
        budget = "the budget of 9,000 tokens is spent"
        return dataclasses.replace(decided, problem=budget, budget=budget) if gone else decided

    engine, told = run(chart("bob", experiments=60), spent)
    ended = next(event for event in told if isinstance(event, ev.ResearchEnded))
    assert ended.reason == "the budget of 9,000 tokens is spent"
    assert sum(isinstance(event, ev.ModelBudgetSpent) for event in told) == 1
    assert engine.state.holdout is not None and engine.state.proposals_finished < 20


def test_a_batch_asks_no_model_and_takes_the_offline_brain() -> None:
    engine = run_virtually(PROJECT, chart("bob", experiments=8), TRAIN, seed=3, slots=2)
    assert engine.state.closed is not None and not engine.state.closed.failed
    assert engine.state.agents["bob"].experiments > 0


def test_the_fold_of_all_this_is_the_state() -> None:
    def everything(state: State, seen: Observation) -> Decided:
        decided, finished = well(state, seen), state.proposals_finished
        if seen.agent == "bob" and 2 <= finished < 4:
            return dataclasses.replace(decided, problem="down", outage="down")
        if seen.agent == "bob" and finished > 10:
            return dataclasses.replace(decided, problem="gone", budget="gone")
        return decided

    engine, told = run(chart("bob", "eve", experiments=30), everything)
    folded = State()
    for event in told:
        folded.apply(restore(event.kind, payload(event), getattr(event, "measured", {})), 0.0)
    assert folded.models_spent == engine.state.models_spent == "gone"
    assert folded.agents["bob"].harness == engine.state.agents["bob"].harness
    assert folded.away == engine.state.away
