"""Worlds by name: what is exact is exact, and a wrong name is one line that names the nearest right one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from recording_kit import Order

from company.chart_yaml import load_chart
from company.surrogates.bandit import BanditWorld
from company.surrogates.catalogue import names, worlds
from company.surrogates.nk import NKWorld
from company.surrogates.world import World, WorldError, normals
from company.testing import drive

EXACT = ("valley", "bowl", "rippled", "rugged", "nk:N=10,K=3", "bandit:arms=5")


@pytest.mark.parametrize("name", EXACT)
def test_a_company_works_in_every_world(name: str) -> None:
    chart = load_chart("startup").model_copy(update={"budget": {"experiments": 12}})
    (world,) = worlds(name, 3)
    state = drive(world.project(), chart, world.train, seed=3, slots=2).state
    assert state.phase == "closed" and state.closed is not None and not state.closed.failed


@pytest.mark.parametrize("name", ["planted", *EXACT])
def test_a_seed_is_a_world(name: str) -> None:
    def facts(seed: int) -> list[object]:
        found = []
        for world in worlds(name, seed):
            order = Order(world.project().baseline, 7)
            found += [world.name, world.train(order), world.seconds(order), world.regret(order.config)]
        return found

    assert facts(1) == facts(1) != facts(2)


def test_the_best_of_an_nk_landscape_is_known() -> None:
    (world,) = worlds("nk:N=8,K=2", 0)
    assert isinstance(world, NKWorld)
    every = [{f"bit_{i}": point >> i & 1 for i in range(8)} for point in range(256)]
    regrets = [world.regret(config) for config in every]
    assert min(regrets) == 0 and np.median(regrets) == pytest.approx(1)
    best = every[int(np.argmin(regrets))]
    assert world.train(Order(best, 1)).metric == max(world.train(Order(c, 1)).metric or 0.0 for c in every)
    assert world.project().space.check(world.project().baseline) == []


def test_the_arms_of_a_bandit_have_the_stated_means_and_noise() -> None:
    (world,) = worlds("bandit:means=0.1/0.9/0.5,noise=0.2", 0)
    assert isinstance(world, BanditWorld)
    assert [world.regret({"arm": f"arm_{i}"}) for i in range(3)] == pytest.approx([2, 0, 1])
    pulls = [world.train(Order({"arm": "arm_1"}, seed)).metric or 0.0 for seed in range(2000)]
    assert np.mean(pulls) == pytest.approx(0.9, abs=0.02) and np.std(pulls) == pytest.approx(0.2, rel=0.05)
    assert world.project().baseline == {"arm": "arm_2"}


def test_planted_tasks_are_worlds() -> None:
    found: tuple[World, ...] = worlds("planted", 0)
    assert [world.name for world in found] == ["valley", "bowl", "rippled", "rugged"]
    assert all(world.seconds(Order(world.project().baseline, 1, 100, cost=1.0)) == 1.0 for world in found)


def test_noise_named_by_a_seed_is_normal_and_its_own() -> None:
    drawn = np.array([normals(seed, b"a") for seed in range(4000)])
    assert np.abs(drawn.mean(axis=0)).max() < 0.06 and np.abs(drawn.std(axis=0) - 1).max() < 0.05
    assert np.abs(np.corrcoef(drawn.T) - np.eye(8)).max() < 0.06
    assert normals(3, b"a") != normals(3, b"b") and normals(3, b"a", 2) == normals(3, b"a")[:2]
    assert all(math.isfinite(n) for n in normals(2**31 - 1, b"a"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("vally", "did you mean valley"),
        ("nk:N=99", "N=99"),
        ("nk:N=8,K=8", "K=8"),
        ("nk:N=x", "N cannot be 'x'"),
        ("nk:nose=8", "did you mean noise"),
        ("nk:noise=-1", "noise"),
        ("bandit:arms=1", "arms"),
        ("bandit:arms=-3", "arms"),
        ("bandit:means=1", "arms"),
        ("digits,valley", "each of them by itself"),
        ("one\nor two", "no simulated project"),
        ("nowhere.parquet", "does not exist"),
        ("from-ledger:nowhere", "no run here"),
    ],
)
def test_a_wrong_name_is_one_line(name: str, said: str) -> None:
    with pytest.raises(WorldError) as problem:
        worlds(name, 0)
    assert said in str(problem.value) and len(str(problem.value).splitlines()) == 1


def test_what_is_shipped_has_a_name() -> None:
    assert {"planted", "nk", "bandit"} <= set(names())
