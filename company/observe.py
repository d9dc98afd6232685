"""What an agent may see when it decides: the observation for a pending decision, built from the state and the chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from company.appraisal import Posterior
from company.entities import Agent, Experiment, Pending
from company.notebook import notes_for
from company.patching.versions import files_of, refusal, rules
from company.planning import budget_spent
from company.staffing import candidate
from company.state import State
from company.transfer import transferred
from company.worth import worth_of
from projects.spec import Config, Project
from roles.brains.record import Summary
from roles.observation import Champion, Observation, ReportView, Result, Subject

NOTHING = Posterior(0.0, 0.0, 0.0, 0, 0.0)  # of who is not measured by worth


def observe(state: State, pending: Pending, project: Project | None = None) -> Observation:
    """The observation that a decision rests on, as of now."""
    agent = state.agents[pending.agent]
    experiment = state.experiments[pending.experiment] if pending.experiment else None
    code, code_rules = _code(state, pending, project) if project and project.code else ({}, "")
    start = _start(state, pending) if state.starts and pending.task == "propose" else None
    return Observation(
        decision=pending.id,
        task=pending.task,
        agent=agent.id,
        role=agent.role,
        root_seed=state.seed,
        turn=pending.turn,
        space=state.space,
        metric=state.metric,
        baseline=state.brief["baseline"],
        mission=state.chart.mission,
        sigma=state.sigma,
        spent=budget_spent(state),
        champion=_champion(state, agent.position),
        history=_history_for(state, agent, pending) if state.codes else _history(state, agent.position),
        pending=_under_way(state, agent, pending.experiment) if pending.task in ("propose", "review") else (),
        directive=agent.directive,
        subject=_subject(state, experiment) if experiment else None,
        reports=_reports(state, agent.position, pending.task) if pending.task in ("plan", "appraise") else (),
        policy=_policy(state, pending.task),
        device=state.device,
        micro_batch_of=state.brief["micro_batch"],
        start=start[0] if start else None,
        start_origin=start[1] if start else "",
        notes=_notes(state, agent, pending),
        code=code,
        code_rules=code_rules,
    )


def _start(state: State, pending: Pending) -> tuple[Config, str] | None:
    """Of the configs to be tried first the next that nobody has tried, or was asked before this agent to try."""
    left = [(config, origin) for digest, config, origin in state.starts if digest not in state.by_hash]
    asked = [other.id for other in state.decisions.values() if other.task == "propose"]
    place = asked.index(pending.id)
    return left[place] if place < len(left) else None


def _notes(state: State, agent: Agent, pending: Pending) -> tuple[str, ...]:
    """What a manager advised, why the last proposal was turned down, and what of the notebook bears on the task."""
    if pending.task not in ("propose", "review", "repair", "verdict"):
        return agent.advice
    tried_before = pending.task != "repair" or state.experiments[pending.experiment or ""].repairs
    refused = (f"not run: {agent.turned_down}",) if agent.turned_down and tried_before else ()
    reads = agent.harness is not None or state.codes or state.notebook  # an optimiser reads no notes
    known = notes_for(state, agent, pending) if reads else ()
    return (*agent.advice, *refused, *known)


def _code(state: State, pending: Pending, project: Project) -> tuple[Mapping[str, str], str]:
    """The code that a patch would change, and what a patch may do; nothing where none is taken."""
    if pending.task not in ("propose", "repair"):
        return {}, ""
    if why := refusal(state, project):
        return {}, f"No patches are taken: {why}."
    about = pending.experiment or pending.onto
    return files_of(state, project, state.experiments[about].code if about else ""), rules(project)


def _history_for(state: State, agent: Agent, pending: Pending) -> Sequence[Result]:
    """What a position has seen: for an optimiser that proposes, as it would be on the code that will run."""
    seen = _history(state, agent.position)
    if pending.task != "propose" or agent.harness is not None:
        return seen
    return transferred(state, seen, state.experiments[pending.onto].code if pending.onto else "")


class Prefix(Sequence[Result]):
    """The results that were known at one moment: a view of an append-only list, never a copy.

    `book` is the list's own summary, brought up to date when somebody asks for it.
    """

    __slots__ = ("_book", "_items", "_n")

    def __init__(self, items: list[Result], book: Summary | None = None) -> None:
        self._items, self._n, self._book = items, len(items), book

    def summary(self) -> Summary | None:
        """The summary of these results, None where there is none or it knows of more."""
        book = self._book
        if book is None or book.seen > self._n:
            return None
        if book.seen < self._n:
            book.add(self._items[book.seen : self._n])
        return book

    def __len__(self) -> int:
        return self._n

    def __getitem__(self, index: Any) -> Any:
        return self._items[: self._n][index] if len(self._items) != self._n else self._items[index]

    def __iter__(self) -> Any:
        return iter(self._items if len(self._items) == self._n else self._items[: self._n])


_books: WeakKeyDictionary[State, dict[str, tuple[list[Result], Summary]]] = WeakKeyDictionary()


def _history(state: State, position: str) -> Prefix:
    """What a position has seen, with the summary that it keeps as long as the list is the same."""
    books, seen = _books.setdefault(state, {}), state.seen[position]
    kept = books.get(position)
    if kept is None or kept[0] is not seen:
        kept = books[position] = (seen, Summary())
    return Prefix(seen, kept[1])


def _champion(state: State, position: str) -> Champion | None:
    """The company's champion, unless the chart hides whose it is: then the agent has to go by what it sees."""
    if state.champion is None:
        return None
    owner = state.experiments[state.champion.experiment].position
    if owner is None or owner in state.visible_to(position):
        return state.champion
    baseline = next(e for e in state.experiments.values() if e.purpose == "baseline")
    loss = state.loss(state.baseline_mean or 0.0)
    return Champion(baseline.id, baseline.config, baseline.unit, loss, len(state.baseline_values))


