"""What a person can ask of a company at work: the command, the evidence for and against it, what follows. Pure.

Each function gives an Order to be confirmed, or in one line why it cannot be given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from company import events as ev
from company.change_words import edits_words, prediction_words
from company.chart import OrgChart
from company.code_words import tried_text
from company.edits import EditError, edits_from
from company.entities import Experiment
from company.handover import consequences
from company.restructuring import edits_towards, vacant
from company.state import State
from company.wording import count, number, percent, plain
from tui.evidence import Fact, agent_facts, hire_facts, loss_facts


@dataclass(frozen=True, slots=True)
class Order:
    """`action` and `args` as the command table has them; `verb` is what confirming does; `reason` asks for one."""

    action: str
    title: str
    verb: str
    args: Mapping[str, Any] = field(default_factory=dict)
    facts: Sequence[Fact] = ()
    follows: Sequence[str] = ()
    reason: bool = True


class Choice(NamedTuple):
    """A position that an order can name, with words about it."""

    id: str
    words: str


def pause(state: State) -> Order:
    """Pause, or go on."""
    running = count(len(state.running), "experiment")
    if state.paused:
        follows = ("what waited is started, as slots come free",)
        return Order("resume", "let the company go on", "goes on", facts=_load(state), follows=follows, reason=False)
    follows = (
        f"{running} under way {_goes_on(len(state.running))} to the end",
        "nothing new is started, and nothing is decided, until you resume it",
    )
    return Order("pause", "pause the company", "pauses", facts=_load(state), follows=follows, reason=False)


def stop(state: State, name: str) -> Order | str:
    """End a running proposal."""
    experiment = state.experiments.get(name)
    if experiment is None:
        return "select an experiment that runs"
    if experiment.status != "running":
        return f"{name} does not run: it is {experiment.status}"
    if experiment.purpose != "proposal":
        return f"{name} is a {experiment.purpose} run, which the company needs; only proposals stop"
    spent = max(0.0, state.now - experiment.started_at)
    follows = (
        f"about {spent:.0f} of {experiment.cost:.0f} slot-seconds are lost",
        f"it counts for nobody: {experiment.proposer or 'its proposer'} is not held to it",
        "its slot is free for the next one",
    )
    facts = (*_proposal(state, experiment), *_curve(state, experiment))
    return Order("stop", f"stop {name}", "stops it", {"experiment": name}, facts, follows, reason=False)


def settle(state: State, name: str, approve: bool) -> Order | str:
    """Approve or refuse a request, or a proposal that its reviewers have not decided on."""
    action, verb = ("approve", "approves") if approve else ("refuse", "refuses")
    asked = state.requests.get(name)
    if asked is not None:
        facts, follows = _asked(state, asked, approve)
        return Order(action, f"{action} {name}", verb, {"experiment": name}, facts, follows, reason=False)
    experiment = state.experiments.get(name)
    if experiment is None:
        return "select a proposal under review, or a request (!)"
    if experiment.status != "proposed":
        return f"{name} does not wait for a review: it is {experiment.status}"
    reviewers = ", ".join(experiment.reviewers) or "its reviewers"
    follows = (
        f"{reviewers} need not decide any more",
        f"it is built and run: {experiment.cost:.0f} slot-seconds" if approve else "it is dropped and never run",
    )
    votes = [f"{who} {'for' if yes else 'against'}" for who, yes in experiment.votes.items()]
    facts = (*_proposal(state, experiment), Fact("votes", ", ".join(votes) or f"none yet, asked: {reviewers}"))
    return Order(action, f"{action} {name}", verb, {"experiment": name}, facts, follows, reason=False)


def replace(state: State, name: str) -> Order | str:
    """Let an agent go and hire from the talent pool."""
    agent = state.agents.get(name)
    if agent is None or agent.status == "left":
        return f"{name or 'nobody'} holds no position: select somebody who does"
    hire = hire_facts(state, agent)
    if isinstance(hire, str):
        return hire
    facts = (*agent_facts(state, agent), *hire, *loss_facts(state, agent))
    trial = state.chart.policies.hire.trial if agent.role == "researcher" else 0
    follows = [f"{name} leaves; the position keeps its results, its share and its directive"]
    if trial:
        cost = trial * state.brief["budget_seconds"]
        runs = count(trial, "proposal")
        follows.append(f"the new one is on trial for {runs} ({cost:.0f} slot-seconds); {name} returns if it was better")
    follows.append("open questions are put to the new one; the talent pool has one candidate less")
    return Order("replace", f"replace {name}", f"replaces {name}", {"agent": name}, facts, follows)


def managers(state: State, position: str, besides: str | None = None) -> list[Choice]:
    """The manager positions that a position could report to or be promoted to: not itself, and not `besides`."""
    found, own = [], (position, besides)
    for seat in state.chart.positions:
        if seat.role == "manager" and seat.id not in own:
            team = count(len(state.chart.reports(seat.id)), "report")
            holder = state.holder.get(seat.id, "vacant")
            found.append(Choice(seat.id, f"{seat.id} {plain(seat.name, 40)} ({holder}, {team})"))
    return found


def move(state: State, position: str, to: str) -> Order | str:
    """Another manager for a position."""
    edit = {"kind": "Move", "position": position, "to": to}
    return _edit(state, edit, f"move {position} to {to}", "moves it", (position,))


def promote(state: State, position: str, to: str) -> Order | str:
    """A manager's seat for an agent; whoever sits there changes places with it."""
    edit = {"kind": "Promote", "position": position, "to": to}
    return _edit(state, edit, f"promote {position} to {to}", "promotes", (position, to))


