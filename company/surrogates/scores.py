"""Cross-validation of a surrogate: each fold of configs is predicted by a model that was fitted on the others alone."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from company.surrogates.fitting import Scores, choose
from company.surrogates.groups import FEWEST_CONFIGS, Group
from company.surrogates.kernel import Array, rank_correlation
from company.surrogates.model import Surrogate
from company.surrogates.scale import Scale
from roles.streams import stream

FOLDS = 5


def cross_validate(whole: Surrogate) -> Scores:
    """The scores of docs/recordings.md, over whole configs: no seed of a config is seen before it is predicted."""
    groups, scale = whole.groups, whole.scale
    fold = stream(0, "surrogate", "folds").permutation(len(groups)) % FOLDS
    z, failing = np.full(len(groups), np.nan), np.zeros(len(groups))
    for k in range(FOLDS):
        seen = [group for group, f in zip(groups, fold, strict=True) if f != k]
        if sum(len(group.losses) > 0 for group in seen) < FEWEST_CONFIGS // 2:
            continue
        model = Surrogate(whole.recording, seen, scale, choose(whole.recording, seen, scale)[1])
        for i in np.flatnonzero(fold == k):
            answer = model.answer(groups[i].config)
            z[i], failing[i] = answer.z, answer.failing
    return _scores(whole, z, failing)


def _scores(whole: Surrogate, z: Array, failing: Array) -> Scores:
    groups, scale = whole.groups, whole.scale
    at = np.array([i for i, group in enumerate(groups) if len(group.losses) and math.isfinite(z[i])])
    real = np.array([scale.onto(groups[i].losses).mean() for i in at])
    errors = z[at] - real
    sigma, rank = _pooled_sd(groups, scale), rank_correlation(z[at], real)
    failed = np.array([group.failed for group in groups])
    return Scores(
        configs=len(groups), replicated=sum(len(group.rows) > 1 for group in groups),
        r2=round(1 - float((errors**2).sum() / ((real - real.mean()) ** 2).sum()), 4),
        rank=None if rank is None else round(rank, 4),
        rmse_sigmas=round(math.sqrt(float((errors**2).mean())) / sigma, 3) if sigma else None,
        failed=round(float(failed.mean()), 4), failure_auc=_auc(failing, failed > 0.5),
        failure_accuracy=round(float(np.mean((failing > 0) == (failed > 0.5))), 4) if failed.any() else None,
        explained_noise=round(whole.noise.explained, 4), explained_duration=round(whole.ratio.explained, 4),
    )  # fmt: skip


def _pooled_sd(groups: tuple[Group, ...], scale: Scale) -> float:
    """Between the seeds of a config, on the metric's scale; 0 without replicates."""
    found = [(len(g.losses) - 1, float(scale.onto(g.losses).var(ddof=1))) for g in groups if len(g.losses) > 1]
    return math.sqrt(sum(df * v for df, v in found) / sum(df for df, _ in found)) if found else 0.0


def _auc(score: Array, failed: NDArray[np.bool_]) -> float | None:
    """The chance that a config that fails scores above one that works (Mann and Whitney 1947)."""
    from scipy.stats import rankdata

    yes = int(failed.sum())
    if not 0 < yes < len(failed):
        return None
    return round(float(rankdata(score)[failed].sum() - yes * (yes + 1) / 2) / (yes * (len(failed) - yes)), 4)
