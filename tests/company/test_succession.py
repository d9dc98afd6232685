"""Promotion in a live company: who leads changes by a revision, is checked, and teaches how far skill carries over."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from core_kit import chart_of, moody, quiet, rough_project, rough_trainer
from hypothesis import given
from hypothesis import strategies as st
from structure_kit import lab, planted
from test_interventions import Person, running
from test_restructuring import sound

from company import events as ev
from company.company_view import CompanyView, Worth, Z
from company.edits import Demote, Promote, SplitTeam
from company.engine import Step
from company.payoff import Prediction
from company.policies import Policies, PromotePolicy, ReorganisePolicy
from company.promotion import MANAGERS, Transfer, prior
from company.reorganisation import Proposal
from company.succession import candidates, fill, learned, managed, measured, successions
from company.testing import drive, planted_project, planted_trainer

TEAMS = {"ada": ["bob", "cleo"], "max": ["dan", "eve"]}
MERIT = Policies(promote=PromotePolicy(rule="merit"), reorganise=ReorganisePolicy(undo_after=9))
RNG = np.random.default_rng(0)


def known(mean: float, sd: float = 0.05, n: int = 40) -> Worth:
    return Worth(mean, mean - Z * sd, mean + Z * sd, n)


def company(worth: dict[str, float], wasted: int = 0) -> CompanyView:
    """Two teams of planted worth; of the last `wasted` proposals all of ada's team were cleo's."""
    view = planted(lab(TEAMS), np.random.default_rng(1))
    trials = [
        dataclasses.replace(t, position="cleo") if t.order > 60 - wasted and t.position == "bob" else t
        for t in view.trials
    ]
    return dataclasses.replace(view, worth={name: known(mean) for name, mean in worth.items()}, trials=tuple(trials))


def test_a_split_toward_the_better_is_worth_something_and_an_equal_one_nothing() -> None:
    worth = {"bob": -0.8, "cleo": 0.8, "dan": 0.0, "eve": 0.0}
    good, equal = managed(company(worth, 60), "ada", 0), managed(company(worth), "ada", 0)
    assert good.low > 0.05 and abs(equal.mean) < 0.05 and good.n == equal.n == 30
    assert managed(company(worth), "ada", 60) == Worth(0.0, -Z * MANAGERS, Z * MANAGERS, 0)


def test_a_manager_whose_split_lost_beyond_doubt_steps_down() -> None:
    view = company({"bob": 0.8, "cleo": -0.8, "dan": -0.1, "eve": -0.1}, 60)
    found = list(successions(view, MERIT, prior(), {"ada": 0, "max": 0}, RNG))
    assert [proposal.edits for proposal in found] == [(Demote(position="ada"),)]
    assert found[0].prediction.after > 0 and found[0].check_after == 9 and "over an equal one" in found[0].because


@pytest.mark.parametrize("rule", ["never", "random", "best-worst"])
def test_controls_leave_who_leads_alone_where_no_seat_is_open(rule: str) -> None:
    policies = Policies(promote=PromotePolicy.model_validate({"rule": rule}))
    view = company({"bob": 0.8, "cleo": -0.8, "dan": 0.0, "eve": 0.0}, 60)
    assert not list(successions(view, policies, prior(), {"ada": 0, "max": 0}, RNG))


def test_with_managers_alike_merit_changes_nothing() -> None:
    view = company({"bob": 0.6, "cleo": -0.2, "dan": 0.1, "eve": 0.0})
    assert not list(successions(view, MERIT, prior(), {"ada": 0, "max": 0}, RNG))


def test_merit_never_promotes_whom_research_would_gladly_lose() -> None:
    view = company({"bob": 0.6, "cleo": -0.9, "dan": 0.1, "eve": -0.1})
    assert {c.position for c in candidates(view, "merit")} == {"bob", "dan"}
    assert {c.position for c in candidates(view, "random")} == {"bob", "cleo", "dan", "eve"}


def test_the_seat_that_a_split_opens_is_filled_in_the_same_revision() -> None:
    view = company({"bob": 0.6, "cleo": -0.9, "dan": 0.1, "eve": -0.1})
    split = SplitTeam(manager="ada", into="fay", members=("cleo",))
    plain = Proposal((split,), "span:ada", "too many", {"load": 3.0}, Prediction("worth per proposal", 0, 0, 0, 0), 9)
    found = fill(view, "random", plain, prior(), RNG)
    assert isinstance(found.edits[1], Promote) and found.edits[1].to == "fay"
    assert found.evidence["load"] == 3.0 and found.evidence["promoted_to"] == "fay"
    assert fill(view, "never", plain, prior(), RNG) == plain


def checked(view: CompanyView) -> Transfer:
    evidence = {"promoted": "bob", "promoted_to": "ada", "researcher": {"mean": 0.7, "low": 0.5, "high": 0.9, "n": 30}}
    revision = ev.ChartRevised(1, {}, [], {}, {}, {}, [], "promotion:ada", "vera", "", evidence, {}, 9)
    assert not measured(view, dataclasses.replace(revision, evidence={}), 0)
    check = ev.RevisionChecked(1, "paid", measured(view, revision, 0), "")
    return learned([revision, check])


def test_what_a_checked_promotion_showed_moves_what_is_known_of_the_transfer() -> None:
    worth = {"bob": -0.1, "cleo": 0.1, "dan": 0.0, "eve": 0.0}
    good, bad = checked(company(worth, 60)), checked(company({**worth, "bob": 0.1, "cleo": -0.1}, 60))
    assert good.n == bad.n == 1 and good.mean > prior().mean > bad.mean
    assert learned([]) == prior()


def test_a_control_promotes_in_a_live_company_and_is_held_against_its_prediction() -> None:
    promoted = checked_too = 0
    for seed in range(8):
        chart = chart_of(
            "lab", 60, appraise={"every": 4}, promote={"rule": "random"},
            reorganise={"rule": "evidence", "every": 1, "undo_after": 6, "max_span": 3},
        )  # fmt: skip
        steps: list[Step] = []
        engine = drive(planted_project(), chart, planted_trainer(), seed=seed, slots=3, on_step=steps.append)
        sound(engine.state)
        events = [event for step in steps for _, event in step.events]
        revised = {e.number: e for e in events if isinstance(e, ev.ChartRevised) and "promoted_to" in e.evidence}
        promoted += len(revised)
        assert all("promoted" in e.because and e.prediction and e.check_after for e in revised.values())
        found = [e for e in events if isinstance(e, ev.RevisionChecked) and e.number in revised]
        checked_too += sum("manager" in e.found for e in found)
    assert promoted and checked_too


def test_who_comes_back_to_research_decides_as_before() -> None:
    person = Person()
    person.until(running)
    before = person.state.agent_at("bob")
    brain = before.brain
    split = {"kind": "SplitTeam", "manager": "ada", "into": "fay", "members": ["dan"]}
    lead = {"kind": "Promote", "position": "bob", "to": "fay"}
    before.brain = dataclasses.replace(brain, kind="evolution", params={})  # not the one of the seat
    assert person.says("edit", edits=[split, lead])[1].done
    assert before.role == "manager" and before.brain.kind == "policy"
    assert person.says("undo", revision=1)[1].done
    assert before.role == "researcher" and before.brain.kind == "evolution" != brain.kind
    sound(person.state)


@quiet(8)
@given(st.integers(0, 1000), st.sampled_from(["merit", "random"]))
def test_companies_that_promote_close(seed: int, rule: str) -> None:
    chart = chart_of("lab", 16, promote={"rule": rule}, appraise={"every": 2, "after": 1}, reorganise={"every": 1})
    engine = drive(rough_project(), chart, rough_trainer(), seed=seed, slots=2, decide=moody)
    assert engine.state.phase == "closed"
