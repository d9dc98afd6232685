"""The ledger's tables. `event` is the truth; the others are projections of it for SQL, written in the same transaction.

`attempt` and `session` hold what really happened on the machine (restarts, lost workers): they are no part of history,
so that a run that was killed and resumed has the history of one that was not.
"""

from __future__ import annotations

import re

from sqlalchemy import JSON, Column, Text
from sqlalchemy.orm import declared_attr
from sqlmodel import Field, SQLModel

SCHEMA_VERSION = 2  # company/migrations holds a step from each version to the next


class _Table(SQLModel):
    """Names a table after its class: ChartRevisionRow is `chart_revision`."""

    @declared_attr.directive
    def __tablename__(cls) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__.removesuffix("Row")).lower()


class EventRow(_Table, table=True):
    seq: int = Field(primary_key=True)
    at: float
    wall: float
    kind: str = Field(index=True)
    actor: str
    payload: str = Field(sa_column=Column(Text, nullable=False))
    measured: str = Field(sa_column=Column(Text, nullable=False))
    chain: str


class AgentRow(_Table, table=True):
    id: str = Field(primary_key=True)
    name: str
    position: str = Field(index=True)
    role: str
    brain: str
    status: str
    experiments: int
    worth: float
    low: float
    high: float


class ExperimentRow(_Table, table=True):
    id: str = Field(primary_key=True)
    purpose: str = Field(index=True)
    status: str = Field(index=True)
    proposer: str | None
    position: str | None
    parent: str | None
    hash: str
    config: dict[str, object] = Field(sa_column=Column(JSON, nullable=False))
    seed: int
    steps: int
    cost: float
    metric: float | None
    predicted: float | None
    failure: str | None
    detail: str
    verdict: str | None
    standing: str
    attempt: int
    created_at: float
    started_at: float
    finished_at: float | None


class VerdictRow(_Table, table=True):
    seq: int = Field(primary_key=True)
    experiment: str = Field(index=True)
    reviewer: str
    outcome: str
    p_real: float
    reason: str


class AppraisalRow(_Table, table=True):
    seq: int = Field(primary_key=True)
    agent: str = Field(index=True)
    by: str
    worth: float
    low: float
    high: float
    evidence: int
    p_below: float
    outcome: str
    because: str


class ChartRevisionRow(_Table, table=True):
    number: int = Field(primary_key=True)
    seq: int
    by: str
    because: str
    chart: dict[str, object] = Field(sa_column=Column(JSON, nullable=False))


class MetricRow(_Table, table=True):
    experiment: str = Field(primary_key=True)
    step: int = Field(primary_key=True)
    loss: float


class AttemptRow(_Table, table=True):
    id: int | None = Field(default=None, primary_key=True)
    session: int
    experiment: str = Field(index=True)
    attempt: int
    slot: int
    started: float
    ended: float | None = None
    outcome: str = "running"
    detail: str = ""
    measured: str = "{}"


class SessionRow(_Table, table=True):
    id: int | None = Field(default=None, primary_key=True)
    opened: float
    closed: float | None = None
    how: str = ""
    version: str = ""
    events: int | None = None  # when it was closed: how many there were, and the digest
    digest: str = ""


class CommandRow(_Table, table=True):
    id: int | None = Field(default=None, primary_key=True)
    wall: float
    kind: str
    args: str
    by: str = "person"
    status: str = "new"
    answer: str = ""
