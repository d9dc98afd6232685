"""Which running experiments are hopeless: by a forecast of where they end, or by the median stopping rule."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from roles.brains.record import summarise
from roles.forecast import chance
from roles.observation import Result

Curve = Sequence[tuple[float, float]]
AFTER = 8  # completed curves before anything is stopped
TOP = 0.2  # share of the record worth finishing for; its early losses vouch for a slow start
SLIM = 0.05  # chance of ending there, below which a run is stopped


def hopeless(curve: Curve, history: Sequence[Result], policy: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether to stop a run with this curve of (fraction of the budget, loss), and why.

    Policy: `rule` "forecast", "median" or "never"; `after` completed curves that either needs.
    """
    rule, after = policy.get("rule", "forecast"), policy.get("after", AFTER)
    if rule == "never":
        return False, "the policy is to stop nothing"
    if not curve:
        return False, "no rung reached yet"
    fraction, latest = curve[-1]
    if not math.isfinite(latest):
        return True, f"diverged at {fraction:.0%} of its budget"
    return _behind(curve, history, after) if rule == "median" else _unlikely(fraction, latest, history, after)


def _unlikely(fraction: float, loss: float, history: Sequence[Result], after: int) -> tuple[bool, str]:
    """Stop what has next to no chance to end in the best fifth, as far as the finished configs tell at this rung."""
    record = summarise(history)
    pairs = [
        (value, ended)
        for unit, ended in record.losses.items()
        if (value := _at(record.curves.get(unit, ()), fraction)) is not None
    ]
    if len(pairs) < after:
        return False, f"only {len(pairs)} configs that finished to compare with"
    seen, ended = zip(*pairs, strict=True)
    if sum(value < loss for value in seen) < TOP * len(seen):
        return False, f"{loss:.4g} at {fraction:.0%} is in the best fifth"
    p = chance(loss, seen, ended, TOP)
    return p < SLIM, f"{loss:.4g} at {fraction:.0%} of its budget: {p:.1%} likely to end in the best fifth"


def _behind(curve: Curve, history: Sequence[Result], after: int) -> tuple[bool, str]:
    """Stop when its best loss so far is worse than the median of the others' losses at the same rung (Golovin et al.
    2017, Vizier), unless a run that was as slow there ended among the best.
    """
    fraction = curve[-1][0]
    others = [(value, r) for r in history if r.curve and (value := _at(r.curve, fraction)) is not None]
    completed = len([1 for _, result in others if result.status == "ok"])
    if completed < after:
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
