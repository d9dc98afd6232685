"""The life of an experiment, from the baseline's noise to the sealed holdout. Each function emits what follows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from company import events as ev
from company.coding import SEEDS_FOR_LESS_CODE, as_good, is_simpler, repaired, simpler_words, wanted
from company.compute.backend import Outcome
from company.entities import FINISHED, Experiment, Pending
from company.judging import judge, level, mean, sample_sd, welch_interval
from company.patching.blocks import PatchError
from company.patching.versions import content_hash
from company.planning import affords, nearest, over, training_seed
from company.review import decide, who_reviews
from company.state import State
from company.taming import clean
from projects.spec import SearchSpace, Value
from roles.intents import Approve, Build, GiveUp, Intent, Patch, Propose, Refuse, Retry, Stop, Verdict

if TYPE_CHECKING:
    from company.engine import Engine

MAX_ATTEMPTS = 6  # whatever an engineer says, a run that fails this often has failed

HUGE = 1e100  # no metric is as large, and the square of a larger one is no number any more


def measure_noise(engine: Engine) -> None:
    """Queue the baseline on several seeds: nothing is judged without sigma."""
    config = _typed(engine.state.space, engine.state.brief["baseline"])
    digest = content_hash(config, "")
    for n in range(engine.state.chart.policies.found.baselines):
        seed = training_seed(engine.state.seed, "baseline", "", n)
        _create(engine, "baseline", config, digest, seed, reason="measures the noise")


def settle_noise(engine: Engine) -> None:
    """When every baseline run is in: sigma, or the end of a company that cannot work on this project."""
    state = engine.state
    runs = [e for e in state.experiments.values() if e.purpose == "baseline"]
    if any(e.status not in FINISHED for e in runs):
        return
    values = [e.metric for e in runs if e.metric is not None]
    if len(values) < 2:
        first = next(e for e in runs if e.metric is None)
        why = f"the baseline failed ({first.failure}): experiments/{first.id}/log.txt holds what it said"
        engine.emit(ev.RunClosed(True, why))
        return
    engine.emit(ev.NoiseMeasured(mean(values), sample_sd(values), len(values)))


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
    config = _typed(state.space, asked.config)
    digest = content_hash(config, asked.code)
    if digest in state.by_hash:
        of = state.by_hash[digest]
        same = f"same {'code and config' if isinstance(proposal, Patch) else 'config'} as {of}"
        engine.emit(ev.ProposalDropped(pending.id, pending.agent, digest, "duplicate", of, same))
        return
    if asked.new is not None:
        engine.emit(asked.new.event(pending.agent, _next_id(state)))
    predicted = proposal.predicted if proposal.predicted is not None and math.isfinite(proposal.predicted) else None
    experiment = _create(
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
    _queue(engine, experiment, experiment.attempt, build.micro_batch, pending.agent, clean(build.reason))


def on_repair(engine: Engine, pending: Pending, intents: Sequence[Intent]) -> None:
    """A failed run is queued again as the engineer says, or its failure is accepted."""
    experiment = engine.state.experiments[pending.experiment or ""]
    patch = next((i for i in intents if isinstance(i, Patch)), None)
    if patch is not None and _may_patch(engine.state, experiment):
        _repair_code(engine, pending, experiment, patch)
        return
    retry = next((i for i in intents if isinstance(i, Retry)), None)
    if retry is not None and experiment.attempt < MAX_ATTEMPTS:
        _queue(engine, experiment, experiment.attempt + 1, retry.micro_batch, pending.agent, clean(retry.reason))
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
    _queue(engine, experiment, experiment.attempt + 1, experiment.micro_batch, pending.agent, reason)


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
        _screen(engine, experiment)
        return
    reason = clean(verdict.reason)
    engine.emit(ev.VerdictGiven(experiment.id, pending.agent, verdict.outcome, verdict.p_real, reason))
    if verdict.outcome == "promising":
        _consider(engine, experiment)
    elif verdict.outcome == "noise":
        _simplify(engine, experiment)


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
    engineers = nearest(engine.state, experiment.position, "engineer") if experiment.position else ()
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
    engineers = nearest(state, experiment.position, "engineer")
    return engineers[0] if engineers else None


def open_holdout(engine: Engine) -> None:
    """Train baseline and champion on fresh seeds, to be measured once on the sealed holdout."""
    state = engine.state
    baseline = next(e for e in state.experiments.values() if e.purpose == "baseline")
    champion = state.experiments[state.champion.experiment] if state.champion else baseline
    arms = [baseline] if champion.hash == baseline.hash else [baseline, champion]
    for n in range(state.chart.policies.close.seeds):
        for arm in arms:
            seed = training_seed(state.seed, "closing", "", n)
            reason = "the baseline on the holdout" if arm is baseline else "the champion on the holdout"
            _create(
                engine, "closing", arm.config, arm.hash, seed, split="holdout", parent=arm.id, reason=reason,
                micro_batch=arm.micro_batch, code=arm.code,
            )  # fmt: skip


def settle_holdout(engine: Engine) -> None:
    """When the closing runs are in: the one reading of the holdout, and the end of the run."""
    state = engine.state
    runs = [e for e in state.experiments.values() if e.purpose == "closing"]
    if state.closed or any(e.status not in FINISHED for e in runs):
        return
    baseline_id = next(e.id for e in state.experiments.values() if e.purpose == "baseline")
    arms = [
        [state.loss(e.metric) for e in runs if e.metric is not None and (e.parent == baseline_id) is of_baseline]
        for of_baseline in (True, False)
    ]
    engine.emit(_holdout(state, *arms, changed=state.champion_hash != state.experiments[baseline_id].hash))
    engine.emit(ev.RunClosed(False, state.ended_because))


def _holdout(state: State, baseline: list[float], champion: list[float], changed: bool) -> ev.HoldoutMeasured:
    sign = state.metric.sign
    before = sign * mean(baseline) if baseline else None
    if not changed:
        return ev.HoldoutMeasured(before, before, 0.0, 0.0, 0.0, len(baseline))
    after = sign * mean(champion) if champion else None
    n = min(len(baseline), len(champion))
    if n < 2:
        return ev.HoldoutMeasured(before, after, None, None, None, n)
    low, high = welch_interval(baseline, champion)
    return ev.HoldoutMeasured(before, after, mean(baseline) - mean(champion), low, high, n)


def _create(
    engine: Engine, purpose: str, config: Any, digest: str, seed: int, *, split: str = "validation",
    proposer: str | None = None, parent: str | None = None, predicted: float | None = None, reason: str = "",
    micro_batch: int | None = None, code: str = "",
) -> Experiment:  # fmt: skip
    """Create an experiment; whatever is not a proposal needs no review and goes straight to the queue.

    `digest` is the content hash of `config` and `code`.
    """
    state, project = engine.state, engine.project
    steps, cost = project.plan(config)
    experiment_id = _next_id(state)
    position = state.seat_of(state.agents[proposer].position) if proposer else None
    engine.emit(
        ev.ExperimentCreated(
            experiment_id, purpose, dict(config), digest, seed, steps, cost, split, proposer,
            position, parent, predicted, reason, micro_batch, code,
        )
    )  # fmt: skip
    experiment = state.experiments[experiment_id]
    if purpose != "proposal":
        _queue(engine, experiment, 1, micro_batch, None, reason)
    return experiment


def _next_id(state: State) -> str:
    return f"e{len(state.experiments) + 1:04d}"


def _problems(space: SearchSpace, config: Mapping[str, Any]) -> list[str]:
    """Everything wrong with a proposed config, which may hold any number that JSON can spell."""
    try:
        return space.check(config)
    except (ValueError, OverflowError):
        return ["a number is not finite"]


def _typed(space: SearchSpace, config: Mapping[str, Any]) -> dict[str, Value]:
    """A valid config in the space's order and types, so that 1 and 1.0 are one config with one hash."""
    to = {"float": float, "int": int, "choice": lambda value: value}
    return {p.name: to[p.kind](config[p.name]) for p in space.parameters}


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
    engineers = nearest(state, experiment.position or "", "engineer")
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
    engineers = nearest(engine.state, experiment.position or "", "engineer")
    if engineers:
        engine.consult(_pick(engineers, engine.state), "build", experiment.id)
    else:
        _queue(engine, experiment, 1, None, None, "")


