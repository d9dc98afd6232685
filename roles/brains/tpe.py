"""A tree-structured Parzen estimator (Bergstra et al. 2011) on the mixed unit cube, in a few numpy calls.

Two densities are fitted to the configs tried: one to the good ones, one to the rest. The config with the largest
ratio among draws from the good density is next. Each parameter has a mixture of its own (independent Parzen), and a
second pair of densities looks at whole configs (multivariate), since choices and scales interact.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from roles.brains.cube import Cube, cube_of, square_distances
from roles.brains.moves import TRIES, axes, in_turn, new_config, start
from roles.brains.record import Record, Suggestion, summarise
from roles.observation import Observation

WIDTH = {"explore": 1.3, "free": 1.0, "refine": 0.8}  # how a directive scales the kernels


def suggest(observation: Observation, params: Mapping[str, Any], rng: np.random.Generator) -> Suggestion | None:
    """The most promising of `candidates` draws from the density of the good configs."""
    record = summarise(observation.history)
    if len(record.losses) < params["start"]:
        base = record.best or observation.space.encode(observation.baseline)
        config = new_config(observation, rng, lambda: start(observation, base, rng))
        return Suggestion(config, None, "a starting point") if config else None
    ranked = _ranked(observation, record, params, rng)
    config = new_config(observation, rng, in_turn(ranked))
    return Suggestion(config, None, "looks like the good configs and unlike the rest") if config else None


def _ranked(
    observation: Observation, record: Record, params: Mapping[str, Any], rng: np.random.Generator
) -> list[list[float]]:
    """Candidates, the best ratio of densities first."""
    cube = cube_of(observation.space)
    units, losses = record.arrays()
    order = np.argsort(losses, kind="stable")
    count = max(2, math.ceil(params["good"] * len(units)))
    good, bad = units[order[:count]], units[order[count:]]
    if observation.pending:  # constant liar: what is under way counts as ordinary, so that nobody follows at once
        bad = np.concatenate([bad, np.array(observation.pending)])
    width = params["width"] * WIDTH[observation.directive.kind] * len(good) ** (-1.0 / (4 + len(cube.size)))
    draws = _draw(cube, good, width, int(params["candidates"]), params["prior"], rng)
    among = axes(observation)
    if len(among) < draws.shape[1]:
        fixed = np.setdiff1d(np.arange(draws.shape[1]), among)
        draws[:, fixed] = good[0][fixed]
    scale = np.where(cube.ordered, 1.0 / width, math.sqrt(2.0 * math.log(1.0 + 0.5 / width)))[cube.owner]
    at, in_good, in_bad = (cube.features(points) * scale for points in (draws, good, bad))
    score = _log_density(at, in_good, params["prior"]) - _log_density(at, in_bad, params["prior"])
    return draws[np.argsort(-score, kind="stable")[:TRIES]].tolist()


def _draw(cube: Cube, good: np.ndarray, width: float, count: int, prior: float, rng: np.random.Generator) -> np.ndarray:
    """Points (count, d) from kernels around the good configs, a share of them from the uniform prior."""
    picks = rng.integers(len(good), size=count)
    centre = good[picks]
    moved = np.abs(centre + width * rng.standard_normal(centre.shape)) % 2.0
    moved = np.where(moved > 1.0, 2.0 - moved, moved)
    fresh = rng.random(centre.shape)
    keep = rng.random(centre.shape) < 1.0 / (1.0 + width)
    moved = np.where(cube.ordered | keep, np.where(cube.ordered, moved, centre), fresh)
    uniform = rng.random(count) < prior / (len(good) + prior)
    moved[uniform] = fresh[uniform]
    return cube.snap(moved)


def _log_density(at: np.ndarray, centres: np.ndarray, prior: float) -> np.ndarray:
    """Log of a mixture of equal kernels (c,), up to a constant, with a floor that stands for the uniform prior."""
    kernels = np.exp(-0.5 * square_distances(at, centres)).sum(axis=1)
    return np.log((kernels + prior * 1e-3) / (len(centres) + prior))
