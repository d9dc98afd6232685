"""One training process of an order: followed to its end, its rungs reported as its steps pass them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from company.compute.backend import OnRung, Order
from company.compute.endings import Facts, Why, why
from company.compute.folder import LOG, METRICS, WEIGHTS
from company.compute.launches import train_launch
from company.compute.log import Log
from company.compute.sandbox import Level
from company.compute.tail import MetricsTail, Rungs, is_regular, rung_steps
from company.compute.watch import watch
from company.compute.workers import Workers


@dataclass(slots=True)
class Training:
    """Follows one run. With its end come `facts` and `launch_s`: from the request to the first metrics line.

    That is the time at which the file was last written when the line was seen: at most one tick too long.
    """

    order: Order
    on_rung: OnRung
    sandbox: Level = "none"
    tail: MetricsTail = field(init=False)
    rungs: Rungs = field(init=False)
    facts: Facts | None = None
    launch_s: float | None = None

    def __post_init__(self) -> None:
        self.tail = MetricsTail(self.order.folder / METRICS, self.order.steps)
        self.rungs = Rungs(rung_steps(self.order.rungs, self.order.steps))

    async def run(self, workers: Workers) -> Why | None:
        """Train to the end; None when there is something to score. Raises WorkersLost; cancelling ends the group."""
        asked_ns, limits = time.time_ns(), self.order.project.limits
        running = await workers.launch(train_launch(self.order, self.sandbox))
        log = Log(self.order.folder / LOG, limits.log_kb * 1024)
        try:
            facts = await watch(running, self.order.folder, log, limits, self._tick)
            while not self.tail.at_end:
                self._report(self.tail.poll())
                await asyncio.sleep(0)
            self._report(self.tail.finish())
        finally:
            self.tail.finish()
        if self.tail.first_ns is not None:
            self.launch_s = max(0.0, (self.tail.first_ns - asked_ns) / 1e9)
        self.facts = replace(facts, nonfinite=self.tail.nonfinite)
        return why(self.facts) or self._nothing_to_score()

    def _tick(self) -> Why | None:
        self._report(self.tail.poll())
        return None if self.tail.nonfinite is None else Why("failed", "diverged", "the loss was not a number")

    def _report(self, points: Iterable[tuple[int, float]]) -> None:
        for step, loss in points:
            for rung in self.rungs.over(step):
                self.on_rung(rung, step, loss)

    def _nothing_to_score(self) -> Why | None:
        """A run that ended without an error and without weights."""
        if not is_regular(self.order.folder / WEIGHTS):
            return Why("failed", "bad_output", f"it ended without an error but left no {WEIGHTS}")
        return None
