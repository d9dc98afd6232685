"""Worth against the closed form, and people against planted worth."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from statistics import NormalDist

import pytest
from core_kit import chart_of, rash
from scipy import integrate

from company import events as ev
from company.appraisal import PRIOR_SD, REPLACEMENT_LEVEL, level_of, posterior
from company.chart import OrgChart
from company.compute.backend import Outcome
from company.engine import Engine, Step
from company.state import State
from company.testing import Decide, Rehearsal, Run, drive, offline, planted_loss, planted_project, planted_trainer
from roles.intents import Intent, Propose
from roles.observation import Observation


def test_the_posterior_is_bayes() -> None:
    scores = [0.4, -1.1, -0.3]

    def weight(worth: float) -> float:
        prior = NormalDist(0, PRIOR_SD).pdf(worth)
        return prior * math.prod(NormalDist(worth, 1).pdf(score) for score in scores)

    total = integrate.quad(weight, -6, 6)[0]
    found = posterior(scores)
    assert found.mean == pytest.approx(integrate.quad(lambda w: w * weight(w), -6, 6)[0] / total, abs=1e-6)
    assert found.p_below == pytest.approx(integrate.quad(weight, -6, REPLACEMENT_LEVEL)[0] / total, abs=1e-6)
    assert integrate.quad(weight, found.low, found.high)[0] / total == pytest.approx(0.9, abs=1e-6)
    assert found.evidence == 3


def test_no_data_is_the_prior_and_no_reason_to_act() -> None:
    found = posterior([])
    assert (found.mean, found.evidence) == (0.0, 0)
    assert found.low == -found.high
    assert found.p_below == pytest.approx(NormalDist(0, PRIOR_SD).cdf(REPLACEMENT_LEVEL))
    assert found.p_below < 0.5


def test_one_bad_result_is_not_enough_and_many_are() -> None:
    assert posterior([-1.5]).p_below < 0.9 < posterior([-1.5] * 4).p_below
    assert posterior([1.5] * 4).p_below < 0.05


def test_the_chart_says_what_worth_is_too_little() -> None:
    assert level_of("replacement") == REPLACEMENT_LEVEL and level_of(-2.0) == -2.0
    changes = {}
    for below in ("replacement", -5.0):
        state = staffed(rash, below=below).state
        changes[below] = len(state.changes)
    assert changes["replacement"] > 0 == changes[-5.0]


def staffed(decide: Decide, seed: int = 2, **replace: object) -> Engine:
    """The shipped company with its shipped rules."""
    return drive(
        planted_project(), chart_of("startup", 40, replace=replace), planted_trainer(), seed=seed, decide=decide
    )


def test_a_bad_researcher_is_coached_then_replaced_and_a_good_one_is_not() -> None:
    state = staffed(rash).state
    about = [event for _, event in state.changes]
    assert isinstance(about[0], ev.AgentCoached) and about[0].agent == "bob" and about[0].target
    replaced = next(event for event in about if isinstance(event, ev.AgentReplaced))
    assert (replaced.leaving, replaced.position, replaced.by) == ("bob", "bob", "ada")
    assert replaced.because and replaced.evidence["n"] >= 4 and replaced.evidence["high"] < 0
    assert state.agents["bob"].status == "left"
    assert state.holder["bob"] == replaced.hired != "bob"
    assert state.agents[replaced.hired].brain.kind == "evolution"  # the first of the talent pool
    assert state.agents["cleo"].status != "left"


def test_by_the_shipped_rules_the_bad_go_and_the_average_mostly_stay() -> None:
    """Average: two researchers who draw from one lot. One in ten of them may be let go wrongly: confidence is 0.9."""
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
    step: Step | None = rehearsal.follow(engine.found(chart_of("startup", 60, assign={"ahead": 4}), 2, 2))
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
    assert all(len(agent.scores) <= agent.experiments for agent in agents)
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
        return drive(planted_project(), chart, run, decide=random_only).state.agents["bob"].scores

    assert len(scaled(1.0)) > 3 and scaled(1.0) == scaled(1000.0)


def random_only(state: State, observation: Observation) -> Sequence[Intent]:
    if observation.task != "propose":
        return offline(state, observation)
    return [Propose(config=observation.space.sample(observation.rng("x")))]


def test_nobody_is_compared_with_themselves() -> None:
    """The worst of two ties with nobody: every score of theirs is as low as the field is long."""
    bob = staffed(rash).state.agents["bob"]
    assert max(bob.scores[1:]) < 0
    alone = drive(planted_project(), chart_of("solo", 6), planted_trainer()).state.agents["bob"]
    assert alone.experiments > 3 and alone.scores == []


def test_a_chart_without_talent_keeps_its_people() -> None:
    data = chart_of("startup", 30, appraise={"every": 4, "after": 4}).to_dict()
    data["talent"] = []
    state = drive(planted_project(), OrgChart.from_dict(data), planted_trainer(), seed=2, decide=rash).state
    assert all(agent.status != "left" for agent in state.agents.values())
