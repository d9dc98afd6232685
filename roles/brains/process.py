"""A Gaussian process regression in numpy: Matern-5/2 kernel, one length a parameter (Rasmussen & Williams 2006)."""

from __future__ import annotations

import math

import numpy as np

from roles.brains.cube import Cube, square_distances

ROOT5 = math.sqrt(5.0)
STEPS = 24  # of the hyperparameter search; more buys nothing that a benchmark sees


class Process:
    """A zero-mean, unit-variance process conditioned on scores (n,) at points (n, d) of the cube.

    `lengths` (d,) are in units of the cube; `noise` is a variance. `floor` is the smallest posterior mean at a point
    that was tried: with noise, the smallest score is mostly luck.
    """

    def __init__(self, cube: Cube, units: np.ndarray, scores: np.ndarray, lengths: np.ndarray, noise: float) -> None:
        self.cube, self.units, self.scores, self.lengths, self.noise = cube, units, scores, lengths, noise
        self._scale = 1.0 / lengths[cube.owner]
        self._at = cube.features(units) * self._scale
        kernel = matern(square_distances(self._at, self._at))
        covariance = kernel.copy()
        covariance.flat[:: len(units) + 1] += noise + 1e-8
        self._inverse = np.linalg.inv(np.linalg.cholesky(covariance))
        self._weights = self._inverse.T @ (self._inverse @ scores)
        self.floor = float((kernel @ self._weights).min())

    def predict(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Posterior mean and deviation (c,) of the noise-free score at points (c, d)."""
        cross = matern(square_distances(self.cube.features(points) * self._scale, self._at))
        half = cross @ self._inverse.T
        variance = 1.0 - np.einsum("ij,ij->i", half, half)
        return cross @ self._weights, np.sqrt(np.maximum(variance, 1e-12))

    def believing(self, pending: np.ndarray) -> Process:
        """The process as if the points under way came out as expected (the kriging believer)."""
        expected = self.predict(pending)[0]
        units, scores = np.concatenate([self.units, pending]), np.concatenate([self.scores, expected])
        return Process(self.cube, units, scores, self.lengths, self.noise)


def matern(squared: np.ndarray) -> np.ndarray:
    """Matern-5/2 of squared scaled distances."""
    r = ROOT5 * np.sqrt(squared)
    return (1.0 + r + r * r / 3.0) * np.exp(-r)


def expected_improvement(mean: np.ndarray, deviation: np.ndarray, floor: float) -> np.ndarray:
    """E[max(floor - y, 0)] for normal y (Mockus 1978)."""
    z = (floor - mean) / deviation
    return deviation * (z * normal_cdf(z) + np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi))


def normal_cdf(z: np.ndarray) -> np.ndarray:
    """Standard normal distribution function to 1.5e-7 (Abramowitz & Stegun 7.1.26), as numpy has no erf."""
    x = np.abs(z) / math.sqrt(2.0)
    t = 1.0 / (1.0 + 0.3275911 * x)
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    tail = 0.5 * series * np.exp(-x * x)
    return np.where(z >= 0, 1.0 - tail, tail)


def fit_lengths(cube: Cube, units: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, float]:
    """Lengths (d,) and noise variance that maximise the marginal likelihood with weak priors: a fixed number of
    Rprop steps on their logarithms, from one start, so that the answer is the same everywhere."""
    dimensions = len(cube.size)
    features = cube.features(units)
    by_parameter = np.stack([
        square_distances(features[:, cube.owner == i], features[:, cube.owner == i]) for i in range(dimensions)
    ])  # fmt: skip
    centre = np.append(np.full(dimensions, math.log(0.3 * math.sqrt(dimensions))), math.log(1e-2))
    tightness = np.append(np.full(dimensions, 1.0 / 0.8**2), 1.0 / 1.5**2)
    theta, best, best_value = centre.copy(), centre.copy(), -math.inf
    stride, previous = np.full(dimensions + 1, 0.3), np.zeros(dimensions + 1)
    low = np.append(np.full(dimensions, math.log(0.05)), math.log(1e-5))
    high = np.append(np.full(dimensions, math.log(20.0)), math.log(1.0))
    for _ in range(STEPS):
        value, gradient = _likelihood(theta, by_parameter, scores)
        value -= 0.5 * float((tightness * (theta - centre) ** 2).sum())
        gradient -= tightness * (theta - centre)
        if value > best_value:
            best, best_value = theta.copy(), value
        agreement = np.sign(gradient) * np.sign(previous)
        stride = np.clip(stride * np.where(agreement > 0, 1.3, np.where(agreement < 0, 0.5, 1.0)), 0.01, 1.0)
        theta, previous = np.clip(theta + stride * np.sign(gradient), low, high), gradient
    return np.exp(best[:-1]), float(math.exp(best[-1]))


def _likelihood(theta: np.ndarray, by_parameter: np.ndarray, scores: np.ndarray) -> tuple[float, np.ndarray]:
    """Log marginal likelihood and its gradient in log lengths and log noise (Rasmussen & Williams 5.8-5.9)."""
    dimensions, n, _ = by_parameter.shape
    inverse_squares = np.exp(-2.0 * theta[:-1])
    noise = math.exp(theta[-1])
    flat = by_parameter.reshape(dimensions, n * n)
    r = ROOT5 * np.sqrt(inverse_squares @ flat).reshape(n, n)
    decay = np.exp(-r)
    covariance = (1.0 + r + r * r / 3.0) * decay
    covariance.flat[:: n + 1] += noise + 1e-8
    lower = np.linalg.cholesky(covariance)
    inverse = np.linalg.inv(lower)
    whitened = inverse @ scores
    weights = inverse.T @ whitened
    value = -0.5 * float(whitened @ whitened) - float(np.log(np.diag(lower)).sum())
    pull = np.outer(weights, weights) - inverse.T @ inverse
    shrink = (pull * ((5.0 / 3.0) * (1.0 + r) * decay)).ravel()
    gradient = 0.5 * np.append((flat @ shrink) * inverse_squares, noise * float(np.trace(pull)))
    return value, gradient
