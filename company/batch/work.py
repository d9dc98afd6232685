"""One row of a batch: a company in virtual time, from founding to what it came to."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from statistics import fmean
from typing import Any

from company import events as ev
from company.batch.grid import Task
from company.batch.rows import AGENTS, FOUND, Row
from company.chaining import chained
from company.chart import shared_chart
from company.engine import Engine, Step
from company.state import State
from company.surrogates.catalogue import worlds
from company.surrogates.world import World
from company.virtual import VirtualCompany, run_virtually
from company.wording import plain

TOGETHER = 1024  # events that are chained in one go: between other work each takes longer
OnStep = Callable[[Step, VirtualCompany], None]


def work(task: Task, on_step: OnStep | None = None) -> Row:
    """Run the company of a row. What goes wrong in it is a failed row with its stage and reason, never an exception.

    `on_step` may look at every step; what it raises is raised here.
    """
    follower: Follower | None = None
    try:
        world = worlds(task.project, task.seed)[0]
        follower = Follower(world)
        state = run(task, world, follower, on_step).state
    except _Outside as outside:
        raise outside.error from None
    except Exception as error:
        running = follower is not None and follower.phase not in ("unfounded", "founding")
        return failed(task, "running" if running else "founding", _reason(error), follower)
    if state.closed is None or state.closed.failed:
        reason = state.closed.reason if state.closed else "the company stopped without closing"
        return failed(task, "founding" if state.champion is None else "running", reason, follower)
    try:
        digest, metrics = follower.digest, follower.metrics(state)
    except Exception as error:
        return failed(task, "measuring", _reason(error), follower)
    trails = {FOUND: tuple(follower.found), AGENTS: tuple(follower.agents)}
    return Row(
        task.arm.chart, task.project, task.arm.settings, task.seed, digest, "ok", metrics,
        tuple(follower.trail), trails,
    )  # fmt: skip


def run(task: Task, world: World, follower: Follower, on_step: OnStep | None = None) -> Engine:
    """The company of a row in its world, from founding to closing."""
    return run_virtually(
        world.project(), shared_chart(task.chart), world.train, seed=task.seed, slots=task.slots,
        seconds=world.seconds, pace=task.pace, engine=task.engine,
        on_step=_both(follower, on_step) if on_step else follower,
    )  # fmt: skip


class _Outside(Exception):
    """What a looker-on raised: no failure of the company."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


def _both(follower: Follower, on_step: OnStep) -> OnStep:
    """The follower, then the looker-on."""

    def look(step: Step, company: VirtualCompany) -> None:
        follower(step, company)
        try:
            on_step(step, company)
        except Exception as error:
            raise _Outside(error) from error

    return look


def failed(task: Task, stage: str, reason: str, follower: Follower | None = None) -> Row:
    """The row of a company that left no result."""
    digest = follower.digest if follower else ""
    arm = task.arm
    return Row(
        arm.chart, task.project, arm.settings, task.seed, digest, "failed", {}, stage=stage, reason=plain(reason, 300)
    )


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


class Follower:
    """Follows a company step by step: the digest of its events, slot-seconds, and how far each best is from the truth.

    Slot-seconds are those that runs of research, the baseline's included, held a slot until they ended.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.phase, self.seconds = "unfounded", 0.0
        self.trail: list[tuple[float, float]] = []
        self.found: list[tuple[float, float]] = []
        self.agents: list[tuple[float, float]] = []
        self.counts: Counter[str] = Counter()
        self._best: dict[str, float] = {}  # proposer -> the regret of the best that it had tried
        self._chained = ""
        self._told: list[tuple[float, ev.Event]] = []  # what is not chained yet

    def __call__(self, step: Step, company: VirtualCompany) -> None:
        state = company.engine.state
        self.phase = state.phase
        self._told += step.events
        if len(self._told) >= TOGETHER:
            self._chain()
        for at, event in step.events:
            handler = _FOLLOWED.get(type(event))
            if handler is not None:
                handler(self, state, at, event)

    @property
    def digest(self) -> str:
        """The running digest of all events so far."""
        self._chain()
        return self._chained

    def _chain(self) -> None:
        told, self._told = self._told, []  # what cannot be chained fails the row once, not again when that is told
        self._chained = chained(self._chained, told)

    def metrics(self, state: State) -> dict[str, float]:
        """What a row says of a company that closed."""
        best = self._best.values()
        return {
            "regret": self.trail[-1][1],
            "best_found": self.found[-1][1] if self.found else math.nan,
            "mean_of_agents": fmean(best) if best else math.nan,
            "replacements": self.counts["AgentReplaced"],
            "structure_changes": self.counts["ChartRevised"],
            "experiments": self.counts["ExperimentFinished"],
            "slot_seconds": self.seconds,
            "confirmed_gains": self.counts["ChampionChosen"],
            "company_seconds": state.now,
        }

    def _counted(self, state: State, at: float, event: ev.Event) -> None:
        self.counts[event.kind] += 1

    def _noise(self, state: State, at: float, event: ev.NoiseMeasured) -> None:
        self._champion(state, state.brief["baseline"])

    def _chosen(self, state: State, at: float, event: ev.ChampionChosen) -> None:
        self.counts[event.kind] += 1
        self._champion(state, event.config)

    def _champion(self, state: State, config: Any) -> None:
        self.trail.append((self.seconds, self.world.regret(config)))

    def _finished(self, state: State, at: float, event: ev.ExperimentFinished) -> None:
        experiment = state.experiments[event.experiment]
        if experiment.purpose == "closing":
            return
        self.seconds += at - experiment.started_at
        if experiment.purpose == "baseline":
            return
        self.counts[event.kind] += 1
        if experiment.purpose != "proposal" or experiment.proposer is None or event.status == "failed":
            return
        regret = self.world.regret(experiment.config)
        if regret < self._best.get(experiment.proposer, math.inf):
            self._best[experiment.proposer] = regret
            self.agents.append((self.seconds, fmean(self._best.values())))
            if not self.found or regret < self.found[-1][1]:
                self.found.append((self.seconds, regret))


_FOLLOWED: dict[type[ev.Event], Callable[[Follower, State, float, Any], None]] = {
    ev.NoiseMeasured: Follower._noise,
    ev.ChampionChosen: Follower._chosen,
    ev.ExperimentFinished: Follower._finished,
    ev.AgentReplaced: Follower._counted,
    ev.ChartRevised: Follower._counted,
}
