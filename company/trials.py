"""Hiring on trial: a replacement proves itself over some proposals before the one it replaced is let go for good.

The trial costs what its proposals cost, out of the budget like any others. Both ways are one transaction: either the
hire stays, or it goes and the former holder is back in the seat, with the next of the pool tried after it where there
is one. Nobody is tried for the same seat twice, so that trials end.

Not covered: trials of who proposes nothing (reviewers, engineers, managers: a person may replace them outright).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from company import events as ev
from company import lifecycle, management
from company.appraisal import difference
from company.entities import Agent
from company.staffing import candidate
from company.worth import everyone

if TYPE_CHECKING:
    from company.engine import Engine

EVEN = 0.5  # P(the hire is worth more) above which it stays: on a fair comparison the better one has the seat


def settle(engine: Engine) -> None:
    """End the trials that have had their proposals."""
    state = engine.state
    for replaced in list(state.trials.values()):
        hire = state.agents[replaced.hired]
        if hire.experiments >= replaced.trial:
            _end(engine, replaced, hire, state.agents[replaced.leaving])


def _end(engine: Engine, replaced: ev.AgentReplaced, hire: Agent, former: Agent) -> None:
    known = everyone(engine.state)
    new, old = known[hire.id], known[former.id]
    p = 1 - difference(engine.state.record.scores, hire.id, former.id).p_below
    passed = p > EVEN
    because = (
        f"after {hire.experiments} results on trial {hire.id} has worth {new.mean:+.2f} beside {old.mean:+.2f} of "
        f"{former.id}: P(worth more) {p:.0%}, over {EVEN:.0%} is needed"
    )
    evidence = {"p_better": p, "worth": new.mean, "low": new.low, "high": new.high, "n": new.evidence}
    stays, goes = (hire, former) if passed else (former, hire)
    before = list(engine.state.decisions.values())
    engine.emit(ev.TrialEnded(replaced.position, goes.id, stays.id, passed, replaced.by, because, evidence))
    for pending in before:
        if pending.id not in engine.state.decisions:
            lifecycle.ask_again(engine, pending)
    if not passed and candidate(engine.state, former.role) is not None:
        management.replace(engine, replaced.by, former, replaced.because)
