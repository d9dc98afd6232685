"""A world in which everyone's worth is planted: real engine, real manager, real judging; only proposals are drawn.

A researcher of worth w proposes a config whose true loss lies sinh(field + w + noise) sigmas from the champion's, so
that its scores (company/contribution.py) have mean field + w. The field gets harder as the budget is spent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from company.chart import OrgChart
from company.compute.backend import Outcome
from company.state import State
from company.testing import Run, drive, offline
from projects.spec import CostTable, Metric, Parameter, Project, SearchSpace
from roles.intents import Intent, Propose
from roles.observation import Observation
from roles.streams import stream

FIELD, HARDER = -2.5, -1.5  # mean score of an average colleague at the start, and what is added by the end
NOISE = 1.0  # sd of a score around its agent's mean
SPREAD = 0.6  # sd of worths: what the model's prior expects
BAD, GOOD, BAD_SHARE = -1.05, 0.35, 0.25  # two kinds of people, with mean 0 and sd SPREAD
START, WORST = 1000.0, 3000.0  # losses in sigmas: of the baseline, and the largest that the space allows

Worth = Callable[[int, str], float]  # (seed, agent) -> planted worth


def differing(spread: float) -> Worth:
    """Worths drawn from a normal distribution, as the model has it."""
    return lambda seed, agent: spread * float(stream(seed, agent, "planted worth").standard_normal())


def two_kinds(seed: int, agent: str) -> float:
    """One in four is bad."""
    return BAD if float(stream(seed, agent, "planted worth").random()) < BAD_SHARE else GOOD


def nobody_differs(seed: int, agent: str) -> float:
    return 0.0


@dataclass(frozen=True, slots=True)
class Company:
    """A closed company: its state, and everyone's planted worth."""

    state: State
    worth: dict[str, float]
    replaced: frozenset[str]


def project() -> Project:
    """A project whose one parameter is the true loss; the noise of a run is 1."""
    return Project(
        name="people", title="Losses to order", version=1, folder=Path("people"), metric=Metric("loss"),
        space=SearchSpace((Parameter("loss", "float", 0.0, WORST),)), baseline={"loss": START}, budget_seconds=1.0,
        costs=CostTable(1, "none", (), {"": 0.01}),
    )  # fmt: skip


def chart(researchers: int, experiments: int, rule: str, confidence: float = 0.7, every: int = 8) -> OrgChart:
    """A manager, some researchers and a talent pool that does not run dry; nobody else."""
    positions = [{"id": "ada", "role": "manager"}]
    positions += [
        {"id": f"r{n}", "role": "researcher", "reports_to": "ada", "brain": "random"} for n in range(researchers)
    ]
    policies = {
        "found": {"baselines": 5}, "close": {"seeds": 2}, "appraise": {"every": every},
        "replace": {"rule": rule, "confidence": confidence},
    }  # fmt: skip
    talent = [{"role": "researcher", "brain": "random", "count": 99}]
    budget = {"experiments": experiments}
    return OrgChart.from_dict(
        {"company": "people", "budget": budget, "policies": policies, "positions": positions, "talent": talent}
    )


def work(seed: int, organisation: OrgChart, worth: Worth) -> Company:
    """Let a company of planted people work until it closes."""

    def decide(state: State, observation: Observation) -> Sequence[Intent]:
        if observation.task == "propose":
            return [_proposal(observation, worth(seed, observation.agent))]
        return offline(state, observation)

    state = drive(project(), organisation, _train, seed=seed, decide=decide).state
    people = [agent for agent in state.agents.values() if agent.role == "researcher"]
    left = frozenset(agent.id for agent in people if agent.status == "left")
    return Company(state, {agent.id: worth(seed, agent.id) for agent in people}, left)


def _proposal(observation: Observation, worth: float) -> Propose:
    champion = observation.champion.loss if observation.champion else START
    luck = NOISE * float(observation.rng("quality").standard_normal())
    score = FIELD + HARDER * observation.spent + worth + luck
    return Propose(config={"loss": min(WORST, max(0.0, champion - math.sinh(score)))})


def _train(run: Run) -> Outcome:
    noise = float(stream(run.seed, "people", "noise").standard_normal())
    return Outcome("ok", metric=float(run.config["loss"]) + noise)
