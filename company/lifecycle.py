"""The life of a proposal: review, build, run, repair, watch and verdict. Each function emits what follows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from company import events as ev
from company.candidates import consider, screen, simplify, waits_for_finals, weigh
from company.coding import repaired, wanted
from company.compute.backend import Outcome
from company.entities import Experiment, Pending
from company.experiments import create, next_id, queue
from company.patching.blocks import PatchError
from company.patching.versions import content_hash
from company.planning import training_seed
from company.review import decide, who_reviews
from company.state import State
from company.taming import clean
from projects.spec import SearchSpace
from roles.intents import Approve, Build, GiveUp, Intent, Patch, Propose, Refuse, Retry, Stop, Verdict

if TYPE_CHECKING:
    from company.engine import Engine

MAX_ATTEMPTS = 6  # whatever an engineer says, a run that fails this often has failed

HUGE = 1e100  # no metric is as large, and the square of a larger one is no number any more


def on_propose(engine: Engine, pending: Pending, intents: Sequence[Intent]) -> None:
    """A proposal becomes an experiment, unless it is outside the space, cannot be run or was tried before."""
    state = engine.state
    proposal = next((i for i in intents if isinstance(i, (Propose, Patch))), None)
    if proposal is None:
        engine.emit(ev.ProposalDropped(pending.id, pending.agent, "", "nothing", None, "nothing new to propose"))
        return
    try:
        asked = wanted(state, engine.project, pending, proposal)
    except PatchError as problem:
        engine.emit(ev.ProposalDropped(pending.id, pending.agent, "", "bad_patch", None, clean(str(problem))))
        return
    problems = _problems(state.space, asked.config)
    if problems:
        detail = clean("; ".join(problems))
        engine.emit(ev.ProposalDropped(pending.id, pending.agent, "", "out_of_bounds", None, detail))
        return
    config = state.space.typed(asked.config)
    digest = content_hash(config, asked.code)
    if digest in state.by_hash:
        of = state.by_hash[digest]
        same = f"same {'code and config' if isinstance(proposal, Patch) else 'config'} as {of}"
        engine.emit(ev.ProposalDropped(pending.id, pending.agent, digest, "duplicate", of, same))
        return
    if asked.new is not None:
        engine.emit(asked.new.event(pending.agent, next_id(state)))
    predicted = proposal.predicted if proposal.predicted is not None and math.isfinite(proposal.predicted) else None
    experiment = create(
        engine, "proposal", config, digest, training_seed(state.seed, "train", digest, 0), proposer=pending.agent,
        predicted=predicted, reason=clean(proposal.reason), code=asked.code,
    )  # fmt: skip
    reviewers = _reviewers(state, experiment)
    for reviewer in reviewers:
        engine.consult(reviewer, "review", experiment.id)
    if not reviewers:
        _build(engine, experiment)


def on_review(engine: Engine, pending: Pending, intents: Sequence[Intent]) -> None:
    """A vote; the rule of the chart may settle the review before every vote is in."""
    state = engine.state
    experiment = state.experiments[pending.experiment or ""]
    vote = next((i for i in intents if isinstance(i, (Approve, Refuse))), None)
    approve = not isinstance(vote, Refuse)  # no decision is no veto: a silent reviewer must not stop the company
    p, reason = (vote.p_improves, vote.reason) if vote else (0.5, "gave no opinion")
    engine.emit(ev.ReviewGiven(experiment.id, pending.agent, approve, p, clean(reason)))
    if experiment.status != "proposed":
        return
    votes = {state.agents[agent].position: passed for agent, passed in experiment.votes.items()}
    there = [a for a in experiment.reviewers if a in experiment.votes or state.agents[a].status != "left"]
    asked = [state.agents[agent].position for agent in there]
    settled = decide(state.chart.policies.review, votes, asked)
    if settled is True:
        _build(engine, experiment)
    elif settled is False:
        engine.emit(ev.ExperimentRefused(experiment.id, clean(reason)))


def on_build(engine: Engine, pending: Pending, intents: Sequence[Intent]) -> None:
    """An approved experiment is ready for a slot."""
    experiment = engine.state.experiments[pending.experiment or ""]
    build = next((i for i in intents if isinstance(i, Build)), Build())
    queue(engine, experiment, experiment.attempt, build.micro_batch, pending.agent, clean(build.reason))


def on_repair(engine: Engine, pending: Pending, intents: Sequence[Intent]) -> None:
    """A failed run is queued again as the engineer says, or its failure is accepted."""
    experiment = engine.state.experiments[pending.experiment or ""]
    patch = next((i for i in intents if isinstance(i, Patch)), None)
    if patch is not None and _may_patch(engine.state, experiment):
        _repair_code(engine, pending, experiment, patch)
        return
    retry = next((i for i in intents if isinstance(i, Retry)), None)
    if retry is not None and experiment.attempt < MAX_ATTEMPTS:
        queue(engine, experiment, experiment.attempt + 1, retry.micro_batch, pending.agent, clean(retry.reason))
        return
    given_up = next((i for i in intents if isinstance(i, GiveUp)), None)
    failure = given_up.failure if given_up else experiment.failure
    if failure == "infrastructure":  # only the supervisor can say so: it would excuse any failure
        failure = experiment.failure
    accept_failure(engine, experiment, failure)


def _may_patch(state: State, experiment: Experiment) -> bool:
    return experiment.repairs < state.chart.policies.repair.patches and experiment.attempt < MAX_ATTEMPTS


def _repair_code(engine: Engine, pending: Pending, experiment: Experiment, patch: Patch) -> None:
    """A failed run is queued again with changed code; a repair that cannot be run is asked for again, a few times."""
    state = engine.state
    try:
        asked = repaired(state, engine.project, experiment, patch.patch)
        digest = content_hash(asked.config, asked.code)
        if digest in state.by_hash:
            raise PatchError(f"same code and config as {state.by_hash[digest]}")
    except PatchError as problem:
        engine.emit(ev.RepairRefused(experiment.id, pending.agent, clean(str(problem))))
        if _may_patch(state, experiment):
            engine.consult(pending.agent, "repair", experiment.id)
        else:
            accept_failure(engine, experiment, experiment.failure)
        return
    if asked.new is not None:
        engine.emit(asked.new.event(pending.agent, experiment.id))
    reason = clean(patch.reason)
    engine.emit(ev.ExperimentPatched(experiment.id, asked.code, digest, pending.agent, reason))
    queue(engine, experiment, experiment.attempt + 1, experiment.micro_batch, pending.agent, reason)


def accept_failure(engine: Engine, experiment: Experiment, failure: str | None) -> None:
    """Nobody repairs it: the run has failed."""
    said = {"log": experiment.detail}
    _finish(engine, experiment, "failed", None, failure, "", experiment.cost, experiment.curve, said)


def on_watch(engine: Engine, pending: Pending, intents: Sequence[Intent]) -> None:
    """An engineer may end a running experiment at a rung."""
    experiment = engine.state.experiments[pending.experiment or ""]
    stop = next((i for i in intents if isinstance(i, Stop)), None)
    if stop is None or experiment.status != "running" or pending.at < experiment.started_at:
        return  # it ended in the meantime, or was about an earlier attempt
    stop_running(engine, experiment, None, clean(stop.reason))


def stop_running(engine: Engine, experiment: Experiment, failure: str | None, detail: str) -> None:
    """End a running experiment; it costs what it had used at its last rung."""
    from company.engine import Cancel

    reached = experiment.curve[-1][0] if experiment.curve else 0.0
    cost = experiment.cost * reached
    _finish(engine, experiment, "stopped", None, failure, detail, cost, experiment.curve, {})
    engine.effect(Cancel(experiment.id))


def on_verdict(engine: Engine, pending: Pending, intents: Sequence[Intent]) -> None:
    """A reviewer's verdict decides whether a finished experiment is worth replicating."""
    experiment = engine.state.experiments[pending.experiment or ""]
    verdict = next((i for i in intents if isinstance(i, Verdict)), None)
    if verdict is None:
        screen(engine, experiment)
        return
    reason = clean(verdict.reason)
    engine.emit(ev.VerdictGiven(experiment.id, pending.agent, verdict.outcome, verdict.p_real, reason))
    if verdict.outcome == "promising":
        consider(engine, experiment)
    elif verdict.outcome == "noise":
        simplify(engine, experiment)


