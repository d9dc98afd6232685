"""Two settings over the same worlds, compared pair by pair in one sentence. Smaller regret is better."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from company.batch.contrasts import Paired, paired
from company.batch.resampling import LEVEL, Interval


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
    import numpy as np

    found = paired(np.array(regrets, dtype=float), np.array(others, dtype=float), [len(regrets)], statistic="mean")
    deltas = [a - b for a, b in zip(regrets, others, strict=True)]
    low, high = t_interval(deltas) if len(deltas) > 1 else (None, None)
    return Difference(
        setting, against, found.worlds, found.difference, low, high, found.ratio, *found.ratio_interval,
        found.narrowed, sentence(setting, against, found, (low, high)),
    )  # fmt: skip


def t_interval(deltas: Sequence[float]) -> tuple[float, float]:
    """The paired t interval (Student 1908) of at least two differences; of no width when they are all the same."""
    from scipy.special import stdtrit

    n, centre = len(deltas), sum(deltas) / len(deltas)
    variance = sum((v - centre) ** 2 for v in deltas) / (n - 1)
    half = float(stdtrit(n - 1, 0.5 + LEVEL / 2)) * math.sqrt(variance / n)
    return centre - half, centre + half


def sentence(setting: str, against: str, found: Paired, interval: Interval) -> str:
    """What may be concluded, in plain words."""
    low, high = interval
    if found.ties == found.worlds:
        return f"{setting} made no difference: it ends where {against} does in every world."
    if low is None or high is None:
        return f"Nothing can be concluded from one world about {setting} against {against}."
    if low <= 0 <= high:
        return (
            f"Nothing can be concluded: in {found.worlds} worlds {setting} may be better than {against} by up to"
            f" {-low:.3f} of regret, or worse by up to {high:.3f}."
        )
    word = "better" if high < 0 else "worse"
    times = f", {found.ratio:.2f} times the regret" if found.ratio is not None else ""
    return f"{setting} is {word} than {against} beyond chance: {found.difference:+.3f} of regret{times}."
