"""The management cycle: plans, appraisals, coaching and replacement. Each function emits what follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from company import events as ev
from company import lifecycle, restructuring
from company.brain_kinds import find_kind
from company.entities import Agent, Pending
from company.observe import replaceable
from company.staffing import Candidate, candidate, next_agent_id
from company.state import State
from company.taming import clean
from company.worth import everyone, level_of, worth_of
from roles.intents import Assign, Coach, Digest, Intent, Note, Replace

if TYPE_CHECKING:
    from company.engine import Engine


def carry_out(engine: Engine, pending: Pending, intents: Sequence[Intent]) -> None:
    """Carry out what an agent decided on a task."""
    for intent in intents:
        if isinstance(intent, Note) and (text := clean(intent.text)):
            engine.emit(ev.NoteWritten(pending.agent, text))
    _TASKS[pending.task](engine, pending, intents)


def call_meetings(engine: Engine) -> None:
    """Ask managers to plan and to appraise when the chart's schedule says so."""
    state, policies = engine.state, engine.state.chart.policies
    finished = state.proposals_finished
    if finished - state.plans >= policies.assign.every:
        _ask_managers(engine, "plan")
    if policies.appraise.every and finished - state.appraised_at >= policies.appraise.every:
        refuse_unanswered(engine)
        _ask_managers(engine, "appraise")
    restructuring.look(engine)


def _ask_managers(engine: Engine, task: str) -> None:
    state = engine.state
    busy = {pending.agent for pending in state.decisions.values() if pending.task == task}
    for position in state.chart.managers_top_down():
        if position not in state.holder:
            continue
        agent = state.holder[position]
        if agent not in busy and any(state.produces(report) for report in state.chart.reports(position)):
            engine.consult(agent, task)


def on_plan(engine: Engine, pending: Pending, intents: Sequence[Intent]) -> None:
    """Directives and shares for direct reports, and a digest for the manager's own manager."""
    state = engine.state
    for intent in intents:
        if isinstance(intent, Assign) and _reports_to(state, intent.agent, pending.agent):
            engine.emit(
                ev.DirectiveGiven(
                    pending.agent, intent.agent, intent.share, intent.directive,
                    [name for name in intent.focus if name in state.space.names], clean(intent.reason),
                )
            )  # fmt: skip
        elif isinstance(intent, Digest):
            above = state.chart.manager_of(state.agents[pending.agent].position)
            to = state.holder.get(above) if above else None
            engine.emit(ev.DigestSent(pending.agent, to, clean(intent.text, 1000)))


def on_appraise(engine: Engine, pending: Pending, intents: Sequence[Intent]) -> None:
    """Every researcher of the team gets its posterior recorded; at most what the evidence allows follows."""
    state = engine.state
    decided = {intent.agent: intent for intent in intents if hasattr(intent, "agent")}  # type: ignore[attr-defined]
    for position in state.filled(state.chart.reports(state.agents[pending.agent].position)):
        agent = state.agent_at(position)
        if agent.role == "researcher":
            _appraise(engine, pending.agent, agent, decided.get(agent.id))


def _appraise(engine: Engine, manager: str, agent: Agent, intent: Intent | None) -> None:
    state = engine.state
    worth, level = everyone(state)[agent.id], level_of(state)
    may_go = isinstance(intent, Replace) and replaceable(state, agent)
    outcome = "replace" if may_go else "coach" if isinstance(intent, Coach) else "keep"
    because = clean(getattr(intent, "because", ""))
    engine.emit(
        ev.AgentAppraised(
            agent.id, manager, worth.mean, worth.low, worth.high, worth.evidence, worth.p_below, outcome, because,
            level, dict(worth.parts),
        )
    )  # fmt: skip
    if may_go and state.chart.policies.approve.replace == "human":
        ask_person(engine, "replace", {"agent": agent.id}, manager, because)
    elif may_go:
        replace(engine, manager, agent, because)
    elif isinstance(intent, Coach):
        _coach(engine, manager, agent, intent, level)


