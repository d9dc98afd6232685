"""What a simulated company works in: a world that answers an order at once, with a truth that regret is measured by."""

from __future__ import annotations

from hashlib import blake2b
from statistics import NormalDist
from struct import unpack
from typing import Protocol

from company.compute.backend import Outcome
from company.virtual import Priced, Run
from projects.spec import Config, Project

_NORMAL, _UNIT = NormalDist().inv_cdf, 2.0**-53


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

    def seconds(self, run: Priced) -> float:
        """How long the run holds its slot, in company time (reference seconds)."""
        ...


def normals(seed: int, purpose: bytes, count: int = 8) -> list[float]:
    """Up to eight independent standard normal numbers named by a run's seed and what they are for (16 bytes at most).

    A hash instead of a generator: a simulated training has microseconds, not the time to seed one.
    """
    words = unpack("<8Q", blake2b(b"%d" % seed, person=purpose).digest())
    return [_NORMAL(((word >> 11) + 0.5) * _UNIT) for word in words[:count]]
