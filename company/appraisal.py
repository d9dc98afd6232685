"""What an agent is worth, from measured outcomes: a normal model shrunk toward the role's mean.

A finished proposal scores as a normal score: the inverse normal of the share of the others' recent results that it
beat. So the score has mean 0 and variance about 1 for an average colleague whatever the project's metric, and the field
grows harder as the champion improves. With prior worth ~ N(0, PRIOR_SD^2) and unit observation variance the posterior
after n scores is normal with precision 1/PRIOR_SD^2 + n (Gelman et al., Bayesian Data Analysis, 2.5). No data leaves
the prior: missing evidence is ignorance, never failure.

Not covered: the field is taken as known, though it is a sample too; with few colleagues the posterior is too sure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

PRIOR_SD = 0.5
REPLACEMENT_LEVEL = -0.1  # an average hire, less what changing horses costs
INTERVAL = 0.9

STANDARD = NormalDist()


def level_of(below: str | float) -> float:
    """The worth that the chart's `replace.below` names."""
    return REPLACEMENT_LEVEL if isinstance(below, str) else below


@dataclass(frozen=True, slots=True)
class Posterior:
    """Worth in normal scores a proposal: mean, 90 % interval, evidence, and P(worth < replacement level)."""

    mean: float
    low: float
    high: float
    evidence: int
    p_below: float


def posterior(scores: Sequence[float], prior_sd: float = PRIOR_SD, level: float = REPLACEMENT_LEVEL) -> Posterior:
    """The posterior of an agent's worth given its scores; the prior itself when there are none."""
    precision = 1 / prior_sd**2 + len(scores)
    mean, sd = sum(scores) / precision, math.sqrt(1 / precision)
    half = STANDARD.inv_cdf(0.5 + INTERVAL / 2) * sd
    return Posterior(mean, mean - half, mean + half, len(scores), STANDARD.cdf((level - mean) / sd))
