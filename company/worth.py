"""What everyone is worth at this moment: the appraisal's model (company/appraisal.py) on a company's own record."""

from __future__ import annotations

from collections.abc import Mapping
from weakref import WeakKeyDictionary

from company.appraisal import Posterior, pooled, replacement_level, worths
from company.entities import Agent
from company.planning import runs_left
from company.staffing import candidate
from company.state import State

Key = tuple[int, int, float]

_known: WeakKeyDictionary[State, tuple[Key, Mapping[str, Posterior]]] = WeakKeyDictionary()  # one reading a state


def level_of(state: State) -> float:
    """The worth under which a researcher may be replaced: the chart's number, or what the best candidate is expected
    to give less the cost of switching, spread over the runs that its seat still has."""
    below = state.chart.policies.replace.below
    if not isinstance(below, str):
        return below
    hire = candidate(state, "researcher")
    seats = max(1, len(state.passes))
    return replacement_level(hire.expectation if hire else 0.0, runs_left(state) / seats)


def everyone(state: State) -> Mapping[str, Posterior]:
    """The worth of everyone who is or was a researcher here, those who left included."""
    people = [agent.id for agent in state.agents.values() if agent.role == "researcher" or "researcher" in agent.former]
    key = (len(state.record.scores), len(people), level_of(state))
    known = _known.get(state)
    if known is None or known[0] != key:
        known = _known[state] = (key, worths(state.record.scores, people, key[2]))
    return known[1]


def worth_of(state: State, agent: Agent) -> Posterior | None:
    """An agent's worth as a researcher, or its team's where it leads one; None where there is neither."""
    known = everyone(state)
    if agent.role != "manager":
        return known.get(agent.id)
    seats = [p for p in state.passes if p in state.holder and agent.position in state.chart.chain(p)]
    return pooled([known[state.holder[p]] for p in seats], level_of(state)) if seats else None
