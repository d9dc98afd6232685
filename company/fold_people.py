"""What facts about people, structure and the run as a whole change in the state. Called by State.apply alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from company import events as ev
from company.chart import OrgChart, shared_chart
from company.entities import Agent, Probation, Revised
from roles.brains.llm.settings import is_model
from roles.intents import ROLE_OF_TASK
from roles.observation import Directive, Result
from roles.role import Brain

if TYPE_CHECKING:
    from company.state import State

ROLE_TASKS = {role: tuple(t for t, r in ROLE_OF_TASK.items() if r == role) for role in set(ROLE_OF_TASK.values())}


def _founded(state: State, event: ev.RunFounded) -> None:
    state.phase = "founding"
    state.brief, state.seed, state.slots, state.device = event.project, event.seed, event.slots, event.device
    state.sandbox = ev.sandbox_of(event)
    state.take_chart(shared_chart(event.chart))
    state.seen = {position.id: [] for position in state.chart.positions}
    state.passes = {p.id: -math.inf for p in state.chart.positions if p.role == "researcher"}


def _hired(state: State, event: ev.AgentHired) -> None:
    brain = Brain(event.brain["kind"], event.brain.get("params", {}))
    state.agents[event.agent] = Agent(event.agent, event.name, event.position, event.role, brain)
    state.holder[event.position] = event.agent
    state.hired += 1
    if event.talent is not None:
        state.talent_used[event.talent] = state.talent_used.get(event.talent, 0) + 1
    _equip(state, event.agent, "hired")
    if event.role == "researcher":
        state.passes.setdefault(event.position, state.pass_now)
    state.forget()


def _replaced(state: State, event: ev.AgentReplaced) -> None:
    leaving, hired = state.agents[event.leaving], state.agents[event.hired]
    leaving.status = "left"
    hired.share, hired.directive = leaving.share, leaving.directive
    state.forget()
    state.decisions = {id_: p for id_, p in state.decisions.items() if p.agent != event.leaving}
    state.trials.pop(event.position, None)
    if event.trial:
        hired.status, state.trials[event.position] = "trial", event
    state.changes.append((state.now, event))


def _trial_ended(state: State, event: ev.TrialEnded) -> None:
    del state.trials[event.position]
    stays, goes = state.agents[event.hired], state.agents[event.leaving]
    if not event.passed:
        stays.share, stays.directive = goes.share, goes.directive
        state.holder[event.position] = stays.id
        state.decisions = {id_: p for id_, p in state.decisions.items() if p.agent != goes.id}
        state.forget()
    stays.status, stays.probation, goes.status = "active", None, "left"
    state.changes.append((state.now, event))


def _end_trials(state: State) -> None:
    """Who has moved on, or has another role now, has the job."""
    for position, replaced in list(state.trials.items()):
        hire = state.agents[replaced.hired]
        if state.holder.get(position) != hire.id or hire.role != "researcher":
            del state.trials[position]
            hire.status = "active" if hire.status == "trial" else hire.status


def _coached(state: State, event: ev.AgentCoached) -> None:
    agent = state.agents[event.agent]
    agent.status = "trial" if agent.status == "trial" else "probation"
    if agent.probation is None:  # to be coached again is no new probation
        agent.probation = Probation(event.level, state.record.evidence(agent.id) + event.experiments)
    agent.brain = Brain(agent.brain.kind, {**agent.brain.params, **event.params})
    if event.directive:
        agent.directive = Directive(cast(Any, event.directive), agent.directive.focus, event.because)
    if event.advice:
        agent.advice = (*agent.advice, event.advice)
    _equip(state, agent.id, f"coached by {event.by}")
    state.changes.append((state.now, event))


def _appraised(state: State, event: ev.AgentAppraised) -> None:
    agent = state.agents[event.agent]
    agent.appraised = event
    if event.outcome == "keep" and agent.probation and event.evidence >= agent.probation.until:
        agent.status, agent.probation = "trial" if agent.status == "trial" else "active", None
    state.appraised_at = state.proposals_finished


def _revised(state: State, event: ev.ChartRevised) -> None:
    state.take_chart(OrgChart.from_dict(event.chart))
    _reseat(state, event)
    _end_trials(state)
    staying = {agent.id: ROLE_TASKS[agent.role] for agent in state.active()}
    state.decisions = {
        id_: pending for id_, pending in state.decisions.items() if pending.task in staying.get(pending.agent, ())
    }
    state.heirs.update(event.owner)
    for experiment in (state.experiments[e] for e in state.under_way):
        if experiment.position is not None:
            experiment.position = state.seat_of(experiment.position)
    known = state.seen
    state.seen = {p.id: known[p.id] if p.id in known else _notes(state, p.id) for p in state.chart.positions}
    researchers = [a.position for a in state.active() if a.role == "researcher"]
    state.passes = {position: state.passes.get(position, state.pass_now) for position in researchers}
    state.revisions.append(Revised(event, state.proposals_finished))
    if event.undoes is not None:
        state.revisions[event.undoes - 1].undone = True
    state.changes.append((state.now, event))


def _reseat(state: State, event: ev.ChartRevised) -> None:
    """Agents follow their seats; who is left without one leaves; a new role brings a new brain."""
    before = state.holder
    state.holder = {position: before[source] for position, source in event.seated.items() if source in before}
    staying = set(state.holder.values())
    for agent in before.values():
        if agent not in staying:
            state.agents[agent].status = "left"
    for position, name in state.holder.items():
        agent, role = state.agents[name], state.chart.position(position).role
        if agent.role != role:
            agent.former[agent.role] = agent.brain
            agent.status, agent.probation = "active" if agent.probation else agent.status, None
            agent.role, agent.brain = role, Brain(event.brains[position]["kind"], event.brains[position]["params"])
            _equip(state, name, f"is {role} now")
        if agent.position != position:
            agent.position, agent.share, agent.directive = position, None, Directive()


def _equip(state: State, agent: str, because: str) -> None:
    if is_model(state.agents[agent].brain):
        state.unversioned[agent] = because


def _versioned(state: State, event: ev.HarnessVersioned) -> None:
    state.agents[event.agent].harness = event
    state.unversioned.pop(event.agent, None)


def _away(state: State, event: ev.AgentPaused) -> None:
    agent = state.agents[event.agent]
    agent.away, agent.outages = event, agent.outages + 1
    state.away.add(event.agent)


def _back(state: State, event: ev.AgentReturned) -> None:
    agent = state.agents[event.agent]
    agent.away, agent.outages = None, 0
    state.away.discard(event.agent)


def _models_spent(state: State, event: ev.ModelBudgetSpent) -> None:
    state.models_spent = event.because


def _notes(state: State, position: str) -> list[Result]:
    """What somebody in a new position is shown: all that it may see, and what came of seats that are gone."""
    seats = {p.id for p in state.chart.positions}
    visible = state.visible_to(position)
    owners = {r.experiment: state.experiments[r.experiment].position for r in state.results}
    hidden = seats - visible - {None}
    return [result for result in state.results if owners[result.experiment] not in hidden]


def _checked(state: State, event: ev.RevisionChecked) -> None:
    revised = state.revisions[event.number - 1]
    revised.verdict, revised.found = event.verdict, event.because
    state.changes.append((state.now, event))


def _structure(state: State, event: ev.StructureReviewed) -> None:
    state.structure_at = state.rounds


def _asked_approval(state: State, event: ev.ApprovalAsked) -> None:
    state.requests[event.request] = event
    state.requested += 1


def _given_approval(state: State, event: ev.ApprovalGiven) -> None:
    state.requests.pop(event.request, None)
    state.changes.append((state.now, event))


def _directed(state: State, event: ev.DirectiveGiven) -> None:
    agent = state.agents[event.agent]
    agent.share = event.share
    state.forget()
    agent.directive = Directive(cast(Any, event.directive), tuple(event.focus), event.reason)


def _digest(state: State, event: ev.DigestSent) -> None:
    state.agents[event.manager].digest = event.text


def _answered(state: State, event: ev.CommandAnswered) -> None:
    if event.done:
        state.changes.append((state.now, event))


def _paused(state: State, event: ev.RunPaused) -> None:
    state.paused = True


def _continued(state: State, event: ev.RunContinued) -> None:
    state.paused = False


PEOPLE: dict[type[ev.Event], Callable[[State, Any], None]] = {
    ev.RunFounded: _founded,
    ev.AgentHired: _hired,
    ev.AgentReplaced: _replaced,
    ev.TrialEnded: _trial_ended,
    ev.AgentCoached: _coached,
    ev.AgentAppraised: _appraised,
    ev.ChartRevised: _revised,
    ev.HarnessVersioned: _versioned,
    ev.AgentPaused: _away,
    ev.AgentReturned: _back,
    ev.ModelBudgetSpent: _models_spent,
    ev.RevisionChecked: _checked,
    ev.StructureReviewed: _structure,
    ev.ApprovalAsked: _asked_approval,
    ev.ApprovalGiven: _given_approval,
    ev.DirectiveGiven: _directed,
    ev.DigestSent: _digest,
    ev.CommandAnswered: _answered,
    ev.RunPaused: _paused,
    ev.RunContinued: _continued,
}
