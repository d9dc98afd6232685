"""Moves in the search space that the brains share: mutate, fill space, stay with what is new and allowed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np

from projects.spec import Parameter, SearchSpace, Value
from roles.brains.record import Unit, summary_of
from roles.observation import Observation

BOLDNESS = {"explore": 1.5, "free": 1.0, "refine": 0.6}  # how a directive scales the steps that a brain takes
TRIES = 24  # draws of a brain's own before any new config will do
ENUMERABLE = 20_000  # a finite space up to this size is searched for what is left of it


def boldness(observation: Observation) -> float:
    """The factor on step sizes that the manager's directive asks for."""
    return BOLDNESS[observation.directive.kind]


def axes(observation: Observation) -> list[int]:
    """Indices of the parameters that may change: the directive's focus, all when it names none that exist."""
    focus = observation.directive.focus
    names = observation.space.names
    return [i for i, name in enumerate(names) if name in focus] or list(range(len(names)))


def levels(parameter: Parameter) -> int:
    """How many values a parameter can take; 0 for a float."""
    if parameter.kind == "choice":
        return len(parameter.values)
    return int(parameter.high) - int(parameter.low) + 1 if parameter.kind == "int" else 0


def reflect(at: float) -> float:
    """Fold a number back into [0, 1], so that steps over an edge do not pile up on it."""
    at = abs(at) % 2.0
    return 2.0 - at if at > 1.0 else at


def step(parameter: Parameter, at: float, rng: np.random.Generator, size: float) -> float:
    """One random step of a coordinate: Gaussian where order means something, another value where it does not."""
    count = levels(parameter)
    if parameter.ordered:
        return reflect(at + max(size, 0.7 / count if count else 0.0) * rng.standard_normal())
    if count < 2:
        return at
    other = (int(at * count) + 1 + int(rng.integers(count - 1))) % count
    return (other + 0.5) / count


def mutate(
    space: SearchSpace, base: Sequence[float], rng: np.random.Generator, size: float, among: Sequence[int], count: int
) -> list[float]:
    """`base` with `count` coordinates of `among` moved by about `size`."""
    child = list(base)
    chosen = [among[int(rng.integers(len(among)))]] if count == 1 else rng.permutation(among)[:count].tolist()
    for i in chosen:
        child[i] = step(space.parameters[i], child[i], rng, size)
    return child


def uniform(base: Sequence[float], rng: np.random.Generator, among: Sequence[int]) -> list[float]:
    """`base` with the coordinates in `among` drawn afresh."""
    drawn = rng.random(len(base)).tolist()
    if len(among) == len(base):
        return drawn
    child = list(base)
    for i in among:
        child[i] = drawn[i]
    return child


def far(observation: Observation, base: Sequence[float], rng: np.random.Generator, draws: int = 8) -> list[float]:
    """Of a few uniform draws the one farthest from all that was tried or is under way (maximin)."""
    among = axes(observation)
    known = np.array([result.unit for result in observation.history] + list(observation.pending) or [tuple(base)])
    candidates = [uniform(base, rng, among) for _ in range(draws)]
    gaps = np.abs(np.array(candidates)[:, None, :] - known[None, :, :]).sum(axis=2).min(axis=1)
    return candidates[int(gaps.argmax())]


def start(observation: Observation, base: Sequence[float], rng: np.random.Generator) -> list[float]:
    """A starting point: mostly space-filling, every third one a change of three parameters of the base."""
    if (len(observation.history) + len(observation.pending)) % 3 == 0 and observation.directive.kind != "explore":
        return mutate(observation.space, base, rng, 0.3, axes(observation), 3)
    return far(observation, base, rng)


def taken(observation: Observation, unit: Unit) -> bool:
    """Whether a config was tried or is under way."""
    return unit in summary_of(observation.history).units or unit in observation.pending


def new_config(
    observation: Observation, rng: np.random.Generator, draw: Callable[[], Sequence[float]]
) -> dict[str, Value] | None:
    """The first of `draw`'s configs that nobody has tried; any other untried one when there is none.

    Configs are compared after decoding, since many points of the cube are one config. None means that a finite space
    is used up.
    """
    space = observation.space
    for attempt in range(2 * TRIES):
        point = draw() if attempt < TRIES else rng.random(len(space.parameters)).tolist()
        config = space.decode(point)
        if not taken(observation, space.encode(config)):
            return config
    return _left_over(observation, rng)


def in_turn(ranked: Sequence[list[float]]) -> Callable[[], Sequence[float]]:
    """A draw for `new_config` that hands out a ranking, best first, and stays with the last."""
    left = iter(ranked)
    return lambda: next(left, ranked[-1])


def _left_over(observation: Observation, rng: np.random.Generator) -> dict[str, Value] | None:
    counts = [levels(parameter) for parameter in observation.space.parameters]
    if 0 in counts or math.prod(counts) > ENUMERABLE:
        return None
    seen = summary_of(observation.history).units | set(observation.pending)
    encode = observation.space.encode
    free = [config for config in _every(observation.space) if encode(config) not in seen]
    return free[int(rng.integers(len(free)))] if free else None


def _every(space: SearchSpace) -> list[dict[str, Value]]:
    values = [p.values if p.kind == "choice" else range(int(p.low), int(p.high) + 1) for p in space.parameters]
    return [dict(zip(space.names, combination, strict=True)) for combination in itertools.product(*values)]
