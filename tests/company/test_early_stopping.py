"""A company learns from its own runs how much early losses say and stops by it: slow starters live where they win."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping

import pytest

from company.chart import OrgChart
from company.chart_yaml import load_chart
from company.compute.backend import Outcome
from company.engine import Engine
from company.entities import Experiment
from company.testing import drive, planted_loss, planted_project, planted_trainer
from company.virtual import Run, Trainer
from projects.spec import Value

Early = Callable[[Mapping[str, Value]], float]


def world(early: Early) -> Trainer:
    """The planted world, but that its runs show `early` of their config until they end."""
    plain = planted_trainer()

    def train(run: Run) -> Outcome:
        found = plain(run)
        curve = tuple((math.ceil(f * run.steps), early(run.config)) for f in (0.25, 0.5))
        return dataclasses.replace(found, curve=curve) if found.status == "ok" else found

    return train


def parallel(config: Mapping[str, Value]) -> float:
    return planted_loss(config) + 1


def crossing(config: Mapping[str, Value]) -> float:
    """What ends best begins worst."""
    return 9 - planted_loss(config)


def run(early: Early, rule: str, experiments: int = 60) -> list[Experiment]:
    """The proposals of a startup whose researchers propose at random, so that only stopping differs."""
    data = load_chart("startup").to_dict()
    for position in data["positions"]:
        if position["role"] == "researcher":
            position["brain"] = "random"
    data |= {"budget": {"experiments": experiments}, "talent": []}
    data["policies"]["watch"] = {"rule": rule}
    data["policies"]["accept"]["finals"] = 0.0
    engine: Engine = drive(planted_project(), OrgChart.from_dict(data), world(early), seed=3, slots=2)
    return [e for e in engine.state.experiments.values() if e.purpose == "proposal" and e.status != "refused"]


def stopped(found: list[Experiment]) -> list[Experiment]:
    return [e for e in found if e.status == "stopped"]


def best_fifth(found: list[Experiment]) -> float:
    """The true loss that ends the best fifth of what finished."""
    ended = sorted(planted_loss(e.config) for e in found if e.status == "ok")
    return ended[len(ended) // 5]


def test_where_curves_are_parallel_losers_are_stopped_and_compute_is_saved() -> None:
    found, never = run(parallel, "forecast"), run(parallel, "never")
    assert len(stopped(found)) > 20 and not stopped(never)
    assert len(found) > 1.2 * len(never)  # for the same budget
    assert all(planted_loss(e.config) > best_fifth(found) for e in stopped(found))


@pytest.mark.parametrize("rule", ["forecast", "median"])
def test_where_curves_cross_slow_starters_live(rule: str) -> None:
    """The control shows that there was something to lose."""
    found = run(crossing, rule)
    lost = [e for e in stopped(found) if planted_loss(e.config) <= best_fifth(found)]
    assert (rule == "median") == bool(lost)
    assert rule == "median" or not stopped(found)


def test_nothing_is_stopped_before_enough_configs_have_finished() -> None:
    assert not stopped(run(parallel, "forecast", experiments=8))
