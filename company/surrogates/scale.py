"""The scale on which a metric is modelled: as it is, its logarithm, that of an error rate, or its normal scores.

Normal scores are what ranks would be in a normal sample, as a line through some quantiles: where most trainings lie
close together and some run away, the model looks at the many. Beyond the ends the line goes on.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist
from typing import Literal

import numpy as np

from company.surrogates.kernel import Array

Kind = Literal["plain", "log", "log error", "scores", "log scores"]
LARGEST = 700.0  # of an exponent
MOST_KNOTS, PER_KNOT = 25, 6  # quantiles that the line of scores goes through, configs for each


@dataclass(frozen=True, slots=True)
class Scale:
    """`knots` are pairs (loss or its logarithm, score), both increasing; empty but for scores."""

    kind: Kind
    knots: tuple[tuple[float, float], ...] = ()

    def onto(self, losses: Array) -> Array:
        """Losses on the scale, of the same shape."""
        bent = self._bent(losses)
        if not self.knots:
            return bent
        x, z = np.array(self.knots).T
        at = np.clip(np.searchsorted(x, bent, side="right") - 1, 0, len(x) - 2)
        return z[at] + (bent - x[at]) * (z[at + 1] - z[at]) / (x[at + 1] - x[at])

    def back(self, z: float) -> float:
        """The loss of a value on the scale."""
        if self.knots:
            at = min(max(bisect_right(self.knots, z, key=_score) - 1, 0), len(self.knots) - 2)
            (x0, z0), (x1, z1) = self.knots[at : at + 2]
            z = x0 + (z - z0) * (x1 - x0) / (z1 - z0)
        if self.kind in ("plain", "scores"):
            return z
        return math.expm1(min(z, 0.0)) if self.kind == "log error" else math.exp(min(z, LARGEST))

    def log_stretch(self, losses: Array) -> float:
        """Mean of ln dz/dloss: what a likelihood on the scale needs to be one of the losses."""
        stretch = 0.0
        if self.kind in ("log", "log scores"):
            stretch -= float(np.log(losses).mean())
        if self.kind == "log error":
            stretch -= float(np.log1p(losses).mean())
        if self.knots:
            x, z = np.array(self.knots).T
            at = np.clip(np.searchsorted(x, self._bent(losses), side="right") - 1, 0, len(x) - 2)
            stretch += float(np.log(np.diff(z) / np.diff(x))[at].mean())
        return stretch

    def _bent(self, losses: Array) -> Array:
        if self.kind in ("log", "log scores"):
            return np.log(losses)
        return np.log1p(losses) if self.kind == "log error" else losses


def _score(knot: tuple[float, float]) -> float:
    return knot[1]


def possible(losses: Array) -> tuple[Scale, ...]:
    """The scales that a set of losses (smaller is better) allows."""
    if (losses > 0).all():
        return Scale("plain"), Scale("log"), *_scores("log scores", np.log(losses))
    if ((losses > -1) & (losses < 0)).all():  # a share to be maximised: accuracy, reward of a coin
        return Scale("plain"), Scale("log error"), *_scores("scores", losses)
    return Scale("plain"), *_scores("scores", losses)


def _scores(kind: Kind, values: Array) -> tuple[Scale, ...]:
    """Normal scores through quantiles of values (n,); none where there are too few different ones."""
    count = min(MOST_KNOTS, len(np.unique(values)) // PER_KNOT)
    if count < 3:
        return ()
    shares = [(i + 0.5) / count for i in range(count)]
    found = zip(np.quantile(values, shares).tolist(), map(NormalDist().inv_cdf, shares), strict=True)
    knots: list[tuple[float, float]] = []
    for x, z in found:
        if not knots or x > knots[-1][0] + 1e-9 * max(1.0, abs(x)):
            knots.append((x, z))
    return (Scale(kind, tuple(knots)),) if len(knots) > 2 else ()


def sound(knots: Sequence[tuple[float, float]]) -> bool:
    """Whether knots from a file are a line that goes up."""
    return len(knots) != 1 and all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(knots))
