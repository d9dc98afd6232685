"""Whether reporting lines make one tree: one root, known managers, no cycles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from company.brain_kinds import ROLE_NAMES
from company.chart_problems import Finding, a, quoted, suggest

Seats = Mapping[int, Mapping[str, Any]]


def check_tree(seats: Seats) -> list[Finding]:
    """Problems of the tree that positions (by their index in the list) make."""
    return [*_check_ids(seats), *_check_roots(seats), *_check_managers(seats), *_check_cycles(seats)]


def _check_ids(seats: Seats) -> Iterator[Finding]:
    first: dict[str, int] = {}
    names = {seat.get("id") for seat in seats.values() if isinstance(seat.get("id"), str)}
    for index, seat in seats.items():
        name = seat.get("id")
        if not isinstance(name, str):
            continue
        path = ("positions", index, "id")
        if first.setdefault(name, index) != index:
            yield Finding(path, f"the id {quoted(name)} is used twice (first by position {first[name] + 1})")
        base, _, number = name.rpartition("_")
        if base in names and number.isdecimal():
            yield Finding(path, f"the id {quoted(name)} is what the next agent at {quoted(base)} would be called")


def _check_roots(seats: Seats) -> Iterator[Finding]:
    roots = [index for index, seat in seats.items() if seat.get("reports_to") is None]
    if seats and not roots:
        yield Finding(("positions",), "there is no root: one manager must have no reports_to", at_key=True)
    for index in roots[1:]:
        one, other = quoted(seats[index].get("id")), quoted(seats[roots[0]].get("id"))
        yield Finding(
            ("positions", index), f"a second root: {one} reports to nobody, and so does {other}; give one a reports_to"
        )
    if len(seats) > 1 and len(roots) == 1:
        yield from _check_root_role(roots[0], seats[roots[0]])


def _check_root_role(index: int, seat: Mapping[str, Any]) -> Iterator[Finding]:
    role = seat.get("role")
    if role in ROLE_NAMES and role != "manager":
        yield Finding(
            ("positions", index, "role"), f"the root of a company of several must be a manager, not {a(role)}"
        )


def _check_managers(seats: Seats) -> Iterator[Finding]:
    roles = {seat["id"]: seat.get("role") for seat in seats.values() if isinstance(seat.get("id"), str)}
    managers = [name for name, role in roles.items() if role == "manager"]
    for index, seat in seats.items():
        boss = seat.get("reports_to")
        path = ("positions", index, "reports_to")
        if not isinstance(boss, str):
            continue
        if boss not in roles:
            yield Finding(path, f"no position has the id {quoted(boss)}{suggest(boss, managers or roles)}")
        elif roles[boss] in ROLE_NAMES and roles[boss] != "manager":
            yield Finding(path, f"{quoted(boss)} is {a(str(roles[boss]))}; only a manager has reports")


def _check_cycles(seats: Seats) -> Iterator[Finding]:
    boss = {seat["id"]: seat.get("reports_to") for seat in seats.values() if isinstance(seat.get("id"), str)}
    place = {seat["id"]: index for index, seat in seats.items() if isinstance(seat.get("id"), str)}
    settled: set[str] = set()
    lost: set[str] = set()
    for name in boss:
        walk: list[str] = []
        at: Any = name
        while isinstance(at, str) and at in boss and at not in settled and at not in walk:
            walk.append(at)
            at = boss[at]
        around = walk[walk.index(at) :] if at in walk else []
        if around:
            path = ("positions", place[around[0]], "reports_to")
            yield Finding(path, f"{quoted(around[0])} ends up reporting to itself: {_round(around)}")
        below = walk[: len(walk) - len(around)] if around or at in lost else []
        for other in below:
            yield Finding(("positions", place[other], "reports_to"), f"{quoted(other)} is not reached from the root")
        lost.update(around, below)
        settled.update(walk)


def _round(names: list[str]) -> str:
    shown = names if len(names) <= 8 else [*names[:7], "..."]
    return " -> ".join([*shown, names[0]])
