"""Which running experiments are hopeless: the median stopping rule on learning curves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from roles.observation import Result

Curve = Sequence[tuple[float, float]]
AFTER = 5  # completed curves before anything is stopped
TOP = 0.2  # share of the record whose early losses vouch for a slow start


def hopeless(curve: Curve, history: Sequence[Result], policy: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether to stop a run with this curve of (fraction of the budget, loss), and why.

    Stop when its best loss so far is worse than the median of the others' losses at the same rung (Golovin et al.
    2017, Vizier), unless a run that was as slow there ended among the best. Policy: `rule` "median" or "never",
    `after` completed curves.
    """
    if policy.get("rule", "median") == "never":
        return False, "the policy is to stop nothing"
    if not curve:
        return False, "no rung reached yet"
    fraction, latest = curve[-1]
    if not math.isfinite(latest):
        return True, f"diverged at {fraction:.0%} of its budget"
    others = [(value, r) for r in history if r.curve and (value := _at(r.curve, fraction)) is not None]
    completed = len([1 for _, result in others if result.status == "ok"])
    if completed < policy.get("after", AFTER):
        return False, f"only {completed} completed curves to compare with"
    best = min(loss for _, loss in curve if math.isfinite(loss))
    middle = median([value for value, _ in others])
    if best <= middle:
        return False, f"{best:.4g} at {fraction:.0%}, the median is {middle:.4g}"
    slow = _slowest_winner(others)
    if best <= slow:
        return False, f"{best:.4g} at {fraction:.0%} is worse than the median, but one as slow ended among the best"
    return True, f"{best:.4g} at {fraction:.0%} of its budget, worse than the median {middle:.4g} there"


def _at(curve: Curve, fraction: float) -> float | None:
    """The loss at a rung; a curve that was not finite there counts as infinitely bad."""
    for at, loss in curve:
        if at == fraction or abs(at - fraction) < 1e-9:
            return loss if math.isfinite(loss) else math.inf
    return None


def _slowest_winner(others: Sequence[tuple[float, Result]]) -> float:
    """The worst loss at the rung among the runs that ended in the top of the record; -inf when none finished."""
    finished = sorted(
        (result.loss, value) for value, result in others if result.status == "ok" and result.loss is not None
    )
    winners = finished[: max(1, int(TOP * len(finished)))]
    return max((value for _, value in winners), default=-math.inf)
