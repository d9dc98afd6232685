"""What became of a proposal, as far as the company can know it: the answers that forecasts are scored against. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping

from company.contribution import quantile
from company.entities import Experiment
from company.state import State

NEAR = 0.08  # root mean square distance over the parameters within which two configs are near-identical
POOR = 0.75  # quantile of the record's losses beyond which a run taught little


def improved(experiment: Experiment) -> bool | None:
    """Whether it made a champion; None while nobody can know: never run, lost with its worker, or its
    gain not repeated."""
    if experiment.purpose != "proposal" or experiment.failure == "infrastructure":
        return None
    if experiment.standing == "champion":
        return True
    unsettled = experiment.standing == "replicating" or (experiment.standing and not experiment.replications)
    return None if unsettled or experiment.status not in ("ok", "failed", "stopped") else False


def discoveries_lost(state: State) -> frozenset[str]:
    """Experiments that were refused, stopped or called noise, and a near-identical config later became champion."""
    found = [e for e in state.experiments.values() if e.purpose == "proposal" and e.standing == "champion"]
    return frozenset(
        e.id
        for e in state.experiments.values()
        if e.purpose == "proposal" and _passed_over(e) and any(_later_twin(e, c, state) for c in found)
    )


def _passed_over(experiment: Experiment) -> bool:
    if experiment.standing:
        return False
    return experiment.status in ("refused", "stopped") or experiment.verdict in ("noise", "worse")


def _later_twin(experiment: Experiment, champion: Experiment, state: State) -> bool:
    later = champion.created_at >= experiment.created_at and champion.id != experiment.id
    return later and near_identical(experiment, champion, state)


def near_identical(one: Experiment, other: Experiment, state: State) -> bool:
    """Whether two configs agree in every choice and nearly in every number."""
    if any(one.config[p.name] != other.config[p.name] for p in state.space.parameters if p.kind == "choice"):
        return False
    return math.dist(one.unit, other.unit) <= NEAR * math.sqrt(len(one.unit))


def waste(state: State) -> frozenset[str]:
    """Proposals that ran and taught little: they failed by their own doing, or ended in the worst quarter."""
    ran = [e for e in state.experiments.values() if e.purpose == "proposal" and e.failure != "infrastructure"]
    losses: Mapping[str, float] = {e.id: state.loss(e.metric) for e in ran if e.metric is not None}
    bar = quantile(list(losses.values()), POOR) if losses else math.inf
    return frozenset(e.id for e in ran if e.status == "failed" or losses.get(e.id, -math.inf) > bar)
