"""What all tabs look at: the whole story, the moment that is shown, the engine, and what is selected. No Textual."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from company.events import RunFounded
from company.snapshot import Snapshot
from tui.draw.status import Situation
from tui.feed import Delta
from tui.outbox import Outbox
from tui.source import BATCH


@dataclass(slots=True)
class Desk:
    """`whole` is all that is known; `shot` is the same, or an earlier moment in a replay.

    A long ledger is folded in `fold` while `whole` is the first look at it.
    """

    directory: Path
    whole: Snapshot = field(default_factory=Snapshot)
    shot: Snapshot = field(default_factory=Snapshot)
    delta: Delta = field(default_factory=Delta)
    agent: str = ""
    experiment: str = ""
    position: str = ""
    readonly: bool = False
    outbox: Outbox = field(default_factory=Outbox)
    founding: Mapping[str, Any] | None = None  # the chart that the company was founded with

    fold: Snapshot = field(init=False)

    def __post_init__(self) -> None:
        self.shot = self.fold = self.whole

    @property
    def replay(self) -> bool:
        """Whether an earlier moment is shown."""
        return self.shot is not self.whole

    def take(self, delta: Delta) -> None:
        """Fold what the feed brought. Raises what the fold raises for a ledger that was altered."""
        self.fold.extend(delta.records)
        self.outbox.read(delta.records)
        if delta.records and isinstance(delta.records[0].event, RunFounded):
            self.founding = delta.records[0].event.chart
        self.delta = delta
        if delta.early is not None:
            self.fold = Snapshot()
            self._know(delta.early)
        elif self.fold is not self.whole and self.fold.seq >= delta.total:
            self._know(self.fold)

    def _know(self, whole: Snapshot) -> None:
        if not self.replay:
            self.shot = whole
        self.whole = whole

    def barred(self) -> str:
        """Why nothing can be asked of the company from here, "" where it can."""
        resume = f"go on with loopworks run --resume {self.directory}"
        if self.readonly:
            return "this dashboard was opened with --readonly: nothing can be changed from it"
        if self.delta.engine == "finished":
            return "the run has closed: nothing can be changed any more"
        if self.delta.engine != "live":
            dead = "the engine is presumed dead" if self.delta.engine == "dead" else "no engine works on this run"
            return f"{dead}: {resume}"
        if self.whole.early:
            return "the ledger is still being read: wait until it is"
        return "an earlier moment is shown: L goes back to the present" if self.replay else ""

    def needs(self) -> int:
        """How many things wait for a person."""
        dead = self.delta.engine == "dead"
        return dead + (0 if self.delta.engine == "finished" else len(self.whole.state.requests))

    def situation(self, now: float | None = None) -> Situation:
        """What the status row says beside the snapshot."""
        quiet = max(0.0, (time.time() if now is None else now) - self.whole.wall) if self.whole.wall else 0.0
        behind = self.delta.total - self.fold.seq
        read = self.fold.seq / self.delta.total if behind > BATCH or self.whole.early else 1.0
        return Situation(
            self.delta.engine, self.replay, self.whole.seq, quiet, min(1.0, read), self.needs(),
            len(self.outbox.waiting),
        )  # fmt: skip

    def elapsed(self, now: float | None = None) -> Mapping[str, float]:
        """For how many seconds what runs has run, by the clock; nothing where no engine is at work."""
        if self.replay or self.delta.engine != "live":
            return {}
        wall = time.time() if now is None else now
        return {experiment: max(0.0, wall - started) for experiment, started in self.delta.running.items()}

    def select_agent(self, agent: str) -> None:
        """Select an agent and, where it holds one, its position."""
        found = self.shot.state.agents.get(agent)
        self.agent = agent
        if found is not None and self.shot.state.holder.get(found.position) == agent:
            self.position = found.position

    def select_position(self, position: str) -> None:
        """Select a position and whoever holds it."""
        self.position, self.agent = position, self.shot.state.holder.get(position, "")
