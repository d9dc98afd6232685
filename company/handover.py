"""What a revision means for people and for open work, and how to say it in plain words. Pure.

Covered: every closed position's work has an owner, every report a manager, every vacancy a name.
Not covered: who is hired for a vacancy (company/staffing.py), and when.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from company.chart import OrgChart
from company.chart_diff import diff_charts
from company.chart_problems import a
from company.edits import Edit
from company.revision import Revision, revise


@dataclass(frozen=True, slots=True)
class Closed:
    """A position that ended. `owner` (a manager) takes its open work; `heir` has the same role, is the nearest up the
    chain or else the first of the chart, and can finish what only that role does; None when there is nobody."""

    position: str
    role: str
    owner: str
    heir: str | None


@dataclass(frozen=True, slots=True)
class Handover:
    """Positions throughout. An agent is named by the position that it held before.

    moved: (position, old manager, new manager). opened: new positions. seated: (position, where its agent sat) of
    those who change seats. recast: positions whose role changed. vacant: nobody holds them until someone is hired.
    leaving: former positions of agents who are left without one. acting: (vacant manager, who manages meanwhile).
    """

    moved: tuple[tuple[str, str, str], ...]
    closed: tuple[Closed, ...]
    opened: tuple[str, ...]
    seated: tuple[tuple[str, str], ...]
    recast: tuple[str, ...]
    vacant: tuple[str, ...]
    leaving: tuple[str, ...]
    acting: tuple[tuple[str, str], ...]


def handover(revision: Revision, vacant: Collection[str] = ()) -> Handover:
    """Who and what goes where. `vacant`: positions that nobody held before, as `revise` was given them."""
    before, after = revision.before, revision.after
    old, new = before.structure, after.structure
    stay = [name for name in new.manager if name in old.manager]
    lost = [n for n in old.manager if n not in vacant and n not in set(revision.seated.values())]
    empty = frozenset(revision.vacant)
    return Handover(
        moved=tuple((n, old.manager[n] or "", new.manager[n] or "") for n in stay if old.manager[n] != new.manager[n]),
        closed=tuple(
            Closed(n, old.roles[n], owner, _heir(after, owner, old.roles[n])) for n, owner in revision.owner.items()
        ),
        opened=tuple(n for n in new.manager if n not in old.manager),
        seated=tuple((n, was) for n, was in revision.seated.items() if n != was),
        recast=tuple(n for n in stay if old.roles[n] != new.roles[n]),
        vacant=revision.vacant,
        leaving=tuple(lost),
        acting=tuple((n, living_manager(after, n, empty) or "") for n in revision.vacant if new.roles[n] == "manager"),
    )


def living_manager(chart: OrgChart, position: str, vacant: Collection[str] = ()) -> str | None:
    """The nearest manager up the chain whom somebody holds; None for the root, or when all above are vacant."""
    return next((name for name in chart.chain(position) if name not in vacant), None)


def consequences(chart: OrgChart, edits: Sequence[Edit], vacant: Collection[str] = ()) -> tuple[str, ...]:
    """What the edits would do, a line each in plain words. Raises EditError when they cannot be made."""
    revision = revise(chart, edits, vacant)
    return tuple(_lines(revision, handover(revision, vacant)))


def _lines(revision: Revision, found: Handover) -> Iterator[str]:
    before, after = revision.before, revision.after
    for name in found.opened:
        seat = after.position(name)
        yield f"{name} opens: {a(seat.role)} under {seat.reports_to}"
    yield from _moves(after, found)
    for name in found.recast:
        yield f"{name} becomes {a(after.position(name).role)}"
    yield from _seats(found)
    for closed in found.closed:
        yield f"{closed.position} closes ({closed.role}); its open work goes to {closed.owner}"
    acting = dict(found.acting)
    for name in found.vacant:
        until = f"; {acting[name]} manages its reports meanwhile" if acting.get(name) and after.reports(name) else ""
        yield f"{name} is vacant until someone is hired{until}"
    yield from (f"{len(found.leaving)} leave: {', '.join(found.leaving)}" for _ in found.leaving[:1])
    yield from (str(change) for change in diff_charts(before, after) if change.kind in ("policy", "communication"))


def _moves(after: OrgChart, found: Handover) -> Iterator[str]:
    groups: dict[tuple[str, str], list[str]] = {}
    for name, _, to in found.moved:
        groups.setdefault((after.position(name).role, to), []).append(name)
    for (role, to), names in groups.items():
        who = f"1 {role} moves" if len(names) == 1 else f"{len(names)} {role}s move"
        yield f"{who} to {to}: {', '.join(names)}"


def _seats(found: Handover) -> Iterator[str]:
    pairs = dict(found.seated)
    for seat, was in found.seated:
        if pairs.get(was) != seat:
            yield f"the agent of {was} takes {seat}"
        elif was < seat:
            yield f"the agents of {was} and {seat} change places"


def _heir(after: OrgChart, owner: str, role: str) -> str | None:
    for manager in (owner, *after.chain(owner)):
        if role == "manager":
            return manager
        found = next((name for name in after.reports(manager) if after.position(name).role == role), None)
        if found:
            return found
    return next(iter(after.by_role(role)), None)
