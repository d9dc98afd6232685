"""What is fitted over the configs of a recording: metric, noise, failing and durations, each as weights of one kernel.

The metric is the posterior mean of the Gaussian process. The others are smooth only where leaving points out shows
that this predicts better than a constant; else they are the constant.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from company.surrogates.groups import Group
from company.surrogates.kernel import Array, Scales, left_out, solve
from company.surrogates.scale import Scale, onto
from roles.observation import stream

CHOSEN_ON = 600  # points that smoothness is chosen on: cubic in time
FEWEST = 20  # points, under which a field is a constant
RIDGES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
WORTH_IT = 0.02  # share of the variance that leaving points out must explain
SMALLEST_SD = 1e-3  # of a config, relative to all: three equal results do not mean no noise at all
NEVER = -1.0  # where nothing failed


@dataclass(frozen=True, slots=True)
class Field:
    """value(x) = offset + weights . kernel(x, configs), weights (n,).

    `explained` is the share of variance that leaving points out explains; `spread` how far single runs lie around it;
    values are held between `low` and `high`.
    """

    weights: Array
    offset: float
    explained: float = 0.0
    spread: float = 0.0
    low: float = -math.inf
    high: float = math.inf


def metric_field(kernel: Array, groups: Sequence[Group], scales: Scales, scale: Scale) -> Field:
    """The posterior mean of the metric on its scale, from the means of the configs that gave one."""
    at = np.array([i for i, group in enumerate(groups) if len(group.losses)])
    z = np.array([onto(scale, groups[i].losses).mean() for i in at])
    counts = np.array([len(groups[i].losses) for i in at])
    noise = math.exp(2 * (scales.noise - scales.amplitude))
    return Field(_placed(solve(kernel[np.ix_(at, at)], noise / counts, z - z.mean()), at, len(groups)), float(z.mean()))


def noise_field(kernel: Array, groups: Sequence[Group], scales: Scales, scale: Scale) -> Field:
    """ln of the standard deviation between seeds, from replicates; what the model leaves unexplained if there are none.

    The mean of ln s^2 is biased by digamma(v / 2) - ln(v / 2), v the degrees of freedom.
    """
    at = np.array([i for i, group in enumerate(groups) if len(group.losses) > 1], dtype=np.intp)
    nowhere = np.zeros(len(groups))
    if not len(at):
        return Field(nowhere, scales.noise, low=scales.noise, high=scales.noise)
    df = np.array([len(groups[i].losses) - 1 for i in at])
    variance = np.array([onto(scale, groups[i].losses).var(ddof=1) for i in at])
    pooled = float((df * variance).sum() / df.sum())
    if pooled == 0:
        return Field(nowhere, -math.inf, high=-math.inf)
    from scipy.special import digamma

    log_sd = 0.5 * (np.log(np.maximum(variance, SMALLEST_SD**2 * pooled)) - digamma(df / 2) + np.log(df / 2))
    found = smooth(kernel, at, log_sd)
    constant = 0.5 * math.log(pooled)
    if not found.explained:
        return Field(nowhere, constant, low=constant, high=constant)
    low, high = np.quantile(log_sd, (0.05, 0.95))
    return Field(found.weights, found.offset, found.explained, low=float(low), high=float(high))


def failure_field(kernel: Array, groups: Sequence[Group]) -> Field:
    """Above 0 where training fails: as many of the recorded configs as really failed.

    `spread` is the seed's share in it, wide enough that as many pairs of seeds disagree as replicates did.
    """
    failed = np.array([group.failed for group in groups])
    if not failed.any():
        return Field(np.zeros(len(groups)), NEVER)
    found = smooth(kernel, np.arange(len(groups)), failed, constant_too=False)
    score = found.offset + kernel @ found.weights
    edge = float(np.quantile(score, 1 - failed.mean()))
    twice = np.array([i for i, group in enumerate(groups) if len(group.rows) > 1], dtype=np.intp)
    disagree = float(np.mean(2 * failed[twice] * (1 - failed[twice]))) if len(twice) else 0.0
    spread = _spread(score[twice] - edge, disagree)
    return Field(found.weights, found.offset - edge, found.explained, spread)


def _spread(above: Array, disagree: float) -> float:
    """The s for which two draws of N(above, s) are on different sides of 0 as often as `disagree`, by bisection."""
    if not disagree:
        return 0.0
    low, high, normal = 0.0, 1.0, NormalDist()
    for _ in range(30):
        middle = (low + high) / 2
        p = np.array([normal.cdf(a / middle) for a in above])
        low, high = (middle, high) if float(np.mean(2 * p * (1 - p))) < disagree else (low, middle)
    return high


def ratio_field(kernel: Array, groups: Sequence[Group]) -> Field:
    """ln(seconds / cost) about its median: company time is the reference machine's, whatever machine recorded."""
    logs = [
        [math.log(row.seconds / row.cost) for row in group.rows if row.seconds and row.cost and row.status == "ok"]
        for group in groups
    ]
    at = np.array([i for i, values in enumerate(logs) if values], dtype=np.intp)
    if not len(at):
        return Field(np.zeros(len(groups)), 0.0)
    values = np.array([np.mean(logs[i]) for i in at])
    values -= np.median(values)
    low, high = np.quantile(values, (0.01, 0.99))
    found = smooth(kernel, at, np.clip(values, low, high))
    spread = float(np.std(values)) * math.sqrt(1 - found.explained)
    return Field(found.weights, found.offset, found.explained, spread)


def smooth(kernel: Array, at: NDArray[np.intp], values: Array, constant_too: bool = True) -> Field:
    """Kernel ridge regression of values at some configs, its ridge the one with the smallest leave-one-out error.

    With `constant_too`, the constant where that is as good.
    """
    offset = float(values.mean())
    rest, constant = values - offset, Field(np.zeros(len(kernel)), offset)
    if not rest.any() or (len(at) < FEWEST and constant_too):
        return constant
    some = stream(0, "surrogate", "field").permutation(len(at))[:CHOSEN_ON]
    inner = kernel[np.ix_(at[some], at[some])]
    errors = [float((left_out(inner, ridge, rest[some]) ** 2).sum()) for ridge in RIDGES]
    best = min(range(len(RIDGES)), key=errors.__getitem__)
    explained = 1 - errors[best] / max(float((rest[some] ** 2).sum()), 1e-300)
    if explained < WORTH_IT and constant_too:
        return constant
    weights = solve(kernel[np.ix_(at, at)], RIDGES[best], rest)
    return Field(_placed(weights, at, len(kernel)), offset, max(0.0, explained))


def _placed(weights: Array, at: NDArray[np.intp], size: int) -> Array:
    """Weights of some configs among those of all, (size,)."""
    whole = np.zeros(size)
    whole[at] = weights
    return whole
