"""The testing kit: what Loopworks is tested with, and what an extension can be tested with.

`drive` runs a whole company against a function instead of a training process, in company time and in one thread.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from company.chart import OrgChart
from company.compute.backend import OnRung, Order, Outcome, Slot
from company.engine import Decided, Engine, Step
from company.state import State
from company.virtual import Run, Trainer, VirtualCompany, rungs_of
from projects.spec import CostTable, Metric, Parameter, Project, SearchSpace, Value
from roles.employee import decide_offline
from roles.intents import Intent
from roles.observation import Observation
from roles.streams import stream

Decide = Callable[[State, Observation], Sequence[Intent]]


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

    def train(experiment: Run) -> Outcome:
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


class Rehearsal(VirtualCompany):
    """A virtual company whose agents decide by a function."""

    def __init__(self, engine: Engine, train: Trainer, decide: Decide = offline) -> None:
        def ask(state: State, observation: Observation) -> Decided:
            return Decided(observation.decision, decide(state, observation))

        super().__init__(engine, train, ask)


def drive(
    project: Project, chart: OrgChart, train: Trainer, *, seed: int = 0, slots: int = 1, decide: Decide = offline,
    on_step: Callable[[Step], None] = lambda step: None, most: int = 100_000,
) -> Engine:  # fmt: skip
    """Run a company from founding to closing and return its engine; completions come as the cost table predicts."""
    engine = Engine(project)
    rehearsal = Rehearsal(engine, train, decide)
    step: Step | None = rehearsal.follow(engine.found(chart, seed, slots))
    for _ in range(most):
        if step is None:
            return engine
        on_step(step)
        step = rehearsal.advance()
    raise RuntimeError(f"the company did not close within {most} completions")


class FakeCompute:
    """A compute backend without processes: outcomes come from `train`, after as many turns of the loop as `delay` says.

    `log` holds what happened, as (what, experiment, slot); two runs on one slot at once raise AssertionError.
    """

    def __init__(
        self, slots: int, train: Trainer, delay: Callable[[Order], int] = lambda order: 0, parting: int = 3
    ) -> None:
        self.slots = tuple(Slot(index) for index in range(slots))
        self.train, self.delay, self.parting = train, delay, parting
        self.log: list[tuple[str, str, int]] = []
        self._busy: dict[int, str] = {}

    async def start(self) -> None: ...

    async def close(self) -> None:
        assert not self._busy, f"still running: {self._busy}"

    async def run(self, order: Order, on_rung: OnRung) -> Outcome:
        slot = order.slot.index
        assert slot not in self._busy, f"{order.experiment} on slot {slot}, which runs {self._busy[slot]}"
        self._busy[slot] = order.experiment
        self.log.append(("start", order.experiment, slot))
        try:
            outcome = self.train(order)
            for index, (step, loss) in enumerate(rungs_of(outcome, order.rungs, order.steps)):
                await self._turns(self.delay(order))
                on_rung(index, step, loss)
            await self._turns(self.delay(order))
            return outcome
        finally:  # ending a process group takes a while
            try:
                await self._turns(self.parting, stubborn=True)
            finally:
                del self._busy[slot]
                self.log.append(("end", order.experiment, slot))

    async def _turns(self, count: int, stubborn: bool = False) -> None:
        cancelled = False
        for _ in range(count):
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                if not stubborn:
                    raise
                cancelled = True
        if cancelled:
            raise asyncio.CancelledError
