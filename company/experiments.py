"""How an experiment comes into being and into the queue, whatever it is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from company import events as ev
from company.entities import Experiment
from company.planning import affords
from company.state import State

if TYPE_CHECKING:
    from company.engine import Engine


def create(
    engine: Engine, purpose: str, config: Any, digest: str, seed: int, *, split: str = "validation",
    proposer: str | None = None, parent: str | None = None, predicted: float | None = None, reason: str = "",
    micro_batch: int | None = None, code: str = "",
) -> Experiment:  # fmt: skip
    """Create an experiment; whatever is not a proposal needs no review and goes straight to the queue.

    `digest` is the content hash of `config` and `code`.
    """
    state, project = engine.state, engine.project
    steps, cost = project.plan(config)
    experiment_id = next_id(state)
    position = state.seat_of(state.agents[proposer].position) if proposer else None
    engine.emit(
        ev.ExperimentCreated(
            experiment_id, purpose, dict(config), digest, seed, steps, cost, split, proposer,
            position, parent, predicted, reason, micro_batch, code,
        )
    )  # fmt: skip
    experiment = state.experiments[experiment_id]
    if purpose != "proposal":
        queue(engine, experiment, 1, micro_batch, None, reason)
    return experiment


def next_id(state: State) -> str:
    """The name of the experiment that is created next."""
    return f"e{len(state.experiments) + 1:04d}"


def queue(
    engine: Engine, experiment: Experiment, attempt: int, micro_batch: int | None, engineer: str | None, reason: str
) -> None:
    """Queue an experiment, or turn down a proposal whose budget went to a replication while it was being prepared."""
    state = engine.state
    if experiment.purpose == "proposal" and not experiment.admitted and not affords(state, experiment.cost):
        engine.emit(ev.ExperimentRefused(experiment.id, "the budget ended before it could run"))
        return
    engine.emit(ev.ExperimentQueued(experiment.id, attempt, micro_batch, state.device, engineer, reason))
