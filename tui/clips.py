"""What goes to the clipboard: an agent's line, an experiment's config. One kind of text a tab. No Textual here."""

from __future__ import annotations

import json

from company.brain_words import brain_words
from company.snapshot import Snapshot
from company.standing import doing
from company.wording import count, plain
from tui.desk import Desk


def clip(tab: str, desk: Desk) -> str:
    """What is copied on a tab, "" where the tab says so itself."""
    if tab in ("org", "agents"):
        return agent_clip(desk.shot, desk.agent)
    return experiment_clip(desk.shot, desk.experiment) if tab == "experiments" else ""


def experiment_clip(shot: Snapshot, id: str) -> str:
    """An experiment's config as JSON, as its script gets it; "" where there is none."""
    found = shot.state.experiments.get(id)
    return json.dumps(dict(found.config), indent=2) if found is not None else ""


def agent_clip(shot: Snapshot, id: str) -> str:
    """An agent in one line: who, what, since when, how it stands."""
    state, agent = shot.state, shot.state.agents.get(id)
    if agent is None:
        return ""
    brain = brain_words(agent.brain.kind, agent.brain.params) or "policy"
    who = f"{plain(agent.id, 60)}: {agent.role}, {brain}, {agent.status}"
    worth = shot.worth(agent)
    parts = [f"score {worth.mean:+.2f} ({worth.low:+.2f} to {worth.high:+.2f})"] if worth else []
    if agent.role == "researcher":
        parts.append(f"{count(agent.experiments, 'experiment')}, {agent.failed} failed")
    parts += [plain(doing(state).get(agent.id, "waits"), 80)] if agent.status != "left" else []
    return "; ".join([who, *parts])
