"""A role: its duties, the tasks it decides on, and the policy that decides when no language model does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from roles.intents import Intent
from roles.observation import Observation


@dataclass(frozen=True, slots=True)
class Brain:
    """What decides for an agent, as the chart names it: a kind and its settings."""

    kind: str
    params: Mapping[str, Any] = field(default_factory=dict)


Policy = Callable[[Observation, Brain], list[Intent]]


@dataclass(frozen=True, slots=True)
class Role:
    """Duties (one sentence for a screen), prompt (for a model), tasks, and the offline policy."""

    name: str
    duties: str
    prompt: str
    tasks: tuple[str, ...]
    default_brain: str
    policy: Policy
