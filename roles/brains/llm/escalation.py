"""When the strong model is worth its price: evidence in the observation, and nothing else."""

from __future__ import annotations

from roles.brains.llm.settings import Rules
from roles.observation import Observation


def needs_strong(observation: Observation, rules: Rules) -> str | None:
    """Why this decision is for the strong model, in a few words; None for routine.

    - `propose`: every `discards`-th result of the agent in a row that did not beat the best one known before it;
    - `repair`: a run that was repaired `repairs` times and failed again;
    - `verdict`: a result better than the champion by more than the noise, a champion candidate;
    - any decision about an experiment over which reviewers disagreed.
    """
    subject = observation.subject
    if subject is None:
        wasted = discards(observation) if observation.task == "propose" and rules.discards else 0
        due = wasted > 0 and wasted % rules.discards == 0
        return f"{wasted} results in a row were no progress" if due else None
    if observation.task == "repair" and rules.repairs and subject.attempt > rules.repairs:
        return f"repaired {subject.attempt - 1} times and failed again"
    champion = observation.champion
    if observation.task == "verdict" and rules.candidate and subject.loss is not None and champion is not None:
        gain = champion.loss - subject.loss
        if gain > observation.sigma:
            return "a champion candidate"
    if rules.disagreement and len(set(subject.votes)) > 1:
        return "reviewers disagree"
    return None


def discards(observation: Observation) -> int:
    """How many of the agent's latest results in a row did not beat the best that was known before each."""
    best, streak = float("inf"), 0
    for result in observation.history:
        better = result.loss is not None and result.loss < best
        if result.proposer == observation.agent and result.purpose == "proposal":
            streak = 0 if better else streak + 1
        if better and result.loss is not None:
            best = result.loss
    return streak
