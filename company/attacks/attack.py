"""What an attack is: a few lines of training code, and how one sees from outside whether they did what they tried."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from company.compute.backend import Outcome
from company.compute.sandbox import Level

if TYPE_CHECKING:
    from company.attacks.scene import Scene

Expected = Literal["stopped", "wins", "depends"]  # depends: on the machine's own settings


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack. `train` is appended to a script that has a small library (scene.py), `predict` is its predict().

    `won` looks at the scene and the outcome afterwards. `wins` are the levels at which it is known to win, `depends`
    those at which that is the machine's affair. `failure` is what must be on record where the company ended the run.
    """

    name: str
    tries: str
    won: Callable[[Scene, Outcome], bool]
    train: str = ""
    predict: str = ""
    wins: tuple[Level, ...] = ()
    depends: tuple[Level, ...] = ()
    failure: str | None = None
    limits: Mapping[str, float] = field(default_factory=dict)

    def expected(self, level: Level) -> Expected:
        if level in self.wins:
            return "wins"
        return "depends" if level in self.depends else "stopped"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an attack went at a level. `recorded` is what the company wrote down of the run."""

    attack: str
    tries: str
    level: Level
    won: bool
    expected: Expected
    recorded: str
    failure: str | None = None

    @property
    def as_expected(self) -> bool:
        """Whether nothing won that must not, and what had to be recorded was."""
        won_as_known = self.expected == "depends" or self.won == (self.expected == "wins")
        return won_as_known and (self.failure is None or self.recorded == self.failure)
