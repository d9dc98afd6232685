"""Unit check of hiring one after the other: look at some, then leap at the first who is better than all of them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from company.validation import Finding, Stopwatch, near, share_of
from roles.streams import stream

SOURCE = "Gilbert & Mosteller 1966 [A]"
APPLICANTS, FROM = 100, 38  # the first who may be taken is the 38th
SEARCHES, FULL_SEARCHES = 100_000, 1_000_000
CHUNK = 20_000


def validate(seed: int, full: bool) -> Iterator[Finding]:
    """P(the best of all is taken); the tolerance is four standard errors."""
    watch, searches = Stopwatch(), FULL_SEARCHES if full else SEARCHES
    rng, right = stream(seed, "secretary", "applicants"), 0
    for _ in range(searches // CHUNK):
        worth = rng.random((CHUNK, APPLICANTS))
        right += int((taken(worth, FROM) == worth.argmax(axis=1)).sum())
    expected = (FROM - 1) / APPLICANTS * sum(1 / (r - 1) for r in range(FROM, APPLICANTS + 1))
    tolerance = round(4 * math.sqrt(expected * (1 - expected) / searches), 4)
    name = f"{APPLICANTS} applicants, from the {FROM}th: P(best)"
    yield near(name, round(expected, 4), tolerance, share_of(right, searches), SOURCE, watch.lap())


def taken(worth: np.ndarray, start: int) -> np.ndarray:
    """Who is taken of applicants (searches, applicants): the first from the `start`-th on, counted from 1, who is
    better than all before; else the last."""
    better = worth[:, start - 1 :] > worth[:, : start - 1].max(axis=1, keepdims=True)
    return np.where(better.any(axis=1), better.argmax(axis=1) + start - 1, worth.shape[1] - 1)
