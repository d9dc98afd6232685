"""The thread that follows a run: it polls for commits, reads what is new, and hands on one Delta a tick.

The next tick waits until the last Delta was taken, so that a slow screen is never flooded. No Textual here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tui.source import EngineStatus, Source, SourceError

if TYPE_CHECKING:
    from company.snapshot import Recorded, Snapshot

TICK_S = 0.2
LOOK_S = 1.0  # between looks at the engine's lock
LONG = 20_000  # events, from which on a ledger is worth a first look


@dataclass(frozen=True, slots=True)
class Delta:
    """What a tick brought. `total` is the last event of the ledger; `problem` is a line for a banner.

    `early` is what a long ledger can show before all of it is read.
    """

    records: tuple[Recorded, ...] = ()
    total: int = 0
    engine: EngineStatus = "stopped"
    running: Mapping[str, float] = field(default_factory=dict)
    problem: str = ""
    early: Snapshot | None = None


Sink = Callable[[Delta], None]


class Feed:
    """Follows one run directory until it is stopped. `sink` is called on the feed's thread; answer with `taken`."""

    def __init__(self, directory: Path, sink: Sink, tick: float = TICK_S) -> None:
        self.source = Source(directory)
        self._sink, self._tick = sink, tick
        self._stop, self._taken, self._wake = threading.Event(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
        self._seq = 0
        self._closed = False
        self._last = Delta()
        self._looked = 0.0

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def taken(self) -> None:
        """The last Delta has been dealt with."""
        self._taken.set()

    def pace(self, tick: float) -> None:
        """Look every `tick` seconds from now on; where that is more often than before, at once."""
        sooner, self._tick = tick < self._tick, tick
        if sooner:
            self._wake.set()

    def stop(self) -> None:
        """End the thread, at the latest after the tick under way."""
        self._stop.set()
        self._wake.set()
        self._taken.set()

    def join(self, timeout: float | None = None) -> None:
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                delta = self.tick()
                if delta is not None:
                    self._taken.clear()
                    self._sink(delta)
                    self._taken.wait()
                if delta is None or delta.total <= self._seq or delta.problem:
                    self._wake.wait(self._tick)
                    self._wake.clear()
        finally:
            self.source.close()

    def tick(self) -> Delta | None:
        """What is new since the last tick, None when nothing is."""
        try:
            return self._look()
        except SourceError as error:
            self.source.close()
            return self._changed(Delta((), self._last.total, self._last.engine, self._last.running, str(error)))

    def _look(self) -> Delta | None:
        if self._closed and self._last.engine == "finished":
            return None  # nothing follows the closing event
        if self._last.total == 0 and self.source.last() > LONG:
            return self._early()
        fresh = self.source.changed() or self._seq < self._last.total
        records = self._records() if fresh else ()
        total = max(self.source.last(), self._seq) if fresh else self._last.total
        running = self.source.running() if fresh else self._last.running
        delta = Delta(records, total, self._engine(bool(records)), running)
        if self._closed and self._seq >= total:
            self.source.close()  # so that the engine's own close comes last, and tidies the WAL away
        return self._changed(delta)

    def _early(self) -> Delta | None:
        """A first look; where the ledger does not allow one, only its length: reading it in order will say why."""
        from company.glimpse import glimpse
        from tui.extract import extract

        shot, total = None, self.source.last()
        with suppress(LookupError, ValueError, TypeError, AttributeError, RuntimeError):
            found = extract(self.source)
            shot = glimpse(found) if found is not None else None
        return self._changed(Delta((), total, self._engine(True), self.source.running(), early=shot))

    def _records(self) -> tuple[Recorded, ...]:
        from tui.extract import restored

        found = []
        for row in self.source.read(self._seq):
            try:
                found.append(restored(row))
            except KeyError:
                said = f"event {row[0]} is of a kind this version does not know: upgrade loopworks"
                raise SourceError(said) from None
            except (TypeError, ValueError):
                raise SourceError(f"event {row[0]} cannot be read: restore the ledger from a copy") from None
        if found:
            self._seq = found[-1].seq
            self._closed = found[-1].event.kind == "RunClosed"
        return tuple(found)

    def _engine(self, look_now: bool) -> EngineStatus:
        now = time.monotonic()
        if not look_now and now - self._looked < LOOK_S:
            return self._last.engine
        self._looked = now
        return self.source.engine(self._closed)

    def _changed(self, delta: Delta) -> Delta | None:
        was, self._last = self._last, delta
        same = (was.total, was.engine, was.running, was.problem) == (
            delta.total, delta.engine, delta.running, delta.problem
        )  # fmt: skip
        return None if same and not delta.records else delta
