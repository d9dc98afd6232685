"""What people did, kept for appraisals: a fold of events beside the state, which the state and a report may both own.

`Record.apply(event)` is the only way it changes. It holds every proposer's scores (company/contribution.py) and, for
each experiment, who forecast, built, repaired, stopped, judged and asked for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from company import events as ev
from company.contribution import BLOCK, WINDOW, Score, unit_of, value_of, weight_of


@dataclass(slots=True)
class Work:
    """Who had a hand in an experiment, and what they said of it when they could not know how it would end."""

    directive: str = "free"  # of the proposer's manager, when the experiment was proposed
    focus: tuple[str, ...] = ()
    manager: str | None = None
    champion: str | None = None  # the experiment whose config the proposer had to beat
    forecasts: dict[str, float] = field(default_factory=dict)  # reviewer -> p_improves
    refused_by: tuple[str, ...] = ()  # reviewers who voted against
    engineer: str | None = None
    crashes: int = 0  # attempts that failed by their own doing
    repaired_by: str | None = None  # who had it run again
    stopped_by: str | None = None
    judge: str | None = None
    verdict: str | None = None
    p_real: float | None = None


class Record:
    """Scores and deeds of one company, from its first event on."""

    def __init__(self) -> None:
        self.scores: list[Score] = []
        self._evidence: dict[str, int] = {}  # agent -> how many of the scores are its own
        self.work: dict[str, Work] = {}
        self.confirmed: dict[str, float] = {}  # experiment -> its gain over the champion before it, in sigmas
        self.tokens: dict[str, int] = {}  # agent -> tokens that its decisions used
        self.plans: list[tuple[int, str, dict[str, float]]] = []  # (scores so far, manager, shares given)
        self.unit, self.full = 1.0, 1.0  # of gains: sigma; of compute: slot-seconds of a full-length run
        self._sign = 1.0
        self._champion: tuple[str, float] | None = None
        self._reference: float | None = None  # the champion's loss when the present block began
        self._losses: deque[float] = deque(maxlen=WINDOW)
        self._proposers: dict[str, str] = {}
        self._directives: dict[str, tuple[str, tuple[str, ...], str]] = {}
        self._asked: dict[str, str] = {}  # decision about a running experiment -> the experiment

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]  # it changes

    def evidence(self, agent: str) -> int:
        """How many scores an agent has."""
        return self._evidence.get(agent, 0)

    def apply(self, event: ev.Event) -> None:
        """Learn of one event; events that no appraisal rests on, those not in RECORDED, change nothing."""
        handler = RECORDED.get(type(event))
        if handler is not None:
            handler(self, event)

    def _founded(self, event: ev.RunFounded) -> None:
        self._sign = -1.0 if event.project["metric"]["direction"] == "max" else 1.0
        self.full = float(event.project["budget_seconds"])

    def _noise(self, event: ev.NoiseMeasured) -> None:
        self.unit = unit_of(event.sigma, event.mean)
        self._champion = ("", event.mean * self._sign)

    def _chosen(self, event: ev.ChampionChosen) -> None:
        loss = event.metric * self._sign
        if self._champion is not None:
            self.confirmed[event.experiment] = (self._champion[1] - loss) / self.unit
        self._champion = (event.experiment, loss)

    def _directed(self, event: ev.DirectiveGiven) -> None:
        self._directives[event.agent] = (event.directive, tuple(event.focus), event.manager)
        last = self.plans[-1] if self.plans else None
        if last is None or last[:2] != (len(self.scores), event.manager):
            self.plans.append((len(self.scores), event.manager, {}))
        self.plans[-1][2][event.agent] = event.share

    def _created(self, event: ev.ExperimentCreated) -> None:
        if event.purpose != "proposal" or event.proposer is None:
            return
        self._proposers[event.experiment] = event.proposer
        kind, focus, manager = self._directives.get(event.proposer, ("free", (), None))
        champion = self._champion[0] if self._champion else None
        self.work[event.experiment] = Work(kind, focus, manager, champion)

    def _reviewed(self, event: ev.ReviewGiven) -> None:
        work = self.work[event.experiment]
        work.forecasts[event.reviewer] = event.p_improves
        if not event.approve:
            work.refused_by = (*work.refused_by, event.reviewer)

    def _queued(self, event: ev.ExperimentQueued) -> None:
        work = self.work.get(event.experiment)
        if work is None:
            return
        if event.attempt == 1:
            work.engineer = event.engineer
        elif work.crashes:
            work.repaired_by = event.engineer

    def _attempt_failed(self, event: ev.AttemptFailed) -> None:
        work = self.work.get(event.experiment)
        if work is not None:
            work.crashes += 1

    def _requested(self, event: ev.DecisionRequested) -> None:
        if event.task == "watch" and event.experiment:
            self._asked[event.decision] = event.experiment

    def _decided(self, event: ev.DecisionMade) -> None:
        about = self._asked.pop(event.decision, None)
        if about in self.work and any(intent["kind"] == "Stop" for intent in event.intents):
            self.work[about].stopped_by = event.agent
        spent = event.measured.get("tokens")
        if isinstance(spent, int):
            self.tokens[event.agent] = self.tokens.get(event.agent, 0) + spent

    def _judged(self, event: ev.VerdictGiven) -> None:
        work = self.work[event.experiment]
        work.judge, work.verdict, work.p_real = event.reviewer, event.outcome, event.p_real

    def _finished(self, event: ev.ExperimentFinished) -> None:
        proposer = self._proposers.get(event.experiment)
        if proposer is None or self._champion is None:
            return
        if event.status != "stopped":
            self.work[event.experiment].stopped_by = None  # it ended before the decision to stop it was in
        loss = None if event.metric is None else event.metric * self._sign
        self._score(event, proposer, loss)
        if event.status == "ok" and loss is not None:
            self._losses.append(loss)

    def _score(self, event: ev.ExperimentFinished, proposer: str, loss: float | None) -> None:
        if self._champion is None:
            return
        block, place = divmod(len(self.scores), BLOCK)
        if place == 0 or self._reference is None:
            self._reference = self._champion[1]
        found = value_of(event.status, event.failure, loss, self._reference, self.unit, self._losses)
        if found is not None:
            value, censored = found
            weight = weight_of(event.cost, self.full)
            self._evidence[proposer] = self.evidence(proposer) + 1
            self.scores.append(Score(event.experiment, proposer, block, value, weight, event.cost, censored))


def record_of(events: Iterable[ev.Event]) -> Record:
    """The record that a company's events add up to."""
    record = Record()
    for event in events:
        record.apply(event)
    return record


RECORDED: Mapping[type[ev.Event], Callable[[Record, Any], None]] = {
    ev.RunFounded: Record._founded,
    ev.NoiseMeasured: Record._noise,
    ev.ChampionChosen: Record._chosen,
    ev.DirectiveGiven: Record._directed,
    ev.ExperimentCreated: Record._created,
    ev.ReviewGiven: Record._reviewed,
    ev.ExperimentQueued: Record._queued,
    ev.AttemptFailed: Record._attempt_failed,
    ev.DecisionRequested: Record._requested,
    ev.DecisionMade: Record._decided,
    ev.VerdictGiven: Record._judged,
    ev.ExperimentFinished: Record._finished,
}
