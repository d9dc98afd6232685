"""What is fitted over the configs of a recording: metric, noise, failing and durations, each as weights of one kernel.

The metric is the posterior mean of the Gaussian process. The others are what predicts best when points are left out:
the kernel, a sum over parameters (a line and a square each; a constant for each word), or a constant.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from company.surrogates.groups import Group
from company.surrogates.kernel import Array, Scales, left_out, solve
from company.surrogates.scale import Scale
from roles.streams import stream

CHOSEN_ON = 600  # points that smoothness is chosen on: cubic in time
FEWEST = 20  # points, under which a field is a constant
RIDGES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
WORTH_IT = 0.02  # share of the variance that leaving points out must explain
SMALLEST_SD = 1e-3  # of a config, relative to all: three equal results do not mean no noise at all
NEVER = -1.0  # where nothing failed
NO_NOISE = -50.0  # ln of the standard deviation, where replicates agree to the last digit


@dataclass(frozen=True, slots=True)
class Field:
    """value(x) = offset + weights . kernel(x, configs) + slopes . curved(x), weights (n,), slopes (2 x columns,).

    `explained` is the share of variance that leaving points out explains; `spread` how far single runs lie around it;
    values are held between `low` and `high`.
    """

    weights: Array
    slopes: Array
    offset: float
    explained: float = 0.0
    spread: float = 0.0
    low: float = -math.inf
    high: float = math.inf


@dataclass(frozen=True, slots=True)
class Design:
    """The recorded configs: kernel (n, n) among them and their `curved` columns (n, 2 x columns)."""

    kernel: Array
    columns: Array

    def constant(self, value: float, **more: float) -> Field:
        return Field(np.zeros(len(self.kernel)), np.zeros(self.columns.shape[1]), value, **more)


def curved(points: Array) -> Array:
    """Each coordinate and its square, (..., 2 x columns)."""
    return np.concatenate([points, points * points], axis=-1)


def metric_field(design: Design, groups: Sequence[Group], scales: Scales, scale: Scale) -> Field:
    """The posterior mean of the metric on its scale, from the means of the configs that gave one."""
    at = np.array([i for i, group in enumerate(groups) if len(group.losses)])
    z = np.array([scale.onto(groups[i].losses).mean() for i in at])
    counts = np.array([len(groups[i].losses) for i in at])
    noise = math.exp(2 * (scales.noise - scales.amplitude))
    weights = solve(design.kernel[np.ix_(at, at)], noise / counts, z - z.mean())
    return replace(design.constant(float(z.mean())), weights=_placed(weights, at, len(groups)))


def noise_field(design: Design, groups: Sequence[Group], scales: Scales, scale: Scale) -> Field:
    """ln of the standard deviation between seeds, from replicates; what the model leaves unexplained if there are none.

    The mean of ln s^2 is biased by digamma(v / 2) - ln(v / 2), v the degrees of freedom.
    """
    at = np.array([i for i, group in enumerate(groups) if len(group.losses) > 1], dtype=np.intp)
    if not len(at):
        return design.constant(scales.noise, low=scales.noise, high=scales.noise)
    df = np.array([len(groups[i].losses) - 1 for i in at])
    variance = np.array([scale.onto(groups[i].losses).var(ddof=1) for i in at])
    pooled = float((df * variance).sum() / df.sum())
    if pooled == 0:
        return design.constant(NO_NOISE, low=NO_NOISE, high=NO_NOISE)
    from scipy.special import digamma

    log_sd = 0.5 * (np.log(np.maximum(variance, SMALLEST_SD**2 * pooled)) - digamma(df / 2) + np.log(df / 2))
    found = smooth(design, at, log_sd)
    if not found.explained:
        everywhere = 0.5 * math.log(pooled)
        return design.constant(everywhere, low=everywhere, high=everywhere)
    low, high = np.quantile(log_sd, (0.05, 0.95)).tolist()
    return replace(found, low=low, high=high)


def failure_field(design: Design, groups: Sequence[Group]) -> Field:
    """Above 0 where training fails: as many of the recorded configs as really failed.

    `spread` is the seed's share in it, wide enough that as many pairs of seeds disagree as replicates did.
    """
    failed = np.array([group.failed for group in groups])
    if not failed.any():
        return design.constant(NEVER)
    found = smooth(design, np.arange(len(groups)), failed)
    score = found.offset + design.kernel @ found.weights + design.columns @ found.slopes
    edge = float(np.quantile(score, 1 - failed.mean()))
    twice = np.array([i for i, group in enumerate(groups) if len(group.rows) > 1], dtype=np.intp)
    disagree = float(np.mean(2 * failed[twice] * (1 - failed[twice]))) if len(twice) else 0.0
    return replace(found, offset=found.offset - edge, spread=_spread(score[twice] - edge, disagree))


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


def ratio_field(design: Design, groups: Sequence[Group]) -> Field:
    """ln(seconds / cost) about its median: company time is the reference machine's, whatever machine recorded."""
    logs = [
        [math.log(row.seconds / row.cost) for row in group.rows if row.seconds and row.cost and row.status == "ok"]
        for group in groups
    ]
    at = np.array([i for i, values in enumerate(logs) if values], dtype=np.intp)
    if not len(at):
        return design.constant(0.0)
    values = np.array([np.mean(logs[i]) for i in at])
    values -= np.median(values)
    low, high = np.quantile(values, (0.01, 0.99))
    values = np.clip(values, low, high)
    found = smooth(design, at, values)
    return replace(found, spread=float(np.std(values)) * math.sqrt(1 - found.explained))


def smooth(design: Design, at: NDArray[np.intp], values: Array) -> Field:
    """Ridge regression of values at some configs, on the kernel or the columns, the ridge by leaving one out."""
    offset = float(values.mean())
    rest, constant = values - offset, design.constant(offset)
    if not rest.any() or len(at) < FEWEST:
        return constant
    middle = design.columns[at].mean(axis=0)
    norm = math.sqrt(max(float(((design.columns[at] - middle) ** 2).sum()) / len(at), 1e-12))
    columns = (design.columns[at] - middle) / norm
    kernels = design.kernel[np.ix_(at, at)], columns @ columns.T
    some = stream(0, "surrogate", "field").permutation(len(at))[:CHOSEN_ON]
    total = float((rest[some] ** 2).sum())
    tried = [
        (float((left_out(kernel[np.ix_(some, some)], ridge, rest[some]) ** 2).sum()), which, ridge)
        for which, kernel in enumerate(kernels)
        for ridge in RIDGES
    ]
    error, which, ridge = min(tried)
    explained = 1 - error / total if total else 0.0
    if explained < WORTH_IT:
        return constant
    weights = solve(kernels[which], ridge, rest)
    if which == 0:
        return replace(constant, weights=_placed(weights, at, len(design.kernel)), explained=explained)
    slopes = columns.T @ weights / norm
    return replace(constant, slopes=slopes, offset=offset - float(middle @ slopes), explained=explained)


def _placed(weights: Array, at: NDArray[np.intp], size: int) -> Array:
    """Weights of some configs among those of all, (size,)."""
    whole = np.zeros(size)
    whole[at] = weights
    return whole
