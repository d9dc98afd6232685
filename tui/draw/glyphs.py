"""A glyph beside every colour, so that nothing is said by colour alone."""

from __future__ import annotations

from company.entities import Agent, Experiment

ROLE = {"manager": "◆", "researcher": "●", "engineer": "▲", "reviewer": "■"}
TONE = {"good": ("★", "good"), "bad": ("✗", "bad"), "warn": ("!", "warn"), "people": ("◆", "manager")}
STATUS = {
    "proposed": ("…", "muted", "under review"),
    "building": ("…", "muted", "being built"),
    "queued": ("○", "muted", "queued"),
    "running": ("▸", "busy", "running"),
    "repairing": ("!", "warn", "repairing"),
    "ok": ("✓", "good", "ok"),
    "failed": ("✗", "bad", "failed"),
    "stopped": ("◌", "warn", "stopped"),
    "refused": ("−", "muted", "refused"),
}
PLACE = {"probation": ("!", "warn"), "trial": ("◔", "warn"), "left": ("×", "muted")}
STANDING = {"champion": ("★", "good"), "rejected": ("☆", "muted"), "replicating": ("≈", "busy")}


def role(name: str) -> tuple[str, str]:
    """Glyph and colour of a role."""
    return ROLE.get(name, "?"), name if name in ROLE else ""


def status(experiment: Experiment) -> tuple[str, str, str]:
    """Glyph, colour and word of how an experiment stands."""
    return STATUS.get(experiment.status, ("?", "", experiment.status))


def standing(experiment: Experiment) -> tuple[str, str]:
    """Glyph and colour of a candidate's standing; blank where there is none."""
    return STANDING.get(experiment.standing, (" ", ""))


def seat(agent: Agent) -> tuple[str, str]:
    """Glyph and colour of an agent: its role, unless it is on probation, on trial or gone."""
    return place(agent.role, agent.status)


def place(role_name: str, status: str) -> tuple[str, str]:
    """Glyph and colour of whoever has a role and a status."""
    return PLACE.get(status) or role(role_name)
