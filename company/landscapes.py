"""NK landscapes: N bits, each of whose contributions depends on itself and K others (Kauffman & Levin 1987).

    f(x) = 1/N sum_i  table_i[x_i, x of the K bits that i is tied to],   table entries ~ U(0, 1)

A point is an integer whose bit i is the state of bit i, so that a landscape of up to 20 bits is one array of values
and a search on it a matter of looking up. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

MOST_BITS = 20  # of a landscape whose every point is evaluated: 2^20 values are 8 MB

Neighbours = Literal["random", "adjacent", "any"]
Array = NDArray[np.float64]
Points = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Landscape:
    """`inputs` (n, k + 1): the bits that each contribution reads, its own first; `tables` (n, 2^(k + 1)), where bit j
    of the column is the state of input j. `exact`: decimals of the tables, None for any number."""

    inputs: NDArray[np.intp]
    tables: Array
    exact: int | None = None

    @property
    def bits(self) -> int:
        return len(self.tables)

    def fitness(self, points: Points) -> Array:
        """The fitness of points of any shape, each in [0, 1]."""
        points = np.asarray(points, dtype=np.int64)
        total = np.zeros(points.shape)
        for table, reads in zip(self.tables, self.inputs, strict=True):
            total += table[_columns(points, reads)]
        return self._mean(total)

    def values(self) -> Array:
        """The fitness of every point, (2^n,). Raises ValueError where there are too many to list."""
        n = self.bits
        if n > MOST_BITS:
            raise ValueError(f"a landscape of {n} bits has too many points to list: at most {MOST_BITS} bits")
        half = n // 2
        low, high = np.arange(2**half), np.arange(2 ** (n - half)) << half
        total = np.zeros((len(high), len(low)))
        for table, reads in zip(self.tables, self.inputs, strict=True):
            # Few rows differ: a contribution reads k + 1 bits, some of them low.
            above, which = np.unique(_columns(high, reads), return_inverse=True)
            total += table[above[:, None] | _columns(low, reads)][which]
        return self._mean(total.reshape(-1))

    def _mean(self, total: Array) -> Array:
        """Sums of the same decimals in another order must tie, whatever floating point makes of them."""
        return total / self.bits if self.exact is None else np.round(total, self.exact) / self.bits


def draw(
    n: int, k: int, rng: np.random.Generator, neighbours: Neighbours = "random", decimals: int | None = None
) -> Landscape:
    """A landscape of n bits, each tied to k others. Raises ValueError for a k that there are not enough bits for.

    `neighbours`: "random", k different others; "adjacent", the k that follow, around the corner; "any", k different
    bits of all n, so that a bit may be tied to itself. `decimals`: round the tables.
    """
    if not (n >= 1 and 0 <= k < n):
        raise ValueError(f"an NK landscape needs 0 <= K < N, not N = {n} and K = {k}")
    inputs = np.array([[i, *_ties(i, n, k, rng, neighbours)] for i in range(n)], dtype=np.intp)
    tables = rng.random((n, 2 ** (k + 1)))
    return Landscape(inputs, tables if decimals is None else np.round(tables, decimals), decimals)


def local_optima(values: Array) -> int:
    """How many of all points, (2^n,), are better than each of their n neighbours one bit away."""
    points, best = np.arange(len(values)), np.ones(len(values), dtype=bool)
    for bit in range(len(values).bit_length() - 1):
        best &= values > values[points ^ (1 << bit)]
    return int(best.sum())


def _ties(i: int, n: int, k: int, rng: np.random.Generator, neighbours: Neighbours) -> list[int]:
    if neighbours == "adjacent":
        return [(i + step) % n for step in range(1, k + 1)]
    others = [j for j in range(n) if j != i or neighbours == "any"]
    return rng.choice(others, k, replace=False).tolist()


def _columns(points: NDArray[np.int64], reads: NDArray[np.intp]) -> NDArray[np.int64]:
    """The column of a table that points fall into."""
    columns = np.zeros(points.shape, dtype=np.int64)
    for j, bit in enumerate(reads.tolist()):
        columns |= ((points >> bit) & 1) << j
    return columns
