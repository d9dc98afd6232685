"""The company as it stands: a fold over events. `State.apply` is the only way that it changes.

What each fact changes is in fold_people.py and fold_work.py.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from company import events as ev
from company.chart import OrgChart
from company.entities import Agent, Code, Experiment, Noted, Pending, Revised
from company.fold_people import PEOPLE
from company.fold_work import WORK
from company.record import RECORDED, Record
from projects.brief import metric_of, space_of
from projects.spec import Metric, SearchSpace, Value, config_hash
from roles.observation import Champion, Result


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
        record, fold = _FOLD[type(event)]
        if record is not None:
            record(self.record, event)
        fold(self, event)

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

    def fresh_values(self, candidate: str) -> list[float]:
        """Metrics of a candidate's finished replications: never the run that it was noticed by."""
        runs = (self.experiments[name] for name in self.experiments[candidate].replications)
        return [run.metric for run in runs if run.metric is not None]

    def champion_of(self, position: str) -> str:
        """The experiment whose config and code a position builds on: the champion's where it may see it, else ""."""
        champion = self.experiments[self.champion.experiment] if self.champion else None
        if champion is None or champion.position is None or champion.position not in self.visible_to(position):
            return ""
        return champion.id

    def nearest(self, position: str, role: str) -> tuple[str, ...]:
        """The agents of a role nearest up the chain of command: of the own team first, then of the manager's team."""
        known = self._nearest.get((position, role))
        if known is None:
            known = self._nearest[position, role] = self._found_nearest(position, role)
        return known

    def _found_nearest(self, position: str, role: str) -> tuple[str, ...]:
        for manager in self.chart.chain(position):
            found = [p for p in self.filled(self.chart.reports(manager)) if self.agent_at(p).role == role]
            if found:
                return tuple(self.holder[p] for p in found)
        return ()

    @cached_property
    def _nearest(self) -> dict[tuple[str, str], tuple[str, ...]]:
        return {}

    def due_for_proposal(self, position: str) -> float:
        """The virtual time at which a researcher's next proposal is due (planning.next_proposer)."""
        share = self.share_of(position)
        due = self.passes[position] + 1.0 / (share if share > 1e-6 else 1e-6)
        return due if due > self.pass_now else self.pass_now

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

    def forget(self) -> None:
        """Work shares and who is nearest out again: somebody came, went or was given another share."""
        self._shares.clear()
        self._nearest.clear()

    def take_chart(self, chart: OrgChart) -> None:
        """From now on the company is organised like this."""
        for cached in ("_producers", "_visible", "_shares", "_nearest"):
            self.__dict__.pop(cached, None)
        self.__dict__["chart"] = chart

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


_FOLD = {kind: (RECORDED.get(kind), fold) for kind, fold in {**PEOPLE, **WORK}.items()}
