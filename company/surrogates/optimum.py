"""The best loss that a surrogate has anywhere, and the median of random configs: what regret is measured by."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from company.surrogates.model import Surrogate
from projects.spec import Config, Parameter, Value, config_hash
from roles.streams import stream

DRAWS = 4096
BEAM = 32  # configs that are improved side by side
ROUNDS = 40
STEPS = (0.3, 0.1, 0.03, 0.01)  # of a number, in the unit cube


def scale_of_regret(surrogate: Surrogate) -> tuple[float, float]:
    """(best loss, median loss); a config that fails counts as the worst. The median is above the best."""
    space, rng = surrogate.recording.space, stream(0, "surrogate", "draws")
    draws = [space.sample(rng) for _ in range(DRAWS)]
    middle = float(np.median(_losses(surrogate, draws)))
    best = _climb(surrogate, [*draws, *(group.config for group in surrogate.groups)])
    if not math.isfinite(middle):  # most of the space fails: the worst that works stands for it
        middle = surrogate.loss(max(surrogate.answer(group.config).z for group in surrogate.groups))
    return best, max(middle, best + 1e-9 * max(1.0, abs(best)))


def _climb(surrogate: Surrogate, start: Sequence[Config]) -> float:
    """The lowest loss on the way from the best of many configs, one parameter at a time."""
    beam, best = start, math.inf
    for _ in range(ROUNDS):
        losses = _losses(surrogate, beam)
        order = np.argsort(losses, kind="stable")[:BEAM]
        if not losses[order[0]] < best - 1e-6 * abs(losses[order[0]]):
            break
        best = float(losses[order[0]])
        around = (config for i in order for config in (beam[i], *_neighbours(surrogate, beam[i])))
        beam = list({config_hash(config): config for config in around}.values())
    return best


def _losses(surrogate: Surrogate, configs: Sequence[Config]) -> np.ndarray:
    z, failing = surrogate.predict(configs)
    return np.array([math.inf if fails else surrogate.loss(float(at)) for at, fails in zip(z, failing, strict=True)])


def _neighbours(surrogate: Surrogate, config: Config) -> Iterator[Config]:
    """Every config one parameter away."""
    for parameter in surrogate.recording.space.parameters:
        for value in _others(parameter, config[parameter.name]):
            yield {**config, parameter.name: value}


def _others(parameter: Parameter, value: Value) -> set[Value]:
    if parameter.kind == "choice":
        return {other for other in parameter.values if other != value}
    at = parameter.encode(value)
    return {parameter.decode(at + sign * step) for step in STEPS for sign in (-1, 1)} - {value}
