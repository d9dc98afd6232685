"""Revisions of the org chart: a list of edits carried out as one, all or nothing, and how to undo it. Pure.

Edits are made on a draft; the chart's own checks run once at the end, so that what stands in between (a team that
has lost its manager and not yet got the next) need not be a company.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

from pydantic import BaseModel, ValidationError

from company.chart import BrainSpec, Edges, OrgChart, Position
from company.chart_problems import a, quoted, suggest
from company.edits import (
    AddPosition,
    ClosePosition,
    Demote,
    Edit,
    EditError,
    MergeTeams,
    Move,
    Promote,
    Restore,
    SetPolicy,
    SplitTeam,
    first_line,
)
from company.policies import Policies


@dataclass(frozen=True, slots=True)
class Revision:
    """One change of the organisation.

    `seated` maps each filled position of `after` to the position of `before` where its agent sat; `owner` maps each
    closed position to the manager position that takes its open work.
    """

    before: OrgChart
    after: OrgChart
    edits: tuple[Edit, ...]
    seated: Mapping[str, str]
    owner: Mapping[str, str]

    @property
    def vacant(self) -> tuple[str, ...]:
        """Positions of the new chart that nobody holds until someone is hired."""
        return tuple(seat.id for seat in self.after.positions if seat.id not in self.seated)


def apply(chart: OrgChart, edit: Edit) -> OrgChart:
    """The chart after one edit. Raises EditError when it cannot be made."""
    return revise(chart, (edit,)).after


def revise(chart: OrgChart, edits: Sequence[Edit], vacant: Collection[str] = ()) -> Revision:
    """All edits in order as one revision. `vacant`: positions that nobody holds now. Raises EditError."""
    draft = Draft(chart, vacant)
    for edit in edits:
        carry_out(edit, draft)
    if draft.idle() and not Draft(chart, vacant).idle():
        raise EditError("it would leave no researcher at work: nobody would propose experiments")
    return Revision(chart, draft.chart(), tuple(edits), dict(draft.seated), draft.owners())


def inverse(revision: Revision) -> tuple[Edit, ...]:
    """The edits that undo a revision: seats, settings and people go back; later changes elsewhere stay.

    Who left with a closed position does not come back: the position is vacant again. Empty when nothing changed.
    """
    old, new = _seats(revision.before), _seats(revision.after)
    communication = revision.before.communication
    people = [(before, seat) for seat, before in revision.seated.items() if before != seat]
    edit = Restore(
        seats=tuple(seat for name, seat in old.items() if new.get(name) != seat),
        close=tuple(name for name in new if name not in old),
        order=tuple(old) if tuple(old) != tuple(new) else (),
        people=tuple(people),
        policies=_changed_settings(revision.before.policies, revision.after.policies),
        communication=None if communication == revision.after.communication else communication,
    )
    return () if edit == Restore() else (edit,)


class Draft:
    """A chart being edited: seats by id in order, settings, who sits where, and who takes over from closed seats."""

    def __init__(self, chart: OrgChart, vacant: Collection[str]) -> None:
        self.source = chart
        self.seats = _seats(chart)
        self.policies = chart.policies
        self.communication: str | Edges = chart.communication
        self.seated = {name: name for name in self.seats if name not in vacant}
        self.closed: dict[str, str] = {}

    def chart(self) -> OrgChart:
        """The draft as a checked chart. Raises EditError with the first thing that is wrong with it."""
        update = {
            "positions": tuple(self.seats.values()),
            "policies": self.policies,
            "communication": self.communication,
        }
        try:
            return self.source.model_copy(update=update)
        except ValidationError as error:
            raise EditError(f"the company would not work: {first_line(error)}") from None

    def idle(self) -> bool:
        """Whether no researcher's seat is filled."""
        return not any(seat.role == "researcher" and seat.id in self.seated for seat in self.seats.values())

    def owners(self) -> dict[str, str]:
        """Every closed seat with the manager that takes over from it: one that itself survived, as a manager."""
        gone = [name for name in self.closed if name not in self.seats]
        return {name: self._heir(name) for name in gone}

    def _heir(self, name: str) -> str:
        while name not in self.seats or self.seats[name].role != "manager":
            name = self.seats[name].reports_to or "" if name in self.seats else self.closed[name]
        return name

    def seat(self, name: str) -> Position:
        if name not in self.seats:
            raise EditError(f"no position has the id {quoted(name)}{suggest(name, self.seats)}")
        return self.seats[name]

    def manager(self, name: str) -> Position:
        seat = self.seat(name)
        if seat.role != "manager":
            raise EditError(f"{quoted(name)} is {a(seat.role)}; only a manager has reports")
        return seat

    def below_root(self, name: str, what: str) -> str:
        """The manager of a seat. Raises EditError for the root, which has none."""
        boss = self.seat(name).reports_to
        if boss is None:
            raise EditError(f"{quoted(name)} is the root and cannot be {what}")
        return boss

    def reports(self, name: str) -> list[str]:
        return [seat.id for seat in self.seats.values() if seat.reports_to == name]

    def change(self, name: str, **update: Any) -> None:
        self.seats[name] = self.seats[name].model_copy(update=update)

    def move(self, name: str, to: str) -> None:
        """Raises EditError when `to` is the seat itself or below it."""
        at: str | None = to
        while at is not None:
            if at == name:
                raise EditError(f"{quoted(name)} would end up reporting to itself through {quoted(to)}")
            at = self.seats[at].reports_to
        self.change(name, reports_to=to)

    def add(self, seat: Position) -> None:
        if seat.id in self.seats:
            raise EditError(f"the id {quoted(seat.id)} is taken")
        self.seats[seat.id] = seat

    def close(self, name: str, owner: str) -> None:
        """A seat ends; who reports to it and what it has under way go to `owner`."""
        for report in self.reports(name):
            self.change(report, reports_to=owner)
        del self.seats[name]
        self.seated.pop(name, None)
        self.closed[name] = owner
        if isinstance(self.communication, Edges):
            kept = tuple(pair for pair in self.communication.edges if name not in pair)
            self.communication = self.communication.model_copy(update={"edges": kept})

    def set(self, key: str, value: Any) -> None:
        block, _, name = key.partition(".")
        blocks = type(self.policies).model_fields
        if block not in blocks or not name:
            raise EditError(f"{quoted(key)} is not a setting such as replace.rule{suggest(block, blocks)}")
        policy = getattr(self.policies, block)
        fields = type(policy).model_fields
        if name not in fields:
            raise EditError(f"policies.{block} has no setting {quoted(name)}{suggest(name, fields)}")
        try:
            changed = type(policy).model_validate({**policy.model_dump(), name: value})
        except ValidationError as error:
            raise EditError(f"policies.{block}.{first_line(error)}") from None
        self.policies = self.policies.model_copy(update={block: changed})


