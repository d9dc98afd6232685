"""Review rules are screening structures, through the function by which a company decides on its reviewers' votes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from company.policies import ReviewRule
from company.review import decide, who_reviews
from company.validation import Finding, Stopwatch, near, share_of
from roles.streams import stream

STRUCTURES = "Sah & Stiglitz 1986; Csaszar 2013 [A]"
SIGNALS = "Christensen & Knudsen 2010 [A]"
GOOD, BAD = 0.8, 0.3  # chance that a reviewer passes a good proposal, and a bad one
PROPOSALS, FULL_PROPOSALS = 400_000, 4_000_000
CHUNK = 100_000

MAJORITIES = ReviewRule.model_validate(
    {"rule": "2-of-3", "of": [{"rule": "2-of-3", "of": [f"{name}{i}" for i in range(3)]} for name in "abc"]}
)
RULES: dict[str, tuple[ReviewRule, int, float, float]] = {  # rule, reviewers, good ones passed, bad ones passed
    "2 in series": (ReviewRule(rule="all"), 2, 0.64, 0.09),
    "2 in parallel": (ReviewRule(rule="any"), 2, 0.96, 0.51),
    "2 of 3": (ReviewRule(rule="2-of-3"), 3, 0.896, 0.216),
    "3 of 5": (ReviewRule(rule="3-of-5"), 5, 0.942, 0.163),
    "majority of three majorities": (MAJORITIES, 9, 0.970, 0.120),
}
TURNED_DOWN: dict[str, tuple[ReviewRule, int, str]] = {
    "one reviewer": (ReviewRule(rule="single"), 1, "1/8"),
    "2 of 3": (ReviewRule(rule="2-of-3"), 3, "3/32"),
    "3 of 5": (ReviewRule(rule="3-of-5"), 5, "5/64"),
    "1 of 3": (ReviewRule(rule="1-of-3"), 3, "1/64"),
    "3 of 3": (ReviewRule(rule="3-of-3"), 3, "17/64"),
}

Flags = NDArray[np.bool_]


def validate(seed: int, full: bool) -> Iterator[Finding]:
    """What passes, what good is turned down, and where two reviewers in parallel begin to beat two in series."""
    proposals = FULL_PROPOSALS if full else PROPOSALS
    yield from _passed(seed, proposals)
    yield from _turned_down(seed, proposals)
    yield _even(seed, proposals)


def decisions(rule: ReviewRule, reviewers: int) -> Flags:
    """Whether a proposal passes, for every pattern of votes, (2^reviewers,); bit i is the vote of reviewer i."""
    names = who_reviews(rule, [f"r{i}" for i in range(reviewers)], 0)
    patterns = (dict(zip(reversed(names), votes, strict=True)) for votes in product((False, True), repeat=len(names)))
    return np.array([decide(rule, votes, names) for votes in patterns], dtype=bool)


def _passes(rule: ReviewRule, votes: Flags) -> Flags:
    """Of proposals by their votes (proposals, reviewers)."""
    return decisions(rule, votes.shape[1])[votes @ (1 << np.arange(votes.shape[1]))]


def _passed(seed: int, proposals: int) -> Iterator[Finding]:
    for name, (rule, reviewers, *expected) in RULES.items():
        for kind, chance, rate in zip(("good", "bad"), (GOOD, BAD), expected, strict=True):
            watch, rng = Stopwatch(), stream(seed, "review", f"{name}, {kind}")
            hits = sum(
                int(_passes(rule, rng.random((CHUNK, reviewers)) < chance).sum()) for _ in range(proposals // CHUNK)
            )
            measured = share_of(hits, proposals)
            yield near(f"{name}: {kind} ones passed", rate, 0.005, measured, STRUCTURES, watch.lap())


def _turned_down(seed: int, proposals: int) -> Iterator[Finding]:
    """Quality and each reviewer's error are standard normal; a reviewer passes what looks positive."""
    for name, (rule, reviewers, fraction) in TURNED_DOWN.items():
        watch, rng, hits = Stopwatch(), stream(seed, "review", f"{name}, signals"), 0
        for _ in range(proposals // CHUNK):
            quality = rng.standard_normal(CHUNK)
            votes = quality[:, None] + rng.standard_normal((CHUNK, reviewers)) > 0
            hits += int((~_passes(rule, votes) & (quality > 0)).sum())
        above, below = map(int, fraction.split("/"))
        measured = share_of(hits, proposals)
        yield near(
            f"{name}: good and turned down", round(above / below, 4), 0.004, measured, SIGNALS, watch.lap()
        )  # fmt: skip


def _even(seed: int, proposals: int) -> Finding:
    """The share of good proposals at which two in parallel and two in series earn the same, with equal stakes.

    They differ where the votes do: alpha * P(differ | good) = (1 - alpha) * P(differ | bad).
    """
    watch = Stopwatch()
    good, bad = (_differ(seed, kind, chance, proposals) for kind, chance in (("good", GOOD), ("bad", BAD)))
    alpha = bad / (good + bad)
    slope_good, slope_bad = bad / (good + bad) ** 2, good / (good + bad) ** 2
    variance = slope_good**2 * good * (1 - good) + slope_bad**2 * bad * (1 - bad)
    half = 1.96 * math.sqrt(variance / proposals)
    measured = (alpha, alpha - half, alpha + half)
    return near("parallel beats series from a share of good of", 0.5676, 0.006, measured, STRUCTURES, watch.lap())


def _differ(seed: int, kind: str, chance: float, proposals: int) -> float:
    rng, hits = stream(seed, "review", f"parallel against series, {kind}"), 0
    for _ in range(proposals // CHUNK):
        votes = rng.random((CHUNK, 2)) < chance
        hits += int((_passes(ReviewRule(rule="any"), votes) ^ _passes(ReviewRule(rule="all"), votes)).sum())
    return hits / proposals
