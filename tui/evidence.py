"""What is known of an agent and of whoever would come instead, as facts for a person who decides. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from company.brain_words import brain_words
from company.entities import Agent
from company.observe import replaceable
from company.scorecard_words import score_words
from company.staffing import candidate
from company.standing import doing, scorecard
from company.state import State
from company.wording import count, percent, plain, signed
from company.worth import level_of, worth_of


class Fact(NamedTuple):
    """A name of at most 11 letters, and what there is to say."""

    name: str
    words: str
    style: str = "text"


def agent_facts(state: State, agent: Agent) -> tuple[Fact, ...]:
    """Who it is and what it is worth, with interval and evidence."""
    status = {"probation": ", on probation", "trial": ", on trial"}.get(agent.status, "")
    who = Fact(agent.role, f"{agent.id}{_bracketed(agent.brain.kind, agent.brain.params)}{status}", "strong")
    if agent.role == "researcher":
        return (who, *_worth(state, agent))
    card = scorecard(state, agent.id)
    if not card.n:
        return who, Fact("score", "nothing is known yet, which is no failure", "muted")
    return who, Fact("score", f"{score_words(card)} from {count(card.n, 'result')}; {card.unit}")


def hire_facts(state: State, leaving: Agent) -> tuple[Fact, ...] | str:
    """Who would be hired and what is expected of them; a line where there is nobody."""
    hire = candidate(state, leaving.role)
    if hire is None:
        return f"the talent pool has no {leaving.role} to hire"
    brain = _bracketed(hire.kind, hire.params)
    talent = state.chart.talent[hire.talent]
    records = count(len(talent.record), "record") if talent.record else "no record: an average is expected"
    found = [Fact("hired", f"{plain(hire.name, 60)}{brain}, {records}", "strong")]
    if leaving.role == "researcher":
        known = worth_of(state, leaving)
        gain = signed(hire.expectation - known.mean, 2) if known else "–"
        found.append(Fact("expected", f"{signed(hire.expectation, 2)} a run, {gain} against {leaving.id}"))
    left = sum(
        t.count - state.talent_used.get(i, 0) for i, t in enumerate(state.chart.talent) if t.role == leaving.role
    )
    return *found, Fact("pool", f"{count(left, leaving.role)} to hire in all")


def _bracketed(kind: str, params: Mapping[str, Any]) -> str:
    brain = brain_words(kind, params)
    return f" ({brain})" if brain else ""


def loss_facts(state: State, agent: Agent) -> tuple[Fact, ...]:
    """What goes with an agent."""
    runs = [id for id in state.under_way if state.experiments[id].proposer == agent.id]
    task = doing(state).get(agent.id)
    parts = [
        f"it {task}" if task and not runs else "",
        f"{', '.join(runs)} under way, which the company goes on with" if runs else "",
    ]
    words = "; ".join(part for part in parts if part) or "nothing is under way"
    record = f"what it learned in {count(agent.decisions, 'decision')}"
    return (Fact("lost", f"{record}; {words}", "warn"),)


def _worth(state: State, agent: Agent) -> tuple[Fact, ...]:
    worth = worth_of(state, agent)
    if worth is None or not worth.evidence:
        return (Fact("worth", "no finished experiment: nothing is known, which is no failure", "muted"),)
    interval = f"90 % inside {signed(worth.low, 2)} to {signed(worth.high, 2)}"
    rule = state.chart.policies.replace
    allowed = "the chart's rule lets it go" if replaceable(state, agent) else "the chart's rule would keep it"
    needs = f" (it asks for {percent(rule.confidence)})" if rule.rule == "posterior" else f" (it is '{rule.rule}')"
    style = "bad" if worth.high < 0 else "good" if worth.low > 0 else "text"
    below = f"{percent(worth.p_below)} sure of under {signed(level_of(state), 2)}; {allowed}{needs}"
    return (
        Fact("worth", f"{signed(worth.mean, 2)} ({interval}) sigmas a run, from {count(worth.evidence, 'run')}", style),
        Fact("below par", below),
    )