def on_ended(engine: Engine, experiment: Experiment, outcome: Outcome) -> None:
    """A run ended: measured, failed, or lost with its worker."""
    metric, failure, detail = outcome.metric, outcome.failure, clean(outcome.detail, 2000)
    if outcome.status == "lost":
        failure = "infrastructure"
    elif outcome.status == "ok" and (metric is None or not abs(metric) < HUGE):
        failure, detail = "bad_output", "the evaluator gave no finite metric"
    if outcome.status == "ok" and failure is None and metric is not None:
        curve = experiment.curve or _at_rungs(engine.state, experiment, outcome.curve)
        _finish(engine, experiment, "ok", metric, None, "", experiment.cost, curve, outcome.measured)
        return
    engineers = engine.state.nearest(experiment.position, "engineer") if experiment.position else ()
    if engineers and experiment.purpose == "proposal" and failure != "infrastructure":
        attempt = experiment.attempt
        engine.emit(ev.AttemptFailed(experiment.id, attempt, failure or "crash", {**outcome.measured, "log": detail}))
        engine.consult(_pick(engineers, engine.state), "repair", experiment.id)
        return
    _finish(
        engine, experiment, "failed", None, failure or "crash", "", experiment.cost, experiment.curve,
        {**outcome.measured, "log": detail},
    )  # fmt: skip