def _pick(agents: tuple[str, ...], state: State) -> str:
    """The least busy agent; ties go by the chart's order."""
    load = {agent: sum(p.agent == agent for p in state.decisions.values()) for agent in agents}
    return min(agents, key=lambda agent: (load[agent], state.agents[agent].decisions))


def _queue(
    engine: Engine, experiment: Experiment, attempt: int, micro_batch: int | None, engineer: str | None, reason: str
) -> None:
    """Queue an experiment, or turn down a proposal whose budget went to a replication while it was being prepared."""
    state = engine.state
    if experiment.purpose == "proposal" and not experiment.admitted and not affords(state, experiment.cost):
        engine.emit(ev.ExperimentRefused(experiment.id, "the budget ended before it could run"))
        return
    engine.emit(ev.ExperimentQueued(experiment.id, attempt, micro_batch, state.device, engineer, reason))


def _finish(
    engine: Engine, experiment: Experiment, status: str, metric: float | None, failure: str | None, detail: str,
    cost: float, curve: Sequence[tuple[float, float]], measured: Any,
) -> None:  # fmt: skip
    points = [[fraction, loss] for fraction, loss in curve if math.isfinite(loss)]
    engine.emit(ev.ExperimentFinished(experiment.id, status, metric, failure, detail, cost, points, dict(measured)))
    if experiment.purpose == "replication":
        if not _waits_for_finals(engine.state):
            _judge(engine, engine.state.experiments[experiment.parent or ""])
    elif experiment.purpose == "proposal" and status == "ok":
        _ask_for_verdict(engine, experiment)


