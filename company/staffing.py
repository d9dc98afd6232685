"""Hiring: who is taken from the talent pool, and under which name."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from company.chart import OrgChart
from company.state import State
from company.talent import expectation
from projects.frozen import frozen


@frozen
class Candidate:
    """A hire: the index of its entry in the chart's talent pool, its brain, its display name, and what it is expected
    to give on the company's project (company/talent.py)."""

    talent: int
    kind: str
    params: dict[str, object]
    name: str
    expectation: float = 0.0


# role -> who comes next, as long as the chart and the number of hires are these
_known: WeakKeyDictionary[State, dict[str, tuple[OrgChart, int, Candidate | None]]] = WeakKeyDictionary()


def candidate(state: State, role: str) -> Candidate | None:
    """Who of a role is expected to give most and is not used up, the first of equals; None with nobody to hire."""
    known = _known.setdefault(state, {})
    chart, hired, found = known.get(role, (None, 0, None))
    if chart is not state.chart or hired != state.hired:
        found = _best(state, role)
        known[role] = (state.chart, state.hired, found)
    return found


def _best(state: State, role: str) -> Candidate | None:
    expected = {
        index: expectation(talent, state.brief["name"])
        for index, talent in enumerate(state.chart.talent)
        if talent.role == role and state.talent_used.get(index, 0) < talent.count
    }
    if not expected:
        return None
    index = max(expected, key=expected.__getitem__)
    talent = state.chart.talent[index]
    brain = talent.effective_brain
    name = talent.name or brain.kind
    shown = f"{name} {state.talent_used.get(index, 0) + 1}" if talent.count > 1 else name
    return Candidate(index, brain.kind, dict(brain.params), shown, expected[index])


def next_agent_id(state: State, position: str) -> str:
    """The id of the next agent to hold a position: the position's own for the first, then numbered."""
    number = 1 + sum(agent.position == position for agent in state.agents.values())
    while (name := position if number == 1 else f"{position}_{number}") in state.agents:
        number += 1  # a chart may call a position bob_2
    return name


def founding_brain(chart: OrgChart, position: str) -> dict[str, object]:
    """The brain that the chart gives a position, or its role's default, as JSON."""
    brain = chart.position(position).effective_brain
    return {"kind": brain.kind, "params": dict(brain.params)}
