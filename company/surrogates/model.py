"""The fitted model of a recording: what a config's metric, noise, failure and duration would be, in microseconds."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from company.surrogates.fields import Design, curved, failure_field, metric_field, noise_field, ratio_field
from company.surrogates.groups import Group
from company.surrogates.kernel import Array, Coordinates, Scales, as_float32, matern, scaled, squares
from company.surrogates.recording import Recording
from company.surrogates.scale import Scale
from projects.frozen import frozen
from projects.spec import Config

LARGEST_LOG = 50.0


@frozen
class Answer:
    """What the model says of a config: `z` on the metric's scale with the noise's `sd` there; `failing` > 0 fails.

    `ratio` is the natural logarithm of its duration over the table's cost, `nearest` the most similar recorded config.
    """

    z: float
    sd: float
    failing: float
    ratio: float
    nearest: int


class Surrogate:
    """A recording with its model. `answer` is for one config, `predict` for many."""

    def __init__(self, recording: Recording, groups: Sequence[Group], scale: Scale, scales: Scales) -> None:
        self.recording, self.groups = recording, tuple(groups)
        self.scale = scale
        self.coordinates = Coordinates(recording.space)
        matrix = self.coordinates.matrix(g.config for g in groups)
        points = scaled(matrix, self.coordinates.groups, scales)
        design = Design(matern(squares(points, points)), curved(matrix))
        self.metric = metric_field(design, self.groups, scales, scale)
        self.noise = noise_field(design, self.groups, scales, scale)
        self.failure = failure_field(design, self.groups)
        self.ratio = ratio_field(design, self.groups)
        fields = (self.metric, self.noise, self.failure, self.ratio)
        self._weights = as_float32(np.stack([field.weights for field in fields], axis=1))
        self._slopes = as_float32(np.stack([field.slopes for field in fields], axis=1))
        self._offsets = tuple(field.offset for field in fields)
        self.points = points
        self._towards, self._norms = as_float32(-10 * points), as_float32(5 * (points * points).sum(axis=1))
        self._lengths = as_float32(np.exp(-np.array(scales.lengths))[self.coordinates.groups])

    def answer(self, config: Config) -> Answer:
        """Look one config up."""
        vector = np.array(self.coordinates.vector(config), dtype=np.float32)
        at = vector * self._lengths
        squared = self._towards @ at
        squared += self._norms + 5 * (at @ at)
        alike = _matern32(squared)
        z, log_sd, failing, ratio = (alike @ self._weights + curved(vector) @ self._slopes).tolist()
        a, b, c, d = self._offsets
        sd = math.exp(min(LARGEST_LOG, max(self.noise.low, min(self.noise.high, b + log_sd))))
        return Answer(a + z, sd, c + failing, d + ratio, int(alike.argmax()))

    def predict(self, configs: Sequence[Config]) -> tuple[Array, NDArray[np.bool_]]:
        """z (n,) and whether training fails (n,)."""
        matrix = as_float32(self.coordinates.matrix(configs))
        at = matrix * self._lengths
        squared = as_float32(at @ self._towards.T + self._norms + 5 * (at * at).sum(axis=1)[:, None])
        found = _matern32(squared) @ self._weights + curved(matrix) @ self._slopes
        return found[:, 0] + self._offsets[0], found[:, 2] + self._offsets[2] > 0

    def loss(self, z: float) -> float:
        """A value on the metric's scale as a loss: smaller is better."""
        return self.scale.back(z)


def _matern32(squared: Array) -> Array:
    """`matern` of r^2, five times the squared distances, in place and in single precision; `squared` is used up."""
    np.maximum(squared, 0, out=squared)
    r = np.sqrt(squared)
    squared *= np.float32(1 / 3)
    squared += r
    squared += np.float32(1.0)
    np.negative(r, out=r)
    squared *= np.exp(r, out=r)
    return squared
