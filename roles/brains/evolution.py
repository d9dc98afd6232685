"""A (mu + lambda) evolution strategy: parents by tournament among the best, crossover, a small mutation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from roles.brains.moves import axes, boldness, mutate, new_config, start
from roles.brains.record import Suggestion, Unit, summarise
from roles.observation import Observation


def suggest(observation: Observation, params: Mapping[str, Any], rng: np.random.Generator) -> Suggestion | None:
    """A child of two of the `parents` best configs; starting points until `start` configs have finished."""
    losses = summarise(observation.history).losses
    base = observation.space.encode(observation.baseline)
    if len(losses) < params["start"]:
        config = new_config(observation, rng, lambda: start(observation, base, rng))
        return Suggestion(config, None, "a starting point") if config else None
    ranked = sorted(losses, key=losses.__getitem__)[: int(params["parents"])]
    size, among = params["step"] * boldness(observation), axes(observation)

    def draw() -> list[float]:
        child = _child(ranked, rng, params["crossover"], among)
        return mutate(observation.space, child, rng, size, among, 1 if rng.random() < 0.5 else min(2, len(among)))

    config = new_config(observation, rng, draw)
    return Suggestion(config, losses[ranked[0]], "a child of the best so far") if config else None


def _child(ranked: list[Unit], rng: np.random.Generator, crossover: float, among: list[int]) -> list[float]:
    """A tournament of two picks each parent; `ranked` is best first, so the smaller index wins."""
    first, rival, other, another = rng.integers(len(ranked), size=4).tolist()
    child = list(ranked[min(first, rival)])
    if rng.random() < crossover:
        mate = ranked[min(other, another)]
        swap = rng.random(len(child)) < 0.5
        for i in among:
            if swap[i]:
                child[i] = mate[i]
    return child
