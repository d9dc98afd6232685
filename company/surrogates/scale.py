"""The scale on which a metric is modelled: as it is, its logarithm, or the logarithm of an error rate."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from company.surrogates.kernel import Array

Scale = Literal["plain", "log", "log error"]
LARGEST = 700.0  # of an exponent


def possible(losses: Array) -> tuple[Scale, ...]:
    """The scales that a set of losses (smaller is better) allows."""
    if (losses > 0).all():
        return "plain", "log"
    if ((losses > -1) & (losses < 0)).all():  # a share to be maximised: accuracy, reward of a coin
        return "plain", "log error"
    return ("plain",)


def onto(scale: Scale, losses: Array) -> Array:
    """Losses on the scale."""
    if scale == "log":
        return np.log(losses)
    return np.log1p(losses) if scale == "log error" else losses


def back(scale: Scale, z: float) -> float:
    """The loss of a value on the scale."""
    if scale == "plain":
        return z
    return math.exp(min(z, LARGEST)) if scale == "log" else math.expm1(min(z, 0.0))


def log_stretch(scale: Scale, losses: Array) -> float:
    """Mean of ln dz/dloss: what a likelihood on the scale needs to be one of the losses."""
    if scale == "plain":
        return 0.0
    return -float((np.log(losses) if scale == "log" else np.log1p(losses)).mean())
