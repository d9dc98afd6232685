"""What an agent with a language model is equipped with: instructions, tools and settings, and the hash of all three."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from roles.brains.calls import parameters
from roles.brains.digest import one_line
from roles.intents import intents_for
from roles.role import Brain
from roles.roster import ROLES

MAX_PROGRAM = 16_000  # characters of a project's research brief that agents are told
ADVICE = 5  # pieces of advice that are told, the latest


def instructions(role: str, mission: str = "", program: str = "", advice: Sequence[str] = ()) -> str:
    """The system prompt: the role's, the company's mission, the person's research brief, and what a manager advised."""
    parts = [ROLES[role].prompt]
    if mission:
        parts.append(f"## The company's mission\n\n{mission.strip()}")
    if program:
        parts.append(f"## The research brief\n\n{program.strip()[:MAX_PROGRAM]}")
    if advice:
        told = "\n".join(f"- {one_line(piece, 500)}" for piece in advice[-ADVICE:])
        parts.append(f"## What your manager advises\n\n{told}")
    return "\n\n".join(parts)


def harness_hash(role: str, brain: Brain, prompt: str) -> str:
    """The hash of a harness: its prompt, the tools of its role with their schemas, the settings of its brain."""
    tools = {
        intent.kind(): [intent.__doc__, parameters(intent)]
        for task in ROLES[role].tasks
        for intent in intents_for(task)
    }
    whole = {"prompt": prompt, "tools": tools, "brain": {"kind": brain.kind, **brain.params}}
    return hashlib.sha256(json.dumps(whole, sort_keys=True, default=str).encode()).hexdigest()[:16]
