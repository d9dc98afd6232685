"""The company as a pure state machine: completions come in, events and effects go out. No clock, no I/O.

A shell (company/live.py, company/virtual.py) carries effects out and brings their completions back. What one completion
leads to is one step: its events are recorded together or not at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any

from company import equipping, finals, holdout, interventions, lifecycle, management, noise, trials
from company import events as ev
from company.chart import OrgChart
from company.compute.backend import Outcome
from company.observe import observe
from company.planning import awaiting, budget_left, exhausted, next_proposer, over, pipeline, reserved
from company.staffing import founding_brain
from company.state import State
from company.taming import clean, tame
from projects.brief import describe
from projects.frozen import frozen
from projects.spec import Project
from roles.intents import Intent
from roles.observation import Observation


@frozen
class Decided:
    """An agent's decision came back."""

    decision: str
    intents: Sequence[Intent]
    problem: str = ""
    measured: Mapping[str, Any] = field(default_factory=dict)
    outage: str = ""  # why its model's server is taken to be out
    budget: str = ""  # why no model is asked any more


@frozen
class RungSeen:
    """A running experiment reported its training loss at a rung."""

    experiment: str
    attempt: int
    rung: int
    step: int
    loss: float


@frozen
class Ended:
    """A run ended."""

    experiment: str
    attempt: int
    outcome: Outcome


@frozen
class Commanded:
    """A person's command, from the `command` table: its number, what to do, with what, and whose it is."""

    command: int
    action: str
    args: Mapping[str, Any]
    by: str = "person"


Completion = Decided | RungSeen | Ended | Commanded


@frozen
class Consult:
    """Ask an agent for a decision."""

    decision: str


@frozen
class Launch:
    """Run an experiment on its slot."""

    experiment: str
    attempt: int


@frozen
class Cancel:
    """End a running experiment that the company has stopped."""

    experiment: str


Effect = Consult | Launch | Cancel


@frozen
class Step:
    """What one completion led to: events to record in one transaction, then effects to carry out."""

    events: list[tuple[float, ev.Event]]
    effects: list[Effect]


