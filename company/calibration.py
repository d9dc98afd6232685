"""How good forecasts were: the Brier score of probabilities with its parts, and predicted against realised metrics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

BINS = 10  # forecasts that round to the same tenth are taken for one forecast
LEVEL = 0.9


@dataclass(frozen=True, slots=True)
class Brier:
    """Mean squared error of probabilities, 0 is perfect, and what it consists of.

    score = reliability - resolution + uncertainty + within. Reliability: how far the rates at which things happened lie
    from what was said (0 is best). Resolution: how far they lie from the base rate (large is good). Uncertainty: the
    score of always saying the base rate. Within: what the bins blur, 0 where each bin holds a single forecast.
    """

    score: float
    reliability: float
    resolution: float
    uncertainty: float
    within: float
    n: int

    @property
    def skill(self) -> float:
        """1 for a prophet, 0 for someone who only knows the base rate; 0 where everything ended alike."""
        return 1 - self.score / self.uncertainty if self.uncertainty > 0 else 0.0


def brier(forecasts: Sequence[float], happened: Sequence[bool], bins: int = BINS) -> Brier:
    """Score probabilities against what happened; raises ValueError on no forecast or lists of different length.

    Brier 1950; the parts are Murphy's (1973), with the within-bin remainder of Stephenson, Coelho & Jolliffe (2008).
    """
    if not forecasts or len(forecasts) != len(happened):
        raise ValueError("one outcome for each forecast, and at least one")
    n = len(forecasts)
    base = sum(happened) / n
    groups: dict[int, list[tuple[float, bool]]] = {}
    for p, hit in zip(forecasts, happened, strict=True):
        groups.setdefault(round(p * bins), []).append((p, hit))
    reliability = resolution = 0.0
    for group in groups.values():
        said, rate = sum(p for p, _ in group) / len(group), sum(hit for _, hit in group) / len(group)
        reliability += len(group) / n * (said - rate) ** 2
        resolution += len(group) / n * (rate - base) ** 2
    score = sum((p - hit) ** 2 for p, hit in zip(forecasts, happened, strict=True)) / n
    uncertainty = base * (1 - base)
    return Brier(score, reliability, resolution, uncertainty, score - (reliability - resolution + uncertainty), n)


@dataclass(frozen=True, slots=True)
class Predictions:
    """Predicted against realised metrics, in sigmas: `bias` > 0 promised too much, `rmse` the typical miss.

    `correlation` is Pearson's, 0 where either side does not vary or n < 3.
    """

    bias: float
    rmse: float
    correlation: float
    n: int


def predictions(predicted: Sequence[float], realised: Sequence[float], unit: float) -> Predictions:
    """Compare losses (smaller is better) with what was predicted of them; `unit` is sigma. No prediction: all zeros."""
    n = len(predicted)
    if n == 0:
        return Predictions(0.0, 0.0, 0.0, 0)
    misses = [(real - said) / unit for said, real in zip(predicted, realised, strict=True)]
    rmse = math.sqrt(sum(miss**2 for miss in misses) / n)
    return Predictions(sum(misses) / n, rmse, correlation(predicted, realised), n)


def correlation(first: Sequence[float], second: Sequence[float]) -> float:
    """Pearson's correlation, 0 where it is not defined."""
    n = len(first)
    if n < 3:
        return 0.0
    mean_1, mean_2 = sum(first) / n, sum(second) / n
    var_1, var_2 = sum((x - mean_1) ** 2 for x in first), sum((y - mean_2) ** 2 for y in second)
    both = sum((x - mean_1) * (y - mean_2) for x, y in zip(first, second, strict=True))
    return both / math.sqrt(var_1 * var_2) if var_1 > 0 and var_2 > 0 else 0.0


def mean_interval(values: Sequence[float], guess: float, spread: float, level: float = LEVEL) -> tuple[float, ...]:
    """Mean, low and high of the values' expectation, shrunk toward `guess` as by one earlier value of sd `spread`.

    A conjugate normal model whose guess counts for one value and whose spread for two (Gelman et al., Bayesian Data
    Analysis, 3.3): without values it says the guess, and how little is known.
    """
    from scipy.special import stdtrit

    n, earlier, freedom = len(values), 1.0, 2.0 + len(values)
    mean = sum(values) / n if n else guess
    centre = (earlier * guess + n * mean) / (earlier + n)
    squares = 2.0 * spread**2 + sum((v - mean) ** 2 for v in values) + earlier * n / (earlier + n) * (mean - guess) ** 2
    scale = math.sqrt(squares / freedom / (earlier + n))
    half = float(stdtrit(freedom, 0.5 + level / 2)) * scale
    return centre, centre - half, centre + half
