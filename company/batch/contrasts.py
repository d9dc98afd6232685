"""One arm against another over the worlds that both met: difference, ratio, probability of improvement, p value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from company.batch.resampling import (
    CELLS,
    RESAMPLES,
    TIE,
    Array,
    Counts,
    Interval,
    Statistic,
    error,
    estimator,
    interval,
    once,
    resamples,
)
from company.batch.rows import Arm, Row, World, regrets, strata
from roles.streams import stream

EXACT = 12  # worlds up to which all 2^n swaps are looked at
SWAPS = 4_999

NOTHING: Interval = (None, None)


@dataclass(frozen=True, slots=True)
class Paired:
    """Two samples over the same `worlds`, smaller being better, with 95 % intervals of one paired bootstrap.

    `difference` is statistic(a) - statistic(b), `ratio` their quotient (None where b has nothing to divide by);
    `improvement` is P(A < B) + P(A = B) / 2 for runs of any two seeds of a project, `wins`, `ties` and `losses` count
    the worlds in which a ended better than, as and worse than b. `p` is of the two-sided paired permutation test,
    `p_holm` corrected for all contrasts of its table. `narrowed` is how many times wider the interval of the
    difference would be without pairing; `error` its standard error. None: too few worlds, or no width.
    """

    worlds: int
    difference: float
    interval: Interval
    ratio: float | None
    ratio_interval: Interval
    improvement: float
    improvement_interval: Interval
    wins: int
    ties: int
    losses: int
    p: float
    p_holm: float
    narrowed: float | None
    error: float | None


@dataclass(frozen=True, slots=True)
class Contrast:
    """`arm` against `against`; `left_out` worlds were not met by both. `paired` is None where they share no world."""

    arm: Arm
    against: Arm
    left_out: int
    paired: Paired | None


def contrast(
    a: Mapping[World, Row], b: Mapping[World, Row], seed: int = 0, statistic: Statistic = "iqm", n: int = RESAMPLES
) -> Contrast:
    """The rows of one arm against those of another, paired by world; both have at least one row."""
    mine, theirs = regrets(a), regrets(b)
    worlds = sorted(mine.keys() & theirs.keys())
    first, second = next(iter(a.values())).arm, next(iter(b.values())).arm
    left_out = len(a.keys() | b.keys()) - len(worlds)
    if not worlds:
        return Contrast(first, second, left_out, None)
    x, y = (np.array([values[world] for world in worlds]) for values in (mine, theirs))
    return Contrast(first, second, left_out, paired(x, y, strata(worlds), seed, statistic, n))


def paired(
    x: Array, y: Array, sizes: Sequence[int], seed: int = 0, statistic: Statistic = "iqm", n: int = RESAMPLES
) -> Paired:
    """`x[i]` and `y[i]` are from the same world, strata of `sizes` one after another. Raises ValueError without any."""
    if len(x) != len(y) or len(x) != sum(sizes) or not len(x):
        raise ValueError(f"{len(x)} and {len(y)} outcomes for {sum(sizes)} worlds cannot be paired")
    estimate = estimator(statistic)
    measured = [float(estimate(values, once(values))[0]) for values in (x, y)]
    drawn = [(estimate(x, c), estimate(y, c), _improvement(x, y, c, sizes)) for c in resamples(sizes, n, seed)]
    a, b, better = (np.concatenate(part) for part in zip(*drawn, strict=True))
    apart = np.concatenate([estimate(y, c) for c in resamples(sizes, n, seed, "unpaired")])
    found, gap = interval(a - b, sizes), x - y
    ties = int((np.abs(gap) <= TIE).sum())
    p = permutation(x, y, seed, statistic)
    return Paired(
        len(x), measured[0] - measured[1], found,
        measured[0] / measured[1] if measured[1] > TIE else None,
        interval(_ratios(a, b), sizes) if measured[1] > TIE else NOTHING,
        float(_improvement(x, y, once(x), sizes)[0]), interval(better, sizes),
        int((gap < -TIE).sum()), ties, int((gap > TIE).sum()),
        p, p, _narrowed(found, interval(a - apart, sizes)), error(a - b, sizes),
    )  # fmt: skip


def permutation(x: Array, y: Array, seed: int = 0, statistic: Statistic = "iqm") -> float:
    """Two-sided p of the paired permutation test: under the null, which of a world's two outcomes is whose is a toss.

    All 2^n swaps for n <= 12 worlds, otherwise 4,999 random ones, counted as (k + 1) / (m + 1) (Phipson & Smyth 2010).
    """
    estimate = estimator(statistic)
    seen = abs(float((estimate(x, once(x)) - estimate(y, once(y)))[0]))
    extreme = sum(int((np.abs(_swapped(x, y, swap, statistic)) >= seen - TIE).sum()) for swap in _swaps(len(x), seed))
    return extreme / 2 ** len(x) if len(x) <= EXACT else (extreme + 1) / (SWAPS + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's (1979) step-down adjusted p values, in the order given."""
    found, highest = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[i]))
        found[i] = highest
    return found


def corrected(contrasts: Sequence[Contrast]) -> tuple[Contrast, ...]:
    """The contrasts with `p_holm` over all of them that have a p value."""
    adjusted = iter(holm([each.paired.p for each in contrasts if each.paired]))
    return tuple(
        replace(each, paired=replace(each.paired, p_holm=next(adjusted))) if each.paired else each
        for each in contrasts
    )  # fmt: skip


def _improvement(x: Array, y: Array, counts: Counts, sizes: Sequence[int]) -> Array:
    """P(X < Y) + P(X = Y) / 2 of each stratum, averaged over strata, one a row of counts (Agarwal et al. 2021)."""
    total, at = np.zeros(len(counts)), 0
    for size in sizes:
        part = slice(at, at + size)
        order = np.argsort(x[part])
        ordered, drawn = x[part][order], counts[:, part]
        below = np.hstack([np.zeros((len(counts), 1)), np.cumsum(drawn[:, order], axis=1)], dtype=np.float64)
        first, last = np.searchsorted(ordered, y[part] - TIE, "left"), np.searchsorted(ordered, y[part] + TIE, "right")
        total += (drawn * (below[:, first] + below[:, last])).sum(axis=1) / (2 * size**2)
        at += size
    return total / len(sizes)


def _ratios(a: Array, b: Array) -> Array:
    return np.divide(a, b, out=np.full(len(a), np.inf), where=b > TIE)


def _narrowed(together: Interval, apart: Interval) -> float | None:
    if None in together or None in apart:
        return None
    widths = [high - low for low, high in (together, apart)]  # pyright: ignore[reportOperatorIssue]
    return widths[1] / widths[0] if widths[0] > TIE else None


def _swaps(n: int, seed: int) -> Iterator[Counts]:
    """Blocks of (some, n) zeros and ones: in which worlds the outcomes change hands."""
    if n <= EXACT:
        yield (np.arange(2**n)[:, None] >> np.arange(n)[None, :] & 1).astype(np.float32)
        return
    rng, block = stream(seed, "batch", "permutation"), max(1, CELLS // n)
    for first in range(0, SWAPS, block):
        yield rng.integers(0, 2, size=(min(block, SWAPS - first), n)).astype(np.float32)


def _swapped(x: Array, y: Array, swap: Counts, statistic: Statistic) -> Array:
    """statistic(x) - statistic(y) after each row of swaps: x and y are pooled, and the counts say who has what."""
    pooled, estimate = np.concatenate([x, y]), estimator(statistic)
    return estimate(pooled, np.hstack([1 - swap, swap])) - estimate(pooled, np.hstack([swap, 1 - swap]))
