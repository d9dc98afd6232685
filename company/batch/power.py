"""How many more seeds would do: the power of a paired comparison, from the spread that was measured."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from company.batch.contrasts import Paired
from company.batch.resampling import TIE

POWER = 0.8
ALPHA = 0.05
ABSURD = 50  # times the worlds at hand: the difference is then too small to matter, or not there


@dataclass(frozen=True, slots=True)
class Need:
    """`worlds` in all, `more_seeds` of every project to get there, and the smallest difference `seen` as it stands.

    `absurd` where that is more than 50 times what there is. All for a power of 80 %.
    """

    worlds: int
    more_seeds: int
    seen: float
    absurd: bool


def need(found: Paired, projects: int, contrasts: int = 1, alpha: float = ALPHA, power: float = POWER) -> Need | None:
    """What it takes to see the measured difference d, if it is the true one: None without a spread or a difference.

    N = n ((z(1 - alpha / 2 k) + z(power)) se / d)^2 with se the paired standard error over n worlds and k contrasts
    (Bonferroni, the first step of Holm's correction): se falls with the root of the worlds (Cohen 1988).
    """
    if not found.error or abs(found.difference) <= TIE:
        return None
    normal = NormalDist()
    seen = (normal.inv_cdf(1 - alpha / (2 * max(1, contrasts))) + normal.inv_cdf(power)) * found.error
    worlds = math.ceil(found.worlds * (seen / found.difference) ** 2)
    more = max(1, math.ceil((worlds - found.worlds) / projects))
    return Need(worlds, more, seen, worlds > ABSURD * found.worlds)
