"""Who sees what: the chart's communication decides, and an observation never changes after it was made."""

from __future__ import annotations

from typing import Any

import pytest
from core_kit import chart_of

from company.chart import OrgChart
from company.engine import Engine
from company.state import State
from company.testing import drive, offline, planted_project, planted_trainer
from roles.intents import Intent, Propose
from roles.observation import Observation

TEAM = {"bob": "bob cleo hugo", "finn": "finn iris", "gwen": "gwen jack kim"}
EDGES = {"edges": [["bob", "finn"], ["bob", "kim"]]}


def watched(communication: Any, name: str = "lab", experiments: int = 40) -> dict[str, set[str]]:
    """Whose proposals each researcher saw in the history of its last proposal."""
    data = chart_of(name, experiments, appraise={"every": 0}, assign={"share": "equal"}).to_dict()
    data["communication"] = communication
    chart = OrgChart.from_dict(data)
    saw: dict[str, set[str]] = {}

    def decide(state: State, seen: Observation) -> list[Intent]:
        if seen.task == "propose":
            saw[seen.agent] = {r.proposer for r in seen.history if r.proposer is not None}
            allowed = chart.visible_to(seen.agent)
            under_way = [state.experiments[e] for e in state.under_way]
            hidden = {e.unit for e in under_way if e.purpose == "proposal" and e.position not in allowed}
            assert not hidden & set(seen.pending)
            return [Propose(config=seen.space.sample(seen.rng("x")))]
        return offline(state, seen)

    drive(planted_project(), chart, planted_trainer(), slots=8, decide=decide)
    return saw


@pytest.mark.parametrize(
    ("communication", "expected"),
    [
        ("solo", {"bob": "bob", "finn": "finn", "gwen": "gwen"}),
        ("team", TEAM),
        ("complete", dict.fromkeys(("bob", "finn", "gwen"), "bob cleo hugo finn iris gwen jack kim")),
        ("ring", {"cleo": "bob cleo hugo", "finn": "hugo finn iris", "bob": "kim bob cleo"}),
        (EDGES, {"bob": "bob finn kim", "finn": "finn bob", "kim": "kim bob", "cleo": "cleo"}),
    ],
)
def test_researchers_see_whom_the_chart_lets_them_see(communication: Any, expected: dict[str, str]) -> None:
    saw = watched(communication)
    for agent, others in expected.items():
        assert saw[agent] <= set(others.split())
        assert len(saw[agent]) >= min(2, len(others.split()))  # and they do see something


def test_everyone_sees_the_baseline() -> None:
    def decide(state: State, seen: Observation) -> list[Intent]:
        if seen.task == "propose":
            assert sum(result.purpose == "baseline" for result in seen.history) == 5
        return offline(state, seen)

    data = chart_of("lab", 8).to_dict()
    data["communication"] = "solo"
    drive(planted_project(), OrgChart.from_dict(data), planted_trainer(), decide=decide)


def test_a_champion_that_is_hidden_is_not_shown() -> None:
    seen_champions: dict[str, set[str | None]] = {}

    def decide(state: State, seen: Observation) -> list[Intent]:
        if seen.task == "propose" and seen.champion is not None:
            owner = state.experiments[seen.champion.experiment].proposer
            seen_champions.setdefault(seen.agent, set()).add(owner)
        return offline(state, seen)

    data = chart_of("lab", 30, appraise={"every": 0}).to_dict()
    data["communication"] = "solo"
    state = drive(planted_project(), OrgChart.from_dict(data), planted_trainer(), decide=decide, slots=4).state
    assert state.champion is not None and state.experiments[state.champion.experiment].proposer
    for agent, owners in seen_champions.items():
        assert owners <= {agent, None}
    assert any(agent in owners for agent, owners in seen_champions.items())


def test_a_manager_sees_reports_and_a_reviewer_the_work_it_serves() -> None:
    engine = drive(planted_project(), chart_of("lab", 30), planted_trainer(), slots=2)
    state = engine.state
    assert {"bob", "finn", "gwen"} <= state.visible_to("eve") and {"bob", "finn"} <= state.visible_to("vera")
    assert "finn" not in state.visible_to("ada")


def test_what_was_seen_does_not_grow_afterwards() -> None:
    kept: list[tuple[Observation, int, tuple]] = []

    def decide(state: State, seen: Observation) -> list[Intent]:
        kept.append((seen, len(seen.history), tuple(seen.history)))
        return offline(state, seen)

    drive(planted_project(), chart_of("startup", 10), planted_trainer(), decide=decide, slots=2)
    for seen, length, history in kept:
        assert len(seen.history) == length and tuple(seen.history) == history
        assert list(seen.history[-3:]) == list(history[-3:])
        assert length == 0 or seen.history[-1] == history[-1]


def test_a_streams_turn_counts_for_each_agent_and_task() -> None:
    turns: dict[tuple[str, str], list[int]] = {}

    def decide(state: State, seen: Observation) -> list[Intent]:
        turns.setdefault((seen.agent, seen.task), []).append(seen.turn)
        return offline(state, seen)

    drive(planted_project(), chart_of("committee", 10), planted_trainer(), decide=decide, slots=2)
    assert all(sorted(found) == list(range(len(found))) for found in turns.values())


def test_an_observation_is_of_the_pending_decision_only() -> None:
    engine = Engine(planted_project())
    engine.found(chart_of("startup"), 0, 1)
    with pytest.raises(KeyError):
        engine.observe("d1")