def watcher(state: State, experiment: Experiment) -> str | None:
    """The engineer who may stop an experiment early, None where the chart or the roster has none."""
    if state.chart.policies.watch.rule == "never" or experiment.position is None:
        return None
    engineers = state.nearest(experiment.position, "engineer")
    return engineers[0] if engineers else None


def _problems(space: SearchSpace, config: Mapping[str, Any]) -> list[str]:
    """Everything wrong with a proposed config, which may hold any number that JSON can spell."""
    try:
        return space.check(config)
    except (ValueError, OverflowError):
        return ["a number is not finite"]


def _reviewers(state: State, experiment: Experiment) -> tuple[str, ...]:
    """The agents whose votes the chart's review rule asks for, none where nobody reviews."""
    positions = state.chart.reviewers_for(experiment.position or "")
    if not positions:
        return ()
    asked = who_reviews(state.chart.policies.review, positions, len(state.experiments))
    return tuple(state.holder[position] for position in state.filled(asked))


def ask_again(engine: Engine, pending: Pending) -> None:
    """Whom to ask instead, where the one who was asked has left or changed roles: no open work without an owner."""
    state = engine.state
    if pending.experiment is None or pending.task == "watch":
        return
    experiment = state.experiments[pending.experiment]
    engineers = state.nearest(experiment.position or "", "engineer")
    if pending.task == "review" and experiment.status == "proposed":
        reviewers = [r for r in _reviewers(state, experiment) if r not in experiment.votes]
        if reviewers:
            engine.consult(reviewers[0], "review", experiment.id)
        else:
            _build(engine, experiment)
    elif pending.task == "build" and experiment.status == "building":
        _build(engine, experiment)
    elif pending.task == "repair" and engineers:
        engine.consult(_pick(engineers, state), "repair", experiment.id)
    elif pending.task == "repair":
        accept_failure(engine, experiment, experiment.failure)
    elif pending.task == "verdict":
        _ask_for_verdict(engine, experiment)


def overrule(engine: Engine, experiment: Experiment, approve: bool, reason: str) -> None:
    """A person settles the review of a proposal that waits for its reviewers."""
    if approve:
        _build(engine, experiment)
    else:
        engine.emit(ev.ExperimentRefused(experiment.id, reason))


def _build(engine: Engine, experiment: Experiment) -> None:
    engineers = engine.state.nearest(experiment.position or "", "engineer")
    if engineers:
        engine.consult(_pick(engineers, engine.state), "build", experiment.id)
    else:
        queue(engine, experiment, 1, None, None, "")


def _pick(agents: tuple[str, ...], state: State) -> str:
    """The least busy agent; ties go by the chart's order."""
    load = {agent: sum(p.agent == agent for p in state.decisions.values()) for agent in agents}
    return min(agents, key=lambda agent: (load[agent], state.agents[agent].decisions))


def _finish(
    engine: Engine, experiment: Experiment, status: str, metric: float | None, failure: str | None, detail: str,
    cost: float, curve: Sequence[tuple[float, float]], measured: Any,
) -> None:  # fmt: skip
    points = [[fraction, loss] for fraction, loss in curve if math.isfinite(loss)]
    engine.emit(ev.ExperimentFinished(experiment.id, status, metric, failure, detail, cost, points, dict(measured)))
    if experiment.purpose == "replication":
        if not waits_for_finals(engine.state):
            weigh(engine, engine.state.experiments[experiment.parent or ""])
    elif experiment.purpose == "proposal" and status == "ok":
        _ask_for_verdict(engine, experiment)


def _at_rungs(state: State, experiment: Experiment, curve: Sequence[tuple[int, float]]) -> list[tuple[float, float]]:
    """The learning curve at the chart's rungs: the first value reported at or after each."""
    points = []
    for rung in state.chart.policies.watch.rungs:
        reached = math.ceil(rung * experiment.steps)
        for step, loss in curve:
            if step >= reached:
                points.append((rung, loss))
                break
    return points


def _ask_for_verdict(engine: Engine, experiment: Experiment) -> None:
    state = engine.state
    reviewers = state.filled(state.chart.reviewers_for(experiment.position or ""))
    if reviewers and state.chart.policies.accept.rule != "greedy":
        engine.consult(_pick(tuple(state.holder[r] for r in reviewers), state), "verdict", experiment.id)
    else:
        screen(engine, experiment)
