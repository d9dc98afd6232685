"""Bayesian optimisation with a Gaussian process of our own: Matern-5/2, one length a parameter, in plain numpy.

Losses are cut off some way above their median, so that what is merely terrible does not bend the model; the next config
maximises expected improvement over random and local candidates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from roles.brains.cube import Cube, cube_of, jitter
from roles.brains.moves import TRIES, axes, boldness, in_turn, new_config, start
from roles.brains.process import Process, expected_improvement, fit_lengths
from roles.brains.record import Record, Suggestion, summarise
from roles.observation import Observation, Result

REFITS = (6, 9, 13, 19, 28, 40, 60, 90, 130, 190, 280)  # history lengths at which the lengths are fitted anew


def suggest(observation: Observation, params: Mapping[str, Any], rng: np.random.Generator) -> Suggestion | None:
    """The candidate with the largest expected improvement; starting points until `start` configs have finished."""
    record = summarise(observation.history)
    if len(record.losses) < params["start"]:
        base = record.best or observation.space.encode(observation.baseline)
        config = new_config(observation, rng, lambda: start(observation, base, rng))
        return Suggestion(config, None, "a starting point") if config else None
    cube = cube_of(observation.space)
    units, losses = _capped(record, int(params["cap"]))
    scores = squash(losses)
    model = Process(cube, units, scores, *_hyperparameters(cube, observation, int(params["cap"])))
    if observation.pending:
        model = model.believing(np.array(observation.pending))
    points = _candidates(observation, cube, units, scores, params, rng)
    gains = _gains(model, points, observation)
    near = jitter(cube, np.repeat(points[np.argsort(-gains)[:4]], 16, axis=0), rng, 0.05, 0.4)
    near = _pinned(observation, near, units[int(scores.argmin())])
    points, gains = np.concatenate([points, near]), np.concatenate([gains, _gains(model, near, observation)])
    order = np.argsort(-gains, kind="stable")
    ranked = points[order[:TRIES]].tolist()
    config = new_config(observation, rng, in_turn(ranked))
    if config is None:
        return None
    at = np.array([observation.space.encode(config)])
    mean = float(model.predict(at)[0][0])
    predicted = float(np.interp(mean, np.sort(scores), np.sort(losses)))
    return Suggestion(config, predicted, "the largest expected improvement")


def squash(losses: np.ndarray) -> np.ndarray:
    """Losses (n,) as scores with mean 0 and deviation 1, winsorised above the median.

    The part below the median keeps its shape, since that is where the next config is looked for.
    """
    middle, best = float(np.median(losses)), float(losses.min())
    ceiling = middle + 1.5 * (middle - best) if middle > best else float(losses.max())
    cut = np.minimum(losses, ceiling)
    spread = float(cut.std())
    return (cut - cut.mean()) / spread if spread > 0 else np.zeros(len(losses))


def _capped(record: Record, cap: int) -> tuple[np.ndarray, np.ndarray]:
    """The best half and the latest of the tried configs, `cap` in all: a model's cost grows with its cube."""
    units, losses = record.arrays()
    if len(units) <= cap:
        return units, losses
    best = np.argsort(losses, kind="stable")[: cap // 2]
    rest = np.setdiff1d(np.arange(len(units)), best)[-(cap - len(best)) :]
    chosen = np.sort(np.concatenate([best, rest]))
    return units[chosen], losses[chosen]


_FITS: dict[tuple[object, ...], tuple[np.ndarray, float]] = {}  # a memo only: the same key always gives the same fit


def _hyperparameters(cube: Cube, observation: Observation, cap: int) -> tuple[np.ndarray, float]:
    """Lengths and noise fitted to the first results, as many as the largest of REFITS that have come in.

    A fit depends on those results alone, so it is remembered between suggestions and found again after a resume.
    """
    history = observation.history
    count = max((n for n in REFITS if n <= len(history)), default=len(history))
    key = (id(cube), cap, *((r.unit, r.loss, r.status) for r in history[:count]))
    found = _FITS.get(key)
    if found is None:
        if len(_FITS) >= 256:
            _FITS.clear()
        found = _FITS[key] = _fit(cube, history[:count], cap)
    return found


def _fit(cube: Cube, history: Sequence[Result], cap: int) -> tuple[np.ndarray, float]:
    units, losses = _capped(summarise(history), cap)
    return fit_lengths(cube, units, squash(losses))


def _candidates(
    observation: Observation,
    cube: Cube,
    units: np.ndarray,
    scores: np.ndarray,
    params: Mapping[str, Any],
    rng: np.random.Generator,
) -> np.ndarray:
    """Uniform points and steps around the five best configs (c, d)."""
    count, kind = int(params["candidates"]), observation.directive.kind
    top = units[np.argsort(scores, kind="stable")[:5]]
    wide = count // 8 if kind == "refine" else count // 2
    scattered = cube.snap(rng.random((wide, units.shape[1])))
    bases = top[rng.integers(len(top), size=count - wide)]
    sizes = 0.2 * boldness(observation) * 10.0 ** -rng.random((len(bases), 1))
    local = jitter(cube, bases, rng, sizes, 0.3)
    return _pinned(observation, np.concatenate([scattered, local]), top[0])


def _pinned(observation: Observation, points: np.ndarray, best: np.ndarray) -> np.ndarray:
    """Under a focus, every other coordinate stays where the best config has it."""
    among = axes(observation)
    if len(among) < points.shape[1]:
        fixed = np.setdiff1d(np.arange(points.shape[1]), among)
        points[:, fixed] = best[fixed]
    return points


def _gains(model: Process, points: np.ndarray, observation: Observation) -> np.ndarray:
    margin = 0.2 if observation.directive.kind == "explore" else 0.0
    mean, deviation = model.predict(points)
    return expected_improvement(mean, deviation, model.floor - margin)
