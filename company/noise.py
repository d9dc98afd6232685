"""The noise of a project: the baseline on several seeds before any research, for nothing is judged without sigma."""

from __future__ import annotations

from typing import TYPE_CHECKING

from company import events as ev
from company.entities import FINISHED, Experiment
from company.experiments import create
from company.judging import mean, sample_sd
from company.patching.versions import content_hash
from company.planning import training_seed
from company.state import State

if TYPE_CHECKING:
    from company.engine import Engine


def measure(engine: Engine) -> None:
    """Queue the baseline on several seeds: nothing is judged without sigma."""
    config = engine.state.space.typed(engine.state.brief["baseline"])
    digest = content_hash(config, "")
    for n in range(engine.state.chart.policies.found.baselines):
        seed = training_seed(engine.state.seed, "baseline", "", n)
        create(engine, "baseline", config, digest, seed, reason="measures the noise")


def settle(engine: Engine) -> None:
    """When every baseline run is in: sigma, or the end of a company that cannot work on this project."""
    state = engine.state
    runs = [e for e in state.experiments.values() if e.purpose == "baseline"]
    if any(e.status not in FINISHED for e in runs):
        return
    values = [e.metric for e in runs if e.metric is not None]
    if len(values) < 2:
        first = next(e for e in runs if e.metric is None)
        engine.emit(ev.RunClosed(True, f"the baseline failed ({first.failure}) in {first.id}"))
        return
    engine.emit(ev.NoiseMeasured(mean(values), sample_sd(values), len(values)))


def failed_baseline(state: State) -> Experiment | None:
    """The baseline run that a company closed for when it could not work, None where all gave a metric."""
    return next((e for e in state.experiments.values() if e.purpose == "baseline" and e.metric is None), None)
