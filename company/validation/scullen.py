"""What it is worth to let the lowest go (Scullen, Bergey & Aiman-Smith 2005, Personnel Psychology 58:1).

Who goes and who is hired are chosen by roles/selection.py, as the company's `bottom` rule chooses; what people are
worth is planted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from company.validation import Finding, Stopwatch, mean_of, near
from roles.selection import lowest, ranked
from roles.streams import stream

CLOSED, SHAPE = "Scullen et al. 2005 [A]", "Scullen et al. 2005 [shape S]"
PEOPLE, COMPANIES, FULL_COMPANIES = 100, 400, 2000
SHARE, RELIABILITY, VALIDITY, SELECTION = 0.10, 0.7, 0.35, 1 / 3
LEAVE = 0.10  # of voluntary turnover, a year
YEARS = 30
STANDARD = NormalDist()

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rated:
    """Someone as those who decide see it: a rating, or a predictor's score of an applicant."""

    number: int
    score: float


def validate(seed: int, full: bool) -> Iterator[Finding]:
    """The gain of the first year, how later gains shrink, and what voluntary turnover takes away."""
    watch, companies = Stopwatch(), FULL_COMPANIES if full else COMPANIES
    levels = _levels(seed, companies, 0.0)
    gains = np.diff(levels, axis=1, prepend=0.0)
    first = mean_of(gains[:, 0].tolist())
    yield near("gain of year 1, sd of worth", round(expected_gain(), 4), 0.012, first, CLOSED, watch.lap())
    for year, about in ((2, ".14"), (10, ".04")):
        yield Finding(
            f"gain of year {year}", f"about {about}", "", *mean_of(gains[:, year - 1].tolist()), None, 0.0, SHAPE
        )  # fmt: skip
    for one, other in ((1, 2), (2, 5), (5, 10)):
        less = mean_of((gains[:, one - 1] - gains[:, other - 1]).tolist())
        yield Finding(f"gain of year {one} less that of year {other}", "> 0", "", *less, less[1] > 0, 0.0, SHAPE)
    lost = mean_of((levels[:, -1] - _levels(seed, companies, LEAVE)[:, -1]).tolist())
    yield Finding(
        f"year {YEARS}: what turnover takes away", "> 0", "", *lost, lost[1] > 0, watch.lap(), SHAPE
    )  # fmt: skip


def expected_gain() -> float:
    """Of the first year in a large company: sqrt(rel) phi(z_f) + f v phi(z_SR) / SR."""
    fired, hired = (STANDARD.pdf(STANDARD.inv_cdf(share)) for share in (SHARE, SELECTION))
    return math.sqrt(RELIABILITY) * fired + SHARE * VALIDITY * hired / SELECTION


def _levels(seed: int, companies: int, leave: float) -> Array:
    """Mean worth after each year less that at the start, (companies, YEARS)."""
    return np.array([_company(stream(seed, "scullen", f"turnover {leave:g}", n), leave) for n in range(companies)])


def _company(rng: np.random.Generator, leave: float) -> list[float]:
    worth = rng.standard_normal(PEOPLE)
    start, levels = float(worth.mean()), list[float]()
    for _ in range(YEARS):
        ratings = math.sqrt(RELIABILITY) * worth + math.sqrt(1 - RELIABILITY) * rng.standard_normal(PEOPLE)
        fired = [rated.number for rated in lowest(_rated(ratings), _score, _number, round(SHARE * PEOPLE))]
        stayed = np.delete(worth, fired)
        stayed = stayed[rng.random(len(stayed)) >= leave]
        worth = np.concatenate([stayed, _hire(PEOPLE - len(stayed), rng)])
        levels.append(float(worth.mean()) - start)
    return levels


def _hire(seats: int, rng: np.random.Generator) -> Array:
    """The best of the applicants on a predictor of their worth."""
    applicants = rng.standard_normal(round(seats / SELECTION))
    predicted = VALIDITY * applicants + math.sqrt(1 - VALIDITY**2) * rng.standard_normal(len(applicants))
    best = ranked(_rated(predicted), _score, _number)[:seats]
    return applicants[[rated.number for rated in best]]


def _rated(scores: Array) -> list[Rated]:
    return [Rated(number, score) for number, score in enumerate(scores.tolist())]


def _score(rated: Rated) -> float:
    return rated.score


def _number(rated: Rated) -> int:
    return rated.number
