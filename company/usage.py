"""How well a run used its slots, from the wall-clock record of launches. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from company.ledger import Attempt

Span = tuple[float, float]  # wall seconds since the epoch, from and to


@dataclass(frozen=True, slots=True)
class Usage:
    """`busy_share` of the slots between founding and closing, None where there was no research.

    `launch_s` is the median cost of a launch on a warm worker; `research_s` and `total_s` the seconds at work.
    """

    busy_share: float | None
    launch_s: float | None
    research_s: float
    total_s: float


def usage(
    attempts: Sequence[Attempt], sessions: Sequence[tuple[float, float | None]], slots: int,
    research: Collection[str], ended: float | None, last: float,
) -> Usage:  # fmt: skip
    """Measure a run.

    `research`: the ids of proposals; the first launch of one ends the founding. `ended`: when research ended, None
    when it did not. `last`: the last recorded wall time. Time between sessions counts for nothing.
    """
    worked = _sessions(sessions, attempts, last)
    launches = [a.measured["launch_s"] for a in attempts if _is_number(a.measured.get("launch_s"))]
    begun = min((a.started for a in attempts if a.experiment in research), default=None)
    total = sum(to - start for start, to in worked)
    typical = float(median(launches)) if launches else None
    if begun is None:
        return Usage(None, typical, 0.0, total)
    window = (begun, ended if ended is not None else last)
    open_for = [part for part in (_overlap(span, window) for span in worked) if part]
    capacity = slots * sum(to - start for start, to in open_for)
    busy = sum(_covered(_runs(attempts, slot, worked), open_for) for slot in range(slots))
    share = min(1.0, busy / capacity) if capacity > 0 else None
    return Usage(share, typical, capacity / slots if slots else 0.0, total)


def _sessions(sessions: Sequence[tuple[float, float | None]], attempts: Sequence[Attempt], last: float) -> list[Span]:
    """When engines worked; one that was killed worked until the last thing it recorded."""
    known = sorted({last, *(a.ended for a in attempts if a.ended is not None), *(a.started for a in attempts)})
    spans: list[Span] = []
    for index, (opened, closed) in enumerate(sessions):
        following = sessions[index + 1][0] if index + 1 < len(sessions) else float("inf")
        end = closed if closed is not None else max((t for t in known if opened <= t < following), default=opened)
        spans.append((opened, max(opened, min(end, following))))
    return spans


def _runs(attempts: Iterable[Attempt], slot: int, worked: Sequence[Span]) -> list[Span]:
    """When a slot held something, as spans that do not overlap; a launch without an end died with its session."""
    found: list[Span] = []
    for attempt in sorted((a for a in attempts if a.slot == slot), key=lambda a: a.started):
        died = next((to for start, to in worked if start <= attempt.started <= to), attempt.started)
        end = attempt.ended if attempt.ended is not None else died
        start = max(attempt.started, found[-1][1]) if found else attempt.started
        if end > start:
            found.append((start, end))
    return found


def _covered(runs: Sequence[Span], parts: Sequence[Span]) -> float:
    overlaps = (_overlap(run, part) for run in runs for part in parts)
    return sum(part[1] - part[0] for part in overlaps if part)


def _overlap(a: Span, b: Span) -> Span | None:
    start, to = max(a[0], b[0]), min(a[1], b[1])
    return (start, to) if to > start else None


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
