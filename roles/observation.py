"""What an agent may see when it decides. Built by the company from the chart; a brain is a pure function of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Literal

import numpy as np

from projects.frozen import frozen
from projects.spec import Config, Metric, SearchSpace
from roles.streams import stream


@frozen
class Result:
    """One finished experiment as a colleague sees it.

    `loss` is the metric turned so that smaller is better (None when the run failed or was stopped); `unit` is the
    config in the unit cube. `curve` holds (fraction of the budget, self-reported training loss) at the rungs.
    """

    experiment: str
    proposer: str | None
    config: Config
    unit: tuple[float, ...]
    status: Literal["ok", "failed", "stopped"]
    loss: float | None
    cost: float
    failure: str | None = None
    purpose: str = "proposal"  # baseline | proposal | replication
    curve: tuple[tuple[float, float], ...] = ()
    code: str = ""  # the version of the training code, "" the project's own


@frozen
class Champion:
    """The incumbent: its config, the version of its code, and the mean loss of its confirmed runs."""

    experiment: str
    config: Config
    unit: tuple[float, ...]
    loss: float
    runs: int
    code: str = ""


@frozen
class Directive:
    """What a manager asks of a report."""

    kind: Literal["explore", "refine", "free"] = "free"
    focus: tuple[str, ...] = ()
    reason: str = ""


@frozen
class Subject:
    """The experiment that a review, build, repair, watch or verdict is about.

    `diff` is what its version of the code changes in that of its parent, "" where it has no patch of its own.
    """

    experiment: str
    proposer: str | None
    config: Config
    unit: tuple[float, ...]
    predicted: float | None = None
    reason: str = ""
    steps: int = 0
    cost: float = 0.0
    micro_batch: int | None = None
    attempt: int = 1
    failure: str | None = None
    log_tail: str = ""
    loss: float | None = None
    curve: tuple[tuple[float, float], ...] = ()
    code: str = ""
    diff: str = ""
    votes: tuple[bool, ...] = ()  # of the reviewers who have voted


@frozen
class ReportView:
    """What a manager sees of one direct report (of a whole team, where the report is a manager).

    `outcomes` are the report's finished proposals in order: the share of the company's results so far that each
    one beat, in [0, 1]. `worth`, `low`, `high` are the appraisal's posterior; `p_below` is the probability that the
    worth lies under the replacement level.
    """

    agent: str
    position: str
    role: str
    brain: str
    status: str
    share: float
    experiments: int
    failed: int
    slot_seconds: float
    outcomes: tuple[float, ...] = ()
    best: float | None = None
    worth: float = 0.0
    low: float = 0.0
    high: float = 0.0
    evidence: int = 0
    p_below: float = 0.0
    due: bool = True  # not on probation, or at its end
    replaceable: bool = False  # the chart's evidence rule is met and the talent pool has a candidate
    digest: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)  # settings of its brain


@frozen
class Observation:
    """Everything that one decision may rest on."""

    decision: str
    task: str
    agent: str
    role: str
    root_seed: int
    turn: int  # decisions of this kind that the agent made before
    space: SearchSpace
    metric: Metric
    baseline: Config
    mission: str = ""
    sigma: float = 0.0
    spent: float = 0.0  # share of the research budget already committed, 0..1
    champion: Champion | None = None
    history: Sequence[Result] = ()
    pending: Sequence[tuple[float, ...]] = ()  # configs under way, in the unit cube
    directive: Directive = Directive()
    subject: Subject | None = None
    reports: tuple[ReportView, ...] = ()
    policy: Mapping[str, Any] = field(default_factory=dict)  # the chart's settings for this task
    device: str = "cpu"
    micro_batch_of: str | None = None  # the parameter that micro batches divide, None when unsupported
    start: Config | None = None  # a config to try before any of the agent's own
    start_origin: str = ""  # where it did well
    notes: Sequence[str] = ()  # what the agent was told, and what of the notebook bears on the task
    code: Mapping[str, str] = field(default_factory=dict)  # file -> text that a Patch changes; {} where none is taken
    code_rules: str = ""  # what a Patch may do, in a sentence

    def rng(self, purpose: str) -> np.random.Generator:
        """A fresh generator for this agent, purpose and turn: never depends on what others drew."""
        return stream(self.root_seed, self.agent, purpose, self.turn)
