"""Whose turn it is, and whether there is still compute to spend. Pure functions of the state."""

from __future__ import annotations

import hashlib
import math

from company.state import State


def next_proposer(state: State) -> str | None:
    """The researcher's position that is due first by its share of the compute (stride scheduling); ties by the chart.

    A position is due 1/share of virtual time after it was last asked (Waldspurger and Weihl 1995). The share is the
    present one and nobody is due before the present, so that a new share counts from now on, also for who had none,
    and never settles old accounts.
    """
    there = (at_work(state) or state.passes) if state.away else state.passes
    return min(there, key=state.due_for_proposal, default=None)


def at_work(state: State) -> list[str]:
    """The researchers' positions that are asked for proposals while some wait for their models."""
    finished = state.proposals_finished
    pauses = ((position, state.agent_at(position).away) for position in state.passes)
    return [position for position, away in pauses if away is None or finished >= away.until]


def awaiting(state: State) -> int:
    """Proposals asked for or on their way that the budget does not count yet."""
    return _asked(state) + sum(not state.experiments[e].admitted for e in state.under_way)


def pipeline(state: State) -> int:
    """Experiments that hold a slot or will ask for one."""
    return _asked(state) + len(state.under_way)


def _asked(state: State) -> int:
    """Proposals that somebody is thinking about."""
    return [pending.task for pending in state.decisions.values()].count("propose")


def runs_left(state: State) -> float:
    """How many more full-length runs the budget holds, in fractions; 1e9 where nothing limits them."""
    budget = state.chart.budget
    left = 1e9 if budget.experiments is None else budget.experiments - state.admitted
    if budget.slot_seconds is not None:
        left = min(left, (budget.slot_seconds - state.admitted_cost) / state.brief["budget_seconds"])
    if state.models_spent:
        left = min(left, reserved(state))  # the finals need no model
    return max(0.0, left)


def budget_left(state: State) -> int:
    """How many more full-length experiments the budget allows; what early stops saved is there to be spent."""
    return int(runs_left(state) + 1e-9)


def reserved(state: State) -> int:
    """Runs that are kept for the finals (company/finals.py); none on a project without noise."""
    accept, budget = state.chart.policies.accept, state.chart.budget
    if not accept.finals or accept.rule == "greedy" or state.sigma <= 0:
        return 0
    runs = math.inf if budget.experiments is None else budget.experiments
    if budget.slot_seconds is not None:
        runs = min(runs, budget.slot_seconds / state.brief["budget_seconds"])
    return int(accept.finals * runs) if runs < math.inf else 0


def over(state: State) -> bool:
    """Whether nothing new will be begun: the budget is spent but for the finals, or the space is used up."""
    return budget_left(state) <= reserved(state) or exhausted(state)


def affords(state: State, cost: float) -> bool:
    """Whether the budget, less what is kept for the finals, allows one more run of this cost (slot-seconds)."""
    return budget_left(state) > reserved(state) and fits(state, cost)


def fits(state: State, cost: float) -> bool:
    """Whether the whole budget allows one more run of this cost (reference slot-seconds)."""
    limit = state.chart.budget.slot_seconds
    return budget_left(state) > 0 and (limit is None or state.admitted_cost + cost <= limit + 1e-9)


def budget_spent(state: State) -> float:
    """The share of the research budget that is committed, 0 to 1, by whichever limit is nearer."""
    budget = state.chart.budget
    share = state.admitted / budget.experiments if budget.experiments else 0.0
    if budget.slot_seconds:
        share = max(share, state.admitted_cost / budget.slot_seconds)
    return min(1.0, share)


def exhausted(state: State) -> bool:
    """Whether researchers keep proposing what was tried or turned down: the space has nothing new for them."""
    return state.dropped_in_a_row >= 20 + 5 * len(state.passes)


def training_seed(root: int, purpose: str, entity: str, n: int) -> int:
    """The seed of a training run, named by what it is for: the same world meets every organisation."""
    digest = hashlib.sha256(f"{root}/{purpose}/{entity}/{n}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
