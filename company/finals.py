"""The finals: the last of the research budget reruns the best configs on fresh seeds, and the best of them is champion.

While research goes on, a champion must be better than the last one beyond doubt. At its end the company settles for one
config: of those that are better than the baseline beyond doubt, the likely best is a better answer than the last that
was proved to beat another.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from company import lifecycle
from company.entities import Experiment
from company.judging import FINALS, Judgement, judge, mean, pooled_sd
from company.planning import budget_left, fits, reserved
from company.state import State

CLEAR = 3.0  # standard errors by which everyone else must be behind for a choice without further reruns

if TYPE_CHECKING:
    from company.engine import Engine


def hold(engine: Engine) -> bool:
    """Send the next round out, at most one rerun a slot, or choose when the budget is spent. True while runs are out.

    A round reruns who may be best: the lowest estimates less one standard error (a lower confidence bound). Where the
    space was used up long before the budget, a clear choice ends the finals early.
    """
    state = engine.state
    accept = state.chart.policies.accept
    if not accept.finals or accept.rule == "greedy" or not (entrants := contenders(state)):
        return False
    sd = pooled_sd(state.spread)
    decided = sd <= 0 or (budget_left(state) > reserved(state) and _clear(state, entrants, sd))
    finalists = [] if decided else _round(state, sorted(entrants, key=lambda e: _bound(state, e, sd)))
    for finalist in finalists:
        lifecycle.rerun(engine, finalist)
    if not finalists:
        _settle(engine, entrants, sd)
    return bool(finalists)


def _round(state: State, finalists: list[Experiment]) -> list[Experiment]:
    """Who is rerun next, as the slots and the budget allow; with them the baseline while it is still the champion."""
    room, baseline = min(state.slots, budget_left(state)), _baseline(state)
    if finalists and state.champion and state.champion.experiment == baseline.id and room > 1:
        finalists = [baseline, *finalists]
    return [e for e in finalists[:room] if fits(state, e.cost)]


def _baseline(state: State) -> Experiment:
    return next(e for e in state.experiments.values() if e.purpose == "baseline")


def _baseline_losses(state: State) -> list[float]:
    return [state.loss(value) for value in (*state.baseline_values, *state.fresh_values(_baseline(state).id))]


def contenders(state: State) -> list[Experiment]:
    """Every proposal that was measured, the champion's too unless it is the baseline."""
    return [e for e in state.experiments.values() if e.purpose == "proposal" and e.metric is not None]


def estimate(state: State, entrant: Experiment, sd: float) -> float:
    """Its mean loss; the run by which it was noticed counts as one standard deviation worse, for it was picked."""
    losses = [state.loss(value) for value in (entrant.metric, *state.fresh_values(entrant.id)) if value is not None]
    return mean(losses) + sd / len(losses)


def _bound(state: State, entrant: Experiment, sd: float, errors: float = 1.0) -> float:
    """What its loss may be at best: the estimate less so many standard errors."""
    return estimate(state, entrant, sd) - errors * sd / math.sqrt(1 + len(entrant.replications))


def _clear(state: State, entrants: list[Experiment], sd: float) -> bool:
    """Whether the leader was rerun and nobody else may be as good."""
    leader = min(entrants, key=lambda e: estimate(state, e, sd))
    bar = estimate(state, leader, sd)
    return bool(leader.replications) and all(_bound(state, e, sd, CLEAR) > bar for e in entrants if e is not leader)


def _settle(engine: Engine, entrants: list[Experiment], sd: float) -> None:
    """The best estimate is champion if it is better than the champion's own and than the baseline beyond doubt.

    Nobody is left waiting: who was still being replicated is turned down.
    """
    state, tried = engine.state, [e for e in entrants if engine.state.fresh_values(e.id)]
    best = min(tried, key=lambda e: estimate(state, e, sd), default=None)
    wins = best is not None and estimate(state, best, sd) < _bar(state, tried, sd)
    verdict = _against_baseline(state, best, len(tried)) if wins and best is not None else None
    accepted = verdict is not None and verdict.accepted
    for waiting in entrants:
        if waiting.standing == "replicating" and not (accepted and waiting is best):
            lifecycle.reject(engine, waiting, None, "others did better in the finals")
    if accepted and best is not None and verdict is not None:
        fresh = state.fresh_values(best.id)
        because = f"the best of {len(tried)} in the finals; against the baseline: {verdict.because}"
        lifecycle.enthrone(engine, best, mean(fresh), len(fresh), verdict.p, because)


def _bar(state: State, tried: list[Experiment], sd: float) -> float:
    """What there is to beat: the champion's estimate where it was rerun, else its mean."""
    champion = state.champion
    if champion is None:
        return math.inf
    if champion.experiment == _baseline(state).id:
        return mean(_baseline_losses(state))
    return next((estimate(state, e, sd) for e in tried if e.id == champion.experiment), champion.loss)


def _against_baseline(state: State, best: Experiment, tried: int) -> Judgement:
    """On fresh seeds alone and at half of p divided by the configs that it is the best of (Bonferroni)."""
    fresh = [state.loss(value) for value in state.fresh_values(best.id)]
    p = FINALS * state.chart.policies.accept.p / max(1, tried)
    return judge(fresh, _baseline_losses(state), state.spread, p)
