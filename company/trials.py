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
from company.appraisal import INTERVAL, STANDARD, Posterior, posterior
from company.staffing import candidate
from company.state import Agent

if TYPE_CHECKING:
    from company.engine import Engine

Z = STANDARD.inv_cdf(0.5 + INTERVAL / 2)
EVEN = 0.5  # P(the hire is worth more) above which it stays: on a fair comparison the better one has the seat


def settle(engine: Engine) -> None:
    """End the trials that have had their proposals."""
    state = engine.state
    for replaced in list(state.trials.values()):
        hire = state.agents[replaced.hired]
        if hire.experiments >= replaced.trial:
            _end(engine, replaced, hire, state.agents[replaced.leaving])


def p_better(hire: Posterior, former: Posterior) -> float:
    """The probability that the hire is worth more than the one whom it is to replace."""
    sd = ((hire.high - hire.low) ** 2 + (former.high - former.low) ** 2) ** 0.5 / (2 * Z)
    return STANDARD.cdf((hire.mean - former.mean) / sd)


def _end(engine: Engine, replaced: ev.AgentReplaced, hire: Agent, former: Agent) -> None:
    new, old = posterior(hire.scores), posterior(former.scores)
    p = p_better(new, old)
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
