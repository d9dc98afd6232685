"""Every fact that can happen to a company, as small frozen types. Events are the truth; all else is a fold of them.

Fields hold JSON values only. `measured` holds facts of the wall clock and the machine: it is stored beside the payload,
never decides anything, and is left out of the digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from company.taming import clean
from projects.frozen import frozen_open

Json = Any
Measured = Mapping[str, Any]


@frozen_open
class Event:
    """Base of all events; `kind` is the class name."""

    @property
    def kind(self) -> str:
        return type(self).__name__


@frozen_open
class RunFounded(Event):
    """A company starts on a project. `project` is projects.brief.describe(...); `chart` is OrgChart.to_dict()."""

    chart: Json
    project: Json
    seed: int
    slots: int
    device: str
    measured: Measured = field(default_factory=dict)


@frozen_open
class AgentHired(Event):
    agent: str
    name: str
    position: str
    role: str
    brain: Json
    because: str
    talent: int | None = None  # the entry of the chart's talent pool, where it came from there


@frozen_open
class AgentReplaced(Event):
    """`leaving` goes and `hired` (an AgentHired in the same transaction) takes the position over, with its notes.

    With a `trial` of some proposals it is for good only once TrialEnded says so.
    """

    position: str
    leaving: str
    hired: str
    by: str
    because: str
    evidence: Json
    trial: int = 0


@frozen_open
class TrialEnded(Event):
    """`hired` has the position from now on, and `leaving` goes for good: the former holder, or, where the trial was not
    `passed`, the one who was tried."""

    position: str
    leaving: str
    hired: str
    passed: bool
    by: str
    because: str
    evidence: Json


@frozen_open
class AgentCoached(Event):
    """On probation: the `target` in words is a worth of at least `level`, judged after `experiments` more results.

    What changes in the agent: its directive ("" as it was), settings of its brain (`params`), and advice to it.
    """

    agent: str
    by: str
    target: str
    because: str
    level: float = 0.0
    experiments: int = 0
    directive: str = ""
    params: Json = field(default_factory=dict)
    advice: str = ""


@frozen_open
class AgentAppraised(Event):
    """A manager's judgement with its evidence: worth, low, high and level in compressed sigmas a full-length run.

    `p_below` is P(worth < level), the replacement level of the time; `parts` is what the worth consists of.
    """

    agent: str
    by: str
    worth: float
    low: float
    high: float
    evidence: int
    p_below: float
    outcome: str
    because: str
    level: float = 0.0
    parts: Json = field(default_factory=dict)


@frozen_open
class HarnessVersioned(Event):
    """What an agent with a language model is equipped with from now on: `prompt` is all that it is told before it is
    asked, `hash` that of prompt, tools and settings of its brain."""

    agent: str
    version: int
    hash: str
    prompt: str
    because: str


@frozen_open
class AgentPaused(Event):
    """Its model's server is out: it is not asked for proposals before `until` of the company's are finished, unless
    nobody else can propose; for what else it has to decide its offline policy answers, on record."""

    agent: str
    because: str
    until: int


@frozen_open
class AgentReturned(Event):
    """Its model answers again."""

    agent: str


@frozen_open
class ModelBudgetSpent(Event):
    """The chart's budget of tokens or US dollars is gone: research ends, and offline policies decide what is left."""

    because: str


@frozen_open
class DecisionRequested(Event):
    decision: str
    agent: str
    task: str
    experiment: str | None
    turn: int


@frozen_open
class DecisionMade(Event):
    """`intents` is a list of {"kind": ..., fields}; `problem` says why the offline policy answered instead."""

    decision: str
    agent: str
    task: str
    intents: Json
    problem: str
    measured: Measured = field(default_factory=dict)


@frozen_open
class DirectiveGiven(Event):
    manager: str
    agent: str
    share: float
    directive: str
    focus: Json
    reason: str


@frozen_open
class DigestSent(Event):
    manager: str
    to: str | None
    text: str


@frozen_open
class ProposalDropped(Event):
    """A proposal that cost nothing: a duplicate of `of`, or outside the space."""

    decision: str
    agent: str
    hash: str
    why: str
    of: str | None
    detail: str


@frozen_open
class ExperimentCreated(Event):
    """`purpose` is baseline, proposal, replication or closing; `parent` is the candidate that a replication repeats."""

    experiment: str
    purpose: str
    config: Json
    hash: str
    seed: int
    steps: int
    cost: float
    split: str
    proposer: str | None = None
    position: str | None = None
    parent: str | None = None
    predicted: float | None = None
    reason: str = ""
    micro_batch: int | None = None
    code: str = ""  # the version of the training code, "" the project's own


@frozen_open
class CodeWritten(Event):
    """A version of the training code that nobody wrote before: `parent` ("" the project's own) changed by `diff`.

    `files` is the whole text of the editable files, `lines` what company/patching/code.py counts of them, `experiment`
    the first that runs it.
    """

    code: str
    parent: str
    files: Json
    diff: str
    lines: int
    agent: str
    experiment: str


@frozen_open
class ExperimentPatched(Event):
    """A failed experiment runs again with repaired code: `code` is the version, `hash` what config and code are now."""

    experiment: str
    code: str
    hash: str
    engineer: str
    reason: str


@frozen_open
class RepairRefused(Event):
    """A repair of the code that cannot be run: it does not apply, is not allowed, or was tried before."""

    experiment: str
    engineer: str
    detail: str


@frozen_open
class NoteWritten(Event):
    """What an agent wrote into the notebook, for those who see its results."""

    agent: str
    text: str


