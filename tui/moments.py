"""Moments of the story: the next one, the ones around one, and how a person names one. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from company.snapshot import Mark

CLOCK = re.compile(r"(?:(?P<h>\d{1,6}):)?(?P<m>\d{1,8}):(?P<s>\d{1,2})")


@dataclass(frozen=True, slots=True)
class Moment:
    """A company time, or an event's number."""

    at: float = 0.0
    seq: int = 0

    def includes(self, mark: Mark) -> bool:
        """Whether a mark lies at or before this moment."""
        return mark.seq <= self.seq if self.seq else mark.at <= self.at


def parse_moment(text: str) -> Moment | str:
    """The moment that a person means, or what is wrong with it: 90, 12:30, 1:02:03, #420."""
    text = text.strip()
    if re.fullmatch(r"#\d{1,12}", text) and int(text[1:]) > 0:
        return Moment(seq=int(text[1:]))
    if re.fullmatch(r"\d{1,9}(\.\d*)?", text):
        return Moment(at=float(text))
    clock = CLOCK.fullmatch(text)
    if clock is None:
        return "write seconds (90), a clock (12:30) or an event (#420)"
    hours, minutes, seconds = (int(clock[part] or 0) for part in ("h", "m", "s"))
    return Moment(at=hours * 3600.0 + minutes * 60.0 + seconds + 0.999)


def step(marks: Sequence[Mark], seq: int, sign: int, kinds: Collection[str] = ()) -> int | None:
    """The sequence number of the next mark (of some kinds) after or before `seq`, None where there is none."""
    found = [mark.seq for mark in marks if not kinds or mark.kind in kinds]
    place = bisect_right(found, seq) if sign > 0 else bisect_left(found, seq) - 1
    return found[place] if 0 <= place < len(found) else None


def near(marks: Sequence[Mark], seq: int, most: int) -> tuple[Sequence[Mark], int]:
    """At most `most` marks around the last one up to `seq`, and where that one stands among them."""
    here = max(0, bisect_right([mark.seq for mark in marks], seq) - 1)
    start = max(0, min(here - most // 2, len(marks) - most))
    return marks[start : start + max(0, most)], here - start