class Engine:
    """Drives one company. `emit`, `consult` and `effect` are for the policies in lifecycle.py and management.py."""

    def __init__(self, project: Project, state: State | None = None, program: str = "") -> None:
        self.project, self.program = project, program  # the program: the person's research brief, for models
        self.state = state or State()
        self._step, self._now = Step([], []), 0.0

    def found(
        self, chart: OrgChart, seed: int, slots: int, device: str = "cpu", data_hash: str = "",
        measured: Mapping[str, Any] | None = None, no_patches: str = "",
    ) -> Step:  # fmt: skip
        """The first step: the company is founded, its positions are filled, its noise is about to be measured.

        `no_patches` says why the company takes no changes of the training code, where it takes none.
        """
        self._step, self._now = Step([], []), 0.0
        brief = {**describe(self.project, data_hash), **({"no_patches": no_patches} if no_patches else {})}
        self.emit(ev.RunFounded(chart.to_dict(), brief, seed, slots, device, measured or {}))
        for position in chart.positions:
            brain = founding_brain(chart, position.id)
            name = position.title or position.id
            self.emit(ev.AgentHired(position.id, name, position.id, position.role, brain, "the chart's founding hire"))
        noise.measure(self)
        self._pump()
        return self._step

    def handle(self, completion: Completion, at: float) -> Step:
        """Everything that follows from one completion at company time `at`; nothing when it is out of date."""
        self._step, self._now = Step([], []), max(self.state.now, at)
        _HANDLERS[type(completion)](self, completion)
        if self._step.events:
            self._pump()
        return self._step

    def outstanding(self) -> list[Effect]:
        """The effects that have no completion yet, in the order they were asked for: what a resumed run re-issues."""
        running = sorted(self.state.running.values(), key=lambda e: (self.state.experiments[e].started_at, e))
        launches = [Launch(e, self.state.experiments[e].attempt) for e in running]
        return [*(Consult(decision) for decision in self.state.decisions), *launches]

    def observe(self, decision: str) -> Observation:
        """What the agent sees as it starts to decide."""
        return observe(self.state, self.state.decisions[decision], self.project)

    def due(self, effect: Consult | Launch) -> tuple[float, int, int]:
        """When an effect's next completion is expected: (company time, priority, order asked), a total order.

        Decisions of optimisers take no company time and go first; a run is next heard of at its next rung or its end,
        as the cost table predicts it.
        """
        if isinstance(effect, Consult):
            pending = self.state.decisions[effect.decision]
            return pending.at, 0, int(effect.decision[1:])
        experiment = self.state.experiments[effect.experiment]
        passed = len(experiment.curve)
        share = experiment.rungs[passed] if passed < len(experiment.rungs) else 1.0
        return experiment.started_at + share * experiment.cost, 1, int(experiment.id[1:])

    def emit(self, event: ev.Event) -> None:
        """Let something happen: applied at once, recorded when the step is."""
        self.state.apply(event, self._now)
        self._step.events.append((self._now, event))

    def consult(self, agent: str, task: str, experiment: str | None = None) -> None:
        """Ask an agent to decide."""
        decision = f"d{self.state.asked + 1}"
        turn = self.state.turns.get((agent, task), 0)
        self.emit(ev.DecisionRequested(decision, agent, task, experiment, turn))
        self._step.effects.append(Consult(decision))

    def effect(self, effect: Effect) -> None:
        self._step.effects.append(effect)

    def _pump(self) -> None:
        """Whatever the new state makes possible, until nothing more does."""
        state = self.state
        if state.unversioned:
            equipping.equip(self)
        if state.paused:
            return
        if state.phase == "founding":
            noise.settle(self)
        if state.phase == "research":
            trials.settle(self)
            management.call_meetings(self)
            self._ask_for_proposals()
            self._end_research_when_done()
        if state.phase == "closing":
            holdout.settle(self)
        self._launch()

    def _ask_for_proposals(self) -> None:
        state = self.state
        room = state.slots + state.chart.policies.assign.ahead
        kept = reserved(state)
        while pipeline(state) < room and awaiting(state) < budget_left(state) - kept and not exhausted(state):
            position = next_proposer(state)
            if position is None:
                return
            self.consult(state.holder[position], "propose")

    def _end_research_when_done(self) -> None:
        state = self.state
        if state.under_way or state.decisions or not over(state) or finals.hold(self):
            return
        used_up = exhausted(state)
        reason = "every new proposal was a duplicate or was turned down" if used_up else "the research budget is spent"
        self.emit(ev.ResearchEnded(state.models_spent or reason))
        holdout.begin(self)

    def _launch(self) -> None:
        state = self.state
        if not state.queue:
            return
        for slot in state.free_slots()[: len(state.queue)]:
            experiment = state.experiments[state.queue[0]]
            watched = experiment.purpose == "proposal" and lifecycle.watcher(state, experiment) is not None
            rungs = list(state.chart.policies.watch.rungs) if watched else []
            self.emit(ev.ExperimentStarted(experiment.id, experiment.attempt, slot, rungs))
            self._step.effects.append(Launch(experiment.id, experiment.attempt))

    def _decided(self, completion: Decided) -> None:
        pending = self.state.decisions.get(completion.decision)
        if pending is None:
            return
        intents = [_told(intent) for intent in completion.intents]
        problem = clean(completion.problem)
        self.emit(ev.DecisionMade(pending.id, pending.agent, pending.task, intents, problem, completion.measured))
        equipping.heed(self, pending.agent, completion.outage, completion.budget, bool(problem))
        management.carry_out(self, pending, completion.intents)

    def _rung_seen(self, completion: RungSeen) -> None:
        experiment = self.state.experiments.get(completion.experiment)
        if experiment is None or experiment.status != "running" or experiment.attempt != completion.attempt:
            return
        if completion.rung == len(experiment.curve) < len(experiment.rungs) and math.isfinite(completion.loss):
            self.emit(ev.RungReached(experiment.id, completion.rung, completion.step, completion.loss))
            watcher = lifecycle.watcher(self.state, experiment)
            if watcher is not None:
                self.consult(watcher, "watch", experiment.id)

    def _commanded(self, completion: Commanded) -> None:
        done, answer = interventions.carry_out(self, completion.action, completion.args, completion.by)
        self.emit(
            ev.CommandAnswered(
                completion.command, completion.action, dict(completion.args), completion.by, done, answer
            )
        )

    def _ended(self, completion: Ended) -> None:
        experiment = self.state.experiments.get(completion.experiment)
        if experiment is None or experiment.status != "running" or experiment.attempt != completion.attempt:
            return
        lifecycle.on_ended(self, experiment, completion.outcome)


def _told(intent: Intent) -> dict[str, ev.Json]:
    """An intent as it is recorded: the names are its class's, what they hold is the agent's."""
    return {"kind": type(intent).__name__, **{name: tame(value) for name, value in vars(intent).items()}}


_HANDLERS: dict[type, Callable[[Engine, Any], None]] = {
    Decided: Engine._decided,
    RungSeen: Engine._rung_seen,
    Ended: Engine._ended,
    Commanded: Engine._commanded,
}
