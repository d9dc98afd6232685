"""The geometry that the model brains share: a mixed search space as Euclidean features."""

from __future__ import annotations

import math

import numpy as np

from projects.spec import SearchSpace
from roles.brains.moves import levels

HALF = math.sqrt(0.5)  # two different one-hot rows scaled by this lie at squared distance 1


class Cube:
    """Features of a search space: an ordered parameter is one column, an unordered choice one column a value.

    `owner` (p,) is the parameter that each feature column belongs to; `ordered` (d,) says which parameters have an
    order; `size` (d,) counts their levels, 0 for floats.
    """

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        self.size = np.array([levels(parameter) for parameter in space.parameters])
        self.ordered = np.array([parameter.ordered for parameter in space.parameters], dtype=bool)
        widths = [1 if parameter.ordered else len(parameter.values) for parameter in space.parameters]
        self.owner = np.repeat(np.arange(len(widths)), widths)
        first = np.cumsum([0, *widths])[:-1]
        self._columns, self._words = first[self.ordered], np.flatnonzero(~self.ordered)
        self._cells, self._counts = first[self._words], self.size[self._words]
        self._choices = [i for i, parameter in enumerate(space.parameters) if parameter.kind == "choice"]
        self._ints = [i for i, parameter in enumerate(space.parameters) if parameter.kind == "int"]

    def features(self, units: np.ndarray) -> np.ndarray:
        """Points of the unit cube (n, d) as features (n, p)."""
        out = np.zeros((len(units), len(self.owner)))
        out[:, self._columns] = units[:, self.ordered]
        cells = np.minimum((units[:, self._words] * self._counts).astype(int), self._counts - 1)
        out[np.arange(len(units))[:, None], self._cells + cells] = HALF
        return out

    def snap(self, units: np.ndarray) -> np.ndarray:
        """Move points (n, d) in place to where their decoded configs lie; floats stay, their rounding is fine."""
        for i in self._choices:
            count = self.size[i]
            units[:, i] = (np.minimum((units[:, i] * count).astype(int), count - 1) + 0.5) / count
        for i in self._ints:
            parameter = self.space.parameters[i]
            low, high = parameter.low, parameter.high
            if high <= low:
                units[:, i] = 0.5
            elif parameter.log:
                base, span = math.log(low), math.log(high) - math.log(low)
                units[:, i] = (np.log(np.rint(np.exp(base + units[:, i] * span))) - base) / span
            else:
                units[:, i] = np.rint(units[:, i] * (high - low)) / (high - low)
        return units


_CUBES: dict[int, Cube] = {}  # by identity: hashing a whole space would cost as much as using it


def cube_of(space: SearchSpace) -> Cube:
    """The cube of a space, made once for each."""
    cube = _CUBES.get(id(space))
    if cube is None or cube.space is not space:
        if len(_CUBES) > 64:
            _CUBES.clear()
        cube = _CUBES[id(space)] = Cube(space)
    return cube


def square_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared distances (n, m) between the rows of `a` (n, p) and `b` (m, p)."""
    out = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None, :] - 2.0 * (a @ b.T)
    return np.maximum(out, 0.0, out=out)


def jitter(
    cube: Cube, bases: np.ndarray, rng: np.random.Generator, size: float | np.ndarray, rate: float
) -> np.ndarray:
    """Move each coordinate of `bases` (n, d) with probability `rate`: steps of `size`, folded back at the edges;
    unordered choices are redrawn. Returns snapped points."""
    shape = bases.shape
    moved = bases + size * rng.standard_normal(shape)
    moved = np.abs(moved) % 2.0
    moved = np.where(moved > 1.0, 2.0 - moved, moved)
    if not cube.ordered.all():
        moved[:, ~cube.ordered] = rng.random((shape[0], int((~cube.ordered).sum())))
    return cube.snap(np.where(rng.random(shape) < rate, moved, bases))
