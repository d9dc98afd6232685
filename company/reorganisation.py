"""Reorganising on evidence: what was seen, the edits that answer it, and a prediction that can be held against them.

Controls: never; random (a random legal edit at the same schedule); bottom (closes the worst team, beyond noise or
not). One revision at a time, so that what follows can be put down to it; what was undone is not tried again for long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from company.chart import OrgChart
from company.company_view import CompanyView, Z, team_worth
from company.edits import ClosePosition, Demote, Edit, EditError, MergeTeams, Move, SplitTeam
from company.payoff import Prediction
from company.policies import ReorganisePolicy
from company.revision import revise
from company.triggers import Alarm, dominated_teams, overlapping_teams, stagnation, wide_spans

QUIET = 4  # an undone change is left alone for so many times `undo_after` experiments
ENOUGH = 4  # researchers in a team that can be split for the sake of another view
TRIES = 20  # draws of the random control before it leaves things as they are
NOBODY_KNOWS = 0.5  # sd of the effect that a change without a reason may have, in worth per proposal

NAMES = (
    "fay", "gus", "lea", "max", "pia", "sam", "tess", "uma", "will", "yara", "zoe", "abe", "bea", "cal", "dora", "eli",
    "flo", "gil", "hal", "ida", "jan", "kit", "lou", "mia",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change of structure: what, about whom (`subject`), why, on which numbers, and what it should do by when."""

    edits: tuple[Edit, ...]
    subject: str
    because: str
    evidence: Mapping[str, Any]
    prediction: Prediction
    check_after: int


def propose(
    view: CompanyView, policy: ReorganisePolicy, rng: np.random.Generator, rule: str | None = None
) -> Proposal | None:
    """The change of structure that the evidence calls for now, or None. `rule` stands in for `policy.rule`."""
    return choose(view, policy, _RULES[rule or policy.rule](view, policy, rng))


def choose(view: CompanyView, policy: ReorganisePolicy, proposals: Iterable[Proposal]) -> Proposal | None:
    """The first that can be made now; None while an earlier change is on trial."""
    if any(past.outcome == "pending" for past in view.history):
        return None
    for proposal in proposals:
        if _allowed(view, policy, proposal) and possible(view, proposal.edits):
            return _dated(view, proposal)
    return None


def possible(view: CompanyView, edits: Sequence[Edit]) -> bool:
    """Whether the edits can be made."""
    try:
        revise(view.chart, edits, view.vacant)
    except EditError:
        return False
    return bool(edits)


def touched(edits: Sequence[Edit]) -> frozenset[str]:
    """The positions that edits name: `Past.touched`."""
    names: set[str] = set()
    for edit in edits:
        for key in ("position", "to", "manager", "into", "keep", "close"):
            value = getattr(edit, key, None)
            names.update([value] if isinstance(value, str) else value or ())
        names.update(getattr(edit, "members", ()))
        names.update(seat.id for seat in getattr(edit, "seats", ()))
    return frozenset(names)


def free_name(chart: OrgChart, taken: Sequence[str] = ()) -> str:
    """An id for a new position, unlike any that is or was in use."""
    used = {*(seat.id for seat in chart.positions), *taken}
    numbered = (f"lead{n}" for n in range(1, 10_000))
    return next(name for name in (*NAMES, *numbered) if name not in used)


def _allowed(view: CompanyView, policy: ReorganisePolicy, proposal: Proposal) -> bool:
    """No oscillation: nothing about what was undone in the last QUIET x undo_after, or touched in the last one."""
    named = touched(proposal.edits) - {view.chart.root}
    for past in view.history:
        age = view.order - past.at
        undone = past.outcome == "did not pay" and age < QUIET * policy.undo_after
        if undone and (past.subject == proposal.subject or named & past.touched):
            return False
        if age < 2 * policy.undo_after and named & past.touched:
            return False
    return True


def _never(view: CompanyView, policy: ReorganisePolicy, rng: np.random.Generator) -> Iterator[Proposal]:
    return iter(())


def _on_evidence(view: CompanyView, policy: ReorganisePolicy, rng: np.random.Generator) -> Iterator[Proposal]:
    """In the order of how sure one can be of the answer."""
    for alarm in wide_spans(view, policy.max_span):
        yield from _answer_span(view, policy, alarm)
    for alarm in dominated_teams(view):
        yield from _answer_dominated(view, policy, alarm)
    for alarm in overlapping_teams(view, rng):
        yield from _answer_overlap(view, policy, alarm)
    alarm = stagnation(view)
    if alarm is not None:
        yield from _answer_stagnation(view, policy, alarm)


