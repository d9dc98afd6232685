"""People who see some of each other's results search a landscape together: who copies whom, and who tries alone.

Each round everyone looks at those it sees, or at a sample of them, as they stood when the round began. By `best` it
copies the best of the sample where that is strictly better than its own (Lazer & Friedman 2007, Administrative Science
Quarterly 52:667), by `conformity` the sample's most frequent point where more than one has it and it is strictly better
(Barkoczi & Galesic 2016, Nature Communications 7:13109); else it flips one random bit and keeps what is better. Pure:
what is random is drawn beforehand.

Many companies search at once, each its own landscape (company/landscapes.py); they are the first axis of every array.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Points = NDArray[np.integer[Any]]
Learning = Literal["best", "conformity"]

LOOK = 5  # rounds between two looks at which companies have settled


@dataclass(frozen=True, slots=True)
class Policy:
    """How people learn from each other; `sample`: how many of those they see they look at, None for all of them."""

    learning: Learning = "best"
    sample: int | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """Who sees whom: row i of `seen` (people, most) lists whom person i sees, `counts` (people,) how many those are;
    the rest of the row is i itself, from whom nobody learns."""

    seen: NDArray[np.intp]
    counts: NDArray[np.intp]

    @classmethod
    def of(cls, seen: Sequence[Sequence[int]]) -> Sight:
        """From the list of those whom each person sees, itself left out."""
        most = max(1, *(len(row) for row in seen))
        padded = [[*row, *([i] * (most - len(row)))] for i, row in enumerate(seen)]
        return cls(np.array(padded, dtype=np.intp), np.array([len(row) for row in seen], dtype=np.intp))


@dataclass(frozen=True, slots=True)
class Luck:
    """A round's chances, drawn: uniform numbers that choose samples and break ties of frequency, both (sample,
    companies, people) and None where nothing is sampled or counted, and the bit to flip (companies, people)."""

    samples: Array | None
    ties: Array | None
    bits: Points


def luck(companies: int, people: int, bits: int, policy: Policy, sight: Sight, rng: np.random.Generator) -> Luck:
    """Draw a round's chances for landscapes of so many bits."""
    size = (policy.sample or sight.seen.shape[1], companies, people)
    return Luck(
        rng.random(size) if policy.sample else None,
        rng.random(size) if policy.learning == "conformity" else None,
        rng.integers(0, bits, (companies, people), dtype=np.int32),
    )


def step(values: Array, points: Points, policy: Policy, sight: Sight, luck: Luck) -> Points:
    """Where everyone (companies, people) stands after a round on landscapes whose points have `values` (companies,
    2^n)."""
    own = _at(values, points)
    looked = sight.seen.T[:, None] if luck.samples is None else sampled(sight, luck.samples)
    options = _of_each(points, looked)
    offered = _best(values, options) if luck.ties is None else _most_frequent(options, points, luck.ties)
    tried = points ^ (1 << luck.bits)
    alone = np.where(_at(values, tried) > own, tried, points)
    return np.where(_at(values, offered) > own, offered, alone)


def rounds(
    values: Array, points: Points, policy: Policy, sight: Sight, rng: np.random.Generator, count: int
) -> Iterator[Points]:
    """Where everyone stands at the start and after each of `count` rounds."""
    bits, moving = values.shape[1].bit_length() - 1, np.arange(len(points))
    yield points
    for n in range(count):
        if n % LOOK == 0:
            going = ~settled(values, points[moving])
            moving, values = moving[going], values if going.all() else values[going]
        here = points[moving]
        chances = luck(len(here), here.shape[1], bits, policy, sight, rng)
        points = points.copy()
        points[moving] = step(values, here, policy, sight, chances)
        yield points


def settled(values: Array, points: Points) -> NDArray[np.bool_]:
    """The companies in which all stand on one local optimum: whatever is drawn, nobody moves any more."""
    first = points[:, :1]
    near = first ^ (1 << np.arange(values.shape[1].bit_length() - 1))
    return (points == first).all(axis=1) & (_at(values, near) <= _at(values, first)).all(axis=1)


def sampled(sight: Sight, uniform: Array) -> NDArray[np.intp]:
    """Whom each person looks at, (sample, companies, people): different ones of those it sees, all where they are too
    few, filled up with itself (Floyd's algorithm: Bentley & Floyd 1987)."""
    size, people, counts = len(uniform), np.arange(uniform.shape[2]), sight.counts.astype(np.int32)
    chosen = np.empty(uniform.shape, dtype=np.int32)
    for t in range(size):
        last = np.maximum(counts - size + t, -1)  # may be anyone up to here, or this one where that one is taken
        drawn = (uniform[t] * (last + 1)).astype(np.int32)
        chosen[t] = np.where((chosen[:t] == drawn).any(axis=0) | (last < 0), last, drawn)
    return np.where(chosen < 0, people, sight.seen[people, chosen])


def _at(values: Array, points: Points) -> Array:
    """The values of points whose last two axes are (companies, any)."""
    return values.reshape(-1)[points + _rows(len(values), values.shape[1])]


def _of_each(points: Points, who: NDArray[np.intp]) -> Points:
    return points.reshape(-1)[who + _rows(*points.shape)]


def _rows(companies: int, width: int) -> NDArray[np.intp]:
    return (np.arange(companies) * width)[:, None]


def _best(values: Array, options: Points) -> Points:
    best = _at(values, options).argmax(axis=0)
    return np.take_along_axis(options, best[None], axis=0)[0]


def _most_frequent(options: Points, own: Points, ties: Array) -> Points:
    """The option that most of a sample have, the own point where no two have the same."""
    counts = np.zeros(options.shape, dtype=np.int16)
    for option in options:
        counts += options == option
    most = (counts + ties).argmax(axis=0)[None]
    common = np.take_along_axis(counts, most, axis=0)[0] > 1
    return np.where(common, np.take_along_axis(options, most, axis=0)[0], own)
