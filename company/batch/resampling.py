"""The stratified bootstrap: seeds are drawn again within each project, and all arms meet the drawn worlds together.

A resample is a row of counts, how often each world was drawn, so that a statistic is a function of values and counts
and the same counts serve every arm that is paired. Values and counts are in the order of the sorted worlds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from roles.streams import stream

RESAMPLES = 2000
LEVEL = 0.95
TRIM = 0.25  # of either end: what is left lies between the quartiles
CELLS = 500_000  # of counts at a time, so that memory does not grow with the number of resamples
TIE = 1e-12  # differences below it are rounding

Array = NDArray[np.float64]
Counts = NDArray[np.float32]  # whole numbers, exact up to 2^24
Interval = tuple[float | None, float | None]
Statistic = Literal["iqm", "mean"]


def resamples(sizes: Sequence[int], n: int, seed: int, purpose: str = "paired") -> Iterator[Counts]:
    """Blocks of (some, worlds) counts, `n` rows together; each stratum keeps its size in every resample."""
    rng = stream(seed, "batch", f"bootstrap {purpose}")
    block = max(1, CELLS // max(1, sum(sizes)))
    for first in range(0, n, block):
        some = min(block, n - first)
        yield np.hstack([_drawn(rng, size, some) for size in sizes])


def estimator(statistic: Statistic) -> Callable[[Array, Counts], Array]:
    """The function (values, counts) -> one estimate a row of counts; all rows count the same number of runs."""
    return {"iqm": iqm, "mean": mean}[statistic]


def iqm(values: Array, counts: Counts) -> Array:
    """Interquartile means, (rows,): the mean without the lowest and the highest quarter (rounded down) of the runs.

    Agarwal et al. 2021; equal to `scipy.stats.trim_mean(..., 0.25)` of the values, each repeated as often as drawn.
    """
    order = np.argsort(values, kind="stable")
    upto = np.cumsum(counts[:, order], axis=1, dtype=np.float32)
    total = int(upto[0, -1])
    cut = math.floor(TRIM * total)
    below = np.clip(upto, cut, total - cut, out=upto) - cut  # of the runs that are kept: how many end by each value
    ordered = values[order]
    return ordered[-1] - below @ np.append(np.diff(ordered), 0.0) / (total - 2 * cut)  # the sum of values, by parts


def mean(values: Array, counts: Counts) -> Array:
    """Means, (rows,)."""
    return values[0] + counts @ (values - values[0]) / counts[0].sum()


def once(values: Array) -> Counts:
    """The counts of the sample itself, (1, worlds)."""
    return np.ones((1, len(values)), dtype=np.float32)


def freedom(sizes: Sequence[int]) -> int:
    """Degrees of freedom of a stratified sample: worlds less strata. Without any there is no interval."""
    return sum(sizes) - len(sizes)


def interval(estimates: Array, sizes: Sequence[int], level: float = LEVEL) -> Interval:
    """The expanded percentile interval of bootstrap estimates (Hesterberg 2015), None where it cannot be given.

    A resample of n_h seeds has (n_h - 1) / n_h of the variance that it stands for, and the normal quantile knows
    nothing of so few: the percentiles are moved out to P(Z < sqrt(N / (N - H)) t), t of N - H degrees of freedom for N
    worlds in H strata. An end that is infinite, of a ratio to next to nothing, is None.
    """
    if freedom(sizes) < 1:
        return None, None
    from scipy.special import ndtr, stdtrit

    tail = ndtr(_narrowness(sizes) * stdtrit(freedom(sizes), (1 - level) / 2))
    low, high = (float(np.quantile(estimates, q, method="closest_observation")) for q in (tail, 1 - tail))
    return low if math.isfinite(low) else None, high if math.isfinite(high) else None


def error(estimates: Array, sizes: Sequence[int]) -> float | None:
    """The bootstrap's standard error, widened as the interval is; None without degrees of freedom."""
    return None if freedom(sizes) < 1 else float(np.std(estimates)) * _narrowness(sizes)


def _drawn(rng: np.random.Generator, size: int, rows: int) -> Counts:
    picked = rng.integers(size, size=(rows, size)) + size * np.arange(rows)[:, None]
    return np.bincount(picked.ravel(), minlength=rows * size).reshape(rows, size).astype(np.float32)


def _narrowness(sizes: Sequence[int]) -> float:
    return math.sqrt(sum(sizes) / freedom(sizes))
