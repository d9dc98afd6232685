"""Random search: the control that every other brain must beat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from roles.brains.moves import axes, new_config, uniform
from roles.brains.record import Suggestion
from roles.observation import Observation


def suggest(observation: Observation, params: Mapping[str, Any], rng: np.random.Generator) -> Suggestion | None:
    """A config drawn uniformly on the unit cube; under a focus, the champion's (or baseline's) elsewhere."""
    champion = observation.champion
    base = champion.unit if champion else observation.space.encode(observation.baseline)
    among = axes(observation)
    config = new_config(observation, rng, lambda: uniform(base, rng, among))
    return Suggestion(config, None, "drawn at random") if config else None
