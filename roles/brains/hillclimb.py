"""Greedy keep-if-better, the loop of autoresearch: change one or two things of the best config seen so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from roles.brains.moves import axes, boldness, mutate, new_config
from roles.brains.record import Suggestion, summarise
from roles.observation import Observation


def suggest(observation: Observation, params: Mapping[str, Any], rng: np.random.Generator) -> Suggestion | None:
    """One or two parameters of the best config moved; the baseline's while nothing has finished."""
    record = summarise(observation.history)
    best = record.best
    base = best or observation.space.encode(observation.baseline)
    size, among = params["step"] * boldness(observation), axes(observation)

    def draw() -> list[float]:
        count = 1 if len(among) == 1 or rng.random() < 0.5 else 2
        return mutate(observation.space, base, rng, size, among, count)

    config = new_config(observation, rng, draw)
    if config is None:
        return None
    unit = observation.space.encode(config)
    changed = [name for name, new, old in zip(config, unit, base, strict=True) if new != old]
    reason = f"{'the best so far' if best else 'the baseline'} with {' and '.join(changed)} changed"
    return Suggestion(config, record.losses[best] if best else None, reason)
