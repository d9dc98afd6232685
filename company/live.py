"""The live shell: carries the engine's effects out with real agents and real workers, on the wall clock.

In order (the default for optimisers on one slot, or `--deterministic`) completions are applied in the order that the
cost table predicts, whichever came first: the history then depends on chart, project and seed alone. Otherwise they are
applied as they come.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from company.chaining import canonical
from company.compute.backend import Compute, ComputeError, Order, Outcome
from company.compute.endings import disk_full
from company.engine import Cancel, Commanded, Completion, Consult, Decided, Ended, Engine, Launch, RungSeen, Step
from company.entities import Agent, Experiment
from company.ledger import Ledger
from company.patching.allowance import Allowance
from company.patching.versions import files_of
from company.state import State
from roles.brains.llm.redact import Redactor
from roles.brains.llm.settings import is_model
from roles.employee import Employee

LISTEN_S = 0.25  # between two looks at what people ask for
MAX_LOSSES = 3  # a run that loses its worker this often fails as infrastructure

Hire = Callable[[Agent], Employee]
OnStep = Callable[[State, Step], None]


class LiveCompany:
    """One company at work. `run` returns when it has closed or was asked to stop."""

    def __init__(
        self, engine: Engine, ledger: Ledger, compute: Compute, hire: Hire, folder: Path, data: Path, *,
        in_order: bool, on_step: OnStep = lambda state, step: None, no_patches: str = "",
    ) -> None:  # fmt: skip
        self.engine, self.ledger, self.compute = engine, ledger, compute
        self.folder, self.data = folder, data
        self.in_order, self.on_step = in_order, on_step
        self._hire = hire
        self._employees: list[Employee] = []
        self._idle: dict[tuple[str, str, str], list[Employee]] = {}  # who is promoted or coached thinks anew
        self._sources: dict[Consult | Launch, Source] = {}
        self._leaving: list[Source] = []  # cancelled, their processes perhaps not gone yet
        self._slot_free = {slot.index: asyncio.Lock() for slot in compute.slots}
        self._stopping = asyncio.Event()
        self._listen_at = 0.0
        self._no_patches = no_patches  # why changed code is not run, where it is not
        self._allowance = Allowance("cuda" if compute.slots[0].device == "cuda" else "cpu")
        self._redactor = Redactor.of_environment()  # a script may print what it finds

    def stop(self) -> None:
        """Ask the company to stop after what is being recorded; running experiments are ended and run again later."""
        self._stopping.set()

    async def run(self, first: Step | None = None) -> bool:
        """Work until closing. `first` is the founding step, None to go on from the ledger. True when it closed."""
        try:
            if first is not None:
                self._record(first)
            else:
                self._remember()
                for effect in self.engine.outstanding():
                    self._begin(effect)
            await self._work()
        finally:
            await self._end()
        return self.engine.state.phase == "closed"

    async def _work(self) -> None:
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            while self.engine.state.phase != "closed" and not self._stopping.is_set():
                self._obey()
                source = await self._next_source(stopping)
                if source is None:
                    continue
                completion = source.take()
                at = self.engine.due(source.effect)[0] if self._alive(source.effect) else self.engine.state.now
                if source.spent:
                    del self._sources[source.effect]
                self._keep_curve(completion)
                self._record(self.engine.handle(completion, at))
        finally:
            stopping.cancel()

    async def _next_source(self, stopping: asyncio.Task[Any]) -> Source | None:
        """The source whose completion is applied next, None when there is a reason to look around first."""
        if self.in_order and self._sources:
            waiting = [min(self._sources.values(), key=lambda source: self.engine.due(source.effect))]
            waiting[0].begin()
        else:
            waiting = list(self._sources.values())
            for source in waiting:
                source.begin()
        ready = {source: asyncio.create_task(source.ready()) for source in waiting}
        everything = [*ready.values(), stopping]
        await asyncio.wait(everything, timeout=LISTEN_S, return_when=asyncio.FIRST_COMPLETED)
        done = next((source for source, future in ready.items() if future.done()), None)
        for future in ready.values():
            future.cancel()
        return None if self._stopping.is_set() else done

    def _obey(self) -> None:
        """Carry out what people have asked for since the last look."""
        now = time.monotonic()
        if now < self._listen_at:
            return
        self._listen_at = now + LISTEN_S
        for command in self.ledger.commands():
            ordered = Commanded(command.id, command.action, command.args, command.by)
            self._record(self.engine.handle(ordered, self.engine.state.now))

    def _record(self, step: Step) -> None:
        """Record a step, then carry its effects out: never the other way round."""
        if not step.events:
            return
        self.ledger.append(step.events, self.engine.state)
        for effect in step.effects:
            self._begin(effect)
        for effect in [effect for effect in self._sources if not self._alive(effect)]:
            self._leaving = [source for source in self._leaving if not source.gone]
            self._leaving.append(self._sources.pop(effect))
            self._leaving[-1].cancel()
        self.on_step(self.engine.state, step)

    def _begin(self, effect: Consult | Launch | Cancel) -> None:
        if isinstance(effect, Consult):
            self._sources[effect] = Source(effect, self._consult)
        elif isinstance(effect, Launch):
            source = self._sources[effect] = Source(effect, self._train)
            source.begin()

    def _alive(self, effect: Consult | Launch) -> bool:
        state = self.engine.state
        if isinstance(effect, Consult):
            return effect.decision in state.decisions
        experiment = state.experiments[effect.experiment]
        return experiment.status == "running" and experiment.attempt == effect.attempt

    async def _consult(self, source: Source) -> None:
        assert isinstance(source.effect, Consult)
        pending = self.engine.state.decisions[source.effect.decision]
        agent = self.engine.state.agents[pending.agent]
        version = agent.harness.version if agent.harness else 0
        key = agent.id, f"{agent.role} {version}", canonical({agent.brain.kind: dict(agent.brain.params)})
        employee = self._take(key, agent)
        decision = await employee.decide(self.engine.observe(pending.id))
        if is_model(agent.brain):
            self._idle[key].append(employee)
        measured = {**decision.measured, **({"tokens": decision.tokens} if decision.tokens else {})}
        told = decision.outage, decision.budget
        source.put(Decided(pending.id, decision.intents, decision.problem, measured, *told), last=True)

    def _take(self, key: tuple[str, str, str], agent: Agent) -> Employee:
        """Who decides for an agent. One that waits for its model's answer can turn to another question meanwhile, in a
        conversation of its own; an optimiser answers one after the other."""
        idle = self._idle.setdefault(key, [])
        if not idle:
            self._employees.append(self._hire(agent))
            idle.append(self._employees[-1])
        return idle.pop() if is_model(agent.brain) else idle[0]

    async def _train(self, source: Source) -> None:
        """Run an experiment until it ends by its own doing, again when its worker is lost."""
        assert isinstance(source.effect, Launch)
        experiment = self.engine.state.experiments[source.effect.experiment]
        slot, attempt = experiment.slot or 0, experiment.attempt
        known = len(experiment.curve)

        def on_rung(index: int, step: int, loss: float) -> None:
            nonlocal known
            if index == known and math.isfinite(loss):
                known += 1
                source.put(RungSeen(experiment.id, attempt, index, step, loss))

        if experiment.code and self._no_patches:
            refused = Outcome("failed", failure="crash", detail=self._no_patches)
            source.put(Ended(experiment.id, attempt, refused), last=True)
            return
        order = self._order(experiment, slot)
        async with self._slot_free[slot]:
            outcome = await self._attempt(order, on_rung)
            for _ in range(MAX_LOSSES - 1):
                if outcome.status != "lost":
                    break
                outcome = await self._attempt(order, on_rung)
        source.put(Ended(experiment.id, attempt, self._matched(experiment, outcome)), last=True)

    def _matched(self, experiment: Experiment, outcome: Outcome) -> Outcome:
        """Changed code is held to the compute that the project's own code takes."""
        if experiment.code:
            fixed = self.engine.project.costs.fixed_seconds(experiment.config)
            return self._allowance.judge(outcome, experiment.cost, fixed)
        if outcome.status == "ok":
            self._allowance.learn(outcome.measured, experiment.cost)
        return outcome

    def _remember(self) -> None:
        """What runs took before the company was resumed."""
        experiments = self.engine.state.experiments
        for attempt in self.ledger.attempts():
            experiment = experiments.get(attempt.experiment)
            if experiment is not None and not experiment.code and attempt.outcome == "ok":
                self._allowance.learn(attempt.measured, experiment.cost)

    async def _attempt(self, order: Order, on_rung: Callable[[int, int, float], None]) -> Outcome:
        row = self.ledger.start_attempt(order.experiment, order.attempt, order.slot.index)
        try:
            outcome = await self.compute.run(order, on_rung)
        except (asyncio.CancelledError, Exception) as error:  # such as a broken seal, which ends the company
            self.ledger.end_attempt(row, "stopped", self._redactor.text(str(error)), {})
            raise
        measured: Mapping[str, float] = outcome.measured
        outcome = replace(outcome, detail=self._redactor.text(outcome.detail))
        self.ledger.end_attempt(row, outcome.failure or outcome.status, outcome.detail, measured)
        if outcome.status == "lost" and disk_full(self.folder):  # by our own look: a script may say so to be excused
            raise ComputeError(f"{self.folder}: the disk is full: free some space and resume the run")
        return outcome

    def _order(self, experiment: Experiment, slot: int) -> Order:
        champion = self.engine.state.champion
        return Order(
            experiment=experiment.id,
            attempt=experiment.attempt,
            slot=self.compute.slots[slot],
            project=self.engine.project,
            folder=self.folder / experiment.id,
            data=self.data,
            config=experiment.config,
            seed=experiment.seed,
            steps=experiment.steps,
            split="holdout" if experiment.split == "holdout" else "validation",
            micro_batch=experiment.micro_batch,
            rungs=experiment.rungs,
            files=files_of(self.engine.state, self.engine.project, experiment.code) if experiment.code else {},
            keep_weights=experiment.purpose == "closing"
            and champion is not None
            and experiment.parent == champion.experiment,
        )

    def _keep_curve(self, completion: Completion) -> None:
        if isinstance(completion, Ended):
            self.ledger.add_metrics(
                completion.experiment, [(s, v) for s, v in completion.outcome.curve if math.isfinite(v)]
            )

    async def _end(self) -> None:
        for source in self._sources.values():
            source.cancel()
        for source in [*self._sources.values(), *self._leaving]:
            await source.join()
        for employee in self._employees:
            await employee.close()


