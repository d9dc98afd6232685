"""What is told of one agent: the last marks word for word, of all before them when they were and of what kind. Pure."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from company.events import EVENTS

LATEST = 40  # marks that are kept whole
MOMENTS = 256  # of which the kind is known
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

    __slots__ = ("_at", "_every", "_ordinary", "_signs", "_turns", "latest")

    def __init__(self) -> None:
        self.latest: deque[Mark] = deque(maxlen=LATEST)
        self._turns: dict[str, Mark] = {}
        self._at = array("d")
        self._signs = array("H")
        self._ordinary, self._every = 0, 1  # marks without a tone so far; of how many one is kept

    def add(self, mark: Mark) -> None:
        """Note a mark; where there are too many, ordinary ones are thinned out evenly."""
        self.latest.append(mark)
        if mark.kind in TURNS:
            self._turns[mark.kind] = mark
        self._ordinary += not mark.tone
        if not mark.tone and self._ordinary % self._every:
            return
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
        """Every second of those that are nothing special goes; where that is too few, the oldest quarter of all."""
        self._every *= 2
        n = len(self._at)
        ordinary = [i for i in range(n) if not self._signs[i] & TONED]
        gone = set(ordinary[::2])
        kept = [i for i in range(n) if i not in gone]
        if len(kept) > MOMENTS * 7 // 8:
            kept = kept[MOMENTS // 4 :]
        self._at = array("d", [self._at[i] for i in kept])
        self._signs = array("H", [self._signs[i] for i in kept])
