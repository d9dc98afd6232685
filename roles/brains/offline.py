"""The offline brains of a researcher: optimisers by name, their settings, and the door for brains from outside.

An outside brain is a `Kind` registered under the entry-point group `loopworks.brains`:

    [project.entry-points."loopworks.brains"]
    annealing = "my_package.annealing:KIND"
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from roles.brains import evolution, gp, hillclimb, mutator, random, tpe
from roles.brains.record import Suggestion
from roles.observation import Observation

GROUP = "loopworks.brains"
Suggest = Callable[[Observation, Mapping[str, Any], np.random.Generator], Suggestion | None]


class UnknownBrain(ValueError):
    """A chart names a brain, or a setting of one, that does not exist; the message says what does."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A number that a brain can be told: its default, its range (both ends allowed) and what it does."""

    default: float
    low: float
    high: float
    about: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A brain: its function, one sentence about it, and its settings by name.

    `suggest(observation, settings, rng)` is a pure function of its arguments; None means that the space is used up.
    """

    suggest: Suggest
    about: str
    settings: Mapping[str, Setting] = field(default_factory=dict)

    def defaults(self) -> dict[str, float]:
        return {name: setting.default for name, setting in self.settings.items()}


BRAINS: dict[str, Kind] = {
    "random": Kind(random.suggest, "Draws configs at random: the control."),
    "hillclimb": Kind(
        hillclimb.suggest,
        "Changes one or two things of the best config so far and keeps what is better.",
        {"step": Setting(0.35, 0.001, 1.0, "size of a change, as a share of a parameter's range")},
    ),
    "mutator": Kind(
        mutator.suggest,
        "Changes a number or an activation in the training code, or climbs hills: patches without a model.",
        {"share": Setting(0.5, 0.0, 1.0, "share of its proposals that change the code")},
    ),
    "evolution": Kind(
        evolution.suggest,
        "Breeds the best configs: tournament, crossover, small mutations.",
        {
            "start": Setting(6, 1, 200, "finished configs before breeding begins"),
            "parents": Setting(4, 1, 200, "how many of the best may breed"),
            "crossover": Setting(0.5, 0.0, 1.0, "probability of a second parent"),
            "step": Setting(0.2, 0.001, 1.0, "size of a mutation, as a share of a parameter's range"),
        },
    ),
    "tpe": Kind(
        tpe.suggest,
        "Models where good configs lie and where the rest lie, and goes where they differ most.",
        {
            "start": Setting(6, 1, 200, "finished configs before the model speaks"),
            "good": Setting(0.15, 0.01, 0.9, "share of the record that counts as good"),
            "width": Setting(0.25, 0.01, 1.0, "width of the kernels, as a share of a parameter's range"),
            "candidates": Setting(32, 1, 2000, "draws among which the best is taken"),
            "prior": Setting(1.0, 0.01, 100.0, "weight of the uniform prior, in configs"),
        },
    ),
    "gp": Kind(
        gp.suggest,
        "Models the loss with a Gaussian process and maximises the expected improvement.",
        {
            "start": Setting(6, 2, 200, "finished configs before the model speaks"),
            "candidates": Setting(400, 8, 5000, "points at which the improvement is looked at"),
            "cap": Setting(120, 10, 1000, "configs that the model keeps: the best half and the latest"),
        },
    ),
}


def find_brain(kind: str) -> Kind:
    """The brain of that name, ours or an entry point's. Raises UnknownBrain with the nearest right word."""
    found = BRAINS.get(kind) or _outside(kind)
    if found is None:
        raise UnknownBrain(f"'{kind}' is not a brain{_nearest(kind, BRAINS)}; there are {', '.join(BRAINS)}")
    return found


def check_params(kind: str, params: Mapping[str, Any]) -> list[str]:
    """Everything wrong with a brain's settings, one sentence each."""
    settings = find_brain(kind).settings
    problems = []
    for name, value in params.items():
        if name not in settings:
            problems.append(f"'{name}' is not a setting of brain '{kind}'{_nearest(name, settings)}")
        elif isinstance(value, bool) or not isinstance(value, (int, float)):
            problems.append(f"{kind}.{name}={value!r} is not a number")
        elif not settings[name].low <= value <= settings[name].high:
            problems.append(f"{kind}.{name}={value!r} is outside [{settings[name].low:g}, {settings[name].high:g}]")
    return problems


def suggest(
    kind: str, params: Mapping[str, Any], observation: Observation, rng: np.random.Generator
) -> Suggestion | None:
    """What the brain `kind` would run next; None when every config of the space has been tried."""
    brain = find_brain(kind)
    if params:
        problems = check_params(kind, params)
        if problems:
            raise UnknownBrain("; ".join(problems))
    return brain.suggest(observation, {**brain.defaults(), **params}, rng)


def _nearest(word: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f": did you mean {close[0]}?" if close else ""


@cache
def _outside(kind: str) -> Kind | None:
    from importlib.metadata import entry_points  # slow to import, and only an outside brain needs it

    for entry in entry_points(group=GROUP):
        if entry.name == kind:
            loaded = entry.load()
            if not isinstance(loaded, Kind):
                raise UnknownBrain(f"the brain '{kind}' ({entry.value}) is not a roles.brains.offline.Kind")
            return loaded
    return None
