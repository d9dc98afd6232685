"""An employee decides: the one door between the company and any brain, optimiser or model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from roles.intents import Intent
from roles.observation import Observation
from roles.role import Brain
from roles.roster import ROLES


@dataclass(frozen=True, slots=True)
class Decision:
    """What an employee decided. `problem` says why the offline policy had to answer instead of its brain."""

    intents: tuple[Intent, ...]
    problem: str = ""
    tokens: int = 0


class Employee(Protocol):
    """Whoever holds a position. `decide` may be slow; it never carries anything out."""

    agent: str

    async def decide(self, observation: Observation) -> Decision: ...

    async def close(self) -> None: ...


def decide_offline(role: str, brain: Brain, observation: Observation) -> list[Intent]:
    """The offline policy's decision: a pure function of the observation."""
    return ROLES[role].policy(observation, brain)


class DirectEmployee:
    """Calls the role's offline policy without AutoGen in between (headless batches, the parity test)."""

    def __init__(self, agent: str, role: str, brain: Brain) -> None:
        self.agent, self.role, self.brain = agent, role, brain

    async def decide(self, observation: Observation) -> Decision:
        return Decision(tuple(decide_offline(self.role, self.brain, observation)))

    async def close(self) -> None:
        return None
