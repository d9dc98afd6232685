"""Hiring on trial: who proves better stays, who does not goes, and the seat is never empty."""

from __future__ import annotations

from typing import Any

from core_kit import chart_of, moody
from test_interventions import Person, running
from test_restructuring import sound

from company import events as ev
from company.chart import Talent
from company.engine import Commanded, Engine, Step
from company.narration import narrate
from company.state import State
from company.testing import Decide, Rehearsal, drive, offline, planted_project, planted_trainer
from roles.intents import Intent, Propose
from roles.observation import Observation


def hopeless(state: State, observation: Observation) -> list[Intent]:
    """Whoever comes in bob's stead proposes what nobody would."""
    if observation.task == "propose" and observation.agent.startswith("bob_"):
        lr = round(1e-5 * (1 + len(state.by_hash) / 1000), 12)
        return [Propose(config={"lr": lr, "width": 16, "act": "a"})]
    return offline(state, observation)


def company(decide: Decide, trial: int = 3, talent: int = 2) -> tuple[Engine, list[Step]]:
    """Bob is replaced by a person after five results."""
    policies = {"hire": {"trial": trial}, "replace": {"rule": "never"}, "watch": {"rule": "never"}}
    chart = chart_of("startup", 60, **policies).model_copy(
        update={"talent": (Talent(role="researcher", count=talent),)}
    )
    engine = Engine(planted_project())
    rehearsal = Rehearsal(engine, planted_trainer(), decide)
    steps, asked = [rehearsal.follow(engine.found(chart, 0, 2))], False
    while (step := rehearsal.advance()) is not None:
        steps.append(step)
        if not asked and engine.state.agents["bob"].experiments >= 5:
            asked = True
            steps.append(rehearsal.follow(engine.handle(Commanded(1, "replace", {"agent": "bob"}), engine.state.now)))
        sound(engine.state)
    assert engine.state.phase == "closed" and asked
    return engine, steps


def of(steps: list[Step], kind: type[ev.Event]) -> list[Any]:
    return [event for step in steps for _, event in step.events if isinstance(event, kind)]


def test_a_good_hire_passes_and_the_trial_has_a_price() -> None:
    engine, steps = company(
        lambda state, seen: (
            [Propose(config={"lr": round(0.5 + seen.turn / 100, 6), "width": 16, "act": "a"})]
            if seen.agent == "bob" and seen.task == "propose"
            else offline(state, seen)
        )
    )
    replaced, ended = of(steps, ev.AgentReplaced), of(steps, ev.TrialEnded)
    assert len(replaced) == len(ended) == 1 and ended[0].passed and ended[0].evidence["p_better"] > 0.5
    assert (replaced[0].leaving, replaced[0].trial, replaced[0].evidence["trial_cost"]) == ("bob", 3, 6.0)
    assert engine.state.agents["bob"].status == "left" and engine.state.agents["bob_2"].status == "active"
    assert "on trial for 3 proposals (6 slot-seconds)" in (narrate(engine.state, replaced[0]) or "")
    assert "passed" in (narrate(engine.state, ended[0]) or "")


def test_who_fails_goes_the_next_is_tried_and_at_last_the_former_is_back() -> None:
    engine, steps = company(hopeless)
    replaced, ended = of(steps, ev.AgentReplaced), of(steps, ev.TrialEnded)
    assert [(e.leaving, e.hired) for e in replaced] == [("bob", "bob_2"), ("bob", "bob_3")]
    assert [(e.leaving, e.hired, e.passed) for e in ended] == [("bob_2", "bob", False), ("bob_3", "bob", False)]
    assert engine.state.holder["bob"] == "bob" and engine.state.agents["bob"].status == "active"
    assert [engine.state.agents[name].experiments >= 3 for name in ("bob_2", "bob_3")] == [True, True]
    assert "bob is back" in (narrate(engine.state, ended[0]) or "")


def test_the_end_of_a_trial_and_what_follows_are_one_transaction() -> None:
    _, steps = company(hopeless)
    first, last = [step for step in steps if of([step], ev.TrialEnded)]
    assert of([first], ev.AgentHired) and of([first], ev.AgentReplaced)
    assert not of([last], ev.AgentReplaced)


def test_without_a_trial_a_replacement_is_for_good() -> None:
    engine, steps = company(hopeless, trial=0)
    assert of(steps, ev.AgentReplaced) and not of(steps, ev.TrialEnded) and not engine.state.trials


def test_nobody_on_trial_is_replaced_by_the_policy() -> None:
    chart = chart_of("startup", 20, hire={"trial": 50}, replace={"rule": "random"}, appraise={"every": 2, "after": 1})
    steps: list[Step] = []
    state = drive(planted_project(), chart, planted_trainer(), decide=moody, on_step=steps.append).state
    seats = [event.position for event in of(steps, ev.AgentReplaced)]
    assert seats and len(seats) == len(set(seats)) == len(state.trials)


def test_who_moves_on_during_a_trial_has_the_job() -> None:
    person = Person(hire={"trial": 5})
    person.until(running)
    assert person.says("replace", agent="bob")[1].done
    assert person.state.trials and person.state.agent_at("bob").status == "trial"
    split = {"kind": "SplitTeam", "manager": "ada", "into": "fay", "members": ["dan"]}
    assert person.says("edit", edits=[split, {"kind": "Promote", "position": "bob", "to": "fay"}])[1].done
    assert not person.state.trials and person.state.agent_at("fay").status == "active"
    sound(person.state)
    person.finish()
    assert person.state.phase == "closed"


def coach(state: State, agent: str, experiments: int = 4) -> None:
    state.apply(ev.AgentCoached(agent, "ada", "a target", "its results", 0.5, experiments, advice="look"), state.now)


def test_who_is_coached_on_trial_stays_on_trial() -> None:
    person = Person(hire={"trial": 50})
    person.until(running)
    assert person.says("replace", agent="bob")[1].done
    state, hire = person.state, person.state.agent_at("bob")
    coach(state, hire.id)
    assert hire.status == "trial" and hire.probation is not None and hire.advice == ("look",)
    kept = ev.AgentAppraised(hire.id, "ada", 1.0, 0.5, 1.5, hire.probation.until, 0.1, "keep", "its target is met")
    state.apply(kept, state.now)
    assert hire.status == "trial" and hire.probation is None


def test_who_comes_back_from_a_trial_is_no_longer_on_probation() -> None:
    for passed in (True, False):
        person = Person(hire={"trial": 50})
        person.until(running)
        coach(person.state, "bob")
        assert person.state.agents["bob"].status == "probation"
        assert person.says("replace", agent="bob")[1].done
        hire = person.state.agent_at("bob")
        coach(person.state, hire.id)
        goes, stays = ("bob", hire.id) if passed else (hire.id, "bob")
        ended = ev.TrialEnded("bob", goes, stays, passed, "ada", "it was compared", {})
        person.state.apply(ended, person.state.now)
        agent = person.state.agents[stays]
        assert (agent.status, agent.probation, person.state.agents[goes].status) == ("active", None, "left")


def test_to_be_coached_again_does_not_restart_a_probation() -> None:
    person = Person()
    person.until(running)
    bob = person.state.agents["bob"]
    coach(person.state, "bob", experiments=4)
    first = bob.probation
    person.until(lambda state: state.agents["bob"].experiments >= 2)
    coach(person.state, "bob", experiments=9)
    assert first is not None and (bob.status, bob.probation, bob.advice) == ("probation", first, ("look", "look"))