@singledispatch
def carry_out(edit: Edit, draft: Draft) -> None:
    """Make one edit on the draft. Raises EditError."""
    raise EditError(f"{edit.kind()} is not an edit that a chart knows")


@carry_out.register
def _(edit: Move, draft: Draft) -> None:
    boss = draft.below_root(edit.position, "moved")
    draft.manager(edit.to)
    if boss == edit.to:
        raise EditError(f"{quoted(edit.position)} reports to {quoted(edit.to)} already")
    draft.move(edit.position, edit.to)


@carry_out.register
def _(edit: SplitTeam, draft: Draft) -> None:
    draft.manager(edit.manager)
    team = draft.reports(edit.manager)
    for name in edit.members:
        if name not in team:
            raise EditError(f"{quoted(name)} does not report to {quoted(edit.manager)}{suggest(name, team)}")
    if len(set(edit.members)) == len(team):
        raise EditError(f"splitting off all of {quoted(edit.manager)}'s reports would leave it only the new manager")
    draft.add(Position(id=edit.into, title=edit.title, role="manager", reports_to=edit.manager))
    for name in edit.members:
        draft.move(name, edit.into)


@carry_out.register
def _(edit: MergeTeams, draft: Draft) -> None:
    if edit.keep == edit.close:
        raise EditError(f"{quoted(edit.keep)} cannot be merged with itself")
    draft.manager(edit.keep)
    draft.manager(edit.close)
    above = draft.below_root(edit.close, "closed")
    if draft.seats[edit.keep].reports_to == edit.close:
        draft.change(edit.keep, reports_to=above)
    for name in draft.reports(edit.close):
        draft.move(name, edit.keep)
    draft.close(edit.close, edit.keep)


@carry_out.register
def _(edit: Promote, draft: Draft) -> None:
    draft.manager(edit.to)
    draft.below_root(edit.position, "promoted")
    if edit.position == edit.to:
        raise EditError(f"{quoted(edit.position)} holds that position already")
    if edit.position not in draft.seated:
        raise EditError(f"{quoted(edit.position)} is vacant: there is nobody to promote")
    displaced = draft.seated.get(edit.to)
    draft.seated[edit.to] = draft.seated.pop(edit.position)
    if displaced is not None:
        draft.seated[edit.position] = displaced


@carry_out.register
def _(edit: Demote, draft: Draft) -> None:
    draft.manager(edit.position)
    above = draft.below_root(edit.position, "demoted")
    for name in draft.reports(edit.position):
        draft.move(name, above)
    draft.change(edit.position, role="researcher", title="", brain=edit.brain)


@carry_out.register
def _(edit: AddPosition, draft: Draft) -> None:
    draft.manager(edit.reports_to)
    seat = Position(id=edit.position, title=edit.title, role=edit.role, reports_to=edit.reports_to, brain=edit.brain)
    draft.add(seat)


@carry_out.register
def _(edit: ClosePosition, draft: Draft) -> None:
    above = draft.below_root(edit.position, "closed")
    researchers = [seat.id for seat in draft.seats.values() if seat.role == "researcher"]
    if researchers == [edit.position]:
        raise EditError(f"{quoted(edit.position)} is the last researcher: nobody would propose experiments")
    draft.close(edit.position, above)


@carry_out.register
def _(edit: SetPolicy, draft: Draft) -> None:
    draft.set(edit.key, edit.value)


@carry_out.register
def _(edit: Restore, draft: Draft) -> None:
    agents = {seat: draft.seated[source] for seat, source in edit.people if source in draft.seated}
    for seat in edit.seats:
        draft.seats[seat.id] = seat
    for name in edit.close:
        if name in draft.seats:
            draft.close(name, draft.below_root(name, "closed"))
    for _, source in edit.people:
        draft.seated.pop(source, None)
    draft.seated |= {seat: agent for seat, agent in agents.items() if seat in draft.seats}
    if edit.communication is not None:
        draft.communication = edit.communication
    for key, value in edit.policies.items():
        draft.set(key, value)
    rank = {name: index for index, name in enumerate(edit.order)}
    draft.seats = {name: draft.seats[name] for name in sorted(draft.seats, key=lambda n: rank.get(n, len(rank)))}


def _seats(chart: OrgChart) -> dict[str, Position]:
    return {seat.id: seat for seat in chart.positions}


def _changed_settings(before: Policies, after: Policies) -> dict[str, Any]:
    return {
        f"{block}.{name}": _plain(value)
        for block in type(before).model_fields
        for name, value in getattr(before, block)
        if value != getattr(getattr(after, block), name)
    }


def _plain(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value.model_dump(mode="json") if isinstance(value, (BaseModel, BrainSpec)) else value
