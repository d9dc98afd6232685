"""The levels of the sandbox as plain facts: their order, what they mean, and what may run at which."""

from __future__ import annotations

from typing import Literal, get_args

Level = Literal["strict", "standard", "degraded", "none"]
Wanted = Literal["auto", "strict", "standard", "degraded", "none"]
LEVELS: tuple[Level, ...] = get_args(Level)  # best first

ABOUT: dict[Level, str] = {
    "strict": "as standard, with Landlock inside and fewer system calls: unix sockets only, no files in memory",
    "standard": "bubblewrap: own mounts, processes, network and ipc; seccomp; no capabilities",
    "degraded": "Landlock and seccomp: no other files, no sockets, no signals to others; one process tree",
    "none": "limits, a clean environment and whole-tree kill, as the same user: nothing keeps code from your files",
}
LEAST_FOR_AGENT_CODE: Level = "degraded"


def at_least(level: Level, least: Level) -> bool:
    """Whether `level` is as good as `least`, or better."""
    return LEVELS.index(level) <= LEVELS.index(least)


def may_run_agent_code(level: Level, allow_unsandboxed: bool = False) -> str | None:
    """None where code written by a language model may run at this level, else one line that says why not.

    Offline brains only choose settings of code that the person owns: they need not ask.
    """
    if allow_unsandboxed or at_least(level, LEAST_FOR_AGENT_CODE):
        return None
    return (
        f"sandbox level '{level}' is not enough for code that a language model wrote: run 'loopworks doctor' to see"
        " what to install, or accept the risk with --allow-unsandboxed"
    )