def _answer_span(view: CompanyView, policy: ReorganisePolicy, alarm: Alarm) -> Iterator[Proposal]:
    """Half of the producing reports, every other one by worth, get a lead of their own."""
    manager = alarm.managers[0]
    reports = view.chart.reports(manager)
    ranked = sorted((r for r in reports if view.chart.position(r).role in ("researcher", "manager")), key=_rank(view))
    size = min(max(len(ranked) // 2, len(reports) + 1 - policy.max_span), policy.max_span, len(ranked) - 1)
    members = [*ranked[1::2], *reversed(ranked[::2])][: max(size, 0)]
    if len(members) < 2:
        return
    load = alarm.evidence["load"]
    after = load * (len(reports) - len(members) + 1) / len(reports)
    edit = SplitTeam(manager=manager, into=_new(view), members=_in_order(view, members))
    prediction = Prediction("judgements per 10 experiments", load, after, 0.75 * after, 1.25 * after)
    yield _proposal((edit,), policy, alarm, prediction)


def _answer_dominated(view: CompanyView, policy: ReorganisePolicy, alarm: Alarm) -> Iterator[Proposal]:
    manager = alarm.managers[0]
    edits = closing(view, manager)
    if edits:
        share = recent_share(view, [edit.position for edit in edits if isinstance(edit, ClosePosition)])
        gain, sd = share * alarm.evidence["gap"], share * alarm.evidence["gap_sd"]
        prediction = Prediction("worth per proposal", 0.0, gain, gain - Z * sd, gain + Z * sd)
        yield _proposal(edits, policy, alarm, prediction, {"share": share})


def closing(view: CompanyView, manager: str) -> tuple[Edit, ...]:
    """Closes a team: who is worth more than the others' mean moves to the best other team, the rest ends; empty for
    the root's team and where nobody would be left."""
    teams = view.teams()
    others = {m: team_worth(team, view.worth) for m, team in teams.items() if m != manager}
    if manager == view.chart.root or not others:
        return ()
    best = max(others, key=lambda m: w.mean if (w := others[m]) else 0.0)
    bar = max((w.mean for w in others.values() if w), default=0.0)
    good = [m for m in teams[manager] if m in view.worth and view.worth[m].n and view.worth[m].mean > bar]
    moves = [Move(position=member, to=best) for member in good]
    ends = [ClosePosition(position=member) for member in teams[manager] if member not in good]
    return (*moves, *ends, ClosePosition(position=manager))


def _answer_overlap(view: CompanyView, policy: ReorganisePolicy, alarm: Alarm) -> Iterator[Proposal]:
    """One team instead of two that look in the same places: they see each other's results from now on."""
    teams, chart = view.teams(), view.chart
    keep, close = sorted(alarm.managers, key=lambda m: (m != chart.root, -_mean(view, teams[m])))
    if len({*chart.reports(keep), *chart.reports(close)} - {close, keep}) > policy.max_span:
        return
    pair = [*teams[keep], *teams[close]]
    saved = alarm.evidence["share"] * recent_share(view, pair) / 2
    better = max(_mean(view, [name]) for name in pair) - _mean(view, pair)
    gain, half = saved * better, Z * saved * NOBODY_KNOWS
    prediction = Prediction("worth per proposal", 0.0, gain, gain - half, gain + half)
    yield _proposal((MergeTeams(keep=keep, close=close),), policy, alarm, prediction, {"saved": saved})


def _answer_stagnation(view: CompanyView, policy: ReorganisePolicy, alarm: Alarm) -> Iterator[Proposal]:
    """A second team in the largest one, that searches on its own; where all are small, the best of one team visits
    another (less contact keeps more ideas alive: Lazer and Friedman 2007; a change of place spreads the best)."""
    usual = alarm.evidence["usual"]
    prediction = Prediction("champion changes per 10 experiments", 0.0, usual / 2, 0.0, usual)
    teams = view.teams()
    apart = view.chart.communication in ("team", "chart")
    for manager, members in sorted(teams.items(), key=lambda item: -len(item[1])):
        if apart and len(members) >= ENOUGH:
            half = sorted(members, key=_rank(view))[1::2]
            edit = SplitTeam(manager=manager, into=_new(view), members=_in_order(view, half))
            yield _proposal((edit,), policy, alarm, prediction)
    ranked = sorted(teams, key=lambda m: -_mean(view, teams[m]))
    if len(ranked) > 1 and len(teams[ranked[0]]) > 1:
        star = min(teams[ranked[0]], key=_rank(view))
        yield _proposal((Move(position=star, to=ranked[-1]),), policy, alarm, prediction)


def _bottom(view: CompanyView, policy: ReorganisePolicy, rng: np.random.Generator) -> Iterator[Proposal]:
    teams = view.teams()
    for manager in sorted(teams, key=lambda m: _mean(view, teams[m])):
        edits = closing(view, manager)
        if edits:
            alarm = Alarm("bottom", (manager,), f"the control: the team of {manager} is last", {})
            yield _proposal(edits, policy, alarm, _no_idea())
            return


def _random(view: CompanyView, policy: ReorganisePolicy, rng: np.random.Generator) -> Iterator[Proposal]:
    for _ in range(TRIES):
        edit = _draw(view, rng)
        if edit is not None:
            alarm = Alarm("random", tuple(sorted(touched((edit,)))), "the control: a change drawn at random", {})
            yield _proposal((edit,), policy, alarm, _no_idea())


def _draw(view: CompanyView, rng: np.random.Generator) -> Edit | None:
    """One edit of the kinds that evidence may call for; it may turn out to be impossible."""
    seats, managers = [seat.id for seat in view.chart.positions], list(view.managers)
    if not managers:
        return None
    seat, one, other = str(rng.choice(seats)), str(rng.choice(managers)), str(rng.choice(managers))
    match int(rng.integers(5)):
        case 0:
            return Move(position=seat, to=one)
        case 1:
            team = [r for r in view.chart.reports(one) if rng.random() < 0.5]
            return SplitTeam(manager=one, into=_new(view), members=tuple(team)) if team else None
        case 2:
            return MergeTeams(keep=one, close=other)
        case 3:
            return Demote(position=one)
        case _:
            return ClosePosition(position=seat)


_RULES: dict[str, Callable[[CompanyView, ReorganisePolicy, np.random.Generator], Iterator[Proposal]]] = {
    "never": _never,
    "evidence": _on_evidence,
    "random": _random,
    "bottom": _bottom,
}


def _proposal(
    edits: Sequence[Edit], policy: ReorganisePolicy, alarm: Alarm, prediction: Prediction,
    more: Mapping[str, Any] | None = None,
) -> Proposal:  # fmt: skip
    subject = ":".join((alarm.trigger, ",".join(sorted(alarm.managers)))).rstrip(":")
    evidence = {"trigger": alarm.trigger, **alarm.evidence, **(more or {})}
    return Proposal(tuple(edits), subject, alarm.because, evidence, prediction, policy.undo_after)


def _dated(view: CompanyView, proposal: Proposal) -> Proposal:
    """With what the check will need to know of the moment of the change."""
    return replace(proposal, evidence={**proposal.evidence, "order": view.order, "reference": view.reference})


def _no_idea() -> Prediction:
    return Prediction("worth per proposal", 0.0, 0.0, -Z * NOBODY_KNOWS, Z * NOBODY_KNOWS)


def _new(view: CompanyView) -> str:
    return free_name(view.chart, sorted(name for past in view.history for name in past.touched))


def _mean(view: CompanyView, members: Sequence[str]) -> float:
    found = team_worth(members, view.worth)
    return found.mean if found else 0.0


def _rank(view: CompanyView) -> Callable[[str], tuple[float, str]]:
    return lambda name: (-view.worth[name].mean if name in view.worth else 0.0, name)


def _in_order(view: CompanyView, members: Sequence[str]) -> tuple[str, ...]:
    return tuple(seat.id for seat in view.chart.positions if seat.id in members)


def recent_share(view: CompanyView, positions: Sequence[str]) -> float:
    """Their share of the proposals of late: the last 24."""
    recent = view.window(view.order - 24, view.order)
    return sum(trial.position in positions for trial in recent) / len(recent) if recent else 0.0
