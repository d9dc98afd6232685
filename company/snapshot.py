"""The read model: what a screen or a replay shows of a company, folded from its events. Pure, and of bounded size.

`State` says how things stand; a Snapshot keeps beside it what led there: the story in plain words, who did what, the
slots' lanes, the judgements. A replay is the same fold, stopped earlier. One that was not folded from all events is
`early` (company/glimpse.py): it says so, and knows people by their last appraisals.

What grows with the length of a company is small: of an experiment that ended long ago a few hundred bytes
(company/filed.py), of a score and of a plan their numbers (company/onlooker.py). All else has a limit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from company import events as ev
from company.appraisal import Posterior
from company.diary import Diary, Mark
from company.entities import FINISHED, RESEARCH, Agent
from company.filed import PAGE, beside, file
from company.model_costs import ModelCosts
from company.narration import narrate
from company.onlooker import Onlooker
from company.state import State
from company.worth import everyone

STORY = 20_000  # lines kept of the whole company, the oldest go first
PER_SLOT = 2_000
APPRAISALS = 12  # of an agent
WHOLE = 500  # experiments that have ended and are kept whole


class Recorded(NamedTuple):
    """An event as it stands in the ledger: sequence, company time, wall time (Unix seconds), and the event."""

    seq: int
    at: float
    wall: float
    event: ev.Event


@dataclass(slots=True)
class Lease:
    """An experiment's stay on a slot, in company time; `end` is None while it lasts."""

    experiment: str
    start: float
    wall: float
    end: float | None = None


@dataclass(frozen=True, slots=True)
class Tenure:
    """Who came to a position, when and why, and who brought them."""

    agent: str
    at: float
    because: str
    by: str = ""


@dataclass(slots=True)
class Dossier:
    """What is kept of one experiment beside its state: every opinion, in order, and the judgement on fresh seeds."""

    reviews: list[ev.ReviewGiven] = field(default_factory=list)
    verdicts: list[ev.VerdictGiven] = field(default_factory=list)
    judged: ev.ChampionChosen | ev.CandidateRejected | None = None
    wall: float = 0.0  # when it was last started


@dataclass(slots=True)
class Opinions:
    """How often an agent judged, and how that turned out."""

    reviews: int = 0
    turned_down: int = 0
    verdicts: int = 0
    promising: int = 0
    held: int = 0  # of the promising ones


