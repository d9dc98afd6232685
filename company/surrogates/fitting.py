"""Fitting a recording: the scale of its metric, the kernel's lengths, the best there is, and how good all that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from company.surrogates.groups import Group, groups_of
from company.surrogates.kernel import Array, Coordinates, Scales, fit_scales, one_thread
from company.surrogates.model import Surrogate
from company.surrogates.recording import Recording, RecordingError
from company.surrogates.scale import Scale, log_stretch, onto, possible

Log = Annotated[float, Field(ge=-50, le=50)]

CHOSEN_ON = 300  # configs that the scale of the metric is chosen on


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
    scale: Scale
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
        scale=scale, lengths=scales.lengths, amplitude=scales.amplitude, noise=scales.noise, best=best, median=median,
        scores=scores,
    )  # fmt: skip


def choose(recording: Recording, groups: Sequence[Group], given: Scale | None = None) -> tuple[Scale, Scales]:
    """The scale on which the metric has the highest evidence (or the given one), and the kernel's lengths there."""
    coordinates = Coordinates(recording.space)
    worked = [group for group in groups if len(group.losses)]
    points = coordinates.matrix(group.config for group in worked)
    counts = np.array([len(group.losses) for group in worked], dtype=float)
    losses = np.array([group.losses.mean() for group in worked])
    if np.ptp(losses) == 0:
        raise RecordingError(f"{recording.about.name}: every config has the same metric: there is nothing to search")

    def evidence(scale: Scale) -> float:
        z = onto(scale, losses)
        return fit_scales(points, coordinates.groups, z, counts, CHOSEN_ON)[1] - log_stretch(scale, losses)

    scale = given
    if scale is None:
        offered = possible(np.concatenate([group.losses for group in worked]))
        scale = offered[0] if len(offered) == 1 else min(offered, key=evidence)
    z = np.array([onto(scale, group.losses).mean() for group in worked])
    return scale, fit_scales(points, coordinates.groups, z, counts)[0]


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
    sound = len(found.lengths) == len(recording.space.parameters) and found.best < found.median
    return found if sound and found.scale in possible(losses_of(recording)) else None


def losses_of(recording: Recording) -> Array:
    """Every metric as a loss, (n,)."""
    return np.array([recording.metric.sign * row.metric for row in recording.rows if row.metric is not None])


def surrogate_of(recording: Recording, found: Fit) -> Surrogate:
    """The model of a recording that was fitted before."""
    one_thread()
    return Surrogate(recording, groups_of(recording), found.scale, found.scales)
