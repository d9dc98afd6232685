"""What calls for a reorganisation: four looks at the evidence, each of which is silent far more often than not. Pure.

| trigger    | fires when                                                           | false alarms a look          |
| ---------- | -------------------------------------------------------------------- | ---------------------------- |
| span       | a manager who does judge has more reports than `max_span`            | none: both are counted       |
| overlap    | two teams' configs lie nearer than shifted ones do                   | at most ALPHA over all pairs |
| dominated  | P(a team is worth less than the rest) beyond 1 - ALPHA / teams       | at most about ALPHA          |
| stagnation | no champion change in long, against a rate that is known to slow     | at most about ALPHA          |

Together they are wrong in at most about one look in twenty.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from company.appraisal import STANDARD
from company.company_view import CompanyView, Worth, gap_sd, team_worth
from company.overlap import SHIFTS, overlap

ALPHA = 0.05 / 3  # three triggers that can be wrong share a look's 5 %
WINDOW = 48  # experiments that an overlap is looked for in: who met long ago may have parted
LEAST_CONFIGS = 8  # of each team, below which an overlap says nothing
LEAST_RESULTS = 8  # of a team, below which it is not dominated but unknown
LEAST_CHANGES = 2  # of the champion, below which nobody knows what is usual


@dataclass(frozen=True, slots=True)
class Alarm:
    """What was seen: the kind of trigger, the managers it is about, why in words, and the numbers."""

    trigger: str
    managers: tuple[str, ...]
    because: str
    evidence: Mapping[str, Any]


def wide_spans(view: CompanyView, max_span: int) -> list[Alarm]:
    """Managers with more reports than they can decide for, the widest first."""
    wide = [m for m in view.managers if len(view.chart.reports(m)) > max_span and view.meetings.get(m, 0) > 0]
    return [_wide(view, m, max_span) for m in sorted(wide, key=lambda m: -len(view.chart.reports(m)))]


def _wide(view: CompanyView, manager: str, max_span: int) -> Alarm:
    span, load = len(view.chart.reports(manager)), view.load(manager)
    because = (
        f"{manager} decides for {span} reports, {load:.1f} judgements per 10 experiments; {max_span} are its limit"
    )
    numbers = {"manager": manager, "span": span, "max_span": max_span, "load": load}
    return Alarm("span", (manager,), because, numbers | {"meetings": view.meetings[manager]})


def overlapping_teams(view: CompanyView, rng: np.random.Generator) -> list[Alarm]:
    """Pairs of teams that search the same places beyond chance, the clearest first."""
    recent = view.window(view.order - WINDOW, view.order)
    configs = {m: [t.unit for t in recent if t.position in team] for m, team in view.teams().items()}
    pairs = list(combinations([m for m, units in configs.items() if len(units) >= LEAST_CONFIGS], 2))
    shifts = max(SHIFTS, 3 * math.ceil(len(pairs) / ALPHA))  # or no p could be small enough
    found = [(overlap(configs[one], configs[other], rng, shifts), one, other) for one, other in pairs]
    return [
        Alarm(
            "overlap", (one, other),
            f"the teams of {one} and {other} search the same places: {seen.share:.0%} of their configs lie as near to "
            f"one of the other team as to their own (distance {seen.distance:.2f}, by chance {seen.chance:.2f}, "
            f"p {seen.p:.3f})",
            {"distance": seen.distance, "chance": seen.chance, "share": seen.share, "p": seen.p},
        )
        for seen, one, other in sorted(found, key=lambda f: (f[0].p, -f[0].share))
        if seen.p < ALPHA / len(pairs)
    ]  # fmt: skip


def dominated_teams(view: CompanyView) -> list[Alarm]:
    """Teams whose worth lies under that of all others together, the surest first."""
    teams = view.teams()
    alarms = []
    for manager, members in teams.items():
        others = [name for other, team in teams.items() if other != manager for name in team]
        own, rest = team_worth(members, view.worth), team_worth(others, view.worth)
        if own is None or rest is None or min(own.n, rest.n) < LEAST_RESULTS:
            continue
        p = p_worse(own, rest)
        if p > 1 - ALPHA / len(teams):
            alarms.append(_dominated(manager, own, rest, p))
    return sorted(alarms, key=lambda alarm: -alarm.evidence["p"])


def p_worse(one: Worth, other: Worth) -> float:
    """P(one is worth less than the other), both normal."""
    sd = gap_sd(one, other)
    return STANDARD.cdf((other.mean - one.mean) / sd) if sd else float(one.mean < other.mean)


def _dominated(manager: str, own: Worth, rest: Worth, p: float) -> Alarm:
    because = (
        f"the team of {manager} is worth {own.mean:+.2f} a proposal ({own.low:+.2f} to {own.high:+.2f}, n {own.n}), "
        f"the others {rest.mean:+.2f}; P(worse) {p:.0%}"
    )
    numbers = {"worth": own.mean, "low": own.low, "high": own.high, "n": own.n, "rest": rest.mean, "p": p}
    apart = {"gap": rest.mean - own.mean, "gap_sd": gap_sd(own, rest)}
    return Alarm("dominated", (manager,), because, numbers | apart)


def stagnation(view: CompanyView) -> Alarm | None:
    """No champion change in long against what was usual.

    Finds become rarer as search goes on: the n-th of equal draws is the best so far with probability 1/n (Renyi 1962),
    so that changes come at a steady rate in log(n). That rate has a Gamma(1, 1) prior; p is the predictive probability
    of a wait at least as long as this one.
    """
    changes = [order for order in view.champions if order > 0]
    if len(changes) < LEAST_CHANGES or view.order <= changes[-1]:
        return None
    seen, waited = math.log(changes[-1]), math.log(view.order / changes[-1])
    p = ((seen + 1) / (seen + 1 + waited)) ** (len(changes) + 1)
    if p >= ALPHA:
        return None
    since = view.order - changes[-1]
    because = f"no new champion in {since} experiments, after {len(changes)} in the first {changes[-1]}; p {p:.3f}"
    usual = 10 * len(changes) / view.order
    return Alarm("stagnation", (), because, {"since": since, "changes": len(changes), "p": p, "usual": usual})
