"""A live organisation changes shape: by evidence and by people, and nobody and nothing is left without an owner."""

from __future__ import annotations

from typing import Any

import pytest
from core_kit import chart_of, moody, quiet, rough_project, rough_trainer
from hypothesis import given
from hypothesis import strategies as st
from test_interventions import Person, running

from company import events as ev
from company.chart_yaml import load_chart
from company.engine import Engine, Step
from company.state import State
from company.testing import Rehearsal, drive, offline, planted_project, planted_trainer


def sound(state: State) -> None:
    """What must hold of any company at any moment."""
    chart = state.chart
    assert chart.root in state.holder
    for position, agent in state.holder.items():
        assert chart.position(position).id == state.agents[agent].position == position
        assert state.agents[agent].status != "left"
        assert state.agents[agent].role == chart.position(position).role
        manager = chart.manager_of(position)
        assert manager is None or manager in state.holder, f"{position} has no living manager"
    vacant = {p.id for p in chart.positions} - set(state.holder)
    assert all(chart.position(p).role == "researcher" for p in vacant)
    for position, replaced in state.trials.items():
        assert state.holder[position] == replaced.hired and state.agents[replaced.leaving].status == "left"
    assert set(state.passes) == {a.position for a in state.active() if a.role == "researcher"}
    for pending in state.decisions.values():
        assert state.agents[pending.agent].status != "left"
    for name in state.under_way:
        owner = state.experiments[name].position
        assert owner is None or chart.position(owner)
    if state.phase == "research":
        waiting = {p.experiment for p in state.decisions.values()}
        stuck = [e for e in state.under_way if state.experiments[e].status in ("proposed", "building", "repairing")]
        assert set(stuck) <= waiting, "open work that nobody was asked about"


@quiet(60)
@given(
    seed=st.integers(0, 10_000), name=st.sampled_from(["startup", "lab", "flat", "committee"]),
    rule=st.sampled_from(["random", "evidence", "bottom"]), lead=st.sampled_from(["random", "merit", "best-worst"]),
    slots=st.integers(1, 4), trial=st.integers(0, 2), in_a_mood=st.booleans(),
)  # fmt: skip
def test_whatever_changes_everyone_has_a_manager_and_all_work_an_owner(
    seed: int, name: str, rule: str, lead: str, slots: int, trial: int, in_a_mood: bool
) -> None:
    chart = chart_of(
        name, 20, assign={"every": 3}, appraise={"every": 2, "after": 1}, replace={"rule": "random"},
        reorganise={"rule": rule, "every": 1, "undo_after": 4}, promote={"rule": lead}, hire={"trial": trial},
        found={"baselines": 2}, close={"seeds": 2},
    )  # fmt: skip
    engine = Engine(rough_project())
    rehearsal = Rehearsal(engine, rough_trainer(), moody if in_a_mood else offline)
    step: Step | None = rehearsal.follow(engine.found(chart, seed, slots))
    while step is not None:
        sound(engine.state)
        step = rehearsal.advance()
    assert engine.state.phase == "closed"


def test_a_revision_is_checked_and_taken_back_when_it_did_not_pay() -> None:
    undone = checked = 0
    for seed in (0, 2):
        chart = chart_of("lab", 150, reorganise={"rule": "evidence", "every": 1, "undo_after": 6})
        steps: list[Step] = []
        drive(planted_project(), chart, planted_trainer(), seed=seed, slots=3,
              on_step=steps.append)  # fmt: skip
        events = [event for step in steps for _, event in step.events]
        revisions = {e.number: e for e in events if isinstance(e, ev.ChartRevised)}
        for verdict in (e for e in events if isinstance(e, ev.RevisionChecked)):
            checked += 1
            assert revisions[verdict.number].prediction and revisions[verdict.number].because
            back = [e for e in revisions.values() if e.undoes == verdict.number]
            assert len(back) == (verdict.verdict == "did not pay")
            undone += len(back)
    assert checked and undone


def test_with_never_the_structure_stays() -> None:
    engine = drive(planted_project(), chart_of("lab", 30), planted_trainer(), slots=3)
    assert not engine.state.revisions and engine.state.chart == chart_of("lab", 30)


def test_a_person_moves_a_team_and_takes_it_back() -> None:
    person = Person()
    person.until(running)
    before = person.state.chart
    split = {"kind": "SplitTeam", "manager": "ada", "into": "fay", "members": ["bob", "dan"]}
    _, answer = person.says("edit", edits=[split], because="two teams")
    assert answer.done, answer.answer
    assert person.state.chart.manager_of("bob") == "fay" and "fay" in person.state.holder
    sound(person.state)
    _, answer = person.says("undo", revision=1)
    assert answer.done and person.state.chart == before
    sound(person.state)
    assert not person.says("undo", revision=1)[1].done
    person.finish()
    assert person.state.phase == "closed"


def test_a_new_chart_is_one_revision() -> None:
    person = Person()
    person.until(running)
    wanted = chart_of("committee", 8)
    _, answer = person.says("chart", chart=wanted.to_dict())
    assert answer.done, answer.answer
    assert person.state.chart.positions == wanted.positions
    assert person.state.chart.policies == wanted.policies
    sound(person.state)
    assert "already" in person.says("chart", chart=wanted.to_dict())[1].answer
    person.finish()
    assert person.state.phase == "closed"


@pytest.mark.parametrize(
    ("action", "args", "part"),
    [
        ("edit", {"edits": [{"kind": "Move", "position": "ada", "to": "bob"}]}, "root"),
        ("edit", {"edits": [{"kind": "Fly"}]}, "not a kind of edit"),
        ("edit", {"edits": "all"}, "an edit needs"),
        ("edit", {}, "an edit needs"),
        ("chart", {"chart": {"company": "x"}}, "positions"),
        ("undo", {"revision": 3}, "no revision 3"),
        ("undo", {"revision": "x"}, "needs the number"),
    ],
)
def test_what_cannot_be_changed_is_refused(action: str, args: dict[str, Any], part: str) -> None:
    person = Person()
    person.until(running)
    step, answer = person.says(action, **args)
    assert not answer.done and part in answer.answer
    assert len(step.events) == 1


def test_a_replacement_that_needs_a_person_waits_and_ends_as_no() -> None:
    chart = load_chart("startup").model_copy(update={"budget": chart_of("startup", 30).budget})
    policies = chart_of(
        "startup", 30, approve={"replace": "human"}, replace={"rule": "bottom", "coach_first": False},
        appraise={"every": 3, "after": 1},
    ).policies  # fmt: skip
    chart = chart.model_copy(update={"policies": policies})
    events: list[ev.Event] = []
    engine = drive(planted_project(), chart, planted_trainer(), slots=2,
                   on_step=lambda step: events.extend(event for _, event in step.events))  # fmt: skip
    asked = [e for e in events if isinstance(e, ev.ApprovalAsked)]
    given_up = [e for e in events if isinstance(e, ev.ApprovalGiven)]
    assert asked and given_up and not any(e.approved for e in given_up)
    assert not any(isinstance(e, ev.AgentReplaced) for e in events)
    assert engine.state.phase == "closed"


def test_a_person_who_agrees_lets_it_happen() -> None:
    person = Person(
        approve={"replace": "human"},
        replace={"rule": "bottom", "coach_first": False},
        appraise={"every": 3, "after": 1},
    )
    person.until(lambda state: state.requests)
    request = next(iter(person.state.requests))
    name = person.state.requests[request].args["agent"]
    _, answer = person.says("approve", experiment=request)
    assert answer.done and person.state.agents[name].status == "left"
    sound(person.state)
    person.finish()
    assert person.state.phase == "closed"
