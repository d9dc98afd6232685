"""A recording without training: a known function of three numbers and a word, with noise and a region that fails."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from company.surrogates.recording import RUNGS, About, MetricAbout, Recording, Row, space_document
from projects.spec import Config, Parameter, SearchSpace

SPACE = SearchSpace(
    (
        Parameter("rate", "float", 1e-4, 1.0, log=True),
        Parameter("depth", "int", 1, 12),
        Parameter("width", "choice", values=(16, 32, 64, 128), shape=True),
        Parameter("act", "choice", values=("relu", "tanh", "gelu")),
    )
)
BEST = {"rate": 0.01, "depth": 8, "width": 64, "act": "gelu"}


@dataclass(frozen=True)
class Order:
    """What a world is asked to train."""

    config: Config
    seed: int
    steps: int = 80
    cost: float = 2.0
    attempt: int = 1
    micro_batch: int | None = None


def known(config: Config) -> float:
    """A positive loss, 0.5 at BEST, up to about 6."""
    rate, depth, width = float(config["rate"]), float(config["depth"]), float(config["width"])
    words = {"relu": 1.1, "tanh": 1.3, "gelu": 1.0}[str(config["act"])]
    bowl = (math.log10(rate) + 2) ** 2 / 4 + ((depth - 8) / 8) ** 2 + (math.log2(width) - 6) ** 2 / 8
    return words * 0.5 * math.exp(bowl)


def fails(config: Config) -> bool:
    """A corner: a high rate in a deep network."""
    return float(config["rate"]) > 0.1 and float(config["depth"]) > 5


def never(config: Config) -> bool:
    return False


def recorded(
    points: int = 200, noise: float = 0.02, failing: Callable[[Config], bool] = never, seeds: int = 3, root: int = 0
) -> Recording:
    """A recording of `known`: each third config has several seeds; the noise is a share of the loss."""
    rng = np.random.default_rng(root)
    rows = []
    for point in range(points):
        config = SPACE.sample(rng)
        for seed in range(seeds if point % 3 == 0 else 1):
            rows.append(row(config, 100 * point + seed, noise, failing(config), rng))
    about = About(
        format=1, name="known", source="trained", metric=MetricAbout(name="loss"), space=space_document(SPACE),
        baseline={"rate": 0.3, "depth": 2, "width": 16, "act": "tanh"}, budget_seconds=2.0,
    )  # fmt: skip
    return Recording(about, tuple(rows))


def row(config: Config, seed: int, noise: float, failed: bool, rng: np.random.Generator) -> Row:
    metric = known(config) * math.exp(noise * rng.standard_normal())
    curve = tuple(round(metric * (2 - f), 4) for f in RUNGS)
    took = 2.0 * math.exp(0.1 * rng.standard_normal())
    if failed:
        return Row(config, seed, "failed", "diverged", None, took / 4, 2.0, (*curve[:3], *[None] * 5))
    return Row(config, seed, "ok", None, metric, took, 2.0, curve)
