"""The testing kit: what Loopworks is tested with, and what an extension can be tested with.

`drive` runs a whole company against a function instead of a training process, in company time and in one thread.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path

from company.chart import OrgChart
from company.compute.backend import Outcome
from company.engine import Cancel, Consult, Decided, Effect, Ended, Engine, Launch, RungSeen, Step
from company.state import Experiment, State
from projects.spec import CostTable, Metric, Parameter, Project, SearchSpace, Value
from roles.employee import decide_offline
from roles.intents import Intent
from roles.observation import Observation, stream

Trainer = Callable[[Experiment], Outcome]
Decide = Callable[[State, Observation], list[Intent]]


def planted_project(noise: float = 0.02, budget_seconds: float = 2.0) -> Project:
    """A project without files whose truth is known: a bowl with its bottom at lr=0.01, width=64, act=b."""
    space = SearchSpace(
        (
            Parameter("lr", "float", 1e-5, 1.0, log=True),
            Parameter("width", "choice", values=(16, 32, 64, 128), shape=True),
            Parameter("act", "choice", values=("a", "b", "c")),
        )
    )
    costs = CostTable(1, "none", ("width",), {str(w): 0.01 * w / 16 for w in (16, 32, 64, 128)})
    return Project(
        name="planted", title=f"A planted bowl with noise {noise:g}", version=1, folder=Path("planted"),
        metric=Metric("loss", "nats"), space=space, baseline={"lr": 0.3, "width": 16, "act": "a"},
        budget_seconds=budget_seconds, costs=costs,
    )  # fmt: skip


def planted_loss(config: Mapping[str, Value]) -> float:
    """The true loss of a config of `planted_project`; 0 is best, the baseline has about 2.9."""
    lr, width = float(config["lr"]), float(config["width"])
    return (math.log10(lr) + 2) ** 2 / 2 + abs(math.log2(width) - 6) / 2 + (config["act"] != "b") * 0.8


def planted_trainer(noise: float = 0.02) -> Trainer:
    """Trains on `planted_project`: true loss plus seed noise; a learning rate over 0.8 diverges."""

    def train(experiment: Experiment) -> Outcome:
        if float(experiment.config["lr"]) > 0.8:
            return Outcome("failed", failure="diverged", detail="loss is nan")
        truth = planted_loss(experiment.config)
        metric = truth + noise * float(stream(experiment.seed, "planted", "noise").standard_normal())
        curve = tuple((math.ceil(f * experiment.steps), truth + 1 - f) for f in (0.25, 0.5, 0.75, 1.0))
        return Outcome("ok", metric=metric, curve=curve)

    return train


def offline(state: State, observation: Observation) -> list[Intent]:
    """Decide by the agent's own offline policy."""
    agent = state.agents[observation.agent]
    return decide_offline(agent.role, agent.brain, observation)


def drive(
    project: Project, chart: OrgChart, train: Trainer, *, seed: int = 0, slots: int = 1, decide: Decide = offline,
    on_step: Callable[[Step], None] = lambda step: None, most: int = 100_000,
) -> Engine:  # fmt: skip
    """Run a company from founding to closing and return its engine; completions come as the cost table predicts."""
    engine = Engine(project)
    step = engine.found(chart, seed, slots)
    outstanding: list[Effect] = []
    for _ in range(most):
        on_step(step)
        for effect in step.effects:
            if isinstance(effect, Cancel):
                outstanding = [e for e in outstanding if getattr(e, "experiment", None) != effect.experiment]
            else:
                outstanding.append(effect)
        outstanding = [e for e in outstanding if _alive(engine, e)]
        if not outstanding:
            return engine
        effect = min(outstanding, key=engine.due)  # type: ignore[arg-type]
        step = _complete(engine, effect, train, decide, outstanding)
    raise RuntimeError(f"the company did not close within {most} completions")


def _alive(engine: Engine, effect: Effect) -> bool:
    if isinstance(effect, Consult):
        return effect.decision in engine.state.decisions
    return engine.state.experiments[effect.experiment].status == "running"


def _complete(engine: Engine, effect: Effect, train: Trainer, decide: Decide, outstanding: list[Effect]) -> Step:
    at = engine.due(effect)[0]  # type: ignore[arg-type]
    if isinstance(effect, Consult):
        outstanding.remove(effect)
        return engine.handle(Decided(effect.decision, decide(engine.state, engine.observe(effect.decision))), at)
    assert isinstance(effect, Launch)
    experiment = engine.state.experiments[effect.experiment]
    outcome, passed = train(experiment), len(experiment.curve)
    if passed < len(experiment.rungs) and passed < len(outcome.curve):
        step = math.ceil(experiment.rungs[passed] * experiment.steps)
        loss = next(loss for at_step, loss in outcome.curve if at_step >= step)
        return engine.handle(RungSeen(experiment.id, effect.attempt, passed, step, loss), at)
    outstanding.remove(effect)
    return engine.handle(Ended(experiment.id, effect.attempt, outcome), at)