def _under_way(state: State, agent: Agent, subject: str | None) -> list[tuple[float, ...]]:
    seen = state.visible_to(agent.position)
    return [
        state.experiments[e].unit
        for e in state.under_way
        if e != subject and state.experiments[e].purpose == "proposal" and state.experiments[e].position in seen
    ]


def _subject(state: State, experiment: Experiment) -> Subject:
    return Subject(
        experiment=experiment.id,
        proposer=experiment.proposer,
        config=experiment.config,
        unit=experiment.unit,
        predicted=experiment.predicted,
        reason=experiment.reason,
        steps=experiment.steps,
        cost=experiment.cost,
        micro_batch=experiment.micro_batch,
        attempt=experiment.attempt,
        failure=experiment.failure,
        log_tail=experiment.detail,
        loss=None if experiment.metric is None else state.loss(experiment.metric),
        curve=tuple(experiment.curve),
        code=experiment.code,
        diff=_diff(state, experiment),
        votes=tuple(experiment.votes.values()),
    )


def _diff(state: State, experiment: Experiment) -> str:
    """What an experiment's version of the code changed, where it is the first to run it."""
    code = state.codes.get(experiment.code)
    return code.event.diff if code and code.event.experiment == experiment.id else ""


def _reports(state: State, manager: str, task: str) -> tuple[ReportView, ...]:
    found = (state.agent_at(position) for position in state.filled(state.chart.reports(manager)))
    return tuple(_report(state, agent, task) for agent in found)


def _worth(state: State, agent: Agent, task: str) -> Posterior:
    """What an appraisal rests on is reckoned anew; a plan sees the latest appraisal."""
    if task == "appraise":
        return worth_of(state, agent) or NOTHING
    last = agent.appraised
    return Posterior(last.worth, last.low, last.high, last.evidence, last.p_below) if last else NOTHING


def _report(state: State, agent: Agent, task: str) -> ReportView:
    worth = _worth(state, agent, task)
    team = [agent] if agent.role != "manager" else _researchers_below(state, agent.position)
    bests = [member.best for member in team if member.best is not None]
    return ReportView(
        agent=agent.id,
        position=agent.position,
        role=agent.role,
        brain=agent.brain.kind,
        params=agent.brain.params,
        status=agent.status,
        share=agent.share or 0.0,
        experiments=sum(member.experiments for member in team),
        failed=sum(member.failed for member in team),
        slot_seconds=sum(member.cost for member in team),
        outcomes=tuple(outcome for member in team for outcome in member.outcomes),
        best=min(bests, default=None),
        worth=worth.mean,
        low=worth.low,
        high=worth.high,
        evidence=worth.evidence,
        p_below=worth.p_below,
        due=agent.probation is None or worth.evidence >= agent.probation.until,
        replaceable=task == "appraise" and replaceable(state, agent),
        digest=agent.digest,
    )


def replaceable(state: State, agent: Agent) -> bool:
    """Whether the chart's rule lets this agent be replaced now: enough evidence, coached before, somebody to hire."""
    policies = state.chart.policies
    rule = policies.replace
    if agent.role != "researcher" or rule.rule == "never" or agent.position in state.trials:
        return False
    evidence = state.record.evidence(agent.id)
    if evidence < policies.appraise.after or candidate(state, agent.role) is None:
        return False
    if rule.rule != "posterior":
        return True
    if rule.coach_first and (agent.probation is None or evidence < agent.probation.until):
        return False
    worth = worth_of(state, agent)
    return worth is not None and worth.p_below >= rule.confidence


def _researchers_below(state: State, manager: str) -> list[Agent]:
    return [state.agent_at(p) for p in state.passes if manager in state.chart.chain(p)]


def _policy(state: State, task: str) -> Mapping[str, Any]:
    policies = state.chart.policies
    if task == "verdict":
        return {"screen": policies.accept.screen, "rule": policies.accept.rule}
    if task == "watch":
        return {"rule": policies.watch.rule, "after": policies.watch.after}
    if task == "plan":
        return {"share": policies.assign.share}
    if task == "propose" and state.away:
        return {"wait": all(state.agent_at(position).away for position in state.passes)}
    if task == "appraise":
        replace = policies.replace
        return {
            "rule": replace.rule,
            "confidence": replace.confidence,
            "coach_first": replace.coach_first,
            "after": policies.appraise.after,
        }
    return {}