class Snapshot:
    """The fold. Fields are read by everyone and written only by `apply`."""

    def __init__(self) -> None:
        self.state: State = Onlooker()
        self.early = False
        self.seq = 0
        self.at = 0.0
        self.wall = 0.0
        self.founded = 0.0  # wall time
        self.tally: dict[str, int] = {}  # status -> how many experiments have it
        self.story: deque[Mark] = deque(maxlen=STORY)
        self.by_agent: dict[str, Diary] = {}
        self.dossiers: dict[str, Dossier] = {}  # of those that are kept whole, or were judged since
        self.opinions: dict[str, Opinions] = {}
        self.appraisals: dict[str, list[tuple[float, ev.AgentAppraised]]] = {}
        self.lanes: dict[int, deque[Lease]] = {}
        self.tenures: dict[str, list[Tenure]] = {}  # position -> who held it
        self.costs = ModelCosts(by_experiment=False)
        self._ended: deque[str] = deque()  # experiments that are kept whole, in the order in which they ended
        self._worths: tuple[int, Mapping[str, Posterior]] = -1, {}

    def apply(self, recorded: Recorded) -> None:
        """Take one event on. Raises what State.apply raises for an event that does not follow."""
        seq, at, wall, event = recorded
        freed, before = self._slot_of(event), self._status_of(event)
        self.state.apply(event, at)
        after = self._status_of(event)
        self.seq, self.at, self.wall = seq, at, wall
        keep = _KEEP.get(type(event))
        if keep:
            keep(self, event)
        if freed is not None:
            self._free(freed)
        self._count(event, before, after)
        self.tell(recorded)

    def extend(self, records: Iterable[Recorded]) -> None:
        """Take several events on, in order."""
        for recorded in records:
            self.apply(recorded)

    @property
    def is_founded(self) -> bool:
        return self.state.phase != "unfounded"

    def dossier(self, experiment: str) -> Dossier:
        """What is kept of an experiment; an empty one where nothing was said yet."""
        return self.dossiers.get(experiment) or beside(self.state.experiments.get(experiment)) or Dossier()

    def diary(self, agent: str) -> Diary:
        """What is told of an agent; an empty one where nothing was told yet."""
        return self.by_agent.get(agent) or Diary()

    def worths(self) -> Mapping[str, Posterior]:
        """What everyone who is or was a researcher is worth, as the appraisals reckon it."""
        if self._worths[0] != self.seq:
            found = self._last_appraisals() if self.early else everyone(self.state) if self.state.record.scores else {}
            self._worths = self.seq, found
        return self._worths[1]

    def worth(self, agent: Agent) -> Posterior | None:
        """A researcher's worth, None without evidence."""
        known = agent.role == "researcher" and (self.early or self.state.record.evidence(agent.id))
        return self.worths().get(agent.id) if known else None

    def _last_appraisals(self) -> Mapping[str, Posterior]:
        found = [agent.appraised for agent in self.state.agents.values() if agent.appraised is not None]
        return {a.agent: Posterior(a.worth, a.low, a.high, a.evidence, a.p_below) for a in found}

    def _status_of(self, event: Any) -> str:
        experiment = self.state.experiments.get(getattr(event, "experiment", None) or "")
        return experiment.status if experiment is not None else ""

    def _count(self, event: Any, before: str, after: str) -> None:
        if before == after:
            return
        self.tally[after] = self.tally.get(after, 0) + 1
        if before:
            self.tally[before] -= 1
        if after in FINISHED and self.state.experiments[event.experiment].purpose in RESEARCH:
            self._ended.append(event.experiment)
            if len(self._ended) >= WHOLE + PAGE:
                self._file()

    def _slot_of(self, event: ev.Event) -> int | None:
        if isinstance(event, (ev.ExperimentFinished, ev.AttemptFailed)):
            return self.state.experiments[event.experiment].slot
        return None

    def _free(self, slot: int) -> None:
        lane = self.lanes.get(slot)
        if lane and lane[-1].end is None:
            lane[-1].end = self.at

    def tell(self, recorded: Recorded) -> None:
        """Put an event into the story, where it is worth a line."""
        words = narrate(self.state, recorded.event)
        if not words:
            return
        event = recorded.event
        agents = _agents(self.state, event)
        mark = Mark(
            recorded.seq, recorded.at, recorded.wall, event.kind, words, tone(event), agents,
            getattr(event, "experiment", None),
        )  # fmt: skip
        self.story.append(mark)
        for agent in agents:
            self.by_agent.setdefault(agent, Diary()).add(mark)

    def _decided(self, event: ev.DecisionMade) -> None:
        self.costs.apply(event)

    def _founded(self, event: ev.RunFounded) -> None:
        self.founded = self.wall
        self.lanes = {slot: deque(maxlen=PER_SLOT) for slot in range(event.slots)}

    def _hired(self, event: ev.AgentHired) -> None:
        self.tenures.setdefault(event.position, []).append(Tenure(event.agent, self.at, event.because))

    def _replaced(self, event: ev.AgentReplaced) -> None:
        tenures = self.tenures[event.position]
        because = f"{event.leaving} was replaced: {event.because}"
        tenures[-1] = Tenure(event.hired, self.at, because, event.by)

    def _trial_ended(self, event: ev.TrialEnded) -> None:
        if not event.passed:
            because = f"{event.leaving} did not pass its trial"
            self.tenures[event.position].append(Tenure(event.hired, self.at, because, event.by))

    def _appraised(self, event: ev.AgentAppraised) -> None:
        known = self.appraisals.setdefault(event.agent, [])
        known.append((self.at, event))
        del known[:-APPRAISALS]

    def _started(self, event: ev.ExperimentStarted) -> None:
        self._of(event.experiment).wall = self.wall
        lane = self.lanes.setdefault(event.slot, deque(maxlen=PER_SLOT))
        lane.append(Lease(event.experiment, self.at, self.wall))

    def _reviewed(self, event: ev.ReviewGiven) -> None:
        self._of(event.experiment).reviews.append(event)
        known = self._opinions_of(event.reviewer)
        known.reviews, known.turned_down = known.reviews + 1, known.turned_down + (not event.approve)

    def _verdict(self, event: ev.VerdictGiven) -> None:
        self._of(event.experiment).verdicts.append(event)
        known, promising = self._opinions_of(event.reviewer), event.outcome == "promising"
        known.verdicts, known.promising = known.verdicts + 1, known.promising + promising
        known.held += promising and isinstance(self.dossier(event.experiment).judged, ev.ChampionChosen)

    def _judged(self, event: ev.ChampionChosen | ev.CandidateRejected) -> None:
        dossier = self._of(event.experiment)
        held = isinstance(event, ev.ChampionChosen) - isinstance(dossier.judged, ev.ChampionChosen)
        dossier.judged = event
        for verdict in dossier.verdicts:
            self._opinions_of(verdict.reviewer).held += held * (verdict.outcome == "promising")

    def _of(self, experiment: str) -> Dossier:
        if experiment not in self.dossiers:
            self.dossiers[experiment] = self.dossier(experiment)
        return self.dossiers[experiment]

    def _opinions_of(self, agent: str) -> Opinions:
        return self.opinions.setdefault(agent, Opinions())

    def _file(self) -> None:
        """File the experiments that ended first, a page at a time."""
        ended = [self.state.experiments[self._ended.popleft()] for _ in range(PAGE)]
        kept = [self.dossiers.pop(each.id, None) for each in ended]
        self.state.experiments.update({each.id: each for each in file(ended, kept)})


