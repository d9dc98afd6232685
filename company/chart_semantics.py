"""What types cannot say of a chart: the tree is one tree, and every name in it is known.

Works on plain data that may be wrong in other ways too, so that all problems of a file are found at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from company.brain_kinds import MODEL_KINDS, ROLE_NAMES, find_kind, kind_key, kinds_for
from company.chart_models import check_model, check_prices, check_secrets, wrong_provider
from company.chart_problems import MAX_PROBLEMS, Finding, a, quoted, suggest
from company.policies import k_of_n
from company.structure_check import check_tree

_MOST = 2 * MAX_PROBLEMS  # of one check: looking for the nearest word is slow, and nobody reads thousands


def find_problems(data: Mapping[str, Any]) -> list[Finding]:
    """Everything wrong with the chart as a whole; parts of the wrong type are left to the type check."""
    seats = {index: seat for index, seat in enumerate(_items(data, "positions")) if isinstance(seat, Mapping)}
    talent = {index: who for index, who in enumerate(_items(data, "talent")) if isinstance(who, Mapping)}
    checks = (
        iter(check_tree(seats)),
        _check_staff(seats),
        _check_brains("positions", seats),
        _check_brains("talent", talent),
        _check_budget(data),
        check_prices(data),
        check_secrets(data),
        _check_edges(data, seats),
        _check_review(data, seats),
    )
    return [finding for check in checks for finding in islice(check, _MOST)]


def _items(data: Mapping[str, Any], key: str) -> list[Any]:
    value = data.get(key)
    return list(value) if isinstance(value, (list, tuple)) else []


def _check_staff(seats: Mapping[int, Mapping[str, Any]]) -> Iterator[Finding]:
    roles = [seat.get("role") for seat in seats.values()]
    if seats and all(role in ROLE_NAMES for role in roles) and "researcher" not in roles:
        yield Finding(("positions",), "there is no researcher, so nobody proposes experiments", at_key=True)


def _check_brains(block: str, holders: Mapping[int, Mapping[str, Any]]) -> Iterator[Finding]:
    for index, holder in holders.items():
        role, brain = holder.get("role"), holder.get("brain")
        word = kind_key(brain) if isinstance(brain, Mapping) else ""
        kind = brain.get(word) if isinstance(brain, Mapping) else brain
        if role not in ROLE_NAMES or not isinstance(kind, str):
            continue
        path = (block, index, "brain")
        given = {key: value for key, value in brain.items() if key != word} if isinstance(brain, Mapping) else {}
        entry = find_kind(role, kind)
        if word == "provider" and kind not in MODEL_KINDS:
            yield Finding((*path, word), wrong_provider(kind))
        elif entry is None:
            yield Finding((*path, word) if word else path, _wrong_kind(role, kind))
        elif kind in MODEL_KINDS:
            yield from check_model(path, role, kind, given)
        elif not entry.open:
            yield from _check_settings(path, kind, given, entry.settings)
        else:
            yield from _check_flat(path, given)


def _check_flat(path: tuple[str | int, ...], given: Mapping[Any, Any]) -> Iterator[Finding]:
    for key, value in given.items():
        if isinstance(value, Mapping):
            yield Finding((*path, key), f"{key}: a brain's setting must be a number, a word, true or false")


def _wrong_kind(role: str, kind: str) -> str:
    known = kinds_for(role)
    others = [other for other in ROLE_NAMES if other != role and find_kind(other, kind)]
    if others:
        return f"brain {quoted(kind)} is for {a(others[0])}, not for {a(role)} ({', '.join(known)})"
    return f"brain {quoted(kind)} is not known for {a(role)} ({', '.join(known)}){suggest(kind, known)}"


def _check_settings(
    path: tuple[str | int, ...], kind: str, given: Mapping[Any, Any], known: Mapping[str, Any]
) -> Iterator[Finding]:
    for key, value in given.items():
        setting = known.get(key)
        if setting is None:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            yield Finding(
                (*path, key), f"brain {kind!r} has no setting {quoted(key)}; {takes}{suggest(key, known)}", True
            )
        elif isinstance(value, bool) or not isinstance(value, (int, float)):
            yield Finding((*path, key), f"{key} must be a number, not {quoted(value)}")
        elif not setting.low <= value <= setting.high:
            yield Finding((*path, key), f"{key} must be from {setting.low:g} to {setting.high:g}, not {quoted(value)}")


def _check_budget(data: Mapping[str, Any]) -> Iterator[Finding]:
    budget = data.get("budget")
    if isinstance(budget, Mapping) and budget.get("experiments") is None and budget.get("slot_seconds") is None:
        yield Finding(
            ("budget",), "the budget needs experiments or slot_seconds, or the company would never close", at_key=True
        )


def _check_edges(data: Mapping[str, Any], seats: Mapping[int, Mapping[str, Any]]) -> Iterator[Finding]:
    communication = data.get("communication")
    if not isinstance(communication, Mapping):
        return
    known = [str(seat.get("id")) for seat in seats.values()]
    names = set(known)
    for index, edge in enumerate(_items(communication, "edges")):
        if not isinstance(edge, (list, tuple)) or len(edge) != 2:
            continue
        path = ("communication", "edges", index)
        for end, name in enumerate(edge):
            if isinstance(name, str) and name not in names:
                yield Finding((*path, end), f"no position has the id {quoted(name)}{suggest(name, known)}")
        if edge[0] == edge[1]:
            yield Finding(path, f"{quoted(edge[0])} is paired with itself")


def _check_review(data: Mapping[str, Any], seats: Mapping[int, Mapping[str, Any]]) -> Iterator[Finding]:
    policies = data.get("policies")
    review = policies.get("review") if isinstance(policies, Mapping) else None
    if not isinstance(review, Mapping):
        return
    roles = {seat["id"]: seat.get("role") for seat in seats.values() if isinstance(seat.get("id"), str)}
    path = ("policies", "review")
    yield from _check_rule(path, review, roles)
    counts = k_of_n(review["rule"]) if isinstance(review.get("rule"), str) else None
    if counts and not review.get("of"):
        yield from _check_reach((*path, "rule"), review["rule"], counts[1], seats)


def _check_rule(path: tuple[str | int, ...], rule: Mapping[str, Any], roles: Mapping[str, Any]) -> Iterator[Finding]:
    parts = _items(rule, "of")
    word = rule.get("rule")
    counts = k_of_n(word) if isinstance(word, str) else None
    if counts and parts and counts[1] > len(parts):
        yield Finding((*path, "rule"), f"{word} asks {counts[1]}, but `of` has {len(parts)}")
    for index, part in enumerate(parts):
        place = (*path, "of", index)
        if isinstance(part, Mapping):
            if not part.get("of"):
                yield Finding(place, "a nested rule must say `of` whom")
            yield from _check_rule(place, part, roles)
        elif isinstance(part, str):
            yield from _check_reviewer(place, part, roles)


def _check_reviewer(path: tuple[str | int, ...], name: str, roles: Mapping[str, Any]) -> Iterator[Finding]:
    reviewers = [other for other, role in roles.items() if role == "reviewer"]
    if name not in roles:
        yield Finding(path, f"no position has the id {quoted(name)}{suggest(name, reviewers)}")
    elif roles[name] in ROLE_NAMES and roles[name] != "reviewer":
        yield Finding(path, f"{quoted(name)} is {a(roles[name])}, not a reviewer{suggest(name, reviewers)}")


def _check_reach(
    path: tuple[str | int, ...], rule: str, asked: int, seats: Mapping[int, Mapping[str, Any]]
) -> Iterator[Finding]:
    """Every researcher must have enough reviewers up its chain; said once, for the first who has not."""
    managers = {seat.get("id"): seat.get("reports_to") for seat in seats.values() if isinstance(seat.get("id"), str)}
    reviewers = Counter(str(seat.get("reports_to")) for seat in seats.values() if seat.get("role") == "reviewer")
    for seat in seats.values():
        if seat.get("role") != "researcher":
            continue
        found = _nearest(seat.get("reports_to"), managers, reviewers)
        if found < asked:
            who = quoted(seat.get("id"))
            yield Finding(path, f"{rule} asks {asked} reviewers, but researcher {who} has {found} up its chain")
            return


def _nearest(manager: Any, managers: Mapping[Any, Any], reviewers: Mapping[str, int]) -> int:
    for _ in range(len(managers)):
        if not isinstance(manager, str):
            break
        if manager in reviewers:
            return reviewers[manager]
        manager = managers.get(manager)
    return 0
