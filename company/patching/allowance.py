"""Matched compute for changed code: a budget of steps means nothing to code that decides what a step is.

The cost table is of the project's own code. Here the processor's seconds that own runs take on this machine, as shares
of what the table predicts, say what a run should take; changed code whose steps take SLACK times as long has failed by
its own doing, whatever it measured. On a GPU the wall clock is what can be measured from outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from statistics import median
from typing import Any, Literal

from company.compute.backend import Outcome

SLACK = 1.5  # a machine at work is a fifth slower at times; a change that pays needs no more
GRACE_S = 0.2  # of what no table knows


class Allowance:
    """What changed code may take. `learn` of own runs first: before the first nothing is refused."""

    def __init__(self, device: Literal["cpu", "cuda"]) -> None:
        self._device = device
        self._shares: list[float] = []

    def learn(self, measured: Mapping[str, Any], cost: float) -> None:
        """A run of the project's own code that was predicted to take `cost` seconds."""
        used = self.used(measured)
        if used is not None and cost > 0:
            self._shares.append(used / cost)

    def used(self, measured: Mapping[str, Any]) -> float | None:
        """Seconds of compute in training and evaluation; None where nobody measured them."""
        names = ("train_s", "evaluate_s") if self._device == "cuda" else ("cpu_s",)
        found = [measured.get(name) for name in names]
        return float(sum(value for value in found if value is not None)) if any(found) else None

    def judge(self, outcome: Outcome, cost: float, fixed: float) -> Outcome:
        """The outcome of changed code, failed as a timeout where it took too much.

        Of its predicted `cost` the seconds of `fixed` are not steps: starting, reading data, evaluation.
        """
        used = self.used(outcome.measured)
        if outcome.status != "ok" or used is None or not self._shares:
            return outcome
        share = median(self._shares)
        usual, steps = share * cost, share * max(0.0, cost - fixed)
        if used <= usual + (SLACK - 1) * steps + GRACE_S:
            return outcome
        detail = f"it took {used:.1f} s of compute; its budget of steps takes the project's own code {usual:.1f} s"
        return replace(outcome, status="failed", metric=None, failure="timeout", detail=detail)