def undo(state: State, number_: int) -> Order | str:
    """Take a revision back."""
    revisions = state.revisions
    if not revisions:
        return "the chart was never revised: there is nothing to take back"
    if not 1 <= number_ <= len(revisions):
        return f"there is no revision {number_}: there are {len(revisions)}"
    revised = revisions[number_ - 1]
    if revised.undone:
        return f"revision {number_} is undone already"
    event = revised.event
    follows = _consequences(state, event.undo)
    if isinstance(follows, str):
        return f"revision {number_} cannot be undone: {follows}"
    since = state.proposals_finished - revised.at
    facts = (
        Fact("revision", f"{number_} by {event.by}: {revision_words(event)}"),
        Fact("because", plain(event.because, 300) or "no reason was given"),
        Fact("since then", f"{count(since, 'proposal')} finished"),
        Fact("came of it", plain(revised.verdict, 60) or ("not known yet" if event.check_after else "not measured")),
    )
    return Order("undo", f"undo revision {number_}", "takes it back", {"revision": number_}, facts, follows)


def last_revision(state: State) -> int:
    """The number of the latest revision that was not undone and undoes none, 0 where there is none."""
    return next((r.event.number for r in reversed(state.revisions) if not r.undone and r.event.undoes is None), 0)


def apply_chart(state: State, chart: OrgChart, left: Sequence[str] = ()) -> Order | str:
    """Make the company what a chart says. `left` are differences that a live company does not take on."""
    edits = edits_towards(state, chart)
    if not edits:
        return "the chart says what is in force already (budget, mission and talent of a live company stay)"
    follows = _consequences(state, [edit.to_dict() for edit in edits])
    if isinstance(follows, str):
        return f"the chart cannot be applied: {follows}"
    facts = (
        Fact("company", f"{plain(state.chart.company, 60)}: revision {len(state.revisions) + 1}"),
        Fact("under way", f"{count(len(state.under_way), 'experiment')}, which {_goes_on(len(state.under_way))}"),
        *(Fact("left out", plain(each, 200), "warn") for each in left),
    )
    return Order("chart", "apply the chart", "applies it", {"chart": chart.to_dict()}, facts, follows)


def revision_words(event: ev.ChartRevised) -> str:
    """What a revision did, in a few words."""
    if event.undoes is not None:
        return f"took back revision {event.undoes}"
    whole = any(edit.get("kind") == "Restore" for edit in event.edits)
    return "a whole chart was applied" if whole else edits_words(event.edits)


def request_words(asked: ev.ApprovalAsked) -> str:
    """What a request asks for, in a few words."""
    if asked.action == "replace":
        return f"{asked.by} wants to replace {plain(asked.args.get('agent'), 40)}"
    return f"{asked.by} wants to {asked.action}: {edits_words(asked.args.get('edits', ()))}"


def _edit(state: State, edit: Mapping[str, Any], title: str, verb: str, positions: Sequence[str]) -> Order | str:
    follows = _consequences(state, (edit,))
    if isinstance(follows, str):
        return follows
    agents = [state.agents[state.holder[p]] for p in positions if p in state.holder]
    facts = tuple(fact for agent in agents for fact in agent_facts(state, agent))
    return Order("edit", title, verb, {"edits": [dict(edit)]}, facts, follows)


def _consequences(state: State, edits: Sequence[Mapping[str, Any]]) -> tuple[str, ...] | str:
    """What edits do, or why they cannot be made."""
    try:
        return consequences(state.chart, edits_from(edits), vacant(state)) or ("settings go back to what they were",)
    except EditError as error:
        return str(error)


def _asked(state: State, asked: ev.ApprovalAsked, approve: bool) -> tuple[tuple[Fact, ...], Sequence[str]]:
    facts = [Fact("asked", request_words(asked)), Fact("because", plain(asked.because, 300) or "no reason was given")]
    if not approve:
        return tuple(facts), ("nothing changes; it may be asked for again at a later appraisal",)
    if asked.action == "replace":
        order = replace(state, str(asked.args.get("agent", "")))
        if isinstance(order, str):
            return tuple(facts), (order,)
        return (*facts, *order.facts), order.follows
    follows = _consequences(state, asked.args.get("edits", ()))
    expected = prediction_words(asked.args.get("prediction") or {})
    facts += [Fact("expected", expected)] if expected else []
    return tuple(facts), (f"it cannot be carried out any more: {follows}",) if isinstance(follows, str) else follows


def _proposal(state: State, experiment: Experiment) -> tuple[Fact, ...]:
    changes = tried_text(state, experiment.code, experiment.config, "", state.brief["baseline"], 6)
    return (
        Fact("proposal", f"{experiment.id} by {experiment.proposer or 'nobody'}: {changes}"),
        Fact("because", plain(experiment.reason, 300) or "no reason was given"),
        Fact("expected", f"{number(experiment.predicted)} {plain(state.metric.name, 40)}"),
    )


def _curve(state: State, experiment: Experiment) -> tuple[Fact, ...]:
    if not experiment.curve:
        return (Fact("so far", "no measurement yet"),)
    at, loss = experiment.curve[-1]
    return (Fact("so far", f"training loss {number(loss)} at {percent(at)} of its steps"),)


def _load(state: State) -> tuple[Fact, ...]:
    waiting = len(state.under_way) - len(state.running)
    return (
        Fact("running", f"{count(len(state.running), 'experiment')} on {count(state.slots, 'slot')}"),
        Fact("waiting", f"{count(waiting, 'experiment')}, {count(len(state.decisions), 'decision')} open"),
    )


def _goes_on(n: int) -> str:
    return "goes on" if n == 1 else "go on"
