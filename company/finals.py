"""The finals: the last of the research budget reruns the best configs on fresh seeds, and the best of them is champion.

While research goes on, a champion must be better than the last one beyond doubt. At its end the company settles for one
config: of those that are better than the baseline beyond doubt, the likely best is a better answer than the last that
was proved to beat another.

Every config has a normal posterior: its runs, shrunk toward what configs are like in this record. A rerun goes where it
is expected to improve the choice most (the knowledge gradient: Gupta & Miescke 1996; Frazier, Powell & Dayanik 2008);
while the leader is not proved to beat the baseline, every other rerun goes into that proof.
"""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING

from company import candidates
from company.entities import Experiment
from company.judging import FINALS, Judgement, judge, mean, pooled_sd
from company.planning import budget_left, fits, reserved
from company.state import State
from projects.frozen import frozen

if TYPE_CHECKING:
    from company.engine import Engine

RIVAL = 0.25  # of the leader's fresh runs, from which on a config was a rival that it could have lost to
CLEAR = 3.0  # standard errors by which everyone else must be behind for a choice without further reruns
LEAST_SPREAD = 0.5  # of configs, in standard deviations of a run: what is left of them when noise explains all
MAD = 1.4826  # a normal distribution's standard deviation by its median absolute deviation

PEAK, HALF_ROOT = 1 / math.sqrt(2 * math.pi), math.sqrt(0.5)  # of the standard normal density and distribution


@frozen
class Belief:
    """What a config's loss is believed to be after its runs."""

    entrant: Experiment
    mean: float
    variance: float

    def after_another(self, noise: float) -> Belief:
        """The same belief, surer by one run of this variance."""
        return Belief(self.entrant, self.mean, 1 / (1 / self.variance + 1 / noise))


def hold(engine: Engine) -> bool:
    """Send the next round out, at most one rerun a slot, or choose when the budget is spent. True while runs are out.

    Where the space was used up long before the budget, a clear choice ends the finals early.
    """
    state = engine.state
    accept = state.chart.policies.accept
    if not accept.finals or accept.rule == "greedy" or not (entrants := contenders(state)):
        return False
    sd = pooled_sd(state.spread)
    beliefs = believed(state, entrants, sd)
    decided = sd <= 0 or (budget_left(state) > reserved(state) and _clear(state, beliefs))
    finalists = [] if decided else _round(state, beliefs, sd)
    for finalist in finalists:
        candidates.rerun(engine, finalist)
    if not finalists:
        _settle(engine, beliefs)
    return bool(finalists)


def contenders(state: State) -> list[Experiment]:
    """Every proposal that was measured, the champion's too unless it is the baseline."""
    return [e for e in state.experiments.values() if e.purpose == "proposal" and e.metric is not None]


def believed(state: State, entrants: list[Experiment], sd: float) -> list[Belief]:
    """Posteriors of all entrants, the best first, shrunk toward the better half of the record (empirical Bayes)."""
    runs = [_losses(state, e) for e in entrants]
    firsts = [values[0] for values in runs]
    middle = median(firsts)
    below = [middle - value for value in firsts if value <= middle]
    spread = MAD * median(below) if below else 0.0
    prior = max(spread**2 - sd**2, (LEAST_SPREAD * sd) ** 2)
    if prior <= 0:
        return sorted((Belief(e, v[0], 0.0) for e, v in zip(entrants, runs, strict=True)), key=lambda b: b.mean)
    found = []
    for entrant, values in zip(entrants, runs, strict=True):
        precision = len(values) / sd**2 + 1 / prior if sd > 0 else math.inf
        pull = (sum(values) / sd**2 + middle / prior) / precision if sd > 0 else values[0]
        found.append(Belief(entrant, pull, 1 / precision))
    return sorted(found, key=lambda belief: belief.mean)


def _losses(state: State, entrant: Experiment) -> list[float]:
    return [state.loss(value) for value in (entrant.metric, *state.fresh_values(entrant.id)) if value is not None]


