"""The company as it stands: a fold over events. `State.apply` is the only way that it changes."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, cast

from company import events as ev
from company.chart import OrgChart, shared_chart
from company.entities import NOBODYS_FAULT, RESEARCH, Agent, Code, Experiment, Noted, Pending, Probation, Revised
from company.record import RECORDED, Record
from projects.brief import metric_of, space_of
from projects.spec import Metric, SearchSpace, Value, config_hash
from roles.brains.llm.settings import is_model
from roles.intents import ROLE_OF_TASK
from roles.observation import Champion, Directive, Result
from roles.role import Brain

ROLE_TASKS = {role: tuple(t for t, r in ROLE_OF_TASK.items() if r == role) for role in set(ROLE_OF_TASK.values())}


class State:
    """The fold. Fields are read by everyone and written only by `apply`."""

    def __init__(self) -> None:
        self.now = 0.0
        self.seq = 0
        self.phase = "unfounded"  # founding | research | closing | closed
        self.seed = 0
        self.slots = 0
        self.device = "cpu"
        self.sandbox = ""  # the level at which experiments run, "" where none are trained
        self.brief: Mapping[str, Any] = {}
        self.agents: dict[str, Agent] = {}
        self.holder: dict[str, str] = {}  # position -> agent
        self.experiments: dict[str, Experiment] = {}
        self.by_hash: dict[str, str] = {}  # config hash -> first experiment that tried it
        self.decisions: dict[str, Pending] = {}
        self.asked = 0
        self.turns: dict[tuple[str, str], int] = {}
        self.queue: deque[str] = deque()
        self.running: dict[int, str] = {}  # slot -> experiment
        self.under_way: dict[str, None] = {}
        self.results: list[Result] = []
        self.seen: dict[str, list[Result]] = {}  # position -> the results that it may see
        self.losses: list[float] = []  # of all finished proposals, sorted
        self.record = Record()  # what appraisals rest on
        self.passes: dict[str, float] = {}  # stride scheduling: position -> virtual time when it was last asked
        self.pass_now = 0.0
        self.sigma = 0.0
        self.baseline_mean: float | None = None
        self.baseline_values: list[float] = []
        self.champion: Champion | None = None
        self.champion_values: list[float] = []
        self.champion_hash = ""
        self.spread: list[tuple[int, float]] = []  # (n - 1, variance) of every replicated config: pooled noise
        self.admitted = 0.0  # in full-length runs: one that was stopped early counts by what it used
        self.admitted_cost = 0.0
        self.proposals_finished = 0
        self.duplicates = 0
        self.dropped_in_a_row = 0
        self.plans = -(10**9)  # proposals finished at the last plan: the first is due at once
        self.appraised_at = 0
        self.hired = 0
        self.talent_used: dict[int, int] = {}
        self.changes: list[tuple[float, ev.Event]] = []
        self.trail: list[tuple[float, float]] = []  # (company time, champion's confirmed metric)
        self.holdout: ev.HoldoutMeasured | None = None
        self.closed: ev.RunClosed | None = None
        self.ended_because = ""
        self.paused = False
        self.revisions: list[Revised] = []
        self.rounds = 0  # of appraisals
        self.structure_at = 0  # the round in which the structure was last looked at
        self.requests: dict[str, ev.ApprovalAsked] = {}  # acts that wait for a person
        self.requested = 0
        self.trials: dict[str, ev.AgentReplaced] = {}  # position -> the replacement that is not yet for good
        self.heirs: dict[str, str] = {}  # closed position -> who took its open work
        self.codes: dict[str, Code] = {}  # versions of the training code, by their hash
        self.reigns: list[tuple[float, str]] = []  # (company time, experiment) of every champion
        self.notebook: list[Noted] = []  # what agents wrote; what came of experiments is read from those
        self.unversioned: dict[str, str] = {}  # agents with a model whose harness may have changed, and why
        self.away: set[str] = set()  # agents whose model's server is out
        self.models_spent = ""  # why no language model is asked any more

    @cached_property
    def chart(self) -> OrgChart:
        raise RuntimeError("the company is not founded")

    @cached_property
    def space(self) -> SearchSpace:
        return space_of(self.brief)

    @cached_property
    def starts(self) -> tuple[tuple[str, dict[str, Value], str], ...]:
        """What the chart wants tried first, as (hash, config, where it did well), brought into this project's space."""
        found: dict[str, tuple[dict[str, Value], str]] = {}
        for start in self.chart.starts:
            config = self.space.fitted(start.config, self.brief["baseline"])
            if config is not None:
                found.setdefault(config_hash(config), (config, start.origin))
        return tuple((digest, config, origin) for digest, (config, origin) in found.items())

    @cached_property
    def metric(self) -> Metric:
        return metric_of(self.brief)

    def apply(self, event: ev.Event, at: float) -> None:
        """Change the state by one event that happened at company time `at` (reference seconds)."""
        self.now = at
        self.seq += 1
        kind = type(event)
        if kind in RECORDED:
            self.record.apply(event)
        _APPLY[kind](self, event)

    def loss(self, metric: float) -> float:
        """A metric turned so that smaller is better."""
        return metric * self._sign

    @cached_property
    def _sign(self) -> float:
        return self.metric.sign

    def agent_at(self, position: str) -> Agent:
        return self.agents[self.holder[position]]

    def active(self) -> list[Agent]:
        """Everyone who holds a position, in the chart's order."""
        return [self.agent_at(position.id) for position in self.chart.positions if position.id in self.holder]

    def filled(self, positions: Iterable[str]) -> list[str]:
        """Those of some positions that somebody holds, in order."""
        return [position for position in positions if position in self.holder]

    def seat_of(self, position: str) -> str:
        """The position itself, or whoever took over from it when it was closed."""
        seats = {p.id for p in self.chart.positions}
        while position not in seats:
            position = self.heirs[position]
        return position

    def free_slots(self) -> list[int]:
        return [slot for slot in range(self.slots) if slot not in self.running]

    def _founded(self, event: ev.RunFounded) -> None:
        self.phase = "founding"
        self.brief, self.seed, self.slots, self.device = event.project, event.seed, event.slots, event.device
        self.sandbox = _level(event)
        self.__dict__["chart"] = shared_chart(event.chart)
        self.seen = {position.id: [] for position in self.chart.positions}
        self.passes = {p.id: -math.inf for p in self.chart.positions if p.role == "researcher"}

    def _hired(self, event: ev.AgentHired) -> None:
        brain = Brain(event.brain["kind"], event.brain.get("params", {}))
        self.agents[event.agent] = Agent(event.agent, event.name, event.position, event.role, brain)
        self.holder[event.position] = event.agent
        self.hired += 1
        if event.talent is not None:
            self.talent_used[event.talent] = self.talent_used.get(event.talent, 0) + 1
        self._equip(event.agent, "hired")
        if event.role == "researcher":
            self.passes.setdefault(event.position, self.pass_now)
        self._shares.clear()

    def _replaced(self, event: ev.AgentReplaced) -> None:
        leaving, hired = self.agents[event.leaving], self.agents[event.hired]
        leaving.status = "left"
        hired.share, hired.directive = leaving.share, leaving.directive
        self._shares.clear()
        self.decisions = {id_: p for id_, p in self.decisions.items() if p.agent != event.leaving}
        self.trials.pop(event.position, None)
        if event.trial:
            hired.status, self.trials[event.position] = "trial", event
        self.changes.append((self.now, event))

    def _trial_ended(self, event: ev.TrialEnded) -> None:
        del self.trials[event.position]
        stays, goes = self.agents[event.hired], self.agents[event.leaving]
        if not event.passed:
            stays.share, stays.directive = goes.share, goes.directive
            self.holder[event.position] = stays.id
            self.decisions = {id_: p for id_, p in self.decisions.items() if p.agent != goes.id}
            self._shares.clear()
        stays.status, stays.probation, goes.status = "active", None, "left"
        self.changes.append((self.now, event))

    def _end_trials(self) -> None:
        """Who has moved on, or has another role now, has the job."""
        for position, replaced in list(self.trials.items()):
            hire = self.agents[replaced.hired]
            if self.holder.get(position) != hire.id or hire.role != "researcher":
                del self.trials[position]
                hire.status = "active" if hire.status == "trial" else hire.status

    def _coached(self, event: ev.AgentCoached) -> None:
        agent = self.agents[event.agent]
        agent.status = "trial" if agent.status == "trial" else "probation"
        if agent.probation is None:  # to be coached again is no new probation
            agent.probation = Probation(event.level, self.record.evidence(agent.id) + event.experiments)
        agent.brain = Brain(agent.brain.kind, {**agent.brain.params, **event.params})
        if event.directive:
            agent.directive = Directive(cast(Any, event.directive), agent.directive.focus, event.because)
        if event.advice:
            agent.advice = (*agent.advice, event.advice)
        self._equip(agent.id, f"coached by {event.by}")
        self.changes.append((self.now, event))

    def _appraised(self, event: ev.AgentAppraised) -> None:
        agent = self.agents[event.agent]
        agent.appraised = event
        if event.outcome == "keep" and agent.probation and event.evidence >= agent.probation.until:
            agent.status, agent.probation = "trial" if agent.status == "trial" else "active", None
        self.appraised_at = self.proposals_finished

    def _revised(self, event: ev.ChartRevised) -> None:
        self.__dict__["chart"] = OrgChart.from_dict(event.chart)
        self._reseat(event)
        self._end_trials()
        for cached in ("_producers", "_visible", "_shares"):
            self.__dict__.pop(cached, None)
        staying = {agent.id: ROLE_TASKS[agent.role] for agent in self.active()}
        self.decisions = {
            id_: pending for id_, pending in self.decisions.items() if pending.task in staying.get(pending.agent, ())
        }
        self.heirs.update(event.owner)
        for experiment in (self.experiments[e] for e in self.under_way):
            if experiment.position is not None:
                experiment.position = self.seat_of(experiment.position)
        known = self.seen
        self.seen = {p.id: known[p.id] if p.id in known else self._notes(p.id) for p in self.chart.positions}
        researchers = [a.position for a in self.active() if a.role == "researcher"]
        self.passes = {position: self.passes.get(position, self.pass_now) for position in researchers}
        self.revisions.append(Revised(event, self.proposals_finished))
        if event.undoes is not None:
            self.revisions[event.undoes - 1].undone = True
        self.changes.append((self.now, event))

    def _reseat(self, event: ev.ChartRevised) -> None:
        """Agents follow their seats; who is left without one leaves; a new role brings a new brain."""
        before = self.holder
        self.holder = {position: before[source] for position, source in event.seated.items() if source in before}
        staying = set(self.holder.values())
        for agent in before.values():
            if agent not in staying:
                self.agents[agent].status = "left"
        for position, name in self.holder.items():
            agent, role = self.agents[name], self.chart.position(position).role
            if agent.role != role:
                agent.former[agent.role] = agent.brain
                agent.status, agent.probation = "active" if agent.probation else agent.status, None
                agent.role, agent.brain = role, Brain(event.brains[position]["kind"], event.brains[position]["params"])
                self._equip(name, f"is {role} now")
            if agent.position != position:
                agent.position, agent.share, agent.directive = position, None, Directive()

    def _equip(self, agent: str, because: str) -> None:
        if is_model(self.agents[agent].brain):
            self.unversioned[agent] = because

    def _versioned(self, event: ev.HarnessVersioned) -> None:
        self.agents[event.agent].harness = event
        self.unversioned.pop(event.agent, None)

    def _away(self, event: ev.AgentPaused) -> None:
        agent = self.agents[event.agent]
        agent.away, agent.outages = event, agent.outages + 1
        self.away.add(event.agent)

    def _back(self, event: ev.AgentReturned) -> None:
        agent = self.agents[event.agent]
        agent.away, agent.outages = None, 0
        self.away.discard(event.agent)

    def _models_spent(self, event: ev.ModelBudgetSpent) -> None:
        self.models_spent = event.because

    def _notes(self, position: str) -> list[Result]:
        """What somebody in a new position is shown: all that it may see, and what came of seats that are gone."""
        seats = {p.id for p in self.chart.positions}
        visible = self.visible_to(position)
        owners = {r.experiment: self.experiments[r.experiment].position for r in self.results}
        hidden = seats - visible - {None}
        return [result for result in self.results if owners[result.experiment] not in hidden]

    def _checked(self, event: ev.RevisionChecked) -> None:
        revised = self.revisions[event.number - 1]
        revised.verdict, revised.found = event.verdict, event.because
        self.changes.append((self.now, event))

    def _structure(self, event: ev.StructureReviewed) -> None:
        self.structure_at = self.rounds

    def _asked_approval(self, event: ev.ApprovalAsked) -> None:
        self.requests[event.request] = event
        self.requested += 1

    def _given_approval(self, event: ev.ApprovalGiven) -> None:
        self.requests.pop(event.request, None)
        self.changes.append((self.now, event))

    def _requested(self, event: ev.DecisionRequested) -> None:
        pending = Pending(event.decision, event.agent, event.task, event.experiment, event.turn, self.now)
        if event.task == "propose" and self.reigns:
            pending.onto = self.champion_of(self.agents[event.agent].position)
        self.decisions[event.decision] = pending
        self.asked += 1
        self.turns[event.agent, event.task] = event.turn + 1
        agent = self.agents[event.agent]
        if event.task == "propose":
            self.pass_now = self.passes[agent.position] = self.due_for_proposal(agent.position)
        elif event.task == "plan":
            self.plans = self.proposals_finished
        elif event.task == "appraise":
            self.rounds += self.appraised_at != self.proposals_finished
            self.appraised_at = self.proposals_finished
        elif event.task == "review" and event.experiment:
            experiment = self.experiments[event.experiment]
            experiment.reviewers = (*experiment.reviewers, event.agent)
        elif event.task == "build" and event.experiment:
            self.experiments[event.experiment].status = "building"

    def _decided(self, event: ev.DecisionMade) -> None:
        self.decisions.pop(event.decision, None)
        self.agents[event.agent].decisions += 1

    def _directed(self, event: ev.DirectiveGiven) -> None:
        agent = self.agents[event.agent]
        agent.share = event.share
        self._shares.clear()
        agent.directive = Directive(cast(Any, event.directive), tuple(event.focus), event.reason)

    def _digest(self, event: ev.DigestSent) -> None:
        self.agents[event.manager].digest = event.text

    def _dropped(self, event: ev.ProposalDropped) -> None:
        agent = self.agents[event.agent]
        agent.dropped, agent.turned_down = agent.dropped + 1, event.detail
        self.duplicates += event.why == "duplicate"
        self.dropped_in_a_row += 1

    def _created(self, event: ev.ExperimentCreated) -> None:
        first = self.by_hash.setdefault(event.hash, event.experiment)
        known = self.experiments.get(first)
        unit = known.unit if known else self.space.encode(event.config)
        experiment = Experiment(
            event.experiment, event.purpose, event.config, event.hash, unit, event.seed,
            event.steps, event.cost, event.split, event.proposer, event.position, event.parent, event.predicted,
            event.reason, event.micro_batch, self.now, code=event.code,
        )  # fmt: skip
        self.experiments[event.experiment] = experiment
        if event.purpose == "proposal" and event.proposer:
            self.agents[event.proposer].turned_down = ""
        self.under_way[event.experiment] = None
        if event.parent and event.purpose == "replication":
            parent = self.experiments[event.parent]
            parent.replications.append(event.experiment)
            if parent.purpose == "proposal" and not parent.standing:  # in the finals many have been judged before
                parent.standing = "replicating"

    def _written(self, event: ev.CodeWritten) -> None:
        self.codes[event.code] = Code(event, self.now)

    def _patched(self, event: ev.ExperimentPatched) -> None:
        experiment = self.experiments[event.experiment]
        experiment.code, experiment.hash = event.code, event.hash
        experiment.repairs += 1
        self.agents[event.engineer].turned_down = ""
        self.by_hash.setdefault(event.hash, event.experiment)

    def _repair_refused(self, event: ev.RepairRefused) -> None:
        self.experiments[event.experiment].repairs += 1
        self.agents[event.engineer].turned_down = event.detail

    def _noted(self, event: ev.NoteWritten) -> None:
        position = self.agents[event.agent].position
        self.notebook.append(Noted(event.agent, position, event.text, len(self.results)))

    def _reviewed(self, event: ev.ReviewGiven) -> None:
        self.experiments[event.experiment].votes[event.reviewer] = event.approve

    def _refused(self, event: ev.ExperimentRefused) -> None:
        experiment = self.experiments[event.experiment]
        experiment.status, experiment.detail, experiment.finished_at = "refused", event.reason, self.now
        self.under_way.pop(event.experiment)
        self.dropped_in_a_row += 1

    def _queued(self, event: ev.ExperimentQueued) -> None:
        experiment = self.experiments[event.experiment]
        experiment.status, experiment.attempt = "queued", event.attempt
        experiment.micro_batch, experiment.device = event.micro_batch, event.device
        if experiment.purpose == "proposal":
            self.queue.append(event.experiment)
            self.dropped_in_a_row = 0
        else:  # a candidate waits for its replications, and everyone waits for the baseline: those go first
            ahead = sum(self.experiments[e].purpose != "proposal" for e in self.queue)
            self.queue.insert(ahead, event.experiment)
        if not experiment.admitted and experiment.purpose in RESEARCH:
            self.admitted += 1
            self.admitted_cost += experiment.cost
        experiment.admitted = True

    def _started(self, event: ev.ExperimentStarted) -> None:
        experiment = self.experiments[event.experiment]
        self.queue.remove(event.experiment)
        self.running[event.slot] = event.experiment
        experiment.status, experiment.slot, experiment.started_at = "running", event.slot, self.now
        experiment.rungs, experiment.curve = tuple(event.rungs), []

    def _rung(self, event: ev.RungReached) -> None:
        experiment = self.experiments[event.experiment]
        experiment.curve.append((experiment.rungs[event.rung], event.loss))

    def _attempt_failed(self, event: ev.AttemptFailed) -> None:
        experiment = self.experiments[event.experiment]
        experiment.status, experiment.failure = "repairing", event.failure
        experiment.detail = event.measured.get("log", "")
        self._release(experiment)

    def _release(self, experiment: Experiment) -> None:
        if experiment.slot is not None:
            self.running.pop(experiment.slot, None)
            experiment.slot = None

    def _finished(self, event: ev.ExperimentFinished) -> None:
        experiment = self.experiments[event.experiment]
        self._release(experiment)
        self.under_way.pop(event.experiment, None)
        experiment.status, experiment.metric, experiment.finished_at = event.status, event.metric, self.now
        experiment.failure, experiment.detail = event.failure, event.detail or event.measured.get("log", "")
        if "sandbox" in event.measured:
            experiment.sandbox = self.sandbox = _level(event)
        experiment.curve = [(fraction, loss) for fraction, loss in event.curve]
        if experiment.purpose in RESEARCH and event.cost < experiment.cost:
            self.admitted -= 1 - event.cost / experiment.cost
            self.admitted_cost -= experiment.cost - event.cost
            experiment.cost = event.cost
        if experiment.purpose == "closing":
            return
        if experiment.purpose == "baseline" and event.metric is not None:
            self.baseline_values.append(event.metric)
        self._publish(experiment, event)
        if experiment.purpose == "proposal" and event.failure not in NOBODYS_FAULT:
            self._credit(experiment)

    def _publish(self, experiment: Experiment, event: ev.ExperimentFinished) -> None:
        loss = None if event.metric is None else self.loss(event.metric)
        result = Result(
            experiment.id, experiment.proposer, experiment.config, experiment.unit, cast(Any, event.status), loss,
            event.cost, event.failure, experiment.purpose, tuple(experiment.curve), experiment.code,
        )  # fmt: skip
        self.results.append(result)
        for position, seen in self.seen.items():
            if experiment.position is None or experiment.position in self.visible_to(position):
                seen.append(result)

    def _credit(self, experiment: Experiment) -> None:
        """Count a finished proposal for its proposer, by the share of the record that it beat."""
        agent = self.agents[experiment.proposer or ""]
        agent.experiments += 1
        agent.cost += experiment.cost
        self.proposals_finished += 1
        loss = math.inf if experiment.metric is None else self.loss(experiment.metric)
        agent.failed += experiment.status == "failed"
        beaten = len(self.losses) - bisect_left(self.losses, loss)
        agent.outcomes.append((beaten + 0.5) / (len(self.losses) + 1) if math.isfinite(loss) else 0.0)
        insort(self.losses, loss)
        if math.isfinite(loss) and (agent.best is None or loss < agent.best):
            agent.best = loss

    def _verdict(self, event: ev.VerdictGiven) -> None:
        self.experiments[event.experiment].verdict = event.outcome

    def _noise(self, event: ev.NoiseMeasured) -> None:
        self.phase = "research"
        self.sigma, self.baseline_mean = event.sigma, event.mean
        self.spread.append((event.n - 1, event.sigma**2))
        first = next(e for e in self.experiments.values() if e.purpose == "baseline")
        self.champion = Champion(first.id, first.config, first.unit, self.loss(event.mean), event.n)
        self.champion_values, self.champion_hash = list(self.baseline_values), first.hash
        self.trail.append((self.now, event.mean))

    def _champion(self, event: ev.ChampionChosen) -> None:
        experiment = self.experiments[event.experiment]
        experiment.standing = "champion"
        values = self._fresh(experiment) or [event.metric]
        self._spread(values)
        self.champion = Champion(
            event.experiment, event.config, experiment.unit, self.loss(event.metric), max(1, event.n), experiment.code
        )
        self.reigns.append((self.now, event.experiment))
        self.champion_values, self.champion_hash = values, event.hash
        self.trail.append((self.now, event.metric))

    def _rejected(self, event: ev.CandidateRejected) -> None:
        experiment = self.experiments[event.experiment]
        experiment.standing = "rejected"
        self._spread(self._fresh(experiment))

    def _spread(self, values: list[float]) -> None:
        if len(values) > 1:
            mean = sum(values) / len(values)
            self.spread.append((len(values) - 1, sum((v - mean) ** 2 for v in values) / (len(values) - 1)))

    def _fresh(self, candidate: Experiment) -> list[float]:
        runs = (self.experiments[id_] for id_ in candidate.replications)
        return [run.metric for run in runs if run.metric is not None]

    def _answered(self, event: ev.CommandAnswered) -> None:
        if event.done:
            self.changes.append((self.now, event))

    def _paused(self, event: ev.RunPaused) -> None:
        self.paused = True

    def _continued(self, event: ev.RunContinued) -> None:
        self.paused = False

    def _ended(self, event: ev.ResearchEnded) -> None:
        self.phase, self.ended_because = "closing", event.reason

    def _holdout(self, event: ev.HoldoutMeasured) -> None:
        self.holdout = event

    def _closed(self, event: ev.RunClosed) -> None:
        self.phase, self.closed = "closed", event

    def fresh_values(self, candidate: str) -> list[float]:
        """Metrics of a candidate's finished replications: never the run that it was noticed by."""
        return self._fresh(self.experiments[candidate])

    def champion_of(self, position: str) -> str:
        """The experiment whose config and code a position builds on: the champion's where it may see it, else ""."""
        champion = self.experiments[self.champion.experiment] if self.champion else None
        if champion is None or champion.position is None or champion.position not in self.visible_to(position):
            return ""
        return champion.id

    def due_for_proposal(self, position: str) -> float:
        """The virtual time at which a researcher's next proposal is due (planning.next_proposer)."""
        return max(self.passes[position] + 1.0 / max(self.share_of(position), 1e-6), self.pass_now)

    def share_of(self, position: str) -> float:
        """A position's share of the company's compute: the product of shares down its chain."""
        if not self._shares:
            self._shares[self.chart.root] = 1.0
            for manager in self.chart.managers_top_down():
                self._divide(manager)
        return self._shares[position]

    def _divide(self, manager: str) -> None:
        """Divide a manager's share among its reports that produce; who has no share yet gets an average one."""
        given = {r: self.agent_at(r).share for r in self.filled(self.chart.reports(manager)) if self.produces(r)}
        known = [share for share in given.values() if share is not None]
        default = sum(known) / len(known) if known else 1.0
        weights = {report: default if share is None else share for report, share in given.items()}
        total = sum(weights.values())
        for report, weight in weights.items():
            part = weight / total if total else 1.0 / len(weights)
            self._shares[report] = self._shares[manager] * part

    @cached_property
    def _shares(self) -> dict[str, float]:
        return {}

    def produces(self, position: str) -> bool:
        """Whether experiments come from this position or from below it."""
        return position in self._producers

    @cached_property
    def _producers(self) -> frozenset[str]:
        researchers = [p.id for p in self.chart.positions if p.role == "researcher"]
        return frozenset(p for r in researchers for p in (r, *self.chart.chain(r)))

    def visible_to(self, position: str) -> frozenset[str]:
        """The positions whose results this one sees; reviewers, engineers and managers also see all they serve."""
        if position not in self._visible:
            seen = set(self.chart.visible_to(position)) | {position}
            role = self.chart.position(position).role
            if role != "researcher":
                top = position if role == "manager" else (self.chart.manager_of(position) or position)
                seen |= {p.id for p in self.chart.positions if top in self.chart.chain(p.id)}
            self._visible[position] = frozenset(seen)
        return self._visible[position]

    @cached_property
    def _visible(self) -> dict[str, frozenset[str]]:
        return {}


