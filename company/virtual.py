"""The virtual shell: the same engine in company time, against a function instead of a training process. No clock.

What happens next is on a queue keyed (time, priority, sequence): at the same instant decisions go before runs, in the
order they were asked, and runs by number. With the default `Pace` decisions take no time and runs what the cost table
predicts, as `Engine.due` has it. Thinking, training and faults follow from streams named by whom they concern, never
from the order of events: a company that asks more changes nobody else's luck.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Protocol

from company.chart import OrgChart
from company.compute.backend import Outcome
from company.engine import Cancel, Completion, Consult, Decided, Ended, Engine, Launch, RungSeen, Step
from company.entities import Experiment, Pending
from company.event_queue import EventQueue
from company.state import State
from projects.frozen import frozen
from projects.spec import Project, Value
from roles.employee import Employee, decide_offline
from roles.observation import Observation
from roles.streams import stream

MAX_LOSSES = 3  # as in the live shell: a run that loses its worker this often fails as infrastructure
MOST_STEPS = 10_000_000


class Run(Protocol):
    """What a trainer may look at: an experiment, or the order to run one."""

    @property
    def config(self) -> Mapping[str, Value]: ...
    @property
    def seed(self) -> int: ...
    @property
    def steps(self) -> int: ...
    @property
    def attempt(self) -> int: ...
    @property
    def micro_batch(self) -> int | None: ...


class Priced(Run, Protocol):
    """A run with its price: the reference seconds that the cost table predicts for it."""

    @property
    def cost(self) -> float: ...


Trainer = Callable[[Run], Outcome]
Seconds = Callable[[Priced], float]
Ask = Callable[[State, Observation], Decided]


@dataclass(frozen=True, slots=True)
class Thinking:
    """How long a decision takes: lognormal with this median (seconds) and standard deviation of its logarithm."""

    median: float
    sd: float = 0.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things take beside training: `thinking` by task, none where a task is missing.

    `faults` is the chance that a run loses its worker, again and again up to MAX_LOSSES; what was lost is run again.
    `speeds` are those of the slots, 1 being the reference machine's, repeated as often as there are slots.
    """

    thinking: Mapping[str, Thinking] = field(default_factory=dict)
    faults: float = 0.0
    speeds: tuple[float, ...] = (1.0,)

    def thought(self, root: int, pending: Pending) -> float:
        """Seconds until a decision is made, named by agent, task and turn."""
        found = self.thinking.get(pending.task)
        if found is None or found.median <= 0:
            return 0.0
        drawn = stream(root, pending.agent, f"thinking {pending.task}", pending.turn).standard_normal()
        return found.median * math.exp(found.sd * float(drawn))

    def losses(self, run: Run) -> tuple[float, ...]:
        """At which shares of its way a run loses its worker, in turn; MAX_LOSSES of them and it is given up."""
        if self.faults <= 0:
            return ()
        draws = stream(run.seed, "faults", "worker", run.attempt).random((MAX_LOSSES, 2))
        lost: list[float] = []
        for chance, share in draws.tolist():
            if chance >= self.faults:
                break
            lost.append(share)
        return tuple(lost)


class VirtualCompany:
    """One company at work without a clock: each `advance` brings the completion that is due next.

    On an engine with a state (one folded from a ledger) it goes on from there, as a resumed run does. `seconds` says
    how long a run holds its slot at speed 1; its predicted cost where it is None. `last` is the latest completion.
    """

    def __init__(
        self, engine: Engine, train: Trainer, ask: Ask, seconds: Seconds | None = None, pace: Pace | None = None
    ) -> None:
        self.engine, self.train, self.ask, self.seconds, self.pace = engine, train, ask, seconds, pace or Pace()
        self.last: Completion | None = None
        self._queue: EventQueue[tuple[Consult | Launch, int]] = EventQueue()
        self._runs: dict[Launch, _Course] = {}
        for effect in self.outstanding:
            self._push(effect)

    @property
    def outstanding(self) -> list[Consult | Launch]:
        """What has been asked for and not come back."""
        return [effect for effect in self.engine.outstanding() if not isinstance(effect, Cancel)]

    def follow(self, step: Step) -> Step:
        """Take a step's effects on."""
        for effect in step.effects:
            if not isinstance(effect, Cancel):
                self._push(effect)
        return step

    def advance(self) -> Step | None:
        """The next step, None when nothing is outstanding any more."""
        while self._queue:
            at, (effect, passed) = self._queue.pop()
            if isinstance(effect, Consult):
                if effect.decision not in self.engine.state.decisions:
                    continue
                self.last = self.ask(self.engine.state, self.engine.observe(effect.decision))
                return self.follow(self.engine.handle(self.last, at))
            experiment = self._running(effect)
            if experiment is None:
                self._runs.pop(effect, None)
            elif len(experiment.curve) != passed:
                self._push(effect)  # somebody else reported its rung
            else:
                self.last = self._heard(effect, experiment)
                step = self.engine.handle(self.last, at)
                if isinstance(self.last, RungSeen) and self._running(effect) is not None:
                    self._push(effect)
                return self.follow(step)
        return None

    def _push(self, effect: Consult | Launch) -> None:
        state = self.engine.state
        if isinstance(effect, Consult):
            pending = state.decisions[effect.decision]
            thought = self.pace.thought(state.seed, pending) if self.pace.thinking else 0.0
            self._queue.push(pending.at + thought, (effect, 0))
            return
        experiment = state.experiments[effect.experiment]
        course, passed = self._runs.get(effect), len(experiment.curve)
        if course is None:
            course = self._runs[effect] = self._planned(experiment)
        share = experiment.rungs[passed] if passed < len(experiment.rungs) else 1.0
        due = experiment.started_at + course.delay + share * course.seconds
        self._queue.push(due, (effect, passed), int(experiment.id[1:]))

    def _planned(self, experiment: Experiment) -> _Course:
        speeds = self.pace.speeds
        speed = speeds[(experiment.slot or 0) % len(speeds)]
        seconds = (experiment.cost if self.seconds is None else self.seconds(experiment)) / speed
        losses = self.pace.losses(experiment) if self.pace.faults else ()
        if len(losses) == MAX_LOSSES:
            return _Course(sum(losses) * seconds, 0.0, Outcome("lost", detail="the worker was lost"), ())
        outcome = self.train(experiment)
        return _Course(sum(losses) * seconds, seconds, outcome, rungs_of(outcome, experiment.rungs, experiment.steps))

    def _heard(self, effect: Launch, experiment: Experiment) -> Completion:
        """What is heard of a run next."""
        course, passed = self._runs[effect], len(experiment.curve)
        if passed < len(course.rungs):
            return RungSeen(experiment.id, effect.attempt, passed, *course.rungs[passed])
        del self._runs[effect]
        return Ended(experiment.id, effect.attempt, course.outcome)

    def _running(self, effect: Launch) -> Experiment | None:
        """The experiment of a launch that is still under way."""
        experiment = self.engine.state.experiments[effect.experiment]
        return experiment if experiment.status == "running" and experiment.attempt == effect.attempt else None


