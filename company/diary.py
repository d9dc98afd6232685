"""What is told of one agent: the last marks word for word, of all before them when they were and of what kind. Pure."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from company.events import EVENTS

LATEST = 40  # marks that are kept whole
MOMENTS = 1_000  # of which the kind is known
TURNS = ("AgentReplaced", "AgentCoached")  # the last of these says why somebody went or is at risk

KINDS = tuple(EVENTS)
CODES = {kind: code for code, kind in enumerate(KINDS)}
BAD, TONED = 1 << 14, 1 << 15  # beside the code of a kind


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment in plain words. `tone` is good, bad, warn, people or ""; `agents` are all whom it is about."""

    seq: int
    at: float
    wall: float
    kind: str
    words: str
    tone: str
    agents: tuple[str, ...]
    experiment: str | None


@dataclass(frozen=True, slots=True)
class Moment:
    """A mark without its words."""

    at: float
    kind: str
    bad: bool


class Diary:
    """The marks of one agent, in order; `add` is the only way it changes."""

    __slots__ = ("_at", "_signs", "_turns", "latest")

    def __init__(self) -> None:
        self.latest: deque[Mark] = deque(maxlen=LATEST)
        self._turns: dict[str, Mark] = {}
        self._at = array("d")
        self._signs = array("H")

    def add(self, mark: Mark) -> None:
        """Note a mark; where there are too many, the older ordinary ones are thinned out."""
        self.latest.append(mark)
        if mark.kind in TURNS:
            self._turns[mark.kind] = mark
        self._at.append(mark.at)
        self._signs.append(CODES[mark.kind] | BAD * (mark.tone == "bad") | TONED * bool(mark.tone))
        if len(self._at) > MOMENTS:
            self._thin()

    def last(self, kind: str) -> Mark | None:
        """The last mark of one of TURNS."""
        return self._turns.get(kind)

    def moments(self) -> Iterator[Moment]:
        """When what kind of thing happened, over all the time."""
        for at, sign in zip(self._at, self._signs, strict=True):
            yield Moment(at, KINDS[sign & (BAD - 1)], bool(sign & BAD))

    def _thin(self) -> None:
        """Of the older half every second goes that is nothing special; where all are, the oldest quarter."""
        half, n = MOMENTS // 2, len(self._at)
        kept = [i for i in range(n) if i >= half or i % 2 or self._signs[i] & TONED]
        if len(kept) > MOMENTS * 7 // 8:
            kept = list(range(MOMENTS // 4, n))
        self._at = array("d", [self._at[i] for i in kept])
        self._signs = array("H", [self._signs[i] for i in kept])
