"""Who is behind each result, and who is credited with the gains that were confirmed: along the whole chain. Pure.

The split is that of company/contribution.py: equal parts for the proposer and for everyone else who was pivotal. Credit
is for reports; no decision rests on it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from company.contribution import Score, contribution, credit
from company.entities import Experiment
from company.record import Work
from company.scorecards import complied
from company.state import State


@dataclass(frozen=True, slots=True)
class Credit:
    """One result: `shares` sum to one.

    `gain` over the champion before it, in sigmas, None where none was confirmed; `contribution` above the others of its
    block, in compressed sigmas, None where nobody else had a result in it.
    """

    shares: Mapping[str, float]
    gain: float | None = None
    contribution: float | None = None


@dataclass(frozen=True, slots=True)
class Credits:
    """`results` by experiment; `gained`: agent -> confirmed gain that it is credited with, in sigmas."""

    results: Mapping[str, Credit]
    gained: Mapping[str, float]

    @property
    def total(self) -> float:
        """All confirmed gains of the company, in sigmas."""
        return sum(found.gain or 0.0 for found in self.results.values())


def credits_of(state: State) -> Credits:
    """The credit for every scored or confirmed result of a company."""
    record = state.record
    blocks: dict[int, list[Score]] = defaultdict(list)
    for score in record.scores:
        blocks[score.block].append(score)
    above = {score.experiment: contribution(score, blocks[score.block]) for score in record.scores}
    results, gained = {}, dict.fromkeys(state.agents, 0.0)
    for name in {**above, **record.confirmed}:
        e, work = state.experiments[name], record.work[name]
        shares = credit(e.proposer or "", pivotal(state, e, work))
        results[name] = Credit(shares, record.confirmed.get(name), above.get(name))
        for agent, share in shares.items():
            gained[agent] += share * record.confirmed.get(name, 0.0)
    return Credits(results, gained)


def pivotal(state: State, e: Experiment, work: Work) -> frozenset[str]:
    """Everyone beside the proposer without whom there would be no such result."""
    people = {
        work.repaired_by if e.status == "ok" else None,
        work.judge if e.id in state.record.confirmed and _against_the_screen(state, e, work) else None,
        work.manager if complied(state, e, work) else None,
    }
    return frozenset(person for person in people if person is not None)


def _against_the_screen(state: State, e: Experiment, work: Work) -> bool:
    """Whether a verdict had a run repeated that the chart's own rule would have left alone."""
    rival = bisect_right(state.trail, e.finished_at or 0.0, key=lambda at: at[0])
    if work.verdict != "promising" or e.metric is None or rival == 0:
        return False
    gain = state.loss(state.trail[rival - 1][1]) - state.loss(e.metric)
    return gain <= state.chart.policies.accept.screen * state.sigma