def _at_rungs(state: State, experiment: Experiment, curve: Sequence[tuple[int, float]]) -> list[tuple[float, float]]:
    """The learning curve at the chart's rungs: the first value reported at or after each."""
    points = []
    for rung in state.chart.policies.watch.rungs:
        value = next((loss for step, loss in curve if step >= math.ceil(rung * experiment.steps)), None)
        if value is not None:
            points.append((rung, value))
    return points


def _ask_for_verdict(engine: Engine, experiment: Experiment) -> None:
    state = engine.state
    reviewers = state.filled(state.chart.reviewers_for(experiment.position or ""))
    if reviewers and state.chart.policies.accept.rule != "greedy":
        engine.consult(_pick(tuple(state.holder[r] for r in reviewers), state), "verdict", experiment.id)
    else:
        _screen(engine, experiment)


def _screen(engine: Engine, experiment: Experiment) -> None:
    """Without a reviewer the chart's own rule says which gains are looked at again."""
    state, accept = engine.state, engine.state.chart.policies.accept
    if state.champion is None or experiment.metric is None:
        return
    gain = state.champion.loss - state.loss(experiment.metric)
    if accept.rule == "greedy" and gain > 0:
        enthrone(engine, experiment, experiment.metric, 0, None, f"greedy: better by {gain:.4g} on one run")
    elif accept.rule != "greedy" and gain > accept.screen * state.sigma:
        _consider(engine, experiment)
    else:
        _simplify(engine, experiment)


def _simplify(engine: Engine, experiment: Experiment) -> None:
    """Less code that is no worse beyond noise is worth replicating, and with the greedy rule it is champion."""
    state, project = engine.state, engine.project
    if experiment.metric is None or not is_simpler(state, project, experiment):
        return
    losses = [state.loss(experiment.metric)]
    if not as_good(state, losses) or over(state):
        return
    if state.chart.policies.accept.rule == "greedy":
        because = simpler_words(state, project, experiment, losses)
        enthrone(engine, experiment, experiment.metric, 0, None, because)
    else:
        _replicate(engine, experiment)


def _consider(engine: Engine, candidate: Experiment) -> None:
    """Replicate a promising run; where finals are held only what leads the record, for the others are seen there."""
    state = engine.state
    if not state.chart.policies.accept.finals:
        _replicate(engine, candidate)
    elif state.sigma <= 0 and candidate.metric is not None:
        enthrone(engine, candidate, candidate.metric, 0, None, "runs of one config agree: nothing to repeat")
    elif not over(state) and _leads(state, candidate):
        _replicate(engine, candidate)


