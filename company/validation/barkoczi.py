"""The organisation and the policy interact (Barkoczi & Galesic 2016, Nature Communications 7:13109).

Which network is the better one depends on how its people learn. The networks are charts, the landscapes
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

SOURCE = "Barkoczi & Galesic 2016 [A]"
PEOPLE, BITS, TIES, DECIMALS, STEEP = 100, 15, 7, 1, 8
TIME = 200  # t = 1 is the start
LANDSCAPES, FULL_LANDSCAPES = 400, 1000
AT_A_TIME = 50
POLICIES = {  # in the complete network, in the lattice
    "best member, s = 3": (Policy("best", 3), 0.614, 0.645),
    "best member, s = 9": (Policy("best", 9), 0.543, 0.612),
    "conformity, s = 3": (Policy("conformity", 3), 0.829, 0.705),
    "conformity, s = 9": (Policy("conformity", 9), 0.542, 0.567),
}
INTERACTION = {"best member, s = 3": 0.031, "best member, s = 9": 0.069, "conformity, s = 3": -0.124}
ALONE = {5: 0.111, 10: 0.174, 20: 0.254, 50: 0.350, TIME: 0.383}

Array = NDArray[np.float64]


def validate(seed: int, full: bool) -> Iterator[Finding]:
    """Mean scores of four policies in two networks, what they have to do with each other, and search alone."""
    watch = Stopwatch()
    landscapes = _landscapes(seed, FULL_LANDSCAPES if full else LANDSCAPES)
    for name, (policy, *expected) in POLICIES.items():
        ends: list[Array] = []
        for network, level in zip(("complete", "lattice"), expected, strict=True):
            ends.append(_path(seed, landscapes, policy, network)[:, TIME - 1])
            mean = mean_of(ends[-1].tolist())
            yield near(f"{name}, {network}: mean at t = {TIME}", level, 0.05, mean, SOURCE, watch.lap())
        if name in INTERACTION:
            gap = mean_of((ends[1] - ends[0]).tolist())
            yield near(f"{name}: lattice less complete", INTERACTION[name], 0.06, gap, SOURCE)
    path = _path(seed, landscapes, Policy(), "solo")
    for t, level in ALONE.items():
        yield near(f"alone: mean at t = {t}", level, 0.05, mean_of(path[:, t - 1].tolist()), SOURCE, watch.lap())


def _landscapes(seed: int, count: int) -> Array:
    """Values of every point, as shares of the best, (count, 2^bits). The same for every policy and network."""
    rng = stream(seed, "barkoczi", "landscapes")
    values = np.array([draw(BITS, TIES, rng, "any", DECIMALS).values() for _ in range(count)])
    return values / values.max(axis=1, keepdims=True)


def _path(seed: int, landscapes: Array, policy: Policy, network: str) -> Array:
    """The mean score of agents on each landscape at each time, (landscapes, TIME)."""
    found = [
        _scores(values, policy, network, seed, chunk)
        for chunk, values in enumerate(np.split(landscapes, range(AT_A_TIME, len(landscapes), AT_A_TIME)))
    ]
    return np.concatenate(found)


def _scores(values: Array, policy: Policy, network: str, seed: int, chunk: int) -> Array:
    starts = stream(seed, "barkoczi", "starts", chunk)
    start = np.array([starts.choice(2**BITS, PEOPLE, replace=False) for _ in values], dtype=np.int32)
    luck = stream(seed, "barkoczi", f"{network}, {policy}", chunk)
    path = rounds(values, start, policy, sight(PEOPLE, network), luck, TIME - 1)
    scores = [np.take_along_axis(values, points, axis=1) ** STEEP for points in path]
    return np.array(scores).mean(axis=2).T
