"""Fitting a recording: the scale of its metric, the kernel's lengths, the best there is, and how good all that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from company.surrogates.groups import Group, groups_of
from company.surrogates.kernel import (
    Array,
    Coordinates,
    Scales,
    fit_scales,
    left_out,
    matern,
    one_thread,
    rank_correlation,
    scaled,
    squares,
)  # fmt: skip
from company.surrogates.model import Surrogate
from company.surrogates.recording import Recording, RecordingError
from company.surrogates.scale import Kind, Scale, possible, sound
from roles.streams import stream

Log = Annotated[float, Field(ge=-50, le=50)]

CHOSEN_ON = 300  # configs that the scale of the metric is chosen on
WORTH_SCORES = 0.01  # of rank correlation: a formula is preferred


class Scores(BaseModel):
    """How well configs are predicted that the model has not seen (5 folds over configs; None where undefined).

    `r2` on the metric's scale, `rmse_sigmas` in standard deviations between seeds, `rank` Spearman's correlation;
    `failure_auc` and `failure_accuracy` of telling which fail. `explained_*`: of the variance, by leaving one out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    configs: int
    replicated: int
    r2: float
    rank: float | None
    rmse_sigmas: float | None
    failed: float
    failure_auc: float | None
    failure_accuracy: float | None
    explained_noise: float
    explained_duration: float


class Fit(BaseModel):
    """What takes seconds to find out about a recording, kept in its file: natural logarithms, losses, scores."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    model: Literal[1] = 1  # the version of kernel.py and fields.py: another one is fitted again
    scale: Kind
    knots: tuple[tuple[float, float], ...] = ()
    lengths: tuple[Log, ...]
    amplitude: Log
    noise: Log
    best: float
    median: float
    scores: Scores

    @property
    def scales(self) -> Scales:
        return Scales(self.lengths, self.amplitude, self.noise)


def fit(recording: Recording) -> Fit:
    """Find everything out (seconds). Raises RecordingError where there is too little to go by."""
    from company.surrogates.optimum import scale_of_regret
    from company.surrogates.scores import cross_validate

    one_thread()
    groups = groups_of(recording)
    scale, scales = choose(recording, groups)
    surrogate = Surrogate(recording, groups, scale, scales)
    best, median = scale_of_regret(surrogate)
    scores = cross_validate(surrogate)
    return Fit(
        scale=scale.kind, knots=scale.knots, lengths=scales.lengths, amplitude=scales.amplitude, noise=scales.noise,
        best=best, median=median, scores=scores,
    )  # fmt: skip


def choose(recording: Recording, groups: Sequence[Group], given: Scale | None = None) -> tuple[Scale, Scales]:
    """The scale of the metric, unless it is given, and the kernel's lengths there. Raises RecordingError."""
    data = _Data(recording, groups)
    if np.ptp(data.losses) == 0:
        raise RecordingError(f"{recording.about.name}: every config has the same metric: there is nothing to search")
    scale = given or data.best_scale()
    return scale, fit_scales(data.points, data.columns, data.on(scale), data.counts)[0]


class _Data:
    """The configs that gave a metric: coordinates, mean losses and how many runs each mean is of."""

    def __init__(self, recording: Recording, groups: Sequence[Group]) -> None:
        coordinates = Coordinates(recording.space)
        self.groups, self.columns = [group for group in groups if len(group.losses)], coordinates.groups
        self.points = coordinates.matrix(group.config for group in self.groups)
        self.counts = np.array([len(group.losses) for group in self.groups], dtype=float)
        self.losses = np.array([group.losses.mean() for group in self.groups])

    def on(self, scale: Scale) -> Array:
        return np.array([scale.onto(group.losses).mean() for group in self.groups])

    def best_scale(self) -> Scale:
        """The formula with the highest evidence; normal scores only where they rank left-out configs better."""
        offered = possible(np.concatenate([group.losses for group in self.groups]))
        formulas, scores = [s for s in offered if not s.knots], [s for s in offered if s.knots]
        formula = formulas[0] if len(formulas) == 1 else min(formulas, key=self._surprise)
        if not scores or self._rank(scores[0]) < self._rank(formula) + WORTH_SCORES:
            return formula
        return scores[0]

    def _surprise(self, scale: Scale) -> float:
        """The negative log evidence of a loss."""
        found = fit_scales(self.points, self.columns, scale.onto(self.losses), self.counts, CHOSEN_ON)
        return found[1] - scale.log_stretch(self.losses)

    def _rank(self, scale: Scale) -> float:
        """Spearman's correlation between configs and what the others say of each."""
        some = stream(0, "surrogate", "scale").permutation(len(self.groups))[:CHOSEN_ON]
        points, z, counts = self.points[some], self.on(scale)[some], self.counts[some]
        scales = fit_scales(points, self.columns, z, counts)[0]
        at = scaled(points, self.columns, scales)
        noise = math.exp(2 * (scales.noise - scales.amplitude)) / counts
        errors = left_out(matern(squares(at, at)), noise, z - z.mean())
        return rank_correlation(z - errors, z) or 0.0


def with_fit(recording: Recording) -> Recording:
    """The recording with its fit, to be kept in its file; as it is where there is too little to go by."""
    try:
        return replace(recording, fit=fit(recording).model_dump(mode="json"))
    except RecordingError:
        return recording


def kept_fit(recording: Recording) -> Fit | None:
    """The fit in a recording's file, where it has one of this version that belongs to its space."""
    try:
        found = Fit.model_validate(recording.fit)
    except ValidationError:
        return None
    fits = len(found.lengths) == len(recording.space.parameters) and found.best < found.median
    kinds = {scale.kind: bool(scale.knots) for scale in possible(losses_of(recording))}
    return found if fits and kinds.get(found.scale) == bool(found.knots) and sound(found.knots) else None


def losses_of(recording: Recording) -> Array:
    """Every metric as a loss, (n,)."""
    return np.array([recording.metric.sign * row.metric for row in recording.rows if row.metric is not None])


def surrogate_of(recording: Recording, found: Fit) -> Surrogate:
    """The model of a recording that was fitted before."""
    one_thread()
    return Surrogate(recording, groups_of(recording), Scale(found.scale, found.knots), found.scales)
