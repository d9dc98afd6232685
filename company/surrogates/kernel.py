"""A Gaussian process with one length scale a parameter (automatic relevance determination), Matern 5/2.

k(a, b) = s^2 (1 + r + r^2/3) exp(-r),   r^2 = 5 sum_p d_p(a, b)^2 / l_p^2

d_p is the distance in the unit cube for numbers, 0 or 1 for words. Scales, s and the noise are those of the highest
marginal likelihood under a weak prior on the scales (Rasmussen and Williams 2006, chapters 4 and 5).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from projects.spec import Config, Parameter, SearchSpace, Value
from roles.streams import stream

Array = NDArray[np.floating[Any]]

MOST_FITTED = 500  # points that the scales are fitted on: cubic in time
MOST_DISTANCES = 8_000_000  # numbers in the table of distances by parameter
PRIOR_LOG_LENGTH = 0.7  # mean; its sd is 1: a parameter may matter much or not at all
JITTER = 1e-6


@dataclass(frozen=True)
class Coordinates:
    """Configs as vectors in which a squared distance is the sum of d_p^2: one column a number, one a word."""

    space: SearchSpace

    @cached_property
    def groups(self) -> NDArray[np.intp]:
        """The parameter that each column belongs to."""
        widths = [1 if p.ordered else len(p.values) for p in self.space.parameters]
        return np.repeat(np.arange(len(widths)), widths)

    @cached_property
    def _codes(self) -> tuple[tuple[str, dict[Value, list[float]] | None, Callable[[Value], float]], ...]:
        return tuple((p.name, _codes(p), p.encoder()) for p in self.space.parameters)

    def vector(self, config: Config) -> list[float]:
        """One config, (columns,)."""
        found: list[float] = []
        for name, codes, encode in self._codes:
            if codes is None:
                found.append(encode(config[name]))
            else:
                found += codes[config[name]]
        return found

    def matrix(self, configs: Iterable[Config]) -> Array:
        """Configs, (n, columns)."""
        return np.array([self.vector(config) for config in configs]).reshape(-1, len(self.groups))


def _codes(parameter: Parameter) -> dict[Value, list[float]] | None:
    """The columns of each value of a choice; half a square each, since two words differ in two columns."""
    if parameter.kind != "choice":
        return None
    if parameter.ordered:
        return {value: [parameter.encode(value)] for value in parameter.values}
    half = math.sqrt(0.5)
    return {value: [half * (value == other) for other in parameter.values] for value in parameter.values}


@dataclass(frozen=True, slots=True)
class Scales:
    """Natural logarithms: of each parameter's length, of the amplitude s and of the noise's standard deviation."""

    lengths: tuple[float, ...]
    amplitude: float
    noise: float


def matern(squares: Array) -> Array:
    """The kernel of unit amplitude at squared scaled distances, of any shape."""
    r = np.sqrt(5 * np.maximum(squares, 0))
    return (1 + r + r * r / 3) * np.exp(-r)


def scaled(points: Array, groups: NDArray[np.intp], scales: Scales) -> Array:
    """Points (n, columns) divided by the length of each column's parameter."""
    return points * np.exp(-np.array(scales.lengths))[groups]


def squares(a: Array, b: Array) -> Array:
    """Squared distances between two sets of points, (len(a), len(b))."""
    return (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2 * a @ b.T


def fit_scales(
    points: Array, groups: NDArray[np.intp], z: Array, counts: Array, most: int = MOST_FITTED
) -> tuple[Scales, float]:
    """Scales for values z (n,) that are means of `counts` runs each, and the negative log evidence of a point."""
    from scipy.optimize import minimize

    size = int(groups.max()) + 1
    keep = stream(0, "surrogate", "subset").permutation(len(z))[: min(most, int(math.sqrt(MOST_DISTANCES / size)))]
    points, z, counts = points[keep], z[keep] - z[keep].mean(), counts[keep]
    apart = np.stack([squares(points[:, groups == g], points[:, groups == g]) for g in range(size)])
    np.maximum(apart, 0, out=apart)
    sd = math.log(max(float(z.std()), 1e-9))
    start = [*[PRIOR_LOG_LENGTH] * size, sd, sd - 1]
    bounds = [*[(-3.0, 5.0)] * size, (sd - 3, sd + 3), (sd - 7, sd + 1)]
    found = minimize(_evidence, start, (apart, z, counts), jac=True, method="L-BFGS-B", bounds=bounds,
                     options={"maxiter": 80})  # fmt: skip
    *lengths, amplitude, noise = (round(float(v), 6) for v in found.x)
    return Scales(tuple(lengths), amplitude, noise), float(found.fun) / len(z)


def _evidence(at: Array, apart: Array, z: Array, counts: Array) -> tuple[float, Array]:
    """Negative log posterior of the scales, and its gradient."""
    from scipy.linalg import cho_solve, cholesky

    logs, weights = at[:-2], np.exp(-2 * at[:-2])
    variance, noise = math.exp(2 * at[-2]), math.exp(2 * at[-1])
    r = np.sqrt(5 * np.tensordot(weights, apart, 1))
    decay = variance * np.exp(-r)
    kernel = decay * (1 + r + r * r / 3)
    lower = cholesky(kernel + np.diag(noise / counts + JITTER * variance), lower=True)
    inverse = cho_solve((lower, True), np.eye(len(z)))
    alpha = inverse @ z
    slope = inverse - np.outer(alpha, alpha)
    by_square = slope * decay * (1 + r) * (-5 / 6)  # d kernel / d (scaled squared distance)
    value = 0.5 * z @ alpha + np.log(np.diag(lower)).sum() + 0.5 * ((logs - PRIOR_LOG_LENGTH) ** 2).sum()
    gradient = np.append(
        -np.tensordot(apart, by_square, 2) * weights + logs - PRIOR_LOG_LENGTH,
        [(slope * kernel).sum() + JITTER * variance * np.trace(slope), (np.diag(slope) * noise / counts).sum()],
    )
    return float(value), gradient


def one_thread() -> None:
    """From here on linear algebra of this process uses one thread: two would change last digits, and save nothing."""
    import scipy.linalg  # noqa: F401  (brings a library of its own, which is limited only once it is there)
    from threadpoolctl import threadpool_limits

    threadpool_limits(1, user_api="blas")


def solve(kernel: Array, ridge: Array | float, values: Array) -> Array:
    """Weights of kernel ridge regression: (kernel + diag(ridge))^-1 values."""
    from scipy.linalg import cho_factor, cho_solve

    return cho_solve(cho_factor(kernel + np.diag(np.broadcast_to(ridge, len(values)) + JITTER)), values)


def left_out(kernel: Array, ridge: Array | float, values: Array) -> Array:
    """Errors of leaving one point out, in closed form: alpha_i / (K + ridge)^-1_ii."""
    inverse = np.linalg.inv(kernel + np.diag(np.broadcast_to(ridge, len(values)) + JITTER))
    return inverse @ values / np.diag(inverse)


def rank_correlation(a: Array, b: Array) -> float | None:
    """Spearman's correlation; None where one side is constant."""
    from scipy.stats import rankdata

    x, y = rankdata(a), rankdata(b)
    return float(np.corrcoef(x, y)[0, 1]) if np.ptp(x) and np.ptp(y) else None


def as_float32(values: Sequence[float] | Array) -> NDArray[np.float32]:
    return np.ascontiguousarray(values, dtype=np.float32)
