"""A multivariate Parzen estimator (TPE, Bergstra et al. 2011) on the mixed unit cube, in a few numpy calls.

Two densities over whole configs are fitted to what was tried: one to the good configs, one to the rest. The config
with the largest ratio among draws from the good density is next. Measured: a density for each parameter by itself, or
the sum of both, did no better.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from roles.brains.cube import Cube, cube_of, jitter, square_distances
from roles.brains.moves import TRIES, axes, in_turn, new_config, start
from roles.brains.record import Record, Suggestion, summarise
from roles.observation import Observation

OTHER = math.sqrt(2.0 * math.log(6.0))  # another word weighs a sixth of the same word in a kernel
FLOOR = 1e-3  # density of the uniform prior against the peak of a kernel
MOVED = 0.5  # share of the coordinates that a draw moves; moving all leaves a good config too far, and costs regret
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
    cube, prior = cube_of(observation.space), params["prior"]
    units, losses = record.arrays()
    order = np.argsort(losses, kind="stable")
    count = max(2, math.ceil(params["good"] * len(units)))
    good, bad = units[order[:count]], units[order[count:]]
    if observation.pending:  # constant liar: what is under way counts as ordinary, so that nobody follows at once
        bad = np.concatenate([bad, np.array(observation.pending)])
    width = params["width"] * WIDTH[observation.directive.kind]
    draws = _draw(cube, good, _shrunk(width, good), int(params["candidates"]), prior, rng)
    among = axes(observation)
    if len(among) < draws.shape[1]:
        fixed = np.setdiff1d(np.arange(draws.shape[1]), among)
        draws[:, fixed] = good[0][fixed]
    at = cube.features(draws)
    score = _log_density(cube, at, good, _shrunk(width, good), prior)
    score -= _log_density(cube, at, bad, _shrunk(width, bad), prior)
    return draws[np.argsort(-score, kind="stable")[:TRIES]].tolist()


def _shrunk(width: float, centres: np.ndarray) -> float:
    """Scott's rule: the more centres (n, d), the narrower their kernels."""
    return width * max(1, len(centres)) ** (-1.0 / (4 + centres.shape[1]))


def _draw(cube: Cube, good: np.ndarray, width: float, count: int, prior: float, rng: np.random.Generator) -> np.ndarray:
    """Points (count, d) near the good configs, about half of their coordinates moved; a few from the uniform prior."""
    near = jitter(cube, good[rng.integers(len(good), size=count)], rng, width, MOVED)
    anywhere = rng.random(count) < prior / (len(good) + prior)
    if anywhere.any():
        near[anywhere] = cube.snap(rng.random((int(anywhere.sum()), near.shape[1])))
    return near


def _log_density(cube: Cube, at: np.ndarray, centres: np.ndarray, width: float, prior: float) -> np.ndarray:
    """Log of a mixture of equal kernels at features (c, p), up to a constant, with a floor for the uniform prior."""
    if len(centres) == 0:
        return np.zeros(len(at))
    scale = np.where(cube.ordered, 1.0 / width, OTHER)[cube.owner]
    kernels = np.exp(-0.5 * square_distances(at * scale, cube.features(centres) * scale)).sum(axis=1)
    return np.log((kernels + prior * FLOOR) / (len(centres) + prior))
