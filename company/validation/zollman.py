"""Who sees whose results (Zollman 2007, Philosophy of Science 74:574): the fewer see it, the surer and the slower.

Everyone holds a credence that a new arm is better than the old by eps. Who thinks so pulls it `pulls` times a round;
all learn by Bayes from the results of those whom the chart lets them see. The networks are charts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from company.validation import Finding, Stopwatch, mean_of, near, share_of
from company.validation.networks import matrix
from roles.streams import stream

SOURCE = "Zollman 2007 [R]"
CLOSED = "gambler's ruin of the boldest [A]"
SURE = float(np.log(99))  # log odds of a credence of .99
PULLS, EPS = 1000, 0.001
NETWORKS = {"complete": (0.894, 8000, 124), "wheel": (0.953, 4000, 435), "ring": (0.970, 2500, 857)}
LITTLE = {3: 24_000, 6: 10_000, 10: 6000}  # people: companies; one pull a round
LITTLE_EPS = 0.01
FULL = 4  # times as many companies

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ends:
    """How companies ended: how many found the truth, of how many, and how many rounds those took."""

    right: int
    companies: int
    rounds: list[int]


def validate(seed: int, full: bool) -> Iterator[Finding]:
    """P(success) and rounds of three networks of ten, and a closed form where a round tells little."""
    speed: list[float] = []
    for network, (expected, companies, rounds) in NETWORKS.items():
        watch, rng = Stopwatch(), stream(seed, "zollman", network)
        ends = play(matrix(10, network), PULLS, EPS, companies * (FULL if full else 1), rng)
        measured = share_of(ends.right, ends.companies)
        yield near(f"{network} of 10: P(success)", expected, 0.02, measured, SOURCE, watch.lap())
        mean = mean_of(ends.rounds)
        speed.append(mean[0])
        yield Finding(f"{network} of 10: rounds to success", f"about {rounds}", "", *mean, None, 0.0, SOURCE)
    least = min(speed[1] / speed[0], speed[2] / speed[1])
    yield Finding(
        "least step: complete, wheel, ring", "slower", "> 1", least, least, least, least > 1, 0.0, SOURCE
    )  # fmt: skip
    for people, companies in LITTLE.items():
        watch, rng = Stopwatch(), stream(seed, "zollman", f"little evidence, {people}")
        ends = play(matrix(people, "complete"), 1, LITTLE_EPS, companies * (FULL if full else 1), rng)
        expected = round(1 - (1 - 2.0 ** (1 - people)) / (people - 1), 4)
        measured = share_of(ends.right, ends.companies)
        yield near(f"complete of {people}, little evidence: P(success)", expected, 0.018, measured, CLOSED, watch.lap())


def play(sees: NDArray[np.bool_], pulls: int, eps: float, companies: int, rng: np.random.Generator) -> Ends:
    """Let companies go on until all of a company doubt the new arm, which is wrong, or all are sure of it."""
    people = len(sees)
    credence = rng.random((companies, people))
    odds, right, rounds, n = np.log(credence / (1 - credence)), 0, list[int](), 0
    while len(odds):
        n += 1
        odds = learn(odds, _wins(odds.shape, pulls, 0.5 + eps, rng), pulls, eps, sees)
        sure, ended = (odds > SURE).all(axis=1), (odds <= 0).all(axis=1)
        if sure.any() or ended.any():
            right += int(sure.sum())
            rounds += [n] * int(sure.sum())
            odds = odds[~(sure | ended)]
    return Ends(right, companies, rounds)


def learn(odds: Array, wins: NDArray[np.int64], pulls: int, eps: float, sees: NDArray[np.bool_]) -> Array:
    """Log odds (companies, people) after a round, from the wins that each would have by pulling the new arm."""
    surplus = np.where(odds > 0, 2 * wins - pulls, 0).astype(np.float64)
    heard = surplus @ (sees | np.eye(len(sees), dtype=bool)).T.astype(np.float64)
    return odds + np.log((0.5 + eps) / (0.5 - eps)) * heard


def _wins(shape: tuple[int, ...], pulls: int, p: float, rng: np.random.Generator) -> NDArray[np.int64]:
    if pulls == 1:  # ten times as fast as a binomial
        return (rng.random(shape, dtype=np.float32) < p).astype(np.int64)
    return rng.binomial(pulls, p, shape)