def tone(event: ev.Event) -> str:
    """How an event is to be seen: good, bad, warn, people (a change of staff), or "" for the ordinary."""
    if isinstance(event, ev.ChampionChosen):
        return "good"
    if isinstance(event, (ev.AgentReplaced, ev.TrialEnded, ev.AgentHired, ev.DirectiveGiven)):
        return "people"
    if isinstance(event, ev.AgentCoached):
        return "warn"
    if isinstance(event, ev.ExperimentFinished):
        return {"failed": "bad", "stopped": "warn"}.get(event.status, "")
    if isinstance(event, ev.HoldoutMeasured):
        return "good" if event.low is not None and event.low > 0 else ""
    return "bad" if isinstance(event, ev.AttemptFailed) or (isinstance(event, ev.RunClosed) and event.failed) else ""


def _agents(state: State, event: Any) -> tuple[str, ...]:
    """Everyone whom an event is about: who acted, whom it hit, and whose experiment it was."""
    names = ("agent", "leaving", "hired", "by", "manager", "reviewer", "engineer", "proposer")
    found = {name: None for field_ in names if (name := getattr(event, field_, None))}
    experiment = state.experiments.get(getattr(event, "experiment", None) or "")
    if experiment is not None and experiment.proposer:
        found[experiment.proposer] = None
    return tuple(name for name in found if name in state.agents)


_KEEP: dict[type[ev.Event], Any] = {
    ev.RunFounded: Snapshot._founded,
    ev.DecisionMade: Snapshot._decided,
    ev.AgentHired: Snapshot._hired,
    ev.AgentReplaced: Snapshot._replaced,
    ev.TrialEnded: Snapshot._trial_ended,
    ev.AgentAppraised: Snapshot._appraised,
    ev.ExperimentStarted: Snapshot._started,
    ev.ReviewGiven: Snapshot._reviewed,
    ev.VerdictGiven: Snapshot._verdict,
    ev.ChampionChosen: Snapshot._judged,
    ev.CandidateRejected: Snapshot._judged,
}
