"""A bandit as a project: one choice between arms of stated means, and noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from company.compute.backend import Outcome
from company.surrogates.world import WorldError, normals
from company.testing import Run
from projects.spec import Config, CostTable, Metric, Parameter, Project, SearchSpace
from roles.streams import stream

STEPS = 100
MOST_ARMS = 10_000


@dataclass(frozen=True, slots=True)
class BanditWorld:
    """`means` by arm, higher is better; `noise` the standard deviation of a reward."""

    name: str
    means: tuple[float, ...]
    noise: float

    def project(self) -> Project:
        """Choosing an arm; a pull costs a second. The baseline is the arm at, or next under, the median."""
        arms = tuple(f"arm_{i}" for i in range(len(self.means)))
        start = sorted(range(len(arms)), key=self.means.__getitem__)[(len(arms) - 1) // 2]
        return Project(
            name=self.name, title=f"A bandit: {self.name}", version=1, folder=Path(self.name),
            metric=Metric("reward", direction="max"), space=SearchSpace((Parameter("arm", "choice", values=arms),)),
            baseline={"arm": arms[start]}, budget_seconds=1.0, costs=CostTable(1, "none", (), {"": 1.0 / STEPS}),
        )  # fmt: skip

    def mean(self, config: Config) -> float:
        return self.means[int(str(config["arm"]).removeprefix("arm_"))]

    def regret(self, config: Config) -> float:
        """(best - mean) / (best - median)."""
        best = max(self.means)
        gap = best - median(self.means)
        return (best - self.mean(config)) / gap if gap else 0.0

    def train(self, run: Run) -> Outcome:
        """The arm's mean with the noise of the run's seed; no learning curve."""
        return Outcome("ok", metric=self.mean(run.config) + self.noise * normals(run.seed, b"bandit", 1)[0])

    def seconds(self, run: Run) -> float:
        """A second for all steps."""
        return run.steps / STEPS


def bandit_world(
    name: str, seed: int, arms: int = 10, noise: float = 1.0, means: Sequence[float] | None = None
) -> BanditWorld:
    """Arms with the stated means, else with means drawn from N(0, 1) by the world seed. Raises WorldError.

    The 10-armed testbed of Sutton and Barto (2018, section 2.3) is `bandit` as it is.
    """
    count = arms if means is None else len(means)
    if not 2 <= count <= MOST_ARMS:
        raise WorldError(f"bandit: needs 2 to {MOST_ARMS:,} arms, not {count:,}")
    found = tuple(means) if means is not None else tuple(stream(seed, "bandit", "means").standard_normal(arms).tolist())
    return BanditWorld(name, found, noise)
