"""Unit check of NK landscapes: how many local optima they have, and how high the highest point is."""

from __future__ import annotations

import math
from collections.abc import Iterator

from company.landscapes import draw, local_optima
from company.validation import Finding, Stopwatch, mean_of, near
from roles.streams import stream

RUGGED, SMOOTH = "Kauffman & Levin 1987 [A]", "order statistics [A]"
BITS, LANDSCAPES, FULL_LANDSCAPES = 10, 1000, 10_000


def validate(seed: int, full: bool) -> Iterator[Finding]:
    """The two ends: every bit tied to all others, and to none. Tolerances are four standard errors."""
    watch, count = Stopwatch(), FULL_LANDSCAPES if full else LANDSCAPES
    rng, points = stream(seed, "nk", "rugged"), 2**BITS
    optima = [float(local_optima(draw(BITS, BITS - 1, rng).values())) for _ in range(count)]
    sd = math.sqrt(points * (BITS - 1) / 2) / (BITS + 1)  # Macken & Perelson 1989
    tolerance = round(4 * sd / math.sqrt(count), 2)
    expected = round(points / (BITS + 1), 2)
    yield near(f"K = {BITS - 1}: local optima", expected, tolerance, mean_of(optima), RUGGED, watch.lap())
    rng = stream(seed, "nk", "smooth")
    values = [draw(BITS, 0, rng).values() for _ in range(count)]
    optima = [float(local_optima(each)) for each in values]
    yield near("K = 0: local optima", 1, 0, mean_of(optima), SMOOTH, watch.lap())
    tolerance = round(4 * math.sqrt(1 / 18 / BITS / count), 4)
    highest = mean_of([float(each.max()) for each in values])
    yield near("K = 0: expected maximum", round(2 / 3, 4), tolerance, highest, SMOOTH)
