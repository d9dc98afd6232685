"""Who leads, in a live company: the promotion policy on the chart's schedule, each as a revision that is checked. Pure.

Two occasions: a manager's seat below the root, where merit may change two places or end a term, and a seat that a
split opens, which a promotion may fill instead of a hire. What a manager is worth is what its split of the compute
gave over an equal one since it took the seat, shrunk; how far research skill carries over is folded from the
promotions whose check has measured both sides.

Not covered: promotions that a person orders (they are held against nothing); promotion to the root.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from company import events as ev
from company.allocation import judge_split
from company.appraisal import Posterior
from company.company_view import CompanyView, Worth, Z, team_worth
from company.edits import Demote, SplitTeam
from company.payoff import Prediction
from company.policies import Policies
from company.promotion import (
    MANAGERS,
    SWITCH,
    Candidate,
    Observed,
    Promotion,
    Rule,
    Seat,
    Transfer,
    prior,
    promote,
    should_step_down,
    update,
)
from company.reorganisation import Proposal, possible, recent_share

LEAST_ERROR = 0.01  # of what a split gave: one that hardly differs from an equal one still is not known exactly


def successions(
    view: CompanyView, policies: Policies, transfer: Transfer, since: Mapping[str, int], rng: np.random.Generator
) -> Iterator[Proposal]:
    """Changes of who leads, seat by seat from the top; `since`: the order at which each manager took its seat."""
    rule, check_after = policies.promote.rule, policies.reorganise.undo_after
    for manager in view.managers:
        if manager == view.chart.root or manager in view.vacant or not _researchers(view, manager):
            continue
        seat = Seat(manager, recent_share(view, _researchers(view, manager)), managed(view, manager, since[manager]))
        found = promote(rule, seat, candidates(view, rule), transfer, rng)
        if found is not None:
            yield _promotion(view, found, check_after)
        elif should_step_down(seat, rule, level=-SWITCH):
            yield from _step_down(view, seat, policies)


def fill(view: CompanyView, rule: Rule, proposal: Proposal, transfer: Transfer, rng: np.random.Generator) -> Proposal:
    """The same change, with a promotion into the seat that it opens where the rule finds one."""
    split = next((edit for edit in proposal.edits if isinstance(edit, SplitTeam)), None)
    if split is None or len(view.worth) < 2:  # somebody has to go on proposing
        return proposal
    seat = Seat(split.into, recent_share(view, split.members), vacant=True)
    found = promote(rule, seat, candidates(view, rule), transfer, rng)
    if found is None or not possible(view, (*proposal.edits, found.edit)):
        return proposal
    because = f"{proposal.because}; {found.because}"
    evidence = {**proposal.evidence, **_evidence(view, found)}
    return replace(proposal, edits=(*proposal.edits, found.edit), because=because, evidence=evidence)


def candidates(view: CompanyView, rule: Rule) -> list[Candidate]:
    """The researchers who may lead. For merit only those above the average: a manager's seat is no place for
    somebody that research would gladly lose, for whom there is replacement."""
    worth = {name: found for name, found in view.worth.items() if rule != "merit" or found.mean > 0}
    fair = 1 / max(1, len(view.worth))  # whom the present split starves would still be missed under another
    return [Candidate(name, found, max(fair, recent_share(view, [name]))) for name, found in worth.items()]


def managed(view: CompanyView, manager: str, since: int) -> Worth:
    """A manager's worth per proposal of its team: what its split gave over an equal one after order `since`."""
    trials = view.window(since, view.order)
    seats = [_under(view, report) for report in view.chart.reports(manager)]
    known = [(team, w) for team in seats if (w := team_worth(team, view.worth)) is not None]
    used = [float(sum(trial.position in team for trial in trials)) for team, _ in known]
    n = int(sum(used))
    if n == 0 or len(known) < 2:
        return Worth(0.0, -Z * MANAGERS, Z * MANAGERS, 0)
    teams = [Posterior(w.mean, w.low, w.high, w.n, 0.5, {"shared": w.shared}) for _, w in known]
    split = judge_split(teams, used)
    error = max(LEAST_ERROR, (split.high - split.low) / (2 * Z))
    precision = 1 / MANAGERS**2 + 1 / error**2
    mean, half = split.gain / error**2 / precision, Z * precision**-0.5
    return Worth(mean, mean - half, mean + half, n)


def measured(view: CompanyView, revision: ev.ChartRevised, at: int) -> dict[str, Any]:
    """What the check of a promotion made at order `at` learns of the one who was promoted; empty of other changes."""
    seat = revision.evidence.get("promoted_to")
    if seat is None or seat in view.vacant or seat not in view.managers:
        return {}
    return {"manager": asdict(managed(view, seat, at))}


def learned(changes: Iterable[ev.Event]) -> Transfer:
    """What the company's own promotions say of how far research skill carries over."""
    revised: dict[int, ev.ChartRevised] = {}
    seen = []
    for change in changes:
        if isinstance(change, ev.ChartRevised):
            revised[change.number] = change
        elif isinstance(change, ev.RevisionChecked) and "manager" in change.found:
            before = revised[change.number].evidence["researcher"]
            seen.append(Observed(Worth(**before), Worth(**change.found["manager"])))
    return update(prior(), seen)


def _promotion(view: CompanyView, found: Promotion, check_after: int) -> Proposal:
    value = found.value
    half = Z * value.sd
    prediction = Prediction("worth per proposal", 0.0, value.net, value.net - half, value.net + half)
    subject = f"promotion:{found.edit.to}"
    return Proposal((found.edit,), subject, found.because, _evidence(view, found), prediction, check_after)


def _step_down(view: CompanyView, seat: Seat, policies: Policies) -> Iterator[Proposal]:
    """Nobody is better in the seat: its reports go to the manager above, where that one can decide for as many."""
    above = view.chart.manager_of(seat.position)
    if above is None or seat.holder is None:
        return
    span = len({*view.chart.reports(above), *view.chart.reports(seat.position)})
    if span > policies.reorganise.max_span:
        return
    gain, half = seat.share * -seat.holder.mean - SWITCH, seat.share * Z * seat.holder.sd
    prediction = Prediction("worth per proposal", 0.0, gain, gain - half, gain + half)
    evidence = {"trigger": "step down", "share": seat.share, "manager": asdict(seat.holder)}
    held = seat.holder
    because = (
        f"{seat.position}'s split of the compute gave {held.mean:+.3f} worth a proposal over an equal one "
        f"({held.low:+.3f} to {held.high:+.3f}, {held.n} proposals), and nobody would be worth more in the seat"
    )
    edits = (Demote(position=seat.position),)
    yield Proposal(edits, f"step down:{seat.position}", because, evidence, prediction, policies.reorganise.undo_after)


def _evidence(view: CompanyView, found: Promotion) -> dict[str, Any]:
    value, edit = found.value, found.edit
    return {
        "promoted": edit.position, "promoted_to": edit.to, "researcher": asdict(view.worth[edit.position]),
        "gain": value.gain, "loss": value.loss, "net": value.net, "p_pays": value.p_pays,
    }  # fmt: skip


def _under(view: CompanyView, report: str) -> list[str]:
    """The researchers at a seat and below it."""
    return [name for name in view.worth if name == report or report in view.chart.chain(name)]


def _researchers(view: CompanyView, manager: str) -> list[str]:
    return [name for name in view.worth if manager in view.chart.chain(name)]
