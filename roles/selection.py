"""Who stands first and who last among candidates: what promotions, replacements and hiring rest on. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

import numpy as np

T = TypeVar("T")

Pick = Literal["best", "worst", "random"]


def ranked(candidates: Sequence[T], worth: Callable[[T], float], name: Callable[[T], str | int]) -> list[T]:
    """From the best to the worst; equals by name, so that the order never depends on how they came."""
    return sorted(candidates, key=lambda candidate: (-worth(candidate), name(candidate)))


def pick(rule: Pick, order: Sequence[T], rng: np.random.Generator) -> T:
    """The first, the last or anyone of those that `ranked` put in order. Raises IndexError when there is nobody."""
    if rule == "random":
        return order[int(rng.integers(len(order)))]
    return order[0] if rule == "best" else order[-1]


def lowest(candidates: Sequence[T], worth: Callable[[T], float], name: Callable[[T], str | int], count: int) -> list[T]:
    """The `count` of least worth, the least first; equals by name."""
    return sorted(candidates, key=lambda candidate: (worth(candidate), name(candidate)))[:count]
