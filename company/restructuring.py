"""Changing a live organisation: looking at the structure on schedule, revisions, their checks and their undoing.

Which change, and whether it paid, is for company/reorganisation.py and payoff.py to say; here it is carried out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from company import events as ev
from company import lifecycle
from company.chart import OrgChart
from company.company_view import CompanyView, Past, view_of
from company.edits import Edit, EditError, edits_from
from company.entities import Revised
from company.handover import handover
from company.payoff import Prediction, check
from company.reorganisation import Proposal, choose, propose, touched
from company.revision import Revision, inverse, revise
from company.staffing import candidate, founding_brain, next_agent_id
from company.state import State
from company.succession import fill, learned, measured, successions
from company.taming import clean
from company.worth import everyone
from roles.streams import stream

if TYPE_CHECKING:
    from company.engine import Engine


def look(engine: Engine) -> None:
    """Check earlier revisions, and on the chart's schedule see whether the structure should change."""
    state, policies = engine.state, engine.state.chart.policies
    idle = policies.reorganise.rule == policies.promote.rule == "never"
    if (idle and not state.revisions) or any(p.task == "appraise" for p in state.decisions.values()):
        return
    _check_revisions(engine)
    if idle or state.rounds - state.structure_at < policies.reorganise.every:
        return
    by = state.holder.get(state.chart.root, "company")
    found = _wanted(state)
    if found is None:
        engine.emit(ev.StructureReviewed(by, "nothing to change"))
    elif state.chart.policies.approve.reorganise == "human":
        from company.management import ask_person

        engine.emit(ev.StructureReviewed(by, "a change waits for a person"))
        ask_person(engine, "reorganise", _args(found), by, clean(found.because))
    else:
        engine.emit(ev.StructureReviewed(by, "a change"))
        _carry_out(engine, _args(found), by, found.because)


def _wanted(state: State) -> Proposal | None:
    """The change of structure that is called for, its new seat filled by promotion or not; else of who leads."""
    view, policies, known = _view(state), state.chart.policies, learned(event for _, event in state.changes)
    lots, ballots = (stream(state.seed, "company", purpose, state.rounds) for purpose in ("reorganise", "promote"))
    found = propose(view, policies.reorganise, lots)
    if found is not None:
        return fill(view, policies.promote.rule, found, known, ballots)
    return choose(view, policies.reorganise, successions(view, policies, known, _terms(state), ballots))


def _terms(state: State) -> dict[str, int]:
    """How many proposals had finished when each seat's present agent came to it."""
    since = dict.fromkeys((seat.id for seat in state.chart.positions), 0)
    for revised in state.revisions:
        came = (p for p in since if revised.event.seated.get(p) != p)
        since.update(dict.fromkeys(came, revised.at))
    return since


def change(engine: Engine, edits: Sequence[Edit], by: str, because: str) -> str:
    """A person's revision: carried out, and held against nothing. Raises EditError when it cannot be made."""
    args = {"edits": [edit.to_dict() for edit in edits], "subject": "a person", "evidence": {}, "prediction": {}}
    return _carry_out(engine, {**args, "check_after": 0}, by, because)


def replace_chart(engine: Engine, chart: OrgChart, by: str, because: str) -> str:
    """Make the organisation what a whole new chart says: what differs is one revision. Raises EditError.

    Budget, mission and talent pool of a running company stay as they are.
    """
    wanted = edits_towards(engine.state, chart)
    if not wanted:
        raise EditError("the chart says what is in force already (budget, mission and talent of a live company stay)")
    return change(engine, wanted, by, because)


def edits_towards(state: State, chart: OrgChart) -> tuple[Edit, ...]:
    """What makes a whole new chart of the one in force, as one revision; empty where that changes nothing."""
    same = {p.id: p.id for p in chart.positions if p.id in state.holder}
    return inverse(Revision(before=chart, after=state.chart, edits=(), seated=same, owner={}))


def undo(engine: Engine, number: int, by: str, because: str) -> str:
    """Take a revision back. Raises EditError when it cannot be."""
    revisions = engine.state.revisions
    if not 1 <= number <= len(revisions):
        raise EditError(f"there is no revision {number}; there are {len(revisions)}")
    revised = revisions[number - 1]
    if revised.undone:
        raise EditError(f"revision {number} is undone already")
    args = {"edits": revised.event.undo, "subject": revised.event.subject, "evidence": {}, "prediction": {}}
    return _carry_out(engine, {**args, "check_after": 0}, by, because, undoes=number)


def carry_out_approved(engine: Engine, asked: ev.ApprovalAsked) -> str:
    """A reorganisation that a person has agreed to; the company may have changed meanwhile."""
    try:
        return _carry_out(engine, asked.args, asked.by, asked.because)
    except EditError as error:
        return f"{asked.request} was approved but cannot be carried out any more: {error}"


