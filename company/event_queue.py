"""What happens next in virtual time: a heap of (time, priority, sequence)."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from typing import Generic, TypeVar

T = TypeVar("T")


class EventQueue(Generic[T]):
    """Items by time; ties go by priority (the smallest first), then first in, first out."""

    __slots__ = ("_heap", "_sequence")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, int, T]] = []
        self._sequence = count()

    def push(self, at: float, item: T, priority: int = 0) -> None:
        """Let `item` happen at time `at`. Raises ValueError for a time that is no number."""
        if at != at:
            raise ValueError(f"an event's time is {at}: it cannot be put in order")
        heappush(self._heap, (at, priority, next(self._sequence), item))

    def pop(self) -> tuple[float, T]:
        """Take out the next item, with its time. Raises IndexError when there is none."""
        if not self._heap:
            raise IndexError("the event queue is empty: nothing is left to happen")
        at, _, _, item = heappop(self._heap)
        return at, item

    def __len__(self) -> int:
        return len(self._heap)

    def __bool__(self) -> bool:
        return bool(self._heap)
