"""The researcher: proposes what to run next, with a reason and a prediction."""

from __future__ import annotations

from roles.brains.offline import suggest
from roles.intents import Intent, Patch, Propose
from roles.observation import Observation
from roles.prompts import prompt
from roles.role import Brain, Role


def decide(observation: Observation, brain: Brain) -> list[Intent]:
    """One proposal: what the chart wants tried first, then from the agent's brain, which has none when every config of
    the space has been tried.

    A brain predicts a loss; a proposal states the metric itself.
    """
    if observation.start is not None:
        return [Propose(config=observation.start, reason=f"did well before: {observation.start_origin or 'the chart'}")]
    found = suggest(brain.kind, brain.params, observation, observation.rng("propose"))
    if found is None:
        return []
    predicted = None if found.predicted is None else observation.metric.sign * found.predicted
    if found.patch:
        return [Patch(patch=found.patch, predicted=predicted, reason=found.reason)]
    return [Propose(config=found.config, predicted=predicted, reason=found.reason)]


RESEARCHER = Role(
    name="researcher",
    duties="Proposes experiments, each with a reason and the metric it expects.",
    prompt=prompt("researcher"),
    tasks=("propose",),
    default_brain="tpe",
    policy=decide,
)
