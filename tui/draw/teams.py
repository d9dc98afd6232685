"""A company as a tree of teams, for drawing: from a snapshot, or from a chart that nobody works in yet."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from company.brain_words import brain_words
from company.chart import OrgChart
from company.entities import Agent
from company.snapshot import Snapshot
from company.standing import doing
from company.wording import plain

BRAIN = 10  # cells: of a model its own name fits, and its provider stands on the page


@dataclass(frozen=True, slots=True)
class Seat:
    """A position as it is drawn. `worth` is (mean, low, high) in compressed sigmas; `beaten` shares of the record."""

    id: str
    who: str
    name: str
    role: str
    brain: str
    status: str = "active"
    worth: tuple[float, float, float] | None = None
    beaten: tuple[float, ...] = ()
    runs: int = 0
    task: str = ""
    share: float | None = None


@dataclass(slots=True)
class Team:
    """A manager, the reports who manage nobody, and the teams below."""

    lead: Seat
    rows: list[Seat] = field(default_factory=list)
    below: list[Team] = field(default_factory=list)
    folded: bool = False

    def walk(self) -> Iterator[Team]:
        """This team and all below it that are not folded away."""
        yield self
        for team in () if self.folded else self.below:
            yield from team.walk()

    def people(self) -> int:
        """Everyone below the lead, folded away or not."""
        return len(self.rows) + sum(1 + team.people() for team in self.below)


def company_team(shot: Snapshot, folded: Collection[str] = ()) -> Team:
    """The company as it stands."""
    state, tasks = shot.state, doing(shot.state)

    def seat(position: str) -> Seat:
        agent = state.agents.get(state.holder.get(position, ""))
        title = plain(state.chart.position(position).name, 60)
        return _taken(shot, position, agent, title, tasks) if agent else Seat(position, position, title, "", "")

    return _team(state.chart, state.chart.root, seat, folded)


def chart_team(chart: OrgChart) -> Team:
    """A chart's positions, with the brains that it asks for."""

    def seat(id: str) -> Seat:
        position = chart.position(id)
        brain = position.effective_brain
        return Seat(id, id, plain(position.name, 60), position.role, brain_words(brain.kind, brain.params, BRAIN))

    return _team(chart, chart.root, seat, ())


def _team(chart: OrgChart, position: str, seat, folded: Collection[str]) -> Team:
    reports = chart.reports(position)
    leads = [r for r in reports if chart.position(r).role == "manager"]
    rows = [seat(r) for r in reports if r not in leads]
    return Team(seat(position), rows, [_team(chart, lead, seat, folded) for lead in leads], position in folded)


def _taken(shot: Snapshot, position: str, agent: Agent, title: str, tasks: dict[str, str]) -> Seat:
    worth = shot.worth(agent)
    brain = brain_words(agent.brain.kind, agent.brain.params, BRAIN)
    return Seat(
        position, agent.id, title if title != position else plain(agent.name, 60), agent.role,
        brain, agent.status, (worth.mean, worth.low, worth.high) if worth else None,
        tuple(agent.outcomes[-24:]), agent.experiments, plain(tasks.get(agent.id, ""), 80), agent.share,
    )  # fmt: skip
