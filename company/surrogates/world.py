"""What a simulated company works in: a world that answers an order at once, with a truth that regret is measured by."""

from __future__ import annotations

from hashlib import blake2b
from statistics import NormalDist
from struct import unpack
from typing import Protocol

from company.compute.backend import Outcome
from company.testing import Run
from projects.spec import Config, Project

STANDARD_NORMAL = NormalDist()


class WorldError(Exception):
    """There is no such world, or it cannot be made; the message is one line that says what to do."""


class World(Protocol):
    """A project without files. A run's outcome and duration follow from its config, steps and seed alone.

    The same seed brings the same noise to whichever company asks (common random numbers).
    """

    @property
    def name(self) -> str: ...

    def project(self) -> Project:
        """The project as a company meets it."""
        ...

    def train(self, run: Run) -> Outcome:
        """What training and evaluating the run comes to, its learning curve included; never "lost"."""
        ...

    def regret(self, config: Config) -> float:
        """(true loss - best) / (median - best): 0 is the best there is, 1 a random draw's, infinite where it fails."""
        ...

    def seconds(self, run: Run) -> float:
        """How long the run holds its slot, in company time (reference seconds)."""
        ...


def uniforms(seed: int, purpose: str) -> tuple[float, ...]:
    """Eight independent numbers in (0, 1) named by a run's seed and what they are for, shape (8,).

    A hash instead of a generator: a simulated training has microseconds, not the time to seed one.
    """
    digest = blake2b(seed.to_bytes(16, "little", signed=True), person=purpose.encode()).digest()
    return tuple([((word >> 11) + 0.5) / 2**53 for word in unpack("<8Q", digest)])


def normals(seed: int, purpose: str) -> list[float]:
    """As `uniforms`, from the standard normal distribution."""
    return [STANDARD_NORMAL.inv_cdf(u) for u in uniforms(seed, purpose)]