def _leads(state: State, candidate: Experiment) -> bool:
    """Whether no other config has a better mean over its runs."""
    runs = [
        [e.metric, *state.fresh_values(e.id)]
        for e in state.experiments.values()
        if e.purpose == "proposal" and e.metric is not None
    ]
    best = min(mean([state.loss(value) for value in values if value is not None]) for values in runs)
    return candidate.metric is not None and state.loss(candidate.metric) <= best


def _waits_for_finals(state: State) -> bool:
    """Whether candidates are judged together, in the finals that follow."""
    return bool(state.chart.policies.accept.finals) and over(state)


def _replicate(engine: Engine, candidate: Experiment) -> None:
    """Repeat a candidate on one more fresh seed, if the budget still allows."""
    if affords(engine.state, candidate.cost):
        rerun(engine, candidate)
    else:
        reject(engine, candidate, None, "the budget ended before the gain could be confirmed")


def rerun(engine: Engine, candidate: Experiment) -> None:
    """Run a candidate's config on its next fresh seed."""
    state = engine.state
    n = len(candidate.replications) + 1
    _create(
        engine, "replication", candidate.config, candidate.hash, training_seed(state.seed, "train", candidate.hash, n),
        proposer=candidate.proposer, parent=candidate.id, reason=f"fresh seed {n} of {candidate.id}",
        micro_batch=candidate.micro_batch, code=candidate.code,
    )  # fmt: skip


def _judge(engine: Engine, candidate: Experiment) -> None:
    """Look at a candidate after each fresh seed: accept, reject, or ask for another.

    A large gain needs one fresh seed, and a gain that turns into a loss needs no more. What a look may cost in error is
    company/judging.py's to say.
    """
    state, accept = engine.state, engine.state.chart.policies.accept
    fresh = state.fresh_values(candidate.id)
    champion = [state.loss(value) for value in state.champion_values]
    less_code = is_simpler(state, engine.project, candidate)
    seeds = max(accept.fresh_seeds, SEEDS_FOR_LESS_CODE) if less_code else accept.fresh_seeds
    bar = level(accept.p, _place(state, candidate), min(seeds, len(candidate.replications)), seeds)
    losses = [state.loss(value) for value in fresh]
    verdict = judge(losses, champion, state.spread, bar)
    simpler = less_code and as_good(state, losses)
    if verdict.accepted:
        enthrone(engine, candidate, mean(fresh), len(fresh), verdict.p, verdict.because)
    elif len(candidate.replications) < seeds and fresh and (verdict.gain > 0 or simpler):
        _replicate(engine, candidate)
    elif simpler and len(fresh) >= seeds:
        because = simpler_words(state, engine.project, candidate, losses)
        enthrone(engine, candidate, mean(fresh), len(fresh), verdict.p, because)
    else:
        reject(engine, candidate, verdict.p, verdict.because)


def _place(state: State, candidate: Experiment) -> int:
    """Which candidate of the present champion's reign it is, from 1, in the order in which they began to be repeated.

    It is fixed before any of its fresh runs is seen; who waits from an earlier reign goes before all others.
    """
    began = state.trail[-1][0]
    runs = [e for e in state.experiments.values() if e.purpose == "replication"]
    reign = dict.fromkeys(e.parent for e in runs if e.finished_at is None or e.finished_at >= began)
    candidates = [name for name in reign if name and state.experiments[name].purpose == "proposal"]
    return candidates.index(candidate.id) + 1


def reject(engine: Engine, candidate: Experiment, p: float | None, because: str) -> None:
    """A candidate's gain was not confirmed."""
    fresh = engine.state.fresh_values(candidate.id)
    confirmed = mean(fresh) if fresh else None
    engine.emit(ev.CandidateRejected(candidate.id, confirmed, len(fresh), candidate.metric or 0.0, p, because))


def enthrone(engine: Engine, candidate: Experiment, metric: float, n: int, p: float | None, because: str) -> None:
    """A candidate is champion with this metric, the mean of `n` fresh seeds."""
    previous = engine.state.champion.experiment if engine.state.champion else None
    claimed = metric if candidate.metric is None else candidate.metric
    engine.emit(
        ev.ChampionChosen(
            candidate.id, dict(candidate.config), candidate.hash, metric, n, claimed, p, previous, because,
        )
    )  # fmt: skip
