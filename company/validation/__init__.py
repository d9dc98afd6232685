"""Checks of the simulator against planted truth and published results: `loopworks validate`.

A validation is a module with `validate(seed, full) -> Iterator[Finding]`, named in VALIDATIONS; it uses the company's
own parts, never a toy beside them.
"""

from __future__ import annotations

import importlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

VALIDATIONS: dict[str, tuple[str, str]] = {
    "appraisal": ("company.validation.appraisal", "people of planted worth: intervals, replacements, fairness"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table: what was expected, with its tolerance, and what was measured with a 95 % interval.

    `passed` is None for a figure that is shown and not judged.
    """

    check: str
    expected: str
    tolerance: str
    measured: float
    low: float
    high: float
    passed: bool | None
    seconds: float = 0.0


def run(name: str, seed: int, full: bool) -> Iterator[Finding]:
    """The findings of one validation, one by one; raises KeyError for a name that is not in VALIDATIONS."""
    validate: Callable[[int, bool], Iterator[Finding]] = importlib.import_module(VALIDATIONS[name][0]).validate
    return validate(seed, full)


class Stopwatch:
    """Seconds since it was made or last read."""

    def __init__(self) -> None:
        self._since = time.perf_counter()

    def lap(self) -> float:
        now = time.perf_counter()
        passed, self._since = now - self._since, now
        return passed


def mean_of(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and 95 % interval over independent seeds (normal; half-width 0 for a single one)."""
    n = len(values)
    mean = sum(values) / n
    half = 1.96 * math.sqrt(sum((v - mean) ** 2 for v in values) / max(1, n - 1) / n)
    return mean, mean - half, mean + half


def ratio_of(hits: Sequence[int], cases: Sequence[int]) -> tuple[float, float, float]:
    """A rate whose cases come in clusters, one a seed, with its 95 % interval (Cochran 1977, ch. 6)."""
    total, n = sum(cases), len(cases)
    rate = sum(hits) / total if total else 0.0
    squares = sum((h - rate * c) ** 2 for h, c in zip(hits, cases, strict=True))
    half = 1.96 * math.sqrt(squares * n / max(1, n - 1)) / max(1, total)
    return rate, rate - half, rate + half