def _coach(engine: Engine, manager: str, agent: Agent, intent: Coach, level: float) -> None:
    """On probation, with the target that a replacement will be measured by."""
    results = engine.state.chart.policies.replace.probation
    known = find_kind(agent.role, agent.brain.kind)
    params = {name: value for name, value in intent.params.items() if known and known.takes(name, value)}
    target = f"a worth of at least {level:+.2f} compressed sigmas a run, judged after {results} more results"
    engine.emit(
        ev.AgentCoached(
            agent.id, manager, target, clean(intent.because), level, results, intent.directive or "", params,
            clean(intent.advice),
        )
    )  # fmt: skip


def replace(engine: Engine, by: str, leaving: Agent, because: str) -> None:
    """One agent goes, one comes: the position keeps its results, its share and its directive."""
    state = engine.state
    hire = candidate(state, leaving.role)
    if hire is None:
        return
    evidence = _evidence(state, leaving, hire)
    agent = next_agent_id(state, leaving.position)
    brain = {"kind": hire.kind, "params": hire.params}
    why = f"replaces {leaving.id}"
    engine.emit(ev.AgentHired(agent, hire.name, leaving.position, leaving.role, brain, why, hire.talent))
    trial = state.chart.policies.hire.trial if leaving.role == "researcher" else 0
    evidence |= {"trial_cost": trial * state.brief["budget_seconds"]} if trial else {}
    before = list(state.decisions.values())
    engine.emit(ev.AgentReplaced(leaving.position, leaving.id, agent, by, because, evidence, trial))
    for pending in before:
        if pending.id not in state.decisions:
            lifecycle.ask_again(engine, pending)


def _evidence(state: State, leaving: Agent, hire: Candidate) -> dict[str, float]:
    """What was known of who goes, and what is expected of who comes: the prediction that the report holds it to."""
    worth = worth_of(state, leaving) if leaving.role == "researcher" else None
    if worth is None:
        return {"n": 0}
    known = {"worth": worth.mean, "low": worth.low, "high": worth.high, "n": worth.evidence, "p_below": worth.p_below}
    return {**known, "level": level_of(state), "expected": hire.expectation - worth.mean}


def ask_person(engine: Engine, action: str, args: dict[str, Any], by: str, because: str) -> None:
    """An act waits for a person, as the chart's `approve` says; asked once for the same act."""
    state = engine.state
    if not any(asked.action == action and asked.args == args for asked in state.requests.values()):
        engine.emit(ev.ApprovalAsked(f"r{state.requested + 1}", action, args, by, because))


def refuse_unanswered(engine: Engine) -> None:
    """With nobody there a request ends as no, never as yes."""
    for request in list(engine.state.requests):
        why = "nobody answered before the next appraisal"
        engine.emit(ev.ApprovalGiven(request, False, "nobody", why))


def settle_request(engine: Engine, request: str, approved: bool, by: str) -> str:
    """A person answers a request. Returns what was done."""
    asked = engine.state.requests[request]
    engine.emit(ev.ApprovalGiven(request, approved, by, asked.because))
    if not approved:
        return f"{request} is refused"
    if asked.action == "replace":
        agent = engine.state.agents[asked.args["agent"]]
        if agent.status != "left":
            replace(engine, asked.by, agent, asked.because)
        return f"{agent.id} is replaced"
    return restructuring.carry_out_approved(engine, asked)


def _reports_to(state: State, agent: str, manager: str) -> bool:
    known = state.agents.get(agent)
    if known is None or known.status == "left":
        return False
    return state.chart.manager_of(known.position) == state.agents[manager].position


_TASKS: dict[str, Callable[[Engine, Pending, Sequence[Intent]], None]] = {
    "propose": lifecycle.on_propose,
    "review": lifecycle.on_review,
    "build": lifecycle.on_build,
    "repair": lifecycle.on_repair,
    "watch": lifecycle.on_watch,
    "verdict": lifecycle.on_verdict,
    "plan": on_plan,
    "appraise": on_appraise,
}
