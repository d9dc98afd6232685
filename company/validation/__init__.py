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

VALIDATIONS: dict[str, tuple[str, str]] = {  # the longest first: they run side by side
    "appraisal": ("company.validation.appraisal", "people of planted worth: intervals, replacements, fairness"),
    "noise-gate": (
        "company.validation.noise_gate",
        "proposals that do nothing change nothing; a planted gain is found",
    ),
    "queue": ("company.validation.queue", "experiments that wait for slots are an M/M/c queue"),
    "review": ("company.validation.review", "review rules are screening structures"),
    "zollman": ("company.validation.zollman", "who sees whose results: the fewer, the surer and the slower"),
    "march": ("company.validation.march", "a shared playbook, onboarding and turnover"),
    "pluchino": ("company.validation.pluchino", "whom to promote when skill carries over, and when it does not"),
    "lazer": ("company.validation.lazer", "fast and slow networks on a rugged landscape"),
    "barkoczi": ("company.validation.barkoczi", "the policy decides which network wins"),
    "scullen": ("company.validation.scullen", "what letting the lowest tenth go is worth"),
    "nk": ("company.validation.nk", "unit check: optima of NK landscapes"),
    "secretary": ("company.validation.secretary", "unit check: hiring by looking, then leaping"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table: what was expected, with its tolerance, and what was measured with a 95 % interval.

    `passed` is None for a figure that is shown and not judged. `source`: who says so, and how sure it is: [A] closed
    form or the authors' data, [R] an independent replication, [S] secondary text, [O] our own regression value.
    """

    check: str
    expected: str
    tolerance: str
    measured: float
    low: float
    high: float
    passed: bool | None
    seconds: float = 0.0
    source: str = ""


def run(name: str, seed: int, full: bool) -> Iterator[Finding]:
    """The findings of one validation, one by one; raises KeyError for a name that is not in VALIDATIONS."""
    validate: Callable[[int, bool], Iterator[Finding]] = importlib.import_module(VALIDATIONS[name][0]).validate
    return validate(seed, full)


@dataclass(frozen=True, slots=True)
class Job:
    """A validation to run."""

    name: str
    seed: int
    full: bool


def work(job: Job) -> list[Finding]:
    """All findings of one validation."""
    return list(run(job.name, job.seed, job.full))


def near(
    check: str, expected: float, tolerance: float, measured: tuple[float, float, float], source: str,
    seconds: float = 0.0,
) -> Finding:  # fmt: skip
    """A figure, (value, low, high), that must lie within `tolerance` of what is expected."""
    passed = abs(measured[0] - expected) <= tolerance
    return Finding(check, f"{expected:g}", f"± {tolerance:g}", *measured, passed, seconds, source)


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


def share_of(hits: int, cases: int) -> tuple[float, float, float]:
    """A rate of independent cases and its 95 % interval (Wilson 1927)."""
    z, rate = 1.96, hits / cases
    centre = (rate + z**2 / (2 * cases)) / (1 + z**2 / cases)
    half = z * math.sqrt(rate * (1 - rate) / cases + z**2 / (4 * cases**2)) / (1 + z**2 / cases)
    return rate, centre - half, centre + half
