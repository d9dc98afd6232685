"""What a company knows and how it learns: a shared playbook, people who believe things, and those who come and go.

March (1991, "Exploration and exploitation in organizational learning", Organization Science 2:71): reality has m
dimensions, each -1 or 1; the playbook (the "code") and everyone's beliefs say -1, 0 (no opinion) or 1 of each.
Newcomers take the playbook over with chance p1 a dimension; the playbook learns with p2 from those who do better than
it; p3 of the people are replaced each period, and p4 of reality turns. Pure: what is random is drawn beforehand.

Many companies go through a step at once; they are the last axis of every array.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Signs = NDArray[np.int8]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rates:
    """Chances a period: p1 a dimension that a person takes over from the playbook, p2 a superior's dimension that the
    playbook learns, p3 a person that it is replaced, p4 a dimension that reality turns."""

    onboarding: float
    learning: float
    turnover: float = 0.0
    turbulence: float = 0.0


@dataclass(frozen=True, slots=True)
class Knowledge:
    """`reality` and `playbook` (m, companies), `beliefs` (people, m, companies)."""

    reality: Signs
    playbook: Signs
    beliefs: Signs

    def level(self) -> NDArray[np.float64]:
        """How much of reality the playbook of each company holds: mean of playbook * reality, -1 to 1."""
        return np.mean(self.playbook * self.reality, axis=0)

    def settled(self) -> Flags:
        """The companies in which everyone agrees with a full playbook: without turnover nothing moves any more."""
        return (self.beliefs == self.playbook).all(axis=(0, 1)) & (self.playbook != 0).all(axis=0)

    def of(self, companies: Flags) -> Knowledge:
        """Only those companies."""
        return Knowledge(self.reality[:, companies], self.playbook[:, companies], self.beliefs[:, :, companies])


@dataclass(frozen=True, slots=True)
class Luck:
    """A period's chances, drawn: who leaves (people, companies) and what newcomers believe (as beliefs), which of
    reality turns (m, companies), how those without an opinion act, who takes over what (as beliefs), and a uniform
    number for what the playbook learns (m, companies). None where the rate is 0."""

    leavers: Flags | None
    newcomers: Signs | None
    turns: Flags | None
    coins: Signs
    takes_over: Flags
    learns: NDArray[np.float32]


def found(dimensions: int, people: int, companies: int, rng: np.random.Generator) -> Knowledge:
    """New companies: a random reality, an empty playbook, people who believe at random."""
    reality = _coins((dimensions, companies), rng)
    playbook = np.zeros((dimensions, companies), dtype=np.int8)
    return Knowledge(reality, playbook, _opinions((people, dimensions, companies), rng))


def luck(knowledge: Knowledge, rates: Rates, rng: np.random.Generator) -> Luck:
    """Draw a period's chances."""
    shape = people, m, companies = knowledge.beliefs.shape
    leave = rng.random((people, companies)) < rates.turnover if rates.turnover else None
    return Luck(
        leave,
        None if leave is None else _opinions(shape, rng),
        rng.random((m, companies)) < rates.turbulence if rates.turbulence else None,
        _coins(shape, rng),
        rng.random(shape, dtype=np.float32) < rates.onboarding,
        rng.random((m, companies), dtype=np.float32),
    )


def step(knowledge: Knowledge, rates: Rates, luck: Luck) -> Knowledge:
    """One period: people leave, reality turns, all act, they learn from the playbook, it learns from how they acted."""
    reality, playbook, beliefs = knowledge.reality, knowledge.playbook, knowledge.beliefs
    if luck.leavers is not None and luck.newcomers is not None:
        beliefs = np.where(luck.leavers[:, None], luck.newcomers, beliefs)
    if luck.turns is not None:
        reality = np.where(luck.turns, -reality, reality)
    actions = np.where(beliefs == 0, luck.coins, beliefs)
    learned = _learn(playbook, _votes(actions, playbook, reality), rates.learning, luck.learns)
    return Knowledge(reality, learned, _take_over(beliefs, playbook, luck.takes_over))


def _votes(actions: Signs, playbook: Signs, reality: Signs) -> NDArray[np.int16]:
    """For less against, (m, companies), among those whose performance exceeds the playbook's score."""
    performance = (actions * reality).sum(axis=1, dtype=np.int16)
    superior = np.greater(performance, (playbook * reality).sum(axis=0, dtype=np.int16))
    return np.asarray((actions * superior[:, None]).sum(axis=0, dtype=np.int16))


def _learn(playbook: Signs, votes: NDArray[np.int16], rate: float, luck: NDArray[np.float32]) -> Signs:
    """The playbook moves to the majority's action with probability 1 - (1 - p2)^|votes|."""
    moves = luck < 1 - (1 - rate) ** np.abs(votes).astype(np.float32)
    return np.where(moves, np.sign(votes), playbook).astype(np.int8)


def _take_over(beliefs: Signs, playbook: Signs, takes: Flags) -> Signs:
    """One notch toward the playbook, where it says something."""
    return beliefs + np.sign(playbook - beliefs) * (takes & (playbook != 0))


def _coins(shape: tuple[int, ...], rng: np.random.Generator) -> Signs:
    return rng.integers(0, 2, shape, dtype=np.int8) * np.int8(2) - np.int8(1)


def _opinions(shape: tuple[int, ...], rng: np.random.Generator) -> Signs:
    return rng.integers(-1, 2, shape, dtype=np.int8)
