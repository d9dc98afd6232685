"""A company as it stands, from an extract of its ledger: what a long ledger shows before all of it is read. Pure.

Exact: the chart and who works in it, statuses and numbers of runs, the champion and its history, the latest news.
Not covered, and left out or said: scores are those of the last appraisals, lists hold the latest experiments and a
sample of the others, and nothing is known of the budget, of people's records, and of the slots' past.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from company import events as ev
from company.entities import UNDER_WAY, Experiment
from company.snapshot import Recorded, Snapshot

# Events that the state can take on without those of the experiments: few, whatever the length of a history.
RARE = (
    "RunFounded", "AgentHired", "AgentReplaced", "TrialEnded", "AgentCoached", "ChartRevised", "RevisionChecked",
    "ApprovalAsked", "ApprovalGiven", "NoiseMeasured", "ChampionChosen", "RunPaused", "RunContinued", "ResearchEnded",
    "HoldoutMeasured", "RunClosed",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Standing:
    """How an agent stands: a row of the projection."""

    agent: str
    status: str
    experiments: int


@dataclass(frozen=True, slots=True)
class Extract:
    """What was read of a ledger, all of one moment.

    `rare` are all events of those kinds, with everybody's last directive and appraisal; `latest` are the last events of
    any kind; both in order. `experiments` are in the order of their creation, the first baseline among them.
    """

    rare: Sequence[Recorded]
    latest: Sequence[Recorded]
    experiments: Sequence[Experiment]
    agents: Sequence[Standing]
    tally: Mapping[str, int]
    running: Mapping[int, str]


def glimpse(extract: Extract) -> Snapshot:
    """The snapshot that an extract adds up to. Raises what the fold raises where the extract contradicts itself."""
    shot = Snapshot()
    shot.early = True
    shot.state.experiments = {experiment.id: experiment for experiment in extract.experiments}
    first = extract.latest[0].seq if extract.latest else 0
    for recorded in extract.rare:
        if recorded.seq < first:
            shot.apply(recorded)
    _follow(shot, extract)
    _settle(shot, extract)
    return shot


def _follow(shot: Snapshot, extract: Extract) -> None:
    """The end of the story: what the state cannot take on is only told."""
    rare = {recorded.seq for recorded in extract.rare}
    for recorded in extract.latest:
        if recorded.seq in rare:
            shot.apply(recorded)
        elif _known(shot, recorded.event):
            shot.tell(recorded)


def _known(shot: Snapshot, event: ev.Event) -> bool:
    """Whether everything that an event is about is in the extract."""
    experiment, agent = getattr(event, "experiment", None), getattr(event, "agent", None)
    return (not experiment or experiment in shot.state.experiments) and (not agent or agent in shot.state.agents)


def _settle(shot: Snapshot, extract: Extract) -> None:
    """The moment itself, and what the projections know better than the rare events."""
    state, last = shot.state, extract.latest[-1] if extract.latest else extract.rare[-1]
    shot.seq, shot.at, shot.wall = last.seq, last.at, last.wall
    state.seq, state.now = last.seq, last.at
    shot.tally = dict(extract.tally)
    for row in extract.agents:
        state.agents[row.agent].status, state.agents[row.agent].experiments = row.status, row.experiments
    state.under_way = _ids(e for e in extract.experiments if e.status in UNDER_WAY)
    for slot, experiment in extract.running.items():
        if experiment in state.experiments:
            state.running[slot] = experiment
            state.experiments[experiment].slot = slot


def _ids(experiments: Iterable[Experiment]) -> dict[str, None]:
    return {experiment.id: None for experiment in experiments}
