"""Two settings over the same worlds, compared pair by pair. Pure functions of regrets; smaller is better."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

RESAMPLES = 4000
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean regret of `setting` less that of `against`, and their ratio, each with a 95 % interval of its own.

    `ratio` and its interval are None where the first has no regret to compare with; `narrowed` is how many times
    narrower the interval is for being paired, None where it has no width. `says` puts it in one sentence.
    """

    setting: str
    against: str
    worlds: int
    difference: float
    low: float | None
    high: float | None
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    narrowed: float | None
    says: str


def difference(setting: str, against: str, regrets: Sequence[float], others: Sequence[float]) -> Difference:
    """`regrets[i]` and `others[i]` come from the same world; a single world has no interval."""
    deltas = [a - b for a, b in zip(regrets, others, strict=True)]
    low, high = t_interval(deltas) if len(deltas) > 1 else (None, None)
    ratio, ratio_low, ratio_high = ratio_of(regrets, others)
    says = sentence(setting, against, deltas, (low, high), ratio)
    narrowed = _narrowed(regrets, others, deltas)
    return Difference(
        setting, against, len(deltas), mean(deltas), low, high, ratio, ratio_low, ratio_high, narrowed, says
    )


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def t_interval(deltas: Sequence[float]) -> tuple[float, float]:
    """The paired t interval (Student 1908) of at least two differences; of no width when they are all the same."""
    from scipy.special import stdtrit

    n, centre = len(deltas), mean(deltas)
    half = float(stdtrit(n - 1, 0.5 + LEVEL / 2)) * math.sqrt(_variance(deltas) / n)
    return centre - half, centre + half


def ratio_of(
    regrets: Sequence[float], others: Sequence[float]
) -> tuple[float | None, float | None, float | None]:  # fmt: skip
    """mean(regrets) / mean(others) with a paired bootstrap interval (percentiles; worlds are drawn, not runs)."""
    import numpy as np

    if mean(others) <= 0:
        return None, None, None
    ratio = mean(regrets) / mean(others)
    if len(others) < 2:
        return ratio, None, None
    pairs = np.array([regrets, others], dtype=float)
    rng = np.random.default_rng(0)  # the same rows give the same interval
    drawn = pairs[:, rng.integers(pairs.shape[1], size=(RESAMPLES, pairs.shape[1]))].mean(axis=2)
    ratios = drawn[0] / np.maximum(drawn[1], 1e-12)
    low, high = np.quantile(ratios, (0.5 - LEVEL / 2, 0.5 + LEVEL / 2))
    return ratio, float(low), float(high)


def sentence(
    setting: str, against: str, deltas: Sequence[float], interval: tuple[float | None, float | None],
    ratio: float | None,
) -> str:  # fmt: skip
    """What may be concluded, in plain words."""
    low, high = interval
    if not any(deltas):
        return f"{setting} made no difference: it ends where {against} does in every world."
    if low is None or high is None:
        return f"Nothing can be concluded from one world about {setting} against {against}."
    if low <= 0 <= high:
        return (
            f"Nothing can be concluded: in {len(deltas)} worlds {setting} may be better than {against} by up to"
            f" {-low:.3f} of regret, or worse by up to {high:.3f}."
        )
    word = "better" if high < 0 else "worse"
    times = f", {ratio:.2f} times the regret" if ratio is not None else ""
    return f"{setting} is {word} than {against} beyond chance: {mean(deltas):+.3f} of regret{times}."


def _variance(values: Sequence[float]) -> float:
    centre = mean(values)
    return sum((v - centre) ** 2 for v in values) / (len(values) - 1)


def _narrowed(regrets: Sequence[float], others: Sequence[float], deltas: Sequence[float]) -> float | None:
    if len(deltas) < 2 or _variance(deltas) <= 0:
        return None
    return math.sqrt((_variance(regrets) + _variance(others)) / _variance(deltas))