@frozen
class _Course:
    """What becomes of a run: seconds lost with workers, then its own, how it ends and what it reports on the way."""

    delay: float
    seconds: float
    outcome: Outcome
    rungs: Sequence[tuple[int, float]]


def rungs_of(outcome: Outcome, rungs: Sequence[float], steps: int) -> list[tuple[int, float]]:
    """What a run reports at its rungs on the way to an outcome: (step, loss), up to where its curve ends."""
    found = []
    for rung in rungs:
        step = math.ceil(rung * steps)
        loss = next((loss for at, loss in outcome.curve if at >= step), None)
        if loss is None or not math.isfinite(loss):
            break
        found.append((step, loss))
    return found


def direct(state: State, observation: Observation) -> Decided:
    """Decide by the agent's own offline policy."""
    agent = state.agents[observation.agent]
    return Decided(observation.decision, decide_offline(agent.role, agent.brain, observation))


class Staff:
    """Agents behind AutoGen who decide one after another: `ask` for a `VirtualCompany`. Use it as a context manager."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._employees: dict[str, tuple[object, Employee]] = {}  # by agent, with the brain and role it was hired with

    def __enter__(self) -> Staff:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for _, employee in self._employees.values():
            self._runner.run(employee.close())
        self._runner.close()

    def ask(self, state: State, observation: Observation) -> Decided:
        """One turn of the agent's employee; who was promoted or coached thinks anew."""
        from roles.brains.agent import AgentEmployee

        agent = state.agents[observation.agent]
        known = self._employees.get(agent.id)
        if known is None or known[0] != (agent.role, agent.brain):
            known = self._employees[agent.id] = (
                (agent.role, agent.brain), AgentEmployee(agent.id, agent.role, agent.brain)
            )  # fmt: skip
        decision = self._runner.run(known[1].decide(observation))
        measured = {"tokens": decision.tokens} if decision.tokens else {}
        return Decided(observation.decision, decision.intents, decision.problem, measured)


def run_virtually(
    project: Project, chart: OrgChart, train: Trainer, *, seed: int, slots: int, seconds: Seconds | None = None,
    pace: Pace | None = None, engine: Literal["direct", "autogen"] = "direct",
    on_step: Callable[[Step, VirtualCompany], None] = lambda step, company: None,
    measured: Mapping[str, object] | None = None,
) -> Engine:  # fmt: skip
    """Run a company from founding to closing and return its engine."""
    if engine == "direct":
        return _to_the_end(project, chart, train, direct, seed, slots, seconds, pace, on_step, measured)
    with Staff() as staff:
        return _to_the_end(project, chart, train, staff.ask, seed, slots, seconds, pace, on_step, measured)


def _to_the_end(
    project: Project, chart: OrgChart, train: Trainer, ask: Ask, seed: int, slots: int, seconds: Seconds | None,
    pace: Pace | None, on_step: Callable[[Step, VirtualCompany], None], measured: Mapping[str, object] | None,
) -> Engine:  # fmt: skip
    engine = Engine(project)
    company = VirtualCompany(engine, train, ask, seconds, pace)
    step: Step | None = company.follow(engine.found(chart, seed, slots, measured=measured))
    for _ in range(MOST_STEPS):
        if step is None:
            return engine
        on_step(step, company)
        step = company.advance()
    raise RuntimeError(f"the company did not close within {MOST_STEPS:,} completions")