@frozen_open
class ReviewGiven(Event):
    experiment: str
    reviewer: str
    approve: bool
    p_improves: float
    reason: str


@frozen_open
class ExperimentRefused(Event):
    experiment: str
    reason: str


@frozen_open
class ExperimentQueued(Event):
    """Ready for a slot; from here on its cost counts against the budget."""

    experiment: str
    attempt: int
    micro_batch: int | None
    device: str
    engineer: str | None
    reason: str


@frozen_open
class ExperimentStarted(Event):
    experiment: str
    attempt: int
    slot: int
    rungs: Json


@frozen_open
class RungReached(Event):
    experiment: str
    rung: int
    step: int
    loss: float


@frozen_open
class AttemptFailed(Event):
    """A run failed by its own doing, and an engineer is asked whether it can be repaired.

    What it said is in measured["log"]: a log may hold addresses and times, which are no part of history.
    """

    experiment: str
    attempt: int
    failure: str
    measured: Measured = field(default_factory=dict)


@frozen_open
class ExperimentFinished(Event):
    """`status` is ok, failed or stopped; `cost` the reference slot-seconds it held; `curve` at the chart's rungs.

    `detail` is the company's own reason; what a failed run said is in measured["log"].
    """

    experiment: str
    status: str
    metric: float | None
    failure: str | None
    detail: str
    cost: float
    curve: Json
    measured: Measured = field(default_factory=dict)


@frozen_open
class VerdictGiven(Event):
    experiment: str
    reviewer: str
    outcome: str
    p_real: float
    reason: str


@frozen_open
class NoiseMeasured(Event):
    """The baseline's mean metric and seed-to-seed standard deviation at this project's budget."""

    mean: float
    sigma: float
    n: int


@frozen_open
class ChampionChosen(Event):
    """`claimed` is the metric of the run that was noticed, `metric` the mean of its fresh seeds (`n` of them)."""

    experiment: str
    config: Json
    hash: str
    metric: float
    n: int
    claimed: float
    p: float | None
    previous: str | None
    because: str


@frozen_open
class CandidateRejected(Event):
    experiment: str
    metric: float | None
    n: int
    claimed: float
    p: float | None
    because: str


@frozen_open
class ChartRevised(Event):
    """The organisation changes: revision `number`, all of `edits` or none.

    `seated` maps each filled position to where its agent sat before, `owner` each closed position to the one that
    takes its open work, `brains` each position whose role changed to its new brain; `undo` are the edits that take it
    back, `undoes` the revision that this one takes back. `check_after` 0 means that it is not held against anything.
    """

    number: int
    chart: Json
    edits: Json
    seated: Json
    owner: Json
    brains: Json
    undo: Json
    subject: str
    by: str
    because: str
    evidence: Json
    prediction: Json
    check_after: int
    undoes: int | None = None


@frozen_open
class RevisionChecked(Event):
    """What came of a revision, in the unit of its prediction: `verdict` is paid or did not pay."""

    number: int
    verdict: str
    found: Json
    because: str


@frozen_open
class StructureReviewed(Event):
    """The structure was looked at, on schedule; `outcome` says what followed."""

    by: str
    outcome: str


@frozen_open
class ApprovalAsked(Event):
    """An act waits for a person, as the chart's `approve` says. With nobody there it is refused, never done."""

    request: str
    action: str
    args: Json
    by: str
    because: str


@frozen_open
class ApprovalGiven(Event):
    request: str
    approved: bool
    by: str
    because: str


@frozen_open
class CommandAnswered(Event):
    """A person's command was carried out (`done`) or turned down, with the reason in `answer`."""

    command: int
    action: str
    args: Json
    by: str
    done: bool
    answer: str


@frozen_open
class RunPaused(Event):
    """Nothing new is started until RunContinued; what runs goes on."""

    by: str


@frozen_open
class RunContinued(Event):
    by: str


@frozen_open
class ResearchEnded(Event):
    reason: str


@frozen_open
class HoldoutMeasured(Event):
    """The sealed holdout, read once. `gain` is positive when the champion is better, with a 95 % interval."""

    baseline: float | None
    champion: float | None
    gain: float | None
    low: float | None
    high: float | None
    n: int


@frozen_open
class RunClosed(Event):
    """`failed` says that the company could not do its work, and `reason` why."""

    failed: bool
    reason: str


EVENTS: dict[str, type[Event]] = {
    event.__name__: event
    for event in (
        RunFounded, AgentHired, AgentReplaced, TrialEnded, AgentCoached, AgentAppraised,
        DecisionRequested, DecisionMade, DirectiveGiven, DigestSent, ProposalDropped, ExperimentCreated, ReviewGiven,
        ExperimentRefused, CodeWritten, ExperimentPatched, RepairRefused, NoteWritten,
        ExperimentQueued, ExperimentStarted, RungReached, AttemptFailed, ExperimentFinished, VerdictGiven,
        NoiseMeasured, ChampionChosen, CandidateRejected, ChartRevised, RevisionChecked, StructureReviewed,
        ApprovalAsked, ApprovalGiven, CommandAnswered, RunPaused, RunContinued, ResearchEnded, HoldoutMeasured,
        RunClosed, HarnessVersioned, AgentPaused, AgentReturned, ModelBudgetSpent,
    )
}  # fmt: skip


def sandbox_of(event: RunFounded | ExperimentFinished) -> str:
    """The level of the sandbox that it was measured under, "" where nothing was trained."""
    return clean(str(event.measured.get("sandbox", "")), 20)
