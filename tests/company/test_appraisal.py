"""Appraisals in a live company: who is coached, replaced and kept, and by which measure (the model: test_worth.py)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest
from core_kit import chart_of, four_researchers, rash

from company import events as ev
from company.chart import OrgChart
from company.compute.backend import Outcome
from company.engine import Engine, Step
from company.state import State
from company.testing import Decide, Rehearsal, Run, drive, offline, planted_loss, planted_project, planted_trainer
from company.worth import everyone, level_of, worth_of
from roles.intents import Coach, Intent, Propose
from roles.observation import Observation


def test_the_chart_says_what_worth_is_too_little() -> None:
    changes = {}
    for below in ("replacement", -5.0):
        state = staffed(rash, below=below).state
        changes[below] = len(state.changes)
    assert level_of(state) == -5.0
    assert changes["replacement"] > 0 == changes[-5.0]


def test_near_the_end_no_change_pays() -> None:
    levels: list[float] = []

    def decide(state: State, observation: Observation) -> Sequence[Intent]:
        levels.append(level_of(state))
        return offline(state, observation)

    staffed(decide)
    assert -0.1 < levels[0] < 0 and levels[-1] < -0.4 < -0.2 < levels[len(levels) // 2]


def test_coaching_changes_the_harness_and_sets_a_target_in_the_units_of_the_appraisal() -> None:
    seen: list[Observation] = []

    def decide(state: State, observation: Observation) -> Sequence[Intent]:
        if observation.agent == "bob" and observation.task == "propose":
            seen.append(observation)
        return rash(state, observation)

    chart = four_researchers().to_dict()
    bob = next(p for p in chart["positions"] if p["id"] == "bob")
    bob["brain"] = {"kind": "hillclimb", "step": 0.4}
    engine = drive(planted_project(), OrgChart.from_dict(chart), planted_trainer(), seed=2, decide=decide)
    coached = next(e for _, e in engine.state.changes if isinstance(e, ev.AgentCoached) and e.agent == "bob")
    assert f"{coached.level:+.2f}" in coached.target and coached.experiments == 2
    assert (coached.directive, dict(coached.params)) == ("refine", {"step": 0.2})
    assert engine.state.agents["bob"].brain.params["step"] == 0.2
    assert seen[0].notes == () and seen[-1].notes == (coached.advice,) and seen[-1].directive.kind == "refine"


def test_who_is_on_probation_is_judged_again_only_after_the_results_it_was_given() -> None:
    known: list[tuple[int, str]] = []
    chart = four_researchers(appraise={"every": 2, "after": 2}, replace={"probation": 5})
    engine = drive(
        planted_project(), chart, planted_trainer(), seed=2, decide=rash,
        on_step=lambda step: known.extend(
            (event.evidence, event.outcome)
            for _, event in step.events
            if isinstance(event, ev.AgentAppraised) and event.agent == "bob"
        ),
    )  # fmt: skip
    coached = next(n for n, outcome in known if outcome == "coach")
    replaced = next(n for n, outcome in known if outcome == "replace")
    assert replaced >= coached + 5 and engine.state.agents["bob"].status == "left"
    assert {outcome for n, outcome in known if coached < n < coached + 5} <= {"keep"}


def test_who_meets_the_target_is_off_probation() -> None:
    better = False

    def decide(state: State, observation: Observation) -> Sequence[Intent]:
        nonlocal better
        better = better or state.agents["bob"].status == "probation"
        return (offline if better else rash)(state, observation)

    chart = four_researchers(appraise={"every": 4, "after": 2})
    state = drive(planted_project(), chart, planted_trainer(), seed=2, decide=decide).state
    assert better and state.agents["bob"].status == "active" and state.agents["bob"].probation is None


def test_settings_that_a_brain_does_not_take_are_not_changed() -> None:
    def decide(state: State, observation: Observation) -> Sequence[Intent]:
        if observation.task == "appraise":
            wild = {"step": 99.0, "nonsense": 1.0, "good": 0.3}
            return [Coach(agent=r.agent, params=wild, advice="x" * 9000) for r in observation.reports]
        return offline(state, observation)

    coached = [e for _, e in staffed(decide).state.changes if isinstance(e, ev.AgentCoached)]
    assert {event.agent: dict(event.params) for event in coached}["bob"] == {"good": 0.3}
    assert all(len(event.advice) < 1000 for event in coached)


def staffed(decide: Decide, seed: int = 2, **replace: object) -> Engine:
    """Four researchers under the shipped rules."""
    return drive(planted_project(), four_researchers(replace=replace), planted_trainer(), seed=seed, decide=decide)


def test_a_bad_researcher_is_coached_then_replaced_and_a_good_one_is_not() -> None:
    state = staffed(rash).state
    about = [
        event for _, event in state.changes if "bob" in (getattr(event, "agent", ""), getattr(event, "leaving", ""))
    ]
    assert isinstance(about[0], ev.AgentCoached)
    replaced = next(event for event in about if isinstance(event, ev.AgentReplaced))
    assert (replaced.leaving, replaced.position, replaced.by) == ("bob", "bob", "ada")
    assert replaced.because and replaced.evidence["n"] >= 4 and replaced.evidence["p_below"] >= 0.7
    assert state.agents["bob"].status == "left"
    assert state.holder["bob"] == replaced.hired != "bob"
    assert state.agents[replaced.hired].brain.kind == "evolution"  # the first of the talent pool
    assert state.agents["cleo"].status != "left"


def test_by_the_shipped_rules_the_bad_go_and_the_average_mostly_stay() -> None:
    """Average: two researchers who draw from one lot. At most three in ten may be let go wrongly: confidence is 0.7."""
    gone = {
        decide: sum(staffed(decide, seed).state.agents["bob"].status == "left" for seed in range(6))
        for decide in (rash, random_only)
    }
    assert gone[rash] >= 4
    assert gone[random_only] <= 2


def test_nobody_is_replaced_where_the_chart_says_never() -> None:
    assert not any(isinstance(event, ev.AgentReplaced) for _, event in staffed(rash, rule="never").state.changes)


def test_one_who_goes_leaves_notes_and_no_open_questions_in_one_transaction() -> None:
    engine = Engine(planted_project())
    rehearsal = Rehearsal(engine, planted_trainer(), rash)
    step: Step | None = rehearsal.follow(engine.found(four_researchers(assign={"ahead": 4, "share": "equal"}), 2, 2))
    replaced: ev.AgentReplaced | None = None
    while step is not None:
        found = [event for _, event in step.events if isinstance(event, ev.AgentReplaced)]
        if found and replaced is None:
            replaced = found[0]
            hired = [event for _, event in step.events if isinstance(event, ev.AgentHired)]
            assert [event.agent for event in hired] == [replaced.hired]
            assert all(pending.agent != replaced.leaving for pending in engine.state.decisions.values())
            seen = len(engine.state.seen[replaced.position])
            assert seen > 4
        for pending in engine.state.decisions.values():
            if replaced and pending.agent == replaced.hired:
                observation = engine.observe(pending.id)
                assert any(result.proposer == replaced.leaving for result in observation.history)
        step = rehearsal.advance()
    assert replaced is not None
    assert engine.state.agents[replaced.hired].decisions > 0


def test_a_failure_of_the_infrastructure_counts_for_nobody() -> None:
    def broken(run: Run) -> Outcome:
        if planted_loss(run.config) > 2.8 and run.seed % 2 and dict(run.config) != dict(planted_project().baseline):
            return Outcome("failed", failure="infrastructure")
        return planted_trainer()(run)

    engine = drive(planted_project(), chart_of("startup", 20), broken, seed=1)
    proposals = [e for e in engine.state.experiments.values() if e.purpose == "proposal" and e.status != "refused"]
    lost = [e for e in proposals if e.failure == "infrastructure"]
    agents = engine.state.agents.values()
    assert lost
    assert sum(agent.experiments for agent in agents) == len(proposals) - len(lost)
    assert all(engine.state.record.evidence(agent.id) <= agent.experiments for agent in agents)
    assert engine.state.proposals_finished == len(proposals) - len(lost)


def test_an_own_failure_counts_as_the_worst() -> None:
    def diverging(run: Run) -> Outcome:
        if dict(run.config) == dict(planted_project().baseline):
            return Outcome("ok", metric=float(run.seed % 7))
        return Outcome("failed", failure="diverged")

    state = drive(planted_project(), chart_of("solo", 5), diverging).state
    bob = state.agents["bob"]
    assert bob.failed == bob.experiments == len(bob.outcomes) == 5
    assert set(bob.outcomes) == {0.0} and bob.best is None


def test_a_score_does_not_depend_on_the_unit_of_the_metric() -> None:
    def scaled(factor: float) -> list[float]:
        train = planted_trainer()

        def run(order: Run) -> Outcome:
            outcome = train(order)
            return outcome if outcome.metric is None else dataclasses.replace(outcome, metric=factor * outcome.metric)

        chart = chart_of("startup", 15, accept={"screen": 100.0})
        state = drive(planted_project(), chart, run, decide=random_only).state
        return [score.value for score in state.record.scores]

    assert len(scaled(1.0)) > 8 and scaled(1.0) == pytest.approx(scaled(1000.0))


def random_only(state: State, observation: Observation) -> Sequence[Intent]:
    if observation.task != "propose":
        return offline(state, observation)
    return [Propose(config=observation.space.sample(observation.rng("x")))]


def test_nobody_is_compared_with_themselves() -> None:
    """Who works alone has no colleague to be better or worse than: the prior stays."""
    alone = drive(planted_project(), chart_of("solo", 12), planted_trainer()).state
    found = everyone(alone)["bob"]
    assert alone.record.evidence("bob") > 8
    assert found.mean == pytest.approx(0, abs=1e-9) and found.low < -0.5 < 0.5 < found.high


def test_a_team_is_worth_what_its_members_gave() -> None:
    state = staffed(rash).state
    known = everyone(state)
    team = worth_of(state, state.agents["ada"])
    assert team is not None
    present = [known[state.holder[p]] for p in state.passes]
    assert min(w.mean for w in present) <= team.mean <= max(w.mean for w in present)
    assert team.evidence == sum(w.evidence for w in present)
    assert worth_of(state, state.agents["dan"]) is None


def test_a_chart_without_talent_keeps_its_people() -> None:
    data = chart_of("startup", 30, appraise={"every": 4, "after": 4}).to_dict()
    data["talent"] = []
    state = drive(planted_project(), OrgChart.from_dict(data), planted_trainer(), seed=2, decide=rash).state
    assert all(agent.status != "left" for agent in state.agents.values())
