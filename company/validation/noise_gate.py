"""Is a gain a gain? Companies whose proposals all do nothing must keep their champion; a planted gain must be found.

The whole company works, by each shipped chart, but for what is proposed: configs drawn at random in a world that knows
two losses, that of the baseline and of everything else, and one of planted gain where there is power to be shown. Only
seeds differ, with the noise of a normal distribution.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from company.chart import OrgChart
from company.chart_yaml import load_chart, shipped_charts
from company.compute.backend import Outcome
from company.state import State
from company.testing import Run, Trainer, drive, offline
from company.validation import Finding, Stopwatch, share_of
from projects.spec import CostTable, Metric, Parameter, Project, SearchSpace
from roles.intents import Approve, Build, Intent, Propose
from roles.observation import Observation
from roles.streams import stream

SEEDS, FULL_SEEDS = 200, 1000
POWER_SEEDS, FULL_POWER_SEEDS = 60, 400
KEPT = 0.95  # of the companies whose proposals do nothing
GOOD_SHARE = 0.1  # of all configs where a gain is planted
GAINS = ((2.0, None), (4.0, 0.6), (8.0, 0.85))  # planted gain in sigmas, and the least share that must find it
EXPERIMENTS = 40  # of the companies that are to find a gain, and of the greedy control
MOST = 60  # of the others, unless `full`: what a longer budget would test grows more slowly than what it costs
SLOTS = 2
MANAGED_NOT = {  # what decides about people says nothing about gains, and takes most of the time
    "appraise": {"every": 0}, "replace": {"rule": "never"}, "promote": {"rule": "never"},
    "reorganise": {"rule": "never"}, "assign": {"share": "equal"}, "close": {"seeds": 2},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ended:
    """How a company ended: whether its champion is another than the baseline, and whether one of the planted good."""

    changed: bool
    right: bool
    runs: int


def validate(seed: int, full: bool) -> Iterator[Finding]:
    """A/A companies of every shipped chart beside a greedy one, then power; under a minute, or ten with `full`."""
    watch = Stopwatch()
    for name in shipped_charts():
        shipped = load_chart(name).budget.experiments
        organisation = chart(name, shipped if full or shipped is None else min(MOST, shipped))
        ended = [work(organisation, seed + n, 0.0) for n in range(FULL_SEEDS if full else SEEDS)]
        kept = share_of(sum(not e.changed for e in ended), len(ended))
        check = f"{name}: no champion but the baseline"
        yield Finding(check, f">= {KEPT:.2f}", "", *kept, kept[0] >= KEPT, watch.lap())
    greedy = [work(chart("solo", EXPERIMENTS, rule="greedy"), seed + n, 0.0) for n in range(POWER_SEEDS)]
    kept = share_of(sum(not e.changed for e in greedy), len(greedy))
    yield Finding("greedy, the control: the same", "", "", *kept, None, watch.lap())
    yield from _power(seed, FULL_POWER_SEEDS if full else POWER_SEEDS)


def _power(seed: int, seeds: int) -> Iterator[Finding]:
    """One config in ten is better: how many companies end with one of them as their champion."""
    watch = Stopwatch()
    for name in ("solo", "startup"):
        for gain, least in GAINS:
            ended = [work(chart(name, EXPERIMENTS), seed + n, gain) for n in range(seeds)]
            found = share_of(sum(e.right for e in ended), len(ended))
            expected, passed = ("", None) if least is None else (f">= {least:.2f}", found[0] >= least)
            yield Finding(f"{name}: {gain:g} sigma found", expected, "", *found, passed, watch.lap())


@cache
def chart(name: str, experiments: int | None = None, rule: str | None = None) -> OrgChart:
    """A shipped chart as it is, but for what it decides about people."""
    data = load_chart(name).to_dict()
    for policy, wanted in MANAGED_NOT.items():
        data["policies"][policy] = {**data["policies"].get(policy, {}), **wanted}
    if experiments is not None:
        data["budget"] = {**data["budget"], "experiments": experiments}
    if rule is not None:
        data["policies"]["accept"] = {**data["policies"].get("accept", {}), "rule": rule}
    return OrgChart.from_dict(data)


def work(organisation: OrgChart, seed: int, gain: float) -> Ended:
    """Let a company work in a world where `gain` sigmas are planted in one config in ten, or nothing is (0)."""
    state = drive(project(), organisation, trainer(gain), seed=seed, slots=SLOTS, decide=_decide).state
    changed = state.champion is not None and state.champion_hash != state.experiments["e0001"].hash
    right = changed and state.champion is not None and is_good(state.champion.config["x"])
    return Ended(changed, right, len(state.experiments))


def project() -> Project:
    """A project with one parameter, of which the loss knows next to nothing."""
    return Project(
        name="nothing", title="Proposals that do nothing", version=1, folder=Path("nothing"), metric=Metric("loss"),
        space=SearchSpace((Parameter("x", "float", 0.0, 1.0),)), baseline={"x": 0.0}, budget_seconds=1.0,
        costs=CostTable(1, "none", (), {"": 0.01}),
    )  # fmt: skip


def is_good(x: object) -> bool:
    """Whether a gain is planted in a config."""
    return isinstance(x, float) and x > 1 - GOOD_SHARE


def trainer(gain: float) -> Trainer:
    """Trains with noise of sd 1; the learning curve comes down to the end of the run."""

    def train(run: Run) -> Outcome:
        noise = float(stream(run.seed, "nothing", "noise").standard_normal())
        loss = 100.0 - gain * is_good(run.config["x"]) + noise
        curve = tuple((math.ceil(f * run.steps), loss + 10 * (1 - f)) for f in (0.25, 0.5, 0.75, 1.0))
        return Outcome("ok", metric=loss, curve=curve)

    return train


def _decide(state: State, observation: Observation) -> Sequence[Intent]:
    if observation.task == "propose":
        return [Propose(config={"x": round(float(observation.rng("anywhere").random()), 12)})]
    return WITHOUT_THOUGHT[observation.task]() if observation.task in WITHOUT_THOUGHT else offline(state, observation)


WITHOUT_THOUGHT: dict[str, Callable[[], Sequence[Intent]]] = {  # nothing is known of a config before it ran
    "review": lambda: [Approve(p_improves=0.5)],
    "build": lambda: [Build()],
}
