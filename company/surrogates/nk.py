"""NK landscapes as a project: N bits to set, each tied to K others, the best known by looking at every point."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from company.compute.backend import Outcome
from company.landscapes import MOST_BITS, draw
from company.surrogates.world import WorldError, normals
from company.testing import Run
from projects.spec import Config, CostTable, Metric, Parameter, Project, SearchSpace
from roles.streams import stream

STEPS = 100
MOST_TIES = 15  # K: a table has N x 2^(K + 1) entries


@dataclass(frozen=True)
class NKWorld:
    """`values` (2^N,) the fitness of every point, bit i of a point being parameter i; higher is better.

    `noise` is the standard deviation of what a run measures, in units of best - median.
    """

    name: str
    values: NDArray[np.float64]
    noise: float
    start: int

    @property
    def bits(self) -> int:
        return len(self.values).bit_length() - 1

    @cached_property
    def scale(self) -> tuple[float, float]:
        """The best fitness, and how far the median point is under it."""
        best = float(self.values.max())
        return best, best - float(np.median(self.values))

    def project(self) -> Project:
        """Choosing N bits; a run costs a second."""
        space = SearchSpace(tuple(Parameter(f"bit_{i}", "choice", values=(0, 1)) for i in range(self.bits)))
        return Project(
            name=self.name, title=f"An NK landscape: {self.name}", version=1, folder=Path(self.name),
            metric=Metric("fitness", direction="max"), space=space,
            baseline={f"bit_{i}": self.start >> i & 1 for i in range(self.bits)}, budget_seconds=1.0,
            costs=CostTable(1, "none", (), {"": 1.0 / STEPS}),
        )  # fmt: skip

    def fitness(self, config: Config) -> float:
        return float(self.values[sum(1 << i for i in range(self.bits) if config[f"bit_{i}"])])

    def regret(self, config: Config) -> float:
        """(best - fitness) / (best - median)."""
        best, gap = self.scale
        return (best - self.fitness(config)) / gap if gap else 0.0

    def train(self, run: Run) -> Outcome:
        """The fitness, with noise if there is any; no learning curve."""
        metric = self.fitness(run.config)
        if self.noise:
            metric += self.noise * self.scale[1] * normals(run.seed, b"nk", 1)[0]
        return Outcome("ok", metric=metric)

    def seconds(self, run: Run) -> float:
        """A second for all steps."""
        return run.steps / STEPS


def nk_world(name: str, seed: int, n: int = 15, k: int = 7, noise: float = 0.0) -> NKWorld:
    """The landscape that a world seed draws, and a point near the median to begin at. Raises WorldError."""
    if not 2 <= n <= MOST_BITS or not 0 <= k <= min(n - 1, MOST_TIES):
        raise WorldError(f"nk: N={n}, K={k} cannot be: N from 2 to {MOST_BITS}, K from 0 to {MOST_TIES} and under N")
    values = draw(n, k, stream(seed, "nk", f"N={n} K={k}")).values()
    start = int(np.argsort(values, kind="stable")[(len(values) - 1) // 2])
    return NKWorld(name, values, noise, start)
