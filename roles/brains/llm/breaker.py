"""A circuit breaker for one server: after failures in a row nobody calls it for a while, then one tries for all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

AFTER = 2  # calls that failed in a row, each after all of its tries
COOL_S = 15.0  # the first pause; each that did not help is followed by one of twice the length
MOST_S = 600.0


class Outage(Exception):
    """A server does not answer, or refuses everything; the message is one line that says so."""


class Breaker:
    """Closed while calls succeed; open after failures; then one call at a time may find out whether it is over."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, cool_s: float = COOL_S) -> None:
        self._clock, self._cool_s = clock, cool_s
        self._failures = self._pauses = 0
        self._until = 0.0
        self._probing = False
        self.why = ""

    @property
    def open(self) -> bool:
        """Whether the server is taken to be out."""
        return bool(self.why)

    @property
    def wait_s(self) -> float:
        """Seconds until a call may find out, 0 when it may now."""
        return max(0.0, self._until - self._clock()) if self.open else 0.0

    def enter(self) -> None:
        """Before a call. Raises Outage while the circuit is open and it is not this call's turn to find out."""
        if not self.open:
            return
        if self._probing or self.wait_s > 0:
            raise Outage(self.why)
        self._probing = True

    def succeeded(self) -> None:
        """A call was answered, if only to say that the request was wrong."""
        self._failures = self._pauses = 0
        self._probing, self.why = False, ""

    def failed(self, why: str, at_once: bool = False, pause_s: float | None = None) -> None:
        """A call failed after all of its tries. Raises Outage when that opens the circuit, or keeps it open."""
        self._failures += 1
        if not (at_once or self._probing or self._failures >= AFTER):
            return
        cool = min(MOST_S, self._cool_s * 2.0**self._pauses) if pause_s is None else pause_s
        self._pauses, self._probing, self.why = self._pauses + 1, False, why
        self._until = self._clock() + cool
        raise Outage(why)

    def abandoned(self) -> None:
        """The call was cancelled: nothing is known."""
        self._probing = False

    async def turn(self) -> None:
        """Wait until a call may find out."""
        await asyncio.sleep(max(self.wait_s, 0.05 if self._probing else 0.0))
