"""An employee decides: the one door between the company and any brain, optimiser or model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from roles.brains.llm.settings import offline_of
from roles.intents import Intent
from roles.observation import Observation
from roles.role import Brain
from roles.roster import ROLES


@dataclass(frozen=True, slots=True)
class Decision:
    """What an employee decided. `problem` says why the offline policy had to answer instead of its brain.

    `outage` says that its model's server is out, `budget` that the money for models is gone; `measured` is what a
    model's answer took: tokens, US dollars, seconds, which model and why that one.
    """

    intents: tuple[Intent, ...]
    problem: str = ""
    tokens: int = 0
    outage: str = ""
    budget: str = ""
    measured: Mapping[str, Any] = field(default_factory=dict)


class Employee(Protocol):
    """Whoever holds a position. `decide` may be slow; it never carries anything out."""

    agent: str

    async def decide(self, observation: Observation) -> Decision: ...

    async def close(self) -> None: ...


def decide_offline(role: str, brain: Brain, observation: Observation) -> list[Intent]:
    """The offline policy's decision, that of a model's offline brain too: a pure function of the observation."""
    found = ROLES[role]
    return found.policy(observation, offline_of(brain, found.default_brain))


class DirectEmployee:
    """Calls the role's offline policy without AutoGen in between (headless batches, the parity test)."""

    def __init__(self, agent: str, role: str, brain: Brain) -> None:
        self.agent, self.role, self.brain = agent, role, brain

    async def decide(self, observation: Observation) -> Decision:
        return Decision(tuple(decide_offline(self.role, self.brain, observation)))

    async def close(self) -> None:
        return None
