"""What facts about decisions, experiments and champions change in the state. Called by State.apply alone."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from company import events as ev
from company.entities import NOBODYS_FAULT, RESEARCH, Code, Experiment, Noted, Pending
from roles.observation import Champion, Result

if TYPE_CHECKING:
    from company.state import State


def _requested(state: State, event: ev.DecisionRequested) -> None:
    pending = Pending(event.decision, event.agent, event.task, event.experiment, event.turn, state.now)
    if event.task == "propose" and state.reigns:
        pending.onto = state.champion_of(state.agents[event.agent].position)
    state.decisions[event.decision] = pending
    state.asked += 1
    state.turns[event.agent, event.task] = event.turn + 1
    agent = state.agents[event.agent]
    if event.task == "propose":
        state.pass_now = state.passes[agent.position] = state.due_for_proposal(agent.position)
    elif event.task == "plan":
        state.plans = state.proposals_finished
    elif event.task == "appraise":
        state.rounds += state.appraised_at != state.proposals_finished
        state.appraised_at = state.proposals_finished
    elif event.task == "review" and event.experiment:
        experiment = state.experiments[event.experiment]
        experiment.reviewers = (*experiment.reviewers, event.agent)
    elif event.task == "build" and event.experiment:
        state.experiments[event.experiment].status = "building"


def _decided(state: State, event: ev.DecisionMade) -> None:
    state.decisions.pop(event.decision, None)
    state.agents[event.agent].decisions += 1


def _dropped(state: State, event: ev.ProposalDropped) -> None:
    agent = state.agents[event.agent]
    agent.dropped, agent.turned_down = agent.dropped + 1, event.detail
    state.duplicates += event.why == "duplicate"
    state.dropped_in_a_row += 1


def _created(state: State, event: ev.ExperimentCreated) -> None:
    first = state.by_hash.setdefault(event.hash, event.experiment)
    known = state.experiments.get(first)
    unit = known.unit if known else state.space.encode(event.config)
    experiment = Experiment(
        event.experiment, event.purpose, event.config, event.hash, unit, event.seed,
        event.steps, event.cost, event.split, event.proposer, event.position, event.parent, event.predicted,
        event.reason, event.micro_batch, state.now, code=event.code,
    )  # fmt: skip
    state.experiments[event.experiment] = experiment
    if event.purpose == "proposal" and event.proposer:
        state.agents[event.proposer].turned_down = ""
    state.under_way[event.experiment] = None
    if event.parent and event.purpose == "replication":
        parent = state.experiments[event.parent]
        parent.replications.append(event.experiment)
        if parent.purpose == "proposal" and not parent.standing:  # in the finals many have been judged before
            parent.standing = "replicating"


def _written(state: State, event: ev.CodeWritten) -> None:
    state.codes[event.code] = Code(event, state.now)


def _patched(state: State, event: ev.ExperimentPatched) -> None:
    experiment = state.experiments[event.experiment]
    experiment.code, experiment.hash = event.code, event.hash
    experiment.repairs += 1
    state.agents[event.engineer].turned_down = ""
    state.by_hash.setdefault(event.hash, event.experiment)


def _repair_refused(state: State, event: ev.RepairRefused) -> None:
    state.experiments[event.experiment].repairs += 1
    state.agents[event.engineer].turned_down = event.detail


def _noted(state: State, event: ev.NoteWritten) -> None:
    position = state.agents[event.agent].position
    state.notebook.append(Noted(event.agent, position, event.text, len(state.results)))


def _reviewed(state: State, event: ev.ReviewGiven) -> None:
    state.experiments[event.experiment].votes[event.reviewer] = event.approve


def _refused(state: State, event: ev.ExperimentRefused) -> None:
    experiment = state.experiments[event.experiment]
    experiment.status, experiment.detail, experiment.finished_at = "refused", event.reason, state.now
    state.under_way.pop(event.experiment)
    state.dropped_in_a_row += 1


def _queued(state: State, event: ev.ExperimentQueued) -> None:
    experiment = state.experiments[event.experiment]
    experiment.status, experiment.attempt = "queued", event.attempt
    experiment.micro_batch, experiment.device = event.micro_batch, event.device
    if experiment.purpose == "proposal":
        state.queue.append(event.experiment)
        state.dropped_in_a_row = 0
    else:  # a candidate waits for its replications, and everyone waits for the baseline: those go first
        ahead = sum(state.experiments[e].purpose != "proposal" for e in state.queue)
        state.queue.insert(ahead, event.experiment)
    if not experiment.admitted and experiment.purpose in RESEARCH:
        state.admitted += 1
        state.admitted_cost += experiment.cost
    experiment.admitted = True


def _started(state: State, event: ev.ExperimentStarted) -> None:
    experiment = state.experiments[event.experiment]
    state.queue.remove(event.experiment)
    state.running[event.slot] = event.experiment
    experiment.status, experiment.slot, experiment.started_at = "running", event.slot, state.now
    experiment.rungs, experiment.curve = tuple(event.rungs), []


def _rung(state: State, event: ev.RungReached) -> None:
    experiment = state.experiments[event.experiment]
    experiment.curve.append((experiment.rungs[event.rung], event.loss))


def _attempt_failed(state: State, event: ev.AttemptFailed) -> None:
    experiment = state.experiments[event.experiment]
    experiment.status, experiment.failure = "repairing", event.failure
    experiment.detail = event.measured.get("log", "")
    _release(state, experiment)


def _release(state: State, experiment: Experiment) -> None:
    if experiment.slot is not None:
        state.running.pop(experiment.slot, None)
        experiment.slot = None


def _finished(state: State, event: ev.ExperimentFinished) -> None:
    experiment = state.experiments[event.experiment]
    _release(state, experiment)
    state.under_way.pop(event.experiment, None)
    experiment.status, experiment.metric, experiment.finished_at = event.status, event.metric, state.now
    experiment.failure, experiment.detail = event.failure, event.detail or event.measured.get("log", "")
    if "sandbox" in event.measured:
        experiment.sandbox = state.sandbox = ev.sandbox_of(event)
    experiment.curve = [(fraction, loss) for fraction, loss in event.curve]
    if experiment.purpose in RESEARCH and event.cost < experiment.cost:
        state.admitted -= 1 - event.cost / experiment.cost
        state.admitted_cost -= experiment.cost - event.cost
        experiment.cost = event.cost
    if experiment.purpose == "closing":
        return
    if experiment.purpose == "baseline" and event.metric is not None:
        state.baseline_values.append(event.metric)
    _publish(state, experiment, event)
    if experiment.purpose == "proposal" and event.failure not in NOBODYS_FAULT:
        _credit(state, experiment)


def _publish(state: State, experiment: Experiment, event: ev.ExperimentFinished) -> None:
    loss = None if event.metric is None else state.loss(event.metric)
    result = Result(
        experiment.id, experiment.proposer, experiment.config, experiment.unit, cast(Any, event.status), loss,
        event.cost, event.failure, experiment.purpose, tuple(experiment.curve), experiment.code,
    )  # fmt: skip
    state.results.append(result)
    for position, seen in state.seen.items():
        if experiment.position is None or experiment.position in state.visible_to(position):
            seen.append(result)


def _credit(state: State, experiment: Experiment) -> None:
    """Count a finished proposal for its proposer, by the share of the record that it beat."""
    agent = state.agents[experiment.proposer or ""]
    agent.experiments += 1
    agent.cost += experiment.cost
    state.proposals_finished += 1
    loss = math.inf if experiment.metric is None else state.loss(experiment.metric)
    agent.failed += experiment.status == "failed"
    beaten = len(state.losses) - bisect_left(state.losses, loss)
    agent.outcomes.append((beaten + 0.5) / (len(state.losses) + 1) if math.isfinite(loss) else 0.0)
    insort(state.losses, loss)
    if math.isfinite(loss) and (agent.best is None or loss < agent.best):
        agent.best = loss


def _verdict(state: State, event: ev.VerdictGiven) -> None:
    state.experiments[event.experiment].verdict = event.outcome


def _noise(state: State, event: ev.NoiseMeasured) -> None:
    state.phase = "research"
    state.sigma, state.baseline_mean = event.sigma, event.mean
    state.spread.append((event.n - 1, event.sigma**2))
    first = next(e for e in state.experiments.values() if e.purpose == "baseline")
    state.champion = Champion(first.id, first.config, first.unit, state.loss(event.mean), event.n)
    state.champion_values, state.champion_hash = list(state.baseline_values), first.hash
    state.trail.append((state.now, event.mean))


def _champion(state: State, event: ev.ChampionChosen) -> None:
    experiment = state.experiments[event.experiment]
    experiment.standing = "champion"
    values = state.fresh_values(experiment.id) or [event.metric]
    _spread(state, values)
    state.champion = Champion(
        event.experiment, event.config, experiment.unit, state.loss(event.metric), max(1, event.n), experiment.code
    )
    state.reigns.append((state.now, event.experiment))
    state.champion_values, state.champion_hash = values, event.hash
    state.trail.append((state.now, event.metric))


def _rejected(state: State, event: ev.CandidateRejected) -> None:
    experiment = state.experiments[event.experiment]
    experiment.standing = "rejected"
    _spread(state, state.fresh_values(experiment.id))


def _spread(state: State, values: list[float]) -> None:
    if len(values) > 1:
        mean = sum(values) / len(values)
        state.spread.append((len(values) - 1, sum((v - mean) ** 2 for v in values) / (len(values) - 1)))


def _ended(state: State, event: ev.ResearchEnded) -> None:
    state.phase, state.ended_because = "closing", event.reason


def _holdout(state: State, event: ev.HoldoutMeasured) -> None:
    state.holdout = event


def _closed(state: State, event: ev.RunClosed) -> None:
    state.phase, state.closed = "closed", event


WORK: dict[type[ev.Event], Callable[[State, Any], None]] = {
    ev.DecisionRequested: _requested,
    ev.DecisionMade: _decided,
    ev.ProposalDropped: _dropped,
    ev.ExperimentCreated: _created,
    ev.CodeWritten: _written,
    ev.ExperimentPatched: _patched,
    ev.RepairRefused: _repair_refused,
    ev.NoteWritten: _noted,
    ev.ReviewGiven: _reviewed,
    ev.ExperimentRefused: _refused,
    ev.ExperimentQueued: _queued,
    ev.ExperimentStarted: _started,
    ev.RungReached: _rung,
    ev.AttemptFailed: _attempt_failed,
    ev.ExperimentFinished: _finished,
    ev.VerdictGiven: _verdict,
    ev.NoiseMeasured: _noise,
    ev.ChampionChosen: _champion,
    ev.CandidateRejected: _rejected,
    ev.ResearchEnded: _ended,
    ev.HoldoutMeasured: _holdout,
    ev.RunClosed: _closed,
}
