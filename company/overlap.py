"""Whether two teams search the same places beyond chance: a random toroidal shift test on their configs.

Each team's pattern is kept and only its place against the other's is made random (Lotwick and Silverman 1982, J. R.
Statist. Soc. B 44:406): two teams that both search narrowly, but in different places, do not overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SHIFTS = 199  # p is at least 1/200
PLAIN = 10  # shifts that do as well, after which it is plain that chance does it (Besag and Clifford 1991)
APART = 0.5  # distance between two different values of a choice: as far apart as a torus allows
FEW = 12  # a parameter with at most so many values, each used often, is a choice and not a number


@dataclass(frozen=True, slots=True)
class Overlap:
    """`distance`: mean distance to the other team's nearest config; `chance`: the same under shifts; `share` of all
    configs that are nearer to one of the other team than is usual within their own; `p`: how often chance does it."""

    distance: float
    chance: float
    share: float
    p: float


def overlap(
    one: Sequence[Sequence[float]], other: Sequence[Sequence[float]], rng: np.random.Generator, shifts: int = SHIFTS
) -> Overlap:
    """Compare two sets of configs (points x parameters, in the unit cube; at least 2 points each)."""
    a, b = np.asarray(one, float), np.asarray(other, float)
    levels = [_levels(np.concatenate([a[:, k], b[:, k]])) for k in range(a.shape[1])]
    measured, nearest = _cross(a, b, levels)
    drawn: list[float] = []
    while len(drawn) < shifts and sum(value <= measured for value in drawn) < PLAIN:
        drawn.append(_cross(a, _shifted(b, levels, rng), levels)[0])
    usual = float(np.median(np.concatenate([_within(a, levels), _within(b, levels)])))
    as_near = sum(value <= measured for value in drawn)
    p = as_near / len(drawn) if as_near >= PLAIN else (1 + as_near) / (1 + shifts)
    return Overlap(measured, float(np.mean(drawn)), float(np.mean(nearest <= usual)), p)


def _levels(column: np.ndarray) -> np.ndarray | None:
    """The values of a choice, None for a number."""
    values = np.unique(column)
    return values if len(values) <= FEW and 2 * len(values) <= len(column) else None


def _cross(a: np.ndarray, b: np.ndarray, levels: Sequence[np.ndarray | None]) -> tuple[float, np.ndarray]:
    between = _distances(a, b, levels)
    nearest = np.concatenate([between.min(axis=1), between.min(axis=0)])
    return float(nearest.mean()), nearest


def _within(points: np.ndarray, levels: Sequence[np.ndarray | None]) -> np.ndarray:
    between = _distances(points, points, levels)
    np.fill_diagonal(between, np.inf)
    return between.min(axis=1)


def _distances(a: np.ndarray, b: np.ndarray, levels: Sequence[np.ndarray | None]) -> np.ndarray:
    """Distances on the torus, so that a shifted pattern keeps its own."""
    total = np.zeros((len(a), len(b)))
    for k, values in enumerate(levels):
        gap = np.abs(a[:, None, k] - b[None, :, k])
        total += np.where(gap > 0, APART, 0.0) ** 2 if values is not None else np.minimum(gap, 1 - gap) ** 2
    return np.sqrt(total)


def _shifted(points: np.ndarray, levels: Sequence[np.ndarray | None], rng: np.random.Generator) -> np.ndarray:
    moved = points.copy()
    for k, values in enumerate(levels):
        if values is None:
            moved[:, k] = (points[:, k] + rng.random()) % 1.0
        else:
            index = np.searchsorted(values, points[:, k])
            moved[:, k] = values[(index + rng.integers(len(values))) % len(values)]
    return moved
