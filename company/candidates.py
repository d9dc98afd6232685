"""From a promising run to a champion: who is repeated on fresh seeds, and what is made of the repeats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from company import events as ev
from company.coding import SEEDS_FOR_LESS_CODE, as_good, is_simpler, simpler_words
from company.entities import Experiment
from company.experiments import create
from company.judging import judge, level, mean
from company.planning import affords, over, training_seed
from company.state import State

if TYPE_CHECKING:
    from company.engine import Engine


def screen(engine: Engine, experiment: Experiment) -> None:
    """Without a reviewer the chart's own rule says which gains are looked at again."""
    state, accept = engine.state, engine.state.chart.policies.accept
    if state.champion is None or experiment.metric is None:
        return
    gain = state.champion.loss - state.loss(experiment.metric)
    if accept.rule == "greedy" and gain > 0:
        enthrone(engine, experiment, experiment.metric, 0, None, f"greedy: better by {gain:.4g} on one run")
    elif accept.rule != "greedy" and gain > accept.screen * state.sigma:
        consider(engine, experiment)
    else:
        simplify(engine, experiment)


def simplify(engine: Engine, experiment: Experiment) -> None:
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


def consider(engine: Engine, candidate: Experiment) -> None:
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


def waits_for_finals(state: State) -> bool:
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
    create(
        engine, "replication", candidate.config, candidate.hash, training_seed(state.seed, "train", candidate.hash, n),
        proposer=candidate.proposer, parent=candidate.id, reason=f"fresh seed {n} of {candidate.id}",
        micro_batch=candidate.micro_batch, code=candidate.code,
    )  # fmt: skip


def weigh(engine: Engine, candidate: Experiment) -> None:
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
