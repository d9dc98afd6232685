"""The shipped turnaround chart: managing pays where the roster is weak, and costs nothing where it is good.

The full measurement, over 20 seeds with intervals, is benchmarks/management.py.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from company import brain_kinds
from company import events as ev
from company.chart import OrgChart
from company.chart_yaml import load_chart
from company.comparison import Comparison, compare, jobs, run, settings
from company.directory import RunDirectory
from company.run import Plan, execute
from roles.brains import offline
from roles.brains.record import Suggestion
from roles.observation import Observation

TURNAROUND = load_chart("turnaround")
SEEDS = range(3, 6)


def compared(chart: OrgChart, project: str, *options: str) -> Comparison:
    arms = settings(chart, options)
    return compare(arms, list(run(jobs(arms, project, SEEDS, slots=2), 1)))


def test_the_roster_is_weak_and_the_pool_is_strong() -> None:
    kinds = [TURNAROUND.position(name).effective_brain.kind for name in TURNAROUND.by_role("researcher")]
    assert sorted(kinds) == ["evolution", "hillclimb", "random", "random"]
    assert [talent.effective_brain.kind for talent in TURNAROUND.talent] == ["tpe", "gp"]
    assert TURNAROUND.policies.replace.rule == "posterior"


@pytest.fixture(scope="module")
def managed() -> Comparison:
    """Nobody replaced and an equal split against the chart as it ships, with both steps between them."""
    return compared(TURNAROUND, "bowl", "assign.share=equal,bandit", "replace.rule=never,posterior")


def test_managing_a_weak_roster_pays(managed: Comparison) -> None:
    ratio = managed.differences[-1].ratio
    assert ratio is not None and ratio < 0.8, managed.differences[-1].says


def test_the_control_replaces_nobody_and_the_chart_does(managed: Comparison) -> None:
    assert managed.mean(0, "replacements") == 0
    assert managed.mean(3, "replacements") >= 1


def test_the_company_lets_the_guessers_go_first() -> None:
    """Of the founders who leave in a few worlds, most propose at random."""
    from company.simulated import tasks
    from company.testing import drive

    gone = []
    for seed in SEEDS:
        (task,) = tasks("bowl", seed)
        state = drive(task.project(), TURNAROUND, task.train, seed=seed, slots=2).state
        gone += [agent.brain.kind for agent in state.agents.values() if agent.status == "left"]
    assert gone.count("random") > len(gone) / 2


def test_on_a_good_roster_almost_nobody_is_replaced_and_nothing_is_lost() -> None:
    good = load_chart("startup").model_copy(update={"talent": TURNAROUND.talent})
    found = compared(good, "planted", "replace.rule=never,posterior")
    assert found.mean(1, "replacements") <= 0.34
    ratio = found.differences[0].ratio
    assert ratio is not None and ratio <= 1.1


@pytest.mark.slow
def test_a_real_run_on_digits_replaces_someone_within_five_minutes(tmp_path: Path) -> None:
    began = time.monotonic()
    plan = Plan(RunDirectory(tmp_path / "run"), "turnaround", "digits", slots=2, device="cpu", engine="direct")
    state = execute(plan, lambda *_: None)
    assert time.monotonic() - began < 300
    assert state.phase == "closed"
    assert any(agent.status == "left" for agent in state.agents.values())


def timid(observation: Observation, params: Mapping[str, Any], rng: np.random.Generator) -> Suggestion:
    """A planted bad researcher: it never dares a learning rate at which anything is learned."""
    config = observation.space.sample(rng)
    return Suggestion({**config, "learning_rate": 1e-4, "optimiser": "sgd", "init_scale": 0.2}, None, "small steps")


@pytest.mark.slow
def test_on_real_digits_a_planted_bad_agent_goes_and_the_good_ones_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(offline.BRAINS, "timid", offline.Kind(timid, "Takes no risks.", {}))
    monkeypatch.setitem(brain_kinds.RESEARCHER_KINDS, "timid", brain_kinds.BrainKind("takes no risks"))
    chart = tmp_path / "planted.yaml"
    researchers = (("bad", "timid"), ("good", "gp"), ("fine", "tpe"), ("fair", "evolution"))
    seats = "".join(f"  - {{id: {who}, role: researcher, reports_to: ada, brain: {b}}}\n" for who, b in researchers)
    chart.write_text(
        "company: planted\nbudget: {experiments: 64}\n"
        "policies: {appraise: {every: 6}, assign: {share: equal}}\n"
        f"positions:\n  - {{id: ada, role: manager}}\n{seats}"
        "talent: [{role: researcher, brain: tpe}]\n"
    )
    plan = Plan(RunDirectory(tmp_path / "run"), str(chart), "digits", slots=2, device="cpu", engine="direct")
    state = execute(plan, lambda *_: None)
    assert state.phase == "closed"
    left = {agent.id for agent in state.agents.values() if agent.status == "left"}
    assert left == {"bad"}
    replaced = next(event for _, event in state.changes if isinstance(event, ev.AgentReplaced))
    assert replaced.evidence["p_below"] >= 0.7 and state.agents[replaced.hired].brain.kind == "tpe"
