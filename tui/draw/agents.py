"""The rows of the agents' table: a score never without its interval and its evidence."""

from __future__ import annotations

from collections.abc import Callable

from company.brain_words import brain_words
from company.entities import Agent
from company.snapshot import Snapshot
from company.standing import doing
from company.wording import plain
from tui.draw import glyphs
from tui.draw.ink import Line, Span, brief, fit, said, sparks
from tui.draw.worth import SPAN, scale, worth_style

Sort = Callable[[Snapshot, Agent], tuple[bool, float | str]]

SCALE = f"-{SPAN:g} … +{SPAN:g}"  # the heading of the column of intervals
BRAIN = 10  # cells of a brain: of a model its own name fits, and its provider stands on the page
ROLES = ("manager", "researcher", "engineer", "reviewer")


def _worth(shot: Snapshot, agent: Agent) -> float | None:
    found = shot.worth(agent)
    return found.mean if found else None


ORDERS: dict[str, Sort] = {
    "chart": lambda shot, a: (a.status == "left", ""),
    "weakest": lambda shot, a: ((worth := _worth(shot, a)) is None, worth or 0.0),
    "strongest": lambda shot, a: ((worth := _worth(shot, a)) is None, -(worth or 0.0)),
    "role": lambda shot, a: (False, f"{ROLES.index(a.role) if a.role in ROLES else 9}"),
    "most runs": lambda shot, a: (False, -a.experiments),
}


def header(room: int) -> Line:
    """The head of the table."""
    spans = [(fit(name, size, right) + " ", "muted") for name, size, right in _columns(room)]
    left = room - 2 - sum(len(text) for text, _ in spans)
    return (("  ", ""), *spans, (fit("now" if left > 4 else "", max(0, left)), "muted"))


def row(shot: Snapshot, id: str, room: int) -> Line:
    """An agent in one line."""
    agent = shot.state.agents[id]
    glyph, colour = glyphs.seat(agent)
    spans: list[Span] = [(f"{glyph} ", f"{colour} b")]
    values = _values(shot, agent)
    for name, size, right in _columns(room):
        if name == SCALE:
            worth = shot.worth(agent)
            shown = scale((worth.mean, worth.low, worth.high), size) if worth else ((" " * size, ""),)
            spans += [*shown, (" ", "")]
            continue
        text, style = values[name]
        spans.append((fit(text, size, right) + " ", style))
    left = room - sum(len(text) for text, _ in spans)
    task = "has left" if agent.status == "left" else plain(doing(shot.state).get(agent.id, "waits"), 60)
    return (*spans, (said(task, max(0, left)), "busy" if task not in ("waits", "has left") else "faint"))


def _columns(room: int) -> list[tuple[str, int, bool]]:
    found = [("agent", 10, False), ("role", 10, False), ("score", 6, True), ("of runs", 7, True)]
    if room >= 54:
        found.insert(3, (SCALE, 13, False))
    if room >= 66:
        found.insert(2, ("brain", BRAIN, False))
    if room >= 84:
        found += [("beat", 8, False), ("failed", 6, True), ("slot time", 9, True)]
    return found


def _values(shot: Snapshot, agent: Agent) -> dict[str, tuple[str, str]]:
    worth = shot.worth(agent)
    researcher = agent.role == "researcher"
    shown = (f"{worth.mean:+.2f}", worth_style((worth.mean, worth.low, worth.high))) if worth else ("", "faint")
    brain = brain_words(agent.brain.kind, agent.brain.params, BRAIN)
    return {
        "agent": (agent.id, "muted" if agent.status == "left" else "strong"),
        "role": (agent.role, agent.role if agent.role in ROLES else ""),
        "brain": (brain, "muted"),
        "score": shown,
        "of runs": (str(agent.experiments) if researcher else "", "text"),
        "beat": (sparks(agent.outcomes, 8, 0.0, 1.0), "busy"),
        "failed": (str(agent.failed) if researcher else "", "bad" if agent.failed else "muted"),
        "slot time": (brief(agent.cost) if researcher else "", "muted"),
    }
