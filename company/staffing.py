"""Hiring: who is taken from the talent pool, and under which name."""

from __future__ import annotations

from dataclasses import dataclass

from company.chart import OrgChart
from company.state import State


@dataclass(frozen=True, slots=True)
class Candidate:
    """A hire: the index of its entry in the chart's talent pool, its brain and its display name."""

    talent: int
    kind: str
    params: dict[str, object]
    name: str


def candidate(state: State, role: str) -> Candidate | None:
    """The first of the talent pool for a role that is not used up; None when there is nobody to hire."""
    for index, talent in enumerate(state.chart.talent):
        used = state.talent_used.get(index, 0)
        if talent.role == role and used < talent.count:
            brain = talent.effective_brain
            name = talent.name or brain.kind
            return Candidate(index, brain.kind, dict(brain.params), f"{name} {used + 1}" if talent.count > 1 else name)
    return None


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