class Source:
    """Where the completions of one effect come from: a task and the mailbox that it fills."""

    def __init__(self, effect: Consult | Launch, work: Callable[[Source], Coroutine[Any, Any, None]]) -> None:
        self.effect = effect
        self._work = work
        self._task: asyncio.Task[None] | None = None
        self._mail: list[Completion] = []
        self._arrived = asyncio.Event()
        self._complete = False

    @property
    def spent(self) -> bool:
        """Whether the last completion has been taken."""
        return self._complete and not self._mail

    @property
    def gone(self) -> bool:
        """Whether no work is left that a cancelled source still does."""
        return self._task is None or self._task.done()

    def begin(self) -> None:
        """Start the work, once."""
        if self._task is None:
            self._task = asyncio.create_task(self._work(self))
            self._task.add_done_callback(lambda _: self._arrived.set())

    def put(self, completion: Completion, last: bool = False) -> None:
        self._mail.append(completion)
        self._complete = last
        self._arrived.set()

    async def ready(self) -> None:
        """Wait until `take` has something to give or the work has failed."""
        await self._arrived.wait()

    def take(self) -> Completion:
        """The next completion. Raises what the work raised when it failed."""
        if not self._mail and self._task is not None and self._task.done():
            self._task.result()
        completion = self._mail.pop(0)
        if not self._mail and not self._complete:
            self._arrived.clear()
        return completion

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def join(self) -> None:
        """Wait for a cancelled task to be gone, its processes with it."""
        if self._task is not None:
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._task
