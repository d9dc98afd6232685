"""Promotion by merit under common sense and under Peter (Pluchino, Rapisarda & Garofalo 2010, Physica A 389:467).

Who is promoted is chosen as company/promotion.py chooses, by roles/selection.py; what promotion does to a person is
planted. The start is the company whose founders were held to the rule on who may stay, as everyone later is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from company.validation import Finding, Stopwatch, mean_of, near
from roles.selection import Pick, pick, ranked
from roles.streams import stream

SOURCE = "Pluchino, Rapisarda & Garofalo 2010 [S]"
POSTS = (81, 41, 21, 11, 5, 1)  # from the bottom
RESPONSIBILITY = (0.2, 0.4, 0.6, 0.8, 0.9, 1.0)
LEAST, MOST, DISMISSED = 1.0, 10.0, 4.0  # of competence
YOUNGEST, RETIRED = 18.0, 60.0
YEARS, SETTLED = 300, 150  # simulated, and of those left out of the mean
COMPANIES, FULL_COMPANIES = 20, 100
TOLERANCE = 4.5

Hypothesis = Literal["common sense", "Peter"]
EXPECTED: Mapping[Hypothesis, Mapping[Pick, float]] = {
    "common sense": {"best": 9, "random": 2, "worst": -5},
    "Peter": {"worst": 12, "random": 1, "best": -10},
}


@dataclass(frozen=True, slots=True)
class Person:
    """Someone at a post; `number` says who came first."""

    number: int
    competence: float
    age: float


def validate(seed: int, full: bool) -> Iterator[Finding]:
    """The gain of each rule under each hypothesis, and their order."""
    companies = FULL_COMPANIES if full else COMPANIES
    for hypothesis, expected in EXPECTED.items():
        watch, gains = Stopwatch(), dict[Pick, float]()
        for rule, gain in expected.items():
            measured = mean_of([_gain(hypothesis, rule, seed, n) for n in range(companies)])
            gains[rule] = measured[0]
            check = f"{hypothesis}, promoting the {rule}" if rule != "random" else f"{hypothesis}, promoting anyone"
            yield near(f"{check}: gain in points", gain, TOLERANCE, measured, SOURCE, watch.lap())
        first, second, third = (gains[rule] for rule in expected)
        least = min(first - second, second - third)
        order = " > ".join(expected)
        yield Finding(
            f"{hypothesis}: least step of the order", order, "> 0", least, least, least, least > 0, 0.0, SOURCE
        )


def _gain(hypothesis: Hypothesis, rule: Pick, seed: int, n: int) -> float:
    """Efficiency once the company has settled, less that at the start, in points."""
    company = Company(hypothesis, rule, stream(seed, "pluchino", f"{hypothesis} {rule}", n))
    company.live_a_year()
    start, later = company.efficiency(), list[float]()
    for year in range(1, YEARS):
        company.live_a_year()
        if year >= SETTLED:
            later.append(company.efficiency())
    return sum(later) / len(later) - start


class Company:
    """160 posts in six levels, all filled."""

    def __init__(self, hypothesis: Hypothesis, rule: Pick, rng: np.random.Generator) -> None:
        self._hypothesis: Hypothesis = hypothesis
        self._rule: Pick = rule
        self._rng = rng
        self._hired = 0
        self.levels = [[self._hire() for _ in range(posts)] for posts in POSTS]

    def efficiency(self) -> float:
        """Competence weighted by responsibility, in % of a company of tens."""
        weighted = sum(r * p.competence for r, level in zip(RESPONSIBILITY, self.levels, strict=True) for p in level)
        return 100 * weighted / (MOST * sum(r * posts for r, posts in zip(RESPONSIBILITY, POSTS, strict=True)))

    def live_a_year(self) -> None:
        """Who can do no more or is too old leaves; posts fill from the top, each from the level below it."""
        for level in self.levels:
            older = (Person(p.number, p.competence, p.age + 1) for p in level)
            level[:] = [p for p in older if p.competence >= DISMISSED and p.age <= RETIRED]
        for height in range(len(POSTS) - 1, 0, -1):
            self._promote(self.levels[height], self.levels[height - 1], POSTS[height])
        self.levels[0] += [self._hire() for _ in range(POSTS[0] - len(self.levels[0]))]

    def _promote(self, level: list[Person], below: list[Person], posts: int) -> None:
        able = ranked(below, lambda p: p.competence, lambda p: p.number)
        while len(level) < posts and able:
            chosen = pick(self._rule, able, self._rng)
            able.remove(chosen)
            below.remove(chosen)
            level.append(Person(chosen.number, self._competence_above(chosen), chosen.age))

    def _competence_above(self, person: Person) -> float:
        if self._hypothesis == "Peter":
            return self._draw_competence()
        return min(MOST, max(LEAST, person.competence + float(self._rng.uniform(-1, 1))))

    def _hire(self) -> Person:
        self._hired += 1
        return Person(self._hired, self._draw_competence(), self._between(25, 5, YOUNGEST, RETIRED))

    def _draw_competence(self) -> float:
        return self._between(7, 2, LEAST, MOST)

    def _between(self, mean: float, sd: float, low: float, high: float) -> float:
        """Normal within bounds."""
        while not low <= (value := float(self._rng.normal(mean, sd))) <= high:
            pass
        return value
