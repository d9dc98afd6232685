"""Fast and slow networks (Lazer & Friedman 2007, Administrative Science Quarterly 52:667).

Everyone copies the best it sees, or else tries one random bit. The networks are charts, the landscapes
company/landscapes.py, the search company/search.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from company.landscapes import draw
from company.search import Policy, rounds
from company.validation import Finding, Stopwatch, mean_of, near
from company.validation.networks import sight
from roles.streams import stream

SHAPE, LEVEL = "Lazer & Friedman 2007 [shape S]", "Lazer & Friedman 2007 [O]"
PEOPLE, BITS, TIES, STEEP = 100, 20, 5, 8
ROUNDS, EARLY = 200, 5
LANDSCAPES, FULL_LANDSCAPES, SMOOTH = 120, 500, 5
AT_A_TIME = 5  # landscapes: each has 2^20 values
NETWORKS = ("line", "complete", "solo")

Array = NDArray[np.float64]


def validate(seed: int, full: bool) -> Iterator[Finding]:
    """Line less complete, early and late; where they cross; who has the best mean and who the best best."""
    watch = Stopwatch()
    mean, best = _paths(seed, TIES, FULL_LANDSCAPES if full else LANDSCAPES)
    gap = mean["line"] - mean["complete"]  # (landscapes, rounds)
    seconds = watch.lap()
    early, late = (mean_of(gap[:, t].tolist()) for t in (EARLY, ROUNDS))
    yield near(f"line less complete, mean score at t = {EARLY}", -0.27, 0.10, early, LEVEL, seconds)
    yield near(f"line less complete, mean score at t = {ROUNDS}", 0.26, 0.12, late, LEVEL)
    yield _crossing(gap, stream(seed, "lazer", "bootstrap"))
    for one, other in (("line", "solo"), ("line", "complete")):
        ahead = mean_of((mean[one] - mean[other])[:, -1].tolist())
        yield _positive(f"mean of agents at t = {ROUNDS}: {one} less {other}", ahead)
    for other in ("line", "complete"):
        ahead = mean_of((best["solo"] - best[other])[:, -1].tolist())
        yield _positive(f"best found by t = {ROUNDS}: solo less {other}", ahead)
    mean, _ = _paths(seed, 0, SMOOTH)
    most = mean_of((mean["line"] - mean["complete"]).max(axis=1).tolist())
    yield Finding("K = 0: most that line is ever ahead", "0", "<= 0", *most, most[0] <= 0, watch.lap(), SHAPE)
    for network in NETWORKS[:2]:
        ended = mean_of(mean[network][:, -1].tolist())
        yield near(f"K = 0: mean score at t = {ROUNDS}, {network}", 1, 1e-9, ended, SHAPE)


def _positive(check: str, measured: tuple[float, float, float]) -> Finding:
    return Finding(check, "> 0", "", *measured, measured[0] > 0, 0.0, SHAPE)


def _crossing(gap: Array, rng: np.random.Generator) -> Finding:
    """The first round in which the line's mean is ahead; its interval by a bootstrap of landscapes."""
    picks = rng.integers(len(gap), size=(400, len(gap)))
    at = [_first_ahead(gap[pick].mean(axis=0)) for pick in picks]
    low, high = np.quantile(at, (0.025, 0.975))
    first = _first_ahead(gap.mean(axis=0))
    return Finding("they cross at t", "11 to 30", "", first, float(low), float(high), 11 <= first <= 30, 0.0, SHAPE)


def _first_ahead(gap: Array) -> int:
    """After the start, at which all are the same."""
    ahead = np.flatnonzero(gap[1:] > 0)
    return int(ahead[0]) + 1 if len(ahead) else len(gap)


def _paths(seed: int, ties: int, landscapes: int) -> tuple[dict[str, Array], dict[str, Array]]:
    """By network: the mean score of agents, and the best found, (landscapes, rounds + 1)."""
    means, bests = ({network: list[Array]() for network in NETWORKS} for _ in range(2))
    for chunk in range(landscapes // AT_A_TIME):
        rng = stream(seed, "lazer", f"landscapes, K {ties}", chunk)
        values = np.array([draw(BITS, ties, rng).values() for _ in range(AT_A_TIME)])
        values /= values.max(axis=1, keepdims=True)
        start = rng.integers(0, 2**BITS, (AT_A_TIME, PEOPLE), dtype=np.int32)
        for network in NETWORKS:
            luck = stream(seed, "lazer", f"{network}, K {ties}", chunk)
            path = rounds(values, start, Policy(), sight(PEOPLE, network), luck, ROUNDS)
            scores = np.array([np.take_along_axis(values, points, axis=1) for points in path]) ** STEEP
            means[network].append(scores.mean(axis=2).T)
            bests[network].append(scores.max(axis=2).T)
    return _joined(means), _joined(bests)


def _joined(chunks: dict[str, list[Array]]) -> dict[str, Array]:
    return {network: np.concatenate(parts) for network, parts in chunks.items()}