def _round(state: State, beliefs: list[Belief], sd: float) -> list[Experiment]:
    """Who is rerun next, as the slots and the budget allow."""
    room, noise = min(state.slots, budget_left(state)), sd**2
    beliefs, chosen = list(beliefs), []
    proving = _unproved(state, beliefs[0])
    pair = {b.id: _count(state, b) for b in (_baseline(state), beliefs[0].entrant)}
    for turn in range(room):
        if proving and turn % 2 == 0:
            name = min(pair, key=pair.__getitem__)
            pair[name] += 1
            rerun = state.experiments[name]
        else:
            values = _values(beliefs, noise)
            rerun = beliefs[values.index(max(values))].entrant
        beliefs = [b.after_another(noise) if b.entrant is rerun else b for b in beliefs]
        chosen.append(rerun)
    return [e for e in chosen if fits(state, e.cost)]


def _values(beliefs: list[Belief], noise: float) -> list[float]:
    """By how much one more run of each config is expected to better the choice (beliefs are sorted by mean).

    A run moves a mean by a normal amount of standard deviation s, and what it is expected to better the choice by, at a
    distance d from the best other mean, is s (pdf(d / s) - d / s cdf(-d / s)).
    """
    if len(beliefs) < 2:
        return [0.0] * len(beliefs)
    best, second = beliefs[0].mean, beliefs[1].mean
    distances = [second - best, *(belief.mean - best for belief in beliefs[1:])]
    found = []
    for belief, distance in zip(beliefs, distances, strict=True):
        moved = belief.variance / math.sqrt(belief.variance + noise)
        z = distance / moved
        found.append(moved * (math.exp(-0.5 * z * z) * PEAK - 0.5 * z * math.erfc(z * HALF_ROOT)))
    return found


def _count(state: State, entrant: Experiment) -> int:
    if entrant.purpose == "baseline":
        return len(_baseline_losses(state))
    return len(state.fresh_values(entrant.id))


def _unproved(state: State, leader: Belief) -> bool:
    """Whether the baseline is still champion and the leader not yet proved to be better."""
    if state.champion is None or state.champion.experiment != _baseline(state).id:
        return False
    return not _against_baseline(state, leader.entrant).accepted


def _baseline(state: State) -> Experiment:
    return next(e for e in state.experiments.values() if e.purpose == "baseline")


def _baseline_losses(state: State) -> list[float]:
    return [state.loss(value) for value in (*state.baseline_values, *state.fresh_values(_baseline(state).id))]


def _clear(state: State, beliefs: list[Belief]) -> bool:
    """Whether the leader was rerun, is proved to beat the baseline, and nobody else may be as good."""
    leader, *others = beliefs
    if not leader.entrant.replications or _unproved(state, leader):
        return False
    return all(b.mean - leader.mean > CLEAR * math.sqrt(b.variance + leader.variance) for b in others)


def _settle(engine: Engine, beliefs: list[Belief]) -> None:
    """The likely best of those that were rerun is champion if it is better than the champion and, beyond doubt, than
    the baseline. Nobody is left waiting: who was still being replicated is turned down.
    """
    state = engine.state
    tried = [b for b in beliefs if state.fresh_values(b.entrant.id)]
    best = tried[0] if tried else None
    champion = state.champion.experiment if state.champion else None
    wins = best is not None and best.entrant.id != champion
    verdict = _against_baseline(state, best.entrant) if wins and best is not None else None
    accepted = verdict is not None and verdict.accepted
    for belief in beliefs:
        waiting = belief.entrant
        if waiting.standing == "replicating" and not (accepted and belief is best):
            candidates.reject(engine, waiting, None, "others did better in the finals")
    if accepted and best is not None and verdict is not None:
        fresh = state.fresh_values(best.entrant.id)
        because = f"the best of {len(tried)} in the finals; against the baseline: {verdict.because}"
        candidates.enthrone(engine, best.entrant, mean(fresh), len(fresh), verdict.p, because)


def _against_baseline(state: State, best: Experiment) -> Judgement:
    """On fresh seeds alone and at half of p divided by the rivals that it is the best of (Bonferroni).

    Who was rerun so seldom that it never was near the choice is no rival; `loopworks validate noise-gate` shows that
    the error stays under p.
    """
    fresh = [state.loss(value) for value in state.fresh_values(best.id)]
    rivals = sum(len(e.replications) >= max(1, RIVAL * len(fresh)) for e in contenders(state))
    p = FINALS * state.chart.policies.accept.p / max(1, rivals)
    return judge(fresh, _baseline_losses(state), state.spread, p)