def _level(event: ev.RunFounded | ev.ExperimentFinished) -> str:
    return ev.clean(str(event.measured.get("sandbox", "")), 20)


_APPLY: dict[type[ev.Event], Callable[[State, Any], None]] = {
    ev.RunFounded: State._founded,
    ev.AgentHired: State._hired,
    ev.AgentReplaced: State._replaced,
    ev.TrialEnded: State._trial_ended,
    ev.AgentCoached: State._coached,
    ev.AgentAppraised: State._appraised,
    ev.DecisionRequested: State._requested,
    ev.DecisionMade: State._decided,
    ev.DirectiveGiven: State._directed,
    ev.DigestSent: State._digest,
    ev.ProposalDropped: State._dropped,
    ev.ExperimentCreated: State._created,
    ev.CodeWritten: State._written,
    ev.ExperimentPatched: State._patched,
    ev.RepairRefused: State._repair_refused,
    ev.NoteWritten: State._noted,
    ev.ReviewGiven: State._reviewed,
    ev.ExperimentRefused: State._refused,
    ev.ExperimentQueued: State._queued,
    ev.ExperimentStarted: State._started,
    ev.RungReached: State._rung,
    ev.AttemptFailed: State._attempt_failed,
    ev.ExperimentFinished: State._finished,
    ev.VerdictGiven: State._verdict,
    ev.NoiseMeasured: State._noise,
    ev.ChampionChosen: State._champion,
    ev.CandidateRejected: State._rejected,
    ev.ChartRevised: State._revised,
    ev.RevisionChecked: State._checked,
    ev.StructureReviewed: State._structure,
    ev.ApprovalAsked: State._asked_approval,
    ev.ApprovalGiven: State._given_approval,
    ev.CommandAnswered: State._answered,
    ev.RunPaused: State._paused,
    ev.RunContinued: State._continued,
    ev.ResearchEnded: State._ended,
    ev.HoldoutMeasured: State._holdout,
    ev.RunClosed: State._closed,
    ev.HarnessVersioned: State._versioned,
    ev.AgentPaused: State._away,
    ev.AgentReturned: State._back,
    ev.ModelBudgetSpent: State._models_spent,
}
