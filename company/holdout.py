"""The sealed holdout: baseline and champion on fresh seeds at the end of research, measured there once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from company import events as ev
from company.entities import FINISHED
from company.experiments import create
from company.judging import mean, welch_interval
from company.planning import training_seed
from company.state import State

if TYPE_CHECKING:
    from company.engine import Engine


def begin(engine: Engine) -> None:
    """Train baseline and champion on fresh seeds, to be measured once on the sealed holdout."""
    state = engine.state
    baseline = next(e for e in state.experiments.values() if e.purpose == "baseline")
    champion = state.experiments[state.champion.experiment] if state.champion else baseline
    arms = [baseline] if champion.hash == baseline.hash else [baseline, champion]
    for n in range(state.chart.policies.close.seeds):
        for arm in arms:
            seed = training_seed(state.seed, "closing", "", n)
            reason = "the baseline on the holdout" if arm is baseline else "the champion on the holdout"
            create(
                engine, "closing", arm.config, arm.hash, seed, split="holdout", parent=arm.id, reason=reason,
                micro_batch=arm.micro_batch, code=arm.code,
            )  # fmt: skip


def settle(engine: Engine) -> None:
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
    engine.emit(_reading(state, *arms, changed=state.champion_hash != state.experiments[baseline_id].hash))
    engine.emit(ev.RunClosed(False, state.ended_because))


def _reading(state: State, baseline: list[float], champion: list[float], changed: bool) -> ev.HoldoutMeasured:
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
