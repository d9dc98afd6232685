"""What a finished experiment gave: its gain in sigmas at matched compute, set against what others achieved meanwhile.

    value = asinh((loss of the champion when the block began - loss) / sigma)

asinh(g) is g inside the noise and sign(g) log(2 |g|) beyond it (Johnson 1949, "Systems of frequency curves"): a gain
within the noise is about nothing, and a loss of 300 sigmas does not outweigh ten honest runs. Everyone of a block of
consecutive results is measured against the same champion; the model of company/appraisal.py then takes out the field,
which is how the block's others fared. The weight of a score is the compute it used, so that a weighted mean of scores
is worth per slot-second.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from company.entities import NOBODYS_FAULT
from projects.frozen import frozen

BLOCK = 8  # consecutive results that share a field: short enough that the champion hardly moves, long enough to compare
WINDOW = 24  # finished results that say how bad a result without a metric is
FAILED_AT = 0.10  # quantile of the window at which a failed run counts: bad, but no worse than what does happen
STOPPED_AT = 0.25  # about the rank at which simulated runs that were stopped would have ended, on average
LEAST_WEIGHT = 0.05  # a run that was stopped at once is still an observation


@frozen
class Score:
    """One observation for the appraisal of its proposer.

    `value` in compressed sigmas against the block's champion, `weight` in full-length runs, `cost` in reference
    slot-seconds. `censored` says that there was no metric and the value is a quantile of the window.
    """

    experiment: str
    agent: str
    block: int
    value: float
    weight: float
    cost: float
    censored: bool = False


def compress(gain: float) -> float:
    """asinh of a gain in sigmas; a gain that is not finite has no value and raises ValueError."""
    if not math.isfinite(gain):
        raise ValueError("a gain must be finite")
    return math.asinh(gain)


def unit_of(sigma: float, baseline: float) -> float:
    """The unit of gains: sigma, or where runs repeat exactly a thousandth of the baseline's loss (1 if that is 0)."""
    return sigma if sigma > 0 else abs(baseline) / 1000 or 1.0


def value_of(
    status: str, failure: str | None, loss: float | None, reference: float, unit: float, window: Sequence[float]
) -> tuple[float, bool] | None:
    """The value of a finished experiment and whether it is censored; None where it is no observation.

    `loss` and `reference` are losses (smaller is better), `window` the latest finite losses of everyone. Failures and
    early stops take the loss at a bad quantile of the window. No observation: what was nobody's fault, refusals, and
    runs without a metric while there is nothing to compare with. Duplicates never become experiments.
    """
    if failure in NOBODYS_FAULT or status not in ("ok", "failed", "stopped"):
        return None
    if status == "ok" and loss is not None and math.isfinite(loss):
        return compress((reference - loss) / unit), False
    if not window:
        return None
    bad = quantile(window, 1 - (STOPPED_AT if status == "stopped" else FAILED_AT))
    return compress((reference - bad) / unit), True


def quantile(values: Sequence[float], p: float) -> float:
    """The p-quantile of finite values, linear between order statistics (Hyndman & Fan 1996, type 7)."""
    ordered = sorted(values)
    at = p * (len(ordered) - 1)
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (at - low) * (ordered[high] - ordered[low])


def weight_of(cost: float, full: float) -> float:
    """Compute used, in full-length runs; `full` is the reference slot-seconds of the project's budget."""
    return max(LEAST_WEIGHT, cost / full) if full > 0 else 1.0


def contribution(score: Score, scores: Collection[Score]) -> float | None:
    """A score above the weighted mean of the others' in its block, None where nobody else had a result."""
    others = [other for other in scores if other.block == score.block and other.agent != score.agent]
    total = sum(other.weight for other in others)
    return score.value - sum(other.weight * other.value for other in others) / total if total else None


def credit(proposer: str, pivotal: Collection[str] = ()) -> dict[str, float]:
    """How a contribution is split among the people without whom it would not be: equal parts that sum to one.

    `pivotal` are those, beside the proposer, whose absence would have left no such result: an engineer who repaired
    the run, a reviewer whose verdict had it replicated where the chart's screen would not have, a manager whose
    directive it followed. All are needed, so that the Shapley value (1953) is equal parts. Whoever only did not stand
    in the way (an approval, a plain build) gets nothing here and is measured in its role's own terms.
    """
    people = list(dict.fromkeys([proposer, *sorted(pivotal)]))
    return {person: 1 / len(people) for person in people}
