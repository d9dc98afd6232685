"""What the company does for agents with language models: a harness of a known version, a pause when nobody answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from company import events as ev
from company.taming import clean
from roles.harness import harness_hash, instructions

if TYPE_CHECKING:
    from company.engine import Engine

PAUSE = 4  # finished proposals of others before it is tried again; doubled by each time that did not help
LONGEST = 64


def equip(engine: Engine) -> None:
    """Record the harness of everyone who was hired, coached or given another role."""
    state = engine.state
    for name, because in list(state.unversioned.items()):
        agent = state.agents[name]
        prompt = instructions(agent.role, state.chart.mission, engine.program, agent.advice)
        found = harness_hash(agent.role, agent.brain, prompt)
        before = agent.harness
        version = before.version + (before.hash != found) if before else 1
        engine.emit(ev.HarnessVersioned(name, version, found, clean(prompt, 40_000), because))


def heed(engine: Engine, name: str, outage: str, budget: str, problem: bool) -> None:
    """What a decision says of the models behind it: a server that is out or back, a budget that is gone."""
    state = engine.state
    agent = state.agents[name]
    if budget and not state.models_spent:
        engine.emit(ev.ModelBudgetSpent(clean(budget)))
    if outage:
        if agent.away is None or state.proposals_finished >= agent.away.until:
            wait = min(LONGEST, PAUSE * 2**agent.outages)
            engine.emit(ev.AgentPaused(name, clean(outage), state.proposals_finished + wait))
    elif agent.away is not None and not problem:
        engine.emit(ev.AgentReturned(name))
