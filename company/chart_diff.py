"""What differs between two charts in terms of people and policies, not of lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from company.chart import BrainSpec, OrgChart, Position, Start, Talent

Kind = Literal[
    "hired", "removed", "moved", "role", "brain", "title",
    "company", "mission", "budget", "communication", "policy", "talent", "start",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `subject` is a position's id, a dotted setting or a kind of candidate; sides are plain data."""

    kind: Kind
    subject: str
    before: Any
    after: Any

    def __str__(self) -> str:
        old, new = _shown(self.before), _shown(self.after)
        match self.kind:
            case "hired":
                return f"{self.subject} is added: {new}"
            case "removed":
                return f"{self.subject} is removed: {old}"
            case "moved":
                return f"{self.subject} moves from {old} to {new}"
            case "role" | "brain" | "title":
                return f"{self.subject} changes {self.kind} from {old} to {new}"
            case _:
                return f"{self.subject}: {old} -> {new}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {"kind": self.kind, "subject": self.subject, "before": self.before, "after": self.after}


def diff_charts(before: OrgChart, after: OrgChart) -> tuple[Change, ...]:
    """All differences: removed, hired, changed positions, then settings. Equal charts give none."""
    return (*_staff(before, after), *_settings(before, after), *_talent(before, after), *_starts(before, after))


def _staff(before: OrgChart, after: OrgChart) -> Iterator[Change]:
    old = {position.id: position for position in before.positions}
    new = {position.id: position for position in after.positions}
    yield from (Change("removed", id, _described(old[id]), None) for id in old if id not in new)
    yield from (Change("hired", id, None, _described(new[id])) for id in new if id not in old)
    for id in (id for id in old if id in new):
        yield from _position(old[id], new[id])


def _position(old: Position, new: Position) -> Iterator[Change]:
    if old.role != new.role:
        yield Change("role", old.id, old.role, new.role)
    if old.reports_to != new.reports_to:
        yield Change("moved", old.id, old.reports_to, new.reports_to)
    if old.effective_brain != new.effective_brain:
        yield Change("brain", old.id, old.effective_brain.model_dump(), new.effective_brain.model_dump())
    if old.name != new.name:
        yield Change("title", old.id, old.name, new.name)


def _settings(before: OrgChart, after: OrgChart) -> Iterator[Change]:
    old, new = before.to_dict(), after.to_dict()
    blocks: tuple[tuple[Kind, str], ...] = (
        ("company", "company"),
        ("mission", "mission"),
        ("budget", "budget"),
        ("communication", "communication"),
        ("policy", "policies"),
    )
    for kind, block in blocks:
        yield from _leaves(kind, block, old.get(block), new.get(block))


def _leaves(kind: Kind, path: str, old: Any, new: Any) -> Iterator[Change]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys((*old, *new)):
            yield from _leaves(kind, f"{path}.{key}", old.get(key), new.get(key))
    elif old != new:
        yield Change(kind, path, old, new)


def _talent(before: OrgChart, after: OrgChart) -> Iterator[Change]:
    old, new = _pool(before.talent), _pool(after.talent)
    for who in dict.fromkeys((*old, *new)):
        if old.get(who, 0) != new.get(who, 0):
            yield Change("talent", f"talent {who}", old.get(who, 0), new.get(who, 0))


def _starts(before: OrgChart, after: OrgChart) -> Iterator[Change]:
    old, new = ({_start_text(start): True for start in chart.starts} for chart in (before, after))
    yield from (Change("start", "starts", text, None) for text in old if text not in new)
    yield from (Change("start", "starts", None, text) for text in new if text not in old)


def _start_text(start: Start) -> str:
    config = ", ".join(f"{name} {value}" for name, value in start.config.items())
    return f"{config} ({start.origin})" if start.origin else config


def _pool(talent: tuple[Talent, ...]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for who in talent:
        key = " ".join(part for part in (who.role, brain_text(who.effective_brain), who.name, *_records(who)) if part)
        counts[key] = counts.get(key, 0) + who.count
    return counts


def _records(who: Talent) -> Iterator[str]:
    return (f"[{each.worth:+g} ({each.low:g} to {each.high:g}, n {each.n}) on {each.project}]" for each in who.record)


def brain_text(brain: BrainSpec) -> str:
    """`evolution (step 0.2)`."""
    settings = ", ".join(f"{key} {_flat(value)}" for key, value in brain.params.items())
    return f"{brain.kind} ({settings})" if settings else brain.kind


def _flat(value: Any) -> str:
    return " ".join(f"{key} {_flat(item)}" for key, item in value.items()) if isinstance(value, Mapping) else str(value)


def _described(position: Position) -> str:
    boss = f", reports to {position.reports_to}" if position.reports_to else ", the root"
    brain = "" if position.effective_brain.kind == "policy" else f" with {brain_text(position.effective_brain)}"
    return f"{position.role}{brain}{boss}"


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping) and "kind" in value:
        return brain_text(BrainSpec.model_validate(value))
    return str(value)
