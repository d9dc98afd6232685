"""Who and what a company consists of: agents, experiments, open decisions, revisions. Data only.

Everyone may read them; only `State.apply` (company/state.py) writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from company import events as ev
from roles.observation import Directive
from roles.role import Brain

RESEARCH = ("proposal", "replication")  # what the research budget pays for
NOBODYS_FAULT = ("infrastructure", "person")  # a lost worker, or a person who stopped a run: held against nobody
FINISHED = frozenset(("ok", "failed", "stopped", "refused"))
UNDER_WAY = frozenset(("proposed", "building", "queued", "running", "repairing"))


@dataclass(frozen=True, slots=True)
class Probation:
    """The target of who was coached: a worth of at least `level`, judged at `until` results."""

    level: float
    until: int


@dataclass(slots=True)
class Agent:
    """Who holds (or held) a position, with running sums of what it did."""

    id: str
    name: str
    position: str
    role: str
    brain: Brain
    status: str = "active"  # active | trial | probation | left
    share: float | None = None  # of its manager's compute, None until the first plan
    directive: Directive = field(default_factory=Directive)
    digest: str = ""
    decisions: int = 0
    experiments: int = 0
    failed: int = 0
    dropped: int = 0
    cost: float = 0.0
    outcomes: list[float] = field(default_factory=list)  # share of the record that each proposal beat
    best: float | None = None
    appraised: ev.AgentAppraised | None = None  # the latest
    probation: Probation | None = None
    advice: tuple[str, ...] = ()  # what it was told by who coached it
    former: dict[str, Brain] = field(default_factory=dict)  # role that it had before -> its brain there
    turned_down: str = ""  # why its last proposal was dropped, until one is taken
    harness: ev.HarnessVersioned | None = None  # of a language model, the latest
    away: ev.AgentPaused | None = None  # while its model's server is out
    outages: int = 0  # in a row


@dataclass(slots=True)
class Experiment:
    """One experiment through its life: proposed, reviewing, building, queued, running, repairing, then finished."""

    id: str
    purpose: str
    config: Mapping[str, Any]
    hash: str
    unit: tuple[float, ...]
    seed: int
    steps: int
    cost: float
    split: str
    proposer: str | None
    position: str | None
    parent: str | None
    predicted: float | None
    reason: str
    micro_batch: int | None
    created_at: float
    status: str = "proposed"  # ... ok | failed | stopped | refused
    attempt: int = 1
    device: str = "cpu"
    slot: int | None = None
    admitted: bool = False
    started_at: float = 0.0
    finished_at: float | None = None
    rungs: tuple[float, ...] = ()
    curve: list[tuple[float, float]] = field(default_factory=list)
    votes: dict[str, bool] = field(default_factory=dict)
    reviewers: tuple[str, ...] = ()
    metric: float | None = None
    failure: str | None = None
    detail: str = ""
    verdict: str | None = None
    standing: str = ""  # of a candidate: replicating | champion | rejected
    replications: list[str] = field(default_factory=list)
    sandbox: str = ""  # the level that it ran at
    code: str = ""  # the version of the training code, "" the project's own
    repairs: int = 0  # of its code that were tried


@dataclass(slots=True)
class Pending:
    """A decision asked for and not yet made."""

    id: str
    agent: str
    task: str
    experiment: str | None
    turn: int
    at: float
    onto: str = ""  # the champion whose code and config a proposal builds on


@dataclass(frozen=True, slots=True)
class Code:
    """A version of the training code, and when it was written."""

    event: ev.CodeWritten
    at: float


@dataclass(frozen=True, slots=True)
class Noted:
    """What an agent wrote into the notebook, in which position, when `results` were in."""

    agent: str
    position: str
    text: str
    results: int


@dataclass(slots=True)
class Revised:
    """A revision of the chart, when it was made (proposals finished), and what came of it."""

    event: ev.ChartRevised
    at: int
    verdict: str = ""
    found: str = ""
    undone: bool = False
