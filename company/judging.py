"""Judging beyond the noise: is a candidate's gain on fresh seeds real, and what is the final gain worth.

Pure functions on losses (smaller is better). The run by which a candidate was noticed never counts: it was picked for
being lucky.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

HALF_SPENT = 5  # candidates after which half of a reign's error is spent: about what 40 experiments bring
RESEARCH, FINALS = 0.5, 0.5  # how the error of a run is divided


@dataclass(frozen=True, slots=True)
class Judgement:
    """`gain` > 0 is an improvement, in the metric's unit; `p` one-sided, None where it was not tested."""

    accepted: bool
    gain: float
    p: float | None
    because: str


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def sample_sd(values: Sequence[float]) -> float:
    """Standard deviation with n - 1 in the denominator; 0 for fewer than two values, and exactly for equal ones."""
    if len(values) < 2 or min(values) == max(values):
        return 0.0
    centre = mean(values)
    return math.sqrt(sum((v - centre) ** 2 for v in values) / (len(values) - 1))


def pooled_sd(spread: Sequence[tuple[int, float]]) -> float:
    """Standard deviation pooled over (degrees of freedom, variance) of every repeated configuration; 0 for none."""
    df = sum(n for n, _ in spread)
    return math.sqrt(sum(n * variance for n, variance in spread) / df) if df else 0.0


def level(p: float, candidate: int, look: int, looks: int) -> float:
    """At what p a candidate is accepted, so that a champion that nothing beats is dethroned with a chance of at most p.

    Over all looks at all candidates of a reign the levels add up to RESEARCH p, however many there will be (alpha
    spending, Lan and DeMets 1983; over hypotheses in their order, Foster and Stine 2008). The n-th candidate (from 1)
    gets h / ((n + h - 1) (n + h)) of it, a series whose sum is 1; the k-th of K looks at it gets 2k / (K (K + 1)) of
    that, for the last look has the most to go by. Without finals the other half of p is a margin: which runs the noise
    is pooled over, and how many, follows from the runs themselves, and makes it look a little smaller than it is.
    """
    of_candidate = HALF_SPENT / ((candidate + HALF_SPENT - 1) * (candidate + HALF_SPENT))
    return RESEARCH * p * of_candidate * 2 * look / (looks * (looks + 1))


def judge(
    fresh: Sequence[float], champion: Sequence[float], spread: Sequence[tuple[int, float]], p: float
) -> Judgement:
    """One-sided two-sample t-test of fresh losses against the champion's, with noise pooled over `spread`.

    `spread` holds (degrees of freedom, variance) of every configuration that was repeated in this run, so that three
    fresh seeds need not estimate their own variance. Student 1908; pooled variance as in any textbook.
    """
    if not fresh:
        return Judgement(False, 0.0, None, "no fresh seed gave a result")
    gain = mean(champion) - mean(fresh)
    df, variance = _pool([*spread, (len(fresh) - 1, sample_sd(fresh) ** 2)])
    error = math.sqrt(variance * (1 / len(fresh) + 1 / len(champion)))
    p_value = _upper_tail(gain / error, df) if error > 0 else float(gain <= 0)
    accepted = p_value < p and gain > 0
    word = "confirmed" if accepted else "inside the noise"
    return Judgement(
        accepted, gain, p_value, f"gain {gain:+.4g} on {len(fresh)} fresh seeds, p = {p_value:.3g}: {word}"
    )


def welch_interval(baseline: Sequence[float], champion: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    """Interval of mean(baseline) - mean(champion) without assuming equal variances (Welch 1947)."""
    parts = [sample_sd(group) ** 2 / len(group) for group in (baseline, champion)]
    error = math.sqrt(sum(parts))
    gain = mean(baseline) - mean(champion)
    if error == 0:
        return gain, gain
    df = error**4 / sum(part**2 / (len(group) - 1) for part, group in zip(parts, (baseline, champion), strict=True))
    from scipy.special import stdtrit

    half = float(stdtrit(df, 0.5 + level / 2)) * error
    return gain - half, gain + half


def _pool(spread: Sequence[tuple[int, float]]) -> tuple[int, float]:
    df = sum(n for n, _ in spread)
    return (df, sum(n * variance for n, variance in spread) / df) if df else (1, 0.0)


def _upper_tail(t: float, df: int) -> float:
    from scipy.special import stdtr

    return float(stdtr(df, -t))
