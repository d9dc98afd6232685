"""A small world for the tests of roles: a mixed space, an easy loss with a known optimum, observations by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from projects.spec import Config, Metric, Parameter, SearchSpace
from roles.observation import Champion, Observation, ReportView, Result, Subject

SPACE = SearchSpace((
    Parameter("lr", "float", 1e-4, 1.0, log=True),
    Parameter("dropout", "float", 0.0, 0.8),
    Parameter("depth", "int", 1, 8, shape=True),
    Parameter("batch", "choice", values=(16, 32, 64, 128)),
    Parameter("norm", "choice", values=("layer", "rms", "none")),
))  # fmt: skip
TINY = SearchSpace((Parameter("depth", "int", 1, 4), Parameter("norm", "choice", values=("a", "b", "c"))))
BASELINE: Config = {"lr": 0.001, "dropout": 0.6, "depth": 2, "batch": 16, "norm": "none"}
TINY_BASELINE: Config = {"depth": 1, "norm": "a"}


def easy_loss(config: Config) -> float:
    """0 at lr 0.03, no dropout, depth 6, batch 64 and rms; None of it interacts."""
    lr, dropout, depth, batch, norm = SPACE.encode(config)
    words = {"layer": 0.2, "rms": 0.0, "none": 0.4}[str(config["norm"])]
    return 4 * (lr - 0.62) ** 2 + dropout**2 + (depth - 5 / 7) ** 2 + (batch - 0.625) ** 2 + words + 0 * norm


def result(number: int, config: Config, loss: float | None, space: SearchSpace = SPACE, **more: Any) -> Result:
    status = more.pop("status", "failed" if loss is None else "ok")
    failure = more.pop("failure", "diverged" if status == "failed" else None)
    return Result(f"e{number}", "bob", config, space.encode(config), status, loss, 1.0, failure, **more)


def observe(task: str = "propose", *, space: SearchSpace = SPACE, **more: Any) -> Observation:
    """An observation for `task`, the rest by keyword."""
    known = {
        "decision": "d1", "agent": "bob", "role": "researcher", "root_seed": 7, "turn": 0, "metric": Metric("loss"),
        "baseline": BASELINE if space is SPACE else TINY_BASELINE, "sigma": 0.01,
    }  # fmt: skip
    return Observation(task=task, space=space, **{**known, **more})


def subject(config: Config = BASELINE, space: SearchSpace = SPACE, **more: Any) -> Subject:
    unit = space.encode(config) if not space.check(config) else ()
    return Subject("e99", "bob", config, unit, **more)


def champion(loss: float = 1.0, runs: int = 3) -> Champion:
    return Champion("e0", BASELINE, SPACE.encode(BASELINE), loss, runs)


def report(agent: str, **more: Any) -> ReportView:
    known = {
        "position": agent, "role": "researcher", "brain": "tpe", "status": "active", "share": 0.5,
        "experiments": len(more.get("outcomes", ())), "failed": 0, "slot_seconds": 1.0,
    }  # fmt: skip
    return ReportView(agent, **{**known, **more})


def research(suggest: Callable[[Observation], Config | None], seed: int, runs: int) -> float:
    """The best loss after `runs` proposals on the easy task, high learning rates diverging."""
    history = [result(0, BASELINE, easy_loss(BASELINE))]
    for turn in range(1, runs):
        config = suggest(observe(root_seed=seed, turn=turn, history=history))
        assert config is not None
        history.append(result(turn, config, easy_loss(config) if float(config["lr"]) < 0.4 else None))
    return min(r.loss for r in history if r.loss is not None)
