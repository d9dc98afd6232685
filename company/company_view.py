"""What decisions about structure rest on: the chart, measured worth, finished proposals and earlier revisions.

A view is plain data, so that a person can build one in a REPL and a test can plant the truth; `view_of` fills one
from the state. The clock throughout is `order`: how many proposals had finished.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from company.appraisal import Posterior, Z
from company.chart import OrgChart
from company.contribution import unit_of
from company.entities import NOBODYS_FAULT
from company.state import State

Standing = Literal["pending", "paid", "did not pay"]


@dataclass(frozen=True, slots=True)
class Worth:
    """Posterior worth in compressed sigmas a proposal, with its 90 % interval and its evidence; `shared` is the sd of
    the error that it has in common with all others, and that cancels between two of them."""

    mean: float
    low: float
    high: float
    n: int
    shared: float = 0.0

    @property
    def sd(self) -> float:
        return (self.high - self.low) / (2 * Z)


@dataclass(frozen=True, slots=True)
class Trial:
    """One finished proposal: when, whose, where in the unit cube, and its loss (None: it failed by its own doing)."""

    order: int
    position: str
    unit: tuple[float, ...]
    loss: float | None


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier revision: what it was about, which positions it named, when, and what came of it."""

    number: int
    subject: str
    touched: frozenset[str]
    at: int
    outcome: Standing


@dataclass(frozen=True, slots=True)
class CompanyView:
    """The organisation and its evidence at one moment.

    `worth` by researcher position; `meetings` by manager position: plans and appraisals so far; `champions`: orders
    at which a new champion was found; `trials` in order; `unit` what losses are measured in (sigma);
    `reference` the champion's loss.
    """

    chart: OrgChart
    order: int
    worth: Mapping[str, Worth] = field(default_factory=dict)
    meetings: Mapping[str, int] = field(default_factory=dict)
    trials: Sequence[Trial] = ()
    champions: Sequence[int] = ()
    history: Sequence[Past] = ()
    vacant: frozenset[str] = frozenset()
    unit: float = 1.0
    reference: float | None = None

    def teams(self) -> dict[str, tuple[str, ...]]:
        """Each manager with researchers among its direct reports, and those."""
        chart = self.chart
        found = {m: tuple(r for r in chart.reports(m) if chart.position(r).role == "researcher") for m in self.managers}
        return {manager: members for manager, members in found.items() if members}

    @property
    def managers(self) -> tuple[str, ...]:
        return self.chart.managers_top_down()

    def window(self, after: int, until: int) -> list[Trial]:
        """Trials with after < order <= until."""
        return [trial for trial in self.trials if after < trial.order <= until]

    def load(self, manager: str, meetings: int = 0, since: int = 0) -> float:
        """Judgements a manager makes per 10 experiments: meetings since then, times the reports judged in each."""
        span = len(self.chart.reports(manager))
        return 10.0 * span * (self.meetings.get(manager, 0) - meetings) / max(1, self.order - since)


def team_worth(members: Sequence[str], worth: Mapping[str, Worth]) -> Worth | None:
    """A team's worth a proposal: its members weighted by their evidence; None without any evidence."""
    known = [worth[name] for name in members if name in worth and worth[name].n]
    n = sum(w.n for w in known)
    if not n:
        return None
    mean = sum(w.n * w.mean for w in known) / n
    shared = known[0].shared
    half = Z * math.sqrt(shared**2 + sum(w.n**2 * max(0.0, w.sd**2 - shared**2) for w in known) / n**2)
    return Worth(mean, mean - half, mean + half, n, shared)


def gap_sd(one: Worth, other: Worth) -> float:
    """The sd of the difference of two worths."""
    return math.sqrt(max(0.0, one.sd**2 + other.sd**2 - 2 * one.shared * other.shared))


def view_of(state: State, worth: Mapping[str, Posterior], history: Sequence[Past] = ()) -> CompanyView:
    """The view of a company as it stands; `worth` by researcher position. What was nobody's fault is left out."""
    trials = _trials(state)
    held = {seat.id: state.agents[state.holder[seat.id]] for seat in state.chart.positions if seat.id in state.holder}
    return CompanyView(
        chart=state.chart,
        order=len(trials),
        worth={name: Worth(w.mean, w.low, w.high, w.evidence, w.parts.get("shared", 0.0)) for name, w in worth.items()},
        meetings={name: _meetings(state, agent.id) for name, agent in held.items() if agent.role == "manager"},
        trials=tuple(trials.values()),
        champions=tuple(
            trial.order for name, trial in trials.items() if state.experiments[name].standing == "champion"
        ),
        history=tuple(history),
        vacant=frozenset(seat.id for seat in state.chart.positions if seat.id not in held),
        unit=unit_of(state.sigma, state.loss(state.baseline_mean or 0.0)),
        reference=state.champion.loss if state.champion else None,
    )


def _meetings(state: State, agent: str) -> int:
    return sum(state.turns.get((agent, task), 0) for task in ("plan", "appraise"))


def _trials(state: State) -> dict[str, Trial]:
    done = [
        e for e in state.experiments.values() if e.purpose == "proposal" and e.status in ("ok", "failed", "stopped")
    ]
    counted = [e for e in done if e.failure not in NOBODYS_FAULT]
    counted.sort(key=lambda e: (e.finished_at or 0.0, int(e.id[1:])))
    return {
        e.id: Trial(n, e.position or "", e.unit, None if e.metric is None else state.loss(e.metric))
        for n, e in enumerate(counted, 1)
    }
