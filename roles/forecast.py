"""How a run will end, by its loss on the way: what the runs that finished say of those that have not.

Where learning curves are parallel an early loss tells the end, where they cross it does not. The finished runs show how
far it does: the correlation of their places at a rung with their places at the end, as normal scores (van der Waerden
1952), so that neither the scale of the losses nor an outlier counts. A run's end is then normal about the correlation
times its own score at the rung (a Gaussian copula). Stopped runs are left out, which biases nothing: they were chosen
by what is given here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby, pairwise
from operator import mul
from statistics import NormalDist

STANDARD = NormalDist()
CERTAIN = STANDARD.inv_cdf(0.95)  # one-sided: how sure it must be that the ends follow the losses so closely
LEAST = 4  # pairs, for Fisher's standard error


def chance(loss: float, seen: Sequence[float], ended: Sequence[float], share: float) -> float:
    """Probability that a run with this loss at a rung ends as the best `share` of the finished runs did.

    `seen` (n,) are the losses of the finished runs at that rung, `ended` (n,) their losses at the end. At no less than
    the correlation that these leave likely; `share` itself where they show none.
    """
    rho, n = agreement(seen, ended), len(seen)
    bar, here = STANDARD.inv_cdf(share), _scores(n + 1)[sum(other < loss for other in seen)]
    return STANDARD.cdf((bar - rho * here) / math.sqrt(1 - rho * rho))


def agreement(seen: Sequence[float], ended: Sequence[float]) -> float:
    """The lower 95 % bound of the correlation of normal scores (Fisher 1921), in [0, 1).

    0 for fewer than 4 pairs and where all are alike, on the way or at the end.
    It is taken one swap of neighbours lower than measured: a few runs in perfect order may as well be almost in order.
    """
    n = len(seen)
    if n < LEAST or min(seen) == max(seen) or min(ended) == max(ended):
        return 0.0
    a, b = _scored(seen), _scored(ended)
    measured = _dot(a, b) / math.sqrt(_dot(a, a) * _dot(b, b)) - _swap(n)
    return max(0.0, math.tanh(math.atanh(measured) - CERTAIN / math.sqrt(n - 3))) if measured > 0 else 0.0


def _scored(values: Sequence[float]) -> list[float]:
    """The normal score of each by its rank; equals share the mean of theirs."""
    scores, found = _scores(len(values)), [0.0] * len(values)
    order = sorted(range(len(values)), key=values.__getitem__)
    for score, i in zip(scores, order, strict=True):
        found[i] = score
    if len(set(values)) < len(values):
        for _, group in groupby(order, key=values.__getitem__):
            equals = list(group)
            middle = sum(found[i] for i in equals) / len(equals)
            for i in equals:
                found[i] = middle
    return found


@lru_cache(maxsize=1024)
def _scores(n: int) -> tuple[float, ...]:
    return tuple(STANDARD.inv_cdf((i + 0.5) / n) for i in range(n))


@lru_cache(maxsize=1024)
def _swap(n: int) -> float:
    """By how much the correlation falls when the two nearest of n runs change places."""
    scores = _scores(n)
    return min(b - a for a, b in pairwise(scores)) ** 2 / _dot(scores, scores)


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return sum(map(mul, a, b))