def _carry_out(engine: Engine, args: Mapping[str, Any], by: str, because: str, undoes: int | None = None) -> str:
    """One revision: the chart, then whom it leaves without a seat, a role or an answer."""
    state = engine.state
    revision = revise(state.chart, edits_from(args["edits"]), vacant(state))
    before = list(state.decisions.values())
    number = len(state.revisions) + 1
    recast = [p.id for p in revision.after.positions if _changes_role(state, revision, p.id)]
    engine.emit(
        ev.ChartRevised(
            number, revision.after.to_dict(), list(args["edits"]), dict(revision.seated), _heirs(state, revision),
            {position: _new_brain(state, revision, position) for position in recast},
            [edit.to_dict() for edit in inverse(revision)], args["subject"], by, clean(because),
            dict(args["evidence"]), dict(args["prediction"]), args["check_after"], undoes,
        )
    )  # fmt: skip
    _fill_vacancies(engine)
    for pending in before:
        if pending.id not in state.decisions:
            lifecycle.ask_again(engine, pending)
    return f"revision {number} is in force"


def _heirs(state: State, revision: Revision) -> dict[str, str]:
    """Who finishes the work of each closed seat: one of its role, whom others serve, else a manager."""
    closed = handover(revision, vacant(state)).closed
    return {seat.position: seat.heir or seat.owner for seat in closed}


def _changes_role(state: State, revision: Revision, position: str) -> bool:
    """Whether whoever sits there after the revision had another role before it."""
    source = revision.seated.get(position)
    return source is not None and state.agent_at(source).role != revision.after.position(position).role


def _new_brain(state: State, revision: Revision, position: str) -> dict[str, object]:
    """Who comes back to a role decides as before in it; who is new to it decides as the seat's founder would."""
    known = state.agent_at(revision.seated[position]).former.get(revision.after.position(position).role)
    return {"kind": known.kind, "params": dict(known.params)} if known else founding_brain(revision.after, position)


def _fill_vacancies(engine: Engine) -> None:
    """Hire for empty seats: researchers from the talent pool or not at all, who serves them in any case."""
    state = engine.state
    for seat in state.chart.positions:
        if seat.id in state.holder:
            continue
        hire = candidate(state, seat.role)
        if hire is None and seat.role == "researcher":
            continue
        brain = {"kind": hire.kind, "params": hire.params} if hire else founding_brain(state.chart, seat.id)
        name, talent = (hire.name, hire.talent) if hire else (seat.name, None)
        agent = next_agent_id(state, seat.id)
        engine.emit(ev.AgentHired(agent, name, seat.id, seat.role, brain, "fills a vacancy", talent))


def _check_revisions(engine: Engine) -> None:
    """Hold each revision against its prediction when its time has come, and take back what did not pay."""
    state = engine.state
    for revised in state.revisions:
        if not _pending(revised) or state.proposals_finished - revised.at < revised.event.check_after:
            continue
        event, view = revised.event, _view(state)
        outcome = check(Prediction(**event.prediction), revised.at, event.check_after, event.evidence, view)
        if outcome.verdict == "too early":
            continue
        found = {**outcome.to_dict(), **measured(view, event, revised.at)}
        engine.emit(ev.RevisionChecked(event.number, outcome.verdict, found, outcome.because))
        if outcome.verdict == "did not pay":
            try:
                undo(engine, event.number, event.by, f"revision {event.number} did not pay: {outcome.because}")
            except EditError as error:
                why = f"revision {event.number} did not pay and cannot be undone: {error}"
                engine.emit(ev.StructureReviewed(event.by, clean(why)))


def _pending(revised: Revised) -> bool:
    return revised.event.check_after > 0 and not revised.verdict and not revised.undone


def _view(state: State) -> CompanyView:
    known = everyone(state)
    worth = {position: known[state.holder[position]] for position in state.passes}
    return view_of(state, worth, [_past(revised) for revised in state.revisions])


def _past(revised: Revised) -> Past:
    outcome = "pending" if _pending(revised) else "did not pay" if revised.undone else "paid"
    named = touched(edits_from(revised.event.edits))
    return Past(revised.event.number, revised.event.subject, named, revised.at, outcome)


def vacant(state: State) -> tuple[str, ...]:
    """The positions that nobody holds."""
    return tuple(seat.id for seat in state.chart.positions if seat.id not in state.holder)


def _args(proposal: Proposal) -> dict[str, Any]:
    return {
        "edits": [edit.to_dict() for edit in proposal.edits],
        "subject": proposal.subject,
        "evidence": dict(proposal.evidence),
        "prediction": proposal.prediction.to_dict(),
        "check_after": proposal.check_after,
    }
