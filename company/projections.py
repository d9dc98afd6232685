"""The ledger's projections: what each table but `event` holds, as a fold of the events says it.

They are written with the step that changes them, and again from nothing after a migration. Where the two differ,
somebody else wrote: `loopworks verify` compares them. Not covered: `metric` and `attempt`, which are facts of the
machine, and of `command` what a person asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, update
from sqlmodel import Session, SQLModel, select

from company import events as ev
from company.chaining import payload
from company.state import State
from company.tables import AgentRow, AppraisalRow, ChartRevisionRow, CommandRow, ExperimentRow, VerdictRow

PROJECTED: tuple[type[SQLModel], ...] = (AgentRow, ExperimentRow, VerdictRow, AppraisalRow, ChartRevisionRow)

Rows = Mapping[type[SQLModel], Mapping[Any, SQLModel]]  # table -> key -> row


def write_step(session: Session, events: Sequence[tuple[float, ev.Event]], seq: int, state: State) -> None:
    """Write the projections of one step: changed agents and experiments as they now stand, and what only grows.

    `seq` is the last event before the step, `state` the state after it.
    """
    agents: dict[str, None] = {}
    experiments: dict[str, None] = {}
    for offset, (_, event) in enumerate(events, start=1):
        for name in ("agent", "leaving", "hired"):
            agents[getattr(event, name, "")] = None
        for name in ("experiment", "parent"):
            experiments[getattr(event, name, None) or ""] = None
        if isinstance(event, ev.ExperimentFinished):
            experiment = state.experiments[event.experiment]
            agents[experiment.proposer or ""] = None
            experiments[experiment.parent or ""] = None
        elif isinstance(event, ev.ChartRevised):  # people and open work change seats
            agents |= dict.fromkeys(state.agents)
            experiments |= dict.fromkeys(state.under_way)
        _grow(session, event, seq + offset)
    for agent in agents.keys() & state.agents.keys():
        session.merge(agent_row(state, agent))
    for experiment in experiments.keys() & state.experiments.keys():
        session.merge(experiment_row(state, experiment))


def _grow(session: Session, event: ev.Event, seq: int) -> None:
    if isinstance(event, ev.CommandAnswered):
        status, answer = answered(event)
        mine = CommandRow.id == event.command  # pyright: ignore[reportAssignmentType]
        session.execute(update(CommandRow).where(mine).values(status=status, answer=answer))  # type: ignore[arg-type]
    elif isinstance(event, (ev.RunFounded, ev.ChartRevised)):
        number = session.exec(select(func.count()).select_from(ChartRevisionRow)).one() + 1
        session.add(_revision_row(event, seq, number))
    elif (row := _grown(event, seq)) is not None:
        session.add(row)


def expected(events: Iterable[tuple[int, ev.Event]], state: State) -> Rows:
    """What the tables have to hold after all events (sequence number, event) and in the state that they lead to."""
    rows: dict[type[SQLModel], dict[Any, SQLModel]] = {table: {} for table in PROJECTED}
    rows[AgentRow] = {name: agent_row(state, name) for name in state.agents}
    rows[ExperimentRow] = {name: experiment_row(state, name) for name in state.experiments}
    for seq, event in events:
        if isinstance(event, (ev.RunFounded, ev.ChartRevised)):
            number = len(rows[ChartRevisionRow]) + 1
            rows[ChartRevisionRow][number] = _revision_row(event, seq, number)
        elif (row := _grown(event, seq)) is not None:
            rows[type(row)][seq] = row
    return rows


def rebuild(session: Session, rows: Rows) -> None:
    """Write all projections anew."""
    for table, found in rows.items():
        session.execute(delete(table))
        session.add_all(found.values())


def answered(event: ev.CommandAnswered) -> tuple[str, str]:
    """(status, answer) of a command's row once it is answered."""
    return "done" if event.done else "refused", event.answer


def values(row: SQLModel) -> dict[str, Any]:
    """A row as JSON has it, so that a stored one and a computed one can be compared."""
    return json.loads(json.dumps(row.model_dump()))


def _grown(event: ev.Event, seq: int) -> VerdictRow | AppraisalRow | None:
    if isinstance(event, ev.VerdictGiven):
        return VerdictRow(seq=seq, **payload(event))
    return AppraisalRow(seq=seq, **payload(event)) if isinstance(event, ev.AgentAppraised) else None


def _revision_row(event: ev.RunFounded | ev.ChartRevised, seq: int, number: int) -> ChartRevisionRow:
    if isinstance(event, ev.RunFounded):
        return ChartRevisionRow(
            number=number, seq=seq, by="founder", because="the founding chart", chart=dict(event.chart)
        )
    return ChartRevisionRow(number=number, seq=seq, by=event.by, because=event.because, chart=dict(event.chart))


def agent_row(state: State, agent_id: str) -> AgentRow:
    """An agent as it stands."""
    agent = state.agents[agent_id]
    last = agent.appraised
    worth, low, high = (last.worth, last.low, last.high) if last else (0.0, 0.0, 0.0)
    return AgentRow(
        id=agent.id, name=agent.name, position=agent.position, role=agent.role, brain=agent.brain.kind,
        status=agent.status, experiments=agent.experiments, worth=worth, low=low, high=high,
    )  # fmt: skip


def experiment_row(state: State, experiment_id: str) -> ExperimentRow:
    """An experiment as it stands."""
    e = state.experiments[experiment_id]
    return ExperimentRow(
        id=e.id, purpose=e.purpose, status=e.status, proposer=e.proposer, position=e.position, parent=e.parent,
        hash=e.hash, config=dict(e.config), seed=e.seed, steps=e.steps, cost=e.cost, metric=e.metric,
        predicted=e.predicted, failure=e.failure, detail=e.detail, verdict=e.verdict, standing=e.standing,
        attempt=e.attempt, created_at=e.created_at, started_at=e.started_at, finished_at=e.finished_at,
    )  # fmt: skip
