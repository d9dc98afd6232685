"""The typed edits of a live org chart: what a manager, a policy or a person can ask for, and their JSON form.

An edit names positions. `company/revision.py` carries a list of them out as one revision, all or nothing, and
`company/handover.py` says what that means for people and for open work.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationError

from company.chart import BrainSpec, Edges, Id, Position, Role
from company.chart_problems import quoted, suggest
from company.policies import Frozen, Line


class EditError(ValueError):
    """An edit that cannot be made, with the reason in one line."""


class Edit(Frozen):
    """One change of the chart. Frozen, and an unknown field is an error."""

    @classmethod
    def kind(cls) -> str:
        """The name that the JSON form carries."""
        return cls.__name__

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, which `from_dict` reads back."""
        return {"kind": self.kind(), **self.model_dump(mode="json", exclude_none=True)}


class Move(Edit):
    """The position, with all below it, reports to another manager."""

    position: Id
    to: Id


class SplitTeam(Edit):
    """A new manager position `into` under `manager` takes over some of its direct reports."""

    manager: Id
    into: Id
    members: Annotated[tuple[Id, ...], Field(min_length=1)]
    title: Line = ""


class MergeTeams(Edit):
    """The manager position `close` ends, and `keep` takes over its reports and its open work."""

    keep: Id
    close: Id


class Promote(Edit):
    """The agent of `position` takes the manager position `to`.

    Where `to` is vacant or new, `position` is left vacant; else the two agents change places.
    """

    position: Id
    to: Id


class Demote(Edit):
    """A manager position becomes a researcher's; its reports go to its own manager."""

    position: Id
    brain: BrainSpec | None = None


class AddPosition(Edit):
    """A new position, vacant until somebody is hired for it."""

    position: Id
    role: Role
    reports_to: Id
    brain: BrainSpec | None = None
    title: Line = ""


class ClosePosition(Edit):
    """A position ends; its reports and its open work go to its manager."""

    position: Id


class SetPolicy(Edit):
    """One setting of `policies`, such as `replace.rule`, gets a new value."""

    key: Annotated[str, Field(max_length=100)]
    value: Any


class Restore(Edit):
    """What a revision changed goes back to how it was (made by `revision.inverse`); later changes elsewhere stay.

    `seats` as they were, `close` those that were not there, `order` of all, `people` as (seat, seat from which its
    agent is called back), `policies` by dotted key.
    """

    seats: tuple[Position, ...] = ()
    close: tuple[Id, ...] = ()
    order: tuple[Id, ...] = ()
    people: tuple[tuple[Id, Id], ...] = ()
    policies: Mapping[str, Any] = {}
    communication: str | Edges | None = None


EDITS: dict[str, type[Edit]] = {
    edit.kind(): edit
    for edit in (Move, SplitTeam, MergeTeams, Promote, Demote, AddPosition, ClosePosition, SetPolicy, Restore)
}


def from_dict(data: Mapping[str, Any]) -> Edit:
    """The edit that `to_dict` wrote, or that a person asked for. Raises EditError in one line."""
    if not isinstance(data, Mapping):
        raise EditError(f"an edit must be a mapping with a kind, not {quoted(data)}")
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in EDITS:
        raise EditError(f"{quoted(kind)} is not a kind of edit ({', '.join(EDITS)}){suggest(kind, EDITS)}")
    try:
        return EDITS[kind].model_validate({key: value for key, value in data.items() if key != "kind"})
    except ValidationError as error:
        raise EditError(f"{kind}: {first_line(error)}") from None


def edits_from(items: Iterable[Mapping[str, Any]]) -> tuple[Edit, ...]:
    """`from_dict` of each."""
    return tuple(from_dict(item) for item in items)


def first_line(error: ValidationError) -> str:
    """The first of pydantic's complaints in one line, with its place."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    text = first["msg"].removeprefix("Value error, ")
    return f"{place}: {text}" if place else text
