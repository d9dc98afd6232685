"""What the tests of the core share: small charts, a rough world, digests and comparisons of states."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any

from hypothesis import HealthCheck, Phase, settings

from company import events as ev
from company.chaining import canonical, chained, payload, restore
from company.chart import OrgChart
from company.chart_yaml import load_chart
from company.compute.backend import Outcome
from company.engine import Step
from company.state import State
from company.taming import tame
from company.testing import Run, Trainer, offline, planted_project, planted_trainer
from projects.spec import Project
from roles.intents import (
    Approve,
    Assign,
    Build,
    Coach,
    Continue,
    Digest,
    GiveUp,
    Intent,
    Propose,
    Refuse,
    Replace,
    Retry,
    Stop,
    Verdict,
)
from roles.observation import Observation
from roles.streams import stream

DERIVED = frozenset(
    ("chart", "space", "metric", "_shares", "_producers", "_visible", "_nearest", "starts")
)  # follow from the rest
TERRIBLE = {"lr": 1e-5, "width": 16}


def quiet(examples: int) -> settings:
    """Hypothesis with a fixed seed, no clock and no file outside the test's own directory."""
    return settings(
        max_examples=examples, deadline=None, database=None, derandomize=True,
        phases=[Phase.explicit, Phase.generate], suppress_health_check=[HealthCheck.too_slow],
    )  # fmt: skip


def chart_of(name: str = "startup", experiments: int = 8, **policies: Mapping[str, Any]) -> OrgChart:
    """A shipped chart with a small budget and some other settings."""
    data = load_chart(name).to_dict()
    data["budget"] = {"experiments": experiments}
    for policy, wanted in policies.items():
        data["policies"][policy] = {**data["policies"].get(policy, {}), **wanted}
    return OrgChart.from_dict(data)


def four_researchers(experiments: int = 80, **policies: Mapping[str, Any]) -> OrgChart:
    """The startup with two more researchers and equal shares, so that there is a field to stand out from; how gains are
    accepted and runs stopped does not follow the shipped chart, for what tests expect of people would change with it.
    """
    watch = {"rule": "median", "after": 5}
    own = {"assign": {"share": "equal"}, "accept": {"fresh_seeds": 3, "finals": 0.1}, "watch": watch}
    data = chart_of("startup", experiments, **{**own, **policies}).to_dict()
    for name, brain in (("finn", "evolution"), ("gwen", "hillclimb")):
        data["positions"].append({"id": name, "role": "researcher", "reports_to": "ada", "brain": brain})
    return OrgChart.from_dict(data)


def eventful_chart(experiments: int = 12) -> OrgChart:
    """A company in which, with `moody` people, everything happens within a few experiments."""
    return chart_of(
        "committee", experiments,
        assign={"every": 2}, appraise={"every": 2, "after": 1}, replace={"rule": "random"},
        reorganise={"rule": "random", "every": 1, "undo_after": 3}, promote={"rule": "random"},
        hire={"trial": 1},
        accept={"fresh_seeds": 2, "p": 0.5}, found={"baselines": 2}, close={"seeds": 2},
    )  # fmt: skip


def rough_project() -> Project:
    """The planted project, with a batch that can be divided."""
    return dataclasses.replace(planted_project(), micro_batch="width")


def rough_trainer(noise: float = 0.3) -> Trainer:
    """The planted world on a bad day: wide models run out of memory, others crash, lose their worker or print NaN."""
    good = planted_trainer(noise)

    def train(run: Run) -> Outcome:
        luck = float(stream(run.seed, "rough", "luck").random())
        width = run.config["width"]
        assert isinstance(width, int)
        if width >= 64 and (run.micro_batch or width) > 32:
            curve = ((run.steps, 1.0),) if luck < 0.5 else ()  # some hold out to the last step, through every rung
            return Outcome("failed", failure="out_of_memory", detail="RuntimeError: out of memory", curve=curve)
        if luck < 0.06:
            return Outcome("failed", failure="crash", detail="Traceback\n ZeroDivisionError \x1b[31m")
        if luck < 0.12:
            return Outcome("lost", detail="the worker is gone")
        if luck < 0.16:
            return Outcome("ok", metric=float("nan"))
        return good(run)

    return train


def rash(state: State, observation: Observation) -> list[Intent]:
    """Everyone decides as usual, but for bob, who proposes terrible configs."""
    if observation.agent == "bob" and observation.task == "propose":
        lr = round(1e-5 * (1 + observation.turn / 100), 10)
        return [Propose(config={**TERRIBLE, "lr": lr, "act": "a"})]
    return offline(state, observation)


def moody(state: State, observation: Observation) -> list[Intent]:
    """Everyone decides by lot, from a stream of their own: no brain is asked, so that brains may change."""
    dice = stream(observation.root_seed, observation.agent, observation.task, observation.turn)
    luck = float(dice.random())
    match observation.task:
        case "propose":
            tried = luck < 0.1 and state.results
            return [Propose(config=state.results[-1].config if tried else state.space.sample(dice))]
        case "review":
            return [Refuse(p_improves=0.1) if luck < 0.25 else Approve(p_improves=luck)]
        case "build":
            return [Build(micro_batch=8 if luck < 0.2 else None)]
        case "repair":
            return [Retry(micro_batch=8) if luck < 0.7 else GiveUp(failure="crash")]
        case "watch":
            return [Stop(reason="a bad mood") if luck < 0.15 else Continue()]
        case "verdict":
            return [Verdict(outcome="promising" if luck < 0.6 else "noise", p_real=luck)]
        case "plan":
            shares = dice.dirichlet([1.0] * len(observation.reports)).tolist()
            assigned = [Assign(agent=r.agent, share=s) for r, s in zip(observation.reports, shares, strict=True)]
            return [*assigned, Digest(text="all well")]
    act = (Coach(agent=r.agent, advice="better") if luck < 0.4 else Replace(agent=r.agent) for r in observation.reports)
    return list(act)


def digest_of(steps: Iterable[Step], start: str = "") -> str:
    """The running digest over some steps."""
    for step in steps:
        for at, event in step.events:
            start = chained(start, [(at, event)])
    return start


def stored(event: ev.Event) -> ev.Event:
    """The event as it comes back from a ledger."""
    measured = json.loads(canonical(tame(getattr(event, "measured", {}))))
    return restore(event.kind, json.loads(canonical(payload(event))), measured)


def fields_of(state: State) -> dict[str, Any]:
    """Every field of a state that is not derived from others."""
    return {name: value for name, value in vars(state).items() if name not in DERIVED}


def differences(one: State, other: State) -> list[str]:
    """The fields in which two states differ."""
    a, b = fields_of(one), fields_of(other)
    return [name for name in a.keys() | b.keys() if a.get(name) != b.get(name)]
